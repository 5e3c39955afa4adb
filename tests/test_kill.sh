#!/bin/sh
# seconds: 600
# kill -9 of one rank, or of all of them, at random moments, until 20 kills: no run hangs, each goes on from what the last one had written, and those that
# are left alone long enough end as if nothing had happened; TAP
# From the environment: BUILD, MPIEXEC; SEED to repeat a run's moments; and FAULTS=1 (make test-faults), without which nothing is run.
[ "$FAULTS" ] || {
  echo "1..0 # SKIP make test-faults runs it: 20 kills take a minute or two"
  exit 0
}
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
codim=${BUILD:-build}/codim
for python in python3 /usr/bin/python3 ''; do [ -n "$python" ] && $python -c 'import h5py, numpy' 2>/dev/null && break; done
seed=${SEED:-$(date +%s)}
count=0
claim() {
  sentence=$1
  shift
  count=$((count + 1))
  if "$@"; then echo "ok $count - $sentence"; else
    echo "not ok $count - $sentence"
    sed 's/^/# /' "$place/log"
  fi
}
# random LIMIT: 0 … LIMIT - 1
random() {
  seed=$(((seed * 1103515245 + 12345) % 2147483648))
  echo $((seed / 65536 % $1))
}
cat >"$place/job.yaml" <<'E'
data: {file: jobs/data/digits.csv, points: 400, scale: standard, target_scale: unit}
net: {widths: [300, 300], activation: tanh}
spectrum: {method: qr}
hessian: {extreme: 4, zeros: 8, density: 20, density_probes: 6}
checkpoint: {minutes: 0.002}
E
run() { timeout -k 5 120 ${MPIEXEC:-mpiexec} -n "$1" "$codim" run "$place/job.yaml" -output "$2" >"$place/log" 2>&1; }
# killed OUTPUT: on 2 or 3 ranks, after a random time, one of them or all; true where that came before its end
killed() {
  ${MPIEXEC:-mpiexec} -n $((2 + $(random 2))) "$codim" run "$place/job.yaml" -output "$1" >"$place/log" 2>&1 &
  launcher=$!
  moment=$((3 + $(random 30)))
  for _ in $(seq $moment); do
    kill -0 $launcher 2>/dev/null || break
    sleep .1
  done
  ranks=$(pgrep -P $launcher)
  if [ "$(random 2)" = 0 ]; then
    victims=$(echo "$ranks" | sed -n "$((1 + $(random 2)))p")
  else victims=$ranks; fi
  [ -n "$victims" ] && kill -9 $victims 2>/dev/null
  (sleep 60 && kill -9 $launcher 2>/dev/null && touch "$place/hung") &
  watchdog=$!
  wait $launcher
  ended=$?
  kill $watchdog 2>/dev/null
  wait $watchdog 2>/dev/null
  grep -q 'going on from' "$place/log" && resumed=$((resumed + 1))
  grep '^codim: ' "$place/log" | grep -v -e 'going on from' -e 'is done again' -e 'results of another job' >>"$place/complaints"
  [ "$ended" -gt 3 ]
}

echo "# SEED=$seed"
run 2 "$place/whole"
claim "the job in one piece holds" test $? = 0
kills=0 resumed=0 finished=0 wrong=0
: >"$place/complaints"
while [ "$kills" -lt 20 ]; do
  if killed "$place/out"; then kills=$((kills + 1)); else # it was left alone long enough
    finished=$((finished + 1))
    [ "$ended" = 0 ] && [ "$(cat "$place/out/status")" = 0 ] || wrong=$((wrong + 1))
    rm -rf "$place/out"
  fi
done
claim "20 kills: no run hung" test ! -e "$place/hung"
claim "... $resumed runs went on from a checkpoint" test "$resumed" -ge 5
cp "$place/complaints" "$place/log"
claim "... none refused one, or complained" test ! -s "$place/complaints"
claim "... $finished runs came to the end meanwhile, all of them right" test "$wrong" = 0
for _ in $(seq 10); do # the last kill may have been of a run that had just begun anew
  [ -s "$place/out/checkpoint.h5" ] && break
  rm -rf "$place/out"
  killed "$place/out"
done
run 3 "$place/out"
claim "the last one, left alone, holds" test $? = 0
claim "... has a status and no checkpoint" test "$(cat "$place/out/status")" = 0 -a ! -e "$place/out/checkpoint.h5"
claim "... and nothing half written" test -z "$(ls "$place/out" | grep '\.new$')"
same() { $python tests/same_run.py "$place/whole" "$place/out" >"$place/log" 2>&1; }
if [ -n "$python" ]; then claim "... the same verdict and spectra as in one piece" same; else
  count=$((count + 1))
  echo "ok $count # SKIP python3 with h5py is not there"
fi
echo "1..$count"
