# SPDX-License-Identifier: Apache-2.0
"""Results have the bits of the command line's."""
import json
import os
import unittest
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import regmix
from swarm import Scratch, answer, losses, mixtures, program

warnings.simplefilter("ignore", regmix.RegmixWarning)
SHARED = Path(os.environ.get("REGMIX_SHARED") or Path(__file__).resolve().parents[3] / "shared")
PAPER = SHARED / "data/regmix-paper"


def same(a, b):
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


class Results(unittest.TestCase):
    def compare(self, w, y, fit_args, fit_words, ask_args, ask_words):
        """A fit, its predictions, an optimum and suggestions, from files and from frames."""
        with Scratch() as folder:

            def place(name):
                return f"{folder}/{name}"

            w.to_csv(place("w.csv"), index_label="run")
            y.to_csv(place("y.csv"), index_label="run")
            said = answer("fit", "--mixtures", place("w.csv"), "--metrics", place("y.csv"), "--out",
                          place("fit"), *fit_words)  # fmt: skip
            fit = regmix.fit(w, y, progress=False, **fit_args)
            self.assertTrue(same(said["cross_validation"], fit._scores))
            for metric, row in said["cross_validation"].items():
                self.assertEqual(row["spearman"], fit.scores_.loc[metric, "spearman"])
                self.assertEqual(row["r2"], fit.scores_.loc[metric, "r2"])
            said = answer("optimize", "--fit", place("fit"), *ask_words)
            opt = fit.optimize(progress=False, **ask_args)
            self.assertTrue(same(said, opt.json), _first_difference(said, opt.json))
            self.assertEqual(said["mixture"], dict(opt.mixture))
            return said, fit, opt, place, _rows(place("fit"), place, w, fit, ask_args, ask_words)

    def test_losses_and_scores(self):
        w = mixtures()
        said, fit, opt, _, _ = self.compare(
            w,
            losses(w),
            {"regressor": "gp", "higher_is_better": ["hellaswag_acc"]},
            ["--regressor", "gp", "--higher-is-better", "hellaswag_acc"],
            {"target": {"books_loss": 1, "hellaswag_acc": 2}, "cap": {"code": 0.2},
             "no_worse": {"code_loss": 0.3}, "replicates": 20},  # fmt: skip
            ["--target", "books_loss=1", "--target", "hellaswag_acc=2", "--cap", "code=0.2",
             "--no-worse", "code_loss=0.3", "--replicates", "20"],  # fmt: skip
        )
        self.assertTrue(fit.higher_is_better["hellaswag_acc"])
        self.assertEqual(float(opt.gain), said["gain"]["estimate"])
        self.assertEqual([opt.gain.low, opt.gain.high], said["gain"]["interval"])
        for name, (low, high) in said["interval"].items():
            self.assertEqual(list(opt.intervals.loc[name]), [low, high])

    def test_trees_and_auto(self):
        w = mixtures(40, seed=5)
        for kind in ("trees", "auto"):
            self.compare(
                w,
                losses(w)[["books_loss"]],
                {"regressor": kind, "seed": 7, "settings": {"trees.rounds": 50}},
                ["--regressor", kind, "--set", "seed=7", "--set", "trees.rounds=50"],
                {"target": "books_loss", "quick": True, "seed": 7},
                ["--target", "books_loss", "--quick", "--set", "seed=7"],
            )

    @unittest.skipUnless(PAPER.exists(), f"no data: {PAPER}")
    def test_runs_of_the_paper(self):
        w, y = (
            pd.read_csv(PAPER / name, index_col="index", float_precision="round_trip")
            for name in ("train_mixture_1m.csv", "train_pile_loss_1m.csv")
        )
        _, fit, opt, _, _ = self.compare(
            w,
            y,
            {"regressor": "gp", "metric": ["pile_cc", "dm_mathematics"]},
            ["--regressor", "gp", "--metric", "pile_cc", "--metric", "dm_mathematics"],
            {"target": "pile_cc", "no_worse": {"dm_mathematics": 0.5}, "quick": True},
            ["--target", "pile_cc", "--no-worse", "dm_mathematics=0.5", "--quick"],
        )
        self.assertEqual(fit.n_runs, 512)
        self.assertGreater(opt.gain, 0.1)

    def test_tree_of_domains(self):
        w = mixtures(32, ("web:news", "web:blogs", "code:good", "code:rest"))
        self.compare(
            w,
            losses(w),
            {"regressor": "ridge"},
            ["--regressor", "ridge"],
            {"target": "books_loss",
             "share": {"web": (0.2, None), "sum": (None, 0.9, ["code", "web:news"])},
             "floor": {"code": 0.1}, "ordered": "code:rest<code:good", "quick": True},  # fmt: skip
            ["--target", "books_loss", "--share", "web=0.2..", "--share", "sum=..0.9:code,web:news",
             "--floor", "code=0.1", "--ordered", "code:rest<code:good", "--quick"],  # fmt: skip
        )

    def test_phases(self):
        a, b = mixtures(30, ("x", "y", "z"), 1), mixtures(30, ("x", "y", "z"), 2)
        w = pd.concat([a.add_prefix("phase_0_"), b.add_prefix("phase_1_")], axis=1)
        mean = 0.8 * a + 0.2 * b
        y = pd.DataFrame({"x_loss": 3 - np.log1p(4 * mean["x"]) - 0.3 * b["y"]})
        _, fit, opt, _, _ = self.compare(
            w,
            y,
            {"regressor": "ridge", "phases": (0.8, 0.2)},
            ["--regressor", "ridge", "--phases", "0.8,0.2"],
            {"target": "x_loss", "quick": True},
            ["--target", "x_loss", "--quick"],
        )
        self.assertEqual(fit.n_phases, 2)
        self.assertEqual(len(opt.phases), 2)

    def test_sizes(self):
        w = mixtures(48)
        y = losses(w)[["books_loss"]]
        sizes = np.array(["10M", "40M", "160M"])[np.arange(48) % 3]
        y["books_loss"] += np.array([0.6, 0.3, 0.1])[np.arange(48) % 3]
        y["size"] = sizes
        said, fit, opt, _, _ = self.compare(
            w,
            y,
            {"size_column": "size"},
            ["--size-column", "size"],
            {"target": "books_loss", "for_": "1.2B", "quick": True},
            ["--target", "books_loss", "--for", "1.2B", "--quick"],
        )
        mean, sd = fit.predict(w.iloc[:3], return_std=True, for_="1.2B")
        self.assertTrue((sd.to_numpy() > 0).all())
        with self.assertRaisesRegex(regmix.UsageError, "several sizes"):
            fit.predict(w)

    def test_percentages_missing_values_and_budget(self):
        w = mixtures(30) * 100
        y = losses(w / 100)
        y.iloc[3, 1] = np.nan
        tokens = {"books": 2e9, "code": 1e9, "papers": 1e9, "web": 9e9}
        with Scratch() as folder:
            tokens_file = f"{folder}/tokens.yaml"
            with open(tokens_file, "w", encoding="utf-8") as f:
                f.writelines(f"{k}: {int(v)}\n" for k, v in tokens.items())
            _, _, opt, _, _ = self.compare(
                w,
                y,
                {"regressor": "gp", "normalize": True, "skip_missing": True},
                ["--regressor", "gp", "--normalize", "--skip-missing"],
                {"target": "books_loss", "tokens": tokens, "budget": "20G", "quick": True,
                 "max_epochs": 2},  # fmt: skip
                ["--target", "books_loss", "--tokens", tokens_file, "--budget", "20G", "--quick",
                 "--max-epochs", "2"],  # fmt: skip
            )
        self.assertLessEqual(opt.mixture["books"], 0.2 + 1e-9)

    def test_files_are_read_as_they_are(self):
        w = mixtures()
        with Scratch() as folder:
            w.to_csv(f"{folder}/w.csv", index_label="run")
            losses(w).to_csv(f"{folder}/y.csv", index_label="run")
            by_path = regmix.fit(f"{folder}/w.csv", f"{folder}/y.csv", regressor="gp")
        self.assertEqual(by_path._scores, regmix.fit(w, losses(w), regressor="gp")._scores)

    def test_score_sample_save_and_load(self):
        w = mixtures(40)
        y = losses(w)
        fit = regmix.fit(w.iloc[:30], y.iloc[:30], regressor="gp")
        with Scratch() as folder:
            fit.save(f"{folder}/fit")
            w.iloc[30:].to_csv(f"{folder}/w.csv", index_label="run")
            y.iloc[30:].to_csv(f"{folder}/y.csv", index_label="run")
            said = answer("score", "--fit", f"{folder}/fit", "--mixtures", f"{folder}/w.csv",
                          "--metrics", f"{folder}/y.csv")  # fmt: skip
            scores = regmix.load(f"{folder}/fit").score(w.iloc[30:], y.iloc[30:])
            said = said["metrics"]["books_loss"]
            self.assertEqual(said["rmse"], scores.loc["books_loss", "rmse"])
            (w.mean() / w.mean().sum()).rename("weight").to_csv(f"{folder}/p.csv",
                                                                index_label="domain")  # fmt: skip
            said = answer("sample", "--prior", f"{folder}/p.csv", "--set", "sample.runs=5", "--set",
                          "seed=3")  # fmt: skip
            drawn = regmix.sample(f"{folder}/p.csv", 5, seed=3)
        self.assertEqual(said["mixtures"], drawn.to_dict(orient="index"))
        self.assertEqual(list(regmix.suggest({"a": 0.5, "b": 0.5}, 3).columns), ["a", "b"])

    def test_export_and_report(self):
        w = mixtures()
        fit = regmix.fit(w, losses(w), regressor="gp")
        opt = fit.optimize("books_loss", quick=True)
        with Scratch() as folder:
            opt.save(f"{folder}/o.yaml")
            said = program("export", "--mixture", f"{folder}/o.yaml", "--to", "megatron",
                           "--prefix", "/data/", "--data", "web=/w-b").stdout  # fmt: skip
            text = opt.to("megatron", f"{folder}/blend", prefix="/data/", data={"web": "/w-b"})
            self.assertEqual(text, said)
            with open(f"{folder}/blend", encoding="utf-8") as f:
                self.assertEqual(f.read(), said)
            more = fit.suggest(2, "books_loss", curve=False)
            page = fit.report(f"{folder}/pagé.html", suggested=more)
            html = page.read_text(encoding="utf-8")
            for part in ("books_loss", '"best_run_score":', '"next":{'):
                self.assertTrue(part in html, part)
        with self.assertRaises(regmix.RegmixError):
            opt.to("megatrn")


def _rows(folder, place, w, fit, ask_args, ask_words):
    """Predictions and suggestions of the files and of the frames."""
    test = unittest.TestCase()
    scale = ["--for", ask_args["for_"]] if "for_" in ask_args else []
    said = answer("predict", "--fit", folder, "--mixtures", place("w.csv"), *scale)["predicted"]
    have = fit.predict(w, **({"for_": ask_args["for_"]} if scale else {}))
    test.assertEqual(said, have.set_axis(map(str, have.index)).to_dict(orient="index"))
    if "phases" in ask_args or fit.n_phases:
        return None
    target = {k: v for k, v in ask_args.items() if k in ("target", "cap", "floor", "for_")}
    words = []
    for flag, value in zip(ask_words[::2], ask_words[1::2]):
        if flag in ("--target", "--cap", "--floor", "--for"):
            words += [flag, value]
    said = answer("suggest", "-n", "3", "--fit", folder, "--no-curve", *words)
    frame = fit.suggest(3, curve=False, **target)
    said = {row["run"]: row["mixture"] for row in said["suggestions"]}
    test.assertEqual(said, frame.to_dict(orient="index"))
    return frame


def _first_difference(a, b):
    for key in a:
        if key not in b or not same(a[key], b[key]):
            return f"{key}: {a[key]} != {b.get(key)}"
    return f"{set(b) - set(a)}"
