# SPDX-License-Identifier: Apache-2.0
"""Validation, as src/train/evaluate.c does it: windows stand side by side, the last one is shorter,
and every token but the first is a label once."""
import torch

from data import check_ids, token_file, widened


def evaluate(model, runs, plan, world):
    """For each run {domain: nats per token, or None where there are too few tokens}."""
    run, out = runs[0], [{} for _ in runs]
    with torch.no_grad():
        for name, domain in run.domains.items():
            n = run.valid_tokens(name)
            nats = mean_loss(model, run, domain, n, plan, world) if n else [None] * len(runs)
            for r, x in enumerate(nats):
                out[r][name] = x
    return out


def windows(n, context, most):
    """(first token, sequences, tokens of each) of each pass over n labels."""
    at = 0
    while at < n:
        T = min(n - at, context)
        B = min(most, (n - at) // T)
        yield at, B, T
        at += B * T


def mean_loss(model, run, domain, n, plan, world):
    ids = token_file(domain["valid"], domain["valid_tokens"], run.corpus_vocab)
    total = torch.zeros(model.R, dtype=torch.float64, device=model.device)
    passes = list(windows(n, run.context, plan.micro))
    if plan.split:  # as many for each process: some take no sequences
        passes += [(n, 0, 1)] * (-len(passes) % world.size)
    for at, B, T in passes[world.rank::world.size]:
        part = widened(ids[at:at + B * T + 1])
        check_ids(part, run.corpus_vocab, domain["valid"])
        part = part.to(model.device)
        tokens, labels = (x.view(1, B, T).expand(model.R, B, T) for x in (part[:-1], part[1:]))
        total += model.losses(tokens, labels, plan.chunk).double().sum(1)
    world.add_up([total])
    return (total / n).tolist()
