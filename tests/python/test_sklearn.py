# SPDX-License-Identifier: Apache-2.0
"""MixtureRegressor is an estimator of scikit-learn."""
import pickle
import unittest
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

import regmix
from regmix import MixtureRegressor
from swarm import losses, mixtures

W = mixtures(60)
Y = losses(W)

# Checks that are left out, with the reason. With check_mixtures=False none is.
LEFT_OUT: dict = {}
# With check_mixtures=True the checks hand it rows that are no mixtures, which it refuses by design.
# These are the checks that such rows do not reach: they must pass.
OF_ANY_ROWS = {
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimator_get_tags_default_keys",
    "check_estimators_unfitted",
    "check_estimators_empty_data_messages",
    "check_complex_data",
    "check_estimator_sparse_data",
    "check_requires_y_none",
    "check_fit1d",
}


def checks(estimator):
    for one, check in check_estimator(estimator, generate_only=True):
        yield check.func.__name__, one, check


class Estimator(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore")

    def test_check_estimator(self):
        for kind in ("ridge", "trees", "gp", "power"):
            names = set()
            for name, one, check in checks(MixtureRegressor(kind, check_mixtures=False)):
                names.add(name)
                if name not in LEFT_OUT:
                    with self.subTest(f"{kind}: {name}"):
                        check(one)
            self.assertGreater(len(names), 30)

    def test_check_estimator_of_mixtures(self):
        done = set()
        for name, one, check in checks(MixtureRegressor()):
            if name in OF_ANY_ROWS:
                done.add(name)
                with self.subTest(name):
                    check(one)
        self.assertEqual(done, OF_ANY_ROWS)

    def test_cross_val_score(self):
        for kind in ("auto", "gp", "ridge"):
            scores = cross_val_score(MixtureRegressor(kind), W, Y["books_loss"], cv=3)
            self.assertGreater(scores.min(), 0.5, kind)

    def test_grid_search_in_processes(self):
        search = GridSearchCV(
            MixtureRegressor("ridge"),
            {"settings": [{"ridge.alpha": 1e3}, {"ridge.alpha": 1e-3}], "seed": [1]},
            cv=3,
            n_jobs=2,
        ).fit(W.to_numpy(), Y["books_loss"].to_numpy())
        self.assertEqual(search.best_params_["settings"], {"ridge.alpha": 1e-3})
        kinds = GridSearchCV(MixtureRegressor(), {"regressor": ["ridge", "gp"]}, cv=3)
        self.assertEqual(kinds.fit(W, Y["books_loss"]).best_params_["regressor"], "gp")

    def test_outputs_names_and_deviations(self):
        model = MixtureRegressor("gp").fit(W, Y)
        self.assertEqual(model.predict(W).shape, (60, 3))
        self.assertEqual(list(model.feature_names_in_), list(W.columns))
        one = MixtureRegressor("gp").fit(W, Y["books_loss"])
        mean, sd = one.predict(W, return_std=True)
        self.assertTrue(mean.shape == sd.shape == (60,) and (sd > 0).all())
        self.assertTrue((mean == model.predict(W)[:, 0]).all())
        _, none = MixtureRegressor("ridge").fit(W, Y["books_loss"]).predict(W, return_std=True)
        self.assertTrue(np.isnan(none).all())
        wrapped = MultiOutputRegressor(MixtureRegressor("gp")).fit(W, Y)
        self.assertTrue((wrapped.predict(W) == model.predict(W)).all())

    def test_the_function_is_that_of_fit(self):
        fit = regmix.fit(W, Y, regressor="ridge")
        model = MixtureRegressor("ridge").fit(W, Y)
        self.assertTrue(np.allclose(fit.predict(W), model.predict(W), rtol=1e-12, atol=1e-12))

    def test_pickle_and_clone(self):
        for kind in ("trees", "gp", "auto"):
            model = MixtureRegressor(kind).fit(W, Y["code_loss"])
            other = pickle.loads(pickle.dumps(model))
            self.assertTrue((other.predict(W) == model.predict(W)).all())
            self.assertEqual(other.regressor_, model.regressor_)
        self.assertEqual(clone(model).get_params(), model.get_params())

    def test_rows_that_are_no_mixtures(self):
        with self.assertRaisesRegex(ValueError, "row 0 is no mixture"):
            MixtureRegressor("ridge").fit(W * 3, Y["books_loss"])
        model = MixtureRegressor("ridge").fit(W, Y["books_loss"])
        with self.assertRaisesRegex(ValueError, "no mixture"):
            model.predict(-W)
        per_cent = make_pipeline(FunctionTransformer(lambda x: x / 100), MixtureRegressor("ridge"))
        self.assertTrue(
            np.allclose(per_cent.fit(W * 100, Y["books_loss"]).predict(W * 100), model.predict(W))
        )

    def test_wrong_parameters(self):
        with self.assertRaises(regmix.UsageError):
            MixtureRegressor("nonsense").fit(W, Y["books_loss"])
        with self.assertRaises(regmix.RegmixError):
            MixtureRegressor("ridge", settings={"ridge.alpha": "much"}).fit(W, Y["books_loss"])
