"""Ensembles of main counts that are enumerated, not thrown.

The test statistic is qtilde with the auxiliary data fixed at what was observed. Probabilities of
the counts n are Poisson with the nuisance parameters of the fits to the observed data: at the
tested signal strength for signal + background, at mu = 0 for the background alone.

The set {qtilde(n) >= q} is explored from n = 0 along the axes: a dataset outside it is followed
further only where more events can raise qtilde again (control regions, shared backgrounds).
Branches whose total probability cannot matter are cut. What is explored for one mass does not
depend on the others, and sums are made in one order: a mass has the same bits in any company.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.budget import (
    EnsembleTooLargeError,
    is_surely_too_large,
    row_parts,
    too_large,
)
from na64.limits.calculators.datasets import TIE, observed_fits, qtilde
from na64.limits.calculators.exploration import (
    STRIDE,
    Earlier,
    Survival,
    Tail,
    Visited,
    cls_quantile,
    sums,
)
from na64.limits.calculators.lattice import FitCache, Lattice
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.structure import connected_bins, is_monotone
from na64.limits.likelihood.sums import add_rows
from na64.models.errors import InputError

__all__ = ["Enumeration", "refuse_fractions"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
Slopes = NDArray[np.float32]

#: a branch is cut when its probability is below this fraction of what is already there
_CUT = 1e-7
#: fraction of the threshold from which on a dataset outside is followed when qtilde may fall and
#: rise again, and the widest such margin
_NEAR = 0.7
_NEAR_MOST = 3.0
#: part of its slope that qtilde is taken to fall by along an axis: it falls less than its slope
#: says, and what falls out of the margin even by this part is not followed
_FALL = 0.5
#: slope of qtilde along an axis that counts as rising; the stored rates have single precision
_RISING = 2e-5
#: datasets that may be evaluated without knowing that they matter, for one and two bins
_MAX_SEEDS = (100_000, 2000)
#: fits that are prepared together, to bound the memory
_SLICE = 65_536


def refuse_fractions(counts: Array) -> None:
    """Refuse observed counts that no dataset has."""
    if np.any(counts != np.round(counts)):
        raise InputError(
            "the exact ensemble has no observed limit for counts that are not whole numbers; "
            "asymptotic and bayesian take them"
        )


class Enumeration:
    """Ensembles of counts of one batch of signals, all with events in the same bins.

    Parameters
    ----------
    batch
        Signals of M masses, one of the groups of `same_bins`.
    counts
        Observed counts, shape (B,).
    max_datasets
        Largest number of datasets of one ensemble.

    Raises
    ------
    InputError
        Later, from the methods, if the ensemble is larger than `max_datasets`.
    """

    def __init__(
        self,
        batch: SignalBatch,
        counts: Array,
        max_datasets: int,
    ) -> None:
        self.batch = batch
        self.max_datasets = max_datasets
        self.fitter = batch.likelihood.fitter
        self.evaluator = self.fitter.problem(False).evaluator
        self.counts = counts
        model = batch.likelihood.model
        active = ~model.is_signal
        active[model.is_signal] = np.any(batch.shape != 0.0, axis=1)
        varied = connected_bins(model, active)
        self.varied = np.flatnonzero(varied)
        self.monotone = is_monotone(model, active, varied)
        base = self.counts.copy()
        base[varied] = 0.0
        self.lattice = Lattice(batch, self.varied, base)
        self.cache = FitCache(self.lattice)
        self.background, self.background_rates, self.free = observed_fits(batch, self.counts)

    # -- pieces ------------------------------------------------------------------------------

    def statistics(self, nu: Array, mass: Index, numbers: Index) -> tuple[Array, Slopes | None]:
        """Return qtilde of datasets (NaN: failed), and its slope along the axes, per event."""
        q = np.empty(len(numbers))
        slopes = None if self.monotone else np.zeros((len(numbers), len(self.varied)), np.float32)
        for first in range(0, len(numbers), _SLICE):
            part = slice(first, first + _SLICE)
            q[part], some = self._statistics_slice(nu[part], mass[part], numbers[part])
            if slopes is not None:
                slopes[part] = some
        return q, slopes

    def _statistics_slice(
        self, nu: Array, mass: Index, numbers: Index
    ) -> tuple[Array, Array | None]:
        free_value, free_nu, log_rates = self.cache.free(mass, numbers)
        beyond = free_nu > nu
        q = np.where(np.isnan(free_value), np.nan, 0.0)
        # where the best fit has more signal than is tested, qtilde is zero; the fit at nu is
        # then only needed to know where to look further
        todo = np.flatnonzero(~beyond & ~np.isnan(q)) if self.monotone else np.arange(len(nu))
        points = self.batch.points(mass[todo], self.lattice.full_counts(numbers[todo]))
        fit = self.fitter.fit(points, nu[todo], free_signal=False)
        q[todo] = qtilde(self.batch, points, nu[todo], fit, free_value[todo], free_nu[todo])
        if self.monotone:
            return q, None
        rates = self.evaluator.rates(fit.theta, nu, points.signal)[self.varied]
        slope = 2.0 * (log_rates - np.log(np.maximum(rates, 1e-30)).T)
        return q, np.where(beyond[:, None], -slope, slope)

    def rates_at(self, mass: Index) -> Array:
        """Return the background rates of masses, one column if all share it."""
        if self.background_rates.shape[1] == 1:
            return self.background_rates
        return self.background_rates[:, mass]

    def signal_rates(self, nu: Array, mass: Index) -> tuple[Array, Array, Flags]:
        """Return rates of signal + background from the observed data, and their qtilde."""
        points = self.batch.points(mass, self.counts[:, None])
        fit = self.fitter.fit(points, nu, free_signal=False)
        rates = self.evaluator.rates(fit.theta, nu, points.signal)
        free = self.free
        q = qtilde(self.batch, points, nu, fit, free.value[mass], free.nu[mass])
        good = fit.converged & free.converged[mass] & ~np.isnan(q)
        return rates, np.nan_to_num(q), good

    def tail(
        self,
        nu: Array,
        mass: Index,
        rates: Array,
        *,
        threshold: Array | None = None,
        level: Array | None = None,
        known: Earlier | None = None,
        enough: float = np.inf,
    ) -> Tail:
        """Sum the probabilities of {qtilde >= threshold}, exploring as far as needed.

        Parameters
        ----------
        nu, mass
            Signal events and index of the mass of n problems.
        rates
            Signal + background rates of the problems, shape (B, n).
        threshold, level
            Either a threshold per problem, or the level of the quantile of CLs in the background
            ensemble that defines it.
        known
            Datasets that were visited at a similar signal strength.
        enough
            CLs above which quantiles need not be exact.
        """
        n = len(nu)
        visited = Visited(self.lattice)
        failed = np.zeros(n, dtype=bool)
        of, seed = self.seeds(np.maximum(rates, self.rates_at(mass)))
        new = of * STRIDE + seed
        if known is not None:
            new = np.unique(np.concatenate([new, known.key]))
        limit = reach = np.full(n, -np.inf) if threshold is None else threshold
        survival = Survival(rates[self.varied], self.rates_at(mass)[self.varied])
        while True:
            if len(new):
                problem, number = new // STRIDE, new % STRIDE
                if known is None:
                    q, slopes = self.statistics(nu[problem], mass[problem], number)
                    found = q, nu[problem], slopes
                else:
                    found, known = self._statistics_again(new, nu, mass, known), None
                lost = np.isnan(found[0])
                failed[problem[lost]] = True
                visited.add(
                    new,
                    (np.nan_to_num(found[0]), np.where(lost, np.nan, found[1]), found[2]),
                    np.exp(self.lattice.log_probability(number, rates[:, problem])),
                    np.exp(self.lattice.log_probability(number, self.rates_at(mass[problem]))),
                )
            problem = visited.key // STRIDE
            if level is not None:
                probabilities = (visited.signal, visited.background)
                limit, reach = cls_quantile(problem, visited.q, probabilities, level, enough)
            inside = visited.q >= limit[problem] - TIE
            signal = sums(problem, visited.signal * inside, n)
            background = sums(problem, visited.background * inside, n)
            matter = visited.q >= np.maximum(reach - TIE, TIE)[problem]
            follow = matter[:, None] & ~visited.followed
            if not self.monotone:
                # from qtilde = 10 on the margin stays what it is there: a signal of hundreds of
                # events has a huge lattice below its threshold, and CLs is zero all the same
                least = np.maximum(np.maximum(_NEAR * reach, reach - _NEAR_MOST), TIE)
                near = visited.q[:, None] + _FALL * visited.slopes >= least[problem][:, None]
                follow |= (near | (visited.slopes > _RISING)) & ~visited.followed
            follow[failed[problem]] = False
            if threshold is not None:
                follow[limit[problem] <= TIE] = False
            row, axis = np.nonzero(follow)
            if not len(row):
                break
            visited.followed |= follow
            parent, of = visited.key[row] % STRIDE, problem[row]
            have, new = np.bincount(problem, minlength=n), np.empty(0, dtype=np.intp)
            for part in row_parts(len(row), len(self.varied)):
                some = self._children(
                    (parent[part], axis[part], of[part]),
                    survival,
                    (_CUT * signal, _CUT * background),
                )
                new = np.union1d(new, np.setdiff1d(some, visited.key))
                self.check_size(have, new // STRIDE)
        number = visited.key % STRIDE
        seen = Earlier(visited.key, visited.q, visited.at, visited.slopes, nu, limit, reach)
        return Tail(signal, background, limit <= TIE, failed, problem, number, inside, seen)

    def _statistics_again(
        self, keys: Index, nu: Array, mass: Index, known: Earlier
    ) -> tuple[Array, Array, Slopes | None]:
        """Return qtilde of datasets of which some are known, as `Visited.add` takes it.

        It is computed where it could have crossed a threshold since, as it can be near them; or
        everywhere if it has moved further than it should anywhere in a problem.
        """
        problem, number = keys // STRIDE, keys % STRIDE
        place = np.searchsorted(keys, known.key)
        totals = self.lattice.counts[number[place]].sum(axis=1).astype(np.float64)
        drift = known.drift(nu, totals)
        keep = known.stays(drift)
        q, at = np.full(len(keys), np.nan), nu[problem]
        slopes = None if self.monotone else np.zeros((len(keys), len(self.varied)), np.float32)

        def compute(todo: Index) -> None:
            q[todo], some = self.statistics(nu[problem[todo]], mass[problem[todo]], number[todo])
            if slopes is not None:
                slopes[todo] = some

        carried = np.zeros(len(keys), dtype=bool)
        carried[place[keep]] = True
        compute(np.flatnonzero(~carried))
        with np.errstate(invalid="ignore"):
            moved = ~keep & np.isfinite(drift) & (np.abs(q[place] - known.q) > drift + TIE)
        astray = np.zeros(len(nu), dtype=bool)
        astray[problem[place[moved]]] = True
        again = carried & astray[problem]
        if again.any():
            compute(np.flatnonzero(again))
            keep &= ~astray[problem[place]]
        q[place[keep]], at[place[keep]] = known.q[keep], known.at[keep]
        if slopes is not None:
            slopes[place[keep]] = known.slopes[keep]
        return q, at, slopes

    def _children(
        self, steps: tuple[Index, Index, Index], survival: Survival, limits: tuple[Array, Array]
    ) -> Index:
        """Return the keys of datasets a step further (parent, axis, problem) that matter."""
        parent, axis, of = steps
        counts = self.lattice.counts[parent]
        counts[np.arange(len(parent)), axis] += 1
        matters = survival.exceeds(counts, of, *limits)
        return of[matters] * STRIDE + self.lattice.children(parent[matters], axis[matters])

    def seeds(self, rates: Array) -> tuple[Index, Index]:
        """Return the datasets to begin with, as pairs of problem and number.

        They are n = 0, and in one or two bins all that can matter: following one axis step by
        step would take as many rounds as there are events.

        Parameters
        ----------
        rates
            Largest rates of each of n problems, shape (B, n).
        """
        n, some = rates.shape[1], rates[self.varied]
        if len(some) > 2:
            return np.arange(n), np.zeros(n, dtype=np.intp)
        highest = np.floor(special.pdtrik(1.0 - _CUT, some) + 1.0)
        fits = (highest + 1.0).prod(axis=0) <= _MAX_SEEDS[len(some) - 1]
        highest = np.where(fits, highest, 0.0)
        axes = [np.arange(int(h) + 1) for h in highest.max(axis=1)]
        mesh = np.stack([m.ravel() for m in np.meshgrid(*axes, indexing="ij")])
        inside = (mesh[:, None, :] <= highest[:, :, None]).all(axis=0)
        problem, place = np.nonzero(inside)
        used = np.flatnonzero(inside.any(axis=0))
        numbers = np.zeros(mesh.shape[1], dtype=np.intp)
        numbers[used] = self.lattice.number(mesh.T[used].astype(np.int64))
        return problem, numbers[place]

    def check_size(self, have: Index, new: Index) -> None:
        """Refuse an ensemble that grows beyond its limit."""
        if not len(new):
            return
        size = have + np.bincount(new, minlength=len(have))
        if size.max() <= self.max_datasets:
            return
        raise self.too_large()

    def too_large(self) -> EnsembleTooLargeError:
        """Return the error for an ensemble that is too large to enumerate."""
        bins = [self.batch.likelihood.bins[b] for b in self.varied.tolist()]
        background = self.background_rates[self.varied].max(axis=1)
        return too_large(bins, background, self.counts[self.varied], self.max_datasets)

    def refuse_unseen(self, probability: float) -> None:
        """Refuse an ensemble of which more than are allowed have to be visited.

        Parameters
        ----------
        probability
            Under the background, of the datasets that have to be visited at least.
        """
        for rates in self.background_rates[self.varied].T:
            if is_surely_too_large(0.0, rates, self.max_datasets, probability):
                raise self.too_large()

    def check_whole(self) -> None:
        """Refuse counts that no dataset has."""
        refuse_fractions(self.counts)

    def levels(self) -> Array:
        """Return the quantiles of the bands, (5, M); those that n = 0 already covers are one."""
        levels = special.ndtr(np.array(BAND_ORDER, dtype=np.float64))
        levels = np.repeat(levels[:, None], len(self.batch), axis=1)
        if self.monotone:  # n = 0 is the least signal-like dataset of all
            total = add_rows(self.background_rates[self.varied])
            levels = np.maximum(levels, np.exp(-total))
        return np.asarray(levels, dtype=np.float64)
