"""What the PyTorch twins of both systems share: traces, the learning rate of a step, agreement, clocks.

A trace is what `glyphspace bench train --trace DIR` or `bench map --trace DIR` leaves: our weights, and what
each of our steps drew and found. A twin takes the same steps from the same weights with the same draws.
"""

import copy
import json
import os
import struct
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target" / "release" / "glyphspace"
DTYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64, "I32": np.int32}


def use_cores(count):
    """The same processors for PyTorch and for the programs it starts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    torch.set_num_threads(count)


def tensor(values):
    """An array where tensors are made: on the processor, or with compare.py --device gpu on the GPU."""
    return torch.from_numpy(values).to(torch.get_default_device())


def read_weights(path):
    """A safetensors file as a state dict: a length, a JSON header, raw values."""
    raw = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header, body, weights = json.loads(raw[8 : 8 + length]), raw[8 + length :], {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            values = np.frombuffer(body[first:last], DTYPES[entry["dtype"]]).reshape(entry["shape"])
            weights[name] = tensor(values.copy())
    return weights


class Trace:
    """A trace's setup, weights and steps."""

    def __init__(self, folder):
        folder = Path(folder)
        self.setup = json.loads((folder / "setup.json").read_text())
        self.config = self.setup["config"]
        self.weights = read_weights(folder / "weights.safetensors")
        steps = folder / "steps.jsonl"
        self.steps = [json.loads(line) for line in steps.open()] if steps.exists() else []

    def first(self, count):
        """The same with no more than `count` steps."""
        short = copy.copy(self)
        short.steps = self.steps[:count]
        return short


def optimiser(groups, config):
    """Our AdamW (src/nn/adamw.rs) in PyTorch's fastest form."""
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-8, weight_decay=config["weight_decay"], fused=True)


def differences(ours, theirs):
    """The largest difference of two rows of losses, relative where a loss is above 1, and its step."""
    apart = [abs(a - b) / max(1.0, abs(a)) for a, b in zip(ours, theirs, strict=True)]
    worst = int(np.argmax(apart))
    return apart[worst], worst + 1


def clocked(work, count):
    """Median milliseconds of `work(0)`, `work(1)`, .."""
    millis = []
    for turn in range(count):
        begun = time.perf_counter()
        work(turn)
        if torch.get_default_device().type == "cuda":
            torch.cuda.synchronize()
        millis.append((time.perf_counter() - begun) * 1e3)
    return median(millis)
