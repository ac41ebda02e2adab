#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""train.py RUN_FOLDER... : trains the runs in these folders, stacked, as docs/trainer.md asks: each
folder has a run.json and gets log.jsonl, result.json and, where it is to be kept, model.bin."""
import argparse
import json
import sys
import time

import torch

from data import Order, Tokens
from files import Log, write_result
from model import AdamW, Stacked
from run import Refused, Run
from valid import evaluate


class Batch:
    """The training of R runs at once."""

    def __init__(self, runs, device, dtype, chunk):
        self.runs, self.device, self.chunk = runs, device, chunk
        self.run = runs[0]
        self.order = Order(runs)
        used = self.order.used.any(0).tolist()
        self.tokens = Tokens(self.run, used, device, 0)
        self.model = Stacked(runs, device, dtype)
        self.adamw = AdamW(self.model, self.run.t)
        self.logs = [Log(r) for r in runs]
        self.log_every = self.run.steps // 100 if self.run.steps > 200 else 1
        self.step, self.diverged_at = 0, [None] * len(runs)
        self.half_nats, self.valids = [None] * len(runs), 0
        self.began = self.timed = time.monotonic()
        self.timed_step = 0

    def train(self):
        run = self.run
        while self.step < run.steps and None in self.diverged_at:
            lr = run.lr_of(self.step)
            loss, norm = self.one_step(lr)
            self.step += 1
            self.look(lr, loss, norm)
            if self.step == run.half:
                self.half_nats = self.evaluate()
            elif self.step < run.steps and run.evaluation_due(self.step):
                self.evaluate()
        self.finish()

    def one_step(self, lr):
        """The losses (R) and the norms (R) of the gradients."""
        run, T = self.run, self.run.context
        total = torch.zeros(len(self.runs), dtype=torch.float64, device=self.device)
        for at in range(0, run.batch, run.micro):
            n = min(run.micro, run.batch - at)
            domain, start = self.order.next(n)
            ids = self.tokens.windows(domain.flatten(), start.flatten(), T + 1)
            ids = ids.view(len(self.runs), n, T + 1)
            losses = self.model.losses(ids[..., :-1], ids[..., 1:], self.chunk, True)
            losses.sum().backward()
            total += losses.detach().sum(1)
        return total / run.step_tokens, self.adamw.step(lr, run.step_tokens)

    def look(self, lr, loss, norm):
        for r in (~(loss.isfinite() & norm.isfinite())).nonzero().squeeze(1).tolist():
            if self.diverged_at[r] is None:
                self.diverged_at[r] = self.step
                self.logs[r].step(self, lr, float(loss[r]), float(norm[r]), 0)
        if self.step % self.log_every and self.step != self.run.steps:
            return
        now = time.monotonic()
        rate = (self.step - self.timed_step) * self.run.step_tokens / max(now - self.timed, 1e-9)
        self.timed, self.timed_step = now, self.step
        for r, (x, y) in enumerate(zip(loss.tolist(), norm.tolist())):
            if self.diverged_at[r] is None:
                self.logs[r].step(self, lr, x, y, rate)

    def evaluate(self):
        nats = evaluate(self.model, self.runs, self.chunk)
        self.valids += 1
        for r, log in enumerate(self.logs):
            if self.diverged_at[r] is None:
                log.valid(self, nats[r])
        return nats

    def wall_s(self):
        return time.monotonic() - self.began

    def finish(self):
        nats = self.evaluate() if None in self.diverged_at else [None] * len(self.runs)
        for r in range(len(self.runs)):
            self.logs[r].close()
            write_result(self, r, nats[r])


def groups(runs):
    """Lists of runs that can be stacked, in the order in which they were given."""
    out = {}
    for run in runs:
        out.setdefault(run.together(), []).append(run)
    return list(out.values())


def main():
    parser = argparse.ArgumentParser(description="Trains the runs in these folders, stacked.")
    parser.add_argument("folders", nargs="+", metavar="RUN_FOLDER",
                        help="a folder with a run.json, such as runs/0001")
    args = parser.parse_args()
    runs = [Run(folder) for folder in args.folders]
    for group in groups(runs):
        Batch(group, torch.device("cpu"), torch.float32, 1024).train()


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit("train.py: %s" % refused)
