#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py [--warnings] [--all]: checks the style of the tree. Run it in the root of the project.

Without an option it checks the format (clang-format 14, .clang-format) and the width of the lines.
--warnings   also compiles everything with gcc and with gcc's sanitizers (into build-test and
             build-asan, which the tests use), and has clang read it; a warning is an error
--all        a tool that is not installed is a failure, not a skipped check

The last line is `N passed, N failed`, then `, N skipped` if there are any.
"""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

COLUMNS = 100
CLANG_FORMAT = 14  # Debian 12 has it; other versions format some lines differently
FOLDERS = ["include", "src", "cli", "tests", "bench", "examples", "docs", "scripts", "trainers",
           ".ci"]
SCRIPTS = {".sh", ".py", ".js", ".build"}
# These may have longer lines: checks that are one line each, recipes, and the assets of the page.
MAY_BE_WIDE = re.compile(r"^(.*meson\.build$|tests/.*\.(sh|py|js)$|src/report/assets/|bench/|"
                         r"scripts/(corpus/|fetch-corpus|container|deb|dist|readme|plain))")
BUILDS = [("gcc", "build-test"), ("gcc with sanitizers", "build-asan")]

results = {"passed": [], "failed": [], "skipped": []}


def report(result, name, details=()):
    results[result].append(name)
    print(f"{result}: {name}", flush=True)
    for line in details:
        print(f"  {line}")


def files():
    """Every file of the project, but for what a build makes."""
    found = [path for path in Path(".").iterdir() if path.is_file()]
    for folder in FOLDERS:
        found += [path for path in Path(folder).rglob("*") if path.is_file()]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def clang_format():
    """The program of the right version, or None and what there is."""
    found = "none is installed"
    for name in (f"clang-format-{CLANG_FORMAT}", "clang-format"):
        try:
            output = subprocess.run([name, "--version"], capture_output=True, text=True,
                                    check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        version = re.search(r"version (\d+)", output)
        if version and int(version.group(1)) == CLANG_FORMAT:
            return name, None
        found = f"found is {output.strip()}"
    return None, f"needs clang-format {CLANG_FORMAT}; {found}"


def check_format(sources, missing):
    program, reason = clang_format()
    if not program:
        report(missing, f"format ({reason})")
        return
    done = subprocess.run([program, "--dry-run", "-Werror", *map(str, sources)],
                          capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    wrong = sorted({line.split(":")[0] for line in lines if "clang-format" in line})
    if done.returncode == 0:
        report("passed", "format")
    else:
        report("failed", "format (`make format` mends it)", wrong or lines[:20])


def check_columns(name, paths):
    wide = []
    for path in paths:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if len(line) > COLUMNS:
                wide.append(f"{path}:{number}: {len(line)} columns, at most {COLUMNS} are wanted")
    report("failed" if wide else "passed", name, wide)


def check_warnings(compiler, folder):
    name = f"no warnings from {compiler}"
    commands = [["make", "--no-print-directory", f"{folder}/build.ninja"],
                ["meson", "configure", folder, "-Dwerror=true"],
                ["ninja", "-C", folder, "-k", "0"]]
    for command in commands:
        done = subprocess.run(command, text=True, errors="replace", check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            lines = done.stdout.splitlines()
            errors = [line for line in lines if re.search(r"(warning|error):|\bERROR\b", line)]
            report("failed", name, errors or lines[-20:])
            # The tests are to run all the same.
            subprocess.run(["meson", "configure", folder, "-Dwerror=false"],
                           capture_output=True, check=False)
            return
    report("passed", name)


def read_with_clang(entry):
    """clang's warnings of one file that was compiled with gcc; it makes no code."""
    options = [word for word in shlex.split(entry["command"])
               if re.match("-([DIWm]|std=|f(?!diagnostics-color))", word)]
    done = subprocess.run(["clang", "-fsyntax-only", "-Werror", *options, entry["file"]],
                          cwd=entry["directory"], text=True, errors="replace", check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = done.stdout.splitlines()
    return [line for line in lines if "error:" in line] or lines if done.returncode else []


def check_clang(folder, missing):
    """What gcc compiled in `folder`, with the files that the build makes."""
    name = "no warnings from clang"
    try:
        subprocess.run(["clang", "--version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        report(missing, f"{name} (clang is not installed)")
        return
    try:
        entries = json.loads(Path(folder, "compile_commands.json").read_text())
    except (OSError, ValueError) as error:
        report("failed", f"{name} ({error})")
        return
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [line for lines in pool.map(read_with_clang, entries) for line in lines]
    report("failed" if found else "passed", name, found)


def main():
    known = {"--warnings", "--all"}
    if not set(sys.argv[1:]) <= known:
        print(__doc__, file=sys.stdout if sys.argv[1:] in (["-h"], ["--help"]) else sys.stderr)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    missing = "failed" if "--all" in sys.argv else "skipped"
    every = files()
    sources = [path for path in every if path.suffix in (".c", ".h")]
    scripts = [path for path in every
               if path.suffix in SCRIPTS or path.name == "Makefile" or path.parts[0] == ".ci"]
    check_format(sources, missing)
    check_columns("columns of C", sources)
    check_columns("columns of scripts",
                  [path for path in scripts if not MAY_BE_WIDE.match(str(path))])
    if "--warnings" in sys.argv:
        for compiler, folder in BUILDS:
            check_warnings(compiler, folder)
        check_clang(BUILDS[0][1], missing)
    skipped = f", {len(results['skipped'])} skipped" if results["skipped"] else ""
    print(f"{len(results['passed'])} passed, {len(results['failed'])} failed{skipped}")
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
