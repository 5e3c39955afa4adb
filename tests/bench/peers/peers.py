#!/usr/bin/env python3
"""peers.py TASK NET POINTS DIRECTORY: what others would run, on the data and the weights in DIRECTORY; prints one line of JSON.

    jacobian   PyTorch: the whole J by vmap(grad), J J^T, its eigenvalues
    factored   numpy: the factored algorithm of codim's K (mlp), and the eigenvalues: the honest peer; median of 5 after one
    lbfgs      PyTorch: L-BFGS (strong Wolfe) for SECONDS (environment), the loss it reaches
    hessian    PyTorch: one Hessian-vector product, and one gradient
Threads: OMP_NUM_THREADS.
"""
import json
import os
import statistics
import sys
import time

import numpy as np


def load(name, points, directory):
    import torch
    import nets
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    x = torch.from_numpy(np.load(os.path.join(directory, "x.npy"))[:points])
    y = torch.from_numpy(np.load(os.path.join(directory, "y.npy"))[:points])
    return getattr(nets, name)(), x, y


def jacobian(name, points, directory):
    import torch
    from functorch import grad, make_functional, vmap
    net, x, _ = load(name, points, directory)
    function, parameters = make_functional(net)
    start = time.time()
    rows = []
    for chunk in x.split(100):  # a block of points at a time: vmap's temporaries
        block = vmap(grad(lambda p, a: function(p, a[None])[0, 0]), (None, 0))(parameters, chunk)
        rows.append(torch.cat([part.reshape(len(chunk), -1) for part in block], 1))
    J = torch.cat(rows)
    K = J @ J.T
    values = torch.linalg.eigvalsh(K)
    return {"seconds": time.time() - start, "parameters": J.shape[1], "sigma_max": values[-1].sqrt().item(),
            "sigma_min": values[0].clamp(min=0).sqrt().item()}


def factored(name, points, directory):
    net, x, _ = load(name, points, directory)
    weights = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in net if hasattr(layer, "weight")]
    runs = [factored_once(weights, points, x.numpy()) for _ in range(6)]
    return {**runs[0], "seconds": statistics.median(run["seconds"] for run in runs[1:])}


def factored_once(weights, points, x):
    start = time.time()
    inputs = [x]
    for W, b in weights[:-1]:
        inputs.append(np.tanh(inputs[-1] @ W.T + b))
    K, delta = np.zeros((points, points)), np.ones((points, 1))
    for layer in reversed(range(len(weights))):
        A = inputs[layer]
        K += (A @ A.T + 1) * (delta @ delta.T)
        if layer:
            delta = (delta @ weights[layer][0]) * (1 - A * A)
    values = np.linalg.eigvalsh(K)
    return {"seconds": time.time() - start, "parameters": sum(W.size + b.size for W, b in weights), "sigma_max": values[-1] ** 0.5,
            "sigma_min": max(values[0], 0) ** 0.5}


def lbfgs(name, points, directory):
    import torch
    net, x, y = load(name, points, directory)
    limit, start = float(os.environ["SECONDS"]), time.time()
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=20, history_size=20, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = ((net(x) - y) ** 2).sum()
        loss.backward()
        return loss

    while time.time() - start < limit:
        optimizer.step(closure)
    seconds = time.time() - start
    return {"seconds": seconds, "loss": ((net(x) - y) ** 2).sum().item()}


def hessian(name, points, directory):
    import torch
    net, x, y = load(name, points, directory)
    parameters = list(net.parameters())
    v = [torch.randn_like(p) for p in parameters]

    def gradient(graph):
        return torch.autograd.grad(((net(x) - y) ** 2).sum(), parameters, create_graph=graph)

    gradient(False)
    start = time.time()
    gradient(False)
    middle = time.time()
    torch.autograd.grad(sum((g * w).sum() for g, w in zip(gradient(True), v)), parameters)
    return {"seconds": time.time() - middle, "gradient": middle - start}


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    task, name, points, directory = sys.argv[1:]
    print(json.dumps(globals()[task](name, int(points), directory)))
