"""How many datasets an ensemble has that matter, told before any of them is looked at.

A dataset n matters when it, or one with more events in every bin, is likely enough: the
probability of all datasets at or beyond it, prod_i P(N_i >= n_i), exceeds a cut. That is the
criterion by which the enumeration follows its branches. The number of such n is a sum over
lattice points below a plane in the variables -ln P(N_i >= n_i), one per bin: it is counted by
convolving the histograms of the bins, which takes as many steps as there are bins and does not
grow with the number itself.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import background_fit, first_guess
from na64.limits.calculators.throwing import check_rates, poisson_level
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.structure import connected_bins, is_monotone

__all__ = [
    "background_rates",
    "count_datasets",
    "ensemble_sizes",
    "limits_in_events",
    "rates_of_signal",
    "same_bins",
    "structure_of",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: probability of a dataset and all beyond it below which it does not matter here. The enumeration
#: goes to 1e-7 of what it has found, but follows not everything: with this cut it visited 0.2 to
#: 1.3 times the size in searches of 5 to 9 bins with shared backgrounds, and 1 to 2.8 times the
#: size in 3 and 12 bins without.
CUT: Final = 1e-5
#: width of the cells in -ln(probability)
_CELL: Final = 0.1
#: cells of the bound on a weighted sum of counts
_COLUMNS: Final = 64
#: ensembles of at most so many datasets are not counted more finely than by their box
_SMALL: Final = 1000.0


def same_bins(batch: SignalBatch) -> list[Index]:
    """Group the masses whose signals are in the same bins, as indices.

    Which bins say something, and how they hang together, follows from where a signal is.
    """
    _, group = np.unique(batch.shape != 0.0, axis=1, return_inverse=True)
    group = group.ravel()
    return [np.flatnonzero(group == g) for g in range(int(group.max(initial=-1)) + 1)]


def count_datasets(
    rates: Array, cut: float = CUT, weights: Array | None = None, most: float = math.inf
) -> float:
    """Count the vectors n with prod_i P(N_i >= n_i) above a cut and sum_i w_i n_i up to a bound.

    Parameters
    ----------
    rates
        Expected counts of independent Poisson variables, not negative, shape (V,).
    cut
        Between 0 and 1.
    weights
        The w_i, not negative, shape (V,); no bound if None.
    most
        The bound.

    Returns
    -------
    float
        Not below the number itself, and above it by what a cell in every bin makes: by some tens
        of per cent where there are many bins.

    Examples
    --------
    One bin of 0.5 events; P(N >= 2) is 0.09 and P(N >= 3) is 0.014:

    >>> count_datasets(np.array([0.5]), 0.05)
    3.0
    """
    rows = math.ceil(-math.log(cut) / _CELL)
    bounded = weights is not None and math.isfinite(most)
    columns = _COLUMNS if bounded else 1
    step = max(most, 0.0) / _COLUMNS if bounded else 1.0
    total = np.zeros((rows, columns))
    total[0, 0] = 1.0
    for bin_, rate in enumerate(rates.tolist()):
        n = np.arange(int(_highest(np.array(rate), cut)) + 1)
        with np.errstate(divide="ignore"):
            depth = -np.log(np.where(n > 0, special.gammainc(np.maximum(n, 1), rate), 1.0))
        weight = float(weights[bin_]) if bounded and weights is not None else 0.0
        if step > 0.0:
            place = np.minimum(n * weight, 2.0 * most) / step
        else:  # the bound is at zero: in a bin with a weight only n = 0 has that
            place = np.where(n * weight > 0.0, float(columns), 0.0)
        cell = np.minimum(depth / _CELL, rows).astype(np.intp)
        column = np.minimum(place, columns).astype(np.intp)
        inside = (cell < rows) & (column < columns)
        cells, many = np.unique(cell[inside] * columns + column[inside], return_counts=True)
        grown = np.zeros_like(total)
        for at, times in zip(cells.tolist(), many.tolist(), strict=True):
            i, j = divmod(at, columns)
            grown[i:, j:] += times * total[: rows - i, : columns - j]
        total = grown
    return float(total.sum())


def ensemble_sizes(batch: SignalBatch, counts: Array) -> Array:
    """Estimate how many datasets the ensembles of M masses have near their limits.

    Parameters
    ----------
    batch
        Signals of M masses, each with some events.
    counts
        Observed counts, shape (B,).

    Returns
    -------
    ndarray
        Datasets that matter with a signal of about the size of the limit, shape (M,); each mass
        by itself. One fit is made for all of them (one per mass where every mass has auxiliary
        data of its own), and none of datasets.

    Raises
    ------
    InputError
        For rates of which no counts are thrown or enumerated.
    """
    model = batch.likelihood.model
    background = background_rates(batch, counts)
    check_rates(background, batch.likelihood.bins)
    rates = background + limits_in_events(batch, counts, background) * rates_of_signal(batch)
    background = np.broadcast_to(background, rates.shape)
    sizes = np.empty(len(batch))
    for masses in same_bins(batch):
        active, varied = structure_of(batch, masses)
        monotone = is_monotone(model, active, varied)
        where = np.ix_(varied, masses)
        box = (np.array(_highest(rates[where], CUT), dtype=np.float64) + 1.0).prod(axis=0)
        fine = np.flatnonzero(box > _SMALL) if varied.sum() > 1 else ()
        for i in (int(place) for place in fine):
            with_signal, without = rates[varied, masses[i]], background[varied, masses[i]]
            weights, most = _least_signal_like(with_signal, without, counts[varied], monotone)
            box[i] = count_datasets(with_signal, CUT, weights, most)
        sizes[masses] = box
    return sizes


def background_rates(batch: SignalBatch, counts: Array) -> Array:
    """Return the expected counts of the fit to the data without a signal.

    Shape (B, 1), or (B, M) where every mass has auxiliary data of its own.
    """
    every = np.arange(len(batch))
    which = every[:1] if batch.one_background else every
    repeated = np.repeat(counts[:, None], len(which), axis=1)
    fit = background_fit(batch, repeated, mass=which)
    evaluator = batch.likelihood.fitter.problem(False).evaluator
    nothing = np.zeros((len(batch.shape), len(which)))
    return np.asarray(evaluator.rates(fit.theta, np.zeros(len(which)), nothing))


def _least_signal_like(
    with_signal: Array, without: Array, counts: Array, monotone: bool
) -> tuple[Array, float]:
    """Return weights and a bound of the datasets that are less signal-like than what is asked for.

    The logarithm of the ratio of likelihoods at fixed rates is sum_i w_i n_i with w_i =
    ln(rate with signal / rate without), up to a constant: it stands for the test statistic here.
    What is asked for are the data and the band at +2 standard deviations.
    """
    floor = 1e-6 * with_signal.max(initial=1e-6)
    weights = np.log(np.maximum(with_signal, floor) / np.maximum(without, floor))
    weights = np.maximum(weights, 0.0)
    band = weights @ without + 2.0 * math.sqrt(weights**2 @ without)
    most = max(float(weights @ counts), float(band))
    if not monotone:
        return weights, math.inf  # what is beyond the bound is followed too where it may matter
    # a step further: the neighbours outside are looked at
    return weights, most + float(weights.min(initial=math.inf))


def limits_in_events(batch: SignalBatch, counts: Array, background: Array) -> Array:
    """Guess the limits in signal events from the best bin and from all bins with signal.

    Parameters
    ----------
    batch, counts
        As in `ensemble_sizes`.
    background
        Expected counts without a signal, shape (B, 1) or (B, M).

    Returns
    -------
    ndarray
        Shape (M,).
    """
    share = rates_of_signal(batch)
    with_signal = (share > 0.0).astype(np.float64)
    expected = (background * with_signal).sum(axis=0)
    seen = (counts[:, None] * with_signal).sum(axis=0)
    together = 2.5 + 1.6 * np.sqrt(np.maximum(expected, seen)) + np.maximum(seen - expected, 0.0)
    best_bin = first_guess(batch, counts, background)
    return np.asarray(np.minimum(best_bin, together / np.maximum(share.sum(axis=0), 1e-300)))


def rates_of_signal(batch: SignalBatch) -> Array:
    """Return the rates of one signal event in all bins, shape (B, M)."""
    model = batch.likelihood.model
    share = np.zeros((len(model.bins), len(batch)))
    np.add.at(share, model.component_bin[model.is_signal], batch.shape)
    return share


def structure_of(batch: SignalBatch, masses: Index) -> tuple[Flags, Flags]:
    """Return the components with a rate, and the bins that say something about some signals."""
    model = batch.likelihood.model
    active = ~model.is_signal
    active[model.is_signal] = np.any(batch.shape[:, masses] > 0.0, axis=1)
    return active, connected_bins(model, active)


def _highest(rate: Array, cut: float) -> NDArray[np.int64]:
    """Return the largest counts that matter in bins by themselves."""
    n = np.ceil(poisson_level(1.0 - cut, np.maximum(rate, 1e-12)))
    return np.asarray(np.where(np.asarray(rate) > 0.0, n + 1.0, 0.0), dtype=np.int64)
