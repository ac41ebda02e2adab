# SPDX-License-Identifier: Apache-2.0
"""AdamW for R models at once, and which process has which moments."""
import torch

MOMENTS = "exp_avg", "exp_avg_sq"


def owners(sizes, processes):
    """Which process has the moments of each tensor: the largest first, to the one with the
    fewest numbers."""
    load, out = [0] * processes, [0] * len(sizes)
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        out[i] = load.index(min(load))
        load[out[i]] += sizes[i]
    return out


class AdamW:
    """One step of src/model/step.c for all runs: the sum of gradients over `labels` tokens of each
    run is divided by them, and scaled down to the largest norm, run by run. Each process has the
    moments of some tensors, and makes the new weights of those for all. Or, if the weights are
    split, it has those of its shares."""

    def __init__(self, model, t):
        self.clip, self.model, self.world = t["clip"], model, model.world
        self.w, self.split = list(model.w.values()), bool(model.shares)
        self.owner = [self.world.rank] * len(self.w) if self.split else \
            owners([w.numel() for w in self.w], self.world.size)
        self.mine = [w for w, owner in zip(self.w, self.owner) if owner == self.world.rank]
        self.fused = model.device.type == "cuda" and \
            "fused" in torch.optim.AdamW.__init__.__code__.co_varnames
        self.stepped, self.R, self.device = False, model.R, model.device
        matrices = {id(w) for name, w in model.w.items() if model.is_matrix(name)}
        decay = ([w for w in self.mine if id(w) in matrices], t["weight_decay"]), \
            ([w for w in self.mine if id(w) not in matrices], 0.0)
        groups = [{"params": part, "weight_decay": x} for part, x in decay if part]
        self.adamw = torch.optim.AdamW(
            groups, lr=0.0, betas=(t["beta1"], t["beta2"]), eps=t["eps"],
            **({"fused": True} if self.fused else {})) if groups else None

    def gradients(self):
        """There from the first pass on, so that each pass adds to the same memory."""
        for w in self.w:
            if w.grad is None:
                w.grad = torch.zeros_like(w)
        return [w.grad for w in self.w]

    def step(self, lr, labels):
        """The norms (R) of the gradients before clipping."""
        if not self.split:
            self.world.to_owners(self.gradients(), self.owner)
        with torch.no_grad():
            squares = [w.grad.flatten(1).square().sum(1) for w in self.mine]
            square = torch.stack(squares).sum(0) if squares else \
                torch.zeros(self.R, device=self.device)
            self.world.add_up([square])
            norm = square.sqrt() / labels
            clip = self.clip / norm if self.clip > 0 else torch.ones_like(norm)
            scale = clip.clamp(max=1) / labels
            for w in self.mine:
                w.grad *= scale.view(-1, *[1] * (w.dim() - 1))
        for group in self.adamw.param_groups if self.adamw else ():
            group["lr"] = lr
        if self.adamw:
            self.adamw.step()
        self.stepped = True
        if not self.split:
            self.world.from_owners([w.detach() for w in self.w], self.owner)
        for gradient in self.gradients():
            gradient.zero_()
        return norm

    def moments(self):
        """Of all runs, in the order of the tensors; empty before the first step. All processes
        call it, and the first one gets them."""
        out = []
        for name, w, owner in zip(self.model.w if self.stepped else (), self.w, self.owner):
            own = self.adamw.state[w] if owner == self.world.rank else None
            both = [own[k] if own else torch.empty_like(w) for k in MOMENTS]
            if not self.split:
                self.world.from_owners(both, [owner, owner])
            out.append([self.model.collected(name, x) for x in both])
        return out

    def load(self, moments, step):
        """moments: (exp_avg, exp_avg_sq) of each tensor, whole, in all processes."""
        self.stepped = step > 0
        for (name, w), owner, both in zip(self.model.w.items(), self.owner, moments):
            if self.split:
                both = [self.model.shares.keep(name, x) for x in both]
            if owner == self.world.rank:
                self.adamw.state[w] = {
                    "step": torch.tensor(float(step), device=w.device if self.fused else "cpu"),
                    **dict(zip(MOMENTS, both))}
