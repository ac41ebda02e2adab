# SPDX-License-Identifier: Apache-2.0
"""What the derived tables say about each claim, in words. Nothing here knows a result.

A verdict is (state, sentence, more). `state` is one of STATES; the first screen has the sentence,
the part has both. Each function takes all derived tables.
"""
import math
from collections import namedtuple

from tables import PLANNED

STATES = {"no": "Did not replicate", "unclear": "Not clear", "yes": "Replicated",
          "untrained": "Not trained yet"}
Verdict = namedtuple("Verdict", "state sentence more", defaults=[""])
UNTRAINED = Verdict("untrained", "Not trained yet.")
GOOD_RANKS = 0.9  # a rank correlation that keeps nearly all of an order
CLEAR_ERRORS = 3  # standard errors above guessing that the best of some 16 models needs
MUCH = 0.05  # a difference of accuracies that matters
SIZES = ["proxies", "middle", "big"]
SIZE_NAMES = {"proxies": "nano", "middle": "mini", "big": "midi"}
SCORE_NAMES = {"acc": "accuracy", "acc_norm": "accuracy by length",
               "bits": "bits per byte"}


def real(x):
    return isinstance(x, (int, float)) and not math.isnan(x)


def number(x, digits=2):
    return f"{x:.{digits}f}".replace("-", "\u2212") if real(x) else "\u2013"


def span(low, high, digits=2):
    if not (real(low) and real(high)):
        return "no interval"
    return f"95\u00a0% interval {number(low, digits)} to {number(high, digits)}"


def tokens(n):
    return f"{n / 1e6:.2g}M tokens" if n >= 1e6 else f"{n / 1e3:.0f}k tokens"


def counted(n, one, many=None):
    words = "no one two three four five six seven eight nine ten".split()
    text = words[n] if 0 <= n < len(words) else str(n)
    return f"{text} {one if n == 1 else many or one + 's'}"


def listed(names):
    names = list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def above(low, high, threshold):
    """yes: the interval is above the threshold, no: below it, unclear: neither."""
    if not (real(low) and real(high)):
        return "unclear"
    return "yes" if low >= threshold else "no" if high < threshold else "unclear"


def score_name(column):
    """blimp_acc_norm -> blimp, accuracy by length"""
    for end in ("_acc_norm", "_acc", "_bits"):
        if column.endswith(end):
            return f"{column[:-len(end)]}, {SCORE_NAMES[end[1:]]}"
    return column[:-len("_bpb")]


def largest(rows):
    """The rows of the largest size that there is."""
    size = max((r["size"] for r in rows), key=SIZES.index)
    return size, [r for r in rows if r["size"] == size]


def regression(t):
    if not t["regression"]:
        return UNTRAINED
    size, rows = largest(t["regression"])
    by = {r["regressor"]: r for r in rows}
    trees, ridge, auto = by["trees"], by["ridge"], by["auto"]
    state = above(auto["mean_low"], auto["mean_high"], GOOD_RANKS)
    said = (f"Fits of {trees['trained']:.0f} proxies rank {trees['n']:.0f} unseen mixtures for "
            f"{SIZE_NAMES[size]} models with a mean rank correlation over 17 losses of "
            f"{number(auto['mean_spearman'])} (auto; "
            f"{span(auto['mean_low'], auto['mean_high'])}), {number(trees['mean_spearman'])} "
            f"(trees) and {number(ridge['mean_spearman'])} (ridge). "
            f"The claim needs all of the interval of auto above {GOOD_RANKS}.")
    better = sum(1 for s in {r["size"] for r in t["regression"]}
                 if value(t, "trees", s) > value(t, "ridge", s))
    n = len({r["size"] for r in t["regression"]})
    return Verdict(state, said, f"Trees have a higher mean than ridge at {better} of {n} sizes.")


def value(t, regressor, size):
    return next(r["mean_spearman"] for r in t["regression"]
                if r["regressor"] == regressor and r["size"] == size)


def number_of_proxies(t):
    if not t["number"]:
        return UNTRAINED
    known = [r for r in t["number"] if real(r.get("gain"))]
    if not known:
        return Verdict("unclear", "Only one of the four swarms of equal FLOPs is trained, so "
                                  "number and tokens cannot be compared yet.")
    size, rows = largest(known)
    last = max(rows, key=lambda r: r["tokens"])
    state = above(last["gain_low"], last["gain_high"], 0)
    words = {"yes": "More proxies rank better than more tokens do",
             "no": "More tokens rank better than more proxies do",
             "unclear": "Neither more proxies nor more tokens rank clearly better"}[state]
    whole = sorted((r for r in t["number"] if r["runs"] == r["of"] and r["size"] == size),
                   key=lambda r: r["tokens"])
    many = whole[0]["of"]
    return Verdict(state, f"{words}, at equal FLOPs: {many:.0f} short proxies against "
                   f"{last['of']:.0f} of {tokens(last['tokens'])} differ by "
                   f"{number(last['gain'])} in the rank correlation for {SIZE_NAMES[size]} models "
                   f"({span(last['gain_low'], last['gain_high'])}).",
                   f"From most proxies to fewest, the correlations are "
                   f"{listed(number(r['spearman']) for r in whole)}.")


def enough(t):
    """A sentence on where more proxies stop to matter."""
    if not t["number"]:
        return ""
    size, rows = largest(t["number"])
    rows = [r for r in rows if r["tokens"] == min(r["tokens"] for r in rows)]
    whole = max(r["of"] for r in rows)
    parts = sorted((r for r in rows if real(r.get("rest"))), key=lambda r: r["runs"])
    equal = next((r for r in parts if not r["rest_low"] > 0), None)
    if not parts:
        return ""
    if not equal:
        return (f"Among the shortest proxies, all {whole:.0f} rank clearly better for "
                f"{SIZE_NAMES[size]} models than any part of them.")
    return (f"Among the shortest proxies, {equal['runs']:.0f} rank mixtures for {SIZE_NAMES[size]} "
            f"models not clearly worse than all {whole:.0f}: the difference is "
            f"{number(equal['rest'])} ({span(equal['rest_low'], equal['rest_high'])})."
            + (" So wide an interval does not show that they are enough."
               if equal["rest_high"] > MUCH else ""))


def ranks(t):
    rows = [r for r in t["ranks"] if r["kind"] == "size"]
    if not rows:
        rows = [r for r in t["ranks"] if r["kind"] == "tokens"]
    if not rows:
        return UNTRAINED
    pair = next((p for p in ("nano, midi", "mini, midi", "nano, mini")
                 if any(r["pair"] == p for r in rows)), rows[-1]["pair"])
    rows = [r for r in rows if r["pair"] == pair]
    whole = next(r for r in rows if r["domain"] == "mean")
    domains = sorted((r for r in rows if r["domain"] != "mean"), key=lambda r: r["spearman"])
    broken = [r["domain"] for r in domains if real(r["high"]) and r["high"] < GOOD_RANKS]
    state = above(whole["low"], whole["high"], GOOD_RANKS)
    said = (f"The mean rank correlation of true losses, {pair}, is {number(whole['spearman'])} "
            f"over {whole['n']:.0f} mixtures ({span(whole['low'], whole['high'])}). ")
    named = broken[:4] + ([f"{len(broken) - 4} more"] if len(broken) > 4 else [])
    said += f"The claim needs all of it above {GOOD_RANKS}. "
    said += (f"All of the interval is below it for {listed(named)}." if broken else
             f"No domain has all of its interval below it; the lowest is {domains[0]['domain']} "
             f"({number(domains[0]['spearman'])}).")
    return Verdict(state, said)


def repetition(t):
    """A sentence on what repetition does to ranks."""
    mean = {r["pair"]: r for r in t["ranks"] if r["domain"] == "mean"}
    plain, matched = "little text: nano, mini", "little text, matched: nano, mini"
    if plain not in mean:
        return "Repetition: not trained yet."
    said = (f"Where text is scarce and the larger models repeat it, proxies that read all of it "
            f"have a mean rank correlation of {number(mean[plain]['spearman'])} with them "
            f"({span(mean[plain]['low'], mean[plain]['high'])})")
    if "nano, mini" in mean:
        said += f"; with much text it is {number(mean['nano, mini']['spearman'])}"
    if matched in mean:
        said += (f". Proxies that repeat as much as the larger models have "
                 f"{number(mean[matched]['spearman'])} "
                 f"({span(mean[matched]['low'], mean[matched]['high'])})")
    return said + "."


def half(t):
    """A sentence on whether proxies train past the first fast fall."""
    if not t["half"]:
        return ""
    worst = min(t["half"], key=lambda r: r["spearman"])
    return (f"Do the proxies train past the first fast fall? The target's losses half way through "
            f"and at the end have a rank correlation of at least {number(worst['spearman'], 3)} "
            f"(least: {worst['experiment']}, {worst['swarm']}).")


def error_of_guessing(r):
    return math.sqrt(r["chance"] * (1 - r["chance"]) / r["items"])


def matters(t):
    if not t["matters"]:
        return UNTRAINED
    known = [r for r in t["matters"] if real(r.get("holm"))]
    points = [r for r in t["matters"] if "_acc" in r["metric"]]
    wide = max(points, key=lambda r: r["range"]) if points else None
    said = more = ""
    if wide:
        said = (f"Over {wide['n']:.0f} midi models an accuracy differs by up to "
                f"{100 * wide['range']:.1f} points ({score_name(wide['metric'])}). ")
    guessed = [r for r in points if real(r.get("chance"))]
    low = [r for r in guessed if r["high"] - r["chance"] < CLEAR_ERRORS * error_of_guessing(r)]
    if guessed:
        more = (f"Guessing has a known accuracy in {len(guessed)} of them. In {len(low)} of these "
                "not even the best model is clearly above guessing.")
    if not known:
        return Verdict("unclear", said + "Seeds are not trained yet, so the noise is not known.",
                       more)
    acc = [r for r in known if "_acc" in r["metric"]]
    clear = [r for r in acc if r["holm"] < 0.05]
    losses = [r for r in known if "_acc" not in r["metric"]]
    small = acc and all(max(-r["difference_low"], r["difference_high"]) < MUCH for r in acc)
    state = "yes" if clear else "no" if small else "unclear"
    said += (f"Best against worst mixture with fresh seeds: {len(clear)} of {len(acc)} accuracies "
             f"and {sum(r['holm'] < 0.05 for r in losses)} of {len(losses)} losses in bits per "
             "byte differ clearly, after Holm's correction.")
    return Verdict(state, said, more)


def losses(t):
    if not t["losses"]:
        return UNTRAINED
    size, rows = largest(t["losses"])
    clear = [r for r in rows if r["clear"]]
    means = {}
    for r in rows:
        if r["score"].endswith("_bits") and real(r["agreement"]):
            means.setdefault(r["loss"], []).append(r["agreement"])
    order = sorted(means, key=lambda d: -sum(means[d]) / len(means[d]))
    said = (f"Of {len(rows)} pairs of a loss and a score, over {rows[0]['n']:.0f} "
            f"{SIZE_NAMES[size]} models, {len(clear)} are clear after Holm's correction, "
            f"{sum('_acc' in r['score'] for r in clear)} of them with an accuracy. ")
    wrong = sum(r["agreement"] < 0 for r in clear)
    if wrong:
        said += f"In {wrong} of them a lower loss goes with a worse score. "
    if not clear or not order:
        return Verdict("unclear", said + "So no loss can be called the best predictor.")
    place = {d: i + 1 for i, d in enumerate(order)}
    more = (f"The losses that agree best with the scores in bits per byte are "
            f"{listed(order[:3])}.")
    more += (f" Descriptions of packages are number {place['pkgdesc']} of {len(order)}, and foldoc "
             f"number {place['foldoc']}.")
    two = next((r for r in t["crawl"] if r["size"] == size), None)
    if not two:
        return Verdict("unclear", said, more)
    said += ("There is no web crawl and no encyclopedia here. Package descriptions, the text most "
             f"like the web, agree by {number(two['pkgdesc'])} with scores in bits per byte, and "
             f"foldoc, a dictionary of computing, by {number(two['foldoc'])}; difference "
             f"{span(two['low'], two['high'], 3)}.")
    more += "".join(f" For {SIZE_NAMES[r['size']]} models the difference is "
                    f"{number(r['difference'], 3)} ({span(r['low'], r['high'], 3)})."
                    for r in t["crawl"] if r is not two and real(r.get("difference")))
    return Verdict("yes" if two["low"] > 0 else "no" if two["high"] < 0 else "unclear", said, more)


TENTH = "regmix, a tenth"


def uniform_wins(doremi):
    """Whether uniform weights are clearly better than DoReMi's."""
    low = doremi.get("to_uniform_low")
    return real(low) and low > 0


def beside_uniform(doremi, tenth):
    """Sentences on whether it is hard to be better than DoReMi: uniform weights cost nothing."""
    if not uniform_wins(doremi):
        return ""
    low, high = doremi["to_uniform_low"], doremi["to_uniform_high"]
    off, off_low, off_high = (tenth.get(k) for k in ("to_uniform", "to_uniform_low",
                                                     "to_uniform_high"))
    word = ("not clearly different from" if not real(off_low) or off_low <= 0 <= off_high else
            "lower than" if off < 0 else "higher than")
    return (f"This comparison is easy here: DoReMi's loss is {number(doremi['to_uniform'], 3)} "
            "bits per byte above that of uniform weights "
            f"({span(low, high, 3)}). The loss of regression with a tenth of the FLOPs is {word} "
            f"that of uniform weights: the difference is {number(off, 3)} "
            f"({span(off_low, off_high, 3)}).")


def methods(t):
    if not t["methods"]:
        return UNTRAINED
    longest = max(r["tokens"] for r in t["methods"])
    rows = {r["method"]: r for r in t["methods"] if r["tokens"] == longest}
    rivals = [r for r in rows.values() if r["method"] not in ("regmix", TENTH)]
    clear = [r for r in rivals if real(r.get("holm")) and r["holm"] < 0.05]
    ahead = [r["method"] for r in clear if r["to_regmix"] < 0]
    said = (f"With {tokens(longest)}, "
            + (f"{listed(ahead)} {'is' if len(ahead) == 1 else 'are'} clearly better than regmix; "
               if ahead else "no method is clearly better than regmix; ")
            + f"{len(clear) - len(ahead)} of {len(rivals)} are clearly worse (Holm). ")
    tenth = rows.get(TENTH)
    if not tenth or not real(tenth.get("to_doremi")):
        return Verdict("unclear", said + "Regression with a tenth of the FLOPs: not trained yet.")
    ratio = rows["doremi"]["search_flops"] / tenth["search_flops"]
    low, high = tenth["to_doremi_low"], tenth["to_doremi_high"]
    state = "unclear" if not real(low) else "yes" if high < 0 else "no" if low > 0 else "unclear"
    if ratio < 8:
        return Verdict("unclear", said + f"Regression with a tenth of the FLOPs had 1/{ratio:.1f}.")
    word = {"yes": "lower", "no": "higher", "unclear": "not clearly different"}[state]
    return Verdict(state, said + f"With a {ratio:.0f}th of DoReMi's FLOPs, everything counted, the "
                   f"loss of regression is {word}: the difference is "
                   f"{number(tenth['to_doremi'], 3)} bits per byte ({span(low, high, 3)})."
                   + (" Uniform weights, which cost nothing, are better than DoReMi's too."
                      if uniform_wins(rows["doremi"]) else ""),
                   beside_uniform(rows["doremi"], tenth))


def contradicted(r):
    """Whether the interval leaves out half of the predicted change, and more of it."""
    if not real(r["low"]):
        return False
    half = r["change"] / 2
    return r["low"] > half if half < 0 else r["high"] < half


def interactions(t):
    rows = t["entries"]
    if not rows:
        return UNTRAINED
    known = [r for r in rows if real(r.get("holm"))]
    names = listed(f"{r['domain']} on {r['loss']}" for r in rows)
    if not known:
        return Verdict("untrained", f"Not trained yet. The entries to test are {names}.")
    holds = [r for r in known if r["holds"]]
    against = [r for r in known if not r["holds"] and contradicted(r)]
    state = ("yes" if len(holds) * 2 > len(known) else
             "no" if len(against) * 2 > len(known) else "unclear")
    entries = counted(len(known), "most surprising entry", "most surprising entries")
    return Verdict(state, f"Of the {entries} of the matrix, {len(holds)} "
                   f"{'holds' if len(holds) == 1 else 'hold'} in direct runs: the loss clearly "
                   "moves in the predicted direction (Holm). Direct runs contradict "
                   f"{len(against)}: all of the interval shows less than half of the predicted "
                   "change.")


def recipe(t):
    theirs = next((r for r in t["recipe"] if r["proposal"] == "recipe"), None)
    mine = [r for r in t["recipe"]
            if r["proposal"].startswith("auto-") and real(r.get("to_recipe"))]
    if not theirs or not mine:
        return UNTRAINED
    reached = [r for r in mine if r["to_recipe"] <= 0]
    if not reached:
        last = max(mine, key=lambda r: r["runs"])
        return Verdict("no", f"With up to {last['runs']:.0f} runs, auto with suggest does not "
                       "reach the loss of the published recipe on "
                       f"{theirs['runs']:.0f}: it is {number(last['to_recipe'], 3)} bits per byte "
                       "worse "
                       f"({span(last['to_low'], last['to_high'], 3)}).")
    within = [r for r in reached if r["flops"] <= 0.25 * theirs["flops"]]
    first = min((r for r in within if r["to_high"] <= 0), default=min(
        reached, key=lambda r: r["runs"]), key=lambda r: r["runs"])
    share = first["flops"] / theirs["flops"] if theirs["flops"] else math.nan
    sure = real(first["to_high"]) and first["to_high"] <= 0
    state = "yes" if share <= 0.25 and sure else "unclear" if share <= 0.25 else "no"
    return Verdict(state, f"auto with suggest has no higher loss than the published recipe with "
                   f"{first['runs']:.0f} runs in place of {theirs['runs']:.0f}, "
                   f"{100 * share:.0f}\u00a0% of its FLOPs (goal: a quarter). The difference is "
                   f"{number(first['to_recipe'], 3)} bits per byte "
                   f"({span(first['to_low'], first['to_high'], 3)}"
                   f"{'' if sure else ', which does not leave out 0'}).")


# The experiments of each part.
NEEDS = {"regression": "small unseen", "number": "small unseen",
         "ranks": "small unseen repetition matched", "matters": "unseen seeds", "losses": "unseen",
         "methods": "", "interactions": "small interactions", "recipe": "small recipe proposals"}
PARTS = [("regression", "Small proxies rank mixtures for larger models", regression),
         ("number", "The number of proxies matters more than their tokens", number_of_proxies),
         ("ranks", "Sizes and lengths order mixtures alike", ranks),
         ("matters", "The mixture matters for scores", matters),
         ("losses", "A web crawl\u2019s loss predicts scores better than an encyclopedia\u2019s",
          losses),
         ("methods", "As good as DoReMi for a tenth of the FLOPs", methods),
         ("interactions", "Domains act on each other in ways that surprise", interactions),
         ("recipe", "Our defaults need a quarter of the recipe\u2019s runs", recipe)]


def missing(name, made):
    """What the experiments of a part lack: `made` is experiment -> runs."""
    return [f"{made.get(e, 0):.0f} of {PLANNED[e]} runs of {e}" for e in NEEDS[name].split()
            if made.get(e, 0) < PLANNED[e]]


def all_verdicts(tables, made=None):
    """(name, claim, verdict) of each part. Nothing is sure before all its runs are there."""
    out = []
    for name, claim, judge in PARTS:
        v = judge(tables)
        lacks = missing(name, made) if made is not None and v.state != "untrained" else []
        if lacks:
            v = Verdict("unclear", f"So far there are {listed(lacks)}. {v.sentence}", v.more)
        out.append((name, claim, v))
    return out
