#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""many_domains.py REGMIX [RUNS [METRICS]]: time and memory with hundreds of domains (840 runs, 168 domains, 52 metrics).

The domains are source:topic:quality, 4 x 14 x 3. Mixtures are drawn along that tree, so most weights are 0. Each metric
falls with the square roots of the weights, by topic and more so for a higher quality; metrics come in six groups, and the
noise is a fifth of the standard deviation. Prints processor seconds and the largest memory of each command, how well the fit
ranks unseen mixtures, and the size of the page."""
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts/study"))
from measures import spearman  # noqa: E402

REGMIX = sys.argv[1]
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 840
METRICS = int(sys.argv[3]) if len(sys.argv) > 3 else 52
SOURCES, TOPICS, QUALITIES, GROUPS, UNSEEN = 4, 14, 3, 6, 200
DOMAINS = [f"source{s}:topic{t}:q{q}" for s in range(SOURCES) for t in range(TOPICS) for q in range(QUALITIES)]


def run(name, *words):
    """Prints what the command took. RUSAGE_CHILDREN has the largest memory of all so far, so each runs in a child."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        done = subprocess.run([REGMIX, *map(str, words)], capture_output=True, text=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        with os.fdopen(write, "w") as f:
            json.dump([done.returncode, done.stdout, done.stderr[-2000:], used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], f)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        code, out, err, seconds, megabytes = json.load(f)
    os.waitpid(child, 0)
    if code:
        sys.exit(f"{name}: {err}")
    print(f"{name:44} {seconds:8.1f} s of processor time  {megabytes:7.0f} MB", flush=True)
    return out


def functions(rng):
    """For each metric the factor of each domain."""
    groups = [[rng.gauss(0, 1) for _ in range(TOPICS)] for _ in range(GROUPS)]
    all_factors = []
    for m in range(METRICS):
        topics = [g + 0.4 * rng.gauss(0, 1) for g in groups[m % GROUPS]]
        sources = [0.3 * rng.gauss(0, 1) for _ in range(SOURCES)]
        all_factors.append([topics[t] + sources[s] + 0.2 * q for s in range(SOURCES) for t in range(TOPICS) for q in range(QUALITIES)])
    return all_factors


def main(at):
    rng = random.Random(1)
    prior = at / "prior.yaml"
    prior.write_text("".join(f"{json.dumps(d)}: {1 / len(DOMAINS)!r}\n" for d in DOMAINS))
    run("sample", "sample", "--prior", prior, "--set", f"sample.runs={RUNS + UNSEEN}", "--set", "sample.max_strength=1",
        "--out", at / "all.csv")
    with open(at / "all.csv") as f:
        rows = list(csv.DictReader(f))
    weights = [[float(r[d]) for d in DOMAINS] for r in rows]
    print(f"  {statistics.mean(sum(w > 0 for w in row) for row in weights):.1f} of {len(DOMAINS)} domains have a weight, on average")
    each = functions(rng)
    values = [[-sum(f * w ** 0.5 for f, w in zip(factors, row) if w > 0) for factors in each] for row in weights]
    sd = [statistics.pstdev(v[m] for v in values) for m in range(METRICS)]
    names = [f"m{m}_loss" for m in range(METRICS)]
    for name, part in (("seen", slice(0, RUNS)), ("unseen", slice(RUNS, None))):
        with open(at / f"{name}.csv", "w") as f:
            out = csv.writer(f)
            out.writerow(["run", *DOMAINS])
            out.writerows([r["run"], *(r[d] for d in DOMAINS)] for r in rows[part])
    with open(at / "metrics.csv", "w") as f:
        out = csv.writer(f)
        out.writerow(["run", *names])
        out.writerows([r["run"], *(v + 0.2 * s * rng.gauss(0, 1) for v, s in zip(row, sd))] for r, row in zip(rows[:RUNS], values))
    fit = at / "fit"
    run(f"fit: {RUNS} runs, {METRICS} metrics", "fit", "--mixtures", at / "seen.csv", "--metrics", at / "metrics.csv", "--out", fit)
    told = list(csv.DictReader(run("predict: 200 unseen mixtures", "predict", "--fit", fit, "--mixtures", at / "unseen.csv").splitlines()))
    rank = [spearman([float(r[n]) for r in told], [v[m] for v in values[RUNS:]]) for m, n in enumerate(names)]
    print(f"  Spearman on unseen mixtures: mean {statistics.mean(rank):.3f}, worst {min(rank):.3f}")
    targets = [w for n in names for w in ("--target", n)]
    run("optimize --quick, mean of all metrics", "optimize", "--fit", fit, *targets, "--quick", "--out", at / "optimum.yaml")
    order = [w for s in range(SOURCES) for t in range(TOPICS)
             for w in ("--ordered", "<".join(f"source{s}:topic{t}:q{q}" for q in range(QUALITIES)))]
    run("the same with 56 orders and a capped node", "optimize", "--fit", fit, *targets, *order, "--cap", "source0=0.3", "--quick",
        "--json")
    run("report", "report", "--fit", fit, "-C", at)
    print(f"  page: {(at / 'report.html').stat().st_size / 1e6:.1f} MB")


with tempfile.TemporaryDirectory() as scratch:
    main(Path(scratch))
