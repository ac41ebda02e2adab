# SPDX-License-Identifier: Apache-2.0
"""The tables of the study: a row a run, as collect.py writes them and others read them.

  experiment, swarm, run, seed    run: the folder of the run, or NAME/SEED of a large model
  parameters, tokens, flops       flops: the training's; valid_flops: those of its evaluations
  w_<domain>                      the mixture
  <domain>_bpb, half_<domain>     bits per byte of the validation text, at the end and at half way
  <task>_acc, _acc_norm, _bits    scores; bits: bits per byte of the right answer
"""
import csv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "docs/study/data"
DOMAINS = ("foldoc gcide faq bible novels pkgdesc c changelog python metamath hol man perldoc bio "
           "german japanese").split()
TARGET = "fortunes"  # never trained on
TASKS = "blimp lambada hellaswag piqa social_i_qa copa".split()
SCORES = [("acc", "acc,none"), ("acc_norm", "acc_norm,none"), ("bits", "bits_per_byte,none")]

# Which domains are alike, decided before any run: whether an interaction surprises depends on it.
KINDS = {
    "prose": "faq bible novels fortunes",
    "reference": "foldoc gcide bio pkgdesc",
    "code": "c python hol changelog metamath",
    "manuals": "man perldoc",
    "German": "german",
    "Japanese": "japanese",
}
KIND_OF = {domain: kind for kind, names in KINDS.items() for domain in names.split()}

# Runs of a complete experiment. `interactions` has six for each mixture, at least two mixtures.
PLANNED = {"small": 960, "unseen": 112, "repetition": 64, "matched": 48, "seeds": 6,
           "interactions": 30, "recipe": 128, "proposals": 21}

BASICS = "experiment swarm run seed parameters tokens flops valid_flops wall_s".split()
WEIGHTS = [f"w_{d}" for d in DOMAINS]
LOSSES = [f"{d}_bpb" for d in DOMAINS + [TARGET]]
HALVES = [f"half_{d}" for d in DOMAINS + [TARGET]]
SCORE_COLUMNS = [f"{t}_{s}" for t in TASKS for s, _ in SCORES if (t, s) != ("lambada", "acc_norm")]
COLUMNS = BASICS + WEIGHTS + LOSSES + HALVES + SCORE_COLUMNS


def parsed(cell):
    """A number, a text, or None for an empty cell."""
    if cell == "":
        return None
    try:
        return float(cell)
    except ValueError:
        return cell


TEXTS = "experiment swarm run method task domain machine isa first last status".split()


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [{k: v if k in TEXTS else parsed(v) for k, v in row.items()}
                for row in csv.DictReader(file)]


def read(experiment, swarm=None, data=None):
    """The rows of an experiment (of one of its swarms); none if it is not trained yet."""
    path = (data or DATA) / f"{experiment}.csv"
    rows = rows_of(path) if path.exists() else []
    return [r for r in rows if swarm is None or r["swarm"] == swarm]


def write(path, columns, rows):
    """Writes rows, dictionaries of texts. Returns whether the file changed."""
    lines = [",".join(columns)] + [",".join(row.get(c, "") for c in columns) for row in rows]
    text = "\n".join(lines) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def mixture_of(row):
    return {d: row[f"w_{d}"] for d in DOMAINS}
