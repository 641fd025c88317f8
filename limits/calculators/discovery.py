"""Discovery significance: how often the background alone looks as signal-like as the data.

The test statistic is q0, twice the logarithm of the ratio of the best likelihood with a signal
nu >= 0 to that without (1007.1727 eq. 12). Its p-value comes from asymptotic formulas, from an
enumeration of all counts, or from toys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from na64.limits.calculators.datasets import (
    background_fit,
    impossible_masses,
    observed_fits,
    signal_fit,
)
from na64.limits.calculators.limits import observed_counts
from na64.limits.calculators.protocol import Calculator, Choosing, Engine
from na64.limits.calculators.registry import Auto
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.trust_region import NOT_CONVERGED

__all__ = ["DiscoveryTable", "discovery"]

Array = NDArray[np.float64]

#: what is used unless told otherwise
_AUTO = Auto()


@dataclass(frozen=True, slots=True)
class DiscoveryTable:
    """Significance of an excess for M masses.

    Attributes
    ----------
    calculator
        Which method, with its settings.
    p_values
        P(q0 >= q0_obs | background), shape (M,); 1 when the best fit has no signal. NaN where a
        fit failed, and where no rate of the model allows the data.
    significance
        Z = Phi^-1(1 - p), not below zero, shape (M,).
    best_fit
        Best signal strength, shape (M,).
    expected
        Median significance if a signal of mu = 1 is there, shape (M,), or None when not asked
        for; NaN where a fit failed.
    messages
        What went wrong, one per mass.
    used
        Which method made each p-value, one per mass, where the calculator chooses.
    """

    calculator: Calculator
    p_values: Array
    significance: Array
    best_fit: Array
    expected: Array | None
    messages: tuple[str, ...]
    used: tuple[str, ...] = ()


def discovery(
    batch: SignalBatch,
    *,
    calculator: Calculator = _AUTO,
    observed: bool = True,
    expected: bool = False,
    counts: ArrayLike | None = None,
) -> DiscoveryTable:
    """Return the significance of the data over the background.

    Parameters
    ----------
    batch
        Signals of M masses.
    calculator
        As in `na64.limits.calculators.limits.upper_limits`.
    observed
        Whether there are data; otherwise the counts are the nominal background unless given, and
        what would be observed is NaN.
    expected
        Whether to compute the median significance of a signal of mu = 1: with Asimov data for
        formulas, otherwise with the median of q0 in the signal + background ensemble. The signal
        comes on top of the backgrounds of the fit to the data, control regions included, with mu
        fixed to 1, as in pyhf; without data, of the fit to the nominal background with mu = 0,
        which has no signal that a fit at mu = 1 could be about.
    counts
        Counts per bin instead of the workspace's, shape (B,).

    Returns
    -------
    DiscoveryTable

    Raises
    ------
    InputError
        For counts that are not allowed, and for an ensemble too large to enumerate.
    """
    data = observed_counts(batch, counts, observed=observed)
    floor, n = calculator.smallest_p_value, len(batch)
    messages = impossible_masses(batch, data)
    # without a signal nothing is fitted: nothing is as likely as nothing
    empty = np.array([not said for said in messages]) & (batch.events <= 0.0)
    p_values, best = np.where(empty, 1.0, np.nan), np.where(empty, 0.0, np.nan)
    expectation = np.where(empty, 0.0, np.nan) if expected else None
    if not observed:
        p_values[:], best[:] = np.nan, np.nan
    for i in np.flatnonzero(empty):
        messages[i] = "no signal event is expected at any strength"
    used = [""] * n
    good = np.flatnonzero([not said for said in messages])
    if len(good):
        part = batch.take(good)
        engine = calculator.on(part, data)
        said = [""] * len(good)
        if observed:
            p_values[good], best[good], said = _observed(part, data, engine, floor)
        if expectation is not None:
            expectation[good] = _floored(_expected(part, data, engine, observed), floor, said)
        if isinstance(engine, Choosing):
            made_by, notes = engine.methods(np.arange(len(good)))
            said = [words or note for words, note in zip(said, notes, strict=True)]
            for i, name in zip(good, made_by, strict=True):
                used[i] = name
        for i, words in zip(good, said, strict=True):
            messages[i] = words
    return DiscoveryTable(
        calculator=calculator,
        p_values=p_values,
        significance=_significance(p_values),
        best_fit=best,
        expected=expectation,
        messages=tuple(messages),
        used=tuple(used) if any(used) else (),
    )


def _observed(
    batch: SignalBatch, data: Array, engine: Engine, floor: float
) -> tuple[Array, Array, list[str]]:
    """Return p-values, best signal strengths and messages."""
    background, _, free = observed_fits(batch, data)
    background = background.take(np.arange(len(batch)) % len(background.value))
    q0 = np.maximum(2.0 * (background.value - free.value), 0.0)
    q0 = np.where(free.converged & background.converged, q0, np.nan)
    p_values = np.where(np.isnan(q0), np.nan, engine.discovery_p_values(q0))
    messages = [NOT_CONVERGED if bad else "" for bad in np.isnan(p_values)]
    for i in np.flatnonzero(p_values < floor):
        messages[i] = f"p-value below {floor:.1g}: the significance is a lower bound"
    best = np.where(batch.events > 0.0, free.nu, 0.0) / np.where(
        batch.events > 0.0, batch.events, 1.0
    )
    return np.maximum(p_values, floor), best, messages


def _expected(batch: SignalBatch, data: Array, engine: Engine, observed: bool) -> Array:
    """Return the median significance of a signal on top of what the data say, shape (M,)."""
    if observed:
        fit = signal_fit(batch, data)
    else:
        every = np.arange(len(batch))
        fit = background_fit(batch, np.repeat(data[:, None], len(batch), axis=1), mass=every)
    found = engine.median_significance(fit.theta)
    return np.where(fit.converged, found, np.nan)


def _floored(found: Array, floor: float, messages: list[str]) -> Array:
    """Return expected significances up to that of the smallest p-value, and say where they end."""
    for i in np.flatnonzero(np.isnan(found)):
        messages[i] = _and(messages[i], f"expected: {NOT_CONVERGED}")
    highest = float(_significance(np.array([floor]))[0])
    for i in np.flatnonzero(found > highest):
        messages[i] = _and(
            messages[i], f"expected: p-value below {floor:.1g}, the significance is a lower bound"
        )
    return np.minimum(found, highest)


def _and(said: str, more: str) -> str:
    return f"{said}; {more}" if said else more


def _significance(p_values: Array) -> Array:
    return np.asarray(np.maximum(-special.ndtri(p_values), 0.0), dtype=np.float64)
