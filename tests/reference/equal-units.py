#!/usr/bin/env python3
"""jobs/data/equal-units.*: a zero of the loss where rank J < m, though n > m.

The eight hidden units of the net 3-8-1 are equal in pairs: it is a net of four units, each of them split in two halves. The p + 2 = 5 directions that
move two halves apart do nothing to first order (Fukumizu, Amari 2000), so rank J <= n - 4 * 5 = 21 < m = 23, n = 41. With data.target: net the weights
are a zero. Plain Python; the same bytes every time:

    python3 tests/reference/equal-units.py jobs/data/equal-units
"""
import random
import sys

import plain_safetensors

POINTS, INPUTS, HIDDEN = 23, 3, 8
rng = random.Random(12)

with open(sys.argv[1] + ".csv", "w") as csv:
    csv.write("a,b,c\n")
    for _ in range(POINTS):
        csv.write(",".join(str(rng.randint(-16, 16) / 8) for _ in range(INPUTS)) + "\n")

w = [[rng.gauss(0, 1) for _ in range(INPUTS)] for _ in range(HIDDEN // 2)]
b = [rng.gauss(0, 0.5) for _ in range(HIDDEN // 2)]
v = [rng.gauss(0, 1) / 2 for _ in range(HIDDEN // 2)]
tensors = {
    "layers.0.weight": ([HIDDEN, INPUTS], [x for row in w + w for x in row]),
    "layers.0.bias": ([HIDDEN], b + b),
    "layers.1.weight": ([1, HIDDEN], v + v),
    "layers.1.bias": ([1], [0.25]),
}
plain_safetensors.write(sys.argv[1] + ".safetensors", tensors)
