#!/bin/sh
# seconds: 300
# jobs/torch_export.py: PyTorch modules as lists of ops, with PyTorch's outputs; TAP. Left out where there is no PyTorch.
# From the environment: BUILD, MPIEXEC.
for torch in python3 /usr/bin/python3; do $torch -c 'import torch, numpy' 2>/dev/null && break; done
$torch -c 'import torch, numpy' 2>/dev/null || { echo "1..0 # SKIP python3 has no torch"; exit 0; }
. tests/tap.sh

# exports NAME SHAPE
exports() {
  $torch jobs/torch_export.py tests/torch/nets.py "$1" "$2" "$place/$1" >"$place/log" 2>&1 &&
    $torch tests/torch/nets.py "$1" "$2" "$place/$1"
}
# runs STATUS NAME ARGUMENT…
runs() {
  wanted=$1
  name=$2
  shift 2
  job job <<E
data: {x: $place/$name/x.npy, y: $place/$name/y.npy}
net: {arch: ops, file: $place/$name/net.json}
reach: {method: load, weights: $place/$name/weights.safetensors}
E
  ends "$wanted" 2 out "$place/job.yaml" "$@"
}
# PyTorch's outputs as targets: the loss that is left is rounding
agrees() {
  sed -n 's/.*"loss": \([0-9.e+-]*\).*/\1/p' "$place/out/report.json" | head -1 | awk '{ exit !($1 < 1e-24) }'
}
unexpressed() {
  ! $torch jobs/torch_export.py tests/torch/nets.py "$2" "$3" "$place/$2" >"$place/log" 2>&1 && grep -q "$1" "$place/log" &&
    [ ! -e "$place/$2" ]
}

claim "a convolutional net with batch normalization is exported" exports Convolutional 1,7,5
claim "... its constants are named" grep -q 'frozen, as constants: stem.1.weight, stem.1.bias' "$place/log"
claim "... it runs on PyTorch's outputs" runs 0 Convolutional -reach_polish false
claim "... with a loss of rounding" agrees
claim "... and on its own" runs 0 Convolutional -data_target net
claim "max pooling and leaky ReLU are exported" exports Pooled 1,7,8
claim "... it runs on PyTorch's outputs" runs 0 Pooled -reach_polish false
claim "... with a loss of rounding" agrees
claim "attention with a tied table is exported" exports Attention 3
claim "... it runs on PyTorch's outputs, and is refuted: tables of 7 x 5 outputs of rank 4 have codimension 3" runs 2 Attention -reach_polish false
claim "... with a loss of rounding" agrees
claim "... and rank 35 - 3" grep -q '"rank": 32' "$place/out/report.json"
claim "PyTorch 2's attention is exported" exports Scaled 4,3
claim "... it runs on PyTorch's outputs" runs 0 Scaled -reach_polish false
claim "... with a loss of rounding" agrees
claim "... with a mask it is named as what cannot be expressed" unexpressed 'attention with a mask' Causal 4,3
claim "an LSTM inside a module is named as what cannot be expressed" unexpressed 'cell.*LSTM' Recurrent 4,3

# ---- the tutorial of README.md, word for word, in a directory of its own; the net was trained there with cross-entropy, in float32
cp tests/torch/mynet.py "$place"
sed -n '/^# mynet.yaml/,/^```/{/```/!p;}' README.md >"$place/mynet.yaml"
exporting=$(sed -n 's#^    python3 \(jobs/torch_export.py mynet.py .*\)#\1#p' README.md)
running=$(sed -n 's#^    mpiexec -n 2 build/codim \(run mynet.yaml\)#\1#p' README.md)
case $codim in /*) ;; *) codim=$PWD/$codim ;; esac
here=$PWD
# shellcheck disable=SC2086
tutorial() {
  cd "$place" && $torch mynet.py "$here/jobs/data/digits.csv" >"$place/log" 2>&1 && $torch "$here"/$exporting >"$place/log" 2>&1 && run 2 $running
  cd "$here" && [ "$status" = 0 ] && [ "$(cat "$place/results/mynet/status")" = 0 ]
}
claim "README's commands take a net trained in PyTorch with cross-entropy to a verdict" tutorial
claim "... proved, of the stored weights themselves" grep -q 'At the stored weights, whose outputs the targets are by definition' "$place/log"
echo "1..$count"
