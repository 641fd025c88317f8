"""Statistical errors of limits, from the distribution of the limit over copies of the toys.

A limit is at or below a signal strength when that strength is excluded, so the distribution of the
limit over repetitions needs no limit of any repetition: at a strength t it is the fraction of
copies of the toys, drawn with replacement, that exclude t. That holds where CLs has steps as where
it is smooth. A statistical error of CLs over its slope holds only where it is smooth: the slope of
a step function depends on the distance over which it is taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["COPIES", "ROUNDS", "first_width", "half_width", "next_width"]

Array = NDArray[np.float64]

#: copies of the toys
COPIES: Final = 100
#: how often strengths on both sides of a limit are looked at, and the change of the error by a
#: factor that needs no other round
ROUNDS: Final = 3
_CLOSE: Final = 1.4
#: smallest and largest error, in ln(strength)
_NARROWEST: Final = 1e-4
_WIDEST: Final = 0.7
#: fall of ln CLs with ln(strength) in the first guess
_SLOPE: Final = 2.3
#: what a fraction of zero stands for, half a copy
_LEAST: Final = 0.5 / COPIES


def first_width(toys: int, alpha: float, share: Array | float) -> Array:
    """Guess errors in ln(strength) from the number of toys in the tail of signal and background.

    Parameters
    ----------
    toys
        Per hypothesis.
    alpha
        1 - confidence level.
    share
        Probability of the tail without a signal.
    """
    in_tail = toys * alpha * np.asarray(share, dtype=np.float64)
    return np.minimum(1.0 / (_SLOPE * np.sqrt(in_tail)), _WIDEST)


def next_width(width: float, known: Mapping[float, float]) -> tuple[float, bool]:
    """Return the error that is known by now, and whether it is to be looked at again.

    Parameters
    ----------
    width
        The guess: the last strengths were so far from the limit.
    known
        Fractions of copies that exclude a strength, by its logarithm.
    """
    new = half_width(known)
    if math.isnan(new):
        return math.nan, False
    again = not 1.0 / _CLOSE < min(new, _WIDEST) / width < _CLOSE
    return min(max(new, _NARROWEST), _WIDEST), again


def half_width(known: Mapping[float, float]) -> float:
    """Return half the distance of the 16 and 84 % quantiles of a limit.

    Between two strengths the quantiles of the normal distribution are interpolated, beyond the
    outermost ones extrapolated.

    Parameters
    ----------
    known
        Fractions of copies that exclude a strength, by its logarithm, two or more; they are made
        to rise.

    Returns
    -------
    float
        NaN where a fraction is.
    """
    at = np.array(sorted(known), dtype=np.float64)
    fraction = np.array([known[t] for t in at.tolist()])
    if np.isnan(fraction).any():
        return math.nan
    z = np.maximum.accumulate(special.ndtri(np.clip(fraction, _LEAST, 1.0 - _LEAST)))
    ends = []
    for level, first in (
        (-1.0, int(np.searchsorted(z, -1.0, side="right")) - 1),
        (1.0, int(np.searchsorted(z, 1.0)) - 1),
    ):
        i = min(max(first, 0), len(z) - 2)
        rise = max(float(z[i + 1] - z[i]), 1e-3)
        ends.append(float(at[i] + (level - z[i]) / rise * (at[i + 1] - at[i])))
    return 0.5 * (ends[1] - ends[0])
