"""A module to bring along, for the tutorial of README.md: mynet.py DIGITS.csv trains it with cross-entropy in float32, and writes points.npy."""
import os
import sys

import numpy as np
import torch
from torch import nn

torch.manual_seed(5)
net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.1), nn.Linear(64, 10))
if os.path.exists("mynet.pt"):
    net.load_state_dict(torch.load("mynet.pt"))

if __name__ == "__main__":
    table = torch.from_numpy(np.loadtxt(sys.argv[1], delimiter=",", skiprows=1, max_rows=30, dtype=np.float32))
    x, y = table[:, :-1].reshape(-1, 1, 8, 8) / 16, table[:, -1].long()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    torch.save(net.state_dict(), "mynet.pt")
    np.save("points.npy", x.reshape(30, -1).numpy())
