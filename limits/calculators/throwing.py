"""Throwing pseudo-data: Poisson counts from uniform random numbers, in memory that is bounded.

Counts are quantiles of uniform random numbers, so that all strengths of a signal can use the same
ones. A count is a whole number in double precision up to 2^53; rates up to `MOST_EVENTS` are below
it by more than any fluctuation, and what is larger, or no number, is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from na64.limits.calculators.pseudodata import Ensemble
from na64.limits.likelihood.compiled import SignalBatch
from na64.models.errors import ComputationError, InputError

__all__ = [
    "MOST_EVENTS",
    "check_data",
    "check_rates",
    "poisson_level",
    "poisson_quantile",
    "poisson_quantiles",
    "throw_counts",
    "without_copies",
]

Array = NDArray[np.float64]

#: largest expected count of which pseudo-data are thrown
MOST_EVENTS: Final = 1e15
#: largest rate whose distribution function is tabulated; quantiles of a larger one are bisected
_TABULATED: Final = 1e8
#: numbers that are thrown, or tabulated, at once
_CELLS: Final = 4_000_000
#: columns that differ are merged with those of before when there are so many new ones
_MERGED: Final = 1_000_000


def check_rates(rates: Array, names: Sequence[object], what: str = "events expected") -> None:
    """Refuse rates of which no pseudo-data can be thrown.

    Parameters
    ----------
    rates
        Expected counts, shape (B,) or (B, N).
    names
        Of the B bins: (channel, index), or the name of a parameter.
    what
        Is expected, for the message.

    Raises
    ------
    InputError
        For a rate above `MOST_EVENTS`.
    ComputationError
        For one that is not a number.
    """
    rows = rates[:, None] if rates.ndim == 1 else rates
    highest = np.max(rows, axis=1, initial=0.0)  # NaN stays
    bad = np.flatnonzero(~(highest <= MOST_EVENTS))
    if not len(bad):
        return
    name, rate = names[int(bad[0])], float(highest[bad[0]])
    where = f"channel '{name[0]}', bin {name[1]}" if isinstance(name, tuple) else f"{name}"
    if math.isnan(rate):
        raise ComputationError(
            f"{where}: the number of {what} is not known, a fit did not converge: no pseudo-data"
        )
    raise InputError(
        f"{where}: {rate:g} {what}, and ensembles of counts are made of up to {MOST_EVENTS:.0e}, "
        f"where a count is a whole number in double precision"
    )


def check_data(batch: SignalBatch, counts: Array) -> None:
    """Refuse nominal backgrounds and observed counts of which there are no ensembles.

    Before any fit, which has nothing to say of such numbers.

    Parameters
    ----------
    batch
        Signals.
    counts
        Observed counts, shape (B,).

    Raises
    ------
    InputError
        As `check_rates`.
    """
    model = batch.likelihood.model
    background = np.zeros(len(model.bins))
    where = ~model.is_signal
    with np.errstate(over="ignore"):
        np.add.at(background, model.component_bin[where], np.abs(model.nominal[where]))
    check_rates(background, model.bins)
    check_rates(counts, model.bins, "events observed")


def poisson_quantile(uniform: Array, rate: float) -> Array:
    """Return the Poisson quantiles of uniform random numbers, of one rate up to `MOST_EVENTS`."""
    return poisson_quantiles(rate)(uniform)


def poisson_quantiles(rate: float) -> Callable[[Array], Array]:
    """Return the function that turns uniform random numbers into Poisson counts of a rate."""
    if rate <= 0.0:
        return lambda uniform: np.zeros(len(uniform))
    spread = 10.0 * math.sqrt(rate) + 30.0
    low, high = max(0, math.floor(rate - spread)), math.ceil(rate + spread)
    if rate > _TABULATED:
        return lambda uniform: _bisected(uniform, rate, float(low), float(high))
    cumulative = special.pdtr(np.arange(low, high + 1), rate)
    return lambda uniform: np.asarray(low + np.searchsorted(cumulative, uniform), dtype=np.float64)


def poisson_level(level: float, rates: ArrayLike) -> Array:
    """Return n, not whole, at which P(N <= n) is a level; a whole n where scipy has no number.

    That is from about 1e11 events on.
    """
    every = np.asarray(rates, dtype=np.float64)
    found = np.array(special.pdtrik(level, every), dtype=np.float64)
    lost = np.isnan(found) & (every <= MOST_EVENTS)
    if lost.any():
        at = np.array([level])
        found[lost] = [poisson_quantile(at, rate)[0] for rate in every[lost].tolist()]
    return found


def _bisected(uniform: Array, rate: float, low: float, high: float) -> Array:
    """Return the smallest n from low to high + 1 of which P(N <= n) is at least the number."""
    below, above = np.full(len(uniform), low - 1.0), np.full(len(uniform), high + 1.0)
    for _ in range(math.ceil(math.log2(high - low + 2.0))):
        middle = np.floor(0.5 * (below + above))
        reached = special.pdtr(middle, rate) >= uniform
        above = np.where(reached & (middle > below), middle, above)
        below = np.where(reached, below, middle)
    return above


def _blocks(toys: int, bins: int) -> Iterator[tuple[int, int]]:
    """Yield first and last + 1 of toys that are thrown at once."""
    size = max(_CELLS // max(bins, 1), 1)
    for first in range(0, toys, size):
        yield first, min(first + size, toys)


def throw_counts(
    generator: np.random.Generator, rates: Array, toys: int
) -> Iterator[tuple[slice, Array]]:
    """Yield counts of toys block by block: their place, and the counts, shape (B, block).

    The first toys do not depend on how many there are, nor any on the blocks.

    Parameters
    ----------
    generator
        Of the uniform random numbers.
    rates
        Expected counts, shape (B,), checked by `check_rates`.
    toys
        How many.
    """
    steps = 20.0 * np.sqrt(np.clip(rates, 0.0, _TABULATED)) + 60.0
    kept = [poisson_quantiles(rate) for rate in rates] if steps.sum() <= _CELLS else None
    for first, last in _blocks(toys, len(rates)):
        uniform = generator.random((last - first, len(rates))).T
        functions = kept or (poisson_quantiles(rate) for rate in rates)
        counts = [function(u) for function, u in zip(functions, uniform, strict=True)]
        yield slice(first, last), np.array(counts).reshape(len(rates), last - first)


def without_copies(blocks: Iterator[Array]) -> Ensemble:
    """Return the different columns of counts and how often each occurs.

    Parameters
    ----------
    blocks
        Counts of some toys each, shape (B, .); what was seen in them is the same, in the same
        order, as if they were one.
    """
    found: list[Ensemble] = []
    for counts in blocks:
        found.append(_merged([Ensemble(counts, None, np.ones(counts.shape[1]))]))
        if sum(each.size for each in found) > max(2 * found[0].size, _MERGED):
            found = [_merged(found)]
    return found[0] if len(found) == 1 else _merged(found)


def _merged(parts: list[Ensemble]) -> Ensemble:
    counts = np.concatenate([part.counts for part in parts], axis=1)
    times = np.concatenate([part.weight for part in parts])
    sizes = counts.max(axis=1, initial=0.0) + 1.0
    if np.sum(np.log2(sizes)) < 52.0:  # one number per column, exact in double precision
        key = np.concatenate([[1.0], np.cumprod(sizes)[:-1]]) @ counts
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        return Ensemble(counts[:, first], None, np.bincount(which, times).astype(np.float64))
    unique, which = np.unique(counts, axis=1, return_inverse=True)
    return Ensemble(unique, None, np.bincount(which.ravel(), times).astype(np.float64))
