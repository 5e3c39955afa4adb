#!/bin/sh
# seconds: 600
# ranks x grids: the same verdict, counts and spectra on 1 to 64 ranks, data groups x parameter shards as they come and as they are asked for; TAP
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh
if ! $python -c 'import h5py' 2>/dev/null; then
  echo "1..0 # SKIP no Python with h5py"
  exit 0
fi

# as RANKS GRID ARGUMENT…: as on one rank; GRID -: as chosen
as() {
  ranks=$1
  grid=${2#-}
  shift 2
  ends 0 "$ranks" many "$place/job.yaml" ${grid:+-grid "$grid"} "$@" &&
    $python tests/same_run.py "$place/one" "$place/many" uninterrupted >"$place/log" 2>&1
}

# sizes that no number of ranks divides; 61 points and 11 units are fewer than the ranks in the end
job job <<'E'
data: {file: jobs/data/digits.csv, points: 61, scale: standard, target_scale: unit}
net: {widths: [23, 11], activation: tanh, seed: 3}
E
claim "on one rank, with the ends of the exact Hessian: holds, proved" ends 0 1 one "$place/job.yaml"
for where in '2 1,2' '2 2,1' '4 1,4' '4 2,2' '4 4,1' '8 2,4'; do
  claim "${where% *} ranks as ${where#* }: the same" as ${where% *} ${where#* }
done
claim "8 ranks on small tiles: the same" as 8 - -tiles_block 4

# the exact Hessian's products are many and short: where ranks share cores, each waits for all
claim "on one rank, without those ends" ends 0 1 one "$place/job.yaml" -hessian_extreme 0 -hessian_zeros 0
for where in '8 8,1' '16 4,4' '32 -' '64 8,8' '64 1,64'; do
  claim "${where% *} ranks as ${where#* }: the same" as ${where% *} ${where#* } -hessian_extreme 0 -hessian_zeros 0
done
claim "64 ranks, K on small tiles over all of them: the same" as 64 64,1 -tiles_block 4 -hessian_extreme 0 -hessian_zeros 0

# a convolutional net with 3 outputs, in one class each
job job <<'E'
data: {file: jobs/data/digits.csv, points: 13, scale: standard, target: onehot}
net: {arch: cnn, shape: [1, 8, 8], channels: [5, 7], activation: tanh, seed: 2}
hessian: {extreme: 0, zeros: 0}
E
claim "a convolutional net on one rank" ends 0 1 one "$place/job.yaml"
for where in '4 2,2' '16 2,8'; do
  claim "${where% *} ranks as ${where#* }: the same" as ${where% *} ${where#* }
done
echo "1..$count"
