#!/usr/bin/env python3
"""sgd.h5 of the cases named below: torch.optim.SGD with momentum on torch.nn.MSELoss over mini-batches, in float64, from the case's weights.

    python3 tests/reference/sgd.py            from the top of the repository; needs PyTorch, numpy and h5py

/batches (steps x batch, -1 where a batch is smaller), /theta (steps x n, after each step, in the case's parameter_order), and the attributes
batch, rate, momentum, seed. The batches are dealt by Philox 4x32-10, written here from its paper (Salmon et al. 2011): in epoch e the points
are sorted by the uniform numbers of stream 2^24 + e.
"""
import json

import h5py
import numpy as np
import torch
from mse import read_safetensors
from torch import nn

STREAM, MASK = 1 << 24, 0xFFFFFFFF


def philox(counter, key):
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * counter[0], 1 << 32)
        high1, low1 = divmod(0xCD9E8D57 * counter[2], 1 << 32)
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return counter


def uniform(seed, stream, index):
    block = index // 2
    bits = philox([block & MASK, block >> 32, stream & MASK, stream >> 32], [seed & MASK, seed >> 32])
    low, high = bits[0:2] if index % 2 == 0 else bits[2:4]
    return (((high << 32 | low) >> 12) + 0.5) * 2.0**-52


def batches(d, size, seed, steps):
    epoch = 0
    while True:
        order = sorted(range(d), key=lambda i: uniform(seed, STREAM + epoch, i))
        for first in range(0, d, size):
            if not steps:
                return
            steps -= 1
            yield order[first : first + size]
        epoch += 1


class Mlp(nn.Module):
    def __init__(self, case):
        super().__init__()
        sizes = [case["inputs"]] + case["widths"] + [case["outputs"]]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = nn.functional.softplus(layer(x))
        return self.layers[-1](x)


class Lstm(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.shape = (case["steps"], case["step_inputs"])
        self.cell = nn.LSTM(case["step_inputs"], case["hidden"], batch_first=True)
        self.head = nn.Linear(case["hidden"], case["outputs"])

    def forward(self, x):
        return self.head(self.cell(x.reshape(len(x), *self.shape))[0][:, -1])


def write(name, module, batch, rate, momentum, seed, steps):
    folder = "tests/reference/" + name
    case = json.load(open(folder + "/case.json"))
    weights = read_safetensors(folder + "/weights.safetensors")
    with h5py.File(folder + "/data.h5") as file:
        x, y = torch.tensor(file["x"][()]), torch.tensor(file["y"][()])
    net = module(case)
    net.load_state_dict({key: torch.tensor(value.copy()) for key, value in weights.items()})
    parameters = dict(net.named_parameters())
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum)
    path, dealt = [], []
    for points in batches(len(x), batch, seed, steps):
        optimizer.zero_grad()
        nn.MSELoss()(net(x[points]), y[points]).backward()
        optimizer.step()
        path.append(np.concatenate([parameters[key].detach().numpy().ravel() for key in case["parameter_order"]]))
        dealt.append(points + [-1] * (batch - len(points)))
    with h5py.File(folder + "/sgd.h5", "w") as file:
        file["theta"], file["batches"] = np.array(path), np.array(dealt, dtype=np.float64)
        for key, value in {"batch": batch, "rate": rate, "momentum": momentum, "seed": seed}.items():
            file.attrs[key] = float(value)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    write("mlp-softplus-3out", Mlp, 3, 0.05, 0.9, 7, 25)
    write("lstm", Lstm, 4, 0.1, 0.8, 3, 25)
