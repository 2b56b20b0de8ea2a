"""Writes state_dict.bin, which the tests read: run once with PyTorch, the result is kept beside this file.

It has what real checkpoints have: the three float types, a module's version attributes, a parameter, a storage that two
names share, a view into the middle of a storage and a transposed one.
"""

from __future__ import annotations

from pathlib import Path

import torch

linear = torch.nn.Linear(4, 3, bias=False, dtype=torch.bfloat16)
with torch.no_grad():
    linear.weight.copy_(torch.arange(12).reshape(3, 4) / 8)
state = linear.state_dict()  # an OrderedDict with a `_metadata` attribute
state["tied"] = state["weight"]
state["half"] = torch.arange(6, dtype=torch.float16).reshape(2, 3) - 2.5
state["single"] = torch.tensor([1.0, -1e30, 3.14159274], dtype=torch.float32)
state["parameter"] = torch.nn.Parameter(torch.full((2,), 0.5))
state["middle"] = torch.arange(20, dtype=torch.float32)[5:11].reshape(2, 3)
state["transposed"] = torch.arange(6, dtype=torch.float32).reshape(2, 3).t()
torch.save(state, Path(__file__).with_name("state_dict.bin"))
