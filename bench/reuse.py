#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reuse.py REGMIX SWARMS [SEEDS]: keeping the ratios of an old optimum against a complete new swarm.

SWARMS has the swarms olmix-64 (372 runs over 64 domains) and olmix-reuse (64 runs over 22 domains, of which `existing`
stands for all that kept their ratios): ratios.csv, metrics.csv and fit.yaml each. The target is the mean of the
standardised metrics.

Part 1, real runs: how well each swarm is predicted out of fold, with as many runs.
Part 2, semi-synthetic: a Gaussian process on all 372 runs stands for the truth, and its error out of fold is the noise. The
old corpus lacks the 21 topics of s2pdf, and has an optimum. Then they are added: the small space against all 64 domains.
About ten minutes on two cores."""
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REGMIX, SWARMS, SEEDS = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3
NEW = "s2pdf:"


def regmix(*words):
    done = subprocess.run([REGMIX, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"regmix {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def read(path):
    with open(path) as f:
        return list(csv.DictReader(f))


def write(path, rows):
    with open(path, "w") as f:
        out = csv.DictWriter(f, rows[0].keys())
        out.writeheader()
        out.writerows(rows)
    return path


def write_map(path, weights):
    path.write_text("".join(f"{json.dumps(d)}: {w!r}\n" for d, w in weights.items()))
    return path


def priors(folder):
    """relative_sizes of fit.yaml, without a YAML library."""
    lines = (SWARMS / folder / "fit.yaml").read_text().split("relative_sizes:")[1].splitlines()
    sizes = {}
    for line in lines[1:]:
        if not line.startswith("    "):
            break
        name, size = line.split("#")[0].rsplit(":", 1)
        sizes[name.strip().strip('"')] = float(size)
    return {d: w / sum(sizes.values()) for d, w in sizes.items()}


def drops(folder):
    text = (SWARMS / folder / "fit.yaml").read_text().split("drop_metrics:")[1].split("]")[0]
    return {part.strip(' \n["') for part in text.split(",")}


def swarm(folder):
    """Mixtures by run, and the mean of the standardised metrics."""
    skip = {"", "run", "name", "index"}
    weights = {r["run"]: {k: float(v) for k, v in r.items() if k not in skip} for r in read(SWARMS / folder / "ratios.csv")}
    rows = read(SWARMS / folder / "metrics.csv")
    names = [k for k in rows[0] if k not in skip | drops(folder)]
    return weights, {r["run"]: {k: float(r[k]) for k in names} for r in rows}


def target(metrics, like):
    """Standardised as over the runs of `like`."""
    names = list(next(iter(like.values())))
    moments = {k: (statistics.mean(m[k] for m in like.values()), statistics.pstdev(m[k] for m in like.values())) for k in names}
    return {r: statistics.mean((m[k] - moments[k][0]) / moments[k][1] for k in names) for r, m in metrics.items()}


def tables(folder, weights, values):
    folder.mkdir(exist_ok=True)
    write(folder / "mixtures.csv", [{"run": r, **weights[r]} for r in values])
    write(folder / "metrics.csv", [{"run": r, "target_loss": v} for r, v in values.items()])
    return folder


def fit(folder, regressor="auto"):
    regmix("fit", "--mixtures", folder / "mixtures.csv", "--metrics", folder / "metrics.csv", "--regressor", regressor, "--out",
           folder / "fit")


def predict(truth, table):
    out = regmix("predict", "--fit", truth / "fit", "--mixtures", table)
    rows = list(csv.DictReader(out.splitlines()))
    return {r["run"]: float(r["target_loss"]) for r in rows}


def measure(truth, table, noise, rng):
    return {r: v + rng.gauss(0, noise) for r, v in predict(truth, table).items()}


def value(truth, mixture, folder):
    return predict(truth, write(folder / "one.csv", [{"run": "one", **mixture}]))["one"]


def sample(prior, runs, seed, out):
    regmix("sample", "--prior", prior, "--set", f"sample.runs={runs}", "--set", f"seed={seed}", "--out", out)
    return out


def optimum(folder, prior):
    return json.loads(regmix("optimize", "--fit", folder / "fit", "--prior", prior, "--target", "target_loss", "--quick", "--json"))["mixture"]


def search(folder, truth, prior, noise, runs, seed, small=None):
    """A swarm, its fit and its optimum over all domains."""
    folder.mkdir()
    table = sample(prior, runs, seed, folder / "mixtures.csv")
    full = table
    if small:
        full = folder / "full.csv"
        regmix("domains", "--reuse", small, "--mixtures", table, "--out", full)
    full = complete(full, truth)
    write(folder / "metrics.csv", [{"run": r, "target_loss": v} for r, v in measure(truth, full, noise, random.Random(seed)).items()])
    fit(folder)
    return optimum(folder, prior)


def complete(table, truth):
    """The table with a column for every domain of the truth."""
    domains = json.loads((truth / "fit" / "fit.json").read_text())["domains"]
    return write(table.with_suffix(".all.csv"), [{"run": r["run"], **{d: r.get(d, 0) for d in domains}} for r in read(table)])


def spearman_and_error(folder):
    return json.loads((folder / "fit" / "fit.json").read_text())["metrics"][0]["cross_validation"]


def real(at):
    weights, metrics = swarm("olmix-64")
    some, theirs = swarm("olmix-reuse")
    common = set(next(iter(metrics.values()))) & set(next(iter(theirs.values())))
    metrics = {r: {k: m[k] for k in common} for r, m in metrics.items()}
    theirs = {r: {k: m[k] for k in common} for r, m in theirs.items()}
    whole, part = target(metrics, metrics), target(theirs, metrics)
    print(f"real runs, {len(common)} metrics, mean of the standardised ones; out of fold")
    chosen = random.Random(1).sample(sorted(whole), len(part))
    for name, w, v in (("64 domains, 64 runs", weights, {r: whole[r] for r in chosen}), ("64 domains, 372 runs", weights, whole),
                       ("22 domains (reuse), 64 runs", some, part)):
        folder = tables(at / name.replace(" ", "-").replace(",", ""), w, v)
        fit(folder)
        s = spearman_and_error(folder)
        print(f"  {name:30} sd {statistics.pstdev(v.values()):.3f}  best run {min(v.values()):.3f}  mean {statistics.mean(v.values()):.3f}  "
              + f"Spearman {s['spearman']:.3f}  RMSE {s['rmse']:.3f}")
    return tables(at / "truth", weights, whole)


def semi_synthetic(at, truth):
    prior = priors("olmix-64")
    fit(truth, "gp")
    noise = spearman_and_error(truth)["rmse"]
    total = sum(w for d, w in prior.items() if not d.startswith(NEW))
    old_prior = write_map(at / "old.yaml", {d: w / total for d, w in prior.items() if not d.startswith(NEW)})
    new_prior = write_map(at / "new.yaml", prior)
    base = value(truth, prior, at)
    print(f"\nsemi-synthetic: noise {noise:.3f}; true target at the natural mixture {base:.3f}; gains on it")
    gains = {}
    for seed in range(1, SEEDS + 1):
        here = at / f"seed{seed}"
        here.mkdir()

        def note(name, mixture):
            gains.setdefault(name, []).append(base - value(truth, {d: mixture.get(d, 0) for d in prior}, at))

        old = search(here / "old", truth, old_prior, noise, 128, seed)
        note("old optimum, new domains unused", old)
        kept = write_map(here / "optimum.yaml", old)
        small = here / "small.yaml"
        regmix("domains", "--reuse", kept, "--prior", new_prior, "--out", small)
        for runs in (32, 64):
            note(f"reuse, 22 domains, {runs} runs", search(here / f"reuse{runs}", truth, small, noise, runs, seed, small))
        for runs in (64, 128, 256):
            note(f"all 64 domains, {runs} runs", search(here / f"all{runs}", truth, new_prior, noise, runs, seed))
    for name, g in gains.items():
        spread = statistics.stdev(g) / len(g) ** 0.5 if len(g) > 1 else float("nan")
        print(f"  {name:34} {statistics.mean(g):.3f} +- {spread:.3f}   {' '.join(f'{x:.3f}' for x in g)}", flush=True)


with tempfile.TemporaryDirectory() as scratch:
    semi_synthetic(Path(scratch), real(Path(scratch)))
