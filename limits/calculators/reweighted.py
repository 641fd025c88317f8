"""One set of pseudo-experiments for all signal strengths: toys where an ensemble is too large.

Counts are thrown once per signal, half of them from the background and half from signal and
background at a strength near the limit, with auxiliary data as observed. Each dataset n stands
for an ensemble with the weight

    w(n) = P(n | ensemble) / [P(n | background) / 2 + P(n | signal and background) / 2],

so that probabilities of both ensembles of CLs, at any strength, are weighted sums over one set.
Weights of the background are at most 2. Sums over less signal-like datasets are dominated by what
the background throws: the error of CLs is smaller than with as many toys thrown at every strength.

The likelihood of each dataset is fitted with the signal free, and at a few strengths between which
its profile, a smooth function, is interpolated by a polynomial: no dataset is fitted again while
limits are searched. Statistical errors are those of `na64.limits.calculators.limit_errors`: of 40
seeds of 1000 toys (two bins of 20 and 10 events, a shared background uncertainty) they are 0.78 to
1.16 times the spread of the limits, a ratio that is known within 0.11. The random numbers depend
on the seed and on the signal's shape, not on what else is computed.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import (
    TIE,
    background_fit,
    free_fits,
    observed_fits,
    qtilde,
)
from na64.limits.calculators.ensemble_size import limits_in_events, structure_of
from na64.limits.calculators.limit_errors import COPIES, ROUNDS, first_width, next_width
from na64.limits.calculators.roots import BRACKETED, FAILED, Roots, find_roots
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.throwing import check_rates, poisson_quantile
from na64.limits.likelihood.compiled import SignalBatch

__all__ = ["ReweightedToys", "toys_for"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: strengths of the interpolation, and their range around the first guess of the limit
_NODES: Final = 14
_RANGE: Final = (0.15, 5.0)
#: how often the range is moved to where a limit is, and by how much it is made wider then
_MOVES: Final = 3
_WIDER: Final = 4.0
#: datasets fitted together, to bound the memory
_SLICE: Final = 16_384
#: tolerance of a limit over its statistical error, about
_TOLERANCE: Final = 1e-4
#: (bins + parameters)^2 times toys up to which all are thrown, and the fewest that are
_WORK: Final = 6e7
_FEWEST: Final = 2000


def toys_for(batch: SignalBatch, toys: int) -> int:
    """Return how many toys are thrown: fewer in models whose fits take long.

    Parameters
    ----------
    batch
        Signals on their model: fits cost about the square of its bins and parameters.
    toys
        How many at most.
    """
    model = batch.likelihood.model
    affordable = int(_WORK / (len(model.bins) + len(model.parameters)) ** 2)
    return min(toys, max(affordable, _FEWEST))


@dataclass(frozen=True, slots=True)
class _Profile:
    """Likelihoods of all datasets at some strengths, as polynomials in x = ln(nu + offset)."""

    offset: float
    low: float
    high: float
    nodes: Array
    weights: Array
    values: Array  # (nodes, datasets)

    def covers(self, nu: float) -> bool:
        """Tell whether a strength is in the range."""
        return self.low <= nu <= self.high

    def at(self, nu: float) -> Array:
        """Return the likelihoods at a strength by the barycentric formula."""
        distance = math.log(nu + self.offset) - self.nodes
        if np.any(np.abs(distance) < 1e-12):
            return np.asarray(self.values[int(np.argmin(np.abs(distance)))])
        share = self.weights / distance
        return np.asarray((share / share.sum()) @ self.values)


class ReweightedToys:
    """Limits of one signal from one set of pseudo-experiments.

    Parameters
    ----------
    batch
        The signal, a batch of one mass.
    counts
        Observed counts, shape (B,).
    toys
        Pseudo-experiments.
    seed
        Of the random numbers.
    """

    def __init__(self, batch: SignalBatch, counts: Array, toys: int, seed: int) -> None:
        self.batch, self.counts, self.toys = batch, counts, toys
        self.fitter = batch.likelihood.fitter
        self.evaluator = self.fitter.problem(False).evaluator
        _, rates, self.free = observed_fits(batch, counts)
        self.without = rates[:, 0]
        self.guess = float(limits_in_events(batch, counts, rates)[0])
        reference, _, _ = self._observed(self.guess)
        _, varied = structure_of(batch, np.array([0]))
        self.varied = np.flatnonzero(varied)
        self._throw(reference, seed)
        self._fit_free()
        self._profile: _Profile | None = None

    # -- the set -----------------------------------------------------------------------------

    def _throw(self, reference: Array, seed: int) -> None:
        shape = self.batch.shape.astype(np.float32).tobytes()
        words = np.frombuffer(hashlib.sha256(shape).digest(), dtype=np.uint32)
        root = np.random.SeedSequence(seed, spawn_key=tuple(words.tolist()))
        parts = []
        check_rates(np.column_stack([self.without, reference]), self.batch.likelihood.bins)
        for child, rates in zip(root.spawn(2), (self.without, reference), strict=True):
            size = ((self.toys + 1) // 2, len(self.varied))
            uniform = np.random.default_rng(child).random(size).T
            pairs = zip(uniform, rates[self.varied].tolist(), strict=True)
            parts.append([poisson_quantile(u, rate) for u, rate in pairs])
        thrown = np.concatenate([np.array(part) for part in parts], axis=1)
        unique, times = np.unique(thrown, axis=1, return_counts=True)
        self.datasets, self.times = unique, times.astype(np.float64)
        self._log_factorial = special.gammaln(unique + 1.0).sum(axis=0)
        with np.errstate(under="ignore"):
            self._log_proposal = np.logaddexp(
                self._log_probability(self.without), self._log_probability(reference)
            ) - math.log(2.0)

    def _log_probability(self, rates: Array) -> Array:
        some = rates[self.varied]
        logarithm = special.xlogy(self.datasets.T, some[None, :]).sum(axis=1)
        return np.asarray(logarithm - some.sum() - self._log_factorial)

    def _weights(self, rates: Array) -> Array:
        """Return the weights of the datasets in an ensemble, of sum one."""
        weight = self.times * np.exp(self._log_probability(rates) - self._log_proposal)
        return np.asarray(weight / weight.sum())

    def _full(self, part: slice) -> Array:
        full = np.repeat(self.counts[:, None], self.datasets[:, part].shape[1], axis=1)
        full[self.varied] = self.datasets[:, part]
        return full

    def _parts(self) -> list[slice]:
        return [slice(i, i + _SLICE) for i in range(0, len(self.times), _SLICE)]

    def _fit_free(self) -> None:
        size = len(self.times)
        self.best, self.value = np.empty(size), np.empty(size)
        for part in self._parts():
            counts = self._full(part)
            same = np.zeros(counts.shape[1], dtype=np.intp)
            background = background_fit(self.batch, counts, mass=same)
            fit = free_fits(self.batch, same, counts, background)
            self.best[part] = fit.nu
            self.value[part] = np.where(fit.converged, fit.value, np.nan)

    def _fit_at(self, nu: float) -> Array:
        """Return the likelihoods of all datasets at a strength, NaN where a fit failed."""
        value = np.empty(len(self.times))
        for part in self._parts():
            counts = self._full(part)
            points = self.batch.points(np.zeros(counts.shape[1], dtype=np.intp), counts)
            strength = np.full(counts.shape[1], nu)
            fit = self.fitter.fit(points, strength, free_signal=False)
            value[part] = np.where(fit.converged, fit.value, np.nan)
        return value

    def _make_profile(self, low: float, high: float) -> _Profile:
        # ln(nu + offset) goes with nu where rates hardly change, with ln(nu) where they double
        offset = 0.5 * (math.sqrt(float(self.without[self.varied].sum())) + 0.5)
        a, b = math.log(low + offset), math.log(high + offset)
        place = np.arange(_NODES)
        nodes = 0.5 * (a + b) + 0.5 * (b - a) * np.cos(np.pi * place / (_NODES - 1))
        weights = np.where(place % 2 == 0, 1.0, -1.0)
        weights[[0, -1]] *= 0.5
        values = np.array([self._fit_at(float(np.exp(x)) - offset) for x in nodes])
        return _Profile(offset, low, high, np.asarray(nodes, dtype=np.float64), weights, values)

    # -- statistics --------------------------------------------------------------------------

    def _observed(self, nu: float) -> tuple[Array, float, bool]:
        """Return the rates fitted to the data at a strength, qtilde, and whether that worked."""
        at = np.array([nu])
        points = self.batch.points(np.array([0]), self.counts[:, None])
        fit = self.fitter.fit(points, at, free_signal=False)
        q = qtilde(self.batch, points, at, fit, self.free.value, self.free.nu)
        good = bool(fit.converged[0] and self.free.converged[0] and not np.isnan(q[0]))
        return self.evaluator.rates(fit.theta, at, points.signal)[:, 0], float(q[0]), good

    def _statistic(self, nu: float, value: Array) -> Array:
        q = np.maximum(2.0 * (value - self.value), 0.0)
        return np.where(self.best > nu, 0.0, q)

    def _levels(self, q: Array, signal: Array, background: Array) -> tuple[Array, Array]:
        """Return CLs of every dataset, and the probability of all at least as unlike a signal."""
        order = np.argsort(-q, kind="stable")
        ranked = -q[order]
        last = np.searchsorted(ranked, -q + TIE, side="right") - 1
        with_signal, without = np.cumsum(signal[order])[last], np.cumsum(background[order])[last]
        with np.errstate(divide="ignore", invalid="ignore"):
            cls = np.where(q > TIE, with_signal / without, 1.0)
        return np.where(np.isnan(cls), 1.0, cls), without

    def _cls(self, nu: float, value: Array) -> float:
        """Return CLs of the data."""
        rates, threshold, good = self._observed(nu)
        q = self._statistic(nu, value)
        if not good or np.isnan(q).any():
            return math.nan
        if threshold <= TIE:
            return 1.0
        inside = q >= threshold - TIE
        above = float(self._weights(rates)[inside].sum())
        below = float(self._weights(self.without)[inside].sum())
        return above / below if below > 0.0 else math.nan

    def _excluded(self, nu: float, value: Array, alpha: float) -> float:
        """Return the fraction of background experiments that exclude a strength."""
        rates, _, good = self._observed(nu)
        q = self._statistic(nu, value)
        if not good or np.isnan(q).any():
            return math.nan
        background = self._weights(self.without)
        cls, _ = self._levels(q, self._weights(rates), background)
        return float(background[cls <= alpha].sum())

    # -- results -----------------------------------------------------------------------------

    def cls_values(self, nu: float, expected: bool) -> Array:
        """Return CLs at a strength, observed and five expected ones (NaN unless asked for)."""
        value = self._fit_at(nu)
        answer = np.full(6, np.nan)
        answer[0] = self._cls(nu, value)
        rates, _, good = self._observed(nu)
        q = self._statistic(nu, value)
        if expected and good and not np.isnan(q).any():
            background = self._weights(self.without)
            cls, _ = self._levels(q, self._weights(rates), background)
            order = np.argsort(cls, kind="stable")
            summed = np.cumsum(background[order])
            for i, level in enumerate(special.ndtr(np.array(BAND_ORDER, dtype=np.float64))):
                at = min(int(np.searchsorted(summed, level - 1e-12)), len(order) - 1)
                answer[i + 1] = cls[order[at]]
        return answer

    def limit(self, alpha: float, band: int | None) -> tuple[float, int, float]:
        """Return ln(nu) at the limit, a state of `Roots`, and the relative statistical error.

        Parameters
        ----------
        alpha
            1 - confidence level.
        band
            Standard deviations of an expected limit, None for the observed one. It is the least
            strength that a fraction Phi(band) of the background experiments excludes.
        """
        level = 0.5 if band is None else float(special.ndtr(band))
        low, high = (edge * self.guess for edge in _RANGE)
        if self._profile is None:
            self._profile = self._make_profile(low, high)
        for _ in range(_MOVES):
            profile = self._profile

            def excess(x: Array, _which: Index, profile: _Profile = profile) -> Array:
                return np.array([self._excess(float(np.exp(at)), profile, alpha, band, level)
                                 for at in x])  # fmt: skip

            ends = np.log([profile.low, profile.high])
            at_ends = excess(ends, np.array([0, 0]))
            if np.isnan(at_ends).any():
                return math.nan, FAILED, math.nan
            if at_ends[0] > 0.0 >= at_ends[1]:
                root = find_roots(
                    excess, ends[:1], ends[1:], tolerance=_TOLERANCE,
                    floor=float(ends[0]), ceiling=float(ends[1]),
                )  # fmt: skip
                if root.state[0] != BRACKETED:
                    return math.nan, int(root.state[0]), math.nan
                x = float(root.x[0])
                return x, BRACKETED, self._error(x, profile, alpha, band)
            factor = _WIDER if at_ends[1] > 0.0 else 1.0 / _WIDER
            self._profile = self._make_profile(profile.low * factor, profile.high * factor)
        return math.nan, int(Roots.empty(1).state[0]), math.nan

    def _excess(
        self, nu: float, profile: _Profile, alpha: float, band: int | None, level: float
    ) -> float:
        """Return what falls through zero at a limit."""
        value = profile.at(nu)
        if band is not None:
            return level - self._excluded(nu, value, alpha)
        cls = self._cls(nu, value)
        return -math.inf if cls == 0.0 else math.log(cls / alpha)

    def _error(self, x: float, profile: _Profile, alpha: float, band: int | None) -> float:
        """Return the statistical error of ln(nu) at a limit."""
        level = 0.5 if band is None else float(special.ndtr(band))
        width = float(first_width(self.toys, alpha, level))
        known: dict[float, float] = {}
        for _ in range(ROUNDS):
            for at in (x - width, x + width):
                inside = min(max(at, math.log(profile.low)), math.log(profile.high))
                known[inside] = self._copies(math.exp(inside), profile, alpha, band)
            width, again = next_width(width, known)
            if not again:
                break
        return width

    def _copies(self, nu: float, profile: _Profile, alpha: float, band: int | None) -> float:
        """Return the fraction of copies of the toys that exclude a strength."""
        rates, threshold, good = self._observed(nu)
        q = self._statistic(nu, profile.at(nu))
        if not good or np.isnan(q).any():
            return math.nan
        signal, background = self._weights(rates), self._weights(self.without)
        order = np.argsort(-q, kind="stable")
        ranked, own = -q[order], (signal[order], background[order])
        edges = ranked if band is not None else np.array([-threshold])
        last = np.searchsorted(ranked, edges + TIE, side="right")
        generator = np.random.default_rng(COPIES)  # the same copies at all strengths
        excluding = 0
        for _ in range(COPIES):
            copy = (generator.poisson(self.times) / self.times)[order]
            above, below = (np.append(0.0, np.cumsum(part * copy)) for part in own)
            # at qtilde = 0 all datasets are in the set, and CLs is one
            excludes = (above[last] * below[-1] <= alpha * below[last] * above[-1]) & (edges < -TIE)
            if band is None:
                excluding += int(excludes[0])
            else:
                fraction = np.sum(own[1] * copy * excludes) / below[-1]
                excluding += int(fraction >= special.ndtr(band) - 1e-12)
        return excluding / COPIES
