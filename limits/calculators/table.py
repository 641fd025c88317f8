"""Limits of many masses: as calculators return them, and as tables with a status each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.roots import BRACKETED, FAILED, Roots
from na64.limits.calculators.status import Status
from na64.limits.likelihood.trust_region import NOT_CONVERGED
from na64.models.errors import InputError

__all__ = ["ClsTable", "LimitTable", "check_confidence_level", "states_to_status"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LimitTable:
    """Limits on the signal strength for M masses.

    A limit that does not exist is NaN, and its status says why.

    Attributes
    ----------
    calculator
        Which method, with its settings.
    confidence_level
        1 - CLs (or the p-value) at the limit.
    events
        Expected signal events at mu = 1 and nominal nuisance parameters, shape (M,).
    observed
        Observed upper limit on mu, shape (M,).
    expected
        Expected limits in `BAND_ORDER`, shape (5, M); NaN when not asked for.
    status
        Of the observed limit, one per mass: ok; no-exclusion (no signal is expected, or even
        the largest signal strength is compatible with the data); not-bracketed; failed.
    expected_status
        Of the five expected limits, one tuple of M per band.
    messages
        What went wrong, one per mass; empty where nothing did.
    lower
        Lower edge of the observed interval of mu, shape (M,): 0 where zero is allowed, NaN for
        calculators of upper limits and where there is no observed limit.
    observed_error
        Statistical error of the observed limit, shape (M,), or None for methods without noise.
    expected_error
        Statistical errors of the expected limits in `BAND_ORDER`, shape (5, M); NaN where there
        is no limit, or CLs does not fall around it; None for methods without noise.
    used
        Which method made the limits of each mass (``exact``, ``toys``, or ``exact+toys`` for
        observed and expected), where the calculator chooses; empty otherwise.
    notes
        Why, one per mass; empty as `used`, and where there is nothing to say.
    """

    calculator: Calculator
    confidence_level: float
    events: Array
    observed: Array
    expected: Array
    status: tuple[Status, ...]
    expected_status: tuple[tuple[Status, ...], ...]
    messages: tuple[str, ...]
    lower: Array
    observed_error: Array | None = None
    expected_error: Array | None = None
    used: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def observed_events(self) -> Array:
        """Observed upper limit on the signal events, shape (M,)."""
        return self.observed * self.events

    @property
    def expected_events(self) -> Array:
        """Expected upper limits on the signal events, shape (5, M)."""
        return self.expected * self.events

    @property
    def relative_errors(self) -> Array | None:
        """Relative statistical errors, observed and expected, shape (6, M); None without noise."""
        if self.observed_error is None or self.expected_error is None:
            return None
        limits = np.concatenate([self.observed[None], self.expected])
        errors = np.concatenate([self.observed_error[None], self.expected_error])
        return np.asarray(errors / limits, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ClsTable:
    """CLs, or p-values, at given signal strengths.

    Attributes
    ----------
    calculator
        Which method, with its settings.
    mu
        Signal strengths, shape (..., M).
    observed
        CLs of the observed data, NaN where it could not be computed, shape (..., M).
    expected
        Expected CLs in `BAND_ORDER`, shape (5, ..., M), or None when not asked for.
    too_small
        Whether the data have more signal than was tested, shape (..., M): a low p-value then
        excludes the strength from below. None for calculators of upper limits.
    used, notes
        As of `LimitTable`.
    """

    calculator: Calculator
    mu: Array
    observed: Array
    expected: Array | None
    too_small: NDArray[np.bool_] | None = None
    used: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def check_confidence_level(confidence_level: float) -> float:
    """Return alpha = 1 - confidence level; refuse a level that is not between 0 and 1."""
    if not 0.0 < confidence_level < 1.0:
        raise InputError(f"confidence level must be between 0 and 1, is {confidence_level:g}")
    return 1.0 - confidence_level


def states_to_status(roots: Roots, ceiling: float) -> list[tuple[Status, str]]:
    """Translate what the root finder says."""
    answer = []
    for state, x in zip(roots.state.tolist(), roots.x.tolist(), strict=True):
        if state == BRACKETED and np.isfinite(x):
            answer.append((Status.OK, ""))
        elif state == FAILED:
            answer.append((Status.FAILED, NOT_CONVERGED))
        else:
            answer.append(
                (
                    Status.NOT_BRACKETED,
                    f"CLs does not cross its threshold below {np.exp(ceiling):.3g} events",
                )
            )
    return answer
