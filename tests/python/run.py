#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py BUILD [--installed] [MODULE...]: the tests of the Python package, as TAP.

BUILD is a build folder with the program and the shared library. The package is that of python/,
over the library of BUILD; --installed: the one that this Python has installed, with its own.
"""
import glob
import importlib.util
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WANTED = {"numpy": "numpy", "pandas": "pandas", "sklearn": "sklearn"}


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--installed"]
    installed = "--installed" in sys.argv[1:]
    build, modules = os.path.abspath(words[0]), words[1:]
    if modules and " " in modules[0]:  # why meson does not want it here
        print(f"1..0 # SKIP {modules[0]}")
        return 0
    for name, package in WANTED.items():
        if importlib.util.find_spec(name) is None:
            print(f"1..0 # SKIP {name} is not installed (Debian: apt install python3-{package})")
            return 0
    if not installed:
        os.environ["REGMIX_LIBRARY"] = sorted(glob.glob(os.path.join(build, "libregmix.so.*")))[0]
        paths = [os.path.join(ROOT, "python"), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        sys.path.insert(0, paths[0])
    os.environ["REGMIX_BUILD"] = build
    sys.path.insert(0, HERE)
    found = sorted(glob.glob(os.path.join(HERE, "test_*.py")))
    modules = modules or [os.path.basename(path)[:-3] for path in found]
    suite = unittest.defaultTestLoader.loadTestsFromNames(modules)
    result = Tap()
    suite.run(result)
    print(f"1..{result.count}")
    return not result.wasSuccessful()


class Tap(unittest.TestResult):
    count = 0

    def line(self, good: bool, test: unittest.TestCase, more: str = "") -> None:
        self.count += 1
        name = test.id().partition(".")[2] or test.id()
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}{more}", flush=True)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.line(True, test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.line(True, test, f" # SKIP {reason}")

    def addSubTest(self, test, subtest, err) -> None:  # noqa: ANN001
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad(subtest, err)

    def addFailure(self, test, err) -> None:  # noqa: ANN001
        super().addFailure(test, err)
        self.bad(test, err)

    def addError(self, test, err) -> None:  # noqa: ANN001
        super().addError(test, err)
        self.bad(test, err)

    def bad(self, test, err) -> None:  # noqa: ANN001
        self.line(False, test)
        print("# " + self._exc_info_to_string(err, test).replace("\n", "\n# "), flush=True)


sys.exit(main())
