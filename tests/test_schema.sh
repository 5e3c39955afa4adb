#!/bin/sh
# seconds: 300
# report.json is what jobs/report.schema.json says, key by key, in every kind of run; TAP
. tests/tap.sh
[ -n "$python" ] || { echo "1..0 # SKIP there is no python3"; exit 0; }

job digits <<'E'
data: {file: jobs/data/digits.csv, points: 30, heldout: 7, scale: standard, target_scale: unit}
net: {widths: [20, 10], activation: tanh}
E
agrees() { $python tests/check_report.py "$place/$1/report.json" >"$place/log" 2>&1; }
lacks() { # a report without a key, and with one more
  sed 's/"residuals"/"residual"/' "$place/everything/report.json" >"$place/changed.json"
  ! $python tests/check_report.py "$place/changed.json" >"$place/log" && grep -q 'residuals is missing' "$place/log" &&
    grep -q 'residual is not in the schema' "$place/log"
}
claim "a run with all there is" ends 0 2 everything "$place/digits.yaml" -hessian_full -hessian_density 20 -walk_steps 2 \
  -trajectory_method tao -trajectory_steps 2 -convexity_seed 5 -spectrum_method qr
claim "... as in the schema" agrees everything
claim "... another key, or none, would be noticed" lacks
claim "one that goes no way to a zero" ends 3 2 way "$place/digits.yaml" -reach_steps 1
claim "... as in the schema" agrees way
claim "loaded weights" ends 0 2 loaded "$place/digits.yaml" -reach_method load -reach_weights "$place/way/weights.safetensors"
claim "... as in the schema" agrees loaded
claim "a refusal before any training" ends 2 2 classes "$place/digits.yaml" -loss_kind cross_entropy -data_target onehot -data_target_scale none
claim "... as in the schema" agrees classes
claim "rank J < m" ends 2 2 linear jobs/no-linear.yaml
claim "... as in the schema" agrees linear
claim "weights in closed form" ends 0 2 construct jobs/lemma-3.3.yaml
claim "... as in the schema" agrees construct
claim "targets moved" ends 0 2 perturbed jobs/theorem-2.1-perturbed.yaml
claim "... as in the schema" agrees perturbed
echo "1..$count"
