#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way to choose data on one experiment: with its published settings, then with the best of a few settings, the same
few tries for each, chosen by one large model on a seed that is not compared.

  python3 bench/rivals.py build/regmix EXPERIMENT [METHOD ...] [--set KEY=VALUE ...] [--no-tuning]

Prints Markdown. Stop it at any time: what is trained is not trained again.
"""
import json
import subprocess
import sys

# Two settings each beside the published one.
SETTINGS = {
    "regmix": ["optimize.guard=false", "optimize.method=simulate"],
    "olmix": ["olmix.kl=0.01", "olmix.kl=0.2"],
    "law": ["law.sizes=1", "law.sizes=3"],
    "climb": ["climb.rounds=2", "climb.top=0.1"],
    "mixmin": ["mixmin.window=32", "mixmin.window=256"],
    "merge": ["merge.lr=0.1", "merge.lr=1"],
    "doremi": ["doremi.form=code", "doremi.eta=0.3"],
    "odm": ["odm.form=code", "odm.smoothing=0.5"],
    "aioli": ["aioli.eta=0.1", "aioli.one_hot=0.5"],
    "ppl": ["ppl.band=low", "ppl.band=high"],
    "rho1": ["rho.keep=0.8", "rho.warmup=0.5"],
    "unimax": ["unimax.epochs=2", "unimax.epochs=4"],
}
TUNING_SEED = 101


class Rivals:
    def __init__(self, regmix, experiment, settings):
        self.command = [regmix, "compare", "-C", experiment, "--json"]
        self.settings = settings

    def compare(self, methods, seeds, extra=()):
        command = self.command + ["--methods", ",".join(methods), "--seeds", str(seeds)]
        for s in list(self.settings) + list(extra):
            command += ["--set", s]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            print("regmix: " + done.stderr.strip().splitlines()[-1], file=sys.stderr)
            return None
        return json.loads(done.stdout)


def number(x, digits=4):
    return "-" if x is None else f"{x:.{digits}f}"


def difference(a, b):
    pairs = [x - y for x, y in zip(a["target_loss_by_seed"], b["target_loss_by_seed"]) if x is not None and y is not None]
    if len(pairs) < 2:
        return None, None
    mean = sum(pairs) / len(pairs)
    return mean, (sum((x - mean) ** 2 for x in pairs) / (len(pairs) - 1) / len(pairs)) ** 0.5


def table(rows, first):
    print("| method | target loss | se | minus regmix | se | search FLOPs | search, s | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, setting, m in sorted(rows, key=lambda r: r[2]["target_loss"]["mean"] or 1e9):
        mean, se = difference(m, first)
        words = [setting] if setting else []
        if m["status"] != "done":
            words.append(m["status"])
        if m["converged"] is not None:
            words.append("converged" if m["converged"] else "did not converge")
        print(f"| {name} | {number(m['target_loss']['mean'])} | {number(m['target_loss']['se'])} | {number(mean)} | {number(se)} "
              f"| {m['search_flops']:.2e} | {m['search_wall_s']:.0f} | {', '.join(words)} |")


def weights(rows):
    domains = list(next(m["weights"] for _, _, m in rows if m["weights"]))
    print("\n| weights, % | " + " | ".join(domains) + " |\n| --- |" + " --- |" * len(domains))
    for name, _, m in rows:
        if m["weights"]:
            print(f"| {name} | " + " | ".join(f"{100 * m['weights'][d]:.1f}" for d in domains) + " |")


def tuned(rivals, name, default):
    """The best of the published setting and the other two, by one large model; then compared on the seeds of all."""
    tries = []
    for setting in [None] + SETTINGS[name]:
        extra = [f"compare.first_seed={TUNING_SEED}"] + ([setting] if setting else [])
        tree = rivals.compare([name], 1, extra)
        loss = tree and tree["methods"][name]["target_loss"]["mean"]
        if loss is not None:
            tries.append((loss, setting))
    tries.sort(key=lambda t: t[0])
    if not tries or tries[0][1] is None:
        return None, default
    tree = rivals.compare([name], default["target_loss"]["n"] or 3, [tries[0][1]])
    return tries[0][1], tree["methods"][name] if tree else default


def main():
    words = sys.argv[1:]
    tuning = "--no-tuning" not in words
    words = [w for w in words if w != "--no-tuning"]
    settings, names = [], []
    while words:
        word = words.pop(0)
        if word == "--set" and words:
            settings.append(words.pop(0))
        else:
            names.append(word)
    if len(names) < 2:
        sys.exit(__doc__)
    regmix, experiment, methods = names[0], names[1], names[2:]
    methods = methods or ["regmix", "regmix-paper", "olmix", "law", "climb", "mixmin", "merge", "doremi", "odm", "aioli", "ppl", "rho1",
                          "unimax", "uniform", "prior", "single"]
    rivals = Rivals(regmix, experiment, settings)
    tree = rivals.compare(methods, 3)
    if not tree:
        sys.exit(1)
    published = [(n, None, tree["methods"][n]) for n in tree["order"]]
    first = tree["methods"][tree["order"][0]]
    print(f"Published settings; each method that lets one choose had {tree['budget_flops']:.2e} FLOPs to search with.\n")
    table(published, first)
    weights(published)
    sys.stdout.flush()
    if not tuning:
        return
    best = []
    for name, _, m in published:
        setting, m = tuned(rivals, name, m) if name in SETTINGS else (None, m)
        best.append((name, setting, m))
    with open(experiment + "/compare/methods.json", "w") as f:
        json.dump(tree, f, indent=2)  # the tries wrote over it: `regmix report` shows the published settings
    print("\nThe best of three settings each, chosen on another seed.\n")
    table(best, best[0][2])


main()
