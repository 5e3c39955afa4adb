#!/bin/sh
# seconds: 300
# density, trajectory and walk as stages of a job: their files, interruption and going on; TAP
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh

job job <<'E2'
data: {file: jobs/data/digits.csv, points: 30, scale: standard, target_scale: unit}
net: {widths: [20, 40], activation: tanh}
hessian: {extreme: 1, zeros: 0}
trajectory: {method: sgd, steps: 3000, batch: 7, rate: 0.01, at: [0, 50, 3000], density: 20, density_probes: 2}
walk: {steps: 300, direction: random}
E2
# the columns of a table that are plain distances and losses: same in both runs to 1e-6
same() {
  $python - "$place/whole/$1.csv" "$place/parts/$1.csv" $2 <<'E2'
import csv, sys
a, b = (list(csv.DictReader(open(name))) for name in sys.argv[1:3])
assert len(a) == len(b) > 2, (len(a), len(b))
for x, y in zip(a, b):
    for key in sys.argv[3:]:
        u, v = float(x[key]), float(y[key])
        assert abs(u - v) <= 1e-6 * abs(u) + 1e-20, (key, u, v)
E2
}

claim "a job with trajectory, and a walk: holds" ends 0 2 whole "$place/job.yaml"
for file in trajectory.h5 trajectory.csv trajectory.svg trajectory-density.svg walk.h5 walk.csv walk.svg walk-growth.svg walk.safetensors; do
  claim "... $file is there" test -s "$place/whole/$file"
done
claim "... the report has both" sh -c "grep -q '\"trajectory\": {' $place/whole/report.json && grep -q '\"connected_points\": 301' $place/whole/report.json"
claim "SIGUSR1 in the trajectory: exit 75 with a checkpoint" interrupted 'sgd$' 2 parts "$place/job.yaml"
claim "... then in the walk" interrupted 'loss before the return' 2 parts "$place/job.yaml"
claim "... and goes on from there on 3 ranks" goes_on walk 3 parts "$place/job.yaml"
claim "the trajectory is that of the uninterrupted run" same trajectory "step phase loss"
claim "... and so is the walk" same walk "path displacement sigma_min"
# change of the outputs on points 31 … 70 from one end of the walk to the other, by numpy, scaled as the first 30
heldout() {
  $python - "$place/held" <<'E2'
import json, struct, sys
import numpy as np

def read(name):
    data = open(f"{sys.argv[1]}/{name}.safetensors", "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    body = data[8 + size :]
    return {k: np.frombuffer(body[slice(*e["data_offsets"])], "<f8").reshape(e["shape"]) for k, e in header.items() if k[0] != "_"}

points = np.loadtxt("jobs/data/digits.csv", delimiter=",", skiprows=1)[:70, :-1]
used, held = points[:30], points[30:]

def f(w):
    a = (held - used.mean(0)) / used.std()
    for k in range(3):
        a = a @ w[f"layers.{k}.weight"].T + w[f"layers.{k}.bias"]
        a = np.tanh(a) if k < 2 else a
    return a

change = np.abs(f(read("walk")) - f(read("weights")))
found = json.load(open(sys.argv[1] + "/report.json"))["walk"]["heldout"]
assert found["points"] == 40 and change.max() > 1e-6, found
assert abs(found["moved_max"] - change.max()) < 1e-10 * change.max(), (found, change.max())
assert abs(found["moved_rms"] - np.sqrt((change**2).mean())) < 1e-10 * change.max(), found
E2
}
if $python -c 'import numpy' 2>/dev/null; then
  ends 0 3 held "$place/job.yaml" -trajectory_method none -walk_steps 20 -data_heldout 40 -grid 3,1
  claim "held-out points: as far as numpy finds the outputs moved" heldout
else
  skip "python3 has no numpy"
fi
claim "more points held out than there are" refused 65 '1797' "$place/job.yaml" -data_points 1797 -data_heldout 1
claim "walk.direction toward wants a file" refused 64 'walk.toward' "$place/job.yaml" -walk_direction toward
claim "no file of that name" refused 65 'nothing-' "$place/job.yaml" -trajectory_method files -trajectory_files "$place/nothing-*.safetensors"
echo "1..$count"
