#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""losses.py PEER_OURS FOLDER [FP32_LEVEL [LEVEL]]: do regmix and PyTorch have the same losses? Both start from the same
weights and take 100 steps of AdamW on the same batches; prints the greatest difference of a step, fp32 (FP32_LEVEL, avx2) beside
fp32 and PyTorch's bf16 beside LEVEL (auto). Exit status 1 where fp32 differs by more than 1e-3 nats."""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from model import Model, adamw, precision

# preset, vocabulary, tokens of a sequence, sequences of a step
CASES = [("nano", 1024, 128, 8), ("1M", 4096, 256, 2), ("1M", 50432, 128, 1)]
STEPS, MOST = 100, 1e-3


def peer(folder):
    """What peer_ours wrote: sizes and constants, weights by name, ids (steps, batch, T + 1)."""
    o = json.loads((folder / "peer.json").read_text())
    flat, at, tensors = np.fromfile(folder / "weights.bin", np.float32), 0, {}
    for t in o["tensors"]:
        size = int(np.prod(t["shape"]))
        tensors[t["name"]] = flat[at:at + size].reshape(t["shape"])
        at += size
    assert at == len(flat)
    ids = np.fromfile(folder / "batches.bin", np.int32).reshape(-1, o["batch"], o["context"] + 1)
    return o, tensors, torch.from_numpy(ids).long()


def train(o, tensors, ids, how):
    model = Model((o["layers"], o["heads"], o["width"], o["ffn"]), o["vocab"], o["context"], o["rope_base"], o["norm_eps"])
    model.take(dict(tensors))
    by = adamw(model, betas=(o["beta1"], o["beta2"]), eps=o["eps"], decay=o["weight_decay"])
    losses = []
    for batch, lr in zip(ids, o["lr"]):
        for group in by.param_groups:
            group["lr"] = lr
        with precision(how):
            loss = model(batch[:, :-1], batch[:, 1:])
        by.zero_grad(set_to_none=True)
        loss.backward()
        nn_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), o["clip"])
        assert torch.isfinite(nn_norm)
        by.step()
        losses.append(loss.item())
    return np.array(losses)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    program, root = sys.argv[1], Path(sys.argv[2])
    levels = {"fp32": (sys.argv[3:4] or ["avx2"])[0], "bf16": (sys.argv[4:5] or ["auto"])[0]}
    worst = 0
    for model, vocab, T, batch in CASES:
        print(f"{model}, vocabulary {vocab}, {T} tokens, {batch} sequences a step")
        for how, level in levels.items():
            folder = root / f"{model}-{vocab}-{T}-{how}"
            subprocess.run([program, folder, model, str(vocab), str(T), str(batch), str(STEPS), level], check=True)
            ours = np.loadtxt(folder / "ours.txt")
            theirs = train(*peer(folder), how)
            gap = np.abs(theirs - ours)
            print(f"  {how}: loss {ours[0]:.4f}, after {STEPS} steps {ours[-1]:.4f} (level {level}), PyTorch's {theirs[-1]:.4f}; "
                  f"greatest difference {gap.max():.2e} nats (step {gap.argmax() + 1}), mean {gap.mean():.2e}", flush=True)
            if how == "fp32":
                worst = max(worst, gap.max())
    print(f"fp32 {'agrees' if worst <= MOST else 'DOES NOT AGREE'} to {MOST:g}")
    sys.exit(bool(worst > MOST))


main()
