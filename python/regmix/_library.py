# SPDX-License-Identifier: Apache-2.0
"""The shared library: where it is, its structs and the signatures of its functions.

``tests/python/layout.c`` prints the sizes and offsets of these structs as a C compiler has them.
"""

from __future__ import annotations

import ctypes as c
import os
from pathlib import Path

VERSION = "0.2.0"  # of the library that this package belongs to


class Err(c.Structure):
    """rmx_err"""

    _fields_ = [("status", c.c_int), ("message", c.c_char * 1024), ("os_error", c.c_int)]


PROGRESS = c.CFUNCTYPE(
    None, c.c_void_p, c.c_char_p, c.c_double, c.c_double, c.c_char_p, c.c_char_p
)
MESSAGE = c.CFUNCTYPE(None, c.c_void_p, c.c_char_p)
PART = c.CFUNCTYPE(None, c.c_void_p, c.c_char_p, c.c_size_t, c.c_size_t)


class Listener(c.Structure):
    """rmx_listener"""

    _fields_ = [
        ("context", c.c_void_p),
        ("progress", PROGRESS),
        ("note", MESSAGE),
        ("warn", MESSAGE),
        ("part", PART),
        ("detail", MESSAGE),
    ]


class Table(c.Structure):
    """rmx_table"""

    _fields_ = [
        ("path", c.c_char_p),
        ("id_name", c.c_char_p),
        ("N", c.c_size_t),
        ("D", c.c_size_t),
        ("ids", c.POINTER(c.c_char_p)),
        ("lines", c.POINTER(c.c_int)),
        ("names", c.POINTER(c.c_char_p)),
        ("x", c.POINTER(c.c_double)),
        ("better", c.POINTER(c.c_int)),
        ("sizes", c.POINTER(c.c_double)),
        ("tokens", c.POINTER(c.c_double)),
    ]


class Scale(c.Structure):
    """rmx_scale"""

    _fields_ = [("size", c.c_double), ("tokens", c.c_double)]


class Dataset(c.Structure):
    """rmx_dataset"""

    _fields_ = [
        ("N", c.c_size_t),
        ("D", c.c_size_t),
        ("X", c.POINTER(c.c_double)),
        ("y", c.POINTER(c.c_double)),
        ("row_weights", c.POINTER(c.c_double)),
        ("groups", c.POINTER(c.c_int)),
        ("domains", c.POINTER(c.c_char_p)),
        ("metric", c.c_char_p),
        ("own_domain", c.c_int),
        ("tokens", c.POINTER(c.c_double)),
        ("budget", c.c_double),
        ("run_tokens", c.c_double),
        ("scales", c.POINTER(Scale)),
        ("higher_is_better", c.c_bool),
    ]


STRUCTS = {
    "rmx_err": Err,
    "rmx_listener": Listener,
    "rmx_table": Table,
    "rmx_scale": Scale,
    "rmx_dataset": Dataset,
}

_text, _err, _handle = c.c_char_p, c.POINTER(Err), c.c_void_p
_doubles = c.POINTER(c.c_double)
_out = c.POINTER(c.c_void_p)

# name: (result, arguments)
FUNCTIONS = {
    "rmx_version": (c.c_char_p, []),
    "rmx_interrupt": (None, []),
    "rmx_uninterrupt": (None, []),
    "rmx_free_at": (None, [_out]),
    "rmx_parse_real": (c.c_int, [_text, _text, _doubles, _err]),
    "rmx_write_named": (c.c_int, [_text, _text, c.c_size_t, c.POINTER(Listener), _err]),
    "rmx_ask_new": (c.c_int, [_text, _out, _err]),
    "rmx_ask_set": (c.c_int, [_handle, _text, _text, _err]),
    "rmx_ask_tables": (c.c_int, [_handle, c.POINTER(Table), c.POINTER(Table), _err]),
    "rmx_ask_answer": (c.c_int, [_handle, c.POINTER(Listener), _out, _err]),
    "rmx_ask_free": (None, [_handle]),
    "rmx_ask_regressor": (
        c.c_int,
        [_handle, c.POINTER(Dataset), c.POINTER(Listener), _out, _err],
    ),
    "rmx_ask_options": (c.c_void_p, [_text]),
    "rmx_fit_read": (c.c_int, [_text, _out, _err]),
    "rmx_fit_copy": (c.c_int, [_text, _text, c.POINTER(Listener), _err]),
    "rmx_fit_free": (None, [_handle]),
    "rmx_fit_for_text": (c.c_int, [_handle, _text, _err]),
    "rmx_fit_set_budget": (c.c_bool, [_handle, c.c_double]),
    "rmx_fit_mixtures": (c.c_int, [_handle, c.POINTER(Table), c.POINTER(_doubles), _err]),
    "rmx_fit_n_domains": (c.c_size_t, [_handle]),
    "rmx_fit_n_metrics": (c.c_size_t, [_handle]),
    "rmx_fit_n_runs": (c.c_size_t, [_handle]),
    "rmx_fit_n_phases": (c.c_size_t, [_handle]),
    "rmx_fit_domains": (c.POINTER(c.c_char_p), [_handle]),
    "rmx_fit_metrics": (c.POINTER(c.c_char_p), [_handle]),
    "rmx_fit_regressor": (_handle, [_handle, c.c_size_t]),
    "rmx_fit_has_scales": (c.c_bool, [_handle]),
    "rmx_fit_size_column": (c.c_char_p, [_handle]),
    "rmx_fit_tokens_column": (c.c_char_p, [_handle]),
    "rmx_fit_higher_is_better": (c.c_bool, [_handle, c.c_size_t]),
    "rmx_fit_direction_from": (c.c_int, [_handle, c.c_size_t]),
    "rmx_direction_from_text": (c.c_char_p, [c.c_int]),
    "rmx_regressor_predict": (None, [_handle, _doubles, c.c_size_t, _doubles, _doubles]),
    "rmx_regressor_name": (c.c_char_p, [_handle]),
    "rmx_regressor_write": (c.c_int, [_handle, _text, _err]),
    "rmx_regressor_read": (c.c_int, [_text, _out, _err]),
    "rmx_regressor_free": (None, [_handle]),
}


def _candidates() -> list[str]:
    named = os.environ.get("REGMIX_LIBRARY")
    if named:
        return [named]
    inside = Path(__file__).with_name("libregmix.so")
    return [str(inside)] if inside.exists() else ["libregmix.so.0"]


def _load() -> c.CDLL:
    path = _candidates()[0]
    try:
        library = c.CDLL(path)
    except OSError as why:
        raise ImportError(
            f"regmix: the shared library cannot be loaded: {why}. Install the wheel that "
            "`make python` builds, which holds it, or name the library in REGMIX_LIBRARY"
        ) from None
    for name, (result, arguments) in FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(
                f"regmix: {path} has no function {name}: it is another version of the library; "
                f"wanted {VERSION}"
            ) from None
        function.restype = result
        function.argtypes = arguments
    found = library.rmx_version().decode()
    if found != VERSION:
        raise ImportError(f"regmix: {path} has version {found}; this package wants {VERSION}")
    return library


lib = _load()
