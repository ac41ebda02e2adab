# SPDX-License-Identifier: Apache-2.0
"""The mixture that was found, and how sure it is."""

from __future__ import annotations

import copy
import math
import os
from pathlib import Path
from typing import Any, Mapping, Optional, Union

import numpy as np
import pandas as pd

from ._ask import Ask
from ._gain import Gain, gain_of
from ._show import optimum_html
from ._write import PathLike, place_of, write_text


def _known(x: Optional[float]) -> float:
    return math.nan if x is None else x


class Optimum:
    """What :meth:`Fit.optimize` found.

    Attributes
    ----------
    mixture : pandas.Series, shape (D,)
        The share of the training tokens of each domain. The shares sum to 1.
    intervals : pandas.DataFrame, shape (D, 2)
        ``low`` and ``high`` of each weight of the best mixture; NaN with ``quick=True``.
    gain : Gain
        How much better the mixture is than the prior, in the unit of the target (for losses, nats
        per token). It is a number with ``low``, ``high``, ``probability`` and ``verdict``.
    predicted, predicted_prior : pandas.Series, shape (M,)
        The metrics that the fit predicts at the mixture and at the prior.
    prior : pandas.Series, shape (D,)
        The mixture that the gain is counted from; ``prior_text`` says where it comes from.
    versus : pandas.DataFrame
        The optimum against the prior and each mixture of ``against``: ``gain``, ``low``, ``high``,
        ``probability``, ``verdict``.
    attribution : pandas.DataFrame, shape (D, 2)
        ``score`` of the best mixture without the domain, and what leaving it out would lose.
    pareto : pandas.DataFrame
        Of ``pareto=(A, B)``: the share of A's weight, both metrics, and the mixtures.
    phases : list of dict
        Of a fit with phases: each phase's share of the tokens and its mixture.
    json : dict
        The whole answer, as ``regmix optimize --json`` prints it.
    """

    def __init__(self, answer: Mapping[str, Any], yaml: str):
        self.json = dict(answer)
        self._yaml = yaml

    @property
    def mixture(self) -> pd.Series:
        return pd.Series(self.json["mixture"], name="mixture", dtype=float)

    @property
    def prior(self) -> pd.Series:
        return pd.Series(self.json["prior"], name="prior", dtype=float)

    @property
    def prior_text(self) -> str:
        return self.json["prior_text"]

    @property
    def intervals(self) -> pd.DataFrame:
        index = list(self.json["mixture"])
        found = self.json.get("interval") or {}
        rows = [found.get(name, [math.nan, math.nan]) for name in index]
        return pd.DataFrame(rows, index=index, columns=["low", "high"], dtype=float)

    @property
    def gain(self) -> Gain:
        return gain_of(self.json)

    @property
    def predicted(self) -> pd.Series:
        return pd.Series(self.json["predicted"], name="predicted", dtype=float)

    @property
    def predicted_prior(self) -> pd.Series:
        return pd.Series(self.json["predicted_prior"], name="predicted_prior", dtype=float)

    @property
    def versus(self) -> pd.DataFrame:
        rows = {
            name: {
                "gain": row["estimate"],
                "low": row["interval"][0],
                "high": row["interval"][1],
                "probability": row["probability"],
                "verdict": row["verdict"],
            }
            for name, row in self.json.get("versus", {}).items()
        }
        columns = ["gain", "low", "high", "probability", "verdict"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)

    @property
    def attribution(self) -> pd.DataFrame:
        found = (self.json.get("attribution") or {}).get("without", {})
        rows = {name: [_known(x["score"]), _known(x["loss"])] for name, x in found.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["score", "loss"])

    @property
    def pareto(self) -> pd.DataFrame:
        points = self.json.get("pareto") or []
        rows = []
        for point in points:
            metrics = {name: point["predicted"][name] for name in point["metrics"]}
            rows.append({"share": point["share"], **metrics, **point["mixture"]})
        return pd.DataFrame(rows)

    @property
    def phases(self) -> list[dict[str, Any]]:
        return copy.deepcopy(self.json.get("phases") or [])

    @property
    def learning_curve(self) -> Optional[dict[str, Any]]:
        """What more runs would be expected to gain; None where it is not known."""
        return copy.deepcopy(self.json.get("learning_curve"))

    def save(self, path: PathLike = "optimum.yaml") -> Path:
        """Writes the answer as YAML, as ``regmix optimize --out`` does.

        A file of this name that does not begin like the new one is kept as ``path~``, with a
        warning.
        """
        return write_text(path, self._yaml)

    def to(
        self,
        format: str,
        path: Optional[PathLike] = None,
        *,
        data: Optional[Mapping[str, PathLike]] = None,
        prefix: Optional[str] = None,
        suffix: Optional[str] = None,
        valid_prefix: Optional[str] = None,
        tokens: Any = None,
        budget: Union[float, str, None] = None,
        sequence_length: Optional[int] = None,
        phase: Optional[int] = None,
        steps: Optional[int] = None,
        **more: Any,
    ) -> str:
        """The mixture as another program reads it: ``regmix export``.

        Parameters
        ----------
        format : str
            Such as "megatron", "nemo", "olmo", "torchtitan", "levanter", "json", "csv".
            ``regmix export --help`` lists all.
        path : path, optional
            A file to write the text to. A file of this name that does not begin like the new one
            is kept as ``path~``, with a warning.
        data : mapping of domain: path, optional
            Where the data of a domain are. `prefix` and `suffix` go around the names of others.
        valid_prefix : str, optional
            Prefix of the paths of validation and test data.
        tokens : mapping, Series or path, optional
            How many tokens each domain has. Needed to repeat small domains.
        budget : float or str, optional
            Tokens of the training, such as "1T".
        sequence_length : int, optional
            Tokens of a sequence.
        phase, steps : int, optional
            Of mixtures with phases: only this one (from 0); optimiser steps of the training.

        Returns
        -------
        str
            The text, as ``regmix export`` prints it.
        """
        with Ask("export") as ask:
            mixture = ask.place("optimum.yaml")
            mixture.write_text(self._yaml, encoding="utf-8")
            places = {k: os.fspath(v) for k, v in (data or {}).items()}
            ask.set(
                to=str(format),
                mixture=mixture,
                data=[f"{name}={place}" for name, place in places.items()] or None,
                prefix=prefix,
                suffix=suffix,
                valid_prefix=valid_prefix,
                tokens=tokens,
                budget=budget,
                sequence_length=sequence_length,
                phase=phase,
                steps=steps,
                **more,
            )
            if path is not None:
                ask.put("out", os.fsdecode(place_of(path)))
            return ask.answer(False)["text"]

    def __repr__(self) -> str:
        weights = self.mixture.sort_values(ascending=False, kind="stable")
        shown = [f"{name} {100 * w:.2f} %" for name, w in weights.head(4).items()]
        more = f", {len(weights) - 4} more" if len(weights) > 4 else ""
        return f"Optimum({', '.join(shown)}{more}; gain {self.gain})"

    def _repr_html_(self) -> str:
        return optimum_html(self)

    def __array__(self, dtype: Any = None) -> np.ndarray:
        return self.mixture.to_numpy(dtype=dtype)
