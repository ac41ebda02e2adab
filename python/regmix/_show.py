# SPDX-License-Identifier: Apache-2.0
"""What notebooks show: tables and small charts, as HTML and SVG without scripts."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Optional, Sequence

import pandas as pd

if TYPE_CHECKING:
    from ._fit import Fit
    from ._optimum import Optimum

_MOST = 30  # rows of a table
_WIDE, _ROW, _LEFT = 320, 18, 150


def _percent(x: float) -> str:
    return "" if x is None or math.isnan(x) else f"{100 * x:.2f}\u2009%"


def _number(x: object) -> str:
    if isinstance(x, float):
        return "\u2013" if math.isnan(x) else f"{x:.4g}"
    return escape(str(x))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> str:
    """Cells are HTML already."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    end = f"<p><small>{note}</small></p>" if note else ""
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>{end}"


def bars(
    names: Sequence[str],
    values: Sequence[float],
    low: Optional[Sequence[float]] = None,
    high: Optional[Sequence[float]] = None,
    marks: Optional[Sequence[float]] = None,
    label: str = "",
) -> str:
    """Horizontal bars of shares, each with its interval as a line and a mark (the prior)."""
    tops = [*values, *(high or []), *(marks or [])]
    most = max([x for x in tops if not math.isnan(x)] or [0]) or 1
    tall = _ROW * len(names) + 4

    def at(x: float) -> str:
        return f"{_LEFT + (_WIDE - _LEFT - 8) * x / most:.1f}"

    parts = [
        f'<svg role="img" aria-label="{escape(label)}" width="{_WIDE}" height="{tall}" '
        f'viewBox="0 0 {_WIDE} {tall}" font-family="sans-serif" font-size="11">'
    ]
    for i, name in enumerate(names):
        y = _ROW * i + 2
        short = name if len(name) <= 22 else "\u2026" + name[-21:]
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 12}" text-anchor="end" fill="currentColor">'
            f"{escape(short)}<title>{escape(name)}</title></text>"
            f'<rect x="{_LEFT}" y="{y + 3}" height="{_ROW - 7}" fill="#4c78a8" '
            f'width="{float(at(values[i])) - _LEFT:.1f}"/>'
        )
        if low is not None and high is not None and not math.isnan(low[i]):
            parts.append(
                f'<path d="M{at(low[i])} {y + 8.5}H{at(high[i])}" stroke="#222" fill="none"/>'
            )
        if marks is not None and not math.isnan(marks[i]):
            parts.append(f'<path d="M{at(marks[i])} {y + 1}V{y + _ROW - 2}" stroke="#e45756"/>')
    return "".join(parts) + "</svg>"


def optimum_html(o: "Optimum") -> str:
    frame = pd.concat({"weight": o.mixture, "prior": o.prior}, axis=1).join(o.intervals)
    frame = frame.sort_values("weight", ascending=False, kind="stable")
    shown = frame.head(_MOST)
    head = ["domain", "weight", "from", "to", "prior"]
    rows = [
        [escape(str(name)), *(_percent(row[x]) for x in ("weight", "low", "high", "prior"))]
        for name, row in shown.iterrows()
    ]
    note = f"Gain on the prior: {escape(str(o.gain))}. The prior is {escape(o.prior_text)}."
    if len(frame) > len(shown):
        note += f" {len(frame) - len(shown)} more domains are not shown."
    chart = bars(
        [str(name) for name in shown.index],
        list(shown["weight"]),
        list(shown["low"]),
        list(shown["high"]),
        list(shown["prior"]),
        "weights of the domains, with their intervals; red: the prior",
    )
    return (
        '<div style="display:flex;gap:2em;align-items:flex-start"><div>'
        f"{table(head, rows, note)}</div><div>{chart}</div></div>"
    )


def fit_html(f: "Fit") -> str:
    scores = f.scores_
    shown = scores.head(_MOST)
    columns = ["regressor", "spearman", "r2", "rmse", "regret_at_1"]
    rows = [
        [escape(str(name)), *(_number(row[x]) for x in columns),
         "high" if row["higher_is_better"] else "low"]  # fmt: skip
        for name, row in shown.iterrows()
    ]
    note = f"Out of fold, of {f.n_runs} runs and {len(f.domains)} domains."
    if len(scores) > len(shown):
        note += f" {len(scores) - len(shown)} more metrics are not shown."
    chart = bars(
        [str(name) for name in shown.index],
        [max(0.0, x) if not math.isnan(x) else 0.0 for x in shown["spearman"]],
        label="rank correlation of prediction and truth, out of fold",
    )
    return (
        '<div style="display:flex;gap:2em;align-items:flex-start"><div>'
        f'{table(["metric", *columns, "better"], rows, note)}</div><div>{chart}</div></div>'
    )
