# SPDX-License-Identifier: Apache-2.0
"""A failure of the library as a Python exception with the same message."""

from __future__ import annotations


class RegmixError(Exception):
    """Any failure that the library reports."""


class InputError(RegmixError, ValueError):
    """The data are wrong; the message says where, what was found, and what was wanted."""


class UsageError(RegmixError, ValueError):
    """The call is wrong: an unknown name, a bad value, options that exclude each other."""


class FileError(RegmixError, OSError):
    """The operating system refused to read or write a file."""


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


def error_of(status: int, message: bytes) -> BaseException:
    return _KINDS.get(status, RegmixError)(message.decode("utf-8", "replace"))
