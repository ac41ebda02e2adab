#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""studies.py FOLDER REGMIX [vocabulary|length|stopping]...: what could save more than faster kernels does? Looks at the
swarms that train.sh left in FOLDER; docs/studies.md says what came of it.

  vocabulary  do mixtures rank alike under other tokenizers, in bits per byte, and what does a run cost?
  length      do losses at 1/8, 1/4, 1/2 of the tokens rank the mixtures as those at the end do, and does
              extrapolating the learning curve help?
  stopping    runs stopped early by successive halving: what becomes of the fit and of its optimum?"""
import csv
import itertools
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts/study"))
from measures import spearman  # noqa: E402

TARGET = "fortunes"


# ---- what was recorded

def results(folder):
    """run -> result.json, of those that are done."""
    found = {}
    for path in sorted(folder.glob("runs/*/result.json")):
        result = json.loads(path.read_text())
        if result["status"] == "done":
            found[result["run"]] = result
    return found


def curves(folder):
    """run -> [(share of the tokens, {domain: nats per token})], rising."""
    found = {}
    for run, result in results(folder).items():
        lines = map(json.loads, (folder / "runs" / run / "log.jsonl").read_text().splitlines())
        found[run] = [(line["step"] / result["steps"], line["valid_nats"]) for line in lines if "valid_nats" in line]
    return found


def at(curve, share):
    """The evaluation nearest to that share of the tokens."""
    return min(curve, key=lambda point: abs(point[0] - share))[1]


# ---- how alike

def error_of(x, y):
    """A standard error of their Spearman: bootstrap over the runs, 200 times."""
    rng, n, found = random.Random(1), len(x), []
    while len(found) < 200:
        rows = [rng.randrange(n) for _ in range(n)]
        if len(set(rows)) > 2:
            found.append(spearman([x[i] for i in rows], [y[i] for i in rows]))
    return statistics.stdev(found)


# ---- vocabulary

def vocabulary(root, regmix):
    swarms = {name: results(root / name) for name in ("v512", "v1024", "v1024b", "v4096", "v4096b", "v16384")}
    swarms = {name: found for name, found in swarms.items() if len(found) >= 12}
    print("vocabulary: cost of a run")
    for name, found in swarms.items():
        some = list(found.values())[0]
        print(f"  {name:7} {len(found):3} runs, vocabulary {some['model']['vocab']:5}, {some['parameters'] / 1e3:6.0f} k parameters, "
              f"{some['tokens'] / 1e3:4.0f} k tokens, {some['flops'] / 1e12:.2f} TFLOP")
    print("Spearman of bits per byte over the runs both have: the target's (standard error), mean of the domains, least;\n"
          "the best run by the first, judged by the second: bits per byte above the second's own best, and the mean run's distance")
    for a, b in itertools.combinations(swarms, 2):
        runs = sorted(set(swarms[a]) & set(swarms[b]))
        x, y = ([swarms[s][run]["bits_per_byte"] for run in runs] for s in (a, b))
        each = {d: spearman([r[d] for r in x], [r[d] for r in y]) for d in x[0]}
        tx, ty = [r[TARGET] for r in x], [r[TARGET] for r in y]
        regret = ty[tx.index(min(tx))] - min(ty)
        print(f"  {a:7} {b:7} {len(runs):3} runs: {each[TARGET]:.3f} ({error_of(tx, ty):.3f})  mean {statistics.mean(each.values()):.3f}  "
              f"least {min(each.values()):.3f} ({min(each, key=each.get)})   {regret:.3f} of {statistics.mean(ty) - min(ty):.3f}")
    # The decision: what a fit to one swarm proposes, judged by the fits to the others. Swarms that differ in the seed alone say how
    # much of it is noise.
    runs = sorted(set.intersection(*(set(found) for found in swarms.values())))
    first = next(iter(swarms.values()))
    mixtures = {run: first[run]["mixture"] for run in runs}
    with tempfile.TemporaryDirectory() as scratch:
        fits = {name: fit(regmix, Path(scratch) / name, mixtures, {run: found[run]["bits_per_byte"][TARGET] for run in runs})
                for name, found in swarms.items()}
        optima = {name: optimum(regmix, f) for name, f in fits.items()}
        print(f"optimum of a fit to the {len(runs)} runs all have, judged by the fits to the others: bits per byte above the judge's own optimum\n"
              f"  {'optimum of':10} " + " ".join(f"{'by ' + judge:>10}" for judge in swarms))
        above = {judge: predict(regmix, f, list(optima.values())) for judge, f in fits.items()}
        for i, name in enumerate(optima):
            print(f"  {name:10} " + " ".join(f"{above[judge][i] - above[judge][list(optima).index(judge)]:10.4f}" for judge in swarms) + "   " +
                  ", ".join(f"{d} {w:.2f}" for d, w in optima[name].items() if w >= 0.005))


# ---- fits, by the program itself

def write_csv(path, rows, columns):
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["run", *columns])
        for name, row in rows.items():
            out.writerow([name, *(row[c] for c in columns)])


def fit(regmix, folder, mixtures, values):
    """A fit of the values (run -> number) with the default regressor; its folder."""
    folder.mkdir()
    domains = list(next(iter(mixtures.values())))
    write_csv(folder / "mixtures.csv", {run: mixtures[run] for run in values}, domains)
    write_csv(folder / "metrics.csv", {run: {"target_val_loss": v} for run, v in values.items()}, ["target_val_loss"])
    subprocess.run([regmix, "fit", "-q", "--mixtures", folder / "mixtures.csv", "--metrics", folder / "metrics.csv", "--out", folder / "fit"],
                   check=True, stdout=subprocess.DEVNULL)
    return folder / "fit"


def optimum(regmix, fit_folder):
    out = subprocess.run([regmix, "optimize", "-q", "--fit", fit_folder, "--target", "target_val_loss", "--quick", "--json"], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)["mixture"]


def predict(regmix, fit_folder, mixtures):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
        write_csv(f.name, {f"m{i}": m for i, m in enumerate(mixtures)}, list(mixtures[0]))
        out = subprocess.run([regmix, "predict", "-q", "--fit", fit_folder, "--mixtures", f.name], check=True, capture_output=True, text=True).stdout
    return [float(row["target_val_loss"]) for row in csv.DictReader(out.splitlines())]


# ---- length

def line_through(x, y):
    """(intercept, slope, sum of squares) of least squares."""
    mx, my = statistics.mean(x), statistics.mean(y)
    slope = sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)
    return my - slope * mx, slope, sum((b - my - slope * (a - mx)) ** 2 for a, b in zip(x, y))


def extrapolated(series, until):
    """Losses at the end by loss = E + A share^-alpha from the evaluations between warm-up and `until`; E and A are each
    run's, alpha is all runs' (that of the least squares, of 0.1 to 1.5): alone, three numbers are too many for a noisy curve."""
    seen = [[(share, loss) for share, loss in run if 0.06 < share <= until + 0.01] for run in series]
    best = None
    for alpha in (a / 20 for a in range(2, 31)):
        lines = [line_through([share ** -alpha for share, _ in run], [loss for _, loss in run]) for run in seen]
        squares = sum(line[2] for line in lines)
        if best is None or squares < best[0]:
            best = squares, [intercept + slope for intercept, slope, _ in lines]
    return best[1]


def length(root, regmix):
    found, other = curves(root / "v1024"), curves(root / "v1024b")
    domains = list(next(iter(found.values()))[0][1])
    both = sorted(set(found) & set(other))
    print(f"length: Spearman with the losses at the end, {len(found)} runs; in brackets with the ends of another seed, {len(both)} runs")
    print(f"  {'seen':22} {'target':>16} {'mean of domains':>18} {'least':>7}")

    def agreement(values):
        """values: domain -> run -> number."""
        same = {d: spearman([values[d][r] for r in found], [found[r][-1][1][d] for r in found]) for d in domains}
        cross = {d: spearman([values[d][r] for r in both], [other[r][-1][1][d] for r in both]) for d in domains} if len(both) > 7 else None
        text = [f"{same[TARGET]:.3f}", f"{statistics.mean(same.values()):.3f}"]
        if cross:
            text[0] += f" ({cross[TARGET]:.3f})"
            text[1] += f" ({statistics.mean(cross.values()):.3f})"
        return f"{text[0]:>16} {text[1]:>18} {min(same.values()):>7.3f}"

    for share in (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1):
        print(f"  {share:<6.4g} of the tokens   {agreement({d: {r: at(found[r], share)[d] for r in found} for d in domains})}")
    for share in (1 / 4, 1 / 2, 3 / 4):
        ends = {d: dict(zip(found, extrapolated([[(s, v[d]) for s, v in found[r]] for r in found], share))) for d in domains}
        print(f"  {share:<6.4g} extrapolated    {agreement(ends)}")
    # The mean of the last evaluations is less noisy than the last one.
    last = {d: {r: statistics.mean(v[d] for s, v in found[r] if s > 0.8) for r in found} for d in domains}
    print(f"  mean of the last 1/5   {agreement(last)}")
    last = {d: {r: statistics.mean(v[d] for s, v in found[r] if 0.37 < s <= 0.51) for r in found} for d in domains}
    print(f"  mean of 3/8 to 1/2     {agreement(last)}")


# ---- stopping

def halving(runs, value_at):
    """Successive halving: all runs to 1/4 of the tokens, the better half of them to 1/2, the better half of those to the end.
    Returns run -> share it reached."""
    reached = {}
    for share in 1 / 4, 1 / 2:
        runs = sorted(runs, key=lambda run: value_at[share][run])
        for run in runs[len(runs) // 2:]:
            reached[run] = share
        runs = runs[:len(runs) // 2]
    return {**{run: 1 for run in runs}, **reached}


def carried(reached, value_at):
    """Ends of all runs: where one was stopped, by the line from the loss there to the (carried) ends of those that went on."""
    ends = {run: value_at[share][run] for run, share in reached.items()}
    for share in 1 / 2, 1 / 4:
        going = [run for run, s in reached.items() if s > share]
        x = [value_at[share][run] for run in going]
        y = [ends[run] for run in going]
        intercept, slope, _ = line_through(x, y)
        for run in (r for r, s in reached.items() if s == share):
            ends[run] = intercept + slope * value_at[share][run]
    return ends


def stopping(root, regmix, size=40, times=16):
    found = curves(root / "v1024")
    recorded = results(root / "v1024")
    mixtures = {run: recorded[run]["mixture"] for run in found}
    value_at = {share: {run: at(found[run], share)[TARGET] for run in found} for share in (1 / 8, 1 / 4, 1 / 2, 1)}
    regrets, costs = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        judge = fit(regmix, scratch / "judge", mixtures, value_at[1])
        best = predict(regmix, judge, [optimum(regmix, judge)])[0]
        print(f"stopping: swarms of {size} of the {len(found)} runs, {times} times; the optimum of each fit, judged by the fit to all {len(found)} "
              f"at the end:\nnats above its own optimum ({best:.3f}); the mean run: {statistics.mean(value_at[1].values()) - best:.3f}")
        for turn in range(times):
            rng = random.Random(turn)
            runs = rng.sample(sorted(found), size)
            some = rng.sample(runs, size // 2)
            reached = halving(runs, value_at)
            ways = {
                "all to the end": ({run: value_at[1][run] for run in runs}, size),
                "half of the runs, to the end": ({run: value_at[1][run] for run in some}, size / 2),
                "all to 1/2": ({run: value_at[1 / 2][run] for run in runs}, size / 2),
                "all to 1/4": ({run: value_at[1 / 4][run] for run in runs}, size / 4),
                "all to 1/8": ({run: value_at[1 / 8][run] for run in runs}, size / 8),
                "halving, what came through": ({run: value_at[1][run] for run, s in reached.items() if s == 1}, None),
                "halving, last losses as they are": ({run: value_at[s][run] for run, s in reached.items()}, None),
                "halving, carried to the end": (carried(reached, value_at), None),
            }
            for i, (name, (values, cost)) in enumerate(ways.items()):
                made = fit(regmix, scratch / f"{turn}-{i}", mixtures, values)
                regrets.setdefault(name, []).append(predict(regmix, judge, [optimum(regmix, made)])[0] - best)
                costs[name] = cost if cost is not None else sum(reached.values())
    for name, list_of in regrets.items():
        print(f"  {name:34} cost {costs[name] / size:4.2f}  regret: mean {statistics.mean(list_of):.4f} ± {statistics.stdev(list_of) / math.sqrt(times):.4f}, "
              f"median {statistics.median(list_of):.4f}, most {max(list_of):.4f}", flush=True)


def main():
    studies = {"vocabulary": vocabulary, "length": length, "stopping": stopping}
    if len(sys.argv) < 3 or not set(sys.argv[3:]) <= set(studies):
        sys.exit(__doc__)
    for name in sys.argv[3:] or studies:
        studies[name](Path(sys.argv[1]), sys.argv[2])


main()
