# SPDX-License-Identifier: Apache-2.0
"""From two tables to a fit, and what a fit can be asked."""

from __future__ import annotations

import ctypes as c
import hashlib
import math
import os
import warnings
import weakref
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, Union

import numpy as np
import pandas as pd

from ._ask import Ask, _flag, _real, _whole, scale_text
from ._call import Progress, check
from ._errors import InputError, RegmixWarning, UsageError
from ._frames import (
    as_frame,
    check_ids,
    check_mixtures,
    is_frame,
    numbers_of,
    pointer,
    table_of,
    take_column,
)
from ._library import Err, lib
from ._optimum import Optimum
from ._show import fit_html
from ._write import PathLike, Scratch, copy_fit, place_of

_MOST_HANDLES = 8  # fits read for a size and a budget that are kept

Names = Union[str, Sequence[str]]
Weights = Union[str, Sequence[str], Mapping[str, float], "pd.Series[float]"]
Mixture = Union[Mapping[str, float], "pd.Series[float]", PathLike]
Tokens = Union[float, str]


class _Folder:
    """The folder of a fit; a temporary one goes with the last object that uses it."""

    def __init__(self, path: Optional[PathLike] = None):
        self._scratch = Scratch() if path is None else None
        if self._scratch:
            self.fit = os.path.join(self._scratch.path, "fit")
        else:  # absolute, since the current folder may change
            self.fit = os.path.abspath(os.fsdecode(place_of(path)))
        self._seal: Optional[bytes] = None

    def seal(self) -> None:
        """From now on the folder holds the fit of its owner."""
        self._seal = self._hash()

    def _hash(self) -> bytes:
        try:
            return hashlib.sha256(Path(self.fit, "fit.json").read_bytes()).digest()
        except OSError:
            return b""

    def checked(self) -> str:
        """The path of the folder, which must still hold the fit that it held."""
        if self._seal is not None and self._hash() != self._seal:
            raise InputError(
                f"{self.fit}: this folder no longer holds the fit that this object was made with: "
                "another one was written there, or its fit.json is gone; regmix.load(folder) reads "
                "what is there now, and fit(out=) with another folder keeps both"
            )
        return self.fit


def _c_names(names: Any, n: int) -> list[str]:
    return [names[i].decode("utf-8", "replace") for i in range(n)]


class _Handle:
    """An rmx_fit that was read from its folder, at a scale and a budget."""

    def __init__(self, folder: str, scale: Optional[str], budget: float):
        err, out = Err(), c.c_void_p()
        check(lib.rmx_fit_read(os.fsencode(folder), c.byref(out), c.byref(err)), err)
        self.pointer = out
        weakref.finalize(self, lib.rmx_fit_free, c.c_void_p(out.value))
        if scale is not None:
            check(lib.rmx_fit_for_text(out, scale.encode(), c.byref(err)), err)
        if budget > 0:
            lib.rmx_fit_set_budget(out, budget)


def _parse(value: Optional[Tokens], what: str) -> float:
    if value is None:
        return 0.0
    out, err = c.c_double(), Err()
    if isinstance(value, str):
        check(lib.rmx_parse_real(value.encode(), what.encode(), c.byref(out), c.byref(err)), err)
    number = out.value if isinstance(value, str) else float(_real(what, value))
    if not 0 < number < math.inf:
        raise UsageError(f"{what}: {value!r}; wanted a positive number of tokens, such as '1T'")
    return number


class Fit:
    """Functions from mixture to metric, fitted to runs: :func:`fit` makes one.

    It has a folder, as ``regmix fit --out`` writes it. It can be pickled and copied. Several
    threads may ask it at the same time.

    Attributes
    ----------
    domains : list of str, length D
    metrics : list of str, length M
    n_runs : int
        N, the runs that were fitted.
    scores_ : pandas.DataFrame, a row for each metric
        How well each metric is predicted for runs that the fit has not seen (out of fold):
        ``spearman``, ``r2``, ``rmse``, ``noise``, ``regret_at_1``, ``optimism`` (in the unit of the
        metric), ``higher_is_better``, ``direction_from``, ``regressor``.
    folder : str
        Where its files are.
    """

    def __init__(self, folder: _Folder, scores: Mapping[str, Any]):
        self._folder = folder
        self._scores = dict(scores)
        self._handles: dict[tuple[Optional[str], float], _Handle] = {}
        self._last: Optional[Optimum] = None
        folder.seal()
        held = self._handle(None, 0.0)
        handle = held.pointer
        D, M = lib.rmx_fit_n_domains(handle), lib.rmx_fit_n_metrics(handle)
        self.domains = _c_names(lib.rmx_fit_domains(handle), D)
        self.metrics = _c_names(lib.rmx_fit_metrics(handle), M)
        self.n_runs = int(lib.rmx_fit_n_runs(handle))
        self.n_phases = int(lib.rmx_fit_n_phases(handle))

    @property
    def folder(self) -> str:
        return self._folder.fit

    def _handle(self, scale: Optional[str], budget: float) -> _Handle:
        key = (scale, budget)
        found = self._handles.get(key)
        if found is None:
            if len(self._handles) >= _MOST_HANDLES:  # those in use are held by their users
                self._handles = {}
            found = self._handles[key] = _Handle(self._folder.checked(), scale, budget)
        return found

    @property
    def scores_(self) -> pd.DataFrame:
        frame = pd.DataFrame.from_dict(self._scores, orient="index")
        for name in frame.columns:  # null is a number that is not known
            if not frame[name].map(lambda x: isinstance(x, (str, bool, list, dict))).any():
                frame[name] = pd.to_numeric(frame[name])
        first = ["regressor", "spearman", "r2", "rmse", "noise", "regret_at_1", "optimism"]
        known = [name for name in first if name in frame.columns]
        return frame[known + [name for name in frame.columns if name not in known]]

    @property
    def higher_is_better(self) -> "pd.Series[bool]":
        """Of each metric, whether it is a score; its direction may be given to :func:`fit`."""
        return self.scores_["higher_is_better"].astype(bool)

    @property
    def cross_validation_(self) -> pd.DataFrame:
        """Truth and out-of-fold prediction of each metric of each run: cross-validation.csv."""
        path = os.path.join(self._folder.checked(), "cross-validation.csv")
        return pd.read_csv(path, float_precision="round_trip")

    def predict(
        self,
        mixtures: Any,
        return_std: bool = False,
        *,
        for_: Any = None,
        budget: Optional[Tokens] = None,
        id: Optional[str] = None,
    ) -> Any:
        """Predicts the metrics of mixtures.

        Parameters
        ----------
        mixtures : DataFrame, shape (n, D), anything with to_pandas(), Series or mapping
            A mixture in each row, a domain in each column, in any order. A Series or a mapping is
            one mixture. Rows sum to 1.
        return_std : bool
            Also return the standard deviation of each prediction; NaN where the regressor has none.
        for_ : str or (size, tokens), optional
            Such as "7B,1T": for fits of runs of several sizes or lengths.
        budget : float or str, optional
            Tokens of the predicted run, for the regressor "exposure".

        Returns
        -------
        DataFrame, shape (n, M), in the unit of each metric; with return_std a pair of them.
        """
        if isinstance(mixtures, (Mapping, pd.Series)):
            mixtures = pd.DataFrame([pd.Series(mixtures, dtype=float)], index=["mixture"])
        frame = as_frame(mixtures, "mixtures", id)
        x = numbers_of(frame, "mixtures")
        check_mixtures(frame, x, "mixtures", any_sum=True)
        held = self._handle(scale_text(for_), _parse(budget, "budget"))
        handle = held.pointer
        if budget is not None and not lib.rmx_fit_set_budget(handle, _parse(budget, "budget")):
            warnings.warn(
                "budget has no effect: no regressor of this fit depends on epochs (exposure does)",
                RegmixWarning,
                stacklevel=2,
            )
        if lib.rmx_fit_has_scales(handle) and for_ is None:
            raise UsageError(
                "the fit has runs of several sizes or lengths: say for which to predict, as "
                'for_="1.2B,100G"'
            )
        table, err = table_of(frame, x, "mixtures"), Err()
        X = c.POINTER(c.c_double)()
        check(lib.rmx_fit_mixtures(handle, c.byref(table), c.byref(X), c.byref(err)), err)
        try:
            n, M = len(frame), len(self.metrics)
            mean, sd = np.empty((M, n)), np.empty((M, n) if return_std else (0, n))
            for m in range(M):
                lib.rmx_regressor_predict(
                    lib.rmx_fit_regressor(handle, m),
                    X,
                    n,
                    pointer(mean[m]),
                    pointer(sd[m]) if return_std else None,
                )
        finally:
            lib.rmx_free_at(c.cast(c.byref(X), c.POINTER(c.c_void_p)))
        index = frame.index
        result = pd.DataFrame(mean.T, index=index, columns=self.metrics)
        if not return_std:
            return result
        return result, pd.DataFrame(sd.T, index=index, columns=self.metrics)

    def score(
        self,
        mixtures: Any,
        metrics: Any,
        *,
        budget: Optional[Tokens] = None,
        id: Optional[str] = None,
    ) -> pd.DataFrame:
        """Scores the fit on measured runs, as ``regmix score``: a row for each metric.

        mixtures (n, D) and metrics (n, any of the M) are frames with the same index.
        """
        with Ask("score") as ask:
            ask.put("fit", self._folder.checked())
            held = self._handle(None, 0.0)
            handle = held.pointer
            columns = (lib.rmx_fit_size_column(handle), lib.rmx_fit_tokens_column(handle))
            sizes = [None if name is None else name.decode() for name in columns]
            _give_tables(ask, mixtures, metrics, id, sizes[0], sizes[1], True)
            answer = ask.set(budget=budget).answer(False)
        return pd.DataFrame.from_dict(answer["metrics"], orient="index")

    def optimize(
        self,
        target: Optional[Weights] = None,
        *,
        maximize: Optional[Weights] = None,
        cap: Optional[Weights] = None,
        floor: Optional[Weights] = None,
        fix: Optional[Weights] = None,
        share: Union[Mapping[str, Any], Names, None] = None,
        ordered: Optional[Names] = None,
        no_worse: Union[Weights, None] = None,
        than: Optional[Mixture] = None,
        worst: Optional[bool] = None,
        metric_group: Union[Mapping[str, Sequence[str]], Names, None] = None,
        prior: Optional[Mixture] = None,
        tokens: Optional[Mixture] = None,
        budget: Optional[Tokens] = None,
        max_epochs: Any = None,
        drop_below: Optional[float] = None,
        max_kl: Optional[float] = None,
        kl_penalty: Optional[float] = None,
        reference: Optional[Mixture] = None,
        phases: Union[Sequence[float], str, None] = None,
        given: Any = None,
        for_: Any = None,
        against: Any = None,
        pareto: Union[Sequence[str], str, None] = None,
        points: Optional[int] = None,
        quick: bool = False,
        guard: bool = True,
        replicates: Optional[int] = None,
        level: Optional[float] = None,
        seed: Optional[int] = None,
        jobs: Optional[int] = None,
        settings: Optional[Mapping[str, Any]] = None,
        progress: Progress = None,
        **more: Any,
    ) -> Optimum:
        """The mixture at which the target is predicted best: ``regmix optimize``.

        Parameters
        ----------
        target : str, list, or mapping of metric: weight
            Metrics to improve. Losses are lowered, scores are raised.
        maximize : the same
            Metrics to raise.
        cap, floor, fix : mapping of domain (or node): weight
            Bounds of weights, shares from 0 to 1.
        share : mapping of name: (low, high, [domains])
            Bounds of the total weight of a group; (low, high) for a node. None: no bound.
        ordered : str or list
            Such as "code:low<code:high".
        no_worse : str, list, or mapping of metric: slack
            Metrics that may not get worse than at `than`, by more than slack, in their unit.
        than, prior, reference : mapping, Series, or path
            Mixtures. The gain is counted from the prior; default: the mean of the runs.
        worst : bool
            Improve the worst of the target's metrics instead of their sum.
        metric_group : mapping of name: [metrics]
        tokens : mapping, Series, or path
            How many tokens there are of each domain.
        budget : float or str
            Tokens of the large run, such as "1T". With `tokens` it caps weights by epochs.
        max_epochs : float, or mapping of domain: float
            How often the large run may repeat a domain (default 4).
        drop_below, max_kl, kl_penalty : float
            A weight is 0 or at least this; the largest divergence from `reference` in nats; the
            cost of a nat in the unit of the target.
        phases : sequence of shares; given : mixture(s) of the first phases
        for_ : str or (size, tokens)
            Such as "7B,1T": for fits of runs of several sizes or lengths.
        against : mapping of name: mixture, or list
            More mixtures to compare the optimum with.
        pareto : (metric, metric)
            Also find the front of two metrics, of `points` points.
        quick : bool
            The mixture alone: no intervals.
        guard : bool
            False allows mixtures far from all runs.
        replicates, level : int, float
            Of the intervals: 200, 0.9.
        seed, jobs, settings
            Seed of the search, threads, and keys of regmix.yaml such as
            {"optimize.starts": 32}.
        progress : None, bool, or function of (what, done, total, unit)
        **more
            Any other option of ``regmix optimize``, with _ for -.

        Returns
        -------
        Optimum

        Raises
        ------
        InputError, UsageError
            With the message of the command; options in it are named as arguments.
        KeyboardInterrupt
            Ctrl-C stops the search.
        """
        with Ask("optimize") as ask:
            ask.put("fit", self._folder.checked())
            out = ask.place("optimum.yaml")
            ask.put("out", str(out))
            ask.settings(settings, seed, jobs)
            ask.set(
                target=target,
                maximize=maximize,
                cap=cap,
                floor=floor,
                fix=fix,
                share=share,
                ordered=ordered,
                no_worse=no_worse,
                than=than,
                worst=worst,
                metric_group=metric_group,
                prior=prior,
                tokens=tokens,
                budget=budget,
                max_epochs=max_epochs,
                drop_below=drop_below,
                max_kl=max_kl,
                kl_penalty=kl_penalty,
                reference=reference,
                phases=phases,
                given=given,
                for_=for_,
                against=against,
                pareto=pareto,
                points=points,
                quick=quick,
                no_guard=not _flag("guard", guard, True),
                replicates=replicates,
                level=level,
                **more,
            )
            answer = ask.answer(progress)
            self._last = Optimum(answer, ask.shown(out.read_text(encoding="utf-8")))
        return self._last

    def suggest(
        self,
        n: int = 8,
        target: Optional[Weights] = None,
        *,
        maximize: Optional[Weights] = None,
        pending: Any = None,
        curve: bool = True,
        seed: Optional[int] = None,
        jobs: Optional[int] = None,
        settings: Optional[Mapping[str, Any]] = None,
        progress: Progress = None,
        **more: Any,
    ) -> pd.DataFrame:
        """The next mixtures to train: ``regmix suggest``.

        Parameters
        ----------
        n : int
            Mixtures wanted.
        target, maximize : as in :meth:`optimize`; default: all metrics, equally
        pending : DataFrame, shape (k, D)
            Mixtures that were chosen before and have no results yet.
        curve : bool
            Also estimate what more runs would gain, which takes a few seconds.
        **more
            The constraints of :meth:`optimize`: cap, floor, share, tokens, budget, ...

        Returns
        -------
        DataFrame, shape (n, D)
            A mixture in each row, named as the runs go on. ``attrs["why"]`` (n) says why each is
            proposed, ``attrs["learning_curve"]`` what more runs would gain.
        """
        if target is None and maximize is None:
            scores = self.higher_is_better
            target = [name for name in self.metrics if not scores[name]] or None
            maximize = [name for name in self.metrics if scores[name]] or None
        with Ask("suggest") as ask:
            ask.put("fit", self._folder.checked())
            if pending is not None:
                frame = as_frame(pending, "pending")
                path = ask.place("pending.csv")
                frame.to_csv(path, index_label=frame.index.name or "run")
                ask.put("pending", str(path))
            ask.settings(settings, seed, jobs)
            no_curve = not _flag("curve", curve, True)
            ask.set(runs=n, target=target, maximize=maximize, no_curve=no_curve, **more)
            answer = ask.answer(progress)
        return _suggested(answer)

    def report(
        self,
        path: PathLike = "report.html",
        optimum: Union[Optimum, PathLike, None] = None,
        *,
        suggested: Any = None,
        tokens: Optional[Mixture] = None,
        budget: Optional[Tokens] = None,
    ) -> Path:
        """Writes the page: ``regmix report``.

        optimum: what to show, an Optimum or a file; default: the last one that this fit found, if
        there is one. suggested: a frame of :meth:`suggest` to show as the next runs. tokens,
        budget: for the table of epochs. Returns the path. A file of this name that does not begin
        like the page is kept as ``path~``, with a warning.
        """
        optimum = optimum or self._last
        with Ask("report") as ask:
            # beside nothing else, so that the page shows what it was given alone
            ask.put("fit", str(copy_fit(self._folder.checked(), ask.place("fit"))))
            ask.put("out", os.fsdecode(place_of(path)))
            if isinstance(optimum, Optimum):
                optimum = optimum.save(ask.place("optimum.yaml"))
            if optimum is not None:
                ask.put("optimum", os.fspath(optimum))
            if suggested is not None:
                frame = as_frame(suggested, "suggested")
                frame.to_csv(ask.place("next.csv"), index_label=frame.index.name or "run")
                ask.put("next", str(ask.place("next.csv")))
            ask.set(tokens=tokens, budget=budget).answer(False)
        return Path(os.fsdecode(path))

    def save(self, folder: PathLike) -> Path:
        """Writes the fit's folder, which ``regmix`` and :func:`load` read.

        It takes the place of a fit that is there; other files in its folder stay. A folder with
        other files and no fit is refused (UsageError).
        """
        return copy_fit(self._folder.checked(), folder)

    def __getstate__(self) -> dict[str, Any]:
        scratch = Scratch()
        root = copy_fit(self._folder.checked(), Path(scratch.path, "fit"))
        files = {p.name: p.read_bytes() for p in root.iterdir()}
        return {"files": files, "scores": self._scores, "last": self._last}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        folder = _Folder()
        os.mkdir(folder.fit)
        for name, data in state["files"].items():
            Path(folder.fit, name).write_bytes(data)
        Fit.__init__(self, folder, state["scores"])
        self._last = state["last"]

    def __repr__(self) -> str:
        return (
            f"Fit({_some(len(self.metrics), 'metric')} of {_some(self.n_runs, 'run')}, "
            f"{_some(len(self.domains), 'domain')})"
        )

    def _repr_html_(self) -> str:
        return fit_html(self)


def _some(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"


def _suggested(answer: Mapping[str, Any]) -> pd.DataFrame:
    rows = answer["suggestions"]
    frame = pd.DataFrame([row["mixture"] for row in rows], index=[row["run"] for row in rows])
    frame.index.name = "run"
    frame.attrs["why"] = [row["why"] for row in rows]
    frame.attrs["predicted"] = [row["predicted"] for row in rows]
    frame.attrs["learning_curve"] = answer.get("learning_curve")
    return frame


def _give_tables(
    ask: Ask,
    mixtures: Any,
    metrics: Any,
    id: Optional[str],
    size: Optional[str],
    tokens: Optional[str],
    any_sum: bool,
) -> None:
    """Hands two frames to the question, without a copy where they are C-contiguous float64."""
    if isinstance(mixtures, (str, os.PathLike)) or isinstance(metrics, (str, os.PathLike)):
        if not all(isinstance(x, (str, os.PathLike)) for x in (mixtures, metrics)):
            raise TypeError("mixtures and metrics: wanted two frames or two files, not one of each")
        ask.put("mixtures", os.fspath(mixtures))
        ask.put("metrics", os.fspath(metrics))
        if id is not None:
            ask.put("id", id)
        return
    w, y = as_frame(mixtures, "mixtures", id), as_frame(metrics, "metrics", id)
    check_ids(w, y)
    w, sizes_w = take_column(w, size, "mixtures")
    w, tokens_w = take_column(w, tokens, "mixtures")
    y, sizes_y = take_column(y, size, "metrics")
    y, tokens_y = take_column(y, tokens, "metrics")
    for name, found in ((size, (sizes_w, sizes_y)), (tokens, (tokens_w, tokens_y))):
        if name is not None and all(x is None for x in found):
            raise InputError(f"no column {name!r} in mixtures or metrics")
    X, Y = numbers_of(w, "mixtures"), numbers_of(y, "metrics")
    check_mixtures(w, X, "mixtures", any_sum)
    if np.isinf(Y).any():  # a metric that is infinite counts as missing
        Y = np.where(np.isinf(Y), np.nan, Y)
    ask.give(
        table_of(w, X, "mixtures", sizes_w, tokens_w), table_of(y, Y, "metrics", sizes_y, tokens_y)
    )


def _patterns(names: Optional[Names]) -> Optional[list[str]]:
    if names is None or isinstance(names, str):
        return None if names is None else [names]
    return [str(name) for name in names]


def _directions(
    higher: Any, lower: Any
) -> tuple[Optional[list[str]], Optional[list[str]]]:
    """Both as lists of names; a mapping of metric: bool says of each metric which way it goes."""
    lists: tuple[list[str], list[str]] = ([], [])  # higher, lower
    for side, (key, names) in enumerate((("higher_is_better", higher), ("lower_is_better", lower))):
        if isinstance(names, pd.Series):
            names = names.to_dict()
        if isinstance(names, Mapping):
            for name, yes in names.items():
                if not isinstance(yes, (bool, np.bool_)):
                    raise TypeError(f"{key}: {str(name)!r} is {yes!r}; wanted True or False")
                lists[side if yes else 1 - side].append(str(name))
        elif isinstance(names, (bool, np.bool_)):
            raise TypeError(f"{key}: wanted names of metrics, such as ['*'] for all; got {names}")
        else:
            lists[side].extend(_patterns(names) or [])
    return lists[0] or None, lists[1] or None


def fit(
    mixtures: Any,
    metrics: Any,
    *,
    higher_is_better: Union[Names, Mapping[str, bool], None] = None,
    lower_is_better: Union[Names, Mapping[str, bool], None] = None,
    regressor: Optional[str] = None,
    metric: Optional[Names] = None,
    normalize: bool = False,
    raw: bool = False,
    skip_missing: bool = False,
    size_column: Optional[str] = None,
    tokens_column: Optional[str] = None,
    tokens: Optional[Mixture] = None,
    budget: Optional[Tokens] = None,
    run_tokens: Optional[Tokens] = None,
    phases: Union[Sequence[float], str, None] = None,
    id: Optional[str] = None,
    seed: Optional[int] = None,
    jobs: Optional[int] = None,
    settings: Optional[Mapping[str, Any]] = None,
    out: Optional[PathLike] = None,
    progress: Progress = None,
    **more: Any,
) -> Fit:
    """Fits each metric as a function of the mixture, and cross-validates it: ``regmix fit``.

    Parameters
    ----------
    mixtures : DataFrame, shape (N, D), anything with to_pandas(), or a path
        A run in each row, a domain in each column: the share of its training tokens. Rows sum to 1.
        The index names the runs. If it only counts the rows, the first column names them where it
        is called run, run_id, index or name, or holds text.
    metrics : DataFrame, shape (N, M), anything with to_pandas(), or a path
        The same runs, in any order, a metric in each column.
    higher_is_better, lower_is_better : names or patterns of metrics, or mapping, optional
        Scores and losses, where the names do not say it. A mapping such as {"acc": True, "loss":
        False} says it of each metric.
    regressor : str, optional
        "auto" (the default), "ridge", "trees", "gp", "exp", "power", "shared", "exposure", ...
    metric : names, optional
        Metrics to fit; default: all.
    normalize : bool
        Divide each row by its sum, also where that differs from 1 by more than 1 %.
    raw : bool
        Keep rows that sum to 1 within 1 % as they are.
    skip_missing : bool
        Leave a run without a value of a metric (NaN) out of its fit; else NaN is an error.
    size_column, tokens_column : str, optional
        Columns, of either frame, with the parameters of each run's model and the tokens that it was
        trained on, as numbers or text such as "122M".
    tokens : mapping, Series or path, optional
        How many tokens there are of each domain; with `budget`, the tokens of the large run, and
        `run_tokens`, those of each run.
    phases : sequence of shares, optional
        Of runs whose mixtures change: columns phase_0_x, phase_1_x, ...
    id : str, optional
        Column that names the runs.
    seed, jobs : int, optional
        Seed of folds and fits (42); threads (all processors). The result depends on the seed alone.
    settings : mapping, optional
        Keys of regmix.yaml, such as {"ridge.alpha": 0.1, "fit.folds": 10}.
    out : path, optional
        Folder of the fit; default: a temporary one.
    progress : None, bool, or function of (what, done, total, unit)

    Returns
    -------
    Fit
        With the bits that the command line gives.

    Raises
    ------
    InputError, UsageError
        With the message of the command; options in it are named as arguments.
    KeyboardInterrupt
        Ctrl-C stops the fit.
    """
    higher, lower = _directions(higher_is_better, lower_is_better)
    folder = _Folder(out)
    with Ask("fit") as ask:
        ask.put("out", folder.fit)
        ask.settings(settings, seed, jobs)
        ask.set(
            higher_is_better=higher,
            lower_is_better=lower,
            regressor=regressor,
            metric=_patterns(metric),
            normalize=normalize,
            raw=raw,
            skip_missing=skip_missing,
            size_column=size_column,
            tokens_column=tokens_column,
            tokens=tokens,
            budget=budget,
            run_tokens=run_tokens,
            phases=phases,
            **more,
        )
        _give_tables(ask, mixtures, metrics, id, size_column, tokens_column, normalize)
        answer = ask.answer(progress)
    return Fit(folder, answer["cross_validation"])


def load(folder: PathLike) -> Fit:
    """Reads a fit that ``regmix fit`` or :meth:`Fit.save` wrote. The folder is used as it is."""
    place = _Folder(folder)
    return Fit(place, _scores_of(place.fit))


def _scores_of(folder: str) -> dict[str, Any]:
    with Ask("scores") as ask:
        ask.put("fit", folder)
        return ask.answer(False)["cross_validation"]


def sample(
    prior: Mixture,
    runs: int = 64,
    *,
    seed: Optional[int] = None,
    settings: Optional[Mapping[str, Any]] = None,
) -> pd.DataFrame:
    """Random mixtures around a prior, to train proxies on: ``regmix sample --prior``.

    prior: domain: share, a Series, or a path. settings: such as {"sample.strength_max": 5.0}.
    Returns a frame (runs, D) whose index names the runs and whose rows sum to 1.
    """
    with Ask("sample") as ask:
        ask.settings({"sample.runs": _whole("runs", runs), **(settings or {})}, seed, None)
        answer = ask.set(prior=prior).answer(False)
    frame = pd.DataFrame.from_dict(answer["mixtures"], orient="index", dtype=float)
    frame.index.name = "run"
    return frame


def suggest(prior: Mixture, n: int = 8, **more: Any) -> pd.DataFrame:
    """Mixtures to train before there is any run, spread around a prior; see :meth:`Fit.suggest`."""
    with Ask("suggest") as ask:
        ask.set(prior=prior, runs=n, **more)
        answer = ask.answer(False)
    return _suggested(answer)
