#!/bin/sh
# seconds: 1800
# disks that are full or cannot be written to: one message that says where and why, exit 65, no trace, no hang; what was computed is said, and not lost; TAP
# From the environment: BUILD, MPIEXEC. File systems of a limited size are mounted in a name space of its own; where that is not allowed, it is skipped.
if [ -z "$CODIM_FAULTS" ]; then
  user=$([ "$(id -u)" = 0 ] || echo -Ur)
  place=$(mktemp -d) || exit 1
  trap 'rm -rf "$place"' EXIT
  if unshare $user -m mount -t tmpfs -o size=64k tmpfs "$place" 2>/dev/null; then
    CODIM_FAULTS=$place unshare $user -m sh "$0"
    exit
  fi
  echo "1..0 # SKIP file systems cannot be mounted here"
  exit 0
fi
place=$CODIM_FAULTS
. tests/tap.sh
# job RANKS ARGUMENT…: into the disk
job() {
  ranks=$1
  shift
  run "$ranks" run "$place/job.yaml" -output "$place/disk/out" "$@"
}
mkdir "$place/disk"
disk() { # SIZE: an empty one
  umount "$place/disk" 2>/dev/null
  mount -t tmpfs -o "size=$1" tmpfs "$place/disk"
}
cat >"$place/job.yaml" <<'E'
data: {file: jobs/data/digits.csv, points: 60, scale: standard, target_scale: unit}
net: {widths: [100, 50], activation: tanh}
hessian: {density: 6, density_probes: 3}
E
complaints() { grep '^codim: ' "$place/log" | grep -c -v -e 'going on from' -e 'what was computed is in' -e 'no checkpoint now' -e 'cannot write .*/status: No space'; }
clean() { ! grep -q -e 'PETSC ERROR' -e 'HDF5-DIAG' -e 'Segmentation' "$place/log"; }
# nothing half written has the name of a result
whole() { [ -z "$(find "$place/disk/out" -name '*.new')" ]; }

# ---- a full disk, in steps up to all that the run writes
run_on() { # SIZE RANKS: 0, or 65 with one message, and the verdict in any case
  disk "$1"
  job "$2" -checkpoint_minutes 0
  case $status in
  0) [ "$(complaints)" = 0 ] ;;
  65) [ "$(complaints)" = 1 ] && grep -q '^codim: .*/disk/out.*\(space\|No space\|full\)' "$place/log" && grep -q 'verdict   HOLDS' "$place/log" ;;
  *) false ;;
  esac && clean && whole
}
fine=0 full=0
for size in 4k 16k 32k 64k 96k 128k 160k 192k 256k 512k 4m; do
  for ranks in 1 3; do
    claim "a disk of $size, $ranks ranks: all, or one message and the verdict" run_on $size $ranks
    [ "$status" = 0 ] && fine=$((fine + 1)) || full=$((full + 1))
  done
done
claim "... it was full $full times, and large enough $fine times" test "$fine" -ge 2 -a "$full" -ge 8

# ---- no room for a checkpoint: the run goes on
disk 64k
job 3 -checkpoint_minutes 0.0001 -hessian_density_probes 200
claim "no room for a checkpoint is a warning" grep -q 'no checkpoint now, the run goes on: .*checkpoint.h5.new cannot be written: No space' "$place/log"
claim "... and no trace" clean
disk 64k
job 2 -checkpoint_stop 5
claim "asked to stop without room for a checkpoint: exit 65, one message" test "$status" = 65 -a "$(complaints)" = 1
claim "... that says why" grep -q '^codim: .*checkpoint.h5.new cannot be written: No space' "$place/log"

# ---- the last good checkpoint stays when there is no room for the next, or for the results
disk 4m
job 2 -checkpoint_stop 20
cp "$place/disk/out/checkpoint.h5" "$place/kept.h5"
claim "a checkpoint" test "$status" = 75
filled() { # all but SIZE bytes of the disk
  free=$(($(stat -f -c '%a * %S' "$place/disk")))
  head -c $((free - $1)) /dev/zero >"$place/disk/rubbish"
}
filled 8192
job 3
claim "no room for the results: exit 65, one message" test "$status" = 65 -a "$(complaints)" = 1
claim "... it went on from the checkpoint" grep -q 'going on from' "$place/log"
claim "... the verdict is said" grep -q 'verdict   HOLDS' "$place/log"
claim "... the checkpoint is still good" test -s "$place/disk/out/checkpoint.h5"
claim "... and there is a status" test "$(cat "$place/disk/out/status")" = 65
rm "$place/disk/rubbish"
job 3
claim "with room again the same command goes on from it" grep -q 'going on from' "$place/log"
claim "... and ends" test "$status" = 0 -a "$(cat "$place/disk/out/status")" = 0

# ---- a directory that cannot be written to
disk 4m
mkdir "$place/disk/out"
mount -o remount,ro "$place/disk"
for ranks in 1 3; do
  job $ranks
  claim "a read-only output, $ranks ranks: known before anything is computed" test "$status" = 65 -a "$(complaints)" = 1
  claim "... the reason is said" grep -q '^codim: cannot write to the output directory .*Read-only file system' "$place/log"
  claim "... and no trace" clean
done
disk 4m
job 2 -checkpoint_stop 20
mount -o remount,ro "$place/disk"
job 2
claim "likewise where it has a checkpoint" test "$status" = 65 -a "$(complaints)" = 1

# ---- the files of a finished run, and of one that was stopped, damaged
# damage FILE GOOD CUT K: at the K-th sixteenth of its length GOOD is cut, or one bit is changed
damage() {
  at=$(($(stat -c %s "$2") * $4 / 16))
  if [ "$3" = cut ]; then head -c $at "$2" >"$1"; else
    cp "$2" "$1"
    byte=$(($(od -An -tu1 -j $at -N 1 "$2") ^ 1 << ($4 % 8)))
    printf "\\$(printf %03o $byte)" | dd of="$1" bs=1 seek=$at conv=notrunc 2>/dev/null
  fi
}
# sweep HOW FILE COMMAND ARGUMENT…: FILE of the directory `bad`, damaged at every sixteenth; always refused, in one line, where `all_refused`.
# On one rank without a launcher, which takes seconds to end after a failure. Without FAULTS only at every fifth.
sweep() {
  how=$1 file=$2
  shift 2
  for k in $(seq 0 ${FAULTS:-5} 15); do
    rm -rf "$place/disk/bad"
    cp -r "$place/good" "$place/disk/bad"
    damage "$place/disk/bad/$file" "$place/good/$file" "$how" "$k"
    timeout -k 5 60 $([ $((k % 8)) != 0 ] || echo "${MPIEXEC:-mpiexec} -n 3") "$codim" "$@" >"$place/log" 2>&1
    status=$?
    case $status in
    0) [ "$all_refused" ] && return 1 ;;
    65) [ "$(grep '^codim: ' "$place/log" | grep -cv 'going on from')" = 1 ] || return 1 ;;
    *) return 1 ;;
    esac
    clean || return 1
  done
}
cuts() { # FILE COMMAND ARGUMENT…
  all_refused=yes
  claim "$2: $1, cut at sixteenths of its length, is refused in one line" sweep cut "$@"
}
both() {
  cuts "$@"
  claim "... with a bit changed there, likewise" sweep bit "$@"
}
both_text() { # where a digit may become another
  cuts "$@"
  all_refused=
  claim "... with a bit changed there, likewise, or it is read" sweep bit "$@"
}
disk 8m
job 2
cp -r "$place/disk/out" "$place/good"
cp results/calibration.json "$place/good/"
both_text certificate.json check "$place/disk/bad"
both weights.safetensors check "$place/disk/bad"
both problem.h5 check "$place/disk/bad"
both_text report.json report "$place/disk/bad"
both_text calibration.json plan "$place/job.yaml" -calibration "$place/disk/bad/calibration.json"
job 2 -checkpoint_stop 9
rm -rf "$place/good"
cp -r "$place/disk/out" "$place/good"
both checkpoint.h5 run "$place/job.yaml" -output "$place/disk/bad"
umount "$place/disk"
echo "1..$count"
