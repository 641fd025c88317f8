"""Contours between scattered points: where limits on a signal strength cross one in a plane.

Between the points of a signal grid the logarithm of the limit is taken to be linear in triangles
(Delaunay), which is exact where the limit is a product of powers or exponentials of the axes. There
is no contour outside of the triangles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import ConvexHull, Delaunay, QhullError

from na64.models.errors import InputError

__all__ = ["UnitSquare", "exclusion_contours", "hull", "interpolated"]

Array = NDArray[np.float64]

#: an axis whose largest value is so many times its smallest, all positive, is logarithmic
_DECADES: Final = 20.0
#: spread of points around a line, with the points in a square of side 1, that is none
_FLAT: Final = 1e-9
#: ln(limit) of a point at which no strength is excluded, at least
_NOTHING_EXCLUDED: Final = np.log(10.0)


@dataclass(frozen=True, slots=True)
class UnitSquare:
    """The unit square around points, with logarithmic axes where values span decades.

    Attributes
    ----------
    low, high
        Range of the points, of the logarithm where an axis is logarithmic, shape (2,).
    logarithmic
        Which axes are.
    """

    low: Array
    high: Array
    logarithmic: NDArray[np.bool_]

    @classmethod
    def around(cls, points: ArrayLike) -> UnitSquare:
        """Return the plane of N points, shape (N, 2), N > 0.

        Raises
        ------
        InputError
            For another shape, or a number that is not finite.
        """
        values = np.asarray(points, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != 2 or not len(values):
            raise InputError(f"points of a plane have shape (N, 2), not {values.shape}")
        if not np.all(np.isfinite(values)):
            raise InputError("points of a plane must be finite")
        low, high = values.min(axis=0), values.max(axis=0)
        logarithmic = (low > 0.0) & (high > _DECADES * low)
        low, high = (np.where(logarithmic, _log(end), end) for end in (low, high))
        return cls(low, np.where(high > low, high, low + 1.0), logarithmic)

    def inward(self, points: ArrayLike) -> Array:
        """Return points, positive on logarithmic axes, in the unit square, shape (N, 2)."""
        values = np.asarray(points, dtype=np.float64)
        values = np.where(self.logarithmic, _log(values), values)
        return np.asarray((values - self.low) / (self.high - self.low))

    def outward(self, unit: ArrayLike) -> Array:
        """Return points of the unit square in the units of the axes, shape (N, 2)."""
        values = self.low + np.asarray(unit) * (self.high - self.low)
        powers = np.exp(np.where(self.logarithmic, values, 0.0))
        return np.where(self.logarithmic, powers, values)


def exclusion_contours(points: ArrayLike, limits: ArrayLike) -> list[Array]:
    """Return the lines on which a limit on the signal strength is one.

    Parameters
    ----------
    points
        Values of two parameters at N points, shape (N, 2).
    limits
        Limits on the strength, positive, shape (N,); NaN where unknown, such points are left
        out; infinite where no strength is excluded, which counts as the largest of the others, at
        least ten.

    Returns
    -------
    list of numpy.ndarray
        Lines of shape (K, 2), the first and last point the same where one closes; none where the
        points do not span triangles, or all or none of them are excluded.

    Raises
    ------
    InputError
        For shapes that do not fit, points that are not finite, and limits that are not positive.
    """
    square = UnitSquare.around(points)
    unit, log_limits = _known(square, points, limits)
    found = _triangles(unit)
    if found is None:
        return []
    return [square.outward(line) for line in _zero_lines(unit, found.simplices, log_limits)]


def hull(points: ArrayLike) -> Array:
    """Return the closed line around points, beyond which there is no contour, shape (K + 1, 2).

    Empty where the points do not span triangles.
    """
    square = UnitSquare.around(points)
    unit = square.inward(points)
    if _triangles(unit) is None:
        return np.empty((0, 2))
    around = ConvexHull(unit).vertices
    return square.outward(unit[np.append(around, around[0])])


def interpolated(square: UnitSquare, points: ArrayLike, limits: ArrayLike, at: Array) -> Array:
    """Return ln(limit) at points of the unit square, NaN outside of the triangles, shape (K,).

    Parameters
    ----------
    square, points, limits
        As in `exclusion_contours`.
    at
        Points of the unit square, shape (K, 2).
    """
    unit, log_limits = _known(square, points, limits)
    found = _triangles(unit)
    if found is None:
        return np.full(len(at), np.nan)
    return np.asarray(LinearNDInterpolator(found, log_limits)(at), dtype=np.float64)


def _known(square: UnitSquare, points: ArrayLike, limits: ArrayLike) -> tuple[Array, Array]:
    """Return points in the unit square and ln(limit), without those that are not known."""
    values, given = np.asarray(points, dtype=np.float64), np.asarray(limits, dtype=np.float64)
    if given.shape != (len(values),):
        raise InputError(f"limits of shape {given.shape} for {len(values)} points")
    known = ~np.isnan(given)
    if np.any(given[known] <= 0.0):
        raise InputError("limits on a signal strength must be positive")
    log_limits = np.log(given[known])
    finite = np.isfinite(log_limits)
    log_limits[~finite] = np.max(log_limits[finite], initial=_NOTHING_EXCLUDED)
    return square.inward(values[known]), log_limits


def _triangles(unit: Array) -> Delaunay | None:
    """Return the triangles between points of the unit square; None if all are on one line."""
    if len(unit) < 3:
        return None
    if np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False)[-1] < _FLAT:
        return None
    try:
        return Delaunay(unit)
    except QhullError:
        return None


#: an edge of a triangle: the numbers of its ends, the smaller first
_Edge = tuple[int, int]


def _zero_lines(unit: Array, triangles: NDArray[np.intc], values: Array) -> list[Array]:
    """Return where a function that is linear in triangles is zero, as lines from edge to edge."""
    inside = values < 0.0
    beside: dict[_Edge, list[_Edge]] = {}
    for triangle in triangles.tolist():
        pairs = ((triangle[i], triangle[j]) for i, j in ((0, 1), (1, 2), (2, 0)))
        crossed = [(min(a, b), max(a, b)) for a, b in pairs if inside[a] != inside[b]]
        for edge, other in zip(crossed, crossed[::-1], strict=True):  # two, or none
            beside.setdefault(edge, []).append(other)
    lines = []
    for edges in _chains(beside):
        a, b = np.array(edges).T
        share = values[a] / (values[a] - values[b])
        lines.append(unit[a] + share[:, None] * (unit[b] - unit[a]))
    return lines


def _chains(beside: dict[_Edge, list[_Edge]]) -> list[list[_Edge]]:
    """Return edges one after the other: open lines first, then the closed ones."""
    left = set(beside)
    chains: list[list[_Edge]] = []
    ends = [edge for edge, others in beside.items() if len(others) == 1]
    for start in [*ends, *beside]:
        if start not in left:
            continue
        chain = [start]
        left.remove(start)
        while True:
            following = [edge for edge in beside[chain[-1]] if edge in left]
            if not following:
                break
            chain.append(following[0])
            left.remove(following[0])
        closes = len(chain) > 2 and len(beside[start]) == 2
        chains.append([*chain, start] if closes else chain)
    return chains


def _log(values: Array) -> Array:
    """Logarithm where there is one, elsewhere 0."""
    return np.log(np.where(values > 0.0, values, 1.0))
