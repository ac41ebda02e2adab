#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""thin.py FROM INTO: every n-th item of the six task files of the study, for models that are many.

FROM has blimp, lambada, hellaswag, piqa, social_i_qa and copa as .jsonl or .jsonl.gz: items with
the keys context, choices and answer (`regmix help eval`). The items keep their order.
"""
import gzip
import sys
from pathlib import Path

EVERY = {"blimp": 20, "lambada": 20, "hellaswag": 10, "piqa": 8, "social_i_qa": 8, "copa": 2}


def lines_of(folder, task):
    for name, opened in ((f"{task}.jsonl", open), (f"{task}.jsonl.gz", gzip.open)):
        if (folder / name).exists():
            with opened(folder / name, "rt", encoding="utf-8", newline="\n") as file:
                return file.readlines()
    sys.exit(f"thin.py: {folder} has no {task}.jsonl and no {task}.jsonl.gz")


def main(arguments):
    if len(arguments) != 2 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    source, target = Path(arguments[0]), Path(arguments[1])
    target.mkdir(parents=True, exist_ok=True)
    for task, n in EVERY.items():
        kept = lines_of(source, task)[::n]
        (target / f"{task}.jsonl").write_text("".join(kept), encoding="utf-8")
        print(f"{task}: {len(kept)} items")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
