#!/usr/bin/env python3
"""The cases of tests/reference named below, by PyTorch's autograd in float64; README.md says what a case holds.

    python3 tests/reference/generate.py           from the top of the repository; needs PyTorch, numpy and h5py

Where a net has no builder, net.json is its list of ops, written here by hand from PyTorch's documentation of the modules used.
"""
import json
import os
import struct

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn.utils.stateless import functional_call

torch.set_default_dtype(torch.float64)


# ---- writing a case --------------------------------------------------------------------------------------------------
def write_safetensors(path, tensors):
    header, body = {}, b""
    for name, tensor in tensors.items():
        data = tensor.detach().numpy().astype("<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def write_case(name, net, keys, x, ops=None):
    """net(x) is the output, d x l; its parameters that require a gradient, in their order, are theta"""
    torch.manual_seed(len(name))
    parameters = {k: v for k, v in net.named_parameters() if v.requires_grad}
    shapes = [v.shape for v in parameters.values()]
    sizes = [v.numel() for v in parameters.values()]
    theta = torch.cat([v.detach().reshape(-1) for v in parameters.values()])

    def output(t):
        tensors = {k: part.reshape(s) for k, part, s in zip(parameters, torch.split(t, sizes), shapes)}
        return functional_call(net, tensors, (x,))

    f = output(theta).detach()
    y = f + torch.randn_like(f)
    m, n = f.numel(), theta.numel()
    J = torch.autograd.functional.jacobian(lambda t: output(t).reshape(-1), theta)
    hessian = torch.autograd.functional.hessian(lambda t: ((output(t) - y) ** 2).sum(), theta)
    loss = ((f - y) ** 2).sum()
    direction = torch.randn(n)
    eigenvalues = torch.linalg.eigvalsh(hessian)
    sigma = torch.linalg.svdvals(J)
    floor = 1e-11 * eigenvalues.abs().max()

    folder = "tests/reference/" + name
    os.makedirs(folder, exist_ok=True)
    case = dict(keys)
    case.update(
        points=len(x), inputs=x[0].numel(), outputs=f.shape[1], residuals=m, parameters=n, zero_loss=False, loss=loss.item(),
        rank_jacobian=int((sigma > 1e-10 * sigma[0]).sum()), hessian_positive=int((eigenvalues > floor).sum()),
        hessian_negative=int((eigenvalues < -floor).sum()), hessian_zero=int((eigenvalues.abs() <= floor).sum()),
        parameter_order=list(parameters),
    )
    with open(folder + "/case.json", "w") as file:
        file.write(json.dumps(case) + "\n")
    if ops is not None:
        described = [{"name": k, "shape": list(s)} for k, s in zip(parameters, shapes)]
        lines = ",\n  ".join(json.dumps(op) for op in ops)
        with open(folder + "/net.json", "w") as file:
            file.write('{"inputs": %d,\n "parameters": %s,\n "ops": [\n  %s]}\n' % (x[0].numel(), json.dumps(described), lines))
    write_safetensors(folder + "/weights.safetensors", parameters)
    with h5py.File(folder + "/data.h5", "w") as file:
        file["x"], file["y"] = x.reshape(len(x), -1).numpy(), y.numpy()
    with h5py.File(folder + "/expected.h5", "w") as file:
        values = {
            "output": f, "loss": loss, "jacobian": J, "gradient": 2 * J.T @ (f - y).reshape(-1), "direction": direction,
            "hessian_times_direction": hessian @ direction, "hessian_eigenvalues": eigenvalues, "singular_values": sigma,
        }
        for key, value in values.items():
            file[key] = value.detach().numpy()
    print(name, "n =", n, "m =", m, {k: case[k] for k in ("rank_jacobian", "hessian_positive", "hessian_negative", "hessian_zero")})


def op(name, kind, inputs, parameters=None, **attributes):
    entry = {"name": name, "op": kind, "inputs": inputs}
    if parameters:
        entry["parameters"] = parameters
    if attributes:
        entry["attributes"] = attributes
    return entry


def linear(name, source, weight=None, bias=True):
    weight = weight or name + ".weight"
    return op(name, "linear", [source], {"weight": weight, **({"bias": weight.replace("weight", "bias")} if bias else {})})


# ---- builders ----------------------------------------------------------------------------------------------------------
class Gru(nn.Module):
    def __init__(self, steps, inputs, hidden, outputs):
        super().__init__()
        self.steps, self.inputs = steps, inputs
        self.cell = nn.GRU(inputs, hidden, batch_first=True)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, x):
        c = self.cell  # not c(x), which reads the weights from a copy that functional_call does not replace
        weights = (c.weight_ih_l0, c.weight_hh_l0, c.bias_ih_l0, c.bias_hh_l0)
        h = torch.zeros(1, len(x), c.hidden_size)
        states, _ = torch._VF.gru(x.reshape(len(x), self.steps, self.inputs), h, weights, True, 1, 0.0, False, False, True)
        return self.head(states[:, -1])


class Cnn(nn.Module):
    """an even kernel, and images that the pooling windows do not fill"""

    def __init__(self, shape, channels, kernel, pool, outputs, sigma=torch.tanh, pooling=nn.functional.avg_pool2d):
        super().__init__()
        self.shape, self.pool, self.sigma, self.pooling = shape, pool, sigma, pooling
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, kernel, padding=kernel // 2) for a, b in zip([shape[0]] + channels, channels))
        features = self.features(torch.zeros(1, *shape)).numel()
        self.head = nn.Linear(features, outputs)

    def features(self, x):
        x = x.reshape(len(x), *self.shape)
        for conv in self.convs:
            x = self.pooling(self.sigma(conv(x)), self.pool)
        return x.reshape(len(x), -1)

    def forward(self, x):
        return self.head(self.features(x))


# ---- lists of ops ------------------------------------------------------------------------------------------------------
class Transformer(nn.Module):
    """two layers of nn.TransformerEncoderLayer; some entries of the last one, one of them twice, go into the head"""

    steps, width, heads, inner, picked = 3, 4, 2, 5, [0, 5, 2, 5, 11]

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(self.width, self.heads, self.inner, dropout=0, activation="gelu", batch_first=True, norm_first=True)
            for _ in range(2))
        self.head = nn.Linear(len(self.picked), 2)

    def forward(self, x):
        x = x.reshape(len(x), self.steps, self.width)
        for layer in self.layers:
            x = layer(x)
        return self.head(x.reshape(len(x), -1)[:, self.picked])

    def norm(self, name, source):
        return [
            op(name + ".core", "layernorm", [source], width=self.width, eps=1e-5),
            op(name + ".gain", "parameter", [], {"value": name + ".weight"}),
            op(name + ".shift", "parameter", [], {"value": name + ".bias"}),
            op(name + ".scaled", "multiply", [name + ".core", name + ".gain"]),
            op(name, "add", [name + ".scaled", name + ".shift"]),
        ]

    def attention(self, name, source):
        T, w, h = self.steps, self.width, self.heads
        list_ = [linear(name + ".in", source, name + ".in_proj_weight")]
        list_[0]["parameters"]["bias"] = name + ".in_proj_bias"
        for i, part in enumerate("qkv"):
            list_ += [
                op(name + "." + part, "slice", [name + ".in"], shape=[T, 3 * w], axis=1, first=i * w, last=(i + 1) * w),
                op(name + "." + part + ".heads", "permute", [name + "." + part], shape=[T, h, w // h], axes=[1, 0, 2]),
            ]
        return list_ + [
            op(name + ".scores", "matmul", [name + ".q.heads", name + ".k.heads"], batch=h, rows=T, inner=w // h, cols=T, transpose=True,
               scale=(w // h) ** -0.5),
            op(name + ".softmax", "softmax", [name + ".scores"], width=T),
            op(name + ".sums", "matmul", [name + ".softmax", name + ".v.heads"], batch=h, rows=T, inner=T, cols=w // h),
            op(name + ".joined", "permute", [name + ".sums"], shape=[h, T, w // h], axes=[1, 0, 2]),
            linear(name + ".out_proj", name + ".joined"),
        ]

    def ops(self):
        list_, x = [], "input"
        for k in range(2):
            p = "layers.%d." % k
            list_ += self.norm(p + "norm1", x) + self.attention(p + "self_attn", p + "norm1")
            list_ += [op(p + "sum1", "add", [x, p + "self_attn.out_proj"])] + self.norm(p + "norm2", p + "sum1")
            list_ += [
                linear(p + "linear1", p + "norm2"),
                op(p + "gelu", "activation", [p + "linear1"], function="gelu"),
                linear(p + "linear2", p + "gelu"),
                op(p + "sum2", "add", [p + "sum1", p + "linear2"]),
            ]
            x = p + "sum2"
        return list_ + [op("picked", "select", [x], indices=self.picked), linear("head", "picked")]


class BatchNormResnet(nn.Module):
    """convolutions of c x 4 x 4 images, batch normalization in evaluation mode with frozen constants, a skip connection"""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 3, 3, padding=1)
        self.conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.head = nn.Linear(3, 2)
        for tensor in (self.norm.weight, self.norm.bias):
            nn.init.normal_(tensor).requires_grad_(False)
        nn.init.normal_(self.norm.running_mean)
        nn.init.uniform_(self.norm.running_var, 0.5, 2)
        self.eval()

    def forward(self, x):
        z = self.stem(x.reshape(len(x), 1, 4, 4))
        z = z + torch.tanh(self.norm(self.conv(z)))
        return self.head(z.mean((2, 3)))

    def ops(self):
        scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        shift = self.norm.bias - scale * self.norm.running_mean
        return [
            op("stem.patches", "unfold", ["input"], shape=[1, 4, 4], kernel=3, padding=1),
            linear("stem", "stem.patches"),
            op("stem.image", "permute", ["stem"], shape=[16, 3], axes=[1, 0]),
            op("conv.patches", "unfold", ["stem.image"], shape=[3, 4, 4], kernel=3, padding=1),
            linear("conv", "conv.patches", bias=False),
            op("conv.image", "permute", ["conv"], shape=[16, 3], axes=[1, 0]),
            op("norm", "affine", ["conv.image"], scale=scale.tolist(), shift=shift.tolist(), repeat=16),
            op("tanh", "activation", ["norm"], function="tanh"),
            op("sum", "add", ["stem.image", "tanh"]),
            op("mean", "mean", ["sum"], shape=[3, 16], axes=[1]),
            linear("head", "mean"),
        ]


class TiedEmbedding(nn.Module):
    """one table: rows of it go in, and it is the last linear map"""

    tokens, vocabulary, width = 3, 6, 3

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(self.vocabulary, self.width)
        self.hidden = nn.Linear(self.tokens * self.width, self.width)

    def forward(self, x):
        a = torch.tanh(self.hidden(self.table(x.long()).reshape(len(x), -1)))
        return a @ self.table.weight.T

    def ops(self):
        return [
            op("table", "parameter", [], {"value": "table.weight"}),
            op("rows", "embedding", ["input", "table"], width=self.width),
            linear("hidden", "rows"),
            op("tanh", "activation", ["hidden"], function="tanh"),
            linear("logits", "tanh", "table.weight", bias=False),
        ]


torch.manual_seed(5)
write_case("gru", Gru(4, 2, 4, 2), {"arch": "rnn", "cell": "gru", "steps": 4, "step_inputs": 2, "hidden": 4}, torch.randn(7, 8))
cnn = {"arch": "cnn", "shape": [2, 5, 7], "channels": [3, 2], "kernel": 2, "pool": 2, "activation": "tanh"}
write_case("cnn-odd", Cnn([2, 5, 7], [3, 2], 2, 2, 2), cnn, torch.randn(7, 70))
net = Transformer()
with torch.no_grad():  # gains other than 1, shifts other than 0
    for parameter in net.parameters():
        parameter += 0.3 * torch.randn_like(parameter)
write_case("transformer", net, {"arch": "ops"}, torch.randn(7, 12), net.ops())
net = BatchNormResnet()
write_case("batchnorm-resnet", net, {"arch": "ops"}, torch.randn(9, 16), net.ops())
net = TiedEmbedding()
tokens = torch.tensor([[0, 1, 2], [3, 3, 4], [5, 0, 1], [2, 4, 0], [1, 1, 5]], dtype=torch.float64)
write_case("tied-embedding", net, {"arch": "ops"}, tokens, net.ops())
torch.manual_seed(6)
cnn.update(pooling="max", activation="leaky_relu")
leaky, pooling = nn.functional.leaky_relu, nn.functional.max_pool2d
write_case("cnn-max", Cnn([2, 5, 7], [3, 2], 2, 2, 2, leaky, pooling), cnn, torch.randn(7, 70))
