# SPDX-License-Identifier: Apache-2.0
"""The library's regressors as an estimator of scikit-learn."""

from __future__ import annotations

import ctypes as c
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any, Mapping, Optional, Union

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ._ask import Ask
from ._call import Progress, call, check
from ._errors import InputError
from ._frames import pointer
from ._library import Dataset, Err, lib


class _Regressor:
    """An rmx_regressor."""

    def __init__(self, handle: c.c_void_p):
        self.handle = handle
        weakref.finalize(self, lib.rmx_regressor_free, c.c_void_p(handle.value))

    @classmethod
    def from_bytes(cls, data: bytes) -> "_Regressor":
        with tempfile.TemporaryDirectory(prefix="regmix-") as folder:
            path, out, err = Path(folder, "regressor"), c.c_void_p(), Err()
            path.write_bytes(data)
            check(lib.rmx_regressor_read(os.fsencode(path), c.byref(out), c.byref(err)), err)
        return cls(out)

    def to_bytes(self) -> bytes:
        with tempfile.TemporaryDirectory(prefix="regmix-") as folder:
            path, err = Path(folder, "regressor"), Err()
            check(lib.rmx_regressor_write(self.handle, os.fsencode(path), c.byref(err)), err)
            return path.read_bytes()

    def __reduce__(self) -> Any:
        return _Regressor.from_bytes, (self.to_bytes(),)


class MixtureRegressor(RegressorMixin, BaseEstimator):
    """A function from mixture to metric, for scikit-learn: one regressor for each column of y.

    Parameters
    ----------
    regressor : str
        "auto", "ridge", "trees", "gp", "exp", "power", ...: see :func:`regmix.fit`.
    seed : int
        The same seed gives the same function.
    check_mixtures : bool
        Refuse rows that are not mixtures: shares of 0 or more that sum to 1 within 1 %. False: any
        finite numbers are features, which suits "ridge", "trees" and "gp".
    settings : mapping, optional
        Keys of regmix.yaml, such as {"ridge.alpha": 0.1}.

    Attributes
    ----------
    n_features_in_ : int
        D, the domains.
    feature_names_in_ : ndarray of str, shape (D,)
        Where X was a data frame.
    regressor_ : str or list of str
        The kind of each function; of "auto", what it chose.
    """

    def __init__(
        self,
        regressor: str = "auto",
        seed: int = 42,
        check_mixtures: bool = True,
        settings: Optional[Mapping[str, Any]] = None,
    ):
        self.regressor = regressor
        self.seed = seed
        self.check_mixtures = check_mixtures
        self.settings = settings

    def _more_tags(self) -> dict[str, Any]:
        return {"multioutput": True, "requires_positive_X": self.check_mixtures}

    def _refuse(self, X: np.ndarray) -> None:
        if not self.check_mixtures:
            return
        off = (X < 0).any(axis=1) | (np.abs(X.sum(axis=1) - 1) > 0.01)
        if off.any():
            i = int(np.argmax(off))
            raise InputError(
                f"X: row {i} is no mixture: its shares sum to {X[i].sum():.6g} and the smallest is "
                f"{X[i].min():.6g}; wanted shares of 0 or more that sum to 1 "
                "(check_mixtures=False takes any numbers)"
            )

    def fit(self, X: Any, y: Any, progress: Progress = None) -> "MixtureRegressor":
        """Fits X (N, D) to y (N,) or (N, M)."""
        X, y = self._validate_data(
            X, y, dtype=np.float64, order="C", multi_output=True, y_numeric=True
        )
        self._refuse(X)
        Y = np.ascontiguousarray(np.atleast_2d(np.asarray(y, dtype=np.float64).T))  # (M, N)
        _, groups = np.unique(X, axis=0, return_inverse=True)
        groups = np.ascontiguousarray(groups.reshape(-1), dtype=np.intc)
        names = getattr(self, "feature_names_in_", None)
        texts = None if names is None else (c.c_char_p * len(names))(*[n.encode() for n in names])
        self._single = np.ndim(y) == 1
        self._functions = [self._fit_one(X, row, groups, texts, progress) for row in Y]
        kinds = [lib.rmx_regressor_name(f.handle).decode() for f in self._functions]
        self.regressor_: Union[str, list[str]] = kinds[0] if self._single else kinds
        return self

    def _fit_one(
        self, X: np.ndarray, y: np.ndarray, groups: np.ndarray, names: Any, progress: Progress
    ) -> _Regressor:
        data = Dataset(
            N=X.shape[0],
            D=X.shape[1],
            X=pointer(X),
            y=pointer(y),
            groups=groups.ctypes.data_as(c.POINTER(c.c_int)),
            domains=None if names is None else c.cast(names, c.POINTER(c.c_char_p)),
            own_domain=-1,
        )
        out = c.c_void_p()
        with Ask("fit") as ask:
            ask.settings(self.settings, self.seed, None)
            ask.set(regressor=self.regressor)

            def work(listener: Any, err: Any) -> int:
                return lib.rmx_ask_regressor(ask.handle, c.byref(data), listener, c.byref(out), err)

            call(work, progress)
        return _Regressor(out)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predicts X (n, D): (n,) or (n, M); with return_std also the standard deviations, NaN
        where the regressor has none."""
        check_is_fitted(self, "regressor_")
        X = self._validate_data(X, dtype=np.float64, order="C", reset=False)
        self._refuse(X)
        n, M = X.shape[0], len(self._functions)
        mean, sd = np.empty((M, n)), np.empty((M, n))
        for m, function in enumerate(self._functions):
            lib.rmx_regressor_predict(
                function.handle,
                pointer(X),
                n,
                pointer(mean[m]),
                pointer(sd[m]) if return_std else None,
            )
        shape = (lambda a: a[0]) if self._single else (lambda a: np.ascontiguousarray(a.T))
        return (shape(mean), shape(sd)) if return_std else shape(mean)
