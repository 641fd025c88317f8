"""Discovery significance: how often the background alone looks as signal-like as the data.

The test statistic is q0, twice the logarithm of the ratio of the best likelihood with a signal
nu >= 0 to that without (1007.1727 eq. 12). Its p-value comes from asymptotic formulas, from an
enumeration of all counts, or from toys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from na64.limits.calculators.datasets import background_fit, free_fits, observed_fits
from na64.limits.calculators.exact import DEFAULT_MAX_DATASETS, ExactCalculator
from na64.limits.calculators.registry import DEFAULT_TOYS, METHODS, observed_counts
from na64.limits.calculators.toys import ToyCalculator, check_toys
from na64.limits.likelihood.compiled import SignalBatch
from na64.models.errors import InputError, unknown_name

__all__ = ["DiscoveryTable", "discovery"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_TIE = 1e-8
#: a branch of datasets is left out when its probability under the background is below this; it
#: bounds the error of the smallest p-values
_CUT = 1e-13
#: smallest p-value that the enumeration can tell from zero
_SMALLEST_P = 1e-12


@dataclass(frozen=True, slots=True)
class DiscoveryTable:
    """Significance of an excess for M masses.

    Attributes
    ----------
    method
        ``exact``, ``asymptotic`` or ``toys``.
    p_values
        P(q0 >= q0_obs | background), shape (M,); 1 when the best fit has no signal. NaN where a
        fit failed.
    significance
        Z = Phi^-1(1 - p), not below zero, shape (M,).
    best_fit
        Best signal strength, shape (M,).
    expected
        Median significance if a signal of mu = 1 is there, shape (M,), or None when not asked
        for.
    messages
        What went wrong, one per mass.
    """

    method: str
    p_values: Array
    significance: Array
    best_fit: Array
    expected: Array | None
    messages: tuple[str, ...]


def discovery(
    batch: SignalBatch,
    *,
    method: str = "exact",
    expected: bool = False,
    counts: ArrayLike | None = None,
    max_datasets: int = DEFAULT_MAX_DATASETS,
    toys: int = DEFAULT_TOYS,
    seed: int = 1,
    ensemble: str = "aux-fixed",
) -> DiscoveryTable:
    """Return the significance of the data over the background.

    Parameters
    ----------
    batch
        Signals of M masses.
    method
        ``exact`` (all counts enumerated, auxiliary data fixed), ``asymptotic`` or ``toys``.
    expected
        Whether to compute the median significance of a signal of mu = 1: with Asimov data for
        ``asymptotic``, otherwise the median of the enumerated signal + background ensemble.
    counts
        Counts per bin instead of the workspace's, shape (B,).
    max_datasets, toys, seed, ensemble
        As in `upper_limits`.

    Returns
    -------
    DiscoveryTable

    Raises
    ------
    InputError
        For a method or counts that are not allowed, and for an ensemble too large to enumerate.
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    data = observed_counts(batch, counts)
    background, _, free = observed_fits(batch, data)
    background = background.take(np.arange(len(batch)) % len(background.value))
    q0 = np.maximum(2.0 * (background.value - free.value), 0.0)
    q0 = np.where(free.converged & background.converged, q0, np.nan)
    expectation: Array | None = None
    if method == "asymptotic":
        p_values = np.where(q0 > _TIE, special.ndtr(-np.sqrt(q0)), 1.0)
        if expected:
            expectation = _asimov(batch)
    elif method == "toys":
        check_toys(toys, ensemble, jobs=1)
        calculator = ToyCalculator(batch, data, toys=toys, seed=seed, ensemble=ensemble)
        p_values = calculator.discovery_p_values(q0)
    else:
        p_values = _Enumeration(batch, data, max_datasets).p_values(q0)
    if expected and expectation is None:
        expectation = _Enumeration(batch, data, max_datasets).expected()
    p_values = np.where(np.isnan(q0), np.nan, p_values)
    messages = ["a fit did not converge" if bad else "" for bad in np.isnan(p_values)]
    floor = {"toys": 1.0 / toys, "exact": _SMALLEST_P}.get(method, 0.0)
    for i in np.flatnonzero(p_values < floor):
        messages[i] = f"p-value below {floor:.1g}: the significance is a lower bound"
    p_values = np.maximum(p_values, floor)
    return DiscoveryTable(
        method=method,
        p_values=p_values,
        significance=_significance(p_values),
        best_fit=np.where(batch.events > 0.0, free.nu, 0.0)
        / np.where(batch.events > 0.0, batch.events, 1.0),
        expected=expectation,
        messages=tuple(messages),
    )


def _significance(p_values: Array) -> Array:
    return np.asarray(np.maximum(-special.ndtri(p_values), 0.0), dtype=np.float64)


def _asimov(batch: SignalBatch) -> Array:
    """Return sqrt(q0) of the expected counts at mu = 1 and nominal nuisance parameters."""
    n = len(batch)
    fitter = batch.likelihood.fitter
    every = np.arange(n)
    theta = np.repeat(fitter.init[:, None], n, axis=1)
    counts = fitter.problem(False).evaluator.rates(theta, batch.events, batch.shape)
    background = background_fit(batch, counts)
    free = free_fits(batch, every, counts, background)
    q0 = np.maximum(2.0 * (background.value - free.value), 0.0)
    return np.where(free.converged & background.converged, np.sqrt(q0), np.nan)


class _Enumeration:
    """All counts ranked by q0, least signal-like first."""

    def __init__(self, batch: SignalBatch, counts: Array, max_datasets: int) -> None:
        if np.any(counts != np.round(counts)):
            raise InputError("the exact ensemble needs whole observed counts")
        self.exact = ExactCalculator(batch, counts, max_datasets=max_datasets)
        self.batch = batch
        fitter = batch.likelihood.fitter
        theta = np.repeat(fitter.init[:, None], len(batch), axis=1)
        self.signal_rates = self.exact.evaluator.rates(theta, batch.events, batch.shape)

    def p_values(self, q0: Array) -> Array:
        """Return P(q0(n) >= q0 | background), shape (M,)."""
        answer = np.ones(len(q0))
        for mass in np.flatnonzero(q0 > _TIE):
            below, _ = self._explore(int(mass), float(q0[mass]), None)
            answer[mass] = max(1.0 - below, 0.0)
        return answer

    def expected(self) -> Array:
        """Return the significance at the median of q0 with a signal of mu = 1."""
        answer = np.empty(len(self.batch))
        for mass in range(len(self.batch)):
            below, threshold = self._explore(mass, None, self.signal_rates[:, mass : mass + 1])
            p_value = 1.0 if threshold <= _TIE else max(1.0 - below, 0.0)
            answer[mass] = max(-float(special.ndtri(p_value)), 0.0)
        return answer

    def _explore(
        self, mass: int, threshold: float | None, signal: Array | None
    ) -> tuple[float, float]:
        """Return P(q0 < threshold | background) and the threshold.

        Without a threshold it is the median of q0 under the rates `signal`.
        """
        exact = self.exact
        lattice = exact.lattice
        without = exact.background_rates[:, [mass % exact.background_rates.shape[1]]]
        axes = np.arange(len(exact.varied))
        numbers = np.empty(0, dtype=np.intp)
        q0, below, of_signal = np.empty(0), np.empty(0), np.empty(0)
        followed = np.empty(0, dtype=bool)
        new = exact.seeds(without if signal is None else signal)
        limit = np.inf if threshold is None else threshold
        while len(new):
            statistic = exact.cache.discovery(np.full(len(new), mass), new)
            if np.isnan(statistic).any():
                return np.nan, np.nan
            numbers = np.concatenate([numbers, new])
            q0 = np.concatenate([q0, statistic])
            probability = np.exp(lattice.log_probability(new, without))
            below = np.concatenate([below, probability])
            followed = np.concatenate([followed, np.zeros(len(new), dtype=bool)])
            if signal is not None:
                more = np.exp(lattice.log_probability(new, signal))
                of_signal = np.concatenate([of_signal, more])
                ranked = np.argsort(q0, kind="stable")
                summed = np.cumsum(of_signal[ranked])
                at = int(np.searchsorted(summed, 0.5))
                limit = float(q0[ranked[at]]) if at < len(ranked) else np.inf
            inside = q0 < limit - _TIE
            # without monotony a dataset outside may have neighbours inside: follow all that matter
            todo = np.flatnonzero(~followed & (inside if exact.monotone else True))
            followed[todo] = True
            parent, axis = np.repeat(numbers[todo], len(axes)), np.tile(axes, len(todo))
            counts = lattice.counts[parent]
            counts[np.arange(len(parent)), axis] += 1
            matters = self._bound(counts, without) > _CUT
            if signal is not None:
                matters |= self._bound(counts, signal) > 1e-6
            children = lattice.children(parent[matters], axis[matters])
            new = np.setdiff1d(children, numbers)
            if len(numbers) + len(new) > exact.max_datasets:
                raise exact.too_large()
        return float(below[q0 < limit - _TIE].sum()), limit

    def _bound(self, counts: NDArray[np.int64], rates: Array) -> Array:
        """Return P(N_i >= n_i for all i)."""
        some = rates[self.exact.varied, 0]
        tail = np.where(counts > 0, special.gammainc(np.maximum(counts, 1), some), 1.0)
        return np.asarray(tail.prod(axis=1), dtype=np.float64)
