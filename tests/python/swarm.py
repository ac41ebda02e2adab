# SPDX-License-Identifier: Apache-2.0
"""Small swarms with a known truth, and the program to compare with."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

BUILD = Path(os.environ["REGMIX_BUILD"])
PROGRAM = BUILD / "regmix"


def mixtures(n=32, domains=("books", "code", "papers", "web"), seed=1):
    x = np.random.default_rng(seed).dirichlet(np.ones(len(domains)), n)
    return pd.DataFrame(x, index=[f"r{i:03d}" for i in range(n)], columns=list(domains))


def losses(w, seed=2):
    """books_loss is lowest with much of books and some web; hellaswag_acc rises with web."""
    noise = np.random.default_rng(seed).normal(0, 0.01, len(w))
    x = w.to_numpy()
    return pd.DataFrame(
        {
            "books_loss": 3 - 0.8 * np.log1p(5 * x[:, 0]) - 0.5 * np.log1p(3 * x[:, -1]) + noise,
            "code_loss": 2.5 - 0.9 * np.log1p(9 * x[:, 1]) + noise[::-1],
            "hellaswag_acc": 0.3 + 0.2 * np.sqrt(x[:, -1]) + 0.1 * noise,
        },
        index=w.index,
    )


def program(*args, code=0, **more):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, **more)
    if done.returncode != code:
        raise AssertionError(f"regmix {args}: {done.returncode}: {done.stderr}")
    return done


def answer(*args, **more):
    return json.loads(program(*args, "--json", **more).stdout)


class Scratch(tempfile.TemporaryDirectory):
    """A folder with a space and letters of two alphabets in its name."""

    def __init__(self):
        super().__init__(prefix="regmix tést ж ")

    def __truediv__(self, name):
        return Path(self.name) / name
