# SPDX-License-Identifier: Apache-2.0
"""Data frames as tables of the library, and what is wrong with them."""

from __future__ import annotations

import ctypes as c
import re
from typing import Any, Mapping, Optional, Sequence

import numpy as np
import pandas as pd

from ._call import check
from ._errors import InputError
from ._library import Err, Table, lib

_ID_NAMES = ("run", "run_id", "index", "name")
# What pandas.read_csv calls a column without a name: first of all the index that to_csv wrote.
_NAMELESS = re.compile(r"Unnamed: \d+")


def is_frame(x: Any) -> bool:
    """Whether x is, or can become, a data frame."""
    return isinstance(x, pd.DataFrame) or hasattr(x, "to_pandas")


def as_frame(x: Any, what: str, id: Optional[str] = None) -> pd.DataFrame:
    """x as a data frame whose index names the runs.

    The index is taken as it is, unless it only counts the rows: then the first column names the
    runs if it is called run, run_id, index or name, holds text, or had no name in its CSV file.
    `id` names another column.
    """
    if hasattr(x, "to_pandas") and not isinstance(x, pd.DataFrame):
        x = x.to_pandas()
    if isinstance(x, pd.Series):
        x = x.to_frame()
    if not isinstance(x, pd.DataFrame):
        raise TypeError(
            f"{what}: wanted a pandas.DataFrame, or anything with to_pandas(), with a run in each "
            f"row; got {type(x).__name__}"
        )
    if x.columns.nlevels > 1 or x.index.nlevels > 1:
        raise InputError(
            f"{what}: the index or the columns have several levels; wanted one of each: "
            "reset_index() and name the column of the runs with id="
        )
    if id is None and isinstance(x.index, pd.RangeIndex) and x.shape[1]:
        first = x.columns[0]
        text = x.dtypes.iloc[0] == object or isinstance(x.dtypes.iloc[0], pd.StringDtype)
        if text or (isinstance(first, str) and (first in _ID_NAMES or first == "Unnamed: 0")):
            id = first
    if id is not None:
        if id not in x.columns:
            raise InputError(f"{what}: no column {id!r} that names the runs")
        x = x.set_index(id)
        if id == "Unnamed: 0":
            x.index.name = None
    for noun, axis in (("column", x.columns), ("run", x.index)):
        if axis.hasnans:
            raise InputError(f"{what}: a {noun} has no name (None or NaN)")
    names = [str(name) for name in x.columns]
    _check_names(names, what, "column")
    _check_names([str(name) for name in x.index], what, "run")
    nameless = [name for name in names if _NAMELESS.fullmatch(name)]
    if nameless:
        raise InputError(
            f"{what}: column {nameless[0]!r} had no name in its file: drop it, or read the file "
            "with index_col=0 if it names the runs"
        )
    if not len(x) or not names:
        raise InputError(f"{what}: no {'columns' if len(x) else 'rows'}")
    return x


def _check_names(names: Sequence[str], what: str, noun: str) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise InputError(f"{what}: {noun} {name!r} is there twice; wanted each name once")
        if not name or "\0" in name or not _is_utf8(name):
            raise InputError(f"{what}: {noun} {name!r}: wanted a name of UTF-8 text")
        seen.add(name)


def _is_utf8(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def numbers_of(frame: pd.DataFrame, what: str) -> np.ndarray:
    """The values (N, D), C-contiguous float64: the frame's own memory where it is of that form."""
    if (frame.dtypes == np.float64).all():
        return np.ascontiguousarray(frame.to_numpy())
    values = np.empty(frame.shape)
    for j in range(frame.shape[1]):
        values[:, j] = _numbers_in(frame.iloc[:, j], what)
    return values


def _numbers_in(column: pd.Series, what: str) -> np.ndarray:
    """A column as float64; NaN where it says that there is no value (None, NaN, pd.NA)."""
    kinds = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    kind = column.dtype
    number = kinds.is_numeric_dtype(kind) and not kinds.is_complex_dtype(kind)
    if not number and not kinds.is_object_dtype(kind) and not isinstance(kind, pd.StringDtype):
        raise _no_numbers(what, column.name, f"its type is {kind}")
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError):
        pass
    values = np.empty(len(column))
    for i, cell in enumerate(column):
        try:
            values[i] = np.nan if cell is pd.NA or cell is pd.NaT else float(cell)
        except (ValueError, TypeError):
            where = f"run {str(column.index[i])!r} has {cell!r}"
            raise _no_numbers(what, column.name, where) from None
    return values


def _no_numbers(what: str, name: object, why: str) -> InputError:
    return InputError(
        f"{what}: column {str(name)!r} does not hold numbers ({why}); drop it, or make it the "
        "index if it names the runs; NaN stands for a value that is missing"
    )


def check_mixtures(frame: pd.DataFrame, x: np.ndarray, what: str, any_sum: bool) -> None:
    """Names the run and the domain of a weight that is wrong, or the run whose sum is."""
    bad = ~np.isfinite(x) | (x < 0)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        raise InputError(
            f"{what}: run {str(frame.index[i])!r}: the weight of {str(frame.columns[j])!r} is "
            f"{x[i, j]:g}; wanted a number from 0 to 1"
        )
    if any_sum or any(str(name).startswith("phase_") for name in frame.columns):
        return
    sums = x.sum(axis=1)
    off = np.abs(sums - 1) > 0.01
    if off.any():
        i = int(np.argmax(off))
        raise InputError(
            f"{what}: run {str(frame.index[i])!r}: the weights sum to {sums[i]:.6g}; wanted shares "
            "that sum to 1 (normalize=True divides each row by its sum)"
        )


def check_ids(mixtures: pd.DataFrame, metrics: pd.DataFrame) -> None:
    """Refuses two frames that have no run in common, or that only count their rows differently."""
    counted = isinstance(mixtures.index, pd.RangeIndex), isinstance(metrics.index, pd.RangeIndex)
    if all(counted) and len(mixtures) != len(metrics):
        raise InputError(
            f"mixtures has {len(mixtures)} rows and metrics {len(metrics)}, and neither names its "
            "runs: set the index of both to the names of the runs, or give id="
        )
    ours, theirs = ({str(name) for name in x.index} for x in (mixtures, metrics))
    if not ours & theirs:
        raise InputError(
            "mixtures and metrics have no run in common: the first has the runs "
            f"{_few(mixtures.index)}, the second has {_few(metrics.index)}; wanted the same names "
            "in both indices"
        )


def _few(index: pd.Index) -> str:
    shown = ", ".join(str(name) for name in index[:3])
    return shown + (", ..." if len(index) > 3 else "")


def _texts(items: Sequence[Any]) -> Any:
    return (c.c_char_p * max(len(items), 1))(*[str(item).encode() for item in items])


def pointer(x: Optional[np.ndarray]) -> Any:
    return None if x is None else x.ctypes.data_as(c.POINTER(c.c_double))


def table_of(
    frame: pd.DataFrame,
    x: np.ndarray,
    what: str,
    sizes: Optional[np.ndarray] = None,
    tokens: Optional[np.ndarray] = None,
) -> Table:
    """An rmx_table of the frame; x is borrowed, and the table keeps it alive."""
    N, D = x.shape
    ids, names = _texts(frame.index), _texts(frame.columns)
    lines = (c.c_int * N)(*range(1, N + 1))
    double = c.POINTER(c.c_double)
    table = Table(
        what.encode(),
        str(frame.index.name or "run").encode(),
        N,
        D,
        c.cast(ids, c.POINTER(c.c_char_p)),
        c.cast(lines, c.POINTER(c.c_int)),
        c.cast(names, c.POINTER(c.c_char_p)),
        pointer(x),
        None,
        pointer(sizes) if sizes is not None else double(),
        pointer(tokens) if tokens is not None else double(),
    )
    table.keep = (ids, names, lines, x, sizes, tokens)
    return table


def _count(cell: Any) -> float:
    """680000000 or "122M"; NaN for what is no number."""
    out, err = c.c_double(), Err()
    if isinstance(cell, str):
        good = "\0" not in cell and _is_utf8(cell)
        return out.value if good and not lib.rmx_parse_real(cell.encode(), b"", c.byref(out),
                                                            c.byref(err)) else np.nan  # fmt: skip
    try:
        return np.nan if isinstance(cell, (bool, np.bool_)) else float(cell)
    except (TypeError, ValueError):
        return np.nan


def take_column(
    frame: pd.DataFrame, name: Optional[str], what: str
) -> tuple[pd.DataFrame, Optional[np.ndarray]]:
    """Takes a column of sizes or tokens, such as 122M, out of a frame; None: it has none."""
    if name is None or name not in frame.columns:
        return frame, None
    values = np.empty(len(frame))
    for i, cell in enumerate(frame[name]):
        values[i] = _count(cell)
        if not 0 < values[i] < np.inf:
            raise InputError(
                f"{what}: run {str(frame.index[i])!r}: {name} is {cell!r}; wanted a positive "
                "number such as 122M or 680000000"
            )
    return frame.drop(columns=name), values


def mixture_text(x: Any, what: str) -> str:
    """A mapping or Series of domain: number, weights or `what` tokens, as CSV text."""
    if isinstance(x, pd.DataFrame):
        if len(x) != 1:
            raise InputError(f"{what}: {len(x)} rows; wanted one mixture: a row, as df.loc[run]")
        x = x.iloc[0]
    items = x.items() if isinstance(x, (Mapping, pd.Series)) else None
    if items is None:
        raise TypeError(
            f"{what}: wanted a mapping or pandas.Series of domain: number, or the path of a file; "
            f"got {type(x).__name__}"
        )
    rows = []
    for name, value in items:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(f"{what}: {str(name)!r} is {value!r}; wanted a number") from None
        if not np.isfinite(number):
            raise InputError(f"{what}: {str(name)!r} is {number}; wanted a number")
        rows.append((str(name), number))
    number_of = "tokens" if what == "tokens" else "weight"
    return pd.DataFrame(rows, columns=["domain", number_of]).to_csv(index=False)
