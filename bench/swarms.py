#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Swarms of other people, cut into runs that are fitted and runs that are judged.

    swarms.py PROGRAM SHARED SET N [SPLITS [REGRESSOR]]

SET: olmix-64, sft/TASK or regmix (the 512 runs of the paper, judged inside them, with the subsets of
golden/subset_permutations.csv). For each of SPLITS random
splits (numpy's default_rng, seed = number of the split) N runs are fitted with `regmix fit`, and the
rest is scored with `regmix score`. Prints, as means over metrics: Spearman, RMSE over the standard
deviation of the judged runs, R2, the metrics that are predicted worse than by their mean, and the
processor time of the fit.
"""
import csv, json, os, resource, subprocess, sys, tempfile
import numpy as np


def read(path):
    with open(path, newline="") as f:
        rows = list(csv.reader(f))
    return rows[0], rows[1:]


def write(path, header, rows):
    with open(path, "w", newline="") as f:
        csv.writer(f).writerows([header] + rows)


def tables(shared, name):
    if name == "regmix":
        folder = f"{shared}/data/regmix-paper"
        return read(f"{folder}/train_mixture_1m.csv"), read(f"{folder}/train_pile_loss_1m.csv")
    if name.startswith("sft/"):
        return tuple(read(f"{shared}/data/swarms/{name}/{f}.csv") for f in ("mixtures", "metrics"))
    (xh, x), (yh, y) = (read(f"{shared}/data/swarms/{name}/{f}.csv") for f in ("ratios", "metrics"))
    at, by = xh.index("run"), yh.index("run")
    values = {r[by]: r[by + 3:] for r in y}
    return (["run"] + xh[at + 3:], [[r[at]] + r[at + 3:] for r in x]), \
        (["run"] + yh[by + 3:], [[r[at]] + values[r[at]] for r in x])


def judge(program, where, regressor):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "fit", "--mixtures", "x.csv", "--metrics", "y.csv", "--regressor", regressor,
                    "--out", "fit"], cwd=where, check=True, stdout=subprocess.DEVNULL,
                   stderr=open(f"{where}/log", "w"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = subprocess.run([program, "score", "--fit", "fit", "--mixtures", "tx.csv", "--metrics", "ty.csv",
                           "--json"], cwd=where, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout
    scores = [m for m in json.loads(text)["metrics"].values() if m.get("n")] \
        if isinstance(json.loads(text)["metrics"], dict) else json.loads(text)["metrics"]
    ratio = [np.sqrt(max(1 - m["r2"], 0)) for m in scores]
    folds = [m["cross_validation"] for m in json.load(open(f"{where}/fit/fit.json"))["metrics"]]
    inner = [np.sqrt(max(1 - c["r2"], 0)) for c in folds]
    return (np.mean([m["spearman"] for m in scores]), np.mean(ratio), np.mean([m["r2"] for m in scores]),
            sum(m["r2"] < 0 for m in scores), np.mean(inner),
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main():
    program, shared, name, N = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    splits = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    regressor = sys.argv[6] if len(sys.argv) > 6 else "auto"
    (xh, x), (yh, y) = tables(shared, name)
    out = []
    for s in range(splits):
        order = np.random.default_rng(s).permutation(len(x))
        if name == "regmix":
            order = [int(r[s]) for r in read(f"{shared}/golden/subset_permutations.csv")[1]]
        with tempfile.TemporaryDirectory() as where:
            for prefix, rows in (("", order[:N]), ("t", order[N:])):
                write(f"{where}/{prefix}x.csv", xh, [x[i] for i in rows])
                write(f"{where}/{prefix}y.csv", yh, [y[i] for i in rows])
            out.append(judge(program, where, regressor))
        print(f"{name} N={N} split {s} {regressor}: Spearman %.4f  RMSE/sd %.4f  R2 %.3f  below the mean %d  "
              "(RMSE/sd out of fold %.3f)  %.1f s" % out[-1], flush=True)
    print(f"| {name} | {N} | {regressor} | " + " | ".join("%.4f" % v for v in np.mean(out, axis=0)) + " |")


main()
