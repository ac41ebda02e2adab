# SPDX-License-Identifier: Apache-2.0
"""The model of regmix in PyTorch, written as a user of PyTorch 1.13 would: RMSNorm, rotary embedding, causal attention,
SwiGLU, no biases, untied embedding and head; AdamW with decay on matrices alone."""
import contextlib

import torch
from torch import nn
from torch.nn import functional as F

# layers, heads, width, ffn: regmix' presets
PRESETS = {"nano": (2, 2, 64, 128), "micro": (2, 3, 96, 256), "mini": (3, 4, 128, 384), "midi": (4, 6, 192, 512),
           "1M": (2, 8, 256, 512), "60M": (10, 8, 768, 1536), "1B": (22, 16, 2048, 5632)}


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x, cosine, sine):
    """x (B, H, T, S): channel i turns with channel i + S / 2."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cosine - b * sine, b * cosine + a * sine), -1)


class Layer(nn.Module):
    def __init__(self, heads, width, ffn, eps):
        super().__init__()
        self.heads = heads
        self.attention_norm, self.ffn_norm = RMSNorm(width, eps), RMSNorm(width, eps)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.wo = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * ffn, bias=False)
        self.down = nn.Linear(ffn, width, bias=False)

    def forward(self, x, cosine, sine, mask):
        B, T, C = x.shape
        q, k, v = (y.view(B, T, self.heads, -1).transpose(1, 2) for y in self.qkv(self.attention_norm(x)).chunk(3, -1))
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        scores = q @ k.transpose(-1, -2) * (C // self.heads) ** -0.5 + mask
        mixed = F.softmax(scores, -1) @ v
        x = x + self.wo(mixed.transpose(1, 2).reshape(B, T, C))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Model(nn.Module):
    def __init__(self, sizes, vocab, context, rope_base=10000.0, eps=1e-5):
        super().__init__()
        layers, heads, width, ffn = sizes
        self.embedding = nn.Embedding(vocab, width)
        self.layers = nn.ModuleList(Layer(heads, width, ffn, eps) for _ in range(layers))
        self.norm = RMSNorm(width, eps)
        self.head = nn.Linear(width, vocab, bias=False)
        S = width // heads
        angles = torch.outer(torch.arange(context).double(), rope_base ** (-2 * torch.arange(S // 2).double() / S))
        self.register_buffer("cosine", angles.cos().float())
        self.register_buffer("sine", angles.sin().float())
        self.register_buffer("mask", torch.full((context, context), float("-inf")).triu(1))

    def forward(self, tokens, labels):
        """The mean loss, nats per token."""
        T = tokens.shape[1]
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, self.cosine[:T], self.sine[:T], self.mask[:T, :T])
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), labels.flatten())

    def take(self, tensors):
        """The weights of regmix: name -> array, in the layout that include/regmix/model.h describes."""
        def put(parameter, *names):
            with torch.no_grad():
                parameter.copy_(torch.cat([torch.from_numpy(tensors.pop(name)) for name in names]))
        put(self.embedding.weight, "embedding")
        for l, layer in enumerate(self.layers):
            at = f"layers.{l}."
            put(layer.attention_norm.weight, at + "attention.norm")
            put(layer.qkv.weight, at + "attention.wq", at + "attention.wk", at + "attention.wv")
            put(layer.wo.weight, at + "attention.wo")
            put(layer.ffn_norm.weight, at + "ffn.norm")
            put(layer.gate_up.weight, at + "ffn.gate", at + "ffn.up")
            put(layer.down.weight, at + "ffn.down")
        put(self.norm.weight, "norm")
        put(self.head.weight, "head")
        assert not tensors, f"no place for {sorted(tensors)}"


def adamw(model, lr=4e-4, betas=(0.9, 0.95), eps=1e-8, decay=0.1):
    matrices = [p for p in model.parameters() if p.ndim > 1]
    norms = [p for p in model.parameters() if p.ndim == 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": decay}, {"params": norms, "weight_decay": 0.0}],
                             lr=lr, betas=betas, eps=eps)


def precision(name):
    """The context of a forward pass in "fp32" or "bf16"."""
    return torch.autocast("cpu", dtype=torch.bfloat16) if name == "bf16" else contextlib.nullcontext()
