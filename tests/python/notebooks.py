# SPDX-License-Identifier: Apache-2.0
"""Runs the notebooks of examples/notebooks. As a program it writes their outputs again."""
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples/notebooks"
NAMES = ("own-trainer", "two-tables")  # the first writes the tables of the second


def run(folder, name):
    """Runs a notebook in `folder` and returns it with its outputs."""
    import nbformat
    from nbclient import NotebookClient

    import regmix

    inside = Path(regmix.__file__).parent
    paths = [str(inside.parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    book = nbformat.read(Path(folder) / f"{name}.ipynb", 4)
    NotebookClient(book, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return book


def copy_to(scratch):
    """A folder like the project's, whose notebooks may write beside themselves."""
    folder = Path(scratch) / "examples/notebooks"
    shutil.copytree(FOLDER, folder)
    for name in ("src", "docs", "README.md"):
        (Path(scratch) / name).symlink_to(ROOT / name)
    return folder


def main():
    import nbformat

    for name in NAMES:
        book = run(FOLDER, name)
        for cell in book.cells:
            cell.metadata = {}
            if cell.cell_type == "code":  # progress and warnings go to stderr
                cell.outputs = [x for x in cell.outputs if x.get("name") != "stderr"]
        nbformat.write(book, FOLDER / f"{name}.ipynb")


if __name__ == "__main__":
    sys.exit(main())
