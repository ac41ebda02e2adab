# SPDX-License-Identifier: Apache-2.0
"""The notebooks run, and the outputs that they show are small and whole."""
import importlib.util
import json
import unittest

import notebooks
from swarm import Scratch

MISSING = [x for x in ("nbclient", "nbformat", "ipykernel") if not importlib.util.find_spec(x)]


class Notebooks(unittest.TestCase):
    @unittest.skipIf(MISSING, f"{MISSING} not installed (Debian: python3-nbclient, -ipykernel)")
    def test_they_run(self):
        with Scratch() as scratch:
            folder = notebooks.copy_to(scratch)
            for name in notebooks.NAMES:
                book = notebooks.run(folder, name)
                shown = json.dumps([cell.get("outputs", []) for cell in book.cells])
                self.assertIn("<svg", shown, name)
                self.assertNotIn('"output_type": "error"', shown)
            self.assertTrue((folder / "page.html").stat().st_size > 100_000)

    def test_their_outputs_are_committed(self):
        for name in notebooks.NAMES:
            path = notebooks.FOLDER / f"{name}.ipynb"
            self.assertLess(path.stat().st_size, 60_000)
            book = json.loads(path.read_text(encoding="utf-8"))
            code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
            self.assertTrue(all(cell["execution_count"] for cell in code), name)
            self.assertIn("Gain on the prior", path.read_text(encoding="utf-8"))
            self.assertNotIn("/tmp/", path.read_text(encoding="utf-8"))

    def test_the_readme_shows_a_cell_as_it_is(self):
        readme = (notebooks.ROOT / "README.md").read_text(encoding="utf-8")
        book = json.loads((notebooks.FOLDER / "two-tables.ipynb").read_text(encoding="utf-8"))
        cell = next(x for x in book["cells"] if x["source"][0].startswith("print(opt.gain)"))
        self.assertIn("".join(cell["source"]), readme)
        for output in cell["outputs"]:
            text = output.get("text") or output["data"]["text/plain"]
            self.assertIn("".join(text).rstrip(), readme)
