# SPDX-License-Identifier: Apache-2.0
"""Files that calls write: what is there and was not written by regmix stays."""
import os
import re
import subprocess
import sys
import textwrap
import threading
import unittest
import warnings
from pathlib import Path

import regmix
from swarm import Scratch, answer, losses, mixtures

W = mixtures()
Y = losses(W)


def quick(**more):
    return regmix.fit(W, Y, regressor="ridge", progress=False, **more)


def files(folder):
    return sorted(p.name for p in Path(folder).iterdir())


class Kept(unittest.TestCase):
    """Each call that writes a file, by its name."""

    @classmethod
    def setUpClass(cls):
        cls.fit = quick()
        cls.opt = cls.fit.optimize("books_loss", quick=True, progress=False)
        cls.writers = {
            "save": cls.opt.save,
            "to": lambda path: cls.opt.to("csv", path),
            "report": cls.fit.report,
        }

    def kept(self, write, path):
        """The warnings of a call."""
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            write(path)
        for w in seen:
            self.assertIs(w.category, regmix.RegmixWarning)
            self.assertEqual(w.filename, __file__)
        return [str(w.message) for w in seen]

    def test_a_file_of_another_kind_is_kept(self):
        for name, write in self.writers.items():
            with self.subTest(name), Scratch() as folder:
                path = Path(folder, "thesis")
                path.write_text("mine\n")
                self.assertEqual(
                    self.kept(write, path), [f"the file that was there is kept as {path}~"]
                )
                self.assertEqual(Path(folder, "thesis~").read_text(), "mine\n")
                first = path.read_bytes()
                path.write_text("more\n")
                self.kept(write, str(path))
                self.assertEqual(Path(folder, "thesis~2").read_text(), "more\n")
                self.assertEqual(path.read_bytes()[:200], first[:200])
                self.assertEqual(files(folder), ["thesis", "thesis~", "thesis~2"])

    def test_what_it_wrote_before_is_replaced(self):
        for name, write in self.writers.items():
            with self.subTest(name), Scratch() as folder:
                path = Path(folder, "out")
                for _ in range(2):
                    self.assertEqual(self.kept(write, path), [])
                path.write_bytes(b"")  # empty: nothing is lost
                self.assertEqual(self.kept(write, path), [])
                self.assertEqual(files(folder), ["out"])

    def test_the_same_rule_as_the_program(self):
        with Scratch() as folder:
            for name in ("ours", "theirs"):
                Path(folder, name).write_text("mine\n")
            self.kept(self.opt.save, Path(folder, "ours"))
            answer("optimize", "--fit", self.fit.folder, "--target", "books_loss", "--quick",
                   "--out", "theirs", cwd=folder)  # fmt: skip
            self.assertEqual(files(folder), ["ours", "ours~", "theirs", "theirs~"])
            answer("optimize", "--fit", self.fit.folder, "--target", "books_loss", "--quick",
                   "--out", "ours", cwd=folder)  # fmt: skip
            self.assertEqual(self.kept(self.opt.save, Path(folder, "theirs")), [])
            self.assertEqual(files(folder), ["ours", "ours~", "theirs", "theirs~"])

    def test_links_stay_and_lead_to_what_is_written(self):
        for name, write in self.writers.items():
            with self.subTest(name), Scratch() as folder:
                os.symlink("there", f"{folder}/link")
                Path(folder, "there").write_text("mine\n")
                self.kept(write, f"{folder}/link")
                self.assertTrue(os.path.islink(f"{folder}/link"))
                self.assertEqual(files(folder), ["link", "there", "there~"])

    def test_what_cannot_be_written_is_an_oserror_and_leaves_nothing(self):
        for name, write in {**self.writers, "fit.save": self.fit.save}.items():
            with self.subTest(name), Scratch() as folder:
                Path(folder, "file").write_text("mine\n")
                places = [f"{folder}/file/inside"]
                if name != "fit.save":
                    places += [folder, f"{folder}/missing/out"]
                for place in places:
                    with self.assertRaisesRegex(OSError, f"cannot write {re.escape(place)}:"):
                        write(place)
                self.assertEqual(files(folder), ["file"])
                for place in ("", "a\0b"):
                    with self.assertRaises(regmix.UsageError):
                        write(place)

    def test_a_file_that_cannot_be_read_is_kept(self):
        text = """
            import os, sys, warnings
            import regmix
            from swarm import losses, mixtures
            warnings.simplefilter("ignore")
            w = mixtures()
            fit = regmix.fit(w, losses(w), regressor="ridge", progress=False)
            opt = fit.optimize("books_loss", quick=True, progress=False)
            os.chdir(sys.argv[1])
            if os.geteuid() == 0:
                os.chmod(".", 0o777)
                os.setuid(65534)
            with open("thesis", "w") as file:
                file.write("mine")
            os.chmod("thesis", 0o200)
            opt.save("thesis")
            os.chmod("thesis~", 0o600)
            print(open("thesis~").read())
        """
        with Scratch() as folder:
            done = subprocess.run([sys.executable, "-c", textwrap.dedent(text), folder],
                                  capture_output=True, text=True,
                                  cwd=Path(__file__).parent)  # fmt: skip
        self.assertEqual((done.returncode, done.stdout), (0, "mine\n"), done.stderr)

    def test_threads_keep_the_files_of_their_own_calls(self):
        with Scratch() as folder:
            found = {}

            def work(i):
                path = Path(folder, f"{i}")
                path.write_text("mine\n")
                self.opt.to("csv", path)

            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            found = sorted(str(w.message).rpartition("/")[2] for w in seen)
            self.assertEqual(found, [f"{i}~" for i in range(8)])
            self.assertEqual(len(files(folder)), 16)


    def test_threads_that_write_one_file_lose_none(self):
        for turn in range(30):
            with Scratch() as folder, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                path = Path(folder, "thesis")
                path.write_text("mine\n")
                together(8, lambda i: self.opt.save(path))
                texts = [p.read_text() for p in Path(folder).iterdir()]
                self.assertIn("mine\n", texts, turn)


def together(n, work):
    """Runs work(i) in n threads, and raises what one of them raised."""
    failed, start = [], threading.Barrier(n)

    def run(i):
        try:
            start.wait()
            work(i)
        except BaseException as why:
            failed.append(why)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


class Folders(unittest.TestCase):
    def test_threads_that_write_one_folder(self):
        fit = quick()
        with Scratch() as folder:
            together(6, lambda i: [fit.save(f"{folder}/fit") for _ in range(5)])
            self.assertTrue(regmix.load(f"{folder}/fit").predict(W).equals(fit.predict(W)))
            self.assertEqual(files(folder), ["fit"])
            self.assertEqual(files(f"{folder}/fit"), files(fit.folder))

    def test_a_relative_folder_stays_where_it_was(self):
        here = os.getcwd()
        with Scratch() as folder:
            try:
                os.chdir(folder)
                fit, loaded = quick(out="fit"), regmix.load(os.fsencode("fit"))
                os.mkdir("other")
                os.chdir("other")
                for one in (fit, loaded):
                    one.optimize("books_loss", quick=True, progress=False)
                self.assertEqual(fit.folder, os.path.join(os.path.realpath(folder), "fit"))
            finally:
                os.chdir(here)

    def test_a_folder_of_other_things_is_refused(self):
        writers = {"save": quick().save, "fit": lambda path: quick(out=path)}
        for name, write in writers.items():
            for file in ("fit.json", "thesis.txt"):
                with self.subTest(name, file=file), Scratch() as folder:
                    Path(folder, file).write_text('{"sport": "rowing"}\n')
                    with self.assertRaisesRegex(regmix.UsageError, f"other files .{file}. and no"):
                        write(folder)
                    self.assertEqual(files(folder), [file])
                    with self.assertRaisesRegex(regmix.UsageError, "is a file"):
                        write(f"{folder}/{file}")
                    with self.assertRaises(regmix.UsageError):
                        write("")

    def test_files_beside_a_fit_stay(self):
        fit = quick()
        two = regmix.fit(W, Y.iloc[:, :2], regressor="ridge", progress=False)
        writers = {"save": fit.save, "fit": lambda path: quick(out=path)}
        parts = files(fit.folder)
        for name, write in writers.items():
            with self.subTest(name), Scratch() as folder:
                two.save(folder)
                mine = {"thesis.txt": "mine\n", "runs": "my runs\n", "hellaswag_acc.json": "[1]\n"}
                for file, text in mine.items():
                    Path(folder, file).write_text(text)
                Path(folder, "notes").mkdir()
                with self.assertWarnsRegex(regmix.RegmixWarning, "hellaswag_acc.json~"):
                    write(folder)
                kept = {"thesis.txt", "runs", "hellaswag_acc.json~", "notes"}
                self.assertEqual(set(files(folder)), kept | set(parts))
                for file, text in mine.items():
                    place = Path(folder, file + "~" * (file == "hellaswag_acc.json"))
                    self.assertEqual(place.read_text(), text)
                self.assertTrue(regmix.load(folder).predict(W).equals(fit.predict(W)))
                two.save(folder)  # the metric goes
                self.assertEqual(set(files(folder)), kept | set(files(two.folder)))

    def test_the_files_of_a_fit_are_copied_and_no_others(self):
        with Scratch() as folder:
            fit = quick(out=f"{folder}/a")
            Path(fit.folder, "thesis.txt").write_text("mine\n")
            Path(fit.folder, "models").mkdir()
            fit.save(f"{folder}/new/b")
            self.assertEqual(
                set(files(f"{folder}/a")) - set(files(f"{folder}/new/b")), {"thesis.txt", "models"}
            )
            self.assertEqual(fit.save(fit.folder), Path(fit.folder))
            self.assertEqual(len(files(fit.folder)), 7)
            self.assertNotIn("thesis.txt", fit.__getstate__()["files"])

    def test_a_fit_whose_folder_took_another_fit_is_refused(self):
        with Scratch() as name:
            folder = Path(name)
            first = quick(out=folder / "fit")
            wanted = first.predict(W)
            regmix.fit(W, Y * 2, regressor="ridge", progress=False, out=folder / "fit")
            for ask in (
                lambda: first.optimize("books_loss", quick=True, progress=False),
                lambda: first.suggest(2, progress=False),
                lambda: first.save(folder / "copy"),
                lambda: first.report(folder / "page.html"),
                lambda: first.score(W, Y),
                lambda: first.cross_validation_,
                first.__getstate__,
            ):
                with self.assertRaisesRegex(regmix.InputError, "no longer holds the fit"):
                    ask()
            self.assertTrue(first.predict(W).equals(wanted))  # which is in memory
            again = quick(out=folder / "fit")  # the same data give the same fit
            self.assertTrue(first.optimize("books_loss", quick=True, progress=False).json)
            self.assertTrue(again.predict(W).equals(wanted))
            self.assertEqual(files(folder), ["fit"])
