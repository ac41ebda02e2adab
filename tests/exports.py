#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""exports.py LIBRARY HEADER...: compares the names that a shared library exports with those that the headers declare.

Prints each name that only one side has. Exit status 0: both sides have the same names.
"""
import re
import subprocess
import sys


def exported(library):
    listing = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", library],
                             check=True, capture_output=True, text=True).stdout
    symbols = (line.split()[:2] for line in listing.splitlines())
    return {name.split("@")[0] for name, kind in symbols if kind != "A"}  # A: the name of the version


def declared(header):
    """Functions and objects, read off the text: what is left without comments, macros and bodies, up to each `;`."""
    with open(header, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", " ", text, flags=re.MULTILINE)
    text = text.replace('extern "C" {', " ")
    while re.search(r"\{[^{}]*\}", text):
        # The body of a function that stands in the header ends its declaration, and the library has no such name.
        text = re.sub(r"\bstatic\b[^;{}]*\{[^{}]*\}", " ", text)
        text = re.sub(r"\{[^{}]*\}", " ", text)
    names = set()
    for declaration in text.split(";"):
        words = declaration.split()
        if not words or words[0] in ("typedef", "static", "_Static_assert"):
            continue
        if found := re.search(r"\b(rmx_\w+)\s*(?:\(|\[|$)", declaration.strip()):
            if "(" in declaration or words[0] == "extern":
                names.add(found.group(1))
    return names


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    in_library = exported(sys.argv[1])
    in_headers = set().union(*(declared(header) for header in sys.argv[2:]))
    for name in sorted(in_library - in_headers):
        print(f"{name}: the library exports it, no header declares it")
    for name in sorted(in_headers - in_library):
        print(f"{name}: a header declares it, the library does not export it")
    return 0 if in_library and in_library == in_headers else 1


if __name__ == "__main__":
    sys.exit(main())
