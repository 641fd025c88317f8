"""Grids of masses, energies and couplings as people type them: ``LO:HI:N`` or a comma list."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.models.errors import InputError

__all__ = ["parse_grid"]

#: more points than any figure can show; a larger number is a slip of the keyboard
MOST_POINTS: Final = 100_000


def parse_grid(text: str, what: str = "masses", unit: str = "GeV") -> NDArray[np.float64]:
    """Return the grid that a text describes.

    Parameters
    ----------
    text
        ``LO:HI:N``, N points from LO to HI equally spaced in the logarithm, or numbers
        separated by commas, in any order.
    what
        What the numbers are, for messages.
    unit
        Their unit, for messages.

    Returns
    -------
    numpy.ndarray
        Increasing, positive, shape (N,).

    Raises
    ------
    InputError
        For a text of another form, numbers that are not positive, a number given twice, bounds
        in the wrong order, or fewer than two points between bounds.

    Examples
    --------
    >>> parse_grid("0.001:1:4")
    array([0.001, 0.01 , 0.1  , 1.   ])
    >>> parse_grid("0.3, 0.1")
    array([0.1, 0.3])
    """
    form = f"{what} are LO:HI:N or a comma list in {unit}"
    if ":" in text:
        parts = text.split(":")
        if len(parts) != 3:
            raise InputError(f"{what} '{text}': {form}, such as 0.001:1:60")
        low, high = (_positive(part, text, what, form) for part in parts[:2])
        try:
            count = int(parts[2])
        except ValueError:
            raise InputError(
                f"{what} '{text}': the number of points must be a whole number, is '{parts[2]}'"
            ) from None
        if not low < high:
            raise InputError(f"{what} '{text}': {low:g} is not below {high:g}")
        if not 2 <= count <= MOST_POINTS:
            raise InputError(
                f"{what} '{text}': the number of points must be in 2-{MOST_POINTS}, is {count}"
            )
        return log_grid(low, high, count)
    numbers = sorted(_positive(part, text, what, form) for part in text.split(","))
    if len(set(numbers)) < len(numbers):
        raise InputError(f"{what} '{text}': a number is given twice")
    return np.array(numbers)


def log_grid(low: float, high: float, count: int) -> NDArray[np.float64]:
    """Return `count` points equally spaced in the logarithm, the bounds exact."""
    grid = np.geomspace(low, high, count)
    grid[[0, -1]] = low, high
    # 12 digits, as in files: a grid that was written and read again is the same grid
    return np.array([float(f"{value:.12g}") for value in grid])


def _positive(part: str, text: str, what: str, form: str) -> float:
    try:
        number = float(part)
    except ValueError:
        raise InputError(f"{what} '{text}': '{part.strip()}' is not a number; {form}") from None
    if not (math.isfinite(number) and number > 0.0):
        raise InputError(
            f"{what} '{text}': numbers must be positive and finite, not {part.strip()}"
        )
    return number
