"""Where the expected events cross a limit in events, along the couplings of each mass.

Whether a signal is excluded is CLs at that signal, and costs an ensemble. But the limit on the
*number of signal events* depends on how the events are shared among bins and processes alone, and
that changes slowly along the coupling. So with h = ln(events / limit), positive where excluded,
limits of rounded shapes at a few nodes decide where there is nothing to be looked at: far above and
far below. Where h changes its sign, or nearly does, the limit is computed at every node; in between
its logarithm is interpolated in ln(coupling). Narrow intervals between two nodes are looked for
where h turns back before it reaches zero.

Each mass is looked at by itself, and limits are those of rounded shapes: results do not depend on
which masses are asked for together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.roots import find_roots
from na64.limits.calculators.status import Regions

__all__ = ["Crossings", "Limits", "Signals", "find_crossings"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
#: signal events at mass indices (N,) and couplings (N,): shape (N, S, B)
Signals = Callable[[Index, Array], Array]
#: ln of K limits in events, of signals of one event, shape (N, S, B): shape (K, N); infinite where
#: there is none, NaN where it could not be computed
Limits = Callable[[Array], Array]

#: digits of the shares of bins and processes for a first look
_ROUGH: Final = 2
#: nodes from one limit to the next where no limit is near
_STRIDE: Final = 16
#: events between which limits are expected: the stride is within
_FEW, _MANY = 0.1, 1e4
#: |ln(events / limit)| below which the limit is computed at a node
_NEAR: Final = 0.05
#: change of ln(limit) between the ends of a bracket that is made narrower, and how often it is
_JUMP, _CLOSER = 0.01, 4
#: |h| at one of its ends from which on a bracket is narrow enough
_CLOSE: Final = 3e-4
#: ln of a limit that stands for none
_NONE: Final = 300.0
#: points of one look between nodes, and looks, each at two steps of the one before
_POINTS, _LOOKS = 33, 3
#: tolerance of a crossing in ln(coupling)
_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Crossings:
    """Changes of sign of h = ln(events / limit) for K limits and M masses, in N crossings.

    Attributes
    ----------
    limit, mass
        Which limit and which mass a crossing belongs to, shape (N,); in this order, and then by
        coupling.
    outside, inside
        ln(coupling) of the ends of its bracket: not excluded, and excluded, shape (N,).
    at
        ln(coupling) where events are equal to the interpolated limit, shape (N,).
    starts
        Whether the smallest coupling is excluded, shape (K, M).
    failed
        Whether a limit could not be computed, shape (K, M).
    """

    limit: Index
    mass: Index
    outside: Array
    inside: Array
    at: Array
    starts: Flags
    failed: Flags

    def regions(self, couplings: Array, at: Array) -> tuple[tuple[Regions, ...], ...]:
        """Join crossings to excluded intervals.

        Parameters
        ----------
        couplings
            The grid, shape (C,).
        at
            ln(coupling) of the crossings, shape (N,).

        Returns
        -------
        tuple
            Per limit and mass the intervals, lowest first. The lower edge is the smallest coupling
            where that is excluded already, the upper one None where the largest still is. None
            where a limit failed.
        """
        answer = []
        for k, row in enumerate(self.starts):
            regions = []
            for m, begins in enumerate(row.tolist()):
                mine = np.flatnonzero((self.limit == k) & (self.mass == m))
                edges: list[float | None] = list(np.exp(at[mine]).tolist())
                if begins:
                    edges.insert(0, float(couplings[0]))
                if len(edges) % 2:
                    edges.append(None)
                pairs = () if self.failed[k, m] else zip(edges[::2], edges[1::2], strict=True)
                regions.append(tuple((low, high) for low, high in pairs if low is not None))
            answer.append(tuple(regions))
        return tuple(answer)


def find_crossings(
    signals: Signals, n_masses: int, x: Array, limits: Limits, *, digits: int
) -> Crossings:
    """Find where events cross limits.

    Parameters
    ----------
    signals
        Expected events.
    n_masses
        Number of masses.
    x
        ln of the couplings, increasing, shape (C,).
    limits
        ln of K limits in events.
    digits
        Digits of the shares of bins and processes of which limits are computed.
    """
    remembered = _Remembered(limits)
    table = _Table(signals, n_masses, x, remembered)
    table.solve_where_it_matters(digits)
    lines = table.lines()
    _look_between(lines, signals, lambda events: remembered(events, digits))
    found = _brackets(lines, signals)
    for _ in range(_CLOSER):
        jumps = np.flatnonzero(found.wide)
        if not len(jumps):
            break
        events = signals(found.mass[jumps], np.exp(found.at[jumps]))
        _insert(found.line[jumps], lines, found.at[jumps], events, remembered(events, digits))
        found = _brackets(lines, signals)
    shape = table.level.shape[:2]
    return Crossings(
        limit=np.array([lines[i].limit for i in found.line.tolist()], dtype=np.intp),
        mass=found.mass,
        outside=found.outside,
        inside=found.inside,
        at=found.at,
        starts=np.array([line.h[0] >= 0.0 for line in lines]).reshape(shape),
        failed=np.array([line.failed for line in lines]).reshape(shape),
    )


@dataclass(frozen=True, slots=True)
class _Brackets:
    """Changes of sign between two points of lines, and where the interpolated h is zero.

    Wide are those between whose ends the limit changes, and h is not nearly zero at any of them.
    """

    line: Index
    mass: Index
    wide: Flags
    outside: Array
    inside: Array
    at: Array


def _brackets(lines: list[_Line], signals: Signals) -> _Brackets:
    """Find all changes of sign along lines."""
    found = [
        (n, i)
        for n, line in enumerate(lines)
        if not line.failed
        for i in np.flatnonzero((line.h[1:] >= 0.0) != (line.h[:-1] >= 0.0)).tolist()
    ]
    mass = np.array([lines[n].mass for n, _ in found], dtype=np.intp)
    ends, levels, h = (
        np.array([getattr(lines[n], name)[i : i + 2] for n, i in found]).reshape(-1, 2)
        for name in ("x", "level", "h")
    )
    wide = (np.abs(np.diff(levels)[:, 0]) > _JUMP) & (
        np.abs(h).min(axis=1, initial=np.inf) > _CLOSE
    )
    enters = np.array([lines[n].h[i + 1] >= 0.0 for n, i in found], dtype=bool)
    outside, inside = np.where(enters, ends.T, ends.T[::-1])
    slope = (levels[:, 1] - levels[:, 0]) / (ends[:, 1] - ends[:, 0])

    def shortage(way: Array, which: Index) -> Array:
        """ln(limit / events) at a fraction of the way inside: falls."""
        at = outside[which] + way * (inside - outside)[which]
        level = levels[which, 0] + slope[which] * (at - ends[which, 0])
        events = signals(mass[which], np.exp(at)).sum(axis=(1, 2))
        return np.asarray(level - _log(events))

    way = np.zeros(0)
    if found:
        nothing, all_of_it = np.zeros(len(found)), np.ones(len(found))
        way = find_roots(
            shortage, nothing, all_of_it, tolerance=_TOLERANCE, floor=0.0, ceiling=1.0
        ).x
    # an end that is equal to the limit may have no root by a rounding error
    at = outside + np.where(np.isnan(way), 0.5, way) * (inside - outside)
    which = np.array([n for n, _ in found], dtype=np.intp)
    return _Brackets(which, mass, wide, outside, inside, at)


class _Remembered:
    """Limits of rounded shapes, each computed once."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.known: dict[bytes, Array] = {}

    def __call__(self, events: Array, digits: int) -> Array:
        """Return the limits of N signals with events, shape (K, N)."""
        shape = events / events.sum(axis=(1, 2), keepdims=True)
        # However small, a share that is not zero breaks ties among outcomes and must not vanish.
        least = np.where(shape > 0.0, 0.5 * 10.0**-digits, 0.0)
        shape = np.maximum(np.round(shape, digits), least)
        shape /= shape.sum(axis=(1, 2), keepdims=True)
        keys = [one.tobytes() for one in shape]
        new = {key: i for i, key in enumerate(keys) if key not in self.known}
        if new:
            found = np.minimum(self.limits(shape[list(new.values())]), _NONE)
            self.known.update(zip(new, found.T, strict=True))
        return np.array([self.known[key] for key in keys]).T


@dataclass(slots=True)
class _Line:
    """h and ln(limit) along one mass, at positions that increase."""

    limit: int
    mass: int
    x: Array
    level: Array
    h: Array
    failed: bool

    def insert(self, x: float, level: float, h: float) -> None:
        at = int(np.searchsorted(self.x, x))
        self.x = np.insert(self.x, at, x)
        self.level = np.insert(self.level, at, level)
        self.h = np.insert(self.h, at, h)


class _Table:
    """Limits at the nodes of a grid, as many as are needed."""

    def __init__(self, signals: Signals, n_masses: int, x: Array, limits: _Remembered) -> None:
        self.x, self.limits = x, limits
        rows = np.repeat(np.arange(n_masses), len(x))
        events = signals(rows, np.exp(np.tile(x, n_masses)))
        self.events = events.reshape(n_masses, len(x), *events.shape[1:])
        self.totals = self.events.sum(axis=(2, 3))
        self.logs = _log(self.totals)
        self.known = np.zeros(self.totals.shape, dtype=bool)
        every = (self.totals > _FEW) & (self.totals < _MANY)
        every[:, np.arange(len(x)) % _STRIDE > 0] = False
        peak = np.argmax(self.totals, axis=1)
        every[np.arange(n_masses), peak] = self.totals.max(axis=1) > 0.0
        # (K, M, C): none without events
        self.level = np.full((1, *self.totals.shape), _NONE)
        self._solve(every, _ROUGH)

    def _solve(self, nodes: Flags, digits: int) -> None:
        mass, column = np.nonzero(nodes)
        if not len(mass):
            return
        found = self.limits(self.events[mass, column], digits)
        if len(found) != len(self.level):
            self.level = np.repeat(self.level, len(found), axis=0)
        self.level[:, mass, column] = found
        self.known |= nodes

    def solve_where_it_matters(self, digits: int) -> None:
        """Compute limits at both ends of every change of sign, and where h is nearly zero."""
        done = np.zeros(self.known.shape, dtype=bool)
        while True:
            h = self._interpolate()
            with np.errstate(invalid="ignore"):
                needed = np.abs(h) < _NEAR
            changes = (h[..., 1:] >= 0.0) != (h[..., :-1] >= 0.0)
            needed[..., 1:] |= changes
            needed[..., :-1] |= changes
            new = needed.any(axis=0) & ~done & (self.totals > 0.0)
            if not new.any():
                return
            self._solve(new, digits)
            done |= new

    def _interpolate(self) -> Array:
        """Fill in the limits between the nodes where they are known; return h, (K, M, C)."""
        for m, known in enumerate(self.known):
            if known.any():
                for row in self.level[:, m]:
                    row[~known] = np.interp(self.x[~known], self.x[known], row[known])
        return self.logs - self.level

    def lines(self) -> list[_Line]:
        """Return one line per limit and mass, in this order."""
        h = self._interpolate()
        return [
            _Line(k, m, self.x, self.level[k, m], h[k, m], bool(np.isnan(self.level[k, m]).any()))
            for k in range(len(h))
            for m in range(h.shape[1])
        ]


def _look_between(lines: list[_Line], signals: Signals, limits: Limits) -> None:
    """Search for a second sign between nodes, where h turns back before it reaches zero."""
    h = np.array([line.h for line in lines])
    side = np.where(h >= 0.0, 1.0, -1.0)[:, 1:-1]
    before, here, after = (side * part for part in (h[:, :-2], h[:, 1:-1], h[:, 2:]))
    # a smooth dip can reach below its lowest node by about the second difference
    with np.errstate(invalid="ignore"):
        bend = before - 2.0 * here + after
        dips = (here <= before) & (here <= after) & (here < bend)
    which, node = np.nonzero(dips)
    if not len(which):
        return
    mass = np.array([lines[i].mass for i in which.tolist()], dtype=np.intp)
    x, sign = lines[0].x, side[which, node]
    low, high = x[node], x[node + 2]
    for _ in range(_LOOKS):
        points = np.linspace(low, high, _POINTS)
        level = np.array(
            [
                np.interp(at, lines[i].x, lines[i].level)
                for i, at in zip(which.tolist(), points.T, strict=True)
            ]
        ).T
        events = signals(np.tile(mass, _POINTS), np.exp(points.ravel()))
        distance = sign * (_log(events.sum(axis=(1, 2))).reshape(points.shape) - level)
        least = np.argmin(distance, axis=0)
        every = np.arange(len(which))
        low = points[np.maximum(least - 1, 0), every]
        high = points[np.minimum(least + 1, _POINTS - 1), every]
        at = points[least, every]
    events = signals(mass, np.exp(at))
    _insert(which, lines, at, events, limits(events))


def _insert(which: Index, lines: list[_Line], at: Array, events: Array, levels: Array) -> None:
    """Put points with known limits (K, N) into lines."""
    logs = _log(events.sum(axis=(1, 2)))
    for i, line in enumerate([lines[n] for n in which.tolist()]):
        level = float(levels[line.limit, i])
        line.insert(float(at[i]), level, float(logs[i]) - level)


def _log(events: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(events))
