"""Book-keeping of an enumeration: what was visited, what is in the set, what can be left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Memory", "Survival", "Tail", "Visited", "quantile", "sums"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


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
    summed = np.cumsum(probability[order])
    first = np.searchsorted(problem, np.arange(n))
    before = np.where(first > 0, summed[first - 1], 0.0)
    reached = summed - before[problem] >= level[problem] - 1e-12
    at = np.minimum.reduceat(np.where(reached, np.arange(len(q)), len(q)), first)
    limit = np.append(q[order], -np.inf)[at]
    return np.asarray(limit, dtype=np.float64)


class Visited:
    """Datasets that were evaluated, sorted by problem and number."""

    def __init__(self, n_axes: int) -> None:
        self.key = np.empty(0, dtype=np.intp)
        self.q = np.empty(0)
        self.signal = np.empty(0)
        self.background = np.empty(0)
        self.followed = np.empty((0, n_axes), dtype=bool)
        self.rising = np.empty((0, n_axes), dtype=bool)

    def add(
        self, key: Index, q: Array, signal: Array, background: Array, rising: Flags | None
    ) -> None:
        """Add datasets with new keys; none of their axes has been followed."""
        keys = np.concatenate([self.key, key])
        order = np.argsort(keys, kind="stable")
        self.key = keys[order]
        self.q = np.concatenate([self.q, q])[order]
        self.signal = np.concatenate([self.signal, signal])[order]
        self.background = np.concatenate([self.background, background])[order]
        fresh = np.zeros((len(key), self.followed.shape[1]), dtype=bool)
        self.followed = np.concatenate([self.followed, fresh])[order]
        if rising is not None:
            self.rising = np.concatenate([self.rising, rising])[order]


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


class Memory:
    """Datasets visited at the last signal strength of each problem."""

    def __init__(self, n: int) -> None:
        self._numbers: list[Index | None] = [None] * n

    def recall(self, which: Index) -> tuple[Index, Index] | None:
        """Return (position in `which`, dataset) pairs."""
        some = [(i, self._numbers[w]) for i, w in enumerate(which.tolist())]
        found = [(i, numbers) for i, numbers in some if numbers is not None]
        if not found:
            return None
        return (
            np.concatenate([np.full(len(numbers), i) for i, numbers in found]),
            np.concatenate([numbers for _, numbers in found]),
        )

    def store(self, which: Index, tail: Tail) -> None:
        """Keep what was visited."""
        first = np.searchsorted(tail.problem, np.arange(len(which) + 1))
        for i, w in enumerate(which.tolist()):
            self._numbers[w] = tail.number[first[i] : first[i + 1]]
