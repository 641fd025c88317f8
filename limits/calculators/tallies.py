"""Counts of toys that add up exactly, and what follows from them: CLs with its error.

What is kept of toys are whole numbers: how many have at least the test statistic of the data, and
how many fall in each cell of sqrt(qtilde). Whole numbers add in any order, so that the sum of
shards is that of one run, whoever computed which of them; and they take a memory that does not grow
with the toys.

CLs of the data comes from the counts beyond its qtilde, which are exact. Its error is that of two
independent fractions,

    s(CLs)^2 = (s(p_sb) / p_b)^2 + (CLs s(p_b) / p_b)^2,   s(p)^2 = p' (1 - p') / N,

with p' = (k + 1) / (N + 2), so that none is ever zero. The expected values rank the toys by cells:
toys whose sqrt(qtilde) differ by less than a cell count as equal. At z standard deviations
ln p falls by about z + 1 per unit of z, so that a CLs moves by less than (z + 1) / 1024 of itself.
Data of few events have few values of qtilde, each in a cell of its own: nothing moves then.

A toy whose fit failed counts as beyond the data with a signal and as not beyond them without: CLs
is then too large by what failed, never too small.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import TIE
from na64.limits.calculators.pseudodata import ThrownCls
from na64.limits.calculators.status import BAND_ORDER
from na64.models.errors import InputError

__all__ = ["CELLS", "ShardedCls", "Tally", "ToyCounts", "binomial_error", "cls_of", "joined_runs"]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

#: cells of sqrt(qtilde) per standard deviation
CELLS: Final = 1024
#: probabilities of the bands without a signal
_LEVELS: Final = special.ndtr(np.array(BAND_ORDER, dtype=np.float64))
#: share of toys whose fit may fail
_FAILED: Final = 0.01
#: how much the qtilde of the same data may differ between machines, relative
_SAME: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Tally:
    """Toys of one hypothesis at one strength, counted by their test statistic; tallies add.

    Attributes
    ----------
    above
        Toys with at least the qtilde of the data.
    failed
        Toys whose fit failed, which are in no cell.
    cells
        Cells of sqrt(qtilde) that have toys, increasing: cell c holds [c, c + 1) / `CELLS`.
    toys
        How many each has.
    """

    above: int
    failed: int
    cells: Whole
    toys: Whole

    @classmethod
    def of(cls, q: Array, weight: Array, threshold: float) -> Tally:
        """Count toys with their qtilde (NaN where a fit failed), each a number of times."""
        times = weight.astype(np.int64)
        good = np.isfinite(q)
        cells, which = np.unique(
            np.floor(CELLS * np.sqrt(q[good])).astype(np.int64), return_inverse=True
        )
        toys = np.zeros(len(cells), dtype=np.int64)
        np.add.at(toys, which, times[good])
        with np.errstate(invalid="ignore"):
            above = int(times[q >= threshold - TIE].sum())
        return cls(above, int(times[~good].sum()), cells, toys)

    @property
    def thrown(self) -> int:
        """Number of toys."""
        return self.failed + int(self.toys.sum())

    def __add__(self, other: Tally) -> Tally:
        cells, which = np.unique(np.concatenate([self.cells, other.cells]), return_inverse=True)
        toys = np.zeros(len(cells), dtype=np.int64)
        np.add.at(toys, which, np.concatenate([self.toys, other.toys]))
        return Tally(self.above + other.above, self.failed + other.failed, cells, toys)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "above": self.above,
            "failed": self.failed,
            "cells": self.cells.tolist(),
            "toys": self.toys.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tally:
        """Return the tally that `to_dict` described."""
        cells, toys = (np.asarray(data[key], dtype=np.int64) for key in ("cells", "toys"))
        return cls(int(data["above"]), int(data["failed"]), cells, toys)


@dataclass(frozen=True, slots=True)
class ToyCounts:
    """What shards have thrown at N strengths; it adds to that of other shards.

    Attributes
    ----------
    shards
        Numbers of the shards, as runs of (first, last + 1), increasing and apart.
    q_observed
        qtilde of the data at each strength, shape (N,); that of the first shard.
    signal, background
        Toys with the signal and without it, one tally per strength. The background toys are the
        same at all strengths of a mass.
    """

    shards: tuple[tuple[int, int], ...]
    q_observed: Array
    signal: tuple[Tally, ...]
    background: tuple[Tally, ...]

    def __add__(self, other: ToyCounts) -> ToyCounts:
        """Add the toys of other shards.

        Raises
        ------
        InputError
            If a shard is in both, or the data are not the same: no toy counts twice.
        """
        first, second = sorted((self, other), key=lambda counts: counts.shards[0])
        same = len(first.q_observed) == len(second.q_observed) and np.allclose(
            first.q_observed, second.q_observed, rtol=_SAME, atol=_SAME
        )
        if not same:
            raise InputError("toys of other data or strengths cannot be added")
        return ToyCounts(
            joined_runs(self.shards, other.shards),
            first.q_observed,
            tuple(a + b for a, b in zip(self.signal, other.signal, strict=True)),
            tuple(a + b for a, b in zip(self.background, other.background, strict=True)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "shards": [list(run) for run in self.shards],
            "q_observed": self.q_observed.tolist(),
            "signal": [tally.to_dict() for tally in self.signal],
            "background": [tally.to_dict() for tally in self.background],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ToyCounts:
        """Return the counts that `to_dict` described."""
        return cls(
            tuple((int(first), int(end)) for first, end in data["shards"]),
            np.asarray(data["q_observed"], dtype=np.float64),
            tuple(Tally.from_dict(tally) for tally in data["signal"]),
            tuple(Tally.from_dict(tally) for tally in data["background"]),
        )


def joined_runs(
    one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]
) -> tuple[tuple[int, int], ...]:
    """Return runs (first, last + 1) of shards together, neighbours as one.

    Raises
    ------
    InputError
        If a shard is in both.
    """
    found: list[tuple[int, int]] = []
    for first, end in sorted((*one, *other)):
        if found and first < found[-1][1]:
            raise InputError(f"shard {first} is there twice: nothing counts twice")
        if found and first == found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((first, end))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ShardedCls:
    """CLs at N strengths with statistical errors, from toys.

    Attributes
    ----------
    toys
        Per hypothesis, shape (N,).
    failed
        Toys of both hypotheses whose fit failed, shape (N,).
    p_signal, p_background
        Fractions of the toys with at least the qtilde of the data, with the signal and without,
        shape (N,).
    observed, error
        CLs of the data and its error, shape (N,); NaN where no background toy is as extreme, or
        more than one toy in a hundred failed.
    expected, expected_error
        Quantiles of CLs without a signal, in `BAND_ORDER`, and their errors, shape (5, N).
    """

    toys: Whole
    failed: Whole
    p_signal: Array
    p_background: Array
    observed: Array
    error: Array
    expected: Array
    expected_error: Array


def cls_of(counts: ToyCounts, *, seed: int = 1, bands: bool = True) -> ShardedCls:
    """Return CLs of toys, observed and expected, with errors.

    Parameters
    ----------
    counts
        Of any shards.
    seed
        Of the copies of the toys from which the errors of the expected values are made.
    bands
        Whether the expected values are wanted; otherwise they are NaN.
    """
    n = len(counts.q_observed)
    rows = np.array(
        [_observed(s, b) for s, b in zip(counts.signal, counts.background, strict=True)]
    ).T
    expected, errors = np.full((2, len(BAND_ORDER), n), np.nan)
    for i in range(n) if bands else ():
        if np.isnan(rows[0, i]):  # too many failed
            continue
        thrown = ThrownCls(
            float(counts.q_observed[i]), *_ranked(counts.signal[i]), *_ranked(counts.background[i])
        )
        expected[:, i] = thrown.expected()
        errors[:, i] = thrown.expected_errors(np.random.default_rng([seed, i]))
        # no toy with a signal is as extreme, and no copy of the toys knows of any
        none = expected[:, i] == 0.0
        errors[none, i] = binomial_error(0, counts.signal[i].thrown) / _LEVELS[none]
    p_signal, p_background, observed, error = rows
    pairs = zip(counts.signal, counts.background, strict=True)
    return ShardedCls(
        np.array([tally.thrown for tally in counts.signal]),
        np.array([s.failed + b.failed for s, b in pairs]),
        p_signal,
        p_background,
        observed,
        error,
        expected,
        errors,
    )


def _ranked(tally: Tally) -> tuple[Array, Array]:
    """Return qtilde of cells and how many toys they have."""
    return (tally.cells / CELLS) ** 2, tally.toys.astype(np.float64)


def _observed(signal: Tally, background: Tally) -> tuple[float, float, float, float]:
    """Return the two fractions, CLs and its error."""
    if any(tally.failed > _FAILED * tally.thrown for tally in (signal, background)):
        return (math.nan,) * 4
    p_signal = (signal.above + signal.failed) / signal.thrown
    p_background = background.above / background.thrown
    if not background.above:
        return p_signal, p_background, math.nan, math.nan
    cls = p_signal / p_background
    own = binomial_error(signal.above + signal.failed, signal.thrown)
    other = binomial_error(background.above, background.thrown)
    return p_signal, p_background, cls, math.hypot(own, cls * other) / p_background


def binomial_error(k: int, n: int) -> float:
    """Return the standard error of a fraction k / n, of (k + 1) / (n + 2): it is never zero."""
    p = (k + 1.0) / (n + 2.0)
    return math.sqrt(p * (1.0 - p) / n)
