#!/bin/sh
# seconds: 600
# interrupted jobs: stopped at every kind of safe point, on other ranks each time, they end as if they had not been; whose checkpoint is refused;
# signals; one run a directory; TAP
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh
for python in python3 /usr/bin/python3 ''; do [ -n "$python" ] && $python -c 'import h5py, numpy' 2>/dev/null && break; done
# one message that says TEXT, that status, no trace
says_once() {
  [ "$status" = "$1" ] && [ "$(grep -c '^codim: ' "$place/log")" = 1 ] && grep -q "^codim: .*$2" "$place/log" && ! grep -q 'PETSC ERROR' "$place/log"
}
grid() { # of the NUMBER-th run
  set -- $(($1 % 8)) 1,1 2,1 1,3 2,2 1,1 1,2 3,1 4,1
  shift "$1"
  echo "$2"
}
# chop OUTPUT EVERY MOST JOB ARGUMENT…: stopped at the EVERY-th safe point again and again, on 1, 2, 3, 4, 1, … ranks and another grid each time;
# `interruptions` and `status` tell
chop() {
  output=$1
  every=$2
  most=$3
  shift 3
  interruptions=0
  rm -rf "$output"
  while run $((interruptions % 4 + 1)) run "$@" -grid "$(grid $interruptions)" -output "$output" -checkpoint_stop "$every" && [ "$status" = 75 ]; do
    interruptions=$((interruptions + 1))
    if [ ! -s "$output/checkpoint.h5" ] || [ "$interruptions" -gt "$most" ]; then return 1; fi
    grep -q 'in part' "$place/log" && in_part=$((in_part + 1))
  done
  [ "$interruptions" -ge 1 ] && [ "$status" = "$(cat "$output/status")" ] && [ ! -e "$output/checkpoint.h5" ]
}
# as_whole SENTENCE STATUS EVERY MOST JOB ARGUMENT…
as_whole() {
  sentence=$1
  wanted=$2
  every=$3
  most=$4
  in_part=0
  shift 4
  run 2 run "$@" -output "$place/whole"
  claim "$sentence, in one piece" test "$status" = "$wanted"
  claim "... stopped again and again on 1, 2, 3, 4 ranks, on other grids" chop "$place/chopped" "$every" "$most" "$@"
  claim "... ends with the same status after $interruptions interruptions" test "$status" = "$wanted"
  if [ -n "$python" ]; then
    claim "... the same verdict, and the same spectra to rounding" same
  else skip "python3 with h5py is not there"; fi
  rm -rf "$place/whole"
}
same() { $python tests/same_run.py "$place/whole" "$place/chopped" >"$place/log" 2>&1; }

job() { cat >"$place/$1.yaml"; }
job small <<'E'
data: {file: jobs/data/digits.csv, points: 60, scale: standard, target_scale: unit}
net: {widths: [20, 10], activation: tanh}
E
job linear <<E
data: {file: tests/reference/linear-rank-deficient/data.h5}
net: {widths: [$(sed -n '/"widths"/,/]/p' tests/reference/linear-rank-deficient/case.json | tr -dc '0-9,')], activation: identity, bias: false}
reach: {method: load, weights: tests/reference/linear-rank-deficient/weights.safetensors}
E

# ---- every stage, interrupted
as_whole "training, spectrum, extremes, density, certificate" 0 3 30 "$place/small.yaml" -hessian_density 8 -hessian_density_probes 5
claim "... some stages went on in the middle ($in_part times)" test "$in_part" -ge 3
as_whole "the streamed QR, within the labels" 0 5 30 "$place/small.yaml" -net_widths 300,50 -spectrum_method qr
claim "... it went on in the middle ($in_part times)" test "$in_part" -ge 2
as_whole "a rank-deficient net, whose QR is made twice" 2 3 30 "$place/linear.yaml" -spectrum_method qr
claim "... it went on in the middle ($in_part times)" test "$in_part" -ge 1
as_whole "solvers that need many restarts" 0 4 60 "$place/small.yaml" -hessian_extreme 12 -largest_eps_ncv 16 -largest_eps_tol 1e-9 -largest_eps_max_it 200
as_whole "targets that are moved, trial by trial" 0 9 20 jobs/theorem-2.1-perturbed.yaml
claim "... it went on in the middle ($in_part times)" test "$in_part" -ge 3
as_whole "a second zero, K of every label" 0 4 20 "$place/small.yaml" -convexity_seed 7 -hessian_extreme 0 -hessian_zeros 0
claim "... it went on in the middle ($in_part times)" test "$in_part" -ge 3
# a tolerance above their rounding, which is another on each grid
as_whole "weights that are constructed" 0 4 20 jobs/lemma-3.3.yaml -reach_tolerance 1e-22
tao() { chop "$place/chopped" 12 10 "$place/small.yaml" -tao_type lmvm -reach_steps 40 -hessian_extreme 0 -hessian_zeros 0; }
claim "another Tao is interrupted at its iterates" tao
claim "... and has as many of them as it may, all runs together" grep -q '"iterations": 40,' "$place/chopped/report.json"
full() {
  rm -rf "$place/chopped"
  for stop in 100 0; do run 3 run "$place/small.yaml" -net_widths 4,4 -hessian_full -data_points 30 -output "$place/chopped" -checkpoint_stop $stop; done
  [ "$status" = 0 ] && grep -q 'full in part' "$place/log"
}
claim "assembling the whole Hessian is interrupted, and begins anew" full
claim "... it counts as ever" grep -q '"positive": 30' "$place/chopped/report.json"
run 1 run "$place/small.yaml" -reach_steps 2 -output "$place/near"
cp "$place/near/weights.safetensors" "$place/near.safetensors"
as_whole "loaded weights, certified and polished" 0 2 20 "$place/small.yaml" -reach_method load -reach_weights "$place/near.safetensors"
claim "... and where they started is kept" grep -q '"distance_' "$place/chopped/report.json"

# ---- whose it is
rm -rf "$place/out"
run 2 run "$place/small.yaml" -output "$place/out" -checkpoint_stop 9
claim "a checkpoint to be refused" test "$status" = 75
cp "$place/out/checkpoint.h5" "$place/kept.h5"
refused() { # TEXT ARGUMENT…: on 3 ranks; the checkpoint stays
  text=$1
  shift
  cp "$place/kept.h5" "$place/out/checkpoint.h5"
  run 3 run "$place/small.yaml" -output "$place/out" "$@"
  says_once 65 "$text" && grep -q 'remove' "$place/log" && [ -s "$place/out/checkpoint.h5" ] && [ "$(cat "$place/out/status")" = 65 ]
}
claim "another seed is refused" refused net_seed -net_seed 5
claim "another tolerance" refused reach_tolerance -reach_tolerance 1e-20
claim "another net" refused net_widths -net_widths 20,11
claim "other data" refused data_points -data_points 59
claim "another Tao" refused tao_type -tao_type lmvm
sed '3s/^[0-9.]*/9/' jobs/data/digits.csv >"$place/changed.csv"
claim "data of another content" refused 'another data' -data_file "$place/changed.csv"
cp "$place/kept.h5" "$place/bad.h5"
damaged() {
  cp "$place/bad.h5" "$place/out/checkpoint.h5"
  run 3 run "$place/small.yaml" -output "$place/out"
  says_once 65 'is damaged' && grep -q 'remove it' "$place/log"
}
printf x | dd of="$place/bad.h5" bs=1 seek=9999 conv=notrunc 2>/dev/null
claim "one with a byte changed" damaged
head -c 5000 "$place/kept.h5" >"$place/bad.h5"
claim "one that was cut" damaged
: >"$place/bad.h5"
claim "an empty one" damaged
goes_on() {
  cp "$place/kept.h5" "$place/out/checkpoint.h5"
  echo rubbish >"$place/out/checkpoint.h5.new"
  run 3 run "$place/small.yaml" -output "$place/out" "$@"
  [ "$status" = 0 ] && grep -q 'going on from' "$place/log" && [ ! -e "$place/out/checkpoint.h5.new" ]
}
cp jobs/data/digits.csv "$place/moved.csv"
claim "the same data elsewhere are the same data" goes_on -data_file "$place/moved.csv"
rm -rf "$place/out"
run 2 run "$place/small.yaml" -hessian_density 4 -hessian_density_probes 50 -output "$place/out" -checkpoint_stop 40
cp "$place/out/checkpoint.h5" "$place/kept.h5"
claim "a later stage's option may change" goes_on -hessian_density 4 -hessian_density_probes 50 -hessian_extreme 3
claim "... that stage is done again" grep -q 'extremes is done again: hessian_extreme' "$place/log"

# ---- signals
job long <<'E'
data: {file: jobs/data/digits.csv, points: 600, scale: standard, target_scale: unit}
net: {widths: [1500, 1500], activation: tanh}
E
# wait_for COMMAND…: at most 20 s
wait_for() {
  for _ in $(seq 200); do
    "$@" 2>/dev/null && return
    sleep .1
  done
  return 1
}
# child PROCESS: the one it started
child() { tr -d ' ' <"/proc/$1/task/$1/children"; }
computing() { [ -e "$place/out/.lock" ] && sleep 1; }
# signalled SIGNAL: a process of its own, without a launcher
signalled() {
  rm -rf "$place/out"
  timeout -k 5 90 "$codim" run "$place/long.yaml" -output "$place/out" >"$place/log" 2>&1 &
  wait_for computing
  kill -"$1" "$(child $!)"
  wait $!
  status=$?
  [ "$status" = 75 ] && [ "$(cat "$place/out/status")" = 75 ] && [ -s "$place/out/checkpoint.h5" ] && [ ! -e "$place/out/.lock" ]
}
claim "SIGTERM: a checkpoint, exit 75" signalled TERM
twice() {
  rm -rf "$place/out"
  timeout -k 5 90 "$codim" run "$place/long.yaml" -output "$place/out" >"$place/log" 2>&1 &
  wait_for computing
  process=$(child $!)
  kill -STOP "$process" # both arrive while it is busy
  kill -INT "$process"
  kill -CONT "$process"
  sleep .2
  kill -INT "$process" 2>/dev/null
  wait $!
  status=$?
  [ "$status" = 75 ] || [ "$status" = 130 ] || [ "$status" -gt 128 ]
}
# a shell starts what it puts into the background with SIGINT ignored; codim sets its handler nevertheless
claim "SIGINT: a checkpoint, exit 75" signalled INT
claim "a second SIGINT ends it at once, or finds it ended" twice

# ---- one run a directory
two() {
  rm -rf "$place/out"
  mkdir "$place/out"
  echo 0 >"$place/out/status" # of an earlier run
  timeout -k 5 240 ${MPIEXEC:-mpiexec} -n 2 "$codim" run "$place/long.yaml" -output "$place/out" >"$place/first" 2>&1 &
  wait_for computing
  stale=$(cat "$place/out/status" 2>/dev/null)
  run 2 run "$place/small.yaml" -output "$place/out"
  says_once 64 'another run is writing to .* (process [0-9]* on .*, since' && [ ! -e "$place/out/status" ]
}
claim "a second run in a directory is refused, and leaves no status" two
wait $!
claim "... the first one goes on" test "$?" = 0
claim "... a status of an earlier run was removed when it started" test -z "$stale"
claim "... its own stands at the end" test "$(cat "$place/out/status")" = 0
claim "... and the lock is gone" test ! -e "$place/out/.lock"
touch "$place/out/walk.svg"
run 2 run "$place/small.yaml" -output "$place/out"
claim "results of another job are replaced, which is said before" grep -q 'has the results of another job (.* is different)' "$place/log"
claim "... what this job has not made is not there" test ! -e "$place/out/walk.svg"
echo "1..$count"
