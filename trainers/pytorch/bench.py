# SPDX-License-Identifier: Apache-2.0
"""bench.py [SIZE...] : tokens per second of whole training steps (batches, forward, backward,
AdamW), of R stacked runs beside a plain loop over single models, and their share of the peak.
Sizes: nano, 1M, 60M. Tokens are random. Prints a table in Markdown; see docs/results/pytorch.md."""
import argparse
import tempfile

import torch
import torch.nn as nn
import torch.nn.functional as F

from batch import Batch
from data import Order, Tokens
from model import causal_attention
from plan import GIB, Plan, free_memory
from run import Refused
from trial import DEFAULTS, DOMAINS, make_runs, now, rate
from world import World

VOCAB = {"nano": 8192, "1M": 50432, "60M": 50432}


# ---- the peer: one model after the other, as one would write it first

class Plain(nn.Module):
    """The same architecture as modules, with all logits in memory."""

    def __init__(self, run):
        super().__init__()
        L, self.H, C, FF = run.sizes
        self.embedding, self.head = nn.Embedding(run.vocab, C), nn.Linear(C, run.vocab, bias=False)
        shapes = {"qkv": (C, 3 * C), "wo": (C, C), "gate_up": (C, 2 * FF), "down": (FF, C)}
        self.layers = nn.ModuleList(
            nn.ModuleDict({k: nn.Linear(*s, bias=False) for k, s in shapes.items()})
            for _ in range(L))
        self.scales = nn.ParameterList(nn.Parameter(torch.ones(C)) for _ in range(2 * L + 1))
        half = C // self.H // 2
        angle = torch.arange(run.context)[:, None] * 1e4 ** (-torch.arange(half) / half)
        self.register_buffer("cos", angle.cos()[:, None])
        self.register_buffer("sin", angle.sin()[:, None])

    def norm(self, x, i):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * self.scales[i]

    def rotate(self, x):
        a, b = x.chunk(2, -1)
        return torch.cat((a * self.cos - b * self.sin, b * self.cos + a * self.sin), -1)

    def forward(self, tokens, labels):
        B, T = tokens.shape
        x = self.embedding(tokens)
        for i, layer in enumerate(self.layers):
            q, k, v = layer["qkv"](self.norm(x, 2 * i)).view(B, T, 3, self.H, -1).unbind(2)
            q, k = self.rotate(q).to(v.dtype), self.rotate(k).to(v.dtype)
            y = causal_attention(*(z.transpose(1, 2) for z in (q, k, v)))
            x = x + layer["wo"](y.transpose(1, 2).reshape(B, T, -1))
            gate, up = layer["gate_up"](self.norm(x, 2 * i + 1)).chunk(2, -1)
            x = x + layer["down"](F.silu(gate) * up)
        return F.cross_entropy(self.head(self.norm(x, -1)).flatten(0, 1), labels.flatten())


class PlainLoop:
    def __init__(self, runs, device, dtype):
        run = self.run = runs[0]
        self.order, self.device, self.dtype = Order([run]), device, dtype
        self.tokens = Tokens(run, [True] * DOMAINS, device, GIB)
        self.model = Plain(run).to(device)
        self.adamw = torch.optim.AdamW(self.model.parameters(), lr=1e-3)

    def one_step(self, _):
        domain, start = self.order.next(self.run.batch)
        ids = self.tokens.windows(domain[0], start[0], self.run.context + 1)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype != torch.float32):
            loss = self.model(ids[:, :-1], ids[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adamw.step()
        self.adamw.zero_grad()
        return loss


# ---- measuring

def peak(device, dtype):
    """FLOP a second of a large product, the best of several."""
    n = 8192 if device.type == "cuda" else 1536
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(8):
        began = now(device)
        a @ b
        best = max(best, 2 * n**3 / (now(device) - began))
    return best


def measure(size, args, device, dtype, memory):
    """Rows (what, R, tokens a second) of one size."""
    with tempfile.TemporaryDirectory() as folder:
        batch_tokens = args.batch_tokens or DEFAULTS["batch_tokens"]
        runs = make_runs(folder, VOCAB[size], args.most,
                         {"model": size, "batch_tokens": batch_tokens})
        run, rows = runs[0], []
        plain = rate(PlainLoop(runs, device, dtype), run.step_tokens, device, args.seconds)
        rows.append(("plain loop", 1, plain))
        R = 1
        while R <= args.most:
            try:
                plan = Plan(run, R, dtype, memory, R, args.micro)
                if plan.R < R:
                    break
                batch = Batch(runs[:R], None, plan, dtype, World(device))
                speed = rate(batch, R * run.step_tokens, device, args.seconds)
                how = batch.passes.how
                rows.append(("stacked" + (", " + how if how != "eager" else ""), R, speed))
            except Refused:
                break
            R *= 2
        return run, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sizes", nargs="*", default=["nano", "1M", "60M"], metavar="SIZE")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=("float32", "bfloat16"))
    parser.add_argument("--most", type=int, default=64, metavar="R", help="runs stacked")
    parser.add_argument("--micro", type=int, default=0, help="sequences of a run in a pass")
    parser.add_argument("--batch-tokens", type=int, default=0, help="tokens of a step (4096)")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--peak", type=float, help="TFLOP/s of the card, from its data sheet")
    args = parser.parse_args()
    device = torch.device(args.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    name = args.precision or ("bfloat16" if device.type == "cuda" else "float32")
    dtype = getattr(torch, name)
    measured = peak(device, dtype)
    top = args.peak * 1e12 if args.peak else measured
    what = torch.cuda.get_device_name(device) if device.type == "cuda" else \
        "processor, one thread, seconds of its work"
    print("%s, PyTorch %s, %s; a large product: %.3g TFLOP/s; peak used: %.3g TFLOP/s\n"
          % (what, torch.__version__, name, measured / 1e12, top / 1e12))
    print("| size | vocabulary | how | R | tokens/s | of the plain loop | of the peak |\n"
          "| --- | --- | --- | --- | --- | --- | --- |")
    for size in args.sizes:
        run, rows = measure(size, args, device, dtype, free_memory(device))
        for how, R, speed in rows:
            print("| %s | %d | %s | %d | %.4g | %.2f | %.1f %% |"
                  % (size, run.vocab, how, R, speed, speed / rows[0][2],
                     100 * speed * run.flop_per_token() / top), flush=True)
        best = max(speed for _, _, speed in rows)
        if size == "1M":
            print("\nThe published swarm, 512 runs of 1 B tokens, would take %.0f hours of this "
                  "device.\n" % (512e9 / best / 3600))


if __name__ == "__main__":
    main()
