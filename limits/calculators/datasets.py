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
#: ratio of two scales of a signal beyond which a fit does not find its way from one to the other,
#: and how much lower the other minimum has to be
_FAR, _LOWER = 100.0, 1e-9


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
    best = background.take(np.arange(len(mass)))
    best.nu[:] = 0.0
    if len(rising):
        some = points.take(rising)
        events = np.maximum(add_rows(some.counts - rates[:, rising]), 0.1)
        start = background.theta[:, rising]
        best.put(rising, fitter.fit(some, events, free_signal=True, start=start, nominal=False))
    if not fitter.one_minimum:
        nominal = evaluator.rates(fitter.init[:, None], np.zeros(1), points.signal[:, :1])
        signal_bins = evaluator.model.component_bin[evaluator.signal_components]
        excess = add_rows(np.maximum(counts - nominal, 0.0)[np.unique(signal_bins)])
        wanted = excess > 0.0
        wanted[rising] = True
        again = np.flatnonzero(wanted)
        if len(again):
            events, known = np.maximum(excess[again], 0.1), best.take(again)
            fit = fitter.fit(points.take(again), events, free_signal=True, known=known)
            lower = fit.converged & ((fit.value < known.value) | ~known.converged)
            best.put(again[lower], fit.take(np.flatnonzero(lower)))
        _try_far(batch, points, nominal, best)
    return best


def _try_far(batch: SignalBatch, points: Points, nominal: Array, best: Fit) -> None:
    """Look for a signal of another scale, in place.

    A bin with a small part of the signal and next to no background may be explained by a signal
    that is orders of magnitude larger than what the other bins say; they then are explained by
    nuisance parameters.
    """
    fitter = batch.likelihood.fitter
    evaluator = fitter.problem(False).evaluator
    share = evaluator.to_signal(points.signal)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = points.counts * np.log(points.counts / np.maximum(nominal, 1e-300))
    surprise = np.where((points.counts > nominal) & (share > 0.0), surprise, 0.0)
    worst, every = np.argmax(surprise, axis=0), np.arange(len(points))
    with np.errstate(divide="ignore", invalid="ignore"):
        events = points.counts[worst, every] / share[worst, every]
    far = np.flatnonzero((surprise[worst, every] > 0.0) & (events > _FAR * (best.nu + 1.0)))
    if not len(far):
        return
    some = points.take(far)
    held = fitter.fit(some, events[far], free_signal=False)  # or the other bins pull it back
    known = best.take(far)
    fit = fitter.fit(
        some, events[far], free_signal=True, start=held.theta, nominal=False, known=known
    )
    lower = fit.converged & ((fit.value < best.value[far] - _LOWER) | ~best.converged[far])
    best.put(far[lower], fit.take(np.flatnonzero(lower)))


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
    """Say for every mass which bin has data that no rate of the model allows.

    That is a bin with events where neither signal nor background can be positive, and one
    whose background is negative whatever the nuisance parameters are.
    """
    model = batch.likelihood.model
    n_bins = len(model.bins)
    shifted = np.zeros(len(model.nominal), dtype=bool)
    shifted[[shift.component for shift in model.shifts]] = True
    # a shift, or a positive rate with factors that are never negative, can give events
    background = np.zeros(n_bins, dtype=bool)
    own = ~model.is_signal & ((model.nominal > 0.0) | shifted)
    background[model.component_bin[own]] = True
    where = model.component_bin[model.is_signal]
    possible = np.repeat(background[:, None], len(batch), axis=1)
    np.logical_or.at(possible, where, (batch.shape > 0.0) | shifted[model.is_signal][:, None])
    bad = ~possible & (counts > 0.0)[:, None]
    messages = np.array([_negative_background(batch, shifted)] * len(batch), dtype=object)
    for mass in np.flatnonzero(bad.any(axis=0)).tolist():
        first = int(np.argmax(bad[:, mass]))
        channel, index = model.bins[first]
        messages[mass] = (
            f"channel '{channel}', bin {index}: {counts[first]:g} events observed where neither "
            f"signal nor background is expected"
        )
    return [str(message) for message in messages]


def _negative_background(batch: SignalBatch, shifted: NDArray[np.bool_]) -> str:
    """Name a bin whose background is negative and that no nuisance parameter changes."""
    model = batch.likelihood.model
    total = np.zeros(len(model.bins))
    moves = np.zeros(len(model.bins), dtype=bool)
    for k in np.flatnonzero(~model.is_signal).tolist():
        total[model.component_bin[k]] += model.nominal[k]
        moves[model.component_bin[k]] |= bool(model.factors[k]) or bool(shifted[k])
    bad = np.flatnonzero((total < 0.0) & ~moves)
    if not len(bad):
        return ""
    channel, index = model.bins[bad[0]]
    return (
        f"channel '{channel}', bin {index}: the background is {total[bad[0]]:g} events, a rate "
        f"that no count has"
    )


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
    # a bin whose signal is negative limits it by a deficit, which is no better a scale
    with np.errstate(divide="ignore"):
        per_bin = np.where(share > 0.0, own / share, np.inf)
    best = np.min(per_bin, axis=0)
    return np.maximum(np.where(np.isfinite(best), best, 1.0), 0.5)
