"""The nets that the peers are compared on, in double precision, as functions for jobs/torch_export.py. Inputs: 8 x 8 digits, flat.

cnn and attention have a third of a million parameters; the wide ones have as many as the mlp, a million.
"""
import torch
from torch import nn


class Attention(nn.Module):
    """one block of self-attention over the rows of an image, then a tanh layer, after PyTorch's usual initialization"""

    def __init__(self, width=256, heads=4):
        super().__init__()
        self.heads, self.width = heads, width
        self.embed = nn.Linear(8, width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.mlp, self.head = nn.Linear(width, 2 * width), nn.Linear(8 * 2 * width, 1)

    def forward(self, x):
        z = self.embed(x.view(-1, 8, 8))
        q, k, v = (f(z).view(-1, 8, self.heads, self.width // self.heads).transpose(1, 2) for f in (self.q, self.k, self.v))
        weights = torch.softmax(q @ k.transpose(-2, -1) / (self.width // self.heads) ** 0.5, -1)
        z = z + self.o((weights @ v).transpose(1, 2).reshape(-1, 8, self.width))
        return self.head(torch.tanh(self.mlp(z)).flatten(1))


def mlp():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(64, 1000), nn.Tanh(), nn.Linear(1000, 1000), nn.Tanh(), nn.Linear(1000, 1)).double()


def cnn(first=32, second=128, hidden=512):
    torch.manual_seed(1)
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, first, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2),
                         nn.Conv2d(first, second, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4 * second, hidden),
                         nn.Tanh(), nn.Linear(hidden, 1)).double()


def wide_cnn():
    return cnn(64, 256, 900)


def attention(width=256):
    torch.manual_seed(1)
    return Attention(width).double()


def wide_attention():
    return attention(424)
