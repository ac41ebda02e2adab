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


def mean_loss(model, run, domain, n, plan, world):
    ids = token_file(domain["valid"], domain["valid_tokens"], run.corpus_vocab)
    total = torch.zeros(model.R, dtype=torch.float64, device=model.device)
    at = passes = 0
    while at < n:
        T = min(n - at, run.context)
        B = min(plan.micro, (n - at) // T)
        at, passes = at + B * T, passes + 1
        if passes % world.size != world.rank:
            continue
        part = widened(ids[at - B * T:at + 1])
        check_ids(part, run.corpus_vocab, domain["valid"])
        part = part.to(model.device)
        tokens, labels = (x.view(1, B, T).expand(model.R, B, T) for x in (part[:-1], part[1:]))
        total += model.losses(tokens, labels, plan.chunk).double().sum(1)
    world.add_up([total])
    return (total / n).tolist()
