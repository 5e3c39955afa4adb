"""Modules for tests/test_torch.sh, and their outputs: nets.py NAME SHAPE DIRECTORY writes x.npy, y.npy in double precision."""
import sys

import numpy as np
import torch
import torch.fx
from torch import nn

torch.manual_seed(11)


class Convolutional(nn.Module):
    """batch normalization and dropout in evaluation mode, pooling that leaves a row out, a skip connection, float32"""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Tanh())
        self.block = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.pool = nn.AvgPool2d(2)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(3 * 3 * 2, 10), nn.GELU(), nn.Linear(10, 2))
        nn.init.normal_(self.stem[1].running_mean)
        nn.init.uniform_(self.stem[1].running_var, 0.5, 2)
        nn.init.normal_(self.stem[1].weight)

    def forward(self, x):
        z = self.stem(x)
        z = z + torch.tanh(self.block(z))
        return self.head(self.pool(z)) * 0.5 - 1


class Pooled(nn.Module):
    """max pooling, of windows that overlap and of such that do not; leaky ReLU of two slopes"""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 3, 2)
        self.overlapping, self.pool, self.leaky = nn.MaxPool2d(3, 2), nn.MaxPool2d(2), nn.LeakyReLU()
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        z = self.overlapping(self.leaky(self.first(x)))
        z = self.pool(nn.functional.leaky_relu(self.second(z), 0.25))
        return self.head(z.flatten(1))


class Attention(nn.Module):
    """two heads over tokens, layer normalization, a position parameter, and the table tied to the output"""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(5, 4)
        self.position = nn.Parameter(torch.randn(3, 4))
        self.norm = nn.LayerNorm(4)
        self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.out = nn.Linear(4, 5, bias=False)
        self.out.weight = self.table.weight

    def forward(self, x):
        z = self.table(x.long()) + self.position
        n = self.norm(z)
        q, k, v = (f(n).view(-1, 3, 2, 2).transpose(1, 2) for f in (self.q, self.k, self.v))
        weights = torch.softmax(torch.matmul(q, k.transpose(-2, -1)) * 2**-0.5, -1)
        z = z + torch.matmul(weights, v).transpose(1, 2).reshape(-1, 3, 4)
        return self.out(z.mean(1))


# PyTorch 2's; where it is missing, in its stead a function that torch.fx records as it does that one
scaled_dot_product_attention = getattr(nn.functional, "scaled_dot_product_attention", None)
if scaled_dot_product_attention is None:

    def scaled_dot_product_attention(q, k, v, is_causal=False):
        return torch.softmax(q @ k.transpose(-2, -1) * q.shape[-1]**-0.5, -1) @ v

    torch.fx.wrap("scaled_dot_product_attention")


class Scaled(nn.Module):
    """two heads of attention of four rows to themselves, by PyTorch 2's function"""

    causal = False

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.head = nn.Linear(3, 6), nn.Linear(3, 6), nn.Linear(3, 4), nn.Linear(16, 2)

    def forward(self, x):
        q, k, v = (f(x).unflatten(2, (2, -1)).transpose(1, 2) for f in (self.q, self.k, self.v))
        return self.head(scaled_dot_product_attention(q, k, v, is_causal=self.causal).transpose(1, 2).flatten(1))


class Causal(Scaled):
    causal = True


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x):
        return self.cell(x)[0][:, -1]


if __name__ == "__main__":
    name, shape, directory = sys.argv[1:]
    net = globals()[name]().double().eval()
    shape = [int(n) for n in shape.split(",")]
    x = torch.randint(5, (7, *shape)).double() if name == "Attention" else torch.randn(7, *shape).double()
    np.save(directory + "/x.npy", x.reshape(7, -1).numpy())
    np.save(directory + "/y.npy", net(x).detach().numpy())
