"""The exact calculator: CLs from an ensemble of main counts that is enumerated, not thrown.

The test statistic is qtilde with the auxiliary data fixed at what was observed. Probabilities of
the counts n are Poisson with the nuisance parameters of the fits to the observed data: at the
tested signal strength for signal + background, at mu = 0 for the background alone. Then

    CLs = P(qtilde(n) >= qtilde_obs | mu) / P(qtilde(n) >= qtilde_obs | 0),

and the expected CLs of order k is that of the dataset at the Phi(k) quantile of the background
ensemble, counted from the least signal-like side. Nothing is special at n = 0.

The set {qtilde(n) >= q} is explored from n = 0 along the axes: a dataset outside it is followed
further only where more events can raise qtilde again (control regions, shared backgrounds).
Branches whose total probability cannot matter are cut.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import first_guess, observed_fits, qtilde
from na64.limits.calculators.exploration import Memory, Survival, Tail, Visited, quantile, sums
from na64.limits.calculators.lattice import FitCache, Lattice
from na64.limits.calculators.roots import BRACKETED, FAILED, Roots, find_roots
from na64.limits.calculators.table import BAND_ORDER
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.structure import connected_bins, is_monotone
from na64.models.errors import InputError

__all__ = ["DEFAULT_MAX_DATASETS", "ExactCalculator"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: datasets of one ensemble at which the enumeration is given up
DEFAULT_MAX_DATASETS = 50_000
#: values of qtilde closer than this are equal: symmetric bins give exact ties
_TIE = 1e-8
#: a branch is cut when its probability is below this fraction of what is already there
_CUT = 1e-7
#: fraction of the threshold from which on a dataset outside is followed along all axes when
#: qtilde may fall and rise again, and the widest such margin
_NEAR = 0.7
_NEAR_MOST = 3.0
#: slope of qtilde along an axis that counts as rising; the stored rates have single precision
_RISING = 1e-5
#: relative tolerance of a limit where CLs jumps, and where it is smooth
_TOLERANCE = 1e-5
_FROZEN_TOLERANCE = 1e-8
#: largest |ln(CLs / alpha)| at a limit where CLs is smooth
_SOLVED = 1e-5
#: datasets that may be evaluated without knowing that they matter, for one and two bins
_MAX_SEEDS = (20_000, 2000)
#: distance of the keys of two problems: more than datasets will ever be
_STRIDE = 1 << 32
#: rounds with a frozen set of datasets before the full CLs is bracketed
_FROZEN_ROUNDS = 8
#: fits that are prepared together, to bound the memory
_SLICE = 65_536
#: masses that are explored together, for ensembles of few and of many bins
_MASSES_TOGETHER = (512, 64)
_FEW_BINS = 4


class ExactCalculator:
    """CLs of one batch of signals by enumeration.

    Parameters
    ----------
    batch
        Signals of M masses.
    counts
        Observed counts, shape (B,); the workspace's by default.
    max_datasets
        Largest number of datasets of one ensemble.

    Raises
    ------
    InputError
        Later, from the methods, if the ensemble is larger than `max_datasets`.
    """

    method = "exact"
    ensemble: str | None = "aux-fixed"

    def __init__(
        self,
        batch: SignalBatch,
        counts: Array | None = None,
        *,
        max_datasets: int = DEFAULT_MAX_DATASETS,
    ) -> None:
        self.batch = batch
        self.max_datasets = max_datasets
        self.fitter = batch.likelihood.fitter
        self.evaluator = self.fitter.problem(False).evaluator
        self.counts = batch.likelihood.observed if counts is None else counts
        model = batch.likelihood.model
        active = ~model.is_signal
        active[model.is_signal] = np.any(batch.shape > 0.0, axis=1)
        varied = connected_bins(model, active)
        self.varied = np.flatnonzero(varied)
        self.monotone = is_monotone(model, active, varied)
        base = self.counts.copy()
        base[varied] = 0.0
        self.lattice = Lattice(batch, self.varied, base)
        self.cache = FitCache(self.lattice)
        self.background, self.background_rates, self.free = observed_fits(batch, self.counts)

    # -- pieces ------------------------------------------------------------------------------

    def _statistics(self, nu: Array, mass: Index, numbers: Index) -> tuple[Array, Flags | None]:
        """Return qtilde of datasets (NaN: failed), and the axes along which it rises."""
        q = np.empty(len(numbers))
        rising = None if self.monotone else np.zeros((len(numbers), len(self.varied)), bool)
        for first in range(0, len(numbers), _SLICE):
            part = slice(first, first + _SLICE)
            q[part], some = self._statistics_slice(nu[part], mass[part], numbers[part])
            if rising is not None:
                rising[part] = some
        return q, rising

    def _statistics_slice(
        self, nu: Array, mass: Index, numbers: Index
    ) -> tuple[Array, Flags | None]:
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
        slope = log_rates - np.log(np.maximum(rates, 1e-30)).T
        return q, np.where(beyond[:, None], -slope, slope) > _RISING

    def _rates_at(self, mass: Index) -> Array:
        """Return the background rates of masses, one column if all share it."""
        if self.background_rates.shape[1] == 1:
            return self.background_rates
        return self.background_rates[:, mass]

    def _signal_rates(self, nu: Array, mass: Index) -> tuple[Array, Array, Flags]:
        """Return rates of signal + background from the observed data, and their qtilde."""
        points = self.batch.points(mass, self.counts[:, None])
        fit = self.fitter.fit(points, nu, free_signal=False)
        rates = self.evaluator.rates(fit.theta, nu, points.signal)
        free = self.free
        q = qtilde(self.batch, points, nu, fit, free.value[mass], free.nu[mass])
        good = fit.converged & free.converged[mass] & ~np.isnan(q)
        return rates, np.nan_to_num(q), good

    def _tail(
        self,
        nu: Array,
        mass: Index,
        rates: Array,
        *,
        threshold: Array | None = None,
        level: Array | None = None,
        known: tuple[Index, Index] | None = None,
    ) -> Tail:
        """Sum the probabilities of {qtilde >= threshold}, exploring as far as needed.

        Parameters
        ----------
        nu, mass
            Signal events and index of the mass of n problems.
        rates
            Signal + background rates of the problems, shape (B, n).
        threshold, level
            Either a threshold per problem, or the level of the quantile of the background
            ensemble that defines it.
        known
            Problems and datasets that were visited at a similar signal strength.
        """
        n = len(nu)
        visited = Visited(len(self.varied))
        failed = np.zeros(n, dtype=bool)
        seeds = self.seeds(rates)
        new = (np.arange(n)[:, None] * _STRIDE + seeds).ravel()
        if known is not None:
            new = np.unique(np.concatenate([new, known[0] * _STRIDE + known[1]]))
        limit = np.full(n, -np.inf) if threshold is None else threshold
        survival = Survival(rates[self.varied], self._rates_at(mass)[self.varied])
        while True:
            if len(new):
                problem, number = new // _STRIDE, new % _STRIDE
                q, rising = self._statistics(nu[problem], mass[problem], number)
                failed[problem[np.isnan(q)]] = True
                visited.add(
                    new,
                    np.nan_to_num(q),
                    np.exp(self.lattice.log_probability(number, rates[:, problem])),
                    np.exp(self.lattice.log_probability(number, self._rates_at(mass[problem]))),
                    rising,
                )
            problem = visited.key // _STRIDE
            if level is not None:
                limit = quantile(problem, visited.q, visited.background, level)
            inside = visited.q >= limit[problem] - _TIE
            signal = sums(problem, visited.signal * inside, n)
            background = sums(problem, visited.background * inside, n)
            follow = (inside & (visited.q > _TIE))[:, None] & ~visited.followed
            if not self.monotone:
                # from qtilde = 10 on the margin stays what it is there: a signal of hundreds of
                # events has a huge lattice below its threshold, and CLs is zero all the same
                least = np.maximum(_NEAR * limit, limit - _NEAR_MOST)
                near = visited.q >= np.maximum(least, _TIE)[problem]
                follow |= (visited.rising | near[:, None]) & ~visited.followed
            follow[failed[problem]] = False
            if threshold is not None:
                follow[limit[problem] <= _TIE] = False
            row, axis = np.nonzero(follow)
            if not len(row):
                break
            visited.followed |= follow
            parent, of = visited.key[row] % _STRIDE, problem[row]
            counts = self.lattice.counts[parent]
            counts[np.arange(len(row)), axis] += 1
            matters = survival.exceeds(counts, of, _CUT * signal, _CUT * background)
            child = self.lattice.children(parent[matters], axis[matters])
            new = np.setdiff1d(of[matters] * _STRIDE + child, visited.key)
            self._check_size(np.bincount(problem, minlength=n), new // _STRIDE)
        number = visited.key % _STRIDE
        return Tail(signal, background, limit <= _TIE, failed, problem, number, inside)

    def seeds(self, rates: Array) -> Index:
        """Return the datasets to begin with: n = 0, in one or two bins all that can matter.

        Following one axis step by step would take as many rounds as there are events.
        """
        largest = np.maximum(rates.max(axis=1), self.background_rates.max(axis=1))[self.varied]
        highest = special.pdtrik(1.0 - _CUT, largest) + 1.0
        if len(largest) > 2 or not np.prod(highest + 1.0) <= _MAX_SEEDS[len(largest) - 1]:
            return np.zeros(1, dtype=np.intp)
        axes = [np.arange(int(h) + 1) for h in highest]
        mesh = np.meshgrid(*axes, indexing="ij")
        return self.lattice.number(np.stack([m.ravel() for m in mesh], axis=1).astype(np.int64))

    def _check_size(self, have: Index, new: Index) -> None:
        """Refuse an ensemble that grows beyond its limit."""
        if not len(new):
            return
        size = have + np.bincount(new, minlength=len(have))
        if size.max() <= self.max_datasets:
            return
        raise self.too_large()

    def too_large(self) -> InputError:
        """Return the error for an ensemble that is too large to enumerate."""
        background = float(self.background_rates[self.varied].sum(axis=0).max())
        return InputError(
            f"the exact ensemble of {len(self.varied)} bins with {background:.4g} background and "
            f"{self.counts[self.varied].sum():.4g} observed events needs more than "
            f"{self.max_datasets} datasets (of the order of {self._estimate():.0e}); use the "
            f"method 'toys' or 'asymptotic'"
        )

    def _estimate(self) -> float:
        """Estimate the size of the set of datasets that matter."""
        rates = np.maximum(self.background_rates[self.varied].max(axis=1), self.counts[self.varied])
        box = np.sum(np.log(rates + 4.0 * np.sqrt(rates) + 2.0))
        total = rates.sum() + 3.0 * math.sqrt(rates.sum()) + 2.0
        bins = len(rates)
        simplex = math.lgamma(total + bins + 1) - math.lgamma(total + 1) - math.lgamma(bins + 1)
        return float(np.exp(min(box, simplex, 690.0)))

    # -- results -----------------------------------------------------------------------------

    def _tail_at(
        self, nu: Array, mass: Index, level: float | None, memory: Memory, which: Index
    ) -> tuple[Tail, Array]:
        """Return the tail of the observed data (level None) or of a band, and ln CLs."""
        rates, q, converged = self._signal_rates(nu, mass)
        known = memory.recall(which)
        if level is None:
            tail = self._tail(nu, mass, rates, threshold=q, known=known)
        else:
            levels = np.full(len(nu), level)
            tail = self._tail(nu, mass, rates, level=levels, known=known)
        memory.store(which, tail)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.log(tail.signal) - np.log(tail.background)
        value = np.where(tail.certain, 0.0, value)
        return tail, np.where(converged & ~tail.failed, value, np.nan)

    def cls_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return the observed CLs, shape (N,), and the expected ones, shape (5, N)."""
        self._check_whole()
        every, memory = np.arange(len(nu)), Memory(len(nu))
        observed = np.exp(self._tail_at(nu, mass, None, memory, every)[1])
        bands = np.full((5, len(nu)), np.nan)
        if expected:
            for i, level in enumerate(self._levels()):
                bands[i] = np.exp(self._tail_at(nu, mass, float(level), memory, every)[1])
        return observed, bands

    def _check_whole(self) -> None:
        if np.any(self.counts != np.round(self.counts)):
            raise InputError(
                "the exact ensemble has no observed limit for counts that are not whole numbers"
            )

    def _levels(self) -> Array:
        """Return the quantiles of the five bands; those that n = 0 already covers are one."""
        levels = np.asarray(special.ndtr(np.array(BAND_ORDER, dtype=np.float64)))
        if self.monotone:  # n = 0 is the least signal-like dataset of all
            total = self.background_rates[self.varied].sum(axis=0).max()
            levels = np.maximum(levels, np.exp(-total))
        return levels

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> list[Roots | None]:
        """Return the roots in ln(signal events): observed and five bands, None if not asked."""
        answer: list[Roots | None] = [None] * 6
        guess = np.log(first_guess(self.batch, self.counts, self.background_rates))
        if observed:
            self._check_whole()
            answer[0] = self._solve(guess, alpha, None)
        if expected:
            levels = self._levels()
            for i, level in enumerate(levels):
                if i and level == levels[i - 1]:
                    answer[i + 1] = answer[i]
                else:
                    answer[i + 1] = self._solve(guess + 0.2 * max(i - 2, 0), alpha, float(level))
        return answer

    def _solve(self, guess: Array, alpha: float, level: float | None) -> Roots:
        """Solve CLs = alpha for all masses: one first, the others in blocks from there."""
        n = len(guess)
        pilot = n // 2
        blocks = [np.array([pilot])]
        others = np.delete(np.arange(n), pilot)
        together = _MASSES_TOGETHER[len(self.varied) > _FEW_BINS]
        blocks += [others[i : i + together] for i in range(0, len(others), together)]
        x, state = np.full(n, np.nan), np.empty(n, dtype=np.int8)
        at, half = guess, 0.3
        for mass in blocks:
            roots = self._solve_block(mass, at[mass], half, alpha, level)
            x[mass], state[mass] = roots.x, roots.state
            if mass[0] == pilot and np.isfinite(x[pilot]):
                # limits in events differ little between masses: start close to the first
                at, half = guess + (x[pilot] - guess[pilot]), 0.03
        return Roots(x, state)

    def _solve_block(
        self, mass: Index, guess: Array, half: float, alpha: float, level: float | None
    ) -> Roots:
        """Solve CLs = alpha for a few masses.

        With the set of datasets kept as it is, CLs is smooth and costs one fit: its root is
        found, the set is built again there, and when it is the same the root is the answer.
        Where the set keeps changing (CLs jumps) the full CLs is bracketed.
        """
        n = len(mass)
        memory = Memory(n)
        x, state = guess.copy(), np.full(n, BRACKETED, dtype=np.int8)
        members: list[Index] = [np.empty(0, dtype=np.intp)] * n
        open_ = np.arange(n)
        unsolved: list[int] = []
        for _ in range(_FROZEN_ROUNDS):
            tail, value = self._tail_at(np.exp(x[open_]), mass[open_], level, memory, open_)
            now = tail.members(len(open_))
            failed = np.isnan(value)
            state[open_[failed]] = FAILED
            same = np.array(
                [np.array_equal(members[w], now[i]) for i, w in enumerate(open_.tolist())]
            )
            for i, w in enumerate(open_.tolist()):
                members[w] = now[i]
            # at qtilde = 0 all datasets are in the set: nothing has been visited, CLs is one
            wide = ~failed & tail.certain
            solved = same & ~wide & (np.abs(value - math.log(alpha)) < _SOLVED)
            again = ~failed & ~solved
            x[open_[wide]] += math.log(2.0)
            todo = np.flatnonzero(again & ~wide)
            if len(todo):
                roots = self._frozen_roots(
                    x[open_[todo]],
                    mass[open_[todo]],
                    [now[i] for i in todo],
                    np.log(tail.background[todo]) + math.log(alpha),
                )
                good = roots.state == BRACKETED
                x[open_[todo[good]]] = roots.x[good]
                unsolved += open_[todo[~good]].tolist()
                again[todo[~good]] = False
            open_ = open_[again]
            if not len(open_):
                break
        open_ = np.union1d(open_, np.array(unsolved, dtype=np.intp))
        if not len(open_):
            return Roots(np.where(state == BRACKETED, x, np.nan), state)

        def log_ratio(position: Array, which: Index) -> Array:
            some = open_[which]
            _, value = self._tail_at(np.exp(position), mass[some], level, memory, some)
            return value - math.log(alpha)

        low, high = guess[open_] - half, guess[open_] + half
        roots = find_roots(log_ratio, low, high, tolerance=_TOLERANCE)
        x[open_], state[open_] = roots.x, roots.state
        return Roots(np.where(state == BRACKETED, x, np.nan), state)

    def _frozen_roots(
        self, x: Array, mass: Index, members: list[Index], log_wanted: Array
    ) -> Roots:
        """Find where the probability of given sets of datasets takes given values."""
        number = np.concatenate(members)
        problem = np.repeat(np.arange(len(members)), [len(m) for m in members])
        first = np.searchsorted(problem, np.arange(len(members) + 1))

        def excess(position: Array, which: Index) -> Array:
            rates, _, converged = self._signal_rates(np.exp(position), mass[which])
            rows = np.concatenate([np.arange(first[w], first[w + 1]) for w in which.tolist()])
            of = np.repeat(np.arange(len(which)), first[which + 1] - first[which])
            probability = np.exp(self.lattice.log_probability(number[rows], rates[:, of]))
            with np.errstate(divide="ignore"):
                value = np.log(sums(of, probability, len(which))) - log_wanted[which]
            return np.where(converged, value, np.nan)

        return find_roots(excess, x - 0.1, x + 0.1, tolerance=_FROZEN_TOLERANCE)
