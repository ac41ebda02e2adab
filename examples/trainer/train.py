#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A trainer in plain Python: it counts pairs of tokens in the mixture and measures the losses.

regmix starts it once a run, in the run's folder. It reads run.json and leaves result.json
(docs/trainer.md).
Replace the model by yours; read_tokens and main may stay.
"""
import array
import json
import math
import os
import random
from collections import Counter


def read_tokens(path):
    """The ids of a token file: a header of 64 bytes, then ids of 2 or 4 bytes.

    For numpy see docs/trainer.md.
    """
    with open(path, "rb") as f:
        header = f.read(64)
        width = int.from_bytes(header[12:16], "little")
        ids = array.array("H" if width == 2 else "I")
        ids.frombytes(f.read())
    return ids


def draw(run, sequence=64):
    """Sequences of tokens, each from a domain drawn by the mixture, as many as the run sees."""
    rng = random.Random(run["seed"])
    names = [name for name, weight in run["mixture"].items() if weight > 0]
    weights = [run["mixture"][name] for name in names]
    tokens = {name: read_tokens(run["domains"][name]["train"]) for name in names}
    for _ in range(run["training"]["tokens"] // sequence):
        ids = tokens[rng.choices(names, weights)[0]]
        at = rng.randrange(max(1, len(ids) - sequence))
        yield ids[at:at + sequence]


def train(run):
    pairs, singles = Counter(), Counter()
    for ids in draw(run):
        pairs.update(zip(ids, ids[1:]))
        singles.update(ids)
    return pairs, singles, sum(singles.values())


def loss(model, vocab, path):
    """Mean cross-entropy in nats per token.

    Pairs are smoothed by single tokens, and these by 1 / vocab.
    """
    pairs, singles, total = model
    ids = read_tokens(path)
    nats = 0.0
    for before, token in zip(ids, ids[1:]):
        single = (singles[token] + 1) / (total + vocab)
        nats -= math.log((pairs[before, token] + 4 * single) / (singles[before] + 4))
    return nats / (len(ids) - 1)


def main():
    with open("run.json") as f:
        run = json.load(f)
    print("run", run["name"], "in slot", os.environ["REGMIX_SLOT"], "try",
          os.environ["REGMIX_TRY"], flush=True)
    model = train(run)
    losses = {name: loss(model, run["vocab"], d["valid"])
              for name, d in run["domains"].items() if d["valid_tokens"] > 1}
    result = {
        "status": "done",
        "loss_nats": losses,
        "metrics": {"pairs_seen": len(model[0])},
        "higher_is_better": ["pairs_seen"],
    }
    with open("result.json.part", "w") as f:
        json.dump(result, f)
    os.replace("result.json.part", "result.json")  # whole or not at all


if __name__ == "__main__":
    main()
