# SPDX-License-Identifier: Apache-2.0
"""The derived tables of the study: what `regmix` and the measures make of the runs.

Each function takes the data and the program, and returns rows. No rows: not trained yet.
"""
from statistics import mean, pstdev, stdev

import interactions
from measures import (holm, interval_of, mean_interval, mse, mse_of_differences, paired,
                      regret, resampled, spearman, welch)
from tables import LOSSES, SCORE_COLUMNS, TARGET, mixture_of, read, rows_of

GOAL = f"{TARGET}_bpb"
SIZES = {"proxies": "nano, 1M tokens", "middle": "mini, 2M tokens", "big": "midi, 4M tokens"}
SMALL = ["proxies", "tokens500k", "tokens1M", "tokens2M"]
FEWEST = 8  # runs below which nothing is computed


def ranked(predicted, rows, metrics):
    """Mean over metrics of the rank correlation of predictions and truth."""
    return mean(spearman([p[m] for p in predicted], [r[m] for r in rows]) for m in metrics)


def scored(predicted, rows):
    """Measures of predictions of the target, and of all losses, with intervals."""
    guess, true = [p[GOAL] for p in predicted], [r[GOAL] for r in rows]
    out = {"n": len(rows)}
    for name, f in (("spearman", spearman), ("regret", regret)):
        out[name], out[f"{name}_low"], out[f"{name}_high"] = interval_of(f, guess, true)
    out["mse"], out["mse_differences"] = mse(guess, true), mse_of_differences(guess, true)

    def over_all(drawn):
        return ranked([predicted[i] for i in drawn], [rows[i] for i in drawn], LOSSES)
    out["mean_spearman"] = ranked(predicted, rows, LOSSES)
    out["mean_low"], out["mean_high"] = resampled(len(rows), over_all, 200)
    return out


def regression(data, program):
    """Part 1: fits to the smallest proxies, scored on unseen mixtures of every size."""
    train = read("small", "proxies", data)
    out = []
    tests = {s: rows for s in SIZES if len(rows := read("unseen", s, data)) >= FEWEST}
    if len(train) < FEWEST or not tests:
        return []
    for regressor in ("ridge", "trees", "auto"):
        fit = program.fit(train, LOSSES, regressor)
        for size, rows in tests.items():
            out.append({"regressor": regressor, "trained": len(train), "size": size,
                        **scored(program.predict(fit, rows), rows)})
    return out


def others(data, program):
    """Part 1, on other people's swarms: computed by others.py, because the data are not here."""
    del program
    path = data / "others.csv"
    return rows_of(path) if path.exists() else []


def number_or_tokens(data, program):
    """Part 2: the four swarms of equal FLOPs, and the first runs of each of them."""
    tests = {s: rows for s in SIZES if len(rows := read("unseen", s, data)) >= FEWEST}
    out = []
    for swarm in SMALL if tests else []:
        train = read("small", swarm, data)
        runs = len(train)
        while runs >= 32 or (runs >= FEWEST and runs == len(train)):
            fit = program.fit(train[:runs], [GOAL])
            flops = sum(r["flops"] + r["valid_flops"] for r in train[:runs])
            for size, rows in tests.items():
                guess = [p[GOAL] for p in program.predict(fit, rows)]
                true = [r[GOAL] for r in rows]
                rho, low, high = interval_of(spearman, guess, true)
                missed, missed_low, missed_high = interval_of(regret, guess, true)
                out.append({"swarm": swarm, "tokens": train[0]["tokens"], "runs": runs,
                            "of": len(train), "flops": flops, "size": size, "n": len(rows),
                            "spearman": rho, "low": low, "high": high, "regret": missed,
                            "regret_low": missed_low, "regret_high": missed_high,
                            "guess": guess, "true": true})
            runs //= 2
    against_many(out)
    return out


def against_many(rows):
    """Adds how much better the swarm of most proxies ranks than each of the others does, and how
    much better a whole swarm ranks than its first runs."""
    whole = {(r["swarm"], r["size"]): r for r in rows if r["runs"] == r["of"]}
    for (swarm, size), r in whole.items():
        many = whole.get((SMALL[0], size))
        if swarm != SMALL[0] and many:
            r["gain"], r["gain_low"], r["gain_high"] = interval_of(
                lambda a, b, c: spearman(a, c) - spearman(b, c),
                many["guess"], r["guess"], r["true"])
    for r in rows:
        if r["runs"] < r["of"]:
            more = whole[r["swarm"], r["size"]]
            r["rest"], r["rest_low"], r["rest_high"] = interval_of(
                lambda a, b, c: spearman(a, c) - spearman(b, c),
                more["guess"], r["guess"], r["true"])
    for r in rows:
        del r["guess"], r["true"]


def common(a, b):
    """The rows of two swarms that have the same mixture, in the order of the first."""
    def key(row):
        return tuple(round(w, 5) for w in mixture_of(row).values())
    second = {key(r): r for r in b}
    pairs = [(r, second[key(r)]) for r in a if key(r) in second]
    return [p for p, _ in pairs], [q for _, q in pairs]


PAIRS = [
    ("size", "nano, mini", ("unseen", "proxies"), ("unseen", "middle")),
    ("size", "nano, midi", ("unseen", "proxies"), ("unseen", "big")),
    ("size", "mini, midi", ("unseen", "middle"), ("unseen", "big")),
    ("tokens", "250k, 500k", ("small", "proxies"), ("small", "tokens500k")),
    ("tokens", "250k, 1M", ("small", "proxies"), ("small", "tokens1M")),
    ("tokens", "250k, 2M", ("small", "proxies"), ("small", "tokens2M")),
    ("tokens", "1M, 2M", ("small", "tokens1M"), ("small", "tokens2M")),
    ("repetition", "little text: nano, mini", ("repetition", "proxies"), ("repetition", "middle")),
    ("repetition", "little text, matched: nano, mini", ("matched", "proxies"),
     ("repetition", "middle")),
]


def ranks_kept(data, program):
    """Part 3: rank agreement of runs of one mixture, per domain."""
    del program
    out = []
    for kind, name, first, second in PAIRS:
        a, b = common(read(*first, data), read(*second, data))
        if len(a) < FEWEST:
            continue
        for metric in LOSSES:
            rho, low, high = interval_of(spearman, [r[metric] for r in a], [r[metric] for r in b])
            out.append({"kind": kind, "pair": name, "domain": metric[:-len("_bpb")], "n": len(a),
                        "spearman": rho, "low": low, "high": high})

        def over_all(drawn, a=a, b=b):
            return ranked([a[i] for i in drawn], [b[i] for i in drawn], LOSSES)
        low, high = resampled(len(a), over_all, 200)
        out.append({"kind": kind, "pair": name, "domain": "mean", "n": len(a),
                    "spearman": ranked(a, b, LOSSES), "low": low, "high": high})
    return out


def seeds_of(rows, name):
    """The large models of a mixture."""
    return [r for r in rows if r["run"].rsplit("/", 1)[0] == name]


def by_seed(rows, name):
    """The same, by the number of the seed: models of one number are paired."""
    return {r["run"].rsplit("/", 1)[1]: r for r in seeds_of(rows, name)}


def how_much(data, program):
    """Part 4: the spread of the largest models, and best against worst with fresh seeds."""
    del program
    big = read("unseen", "big", data)
    fresh = read("seeds", "large", data)
    best, worst = seeds_of(fresh, "best"), seeds_of(fresh, "worst")
    out = []
    if len(big) < FEWEST:
        return []
    path = data / "tasks.csv"
    guessing = {r["task"]: {"items": r["items"], "chance": r["chance"]}
                for r in (rows_of(path) if path.exists() else [])
                if r["experiment"] == "unseen" and r["swarm"] == "big"}
    for metric in LOSSES + SCORE_COLUMNS:
        x = [r[metric] for r in big if r[metric] is not None]
        if len(x) < FEWEST:
            continue
        task = metric.split("_acc")[0] if "_acc" in metric else None
        row = {"metric": metric, **guessing.get(task, {}), "n": len(x), "low": min(x),
               "high": max(x), "range": max(x) - min(x), "seeds": min(len(best), len(worst))}
        b, w = ([r[metric] for r in rows if r[metric] is not None] for rows in (best, worst))
        if len(b) >= 2 and len(w) >= 2:
            row["seed_sd"] = ((stdev(b) ** 2 + stdev(w) ** 2) / 2) ** 0.5
            row["difference"], row["difference_low"], row["difference_high"], row["p"] = welch(b, w)
        out.append(row)
    known = [r for r in out if "p" in r]
    for r, p in zip(known, holm([r["p"] for r in known])):
        r["holm"] = p
    return out


def with_sign(answer, i, j):
    """The agreement of loss i with score j, and its interval. The one of `regmix correlate` is of
    Spearman's correlation, whose sign an accuracy turns."""
    r, agreement, low, high = (answer[k][i][j] for k in ("spearman", "agreement", "low", "high"))
    if None not in (r, agreement, low, high) and r * agreement < 0:
        low, high = -high, -low
    return {"agreement": agreement, "low": low, "high": high}


def loss_and_score(data, program):
    """Part 5: which loss goes with which score, over the runs of one size."""
    out = []
    for size in SIZES:
        rows = [r for r in read("unseen", size, data)
                if all(r[s] is not None for s in SCORE_COLUMNS)]
        varied = [s for s in SCORE_COLUMNS if len({r[s] for r in rows}) > 2]
        if len(rows) < FEWEST or not varied:
            continue
        answer = program.correlate(rows, LOSSES, varied)
        for i, loss in enumerate(answer["losses"]):
            for j, score in enumerate(answer["scores"]):
                out.append({"size": size, "n": len(rows), "loss": loss[:-len("_bpb")],
                            "score": score,
                            **with_sign(answer, i, j),
                            "clear": int(bool(answer["clear"][i][j]))})
    return out


def crawl(data, program):
    """Part 5: the agreement of two losses with the scores in bits per byte, and its difference. The
    descriptions of packages stand for a web crawl, foldoc for an encyclopedia."""
    del program
    out = []
    scores = [s for s in SCORE_COLUMNS if s.endswith("_bits")]
    for size in SIZES:
        rows = [r for r in read("unseen", size, data) if all(r[s] is not None for s in scores)]
        if len(rows) < FEWEST:
            continue

        def agreement(loss, drawn, rows=rows):
            return mean(spearman([rows[i][f"{loss}_bpb"] for i in drawn],
                                 [rows[i][s] for i in drawn]) for s in scores)

        def off(drawn, f=agreement):
            return f("pkgdesc", drawn) - f("foldoc", drawn)
        everything = range(len(rows))
        low, high = resampled(len(rows), off)
        out.append({"size": size, "n": len(rows), "pkgdesc": agreement("pkgdesc", everything),
                    "foldoc": agreement("foldoc", everything), "difference": off(everything),
                    "low": low, "high": high})
    return out


def methods(data, program):
    """Part 6: what each method reaches, and how far it is from regression, DoReMi and uniform."""
    del program
    path = data / "methods.csv"
    rows = [r for r in rows_of(path) if r["bpb"] is not None] if path.exists() else []
    out = []
    for tokens in sorted({r["large_tokens"] for r in rows}):
        here = [r for r in rows if r["large_tokens"] == tokens]
        losses = {}
        for r in here:
            name = r["method"] if r["experiment"] == "methods" else f"{r['method']}, a tenth"
            losses.setdefault(name, {})[r["seed"]] = r
        losses.pop("uniform, a tenth", None)
        made = []
        for name, mine in losses.items():
            x = [mine[s]["bpb"] for s in sorted(mine)]
            m, se, low, high = mean_interval(x)
            one = next(iter(mine.values()))
            row = {"tokens": tokens, "method": name, "seeds": len(x), "bpb": m, "se": se,
                   "low": low, "high": high, "search_flops": one["search_flops"],
                   "sees_target": one["sees_target"], "status": one["status"]}
            for other in ("regmix", "doremi", "uniform"):
                both = [s for s in mine if s in losses.get(other, {})]
                if other != name and both:
                    off, off_low, off_high, p = paired([mine[s]["bpb"] for s in both],
                                                       [losses[other][s]["bpb"] for s in both])
                    row.update({f"to_{other}": off, f"to_{other}_low": off_low,
                                f"to_{other}_high": off_high, f"to_{other}_p": p})
            made.append(row)
        known = [r for r in made if "to_regmix_p" in r]
        for r, p in zip(known, holm([r["to_regmix_p"] for r in known])):
            r["holm"] = p
        out += sorted(made, key=lambda r: r["bpb"])
    return out


def effects(data, program):
    """Part 7: what a tenth of the tokens moved to a domain does to each loss, as fitted."""
    rows = interactions.rows_for_matrix(data)
    return interactions.matrix(program, rows) if len(rows) >= 32 else []


def tested(data, program, matrix):
    """Part 7: the most surprising entries, against direct runs."""
    del program
    runs = read("interactions", "large", data)
    base = by_seed(runs, "base")
    out = []
    for e in interactions.surprising(matrix):
        row = dict(e)
        metric = f"{e['loss']}_bpb"
        then = by_seed(runs, e["domain"])
        both = sorted(set(base) & set(then))
        row["seeds"] = len(both)
        if both:
            row["measured"], row["low"], row["high"], row["p"] = paired(
                [then[s][metric] for s in both], [base[s][metric] for s in both])
        out.append(row)
    known = [r for r in out if "p" in r]
    for r, p in zip(known, holm([r["p"] for r in known])):
        r["holm"] = p
        r["holds"] = int(p < 0.05 and (r["measured"] < 0) == (r["change"] < 0))
    return out


def recipe(data, program):
    """Part 8: proposals of `auto` with `suggest` against the published recipe's."""
    del program
    runs, trained = read("recipe", "proxies", data), read("proposals", "large", data)
    published = read("small", "proxies", data)
    theirs = {s: r[GOAL] for s, r in by_seed(trained, "recipe").items()}
    out = []
    for name in sorted({r["run"].rsplit("/", 1)[0] for r in trained},
                       key=lambda n: (n.startswith("auto-"), int(n[5:]) if n[5:].isdigit() else 0,
                                      n)):
        mine = {s: r[GOAL] for s, r in by_seed(trained, name).items()}
        used = (published if name == "recipe" else
                runs[:int(name[5:])] if name.startswith("auto-") else [])
        m, se, low, high = mean_interval(list(mine.values()))
        row = {"proposal": name, "runs": len(used), "seeds": len(mine), "bpb": m, "se": se,
               "low": low, "high": high,
               "flops": sum(r["flops"] + r["valid_flops"] for r in used)}
        both = sorted(set(mine) & set(theirs))
        if name != "recipe" and both:
            row["to_recipe"], row["to_low"], row["to_high"], row["p"] = paired(
                [mine[s] for s in both], [theirs[s] for s in both])
        out.append(row)
    return out


def ceiling(data, program):
    """The rank agreement that the noise of seeds allows, at the largest size."""
    del program
    big, fresh = read("unseen", "big", data), read("seeds", "large", data)
    groups = [g for g in (seeds_of(fresh, "best"), seeds_of(fresh, "worst")) if len(g) >= 2]
    out = []
    for metric in LOSSES if len(big) >= FEWEST and groups else []:
        noise = mean(stdev([r[metric] for r in g]) ** 2 for g in groups) ** 0.5
        spread = pstdev([r[metric] for r in big])
        reliability = max(0.0, 1 - noise ** 2 / spread ** 2) if spread else 0.0
        out.append({"metric": metric, "noise": noise, "spread": spread,
                    "ceiling": reliability ** 0.5})
    return out


def half_way(data, program):
    """Part 3: do losses at half way rank the mixtures as those at the end do?"""
    del program
    out = []
    for experiment, swarm in [("small", s) for s in SMALL] + [("unseen", s) for s in SIZES]:
        rows = [r for r in read(experiment, swarm, data) if r[f"half_{TARGET}"] is not None]
        if len(rows) >= FEWEST:
            rho, low, high = interval_of(spearman, [r[f"half_{TARGET}"] for r in rows],
                                         [r[GOAL] for r in rows])
            out.append({"experiment": experiment, "swarm": swarm, "n": len(rows), "spearman": rho,
                        "low": low, "high": high,
                        "fall": mean(r[f"half_{TARGET}"] - r[GOAL] for r in rows)})
    return out


def all_tables(data, program):
    """Name -> rows, in the order in which the page shows them."""
    out = {name: f(data, program) for name, f in (
        ("regression", regression), ("others", others), ("ceiling", ceiling),
        ("number", number_or_tokens), ("ranks", ranks_kept), ("half", half_way),
        ("matters", how_much), ("losses", loss_and_score), ("crawl", crawl), ("methods", methods),
        ("effects", effects))}
    out["entries"] = tested(data, program, out["effects"])
    out["recipe"] = recipe(data, program)
    return out
