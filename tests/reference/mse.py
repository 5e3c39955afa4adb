#!/usr/bin/env python3
"""expected_mse.h5 of the cases named below: the Hessian of torch.nn.MSELoss (mean over all d l entries), by autograd in float64.

    python3 tests/reference/mse.py            from the top of the repository; needs PyTorch, numpy and h5py

/loss, /hessian_eigenvalues (n, ascending), /direction (n), /hessian_times_direction (n); the order of expected.h5.
"""
import json
import struct

import h5py
import numpy as np
import torch

ACTIVATIONS = {"tanh": torch.tanh, "softplus": torch.nn.functional.softplus}


def read_safetensors(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    body = data[8 + size :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        tensors[name] = np.frombuffer(body[first:last], "<f8").reshape(entry["shape"])
    return tensors


def write(name):
    folder = "tests/reference/" + name
    case = json.load(open(folder + "/case.json"))
    weights = read_safetensors(folder + "/weights.safetensors")
    with h5py.File(folder + "/data.h5") as file:
        x, y = torch.tensor(file["x"][()]), torch.tensor(file["y"][()])
    with h5py.File(folder + "/expected.h5") as file:
        direction = torch.tensor(file["direction"][()])
    names = case["parameter_order"]
    sigma = ACTIVATIONS[case["activation"]]
    shapes = [weights[k].shape for k in names]
    theta = torch.tensor(np.concatenate([weights[k].ravel() for k in names]))

    def loss(theta):
        tensors, at = {}, 0
        for key, shape in zip(names, shapes):
            count = int(np.prod(shape))
            tensors[key] = theta[at : at + count].reshape(shape)
            at += count
        value, layers = x, len(case["widths"]) + 1
        for k in range(layers):
            value = torch.nn.functional.linear(value, tensors[f"layers.{k}.weight"], tensors[f"layers.{k}.bias"])
            if k < layers - 1:
                value = sigma(value)
        return torch.nn.MSELoss()(value, y.reshape(value.shape))

    hessian = torch.autograd.functional.hessian(loss, theta)
    with h5py.File(folder + "/expected_mse.h5", "w") as file:
        file["loss"] = loss(theta).item()
        file["hessian_eigenvalues"] = torch.linalg.eigvalsh(hessian).numpy()
        file["direction"] = direction.numpy()
        file["hessian_times_direction"] = (hessian @ direction).numpy()


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    for case_name in ["mlp-tanh-zero", "mlp-softplus-3out-zero", "mlp-softplus-3out"]:
        write(case_name)
