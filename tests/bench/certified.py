#!/usr/bin/env python3
"""certified.py CODIM [MPIEXEC…]: five nets on handwritten digits brought to a zero and certified, and the first one's weights rounded to float32.

One line each: what is proved, h, rho, s, and the relative width of the enclosures of the smallest and the largest positive eigenvalue. Exit status 1
if something is not proved. Needs nothing but Python.
"""
import json, os, shlex, struct, subprocess, sys, tempfile

NETS = [  # name, options besides those of jobs/digits.yaml
    ('tanh 64-1024-1024-1, d = 1797', ''),
    ('tanh 64-256-256-256-256-1, d = 1797', '-net_widths 256,256,256,256'),
    ('softplus 64-1024-1024-1, d = 1797', '-net_activation softplus'),
    ('tanh 64-300-300-10, one-hot, d = 300', '-net_widths 300,300 -data_points 300 -data_target onehot -data_target_scale none'),
    ('tanh 64-200-…-200-1, 8 hidden layers, d = 1000', '-net_widths 200,200,200,200,200,200,200,200 -data_points 1000'),
]


def run(codim, launch, output, options):
    command = launch + [codim, 'run', 'jobs/digits.yaml', '-output', output, '-hessian_extreme', '0', '-hessian_zeros', '0'] + options
    done = subprocess.run(command, capture_output=True, text=True)
    if not os.path.exists(output + '/certificate.json'):
        sys.exit(done.stdout + done.stderr)
    return json.load(open(output + '/certificate.json'))


def float32(source, target):
    raw = open(source, 'rb').read()
    size, = struct.unpack('<Q', raw[:8])
    header, body, rounded = json.loads(raw[8:8 + size]), raw[8 + size:], b''
    header.pop('__metadata__', None)
    for tensor in header.values():
        first, last = tensor['data_offsets']
        count = (last - first) // 8
        part = struct.pack('<%df' % count, *struct.unpack('<%dd' % count, body[first:last]))
        tensor.update(dtype='F32', data_offsets=[len(rounded), len(rounded) + len(part)])
        rounded += part
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    open(target, 'wb').write(struct.pack('<Q', len(text)) + text + rounded)


def line(name, cert):
    number = lambda key: cert['constants'][key]['decimal'] if cert['constants'][key] else float('nan')
    widths = '        -         -'
    if 'eigenvalues' in cert:
        ends = [(cert['eigenvalues']['lower'][k], cert['eigenvalues']['upper'][k]) for k in (0, -1)]
        widths = ' '.join('%9.1e' % ((hi - lo) / lo) for lo, hi in ends)
    print('%-48s %-9s %9.1e %9.1e %9.2e %9.1e %s' % (name, cert['status'], number('kantorovich_h'), number('radius'), number('sigma_min_lower'),
                                                      number('regular_radius'), widths), flush=True)
    return cert['status'] == 'proved'


def main():
    codim, launch = sys.argv[1], sys.argv[2:] or ['mpiexec', '-n', '2']
    print('%-48s %-9s %9s %9s %9s %9s %9s %9s' % ('', '', 'h', 'rho', 's', 'R', 'smallest', 'largest'))
    proved = True
    with tempfile.TemporaryDirectory() as place:
        for k, (name, options) in enumerate(NETS):
            proved &= line(name, run(codim, launch, '%s/%d' % (place, k), shlex.split(options)))
        float32(place + '/0/weights.safetensors', place + '/float32.safetensors')
        load = ['-reach_method', 'load', '-reach_weights', place + '/float32.safetensors', '-reach_polish', 'false']
        proved &= line('the first, its weights rounded to float32', run(codim, launch, place + '/rounded', load))
    return 0 if proved else 1


if __name__ == '__main__':
    sys.exit(main())
