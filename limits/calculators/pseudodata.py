"""Pseudo-data: ensembles of equal data, what their test statistics say, CLs.

How counts are thrown is in `na64.limits.calculators.throwing`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import TIE
from na64.limits.calculators.limit_errors import COPIES
from na64.limits.calculators.status import BAND_ORDER

__all__ = ["Ensemble", "Minima", "ThrownCls", "ThrownQ0"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: numbers of toys in memory at once
_CELLS = 1_000_000


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

    @property
    def failed(self) -> bool:
        """Whether a fit of a toy failed."""
        return bool(np.isnan(self.signal).any() or np.isnan(self.background).any())

    def observed(self) -> float:
        """Return CLs of the observed data."""
        threshold = self.q_observed
        if not np.isfinite(threshold) or self.failed:
            return math.nan
        signal = self.signal_weight[self.signal >= threshold - TIE].sum()
        background = self.background_weight[self.background >= threshold - TIE].sum()
        if background == 0.0:  # no toy is as extreme: CLb is not known
            return math.nan
        total = self.signal_weight.sum() / self.background_weight.sum()
        return float(signal / background / total)

    def expected(self) -> Array:
        """Return the quantiles of CLs over the background toys in `BAND_ORDER`, shape (5,).

        Every background toy has a CLs, from the toys with at least its qtilde; quantiles are
        taken of these values, which qtilde need not rank.
        """
        if self.failed:
            return np.full(len(BAND_ORDER), math.nan)
        ranked = self._ranked()
        return ranked.quantiles(self.signal_weight, self.background_weight)

    def expected_errors(self, generator: np.random.Generator) -> Array:
        """Return the standard deviations of `expected` over copies of the toys, shape (5,).

        A copy is what it is in `excluded`; NaN if a fit failed.
        """
        if self.failed:
            return np.full(len(BAND_ORDER), math.nan)
        ranked = self._ranked()
        copies = [
            ranked.quantiles(
                generator.poisson(self.signal_weight).astype(np.float64),
                generator.poisson(self.background_weight).astype(np.float64),
            )
            for _ in range(COPIES)
        ]
        spread = np.std(copies, axis=0, ddof=1)
        equal = spread < 1e-12 * np.mean(copies, axis=0)  # but for rounding
        return np.asarray(np.where(equal, 0.0, spread), dtype=np.float64)

    def excluded(self, alpha: float, generator: np.random.Generator) -> Array:
        """Return the fraction of copies of the toys that exclude the strength.

        A copy has every toy a number of times that follows the Poisson distribution of mean one.
        It excludes for a limit when its CLs, observed or expected, is at most alpha.

        Parameters
        ----------
        alpha
            1 - confidence level.
        generator
            Of the copies. Background toys that are the same at two strengths are copied alike.

        Returns
        -------
        Array
            Fractions for the observed limit and those in `BAND_ORDER`, shape (6,); NaN if a fit
            failed.
        """
        if self.failed:
            return np.full(1 + len(BAND_ORDER), math.nan)
        ranked = self._ranked()
        inside = [q >= self.q_observed - TIE for q in (self.signal, self.background)]
        together = max(_CELLS // max(len(self.signal), len(self.background)), 1)
        count = np.zeros(1 + len(BAND_ORDER))
        for first in range(0, COPIES, together):
            n = min(together, COPIES - first)
            background, signal = (
                generator.poisson(weight, (n, len(weight))).astype(np.float64)
                for weight in (self.background_weight, self.signal_weight)
            )
            if self.q_observed > TIE:
                above = signal[:, inside[0]].sum(axis=1)
                below = background[:, inside[1]].sum(axis=1)
                total = signal.sum(axis=1) / background.sum(axis=1)
                count[0] += np.sum(above <= alpha * below * total)
            count[1:] += ranked.excluding(signal, background, alpha)
        return count / COPIES

    def _ranked(self) -> _Ranked:
        signal = np.argsort(-self.signal, kind="stable")
        background = np.argsort(-self.background, kind="stable")
        ranked, least = -self.background[background], -self.background[background] + TIE
        return _Ranked(
            signal,
            background,
            np.searchsorted(-self.signal[signal], least, side="right"),
            np.searchsorted(ranked, least, side="right"),
        )

    def observed_error(self) -> float:
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


@dataclass(slots=True)
class _Ranked:
    """Toys of both ensembles in falling qtilde.

    Attributes
    ----------
    signal, background
        The order of each ensemble.
    signals, backgrounds
        How many toys of either have at least the qtilde of each ranked background toy.
    """

    signal: Index
    background: Index
    signals: Index
    backgrounds: Index

    def excluding(self, signal_weight: Array, background_weight: Array, alpha: float) -> Array:
        """Return in how many copies the quantiles of CLs are at most alpha, shape (5,).

        Parameters
        ----------
        signal_weight, background_weight
            Weights of the toys in n copies, shape (n, toys).
        alpha
            1 - confidence level.
        """
        own = background_weight[:, self.background]
        nothing = np.zeros((len(own), 1))
        s = np.hstack([nothing, np.cumsum(signal_weight[:, self.signal], axis=1)])
        b = np.hstack([nothing, np.cumsum(own, axis=1)])
        most = alpha * s[:, -1:] / b[:, -1:]
        excluded = s[:, self.signals] <= most * b[:, self.backgrounds]
        fraction = np.sum(own * excluded, axis=1) / b[:, -1]
        levels = special.ndtr(np.array(BAND_ORDER, dtype=np.float64))
        often = np.sum(fraction >= levels[:, None] - 1e-12, axis=1)
        return np.asarray(often, dtype=np.float64)

    def quantiles(self, signal_weight: Array, background_weight: Array) -> Array:
        """Return the quantiles of CLs over the background toys for weights of the toys."""
        own = background_weight[self.background]
        s = np.concatenate([[0.0], np.cumsum(signal_weight[self.signal])])
        b = np.concatenate([[0.0], np.cumsum(own)])
        with np.errstate(divide="ignore", invalid="ignore"):
            cls = s[self.signals] / b[self.backgrounds] * (b[-1] / s[-1])
        cls = np.where(b[self.backgrounds] > 0.0, cls, np.inf)  # toys without a weight
        order = np.argsort(cls, kind="stable")
        summed = np.cumsum(own[order])
        wanted = special.ndtr(np.array(BAND_ORDER, dtype=np.float64)) * summed[-1]
        at = np.minimum(np.searchsorted(summed, wanted - 1e-9), len(order) - 1)
        return np.asarray(cls[order[at]], dtype=np.float64)
