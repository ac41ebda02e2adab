# SPDX-License-Identifier: Apache-2.0
"""Decide in what proportions to mix pre-training data, from the runs of small proxy models.

>>> import regmix
>>> fit = regmix.fit(mixtures, metrics)             # two data frames: a run in each row
>>> fit.scores_                                     # how well it predicts runs it has not seen
>>> opt = fit.optimize(target="pile_cc", cap={"github": 0.1})
>>> opt.mixture, opt.intervals, opt.gain
>>> opt.to("megatron", prefix="/data/")             # as a trainer reads it
>>> fit.suggest(16)                                 # the next runs to train
>>> fit.report("page.html")

Mixtures are shares of training tokens, from 0 to 1, and sum to 1 in each row. Results have the bits
that the command line gives for the same tables. Warnings are `RegmixWarning`; notes go to the
logger "regmix".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._call import Progress
from ._errors import (
    FileError,
    InputError,
    NoMemoryError,
    NumericError,
    RegmixError,
    RegmixWarning,
    UsageError,
)
from ._fit import Fit, fit, load, sample, suggest
from ._gain import Gain
from ._library import VERSION as __version__
from ._optimum import Optimum

if TYPE_CHECKING:
    from ._estimator import MixtureRegressor

__all__ = [
    "FileError",
    "Fit",
    "Gain",
    "InputError",
    "MixtureRegressor",
    "NoMemoryError",
    "NumericError",
    "Optimum",
    "Progress",
    "RegmixError",
    "RegmixWarning",
    "UsageError",
    "__version__",
    "fit",
    "load",
    "sample",
    "suggest",
]


def __getattr__(name: str) -> Any:
    if name == "MixtureRegressor":  # scikit-learn is loaded when it is needed
        from ._estimator import MixtureRegressor

        return MixtureRegressor
    raise AttributeError(f"module 'regmix' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
