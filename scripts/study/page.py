# SPDX-License-Identifier: Apache-2.0
"""The figures and the page, from the derived tables. The text is page.html and verdicts.py."""
import re
from html import escape
from pathlib import Path

import draw
import verdicts
from tables import DOMAINS, LOSSES, ROOT
from verdicts import SIZE_NAMES, SIZES, STATES, number, real

HERE = Path(__file__).resolve().parent
NAMES = [m[:-len("_bpb")] for m in LOSSES]
REGRESSORS = ["ridge", "trees", "auto"]


def both(f, *arguments, **named):
    """A figure for a desk and for a telephone."""
    return f(*arguments, draw.WIDE, **named), f(*arguments, draw.NARROW, **named)


def draw_regression(t):
    rows = []
    for size in SIZES:
        here = [r for r in t["regression"] if r["size"] == size]
        if here:
            rows.append((f"{SIZE_NAMES[size]}, {here[0]['n']:.0f} unseen mixtures", None))
        rows += [(r["regressor"], REGRESSORS.index(r["regressor"]), r["mean_spearman"],
                  r["mean_low"], r["mean_high"]) for r in here]
    return both(draw.intervals, "regression", "Rank correlation of fits with unseen mixtures",
                "mean rank correlation over 17 losses", rows, [])


def draw_others(t):
    rows = []
    for r in t["others"]:
        head = f"{r['swarm']}: {r['from']} to {r['to']}"
        if not any(x[0] == head for x in rows):
            rows.append((head, None))
        rows.append((r["regressor"], REGRESSORS.index(r["regressor"]), r["spearman"], r["low"],
                     r["high"]))
    return both(draw.intervals, "others", "The same on other people's swarms",
                "mean rank correlation over metrics", rows, [])


def draw_number(t):
    size, rows = verdicts.largest(t["number"])
    series = {}
    for r in sorted(rows, key=lambda r: (r["tokens"], r["runs"])):
        series.setdefault(verdicts.tokens(r["tokens"]), []).append(
            (r["flops"], r["spearman"], *((r["low"], r["high"]) if r["runs"] == r["of"] else
                                          (float("nan"), float("nan")))))
    return both(draw.lines, "number", "Rank correlation against what the proxies cost",
                "FLOPs of all proxies",
                f"rank correlation on the target, {SIZE_NAMES[size]} models", series)


def pairs_of(t):
    return list(dict.fromkeys(r["pair"] for r in t["ranks"]))


def draw_ranks(t):
    value = {(r["domain"], r["pair"]): r["spearman"] for r in t["ranks"]}
    return both(heat_of_agreement, "ranks", "Rank correlation of true losses, by domain",
                NAMES + ["mean"], pairs_of(t), lambda a, b: value.get((a, b)))


def heat_of_agreement(name, title, rows, columns, value, width, marked=()):
    return draw.heat(name, title, rows, columns, value, width, 1.0, good=1, marked=marked)


def short_name(column):
    return column.replace("_acc_norm", ", by length").replace("_acc", "")


def draw_matters(t):
    rows = [(short_name(r["metric"]), 0, 100 * r["difference"],
             100 * r["difference_low"], 100 * r["difference_high"])
            for r in t["matters"] if "_acc" in r["metric"] and real(r.get("difference"))]
    if rows:
        return both(draw.intervals, "matters", "Best minus worst mixture, in points of accuracy",
                    "points, best minus worst mixture", rows, [], zero=0)
    rows = [(short_name(r["metric"]), 0, 100 * r["high"], 100 * r["low"], 100 * r["high"])
            for r in t["matters"] if "_acc" in r["metric"]]
    return both(draw.intervals, "matters", "Accuracies of the midi models, from least to greatest",
                "accuracy, %, least to greatest", rows, [])


def draw_losses(t):
    _, rows = verdicts.largest(t["losses"])
    value = {(r["loss"], r["score"]): r for r in rows}
    scores = list(dict.fromkeys(r["score"] for r in rows if "acc_norm" not in r["score"]))
    return both(heat_of_agreement, "losses", "Agreement of losses with scores", NAMES, scores,
                lambda a, b: (value.get((a, b)) or {}).get("agreement"),
                marked={k for k, r in value.items() if r["clear"]})


def draw_methods(t):
    counts = sorted({r["tokens"] for r in t["methods"]})
    rows = []
    for method in dict.fromkeys(r["method"] for r in sorted(
            t["methods"], key=lambda r: (-r["tokens"], r["bpb"]))):
        here = [r for r in t["methods"] if r["method"] == method]
        rows += [(method if r is here[0] else "", counts.index(r["tokens"]), r["bpb"], r["low"],
                  r["high"]) for r in here]
    return both(draw.intervals, "methods", "Loss of the target on what each method chose",
                "bits per byte of the target", rows,
                [verdicts.tokens(c) for c in counts])


def draw_effects(t):
    value = {(r["domain"], r["loss"]): r["sd"] for r in t["effects"]}
    most = max((abs(v) for (d, m), v in value.items() if d != m), default=1)
    return both(heat_of_effects, "effects", "What moving a tenth of the tokens does to each loss",
                DOMAINS, NAMES, lambda a, b: value.get((a, b)), most,
                {(r["domain"], r["loss"]) for r in t["entries"]})


def heat_of_effects(name, title, rows, columns, value, most, marked, width):
    return draw.heat(name, title, rows, columns, value, width, most, digits=1, marked=marked)


def draw_recipe(t):
    rows = [(f"{r['proposal']}" + (f", {r['runs']:.0f} runs" if r["proposal"] == "recipe" else ""),
             0 if r["proposal"].startswith("auto") else 1, r["bpb"], r["low"], r["high"])
            for r in t["recipe"]]
    return both(draw.intervals, "recipe", "Loss of the target on each proposal",
                "bits per byte of the target", rows, [])


DRAWN = {"regression": draw_regression, "others": draw_others, "number": draw_number,
         "ranks": draw_ranks, "matters": draw_matters, "losses": draw_losses,
         "methods": draw_methods, "effects": draw_effects, "recipe": draw_recipe}


def figures(t):
    return {name: f(t) for name, f in DRAWN.items() if t.get(name)}


def flops(x):
    return f"{x:.2g}" if real(x) else "\u2013"


def whole(x):
    return f"{x:,.0f}" if real(x) else "\u2013"


def text(x):
    return x if isinstance(x, str) else f"{x:g}"


def fine(x):
    return number(x, 4)


# Columns of the page's tables: heading, key, how it is written. The CSV files have more.
TABLES = {
    "regression": [("model", "size", lambda s: SIZE_NAMES[s]), ("regressor", "regressor", text),
                   ("mixtures", "n", whole), ("correlation, 17 losses", "mean_spearman", number),
                   ("from", "mean_low", number), ("to", "mean_high", number),
                   ("target", "spearman", number), ("from", "spearman_low", number),
                   ("to", "spearman_high", number), ("MSE", "mse", fine),
                   ("MSE of differences", "mse_differences", fine), ("regret", "regret", fine),
                   ("from", "regret_low", fine), ("to", "regret_high", fine)],
    "others": [("swarm", "swarm", text), ("from", "from", text), ("to", "to", text),
               ("regressor", "regressor", text), ("mixtures", "n", whole),
               ("correlation", "spearman", number), ("from", "low", number), ("to", "high", number),
               ("MSE of differences", "mse_differences", fine), ("regret", "regret", fine),
               ("true losses", "truth", number)],
    "number": [("tokens", "tokens", whole), ("runs", "runs", whole), ("FLOPs", "flops", flops),
               ("model", "size", lambda s: SIZE_NAMES[s]), ("correlation", "spearman", number),
               ("from", "low", number), ("to", "high", number), ("regret", "regret", fine),
               ("from", "regret_low", fine), ("to", "regret_high", fine)],
    "ranks": [("runs", "pair", text), ("loss", "domain", text), ("mixtures", "n", whole),
              ("correlation", "spearman", number), ("from", "low", number), ("to", "high", number)],
    "matters": [("measure", "metric", verdicts.score_name), ("guessing", "chance", fine),
                ("least", "low", fine),
                ("greatest", "high", fine), ("best \u2212 worst", "difference", fine),
                ("from", "difference_low", fine), ("to", "difference_high", fine),
                ("sd of seeds", "seed_sd", fine), ("p, Holm", "holm", fine)],
    "losses": [("model", "size", lambda s: SIZE_NAMES[s]), ("loss", "loss", text),
               ("score", "score", verdicts.score_name), ("agreement", "agreement", number),
               ("from", "low", number), ("to", "high", number)],
    "methods": [("method", "method", text), ("tokens", "tokens", whole), ("loss", "bpb", fine),
                ("se", "se", fine), ("minus regmix", "to_regmix", fine),
                ("from", "to_regmix_low", fine), ("to", "to_regmix_high", fine),
                ("p, Holm", "holm", fine), ("minus uniform", "to_uniform", fine),
                ("search FLOPs", "search_flops", flops),
                ("sees target", "sees_target", lambda x: "yes" if x == 1 else "no")],
    "entries": [("domain", "domain", text), ("loss", "loss", text), ("predicted", "change", fine),
                ("measured", "measured", fine), ("from", "low", fine), ("to", "high", fine),
                ("p, Holm", "holm", fine),
                ("holds", "holds", lambda x: ("yes" if x else "no") if real(x) else "\u2013")],
    "recipe": [("proposal", "proposal", text), ("runs", "runs", whole), ("FLOPs", "flops", flops),
               ("loss", "bpb", fine), ("se", "se", fine), ("minus recipe", "to_recipe", fine),
               ("from", "to_low", fine), ("to", "to_high", fine)],
}
SHOWN = {"losses": lambda r: r["clear"] == 1,
         "ranks": lambda r: r["domain"] == "mean" or (real(r["high"]) and r["high"] < 0.9)}
KEPT = {"losses": "the pairs that are clear", "ranks": "the means, and what is clearly below 0.9"}
MOST_ROWS = 60


def table(name, rows):
    columns = TABLES[name]
    rows = [r for r in rows if SHOWN.get(name, lambda r: True)(r)]
    if name == "losses":  # the verdict is of the largest size
        rows.sort(key=lambda r: -SIZES.index(r["size"]))
    of, rows = len(rows), rows[:MOST_ROWS]
    head = "".join(f"<th>{escape(h)}</th>" for h, _, _ in columns)
    body = "".join("<tr>" + "".join(
        f"<td>{escape(f(r.get(k, float('nan'))))}</td>" for _, k, f in columns) + "</tr>\n"
        for r in rows)
    kept = f": {KEPT[name]}" if name in KEPT else ""
    kept += f", {MOST_ROWS} of {of}" if of > MOST_ROWS else ""
    return (f'<details data-table="{name}"><summary>Table{kept}</summary>'
            f'<div class="scroll"><table>'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
            f'<p class="soft"><a href="tables/{name}.csv">tables/{name}.csv</a>, made by '
            f"<code>python3 scripts/study/make.py build/regmix</code></p></details>")


def figure(name, drawn):
    wide, narrow = drawn
    return (f'<figure data-chart="{name}"><figcaption><h3>{escape(wide.title)}</h3></figcaption>'
            f"{wide.svg(False)}{narrow.svg(False)}"
            f'<p class="soft"><a href="figures/{name}.svg">figures/{name}.svg</a></p></figure>')


def verdict(v):
    said = "" if v == verdicts.UNTRAINED else f'<p class="lead">{escape(v.sentence)}</p>'
    said += f"<p>{escape(v.more)}</p>" if v.more else ""
    return f'<p class="state {v.state}">{STATES[v.state]}</p>{said}'


def summary(judged):
    """What did not replicate is first."""
    out = []
    for state, heading in STATES.items():
        here = [(name, claim, v) for name, claim, v in judged if v.state == state]
        if not here and state != "no":
            continue
        items = "".join(
            f'<li><a href="#{name}"><b>{escape(claim)}.</b></a> '
            f'<span>{escape(v.sentence) if state != "untrained" else ""}</span></li>\n'
            for name, claim, v in here) or "<li>Nothing so far.</li>\n"
        out.append(f'<p class="state {state}">{heading}</p>\n<ul class="claims">\n{items}</ul>')
    return "\n".join(out)


def about_ceiling(t):
    if not t["ceiling"]:
        return "How high the noise of seeds lets a correlation be is not known yet."
    least = min(t["ceiling"], key=lambda r: r["ceiling"])
    mean = sum(r["ceiling"] for r in t["ceiling"]) / len(t["ceiling"])
    return (f"The noise of seeds lets a perfect prediction reach {number(mean, 3)} on average over "
            f"the losses of midi models, and {number(least['ceiling'], 3)} for "
            f"{least['metric'][:-len('_bpb')]}.")


def about_others(t):
    if not t["others"]:
        return "Not computed yet."
    best = {}
    for r in t["others"]:
        best.setdefault((r["swarm"], r["from"], r["to"]), {})[r["regressor"]] = r["spearman"]
    best = {k: b for k, b in best.items() if "auto" in b and "ridge" in b}
    trees = [b for b in best.values() if "trees" in b]
    wins = sum(1 for b in trees if b["trees"] > b["ridge"])
    top = sum(1 for b in best.values() if b["auto"] >= max(b.values()))
    return (f"On {verdicts.counted(len(best), 'step')} from a smaller size to a larger one, auto "
            f"ranks best in {top}. Where there are enough runs for the trees "
            f"({verdicts.counted(len(trees), 'step')}), they rank better than ridge in {wins}. "
            "The column \u201ctrue losses\u201d has the agreement of the two sizes without a fit, "
            "on all mixtures.")


def about_made(made):
    if not made:
        return "<p>Nothing is trained yet.</p>"
    rows = "".join(f"<tr><td>{escape(r['experiment'])}</td><td>{r['runs']:.0f}</td>"
                   f"<td>{escape(r['first'])}</td><td>{escape(r['last'])}</td>"
                   f"<td>{number(r['hours'], 1)}</td><td>{escape(r['machine'])}</td>"
                   f"<td>{escape(r['isa'])}</td></tr>" for r in made)
    return ('<div class="scroll"><table><thead><tr><th>experiment</th><th>runs</th><th>first</th>'
            "<th>last</th><th>hours of a core</th><th>machine</th><th>kernels</th></tr></thead>"
            f"<tbody>{rows}</tbody></table></div><p class=\"soft\">Together "
            f"{number(sum(r['hours'] for r in made), 1)} hours of a core, while other programs "
            "ran. docs/results/README.md describes the machines.</p>")


def runs_of(made):
    """experiment -> runs, of all machines together."""
    out = {}
    for r in made:
        out[r["experiment"]] = out.get(r["experiment"], 0) + r["runs"]
    return out


def about_trained(made):
    runs = sum(r["runs"] for r in made)
    lacks = any(verdicts.missing(n, runs_of(made)) for n in verdicts.NEEDS)
    return (f"{runs:,.0f} models were trained." + (
        " More are to come, so answers may change." if lacks else "")
        if made else "Nothing is trained yet.")


def render(t, drawn, made):
    judged = verdicts.all_verdicts(t, runs_of(made))
    parts = {"css": (ROOT / "src/report/assets/page.css").read_text(encoding="utf-8"),
             "figure-css": draw.STYLE, "summary": summary(judged), "trained": about_trained(made),
             "ceiling": about_ceiling(t), "others": about_others(t),
             "half": escape(verdicts.half(t)), "enough": escape(verdicts.enough(t)),
             "repetition": escape(verdicts.repetition(t)),
             "made": about_made(made)}
    for name, _, v in judged:
        parts[f"verdict-{name}"] = verdict(v)
    for name in DRAWN:
        parts[f"figure-{name}"] = figure(name, drawn[name]) if name in drawn else ""
    for name in TABLES:
        parts[f"table-{name}"] = table(name, t[name]) if t.get(name) else ""
    template = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{([a-z-]+)\}\}", lambda m: parts[m[1]], template)
