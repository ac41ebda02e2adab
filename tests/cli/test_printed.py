#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_printed.py REGMIX: the text that fit, score, optimize, compare, status and run print is what --json has, word for word; and what --json has follows from the tables.

The text is written again here, from the JSON; the scores are computed again, from fit.json. Speaks TAP.
"""
import itertools
import json
import math
import os
import random
import sys

from small_experiment import Experiment, ok, tests

DOMAINS = ["web", "code:python", "code:c", "long-named-books"]
METRICS = ["a_loss", "b_acc", "c_loss", "unsaid thing"]


def put_tables(e, runs=32, noise=0.02):
    draw = random.Random(5)
    x, y = ["run," + ",".join(DOMAINS)], ["run," + ",".join(METRICS)]
    for i in range(runs):
        w = [draw.gammavariate(1, 1) for _ in DOMAINS]
        w = [v / sum(w) for v in w]
        if i == runs - 1:  # equal runs, whose difference is noise
            w = last
        last = w
        x.append(f"{i}," + ",".join(f"{v:.9f}" for v in w))
        y.append(f"{i},{3 - w[0] ** 0.5 + draw.gauss(0, noise):.4f},{0.3 + 0.3 * w[1] + draw.gauss(0, noise / 2):.4f},"
                 f"{4 - w[2] ** 0.5 - 0.2 * w[0] + draw.gauss(0, noise):.4f},{1 + w[0] + draw.gauss(0, noise):.4f}")
    e.put("x.csv", "\n".join(x) + "\n")
    e.put("y.csv", "\n".join(y) + "\n")


# ---- what is printed, written again

def number(x, digits, kind):
    return "-" if x is None else f"{x:.{digits}{kind}}"


def table(align, rows, indent=0, room=80):
    """Columns as near as they must be to fit; upper case: may be left out if all rows say the same."""
    width = [max(len(r[c]) for r in rows) for c in range(len(align))]
    shown, same = list(range(len(align))), []
    total = lambda gap: indent + sum(width[c] for c in shown) + gap * (len(shown) - 1)
    gap = 2 if total(2) <= room else 1
    heads = [rows[0]]
    if total(gap) > room:  # heads of two words have two lines
        parts = [r.split(" ", 1) if c and " " in r else ["", r] for c, r in enumerate(rows[0])]
        heads = [[p[k] for p in parts] for k in (0, 1)]
        width = [max(len(r[c]) for r in heads + rows[1:]) for c in range(len(align))]
    for c in list(shown):
        texts = {r[c] for r in rows[1:] if r[c]}
        if total(gap) > room and align[c] in "LR" and len(texts) == 1:
            shown.remove(c)
            same.append(f"{rows[0][c]}: {texts.pop()}")
    lines, rest = [], shown[1:]
    while rest:
        part, used = [], indent + width[0]
        while rest and (not part or used + gap + width[rest[0]] <= room):
            used += gap + width[rest[0]]
            part.append(rest.pop(0))
        for r in heads + rows[1:] if any(heads[0][c] for c in part) else heads[1:] + rows[1:]:
            cells = [r[0].ljust(width[0])] + [r[c].ljust(width[c]) if align[c] in "lL" else r[c].rjust(width[c]) for c in part]
            lines.append((" " * indent + (" " * gap).join(cells)).rstrip())
    return lines + ([" " * indent + "in all rows: " + ", ".join(same)] if same else [])


def table_of_fit(o, domains, folds):
    rows = [["metric", "regressor", "spearman", "r2", "rmse", "noise", "signal", "regret@1", "optimism", "better"]]
    assumed, above, freedom = False, False, None
    for name, m in o["cross_validation"].items():
        better = "high" if m["higher_is_better"] else "low?" if m["direction_from"] == "assumed" else "low"
        assumed = assumed or better == "low?"
        if m["noise"] is not None:
            above = above or m["noise"] > m["rmse"]
            freedom = min(m["noise_freedom"], m["noise_freedom"] if freedom is None else freedom)
        rows.append([name, m["regressor"], number(m["spearman"], 4, "f"), number(m["r2"], 3, "f"), number(m["rmse"], 3, "g"), number(m["noise"], 3, "g"),
                     number(m["signal_to_noise"], 1, "f"), number(m["regret_at_1"], 2, "g"), number(m["optimism"], 2, "g"), better])
    lines = table("lLrrrRrrrR", rows)
    lines += [f"(out of fold: {folds} folds of {o['runs']} runs, {domains} domains",
              " regret@1: how much worse the run with the best prediction is than the best run",
              " optimism: how much too good the best predictions are",
              " signal: what the mixtures change, over the noise (of equal runs, else the rmse)"]
    if freedom is not None:
        lines.append(" noise: standard deviation between equal runs" +
                     (", which are too few to measure it well" if freedom < 10 else
                      "; an rmse below it is chance" if above else "; no rmse can be lower"))
    if assumed:
        lines.append(" low?: assumed that lower is better; --higher-is-better METRIC changes it")
    lines[-1] += ")"
    return lines


def table_of_scores(o):
    rows = [["metric", "runs", "spearman", "mse", "r2", "rmse", "noise", "regret@1", "optimism"]]
    for name, m in o["metrics"].items():
        rows.append([name, str(m["n"]), number(m["spearman"], 4, "f"), number(m["mse"], 4, "g"), number(m["r2"], 4, "f"), number(m["rmse"], 3, "g"),
                     number(m["noise"], 3, "g"), number(m["regret_at_1"], 2, "g"), number(m["optimism"], 2, "g")])
    mean = {k: sum(m[k] for m in o["metrics"].values()) / len(o["metrics"]) for k in ("spearman", "mse")}
    return table("lrrrrrrrr", rows + [["mean", "", f"{mean['spearman']:.4f}", f"{mean['mse']:.4g}"] + 5 * [""]])


def bars(weights, prior, interval, held=(), cut={}):
    def mark(d, end):
        return "|" if d in cut.get(end, ()) else " "

    width, most = max(6, *map(len, weights)), max(weights.values())
    bar = max(10, min(30 if interval else 40, 80 - width - (38 if interval else 24)))
    lines = [f"  {'domain':{width}}  {'weight':>8}" + ("   from     to" if interval else "") + "     prior"]
    for d, w in sorted(weights.items(), key=lambda x: -x[1]):
        line = f"  {d:{width}}  {100 * w:7.2f}%{'|' if d in held else ' '}"
        if interval:
            line += f"{100 * interval[d][0]:6.1f}{mark(d, 'low')}{100 * interval[d][1]:6.1f}{mark(d, 'high')}"
        lines.append(line + f" {100 * prior[d]:7.2f}%  " + "#" * int(bar * w / most + 0.5))
    return lines


def probability(p, replicates):
    least = 1 / replicates
    return f"over {100 * (1 - least):.3g} %" if p > 1 - least else f"under {100 * least:.2g} %" if p < least else f"{100 * p:.3g} %"


def folded(weights, levels):
    out = {}
    for d, w in weights.items():
        key = ":".join(d.split(":")[:levels])
        out[key] = out.get(key, 0) + w
    return out


def answer(o, directions, held=(), fold=0, nodes={}):
    """directions: metrics of which higher is better. nodes: the intervals of nodes with several domains, which --json has not."""
    interval, cut = o.get("interval"), o.get("interval_cut", {"low": [], "high": [], "distance": 0})
    lines = (bars(folded(o["mixture"], fold), folded(o["prior"], fold), {**interval, **nodes}) if fold
             else bars(o["mixture"], o["prior"], interval, o["at_limit"], cut))
    if interval:
        lines.append(f"  (from, to: {100 * o['level']:.0f} % interval of the best weight, in percent)")
    marked = [d for d in o["mixture"] if d in o["at_limit"] + cut["low"] + cut["high"]]
    if marked:
        few = ", ".join(marked[:3]) + (", ..." if len(marked) > 3 else "")
        lines.append(f"  (|: at the end of the range of the runs, where the guard holds {few}; the best weight may lie beyond it, as ends of intervals may: "
                     "train runs there, or see --no-guard)")
    many = interval and cut["distance"] > (1 - o["level"]) / 2
    if o["at_distance_limit"] or many:
        lines.append(f"  (the guard allows no mixture that differs by more than {100 * o['distance_limit']:.1f} % of the tokens from the nearest run."
                     + (" The optimum differs by that." if o["at_distance_limit"] else "")
                     + (f" {100 * cut['distance']:.0f} % of the mixtures that make the intervals lie at that distance or beyond it"
                        + (", so the intervals may end too early" if many else "") + "." if interval else "")
                     + " Train runs near the optimum, or see --no-guard)")
    rows = [["  predicted", "optimum", "prior", ""]]
    for name, y in o["predicted"].items():
        t = o["target"].get(name, 0)
        rows.append([f"{'*' if t else ' '} {name}", f"{y:.4f}", f"{o['predicted_prior'][name]:.4f}", "(held)" if name in held else "(raised)" if t < 0 else ""])
    lines += [""] + table("lrrl", rows)
    lines += [f"  (prior: {o['prior_text']})", "",
              f"* target. Nearest run: {100 * o['distance']:.1f} % of the tokens differ (typical between runs: {100 * o['typical_distance']:.1f} %).", ""]
    for word, sign in (("Lowered", 1), ("Raised", -1)):
        names = [m for m in o["predicted"] if sign * o["target"].get(m, 0) > 0]
        if names:
            lines.append(f"{word}: {', '.join(names)}.")
    if o.get("left_out"):
        lines.append(f"Left out, since the signal to noise is too low: {', '.join(o['left_out'])}.")
    if o.get("weigh") == "signal":
        lines.append("Each metric counts in units of its standard deviation over the runs, times the share of its variance that is signal.")
    for i, (name, v) in enumerate(o.get("versus", {}).items()):
        low, high = v["interval"]
        line = (f"Compared with {name if i else 'the prior (' + o['prior_text'] + ')'} the optimum gains {v['estimate']:.4f}, {100 * o['level']:.0f} % interval "
                f"{low:.4f} to {high:.4f}")
        if v["verdict"] == "the same mixture":
            lines.append(line[:line.index(" gains ")] + " is the same mixture.")
            continue
        if f"{v['gain']:.4f}" != f"{v['estimate']:.4f}":
            line += f" (the fit predicts {v['gain']:.4f})"
        lines.append(line + f"; better with probability {probability(v['probability'], o['replicates'])}.")
        if low <= 0:
            lines.append(f"  That is {v['verdict']}{'' if high < 0 else ': the interval includes 0'}.")
    gain, sign = o["score_prior"] - o["score"], -1 if o.get("weigh") != "signal" and all(w < 0 for w in o["target"].values()) else 1
    lines.append(f"The fit predicts a {'score' if sign < 0 else 'target'} of {sign * o['score']:.4f}, and {sign * o['score_prior']:.4f} at the prior. "
                 f"This is {abs(gain):.4f} {'better' if gain >= 0 else 'worse'}.")
    if o["expected_error"] is not None:
        lines.append(f"The error of a prediction at this distance from the runs is about {o['expected_error']:.2g} (root mean square over runs left out)"
                     + (", which is more than the gain." if 0 < gain < o["expected_error"] else "."))
    if o["gap"] is not None:
        lines.append(f"The fitted function is convex, so no allowed mixture has a prediction that is better by more than {o['gap']:.1g}.")
    worse = {}
    for m, y in o["predicted"].items():
        by = (y - o["predicted_prior"][m]) * (-1 if m in directions else 1)
        if by > 0 and (m not in o["target"] or len(o["target"]) > 1):
            worse[m] = by
    worst = sorted(worse.items(), key=lambda x: -x[1])
    if worst:
        others = len(o["target"]) == 1
        lines.append(f"{len(worst)} of the {o['worse']['of']} {'other ' if others else ''}metrics {'is' if len(worst) == 1 else 'are'} predicted worse than at the prior: "
                     + ", ".join(f"{m} by {by:.4g}" for m, by in worst[:3]) + (", ..." if len(worst) > 3 else "") + ". --no-worse METRIC keeps a metric from getting worse.")
    without = sorted(((v["loss"], d) for d, v in o.get("attribution", {}).get("without", {}).items() if v["loss"] is not None and v["loss"] > 1e-6), reverse=True)[:3]
    if without:
        lines.append("Without one of these domains the best mixture would be worse: " + ", ".join(f"{d} (by {x:.4f})" for x, d in without) + ".")
    if o.get("learning_curve", {}).get("sentence"):
        lines.append(o["learning_curve"]["sentence"])
    return lines


def same_text(name, wanted, got):
    got = got.rstrip("\n").split("\n")
    differ = [f"wanted: {a}\ngot:    {b}" for a, b in itertools.zip_longest(wanted, got) if a != b]
    ok(not differ, name, "\n".join(differ[:4]))


# ---- what --json has, computed again

def ranks(x):
    order, out, i = sorted(range(len(x)), key=lambda k: x[k]), [0.0] * len(x), 0
    while i < len(x):
        j = i
        while j + 1 < len(x) and x[order[j + 1]] == x[order[i]]:
            j += 1
        for k in range(i, j + 1):
            out[order[k]] = (i + j) / 2
        i = j + 1
    return out


def pearson(a, b):
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    return sum((x - ma) * (y - mb) for x, y in zip(a, b)) / math.sqrt(sum((x - ma) ** 2 for x in a) * sum((y - mb) ** 2 for y in b))


def near(a, b, tolerance=1e-9):
    return abs(a - b) <= tolerance * max(1, abs(a), abs(b))


def test_scores(fit):
    for m in fit["metrics"]:
        y, z, cv = m["values"], m["out_of_fold"], m["cross_validation"]
        n, mean = len(y), sum(y) / len(y)
        mse = sum((a - b) ** 2 for a, b in zip(y, z)) / n
        wanted = {"n": n, "mse": mse, "mae": sum(abs(a - b) for a, b in zip(y, z)) / n, "rmse": math.sqrt(mse), "spearman": pearson(ranks(y), ranks(z)),
                  "r2": 1 - mse / (sum((a - mean) ** 2 for a in y) / n)}
        wrong = {k: (cv[k], v) for k, v in wanted.items() if not near(cv[k], v)}
        ok(not wrong, f"{m['name']}: scores out of fold follow from the predictions", wrong)
        # The last two runs have one mixture: their difference is noise.
        ok(near(cv["noise"], abs(y[-1] - y[-2]) / math.sqrt(2)) and cv["replicates"] == 1, f"{m['name']}: noise is the deviation between equal runs", cv)
        sign = -1 if m["higher_is_better"] else 1
        signal = math.sqrt(max(sum((a - mean) ** 2 for a in y) / n - mse, 0) / mse)  # too few equal runs to tell the noise
        ok(near(cv["signal_to_noise"], signal), f"{m['name']}: signal to noise", f"{cv['signal_to_noise']} {signal}")
        best = sorted(range(n), key=lambda i: (sign * z[i], i))[:max(3, math.ceil(n / 20))]
        ok(near(cv["regret_at_1"], sign * y[best[0]] - min(sign * v for v in y)), f"{m['name']}: the regret of the run with the best prediction", cv)
        ok(near(cv["optimism"], sum(sign * (y[i] - z[i]) for i in best) / len(best)), f"{m['name']}: how much the best predictions promise too much", cv)


def test_optimum(o, fit, name, directions):
    rows = fit["mixtures"]
    w = list(o["mixture"].values())
    ok(near(sum(w), 1) and min(w) >= 0, f"{name}: the weights sum to 1", w)
    for key, at in (("score", "predicted"), ("score_prior", "predicted_prior")):
        ok(near(o[key], sum(t * o[at][m] for m, t in o["target"].items())), f"{name}: {key} is the weighted sum of what is predicted", o[key])
    ok(near(o["distance"], min(sum(abs(a - b) for a, b in zip(w, r)) / 2 for r in rows)), f"{name}: the distance to the nearest run", o["distance"])
    ok(near(o["gain"]["predicted"], o["score_prior"] - o["score"]) and o["gain"]["interval"][0] <= o["gain"]["estimate"] <= o["gain"]["interval"][1],
       f"{name}: the gain, and its estimate inside of the interval", o["gain"])
    for d, (low, high) in o["interval"].items():
        ok(-1e-12 <= low <= o["mixture"][d] + 1e-9 and o["mixture"][d] - 1e-9 <= high <= 1 + 1e-12, f"{name}: {d} is inside of its interval", f"{low} {o['mixture'][d]} {high}")
    worse = {m: by for m in o["predicted"] if (by := (o["predicted"][m] - o["predicted_prior"][m]) * (-1 if m in directions else 1)) > 0 and m not in o["target"]}
    if len(o["target"]) == 1:
        ok(set(o["worse"]["by"]) == set(worse) and o["worse"]["n"] == len(worse) and o["worse"]["of"] == len(METRICS) - 1
           and all(near(o["worse"]["by"][m], by) for m, by in worse.items()), f"{name}: the metrics that get worse", o["worse"])
    for d, v in o["attribution"]["without"].items() if o["method"] == "search" else ():
        ok(v["score"] is None or near(v["loss"], max(0, v["score"] - o["score"]), 1e-6), f"{name}: the loss without {d}", v)


def test_orders(e):
    """A<B for every two domains, and for a node of the tree."""
    for a in DOMAINS:
        for b in DOMAINS:
            if a != b:
                m = e.json("optimize", "--target", "a_loss", "--target", "c_loss", "--quick", "--ordered", f"{a}<{b}")["mixture"]
                ok(m[a] <= m[b] + 1e-9 and near(sum(m.values()), 1), f"--ordered {a}<{b} holds", m)
    for name, below, above in (("code<web", DOMAINS[1:3], DOMAINS[:1]), ("web<code", DOMAINS[:1], DOMAINS[1:3])):
        for method in ("search", "simulate"):
            m = e.json("optimize", "--target", "a_loss", "--quick", "--ordered", name, "--method", method, "--samples", "2k")["mixture"]
            ok(sum(m[d] for d in below) <= sum(m[d] for d in above) + 1e-9, f"--ordered {name} holds by {method}", m)


def test_tokens(e):
    """Token counts of domains that there are, and of others."""
    counts = "".join(f"{json.dumps(d)}: {i + 1}M\n" for i, d in enumerate(DOMAINS))
    for more, said in (("", ""), ("other: 1M\n", "token counts: 1 name matches no domain and is not used: other"),
                       ("x: 1M\ny: 2M\n", "token counts: 2 names match no domain and are not used: x, y")):
        e.put("tokens.yaml", counts + more)
        code, _, told = e.call("fit", "--mixtures", "x.csv", "--metrics", "y.csv", "--regressor", "ridge", "--tokens", "tokens.yaml", "--budget", "5M", "--out", "counted")
        fit = e.read("counted/fit.json")
        ok(code == 0 and fit["tokens"] == [1e6, 2e6, 3e6, 4e6] and fit["budget"] == 5e6, "the fit keeps the token counts", told)
        ok(said in told and ("token counts:" in told) == bool(said), f"names that are no domain: {said}", told)
    for bad, said in ((counts.replace("1M", "0"), 'tokens of "web": 0; wanted more than 0'), (counts.split("\n", 1)[1], 'domain "web" has no token count')):
        e.put("tokens.yaml", bad)
        code, _, told = e.call("fit", "--mixtures", "x.csv", "--metrics", "y.csv", "--tokens", "tokens.yaml", "--budget", "5M", "--out", "counted")
        ok(code == 1 and said in told, f"token counts: {said}", told)


# ---- an experiment: status, compare and run

T_95 = {2: 12.706204736432095, 3: 4.302652729911275}  # two-sided t quantiles for n - 1 degrees of freedom


def mean_se(x):
    mean = sum(x) / len(x)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in x) / (len(x) - 1) / len(x))


def comparison(o):
    rows = [["large model on", "target loss", "se", "minus optimum", "from", "to", ""]]
    for i, row in enumerate(o["rows"]):
        detail, d = row.get("domain") or row.get("run"), row["against_optimum"]
        rows.append([row["name"] + (f" ({detail})" if detail else ""), number(row["target_loss"]["mean"], 4, "f"), number(row["target_loss"]["se"], 4, "f")] +
                    ([number(d.get(k), 4, "f") for k in ("mean", "low", "high")] + [d.get("verdict") or ""] if i else 4 * [""]))
    n = len(o["seeds"])
    return table("lrrrrrl", rows, 2) + [f"  (nats per token; differences are paired over {n} seed{'' if n == 1 else 's'}; from, to: 95 % t interval)"]


def losses(e, row, seeds):
    """The target's losses of the large models of a row, by seed."""
    return [e.read(f"large/{row.get('same_as', row['name'])}/{s}/result.json")["loss_nats"]["exam"] for s in seeds]


def test_comparison(e, seeds):
    o = e.json("compare", settings=[f"compare.seeds={seeds}"])
    first = losses(e, o["rows"][0], o["seeds"])
    for row in o["rows"]:
        x = losses(e, row, o["seeds"])
        mean, se = mean_se(x)
        ok(near(row["target_loss"]["mean"], mean) and near(row["target_loss"]["se"], se) and row["n"] == seeds, f"{seeds} seeds: the loss of {row['name']}", row["target_loss"])
        mean, se = mean_se([a - b for a, b in zip(x, first)])
        got = row["against_optimum"]
        good = near(got["mean"], mean) and near(got["se"], se)
        if row is not o["rows"][0] and seeds > 2 and se > 0:
            good = good and near(got["low"], mean - T_95[seeds] * se, 1e-6) and near(got["high"], mean + T_95[seeds] * se, 1e-6)
        ok(good, f"{seeds} seeds: {row['name']} against the optimum is paired by seed", got)
    same_text(f"{seeds} seeds: compare prints its table", comparison(o), e.call("compare", "-q", "--set", f"compare.seeds={seeds}")[1])


def test_status(e):
    o = e.json("status")
    ok(o["proxies"] == {"runs": 8, "done": 8} and o["corpus"]["domains"] == 4 and all(o["files"].values()), "status counts what is there", o)
    tokens = o["corpus"]["train_tokens"]
    wanted = ["experiment  .", f"corpus      4 domains, {f'{tokens / 1e3:.0f} k' if tokens >= 1e4 else f'{tokens:.0f}'} training tokens", "proxies     8 runs, 8 done",
              f"large       {o['large_models']} models trained"] + [f"{name:22} there" for name in o["files"]]
    same_text("status prints them", wanted, e.call("status")[1])
    os.rename(f"{e.folder}/optimum.yaml", f"{e.folder}/away.yaml")
    os.remove(f"{e.folder}/runs/0001/result.json")
    o = e.json("status")
    ok(o["proxies"]["done"] == 7 and sum(o["proxies"].values()) == 16 and o["files"]["optimum.yaml"] is False, "and what is not", o)
    ok("optimum.yaml           -" in e.call("status")[1], "in the text too")
    os.rename(f"{e.folder}/away.yaml", f"{e.folder}/optimum.yaml")


def test_run(e):
    o = e.json("run", "-q")
    with open(f"{e.folder}/optimum.yaml", encoding="utf-8") as f:
        optimum = f.read()
    ok(set(o) == {"optimum", "comparison", "report"} and o["comparison"] == e.read("large/comparison.json") and o["report"] == "report.html", "run --json has optimum, comparison and page", list(o))
    m, prior, gain = o["optimum"]["mixture"], o["optimum"]["prior"], o["optimum"]["gain"]
    ok(all(f"{d}: " in optimum for d in m), "the optimum is that of optimum.yaml", m)
    low, high = gain["interval"]
    wanted = ["", "The mixture (share of the training tokens):"] + bars(m, prior, None) + [
        f"  (prior: {o['optimum']['prior_text']})",
        f"  Expected gain of proxies over the prior: {gain['estimate']:.4f}, {100 * o['optimum']['level']:.0f} % interval {low:.4f} to {high:.4f}"
        + ("." if low > 0 else ", not clearly better."), "", "The comparison (large models, the same tokens for each):"] + comparison(o["comparison"]) + ["", "The page: report.html"]
    same_text("run prints the mixture, its gain, the comparison and the page", wanted, e.call("run", "-q")[1])


def test_tables(regmix, folder):
    e = Experiment(regmix, folder)
    os.remove(f"{folder}/regmix.yaml")
    put_tables(e)
    tables = ["--mixtures", "x.csv", "--metrics", "y.csv"]
    shown = e.json("fit", *tables, "--out", "fit", "--regressor", "ridge")
    with open(f"{folder}/fit/fit.json", encoding="utf-8") as f:
        fit = json.load(f)
    same_text("fit prints its table", table_of_fit(shown, 4, fit["metrics"][0]["cross_validation"]["folds"]), e.call("fit", *tables, "--out", "fit", "--regressor", "ridge")[1])
    test_scores(fit)
    same_text("score prints its table", table_of_scores(e.json("score", *tables)), e.call("score", *tables)[1])
    e.put("mine.yaml", "{web: 0.4, 'code:python': 0.3, 'code:c': 0.2, long-named-books: 0.1}\n")
    high = ["b_acc"]
    for name, options, more in (
            ("optimize", ["--target", "a_loss"], {}),
            ("optimize two metrics", ["--target", "a_loss", "--target", "c_loss=0.5", "--level", "0.8"], {}),
            ("optimize a score", ["--target", "b_acc"], {}),
            ("optimize against another mixture", ["--target", "a_loss", "--against", "mine.yaml", "--prior", "mine.yaml"], {}),
            ("optimize with a metric held", ["--target", "a_loss", "--no-worse", "b_acc"], {"held": ["b_acc"]}),
            ("optimize by simulation", ["--target", "c_loss", "--method", "simulate", "--samples", "2k"], {}),
            ("optimize by signal", ["--target", "a_loss", "--target", "b_acc", "--weigh", "signal", "--min-signal", "1.5"], {}),
            ("optimize --fold", ["--target", "a_loss", "--fold", "1"], {"fold": 1})):
        o = e.json("optimize", *options)
        if isinstance(o, str):
            ok(False, name, o)
            continue
        ok((o.get("left_out") == ["a_loss"]) == ("--min-signal" in options), f"{name}: what is left out", o.get("left_out"))
        text = e.call("optimize", *options)[1]
        if "fold" in more:
            low, high_share = map(float, next(line for line in text.split("\n") if line.startswith("  code ")).split()[2:4])
            ok(0 <= low <= 100 * sum(w for d, w in o["mixture"].items() if d.startswith("code:")) + 0.05 <= high_share + 0.1 <= 100.1, "a node is inside its interval", text[:600])
            more["nodes"] = {"code": (low / 100, high_share / 100)}
        same_text(f"{name} prints what --json has", answer(o, high, **more), text)
        test_optimum(o, fit, name, high)
    test_orders(e)
    test_tokens(e)


def test_eval(e):
    """Perplexities of text: of words and bytes, which are one number in several units."""
    model = ["--model", "large/optimum/1"]
    o = e.json("eval", *model, "--tasks", "text/a.jsonl")
    r, size = o["results"]["a"], o["texts"]["a"]
    with open(f"{e.folder}/text/a.jsonl", encoding="utf-8") as f:
        docs = [json.loads(line)["text"] for line in f]
    ok((size["documents"], size["words"], size["bytes"]) == (150, sum(len(d.split()) for d in docs), sum(len(d.encode()) for d in docs)), "eval counts documents, words and bytes", size)
    ok(o["n-samples"]["a"] == {"original": 150, "effective": 150}, "and samples", o["n-samples"])
    bits = r["bits_per_byte,none"]
    ok(near(math.log2(r["byte_perplexity,none"]), bits) and near(math.log2(r["word_perplexity,none"]) * size["words"] / size["bytes"], bits),
       "perplexities of bytes and of words, and bits per byte, are one number", r)
    ok(near(r["byte_perplexity_stderr,none"], r["byte_perplexity,none"] * math.log(2) * r["bits_per_byte_stderr,none"]), "so are the errors of those of bytes", r)
    ok(o["higher_is_better"]["a"] == {"word_perplexity": False, "byte_perplexity": False, "bits_per_byte": False}, "lower is better of all", o["higher_is_better"])
    wanted = [f"a (150 documents, {size['words']:.0f} words, {size['bytes']:.0f} bytes, {size['tokens']:.0f} tokens)", f"  word_perplexity {r['word_perplexity,none']:.4g} +- {r['word_perplexity_stderr,none']:.4g}",
              f"  byte_perplexity {r['byte_perplexity,none']:.4f} +- {r['byte_perplexity_stderr,none']:.4f}", f"  bits_per_byte   {bits:.4f} +- {r['bits_per_byte_stderr,none']:.4f}"]
    same_text("eval prints them", wanted, e.call("eval", "-q", *model, "--tasks", "text/a.jsonl")[1])
    o = e.json("eval", *model, "--tasks", "text/a.jsonl", "--limit", "7")
    ok(o["n-samples"]["a"] == {"original": 150, "effective": 7} and o["texts"]["a"]["bytes"] == sum(len(d.encode()) for d in docs[:7]), "--limit takes the first", o)
    # The choices are those of text that the model was trained on, and of letters that it never saw.
    items = "".join(json.dumps({"context": d[:30], "choices": [d[30:60], "~^~^~^~^"], "answer": int(i % 4 == 0)}) + "\n" for i, d in enumerate(docs[:40]))
    e.put("choices.jsonl", items)
    r = e.json("eval", *model, "--tasks", "choices.jsonl")["results"]["choices"]
    with_norm = r["acc_norm,none"]
    ok(near(with_norm, 0.75) and near(r["acc_norm_stderr,none"], math.sqrt(0.75 * 0.25 / 39)), "acc_norm is the share of right answers, with its error", r)


def all_tests(regmix, folder):
    test_tables(regmix, f"{folder}/tables")
    e = Experiment(regmix, f"{folder}/experiment")
    code, _, said = e.call("run", "-q")
    ok(code == 0, "the experiment runs", said)
    test_eval(e)
    test_run(e)
    test_comparison(e, 2)
    e.call("run", "-q", "--set", "compare.seeds=3")
    test_comparison(e, 3)
    test_status(e)


if __name__ == "__main__":
    sys.exit(tests(all_tests))
