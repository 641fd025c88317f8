"""Arrays of numbers: their types, and what is asked of those that a caller gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.errors import InputError

__all__ = ["ComplexArray", "FloatArray", "blocks_of", "positive"]

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


def blocks_of(count: int, together: int) -> list[slice]:
    """Share neighbouring elements out to the fewest blocks of about the same size.

    Parameters
    ----------
    count
        Number of elements, at least 0.
    together
        The most of a block, at least 1.

    Examples
    --------
    >>> blocks_of(5, 2)
    [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
    """
    parts = max(1, -(-count // together))
    return [slice(i * count // parts, (i + 1) * count // parts) for i in range(parts)]
