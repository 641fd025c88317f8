"""Grids of masses, energies and couplings as people type them: ``LO:HI:N`` or a comma list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.models.declaration import LARGEST_NUMBER
from na64.models.errors import InputError

__all__ = [
    "denser_grid",
    "log_grid",
    "parse_grid",
    "parse_strengths",
    "refined_grid",
    "with_points",
]

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


def parse_strengths(text: str) -> NDArray[np.float64]:
    """Return the signal strengths that a text describes, as `parse_grid`, zero allowed as well.

    ``0:HI:N`` are N equally spaced points, since there is no logarithm of zero.

    Examples
    --------
    >>> parse_strengths("0:1:3")
    array([0. , 0.5, 1. ])
    >>> parse_strengths("2,0")
    array([0., 2.])
    """
    what, unit = "signal strengths", "units of mu"
    parts = text.split(":")
    if len(parts) == 3 and _is_zero(parts[0]):
        count = len(parse_grid(f"1e-300:{parts[1]}:{parts[2]}", what, unit))
        return _rounded(np.linspace(0.0, float(parts[1]), count), 0.0, float(parts[1]))
    numbers = text.split(",")
    others = [part for part in numbers if not _is_zero(part)]
    if len(others) != len(numbers) - 1:  # no zero, or more than one
        return parse_grid(text, what, unit)
    if not others:
        return np.zeros(1)
    return np.concatenate([[0.0], parse_grid(",".join(others), what, unit)])


def _is_zero(part: str) -> bool:
    try:
        return float(part) == 0.0
    except ValueError:
        return False


def log_grid(low: float, high: float, count: int) -> NDArray[np.float64]:
    """Return `count` points equally spaced in the logarithm, the bounds exact."""
    return _rounded(np.geomspace(low, high, count), low, high)


def _rounded(grid: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Round to 12 digits, as files do: a grid that was written and read is the same grid."""
    grid[0], grid[-1] = low, high
    return np.array([float(f"{value:.12g}") for value in grid])


def refined_grid(
    low: float,
    high: float,
    count: int,
    intervals: Sequence[tuple[float, float]] = (),
    density: float = 5.0,
) -> NDArray[np.float64]:
    """Return a grid that is finer inside some intervals, such as across a resonance.

    Parameters
    ----------
    low, high
        First and last point, exact.
    count
        Number of points.
    intervals
        Bounds of the fine parts.
    density
        How much denser the points lie there; in both parts they are equally spaced in the
        logarithm.

    Returns
    -------
    numpy.ndarray
        Increasing, shape (count,).
    """
    edges = np.array(
        sorted({low, high, *(edge for pair in intervals for edge in pair if low < edge < high)})
    )
    middles = np.sqrt(edges[1:] * edges[:-1])
    fine = np.any([(middles > a) & (middles < b) for a, b in intervals] or [middles < 0.0], axis=0)
    widths = np.diff(np.log(edges)) * np.where(fine, density, 1.0)
    measure = np.concatenate([[0.0], np.cumsum(widths)])
    grid = np.exp(np.interp(np.linspace(0.0, measure[-1], count), measure, np.log(edges)))
    return _rounded(grid, low, high)


def denser_grid(
    grid: NDArray[np.float64], intervals: Sequence[tuple[float, float]], step: float = 0.03
) -> NDArray[np.float64]:
    """Return a grid with further points inside some intervals; its own points stay.

    Parameters
    ----------
    grid
        Increasing and positive, shape (N,).
    intervals
        Bounds of the fine parts; they are among the points.
    step
        How far points lie apart there, in ln(mass). A grid that is as fine gets no more.
    """
    fine = [np.array([])]
    for low, high in intervals:
        a, b = max(low, float(grid[0])), min(high, float(grid[-1]))
        if a < b:
            fine.append(np.geomspace(a, b, 1 + math.ceil(math.log(b / a) / step)))
    return with_points(grid, np.concatenate(fine), apart=0.4 * step)


def with_points(
    grid: NDArray[np.float64], points: NDArray[np.float64], apart: float = 1e-4
) -> NDArray[np.float64]:
    """Return a grid with further points between its ends, rounded as files do.

    A point so near to one of the grid, in ln(mass), shows nothing new and is left out.
    """
    inside = points[(points > grid[0]) & (points < grid[-1])]
    new = _rounded(np.sort(np.concatenate([grid[:1], inside, grid[-1:]])), grid[0], grid[-1])
    near = np.abs(np.log(new[:, None] / grid[None])).min(axis=1)
    return np.unique(np.concatenate([grid, new[near > apart]]))


def _positive(part: str, text: str, what: str, form: str) -> float:
    try:
        number = float(part)
    except ValueError:
        raise InputError(f"{what} '{text}': '{part.strip()}' is not a number; {form}") from None
    if not (math.isfinite(number) and number > 0.0):
        raise InputError(
            f"{what} '{text}': numbers must be positive and finite, not {part.strip()}"
        )
    if number > LARGEST_NUMBER:
        raise InputError(
            f"{what} '{text}': numbers must be at most {LARGEST_NUMBER:g}, not {part.strip()}"
        )
    return number
