#!/usr/bin/env python3
"""jobs/data/duplicate-unit.*: a zero of the loss where rank J < m, though n > m.

The net 3-5-1 has two equal hidden units: it is a net of four units, with one of them split in two halves. The p + 2 = 5 directions that move the
halves apart do nothing to first order (Fukumizu, Amari 2000), so rank J <= n - 5 = 21 < m = 24. With data.target: net the weights are a zero.
Plain Python; the same bytes every time:

    python3 tests/reference/duplicate-unit.py jobs/data/duplicate-unit
"""
import json
import random
import struct
import sys

POINTS, INPUTS, HIDDEN = 24, 3, 5
rng = random.Random(1)

with open(sys.argv[1] + ".csv", "w") as csv:
    csv.write("a,b,c\n")
    for _ in range(POINTS):
        csv.write(",".join(str(rng.randint(-16, 16) / 8) for _ in range(INPUTS)) + "\n")

w = [[rng.gauss(0, 1) for _ in range(INPUTS)] for _ in range(HIDDEN - 1)]
b = [rng.gauss(0, 0.5) for _ in range(HIDDEN - 1)]
v = [rng.gauss(0, 1) for _ in range(HIDDEN - 1)]
w.append(w[-1])
b.append(b[-1])
v[-1] /= 2
v.append(v[-1])
tensors = {
    "layers.0.weight": ([HIDDEN, INPUTS], [x for row in w for x in row]),
    "layers.0.bias": ([HIDDEN], b),
    "layers.1.weight": ([1, HIDDEN], v),
    "layers.1.bias": ([1], [0.25]),
}

header, data = {}, b""
for name, (shape, values) in tensors.items():
    start = len(data)
    data += struct.pack("<%dd" % len(values), *values)
    header[name] = {"dtype": "F64", "shape": shape, "data_offsets": [start, len(data)]}
text = json.dumps(header).encode()
with open(sys.argv[1] + ".safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
