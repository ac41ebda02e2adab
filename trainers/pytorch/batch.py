# SPDX-License-Identifier: Apache-2.0
"""The training of R runs at once: batches, gradients over passes, an AdamW step, and now and then a
checkpoint from which a later process goes on."""
import signal
import time

import torch

import checkpoint
from data import Order, Tokens
from files import Log, write_result
from adamw import MOMENTS, AdamW
from model import Stacked, shapes
from passes import Passes
from valid import evaluate


class Stop:
    """SIGTERM and SIGINT end the training after its present step."""

    asked = 0  # the number of the signal

    @staticmethod
    def code():
        """The exit code, as of a program that the signal ended: 143 or 130. Where another process
        got the signal, 143."""
        return 128 + (Stop.asked or signal.SIGTERM)

    @staticmethod
    def listen():
        def on_signal(number, frame):
            Stop.asked = number
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, on_signal)


class Batch:
    def __init__(self, runs, states, plan, dtype, world):
        self.runs, self.plan, self.run, self.world = runs, plan, runs[0], world
        device = self.device = world.device
        self.began = self.saved = self.timed = time.monotonic()
        self.order = Order(runs)
        used = self.order.used.any(0).tolist()
        self.tokens = Tokens(self.run, used, device, plan.memory // 4)
        weights = ((name, self.taken(lambda s: s["weights"].pop(name), states, shape))
                   for name, shape in shapes(runs)) if states else None
        self.model = Stacked(runs, world, dtype, weights, plan.split)
        self.adamw = AdamW(self.model, self.run.t)
        self.passes = Passes(self.model, self.adamw, plan.chunk)
        self.log_every = self.run.steps // 100 if self.run.steps > 200 else 1
        self.step = self.valids = 0
        self.before = 0.0  # seconds of earlier processes
        self.half_nats = [None] * len(runs)
        self.diverged_at = [None] * len(runs)
        # the step after which a loss or a gradient of a run was no number; 0: none
        self.bad_at = torch.zeros(len(runs), dtype=torch.int64, device=device)
        if states:
            self.load(states)
        texts = [s["log"] for s in states] if states else [""] * len(runs)
        self.logs = [Log(r, text, world.first) for r, text in zip(runs, texts)]
        world.meet()  # all have read the checkpoints
        self.timed_step = self.step

    # ---- checkpoints

    def load(self, states):
        self.step, self.before = states[0]["step"], max(s["wall_s"] for s in states)
        self.valids = states[0]["valids"]
        self.half_nats = [s["half_nats"] for s in states]
        self.order.load({k: torch.stack([s["order"][k] for s in states])
                         for k in states[0]["order"]})
        moments = ([self.taken(lambda s: s["moments"][i].pop(0), states, shape) for _ in MOMENTS]
                   for i, shape in enumerate(self.model.shape.values()))
        self.adamw.load(moments, self.step)

    def taken(self, take, states, shape):
        """What the first process takes from the states of the runs, stacked, in all."""
        x = torch.stack([take(s) for s in states]).to(self.device) \
            if self.world.first else torch.empty(shape, device=self.device)
        return self.world.from_first(x)

    def state(self, r, weights, moments):
        return {"step": self.step, "wall_s": self.wall_s(), "valids": self.valids,
                "half_nats": self.half_nats[r], "log": self.logs[r].text,
                "order": {k: x[r].clone() for k, x in self.order.state().items()},
                "weights": {k: w[r].clone() for k, w in weights.items()},
                "moments": [[x[r].clone() for x in both] for both in moments]}

    def save(self):
        left = [r for r, at in enumerate(self.diverged_at) if at is None]
        weights = {k: self.model.collected(k, w.detach()) for k, w in self.model.w.items()}
        moments = self.adamw.moments()
        if self.world.first:
            checkpoint.save([self.runs[r] for r in left],
                            (self.state(r, weights, moments) for r in left))
        self.world.meet()
        self.saved = time.monotonic()

    # ---- the loop

    def train(self):
        """False: it was asked to stop."""
        run = self.run
        while self.step < run.steps and None in self.diverged_at:
            lr = run.lr_of(self.step)
            loss, norm = self.one_step(lr)
            self.step += 1
            bad = ~(loss.isfinite() & norm.isfinite()) & (self.bad_at == 0)
            self.bad_at[bad] = self.step
            if self.step % self.log_every == 0 or self.step == run.steps:
                self.look(lr, loss, norm)
            if self.step == run.half:
                self.half_nats = self.evaluate()
            elif self.step < run.steps and run.evaluation_due(self.step):
                self.evaluate()
            due = time.monotonic() - self.saved >= run.t["checkpoint_s"]
            stop, save = self.world.any(Stop.asked, due and self.step < run.steps)
            if stop or save:
                self.look(lr, loss, norm, log=False)
                self.save()
            if stop:
                return False
        self.finish()
        return True

    def one_step(self, lr):
        """The losses (R) and the norms (R) of the gradients."""
        run, world = self.run, self.world
        self.order.choose(self.step)
        self.adamw.gradients()
        total = torch.zeros(len(self.runs), dtype=torch.float64, device=self.device)
        together = self.plan.micro * world.size
        fresh = True
        for at in range(0, run.batch, together):
            domain, start = self.order.next(min(together, run.batch - at))
            mine = list(world.mine(domain.shape[1]))
            if mine or self.plan.split:  # the others need this process for their passes
                total += self.one_pass(domain[:, mine], start[:, mine], fresh)
                fresh = False
        world.add_up([total])
        return total / run.step_tokens, self.adamw.step(lr, run.step_tokens)

    def one_pass(self, domain, start, fresh):
        """Sums of the losses (R) of these sequences (R, n); adds to the gradients."""
        T = self.run.context
        ids = self.tokens.windows(domain.flatten(), start.flatten(), T + 1)
        ids = ids.view(*domain.shape, T + 1)
        return self.passes(ids, fresh).double().sum(1)

    def look(self, lr, loss, norm, log=True):
        """What was computed since comes from the device. A run that diverged ends here: nothing of
        it reaches the others, since no product goes across runs."""
        now = time.monotonic()
        rate = (self.step - self.timed_step) * self.run.step_tokens / max(now - self.timed, 1e-9)
        for r, (x, y, bad) in enumerate(zip(loss.tolist(), norm.tolist(), self.bad_at.tolist())):
            if self.diverged_at[r] is not None or not (log or bad):
                continue
            self.logs[r].step(self, lr, x, y, rate)
            if bad:
                self.diverged_at[r] = bad
                self.end_run(r, None)
        if log:
            self.timed, self.timed_step = now, self.step

    def evaluate(self):
        nats = evaluate(self.model, self.runs, self.plan, self.world)
        self.valids += 1
        for r, log in enumerate(self.logs):
            if self.diverged_at[r] is None:
                log.valid(self, nats[r])
        return nats

    def wall_s(self):
        return self.before + time.monotonic() - self.began

    def end_run(self, r, nats):
        weights = self.model.run_weights(r, self.runs) if self.runs[r].keep_model and nats else None
        if self.world.first:
            write_result(self, r, nats, weights)
            checkpoint.remove(self.runs[r])

    def finish(self):
        if None in self.diverged_at:
            nats = self.evaluate()
            for r, at in enumerate(self.diverged_at):
                if at is None:
                    self.end_run(r, nats[r])
