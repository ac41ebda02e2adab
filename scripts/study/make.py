#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make.py PROGRAM: every derived table, figure and sentence of docs/study, from docs/study/data.

  make.py PROGRAM [--study FOLDER]  asks PROGRAM (build/regmix) for fits, predictions and
                                    correlations, writes FOLDER/tables, then the rest
  make.py --page [--study FOLDER]   only FOLDER/figures and FOLDER/index.html, from the tables
  make.py --check [--study FOLDER]  changes nothing; fails if the tables are not of the data, or
                                    the figures or the page not of the tables
"""
import argparse
import hashlib
import sys
from pathlib import Path

import analysis
import page
from program import Program
from tables import ROOT, parsed, rows_of, write


def hash_of(data):
    """Of all that the derived tables are made from: the data and the code that reads them."""
    h = hashlib.sha256()
    here = Path(__file__).resolve().parent
    code = [here / f"{n}.py" for n in ("analysis", "interactions", "measures", "program")]
    for path in sorted(data.glob("*.csv")) + code:
        h.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return h.hexdigest()


def cell(x):
    if x is None or x != x:
        return ""
    if isinstance(x, float):
        return f"{x:.5g}"
    return str(x)


def write_tables(study, program):
    made = analysis.all_tables(study / "data", program)
    for name, rows in made.items():
        columns = list(dict.fromkeys(c for r in rows for c in r)) or ["nothing"]
        if any("," in str(v) for r in rows for v in r.values()):
            rows = [{k: v.replace(",", ";") if isinstance(v, str) else v for k, v in r.items()}
                    for r in rows]
        write(study / "tables" / f"{name}.csv", columns,
              [{k: cell(v) for k, v in r.items()} for r in rows])
    (study / "tables/made-of.txt").write_text(hash_of(study / "data") + "\n")


def read_tables(study):
    """Name -> rows. Numbers are floats; a missing one is NaN."""
    out = {}
    for path in sorted((study / "tables").glob("*.csv")):
        out[path.stem] = [
            {k: (v.replace(";", ",") if isinstance(v, str) else float("nan") if v is None else v)
             for k, v in ((k, parsed(v) if isinstance(v, str) else v) for k, v in row.items())}
            for row in rows_of(path)]
    return out


def files_of(study):
    """Path -> text of all that is made from the tables."""
    tables = read_tables(study)
    made = study / "data/made.csv"
    figures = page.figures(tables)
    out = {study / "figures" / f"{name}.svg": wide.svg(alone=True)
           for name, (wide, _) in figures.items()}
    out[study / "index.html"] = page.render(tables, figures, rows_of(made) if made.exists() else [])
    return out


def check(study):
    wrong = []
    stamp = study / "tables/made-of.txt"
    if not stamp.exists() or stamp.read_text().strip() != hash_of(study / "data"):
        wrong.append(f"{study}/tables is not of {study}/data")
    wanted = files_of(study)
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            wrong.append(f"{path} is not of {study}/tables")
    wrong += [f"{p} is of no figure" for p in sorted((study / "figures").glob("*.svg"))
              if p not in wanted]
    for line in wrong:
        print(f"make.py: {line}; `make study` makes all of it",
              file=sys.stderr)
    return 1 if wrong else 0


def write_page(study):
    wanted = files_of(study)
    for old in (study / "figures").glob("*.svg"):
        if old not in wanted:
            old.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(study / "index.html")


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("program", nargs="?")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--study", type=Path, default=ROOT / "docs/study")
    o = parser.parse_args(arguments)
    wanted = "data" if not o.check and not o.page else "tables"
    if not any((o.study / wanted).glob("*.csv")):
        print(f"make.py: {o.study / wanted} has no tables", file=sys.stderr)
        return 1
    if o.check:
        return check(o.study)
    if not o.page:
        if not o.program:
            parser.error("PROGRAM is missing, for example build/regmix")
        if not Path(o.program).is_file():
            parser.error(f"there is no program {o.program}; build it with make")
        write_tables(o.study, Program(o.program))
    write_page(o.study)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
