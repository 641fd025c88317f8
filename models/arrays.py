"""Arrays of numbers: their types, and what is asked of those that a caller gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.errors import InputError

__all__ = ["ComplexArray", "FloatArray", "positive"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


def positive(name: str, values: ArrayLike) -> FloatArray:
    """Return a number or a list of numbers as an array, refused unless positive and finite."""
    array = np.atleast_1d(np.asarray(values, float))
    if array.ndim != 1:
        raise InputError(f"{name} must be a number or a list of numbers")
    if not (np.all(np.isfinite(array)) and np.all(array > 0.0)):
        raise InputError(f"{name} must be positive and finite")
    return array
