#!/bin/sh
# seconds: 300
# The jobs whose answer is no, or no answer: verdict, exit status and the cause that the report names, on several grids; TAP.
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh

# answers STATUS HOLDS BASIS CAUSE JOB RANKS ARGUMENT…: exit status, status file, verdict and cause
answers() {
  status=$1 holds=$2 basis=$3 cause=$4 job=$5 ranks=$6
  shift 6
  ends "$status" "$ranks" out "jobs/no-$job.yaml" "$@" && says out holds "$holds" && says out basis "$basis" &&
    grep -q "\"cause\": .*$cause" "$place/out/report.json" && ! grep -q 'PETSC ERROR' "$place/log"
}
no() { claim "$5, $6 ranks: $4" answers "$@"; }
refuted() { no 2 false '"proved"' "$@"; }
# again RANKS STATUS: the directory is checked anew
again() {
  run "$1" check "$place/out"
  [ "$status" = "$2" ]
}

for grid in "1 -grid 1,1" "3 -grid 3,1" "4 -grid 2,2" "4 -grid 1,4"; do
  # shellcheck disable=SC2086
  refuted 'points 2 and 9 coincide: rank J <= 9 < m = 10 for every theta"' coinciding $grid
  # shellcheck disable=SC2086
  refuted 'at points 3 and 7 every unit of layers.0 is dead.* rank J <= 6 < m = 7 for every theta within' dead-units $grid
done
claim "... and so again, from its files" again 3 2
refuted 'points 2 and 9 coincide and have different y: M is empty"' contradiction 3
refuted 'points 3 and 7 have x and -x.*sigma is odd.*no bias.* rank J <= 9 < m = 10 for every theta"' opposite 2
claim "... and so again, from its files" again 3 2
no 0 true '"proved"' null opposite 2 -net_bias
refuted 'points 3 and 7 have x and -x, but not y and -y.* M is empty"' opposite-targets 3
refuted 'points 2 and 5 have x and -x.* rank J <= 5 < m = 6 for every theta"' opposite-images 2
refuted 'the net is linear.*narrowest layer has width 2: rank J <= 10 < m = 27 for every theta"' linear 3
refuted 'the net is linear.*narrowest layer has width 1: rank J <= 7 < m = 18 for every theta"' linear-bias 2
refuted '4 quadratic units.* rank J <= 18 < m = 25 for every theta"' quadratic 2
refuted '2 quadratic units.* rank J <= 12 < m = 14 for every theta"' quadratic-bias 3
refuted 'forms only the 10 monomials of its degree.* rank J <= 10 < m = 13 for every theta"' polynomial 3
no 0 true '"proved"' null dead-units 2 -net_widths 5 -net_seed 10
no 3 null null 'every unit of layers.0 is dead, and f is the same: try another net.seed' dead-units 2 -net_widths 4 -net_seed 39
no 3 null null 'no zero reached.*theta runs away' infimum 1
no 3 null null 'no zero is in sight: a full Newton step takes it to.*theta runs away' infimum 3 -reach_tolerance 1e-10 -reach_steps 20000
echo "1..$count"
