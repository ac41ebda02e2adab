#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_names.py FOLDER: what hostile_names wrote there, read by Python's own readers and by PyYAML, is all the same."""
import csv
import json
import sys

import yaml


def same(a, b):
    """Equal in value and in kind: a name is text, a weight a real number."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def digits(text):
    return len(text.lower().lstrip("-").split("e")[0].replace(".", "").strip("0"))


folder = sys.argv[1]
with open(f"{folder}/tree.json", encoding="utf-8") as f:
    text = f.read()
tree = json.loads(text)
loaders = [yaml.SafeLoader] + ([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])
for loader in loaders:
    with open(f"{folder}/tree.yaml", encoding="utf-8") as f:
        if not same(yaml.load(f, Loader=loader), tree):
            sys.exit(f"tree.yaml is not tree.json to {loader.__name__}")
written = []
json.loads(text, parse_float=lambda s: written.append(s) or float(s))
longer = [s for s in written if digits(s) > digits(repr(float(s)))]
if len(written) < 700 or longer:
    sys.exit(f"of {len(written)} numbers these have more digits than they need: {longer[:5]}")
with open(f"{folder}/table.csv", encoding="utf-8", newline="") as f:
    rows = list(csv.reader(f))
names = tree["strings"]
if [r[0] for r in rows[1:]] != names or rows[0][1:] != [n for n in names if n] or rows[0][0] != names[0]:
    sys.exit("table.csv has other names to Python")
