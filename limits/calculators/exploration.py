"""Book-keeping of an enumeration: what was visited, what is in the set, what can be left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import TIE
from na64.limits.calculators.lattice import ORDER_BITS, Lattice

__all__ = [
    "STRIDE",
    "Earlier",
    "Memory",
    "Survival",
    "Tail",
    "Visited",
    "cls_quantile",
    "quantile",
    "sums",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
Slopes = NDArray[np.float32]

#: distance of the keys of two problems: more than datasets will ever be
STRIDE = 1 << 32


@dataclass(slots=True)
class Tail:
    """Sums over {qtilde(n) >= threshold} for n_problems problems, and the datasets visited."""

    signal: Array
    background: Array
    certain: Flags  # the threshold is at qtilde = 0: all datasets are in the set, CLs = 1
    failed: Flags
    problem: Index
    number: Index
    inside: Flags  # of the datasets visited: whether they are in the set
    seen: Earlier  # the same datasets, in their order

    def members(self, n: int) -> list[Index]:
        """Return the datasets in the set, per problem."""
        first = np.searchsorted(self.problem[self.inside], np.arange(n + 1))
        numbers = self.number[self.inside]
        return [numbers[first[i] : first[i + 1]] for i in range(n)]


def sums(problem: Index, values: Array, n: int) -> Array:
    """Add values up per problem, shape (n,)."""
    return np.asarray(np.bincount(problem, values, n), dtype=np.float64)


def quantile(problem: Index, q: Array, probability: Array, level: Array) -> Array:
    """Return per problem the largest q whose upper tail has the given probability.

    Minus infinity where all datasets together do not reach it. `problem` is sorted.
    """
    n = len(level)
    order = np.lexsort((-q, problem))
    first = np.searchsorted(problem, np.arange(n + 1))
    place = np.arange(len(q)) - first[problem]
    # one row per problem: its sum must not know what was added for others before
    table = np.zeros((n, int(np.diff(first).max(initial=0)) + 1))
    table[problem, place] = probability[order]
    reached = np.cumsum(table, axis=1) >= level[:, None] - 1e-12
    at = np.argmax(reached, axis=1)
    exists = reached[np.arange(n), at] & (at < np.diff(first))
    limit = np.append(q[order], -np.inf)[np.where(exists, first[:-1] + at, len(q))]
    return np.asarray(limit, dtype=np.float64)


def cls_quantile(
    problem: Index, q: Array, probabilities: tuple[Array, Array], level: Array, enough: float
) -> tuple[Array, Array]:
    """Return per problem where CLs has its quantile in the background ensemble.

    A dataset with test statistic q has CLs(q) = S(q) / B(q), the sums over all with at least q.
    The quantile is the smallest c such that datasets with CLs <= c have the probability `level`
    without a signal. q need not rank datasets as CLs does, so it may be that of a dataset
    anywhere in the order of q.

    Parameters
    ----------
    problem
        Of each dataset visited, sorted, shape (N,).
    q
        Test statistics, shape (N,).
    probabilities
        With and without signal, shape (N,) each.
    level
        Level of the quantile per problem, shape (n,).
    enough
        Values of CLs above this need not be told apart.

    Returns
    -------
    tuple
        The q of the dataset at the quantile, and the q down to which the ensemble must be known
        for it to be the one: every dataset below has CLs >= S > c, whatever has not been visited.
        Minus infinity where what was visited does not reach the level, shape (n,) each.
    """
    n = len(level)
    order = np.lexsort((-q, problem))
    first = np.searchsorted(problem, np.arange(n + 1))
    size = np.diff(first)
    place = np.arange(len(q)) - first[problem]
    # one row per problem: its sums must not know what was added for others before
    ranked = np.full((n, int(size.max(initial=0)) + 1), -np.inf)
    ranked[problem, place] = q[order]
    signal, background = np.zeros_like(ranked), np.zeros_like(ranked)
    signal[problem, place] = probabilities[0][order]
    background[problem, place] = probabilities[1][order]
    signal, background = np.cumsum(signal, axis=1), np.cumsum(background, axis=1)
    # datasets that tie have one CLs, that of the last of them
    with np.errstate(invalid="ignore"):
        last = ~(ranked[:, :-1] - ranked[:, 1:] <= TIE)
    last &= np.arange(last.shape[1]) < size[:, None]
    row, at = np.nonzero(last)
    until = background[row, at]
    begins = np.ones(len(row), dtype=bool)
    begins[1:] = row[1:] != row[:-1]
    own = until - np.where(begins, 0.0, np.append(0.0, until[:-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        cls = signal[row, at] / until
    # at qtilde = 0 all datasets are in the set
    cls = np.where(ranked[row, at] <= TIE, 1.0, np.where(until > 0.0, cls, np.inf))
    by_cls = np.lexsort((cls, row))
    start = np.searchsorted(row, np.arange(n + 1))
    table = np.zeros((n, int(np.diff(start).max(initial=0)) + 1))
    table[row, np.arange(len(row)) - start[row]] = own[by_cls]
    reached = np.cumsum(table, axis=1) >= level[:, None] - 1e-12
    which = np.argmax(reached, axis=1)
    exists = reached[np.arange(n), which] & (which < np.diff(start))
    chosen = by_cls[np.where(exists, start[:-1] + which, 0)] if len(row) else np.zeros(n, np.intp)
    value = np.append(cls, np.inf)[np.where(exists, chosen, len(row))]
    end = np.where(exists, np.append(at, 0)[chosen], size)
    # S only grows with what has not been visited, and B is at most one
    above = signal > np.minimum(value, enough)[:, None]
    deep = np.where(above.any(axis=1), np.argmax(above, axis=1), size)
    every = np.arange(n)
    limit = np.where(exists, ranked[every, end], -np.inf)
    return limit, ranked[every, np.where(exists, np.maximum(end, deep), size)]


class Visited:
    """Datasets that were evaluated, sorted by problem and the canonical order of the lattice.

    Parameters
    ----------
    lattice
        The datasets.
    """

    def __init__(self, lattice: Lattice) -> None:
        n_axes = len(lattice.varied)
        self._lattice = lattice
        self._place = np.empty(0, dtype=np.int64)
        self.key = np.empty(0, dtype=np.intp)
        self.q = np.empty(0)
        #: signal strength at which q was computed
        self.at = np.empty(0)
        self.signal = np.empty(0)
        self.background = np.empty(0)
        self.followed = np.empty((0, n_axes), dtype=bool)
        #: of q along each axis, per event; zero where none are given
        self.slopes = np.empty((0, n_axes), dtype=np.float32)

    def add(
        self,
        key: Index,
        q: tuple[Array, Array, Slopes | None],
        signal: Array,
        background: Array,
    ) -> None:
        """Add datasets with new keys; none of their axes has been followed.

        Parameters
        ----------
        key
            Shape (N,).
        q
            Their test statistics, where these were computed, and their slopes along the axes.
        signal, background
            Probabilities with and without a signal, shape (N,).
        """
        place = (key // STRIDE << ORDER_BITS) + self._lattice.order[key % STRIDE]
        places = np.concatenate([self._place, place])
        order = np.argsort(places, kind="stable")
        self._place = places[order]
        self.key = np.concatenate([self.key, key])[order]
        self.q = np.concatenate([self.q, q[0]])[order]
        self.at = np.concatenate([self.at, q[1]])[order]
        self.signal = np.concatenate([self.signal, signal])[order]
        self.background = np.concatenate([self.background, background])[order]
        fresh = np.zeros((len(key), self.followed.shape[1]), dtype=bool)
        self.followed = np.concatenate([self.followed, fresh])[order]
        slopes = np.zeros(fresh.shape, np.float32) if q[2] is None else q[2]
        self.slopes = np.concatenate([self.slopes, slopes])[order]


class Survival:
    """Probabilities of all datasets at or beyond a given one, in every bin.

    Parameters
    ----------
    signal
        Rates of signal + background, shape (V, n).
    background
        Rates of the background, shape (V, 1) or (V, n).
    """

    def __init__(self, signal: Array, background: Array) -> None:
        self._rates = (signal, background)
        self._own = int(background.shape[1] > 1)  # every problem has its own background
        self._size = 0
        self._tables: tuple[Array, Array] = (np.empty(0), np.empty(0))

    def exceeds(
        self, counts: NDArray[np.int64], problem: Index, signal: Array, background: Array
    ) -> Flags:
        """Tell for each dataset whether either probability exceeds its limit per problem."""
        largest = int(counts.max(initial=0))
        if largest >= self._size:
            self._size = max(largest + 1, 2 * self._size, 4)
            self._tables = (self._table(self._rates[0]), self._table(self._rates[1]))
        axes = np.arange(counts.shape[1])
        with_signal = self._tables[0][problem[:, None], axes, counts].prod(axis=1)
        without = self._tables[1][problem[:, None] * self._own, axes, counts].prod(axis=1)
        return np.asarray((with_signal > signal[problem]) | (without > background[problem]))

    def _table(self, rates: Array) -> Array:
        """Return P(N >= n), shape (problems, V, size)."""
        table = np.ones((rates.shape[1], rates.shape[0], self._size))
        n = np.arange(1, self._size)
        table[:, :, 1:] = special.gammainc(n, rates.T[:, :, None])
        return table


@dataclass(frozen=True, slots=True)
class Earlier:
    """Datasets visited at the last signal strength of n problems.

    A test statistic changes with the strength nu by the difference of what is expected of the
    signal and what is taken for it of the counts, each time two: |dq / d ln nu| <= 2 (f nu + N),
    where f is the factor that nuisance parameters give the signal and N the sum of the counts.
    With f = 2 that says where q is after a small step, and for most datasets that it is still on
    the same side of the threshold. What is computed again anyway tells whether the bound holds.

    Attributes
    ----------
    key
        Of each dataset, sorted, shape (N,).
    q, at
        Test statistics, and the strength at which they were computed, shape (N,).
    slopes
        As in `Visited`, shape (N, V).
    nu, limit, reach
        Last strength of each problem, its threshold, and down to where the datasets were
        followed, shape (n,); limits are minus infinity where nothing is known.
    """

    key: Index
    q: Array
    at: Array
    slopes: Slopes
    nu: Array
    limit: Array
    reach: Array

    def drift(self, nu: Array, totals: Array) -> Array:
        """Return how far each q and its threshold may be off at new strengths, shape (N,).

        Parameters
        ----------
        nu
            Of the problems, shape (n,).
        totals
            Sum of the counts of the datasets, shape (N,).
        """
        problem = self.key // STRIDE
        most = np.zeros(len(nu))
        np.maximum.at(most, problem, totals)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.maximum(
                np.abs(np.log(nu[problem] / self.at)), np.abs(np.log(nu / self.nu))[problem]
            )
        return np.asarray(2.0 * step * (2.0 * nu + most)[problem])

    def stays(self, drift: Array) -> Flags:
        """Tell which datasets stay on their sides of the thresholds, shape (N,)."""
        problem = self.key // STRIDE
        sure = np.isfinite(drift) & (self.limit[problem] > TIE)
        for threshold in (self.limit, self.reach):
            with np.errstate(invalid="ignore"):
                # it moves, and so does the threshold
                sure &= np.abs(self.q - threshold[problem]) > 3.0 * drift + 2.0 * TIE
        return sure


class Memory:
    """Datasets visited at the last signal strength of each problem."""

    def __init__(self, n: int) -> None:
        self._known: list[Earlier | None] = [None] * n

    def recall(self, which: Index) -> Earlier | None:
        """Return what is known of some problems, numbered by their places in `which`."""
        every = [self._known[w] for w in which.tolist()]
        found = [(i, known) for i, known in enumerate(every) if known is not None]
        if not found:
            return None
        key = np.concatenate([i * STRIDE + known.key for i, known in found])
        order = np.argsort(key, kind="stable")
        nu, limit, reach = np.full((3, len(which)), -np.inf)
        for i, known in found:
            nu[i], limit[i], reach[i] = known.nu[0], known.limit[0], known.reach[0]
        return Earlier(
            key[order],
            np.concatenate([known.q for _, known in found])[order],
            np.concatenate([known.at for _, known in found])[order],
            np.concatenate([known.slopes for _, known in found])[order],
            nu,
            limit,
            reach,
        )

    def store(self, which: Index, tail: Tail) -> None:
        """Keep what was visited."""
        seen = tail.seen
        first = np.searchsorted(tail.problem, np.arange(len(which) + 1))
        for i, w in enumerate(which.tolist()):
            part, only = slice(first[i], first[i + 1]), slice(i, i + 1)
            self._known[w] = Earlier(
                seen.key[part] % STRIDE,
                seen.q[part],
                seen.at[part],
                seen.slopes[part],
                seen.nu[only],
                seen.limit[only],
                seen.reach[only],
            )
