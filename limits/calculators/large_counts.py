"""Where formulas for large counts are used for few events: a word of warning."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.datasets import background_fit
from na64.limits.calculators.limits import observed_counts
from na64.limits.calculators.protocol import Calculator
from na64.limits.likelihood.compiled import SignalBatch

__all__ = ["FEWEST", "effective_background", "few_events", "few_events_note"]

Array = NDArray[np.float64]

#: expected background events below which formulas for large counts are not trusted
FEWEST: Final = 5.0


def effective_background(
    batch: SignalBatch, *, counts: ArrayLike | None = None, observed: bool = True
) -> Array:
    """Return how many background events a search for each signal has to do with, shape (M,).

    In bins with signals s_i and backgrounds b_i a small signal is told by the sum of n_i s_i/b_i.
    Its relative spread is that of one Poisson count with the mean

        b_eff = (sum s_i)^2 / sum (s_i^2 / b_i),

    the background of the only bin, the sum of those of bins that are alike, and little more than
    that of the best bin otherwise: bins with much background and little signal do not count.

    Parameters
    ----------
    batch
        Signals of M masses.
    counts, observed
        As in `na64.limits.calculators.limits.upper_limits`; the background is that of the fit to
        these counts without a signal.
    """
    data = observed_counts(batch, counts, observed=observed)
    which = np.arange(1 if batch.one_background else len(batch))
    fit = background_fit(batch, np.repeat(data[:, None], len(which), axis=1), mass=which)
    evaluator = batch.likelihood.fitter.problem(False).evaluator
    nothing = np.zeros((len(batch.shape), len(which)))
    background = evaluator.rates(fit.theta, np.zeros(len(which)), nothing)
    nuisances = fit.theta if len(which) == len(batch) else np.repeat(fit.theta, len(batch), axis=1)
    signal = evaluator.rates(nuisances, np.ones(len(batch)), batch.shape) - background
    signal = np.where(signal > 1e-12 * background, signal, 0.0)  # what rounding leaves of none
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(signal > 0.0, signal**2 / background, 0.0).sum(axis=0)
        return np.asarray(np.where(spread > 0.0, signal.sum(axis=0) ** 2 / spread, np.inf))


def few_events_note(calculator: Calculator) -> str:
    """Return what is said of a calculator with formulas for large counts where these are small."""
    return (
        f"the method '{calculator.name}' is made for many events, and fewer than {FEWEST:g} of "
        "background are expected where the signal is: its p-values are off, its limits too strong"
    )


def few_events(
    calculator: Calculator,
    batch: SignalBatch,
    *,
    counts: ArrayLike | None = None,
    observed: bool = True,
) -> list[str]:
    """Return the note if it applies to any signal of a batch; nothing for other calculators."""
    if not calculator.large_counts:
        return []
    some = np.flatnonzero(batch.events > 0.0)
    if not len(some):
        return []
    found = effective_background(batch.take(some), counts=counts, observed=observed)
    return [few_events_note(calculator)] if np.any(found < FEWEST) else []
