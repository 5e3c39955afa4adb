#!/bin/sh
# certificates of small jobs, checked by tests/check_certificate.py: another language, another arithmetic, nothing shared; TAP
# From the environment: BUILD, MPIEXEC.
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
codim=${BUILD:-build}/codim
count=0
cases=tests/reference

for python in python3 /usr/bin/python3 ''; do
  [ -n "$python" ] && "$python" -c 'import mpmath, h5py' 2>/dev/null && break
done
[ -n "$python" ] || { echo '1..0 # skip python3 with mpmath and h5py is not there'; exit 0; }

check() { # sentence, exit status wanted
  count=$((count + 1))
  "$python" tests/check_certificate.py "$place/out" >"$place/log" 2>&1
  [ $? = "$2" ] && echo "ok $count - $1" && return
  echo "not ok $count - $1"
  sed 's/^/# /' "$place/log"
}
job() { # case, ranks, options…
  name=$1 ranks=$2
  shift 2
  echo 'certify: true' >"$place/job.yaml"
  rm -rf "$place/out"
  ${MPIEXEC:-mpiexec} -n "$ranks" "$codim" run "$place/job.yaml" -data_file "$cases/$name/data.h5" "$@" -reach_method load \
    -reach_weights "$cases/$name/weights.safetensors" -output "$place/out" >"$place/log" 2>&1 || sed 's/^/# /' "$place/log"
}

job mlp-tanh-zero 2 -net_widths 10,8 -net_activation tanh
check 'tanh, two hidden layers: every number of the certificate is on the right side' 0
"$python" - "$place/out/certificate.json" <<'END'
import json, sys
certificate = json.load(open(sys.argv[1]))
certificate['constants']['radius']['hex'] = '0x1p-70'
json.dump(certificate, open(sys.argv[1], 'w'))
END
check 'a radius made smaller is found' 1
job mlp-softplus-3out-zero 3 -net_widths 12 -net_activation softplus
check 'softplus, three outputs' 0
job mlp-smoolu-zero 1 -net_widths 24 -net_activation smoolu
check 'smoolu' 0
job mlp-tanh 2 -net_widths 10,8 -net_activation tanh -data_target net -net_outputs 1
check 'tanh at weights that define the targets: no distance at all' 0
job mlp-erf 2 -net_widths 7,6 -net_activation leaky_relu -data_target net -net_outputs 2
check 'leaky relu, away from its kinks' 0
echo "1..$count"
