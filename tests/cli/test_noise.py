#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_noise.py REGMIX: where the runs teach nothing, the answer is the prior, and every output says so; where they teach something, it is not.

Two CSV files, as a user would give them: mixtures, and losses that are noise alone or depend on the mixture. Speaks TAP.
"""
import itertools
import math
import os
import random
import sys

from small_experiment import Experiment, ok, tests

DOMAINS = ["web", "books", "code", "talk"]
PRIOR = "So the mixture is the prior (the mean of the %d runs) within the constraints. No gain is expected."


def mixtures(draw, runs):
    for _ in range(runs):
        w = [draw.gammavariate(1, 1) for _ in DOMAINS]
        yield [x / sum(w) for x in w]


def tables(e, seed, strength, runs=32, noise=0.1, same=False):
    """strength: how much lower the loss is with all of the text from `web`. The mean of the mixtures."""
    draw = random.Random(seed)
    rows = list(mixtures(draw, runs))
    if same:
        rows = [rows[0]] * runs
    e.put("x.csv", "run," + ",".join(DOMAINS) + "\n" + "".join(f"{i}," + ",".join(f"{x:.9f}" for x in w) + "\n" for i, w in enumerate(rows)))
    e.put("y.csv", "run,loss\n" + "".join(f"{i},{3 + draw.gauss(0, noise) - strength * w[0] ** 0.5:.6f}\n" for i, w in enumerate(rows)))
    return [sum(w[d] for w in rows) / runs for d in range(len(DOMAINS))]


def fit(e, *more):
    e.call("fit", "--mixtures", "x.csv", "--metrics", "y.csv", "--out", "fit", "-q", *more)


def optimum(e, *more):
    """What optimize prints as JSON, as text, and on stderr."""
    tree = e.json("optimize", "--fit", "fit", "--target", "loss", *more)
    code, text, said = e.call("optimize", "--fit", "fit", "--target", "loss", *more)
    ok(code == 0 and isinstance(tree, dict), f"optimize {' '.join(more)} ends well", tree)
    return tree, text, said


def near(mixture, wanted):
    return all(abs(mixture[d] - w) < 1e-6 for d, w in zip(DOMAINS, wanted))


def says_prior(name, found, prior, runs=32):
    tree, text, said = found
    ok(tree["learnt"] is False and tree["method"] == "prior" and tree["why_not"] and near(tree["mixture"], prior), f"{name}: the mixture is the prior", tree)
    ok("The fit has learnt nothing about the target" in text and PRIOR % runs in text, f"{name}: the text says so", text)
    ok("warning: nothing was learnt about the target" in said and "so the prior, under the constraints, is the answer" in said, f"{name}: so does a warning", said)
    ok("better with probability" not in text and abs(tree["score"] - tree["score_prior"]) < 1e-9, f"{name}: no gain is promised", text)


def says_worse(name, found, prior):
    """Nothing is recommended that is expected to be worse than the prior."""
    tree, text, said = found
    ok(near(tree["mixture"], prior) and tree["why_not"].startswith("the best mixture that was found is expected to be worse than the prior (a gain of -"),
       f"{name}: the mixture is the prior", tree)
    ok("The fit has learnt something about the target, but the best mixture" in text and "No gain is expected." in text, f"{name}: the text says so", text)
    ok("so the prior, under the constraints, is the answer" in said and "better with probability" not in text and tree["gain"]["interval"] is None,
       f"{name}: no gain is promised", said)


def test_worse(e):
    """Two sizes, and a loss that only they change. The law finds some signal by luck, and its optimum is expected to be worse than the prior."""
    draw = random.Random(105)
    rows = list(mixtures(draw, 20))
    lines = ["run," + ",".join(DOMAINS) + ",size,tok,loss"]
    for size in (1e7, 5e7):
        for w in rows:
            lines.append(f"r{len(lines)}," + ",".join(f"{x:.6f}" for x in w) + f",{size:.0f},1e9,{2 + 400 / size ** .35 + draw.gauss(0, .02):.5f}")
    e.put("z.csv", "\n".join(lines) + "\n")
    code, _, said = e.call("fit", "--mixtures", "z.csv", "--metrics", "z.csv", *(x for d in DOMAINS for x in ("--mixture-columns", d)), "--metric-columns", "loss", "--size-column", "size",
           "--tokens-column", "tok", "--out", "fit", "-q")
    ok(code == 0, "a table of two sizes is fitted", said)
    prior = [sum(w[d] for w in rows) / 20 for d in range(len(DOMAINS))]
    more = ["--for", "1B,1G", "--replicates", "40"]
    found = optimum(e, *more)
    near_prior = all(abs(found[0]["mixture"][d] - w) < 1e-5 for d, w in zip(DOMAINS, prior))
    ok(near_prior and found[0]["learnt"] and found[0]["method"] == "prior", "what is expected to be worse than the prior is not the answer", found[0])
    says_worse("worse", found, [found[0]["prior"][d] for d in DOMAINS])
    tree = e.json("optimize", "--fit", "fit", "--target", "loss", *more, "--cap", "web=0.1")
    ok(abs(tree["mixture"]["web"] - 0.1) < 1e-6 and abs(sum(tree["mixture"].values()) - 1) < 1e-6, "under a cap the answer keeps it", tree)


def test_noise(e):
    stayed = 0
    for seed in range(1, 9):
        prior = tables(e, seed, 0)
        fit(e)
        found = optimum(e)
        tree, text, _ = found
        ok(tree["learnt"] == (tree["r2"] > 0), f"noise {seed}: learnt is what predicts unseen runs better than their mean does", tree)
        if tree["method"] == "prior" and tree["learnt"]:  # by luck, but not so that a gain is expected
            stayed += 1
            says_worse(f"noise {seed}", found, prior)
        elif tree["learnt"]:  # by luck; the interval must not be fooled
            ok("That is not clearly better: the interval includes 0" in text, f"noise {seed}: what luck found is not clearly better", text)
        else:
            stayed += 1
            says_prior(f"noise {seed}", found, prior)
    ok(stayed >= 5, "of eight tables of noise at least five teach nothing", stayed)


def test_common_noise(e):
    """Six metrics whose noise is nearly the same. Together they are no surer than one. The seeds are those of twenty with a fit that looks as if it had learnt something."""
    names = [f"d{k}" for k in range(8)]
    sure = 0
    for seed in (12, 13, 15, 17):
        draw = random.Random(seed)
        rows = []
        for _ in range(24):
            w = [draw.gammavariate(1, 1) for _ in names]
            rows.append([x / sum(w) for x in w])
        luck = [draw.gauss(0, 1) for _ in rows]
        e.put("x.csv", "run," + ",".join(names) + "\n" + "".join(f"{i}," + ",".join(f"{x:.8f}" for x in w) + "\n" for i, w in enumerate(rows)))
        e.put("y.csv", "run," + ",".join(f"m{k}_loss" for k in range(6)) + "\n"
              + "".join(f"{i}," + ",".join(f"{3 + .1 * (common + .5 * draw.gauss(0, 1)):.6f}" for _ in range(6)) + "\n" for i, common in enumerate(luck)))
        fit(e)
        tree = e.json("optimize", "--fit", "fit", *(x for k in range(6) for x in ("--target", f"m{k}_loss")), "--replicates", "60")
        sure += "versus" in tree and tree["versus"]["prior"]["probability"] > 0.95
    ok(sure <= 2, "of twenty tables of noise at most two are called better with a probability of over 95 %", sure)


def test_signal(e):
    for seed in range(1, 5):
        prior = tables(e, seed, 1)
        fit(e)
        tree, text, said = optimum(e)
        ok(tree["learnt"] and tree["r2"] > 0.5 and tree["why_not"] is None and tree["method"] != "prior", f"signal {seed}: it is learnt", tree)
        ok(tree["mixture"]["web"] > prior[0] + 0.2 and tree["score"] < tree["score_prior"] - 0.1, f"signal {seed}: the mixture has more of what is good", tree)
        ok("learnt nothing" not in text and "nothing was learnt" not in said and "better with probability" in text, f"signal {seed}: no word of the prior as answer", text)


def test_limits(e):
    """Nothing is learnt, but limits hold all the same."""
    seed = next(s for s in range(1, 99) if nothing_learnt(e, s))
    prior = tables(e, seed, 0)
    fit(e)
    tree, text, said = optimum(e, "--cap", "web=0.05")
    rest = [w / sum(prior[1:]) * 0.95 for w in prior[1:]]
    ok(abs(tree["mixture"]["web"] - 0.05) < 1e-6 and "learnt nothing" in text, "a cap holds", tree)
    ok(all(abs(tree["mixture"][d] - w) < 0.02 for d, w in zip(DOMAINS[1:], rest)), "and the rest is as near to the prior as it can be", f"{tree['mixture']} {rest}")
    tree, text, said = optimum(e, "--floor", "code=0.7")
    ok(abs(tree["mixture"]["code"] - 0.7) < 1e-6 and abs(sum(tree["mixture"].values()) - 1) < 1e-9, "a floor holds", tree)
    e.put("mine.yaml", "{web: 0.4, books: 0.3, code: 0.2, talk: 0.1}\n")
    tree, text, said = optimum(e, "--prior", "mine.yaml")
    ok(near(tree["mixture"], [0.4, 0.3, 0.2, 0.1]), "the prior is the one that was given", tree)
    tree, text, said = optimum(e, "--no-guard")
    ok(not near(tree["mixture"], prior) and "what follows is the optimum of that fit, as" in said, "without the guard the fit's optimum is shown, with a warning", said)


def divergence(w, prior):
    return sum(x * math.log(x / p) for x, p in zip(w, prior) if x > 0)


def between(prior, low, high):
    """The prior scaled between bounds, so that the sum is 1: the nearest to it by divergence."""
    least, most = 0, 1e9
    for _ in range(200):
        scale = (least + most) / 2
        w = [min(h, max(x, scale * p)) for p, x, h in zip(prior, low, high)]
        least, most = (scale, most) if sum(w) < 1 else (least, scale)
    return w


def nearest(prior, least, caps):
    """The smallest divergence of a mixture whose weights are 0 or at least `least`: all choices of domains are tried."""
    best = math.inf
    for kept in itertools.product((False, True), repeat=len(prior)):
        low, high = [least * k for k in kept], [c * k for c, k in zip(caps, kept)]
        if sum(low) <= 1 + 1e-12 and sum(high) >= 1 and all(a <= b for a, b in zip(low, high)):
            best = min(best, divergence(between(prior, low, high), prior))
    return best


def test_dropped(e):
    """Nothing is learnt, and small weights are to be dropped: the nearest mixture to the prior is the answer, not a corner."""
    tables(e, next(s for s in range(1, 99) if nothing_learnt(e, s)), 0)
    fit(e)
    for prior in ([0.4, 0.3, 0.2, 0.1], [0.55, 0.15, 0.15, 0.15], [0.7, 0.2, 0.06, 0.04]):
        e.put("mine.yaml", "{%s}\n" % ", ".join(f"{d}: {w}" for d, w in zip(DOMAINS, prior)))
        for least in (0.05, 0.12, 0.16, 0.21, 0.24, 0.3, 0.45):
            for cap in (1, 0.2):
                caps = [cap] + [1] * 3
                tree = e.json("optimize", "--fit", "fit", "--target", "loss", "--quick", "--prior", "mine.yaml", "--drop-below", str(least), "--cap", f"web={cap}")
                w = [tree["mixture"][d] for d in DOMAINS]
                ok(all(x < 1e-9 or x > least - 1e-6 for x in w) and w[0] <= cap + 1e-6, f"drop below {least} from {prior}, cap {cap}: it keeps them", w)
                ok(abs(divergence(w, prior) - nearest(prior, least, caps)) < 1e-5, f"drop below {least} from {prior}, cap {cap}: nearest to the prior", w)
    tree = e.json("optimize", "--fit", "fit", "--target", "loss", "--quick", "--prior", "mine.yaml", "--drop-below", "0.1", "--share", "x=0.3..:code,talk", "--ordered", "web<books")
    w = [tree["mixture"][d] for d in DOMAINS]
    ok(w[0] <= w[1] + 1e-6 and w[2] + w[3] >= 0.3 - 1e-6 and all(x < 1e-9 or x > 0.1 - 1e-6 for x in w), "a share and an order are kept too", w)
    # 0.35 each of web and books, 0.3 of the others by their prior
    ok(abs(divergence(w, prior) - divergence([0.35, 0.35, 0.18, 0.12], prior)) < 1e-5, "and that is the nearest", w)


def nothing_learnt(e, seed):
    tables(e, seed, 0)
    fit(e)
    tree = e.json("optimize", "--fit", "fit", "--target", "loss")
    return not tree["learnt"]


def test_flat(e):
    prior = tables(e, 1, 0, noise=0)
    fit(e)
    found = optimum(e)
    says_prior("a loss that is the same in all runs", found, prior)
    ok(found[0]["why_not"] == "the fit predicts the same for every run", "a constant loss: the reason", found[0])
    tables(e, 1, 1, same=True)
    fit(e)
    tree, text, _ = optimum(e)
    ok(tree["why_not"] == "all runs have the same mixture, so nothing is known about other mixtures" and tree["different_mixtures"] == 1,
       "runs of one mixture: the reason", tree)
    ok("all runs have the same mixture" in text, "runs of one mixture: the text says so", text)


NO_SIGNAL = "no metric of the target has any signal, so the fit predicts none better than its mean does"


def test_weighed(e):
    """By signal, noise weighs nothing. A target of noise alone is still a target, and its answer is the prior."""
    draw = random.Random(5)
    rows = list(mixtures(draw, 32))
    e.put("x.csv", "run," + ",".join(DOMAINS) + "\n" + "".join(f"{i}," + ",".join(f"{x:.9f}" for x in w) + "\n" for i, w in enumerate(rows)))
    e.put("y.csv", "run,good_loss,flat_loss,noise_loss\n" + "".join(
        f"{i},{3 - w[0] ** 0.5 + draw.gauss(0, 0.02):.6f},2.5,{3 + draw.gauss(0, 0.1):.6f}\n" for i, w in enumerate(rows)))
    fit(e)
    prior = [sum(w[d] for w in rows) / len(rows) for d in range(len(DOMAINS))]
    for name, more in (("one metric", ["--target", "flat_loss"]), ("two metrics", ["--target", "flat_loss", "--target", "noise_loss"]),
                       ("a group", ["--target", "g", "--metric-group", "g=flat_loss,noise_loss"])):
        tree = e.json("optimize", "--fit", "fit", "--weigh", "signal", *more)
        code, text, said = e.call("optimize", "--fit", "fit", "--weigh", "signal", *more)
        ok(code == 0 and isinstance(tree, dict) and tree["method"] == "prior" and near(tree["mixture"], prior), f"noise by signal, {name}: the prior", said)
        ok("The fit has learnt nothing about the target" in text, f"noise by signal, {name}: the text says so", text)
        code, text, said = e.call("suggest", "--fit", "fit", "-n", "3", "--no-curve", "--weigh", "signal", *more)
        ok(code == 0 and "nothing was learnt about the target: " in said and "3 mixtures are spread out" in said, f"noise by signal, {name}: suggest says so", said)
    # Constants whose spread over the runs is only rounding, beside a signal.
    for runs, value in ((32, 0.4), (31, 0.35), (30, 0.7), (29, 1.3), (28, 0.25)):
        e.put("c.csv", "run,good_loss,flat_acc\n" + "".join(f"{i},{3 - w[0] ** 0.5 + draw.gauss(0, 0.02):.6f},{value}\n" for i, w in enumerate(rows[:runs])))
        e.put("cx.csv", "run," + ",".join(DOMAINS) + "\n" + "".join(f"{i}," + ",".join(f"{x:.9f}" for x in w) + "\n" for i, w in enumerate(rows[:runs])))
        e.call("fit", "--mixtures", "cx.csv", "--metrics", "c.csv", "--out", "constant", "-q")
        tree = e.json("optimize", "--fit", "constant", "--target", "g", "--metric-group", "g=good_loss,flat_acc", "--weigh", "signal", "--quick")
        ok(tree["learnt"] and tree["left_out"] == ["flat_acc"] and tree["mixture"]["web"] > prior[0] + 0.2, f"by signal, {value} in {runs} runs is left out", tree)
    tree = e.json("optimize", "--fit", "fit", "--target", "noise_loss", "--target", "flat_loss", "--weigh", "signal", "--quick")
    ok(tree["why_not"] == NO_SIGNAL and "min_signal" not in tree and sorted(tree["left_out"]) == ["flat_loss", "noise_loss"], "noise by signal: the reason", tree)
    code, text, said = e.call("optimize", "--fit", "fit", "--target", "noise_loss", "--target", "flat_loss", "--weigh", "signal", "--quick", "--cap", f"web={prior[0] - 0.1:.3f}")
    ok(code == 0 and "No gain is expected" in text and "predicted worse" not in text, "noise by signal: no metric is called worse", text)
    tree = e.json("optimize", "--fit", "fit", "--target", "good_loss", "--target", "noise_loss", "--weigh", "signal", "--quick")
    code, text, said = e.call("optimize", "--fit", "fit", "--target", "good_loss", "--target", "noise_loss", "--weigh", "signal", "--quick")
    ok(tree["learnt"] and tree["left_out"] == ["noise_loss"] and "1 of the 2 metrics of the target is left out: the fit finds no signal in" in said,
       "a metric without signal is left out by name", said)


def test_many(e):
    """Twenty metrics of noise, of which luck makes some look good; and one good metric among them."""
    by_signal = ["--target", "g", "--metric-group", "g=*", "--weigh", "signal"]
    for seed in (21, 22, 23):
        draw = random.Random(seed)
        rows = list(mixtures(draw, 50))
        noise = [[0.4 + draw.gauss(0, 0.02) for _ in range(20)] for _ in rows]
        prior = [sum(w[d] for w in rows) / 50 for d in range(len(DOMAINS))]
        e.put("x.csv", "run," + ",".join(DOMAINS) + "\n" + "".join(f"{i}," + ",".join(f"{x:.9f}" for x in w) + "\n" for i, w in enumerate(rows)))
        for good in (False, True):
            for w, y in zip(rows, noise):
                if good:
                    y[0] = 3 - w[0] ** 0.5 + draw.gauss(0, 0.05)
            e.put("y.csv", "run,good_loss," + ",".join(f"t{k}_acc" for k in range(1, 20)) + "\n" + "".join(f"{i}," + ",".join(f"{v:.6f}" for v in y) + "\n" for i, y in enumerate(noise)))
            fit(e)
            tree = e.json("optimize", "--fit", "fit", *by_signal, "--quick")
            if good:
                ok(tree["learnt"] and tree["mixture"]["web"] > prior[0] + 0.1, f"many, {seed}: a good metric among noise is followed", tree)
            else:
                ok(not tree["learnt"] and tree["method"] == "prior" and near(tree["mixture"], prior), f"many, {seed}: noise gives the prior", tree)


def test_suggest(e):
    """What is proposed where nothing was learnt promises no gain."""
    nothing_learnt(e, next(s for s in range(1, 99) if nothing_learnt(e, s)))
    code, text, said = e.call("suggest", "--fit", "fit", "--target", "loss", "-n", "4", "--no-curve")
    tree = e.json("suggest", "--fit", "fit", "--target", "loss", "-n", "4", "--no-curve")
    ok(code == 0 and "warning: suggest: nothing was learnt about the target: the fit predicts unseen runs no better" in said, "suggest warns of noise", said)
    ok("so the 4 mixtures are spread out" in said and "predicted target" not in said, "and promises nothing", said)
    ok([s["why"] for s in tree["suggestions"]] == ["spreads out"] * 4 and tree["why_not"].startswith("the fit predicts unseen runs no better"),
       "so does its JSON", tree)
    tree = e.json("suggest", "--fit", "fit", "--target", "loss", "-n", "2")
    ok(tree["learning_curve"] is None, "nor does it say what more runs would gain", tree)
    tables(e, 1, 1)
    fit(e)
    tree = e.json("suggest", "--fit", "fit", "--target", "loss", "-n", "4", "--no-curve")
    ok(tree["why_not"] is None and tree["suggestions"][0]["why"] == "may improve", "a signal is followed", tree)


def test_page(e):
    prior = tables(e, next(s for s in range(1, 99) if nothing_learnt(e, s)), 0)
    fit(e)
    optimum(e)
    code, _, said = e.call("report", "--fit", "fit", "--out", "page.html")
    page = open(f"{e.folder}/page.html", encoding="utf-8").read() if os.path.exists(f"{e.folder}/page.html") else ""
    ok(code == 0 and "nothing was learnt about the target" in page, "the page says so too", said or prior)


def all_tests(regmix, folder):
    e = Experiment(regmix, folder)
    os.remove(f"{folder}/regmix.yaml")
    test_noise(e)
    test_common_noise(e)
    test_worse(e)
    test_signal(e)
    test_limits(e)
    test_dropped(e)
    test_flat(e)
    test_weighed(e)
    test_many(e)
    test_suggest(e)
    test_page(e)


if __name__ == "__main__":
    sys.exit(tests(all_tests))
