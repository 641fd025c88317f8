"""Outlines of excluded regions: from intervals at every mass to closed paths.

Intervals of neighbouring masses belong together where they overlap, whatever their numbers in the
lists are. Where an interval has no partner at the next mass, the region ends between the two, in a
tip; where two intervals become one, the gap between them does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.status import Regions, Status
from na64.limits.results.limit import Limit

__all__ = [
    "Outline",
    "edge_lines",
    "have_width",
    "left_over",
    "limit_outlines",
    "region_paths",
]

FloatArray = NDArray[np.float64]

#: relative width below which a band has none: for a small background most outcomes are the same
_NO_WIDTH: Final = 1e-3
#: states of masses at which it is known what is excluded
_KNOWN: Final = (Status.OK, Status.NO_EXCLUSION)
#: a tip lies at most this far on the way to the next mass, in the logarithm
_FURTHEST: Final = 0.95

#: row of a mass, number of an interval, 0 for its lower and 1 for its upper end
_Point = tuple[int, int, int]
_Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed path with what is excluded on its left hand.

    Attributes
    ----------
    x, y
        Vertices, shape (N,), from the lower edge at the lightest mass on.
    is_edge
        Whether the piece from a vertex to the next is an edge of the region; otherwise it is a
        cut: the last mass, one at which nothing is known, or far outside. Shape (N,).
    is_node
        Whether a vertex is an end of an interval, not a tip or far outside; shape (N,).
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    is_edge: NDArray[np.bool_]
    is_node: NDArray[np.bool_]

    @property
    def lone(self) -> bool:
        """Whether it has a single mass."""
        return bool(np.all(self.x == self.x[0]))

    def edges(self) -> list[NDArray[np.intp]]:
        """Return the vertices along each connected line of edges; a single one may be a line."""
        if self.is_edge.all():
            return [np.append(np.arange(len(self.x)), 0)]
        start = 0 if not self.is_edge[-1] else int(np.flatnonzero(~self.is_edge)[-1]) + 1
        runs, run = [], []
        for vertex in np.roll(np.arange(len(self.x)), -start).tolist():
            run.append(vertex)
            if not self.is_edge[vertex]:
                runs.append(np.array(run))
                run = []
        return [run for run in runs if self.is_node[run].any()]


def region_paths(
    masses_gev: NDArray[np.float64],
    regions: Sequence[Regions],
    known: NDArray[np.bool_] | None = None,
    *,
    bottom: float,
    top: float,
) -> list[Outline]:
    """Return the outlines of excluded regions, holes among them, in the logarithms of both axes.

    Parameters
    ----------
    masses_gev
        Increasing, shape (M,).
    regions
        Excluded intervals at each mass.
    known
        Masses at which something is known, if only that nothing is excluded; all if None. A
        region is cut off beside others. Shape (M,).
    bottom, top
        Values, positive, that stand for the ends of intervals that are open: below and above
        everything that is shown.
    """
    known = np.ones(len(masses_gev), bool) if known is None else known
    tracer = _Tracer(np.log(masses_gev), tuple(regions), known)
    points = [(row, n, 0) for row, found in enumerate(regions) for n in range(len(found))]
    seen: set[_Point] = set()
    outlines = []
    for start in points:
        if start in seen:
            continue
        x, y, is_edge, is_node = [], [], [], []
        point = start
        while point not in seen:
            seen.add(point)
            row, number, side = point
            value = regions[row][number][side]
            inside = value is not None and value > 0.0
            point, tip, edge = tracer.step(point)
            x.append(float(masses_gev[row]))
            y.append(float(value) if inside and value is not None else (bottom, top)[side])
            is_edge.append(edge)
            is_node.append(inside)
            if tip is not None:
                x.append(math.exp(tip[0]))
                y.append(math.exp(tip[1]))
                is_edge.append(True)
                is_node.append(False)
        outlines.append(Outline(np.array(x), np.array(y), np.array(is_edge), np.array(is_node)))
    return outlines


@dataclass(frozen=True, slots=True)
class _Tracer:
    """A walk along the ends of intervals: to heavier masses along lower ones, and back."""

    log_masses: NDArray[np.float64]
    regions: tuple[Regions, ...]
    known: NDArray[np.bool_]

    def ends(self, row: int) -> list[_Pair]:
        """Return the logarithms of the intervals at a mass; infinite where they are open."""
        return [
            (
                math.log(low) if low > 0.0 else -math.inf,
                math.inf if high is None else math.log(high),
            )
            for low, high in self.regions[row]
        ]

    def gaps(self, row: int) -> list[_Pair]:
        """Return what lies between the intervals at a mass."""
        ends = self.ends(row)
        return [(a[1], b[0]) for a, b in itertools.pairwise(ends)]

    def is_known(self, row: int) -> bool:
        return 0 <= row < len(self.regions) and bool(self.known[row])

    def step(self, point: _Point) -> tuple[_Point, _Pair | None, bool]:
        """Return the next point, the tip on the way if there is one, and whether it is an edge."""
        row, number, side = point
        towards = 1 if side == 0 else -1
        opposite = (row, number, 1 - side)
        if not self.is_known(row + towards):
            return opposite, None, False
        here, there = self._together(row, number, row + towards)
        own = self.ends(row)
        if number == here[-side]:
            if there:
                other = there[-side]
                ends = own[number][side], self.ends(row + towards)[other][side]
                return (row + towards, other, side), None, any(map(math.isfinite, ends))
            if not all(map(math.isfinite, own[number])):
                return opposite, None, False
            return opposite, self._tip(row, towards, own[number], self.ends), True
        other = number - towards
        gap = self.gaps(row)[min(number, other)]
        return (row, other, 1 - side), self._tip(row, towards, gap, self.gaps), True

    def _together(self, row: int, number: int, other: int) -> tuple[list[int], list[int]]:
        """Return which intervals of two masses hang together with one of the first."""
        ends = [(pair, True, n) for n, pair in enumerate(self.ends(row))]
        ends += [(pair, False, n) for n, pair in enumerate(self.ends(other))]
        here: list[int] = []
        there: list[int] = []
        reach = -math.inf
        for pair, is_here, n in sorted(ends):
            if pair[0] >= reach and (here or there):
                if number in here:
                    break
                here, there = [], []
            (here if is_here else there).append(n)
            reach = max(reach, pair[1])
        return here, there

    def _tip(
        self, row: int, towards: int, pair: _Pair, ends: Callable[[int], list[_Pair]]
    ) -> _Pair:
        """Return where two edges meet between a mass and the next, continued as they were."""
        x = float(self.log_masses[row])
        reach = float(self.log_masses[row + towards]) - x
        middle = 0.5 * (pair[0] + pair[1])
        before = row - towards
        if not self.is_known(before):
            return x + 0.5 * reach, middle
        same = [p for p in ends(before) if p[0] < pair[1] and p[1] > pair[0]]
        if len(same) != 1 or not all(map(math.isfinite, same[0])):
            return x + 0.5 * reach, middle
        back = float(self.log_masses[before]) - x
        slopes = [(then - now) / back for then, now in zip(same[0], pair, strict=True)]
        closing = (slopes[0] - slopes[1]) * reach
        part = (pair[1] - pair[0]) / closing if closing > 0.0 else 0.5
        part = min(part, _FURTHEST)
        moved = middle + 0.5 * (slopes[0] + slopes[1]) * part * reach
        return x + part * reach, min(max(moved, pair[0]), pair[1])


def limit_outlines(
    limit: Limit, regions: Sequence[Regions], ends: tuple[float, float], scale: float = 1.0
) -> list[Outline]:
    """Return the outlines of regions of a limit; open intervals end beyond every edge.

    Parameters
    ----------
    limit
        Whose masses and states are used.
    regions
        Observed or expected intervals of the limit, one tuple per mass.
    ends
        Values below and above all that is shown.
    scale
        Factor from GeV to the unit of the masses.
    """
    known = np.array([status in _KNOWN for status in limit.status])
    every = (limit.regions, *limit.expected_regions)
    edges = [end for part in every for found in part for pair in found for end in pair if end]
    return region_paths(
        scale * limit.masses_gev,
        regions,
        known,
        bottom=min([ends[0], *(end / 10.0 for end in edges)]),
        top=max([ends[1], *(10.0 * end for end in edges)]),
    )


def edge_lines(
    paths: Sequence[Outline],
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the edges of regions as one line with gaps.

    Returns
    -------
    tuple
        x, y with NaN in the gaps; which vertices are masses of the grid, and which are alone.
    """
    x: list[float] = []
    y: list[float] = []
    nodes: list[bool] = []
    alone: list[bool] = []
    for path in paths:
        for run in path.edges():
            gap = bool(x)
            x += [*([np.nan] * gap), *path.x[run].tolist()]
            y += [*([np.nan] * gap), *path.y[run].tolist()]
            nodes += [*([False] * gap), *path.is_node[run].tolist()]
            alone += [*([False] * gap), *([len(run) == 1] * len(run))]
    return np.array(x), np.array(y), np.array(nodes, bool), np.array(alone, bool)


def have_width(strong: Sequence[Regions], weak: Sequence[Regions]) -> bool:
    """Whether the band between two sets of regions is wider than nothing at any mass."""
    return any(_differ(one, other) for one, other in zip(strong, weak, strict=True))


def _differ(strong: Regions, weak: Regions) -> bool:
    """Whether the ends of regions differ by more than nothing."""
    if [high is None for _, high in strong] != [high is None for _, high in weak]:
        return True
    pairs = zip(strong, weak, strict=True)
    ends = [(a or 1.0, b or 1.0) for one, other in pairs for a, b in zip(one, other, strict=True)]
    return any(abs(a / b - 1.0) > _NO_WIDTH for a, b in ends)


def left_over(
    strong: Regions, weak: Regions, ends: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return the parts of intervals at one mass that others leave over; open ones end at `ends`."""
    bottom, top = ends
    left = [(max(low, bottom), top if high is None else high) for low, high in strong]
    for low, high in weak:
        end = top if high is None else high
        parts = [((a, min(b, low)), (max(a, end), b)) for a, b in left]
        left = [(a, b) for pair in parts for a, b in pair if b > a]
    return left
