# SPDX-License-Identifier: Apache-2.0
"""Runs of random tokens, and the speed of their steps: for bench.py and for `train.py --speed`."""
import json
import os
import struct
import time

import torch

from hub import memory_of
from run import Run

DEFAULTS = {"init": None, "layers": 0, "heads": 0, "width": 0, "ffn": 0, "context": 256,
            "tokens": 10**9, "batch_tokens": 4096, "micro_tokens": 4096, "lr": 1e-3,
            "min_lr": 0.1, "warmup": 0.05, "schedule": "constant", "beta1": 0.9, "beta2": 0.95,
            "eps": 1e-8, "weight_decay": 0.1, "clip": 1, "eval_tokens": 0, "eval_half": False,
            "evals": 0, "checkpoint_s": 1e9}
DOMAINS, TOKENS = 8, 1 << 18  # of each domain


def make_runs(folder, vocab, n, training):
    """Runs of random tokens, in files in the folder."""
    wide = vocab > 65536
    domains, width = {}, 4 if wide else 2
    for d in range(DOMAINS):
        path = os.path.join(folder, "%d.bin" % d)
        ids = torch.randint(vocab, (TOKENS,)).to(torch.int32 if wide else torch.int16)
        with open(path, "wb") as file:
            file.write(struct.pack("<8sIIQ", b"RMXTOKEN", 1, width, TOKENS).ljust(64, b"\0"))
            file.write(memory_of(ids))
        domains["d%d" % d] = {"train": path, "valid": path, "train_tokens": TOKENS,
                              "valid_tokens": TOKENS, "train_bytes": TOKENS, "valid_bytes": TOKENS}
    runs = []
    for r in range(n):
        weights = torch.rand(DOMAINS, dtype=torch.float64) + 0.1
        run = {"name": str(r), "seed": r, "vocab": vocab, "corpus": folder, "domains": domains,
               "mixture": dict(zip(domains, (weights / weights.sum()).tolist())),
               "training": {**DEFAULTS, **training}}
        at = os.path.join(folder, "run-%d" % r)
        os.makedirs(at, exist_ok=True)
        with open(os.path.join(at, "run.json"), "w") as file:
            json.dump(run, file)
        runs.append(Run(at))
    return runs


def now(device):
    """Seconds: of the clock once the device is idle, or of the processor's work, which other
    programs on the machine do not change."""
    if device.type != "cuda":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.monotonic()


def rate(of, tokens, device, seconds):
    """Tokens per second: the median of steps for about so many seconds, after two to warm up."""
    times = []
    for _ in range(2):
        of.one_step(1e-3)
    until = now(device) + seconds
    while len(times) < 3 or now(device) < until:
        began = now(device)
        of.one_step(1e-3)
        times.append(now(device) - began)
    return tokens / sorted(times)[len(times) // 2]
