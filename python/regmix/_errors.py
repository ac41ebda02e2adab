# SPDX-License-Identifier: Apache-2.0
"""A failure of the library as a Python exception with the same message."""

from __future__ import annotations

import os
from typing import Any

from ._words import in_python


class RegmixError(Exception):
    """Any failure that the library reports."""


class InputError(RegmixError, ValueError):
    """The data are wrong; the message says where, what was found, and what was wanted."""


class UsageError(RegmixError, ValueError):
    """The call is wrong: an unknown name, a bad value, options that exclude each other."""


class FileError(RegmixError, OSError):
    """The operating system refused to read or write a file; ``errno`` says why."""

    def __init__(self, message: str, number: int = 0):
        super().__init__(message)
        self.errno = number or None
        self.strerror = os.strerror(number) if number else None

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return FileError, (self.args[0], self.errno or 0)


class NoMemoryError(RegmixError, MemoryError):
    """An allocation failed."""


class NumericError(RegmixError, ArithmeticError):
    """A computation did not work out: a singular system, no finite value."""


class RegmixWarning(UserWarning):
    """Something to act upon, though the work went on."""


# rmx_status: OK, EINPUT, EUSAGE, EIO, ENOMEM, ENUMERIC, EINTERRUPTED
_KINDS: dict[int, type[BaseException]] = {
    1: InputError,
    2: UsageError,
    3: FileError,
    4: NoMemoryError,
    5: NumericError,
    6: KeyboardInterrupt,
}


def error_of(status: int, err: Any) -> BaseException:
    message = in_python(err.message.decode("utf-8", "replace"))
    kind = _KINDS.get(status, RegmixError)
    return FileError(message, err.os_error) if kind is FileError else kind(message)
