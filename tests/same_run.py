"""python3 same_run.py A B [uninterrupted]: do the directories of two runs of one job say the same, spectra up to rounding? B was interrupted, if
nothing else is said. Says what differs; exit 1."""
import json
import sys

import h5py
import numpy as np

a, b = sys.argv[1:3]
wrong = []


def check(what, ok, *values):
    if not ok:
        wrong.append(f"{what}: {' and '.join(str(v) for v in values)}")


x, y = (json.load(open(d + "/report.json")) for d in (a, b))
for path in ("verdict holds", "verdict basis", "verdict codimension", "certificate status", "jacobian rank", "jacobian method",
             "hessian positive", "hessian zero", "hessian negative", "minimum iterations", "minimum method", "problem residuals"):
    u, v = x, y
    for key in path.split():
        u, v = u[key], v[key]
    check(path, u == v, u, v)
check("interruptions", x["interruptions"] == 0 and (y["interruptions"] > 0) == (len(sys.argv) < 4), x["interruptions"], y["interruptions"])
check("objects", x.keys() == y.keys(), x.keys(), y.keys())


def singular_vector(run, jacobian):
    """how well the left vector of sigma_min is known, which names the weakest points: of K, or of J, the rounding over the gap (Davis and Kahan)"""
    power = 2 if jacobian["method"] == "gram" else 1
    with h5py.File(run + "/spectrum.h5") as file:
        values = np.sort(file["jacobian/singular_values"][:]) ** power
    return 2 * jacobian["rank_resolution"] ** power / (values[1] - values[0]) if len(values) > 1 and values[1] > values[0] else 0


def compare(path, u, v):
    """of the other objects: what is decided is the same, numbers are to 6 digits, those of the size of rounding small in both; errors are as they are"""
    if isinstance(u, dict) and isinstance(v, dict):
        check("keys of " + path, u.keys() == v.keys(), u.keys(), v.keys())
        for key in u.keys() & v.keys() - {"angle", "residual"}:
            compare(f"{path} {key}", u[key], v[key])
    elif isinstance(u, list) and isinstance(v, list):
        check("length of " + path, len(u) == len(v), len(u), len(v))
        for i, (s, t) in enumerate(zip(u, v)):
            compare(f"{path} {i}", s, t)
    elif isinstance(u, float) and isinstance(v, float):
        check(path, abs(u - v) <= 1e-6 * max(abs(u), abs(v)) + 1e-9 + (weakest if "weakest" in path else 0), u, v)
    else:
        check(path, u == v, u, v)


weakest = singular_vector(a, x["jacobian"])
for name in ("tangent_kernel", "convexity"):
    if name in x and name in y:
        compare(name, x[name], y[name])
for key in ("draw", "direction", "size", "rank", "proved"):
    u, v = ((r["minimum"].get("perturbation") or {}).get("after", {}).get(key) for r in (x, y))
    check("perturbation " + key, u == v, u, v)

with h5py.File(a + "/spectrum.h5") as f, h5py.File(b + "/spectrum.h5") as g:
    names = [[], []]
    for file, found in ((f, names[0]), (g, names[1])):
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    check("datasets of spectrum.h5", names[0] == names[1], *names)
    scale = f["jacobian/singular_values"][0]
    for name in set(names[0]) & set(names[1]):
        u, v = f[name][:], g[name][:]
        if u.shape != v.shape:
            check(name, False, u.shape, v.shape)
        elif name == "jacobian/singular_values":
            check(name, np.all(abs(u - v) <= 1e-9 * scale), abs(u - v).max(initial=0))
        elif name.startswith("hessian/density"):  # nodes of negligible weight are rounding
            if name.endswith("nodes"):
                w = f[name[: -len("nodes")] + "weights"][:]
                check(name, np.all(abs(u - v)[w > 1e-3] <= 1e-6 * scale**2), abs(u - v).max(initial=0))
        elif not name.endswith("residuals"):  # of the Hessian: each pair is as good as its residual
            r = [h[name + "_residuals"][:] if name + "_residuals" in h else 0 for h in (f, g)]
            check(name, np.all(abs(u - v) <= 1e-9 * scale**2 + r[0] + r[1]), abs(u - v).max(initial=0))
print("\n".join(wrong))
sys.exit(bool(wrong))
