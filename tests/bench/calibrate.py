#!/usr/bin/env python3
"""calibrate.py CODIM MPIEXEC: run some jobs, and write into results/calibration.json what `codim plan` said of their times by it, and what they took.

Runs of the machine that was just calibrated, on one rank and on two. `codim plan` states the largest factor. Needs nothing but Python.
"""
import json, os, shlex, subprocess, sys, tempfile

FILE = 'results/calibration.json'
RUNS = [  # ranks, options besides those of jobs/digits.yaml
    (1, '-hessian_extreme 0 -hessian_zeros 0'),
    (2, '-hessian_extreme 0 -hessian_zeros 0'),
    (2, '-hessian_extreme 2 -hessian_zeros 0'),
    (2, '-net_widths 3000,3000 -data_points 400 -hessian_extreme 0 -hessian_zeros 0'),
]


def main():
    codim, mpiexec = sys.argv[1], shlex.split(sys.argv[2])
    runs = []
    for ranks, options in RUNS:
        with tempfile.TemporaryDirectory() as place:
            job = ['jobs/digits.yaml', '-output', place + '/out'] + shlex.split(options)
            threads = max(1, (os.cpu_count() or 1) // ranks)  # as the plan has it
            subprocess.run(mpiexec + ['-n', str(ranks), codim, 'run'] + job, check=True, stdout=subprocess.DEVNULL,
                           env=dict(os.environ, OMP_NUM_THREADS=str(threads)))
            plan = json.loads(subprocess.run([codim, 'plan'] + job + ['-ranks', str(ranks), '-json'], check=True, capture_output=True, text=True).stdout)
        plan, = plan['plans']
        measured = sum(stage['measured_seconds'] for stage in plan['stages'])
        runs.append({'ranks': ranks, 'options': options, 'planned_seconds': round(plan['seconds'], 3), 'measured_seconds': round(measured, 3)})
        print('%d rank%s %-75s planned %6.1f s, measured %6.1f s' % (ranks, ' s'[ranks > 1], options, plan['seconds'], measured), flush=True)
    calibration = json.load(open(FILE))
    calibration['runs'] = runs
    json.dump(calibration, open(FILE, 'w'), indent=2)


if __name__ == '__main__':
    main()
