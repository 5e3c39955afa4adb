#!/bin/sh
# seconds: 600
# whole jobs with nets of every builder and with lists of ops: verdicts, the stored list runs again, data.target net; TAP
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh
reference=tests/reference

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
claim "a convolutional net on digits: holds" ends 0 2 cnn "$place/cnn.yaml"
claim "... proved" says cnn basis '"proved"'
claim "... and again from its files, on 3 ranks" checks 3 cnn
claim "... its list of ops, run by itself: holds" ends 0 3 again "$place/cnn.yaml" -net_arch ops -net_file "$place/cnn/net.json"
claim "... and is stored again, the same" cmp -s "$place/cnn/net.json" "$place/again/net.json"
claim "a residual net: holds" ends 0 3 resnet "$place/resnet.yaml"
claim "... proved" says resnet basis '"proved"'
claim "a recurrent net, on 2 x 2 ranks: holds" ends 0 4 gru "$place/gru.yaml" -grid 2,2
claim "... proved" says gru basis '"proved"'
claim "... and again on 1 rank" checks 1 gru
claim "a recurrent net of 8 steps: holds" ends 0 2 gru8 "$place/gru.yaml" -net_steps 8 -net_step_inputs 8
claim "... proved" says gru8 basis '"proved"'
claim "... by derivatives between values, not products of norms" grep -q '"paths": true' "$place/gru8/certificate.json"
claim "a graph, from loaded weights to a zero: holds" ends 0 2 graph "$place/graph.yaml"
mv "$place/graph.json" "$place/gone.json"
claim "... proved" says graph basis '"proved"'
claim "... what was written is enough to check it" checks 2 graph

# ---- targets from the net
claim "a transformer on its own outputs: holds" ends 0 3 transformer "$place/transformer.yaml"
claim "... proved" says transformer basis '"proved"'
claim "... with eta = 0, as its targets are defined by the net" says transformer residual_upper 0.0
claim "... and rho = 0" says transformer radius 0.0
claim "... which certificate.json says" grep -q '"targets": "net"' "$place/transformer/certificate.json"
claim "... with how far the stored targets are from these" grep -A1 targets_rounding "$place/transformer/certificate.json"
claim "... and again on 2 ranks, where sums round otherwise" checks 2 transformer
claim "... in words: the targets are what the net gives" grep -q 'whose outputs the targets are' "$place/log"
claim "a transformer from its weights to targets near by: holds" ends 0 2 polished "$place/transformer.yaml" -data_target value
claim "... proved" says polished basis '"proved"'
claim "... about the targets as stored" grep -q '"targets": "stored"' "$place/polished/certificate.json"
claim "... its loss is exactly 0" says transformer loss 0.0
claim "... in no step" says transformer iterations 0
claim "a net of two outputs: holds" ends 0 1 targets "$place/targets.yaml"
claim "... and at its weights on points without targets" ends 0 3 inputs "$place/inputs.yaml"
claim "... where its loss is exactly 0" says inputs loss 0.0
claim "... a new run with the targets it wrote is at the same zero" ends 0 2 written "$place/inputs.yaml" -data_file "$place/inputs/problem.h5" \
  -data_target value
claim "without targets and net.outputs there is no l" refused 64 'net.outputs' "$place/inputs.yaml" -net_outputs 0
claim "... or with targets from its random weights" ends 0 3 random "$place/inputs.yaml" -reach_method train
claim "... where its loss is exactly 0" says random loss 0.0

# ---- what is refused
claim "a cnn of another shape than the data" refused 64 'net.shape' "$place/cnn.yaml" -net_shape 1,8,9
claim "a cnn whose windows are larger than its images" refused 64 'net.pool' "$place/cnn.yaml" -net_pool 9
claim "an rnn of other steps than the data" refused 64 'step_inputs' "$place/gru.yaml" -net_steps 7
claim "a list that is not there" refused 64 'nowhere.json' "$place/transformer.yaml" -net_file "$place/nowhere.json"
claim "a list of another net than the data's" refused 64 'inputs' "$place/cnn.yaml" -net_arch ops -net_file $reference/transformer/net.json
tr -d ' \n' <"$place/gone.json" | sed 's/\[0,3,0\]/[7,3,0]/' >"$place/graph.json"
claim "a graph with a cycle" refused 64 'cycle' "$place/graph.yaml"
echo "1..$count"
