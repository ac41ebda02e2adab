# SPDX-License-Identifier: Apache-2.0
"""What the study asks `regmix`: fits, predictions, scores, optima and correlations of rows."""
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tables import DOMAINS, mixture_of


class Program:
    """The program, and a folder for what it writes."""

    def __init__(self, path):
        self.path = str(Path(path).resolve()) if "/" in str(path) else str(path)
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name)
        self.n = 0

    def name(self, suffix):
        self.n += 1
        return self.folder / f"{self.n}{suffix}"

    def ask(self, *arguments):
        done = subprocess.run([self.path, *map(str, arguments), "-q"], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, (self.path, *arguments)))}\n{done.stderr.strip()}")
        return done.stdout

    def table(self, rows, columns):
        """A CSV file: column -> what it holds of a row. None is an empty cell."""
        path = self.name(".csv")
        with open(path, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(["run", *columns])
            for i, row in enumerate(rows):
                out.writerow([row.get("run", f"{i:04d}"), *(columns[c](row) for c in columns)])
        return path

    def mixtures(self, rows):
        return self.table(rows, {d: lambda r, d=d: mixture_of(r)[d] for d in DOMAINS})

    def metrics(self, rows, metrics):
        return self.table(rows, {m: lambda r, m=m: "" if r[m] is None else r[m] for m in metrics})

    def fit(self, rows, metrics, regressor="auto"):
        """A fit of the rows; its folder."""
        out = self.name("-fit")
        chosen = [a for m in metrics for a in ("--metric", m)]
        self.ask("fit", "--mixtures", self.mixtures(rows), "--metrics", self.metrics(rows, metrics),
                 *chosen, "--regressor", regressor, "--out", out)
        return out

    def predict(self, fit, rows):
        """A dictionary a row: metric -> what the fit expects."""
        printed = self.ask("predict", "--fit", fit, "--mixtures", self.mixtures(rows))
        found = csv.DictReader(printed.splitlines())
        return [{m: float(v) for m, v in row.items() if m != "run"} for row in found]

    def score(self, fit, rows, metrics):
        return json.loads(self.ask("score", "--fit", fit, "--mixtures", self.mixtures(rows),
                                   "--metrics", self.metrics(rows, metrics), "--json"))["metrics"]

    def optimum(self, fit, target, *options):
        answer = json.loads(self.ask("optimize", "--fit", fit, "--target", target, *options,
                                     "--out", self.name(".yaml"), "--json"))
        return {d: answer["mixture"].get(d, 0.0) for d in DOMAINS}, answer

    def correlate(self, rows, losses, scores):
        """The program's answer on which loss goes with which score."""
        return json.loads(self.ask(
            "correlate", "--metrics", self.metrics(rows, losses + scores), "--losses", "*_bpb",
            "--json"))
