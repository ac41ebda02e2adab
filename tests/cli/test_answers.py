#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_answers.py REGMIX NAME [--update]: what commands print and write is what tests/cli/answers/NAME.txt has.

Each part of that file has a title (`== title`), commands for sh (`$ command`), and what they answered: the exit status if it is not 0, the
lines of stdout and, after `!`, those of stderr. A change of an answer that is meant is written into the file by --update, and shows in the
commit. Other text is compared word for word. Numbers with a point may differ by one unit of the last digit, or by one in 10,000: processors
round differently. JSON has a line for each value, and one for a list of numbers: how many, the first, the last, the sum, and the sum of each
times its place. Times, sizes, hashes and the folder are left out. Speaks TAP.
"""
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import answer_inputs
from small_experiment import count, ok

HERE = Path(__file__).resolve().parent / "answers"
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d*)?(?:e[-+]?\d+)?(?![\w])")
LEFT_OUT = [(re.compile(pattern), text) for pattern, text in (
    (r'"?(?<![\w.])(?=\d*[a-f])[0-9a-f]{16}\b"?', "HASH"),
    (r"\b\d+(\.\d+)? (ms|s|seconds?|min|minutes?)\b", "TIME"),
    (r"[\d.]+( k)? tokens/s", "SPEED"),
    (r"\b(\w*wall_s|tokens_per_s|seconds) [\d.e+-]+", r"\1 TIME"),
    (r"\b[\d.]+ [kM]B in all|\d+ kB \(`regmix gc", "SIZE"),
    (r"(regmix )?\b0\.2\.0\b", "VERSION"),
)]

# Processors round alike with these: kernels and a BLAS that need no more than SSE3.
SAME = {"LC_ALL": "C.UTF-8", "COLUMNS": "80", "REGMIX_ISA": "ref", "OPENBLAS_CORETYPE": "Prescott"}


def short(text):
    """A number with six digits, if it has more."""
    if re.search(r"[.e]", text) and len(re.sub(r"e.*|[-.]|^-?0*\.?0*", "", text)) > 6:
        return f"{float(text):.6g}" if math.isfinite(float(text)) else text
    return text


def flat(tree, path=""):
    """Lines `path value` of a JSON tree."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from flat(value, f"{path}.{key}" if path else key)
    elif isinstance(tree, list) and len(tree) > 4 and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in tree):
        yield f"{path} [{len(tree)} numbers] {tree[0]} {tree[-1]} {float(sum(tree))} {float(sum(i * x for i, x in enumerate(tree)))}"
    elif isinstance(tree, list) and tree and all(not isinstance(x, (dict, list)) for x in tree):
        yield f"{path} [{', '.join(json.dumps(x) for x in tree)}]"
    elif isinstance(tree, list) and tree:
        for i, value in enumerate(tree):
            yield from flat(value, f"{path}[{i}]")
    else:
        yield f"{path} {json.dumps(tree, ensure_ascii=False)}"


def lines_of(text, folder):
    try:
        lines = list(flat(json.loads(text)))
    except ValueError:
        lines = text.splitlines()
    out = []
    for line in lines:
        if re.search(r"%.*\d m?s(econds)? gone", line):  # progress, which only a slow machine prints
            continue
        line = line.replace(str(folder), "FOLDER")
        for pattern, what in LEFT_OUT:
            line = pattern.sub(what, line)
        out.append(NUMBER.sub(lambda m: short(m.group(0)), line).rstrip())
    return out


def answer(regmix, folder, command):
    """What a command answers, as lines."""
    done = subprocess.run(["sh", "-c", command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          env={**os.environ, "PATH": f"{regmix.parent}:{os.environ['PATH']}", **SAME})
    out, err = (x.decode("utf-8", "replace") for x in (done.stdout, done.stderr))
    return ([f"exit status {done.returncode}"] if done.returncode else []) + lines_of(out, folder) + ["! " + line for line in lines_of(err, folder)]


def near(a, b):
    """Whether two numbers, as they are written, are the same but for rounding."""
    if a == b or not re.search(r"[.e]", a + b):
        return a == b
    x, y = float(a), float(b)
    digits = min(len(re.sub(r"e.*", "", t).partition(".")[2]) for t in (a, b))
    scale = max((10 ** int(t.partition("e")[2]) if "e" in t else 1) for t in (a, b))
    return abs(x - y) <= 1.01 * 10 ** -digits * scale or abs(x - y) <= 1e-4 * abs(y) + 1e-7


def alike(a, b):
    if a == b:
        return True
    words, numbers = (NUMBER.sub("#", t) for t in (a, b)), [NUMBER.findall(t) for t in (a, b)]
    first, second = (re.sub(r"\s+", " ", w) for w in words)
    return first == second and len(numbers[0]) == len(numbers[1]) and all(map(near, *numbers))


def parts(text):
    """[(title, [command], [line])] of a file of answers."""
    got = []
    for line in text.splitlines():
        if line.startswith("== "):
            got.append((line[3:], [], []))
        elif got and line.startswith("$ "):
            got[-1][1].append(line[2:])
            got[-1][2].append(line)
        elif got and line.strip():
            got[-1][2].append(line)
    return got


def main():
    regmix, name, update = Path(sys.argv[1]).resolve(), sys.argv[2], "--update" in sys.argv
    path = HERE / f"{name}.txt"
    written = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / "x"
        folder.mkdir()
        answer_inputs.MAKE[name](folder)
        for title, commands, wanted in parts(path.read_text(encoding="utf-8")):
            got = []
            for command in commands:
                got += ["$ " + command] + [line for line in answer(regmix, folder, command) if line.strip()]
            differ = next((i for i, (a, b) in enumerate(zip(got + [""] * len(wanted), wanted + [""] * len(got))) if not alike(a, b)), None)
            written.append("\n".join(["== " + title] + (got if differ is not None else wanted)))
            if not update:
                at = differ or 0
                ok(differ is None, title, "\n".join(["got:", *got[at:at + 3], f"wanted, in {path.name}:", *wanted[at:at + 3]]))
        shutil.rmtree(folder, ignore_errors=True)
    if update:
        path.write_text("\n\n".join(written) + "\n", encoding="utf-8")
        return 0
    print(f"1..{count['tests']}")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
