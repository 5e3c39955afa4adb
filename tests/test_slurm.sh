#!/bin/sh
# seconds: 900
# a real Slurm cluster of 4 virtual nodes: codim.sbatch on them, requeue, signals, time limit, a dead node, arrays, studies, scaling, nodes too
# small for the job; TAP
# From the environment: BUILD, and CLUSTER=1 (make test-slurm), without which nothing is started.
[ "$CLUSTER" ] || {
  echo "1..0 # SKIP make test-slurm runs it: it starts the daemons of a cluster"
  exit 0
}
place=$(mktemp -d /tmp/codim-slurm.XXXXXX) && chmod 755 "$place" || exit 1
trap 'tests/slurm/down "$place/cluster"; rm -rf "$place"' EXIT
trap 'exit 1' INT TERM
unshare --uts --mount true 2>/dev/null || {
  echo "1..0 # SKIP virtual nodes need root and Linux namespaces"
  exit 0
}
export CODIM="$PWD/${BUILD:-build}/codim"
count=0

# claim SENTENCE COMMAND…: one TAP line; the job's log is shown where it fails
claim() {
  sentence=$1
  shift
  count=$((count + 1))
  if "$@"; then echo "ok $count - $sentence"; else
    echo "not ok $count - $sentence"
    [ -f "$place/$name.out" ] && tail -n 30 "$place/$name.out" | sed 's/^/# /'
  fi
}
# submit NAME SBATCH-OPTION… SCRIPT ARGUMENT…: a job of that name, its id in id; log NAME.out, results in NAME
submit() {
  name=$1
  shift
  id=$(sbatch --parsable -J "$name" -o "$place/$name.out" "$@" -output "$place/$name")
  eval "id_$name=$id"
}
field() { scontrol -o show job "$id" | tr ' ' '\n' | sed -n "s/^$1=//p" | head -n 1; }
# ends NAME STATE EXIT: the job ends so, within 400 s
ends() {
  name=$1
  eval "id=\$id_$name"
  for i in $(seq 2000); do
    case $(field JobState) in
    PENDING | RUNNING | COMPLETING | REQUEUED | CONFIGURING | SIGNALING) sleep 0.2 ;;
    *) break ;;
    esac
  done
  [ "$(field JobState) $(field ExitCode)" = "$2 $3" ] || { echo "# $name: $(field JobState), exit $(field ExitCode)" && false; }
}
# running NAME: it has begun to compute
running() {
  name=$1
  eval "id=\$id_$name"
  for i in $(seq 300); do grep -qs 'codim.sbatch: .* ranks of' "$place/$name.out" && sleep 1 && return; sleep 0.1; done
  false
}
status() { [ "$(cat "$place/$name/status" 2>&1)" = "$1" ]; }
says() { grep -q "$1" "$place/$name.out"; }
reports() { grep -q "\"$1\": $2,\{0,1\}\$" "$place/$name/report.json"; }
spectrum() { sed -n '/^    "sigma_m[axin]*"/p' "$place/$1/report.json" | cut -c1-32; }

cat >"$place/small.yaml" <<'E2'
data: {file: jobs/data/digits.csv, points: 30, scale: standard, target_scale: unit}
net: {widths: [20, 10], activation: tanh}
E2
cat >"$place/long.yaml" <<'E2'
data: {file: jobs/data/digits.csv, scale: standard, target_scale: unit}
net: {widths: [1200, 1200], activation: tanh}
hessian: {extreme: 0, zeros: 0}
certify: false
E2
cat >"$place/slow.yaml" <<'E2'
# half a minute of many safe points
data: {file: jobs/data/digits.csv, points: 400, scale: standard, target_scale: unit}
net: {widths: [60, 60], activation: tanh}
hessian: {extreme: 0, zeros: 0, density: 40, density_probes: 1500}
certify: false
E2
cat >"$place/two-worlds" <<'E2'
#!/bin/sh
# as where MPI and Slurm do not agree: as many worlds of one rank as there are tasks
shift 2
exec srun --mpi=none -n 2 env -u SLURM_JOBID -u SLURM_JOB_ID -u SLURM_NODELIST -u SLURM_STEPID -u SLURM_STEP_ID -u SLURM_PROCID "$@"
E2
chmod +x "$place/two-worlds"

mkdir -p "$place/modules/init"
cat >"$place/modules/init/bash" <<'E2'
# as the modules of a cluster: "module load codim" brings the program
module() {
  [ "$*" = "load gcc codim" ] || { echo "module: $*: no such module" >&2 && return 1; }
  export CODIM=$HIDDEN LOADED="$2 $3"
}
E2

claim "a cluster of 4 nodes comes up" tests/slurm/up "$place/cluster" 4 4
. "$place/cluster/env" || exit 1
script=slurm/codim.sbatch

# kill_node NODE: every process on it, at once
kill_node() {
  pids=
  for pid in $(grep -ls "virtual:$place/cluster " /proc/[0-9]*/mountinfo | cut -d/ -f3); do
    grep -qs "etc/hosts.$1 /etc/hosts" "/proc/$pid/mountinfo" && pids="$pids $pid"
  done
  kill -9 $pids
}

# ---- one, two, four nodes; from any directory; the launcher. One runs into its time limit meanwhile.
submit slow -N 1 -n 2 -w n1 -t 1 --signal=B:USR1@40 $script "$place/slow.yaml"
( # once is enough: on a machine that is busy, a minute may be little
  for i in $(seq 600); do
    [ "$(field Restarts)" -ge 1 ] && exec scontrol update JobId="$id" TimeLimit=15
    sleep 0.5
  done
) &
submit one -N 1 -n 2 $script "$place/small.yaml"
submit two -N 2 --ntasks-per-node=2 $script "$place/small.yaml"
submit four -N 4 $script "$place/small.yaml"
submit threads -N 2 --ntasks-per-node=2 -c 2 $script "$place/small.yaml"
CODIM=/nowhere HIDDEN=$CODIM MODULESHOME=$place/modules CODIM_MODULES="gcc codim" submit modules -N 1 -n 1 $script "$place/small.yaml"
CODIM=/nowhere MODULESHOME=$place/modules CODIM_MODULES="gcc nothing" submit nomodule -N 1 -n 1 $script "$place/small.yaml"
CODIM_LAUNCH=mpirun submit mpirun -N 2 $script "$place/small.yaml"
CODIM_LAUNCH="srun --mpi=none" submit none -N 2 $script "$place/small.yaml"
CODIM_LAUNCH=$place/two-worlds submit worlds -N 2 $script "$place/small.yaml"
submit refuted -N 1 $script tests/slurm/refuted.yaml
CODIM_STRICT=1 submit strict -N 1 $script tests/slurm/refuted.yaml
submit nowhere -N 1 $script "$place/small.yaml" -data_file nowhere.csv
elsewhere=$(mktemp -d "$place/elsewhere.XXXXXX")
id_shipped=$(cd "$elsewhere" && sbatch --parsable -J shipped -o "$place/shipped.out" "$OLDPWD/$script" jobs/digits.yaml -data_points 30 -net_widths 20 \
  -hessian_extreme 0 -hessian_zeros 0)
claim "1 node, 2 ranks" ends one COMPLETED 0:0
claim "... holds" status 0
claim "... its ranks" reports ranks 2
claim "2 nodes, 4 ranks" ends two COMPLETED 0:0
claim "... its ranks" reports ranks 4
claim "... by srun and PMIx" says 'srun --mpi=pmix'
claim "4 nodes" ends four COMPLETED 0:0
claim "... its ranks" reports ranks 4
claim "the same singular values on 1, 2 and 4 nodes" test "$(spectrum one)" = "$(spectrum two)" -a "$(spectrum one)" = "$(spectrum four)"
claim "4 ranks of 2 threads each" ends threads COMPLETED 0:0
claim "... 2 on each of 2 nodes" says 'on 4 ranks of 2 threads, 2 nodes: srun .*--ntasks-per-node=2'
claim "... its ranks" reports ranks 4
claim "what CODIM_MODULES names is loaded" ends modules COMPLETED 0:0
claim "... and holds" status 0
claim "a module that is not there: 64" ends nomodule FAILED 64:0
claim "... with the reason" says 'module load gcc nothing failed'
claim "by mpirun, when told so" ends mpirun COMPLETED 0:0
claim "... its ranks" reports ranks 2
claim "a launcher that does not suit the MPI: refused" ends none FAILED 65:0
claim "... with the reason" says 'MPI and Slurm do not agree'
claim "2 worlds of 1 rank: refused" ends worlds FAILED 65:0
claim "... with what was seen" says 'two-worlds: 1 1$'
claim "a refuted claim is no failed job" ends refuted COMPLETED 0:0
claim "... the verdict is written" says 'the claim is refuted'
claim "... in status" status 2
claim "CODIM_STRICT=1 passes the status on" ends strict FAILED 2:0
claim "missing data: status 65" ends nowhere FAILED 65:0
claim "a shipped job, from another directory" ends shipped COMPLETED 0:0
claim "... its results are where it was submitted" test -s "$elsewhere/results/digits/report.json"

# ---- studies: more points than an array may have, failed ones among them; scaling
cat >"$place/study.yaml" <<E2
study: {job: $place/small.yaml, output: $place/study, at_once: 2, ranks: 1}
set: {hessian: {extreme: 0, zeros: 0}}
grid: {net: {seed: 1..3}, data: {points: [30, 17, 3000]}}
figures: [{name: map, kind: map, x: net_seed, y: data_points, value: full_rank}]
E2
name=study
study() { "$CODIM" study "$place/study.yaml" "$@" >"$place/study.out" 2>&1; }
in_table() { [ "$(grep -c "^[0-9]*,$1," "$place/study/table.csv")" = "$2" ]; }
# collected JOBNAME: its arrays and the job that collects have left the queue, within 200 s
collected() {
  for i in $(seq 400); do [ "$(squeue -h -n "$1,$1-collect")" ] || return 0; sleep 0.5; done
  false
}
claim "a study of 9 points as arrays" study -submit
claim "... two of them: MaxArraySize is 6" test "$(grep -c '%2$' "$place/study.out")" = 2
claim "its table before they have ended" study -collect
claim "... with queued points" grep -q '^[0-9]*,queued,' "$place/study/table.csv"
claim "submitted again: none twice" sh -c "'$CODIM' study '$place/study.yaml' -submit | grep -q 'nothing is to be submitted'"
name=scaling
claim "scaling on 1, 2 and 4 nodes, as a study" sh -c \
  "slurm/scaling '$place/small.yaml' --nodes 1,2,4 --ranks-on-a-node 1 --repeat 2 --output '$place/scaling' >'$place/scaling.out' 2>&1"

# ---- signals, a dead node. Most are at work at the same time.
submit long -N 1 -n 2 $script "$place/long.yaml"
CODIM_REQUEUES=0 submit never -N 1 -n 2 $script "$place/long.yaml"
submit cancelled -N 1 -n 2 $script "$place/long.yaml"
claim "a long job runs" running long
scancel -b -s USR1 "$id"
running never && scancel -b -s USR1 "$id"
running cancelled && scancel "$id"
claim "USR1: stops, goes to the queue, goes on, ends" ends long COMPLETED 0:0
claim "... run again once" test "$(field Restarts)" = 1
claim "... from the checkpoint" says 'going on from'
claim "... and holds" status 0
claim "... whose checkpoint is gone" test ! -e "$place/long/checkpoint.json" -a ! -e "$place/long/checkpoint.h5"
claim "CODIM_REQUEUES=0: not run again, 75" ends never FAILED 75:0
claim "scancel: not run again" ends cancelled CANCELLED "$(id=$id_cancelled field ExitCode)"
claim "... not even later" test "$(field Restarts)" = 0

# ---- arrays: one task a value of %a, so many at a time
id=$(sbatch --parsable -J seeds -o "$place/seeds-%a.out" --array=1-4%2 $script "$place/small.yaml" -net_seed %a -output "$place/seeds-%a")
for seed in 1 2 3 4; do
  name=seeds-$seed
  for i in $(seq 300); do [ -f "$place/$name/status" ] && break; sleep 0.2; done
  claim "array, task $seed: its own seed" reports net_seed $seed
done

# ---- what came of the studies
name=study
claim "the study ends, and is collected" collected study
claim "... 6 points are done" in_table done 6
claim "... 3 have failed" in_table failed 3
claim "... with their reason" grep -q '^[0-9]*,failed,.*asks for 3000 points' "$place/study/table.csv"
claim "... and there is a figure" test -s "$place/study/map.svg"
claim "the failed ones can be submitted again" study -submit -only failed
claim "... alone" test "$(grep -o 'job [0-9]*, [0-9]* points' "$place/study.out" | awk '{n += $3} END {print n}')" = 3
name=scaling
claim "scaling ends, and is collected" collected small-strong
claim "... a row for each number of nodes, of 2 runs" test "$(awk -F, 'NR > 1 {print $1, $13, $14}' "$place/scaling/scaling.csv" | paste -sd,)" = "1 2 0,2 2 0,4 2 0"
claim "... with codim plan's bytes beside the peak" awk -F, 'NR > 1 && !($9 > 1e7 && $10 > 1e7) {bad = 1} END {exit bad}' "$place/scaling/scaling.csv"
claim "... and the bytes that ranks received, counted, within a half of codim plan's" awk -F, 'NR > 1 && $1 > 1 && !($11 > $12 / 2 && $11 < 2 * $12) {bad = 1}
  END {exit bad}' "$place/scaling/scaling.csv"
claim "... and the figure" test -s "$place/scaling/scaling.svg"

submit dead -N 2 -x n1 $script "$place/long.yaml"
claim "a job runs on two nodes" running dead
host=$(field BatchHost)
claim "... of which one dies" kill_node "$host"
claim "a job longer than its time limit: stopped before it, run again, ends" ends slow COMPLETED 0:0
claim "... run again" test "$(field Restarts)" -ge 1
claim "... and holds" status 0
claim "... the job is run again on others and ends" ends dead COMPLETED 0:0
claim "... run again" test "$(field Restarts)" -ge 1
claim "... not on that node" test "$(field BatchHost)" != "$host"
claim "... and holds" status 0

# ---- too large for one node: a cluster of small ones, on 1 and 4 of which scaling runs, and on 5, which there are not. The d x n Jacobian is
# assembled over them, SLEPc finds its singular values and 20 zeros.
claim "the cluster goes down, with all its processes" tests/slurm/down "$place/cluster"
claim "... none is left" test -z "$(grep -ls "virtual:$place/cluster " /proc/[0-9]*/mountinfo)"
claim "a cluster of 4 nodes of 400 MB" tests/slurm/up "$place/cluster" 4 1 400
. "$place/cluster/env" || exit 1
large="-data_points 100 -net_widths 600,600 -hessian_zeros 20"
name=plan
# shellcheck disable=SC2086
refused() {
  srun -N1 -n1 --mpi=pmix "$CODIM" plan jobs/assembled.yaml $large -ranks 1 -node_cores 1 -node_memory 400e6 >"$place/plan.out" 2>&1
  [ $? = 65 ]
}
claim "codim plan refuses one node" refused
claim "... naming the bytes, and the smallest number that can" says 'needs 0.65 GB a rank.*nodes with 0.4 GB and 1 cores that can is [234]:'
name=large
# shellcheck disable=SC2086
scaling() {
  slurm/scaling jobs/assembled.yaml --nodes 1,4,5 --ranks-on-a-node 1 --repeat 1 --output "$place/large" -- $large >"$place/large.out" 2>&1
  [ $? = 65 ]
}
again() { "$CODIM" study "$place/large/assembled-strong.yaml" -submit -only failed >"$place/large.out" 2>&1; }
claim "scaling on 1, 4 and 5 of them: there are no 5" scaling
# shellcheck disable=SC2086
submit gram -N 4 $script jobs/assembled.yaml $large -spectrum_method gram -hessian_zeros 0 -hessian_extreme 0
claim "the others are run all the same, and collected" collected assembled-strong
claim "... 1 failed, 4 is done, 5 was not run" test "$(cut -d, -f2 "$place/large/table.csv" | paste -sd' ')" = "state failed done pending"
name=large/1
claim "on 1 node: status 65" status 65
claim "... with the bytes it needs" grep -q 'does not fit on 1 rank: spectrum needs 0.65 GB a rank' "$place/large/1/log"
claim "... in the table, too" grep -q '^1,failed,.*does not fit on 1 rank: spectrum needs 0.65 GB a rank' "$place/large/table.csv"
claim "... and codim plan's bytes with the failure" test "$(awk -F, '$1 == 1 {print ($10 > 6e8), $13, $14}' "$place/large/scaling.csv")" = "1 0 1"
claim "... which the figure shows" grep -q '>failed<' "$place/large/scaling.svg"
name=large/2
claim "4 nodes do it: it holds" status 0
claim "... by SLEPc's SVD of the assembled Jacobian" reports method '"svd"'
residuals() { # of the zeros: 20, at most their tolerance
  awk '/"zeros": \{/ {on = 1} on && /^ *\},?$/ {on = 0} on && /"found": 20,/ {found = 1} on && /"tolerance": / {tolerance = $2 + 0}
    on && /"residuals": / {inside = 1; next} inside && /\]/ {inside = 0} inside {n++; if ($1 + 0 > largest) largest = $1 + 0}
    END {exit !(found && n == 20 && largest > 0 && largest <= tolerance)}' "$place/$name/report.json"
}
claim "... with 20 pairs of zero eigenvalues, and their residuals within the tolerance" residuals
claim "... in less than a node has" test "$(sed -n 's/^ *"peak": \([0-9]*\).*/\1/p' "$place/$name/report.json" | head -n 1)" -lt 400000000
claim "by K: the same rank" ends gram COMPLETED 0:0
claim "... verdict" status 0
claim "... and singular values, to 11 digits" test "$(spectrum gram | cut -c1-30)" = "$(spectrum large/2 | cut -c1-30)"
name=large
claim "what failed can be submitted again" again
claim "... alone" test "$(grep -c 'job [0-9]*, 1 points: --array=1$' "$place/large.out")" = 1

echo "1..$count"
