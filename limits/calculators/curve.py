"""The range of signal strengths over which CLs is of interest."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.table import LimitTable
from na64.models.errors import InputError

__all__ = ["strengths_up_to"]

#: strengths of a curve, and how far beyond the largest limit it goes
_POINTS: Final = 40
_BEYOND: Final = 1.25


def strengths_up_to(limits: LimitTable) -> NDArray[np.float64]:
    """Return strengths from above zero to beyond all limits of one signal.

    Parameters
    ----------
    limits
        Observed and expected limits of one signal.

    Returns
    -------
    numpy.ndarray
        Equally spaced, up to a quarter beyond the largest limit, shape (40,).

    Raises
    ------
    InputError
        If there is no limit.
    """
    edges = np.concatenate([limits.observed, limits.expected[:, 0]])
    edges = edges[np.isfinite(edges)]
    if not len(edges):
        raise InputError(
            f"no limit to choose the signal strengths by ({limits.messages[0]}); give some"
        )
    return np.linspace(0.0, _BEYOND * float(edges.max()), _POINTS + 1)[1:]
