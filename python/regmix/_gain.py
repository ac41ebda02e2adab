# SPDX-License-Identifier: Apache-2.0
"""A gain: a number with its interval."""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional


class Gain(float):
    """How much better the optimum is than the prior: 0 or more is better, in the target's unit.

    It is a number (the estimate, corrected for optimism) with more attributes:

    low, high : float
        Its interval; NaN where none was made.
    level : float
        The coverage of the interval, such as 0.9.
    predicted : float
        The difference of the two predictions, without the correction.
    probability : float
        That the gain is above 0; NaN where it is not known.
    verdict : str
        "better", "worse", "not clearly better", or "" where it is not known.
    """

    low: float
    high: float
    level: float
    predicted: float
    probability: float
    verdict: str

    def __new__(
        cls,
        estimate: float,
        low: float = math.nan,
        high: float = math.nan,
        level: float = math.nan,
        predicted: Optional[float] = None,
        probability: float = math.nan,
        verdict: str = "",
    ) -> "Gain":
        self = super().__new__(cls, estimate)
        self.low, self.high, self.level = low, high, level
        self.predicted = float(self) if predicted is None else predicted
        self.probability, self.verdict = probability, verdict
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (
            float(self),
            self.low,
            self.high,
            self.level,
            self.predicted,
            self.probability,
            self.verdict,
        )

    def __repr__(self) -> str:
        if math.isnan(self.low):
            return f"{float(self):.4f} (no interval)"
        more = f", {self.verdict}" if self.verdict else ""
        return (
            f"{float(self):.4f} ({100 * self.level:.0f} % interval {self.low:.4f} to "
            f"{self.high:.4f}{more})"
        )

    __str__ = __repr__


def gain_of(answer: Mapping[str, Any]) -> Gain:
    prior = answer.get("versus", {}).get("prior")
    if prior is None:
        return Gain(answer["score_prior"] - answer["score"])
    low, high = prior["interval"]
    return Gain(
        prior["estimate"],
        low,
        high,
        answer["level"],
        prior["gain"],
        prior["probability"],
        prior["verdict"],
    )
