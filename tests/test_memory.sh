#!/bin/sh
# seconds: 600
# the memory that codim run plans to take is, within 15 %, what its largest rank took at its peak less what a rank takes with nothing in it; TAP
# From the environment: BUILD, MPIEXEC, DEBUG.
. tests/tap.sh
if [ "$DEBUG" ]; then
  echo "1..0 # SKIP a sanitizer takes memory of its own"
  exit
fi

# theta, n = 19 429 601
job parameters <<'E2'
data: {file: jobs/data/digits.csv, points: 51, scale: standard, target_scale: unit}
net: {widths: [4375, 4375], activation: tanh}
hessian: {extreme: 0, zeros: 0}
weights: false
E2
# the values at 1797 points and their adjoints
job points <<'E2'
data: {file: jobs/data/digits.csv, points: 1797, scale: standard, target: net}
net: {widths: [1500, 1500, 1500], activation: tanh, outputs: 1}
hessian: {extreme: 0, zeros: 0}
spectrum: {method: count}
weights: false
E2
# K and its eigenvectors, m = 3003; what the libraries themselves take beside it, 10 to 20 MB, is not planned
job residuals <<'E2'
data: {file: jobs/data/digits.csv, points: 1001, scale: standard, target: net}
net: {widths: [160, 160], activation: tanh, outputs: 3}
hessian: {extreme: 0, zeros: 0}
spectrum: {labels: never}
E2

for name in parameters points residuals; do
  for ranks in 1 2 3; do
    claim "$name, $ranks rank$([ $ranks = 1 ] || echo s): proved" ends 0 $ranks $name-$ranks "$place/$name.yaml"
    claim "... in the memory that was planned, within 15 %" \
      report "abs(r[0]['memory']['predicted'] - (r[0]['memory']['peak'] - r[0]['memory']['baseline'])) <= .15 * (r[0]['memory']['peak'] - r[0]['memory']['baseline']) or print(r[0]['memory'])" $name-$ranks
  done
done
echo "1..$count"
