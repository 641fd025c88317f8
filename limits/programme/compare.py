"""Limits of a figure over the curves that were published of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.figures.overlays import curve_in_plane
from na64.limits.programme.description import Description, DrawnLimit
from na64.limits.results.limit import Limit
from na64.limits.scanning.runner import run
from na64.models.signals.rates import TableStore
from na64.workspaces.io.curves import Curve, CurveKind, load_curve

__all__ = ["Comparison", "comparisons", "edges_at"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A limit of ours over the published one.

    Attributes
    ----------
    search
        Name of the search.
    curve
        The published curve.
    edge
        ``limit``, or ``lower edge`` and ``upper edge`` of a region.
    masses_gev
        Where both exist, shape (M,).
    ratio
        Ours over published, shape (M,).
    """

    search: str
    curve: Curve
    edge: str
    masses_gev: FloatArray
    ratio: FloatArray

    @property
    def median(self) -> float:
        """Median of the ratios."""
        return float(np.median(self.ratio))

    @property
    def worst(self) -> tuple[float, float]:
        """The ratio farthest from one, in the logarithm, and its mass in GeV."""
        row = int(np.argmax(np.abs(np.log(self.ratio))))
        return float(self.ratio[row]), float(self.masses_gev[row])


def comparisons(
    description: Description, *, tables: TableStore | None = None
) -> tuple[Comparison, ...]:
    """Return the comparisons of a figure's limits with their published curves.

    A limit is scanned at the points of its curve, the edges of a region at its own masses; limits
    on decays of mesons have the masses that there are.
    """
    return tuple(
        made
        for panel in description.panels
        for item in panel.limits
        if item.published
        for made in _compared(item, load_curve(item.published), tables)
    )


def edges_at(curve: Curve, masses_gev: ArrayLike) -> FloatArray:
    """Return the lowest and the highest y of a closed region at masses.

    Parameters
    ----------
    curve
        A region; straight between its points in the logarithms.
    masses_gev
        Shape (M,).

    Returns
    -------
    numpy.ndarray
        Shape (M, 2); NaN where the region does not reach.
    """
    x, y = np.log(np.array(curve.points)).T
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    found = []
    for at in np.log(np.asarray(masses_gev, float)).tolist():
        crossed = ((x - at) * (x2 - at) <= 0.0) & (x != x2)
        values = np.exp(y[crossed] + (at - x[crossed]) / (x2 - x)[crossed] * (y2 - y)[crossed])
        found.append((values.min(), values.max()) if values.size else (np.nan, np.nan))
    return np.array(found, float).reshape(-1, 2)


def _compared(item: DrawnLimit, curve: Curve, tables: TableStore | None) -> list[Comparison]:
    made = item.specification()
    low, high = item.compared_gev or (made.masses_gev[0], made.masses_gev[-1])
    if curve.kind is CurveKind.REGION:
        masses = made.masses_gev[(made.masses_gev >= low) & (made.masses_gev <= high)]
        limit = run(made.at(masses), tables=tables)
        theirs, ours = edges_at(curve, masses), _edges(limit)
        return [
            _comparison(limit, curve, name, (theirs[:, k], ours[:, k]))
            for k, name in enumerate(("lower edge", "upper edge"))
        ]
    like = run(made.at(made.masses_gev[:1]), tables=tables)
    there = curve_in_plane(curve, [like], compared=True)
    if like.y.name == "br":
        limit = run(made, tables=tables)
        far = np.abs(np.log(there.x[:, None] / made.masses_gev))
        return [_comparison(limit, curve, "limit", (there.y[far.argmin(axis=0)], limit.shown))]
    inside = (there.x >= low) & (there.x <= high)
    limit = run(made.at(there.x[inside]), tables=tables)
    return [_comparison(limit, curve, "limit", (there.y[inside], limit.shown))]


def _edges(limit: Limit) -> FloatArray:
    """Return the lowest and the highest coupling excluded, shape (M, 2)."""
    ends: Sequence[tuple[float, float | None]] = [
        (found[0][0], found[-1][1]) if found else (np.nan, np.nan) for found in limit.shown_regions
    ]
    return np.array(ends, float)


def _comparison(
    limit: Limit, curve: Curve, edge: str, values: tuple[FloatArray, FloatArray]
) -> Comparison:
    theirs, ours = values
    known = np.isfinite(theirs) & np.isfinite(ours)
    return Comparison(
        limit.specification.search, curve, edge, limit.masses_gev[known], (ours / theirs)[known]
    )
