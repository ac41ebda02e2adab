# SPDX-License-Identifier: Apache-2.0
"""Files and folders: those that the user names are written as the commands write them with --out;
others are temporary."""

from __future__ import annotations

import ctypes as c
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, Optional, Union

from ._call import call
from ._errors import UsageError
from ._library import lib

PathLike = Union[str, "os.PathLike[str]"]


def place_of(path: PathLike) -> bytes:
    """The path as the library takes it."""
    place = os.fsencode(path)
    if not place or b"\0" in place:
        raise UsageError(f"{path!r}: wanted the name of a file or folder")
    return place


def write_text(path: PathLike, text: str) -> Path:
    """Writes a whole file or none. A file that does not begin like it is kept as PATH~."""
    place, data = place_of(path), text.encode()

    def work(listener: Any, err: Any) -> int:
        return lib.rmx_write_named(place, data, len(data), listener, err)

    call(work, False)
    return Path(os.fsdecode(place))


def copy_fit(folder: PathLike, to: PathLike) -> Path:
    """Copies the files of a fit into the folder `to`; other files in it stay."""
    source, place = place_of(folder), place_of(to)
    call(lambda listener, err: lib.rmx_fit_copy(source, place, listener, err), False)
    return Path(os.fsdecode(place))


def _remove(folder: str, owner: int) -> None:
    """Removes a folder, to the end also if Ctrl-C comes meanwhile."""
    interrupt: Optional[BaseException] = None
    for _ in range(20):
        if os.getpid() != owner:  # a fork has no folder of its own
            break
        try:
            shutil.rmtree(folder, ignore_errors=True)
            break
        except KeyboardInterrupt as why:
            interrupt = why
    if interrupt:
        raise interrupt


class Scratch:
    """A temporary folder, which goes with the last object that uses it, or before."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="regmix-")
        self.remove = weakref.finalize(self, _remove, self.path, os.getpid())
