#!/usr/bin/env python3
"""From a PyTorch module to net.json and weights.safetensors, for net.arch: ops.

    python3 jobs/torch_export.py FILE.py NAME SHAPE DIRECTORY

NAME in FILE.py is an nn.Module, or a function that makes one; SHAPE is that of one point, e.g. 1,8,8. The module is taken in evaluation mode
and double precision, traced by torch.fx (PyTorch 1.13 and 2.x), and the list is evaluated on four random points and compared with it. What
cannot be expressed is named, and nothing is written then.
"""
import importlib.util
import json
import math
import operator
import os
import struct
import sys

import torch
import torch.fx
from torch import nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn import functional as F

FUNCTIONS = {
    torch.tanh: "tanh", torch.sigmoid: "sigmoid", torch.sin: "sin", torch.erf: "erf", torch.relu: "relu", F.tanh: "tanh", F.sigmoid: "sigmoid",
    F.relu: "relu", F.softplus: "softplus", F.gelu: "gelu", F.silu: "silu",
}
MODULES = {
    nn.Tanh: "tanh", nn.Sigmoid: "sigmoid", nn.ReLU: "relu", nn.Softplus: "softplus", nn.GELU: "gelu", nn.SiLU: "silu",
}
SAME = (nn.Identity, nn.Flatten, nn.Unflatten, nn.Dropout, nn.Dropout1d, nn.Dropout2d)
RESHAPES = {torch.flatten, "flatten", "unflatten", "view", "reshape", "contiguous", "clone", "long"}


class CannotExpress(Exception):
    pass


class Exporter:
    def __init__(self, module, shape):
        self.module = module
        self.x = self.integers(module, torch.randn(4, *shape, dtype=torch.float64))
        self.parameters = {}  # name -> tensor, in the order of the module
        self.names = {}  # id of a tensor -> its name: tied ones have one
        for name, parameter in module.named_parameters():
            self.names[id(parameter)] = name
        self.used, self.ops, self.values = set(), [], {}
        try:
            self.traced = torch.fx.symbolic_trace(module)
        except (torch.fx.proxy.TraceError, TypeError) as error:
            raise CannotExpress("torch.fx cannot trace the module: %s" % error) from None
        self.traced.graph.eliminate_dead_code()
        ShapeProp(self.traced).propagate(self.x)
        for node in self.traced.graph.nodes:
            self.node(node)
        self.parameters = {n: p for n, p in module.named_parameters() if n in self.used}

    @staticmethod
    def integers(module, x):
        """for an embedding, row numbers"""
        rows = [m.num_embeddings for m in module.modules() if isinstance(m, nn.Embedding)]
        return torch.randint(min(rows), x.shape).double() if rows else x

    # ---- writing ----
    def add(self, name, op, inputs, parameters=None, **attributes):
        entry = {"name": name, "op": op, "inputs": inputs}
        if parameters:
            entry["parameters"] = {role: self.label(tensor) for role, tensor in parameters.items() if tensor is not None}
        if attributes:
            entry["attributes"] = attributes
        self.ops.append(entry)
        return name

    def label(self, tensor):
        if id(tensor) not in self.names:
            raise CannotExpress("a tensor that is no parameter is used as one")
        self.used.add(self.names[id(tensor)])
        return self.names[id(tensor)]

    def document(self):
        described = [{"name": n, "shape": list(p.shape)} for n, p in self.parameters.items()]
        return {"inputs": self.x[0].numel(), "parameters": described, "ops": self.ops}

    # ---- reading ----
    @staticmethod
    def shape(node):
        return list(node.meta["tensor_meta"].shape[1:])

    def value(self, node):
        if not isinstance(node, torch.fx.Node) or node not in self.values:
            raise CannotExpress("the argument %s" % node)
        return self.values[node]

    def node(self, node):
        try:
            if node.op == "placeholder":
                if self.values:
                    raise CannotExpress("a second input")
                self.values[node] = "input"
            elif node.op == "get_attr":
                tensor = self.module
                for part in node.target.split("."):
                    tensor = getattr(tensor, part)
                self.values[node] = self.add(node.name, "parameter", [], {"value": tensor})
            elif node.op == "call_module":
                self.values[node] = self.call_module(node, self.traced.get_submodule(node.target))
            elif node.op in ("call_function", "call_method"):
                self.values[node] = self.call_function(node)
            elif node.op == "output":
                if self.ops and self.value(node.args[0]) != self.ops[-1]["name"]:
                    raise CannotExpress("an output that is not what was computed last")
        except CannotExpress as reason:
            raise CannotExpress("%s (%s): cannot express %s" % (node.name, node.target, reason)) from None

    def call_module(self, node, m):
        name, a = node.name, self.value(node.args[0])
        if isinstance(m, SAME):
            return a
        if type(m) in MODULES:
            return self.activation(name, MODULES[type(m)], a, getattr(m, "approximate", "none"), getattr(m, "beta", 1))
        if isinstance(m, nn.Linear):
            return self.add(name, "linear", [a], {"weight": m.weight, "bias": m.bias})
        if isinstance(m, nn.Conv2d):
            return self.convolution(name, a, self.shape(node.args[0]), self.shape(node), m)
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            return self.batch_norm(name, a, self.shape(node), m)
        if isinstance(m, nn.LayerNorm):
            return self.layer_norm(name, a, m)
        if isinstance(m, nn.Embedding):
            table = self.add(name + ".table", "parameter", [], {"value": m.weight})
            return self.add(name, "embedding", [a, table], width=m.embedding_dim)
        if isinstance(m, nn.AvgPool2d) and m.stride == m.kernel_size and m.padding == 0 and not m.ceil_mode and isinstance(m.stride, int):
            return self.pool(name, "mean", a, self.shape(node.args[0]), m.stride)
        if isinstance(m, nn.MaxPool2d):
            return self.max_pool(name, a, self.shape(node.args[0]), self.shape(node), m)
        if isinstance(m, nn.LeakyReLU):
            return self.leaky_relu(name, a, m.negative_slope)
        if isinstance(m, nn.Softmax) and m.dim in (-1, len(self.shape(node))):
            return self.add(name, "softmax", [a], width=self.shape(node)[-1])
        raise CannotExpress("this module, %s" % m)

    def call_function(self, node):
        name, f, args, kwargs = node.name, node.target, node.args, node.kwargs
        simple = getattr(torch, f, None) if isinstance(f, str) else f
        if f in RESHAPES:
            return self.value(args[0])
        if simple is F.leaky_relu:
            return self.leaky_relu(name, self.value(args[0]), args[1] if len(args) > 1 else kwargs.get("negative_slope", 0.01))
        if simple in FUNCTIONS:
            return self.activation(name, FUNCTIONS[simple], self.value(args[0]), kwargs.get("approximate", "none"), kwargs.get("beta", 1))
        if f in (operator.add, torch.add, "add", operator.mul, torch.mul, "mul", operator.sub, torch.sub, "sub"):
            return self.binary(name, f if isinstance(f, str) else f.__name__, args[0], args[1])
        if f in (operator.truediv, torch.div, "div", torch.true_divide) and isinstance(args[1], (int, float)):
            return self.binary(name, "mul", args[0], 1 / args[1])
        if f in (torch.matmul, torch.bmm, operator.matmul, "matmul", "bmm"):
            return self.matmul(name, args[0], args[1])
        if f in (torch.cat, "cat"):
            axis = self.axis(node, args[1] if len(args) > 1 else kwargs.get("dim", 0))
            return self.add(name, "concatenate", [self.value(a) for a in args[0]], outer=math.prod(self.shape(args[0][0])[:axis]))
        if f in (torch.transpose, "transpose", torch.permute, "permute"):
            return self.permute(node, f in (torch.transpose, "transpose"))
        if f in (torch.mean, "mean") and (len(args) > 1 or "dim" in kwargs):
            dims = args[1] if len(args) > 1 else kwargs["dim"]
            axes = [self.axis(args[0], d) for d in (dims if isinstance(dims, (list, tuple)) else [dims])]
            return self.add(name, "mean", [self.value(args[0])], shape=self.shape(args[0]), axes=axes)
        if f in (torch.softmax, F.softmax, "softmax"):
            if self.axis(node, args[1] if len(args) > 1 else kwargs["dim"]) != len(self.shape(node)) - 1:
                raise CannotExpress("a softmax over another than the last axis")
            return self.add(name, "softmax", [self.value(args[0])], width=self.shape(node)[-1])
        if getattr(f, "__name__", "") == "scaled_dot_product_attention":  # PyTorch 2
            return self.attention(name, *args, **kwargs)
        raise CannotExpress("this function")

    # ---- ops ----
    @staticmethod
    def axis(node, axis):
        """of one point: the first axis is the batch's"""
        dims = len(node.meta["tensor_meta"].shape)
        if axis % dims == 0:
            raise CannotExpress("an operation over the points of a batch")
        return axis % dims - 1

    def activation(self, name, function, a, approximate, beta):
        if approximate != "none" or beta != 1:
            raise CannotExpress("this variant of %s" % function)
        return self.add(name, "activation", [a], function=function)

    def convolution(self, name, a, shape, out, m):
        if m.groups != 1 or m.dilation != (1, 1) or isinstance(m.padding, str) or m.padding_mode != "zeros":
            raise CannotExpress("groups, dilation or another padding than zeros")
        for pair in (m.kernel_size, m.stride, m.padding):
            if pair[0] != pair[1]:
                raise CannotExpress("kernel, stride or padding that differ in height and width")
        patches = self.add(name + ".patches", "unfold", [a], shape=shape, kernel=m.kernel_size[0], stride=m.stride[0], padding=m.padding[0])
        places = self.add(name + ".places", "linear", [patches], {"weight": m.weight, "bias": m.bias})
        return self.add(name, "permute", [places], shape=[out[1] * out[2], out[0]], axes=[1, 0])

    def batch_norm(self, name, a, shape, m):
        gain = torch.ones_like(m.running_mean) if m.weight is None else m.weight.detach()
        shift = torch.zeros_like(m.running_mean) if m.bias is None else m.bias.detach()
        scale = gain / torch.sqrt(m.running_var + m.eps)
        return self.add(name, "affine", [a], scale=scale.tolist(), shift=(shift - scale * m.running_mean).tolist(), repeat=math.prod(shape[1:]))

    def layer_norm(self, name, a, m):
        a = self.add(name + ".core", "layernorm", [a], width=math.prod(m.normalized_shape), eps=m.eps)
        for role, op, tensor in (("gain", "multiply", m.weight), ("shift", "add", m.bias)):
            if tensor is not None:
                self.add(name + "." + role, "parameter", [], {"value": tensor})
                a = self.add(name + "." + role + "ed", op, [a, name + "." + role])
        return a

    def pool(self, name, op, a, shape, size):
        c, h, w = shape
        for axis, length in ((1, h), (2, w)):
            if length % size:
                a = self.add("%s.cut%d" % (name, axis), "slice", [a], shape=list(shape), axis=axis, last=length // size * size)
                shape[axis] = length // size * size
        return self.add(name, op, [a], shape=[c, h // size, size, w // size, size], axes=[2, 4])

    def max_pool(self, name, a, shape, out, m):
        """windows that overlap, or leave gaps: of patches [places, c, window]"""
        plain = all(isinstance(n, int) for n in (m.kernel_size, m.stride, m.padding, m.dilation))
        if not plain or m.padding != 0 or m.dilation != 1 or m.ceil_mode or m.return_indices:
            raise CannotExpress("padding, dilation, ceil_mode, or windows that are not square")
        if m.stride == m.kernel_size:
            return self.pool(name, "max", a, shape, m.stride)
        patches = self.add(name + ".patches", "unfold", [a], shape=shape, kernel=m.kernel_size, stride=m.stride)
        places = out[1] * out[2]
        a = self.add(name + ".places", "max", [patches], shape=[places, out[0], m.kernel_size**2], axes=[2])
        return self.add(name, "permute", [a], shape=[places, out[0]], axes=[1, 0])

    def leaky_relu(self, name, a, slope):
        """of another slope than 0.01: (1 - slope) relu(z) + slope z"""
        if slope == 0.01:
            return self.add(name, "activation", [a], function="leaky_relu")
        rectified = self.scaled(name + ".right", self.add(name + ".relu", "activation", [a], function="relu"), 1 - slope, 0.0)
        return self.add(name, "add", [rectified, self.scaled(name + ".left", a, slope, 0.0)])

    def permute(self, node, transposes):
        axes = list(range(len(node.meta["tensor_meta"].shape)))
        if transposes:
            i, j = node.args[1], node.args[2]
            axes[i], axes[j] = axes[j], axes[i]
        else:
            axes = node.args[1:] if isinstance(node.args[1], int) else node.args[1]
        if axes[0] != 0:
            raise CannotExpress("an operation over the points of a batch")
        return self.add(node.name, "permute", [self.value(node.args[0])], shape=self.shape(node.args[0]), axes=[self.axis(node, i) for i in axes[1:]])

    def binary(self, name, kind, a, b):
        kind = kind.strip("_")
        if not isinstance(a, torch.fx.Node):
            if kind == "sub":
                return self.scaled(name, self.value(b), -1.0, float(a))
            a, b = b, a
        if not isinstance(b, torch.fx.Node):
            number = float(b)
            return self.scaled(name, self.value(a), *{"add": (1.0, number), "sub": (1.0, -number), "mul": (number, 0.0)}[kind])
        a, b, sizes = self.value(a), self.value(b), [self.broadcast(node) for node in (a, b)]
        if kind == "sub":
            b = self.scaled(name + ".minus", b, -1.0, 0.0)
        if len(sizes[0]) < len(sizes[1]) or math.prod(sizes[0]) < math.prod(sizes[1]):
            (a, b), sizes = (b, a), sizes[::-1]
        if sizes[1] != sizes[0][len(sizes[0]) - len(sizes[1]):]:
            raise CannotExpress("broadcasting %s to %s" % (sizes[1], sizes[0]))
        return self.add(name, "multiply" if kind == "mul" else "add", [a, b])

    def broadcast(self, node):
        """the shape that counts: of a parameter all of it, of a value one point's"""
        shape = list(node.meta["tensor_meta"].shape)
        shape = shape if node.op == "get_attr" else shape[1:]
        while shape and shape[0] == 1:
            shape = shape[1:]
        return shape

    def scaled(self, name, a, scale, shift):
        return self.add(name, "affine", [a], scale=[scale], shift=[shift])

    def matmul(self, name, a, b):
        A, B = self.shape(a), self.shape(b)
        if a.op == "get_attr" or b.op == "get_attr" or len(A) != len(B) or len(A) < 2 or A[:-2] != B[:-2]:
            raise CannotExpress("a product of these shapes: %s, %s" % (A, B))
        return self.add(name, "matmul", [self.value(a), self.value(b)], batch=math.prod(A[:-2]), rows=A[-2], inner=A[-1], cols=B[-1])

    def attention(self, name, q, k, v, attn_mask=None, dropout_p=0, is_causal=False, scale=None, enable_gqa=False):
        """softmax(scale Q K^T) V over the last two axes"""
        Q, K, V = (self.shape(node) for node in (q, k, v))
        if attn_mask is not None or is_causal or enable_gqa or Q[:-2] != K[:-2] or K[:-1] != V[:-1]:
            raise CannotExpress("attention with a mask, or of groups or shapes that differ: %s, %s, %s" % (Q, K, V))
        batch, rows, inner, keys = math.prod(Q[:-2]), Q[-2], Q[-1], K[-2]
        a = self.add(name + ".keys", "permute", [self.value(k)], shape=[batch, keys, inner], axes=[0, 2, 1])
        a = self.add(name + ".products", "matmul", [self.value(q), a], batch=batch, rows=rows, inner=inner, cols=keys)
        a = self.scaled(name + ".scores", a, inner**-0.5 if scale is None else scale, 0.0)
        a = self.add(name + ".weights", "softmax", [a], width=keys)
        return self.add(name, "matmul", [a, self.value(v)], batch=batch, rows=rows, inner=keys, cols=V[-1])


# ---- the list, evaluated ------------------------------------------------------------------------------------------------
def evaluate(document, weights, x):
    d = len(x)
    values = {"input": x.reshape(d, -1)}
    functions = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "sin": torch.sin, "erf": torch.erf, "relu": torch.relu, "gelu": F.gelu,
                 "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)), "silu": F.silu, "leaky_relu": F.leaky_relu}
    for op in document["ops"]:
        kind, at = op["op"], op.get("attributes", {})
        a = [values[name] for name in op["inputs"]]
        p = {role: weights[name] for role, name in op.get("parameters", {}).items()}
        if kind == "linear":
            W = p["weight"].reshape(len(p["weight"]), -1)
            out = a[0].reshape(d, -1, W.shape[1]) @ W.T + p.get("bias", 0)
        elif kind == "parameter":
            out = p["value"].reshape(1, -1).expand(d, -1)
        elif kind == "activation":
            out = functions[at["function"]](a[0])
        elif kind in ("add", "multiply"):
            b = a[1].repeat(1, a[0].shape[1] // a[1].shape[1])
            out = a[0] + b if kind == "add" else a[0] * b
        elif kind == "affine":
            s, t = (torch.tensor(at[k], dtype=x.dtype).repeat_interleave(at.get("repeat", 1)) for k in ("scale", "shift"))
            out = a[0].reshape(d, -1, len(s)) * s + t
        elif kind == "layernorm":
            out = F.layer_norm(a[0].reshape(d, -1, at["width"]), [at["width"]], eps=at["eps"])
        elif kind == "softmax":
            out = torch.softmax(a[0].reshape(d, -1, at["width"]), -1)
        elif kind == "embedding":
            table = a[1][0].reshape(-1, at["width"])
            out = table[a[0].long()]
        elif kind == "unfold":
            patches = F.unfold(a[0].reshape(d, *at["shape"]), at["kernel"], stride=at.get("stride", 1), padding=at.get("padding", 0))
            out = patches.transpose(1, 2)
        elif kind == "permute":
            out = a[0].reshape(d, *at["shape"]).permute(0, *[i + 1 for i in at["axes"]])
        elif kind == "slice":
            out = a[0].reshape(d, *at["shape"]).narrow(at["axis"] + 1, 0, at["last"])
        elif kind in ("mean", "max"):
            out = getattr(a[0].reshape(d, *at["shape"]), "amax" if kind == "max" else "mean")([i + 1 for i in at["axes"]])
        elif kind == "concatenate":
            out = torch.cat([b.reshape(d, at["outer"], -1) for b in a], 2)
        elif kind == "matmul":
            A, B = a[0].reshape(d, at["batch"], at["rows"], at["inner"]), a[1].reshape(d, at["batch"], at["inner"], at["cols"])
            out = A @ B
        values[op["name"]] = out.reshape(d, -1)
    return values[document["ops"][-1]["name"]]


def write_safetensors(path, tensors):
    header, body = {}, b""
    for name, tensor in tensors.items():
        data = tensor.detach().cpu().contiguous().numpy().astype("<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def load(path, name):
    spec = importlib.util.spec_from_file_location("exported", path)
    source = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec.loader.exec_module(source)
    found = getattr(source, name)
    return found if isinstance(found, nn.Module) else found()


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    path, name, shape, directory = sys.argv[1:]
    module = load(path, name).double().eval()
    try:
        exporter = Exporter(module, [int(n) for n in shape.split(",")])
    except CannotExpress as reason:
        sys.exit("torch_export: %s" % reason)
    with torch.no_grad():
        expected = module(exporter.x).reshape(4, -1)
        found = evaluate(exporter.document(), exporter.parameters, exporter.x)
    error = ((found - expected).abs().max() / expected.abs().max()).item() if found.shape == expected.shape else math.inf
    if not error < 1e-8:  # PyTorch's softplus is z itself from z = 20 on
        sys.exit("torch_export: the list gives other outputs than the module: they differ by %.1e of the largest" % error)
    frozen = [n for n, _ in module.named_parameters() if n not in exporter.parameters]
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "net.json"), "w") as file:
        json.dump(exporter.document(), file, indent=1)
        file.write("\n")
    write_safetensors(os.path.join(directory, "weights.safetensors"), exporter.parameters)
    size = sum(p.numel() for p in exporter.parameters.values())
    print("%s: %d ops, n = %d; on four points the outputs agree to %.0e" % (directory, len(exporter.ops), size, error))
    if frozen:
        print("frozen, as constants: " + ", ".join(frozen))


if __name__ == "__main__":
    main()
