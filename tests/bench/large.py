#!/usr/bin/env python3
"""large.py CODIM MPIEXEC [NAME…]: the jobs that fill a node of 24 GB, or those of them that are named; see RUNS.

Of each: results/NAME.txt, what it printed, results/NAME.json, its report, and a line of the table results/large.txt, which is made anew from the reports that
are there. The runs' own directories, with the weights, are large/NAME. Exit status 1 if something is not as it is claimed. Needs nothing but Python.
"""
import json, os, shlex, subprocess, sys

RUNS = {  # name: job, ranks, threads of each, options
    'billion': ('billion', 1, 2, []),
    'billion-2': ('billion', 2, 1, ['-weights', 'false']),
    'fashion': ('fashion', 2, 1, []),
    'fashion-5000': ('fashion-5000', 2, 1, []),
    'fashion-40000': ('fashion-40000', 2, 1, []),
}
COLUMNS = '%-14s %5s %7s %6s %10s %9s %6s %13s %-7s %8s %6s %6s %7s'


def run(codim, mpiexec, name):
    job, ranks, threads, options = RUNS[name]
    command = mpiexec + ['-n', str(ranks), codim, 'run', 'jobs/%s.yaml' % job, '-output', 'large/' + name] + options
    with open('results/%s.txt' % name, 'w') as log:
        child = subprocess.Popen(command, env=dict(os.environ, OMP_NUM_THREADS=str(threads)), stdout=subprocess.PIPE, text=True)
        for line in child.stdout:
            print(line, end='', flush=True)
            log.write(line)
    if child.wait() == 0:
        os.replace('large/%s/report.json' % name, 'results/%s.json' % name)
    return child.returncode == 0


def claims(r):
    problem, hessian, memory = r['problem'], r['hessian'], r['memory']
    m, n, ranks = problem['residuals'], problem['parameters'], r['ranks']
    measured = memory['peak'] - memory['baseline']
    yield 'proved', r['verdict']['holds'] and r['verdict']['basis'] == 'proved' and r['certificate']['status'] == 'proved'
    yield 'loss <= 1e-24', r['minimum']['loss'] <= 1e-24
    yield 'm positive eigenvalues, n - m zeros, none negative', (hessian['positive'], hessian['zero'], hessian['negative']) == (m, n - m, 0)
    yield 'predicted memory within 15 % of the measured', abs(memory['predicted'] - measured) <= .15 * measured
    yield 'within 24 GB', ranks * memory['peak'] < 24e9
    if n > 1e9:
        yield 'peak below 1.35 x 8 n bytes', ranks * memory['peak'] < 1.35 * 8 * n


def line(name, r):
    problem, memory, m, n = r['problem'], r['memory'], r['problem']['residuals'], r['problem']['parameters']
    failed = [claim for claim, holds in claims(r) if not holds]
    peak, predicted = r['ranks'] * memory['peak'] / 1e9, r['ranks'] * (memory['predicted'] + memory['baseline']) / 1e9
    return COLUMNS % (name, r['ranks'], RUNS[name][2], m, n, '%.1e' % r['minimum']['loss'], r['hessian']['positive'], r['hessian']['zero'],
                      r['verdict']['basis'], '%.0f' % sum(r['time'].values()), '%.2f' % peak, '%.2f' % predicted,
                      '%.2f' % (peak * 1e9 / 8 / n) if n > m * m else '') + ''.join('\n  NOT: ' + claim for claim in failed), not failed


def main():
    codim, mpiexec, names = sys.argv[1], shlex.split(sys.argv[2]), sys.argv[3:] or list(RUNS)
    good = all([run(codim, mpiexec, name) for name in names])
    table = [COLUMNS % ('', 'ranks', 'threads', 'm', 'n', 'loss', 'pos.', 'zero', 'basis', 'seconds', 'GB', 'plan', 'GB/8n')]
    machines = {}
    for name in RUNS:
        if os.path.exists('results/%s.json' % name):
            report = json.load(open('results/%s.json' % name))
            text, holds = line(name, report)
            table, good = table + [text], good and holds
            machines.setdefault(report.get('machine', 'a machine that the report does not name'), []).append(name)
    table += ['', *(', '.join(names) + ': ' + machine for machine, names in machines.items())]
    with open('results/large.txt', 'w') as file:
        file.write('\n'.join(table) + '\n')
    print('\n'.join(table))
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
