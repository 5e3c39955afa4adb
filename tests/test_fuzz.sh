#!/bin/sh
# seconds: 300
# The verdicts of random small jobs against a dense count by another program (tests/fuzz.py); TAP.
# From the environment: BUILD, MPIEXEC; COUNT, SEED: how many (40), and which (1).
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
for python in python3 /usr/bin/python3 ''; do
  [ -n "$python" ] && "$python" -c 'import mpmath, h5py' 2>/dev/null && break
done
[ -n "$python" ] || { echo '1..0 # skip python3 with mpmath and h5py is not there'; exit 0; }
# shellcheck disable=SC2086
"$python" tests/fuzz.py "${BUILD:-build}/codim" "$place" "${COUNT:-40}" "${SEED:-1}" ${MPIEXEC:-mpiexec}
