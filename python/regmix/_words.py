# SPDX-License-Identifier: Apache-2.0
"""Messages of the library name options of the command line; here they name arguments."""

from __future__ import annotations

import ctypes as c
import functools
import json
import re

from ._library import lib

_KINDS = ("fit", "score", "optimize", "suggest", "sample", "report", "export")
# Options whose arguments have other names, and commands with their functions.
_ARGUMENTS = {
    "no-guard": "guard=False",
    "no-curve": "curve=False",
    "for": "for_",
    "next": "suggested",
    "set": "settings",
}
_FUNCTIONS = {
    "fit": "regmix.fit()",
    "sample": "regmix.sample()",
    "optimize": "Fit.optimize()",
    "suggest": "Fit.suggest()",
    "score": "Fit.score()",
    "report": "Fit.report()",
}
_SETTING = re.compile(r"--set ([\w.-]+)=([\w.+-]+)")
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*[a-z])(?: ([A-Z][A-Z_=]*)\b)?")
_COMMAND = re.compile(r"`regmix ([a-z]+)`")


@functools.lru_cache(maxsize=None)
def _options() -> frozenset[str]:
    keys = set(_ARGUMENTS)
    for kind in _KINDS:
        text = c.c_void_p(lib.rmx_ask_options(kind.encode()))
        if text.value:
            keys |= {row["key"] for row in json.loads(c.string_at(text.value))}
            lib.rmx_free_at(c.byref(text))
    return frozenset(keys)


def _argument(found: "re.Match[str]") -> str:
    key, value = found.groups()
    if key not in _options():
        return found.group()
    name = _ARGUMENTS.get(key, key.replace("-", "_"))
    return f"{name}={value}" if value and "=" not in name else name


def in_python(text: str) -> str:
    """The message as a caller in Python needs it: ``--no-worse METRIC`` is ``no_worse=METRIC``."""
    if "--" in text:
        text = _SETTING.sub(r'settings={"\1": \2}', text)
        text = _OPTION.sub(_argument, text)
    return _COMMAND.sub(lambda m: f"`{_FUNCTIONS.get(m[1], 'regmix ' + m[1])}`", text)
