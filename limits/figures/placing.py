"""Where labels of curves go: a deterministic choice among many places for each.

Geometry alone, in points (1/72 inch) from a corner of the figure. A label is a box that may be
turned. No place is allowed at which it leaves the frame, lies on a curve or on another label; of
the others those are better that follow a straight piece of the curve, lie on its usual side and
far from other curves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["Box", "Wanted", "choose_places", "resampled"]

FloatArray = NDArray[np.float64]

#: between a label and its curve, other curves, other labels and the frame
_GAP: Final = 2.0
_PAD: Final = 1.5
_BETWEEN: Final = 3.0
_EDGE: Final = 3.0
_BEYOND: Final = 7.0
#: curves are known by points at most so far apart: less than any label is high
_STEP: Final = 3.0
#: places that are looked at per run of a curve, and in an area along both axes
_PER_RUN: Final = 70
_GRID: Final = (36, 26)
#: what is nearer to the own curve than this cannot be told from it
_SAME: Final = 6.0
#: other curves are far enough from a label here
_FAR: Final = 20.0
#: places of a label that are kept for the choice
_KEPT: Final = 80
_PASSES: Final = 3
#: cost of a place inside of the area of something else that lies upon the own one, or does not
_COVERED: Final = 2.0
#: of a label without a place
_NO_PLACE: Final = 20.0
_BESIDE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: centre and size in points, angle in degrees from the horizontal."""

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    def corners(self, pad: float = 0.0) -> FloatArray:
        """Return the corners, shape (4, 2), of the box with so much around it."""
        half = 0.5 * np.array([self.width, self.height]) + pad
        signs = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        return np.array([self.x, self.y]) + (signs * half) @ _rotation(self.angle).T

    def covers(self, points: FloatArray, pad: float = 0.0) -> bool:
        """Whether one of some points, shape (N, 2), is inside or nearer than so much."""
        inside = np.abs((points - [self.x, self.y]) @ _rotation(self.angle))
        half = 0.5 * np.array([self.width, self.height]) + pad
        return bool(np.any(np.all(inside < half, axis=1)))

    def meets(self, other: Box, pad: float = 0.0) -> bool:
        """Whether two boxes are nearer to each other than so much."""
        reach = 0.5 * (math.hypot(self.width, self.height) + math.hypot(other.width, other.height))
        if math.hypot(self.x - other.x, self.y - other.y) > reach + 1.5 * pad:
            return False
        mine, theirs = self.corners(0.5 * pad), other.corners(0.5 * pad)
        for angle in (self.angle, other.angle):  # a line between them is along a side
            here, there = mine @ _rotation(angle), theirs @ _rotation(angle)
            if np.any(here.max(axis=0) <= there.min(axis=0)) or np.any(
                there.max(axis=0) <= here.min(axis=0)
            ):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label that looks for a place.

    Attributes
    ----------
    size
        Width and height.
    paths
        Its curve in connected runs, each of shape (N, 2).
    areas
        Closed paths of which the label may be inside.
    side
        1 if it stands above its curve rather than below, -1 for below, 0 if that is the same.
    level
        Areas of a higher level lie upon those of a lower one.
    """

    size: tuple[float, float]
    paths: tuple[FloatArray, ...]
    areas: tuple[FloatArray, ...] = ()
    side: int = 0
    level: float = 0.0


@dataclass(slots=True)
class _Places:
    """Places of one label: centres (K, 2), angles in degrees (K,), costs (K,)."""

    centres: list[FloatArray] = field(default_factory=list)
    angles: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def add(self, centre: FloatArray, angle: float, cost: float) -> None:
        self.centres.append(centre)
        self.angles.append(angle)
        self.costs.append(cost)


def choose_places(
    wanted: Sequence[Wanted],
    frame: tuple[float, float, float, float],
    curves: Sequence[FloatArray] = (),
    taken: Sequence[Box] = (),
) -> list[Box | None]:
    """Return a place for every label, or None where there is none.

    Parameters
    ----------
    wanted
        The labels.
    frame
        Left, lower, right and upper end of where labels may be.
    curves
        Runs of everything else that no label may lie on, each of shape (N, 2).
    taken
        Boxes that no label may meet.
    """
    own = [_points(item.paths, frame) for item in wanted]
    others = _points(curves, frame)
    found = []
    for row, item in enumerate(wanted):
        rest = [points for k, points in enumerate(own) if k != row]
        areas = [
            (_COVERED if other.level > item.level else _BESIDE, other.areas)
            for k, other in enumerate(wanted)
            if k != row
        ]
        found.append(
            _feasible(item, frame, (own[row], np.concatenate([others, *rest])), taken, areas)
        )
    return _solved(found)


def resampled(path: FloatArray, step: float = _STEP) -> FloatArray:
    """Return points along a run at most so far from each other, shape (M, 2)."""
    lengths = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    if not along[-1] > 0.0:
        return path[:1]
    places = np.linspace(0.0, along[-1], int(np.ceil(along[-1] / step)) + 1)
    return np.column_stack([np.interp(places, along, column) for column in path.T])


def _rotation(angle: float) -> FloatArray:
    turn = math.radians(angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.array([[cosine, -sine], [sine, cosine]])


def _points(runs: Sequence[FloatArray], frame: tuple[float, ...]) -> FloatArray:
    """Return the points of runs that are in the frame, shape (N, 2)."""
    kept = [np.empty((0, 2)), *(_inside(resampled(run), frame) for run in runs)]
    return np.concatenate(kept)


def _inside(points: FloatArray, frame: tuple[float, ...]) -> FloatArray:
    low, high = np.array(frame[:2]), np.array(frame[2:])
    return np.asarray(points[np.all((points >= low) & (points <= high), axis=1)])


def _along(item: Wanted, frame: tuple[float, ...]) -> _Places:
    """Return places beside the curve: turned along it, or level."""
    found = _Places()
    for run in item.paths:
        points = resampled(run, 1.5)
        is_in = np.all((points >= frame[:2]) & (points <= frame[2:]), axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], is_in.astype(int), [0]])))
        for start, end in edges.reshape(-1, 2):
            _along_run(found, item, points[start:end])
    return found


def _along_run(found: _Places, item: Wanted, points: FloatArray) -> None:
    """Add the places beside one run, whose points are equally far from each other."""
    width, height = item.size
    if len(points) < 2:
        return
    reach = max(1, round(0.5 * width / np.hypot(*(points[1] - points[0]))))
    last = len(points) - 1
    for at in np.unique(np.linspace(0, last, min(_PER_RUN, last + 1)).astype(int)).tolist():
        first, final = max(at - reach, 0), min(at + reach, last)
        chord = points[final] - points[first]
        slope = float(np.degrees(np.arctan2(chord[1], chord[0])))
        slope = slope - 180.0 if slope > 90.0 else slope + 180.0 if slope <= -90.0 else slope
        whole = at - reach >= 0 and at + reach <= last
        middle = 0.3 * abs(at / last - 0.55)
        for angle in (slope, 0.0) if whole else (0.0,):
            turned = (points - points[at]) @ _rotation(angle)
            near = turned[np.abs(turned[:, 0]) <= 0.5 * width, 1]
            bend = float(near.max() - near.min())
            along = angle == slope
            cost = middle + 0.5 * abs(angle) / 90.0 + 0.06 * bend / height * (4.0 if along else 1.0)
            cost += 0.0 if along else 0.35
            edges = ((1, float(near.max())), (-1, float(near.min())))
            for (side, edge), more in itertools.product(edges, (0.0, _BEYOND)):
                # what lies upon the curve leaves no place beside it, but beyond
                offset = edge + side * (_GAP + more + 0.5 * height)
                centre = points[at] + _rotation(angle) @ np.array([0.0, offset])
                # far from where the curve is: it bends too much
                far = max(0.0, abs(offset) - height - _GAP) / 30.0
                found.add(centre, angle, cost + far + more / 15.0 + 0.35 * (side == -item.side))
    for end, sign in ((points[0], -1.0), (points[-1], 1.0)):
        found.add(end + np.array([sign * (0.5 * width + 2.0 * _GAP), 0.0]), 0.0, 0.9)


def _within(item: Wanted, frame: tuple[float, ...]) -> _Places:
    """Return level places inside the areas of a label."""
    found = _Places()
    if not item.areas:
        return found
    xs, ys = (
        np.linspace(frame[k] + 0.5 * item.size[k], frame[k + 2] - 0.5 * item.size[k], _GRID[k])
        for k in (0, 1)
    )
    centres = np.array([[x, y] for x in xs for y in ys])
    half = 0.5 * np.array(item.size) + _PAD
    around = half * np.array([[a, b] for a in np.linspace(-1.0, 1.0, 5) for b in (-1.0, 0.0, 1.0)])
    for area in item.areas:
        path = Path(area)
        boxes = (centres[:, None, :] + around).reshape(-1, 2)
        inside = path.contains_points(boxes).reshape(len(centres), -1).all(axis=1)
        for centre in centres[inside]:
            found.add(centre, 0.0, 0.25)
    return found


def _feasible(
    item: Wanted,
    frame: tuple[float, float, float, float],
    points: tuple[FloatArray, FloatArray],
    taken: Sequence[Box],
    areas: Sequence[tuple[float, Sequence[FloatArray]]],
) -> list[tuple[float, Box]]:
    """Return the allowed places of a label with their costs, the best first.

    Parameters
    ----------
    item, frame, taken
        As in `choose_places`.
    points
        Those of its own curve, and of all others.
    areas
        Those of the other labels, with what it costs to be inside.
    """
    along, within = _along(item, frame), _within(item, frame)
    costs = np.array([*along.costs, *within.costs])
    if not costs.size:
        return []
    centres = np.array([*along.centres, *within.centres])
    angles = np.array([*along.angles, *within.angles])
    own, others = points
    told = others
    if own.size and others.size:
        told = others[cKDTree(own).query(others)[0] > _SAME]
    turn = np.radians(angles)
    axes = (
        np.stack([np.cos(turn), np.sin(turn)], axis=1),
        np.stack([-np.sin(turn), np.cos(turn)], axis=1),
    )
    half = 0.5 * np.array(item.size)
    reach = np.abs(axes[0]) * half[0] + np.abs(axes[1]) * half[1]
    good = np.all(
        (centres - reach >= np.array(frame[:2]) + _EDGE)
        & (centres + reach <= np.array(frame[2:]) - _EDGE),
        axis=1,
    )
    every = np.concatenate([own, others])
    good &= _distances(centres, axes, half, every) > _PAD
    for row in np.flatnonzero(good):
        box = _box(item, centres[row], angles[row])
        good[row] = not any(box.meets(other, 2.0 * _BETWEEN) for other in taken)
    costs = costs[good]
    centres, angles = centres[good], angles[good]
    axes = axes[0][good], axes[1][good]
    clear = _distances(centres, axes, half, told)
    costs += 1.2 * np.maximum(0.0, 1.0 - clear / _FAR)
    costs += 1.0 * (clear < _distances(centres, axes, half, own))
    inside = [Path(area) for area in item.areas]
    if inside:  # beside an area is where it is not
        here = np.any([path.contains_points(centres) for path in inside], axis=0)
        room = _distances(centres, axes, half, every)
        costs += np.where(here, -0.3 * np.minimum(room / _FAR, 1.0), 0.8)
    for cost, group in areas:
        if group and len(centres):
            costs += cost * np.any([Path(area).contains_points(centres) for area in group], axis=0)
    order = np.argsort(costs, kind="stable")[:_KEPT]
    return [(float(costs[k]), _box(item, centres[k], angles[k])) for k in order]


def _box(item: Wanted, centre: FloatArray, angle: float) -> Box:
    return Box(float(centre[0]), float(centre[1]), item.size[0], item.size[1], float(angle))


def _distances(
    centres: FloatArray, axes: tuple[FloatArray, FloatArray], half: FloatArray, points: FloatArray
) -> FloatArray:
    """Return how far the nearest of some points is from boxes; 0 inside, shape (K,)."""
    if not len(points) or not len(centres):
        return np.full(len(centres), np.inf)
    parts = []
    for axis, size in zip(axes, half, strict=True):
        along = axis @ points.T - np.sum(axis * centres, axis=1)[:, None]
        parts.append(np.maximum(np.abs(along) - size, 0.0))
    return np.asarray(np.sqrt((parts[0] ** 2 + parts[1] ** 2).min(axis=1)))


def _solved(found: Sequence[Sequence[tuple[float, Box]]]) -> list[Box | None]:
    """Choose one place per label so that none meet: as many as possible, then the cheapest."""
    chosen: list[int | None] = [None] * len(found)

    def clashes(row: int, place: int) -> list[int]:
        box = found[row][place][1]
        return [
            other
            for other, theirs in enumerate(chosen)
            if other != row and theirs is not None and box.meets(found[other][theirs][1], _BETWEEN)
        ]

    def best(row: int) -> int | None:
        free = (place for place in range(len(found[row])) if not clashes(row, place))
        return next(free, None)

    for row in sorted(range(len(found)), key=lambda row: (len(found[row]), row)):
        chosen[row] = best(row)

    def cost(row: int, place: int | None) -> float:
        return _NO_PLACE if place is None else found[row][place][0]

    for _ in range(_PASSES):
        before = list(chosen)
        for row in range(len(found)):
            mine = best(row)
            chosen[row] = mine
            for place in range(len(found[row]) if mine is None else mine):
                clashing = clashes(row, place)
                if len(clashing) != 1:
                    continue
                (last,) = clashing  # it moves, if both together are better off
                old = chosen[row], chosen[last]
                chosen[row] = place
                chosen[last] = best(last)
                if cost(row, place) + cost(last, chosen[last]) < cost(row, old[0]) + cost(
                    last, old[1]
                ):
                    break
                chosen[row], chosen[last] = old
        if chosen == before:
            break
    return [None if place is None else found[row][place][1] for row, place in enumerate(chosen)]
