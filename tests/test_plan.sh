#!/bin/sh
# seconds: 200
# codim plan and calibrate from the command line, and codim run refusing by the same sums; TAP
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh

prints() { grep -q -- "$1" "$place/log"; }
ended() { [ "$status" = "$1" ]; }
# field NAME: the first number of that key in the JSON of the log
field() { sed -n 's/^ *"'"$1"'": \([-0-9.e+]*\),\{0,1\}$/\1/p' "$place/log" | head -n 1; }

job test-plan <<'E2'
data: {file: jobs/data/digits.csv, points: 97, scale: standard, target_scale: unit}
net: {widths: [60, 50], activation: tanh}
certify: true
E2
job huge <<'E2'
data: {file: jobs/data/digits.csv, points: 256}
net: {widths: [31600, 31600], activation: tanh}
E2

run 1 calibrate "$place/rates.json"
claim "calibrate measures every kind of work" test "$(grep -c '_flops\|_bytes"\|elements\|random' "$place/rates.json")" = 10
run 1 plan "$place/test-plan.yaml" -ranks 64,128 -calibration "$place/rates.json"
claim "plan: exit 0 where it fits" ended 0
claim "... on 64 ranks" prints '^64 ranks of 1 thread'
claim "... on 128" prints '^128 ranks'
claim "... with times, called projections" prints 'times are projections'
claim "... recommends ranks, threads and a grid" prints '^recommended: mpiexec -n [0-9]*, OMP_NUM_THREADS=[0-9]*.*-grid [0-9]*,[0-9]*$'
claim "... and says how long a stop waits" prints 'longest wait for a stop: in [a-z]*, '
sed -i '$s/}$/, "runs": [{"planned_seconds": 2, "measured_seconds": 5}, {"planned_seconds": 3, "measured_seconds": 2}]}/' "$place/rates.json"
run 1 plan "$place/test-plan.yaml" -ranks 64 -calibration "$place/rates.json"
claim "... and with runs that were measured, by what factor the times were off" prints '2 whole runs there were off by a factor of at most 2.5'
run 1 plan "$place/test-plan.yaml" -ranks 64 -calibration "$place/nowhere.json"
claim "without a calibration there are no times" prints 'no times'
run 3 plan "$place/test-plan.yaml" -ranks 4 -json -node_cores 2
claim "the same on three ranks, as JSON" test "$(field parameters)" = 7001
claim "... of two nodes" test "$(field nodes)" = 2
claim "... nothing is written where a run would write" test ! -d results/test-plan
run 1 plan "$place/huge.yaml" -ranks 1 -node_memory 24e9
claim "a billion parameters fit in 24 GB" ended 0
claim "... but not what needs many vectors of them" prints 'extremes *needs [0-9.]* GB a rank'
run 1 plan "$place/huge.yaml" -ranks 4 -node_memory 2e9 -node_cores 2
claim "not on two nodes of 2 GB: exit 65" ended 65
claim "... naming the smallest number of such nodes that can" prints '^codim: .*smallest number of nodes with 2.0 GB and 2 cores that can is [0-9]*:'
nodes=$(sed -n 's/^codim: .*that can is \([0-9]*\): \([0-9]*\) rank.*/\1 \2/p' "$place/log")
run 1 plan "$place/huge.yaml" -ranks $((${nodes% *} * ${nodes#* })) -node_memory 2e9 -node_cores 2
claim "... where it does fit" ended 0
run 1 plan "$place/huge.yaml" -ranks $(((${nodes% *} - 1) * ${nodes#* })) -node_memory 2e9 -node_cores 2
claim "... and on one less it does not" ended 65
run 1 plan "$place/test-plan.yaml" -rank 64
claim "a misspelt option is answered with the nearest" prints 'ranks'
claim "... exit 64" ended 64

# the run refuses by the same sums
claim "codim run refuses before it allocates, and names the nodes that can" refused 65 \
  'the job does not fit on 3 ranks: reach needs .* that can is' "$place/huge.yaml" -node_memory 2e9
job wide <<'E2'
data: {file: jobs/data/digits.csv, points: 20, scale: standard, target_scale: unit}
net: {widths: [3100, 3100], activation: tanh}
certify: false
hessian: {extreme: 0, zeros: 0}
E2
run 1 run "$place/wide.yaml" -output "$place/out" -node_memory 190e6
claim "where there is no room for a second theta, no zero is confirmed: undecided" ended 3
claim "... with the reason" prints 'no zero is confirmed: one more Newton step needs [0-9.]* GB a rank'
run 2 run "$place/test-plan.yaml" -output "$place/out"
claim "with memory it runs" ended 0
run 2 plan "$place/test-plan.yaml" -output "$place/out" -ranks 2
claim "plan sets a finished run beside its plan" prints 'measured: GB, s'
echo "1..$count"
