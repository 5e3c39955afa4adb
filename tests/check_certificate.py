#!/usr/bin/env python3
"""check_certificate.py DIR: check DIR/certificate.json of a small net independently, with mpmath at 60 digits.

DIR has certificate.json, weights.safetensors and problem.h5. Recomputed from the op list alone, by nobody's formulas but the chain rule:
H and J at the stored weights, Newton's method to the zero in theta_0 + range J^T, the eigenvalues there. Exit status 0: every number of
the certificate is on the right side; 1: one is not; 77: mpmath or h5py is missing.
"""
import hashlib, json, math, struct, sys
try:
    import h5py, mpmath as mp
except ImportError as missing:
    print('skipped:', missing)
    sys.exit(77)
mp.mp.dps = 60

SIGMA = {
    'identity': lambda z: (z, mp.mpf(1)),
    'square': lambda z: (z * z, 2 * z),
    'cubic': lambda z: (z ** 3, 3 * z * z),
    'sin': lambda z: (mp.sin(z), mp.cos(z)),
    'tanh': lambda z: (mp.tanh(z), mp.sech(z) ** 2),
    'sigmoid': lambda z: (1 / (1 + mp.exp(-z)), mp.exp(-z) / (1 + mp.exp(-z)) ** 2),
    'softplus': lambda z: (mp.log1p(mp.exp(z)), 1 / (1 + mp.exp(-z))),
    'silu': lambda z: (z / (1 + mp.exp(-z)), (1 + mp.exp(-z) + z * mp.exp(-z)) / (1 + mp.exp(-z)) ** 2),
    'erf': lambda z: (mp.erf(z), 2 / mp.sqrt(mp.pi) * mp.exp(-z * z)),
    'gelu': lambda z: (z * mp.ncdf(z), mp.ncdf(z) + z * mp.npdf(z)),
    'smoolu': lambda z: (z * mp.exp(-1 / z), mp.exp(-1 / z) * (1 + 1 / z)) if z > 0 else (mp.mpf(0), mp.mpf(0)),
    'leaky_relu': lambda z: (z, mp.mpf(1)) if z > 0 else (mp.mpf(.01) * z, mp.mpf(.01)),
    'relu': lambda z: (z, mp.mpf(1)) if z > 0 else (mp.mpf(0), mp.mpf(0)),
}


def weights(path):
    """name -> (shape, list of exact numbers)"""
    raw = open(path, 'rb').read()
    size, = struct.unpack('<Q', raw[:8])
    header, body = json.loads(raw[8:8 + size]), raw[8 + size:]
    tensors = {}
    for name, t in header.items():
        if name != '__metadata__':
            assert t['dtype'] == 'F64', t
            first, last = t['data_offsets']
            tensors[name] = (t['shape'], list(map(mp.mpf, struct.unpack('<%dd' % ((last - first) // 8), body[first:last]))))
    return tensors


class Net:
    """theta is one list, the tensors one after another; J by going back from each output"""

    def __init__(self, ops, tensors, x, y):
        self.ops, self.x, self.y, self.start, self.theta = ops, x, y, {}, []
        for name, (_, values) in tensors.items():
            self.start[name] = len(self.theta)
            self.theta += values

    def forward(self, theta, x):
        a, da = [x], [None]
        for op in self.ops[1:]:
            z = a[op['inputs'][0]]
            if op['op'] == 'activation':
                both = [SIGMA[op['activation']](t) for t in z]
                a.append([s for s, _ in both])
                da.append([d for _, d in both])
            else:
                assert op['op'] == 'linear' and op['places'] == 1, op
                w, k = self.start[op['weight']], len(z)
                b = self.start.get(op.get('bias'))
                a.append([(0 if b is None else theta[b + j]) + mp.fdot(theta[w + j * k:w + j * k + k], z) for j in range(op['dim'])])
                da.append(None)
        return a, da

    def row(self, theta, a, da, o):
        row, bar = [mp.mpf(0)] * len(theta), [[mp.mpf(0)] * op['dim'] for op in self.ops]
        bar[-1][o] = mp.mpf(1)
        for v in range(len(self.ops) - 1, 0, -1):
            op, i = self.ops[v], self.ops[v]['inputs'][0]
            for j, delta in enumerate(bar[v]):
                if op['op'] == 'activation':
                    bar[i][j] += da[v][j] * delta
                    continue
                w, k = self.start[op['weight']] + j * len(a[i]), len(a[i])
                if 'bias' in op:
                    row[self.start[op['bias']] + j] += delta
                for c in range(k):
                    row[w + c] += delta * a[i][c]
                    bar[i][c] += delta * theta[w + c]
        return row

    def evaluate(self, theta):
        H, J = [], []
        for x, y in zip(self.x, self.y):
            a, da = self.forward(theta, x)
            observed = [o for o, t in enumerate(y) if not mp.isnan(t)]
            H += [a[-1][o] - y[o] for o in observed]
            J += [self.row(theta, a, da, o) for o in observed]
        return H, J


gram = lambda A, B: mp.matrix([[mp.fdot(r, s) for s in B] for r in A])
norm = lambda v: mp.sqrt(mp.fsum(t * t for t in v))


def main(folder):
    bad = []

    def claim(ok, text):
        print('ok  ' if ok else 'FAIL', text)
        bad.extend([] if ok else [text])

    cert = json.load(open(folder + '/certificate.json'))
    number = lambda name: mp.mpf(float.fromhex(cert['constants'][name]['hex'])) if cert['constants'][name] else mp.inf
    for key, name in ('weights_file', 'weights.safetensors'), ('problem_file', 'problem.h5'):
        digest = hashlib.sha256(open(folder + '/' + name, 'rb').read()).hexdigest()
        claim(digest == cert[key]['sha256'], name + ' is the file the certificate is about')
    with h5py.File(folder + '/problem.h5') as f:
        x, y = ([list(map(mp.mpf, row)) for row in f[k][()].reshape(cert['problem']['points'], -1).tolist()] for k in ('x', 'y'))
    net = Net(cert['ops'], weights(folder + '/weights.safetensors'), x, y)
    if cert['status'] != 'proved':
        print('status', cert['status'], '- nothing is claimed')
        return 0
    if cert['targets'] == 'net':
        net.y = [net.forward(net.theta, t)[0][-1] for t in x]
        claim(norm([s - t for f, v in zip(net.y, y) for s, t in zip(f, v)]) <= number('targets_rounding'), 'y holds f(x), rounded')
    eta, s, rho, h, L = (number(k) for k in ('residual_upper', 'sigma_min_lower', 'radius', 'kantorovich_h', 'lipschitz'))
    theta, (H, J0) = net.theta, net.evaluate(net.theta)
    claim(number('residual_lower') <= norm(H) <= eta, '|H| = %s is within its bounds' % mp.nstr(norm(H), 5))
    smallest = mp.sqrt(min(mp.eigsy(gram(J0, J0), eigvals_only=True)))
    claim(s <= smallest, 'sigma_min = %s >= s' % mp.nstr(smallest, 8))
    claim(L * eta / s ** 2 <= h < 0.5, 'h = Lambda eta/s^2 < 1/2')
    claim(2 * eta / (s * (1 + mp.sqrt(1 - 2 * h))) <= rho <= number('ball'), 'rho is what the theorem gives, within the ball')
    J = J0
    for _ in range(8):
        c = mp.lu_solve(gram(J, J0), mp.matrix(H))
        theta = [t - mp.fsum(J0[i][k] * c[i] for i in range(len(H))) for k, t in enumerate(theta)]
        H, J = net.evaluate(theta)
    distance = norm([t - t0 for t, t0 in zip(theta, net.theta)])
    claim(norm(H) < mp.mpf(10) ** -50 and distance <= rho, 'a zero at distance %s <= rho' % mp.nstr(distance, 5))
    claim(number('distance_lower') <= distance, 'which is not below the lower bound of the distance')
    eigenvalues = sorted(2 * t for t in mp.eigsy(gram(J, J), eigvals_only=True))
    claim(2 * number('sigma_min_at_zero') ** 2 <= eigenvalues[0], 'sigma_min there is above its bound')
    if 'eigenvalues' in cert:
        bounds = zip(cert['eigenvalues']['lower'], eigenvalues, cert['eigenvalues']['upper'])
        claim(all(mp.mpf(a) <= t <= mp.mpf(b) for a, t, b in bounds), 'every eigenvalue is in its enclosure')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
