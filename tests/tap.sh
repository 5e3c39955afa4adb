# tap.sh: for the tests in sh, which source it: claims about whole jobs, as TAP. From the environment: BUILD, MPIEXEC.
# `place` is a directory for the test's files: one that goes with it, or the caller's own.
[ "$place" ] || {
  place=$(mktemp -d) || exit 1
  trap 'rm -rf "$place"' EXIT
}
codim=${BUILD:-build}/codim
count=0
# the interpreter that has numpy, where one has
for python in python3 /usr/bin/python3; do $python -c 'import numpy' 2>/dev/null && break; done

# claim SENTENCE COMMAND…: one TAP line; the log is shown where it fails
claim() {
  sentence=$1
  shift
  count=$((count + 1))
  if "$@"; then echo "ok $count - $sentence"; else
    echo "not ok $count - $sentence"
    [ -f "$place/log" ] && sed 's/^/# /' "$place/log"
  fi
}
# skip REASON: in place of a claim
skip() {
  count=$((count + 1))
  echo "ok $count # SKIP $1"
}
# run RANKS ARGUMENT…: output in log; fails on none
run() {
  ranks=$1
  shift
  timeout -k 5 90 ${MPIEXEC:-mpiexec} -n "$ranks" "$codim" "$@" >"$place/log" 2>&1
  status=$?
}
# ends STATUS RANKS OUTPUT JOB ARGUMENT…: of a run into $place/OUTPUT the launcher and the status file say STATUS
ends() {
  wanted=$1
  ranks=$2
  out=$place/$3
  rm -rf "$out"
  shift 3
  run "$ranks" run "$@" -output "$out"
  [ "$status" = "$wanted" ] && [ "$(cat "$out/status")" = "$wanted" ]
}
# refused STATUS TEXT JOB ARGUMENT…: on 3 ranks, that exit status, one message that says TEXT, no trace
refused() {
  wanted=$1
  text=$2
  rm -rf "$place/refused"
  shift 2
  run 3 run "$@" -output "$place/refused"
  [ "$status" = "$wanted" ] && [ "$(grep -c '^codim: ' "$place/log")" = 1 ] && grep -q "^codim: .*$text" "$place/log" &&
    ! grep -q 'PETSC ERROR' "$place/log" && { [ ! -d "$place/refused" ] || [ "$(cat "$place/refused/status")" = "$wanted" ]; }
}
# says OUTPUT KEY VALUE: its report.json has this line
says() { grep -q "\"$2\": $3,\{0,1\}\$" "$place/$1/report.json"; }
# checks RANKS OUTPUT: what it claims is borne out anew, from its files
checks() {
  run "$1" check "$place/$2"
  [ "$status" = 0 ] && grep -q 'borne out' "$place/log"
}
# interrupted TEXT RANKS OUTPUT JOB ARGUMENT…: SIGUSR1 once the log has TEXT; exit 75, with a checkpoint
interrupted() {
  text=$1
  ranks=$2
  out=$place/$3
  shift 3
  rm -f "$place/log"
  ${MPIEXEC:-mpiexec} -n "$ranks" "$codim" run "$@" -output "$out" -progress_seconds 0 >"$place/log" 2>&1 &
  launcher=$!
  for _ in $(seq 600); do
    grep -q "$text" "$place/log" 2>/dev/null && break
    sleep 0.1
  done
  kill -USR1 $launcher
  wait $launcher
  [ $? = 75 ] && [ "$(cat "$out/status")" = 75 ] && [ -s "$out/checkpoint.h5" ]
}
# goes_on TEXT RANKS OUTPUT JOB ARGUMENT…: from its checkpoint, which has TEXT, to its end
goes_on() {
  text=$1
  ranks=$2
  out=$place/$3
  shift 3
  run "$ranks" run "$@" -output "$out"
  [ "$status" = 0 ] && grep -q "going on from.*$text" "$place/log" && [ ! -e "$out/checkpoint.h5" ]
}
job() { cat >"$place/$1.yaml"; }

# report EXPRESSION OUTPUT…: a Python expression of the reports r[0], r[1], … is true; close(a, b, tolerance = 1e-9): relative, of numbers or lists
report() {
  expression=$1
  shift
  (cd "$place" && $python - "$expression" "$@" >"$place/untrue" 2>&1 || { cat "$place/untrue" >>"$place/log"; false; }) <<'E2'
import json, math, sys
from pathlib import Path
def close(a, b, tolerance=1e-9):
    a, b = (t if isinstance(t, list) else [t] for t in (a, b))
    return len(a) == len(b) and all(abs(s - t) <= tolerance * max(map(abs, a + b)) for s, t in zip(a, b))
r = [json.loads((Path(name) / 'report.json').read_text()) for name in sys.argv[2:]]
if not eval(sys.argv[1]):
    print('not true:', sys.argv[1])
    sys.exit(1)
E2
}
