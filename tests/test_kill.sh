#!/bin/sh
# seconds: 1800
# kill -9 of one rank, or of all of them, at random moments, until 20 kills: no run hangs, each goes on from what the last one had written, and those that
# are left alone long enough end as if nothing had happened; TAP
# A moment is a number of progress lines, not of seconds: it does not depend on the machine's speed.
# From the environment: BUILD, MPIEXEC; SEED to repeat a run's moments; and FAULTS=1 (make test-faults), without which nothing is run.
[ "$FAULTS" ] || {
  echo "1..0 # SKIP make test-faults runs it: 20 kills take a minute or two"
  exit 0
}
. tests/tap.sh
for python in python3 /usr/bin/python3 ''; do [ -n "$python" ] && $python -c 'import h5py, numpy' 2>/dev/null && break; done
seed=${SEED:-$(date +%s)}
# draw LIMIT: drawn is 0 … LIMIT - 1
draw() {
  seed=$(((seed * 1103515245 + 12345) % 2147483648))
  drawn=$((seed / 65536 % $1))
}
cat >"$place/job.yaml" <<'E'
data: {file: jobs/data/digits.csv, points: 200, scale: standard, target_scale: unit}
net: {widths: [200, 200], activation: tanh}
spectrum: {method: qr}
hessian: {extreme: 4, zeros: 8, density: 16, density_probes: 4}
checkpoint: {minutes: 0.0005}
E
run() { # RANKS ARGUMENT…
  ranks=$1
  shift
  timeout -k 5 300 ${MPIEXEC:-mpiexec} -n "$ranks" "$codim" run "$place/job.yaml" "$@" >"$place/log" 2>&1
  status=$?
}
whole() { [ "$status" = 0 ] && [ "$(cat "$1/status")" = 0 ] && [ -z "$(find "$1" -name checkpoint.h5 -o -name '*.new')" ]; }
same() { [ -z "$python" ] || $python tests/same_run.py "$place/whole" "$1" >"$place/difference" 2>&1 || {
  cat "$place/difference" >>"$place/log"
  false
}; }
# where there is no checkpoint, one is left by a run that stops as it should, at a random safe point
leave_checkpoint() {
  [ -s "$place/out/checkpoint.h5" ] && return
  draw 12
  run $((1 + drawn % 3)) -output "$place/out" -checkpoint_stop $((1 + drawn))
  [ "$status" = 75 ] && [ -s "$place/out/checkpoint.h5" ]
}
# children PROCESS: one a line; fails where there are none
children() { cat /proc/"$1"/task/*/children 2>/dev/null | tr ' ' '\n' | grep .; }
# kill_ranks TIMEOUT: of the launcher that it has started, one rank, or all, or none where they have ended
kill_ranks() {
  launcher=$(children "$1") && ranks=$(children "$launcher") || return
  draw "$(echo "$ranks" | wc -l)"
  victim=$(echo "$ranks" | sed -n "$((drawn + 1))p")
  draw 2
  [ "$drawn" = 0 ] || victim=$ranks
  kill -9 $victim 2>/dev/null
}
# run_and_kill: on 1 to 4 ranks, after so many lines and some ms; `status` is the launcher's, a time-out's is 124
run_and_kill() {
  draw 4
  ranks=$((1 + drawn))
  draw 50
  lines=$((1 + drawn))
  : >"$place/log"
  timeout 300 ${MPIEXEC:-mpiexec} -n $ranks "$codim" run "$place/job.yaml" -output "$place/out" -progress_seconds 0 >"$place/pipe" 2>&1 &
  while read -r line; do
    echo "$line" >>"$place/log"
    case $line in *': '[0-9]*' of '[0-9]*) lines=$((lines - 1)) ;; *) continue ;; esac
    [ $lines = 0 ] || continue
    draw 40
    sleep "$(printf .%03d "$drawn")"
    kill_ranks $!
  done <"$place/pipe"
  wait $!
  status=$?
}

echo "# SEED=$seed"
mkfifo "$place/pipe"
run 2 -output "$place/whole"
claim "the job in one piece holds" whole "$place/whole"
kills=0 hung=0 runs=0 resumed=0 finished=0
: >"$place/wrong"
while [ "$kills" -lt 20 ] && [ "$hung" = 0 ] && [ ! -s "$place/wrong" ]; do
  [ "$runs" = 0 ] || leave_checkpoint || cat "$place/log" >>"$place/wrong"
  run_and_kill
  runs=$((runs + 1))
  grep -q 'going on from' "$place/log" && resumed=$((resumed + 1))
  grep '^codim: ' "$place/log" | grep -v -e 'going on from' -e 'is done again' >>"$place/wrong"
  case $status in
  137) kills=$((kills + 1)) ;;
  124) hung=1 ;;
  *) # it had ended before
    finished=$((finished + 1))
    whole "$place/out" && same "$place/out" || cat "$place/log" >>"$place/wrong"
    rm -rf "$place/out"
    ;;
  esac
done
claim "$kills kills: no run hung" test "$hung" = 0 -a "$kills" = 20
claim "... every run but the first went on from a checkpoint: $resumed of $runs" test "$resumed" = $((runs - 1))
cp "$place/wrong" "$place/log"
claim "... none refused one, or complained; $finished came to the end meanwhile, all of them right" test ! -s "$place/wrong"
leave_checkpoint
run 3 -output "$place/out"
claim "the last one, left alone, holds: a status, no checkpoint, nothing half written" whole "$place/out"
claim "... it went on from a checkpoint" grep -q 'going on from' "$place/log"
if [ -n "$python" ]; then claim "... the same verdict and spectra as in one piece" same "$place/out"; else skip "python3 with h5py is not there"; fi
echo "1..$count"
