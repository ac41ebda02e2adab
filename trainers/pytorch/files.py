# SPDX-License-Identifier: Apache-2.0
"""What a training leaves in the folder of a run: log.jsonl, result.json and a model."""
import json
import math
import os

import torch

from hub import write_model, write_whole


def known(x):
    return x if x is not None and math.isfinite(x) else None


class Log:
    """log.jsonl; what a checkpoint has of it comes first. It is not kept open, since a process may
    train more runs than it may have files open."""

    def __init__(self, run, text, write):
        self.text, self.path = "", os.path.join(run.folder, "log.jsonl") if write else os.devnull
        self.add(text, "w")

    def add(self, text, mode="a"):
        self.text += text
        with open(self.path, mode) as file:
            file.write(text)

    def line(self, batch, content):
        o = {"step": batch.step, "tokens": batch.step * batch.run.step_tokens, **content}
        self.add(json.dumps({**o, "wall_s": round(batch.wall_s(), 3)}) + "\n")

    def step(self, batch, lr, loss, norm, tokens_per_s):
        self.line(batch, {"loss_nats": known(loss), "lr": lr, "grad_norm": known(norm),
                          "tokens_per_s": tokens_per_s})

    def valid(self, batch, nats):
        self.line(batch, {"valid_nats": {d: known(x) for d, x in nats.items()}})


def mark_failed(folder, why):
    """The result of a run that cannot be trained; one that it has stays."""
    path = os.path.join(folder, "result.json")
    if os.path.isdir(folder) and not os.path.exists(path):
        write_whole(path, [json.dumps({"status": "failed", "error": why}).encode()])


def bits_per_byte(run, nats):
    out = {}
    for name, x in nats.items():
        domain = run.domains[name]
        per_byte = domain["valid_tokens"] / max(domain["valid_bytes"], 1)
        out[name] = None if known(x) is None else x * per_byte / math.log(2)
    return out


def write_result(batch, r, nats, weights):
    """weights: of a model that is kept."""
    run, diverged = batch.runs[r], batch.diverged_at[r] is not None
    folder = run.folder
    steps = batch.diverged_at[r] if diverged else run.steps
    tokens, wall = steps * run.step_tokens, batch.wall_s() / len(batch.runs)  # its share
    layers, heads, width, ffn = run.sizes
    o = {"run": run.name, "status": "diverged" if diverged else "done", "seed": run.json["seed"],
         "mixture": dict(zip(run.names, run.mixture)),
         "model": {"layers": layers, "heads": heads, "width": width, "ffn": ffn,
                   "vocab": run.vocab, "context": run.context},
         "parameters": run.parameters(), "lr": run.lr, "steps": steps, "tokens": tokens,
         "flops": tokens * run.flop_per_token(),
         "valid_flops": batch.valids * sum(map(run.valid_tokens, run.domains))
         * run.flop_per_token() / 3,
         "wall_s": wall, "tokens_per_s": tokens / max(wall, 1e-9)}
    if run.phases:
        o["phases"] = run.json["phases"]
    if not diverged:
        o["loss_nats"] = {d: x for d, x in nats.items() if x is not None}
        o["bits_per_byte"] = bits_per_byte(run, nats)
        if run.half > 0:
            half = {d: x for d, x in batch.half_nats[r].items() if x is not None}
            o["half"] = {"steps": run.half, "tokens": run.half * run.step_tokens, "loss_nats": half}
    o["epochs"] = dict(zip(run.names, batch.order.epochs(r)))
    o["tokens_by_domain"] = {d: n * run.context for d, n in
                             zip(run.names, batch.order.sequences[r].tolist())}
    o["made_by"] = {"trainer": "pytorch", "question": run.question(), "torch": torch.__version__,
                    "device": batch.device.type, "precision": str(batch.model.dtype)[6:],
                    "passes": batch.passes.how,
                    "runs": len(batch.runs), "processes": batch.world.size,
                    "weights": "split" if batch.plan.split else "whole"}
    if weights:
        o["model_hash"] = write_model(run, weights)
    write_whole(os.path.join(folder, "result.json"), [json.dumps(o, indent=1).encode()])
