# SPDX-License-Identifier: Apache-2.0
"""Questions to the library: keywords become the options of its commands, answers are their JSON."""

from __future__ import annotations

import ctypes as c
import difflib
import functools
import json
import os
import re
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional

import numpy as np
import pandas as pd

from ._call import Progress, call, check
from ._errors import RegmixError, UsageError
from ._frames import mixture_text
from ._library import Err, Table, lib
from ._write import Scratch

# Options that name a file with a mixture or with tokens: a mapping or a Series will do as well.
_MIXTURES = {"prior", "than", "reference", "given", "against", "mixture", "tokens"}
# The paths are this package's to give.
_OWN = {"fit", "out", "mixtures", "metrics", "optimum", "next", "fold"}


_LISTS = (list, tuple, set, frozenset, pd.Index, np.ndarray)


@functools.lru_cache(maxsize=None)
def options_of(kind: str) -> dict[str, dict[str, str]]:
    """The options of a command: {key: {"key", "type", "value", "help"}}."""
    text = c.c_void_p(lib.rmx_ask_options(kind.encode()))
    if not text.value:
        raise KeyError(kind)
    rows = json.loads(c.string_at(text.value))
    lib.rmx_free_at(c.byref(text))
    return {row["key"]: row for row in rows}


def _number(value: Any) -> str:
    return value if isinstance(value, str) else repr(float(value))


def _share(name: str, value: Any) -> str:
    """code: 0.2, (0.1, 0.3) or (0.1, 0.3, ["github", "stackexchange"])."""
    if not isinstance(value, (tuple, list)):
        return f"{name}={value if isinstance(value, str) else _number(value)}"
    if len(value) not in (2, 3):
        raise TypeError(f"share: {name!r} is {value!r}; wanted (low, high) or (low, high, domains)")
    low, high, *members = value
    bounds = "..".join("" if x is None else _number(x) for x in (low, high))
    if members and isinstance(members[0], str):
        members = [members]
    if members and not isinstance(members[0], _LISTS):
        raise TypeError(f"share: {name!r}: {members[0]!r}; wanted a list of domains")
    tail = ":" + ",".join(map(str, members[0])) if members else ""
    return f"{name}={bounds}{tail}"


def _items(key: str, value: Any) -> Iterator[str]:
    """The values of an option that may be given several times."""
    if isinstance(value, pd.Series):
        value = value.to_dict()
    if isinstance(value, (pd.Index, np.ndarray)):
        value = value.tolist()
    if isinstance(value, Mapping):
        for name, x in value.items():
            if x is None:
                yield str(name)
            elif key == "share":
                yield _share(str(name), x)
            elif isinstance(x, _LISTS):  # metric_group={"mean": ["a", "b"]}
                yield f"{name}={','.join(map(str, x))}"
            else:
                yield f"{name}={_number(x)}"
    elif isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, set, frozenset)) and key != "phases":
        for x in value:
            yield from _items(key, x)
    elif isinstance(value, (list, tuple)):  # phases=(0.8, 0.2)
        yield ",".join(_number(x) for x in value)
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        yield str(int(value))  # also the name of a column: 0
    elif isinstance(value, (float, np.floating)):
        yield _number(value)
    else:
        raise TypeError(f"{key}: cannot use a {type(value).__name__}")


class Ask:
    """One question. `with Ask("optimize") as ask: ask.set(target="x"); answer = ask.answer()`."""

    def __init__(self, kind: str):
        self.options = options_of(kind)
        self.kind = kind
        self.err = Err()
        self.handle = c.c_void_p()
        self.scratch: Optional[Scratch] = None
        self.mixtures = 0  # how many were written into it
        self.busy = False  # a thread of the library uses the handle
        self.tables: tuple[Table, ...] = ()
        check(lib.rmx_ask_new(kind.encode(), c.byref(self.handle), c.byref(self.err)), self.err)

    def __enter__(self) -> "Ask":
        return self

    def __exit__(self, *_: Any) -> None:
        if not self.busy:
            lib.rmx_ask_free(self.handle)
        self.handle = c.c_void_p()
        if self.scratch:
            self.scratch.remove()

    def place(self, name: str) -> Path:
        """A path in a folder that goes with the question."""
        if not self.scratch:
            self.scratch = Scratch()
        return Path(self.scratch.path) / name

    def put(self, key: str, value: str) -> None:
        if "\0" in key or "\0" in value:
            raise UsageError(f"{key}: a text with a NUL in it")
        check(
            lib.rmx_ask_set(self.handle, key.encode(), os.fsencode(value), c.byref(self.err)),
            self.err,
        )

    def _file(self, key: str, value: Any, name: Any) -> str:
        if isinstance(value, (str, os.PathLike)):
            return os.fspath(value)
        stem = str(name).replace("/", "_")
        if not stem or len(os.fsencode(stem)) > 200 or "\0" in stem:
            raise UsageError(f"{key}: {name!r}; wanted a name of 1 to 200 bytes for a mixture")
        self.mixtures += 1  # a folder for each: two mixtures may have one name
        path = self.place(f"{self.mixtures}/{stem}.csv")
        path.parent.mkdir()
        path.write_text(mixture_text(value, key), encoding="utf-8")
        return str(path)

    def _files(self, key: str, value: Any) -> Iterator[str]:
        if key == "against" and isinstance(value, Mapping) and not isinstance(value, pd.Series):
            for name, x in value.items():  # {"mine": mixture}
                yield self._file(key, x, name)
        elif isinstance(value, (list, tuple)):
            for i, x in enumerate(value):
                yield self._file(key, x, _name_of(x, f"{key}{i + 1}"))
        else:
            yield self._file(key, value, _name_of(value, key))

    def set(self, **options: Any) -> "Ask":
        """Keywords are the options of the command, with _ for -. None: not given."""
        for word, value in options.items():
            key = word.rstrip("_").replace("_", "-")
            row = self.options.get(key)
            if value is None:
                continue
            if row is None or key in _OWN:
                raise UsageError(f"{self.kind}: unknown option {word!r}{self._meant(key)}")
            if key in _MIXTURES:
                for path in self._files(key, value):
                    self.put(key, path)
            elif row["type"] == "list":
                for text in _items(key, value):
                    self.put(key, text)
            elif row["type"] == "bool":
                self.put(key, "true" if _flag(word, value, False) else "false")
            elif isinstance(value, str):
                self.put(key, value)
            elif row["type"] == "int":
                self.put(key, str(_whole(word, value)))
            elif row["type"] == "real":
                self.put(key, _real(word, value))
            elif key == "for":
                self.put(key, scale_text(value) or "")
            elif key == "pareto" and isinstance(value, _LISTS):
                self.put(key, ",".join(map(str, value)))
            elif isinstance(value, os.PathLike):
                self.put(key, os.fspath(value))
            else:
                raise TypeError(f"{word}: wanted text, got {type(value).__name__}")
        return self

    def _meant(self, key: str) -> str:
        known = [name for name in self.options if name not in _OWN]
        near = difflib.get_close_matches(key, known, 1)
        return f"; did you mean {near[0].replace('-', '_')!r}?" if near else ""

    def settings(
        self, settings: Optional[Mapping[str, Any]], seed: Optional[int], jobs: Optional[int]
    ) -> "Ask":
        """Keys of regmix.yaml: {"ridge.alpha": 0.1}."""
        if seed is not None:
            self.put("set", f"seed={_whole('seed', seed)}")
        if jobs is not None:
            self.put("set", f"jobs={_whole('jobs', jobs)}")
        if settings is not None and not isinstance(settings, Mapping):
            raise TypeError(f"settings: wanted a mapping, got {type(settings).__name__}")
        for key, value in (settings or {}).items():
            if isinstance(value, bool):
                value = "true" if value else "false"
            elif isinstance(value, float):
                value = repr(value)
            self.put("set", f"{key}={value}")
        return self

    def give(self, mixtures: Table, metrics: Optional[Table]) -> None:
        self.tables = (mixtures,) if metrics is None else (mixtures, metrics)
        check(
            lib.rmx_ask_tables(
                self.handle,
                c.byref(mixtures),
                c.byref(metrics) if metrics is not None else None,
                c.byref(self.err),
            ),
            self.err,
        )

    def answer(self, progress: Progress = None) -> dict[str, Any]:
        text = c.c_void_p()

        def work(listener: Any, err: Any) -> int:
            try:
                return lib.rmx_ask_answer(handle, listener, c.byref(text), err)
            finally:
                self.busy = False

        handle, self.busy = self.handle, True
        try:
            call(work, progress, self.shown)
        except RegmixError as why:
            why.args = (self.shown(str(why)),)
            raise
        try:
            return json.loads(self.shown(c.string_at(text.value).decode()))
        finally:
            lib.rmx_free_at(c.byref(text))

    def shown(self, text: str) -> str:
        """A text without the folder of the question: what was given as a mapping has no path."""
        if not self.scratch:
            return text
        return re.sub(re.escape(self.scratch.path) + r"/(\d+/)?", "", text)


def scale_text(scale: Any) -> Optional[str]:
    """A size and tokens, "7B,1T" or (7e9, 1e12), as the library takes them."""
    if scale is None or isinstance(scale, str):
        return scale
    if not isinstance(scale, (tuple, list)) or len(scale) != 2:
        raise UsageError(f"for_: {scale!r}; wanted a size and tokens, as '7B,1T' or (7e9, 1e12)")
    return ",".join(x if isinstance(x, str) else _real("for_", x) for x in scale)


def _name_of(x: Any, otherwise: str) -> str:
    name = getattr(x, "name", None)  # of a Series
    return otherwise if name is None or str(name) == "" else str(name)


def _flag(word: str, value: Any, otherwise: bool) -> bool:
    if value is None:
        return otherwise
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{word}: wanted True or False, got {value!r}")
    return bool(value)


def _whole(word: str, value: Any) -> int:
    try:
        whole = int(value)
    except (TypeError, ValueError):
        whole = None
    if isinstance(value, (bool, str)) or whole is None or whole != value:
        raise TypeError(f"{word}: wanted a whole number, got {value!r}")
    return whole


def _real(word: str, value: Any) -> str:
    if isinstance(value, bool):
        raise TypeError(f"{word}: wanted a number, got {value!r}")
    try:
        return repr(float(value))
    except (TypeError, ValueError):
        raise TypeError(f"{word}: wanted a number, got {type(value).__name__}") from None
