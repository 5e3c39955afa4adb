#!/usr/bin/env python3
"""compare.py CODIM BENCH MPIEXEC: codim on 2 ranks against what others would run on 2 threads, in turn, on the same net, weights and data.

Medians over REPEAT runs (environment; 5, the long ones 1). The figures agree first: sigma_max and sigma_min of J to 1e-6. Prints a table, and writes
results/bench/peers.csv. codim's seconds are those of its stages in report.json: reading weights, J's factors, K, eigenvalues, every check. The numpy
script does less than that: it is first compared with the same work alone, the bench program's on 1 rank x 2 threads, both warm.
"""
import csv
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

import numpy as np

NETS = "mlp", "cnn", "wide_cnn", "attention", "wide_attention"
HERE = os.path.dirname(os.path.abspath(__file__))
REPEAT = int(os.environ.get("REPEAT", "5"))
JOB = """data: {{x: {place}/x.npy, y: {place}/y.npy, points: {points}}}
net: {{arch: ops, file: {place}/{net}/net.json}}
reach: {{method: load, weights: {place}/{net}/weights.safetensors, polish: {polish}, tolerance: {tolerance}}}
hessian: {{extreme: {extreme}, zeros: 0}}
certify: false
"""


def digits(place):
    table = np.loadtxt("jobs/data/digits.csv", delimiter=",", skiprows=1)
    x, y = table[:, :-1] - table[:, :-1].mean(0), table[:, -1:]
    np.save(place + "/x.npy", x / x.std())
    np.save(place + "/y.npy", 2 * (y - y.min()) / (y.max() - y.min()) - 1)


def blas():
    """the directory of the BLAS that codim is linked with: the peers get the same"""
    libraries = subprocess.run(["ldd", sys.argv[1]], check=True, capture_output=True, text=True).stdout
    return os.path.dirname(re.search(r"lib(?:open)?blas\S* => (\S+)", libraries)[1])


def peer(place, task, net, points, seconds=0):
    environment = dict(os.environ, OMP_NUM_THREADS="2", PYTHONPATH=HERE, SECONDS=str(seconds), LD_LIBRARY_PATH=blas())
    line = subprocess.run([sys.executable, HERE + "/peers.py", task, net, str(points), place], env=environment, check=True, capture_output=True)
    return json.loads(line.stdout)


def codim(place, net, points, polish=False, tolerance=1e-24, extreme=0):
    with open(place + "/job.yaml", "w") as file:
        file.write(JOB.format(place=place, net=net, points=points, polish=str(polish).lower(), tolerance=tolerance, extreme=extreme))
    # a net away from a zero is undecided (exit 3): the numbers are what is compared
    subprocess.run([*sys.argv[3].split(), "-n", "2", sys.argv[1], "run", place + "/job.yaml", "-output", place + "/out"],
                   env=dict(os.environ, OMP_NUM_THREADS="1"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(place + "/out/report.json") as file:
        return json.load(file)


def same_work(points):
    command = [*sys.argv[3].split(), "-n", "1", sys.argv[2], "-factored", "-points", str(points), "-width", "1000"]
    return float(subprocess.run(command, env=dict(os.environ, OMP_NUM_THREADS="2"), check=True, capture_output=True).stdout)


def same(ours, theirs):
    for key in "sigma_max", "sigma_min":
        assert abs(ours["jacobian"][key] - theirs[key]) <= 1e-6 * theirs["sigma_max"], (key, ours["jacobian"][key], theirs[key])


def spectra(place, rows):
    for task, net, points, repeat in (("jacobian", "mlp", 1000, 1), ("factored", "mlp", 1000, REPEAT), ("factored", "mlp", 1797, REPEAT),
                                      *(("jacobian", net, 1000, 1) for net in NETS[1:])):
        theirs, ours, alone = [], [], []
        for _ in range(repeat):
            p, c = peer(place, task, net, points), codim(place, net, points)
            same(c, p)
            alone += [same_work(points)] if task == "factored" else []
            theirs.append(p["seconds"])
            ours.append(c["time"]["reach"] + c["time"]["spectrum"])
        what = {"jacobian": "PyTorch: J by vmap(grad), J J^T, eigenvalues", "factored": "numpy: factored K, eigenvalues"}[task]
        problem = f"{net}, n = {p['parameters']}, d = {points}"
        if alone:
            rows.append((what, problem + ": the same work", statistics.median(theirs), statistics.median(alone)))
        rows.append((what, problem, statistics.median(theirs), statistics.median(ours)))


def loss(place, rows):
    """the loss that L-BFGS reaches in a minute, and Levenberg-Marquardt to the same loss"""
    reached = peer(place, "lbfgs", "mlp", 1000, 60)
    report = codim(place, "mlp", 1000, True, reached["loss"])
    assert report["minimum"]["loss"] <= reached["loss"], report["minimum"]
    rows.append((f"PyTorch: L-BFGS to loss {reached['loss']:.2g}", "mlp, d = 1000", reached["seconds"], report["time"]["reach"]))


def hessian(place, rows):
    theirs, ours = [], []
    for _ in range(REPEAT):
        theirs.append(peer(place, "hessian", "mlp", 1000)["seconds"])
        report = codim(place, "mlp", 1000, extreme=1)
        ours.append(report["time"]["extremes"] / sum(pairs["products"] for pairs in report["hessian"]["measured"].values() if pairs))
    rows.append(("PyTorch: Hessian-vector product", "mlp, d = 1000 (codim: with the solver's share)", statistics.median(theirs), statistics.median(ours)))


def main():
    rows = []
    with tempfile.TemporaryDirectory() as place:
        digits(place)
        for net in NETS:
            subprocess.run([sys.executable, "jobs/torch_export.py", HERE + "/nets.py", net, "64", f"{place}/{net}"], check=True,
                           stdout=subprocess.DEVNULL)
        spectra(place, rows)
        loss(place, rows)
        hessian(place, rows)
    print(f"{'peer':50}{'problem':50}{'peer, s':>10}{'codim, s':>10}{'ratio':>8}")
    for what, problem, theirs, ours in rows:
        print(f"{what:50}{problem:50}{theirs:10.3f}{ours:10.3f}{theirs / ours:8.2f}")
    with open("results/bench/peers.csv", "w", newline="") as file:
        csv.writer(file).writerows([("peer", "problem", "peer_seconds", "codim_seconds")] + rows)


if __name__ == "__main__":
    main()
