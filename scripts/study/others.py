#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""others.py PROGRAM SWARMS: part 1 of the study on other people's swarms of several sizes.

SWARMS is a folder with the tables that their authors published, which are not part of this project:

  dmsl/runs.csv
      data/dmsl_llm_slimpajama.csv of github.com/meiqwq/Explaining-Data-Mixing-Scaling-Laws, with a
      first column `run`
  mixinglaws-5mix/SIZE/{mixtures,losses}.csv, mixinglaws-redpajama/SIZE/...
      data/5Mix and data/RedPajama of github.com/yegcjs/mixinglaws; runs have names as SIZE_NAME

Fits see four fifths of the mixtures at the smallest size, and rank the rest at each larger size, in
five folds. The published trees have 20 runs or more in a leaf. Where fewer than 40 are seen, they
would predict one number, so they are left out. Writes docs/study/data/others.csv after each fit;
rows that are there are kept, so it can be stopped and started again.
"""
import csv
import sys
from pathlib import Path
from statistics import mean

from measures import mse_of_differences, regret, resampled, spearman
from program import Program
from tables import DATA, write

FOLDS = 5
PATH = DATA / "others.csv"
REGRESSORS = ("ridge", "trees", "auto")
COLUMNS = ("swarm from to regressor n metrics spearman low high mse_differences regret "
           "truth").split()


def rows_in(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def dmsl(folder):
    """Size -> mixture -> (weights, losses), at the last number of tokens."""
    rows = rows_in(folder / "dmsl/runs.csv")
    last, out = {}, {}
    for r in rows:
        last[r["model_size"]] = max(last.get(r["model_size"], 0), float(r["n_tokens"]))
    for r in rows:
        losses = {c: r[c] for c in r if c.endswith("_loss")}
        if float(r["n_tokens"]) == last[r["model_size"]] and all(losses.values()):
            weights = {c: float(r[c]) for c in r if c.startswith("weight_")}
            size = f"{float(r['model_size']) / 1e6:.0f}M"
            key = tuple(round(w, 6) for w in weights.values())
            out.setdefault(size, {})[key] = weights, {c: float(v) for c, v in losses.items()}
    return out


def mixinglaws(folder):
    out = {}
    for place in sorted(p for p in folder.iterdir() if (p / "losses.csv").exists()):
        losses = {list(r.values())[0]: r for r in rows_in(place / "losses.csv")}
        for r in rows_in(place / "mixtures.csv"):
            run, *weights = r.values()
            if run not in losses:
                continue
            values = list(losses[run].items())[1:]
            if all(v for _, v in values):
                total = sum(map(float, weights))
                mixture = dict(zip(list(r)[1:], (float(w) / total for w in weights)))
                out.setdefault(place.name, {})[run.split("_", 1)[1]] = (
                    mixture, {c: float(v) for c, v in values})
    return out


def size_of(name):
    return float(name[:-1]) * {"M": 1, "B": 1000}[name[-1]]


def csv_of(program, rows):
    path = program.name(".csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["run", *rows[0][1]])
        for name, values in rows:
            out.writerow([name, *values.values()])
    return path


def predictions(program, small, keys, regressor, metrics):
    """Of each key, by a fit that has not seen its mixture."""
    out = {}
    for fold in range(FOLDS):
        left_out = [k for i, k in enumerate(sorted(small, key=str)) if i % FOLDS == fold]
        asked = [k for k in left_out if k in keys]
        seen = [k for k in small if k not in left_out]
        if not asked:
            continue
        fit = program.name("-fit")
        program.ask("fit", "--mixtures", csv_of(program, [(i, small[k][0])
                                                          for i, k in enumerate(seen)]),
                    "--metrics", csv_of(program, [(i, {m: small[k][1][m] for m in metrics})
                                                  for i, k in enumerate(seen)]),
                    "--regressor", regressor, "--out", fit)
        printed = program.ask("predict", "--fit", fit, "--mixtures",
                              csv_of(program, [(i, small[k][0]) for i, k in enumerate(asked)]))
        for k, r in zip(asked, csv.DictReader(printed.splitlines())):
            out[k] = {m: float(r[m]) for m in metrics}
    return out


def transfer(program, name, swarm, rows, least=8):
    """Adds the rows of a swarm that are not there yet."""
    sizes = sorted(swarm, key=size_of)
    small = swarm[sizes[0]]
    done = {(r["swarm"], r["to"], r["regressor"]) for r in rows}
    for size in sizes[1:]:
        large = swarm[size]
        keys = sorted((k for k in large if k in small), key=str)
        metrics = [m for m in next(iter(small.values()))[1]
                   if m in next(iter(large.values()))[1]]
        if len(keys) < least:
            continue

        def ranked(drawn, guess, keys=keys, metrics=metrics, large=large):
            return mean(spearman([guess[keys[i]][m] for i in drawn],
                                 [large[keys[i]][1][m] for i in drawn]) for m in metrics)
        everything = range(len(keys))
        truth = ranked(everything, {k: small[k][1] for k in keys})
        for regressor in REGRESSORS:
            if (name, size, regressor) in done or (
                    regressor == "trees" and len(small) * (FOLDS - 1) < 40 * FOLDS):
                continue
            guess = predictions(program, small, keys, regressor, metrics)
            low, high = resampled(len(keys), lambda drawn, g=guess: ranked(drawn, g), 200)
            columns = [([guess[k][m] for k in keys], [large[k][1][m] for k in keys])
                       for m in metrics]
            rows.append({
                "swarm": name, "from": sizes[0], "to": size, "regressor": regressor,
                "n": str(len(keys)), "metrics": str(len(metrics)),
                "spearman": f"{ranked(everything, guess):.4f}", "low": f"{low:.4f}",
                "high": f"{high:.4f}", "truth": f"{truth:.4f}",
                "mse_differences": f"{mean(mse_of_differences(*c) for c in columns):.5f}",
                "regret": f"{mean(regret(*c) for c in columns):.5f}"})
            write(PATH, COLUMNS, rows)


def main(arguments):
    if len(arguments) != 2 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    program, folder = Program(arguments[0]), Path(arguments[1])
    rows = rows_in(PATH) if PATH.exists() else []
    transfer(program, "dmsl", dmsl(folder), rows)
    for name in ("5mix", "redpajama"):
        transfer(program, name, mixinglaws(folder / f"mixinglaws-{name}"), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
