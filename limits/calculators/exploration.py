"""Book-keeping of an enumeration: what was visited, what is in the set, what can be left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.lattice import ORDER_BITS, Lattice

__all__ = ["STRIDE", "Memory", "Survival", "Tail", "Visited", "quantile", "sums"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

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
        self.signal = np.empty(0)
        self.background = np.empty(0)
        self.followed = np.empty((0, n_axes), dtype=bool)
        self.rising = np.empty((0, n_axes), dtype=bool)

    def add(
        self, key: Index, q: Array, signal: Array, background: Array, rising: Flags | None
    ) -> None:
        """Add datasets with new keys; none of their axes has been followed."""
        place = (key // STRIDE << ORDER_BITS) + self._lattice.order[key % STRIDE]
        places = np.concatenate([self._place, place])
        order = np.argsort(places, kind="stable")
        self._place = places[order]
        self.key = np.concatenate([self.key, key])[order]
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
