# SPDX-License-Identifier: Apache-2.0
"""What notebooks show: well-formed HTML and SVG, with names escaped, and numbers as text."""
import unittest
import warnings
import xml.dom.minidom

import numpy as np

import regmix
from swarm import losses, mixtures


class Show(unittest.TestCase):
    def html(self, x):
        text = x._repr_html_()
        xml.dom.minidom.parseString(f"<div>{text}</div>".replace("&nbsp;", " "))
        return text

    def test_fit_and_optimum(self):
        warnings.simplefilter("ignore")
        w = mixtures(32, ("<b>&", "code", "papers", "web \"x\""))
        fit = regmix.fit(w, losses(w), regressor="gp")
        opt = fit.optimize("books_loss", replicates=20, prior=dict(w.mean()))
        self.assertIn("books_loss", self.html(fit))
        text = self.html(opt)
        self.assertIn("&lt;b&gt;&amp;", text)
        self.assertNotIn("<b>&", text)
        self.assertIn("<svg", text)
        self.assertIn("Gain on the prior", text)
        self.assertIn("interval", repr(opt.gain))
        self.assertAlmostEqual(sum(opt.mixture), 1, 6)
        self.assertTrue((opt.intervals["low"] <= opt.intervals["high"]).all())
        self.assertEqual(np.asarray(opt).shape, (4,))
        self.assertIn("Optimum(", repr(opt))
        quick = fit.optimize("books_loss", quick=True)
        self.assertIn("no interval", repr(quick.gain))
        self.html(quick)

    def test_parts_of_an_answer(self):
        warnings.simplefilter("ignore")
        w = mixtures(40)
        fit = regmix.fit(w, losses(w), regressor="gp")
        flat = {name: 0.25 for name in w.columns}
        opt = fit.optimize("books_loss", replicates=20, against={"flat": flat})
        self.assertEqual(list(opt.versus.index), ["prior", "flat"])
        self.assertEqual(set(opt.attribution.index), set(w.columns))
        front = fit.optimize(pareto=("books_loss", "code_loss"), points=4, quick=True).pareto
        self.assertIn("share", front.columns)
        self.assertGreater(len(front), 1)
        n = fit.suggest(4, "books_loss")
        self.assertEqual((n.shape, len(n.attrs["why"])), ((4, 4), 4))
        self.assertTrue(n.attrs["learning_curve"])
        more = fit.suggest(2, "books_loss", pending=n, curve=False)
        self.assertFalse(set(more.index) & set(n.index))
        self.assertTrue(np.allclose(fit.suggest(2, curve=False).sum(axis=1), 1))

    def test_many_domains(self):
        warnings.simplefilter("ignore")
        w = mixtures(60, tuple(f"d{i}" for i in range(40)))
        fit = regmix.fit(w, losses(w), regressor="ridge")
        self.assertIn("10 more domains", self.html(fit.optimize("books_loss", quick=True)))
