#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaling.py REGMIX: how well fits to small models predict larger ones, on two public sets of swarms. About ten minutes.

The tables are those of $REGMIX_SHARED/data/swarms (default: ../shared beside the project): dmsl of "Explaining Data Mixing Scaling
Laws" and the two sets of "Data Mixing Laws". RMSE is that of the loss in nats, mean over the metrics; `centred` is the same after
the mean error of each metric is taken out. `left out`: five folds over the mixtures of the larger size, whose smaller runs are not
fitted either. `covered`: share of the runs inside the 90 % interval of their prediction, mean over the metrics."""
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts/study"))
from measures import spearman  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SWARMS = Path(os.environ.get("REGMIX_SHARED", ROOT.parent / "shared")) / "data" / "swarms"
COLUMNS = ["--mixture-columns", "weight_*", "--metric-columns", "*_loss"]
WITHIN_90 = 1.6449


class Swarm:
    """Rows as dicts; size and tokens are numbers."""

    def __init__(self, name, rows, tokens):
        self.name, self.rows = name, rows
        self.weights = [k for k in rows[0] if k.startswith("weight_")]
        self.metrics = [k for k in rows[0] if k.endswith("_loss")]
        self.scales = ["--size-column", "model_size"] + (["--tokens-column", "n_tokens"] if tokens else [])
        for r in rows:
            r["size"], r["tokens"] = float(r["model_size"]), float(r["n_tokens"]) if tokens else 0
            r["mixture"] = tuple(r[k] for k in self.weights)

    def of(self, *sizes):
        return [r for r in self.rows if r["size"] in sizes]

    def last(self, size):
        longest = max(r["tokens"] for r in self.of(size))
        return [r for r in self.of(size) if r["tokens"] == longest]


def read_dmsl():
    return Swarm("dmsl", list(csv.DictReader(open(SWARMS / "dmsl" / "runs.csv"))), True)


def read_mixinglaws(name):
    rows = []
    for size in ["70M", "160M", "305M", "410M"]:
        folder = SWARMS / f"mixinglaws-{name}" / size
        losses = {r["run"]: r for r in csv.DictReader(open(folder / "losses.csv"))}
        for m in csv.DictReader(open(folder / "mixtures.csv")):
            run = m.pop("run")
            total = sum(float(v) for v in m.values())
            row = {"run": run, "model_size": str(float(size[:-1]) * 1e6)}
            row.update({"weight_" + k: f"{float(v) / total:.12g}" for k, v in m.items()})
            row.update({k + "_loss": v for k, v in losses[run].items() if k != "run"})
            rows.append(row)
    return Swarm("mixing laws, " + name, rows, False)


def write(path, swarm, rows):
    names = ["run", *swarm.weights, "model_size", *(["n_tokens"] if "--tokens-column" in swarm.scales else []), *swarm.metrics]
    with open(path, "w") as f:
        out = csv.DictWriter(f, names, extrasaction="ignore")
        out.writeheader()
        out.writerows(rows)


def predict(regmix, swarm, train, test, regressor, seed=1):
    """Per metric: the pairs of truth, prediction and sd."""
    with tempfile.TemporaryDirectory() as folder:
        small, large, fit = (str(Path(folder) / n) for n in ("small.csv", "large.csv", "fit"))
        write(small, swarm, train)
        write(large, swarm, test)
        subprocess.run([regmix, "fit", "-q", "--mixtures", small, "--metrics", small, *COLUMNS, *swarm.scales, "--regressor", regressor,
                        "--out", fit, "--set", f"seed={seed}"], check=True, capture_output=True)
        scale = f"{test[0]['size']:.0f}" + (f",{test[0]['tokens']:.0f}" if test[0]["tokens"] else "")
        text = subprocess.run([regmix, "predict", "-q", "--fit", fit, "--mixtures", large, "--for", scale, "--json"], check=True,
                              capture_output=True, text=True).stdout
    answer = json.loads(text)
    sd = answer["sd"] or {r["run"]: dict.fromkeys(swarm.metrics) for r in test}  # of one size nothing tells the error
    return {m: [(float(r[m]), answer["predicted"][r["run"]][m], sd[r["run"]][m]) for r in test if r[m]] for m in swarm.metrics}


def figures(pairs):
    """RMSE, centred RMSE, Spearman (mean, worst) and coverage of {metric: [(truth, prediction, sd)]}."""
    rows = []
    for values in pairs.values():
        errors = [p - y for y, p, _ in values]
        mean = statistics.fmean(errors)
        known = [s for _, _, s in values if s is not None and s == s]
        rows.append((statistics.fmean(e * e for e in errors) ** 0.5, statistics.fmean((e - mean) ** 2 for e in errors) ** 0.5,
                     spearman([v[0] for v in values], [v[1] for v in values]),
                     statistics.fmean(abs(p - y) <= WITHIN_90 * s for y, p, s in values) if known else float("nan")))
    column = list(zip(*rows))
    return [statistics.fmean(column[0]), statistics.fmean(column[1]), statistics.fmean(column[2]), min(column[2]), statistics.fmean(column[3])]


def row(*cells):
    print("| " + " | ".join(c if isinstance(c, str) else "" if c != c else f"{c:.4f}" for c in cells) + " |", flush=True)


def head(*cells):
    row(*cells)
    print("|" + " --- |" * len(cells))


def folds(regmix, swarm, train, test, regressor):
    mixtures = sorted({r["mixture"] for r in test})
    random.Random(1).shuffle(mixtures)
    out = {m: [] for m in swarm.metrics}
    for f in range(5):
        hidden = set(mixtures[f::5])
        part = predict(regmix, swarm, [r for r in train if r["mixture"] not in hidden], [r for r in test if r["mixture"] in hidden], regressor)
        for m, values in part.items():
            out[m] += values
    return out


def extrapolate(regmix, swarm, sizes, target, regressors):
    train, test = swarm.of(*sizes), swarm.last(target)
    name = "+".join(f"{s / 1e6:.0f}M" for s in sizes) + f" to {target / 1e6:.0f}M"
    for regressor in regressors:
        row(swarm.name, name, regressor, "all", *figures(predict(regmix, swarm, train, test, regressor)))
        if regressor != "auto":
            row(swarm.name, name, regressor, "left out", *figures(folds(regmix, swarm, train, test, regressor)))


def anchors(regmix, swarm, sizes, target):
    for k in (1, 2, 4):
        draws = []
        for draw in range(3):
            mixtures = sorted({r["mixture"] for r in swarm.last(target)})
            chosen = set(random.Random(draw).sample(mixtures, k))
            train = swarm.of(*sizes) + [r for r in swarm.of(target) if r["mixture"] in chosen]
            test = [r for r in swarm.last(target) if r["mixture"] not in chosen]
            draws.append(figures(predict(regmix, swarm, train, test, "scaling", draw)))
        row(str(k), *(statistics.fmean(c) for c in zip(*draws)))


def equal_flops(regmix, swarm, small, large, target):
    """Of the same FLOPs (6 N D) some go to the larger of two sizes."""
    cost = large / small
    for budget in (24, 40, 56):
        for share in (0, 0.25, 0.5, 1):
            n_large, draws = round(budget * share / cost), []
            n_small = max(0, round(budget - n_large * cost))
            for draw in range(3):
                mixtures = sorted({r["mixture"] for r in swarm.last(small)} & {r["mixture"] for r in swarm.last(large)})
                random.Random(draw).shuffle(mixtures)
                first, second = set(mixtures[:n_small]), set(mixtures[:n_large])
                train = [r for r in swarm.of(small) if r["mixture"] in first] + [r for r in swarm.of(large) if r["mixture"] in second]
                draws.append(figures(predict(regmix, swarm, train, swarm.last(target), "scaling", draw)))
            row(str(budget), str(n_small), str(n_large), *(statistics.fmean(c) for c in list(zip(*draws))[:4]))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    regmix = str(Path(sys.argv[1]).resolve())
    if not SWARMS.is_dir():
        sys.exit(f"no {SWARMS}: set REGMIX_SHARED")
    dmsl = read_dmsl()
    print("\n## To a larger size\n")
    head("set", "sizes", "regressor", "mixtures", "RMSE", "centred", "Spearman", "worst", "covered")
    extrapolate(regmix, dmsl, [122e6, 310e6], 680e6, ["scaling", "additive-law", "full-law", "auto"])
    for name in ("5mix", "redpajama"):
        swarm = read_mixinglaws(name)
        extrapolate(regmix, swarm, [70e6, 160e6], 410e6, ["scaling", "full-law"])
        extrapolate(regmix, swarm, [70e6, 160e6, 305e6], 410e6, ["scaling", "full-law"])
    print("\n## With runs of the target size: dmsl, 122M+310M to 680M\n")
    head("runs", "RMSE", "centred", "Spearman", "worst", "covered")
    anchors(regmix, dmsl, [122e6, 310e6], 680e6)
    print("\n## At equal FLOPs: dmsl, judged on 680M\n")
    head("FLOPs in runs of 122M", "runs of 122M", "runs of 310M", "RMSE", "centred", "Spearman", "worst")
    equal_flops(regmix, dmsl, 122e6, 310e6, 680e6)


main()
