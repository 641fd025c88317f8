"""What every calculator needs of the data: fits at mu = 0, and data that no model allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.evaluation import Points
from na64.limits.likelihood.fitting import Fit
from na64.limits.likelihood.sums import add_rows

__all__ = [
    "TIE",
    "background_fit",
    "first_guess",
    "free_fits",
    "impossible_masses",
    "observed_fits",
    "qtilde",
    "signal_fit",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: values of a test statistic closer than this are equal: symmetric bins give exact ties
TIE = 1e-8


def background_fit(
    batch: SignalBatch,
    counts: Array,
    auxiliary: Array | None = None,
    mass: Index | None = None,
) -> Fit:
    """Fit the nuisance parameters at mu = 0.

    Parameters
    ----------
    batch
        The signals, which do not matter here.
    counts
        Main counts, shape (B, D).
    auxiliary
        Auxiliary data, shape (P, D) or (P, 1); those of the batch by default.
    mass
        Index of the mass of each dataset, shape (D,); needed only where every mass has auxiliary
        data of its own.
    """
    n = counts.shape[1]
    which = np.zeros(n, dtype=np.intp) if mass is None else mass
    points = batch.points(which, counts, auxiliary)
    return batch.likelihood.fitter.fit(points, np.zeros(n), free_signal=False)


def signal_fit(batch: SignalBatch, counts: Array) -> Fit:
    """Fit the nuisance parameters to the observed data at mu = 1, for every mass.

    Parameters
    ----------
    batch
        Signals of M masses.
    counts
        Observed counts, shape (B,).
    """
    every = np.arange(len(batch))
    points = batch.points(every, counts[:, None])
    return batch.likelihood.fitter.fit(points, batch.events, free_signal=False)


def observed_fits(batch: SignalBatch, counts: Array) -> tuple[Fit, Array, Fit]:
    """Fit the observed data at mu = 0 and with nu free, for every mass.

    Parameters
    ----------
    batch
        Signals of M masses.
    counts
        Observed counts, shape (B,).

    Returns
    -------
    tuple
        The mu = 0 fits and their expected counts, shape (B, .), one column if all masses share
        it and M otherwise; and the M free fits.
    """
    n = len(batch)
    every = np.arange(n)
    which = every[:1] if batch.one_background else every
    background = background_fit(batch, np.repeat(counts[:, None], len(which), axis=1), mass=which)
    evaluator = batch.likelihood.fitter.problem(False).evaluator
    nothing = np.zeros((len(batch.shape), len(which)))
    rates = evaluator.rates(background.theta, np.zeros(len(which)), nothing)
    per_mass = background.take(np.zeros(n, dtype=np.intp) if len(which) < n else every)
    free = free_fits(batch, every, np.repeat(counts[:, None], n, axis=1), per_mass)
    return background, rates, free


def free_fits(
    batch: SignalBatch,
    mass: Index,
    counts: Array,
    background: Fit,
    auxiliary: Array | None = None,
) -> Fit:
    """Fit the signal events nu >= 0 together with the nuisance parameters.

    Where the likelihood falls with nu at the mu = 0 fit, that fit is the answer already, unless
    backgrounds are shared between bins: an excess in one of them may then be explained by the
    background in all or by the signal in one, and both explanations are tried.

    Parameters
    ----------
    batch
        Signals.
    mass
        Index of the mass, shape (N,).
    counts
        Main counts, shape (B, N).
    background
        The mu = 0 fits of the same N datasets.
    auxiliary
        As in `SignalBatch.points`.
    """
    fitter = batch.likelihood.fitter
    points = batch.points(mass, counts, auxiliary)
    evaluator = fitter.problem(False).evaluator
    slope = evaluator.slope_at_zero(background.theta, points)
    rates = evaluator.rates(background.theta, np.zeros(len(mass)), points.signal)
    impossible = np.any((rates <= 0.0) & (points.counts > 0.0), axis=0)
    rising = np.flatnonzero((slope < 0.0) | impossible | ~background.converged)
    theta, nu = background.theta.copy(), np.zeros(len(mass))
    value, converged = background.value.copy(), background.converged.copy()
    if len(rising):
        some = points.take(rising)
        excess = np.maximum(add_rows(some.counts - rates[:, rising]), 0.1)
        fit = fitter.fit(some, excess, free_signal=True, start=theta[:, rising])
        theta[:, rising], nu[rising] = fit.theta, fit.nu
        value[rising], converged[rising] = fit.value, fit.converged
    if not fitter.one_minimum:
        nominal = evaluator.rates(fitter.init[:, None], np.zeros(1), points.signal[:, :1])
        signal_bins = evaluator.model.component_bin[evaluator.signal_components]
        excess = add_rows(np.maximum(counts - nominal, 0.0)[np.unique(signal_bins)])
        again = np.flatnonzero(excess > 0.0)
        if len(again):
            fit = fitter.fit(points.take(again), excess[again], free_signal=True)
            lower = fit.converged & ((fit.value < value[again]) | ~converged[again])
            at = again[lower]
            theta[:, at], nu[at] = fit.theta[:, lower], fit.nu[lower]
            value[at], converged[at] = fit.value[lower], True
    return Fit(theta, nu, value, converged)


def qtilde(
    batch: SignalBatch, points: Points, nu: Array, fit: Fit, free_value: Array, free_nu: Array
) -> Array:
    """Return qtilde (1007.1727 eq. 16), NaN where a fit failed.

    Parameters
    ----------
    batch
        Signals.
    points
        Data of N fits.
    nu
        Tested signal events, shape (N,).
    fit
        Their fits with nu fixed.
    free_value, free_nu
        Minima with nu free, shape (N,); NaN where that fit failed.
    """
    q = 2.0 * (fit.value - free_value)
    q = np.where(fit.converged, q, np.nan)
    # a conditional minimum below the free one: the latter was another, local minimum
    wrong = np.flatnonzero((q < -1e-7) & (free_nu <= nu))
    if len(wrong):
        better = batch.likelihood.fitter.fit(
            points.take(wrong), nu[wrong], free_signal=True, start=fit.theta[:, wrong]
        )
        found = 2.0 * (fit.value[wrong] - better.value)
        found = np.where(better.nu > nu[wrong], 0.0, found)
        q[wrong] = np.where(better.converged & (found > -1e-7), found, np.nan)
    return np.where((free_nu > nu) & ~np.isnan(q), 0.0, np.maximum(q, 0.0))


def impossible_masses(batch: SignalBatch, counts: Array) -> list[str]:
    """Say for every mass which bin has events that neither signal nor background can give."""
    model = batch.likelihood.model
    n_bins = len(model.bins)
    background = np.zeros(n_bins)
    for k, signal in enumerate(model.is_signal.tolist()):
        if not signal:  # kept in the tables: it has a rate, or a shift can give it one
            background[model.component_bin[k]] += 1.0
    where = model.component_bin[model.is_signal]
    rates = np.repeat(background[:, None], len(batch), axis=1)
    np.add.at(rates, where, batch.shape)
    bad = (rates <= 0.0) & (counts > 0.0)[:, None]
    answer = [""] * len(batch)
    for mass in np.flatnonzero(bad.any(axis=0)).tolist():
        first = int(np.argmax(bad[:, mass]))
        channel, index = model.bins[first]
        answer[mass] = (
            f"channel '{channel}', bin {index}: {counts[first]:g} events observed where neither "
            f"signal nor background is expected"
        )
    return answer


def first_guess(batch: SignalBatch, counts: Array, background_rates: Array) -> Array:
    """Guess the scale of the upper limit in signal events, shape (M,).

    Each bin alone would limit its signal to a few standard deviations; a signal that is spread
    over bins is limited by the best of them.
    """
    model = batch.likelihood.model
    share = np.zeros((len(model.bins), len(batch)))
    counts = counts[:, None]
    np.add.at(share, model.component_bin[model.is_signal], batch.shape)
    own = 2.5 + 1.6 * np.sqrt(np.maximum(counts, background_rates))
    own += np.maximum(counts - background_rates, 0.0)
    with np.errstate(divide="ignore"):
        per_bin = own / share
    best = np.min(per_bin, axis=0)
    return np.maximum(np.where(np.isfinite(best), best, 1.0), 0.5)
