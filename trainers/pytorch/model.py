# SPDX-License-Identifier: Apache-2.0
"""R models of one shape as one: every weight has R in front, and every product is batched over it.

  x = embedding[tokens]
  each layer:  x += attention(rope(norm(x) qkv^T)) wo^T
               x += (silu(norm(x) gate^T) * (norm(x) up^T)) down^T
  losses = cross_entropy(norm(x) head^T, labels)

Letters: R runs, B sequences, T tokens of each, M = B T, C width, H heads, S = C / H, F ffn, V
vocabulary. The architecture and the first weights are those of src/model."""
import math

import torch
import torch.nn.functional as F

from fields import Refused
from hub import hub_name, read_weights
from philox import weights_stream
from split import Part, Shares

NORM_EPS, ROPE_BASE = 1e-5, 10000.0
LAYER = "attention_norm", "qkv", "wo", "ffn_norm", "gate_up", "down"
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


def shapes(runs):
    """(name here, (R, rows, columns), or (R, rows)) of each tensor."""
    for name, parts, columns, _ in tensor_table(runs[0]):
        rows = sum(n for _, n in parts)
        yield name, (len(runs), rows, columns) if columns else (len(runs), rows)


def first_weights(runs, device):
    """(name, tensor), one at a time; numbers as src/model/model.c draws them."""
    normal = math.sqrt(0.4 / runs[0].sizes[2])
    deviation = {"normal": normal, "residual": normal / math.sqrt(2 * runs[0].sizes[0])}
    init = runs[0].t["init"]
    there = read_weights(init) if init else None
    for (name, parts, columns, start), (_, shape) in zip(tensor_table(runs[0]), shapes(runs)):
        if init:  # the same for all runs
            w = torch.cat([wanted_weights(there, init, part, n, columns) for part, n in parts])
            yield name, w.to(device).expand(shape).clone()
            continue
        w = torch.ones(shape, device=device)
        for r, run in enumerate(runs if start != "one" else ()):
            at = 0
            for part, n in parts:
                weights_stream(run.seed, part).normal(w[r, at:at + n].view(-1), deviation[start])
                at += n
        yield name, w


def head_losses(x, w, labels, chunk, gradient):
    """Losses (R, M) of the labels, and the gradients of their sum, the logits never all in memory:
    each chunk of tokens makes its logits, its losses and its part of both gradients."""
    dx, dw = (torch.empty_like(x), torch.zeros_like(w, dtype=torch.float32)) \
        if gradient else (None, None)
    w, losses = w.to(x.dtype), []
    for at in range(0, max(x.shape[1], 1), chunk):  # once for no tokens too
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
    def forward(ctx, x, w, labels, chunk, model):
        losses, dx, dw = head_losses(x, *model.whole(["head"], [w]), labels, chunk, True)
        ctx.save_for_backward(dx, *(model.shares.sum([dw]) if model.shares else [dw]))
        return losses

    @staticmethod
    def backward(ctx, _):  # of the sum: 1 everywhere
        return (*ctx.saved_tensors, None, None, None)


def causal_attention(q, k, v):
    """(N, H, T, S) each."""
    if not q.numel():
        return v
    if SDPA:
        return SDPA(q, k, v, is_causal=True)
    T = q.shape[-2]
    ahead = torch.ones(T, T, dtype=torch.bool, device=q.device).triu(1)
    scores = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).masked_fill(ahead, -math.inf)
    return scores.float().softmax(-1).to(v.dtype) @ v


class Stacked:
    """`weights`: (name, tensor) of each; first_weights draws them. If they are split, `w` has the
    shares of this process."""

    def __init__(self, runs, world, dtype=torch.float32, weights=None, split=False):
        self.R, self.dtype, self.world, self.device = len(runs), dtype, world, world.device
        self.shares = Shares(world) if split else None
        self.L, self.H, self.C, self.F = runs[0].sizes
        self.w, self.shape = {}, dict(shapes(runs))
        for name, w in weights or first_weights(runs, self.device):
            self.w[name] = (self.shares.keep(name, w) if split else w).requires_grad_()
        self.rope = self.rotation(runs[0].context)

    def is_matrix(self, name):
        return len(self.shape[name]) == 3

    def whole(self, names, weights):
        """The weights, or those of which they are the shares. Those of products come in the
        precision of the products."""
        if not self.shares:
            return weights
        narrow = [name != "embedding" and self.is_matrix(name) for name in names]
        return self.shares.whole(names, [w.detach().to(self.dtype) if n else w.detach()
                                         for w, n in zip(weights, narrow)])

    def part(self, work, names, x):
        shares = [self.w[name] for name in names]
        return Part.apply(self, work, names, x, *shares) if self.shares else work(shares, x)

    def rotation(self, T):
        half = self.C // self.H // 2
        turn = ROPE_BASE ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = torch.arange(T, dtype=torch.float64)[:, None] * turn
        return angle.cos().float().to(self.device), angle.sin().float().to(self.device)

    def norm(self, x, w):
        y = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + NORM_EPS)
        return (y * w[:, None]).to(self.dtype)

    def linear(self, x, w):
        return torch.bmm(x, w.to(self.dtype).transpose(1, 2))

    def rotate(self, x):
        """x (N, T, H, S): the pairs (i, i + S / 2) are turned."""
        T, half = x.shape[1], x.shape[-1] // 2
        c, s = (t[:T, None].to(x.dtype) for t in self.rope)
        a, b = x[..., :half], x[..., half:]
        return torch.cat((a * c - b * s, b * c + a * s), -1)

    def attention(self, x, T, qkv, wo):
        R, M, C = x.shape
        qkv = self.linear(x, qkv).view(R * (M // T), T, 3, self.H, C // self.H)
        q, k, v = qkv.unbind(2)
        out = causal_attention(*(y.transpose(1, 2) for y in (self.rotate(q), self.rotate(k), v)))
        return self.linear(out.transpose(1, 2).reshape(R, M, C), wo)

    def embed(self, tokens, table):
        R, B, T = tokens.shape
        ids = tokens + torch.arange(R, device=self.device)[:, None, None] * table.shape[1]
        return F.embedding(ids.view(R, B * T), table.view(-1, self.C))

    def layer(self, x, T, attention_norm, qkv, wo, ffn_norm, gate_up, down):
        x = x + self.attention(self.norm(x, attention_norm), T, qkv, wo)
        gate, up = self.linear(self.norm(x, ffn_norm), gate_up).chunk(2, -1)
        return x + self.linear(F.silu(gate) * up, down)

    def body(self, tokens):
        """tokens (R, B, T) -> what the head takes, (R, M, C)."""
        T = tokens.shape[-1]
        x = self.part(lambda w, ids: self.embed(ids, *w), ["embedding"], tokens)
        for i in range(self.L):
            names = ["layers.%d.%s" % (i, name) for name in LAYER]
            x = self.part(lambda w, x: self.layer(x, T, *w), names, x)
        return self.part(lambda w, x: self.norm(x, *w), ["norm"], x)

    def losses(self, tokens, labels, chunk, gradient=False, body=None):
        """Losses (R, M) in nats; with `gradient` their sum is to be followed by backward(). `body`
        may be a compiled one."""
        x, head, labels = (body or self.body)(tokens), self.w["head"], labels.flatten(1)
        if gradient:
            return Head.apply(x, head, labels, chunk, self)
        return head_losses(x, *self.whole(["head"], [head]), labels, chunk, False)[0]

    def collected(self, name, share):
        """The whole of a tensor that is kept as the weights are, on the CPU of the first process;
        None in the others. All processes call it."""
        whole = self.shares.whole([name], [share])[0] if self.shares else share
        return whole.cpu() if self.world.first else None

    def run_weights(self, r, runs):
        """{name of regmix: float32 on the CPU} of run r, in the order of the file; as collected."""
        out = {}
        for name, parts, _, _ in tensor_table(runs[0]):
            w, at = self.collected(name, self.w[name].detach()), 0
            for part, n in parts if w is not None else ():
                out[part] = w[r, at:at + n]
                at += n
        return out
