#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test.py BUILD [argument of `meson test`...]: runs the tests of a Meson build folder.

It runs one program more at a time than there are processors, since some of them mostly wait;
MESON_TESTTHREADS, if set, is their number. Meson counts test programs. This counts the tests
inside, from the TAP that each one prints. At the end it lists the tests that were skipped, with the
reason, and those that failed, one a line. The last line is `N passed, N failed`, then `, N skipped`
if there are any. Exit status 0: nothing failed and something passed.
"""
import json
import os
import re
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

Count = namedtuple("Count", "passed failed skipped")  # (number, names, names)

RESULT = re.compile(
    r"^(not )?ok\b\s*(\d*)\s*-?\s*(.*?)\s*(?:(?<!\\)#\s*(skip|todo)\S*\s*(.*))?$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*skip\S*\s*(.*))?$", re.IGNORECASE)
# What a Check test prints that found its data missing: Check's own TAP has no word for that.
SAID_SKIPPED = re.compile(r"^#?\s*skipped:\s*(.*)$")


def ending(returncode):
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"


def count_tap(name, output, returncode, result):
    """The tests of one program."""
    passed, failed, skipped, said = 0, [], [], []
    planned = None
    for line in output.splitlines():
        if found := RESULT.match(line):
            bad, number, what, directive, reason = found.groups()
            what = f"{name}: {what or 'test ' + number}"
            if directive and directive.lower() == "skip":
                skipped.append(f"{what}: {reason}" if reason else what)
            elif bad and not directive:
                failed.append(what)
            else:
                passed += 1
        elif found := PLAN.match(line):
            planned = int(found.group(1))
            if planned == 0:
                skipped.append(f"{name}: {found.group(2) or 'all of it'}")
        elif found := SAID_SKIPPED.match(line):
            said.append(f"{name}: {found.group(1)}")
        elif line.startswith("Bail out!"):
            failed.append(f"{name}: {line}")
    seen = passed + len(failed) + len(skipped)
    said = said[:passed]
    passed -= len(said)
    skipped += said

    if result == "TIMEOUT":
        failed.append(f"{name}: ran out of time")
    elif seen == 0:
        failed.append(f"{name}: no TAP output ({ending(returncode)})")
    elif planned and seen < planned:
        failed.append(f"{name}: ended after {seen} of {planned} tests ({ending(returncode)})")
    elif returncode != 0 and not failed:
        failed.append(f"{name}: {ending(returncode)} though no test failed")
    elif planned is None and not failed:
        failed.append(f"{name}: TAP without a plan")
    return Count(passed, failed, skipped)


def count_exit_code(name, returncode, result):
    """A program that says all with its exit status."""
    if result == "SKIP":
        return Count(0, [], [name])
    if result in ("OK", "EXPECTEDFAIL"):
        return Count(1, [], [])
    return Count(0, [f"{name}: {result.lower()} ({ending(returncode)})"], [])


def protocols(build):
    """name -> protocol, as configured."""
    try:
        tests = json.loads((build / "meson-info" / "intro-tests.json").read_text())
    except (OSError, ValueError):
        return {}
    return {test["name"]: test.get("protocol", "tap") for test in tests}


def read_log(path, protocol):
    total = Count(0, [], [])
    for line in path.read_text(errors="replace").splitlines():
        if not line.strip():
            continue
        test = json.loads(line)
        # With several suites Meson writes `project:suite / name`.
        name = test["name"].split(" / ")[-1]
        result, returncode = test["result"], test.get("returncode", 0)
        if protocol.get(name, "tap") == "tap":
            count = count_tap(name, test.get("stdout") or "", returncode, result)
        else:
            count = count_exit_code(name, returncode, result)
        total = Count(*(a + b for a, b in zip(total, count)))
    return total


def show(title, names):
    if names:
        print(f"\n{title}:")
        for name in names:
            print(f"  {name}")


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__, file=sys.stderr if len(sys.argv) < 2 else sys.stdout)
        return 2 if len(sys.argv) < 2 else 0
    build = Path(sys.argv[1])
    if not (build / "build.ninja").exists():
        print(f"test.py: {build} is not a build folder; make one: meson setup {build}",
              file=sys.stderr)
        return 2
    log = build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    try:
        os.environ.setdefault("MESON_TESTTHREADS", str((os.cpu_count() or 1) + 1))
        # What was built is what is tested.
        status = subprocess.run(["meson", "test", "-C", str(build), "--no-rebuild",
                                 "--print-errorlogs", *sys.argv[2:]], check=False).returncode
    except OSError as error:
        print(f"test.py: cannot run meson: {error.strerror}", file=sys.stderr)
        return 1
    sys.stdout.flush()
    if not log.exists():
        print(f"meson test ended with status {status} and ran nothing\n0 passed, 1 failed")
        return 1
    total = read_log(log, protocols(build))
    if status != 0 and not total.failed:
        total.failed.append(f"meson test: exit status {status}")
    show("skipped", total.skipped)
    show("failed", total.failed)
    skipped = f", {len(total.skipped)} skipped" if total.skipped else ""
    print(f"\n{total.passed} passed, {len(total.failed)} failed{skipped}")
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
