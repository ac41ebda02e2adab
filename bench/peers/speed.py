#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""speed.py REGMIX [--case wide|narrow] [--threads K] [--precision fp32|bf16] [--isa LEVEL] [--rounds N]: training speed of
regmix and PyTorch in turn (A B A B ...), and the ratio of the medians.

A case is a model and an optimiser step: wide is the preset 1M with vocabulary 50432 and 8 sequences of 2048, narrow the
same with 4096 and 32 of 512. PyTorch's step is timed in its parts, each the median: passes of the micro-batch it is
fastest with (tried once), and AdamW with clipping. Where other programs took more than 5 % of the processors, a second
line says what both did of processor time: a fair ratio for one thread; more threads wait for each other, some by spinning.

PyTorch is to be at its best: with KEPT in its environment its memory stays with it, where by default it is given back
to the system and faulted in anew in each pass (up to nine tenths of its time on a virtual machine), and OpenBLAS, which
PyTorch's own number of threads says nothing to, has as many threads as it is given. What the environment has already stays."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

CASES = {"wide": ("1M", 50432, 2048, 8), "narrow": ("1M", 4096, 512, 32)}  # preset, vocabulary, T, sequences of a step
KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 36), "MALLOC_TOP_PAD_": str(1 << 28)}


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("regmix")
    p.add_argument("--case", choices=CASES, default="narrow")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="PyTorch's: bf16 is autocast")
    p.add_argument("--isa", help="processor level of regmix; default: the best")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2.0, help="of each measurement, at least")
    return p.parse_args()


args = arguments()
wanted = {**KEPT, "OPENBLAS_NUM_THREADS": str(args.threads)}
if not set(wanted) <= set(os.environ):  # they are read where a program starts
    os.execve(sys.executable, [sys.executable, *sys.argv], {**wanted, **os.environ})

import torch  # noqa: E402

from model import PRESETS, Model, adamw, precision  # noqa: E402


class Theirs:
    def __init__(self, case, how):
        self.name, self.vocab, self.T, self.batch = CASES[case]
        self.how = how
        torch.manual_seed(1)
        self.model = Model(PRESETS[self.name], self.vocab, self.T)
        self.by = adamw(self.model)
        self.micro = 1

    def pass_s(self, micro):
        """Seconds of forward and backward over `micro` sequences."""
        ids = torch.randint(self.vocab, (micro, self.T + 1))
        began = time.perf_counter()
        with precision(self.how):
            loss = self.model(ids[:, :-1], ids[:, 1:])
        loss.backward()
        return time.perf_counter() - began

    def step_s(self):
        began = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.by.step()
        self.by.zero_grad(set_to_none=False)
        return time.perf_counter() - began

    def choose(self):
        """The micro-batch with most tokens a second, up to what 2 GB of logits allow."""
        most = max(1, 500_000_000 // (self.vocab * self.T))
        tries = [m for m in (1, 2, 4, 8) if m <= min(most, self.batch)]
        self.pass_s(1), self.step_s()  # memory, oneDNN's code
        self.micro = min(tries, key=lambda m: min(self.pass_s(m) for _ in range(3)) / m)

    def tokens_per_s(self, seconds):
        """Tokens a second, and the processors it had meanwhile."""
        passes, began, used = [], time.perf_counter(), time.process_time()
        while len(passes) < 2 or time.perf_counter() - began < seconds:
            passes.append(self.pass_s(self.micro))
        steps = [self.step_s() for _ in range(3)]
        had = (time.process_time() - used) / (time.perf_counter() - began)
        whole = statistics.median(passes) * self.batch / self.micro + statistics.median(steps)
        return self.batch * self.T / whole, had


def ours(regmix, case, threads, isa, seconds):
    model, vocab, T, batch = CASES[case]
    command = [regmix, "bench", "--json", "--model", model, "--vocab", vocab, "--seq", T, "--batch_tokens", T * batch,
               "--threads", threads, "--seconds", seconds] + (["--isa", isa] if isa else [])
    env = {k: v for k, v in os.environ.items() if k not in KEPT}
    return json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=env).stdout)


def main(a):
    torch.set_num_threads(a.threads)
    theirs = Theirs(a.case, a.precision)
    theirs.choose()
    rates, had = ([], []), ([], [])
    for _ in range(a.rounds):
        bench = ours(a.regmix, a.case, a.threads, a.isa, a.seconds)
        for i, (rate, processors) in enumerate(((bench["tokens_per_s"], bench["processors"]), theirs.tokens_per_s(a.seconds))):
            rates[i].append(rate)
            had[i].append(min(1, processors / a.threads))
    mine, other = map(statistics.median, rates)
    spread = [f"{min(r):.0f} to {max(r):.0f}" for r in rates]
    print(f"{a.case:7} {a.threads} thread{'s' if a.threads > 1 else ' '}  regmix {bench['isa']}: {mine:.0f} tokens/s ({spread[0]})  "
          f"PyTorch {a.precision}, micro-batch {theirs.micro}: {other:.0f} ({spread[1]})  ratio {mine / other:.2f}", flush=True)
    if min(map(statistics.mean, had)) < 0.95:
        mine, other = (statistics.median(r / h for r, h in zip(*pair)) for pair in zip(rates, had))
        print(f"        busy machine; of processor time: {mine:.0f} and {other:.0f}, ratio {mine / other:.2f}", flush=True)


main(args)
