#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""study_tables.py FOLDER: derived tables of the study as make.py writes them, of results that never
were: every part has rows, every claim fails or is not clear."""
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts/study"))
sys.dont_write_bytecode = True
from tables import DOMAINS, LOSSES, PLANNED, SCORE_COLUMNS, write  # noqa: E402

draw = random.Random(3)
SIZES = ["proxies", "middle", "big"]
NAMES = [m[:-len("_bpb")] for m in LOSSES]


def near(x, **more):
    """A value with an interval around it."""
    return {"value": x, "low": x - 0.05, "high": x + 0.05, **more}


def made_up():
    t = {"regression": [], "others": [], "number": [], "ranks": [], "matters": [], "losses": [],
         "methods": [], "effects": [], "entries": [], "recipe": [], "half": [], "ceiling": []}
    for size in SIZES:
        for regressor in ("ridge", "trees", "auto"):
            rho = draw.uniform(0.5, 0.8)
            t["regression"].append({
                "regressor": regressor, "trained": 512, "size": size, "n": 16, "spearman": rho,
                "spearman_low": rho - 0.1, "spearman_high": rho + 0.05, "mse": 0.01,
                "mse_differences": 0.002, "regret": 0.01, "regret_low": 0, "regret_high": 0.1,
                "mean_spearman": rho, "mean_low": rho - 0.1, "mean_high": rho + 0.05})
        for swarm, tokens in (("proxies", 250e3), ("tokens2M", 2e6)):
            for runs in (64, 32):
                t["number"].append({
                    "swarm": swarm, "tokens": tokens, "runs": runs, "of": 64,
                    "flops": runs * tokens * 1e6, "size": size, "n": 16, "spearman": 0.7,
                    "low": 0.5, "high": 0.8, "regret": 0.01, "regret_low": 0, "regret_high": 0.1,
                    "gain": -0.2 if swarm == "tokens2M" and runs == 64 else "",
                    "gain_low": -0.3, "gain_high": -0.1, "rest": 0.02 if runs == 32 else "",
                    "rest_low": -0.1, "rest_high": 0.1})
    for regressor in ("ridge", "trees", "auto"):
        t["others"].append({"swarm": "dmsl", "from": "122M", "to": "680M", "regressor": regressor,
                            "n": 40, "metrics": 8, "spearman": 0.7, "low": 0.6, "high": 0.8,
                            "mse_differences": 0.001, "regret": 0.01, "truth": 0.98})
    for pair in ("nano; mini", "nano; midi", "mini; midi"):
        t["ranks"] += [{"kind": "size", "pair": pair, "domain": d, "n": 16, "spearman": 0.6,
                        "low": 0.4, "high": 0.7} for d in NAMES + ["mean"]]
    for metric in LOSSES + SCORE_COLUMNS:
        t["matters"].append({"metric": metric, "items": 200 if "_acc" in metric else "",
                             "chance": 0.5 if "_acc" in metric else "", "n": 16,
                             "low": 0.5, "high": 0.6, "range": 0.1,
                             "seeds": 3, "seed_sd": 0.01, "difference": 0.01,
                             "difference_low": -0.02, "difference_high": 0.04, "p": 0.4,
                             "holm": 1})
    t["crawl"] = [{"size": "big", "n": 16, "pkgdesc": 0.4, "foldoc": 0.5, "difference": -0.1,
                   "low": -0.3, "high": 0.1}]
    for loss in NAMES:
        t["ceiling"].append({"metric": f"{loss}_bpb", "noise": 0.01, "spread": 0.1,
                             "ceiling": 0.99})
        for score in SCORE_COLUMNS:
            rho = draw.uniform(-1, 1)
            t["losses"].append({"size": "big", "n": 16, "loss": loss, "score": score,
                                "agreement": rho, "low": rho - 0.3, "high": rho + 0.3,
                                "clear": int(rho > 0.9)})
        for domain in DOMAINS:
            t["effects"].append({"domain": domain, "loss": loss, "change": 0.01,
                                 "sd": draw.uniform(-1, 1), "surprise": 0.1})
    for i, method in enumerate(("regmix", "regmix; a tenth", "doremi", "olmix", "uniform")):
        for tokens in (400000, 800000):
            t["methods"].append({
                "tokens": tokens, "method": method, "seeds": 3, "bpb": 2 + 0.1 * i, "se": 0.01,
                "low": 1.95 + 0.1 * i, "high": 2.05 + 0.1 * i, "sees_target": int(i != 2),
                "search_flops": 1e12 if i == 1 else 1e13, "status": "done", "to_doremi": 0.1,
                "to_doremi_low": 0.05, "to_doremi_high": 0.15, "to_regmix": 0.1 if i else "",
                "to_regmix_low": 0.05, "to_regmix_high": 0.15, "to_regmix_p": 0.01,
                "holm": 0.04 if i else ""})
    t["entries"] = [{"domain": d, "loss": "c", "change": -0.02, "sd": -0.3, "surprise": 0.3,
                     "seeds": 6, "measured": 0.01, "low": -0.005, "high": 0.03, "p": 0.3, "holm": 1,
                     "holds": 0} for d in DOMAINS[:5]]
    for name, runs in (("recipe", 512), ("auto-8", 8), ("auto-128", 128)):
        t["recipe"].append({"proposal": name, "runs": runs, "seeds": 3, "bpb": 2, "se": 0.01,
                            "low": 1.9, "high": 2.1, "flops": runs * 1e11,
                            "to_recipe": "" if runs == 512 else 0.1, "to_low": 0.05,
                            "to_high": 0.15, "p": 0.01})
    t["half"] = [{"experiment": "small", "swarm": "proxies", "n": 512, "spearman": 0.97,
                  "low": 0.96, "high": 0.98, "fall": 0.1}]
    return t


def main(folder):
    for name, rows in made_up().items():
        write(folder / "tables" / f"{name}.csv", list(rows[0]),
              [{k: str(v) for k, v in r.items()} for r in rows])
    made = [{"experiment": e, "runs": str(n), "first": "2026-01-01", "last": "2026-01-02",
             "machine": "X", "isa": "none", "hours": "1"} for e, n in PLANNED.items()]
    write(folder / "data/made.csv", list(made[0]), made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
