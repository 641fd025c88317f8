"""Pseudo-data and what is made of them: ensembles, their statistics, CLs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import TIE

__all__ = ["Ensemble", "Minima", "ThrownCls", "ThrownQ0", "poisson_quantile", "without_copies"]

Array = NDArray[np.float64]


@dataclass(slots=True)
class Ensemble:
    """Pseudo-data, equal ones once, with how often each occurs."""

    counts: Array
    auxiliary: Array | None
    weight: Array

    @property
    def size(self) -> int:
        """Number of different pseudo-data."""
        return len(self.weight)


@dataclass(slots=True)
class Minima:
    """Minima with nu free: value (NaN where a fit failed) and nu."""

    value: Array
    nu: Array


@dataclass(slots=True)
class ThrownCls:
    """Test statistics of both ensembles at one signal strength."""

    q_observed: float
    signal: Array
    signal_weight: Array
    background: Array
    background_weight: Array

    def _ratio(self, threshold: float) -> float:
        if (
            not np.isfinite(threshold)
            or np.isnan(self.signal).any()
            or np.isnan(self.background).any()
        ):
            return math.nan
        signal = self.signal_weight[self.signal >= threshold - TIE].sum()
        background = self.background_weight[self.background >= threshold - TIE].sum()
        if background == 0.0:  # no toy is as extreme: CLb is not known
            return math.nan
        total = self.signal_weight.sum() / self.background_weight.sum()
        return float(signal / background / total)

    def observed(self) -> float:
        """Return CLs of the observed data."""
        return self._ratio(self.q_observed)

    def expected(self, order: float) -> float:
        """Return CLs at the Phi(order) quantile of the background toys."""
        if np.isnan(self.background).any():
            return math.nan
        ranked = np.argsort(-self.background, kind="stable")
        summed = np.cumsum(self.background_weight[ranked])
        wanted = float(special.ndtr(order)) * summed[-1]
        at = min(int(np.searchsorted(summed, wanted - 1e-9)), len(ranked) - 1)
        return self._ratio(float(self.background[ranked[at]]))

    def relative_error(self) -> float:
        """Return the statistical error of ln CLs of the observed data."""
        parts = []
        for q, weight in (
            (self.signal, self.signal_weight),
            (self.background, self.background_weight),
        ):
            total = weight.sum()
            p = weight[q >= self.q_observed - TIE].sum() / total
            parts.append((1.0 - p) / max(p * total, 1.0))
        return math.sqrt(sum(parts))


@dataclass(frozen=True, slots=True)
class ThrownQ0:
    """q0 of pseudo-data, NaN where a fit failed, and how often each occurs."""

    q0: Array
    weight: Array

    def at_least(self, value: float) -> float:
        """Return the fraction that is at least as large; NaN if a fit failed."""
        if np.isnan(self.q0).any() or math.isnan(value):
            return math.nan
        return float(self.weight[self.q0 >= value - TIE].sum() / self.weight.sum())

    def median(self) -> float:
        """Return the median; NaN if a fit failed."""
        if np.isnan(self.q0).any():
            return math.nan
        ranked = np.argsort(self.q0, kind="stable")
        summed = np.cumsum(self.weight[ranked])
        return float(self.q0[ranked[np.searchsorted(summed, 0.5 * summed[-1])]])


def without_copies(counts: Array) -> Ensemble:
    """Return the different columns and how often each occurs."""
    sizes = counts.max(axis=1) + 1.0
    if np.sum(np.log2(sizes)) < 52.0:  # one number per column, exact in double precision
        key = np.concatenate([[1.0], np.cumprod(sizes)[:-1]]) @ counts
        _, first, weight = np.unique(key, return_index=True, return_counts=True)
        return Ensemble(counts[:, first], None, weight.astype(np.float64))
    unique, weight = np.unique(counts, axis=1, return_counts=True)
    return Ensemble(unique, None, weight.astype(np.float64))


def poisson_quantile(uniform: Array, rate: float) -> Array:
    """Return the Poisson quantiles of uniform random numbers."""
    if rate <= 0.0:
        return np.zeros(len(uniform))
    spread = 10.0 * math.sqrt(rate) + 30.0
    low = max(0, math.floor(rate - spread))
    steps = np.arange(low, math.ceil(rate + spread) + 1)
    cumulative = special.pdtr(steps, rate)
    return np.asarray(low + np.searchsorted(cumulative, uniform), dtype=np.float64)
