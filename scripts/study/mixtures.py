#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mixtures.py EXPERIMENT FOLDER [--data DATA] [--regmix PROGRAM]: mixtures that depend on results.

Writes into FOLDER what the experiment trains, from the tables of DATA (default docs/study/data).
The runs that decide must all be there; PARTIAL=1 in the environment takes those that are.

  repetition, matched   mixtures.csv: the mixtures of `unseen`
  seeds                 best.yaml, worst.yaml: of the largest models of `unseen`, by the target
  interactions          base.yaml, and DOMAIN.yaml for each domain of the entries to test
  proposals             recipe.yaml: what the published recipe proposes from the proxies of `small`;
                        prior.yaml
"""
import argparse
import os
import sys
from pathlib import Path

from interactions import matrix, mean_mixture, moved_to, rows_for_matrix, surprising
from program import Program
from tables import DATA, DOMAINS, TARGET, mixture_of, read, rows_of

WHOLE = {"small": {"proxies": 512, "tokens500k": 256, "tokens1M": 128, "tokens2M": 64},
         "unseen": {"proxies": 48, "middle": 48, "big": 16}}


def whole(experiment, swarm, data):
    """The rows of a swarm that is trained completely."""
    rows = read(experiment, swarm, data)
    wanted = 1 if os.environ.get("PARTIAL") else WHOLE[experiment][swarm]
    if len(rows) < wanted:
        sys.exit(f"mixtures.py: {data / experiment}.csv has {len(rows)} of the {wanted} runs of "
                 f"{swarm}; train {experiment} first, then collect.py")
    return rows


def write(path, mixture):
    total = sum(mixture.values())
    text = "".join(f"{d}: {mixture[d] / total:.9f}\n" for d in DOMAINS)
    path.write_text(text, encoding="utf-8")
    print(path)


def write_table(path, rows):
    lines = [",".join(["run", *DOMAINS])]
    for r in rows:
        lines.append(",".join([r["run"], *(f"{w:.6g}" for w in mixture_of(r).values())]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(path)


def repetition(folder, data, program):
    del program
    write_table(folder / "mixtures.csv", whole("unseen", "proxies", data))


def seeds(folder, data, program):
    del program
    rows = sorted(whole("unseen", "big", data), key=lambda r: r[f"{TARGET}_bpb"])
    write(folder / "best.yaml", mixture_of(rows[0]))
    write(folder / "worst.yaml", mixture_of(rows[-1]))


def interactions(folder, data, program):
    whole("small", "tokens1M", data)
    rows = rows_for_matrix(data)
    entries = surprising(matrix(program, rows))
    base = mean_mixture(rows)
    write(folder / "base.yaml", base)
    for domain in sorted({e["domain"] for e in entries}):
        write(folder / f"{domain}.yaml", moved_to(base, domain))


def proposals(folder, data, program):
    """Trees, 100,000 mixtures around the prior, the mean of the best 128."""
    fit = program.fit(whole("small", "proxies", data), [f"{TARGET}_bpb"], "trees")
    write(folder / "prior.yaml", {r["domain"]: r["train_tokens"]
                                  for r in rows_of(data / "domains.csv")})
    mixture, _ = program.optimum(fit, f"{TARGET}_bpb", "--method", "simulate", "--no-guard",
                                 "--prior", (folder / "prior.yaml").resolve(),
                                 "--samples", "100k", "--top", "128")
    write(folder / "recipe.yaml", mixture)


WRITERS = {"repetition": repetition, "matched": repetition, "seeds": seeds,
           "interactions": interactions, "proposals": proposals}


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("experiment", choices=sorted(WRITERS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--regmix", default="build/regmix")
    o = parser.parse_args(arguments)
    o.folder.mkdir(parents=True, exist_ok=True)
    WRITERS[o.experiment](o.folder, o.data, Program(o.regmix))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
