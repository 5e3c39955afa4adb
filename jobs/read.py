#!/usr/bin/env python3
"""read.py DIR: what a codim run found, read in Python: report.json and spectrum.h5. Needs h5py; a picture with matplotlib, if it is there.

    python3 jobs/read.py results/digits
"""
import json
import os
import sys

import h5py


def read(directory):
    """report (dict), sigma (singular values of J, descending), positive (eigenvalues of the Hessian on M, descending)."""
    with open(os.path.join(directory, "report.json")) as file:
        report = json.load(file)
    path = os.path.join(directory, "spectrum.h5")
    if not os.path.exists(path):  # refuted before any spectrum, or undecided
        return report, [], []
    with h5py.File(path) as file:
        return report, file["/jacobian/singular_values"][:], file["/hessian/positive"][:]


def main(directory):
    report, sigma, positive = read(directory)
    problem, verdict, hessian = report["problem"], report["verdict"], report["hessian"]
    word = {True: "holds", False: "refuted", None: "undecided"}[verdict["holds"]]
    print(f"{problem['net']}: n = {problem['parameters']}, m = {problem['residuals']}, {word} ({verdict['basis']})")
    if len(sigma):
        print(f"{len(sigma)} singular values of J, {sigma[0]:.6g} to {sigma[-1]:.6g}")
    if len(positive):
        print(f"{len(positive)} positive eigenvalues of the Hessian, {positive[0]:.6g} to {positive[-1]:.6g}; zeros: {hessian['zero']}")
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot
    pyplot.loglog(range(1, len(positive) + 1), positive, ".")
    pyplot.xlabel("index")
    pyplot.ylabel("eigenvalue of the Hessian")
    pyplot.savefig(os.path.join(directory, "spectrum-python.pdf"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
