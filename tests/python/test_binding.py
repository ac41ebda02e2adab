# SPDX-License-Identifier: Apache-2.0
"""The binding agrees with the public headers: layouts of structs, signatures of functions."""
import ctypes as c
import re
import subprocess
import unittest
from pathlib import Path

import regmix
from regmix import _ask, _library
from swarm import BUILD, answer

ROOT = Path(__file__).resolve().parents[2]


def prototypes():
    text = "".join(path.read_text() for path in sorted((ROOT / "include/regmix").glob("*.h")))
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^\s*#.*?(?<!\\)$", "", text, flags=re.M | re.S)
    found = re.finditer(r"([\w ]+?[ *]+)(rmx_\w+)\(([^()]*)\)\s*;", text)
    return {m[2]: (m[1].strip(), " ".join(m[3].split())) for m in found}


def kind(text):
    """pointer, or the size class of a C type."""
    if "*" in text or "[" in text:
        return "pointer"
    word = re.sub(r"\b(const|struct|enum)\b", "", text).split()
    if not word or word[0] == "void":
        return "void"
    names = {"double": "double", "size_t": "size", "bool": "bool", "int": "int"}
    return names.get(word[0], "int")  # enums are ints


def ctypes_kind(x):
    if x is None:
        return "void"
    if x in (c.c_double, c.c_bool, c.c_size_t, c.c_int):
        return {c.c_double: "double", c.c_bool: "bool", c.c_size_t: "size", c.c_int: "int"}[x]
    return "pointer"


class Binding(unittest.TestCase):
    def test_layout_of_structs(self):
        lines = subprocess.run([BUILD / "tests/python_layout"], capture_output=True, text=True)
        seen = set()
        for line in lines.stdout.splitlines():
            name, number = line.split()
            struct, _, member = name.partition(".")
            kind = _library.STRUCTS[struct]
            seen.add(name)
            with self.subTest(name):
                have = getattr(kind, member).offset if member else c.sizeof(kind)
                self.assertEqual(have, int(number))
        wanted = {
            f"{name}.{field[0]}"
            for name, struct in _library.STRUCTS.items()
            for field in struct._fields_
        }
        self.assertLessEqual(wanted, seen)

    def test_members_of_structs(self):
        text = "".join(path.read_text() for path in (ROOT / "include/regmix").glob("*.h"))
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        for name, kind in _library.STRUCTS.items():
            body = re.search(r"typedef struct %s \{(.*?)\n\} %s;" % (name, name), text, re.S)[1]
            body = re.sub(r"\(\*(\w+)\)\([^;]*\)", r"\1", body)  # pointers to functions
            members = []
            for statement in body.split(";"):
                words = re.sub(r"\[[^]]*\]", "", statement).replace("*", " ").split(",")
                members += [word.split()[-1] for word in words if word.split()]
            self.assertEqual(members, [field[0] for field in kind._fields_], name)

    def test_signatures(self):
        known = prototypes()
        for name, (result, arguments) in _library.FUNCTIONS.items():
            with self.subTest(name):
                back, words = known[name]
                wanted = [kind(word) for word in words.split(",")] if words != "void" else []
                self.assertEqual([ctypes_kind(x) for x in arguments], wanted)
                self.assertEqual(ctypes_kind(result), kind(back))

    def test_versions_agree(self):
        line = (ROOT / "meson.build").read_text().splitlines()[0]
        self.assertIn(f"version: '{regmix.__version__}'", line)
        self.assertEqual(_library.lib.rmx_version().decode(), regmix.__version__)

    def test_every_option_of_the_commands_is_a_keyword(self):
        for command in ("fit", "score", "optimize", "suggest", "report", "export"):
            shown = {o["name"] for o in answer("help", command)["options"]}
            self.assertEqual({"--" + key for key in _ask.options_of(command)}, shown, command)

    def test_help_and_names(self):
        import pydoc

        text = pydoc.render_doc(regmix)
        for name in ("optimize", "cap", "MixtureRegressor", "shape (N, D)"):
            self.assertIn(name, text)
        self.assertTrue((Path(regmix.__file__).parent / "py.typed").exists())
        for name in regmix.__all__:
            self.assertTrue(getattr(regmix, name) is not None, name)
        with self.assertRaises(AttributeError):
            regmix.nothing
