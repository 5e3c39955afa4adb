#!/bin/sh
# seconds: 300
# jobs that stand for claims of the paper, those that no other test runs: found what is expected; TAP
# From the environment: BUILD, MPIEXEC.
NP=3 perl tests/claims jobs/theorem-2.1.yaml jobs/proposition-2.3.yaml jobs/remark-*.yaml jobs/nonconvex.yaml jobs/section-5-*.yaml jobs/erratum-*.yaml |
  awk '/^(not )?ok/ { n++ } { print } END { print "1.." n }'
