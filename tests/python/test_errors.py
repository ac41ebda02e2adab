# SPDX-License-Identifier: Apache-2.0
"""Messages name what a caller in Python can change, and files that cannot be used have an errno."""
import errno
import pickle
import re
import unittest
import warnings

import regmix
from regmix._words import in_python
from swarm import Scratch, losses, mixtures

W = mixtures()
Y = losses(W)


class Messages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fit = regmix.fit(W, Y, regressor="ridge", progress=False)
        cls.domain = W.columns[0]

    def refused(self, wanted, **options):
        with self.assertRaises(regmix.RegmixError) as seen:
            self.fit.optimize(**{"target": "books_loss", "progress": False, **options})
        self.assertIn(wanted, str(seen.exception))
        self.assertNotIn("--", str(seen.exception))

    def test_errors_name_arguments(self):
        self.refused("give target=METRIC (and maximize for scores)", target=None)
        self.refused("needs max_kl=NATS or kl_penalty=X", reference={self.domain: 1})
        self.refused("give tokens=FILE", max_epochs=4)
        self.refused("size_column and tokens_column", for_="7B,1T")

    def test_warnings_name_arguments(self):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            self.fit.optimize("books_loss", points=3, quick=True, progress=False)
        texts = [str(w.message) for w in seen]
        self.assertIn("points has no effect without pareto=METRIC,METRIC", texts)

    def test_words(self):
        for text, wanted in (
            ("give --no-worse METRIC or --worst", "give no_worse=METRIC or worst"),
            ("--share web=0.2..: wanted", "share web=0.2..: wanted"),
            ("--no-guard lifts it", "guard=False lifts it"),
            ("give --set gp.width=2", 'give settings={"gp.width": 2}'),
            ("--next FILE", "suggested=FILE"),
            ("--for SIZE,TOKENS", "for_=SIZE,TOKENS"),
            ("`regmix fit` makes one", "`regmix.fit()` makes one"),
            ("a--budget --nothing -- --out", "a--budget --nothing -- out"),
        ):
            self.assertEqual(in_python(text), wanted)


class Files(unittest.TestCase):
    def error(self, work):
        with self.assertRaises(regmix.FileError) as seen:
            work()
        return seen.exception

    def test_errno(self):
        fit = regmix.fit(W, Y, regressor="ridge", progress=False)
        with Scratch() as folder:
            there = self.error(lambda: regmix.load(f"{folder}/none"))
            self.assertEqual(there.errno, errno.ENOENT)
            self.assertTrue(re.search("no fit.json.*`regmix.fit\\(\\)` makes one", str(there)))
            self.assertEqual(str(pickle.loads(pickle.dumps(there))), str(there))
            self.assertEqual(pickle.loads(pickle.dumps(there)).errno, errno.ENOENT)
            open(f"{folder}/file", "w").close()
            beside = self.error(lambda: fit.report(f"{folder}/file/page.html"))
            self.assertEqual((beside.errno, beside.strerror), (errno.ENOTDIR, "Not a directory"))
            self.assertTrue(str(beside).endswith("Not a directory"))


if __name__ == "__main__":
    unittest.main()
