"""Ensembles of large counts in which more events always look more like signal.

There (`na64.limits.likelihood.structure.is_monotone`) the set {n : qtilde(n) >= q} is a staircase:
for all counts but those of one bin it holds a largest count of that bin, and what is below it has
the probability of a Poisson tail, an incomplete gamma function. No dataset inside the set is
looked at. In one bin the whole set is {N <= m}: two fits per signal strength whatever the count.
In V bins there is one such edge for every count vector of the other V - 1 bins.

The edge is found in r, the signed square root of 2 ln(likelihood at the best strength / at the
tested one), positive where the best strength is lower; qtilde = max(r, 0)^2. It changes smoothly
with a count, so that a spline through a few counts of every row says where the edge is; fits of
the datasets next to it then say which of them are inside, and that the edge was where it was
looked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, special

from na64.limits.calculators.budget import EnsembleTooLargeError
from na64.limits.calculators.counting import limits_found
from na64.limits.calculators.datasets import TIE, background_fit, free_fits, observed_fits
from na64.limits.calculators.ensemble_size import (
    limits_in_events,
    rates_of_signal,
    structure_of,
)
from na64.limits.calculators.roots import BRACKETED, Roots, find_roots
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.throwing import check_rates, poisson_level
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.structure import is_monotone

__all__ = ["Solver", "Staircase", "fill_in", "has_staircase"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Counts = NDArray[np.int64]

#: datasets from which on a staircase is cheaper than visiting them all
_LARGE: Final = 4000.0
#: most count vectors of the other bins
_MOST_ROWS: Final = 3000
#: probability of the counts of one bin that are left out at either end
_CUT: Final = 1e-11
#: counts of the last bin at which r is computed, and between which it is interpolated
_NODES: Final = 16
#: distance in r from the edge of a set within which datasets are fitted, and how often it is made
#: wider when the interpolation is not as good as that
_NEAR: Final = 2e-3
_WIDENINGS: Final = 6
#: datasets fitted together, to bound the memory
_SLICE: Final = 16_384
#: halvings of the range of r that find a quantile well within that distance
_HALVINGS: Final = 30
#: strengths over the guess of the limit up to which one grid of counts serves; then its powers
_REACH: Final = 3.0
#: half the first bracket in ln(strength)
_HALF: Final = 0.3


def has_staircase(batch: SignalBatch, counts: Array, sizes: Array) -> NDArray[np.bool_]:
    """Tell for which masses the ensemble is large and a staircase, shape (M,).

    Parameters
    ----------
    batch, counts
        Signals of M masses and the observed counts, shape (B,).
    sizes
        As from `na64.limits.calculators.ensemble_size.ensemble_sizes`.
    """
    answer = np.zeros(len(batch), dtype=bool)
    for mass in np.flatnonzero(sizes > _LARGE).tolist():
        one = batch.take(np.array([mass]))
        active, varied = structure_of(one, np.array([0]))
        if not is_monotone(one.likelihood.model, active, varied):
            continue
        ensemble = Staircase(one, counts, 1.0)
        answer[mass] = ensemble.rows_near_limit() <= _MOST_ROWS
    return answer


@dataclass(frozen=True, slots=True)
class _Steps:
    """For every row of counts in the other bins how many counts of the last bin are inside."""

    others: Counts  # (rows, V - 1)
    inside: Counts  # (rows,)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Rows of counts in the other bins, nodes in the last one, and fits with the signal free."""

    others: Counts  # (rows, V - 1)
    last: Counts  # (counts,)
    spline: Array  # from values at the nodes to values at all counts, (nodes, counts)
    full: Array  # (B, rows * nodes)
    free: tuple[Array, Array]


class Staircase:
    """CLs of one signal in a monotone ensemble.

    Parameters
    ----------
    batch
        The signal, a batch of one mass.
    counts
        Observed counts, shape (B,).
    tolerance
        Relative tolerance of a limit.

    Raises
    ------
    InputError
        From the methods, if the other bins have too many counts.
    """

    def __init__(self, batch: SignalBatch, counts: Array, tolerance: float) -> None:
        self.batch, self.counts, self.tolerance = batch, counts, tolerance
        self.fitter = batch.likelihood.fitter
        self.evaluator = self.fitter.problem(False).evaluator
        _, rates, self.free = observed_fits(batch, counts)
        self.without = rates[:, 0]
        check_rates(self.without, batch.likelihood.bins)
        self.guess = float(limits_in_events(batch, counts, rates)[0])
        _, flags = structure_of(batch, np.array([0]))
        varied = np.flatnonzero(flags)
        # the bin with most counts is the one that is not enumerated
        last = int(np.argmax(np.maximum(self.without, counts)[varied]))
        self.last, self.others = int(varied[last]), np.delete(varied, last)
        self.share = rates_of_signal(batch)[:, 0]
        self._grids: dict[int, _Grid] = {}

    # -- fits --------------------------------------------------------------------------------

    def _full(self, others: Counts, last: Array) -> Array:
        full = np.repeat(self.counts[:, None], len(last), axis=1)
        full[self.others] = others.T
        full[self.last] = last
        return full

    def _free(self, full: Array) -> tuple[Array, Array]:
        """Return value (NaN: failed) and strength of the fits with the signal free."""
        value, strength = np.empty(full.shape[1]), np.empty(full.shape[1])
        for part in _parts(full.shape[1]):
            some = full[:, part]
            same = np.zeros(some.shape[1], dtype=np.intp)
            fit = free_fits(self.batch, same, some, background_fit(self.batch, some, mass=same))
            value[part], strength[part] = np.where(fit.converged, fit.value, np.nan), fit.nu
        return value, strength

    def _against(self, nu: float, full: Array, free: tuple[Array, Array]) -> Array:
        """Return r of datasets, NaN where a fit failed."""
        value = np.empty(full.shape[1])
        for part in _parts(full.shape[1]):
            same = np.zeros(full[:, part].shape[1], dtype=np.intp)
            points, strength = self.batch.points(same, full[:, part]), np.full(len(same), nu)
            fixed = self.fitter.fit(points, strength, free_signal=False)
            value[part] = np.where(fixed.converged, fixed.value, np.nan)
        size = np.sqrt(np.maximum(2.0 * (value - free[0]), 0.0))
        return np.where(free[1] > nu, -size, size)

    def _roots(self, nu: float, others: Counts, last: Counts) -> Array:
        """Return r of datasets."""
        full = self._full(others, last.astype(np.float64))
        return self._against(nu, full, self._free(full))

    def _observed(self, nu: float) -> tuple[Array, float]:
        """Return the rates fitted to the data at a strength, and r of the data."""
        at = np.array([nu])
        points = self.batch.points(np.array([0]), self.counts[:, None])
        fit = self.fitter.fit(points, at, free_signal=False)
        rates = self.evaluator.rates(fit.theta, at, points.signal)[:, 0]
        r = self._roots(
            nu,
            self.counts[self.others].astype(np.int64)[None, :],
            self.counts[[self.last]].astype(np.int64),
        )
        return rates, float(r[0]) if fit.converged[0] else math.nan

    # -- the set -----------------------------------------------------------------------------

    def _range(self, bin_: int, nu: float) -> tuple[int, int]:
        """Return the counts of a bin that matter for the background and for up to nu events."""
        low, high = self.without[bin_], self.without[bin_] + nu * self.share[bin_]
        least = np.floor(poisson_level(_CUT, low)) - 1.0 if low > -math.log(_CUT) else 0.0
        most = np.ceil(poisson_level(1.0 - _CUT, max(high, 1e-12))) + 1.0
        return max(int(least), 0), int(most)

    def rows_near_limit(self) -> float:
        """Return how many count vectors the other bins have at about the limit."""
        ranges = [self._range(b, _REACH * self.guess) for b in self.others.tolist()]
        return math.prod(float(high - low + 1) for low, high in ranges)

    def _grid(self, nu: float) -> _Grid:
        """Return the counts to look at for a strength; the same for neighbouring strengths."""
        power = max(math.ceil(math.log(nu / self.guess, _REACH)), 1)
        if power in self._grids:
            return self._grids[power]
        reach = self.guess * _REACH**power
        ranges = [self._range(b, reach) for b in self.others.tolist()]
        size = math.prod(high - low + 1 for low, high in ranges)
        if size > 4 * _MOST_ROWS:
            raise EnsembleTooLargeError(
                f"the exact ensemble of {len(ranges) + 1} bins needs {size} counts of all bins but "
                f"one, at most {4 * _MOST_ROWS} are looked at; use the method 'toys' or "
                f"'asymptotic'"
            )
        rows = np.zeros((1, 0), dtype=np.int64)
        for low, high in ranges:
            own = np.arange(low, high + 1)
            rows = np.column_stack([np.repeat(rows, len(own), axis=0), np.tile(own, len(rows))])
        low, high = self._range(self.last, reach)
        nodes = np.linspace(low, high, min(_NODES, high - low + 1))
        every = interpolate.CubicSpline(nodes, np.eye(len(nodes)))(np.arange(low, high + 1))
        full = self._full(np.repeat(rows, len(nodes), axis=0), np.tile(nodes, len(rows)))
        grid = _Grid(rows, np.arange(low, high + 1), every.T, full, self._free(full))
        self._grids[power] = grid
        return grid

    def _on_grid(self, nu: float) -> Array:
        """Return r at all counts of all rows, interpolated, shape (rows, counts)."""
        grid = self._grid(nu)
        at_nodes = self._against(nu, grid.full, grid.free).reshape(len(grid.others), -1)
        return np.asarray(at_nodes @ grid.spline)

    def _steps(self, nu: float, r: Array, threshold: float) -> _Steps:
        """Find the set {r >= threshold} from interpolated values."""
        grid = self._grid(nu)
        number = (r >= threshold).sum(axis=1)
        return _Steps(grid.others, np.where(number > 0, grid.last[0] + number, 0).astype(np.int64))

    def _sum(self, steps: _Steps, rates: Array) -> float:
        """Return the probability of a set."""
        rows = self._row_probability(steps.others, rates)
        m, rate = steps.inside.astype(np.float64), rates[self.last]
        tail = np.where(m > 0.0, special.gammaincc(np.maximum(m, 1.0), rate), 0.0)
        return float(np.sum(rows * tail))

    def _row_probability(self, others: Counts, rates: Array) -> Array:
        some = rates[self.others]
        logarithm = special.xlogy(others, some) - some - special.gammaln(others + 1.0)
        return np.asarray(np.exp(logarithm.sum(axis=1)))

    # -- CLs ---------------------------------------------------------------------------------

    def _log_cls(self, nu: float, band: int | None) -> float:
        """Return ln CLs of the data, or of the band's quantile of the background ensemble."""
        rates, r = self._observed(nu)
        if math.isnan(r):
            return math.nan
        if not len(self.others):
            return self._one_bin(nu, rates, r, band)
        nodes = self._on_grid(nu)
        if np.isnan(nodes).any():
            return math.nan
        if band is None:
            if r * abs(r) <= TIE:
                return 0.0
            at, level = r, None
        else:
            level = float(special.ndtr(band))
            at = self._quantile(nu, nodes, level)
        return self._ranked(nu, rates, nodes, at, level)

    def _one_bin(self, nu: float, rates: Array, r: float, band: int | None) -> float:
        """Return ln CLs in one bin: the set is all counts up to that of the data or the band."""
        expected = float(self.without[self.last])
        n = float(self.counts[self.last])
        if band is not None:
            level = float(special.ndtr(band))
            n = max(math.ceil(float(poisson_level(level, expected)) - 1e-9), 0)
            if n > 0 and special.pdtr(n - 1, expected) >= level - 1e-12:
                n -= 1
            nothing = np.zeros((1, 0), dtype=np.int64)
            r = float(self._roots(nu, nothing, np.array([n], dtype=np.int64))[0])
        if r * abs(r) <= TIE:
            return 0.0
        above, below = special.pdtr(n, float(rates[self.last])), special.pdtr(n, expected)
        return math.nan if below == 0.0 else _log(float(above / below))

    def _quantile(self, nu: float, r: Array, level: float) -> float:
        """Return the r that the background exceeds with a probability, from interpolated values."""
        low, high = float(r.min()), float(r.max())
        for _ in range(_HALVINGS):  # sorting all values would take several times their memory
            middle = 0.5 * (low + high)
            if self._sum(self._steps(nu, r, middle), self.without) >= level:
                low = middle
            else:
                high = middle
        return low

    def _ranked(
        self, nu: float, rates: Array, smooth: Array, at: float, level: float | None
    ) -> float:
        """Return ln CLs of the set {r >= at}; datasets close to its edge are fitted and ranked.

        Interpolated values say where the edge is within a margin. That it is there is checked with
        fits on either side, and the margin made wider until it is.

        Parameters
        ----------
        nu, rates, smooth
            The strength, its rates, and interpolated values of r.
        at
            Edge of the set: that of the data, or about where the background reaches a level.
        level
            Probability of the background that the set reaches, None for the edge as it is.
        """
        margin = _NEAR
        for _ in range(_WIDENINGS):
            outer, inner = (self._steps(nu, smooth, at + way * margin) for way in (-1.0, 1.0))
            found = self._between(nu, rates, outer, inner, at, level)
            if found is not None:
                return found
            margin *= 4.0
        return math.nan

    def _between(
        self, nu: float, rates: Array, outer: _Steps, inner: _Steps, at: float, level: float | None
    ) -> float | None:
        """Return ln CLs from fits of what is in one set and not in another; None if not there."""
        number = outer.inside - inner.inside
        row = np.repeat(np.arange(len(number)), number)
        first = np.repeat(np.cumsum(number) - number, number)
        last = np.arange(len(row)) - first + inner.inside[row]
        r = self._roots(nu, outer.others[row], last)
        own = [
            self._row_probability(outer.others[row], some) * _poisson(last, float(some[self.last]))
            for some in (rates, self.without)
        ]
        inner_sums = [self._sum(inner, some) for some in (rates, self.without)]
        if level is not None:
            order = np.argsort(-r, kind="stable")
            summed = np.cumsum(own[1][order]) + inner_sums[1]
            reached = int(np.searchsorted(summed, level - 1e-12))
            if inner_sums[1] >= level or reached >= len(order):
                return None
            at = float(r[order[reached]])
            if at * abs(at) <= TIE:
                return 0.0
        grid = self._grid(nu)
        has, more = inner.inside > 0, outer.inside <= grid.last[-1]
        beyond = self._roots(nu, grid.others[more], outer.inside[more])
        within = self._roots(nu, grid.others[has], inner.inside[has] - 1)
        if np.isnan(r).any() or np.isnan(beyond).any() or np.isnan(within).any():
            return math.nan
        edge = math.sqrt(max(at * at - TIE, 0.0))
        # the lowest count of a row may be the first outside: what is below it is left out
        if (beyond[outer.inside[more] > 0] >= edge).any() or (within < edge).any():
            return None
        inside = r >= edge
        above, below = (total + float(p[inside].sum())
                        for total, p in zip(inner_sums, own, strict=True))  # fmt: skip
        return math.nan if below == 0.0 else _log(above / below)

    def cls_values(self, nu: float, expected: bool) -> Array:
        """Return CLs at a strength, observed and five expected ones (NaN unless asked for)."""
        answer = np.full(6, np.nan)
        answer[0] = math.exp(self._log_cls(nu, None))
        if expected:
            answer[1:] = [math.exp(self._log_cls(nu, band)) for band in BAND_ORDER]
        return answer

    def limit(self, alpha: float, band: int | None) -> tuple[float, int, float]:
        """Return ln(nu) at the limit, its state, and no statistical error.

        Parameters
        ----------
        alpha
            1 - confidence level.
        band
            Standard deviations of an expected limit, None for the observed one.
        """
        start = math.log(self.guess) + 0.2 * (0 if band is None else max(band, -2))

        def excess(x: Array, _which: Index) -> Array:
            values = [self._log_cls(nu, band) for nu in np.exp(x).tolist()]
            return np.array(values) - math.log(alpha)

        roots = find_roots(
            excess, np.array([start - _HALF]), np.array([start + _HALF]), tolerance=self.tolerance
        )
        found = int(roots.state[0])
        return float(roots.x[0]) if found == BRACKETED else math.nan, found, 0.0


class Solver(Protocol):
    """What finds the limits of one signal by itself."""

    def limit(self, alpha: float, band: int | None) -> tuple[float, int, float]:
        """Return ln(nu) at a limit, its state and its relative statistical error."""


def fill_in(
    solver: Solver, mass: int, alpha: float, upper: tuple[Roots | None, ...]
) -> dict[int, float]:
    """Fill in the limits of one mass that are wanted.

    Parameters
    ----------
    solver
        What finds them.
    mass
        Its place in the roots.
    alpha
        1 - confidence level.
    upper
        Roots of the observed and the five expected limits, None for those that are not wanted.

    Returns
    -------
    dict
        Relative statistical errors of the limits that exist, by their place.
    """
    errors = {}
    for place, (roots, band) in enumerate(zip(upper, (None, *BAND_ORDER), strict=True)):
        if roots is None:
            continue
        roots.x[mass], roots.state[mass], error = solver.limit(alpha, band)
        limits_found(1)
        if roots.state[mass] == BRACKETED:
            errors[place] = error
    return errors


def _parts(n: int) -> list[slice]:
    return [slice(first, first + _SLICE) for first in range(0, n, _SLICE)]


def _log(value: float) -> float:
    return math.log(value) if value > 0.0 else -math.inf


def _poisson(n: Counts, rate: float) -> Array:
    return np.asarray(np.exp(special.xlogy(n, rate) - rate - special.gammaln(n + 1.0)))
