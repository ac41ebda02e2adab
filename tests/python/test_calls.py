# SPDX-License-Identifier: Apache-2.0
"""Calls: threads, interrupts, forks, copies, warnings, progress, a library that is not there."""
import copy
import gc
import importlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import unittest
import warnings
from pathlib import Path

import regmix
from swarm import Scratch, losses, mixtures

W = mixtures()
Y = losses(W)
HERE = Path(__file__).parent


def quick(**more):
    return regmix.fit(W, Y, regressor="ridge", progress=False, **more)


def script(text, **more):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        cwd=HERE,
        timeout=400,
        **more,
    )


LONG = """
    import warnings; warnings.simplefilter("ignore")
    import os, signal, sys, threading, time
    import regmix
    from swarm import losses, mixtures
    w = mixtures(400, tuple(f"d{i}" for i in range(30)))
    y = losses(w)
    def long(progress=False):
        return regmix.fit(w, y, regressor="trees", settings={"trees.rounds": 200000},
                          progress=progress)
    quick = lambda: regmix.fit(w.iloc[:40], y.iloc[:40], regressor="ridge", progress=False)
"""


class Calls(unittest.TestCase):
    def test_threads_give_what_one_gives(self):
        wanted = quick().optimize("books_loss", replicates=20, progress=False).json
        found = [None] * 4
        shared = quick()

        def work(i):
            fit = shared if i % 2 else quick()
            found[i] = fit.optimize("books_loss", replicates=20, progress=False).json
            fit.predict(W)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, [wanted] * 4)

    def test_the_lock_is_free(self):
        done = script(LONG + """
    ticks = 0
    def tick():
        global ticks
        while ticks < 20:
            time.sleep(0.01); ticks += 1
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=tick).start()
    try:
        long()
    except KeyboardInterrupt:
        print("ticks", ticks)
    """)
        self.assertEqual(done.stdout, "ticks 20\n", done.stderr)

    def test_interrupt_stops_the_work_and_leaves_the_rest(self):
        done = script(LONG + """
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    try:
        long()
        print("not stopped")
    except KeyboardInterrupt as why:
        print("stopped", time.monotonic() - began < 30, str(why))
    print(quick())
    """)
        self.assertIn("stopped True", done.stdout, done.stderr)
        self.assertIn("Fit(3 metrics of 40 runs", done.stdout, done.stderr)

    def test_many_interrupts_neither_hang_nor_crash(self):
        done = script(LONG + """
    import faulthandler, random
    faulthandler.dump_traceback_later(200, exit=True)
    wanted, ends, over, r = False, 0, False, random.Random(1)
    def mash():
        while not over:
            time.sleep(0.003 * r.random())
            if wanted:
                os.kill(os.getpid(), signal.SIGINT)
    t = threading.Thread(target=mash); t.start()
    began = time.monotonic()
    while ends < 300 and time.monotonic() - began < 10:
        try:
            try:
                wanted = True
                long(progress=lambda *what: None)
            finally:
                wanted = False
        except KeyboardInterrupt:
            ends += 1
    over = True; t.join()
    print(ends > 20, quick().n_runs)
    """)
        self.assertEqual((done.returncode, done.stdout), (0, "True 40\n"), done.stderr[-3000:])

    def test_interrupt_stops_every_thread(self):
        done = script(LONG + """
    ends = []
    def work():
        try:
            long()
        except KeyboardInterrupt:
            ends.append("other")
    t = threading.Thread(target=work); t.start()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        long()
    except KeyboardInterrupt:
        ends.append("main")
    t.join()
    print(sorted(ends), quick().n_runs)
    """)
        self.assertEqual(done.stdout, "['main', 'other'] 40\n", done.stderr)

    def test_an_error_in_progress_stops_the_work(self):
        done = script(LONG + """
    def progress(*what):
        raise RuntimeError("enough")
    try:
        quick().optimize("books_loss", replicates=10000, progress=progress)
    except RuntimeError as why:
        print(why, quick().n_runs)
    """)
        self.assertEqual(done.stdout, "enough 40\n", done.stderr)

    def test_interrupted_command_leaves_no_temporary_folder(self):
        with Scratch() as folder:
            done = script(LONG + """
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        long()
    except KeyboardInterrupt:
        pass
    fit = quick(); fit.optimize("books_loss", quick=True, progress=False)
    del fit
    """, env={**os.environ, "TMPDIR": folder})  # fmt: skip
            self.assertEqual((done.returncode, os.listdir(folder)), (0, []), done.stderr)

    def test_fork(self):
        fit = quick()
        fit.predict(W)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                same = fit.predict(W).equals(quick().predict(W))
                fit.optimize("books_loss", quick=True, progress=False)
                code = 0 if same else 2
            finally:
                fit._folder._scratch.remove()  # what the end of a process calls
                os._exit(code)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertTrue(os.path.exists(fit.folder))
        fit.optimize("books_loss", quick=True, progress=False)

    def test_pickle_copy_and_del(self):
        fit = quick()
        opt = fit.optimize("books_loss", quick=True, progress=False)
        for way in (lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy):
            other = way(fit)
            self.assertTrue(other.scores_.equals(fit.scores_))
            self.assertTrue(other.predict(W).equals(fit.predict(W)))
            again = other.optimize("books_loss", quick=True, progress=False)
            self.assertEqual(again.json, opt.json)
            folder = other.folder
            self.assertNotEqual(folder, fit.folder)
            del other
            gc.collect()
            self.assertFalse(os.path.exists(folder))
        for other in (pickle.loads(pickle.dumps(opt)), copy.deepcopy(opt)):
            self.assertEqual(other.json, opt.json)
            self.assertEqual(repr(other.gain), repr(opt.gain))
            self.assertEqual(other.to("json"), opt.to("json"))
        folder = fit.folder
        del fit
        gc.collect()
        self.assertFalse(os.path.exists(folder))
        self.assertIn("web", opt.to("json"))  # an optimum outlives its fit

    def test_a_named_folder_stays(self):
        with Scratch() as folder:
            fit = quick(out=f"{folder}/my fit")
            del fit
            gc.collect()
            self.assertEqual(regmix.load(f"{folder}/my fit").n_runs, 32)
            with open(f"{folder}/other", "w", encoding="utf-8"):
                pass
            with self.assertRaises(regmix.UsageError):
                quick().save(folder)
            with self.assertRaises(regmix.RegmixError):
                quick(out=folder)

    def test_reload(self):
        fit = quick()
        module = importlib.reload(regmix)
        self.assertIsInstance(fit, module.Fit)
        self.assertTrue(module.fit(W, Y, regressor="ridge").scores_.equals(fit.scores_))

    def test_warnings_and_notes(self):
        with (
            self.assertLogs("regmix", logging.INFO) as logs,
            warnings.catch_warnings(record=True) as w,
        ):
            warnings.simplefilter("always")
            regmix.fit(W, Y.rename(columns={"books_loss": "b"}), regressor="ridge", metric="b")
        self.assertTrue(any("fit:" in line for line in logs.output), logs.output)
        self.assertTrue(w and all(x.category is regmix.RegmixWarning for x in w))
        self.assertEqual({x.filename for x in w}, {__file__})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with self.assertRaises(regmix.RegmixWarning):
                regmix.fit(W, Y.rename(columns={"books_loss": "b"}), regressor="ridge", metric="b")
        self.assertEqual(quick().n_runs, 32)

    def test_progress(self):
        seen = []
        fit = regmix.fit(W, Y, regressor="gp", progress=lambda *what: seen.append(what))
        fit.optimize("books_loss", replicates=20, progress=lambda *what: seen.append(what))
        self.assertTrue(seen)
        for what, done, total, unit in seen:
            self.assertTrue(0 <= done <= total and isinstance(what + unit, str))

    def test_c_errors_are_python_errors(self):
        kinds = {regmix.InputError: ValueError, regmix.UsageError: ValueError,
                 regmix.FileError: OSError, regmix.NoMemoryError: MemoryError,
                 regmix.NumericError: ArithmeticError}  # fmt: skip
        for ours, theirs in kinds.items():
            self.assertTrue(issubclass(ours, theirs) and issubclass(ours, regmix.RegmixError))
        with self.assertRaises(OSError):
            quick().report("/nowhere/at/all.html")

    def test_a_library_that_is_missing_or_wrong(self):
        with Scratch() as folder:
            bad = Path(folder, "libx.so")
            bad.write_bytes(b"no library")
            for path in ("/nowhere/libregmix.so", str(bad)):
                done = script("import regmix", env={**os.environ, "REGMIX_LIBRARY": path})
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("ImportError: regmix: the shared library cannot be", done.stderr)
                self.assertIn("make python", done.stderr)
            libc = script("import regmix", env={**os.environ, "REGMIX_LIBRARY": "libc.so.6"})
            self.assertIn("has no function rmx_version", libc.stderr)

    def test_without_scikit_learn(self):
        done = script("""
            import sys
            sys.modules["sklearn"] = None
            import regmix
            try:
                regmix.MixtureRegressor
            except ImportError as why:
                print("none", "sklearn" in str(why))
        """)
        self.assertEqual(done.stdout, "none True\n", done.stderr)
