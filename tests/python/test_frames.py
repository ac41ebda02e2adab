# SPDX-License-Identifier: Apache-2.0
"""Frames that are wrong are refused, with a message that says what and where."""
import unittest
import warnings

import numpy as np
import pandas as pd

import regmix
from swarm import Scratch, losses, mixtures


class Lazy:
    """A frame of another library."""

    def __init__(self, frame):
        self.frame = frame

    def to_pandas(self):
        return self.frame


class Frames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.w = mixtures()
        cls.y = losses(cls.w)

    def fit(self, w, y, **more):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", regmix.RegmixWarning)
            return regmix.fit(w, y, regressor="ridge", progress=False, **more)

    def refused(self, w, y, *words, kind=regmix.InputError, **more):
        with self.assertRaises(kind) as caught:
            self.fit(w, y, **more)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_forms_that_are_accepted(self):
        wanted = self.fit(self.w, self.y)._scores
        named = self.w.rename_axis("run").reset_index(), self.y.rename_axis("run").reset_index()
        shuffled = self.y.sample(frac=1, random_state=0)
        for name, (w, y, more) in {
            "to_pandas": (Lazy(self.w), Lazy(self.y), {}),
            "first column": (*named, {}),
            "to_pandas with a column": (Lazy(named[0]), Lazy(named[1]), {}),
            "id": (named[0].rename(columns={"run": "who"}),
                   named[1].rename(columns={"run": "who"}), {"id": "who"}),  # fmt: skip
            "other order": (self.w, shuffled, {}),
            "Fortran order": (pd.DataFrame(np.asfortranarray(self.w.to_numpy()), self.w.index,
                                           self.w.columns), self.y, {}),  # fmt: skip
            "objects": (self.w.astype(object), self.y.astype(object), {}),
            "nullable": (self.w.astype("Float64"), self.y.astype("Float64"), {}),
        }.items():
            with self.subTest(name):
                self.assertEqual(self.fit(w, y, **more)._scores, wanted)

    def test_an_index_that_a_csv_file_kept_without_a_name(self):
        def kept(frame):
            return frame.rename_axis(None).reset_index().rename(columns={"index": "Unnamed: 0"})

        wanted = self.fit(self.w, self.y)._scores
        self.assertEqual(self.fit(kept(self.w), kept(self.y))._scores, wanted)
        moved = kept(self.w)[[*self.w.columns, "Unnamed: 0"]]
        self.refused(moved, self.y, "'Unnamed: 0' had no name in its file", "index_col=0")
        odd = self.w.rename(columns={self.w.columns[0]: None})
        self.refused(odd, self.y, "a column has no name")

    def test_directions_as_a_mapping(self):
        a, b = self.y.columns[:2]
        for directions in ({a: True, b: False}, pd.Series({a: True, b: False})):
            fit = self.fit(self.w, self.y, higher_is_better=directions)
            self.assertTrue(fit.higher_is_better[a])
            self.assertFalse(fit.higher_is_better[b])
        fit = self.fit(self.w, self.y, lower_is_better={a: False, b: True})
        self.assertTrue(fit.higher_is_better[a])
        self.assertFalse(fit.higher_is_better[b])
        self.refused(self.w, self.y, "wanted True or False", kind=TypeError,
                     higher_is_better={a: 1})  # fmt: skip
        self.refused(self.w, self.y, "wanted names of metrics", kind=TypeError,
                     higher_is_better=True)  # fmt: skip

    def test_a_domain_that_is_missing_in_a_prediction(self):
        fit = self.fit(self.w, self.y)
        with self.assertRaises(regmix.InputError) as caught:
            fit.predict(self.w.drop(columns=self.w.columns[0]))
        self.assertIn(f'no column for the domain "{self.w.columns[0]}"', str(caught.exception))

    def test_one_metric_as_a_series(self):
        fit = self.fit(self.w, self.y["books_loss"])
        self.assertEqual(fit.metrics, ["books_loss"])

    def test_rows_without_names_are_joined_by_number(self):
        w, y = self.w.reset_index(drop=True), self.y.reset_index(drop=True)
        self.assertEqual(self.fit(w, y).n_runs, len(w))
        self.refused(w, y.iloc[:-1], "32 rows and metrics 31")

    def test_large_arrays_are_not_copied(self):
        from regmix._frames import numbers_of

        x = np.ascontiguousarray(self.w.to_numpy())
        frame = pd.DataFrame(x, index=self.w.index, columns=self.w.columns)
        self.assertTrue(np.shares_memory(numbers_of(frame, "x"), x))
        before = x.copy()
        self.fit(frame, self.y, normalize=True)
        self.assertTrue((x == before).all())

    def test_duplicate_names(self):
        twice = {"r001": "r000"}
        self.refused(self.w.rename(index=twice), self.y, "mixtures", "'r000' is there twice")
        self.refused(self.w, self.y.rename(index=twice), "metrics", "'r000' is there twice")
        self.refused(self.w.rename(columns={"web": "code"}), self.y, "column 'code' is there twice")
        for bad in ("", "a\0b", "\ud800"):
            self.refused(self.w.rename(columns={"web": bad}), self.y, "UTF-8")
            self.refused(self.w, self.y.rename(index={"r001": bad}), "UTF-8")
        mixed = self.w.set_axis([1, "1", *self.w.index[2:]])
        self.refused(mixed, self.y, "'1' is there twice")

    def test_values_that_are_no_weights(self):
        for value, word in ((np.nan, "nan"), (-0.1, "-0.1"), (np.inf, "inf")):
            w = self.w.copy()
            w.iloc[2, 1] = value
            self.refused(w, self.y, "run 'r002'", "'code'", word)
        w = self.w.copy()
        w.iloc[4] *= 1.3
        self.refused(w, self.y, "run 'r004'", "sum to 1.3", "normalize=True")
        self.assertEqual(self.fit(w, self.y, normalize=True).n_runs, 32)

    def test_missing_and_infinite_metrics(self):
        y = self.y.copy()
        y.iloc[5, 0] = np.nan
        self.refused(self.w, y, "books_loss")
        self.assertEqual(self.fit(self.w, y, skip_missing=True).n_runs, 32)
        y.iloc[5, 0] = np.inf
        self.assertEqual(self.fit(self.w, y, skip_missing=True).n_runs, 32)
        self.assertTrue(np.isinf(y.iloc[5, 0]))

    def test_columns_that_are_no_numbers(self):
        w = self.w.assign(note="x").set_axis([*self.w.columns, "note"], axis=1)
        self.refused(w, self.y, "column 'note' does not hold numbers")
        self.refused(self.w, self.y.assign(when=pd.Timestamp("2026-01-01")), "'when'")
        self.refused(self.w, self.y.assign(z=1j), "'z'")
        y = self.y.astype(object)
        y.iloc[3, 1] = "n/a"
        self.refused(self.w, y, "'code_loss'", "run 'r003'", "'n/a'", "NaN stands for")
        self.refused(self.w, self.y.assign(kind=pd.Categorical(["a"] * 32)), "'kind'")

    def test_numbers_in_columns_of_other_types(self):
        fit = self.fit(self.w, self.y).predict(self.w)
        same = self.fit(self.w.astype("category"), self.y.astype("category")).predict(self.w)
        self.assertTrue(same.equals(fit))
        for missing in (pd.NA, None, np.nan, pd.NaT):
            y = self.y.astype(object)
            y.iloc[3, 1] = missing
            self.refused(self.w, y, '"code_loss": 1 of 32 runs has no value (r003')
            self.assertEqual(self.fit(self.w, y, skip_missing=True).n_runs, 32)

    def test_runs_that_do_not_match(self):
        other = self.y.set_axis([f"other-{i}x" for i in range(len(self.y))])
        self.refused(self.w, other, "no run in common", "r000", "other-0x")
        with self.assertWarns(regmix.RegmixWarning):
            fit = regmix.fit(self.w, self.y.iloc[:-3], regressor="ridge")
        self.assertEqual(fit.n_runs, 29)

    def test_sizes_that_are_none(self):
        w = self.w.assign(size="10M", tokens=1e9)
        for bad in ("big", "", "a\0", None, np.nan, pd.NA, np.inf, 0, -1, True, pd.Timestamp(0)):
            for name in ("size", "tokens"):
                cells = w[name].astype(object)
                cells.iloc[2] = bad
                self.refused(w.assign(**{name: cells}), self.y, "run 'r002'", name, "122M",
                             size_column="size", tokens_column="tokens")  # fmt: skip
        fit = self.fit(self.w, self.y)
        for bad in (7e9, (7e9,), (1, 2, 3), {"size": 1}, True):
            with self.assertRaisesRegex(regmix.UsageError, "for_: .*7B,1T"):
                fit.predict(self.w, for_=bad)

    def test_things_that_are_no_frames(self):
        for x in (3, "text", [[0.5, 0.5]], {"a": 1}, None):
            with self.subTest(repr(x)), self.assertRaises((TypeError, regmix.RegmixError)):
                self.fit(x, self.y)
        self.refused(self.w, self.y.iloc[:0], "no rows")
        self.refused(self.w[[]], self.y, "no columns")
        two = self.w.set_index([self.w.index, "web"])
        self.refused(two, self.y, "several levels")
        self.refused(self.w, self.y, "'who'", id="who")

    def test_predict_checks_too(self):
        fit = self.fit(self.w, self.y)
        with self.assertRaisesRegex(regmix.InputError, "sports"):
            fit.predict(self.w.rename(columns={"web": "sports"}))
        with self.assertRaisesRegex(regmix.InputError, "'r001'.*'web'"):
            bad = self.w.copy()
            bad.loc["r001", "web"] = np.nan
            fit.predict(bad)
        with self.assertRaisesRegex(regmix.InputError, "sum"):
            fit.predict(self.w * 2)
        with self.assertWarnsRegex(regmix.RegmixWarning, "budget has no effect"):
            fit.predict(self.w, budget="1T")
        one = fit.predict(self.w.iloc[3])
        self.assertEqual(list(one.iloc[0]), list(fit.predict(self.w).iloc[3]))
        reordered = fit.predict(self.w[["web", "papers", "code", "books"]])
        self.assertTrue(reordered.equals(fit.predict(self.w)))
        self.assertEqual(fit.predict(self.w.iloc[3].to_dict()).shape, (1, 3))

    def test_mixtures_of_one_name_stay_apart(self):
        fit = self.fit(self.w, self.y)
        a, b = (self.w.iloc[i].rename("mixture") for i in (0, 1))
        ask = {"progress": False, "replicates": 20}
        ask = {**ask, "reference": b, "kl_penalty": 0.01}
        opt = fit.optimize("books_loss", prior=a, against=[b, a], **ask)
        self.assertLess((opt.prior - a).abs().max(), 1e-12)
        self.assertEqual(list(opt.versus.index), ["prior", "mixture", "mixture-2"])
        gains = opt.versus["gain"]
        self.assertEqual(gains["prior"], gains["mixture-2"])
        self.assertNotEqual(gains["prior"], gains["mixture"])
        opt = fit.optimize("books_loss", prior=a, against={"prior": b}, **ask)
        self.assertEqual(list(opt.versus.index), ["prior", "prior-2"])
        for name in ("", "x" * 300, "a\0b"):
            with self.assertRaises(regmix.UsageError):
                fit.optimize("books_loss", against={name: b}, **ask)

    def test_a_page_of_things_that_do_not_belong_together(self):
        fit = self.fit(self.w, self.y)
        other = self.fit(self.w.set_axis(list("abcd"), axis=1), self.y)
        opt = other.optimize("books_loss", quick=True, progress=False)
        with Scratch() as folder:
            page = f"{folder}/page.html"
            said = "^optimum.yaml was found with another fit than fit: the page mixes the two$"
            with self.assertWarnsRegex(regmix.RegmixWarning, said):
                fit.report(page, opt)
            opt.save(f"{folder}/other.yaml")
            with self.assertWarnsRegex(regmix.RegmixWarning, "other.yaml was found with another"):
                fit.report(page, f"{folder}/other.yaml")
            others = self.w.set_axis(list("abcd"), axis=1)
            for bad in (self.w.iloc[:2, :2], others, self.w * np.nan):
                with self.assertRaisesRegex(regmix.InputError, "next.csv"):
                    fit.report(page, suggested=bad)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                own = fit.optimize("books_loss", quick=True, progress=False)
                fit.report(page, own, suggested=fit.suggest(2, "books_loss", curve=False))

    def test_names_of_metrics_in_other_forms(self):
        fit = self.fit(self.w, self.y.set_axis([0, 1, "acc"], axis=1))
        wanted = fit.optimize("0", quick=True, progress=False).json
        for target in (0, np.int64(0), [0], pd.Index([0]), np.array(["0"]), {0: 1}):
            self.assertEqual(fit.optimize(target, quick=True, progress=False).json, wanted)

    def test_a_flag_that_is_not_given_is_not_off(self):
        fit = self.fit(self.w, self.y)
        wanted = fit.optimize("books_loss", quick=True, progress=False).mixture
        found = fit.optimize("books_loss", quick=True, guard=None, progress=False).mixture
        self.assertTrue(found.equals(wanted))
        for word in ("guard", "quick"):
            with self.assertRaises(TypeError):
                fit.optimize("books_loss", progress=False, **{word: "no"})

    def test_wrong_options(self):
        fit = self.fit(self.w, self.y)
        for call, word in (
            (lambda: fit.optimize("book"), "book"),
            (lambda: fit.optimize("books_loss", cap={"cod": 0.1}), "code"),
            (lambda: fit.optimize("books_loss", cap={"code": 1.5}), "code"),
            (lambda: fit.optimize("books_loss", level=7), "level"),
            (lambda: fit.optimize("books_loss", nonsense=1), "nonsense"),
            (lambda: fit.optimize("books_loss", out="x.yaml"), "out"),
            (lambda: fit.optimize("books_loss", floor={"code": 0.7, "web": 0.7}), "0.7"),
            (lambda: fit.optimize("books_loss", prior={"code": "much"}), "much"),
            (lambda: fit.suggest(0, "books_loss"), "runs"),
            (lambda: regmix.fit(self.w, self.y, regressor="rigde"), "ridge"),
            (lambda: regmix.fit(self.w, self.y, settings={"ridge.alhpa": 1}), "alpha"),
            (lambda: regmix.fit(self.w, self.y, metric="nope"), "nope"),
            (lambda: regmix.load("/nowhere"), "/nowhere"),
            (lambda: regmix.load(""), "folder"),
            (lambda: fit.optimize("books_loss", caps={"code": 0.1}), "did you mean 'cap'"),
            (lambda: fit.predict(self.w, budget=-1), "budget"),
            (lambda: fit.predict(self.w, budget=np.nan), "budget"),
        ):
            with self.subTest(word), self.assertRaises(regmix.RegmixError) as caught:
                call()
            self.assertIn(word, str(caught.exception))
        for call in (
            lambda: fit.optimize("books_loss", cap=object()),
            lambda: fit.optimize("books_loss", worst="yes"),
            lambda: fit.optimize("books_loss", replicates=2.5),
            lambda: fit.optimize("books_loss", prior=3),
            lambda: fit.optimize("books_loss", share={"x": (0.1,)}),
            lambda: fit.optimize("books_loss", share={"x": (0.1, 0.2, 3)}),
            lambda: fit.suggest("many", "books_loss"),
            lambda: fit.optimize("books_loss", seed="x"),
            lambda: regmix.sample({"a": 0.5, "b": 0.5}, 2.5),
            lambda: regmix.fit(self.w, self.y, settings=["seed=1"]),
            lambda: regmix.fit(self.w, "metrics.csv"),
        ):
            with self.assertRaises((TypeError, ValueError)):
                call()
