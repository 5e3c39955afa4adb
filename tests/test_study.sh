#!/bin/sh
# codim study on this machine: points, numbers, states, tables, figures, mistakes; TAP
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh
export MPIEXEC="${MPIEXEC:-mpiexec}"
codim=$PWD/$codim

# study STATUS NAME ARGUMENT…: codim study NAME.yaml ends with it; what it says is in log
study() {
  wanted=$1
  name=$2
  shift 2
  timeout -k 5 120 "$codim" study "$place/$name.yaml" "$@" >"$place/log" 2>&1
  status=$?
  [ "$status" = "$wanted" ]
}
says() { grep -q -- "$1" "$place/log"; }
points() { ls "$place/$1" | grep -c '^[0-9]*$'; }
stamp() { cksum "$place/$1/report.json"; }
# table EXPRESSION NAME: a Python expression of the rows r of NAME/table.csv, by column, is true
table() {
  $python - "$1" "$place/$2/table.csv" >"$place/untrue" 2>&1 <<'E2' || { cat "$place/untrue" >>"$place/log"; false; }
import csv, sys
r = list(csv.DictReader(open(sys.argv[2])))
if not eval('(' + sys.argv[1] + ')'):
    print('not true:', sys.argv[1])
    sys.exit(1)
E2
}

job base <<E2
data: {file: jobs/data/digits.csv, points: 12, scale: standard, target_scale: unit}
net: {widths: [6], activation: tanh}
hessian: {extreme: 0, zeros: 0}
certify: false
E2
job grid <<E2
study: {job: $place/base.yaml, output: $place/grid, at_once: 3, ranks: 1}
set: {net: {gain: 1.5}}
grid: {net: {widths: [[6], [5, 4]], seed: 1..2}, data: {points: [11, 7]}}
figures:
  - {name: time, kind: lines, x: data_points, y: seconds, by: net_widths, log: xy}
  - {name: map, kind: map, x: net_widths, y: data_points, value: full_rank}
E2
claim "a grid of 2 x 2 x 2 points" study 0 grid
claim "... 8 of them" test "$(points grid)" = 8
claim "... each a job that can be run by itself" ends 0 2 again "$place/grid/3/job.yaml"
claim "... with the same result" report 'close(r[0]["jacobian"]["sigma_min"], r[1]["jacobian"]["sigma_min"])' grid/3 again
claim "... whose keys are in the table, as a row a point" table 'len(r) == 8 and [(a["net_widths"], a["net_seed"], a["data_points"]) for a in r[:3]] ==
  [("6", "1", "11"), ("6", "1", "7"), ("6", "2", "11")] and r[7]["net_widths"] == "5,4"' grid
claim "... and its numbers: n, rank, the verdict" table 'all(float(a["problem.parameters"]) == (397 if a["net_widths"] == "6" else 354) and
  a["jacobian.rank"] == a["data_points"] and a["verdict.holds"] == "1" and a["state"] == "done" for a in r)' grid
claim "what is set holds for every point" grep -qx 'net_gain: 1.5' "$place/grid/5/job.yaml"
claim "figures, also as gnuplot scripts" test -s "$place/grid/time.svg" -a -s "$place/grid/map.svg" -a -s "$place/grid/map.gnuplot"
hdf5() {
  for p in python3 /usr/bin/python3; do
    $p -c 'import h5py' 2>/dev/null && $p -c 'import h5py, sys
t = h5py.File(sys.argv[1])["points"][:]
assert len(t) == 8 and t["net_widths"][7].decode() == "5,4" and t["jacobian.rank"][0] == 11' "$place/grid/table.h5" 2>"$place/log" && return
  done
  false
}
claim "the table in HDF5 has the same rows" hdf5
before=$(stamp grid/1)
claim "again: nothing is left to do" study 0 grid
claim "... and nothing was done" test "$(stamp grid/1)" = "$before"

sed -i 's/\[11, 7\]/[11, 7, 400]/' "$place/grid.yaml"
claim "a grid that grows, by points that fail: status 65" study 65 grid
claim "... keeps what is there" test "$(stamp grid/1)" = "$before" -a "$(points grid)" = 12
claim "... and shows the failed ones with their reason" table 'sum(a["state"] == "failed" and "n > m" in a["reason"] for a in r) == 4 and
  sum(a["state"] == "done" for a in r) == 8' grid
claim "... which are not run again by themselves" study 65 grid
claim "... as there are no lines of progress" sh -c "! grep -q 'of 4 ' '$place/log'"
claim "... but with -only failed, alone" study 65 grid -only failed
claim "... all 4" says ' 4 of 4 '
claim "one point, by its number, anew" study 65 grid -only 1
claim "... and no other" says ' 1 of 1 '

cat >"$place/scaling.yaml" <<E2
study: {job: $place/base.yaml, output: $place/scaling, repeat: 2, plan: true}
together: {ranks: [1, 2], net: {widths: [[6], [9]]}}
figures: [{name: weak, kind: scaling, x: ranks}]
E2
claim "a study over ranks, where width goes along" study 0 scaling
claim "... on those ranks, with codim plan beside it" table '[(a["ranks"], a["net_widths"], a["run"]) for a in r] ==
  [("1", "6", "1"), ("1", "6", "2"), ("2", "9", "1"), ("2", "9", "2")] and all(float(a["plan.bytes"]) > 1e6 for a in r)' scaling
scaling() {
  $python - "$place/scaling/weak.csv" "$place/scaling/table.csv" <<'E2' >>"$place/log" 2>&1
import csv, statistics, sys
s, t = (list(csv.DictReader(open(p))) for p in sys.argv[1:])
assert [a['ranks'] for a in s] == ['1', '2'] and all(a['runs'] == '2' for a in s)
median = [statistics.median(float(a['seconds']) for a in t if a['ranks'] == k) for k in '12']
work = [float(next(a['plan.flops'] for a in t if a['ranks'] == k)) * int(k) for k in '12']
speedup = median[0] / median[1] * work[1] / work[0]
assert abs(float(s[1]['speedup']) / speedup - 1) < 1e-9 and abs(float(s[1]['efficiency']) * 2 / speedup - 1) < 1e-9
assert float(s[0]['efficiency']) == 1 and abs(float(s[1]['ideal_seconds']) * 2 / (median[1] * speedup) - 1) < 1e-9
E2
}
claim "speed-up, efficiency and the ideal, by the work that is planned" scaling
[ ! -e "${codim%/*}/traffic.so" ] ||
  claim "what the ranks received, counted, is within a third of codim plan's" table 'all(float(a["traffic.received"]) == 0 if a["ranks"] == "1" else
    abs(float(a["traffic.received"]) / float(a["plan.received"]) - 1) < 1/3 for a in r)' scaling
weak() {
  CODIM=$codim MPIEXEC=$MPIEXEC slurm/scaling "$place/base.yaml" --ranks 1,3 --mode weak --repeat 1 --output "$place/weak" \
    -- -net_seed 3 >"$place/log" 2>&1
}
claim "slurm/scaling on this machine, weak" weak
claim "... n a rank stays, to the nearest width: 66 h + 1" table '[float(a["problem.parameters"]) for a in r] == [397, 1189] and
  r[0]["net_widths"] == "6" and [a["ranks"] for a in r] == ["1", "3"]' weak
claim "... options after -- hold for every point" grep -qx 'net_seed: 3' "$place/weak/2/job.yaml"
claim "... and there is a figure" test -s "$place/weak/scaling.svg" -a -s "$place/weak/scaling.csv"

cat >"$place/steps.yaml" <<E2
study: {job: $place/base.yaml, output: $place/steps}
grid: {reach: {steps: [1, 500]}}
figures: [{name: map, kind: map, x: reach_steps, y: ranks, value: full_rank}]
E2
claim "where no zero was reached, nothing is said of rank J there" study 0 steps
claim "... nor in the table" table '[(a["verdict.holds"], a["full_rank"]) for a in r] == [("", ""), ("1", "1")] and r[0]["jacobian.rank"] == "12"' steps
claim "... nor in the map" grep -q undecided "$place/steps/map.svg"

# ---- interrupted
job long <<E2
data: {file: jobs/data/digits.csv, points: 1500, scale: standard, target_scale: unit}
net: {widths: [1500, 1500], activation: tanh}
hessian: {extreme: 0, zeros: 0}
certify: false
E2
cat >"$place/stopped.yaml" <<E2
study: {job: $place/long.yaml, output: $place/stopped, ranks: 2}
grid: {net: {seed: [1, 2]}}
E2
interrupt() { # SIGNAL: while the first point runs; the status in status
  PETSC_OPTIONS='-progress_seconds 0' "$codim" study "$place/stopped.yaml" >"$place/log" 2>&1 &
  driver=$!
  for _ in $(seq 1200); do grep -q 'reach: 1' "$place/stopped/1/log" 2>/dev/null && break; sleep 0.05; done
  kill "-$1" $driver
  wait $driver
  status=$?
}
locked() { "$codim" study "$place/stopped.yaml" >"$place/second" 2>&1; [ $? = 64 ] && grep -q 'another codim study' "$place/second"; }
stop() {
  interrupt USR1
  [ $status = 75 ]
}
claim "a signal stops the study: status 75" stop
claim "... its run left a checkpoint, or had ended" sh -c "[ -e '$place/stopped/1/checkpoint.h5' ] || [ -e '$place/stopped/1/report.json' ]"
claim "... the other was not begun" test ! -e "$place/stopped/2/log"
("$codim" study "$place/stopped.yaml" >"$place/log" 2>&1; echo $? >"$place/status") &
for i in $(seq 200); do [ -e "$place/stopped/1/log" ] && break; sleep 0.05; done
sleep 0.5
claim "a second driver of the same study is refused" locked
wait
claim "... it goes on and ends" test "$(cat "$place/status")" = 0
claim "... with both points done" table 'all(a["state"] == "done" and a["verdict.holds"] == "1" for a in r)' stopped

# ---- a launcher that fails, and mistakes
sed "s|$place/grid|$place/nolauncher|; s|, 400||" "$place/grid.yaml" >"$place/nolauncher.yaml"
nolauncher() { CODIM_LAUNCH=$place/nowhere study 65 nolauncher; }
claim "a launcher that is not there fails every point" nolauncher
claim "... and is named" says 'cannot start .*nowhere'
killer() {
  printf '#!/bin/sh\nkill -9 $$\n' >"$place/killer" && chmod +x "$place/killer"
  CODIM_LAUNCH=$place/killer study 65 nolauncher -only 1
}
claim "a run that is killed is a failed point" killer
claim "... that says so" says 'ended by signal 9'

# mistake SENTENCE TEXT LINE…: of a study file with those lines
mistake() {
  sentence_=$1
  text=$2
  shift 2
  { echo "study: {job: $place/base.yaml, output: $place/mistake}" && printf '%s\n' "$@"; } >"$place/mistake.yaml"
  claim "$sentence_: refused" study 64 mistake
  claim "... with the reason" says "$text"
}
mistake "an unknown key" 'no key net_width_; did you mean net_width' 'grid: {net: {width_: [1]}}'
mistake "a value that is not allowed" 'net_gain "-3" is not allowed' 'grid: {net: {gain: [1, -3]}}'
mistake "a key that is set and varies" 'net_seed is set to 1' 'set: {net: {seed: 1}}' 'grid: {net: {seed: [1, 2]}}'
mistake "lists of different lengths together" 'net_gain has 3 values' 'together: {net: {seed: [1, 2], gain: [1, 2, 3]}}'
mistake "one value where a list is wanted" 'first..last' 'grid: {net: {seed: 5}}'
mistake "an unknown section" 'no other keys' 'axes: {net: {seed: [1]}}'
mistake "an unknown kind of figure" 'not pie' 'grid: {net: {seed: [1]}}' 'figures: [{name: a, kind: pie, x: b}]'
claim "no such mistake left a directory" test ! -e "$place/mistake"
claim "no study file" study 64 nowhere
claim "under mpiexec: refused" sh -c "$MPIEXEC -n 2 '$codim' study '$place/grid.yaml' 2>&1 | grep -q 'without mpiexec'"
echo "1..$count"
