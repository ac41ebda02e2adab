# SPDX-License-Identifier: Apache-2.0
"""What each domain does to each loss, and which of it is surprising.

An entry (domain, loss) is the change of the loss, in bits per byte, that the fit of the swarm
`tokens1M` expects when a tenth of the tokens of the mean mixture moves to the domain. It surprises
if the domain is of another kind than the text of the loss and lowers the loss, or is of the same
kind and raises it (KINDS in tables.py). The most surprising are those furthest from 0 in standard
deviations of the loss over the runs.
"""
from statistics import pstdev

from tables import DOMAINS, KIND_OF, LOSSES, mixture_of, read

SWARM = "tokens1M"
MOVED = 0.1
TESTED = 5


def mean_mixture(rows):
    return {d: sum(mixture_of(r)[d] for r in rows) / len(rows) for d in DOMAINS}


def moved_to(base, domain):
    """A tenth of the tokens of `base` moved to a domain."""
    return {d: (1 - MOVED) * w + (MOVED if d == domain else 0) for d, w in base.items()}


def as_row(name, mixture):
    return {"run": name, **{f"w_{d}": w for d, w in mixture.items()}}


def matrix(program, rows):
    """Entries: domain, loss, change in bits per byte, in standard deviations, and surprise."""
    fit = program.fit(rows, LOSSES)
    base = mean_mixture(rows)
    asked = [as_row("base", base)] + [as_row(d, moved_to(base, d)) for d in DOMAINS]
    predicted = program.predict(fit, asked)
    entries = []
    for domain, then in zip(DOMAINS, predicted[1:]):
        for metric in LOSSES:
            loss = metric[:-len("_bpb")]
            change = then[metric] - predicted[0][metric]
            units = change / pstdev([r[metric] for r in rows])
            same = KIND_OF[domain] == KIND_OF[loss]
            surprise = 0 if domain == loss else units if same else -units
            entries.append({"domain": domain, "loss": loss, "change": change, "sd": units,
                            "surprise": max(surprise, 0.0)})
    return entries


def surprising(entries):
    """The entries to test, the most surprising first."""
    ranked = sorted(entries, key=lambda e: (-e["surprise"], e["domain"], e["loss"]))
    return [e for e in ranked[:TESTED] if e["surprise"] > 0]


def rows_for_matrix(data=None):
    return read("small", SWARM, data)
