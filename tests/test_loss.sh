#!/bin/sh
# seconds: 300
# whole jobs with losses other than |H|^2: the same M, what its Hessian is there, and cross-entropy refused; TAP
. tests/tap.sh

job digits <<'E'
data: {file: jobs/data/digits.csv, points: 30, scale: standard, target_scale: unit}
net: {widths: [20, 10], activation: tanh}
E
claim "a = 3: M is reached, its codimension proved" ends 0 2 cubes "$place/digits.yaml" -loss_power 3
claim "... the summary says that the Hessian on M is 0" grep -q 'sum |H_k|^3 = .*: the same M; on M its Hessian is 0' "$place/log"
claim "... so does report.json, with the loss" report '"0" in r[0]["loss"]["hessian"] and r[0]["loss"]["power"] == 3 and 0 < r[0]["loss"]["value"] < r[0]["minimum"]["loss"]' cubes
claim "a = 1" ends 0 2 absolute "$place/digits.yaml" -loss_power 1
claim "... the Hessian on M does not exist" grep -q 'on M its Hessian does not exist' "$place/log"
claim "... the loss is the sum of |H_k|" report 'r[0]["minimum"]["residual_max"] <= r[0]["loss"]["value"] <= 30 * r[0]["minimum"]["residual_max"]' absolute
claim "a = 2: nothing more is said" ends 0 2 squares "$place/digits.yaml"
claim "... than that sum |H_k|^2 is the loss" report 'r[0]["loss"]["value"] == r[0]["minimum"]["loss"] and not any("power" in line for line in open("log"))' squares
claim "M is the same: so are the singular values" report 'all(r[0]["jacobian"]["sigma_min"] == s["jacobian"]["sigma_min"] for s in r)' squares cubes absolute
claim "another Tao type minimizes the loss of a = 1.5" ends 0 3 lmvm "$place/digits.yaml" -loss_power 1.5 -tao_type lmvm
claim "... a < 1 is no such loss" refused 64 'loss.power' "$place/digits.yaml" -loss_power 0.5
claim "cross-entropy of classes: M is empty" ends 2 3 classes "$place/digits.yaml" -loss_kind cross_entropy -data_target onehot -data_target_scale none
claim "... since the infimum is not attained; data.target: net is offered" grep -q 'REFUTED (proved): cross-entropy.*not attained, M is empty. data.target: net' "$place/log"
claim "... nothing was computed" report 'r[0]["minimum"] is None and r[0]["certificate"]["status"] == "refuted" and r[0]["verdict"]["basis"] == "proved" and r[0]["verdict"]["holds"] is False' classes
claim "... of targets that are no classes: refused" refused 64 'hard labels' "$place/digits.yaml" -loss_kind cross_entropy
claim "... with targets from a net: no loss is needed" refused 64 'leave loss.kind out' "$place/digits.yaml" -loss_kind cross_entropy -data_target net \
  -data_target_scale none -reach_method load -reach_weights "$place/squares/weights.safetensors" -data_outputs 1 -net_outputs 1
echo "1..$count"
