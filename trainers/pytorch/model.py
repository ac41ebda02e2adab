# SPDX-License-Identifier: Apache-2.0
"""R models of one shape as one: every weight has R in front, and every product is batched over it.

  x = embedding[tokens]
  each layer:  x += attention(rope(norm(x) qkv^T)) wo^T
               x += (silu(norm(x) gate^T) * (norm(x) up^T)) down^T
  losses = cross_entropy(norm(x) head^T, labels)

Letters: R runs, B sequences, T tokens of each, M = B T, C width, H heads, S = C / H, F ffn, V
vocabulary. The architecture, the first weights and AdamW are those of src/model."""
import math

import torch
import torch.nn.functional as F

from fields import Refused
from hub import hub_name, read_weights
from philox import weights_stream

NORM_EPS, ROPE_BASE = 1e-5, 10000.0
MOMENTS = "exp_avg", "exp_avg_sq"
SDPA = getattr(F, "scaled_dot_product_attention", None)


def tensor_table(run):
    """(name here, [(name of regmix, rows)], columns, start) of each tensor; columns 0: a norm. What
    lies side by side is multiplied at once."""
    L, _, C, FF = run.sizes
    yield "embedding", [("embedding", run.vocab)], C, "normal"
    for i in range(L):
        p = "layers.%d." % i
        yield p + "attention_norm", [(p + "attention.norm", C)], 0, "one"
        yield p + "qkv", [(p + "attention." + w, C) for w in ("wq", "wk", "wv")], C, "normal"
        yield p + "wo", [(p + "attention.wo", C)], C, "residual"
        yield p + "ffn_norm", [(p + "ffn.norm", C)], 0, "one"
        yield p + "gate_up", [(p + "ffn.gate", FF), (p + "ffn.up", FF)], C, "normal"
        yield p + "down", [(p + "ffn.down", C)], FF, "residual"
    yield "norm", [("norm", C)], 0, "one"
    yield "head", [("head", run.vocab)], C, "normal"


def wanted_weights(there, init, part, rows, columns):
    w = there.get(hub_name(part))
    shape = (rows, columns) if columns else (rows,)
    if w is None or w.shape != shape:
        raise Refused("init: the model in %s has %s of shape %s; its config.json wants %s"
                      % (init, hub_name(part), "none" if w is None else list(w.shape),
                         list(shape)))
    return w


def first_weights(runs, device):
    """{name: (R, rows, columns), or (R, rows)}; numbers as src/model/model.c draws them."""
    normal = math.sqrt(0.4 / runs[0].sizes[2])
    deviation = {"normal": normal, "residual": normal / math.sqrt(2 * runs[0].sizes[0])}
    out = {}
    init = runs[0].t["init"]
    there = read_weights(init) if init else None
    for name, parts, columns, start in tensor_table(runs[0]):
        rows = sum(n for _, n in parts)
        if init:  # the same for all runs
            w = torch.cat([wanted_weights(there, init, part, n, columns) for part, n in parts])
            out[name] = w.to(device).expand(len(runs), *w.shape).clone()
            continue
        shape = (rows, columns) if columns else (rows,)
        w = out[name] = torch.ones(len(runs), *shape, device=device)
        for r, run in enumerate(runs if start != "one" else ()):
            at = 0
            for part, n in parts:
                weights_stream(run.seed, part).normal(w[r, at:at + n].view(-1), deviation[start])
                at += n
    return out


def head_losses(x, w, labels, chunk, gradient):
    """Losses (R, M) of the labels, and the gradients of their sum, the logits never all in memory:
    each chunk of tokens makes its logits, its losses and its part of both gradients."""
    dx, dw = (torch.empty_like(x), torch.zeros_like(w)) if gradient else (None, None)
    w, losses = w.to(x.dtype), []
    for at in range(0, x.shape[1], chunk):
        part, label = x[:, at:at + chunk], labels[:, at:at + chunk, None]
        logits = torch.bmm(part, w.transpose(1, 2)).float()
        log_sum = logits.logsumexp(-1, keepdim=True)
        losses.append((log_sum - logits.gather(-1, label)).squeeze(-1))
        if gradient:
            g = logits.sub_(log_sum).exp_()
            g.scatter_add_(-1, label, torch.full_like(log_sum, -1))
            g = g.to(x.dtype)
            dx[:, at:at + chunk] = torch.bmm(g, w)
            dw += torch.bmm(g.transpose(1, 2), part)
    return torch.cat(losses, 1), dx, dw


class Head(torch.autograd.Function):
    """The losses, to be summed: the gradients are made in the forward pass, while the logits are
    there, so that no product is made twice."""

    @staticmethod
    def forward(ctx, x, w, labels, chunk):
        losses, dx, dw = head_losses(x, w, labels, chunk, True)
        ctx.save_for_backward(dx, dw)
        return losses

    @staticmethod
    def backward(ctx, _):  # of the sum: 1 everywhere
        return (*ctx.saved_tensors, None, None)


def causal_attention(q, k, v):
    """(N, H, T, S) each."""
    if SDPA:
        return SDPA(q, k, v, is_causal=True)
    T = q.shape[-2]
    ahead = torch.ones(T, T, dtype=torch.bool, device=q.device).triu(1)
    scores = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).masked_fill(ahead, -math.inf)
    return scores.float().softmax(-1).to(v.dtype) @ v


class Stacked:
    def __init__(self, runs, device, dtype=torch.float32, weights=None):
        self.R, self.dtype, self.device = len(runs), dtype, device
        self.L, self.H, self.C, self.F = runs[0].sizes
        self.w = weights or first_weights(runs, device)
        for w in self.w.values():
            w.requires_grad_()
        self.rope = self.rotation(runs[0].context)

    def rotation(self, T):
        half = self.C // self.H // 2
        turn = ROPE_BASE ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = torch.arange(T, dtype=torch.float64)[:, None] * turn
        return angle.cos().float().to(self.device), angle.sin().float().to(self.device)

    def norm(self, x, name):
        y = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + NORM_EPS)
        return (y * self.w[name][:, None]).to(self.dtype)

    def linear(self, x, name):
        return torch.bmm(x, self.w[name].to(self.dtype).transpose(1, 2))

    def rotate(self, x):
        """x (N, T, H, S): the pairs (i, i + S / 2) are turned."""
        T, half = x.shape[1], x.shape[-1] // 2
        c, s = (t[:T, None].to(x.dtype) for t in self.rope)
        a, b = x[..., :half], x[..., half:]
        return torch.cat((a * c - b * s, b * c + a * s), -1)

    def attention(self, x, B, layer):
        R, M, C = x.shape
        qkv = self.linear(x, layer + "qkv").view(R * B, M // B, 3, self.H, C // self.H)
        q, k, v = qkv.unbind(2)
        out = causal_attention(*(y.transpose(1, 2) for y in (self.rotate(q), self.rotate(k), v)))
        return self.linear(out.transpose(1, 2).reshape(R, M, C), layer + "wo")

    def body(self, tokens):
        """tokens (R, B, T) -> what the head takes, (R, M, C)."""
        R, B, T = tokens.shape
        table = self.w["embedding"]
        ids = tokens + torch.arange(R, device=self.device)[:, None, None] * table.shape[1]
        x = F.embedding(ids.view(R, B * T), table.view(-1, self.C))
        for i in range(self.L):
            layer = "layers.%d." % i
            x = x + self.attention(self.norm(x, layer + "attention_norm"), B, layer)
            gate, up = self.linear(self.norm(x, layer + "ffn_norm"), layer + "gate_up").chunk(2, -1)
            x = x + self.linear(F.silu(gate) * up, layer + "down")
        return self.norm(x, "norm")

    def losses(self, tokens, labels, chunk, gradient=False, body=None):
        """Losses (R, M) in nats; with `gradient` their sum is to be followed by backward(). `body`
        may be a compiled one."""
        x, head, labels = (body or self.body)(tokens), self.w["head"], labels.flatten(1)
        if gradient:
            return Head.apply(x, head, labels, chunk)
        return head_losses(x, head, labels, chunk, False)[0]

    def run_weights(self, r, runs):
        """{name of regmix: float32 on the CPU} of run r, in the order of the file."""
        out = {}
        for name, parts, _, _ in tensor_table(runs[0]):
            w = self.w[name].detach()[r].cpu()
            at = 0
            for part, n in parts:
                out[part] = w[at:at + n]
                at += n
        return out


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
    run is divided by them, and scaled down to the largest norm, run by run. Each process of the
    world has the moments of some tensors, and makes the new weights of those for all."""

    def __init__(self, model, t, world):
        self.clip, self.w, self.world = t["clip"], list(model.w.values()), world
        self.owner = owners([w.numel() for w in self.w], world.size)
        self.mine = [w for w, owner in zip(self.w, self.owner) if owner == world.rank]
        self.fused = model.device.type == "cuda" and \
            "fused" in torch.optim.AdamW.__init__.__code__.co_varnames
        self.stepped, self.R, self.device = False, model.R, model.device
        decay = ([w for w in self.mine if w.dim() == 3], t["weight_decay"]), \
            ([w for w in self.mine if w.dim() == 2], 0.0)
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
        self.world.from_owners([w.detach() for w in self.w], self.owner)
        for gradient in self.gradients():
            gradient.zero_()
        return norm

    def moments(self):
        """Of all runs, in the order of the tensors; empty before the first step. All processes
        call it, and the first one gets them."""
        out = []
        for w, owner in zip(self.w if self.stepped else (), self.owner):
            own = self.adamw.state[w] if owner == self.world.rank else None
            both = [own[k] if own else torch.empty_like(w) for k in MOMENTS]
            self.world.from_owners(both, [owner, owner])
            out.append(both if self.world.size == 1 else
                       [x.cpu() for x in both] if self.world.first else None)
        return out

    def load(self, runs, step):
        """runs: the moments of each run."""
        self.stepped = len(runs[0]) > 0
        for i, w in enumerate(self.w if self.stepped else ()):
            if self.owner[i] != self.world.rank:
                continue
            self.adamw.state[w] = {
                "step": torch.tensor(float(step), device=w.device if self.fused else "cpu"),
                **{k: torch.stack([m[i][j] for m in runs]).to(w.device)
                   for j, k in enumerate(MOMENTS)}}
