"""Upper limits and CLs values by name of the method: what everything else calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.asymptotic import AsymptoticCalculator
from na64.limits.calculators.datasets import impossible_masses
from na64.limits.calculators.exact import DEFAULT_MAX_DATASETS, ExactCalculator
from na64.limits.calculators.roots import Roots
from na64.limits.calculators.table import (
    BAND_ORDER,
    ClsTable,
    LimitTable,
    check_confidence_level,
    states_to_status,
)
from na64.limits.calculators.toys import ToyCalculator, check_toys, toy_limits
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.results.limit import Status
from na64.models.errors import InputError, unknown_name

__all__ = ["DEFAULT_TOYS", "METHODS", "cls_values", "observed_counts", "upper_limits"]

Array = NDArray[np.float64]

#: calculators by name
METHODS: Final = ("exact", "asymptotic", "toys")

#: toys per hypothesis and mass unless told otherwise
DEFAULT_TOYS: Final = 10_000

#: ln(signal events) beyond which there is no limit
_CEILING = 60.0


def upper_limits(
    batch: SignalBatch,
    *,
    confidence_level: float = 0.9,
    method: str = "exact",
    observed: bool = True,
    expected: bool = True,
    counts: ArrayLike | None = None,
    max_datasets: int = DEFAULT_MAX_DATASETS,
    toys: int = DEFAULT_TOYS,
    seed: int = 1,
    ensemble: str = "aux-fixed",
    jobs: int = 1,
) -> LimitTable:
    """Return the CLs upper limits on the signal strength for M masses.

    Parameters
    ----------
    batch
        Signals, from `CompiledLikelihood.inject` or `CompiledLikelihood.batch`.
    confidence_level
        1 - CLs at the limit, between 0 and 1.
    method
        ``exact`` (enumerated ensemble of counts), ``asymptotic`` or ``toys``.
    observed, expected
        Which limits to compute. Without the observed limit the counts may be expectations; with
        ``observed=False`` and no counts they are the nominal background.
    counts
        Counts per bin instead of the workspace's, shape (B,).
    max_datasets
        Largest ensemble that the exact method enumerates.
    toys, seed, ensemble
        For the method ``toys``: pseudo-experiments per hypothesis and mass, seed, and whether
        auxiliary data are fixed (``aux-fixed``, what the exact method enumerates) or thrown
        (``aux-fluctuated``, as pyhf does).
    jobs
        Processes that share the masses of the method ``toys``; the result does not depend on it.

    Returns
    -------
    LimitTable

    Raises
    ------
    InputError
        For a level, method or counts that are not allowed, and for an exact ensemble that is
        too large to enumerate.
    """
    alpha = check_confidence_level(confidence_level)
    data = observed_counts(batch, counts, observed=observed)
    problems = _problems(batch, data)
    good = np.array([i for i, problem in enumerate(problems) if not problem[1]], dtype=np.intp)
    roots: list[Roots | None] = [None] * 6
    error = None
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if method == "toys":
        check_toys(toys, ensemble, jobs)
    if not len(good):
        pass
    elif method == "toys":
        roots, error = toy_limits(
            batch,
            data,
            good,
            alpha,
            observed=observed,
            expected=expected,
            settings={"toys": toys, "seed": seed, "ensemble": ensemble},
            jobs=jobs,
        )
    else:
        # a limit in events depends on the signal's shape alone: equal shapes are solved once
        _, first, copies = np.unique(
            _what_matters(batch, good), axis=1, return_index=True, return_inverse=True
        )
        part = batch.take(good[first])
        calculator: AsymptoticCalculator | ExactCalculator
        if method == "exact":
            calculator = ExactCalculator(part, data, max_datasets=max_datasets)
        else:
            calculator = AsymptoticCalculator(part, data)
        roots = [
            None if found is None else Roots(found.x[copies], found.state[copies])
            for found in calculator.limits(alpha, observed=observed, expected=expected)
        ]
    table = _table(batch, good, roots, problems, method, confidence_level, observed, expected)
    if method != "toys":
        return table
    relative = np.full(len(batch), np.nan)
    if error is not None:
        relative[good] = error
    return replace(
        table, ensemble=ensemble, seed=seed, toys=toys, observed_error=relative * table.observed
    )


def cls_values(
    batch: SignalBatch,
    mu: ArrayLike,
    *,
    method: str = "exact",
    expected: bool = False,
    counts: ArrayLike | None = None,
    max_datasets: int = DEFAULT_MAX_DATASETS,
    toys: int = DEFAULT_TOYS,
    seed: int = 1,
    ensemble: str = "aux-fixed",
) -> ClsTable:
    """Return CLs at given signal strengths.

    Parameters
    ----------
    batch
        Signals of M masses.
    mu
        Signal strengths, not negative, of a shape that broadcasts to (..., M).
    method, counts, max_datasets, toys, seed, ensemble
        As in `upper_limits`.
    expected
        Whether to compute the expected values as well.

    Returns
    -------
    ClsTable

    Raises
    ------
    InputError
        For a strength, method or counts that are not allowed, and for an exact ensemble that is
        too large.
    """
    strength = np.asarray(mu, dtype=np.float64)
    if not (np.all(np.isfinite(strength)) and np.all(strength >= 0.0)):
        raise InputError("signal strengths must be finite and not negative")
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if method == "toys":
        check_toys(toys, ensemble, jobs=1)
    try:
        shape = np.broadcast_shapes(strength.shape, (len(batch),))
    except ValueError as error:
        raise InputError(
            f"signal strengths of shape {strength.shape} do not fit {len(batch)} masses"
        ) from error
    data = observed_counts(batch, counts)
    problems = _problems(batch, data)
    answer = np.full(shape, np.nan)
    bands = np.full((len(BAND_ORDER), *shape), np.nan)
    nu = np.broadcast_to(strength, shape) * batch.events
    mass = np.broadcast_to(np.arange(len(batch)), shape)
    zero = nu == 0.0
    answer[zero], bands[:, zero] = 1.0, 1.0  # no signal is tested: CLs = 1 by definition
    bad = np.array([status is Status.FAILED for status, _ in problems], dtype=bool)
    answer[bad[mass]], bands[:, bad[mass]] = np.nan, np.nan
    todo = ~zero & ~bad[mass]
    if todo.any():
        calculator: AsymptoticCalculator | ExactCalculator | ToyCalculator
        if method == "exact":
            calculator = ExactCalculator(batch, data, max_datasets=max_datasets)
        elif method == "toys":
            calculator = ToyCalculator(batch, data, toys=toys, seed=seed, ensemble=ensemble)
        else:
            calculator = AsymptoticCalculator(batch, data)
        answer[todo], found = calculator.cls_values(nu[todo], mass[todo], expected=expected)
        bands[:, todo] = found
    return ClsTable(method, np.broadcast_to(strength, shape), answer, bands if expected else None)


def _what_matters(batch: SignalBatch, masses: NDArray[np.intp]) -> Array:
    """Return what a limit in events depends on, one column per mass."""
    shape = np.round(batch.shape[:, masses], 12)
    if batch.auxiliary is None or batch.auxiliary.ndim == 1:
        return shape
    return np.concatenate([shape, batch.auxiliary[:, masses]])


def observed_counts(
    batch: SignalBatch, counts: ArrayLike | None, *, observed: bool = True
) -> Array:
    """Return the counts to use, checked: given ones, the workspace's, or the nominal background.

    Parameters
    ----------
    batch
        Signals.
    counts
        Given counts, shape (B,), or None.
    observed
        Whether the workspace's counts are meant when none are given; otherwise the nominal
        background is.

    Raises
    ------
    InputError
        If the counts have the wrong length, or are negative or not finite.
    """
    likelihood = batch.likelihood
    if counts is None:
        if observed:
            return likelihood.observed
        fitter = likelihood.fitter
        evaluator = fitter.problem(False).evaluator
        nothing = np.zeros((len(batch.shape), 1))
        return evaluator.rates(fitter.init[:, None], np.zeros(1), nothing)[:, 0]
    data = np.asarray(counts, dtype=np.float64)
    if data.shape != (len(likelihood.bins),):
        raise InputError(f"{data.size} counts for {len(likelihood.bins)} bins")
    if not (np.all(np.isfinite(data)) and np.all(data >= 0.0)):
        raise InputError("observed counts must be finite and not negative")
    return data


def _problems(batch: SignalBatch, counts: Array) -> list[tuple[Status, str]]:
    """Say which masses have no limit before anything is computed."""
    answer = []
    for events, message in zip(
        batch.events.tolist(), impossible_masses(batch, counts), strict=True
    ):
        if message:
            answer.append((Status.FAILED, message))
        elif events <= 0.0:
            answer.append((Status.NO_EXCLUSION, "no signal event is expected at any strength"))
        else:
            answer.append((Status.OK, ""))
    return answer


def _table(
    batch: SignalBatch,
    good: NDArray[np.intp],
    roots: list[Roots | None],
    problems: list[tuple[Status, str]],
    method: str,
    confidence_level: float,
    observed: bool,
    expected: bool,
) -> LimitTable:
    n = len(batch)
    values = np.full((6, n), np.nan)
    states = [list(problems) for _ in range(6)]
    for i, root in enumerate(roots):
        if root is None:
            continue
        values[i, good] = np.exp(root.x) / batch.events[good]
        for j, state in zip(good.tolist(), states_to_status(root, _CEILING), strict=True):
            states[i][j] = state
    if not observed:  # the status of the whole is then that of the median
        states[0] = states[1 + BAND_ORDER.index(0)]
    messages = []
    for j in range(n):
        said = dict.fromkeys(
            f"{name}: {states[i][j][1]}" if not problems[j][1] else states[i][j][1]
            for i, name in enumerate(("observed", *(f"expected {k:+d}" for k in BAND_ORDER)))
            if states[i][j][1] and (i == 0 or expected)
        )
        messages.append("; ".join(said))
    return LimitTable(
        method=method,
        confidence_level=confidence_level,
        events=batch.events,
        observed=values[0],
        expected=values[1:],
        status=tuple(state[0] for state in states[0]),
        expected_status=tuple(tuple(state[0] for state in row) for row in states[1:]),
        messages=tuple(messages),
        ensemble="aux-fixed" if method == "exact" else None,
    )
