"""Observed counts: whole numbers, or meant as fractions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["whole_counts"]

#: distance from a whole number, relative for counts above one, that rounding in files explains:
#: single precision has 6e-8, six printed digits 5e-7
_RELATIVE = 1e-6
#: a count is never moved by more events than that, however large it is
_MOST = 0.01


def whole_counts(counts: ArrayLike) -> NDArray[np.float64]:
    """Return counts with the rounding of files undone: 9.99999994e-09 is 0, 2.9999999999 is 3.

    A count within min(1e-6 max(1, n), 0.01) of the whole number n becomes n. Others are
    fractions on purpose, as Asimov data are, and stay. At n = 1e4 and above 0.01 events are
    less than 1e-4 of the square root of n, so a fraction that is rounded by chance moves nothing.

    Parameters
    ----------
    counts
        Counts, any shape; what is not finite or negative is left to the caller.
    """
    values = np.asarray(counts, dtype=np.float64)
    whole = np.round(values)
    near = np.minimum(_RELATIVE * np.maximum(1.0, whole), _MOST)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        close = np.abs(values - whole) <= near
    # + 0.0: a rounded -1e-12 is no "-0"
    return np.asarray(np.where(close, whole + 0.0, values), dtype=np.float64)
