#!/bin/sh
# seconds: 300
# whole jobs on data of which some targets were not observed: the same on every grid, and without the points of which nothing was; TAP
. tests/tap.sh

# 19 points, p = 4, l = 3; nothing was observed of points 1, 7 and 19, and about a third of the other targets was not
awk -v all="$place/all.csv" -v left="$place/left.csv" 'BEGIN {
  srand(3); print "a,b,c,d,u,v,w" >all; print "a,b,c,d,u,v,w" >left
  for (i = 1; i <= 19; i++) {
    row = ""
    for (j = 0; j < 4; j++) row = row sprintf("%.6f,", 2 * rand() - 1)
    none = i == 1 || i == 7 || i == 19
    for (o = 0; o < 3; o++) {
      y = sprintf("%.6f", 2 * rand() - 1)
      if (none || (2 * i + o) % 3 == 0) y = o % 2 ? "" : "nan"
      row = row y (o < 2 ? "," : "")
    }
    print row >all
    if (!none) print row >left
  }
}'
for name in all left; do
  job $name <<E
data: {file: $place/$name.csv, outputs: 3}
net: {widths: [12, 9], activation: tanh}
spectrum: {method: qr}
hessian: {full: true}
E
done
claim "with targets missing a zero is reached, and proved" ends 0 1 one "$place/all.yaml"
claim "... m counts what was observed" report 'r[0]["problem"]["residuals"] == 32 and r[0]["problem"]["unobserved"] == 25 and r[0]["verdict"]["codimension"] == 32' one
claim "... the summary says so" grep -q 'm = 32 residuals (25 targets were not observed)' "$place/log"
claim "... the whole Hessian has m positive eigenvalues, and none negative" report 'r[0]["hessian"]["full"]["positive"] == 32 and r[0]["hessian"]["full"]["negative"] == 0' one
claim "without the points of which nothing was observed" ends 0 1 left "$place/left.yaml"
same='r[0]["certificate"]["status"] == r[1]["certificate"]["status"] == "proved" and all(close(r[0]["jacobian"][k], r[1]["jacobian"][k]) for k in ("sigma_min", "sigma_max", "norm_squared")) and close(r[0]["hessian"]["measured"]["largest"]["values"], r[1]["hessian"]["measured"]["largest"]["values"]) and close(r[0]["certificate"]["sigma_min_lower"], r[1]["certificate"]["sigma_min_lower"], 1e-6) and close(r[0]["certificate"]["lipschitz"], r[1]["certificate"]["lipschitz"], 1e-2)'
claim "... everything is the same" report "$same" one left
for grid in 2,1 1,2 3,1 1,3 4,1 2,2 1,4; do
  ranks=$(( ${grid%,*} * ${grid#*,} ))
  claim "on a grid of $grid" ends 0 $ranks many "$place/all.yaml" -grid $grid
  claim "... everything is the same" report "$same" one many
done
checks() {
  run "$1" check "$place/$2"
  [ "$status" = 0 ] && grep -q 'borne out' "$place/log"
}
claim "codim check proves it again from problem.h5, on 3 ranks" checks 3 one
certifier() { $1 tests/check_certificate.py "$place/one" >"$place/log" 2>&1; }
for python in python3 /usr/bin/python3; do
  if $python -c 'import h5py, mpmath' 2>/dev/null; then
    claim "... so does a program that shares nothing with it" certifier $python
    break
  fi
done
printf 'a,u,v\n1,2,\n1,,3\n2,1,1\n3,0,\n' >"$place/pair.csv"
printf 'a,u,v\n1,2,\n1,2,3\n2,1,1\n3,0,\n' >"$place/twins.csv"
job pair <<E
data: {file: $place/pair.csv, outputs: 2}
net: {widths: [8]}
E
claim "of two equal points with nothing in common nothing is refuted" ends 0 2 pair "$place/pair.yaml"
claim "... of two with an output in common rank J is" ends 2 2 twins "$place/pair.yaml" -data_file "$place/twins.csv"
claim "... by one" report 'r[0]["certificate"]["rank_bound"] == r[0]["problem"]["residuals"] - 1 == 5' twins
printf 'a,u\n1,nan\n2,\n' >"$place/none.csv"
claim "where nothing at all was observed the file is named" refused 65 'none.csv: every target of the 2 points is NaN' "$place/pair.yaml" -data_file "$place/none.csv" -data_outputs 1
echo "1..$count"
