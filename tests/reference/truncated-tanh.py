#!/usr/bin/env python3
"""jobs/data/truncated-tanh.csv, .safetensors: a unit of max(0, tanh z) that sits exactly on its corner at one of the points.

The net of jobs/data/truncated-tanh.json, 2-6-1; all numbers are small dyadic fractions, so that z = w . x + b of unit 1 at point 4 is exactly 0. Plain Python; the same
bytes every time:

    python3 tests/reference/truncated-tanh.py jobs/data/truncated-tanh
"""
import random
import sys

import plain_safetensors

POINTS, INPUTS, HIDDEN = 8, 2, 6
rng = random.Random(7)


def dyadic(count):
    return [rng.choice([k for k in range(-12, 13) if k]) / 8 for _ in range(count)]


x = [dyadic(INPUTS) for _ in range(POINTS)]
w = [dyadic(INPUTS) for _ in range(HIDDEN)]
b = [rng.randrange(-95, 96, 2) / 128 for _ in range(HIDDEN)]  # w . x is a multiple of 1/64: no other z is 0
b[0] = -sum(s * t for s, t in zip(w[0], x[3]))
with open(sys.argv[1] + ".csv", "w") as csv:
    csv.write("a,b\n" + "".join(",".join(map(str, row)) + "\n" for row in x))

tensors = {
    "layers.0.weight": ([HIDDEN, INPUTS], [t for row in w for t in row]),
    "layers.0.bias": ([HIDDEN], b),
    "layers.1.weight": ([1, HIDDEN], dyadic(HIDDEN)),
    "layers.1.bias": ([1], dyadic(1)),
}
plain_safetensors.write(sys.argv[1] + ".safetensors", tensors)
