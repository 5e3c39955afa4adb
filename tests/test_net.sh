#!/bin/sh
# seconds: 600
# whole jobs with nets of every builder and with lists of ops: verdicts, the stored list runs again, data.target net; TAP
# From the environment: BUILD, MPIEXEC.
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
codim=${BUILD:-build}/codim
reference=tests/reference
count=0

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
# ends STATUS RANKS OUTPUT JOB ARGUMENT…: the launcher and the status file say STATUS
ends() {
  wanted=$1
  ranks=$2
  out=$place/$3
  file=$place/$4.yaml
  shift 4
  rm -rf "$out"
  timeout -k 5 90 ${MPIEXEC:-mpiexec} -n "$ranks" "$codim" run "$file" -output "$out" "$@" >"$place/log" 2>&1
  [ $? = "$wanted" ] && [ "$(cat "$out/status")" = "$wanted" ]
}
# says OUTPUT KEY VALUE: its report.json has this line
says() { grep -q "\"$2\": $3,\{0,1\}\$" "$place/$1/report.json"; }
# refused TEXT JOB ARGUMENT…: on 3 ranks, exit 64, one message that says TEXT
refused() {
  text=$1
  file=$place/$2.yaml
  shift 2
  timeout -k 5 90 ${MPIEXEC:-mpiexec} -n 3 "$codim" run "$file" -output "$place/refused" "$@" >"$place/log" 2>&1
  [ $? = 64 ] && [ "$(grep -c '^codim: ' "$place/log")" = 1 ] && grep -q "^codim: .*$text" "$place/log"
}
# checks STATUS RANKS OUTPUT
checks() {
  timeout -k 5 90 ${MPIEXEC:-mpiexec} -n "$2" "$codim" check "$place/$3" >"$place/log" 2>&1
  [ $? = "$1" ] && grep -q 'borne out' "$place/log"
}
job() { cat >"$place/$1.yaml"; }

digits='data: {file: jobs/data/digits.csv, points: 40, scale: standard, target_scale: unit}'
job cnn <<E
$digits
net: {arch: cnn, shape: [1, 8, 8], channels: [4, 6]}
E
job resnet <<E
$digits
net: {arch: resnet, width: 12, blocks: 2}
E
job gru <<E
$digits
net: {arch: rnn, cell: gru, steps: 4, step_inputs: 16, hidden: 6}
E
job transformer <<E
data: {file: $reference/transformer/data.h5, target: net}
net: {arch: ops, file: $reference/transformer/net.json}
reach: {method: load, weights: $reference/transformer/weights.safetensors}
E
job graph <<E
data: {file: $reference/graph-node/data.h5}
net: {arch: graph, graph: $place/graph.json, activation: tanh}
reach: {method: load, weights: $reference/graph-node/weights.safetensors}
E
job targets <<E
data: {file: $place/targets.csv, outputs: 2}
net: {widths: [8]}
E
job inputs <<E
data: {file: $place/inputs.csv, target: net}
net: {widths: [8], outputs: 2}
reach: {method: load, weights: $place/targets/weights.safetensors}
E
printf 'a,b,y,z\n1,2,3,4\n3,4,0,1\n5,-6,2,2\n' >"$place/targets.csv"
printf 'a,b\n1,2\n3,4\n5,-6\n-1,0\n' >"$place/inputs.csv"
# the graph of a case as a file of its own
sed -n '/"graph": {/,/^ }/p' $reference/graph-node/case.json | sed '1s/.*/{/; $s/.*/}/' >"$place/graph.json"

# ---- builders
claim "a convolutional net on digits: holds" ends 0 2 cnn cnn
claim "... proved" says cnn basis '"proved"'
claim "... and again from its files, on 3 ranks" checks 0 3 cnn
claim "... its list of ops, run by itself: holds" ends 0 3 again cnn -net_arch ops -net_file "$place/cnn/net.json"
claim "... and is stored again, the same" cmp -s "$place/cnn/net.json" "$place/again/net.json"
claim "a residual net: holds" ends 0 3 resnet resnet
claim "... proved" says resnet basis '"proved"'
claim "a recurrent net, on 2 x 2 ranks: holds" ends 0 4 gru gru -grid 2,2
claim "... proved" says gru basis '"proved"'
claim "... and again on 1 rank" checks 0 1 gru
claim "a recurrent net of 8 steps: holds" ends 0 2 gru8 gru -net_steps 8 -net_step_inputs 8
claim "... proved" says gru8 basis '"proved"'
claim "... by derivatives between values, not products of norms" grep -q '"paths": true' "$place/gru8/certificate.json"
claim "a graph, from loaded weights to a zero: holds" ends 0 2 graph graph
mv "$place/graph.json" "$place/gone.json"
claim "... proved" says graph basis '"proved"'
claim "... what was written is enough to check it" checks 0 2 graph

# ---- targets from the net
claim "a transformer on its own outputs: holds" ends 0 3 transformer transformer
claim "... proved" says transformer basis '"proved"'
claim "... with eta = 0, as its targets are defined by the net" says transformer residual_upper 0.0
claim "... and rho = 0" says transformer radius 0.0
claim "... which certificate.json says" grep -q '"targets": "net"' "$place/transformer/certificate.json"
claim "... with how far the stored targets are from these" grep -A1 targets_rounding "$place/transformer/certificate.json"
claim "... and again on 2 ranks, where sums round otherwise" checks 0 2 transformer
claim "... in words: the targets are what the net gives" grep -q 'whose outputs the targets are' "$place/log"
claim "a transformer from its weights to targets near by: holds" ends 0 2 polished transformer -data_target value
claim "... proved" says polished basis '"proved"'
claim "... about the targets as stored" grep -q '"targets": "stored"' "$place/polished/certificate.json"
claim "... its loss is exactly 0" says transformer loss 0.0
claim "... in no step" says transformer iterations 0
claim "a net of two outputs: holds" ends 0 1 targets targets
claim "... and at its weights on points without targets" ends 0 3 inputs inputs
claim "... where its loss is exactly 0" says inputs loss 0.0
claim "... a new run with the targets it wrote is at the same zero" ends 0 2 written inputs -data_file "$place/inputs/problem.h5" \
  -data_target value
claim "without targets and net.outputs there is no l" refused 'net.outputs' inputs -net_outputs 0
claim "... or with targets from its random weights" ends 0 3 random inputs -reach_method train
claim "... where its loss is exactly 0" says random loss 0.0

# ---- what is refused
claim "a cnn of another shape than the data" refused 'net.shape' cnn -net_shape 1,8,9
claim "a cnn whose windows are larger than its images" refused 'net.pool' cnn -net_pool 9
claim "an rnn of other steps than the data" refused 'step_inputs' gru -net_steps 7
claim "a list that is not there" refused 'nowhere.json' transformer -net_file "$place/nowhere.json"
claim "a list of another net than the data's" refused 'inputs' cnn -net_arch ops -net_file $reference/transformer/net.json
tr -d ' \n' <"$place/gone.json" | sed 's/\[0,3,0\]/[7,3,0]/' >"$place/graph.json"
claim "a graph with a cycle" refused 'cycle' graph
echo "1..$count"
