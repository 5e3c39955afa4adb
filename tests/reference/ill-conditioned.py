#!/usr/bin/env python3
"""The points and weights of jobs/ill-conditioned.yaml, and the exact singular values of its J.

    python3 tests/reference/ill-conditioned.py      from the top of the repository; needs mpmath, numpy and h5py

Eleven points in the plane and a twelfth at a distance of 3e-9 from the first; a random tanh net 2-8-8-8-1; y is its own output, rounded to
doubles, so that the stored weights are a zero of the loss. tests/reference/ill-conditioned/expected.h5: /singular_values of the exact J of
the stored doubles, descending, and /loss, from arithmetic of 60 digits; rounded to doubles at the end.
"""
import json
import struct

import h5py
import mpmath as mp
import numpy as np

mp.mp.dps = 60
WIDTHS = [2, 8, 8, 8, 1]

random = np.random.default_rng(20)
x = random.uniform(-1, 1, (11, 2))
x = np.vstack([x, x[0] + 3e-9 * np.array([0.6, 0.8])])
W = [random.normal(0, 1.5 / np.sqrt(k), (h, k)) for k, h in zip(WIDTHS, WIDTHS[1:])]
b = [random.normal(0, 0.3, h) for h in WIDTHS[1:]]


def forward(point):
    """the values a_0, a_1, … and the output, exactly as far as 60 digits go"""
    values = [[mp.mpf(float(t)) for t in point]]
    for layer, (weight, bias) in enumerate(zip(W, b)):
        a = values[-1]
        z = [mp.mpf(float(bias[j])) + mp.fsum(mp.mpf(float(w)) * t for w, t in zip(weight[j], a)) for j in range(len(bias))]
        values.append([mp.tanh(t) for t in z] if layer < len(W) - 1 else z)
    return values


def row(values):
    """the derivative of the output by every weight and bias"""
    entries, delta = [], [mp.mpf(1)]
    for layer in reversed(range(len(W))):
        entries.append([d * a for d in delta for a in values[layer]] + delta)
        back = [mp.fsum(mp.mpf(float(W[layer][j, i])) * delta[j] for j in range(len(delta))) for i in range(W[layer].shape[1])]
        delta = [t * (1 - a * a) for t, a in zip(back, values[layer])]
    return [entry for part in entries for entry in part]


def write_safetensors(path, tensors):
    header, body = {}, b""
    for name, array in tensors.items():
        data = np.ascontiguousarray(array, "<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + body)


exact = [forward(point) for point in x]
y = [float(values[-1][0]) for values in exact]
J = mp.matrix([row(values) for values in exact])
squares = sorted(mp.eigsy(J * J.T, eigvals_only=True), reverse=True)
sigma = [float(mp.sqrt(t)) for t in squares]
loss = float(mp.fsum((values[-1][0] - mp.mpf(t)) ** 2 for values, t in zip(exact, y)))

with open("jobs/data/ill-conditioned.csv", "w") as file:
    file.write("x1,x2,y\n")
    for point, target in zip(x, y):
        file.write(f"{float(point[0])!r},{float(point[1])!r},{target!r}\n")
names = {}
for layer in range(len(W)):
    names[f"layers.{layer}.weight"], names[f"layers.{layer}.bias"] = W[layer], b[layer]
write_safetensors("jobs/data/ill-conditioned.safetensors", names)
with h5py.File("tests/reference/ill-conditioned/expected.h5", "w") as file:
    file["singular_values"] = np.array(sigma)
    file["loss"] = loss
print("sigma", sigma, "condition", sigma[0] / sigma[-1], "loss", loss)
