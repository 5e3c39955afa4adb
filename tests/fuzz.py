#!/usr/bin/env python3
"""fuzz.py CODIM DIR COUNT SEED LAUNCHER…: run random small jobs, and compare each verdict with a dense count in 60 digits; TAP.

A job is a random fully connected net with points that are at times equal, opposite or not observed, trained, or with the net's own outputs as
targets: some have a regular zero, some a singular one, some none. Nothing of codim is used to judge them: tests/check_certificate.py has the net.
Only a verdict that is not so counts against it, not its numbers.
"""
import json, os, random, shutil, subprocess, sys
from check_certificate import Net, gram, h5py, mp, norm, weights

codim, place, count, seed, launcher = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
rng = random.Random(seed)
SMOOTH = ['tanh', 'sigmoid', 'softplus', 'erf', 'sin', 'silu', 'gelu', 'smoolu', 'relu', 'leaky_relu']  # the last two in pieces
POLYNOMIAL = ['identity', 'square', 'cubic']


def points(d, p, l):
    """integers over 4; rows may repeat an earlier one, or its opposite, with the same targets, opposite ones or others"""
    rows = []
    for _ in range(d):
        x, y = ([rng.randint(-8, 8) / 4 for _ in range(k)] for k in (p, l))
        if rows and rng.random() < 0.1:
            sign, (u, v) = rng.choice((1, -1)), rng.choice(rows)
            x, y = [sign * t for t in u], [rng.choice((1, sign)) * t for t in v] if rng.random() < 0.7 else y
        rows.append((x, y))
    return rows


def job():
    """options, sizes of the layers, and data.csv; n > m"""
    while True:
        p, l, layers = rng.randint(1, 3), rng.randint(1, 2), rng.choice((1, 1, 2))
        widths, bias = [rng.randint(1, 5) for _ in range(layers)], rng.random() < 0.6
        sizes = [p] + widths + [l]
        n = sum(h * (k + bias) for k, h in zip(sizes, sizes[1:]))
        most = min(7, (n - 1) // l)
        if most < 1 or n > 40:
            continue
        rows, missing = points(rng.randint(max(1, most - 3), most), p, l), rng.random() < 0.15
        with open(place + '/data.csv', 'w') as f:
            f.write(','.join('c%d' % i for i in range(p + l)) + '\n')
            for i, (x, y) in enumerate(rows):
                f.write(','.join(['%r' % t for t in x] + ['' if missing and i == j == 0 and len(rows) * l > 1 else '%r' % t for j, t in enumerate(y)]) + '\n')
        options = {'data_file': place + '/data.csv', 'data_outputs': l, 'net_widths': ','.join(map(str, widths)), 'net_bias': str(bias).lower(),
                'net_activation': rng.choice(SMOOTH if rng.random() < 0.65 else POLYNOMIAL), 'net_seed': rng.randint(1, 99),
                'data_target': 'value', 'reach_steps': 200}
        if rng.random() < 0.35 and not missing:
            options.update(data_target='net', net_outputs=l)
        return options, sizes


def count_of(eigenvalues, least):
    return sum(t > least * max(eigenvalues) for t in eigenvalues)


def singular(J):
    """squares, ascending"""
    K = gram(J, J)
    return sorted(mp.eigsy(K, eigvals_only=True)) if len(J) > 1 else [K[0, 0]]


def rank(J):
    s = singular(J)
    return count_of(s, mp.mpf(10) ** -40) if s[-1] > 0 else 0


def zero_from(net, theta):
    """Gauss-Newton; None where it does not get there"""
    for _ in range(12):
        H, J = net.evaluate(theta)
        if norm(H) < mp.mpf(10) ** -50:
            return theta
        try:
            c = mp.lu_solve(gram(J, J), mp.matrix(H))
        except ZeroDivisionError:
            return None
        theta = [t - mp.fsum(J[i][k] * c[i] for i in range(len(H))) for k, t in enumerate(theta)]
    return None


def dense_count(net, theta):
    """positive, zero, negative eigenvalues of the Hessian, from differences of the gradient in 60 digits"""
    step, n = mp.mpf(10) ** -25, len(theta)

    def gradient(at):
        H, J = net.evaluate(at)
        return [2 * mp.fsum(J[i][k] * H[i] for i in range(len(H))) for k in range(n)]

    columns = []
    for k in range(n):
        ahead, behind = (theta[:k] + [theta[k] + s * step] + theta[k + 1:] for s in (1, -1))
        columns.append([(a - b) / (2 * step) for a, b in zip(gradient(ahead), gradient(behind))])
    values = mp.eigsy(mp.matrix([[(columns[i][j] + columns[j][i]) / 2 for j in range(n)] for i in range(n)]), eigvals_only=True)
    large = max(abs(t) for t in values) * mp.mpf(10) ** -20
    return sum(t > large for t in values), sum(abs(t) <= large for t in values), sum(t < -large for t in values)


def gets_small(net, n):
    """can Levenberg-Marquardt make |H| tiny from some start?"""
    with mp.workdps(20):
        for _ in range(2):
            theta, mu = [mp.mpf(rng.gauss(0, 1)) for _ in range(n)], mp.mpf(1)
            H, J = net.evaluate(theta)
            for _ in range(25):
                K = gram(J, J)
                c = mp.lu_solve(K + mu * mp.eye(len(H)), mp.matrix(H))
                there = [t - mp.fsum(J[i][k] * c[i] for i in range(len(H))) for k, t in enumerate(theta)]
                new, J_new = net.evaluate(there)
                if norm(new) < norm(H):
                    theta, H, J, mu = there, new, J_new, mu / 10
                else:
                    mu *= 10
            if norm(H) < mp.mpf(10) ** -12:
                return True
    return False


def network(folder, report, options, sizes):
    """the net, at the weights found; at random ones where the answer needed none"""
    with h5py.File(folder + '/problem.h5') as f:
        x, y = ([list(map(mp.mpf, row)) for row in f[k][()].reshape(report['problem']['points'], -1).tolist()] for k in ('x', 'y'))
    ops, tensors = [{'dim': sizes[0]}], {}
    for i, (k, h) in enumerate(zip(sizes, sizes[1:])):
        op = {'op': 'linear', 'places': 1, 'dim': h, 'inputs': [len(ops) - 1], 'weight': 'layers.%d.weight' % i}
        tensors[op['weight']] = ([h, k], [mp.mpf(rng.gauss(0, 1)) for _ in range(h * k)])
        if options['net_bias'] == 'true':
            op['bias'] = 'layers.%d.bias' % i
            tensors[op['bias']] = ([h], [mp.mpf(rng.gauss(0, 1)) for _ in range(h)])
        ops.append(op)
        if i + 2 < len(sizes):
            ops.append({'op': 'activation', 'dim': h, 'inputs': [len(ops) - 1], 'activation': options['net_activation']})
    if os.path.exists(folder + '/weights.safetensors'):
        tensors = weights(folder + '/weights.safetensors')
    net = Net(ops, tensors, x, y)
    if options['data_target'] == 'net':
        net.y = [net.forward(net.theta, t)[0][-1] for t in x]
    return net


def lies(report, net):
    """what the verdict says that is not so"""
    m, n = report['problem']['residuals'], report['problem']['parameters']
    verdict, bound = report['verdict'], report['certificate']['rank_bound']
    J = net.evaluate(net.theta)[1]
    if verdict['holds']:
        zero = zero_from(net, net.theta)
        if zero is None:
            return 'it holds, but no zero is near'
        found, claimed = dense_count(net, zero), tuple(report['hessian'][k] for k in ('positive', 'zero', 'negative'))
        return None if found == claimed == (m, n - m, 0) else 'eigenvalues %s, dense %s' % (claimed, found)
    if verdict['holds'] is None:
        return None
    if verdict['basis'] == 'numerical':
        r, floor = report['jacobian']['rank'], 10 * report['jacobian']['rank_resolution']
        found = sum(t > floor ** 2 for t in singular(J))
        return None if found == r < m else 'rank %d, dense %d' % (r, found)
    radius = report['certificate']['rank_radius']
    trials = [J] + [net.evaluate([mp.mpf(rng.gauss(0, 1)) for _ in range(n)])[1] for _ in range(0 if radius else 2)]
    if bound is not None and max(map(rank, trials)) > bound:
        return 'rank J <= %d, dense %d' % (bound, max(map(rank, trials)))
    if 'M is empty' in verdict['cause'] and gets_small(net, n):
        return 'M is not empty'
    return None


def main():
    tally, wrong, status_wrong = {}, 0, 0
    for k in range(count):
        (options, sizes), ranks = job(), 3 if k % 5 == 4 else 1
        command = (launcher + ['-n', '3'] if ranks > 1 else []) + [codim, 'run', place + '/job.yaml', '-output', place + '/out']
        for key, value in options.items():
            command += ['-' + key, str(value)]
        shutil.rmtree(place + '/out', ignore_errors=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
        what = '%d ranks: %s' % (ranks, ' '.join('-%s %s' % t for t in options.items()))
        if not os.path.exists(place + '/out/report.json'):
            print('# no report (status %d), %s\n# %s' % (done.returncode, what, done.stdout.replace('\n', '\n# ')))
            wrong += 1
            continue
        report = json.load(open(place + '/out/report.json'))
        holds, basis = report['verdict']['holds'], report['verdict']['basis']
        tally[holds, basis] = tally.get((holds, basis), 0) + 1
        status_wrong += done.returncode != {True: 0, False: 2, None: 3}[holds]
        lie = lies(report, network(place + '/out', report, options, sizes))
        if lie:
            wrong += 1
            print('# %s: %s\n# %s\n# %s' % (holds, basis, lie, what))
            print(''.join('# ' + row for row in open(place + '/data.csv')))
    number = lambda *key: tally.get(key, 0)
    print('1..4')
    line = lambda ok, k, text: print('%sok %d - %s' % ('' if ok else 'not ', k, text))
    line(not wrong, 1, '%d random jobs (seed %d): no verdict is contradicted by a dense count in 60 digits' % (count, seed))
    line(not status_wrong, 2, '... and each exit status is the verdict\'s')
    line(number(True, 'proved') * 5 > count and number(False, 'proved') * 20 > count, 3,
         '... %d hold, %d are refuted, by proof' % (number(True, 'proved'), number(False, 'proved')))
    line(number(None, None) * 2 < count, 4, '... %d hold, %d are refuted numerically; %d are undecided' %
         (number(True, 'numerical'), number(False, 'numerical'), number(None, None)))


open(place + '/job.yaml', 'w').write('certify: true\n')
main()
