# SPDX-License-Identifier: Apache-2.0
"""What a training leaves in the folder of a run: log.jsonl, result.json and model.bin."""
import ctypes
import json
import math
import os
import struct

import torch

from xxh3 import xxh3


def known(x):
    return x if x is not None and math.isfinite(x) else None


def write_whole(path, parts):
    """Under another name at first: the file is whole, or it is not there."""
    temporary = path + ".tmp-%d" % os.getpid()
    with open(temporary, "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class Log:
    """log.jsonl; what a checkpoint has of it comes first."""

    def __init__(self, run, text, write):
        self.text = text
        self.file = open(os.path.join(run.folder, "log.jsonl") if write else os.devnull, "w")
        self.file.write(text)

    def line(self, batch, content):
        o = {"step": batch.step, "tokens": batch.step * batch.run.step_tokens, **content}
        text = json.dumps({**o, "wall_s": round(batch.wall_s(), 3)}) + "\n"
        self.text += text
        self.file.write(text)
        self.file.flush()

    def step(self, batch, lr, loss, norm, tokens_per_s):
        self.line(batch, {"loss_nats": known(loss), "lr": lr, "grad_norm": known(norm),
                          "tokens_per_s": tokens_per_s})

    def valid(self, batch, nats):
        self.line(batch, {"valid_nats": {d: known(x) for d, x in nats.items()}})

    def close(self):
        self.file.close()


def write_model(path, run, weights):
    """The file that src/model/checkpoint.c writes, without the state of a training."""
    layers, heads, width, ffn = run.sizes
    config = {"layers": layers, "heads": heads, "width": width, "ffn": ffn, "vocab": run.vocab,
              "context": run.context, "rope_base": 10000.0, "norm_eps": 1e-5}
    tensors = [{"name": n, "shape": list(w.shape)} for n, w in weights.items()]
    text = json.dumps({"config": config, "tensors": tensors, "step": run.steps, "state": False},
                      separators=(",", ":")).encode()
    size = (16 + len(text) + 63) // 64 * 64 - 16
    front = b"RMXMODEL" + struct.pack("<II", 1, size) + text.ljust(size)
    floats = torch.cat([w.reshape(-1) for w in weights.values()]).view(torch.uint8)
    value = struct.pack("<Q", xxh3(floats, xxh3(front)))
    write_whole(path, [front, memory_of(floats), value])
    return "%016x" % struct.unpack("<Q", value)


def memory_of(tensor):
    """The bytes of a contiguous tensor on the CPU, without a copy (numpy may not be installed)."""
    size = tensor.numel() * tensor.element_size()
    return (ctypes.c_char * size).from_address(tensor.data_ptr())


def bits_per_byte(run, nats):
    out = {}
    for name, x in nats.items():
        domain = run.domains[name]
        per_byte = domain["valid_tokens"] / max(domain["valid_bytes"], 1)
        out[name] = None if known(x) is None else x * per_byte / math.log(2)
    return out


def write_result(batch, r, nats):
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
                    "runs": len(batch.runs), "processes": batch.world.size}
    if run.keep_model and not diverged:
        weights = batch.model.run_weights(r, batch.runs)
        o["model_hash"] = write_model(os.path.join(folder, "model.bin"), run, weights)
    write_whole(os.path.join(folder, "result.json"), [json.dumps(o, indent=1).encode()])
