"""Two-sided exclusion: the intervals of the coupling that are excluded at each mass.

Where the signal is not a power of the coupling (decays in flight: at large couplings the
particle decays in the target) a search excludes couplings between two edges, at some masses in
several separate intervals, at others nowhere. The quantity on the grid of masses and couplings
is g = ln(CLs / alpha), negative where excluded: it is smooth where CLs itself saturates at zero
and one. Every change of sign between couplings is polished by root finding; narrow intervals
between two nodes are looked for where g has a minimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import interpolate

from na64.limits.calculators.limits import cls_values
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Exact
from na64.limits.calculators.roots import BRACKETED, find_roots
from na64.limits.calculators.status import BAND_ORDER, Regions, Status
from na64.limits.calculators.table import check_confidence_level
from na64.limits.likelihood.compiled import CompiledLikelihood
from na64.models.errors import InputError

__all__ = [
    "RegionTable",
    "Signals",
    "excluded_regions",
    "interpolated_signals",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
#: signal events at mass indices (N,) and couplings (N,): shape (N, S, B)
Signals = Callable[[Index, Array], Array]

#: what is used unless told otherwise
_EXACT = Exact()
#: tolerance of an edge in ln(coupling)
_TOLERANCE: Final = 1e-6
#: ln(CLs / alpha) is kept within this range
_DEPTH: Final = 30.0
#: iterations of the search for a minimum between two nodes
_GOLDEN_STEPS: Final = 20


@dataclass(frozen=True, slots=True)
class RegionTable:
    """Excluded intervals of the coupling for M masses.

    Attributes
    ----------
    calculator, confidence_level
        Method with its settings, and 1 - CLs at the edges.
    couplings
        The grid, shape (C,).
    order
        None for the observed data, otherwise the band in standard deviations.
    log_ratio
        ln(CLs / alpha) on the grid, shape (M, C); NaN where it could not be computed.
    regions
        Per mass the excluded intervals, lowest first; disjoint ones are separate. The upper
        edge is None where the largest coupling is still excluded.
    status
        ok; no-exclusion (nothing on the grid is excluded); not-bracketed (the smallest coupling
        is already excluded, the lower edge is outside the grid); failed.
    messages
        What went wrong, one per mass.
    """

    calculator: Calculator
    confidence_level: float
    couplings: Array
    order: int | None
    log_ratio: Array
    regions: tuple[Regions, ...]
    status: tuple[Status, ...]
    messages: tuple[str, ...]


def interpolated_signals(couplings: ArrayLike, events: ArrayLike) -> Signals:
    """Interpolate ln(events) in ln(coupling).

    Shape-preserving cubics: no new extrema between nodes. Where the events of two neighbouring
    nodes are both zero they are zero in between.

    Parameters
    ----------
    couplings
        Nodes, positive and increasing, shape (C,), at least two.
    events
        Expected events, finite and not negative, shape (M, C, S, B).

    Returns
    -------
    callable
        Events at mass indices (N,) and couplings (N,), shape (N, S, B). Outside the nodes the
        couplings are clipped.

    Raises
    ------
    InputError
        If a shape or a value is wrong.
    """
    nodes = np.log(_checked_couplings(couplings))
    values = np.asarray(events, dtype=np.float64)
    if values.ndim != 4 or values.shape[1] != len(nodes):
        raise InputError(
            f"events have shape {values.shape}, expected (masses, {len(nodes)}, samples, bins)"
        )
    if not (np.all(np.isfinite(values)) and np.all(values >= 0.0)):
        raise InputError("events must be finite and not negative")
    tiny = np.log(1e-300)
    logs = np.where(values > 0.0, np.log(np.maximum(values, 1e-300)), tiny)
    curve = interpolate.PchipInterpolator(nodes, np.moveaxis(logs, 1, 0), axis=0)

    def signals(mass: Index, coupling: Array) -> Array:
        at = np.clip(np.log(coupling), nodes[0], nodes[-1])
        interval = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2)
        steps = (at - nodes[interval])[:, None, None]
        # coefficients of the cubics, highest power first: (4, C - 1, M, S, B)
        c = curve.c[:, interval, mass]
        log = ((c[0] * steps + c[1]) * steps + c[2]) * steps + c[3]
        return np.asarray(np.where(log > 0.5 * tiny, np.exp(log), 0.0), dtype=np.float64)

    return signals


def excluded_regions(
    likelihood: CompiledLikelihood,
    signals: Signals,
    n_masses: int,
    couplings: ArrayLike,
    *,
    confidence_level: float = 0.9,
    calculator: Calculator = _EXACT,
    order: int | None = None,
    counts: ArrayLike | None = None,
) -> RegionTable:
    """Find all excluded intervals of the coupling at every mass.

    Parameters
    ----------
    likelihood
        The compiled workspace; the parameter of interest is 1 throughout.
    signals
        Expected events at mass indices (N,) and couplings (N,), shape (N, S, B).
    n_masses
        Number of masses.
    couplings
        Grid, positive and increasing, shape (C,). An interval narrower than the grid is found
        if ln(CLs / alpha) dips towards it.
    confidence_level
        Between 0 and 1.
    calculator
        One without noise, which has no edges.
    order
        None for the observed regions; -2, -1, 0, 1 or 2 for the expected ones.
    counts
        Counts instead of the workspace's, shape (B,).

    Returns
    -------
    RegionTable

    Raises
    ------
    InputError
        If a value is not allowed.
    """
    alpha = check_confidence_level(confidence_level)
    grid = _checked_couplings(couplings)
    if not calculator.smooth:
        raise InputError(
            f"excluded regions need a method without statistical noise, not '{calculator.name}'"
        )
    if order is not None and order not in BAND_ORDER:
        raise InputError(f"band order must be one of {BAND_ORDER}, is {order}")

    def log_ratio(mass: Index, log_coupling: Array) -> Array:
        batch = likelihood.inject(signals(mass, np.exp(log_coupling)))
        found = cls_values(
            batch, 1.0, calculator=calculator, expected=order is not None, counts=counts
        )
        if order is None or found.expected is None:
            # more signal in the data than is tested does not exclude it
            cls = (
                found.observed
                if found.too_small is None
                else np.where(found.too_small, 1.0, found.observed)
            )
        else:
            cls = found.expected[BAND_ORDER.index(order)]
        with np.errstate(divide="ignore"):
            return np.asarray(np.clip(np.log(cls / alpha), -_DEPTH, _DEPTH), dtype=np.float64)

    x = np.log(grid)
    n = len(x)
    mass = np.repeat(np.arange(n_masses), n)
    values = log_ratio(mass, np.tile(x, n_masses)).reshape(n_masses, n)
    nodes = [_Nodes(x, row) for row in values]
    _look_between(nodes, log_ratio)
    return _assemble(nodes, log_ratio, values, grid, calculator, confidence_level, order)


@dataclass(slots=True)
class _Nodes:
    """Values of g along one mass, sorted by position; extra nodes may come in."""

    x: Array
    g: Array

    def insert(self, x: float, g: float) -> None:
        at = int(np.searchsorted(self.x, x))
        self.x = np.insert(self.x, at, x)
        self.g = np.insert(self.g, at, g)


def _look_between(nodes: list[_Nodes], log_ratio: Callable[[Index, Array], Array]) -> None:
    """Search for a second sign between nodes: near minima above zero and maxima below it."""
    g = np.array([line.g for line in nodes])
    sign_of = np.where(g > 0.0, 1.0, -1.0)[:, 1:-1]
    before, here, after = (sign_of * part for part in (g[:, :-2], g[:, 1:-1], g[:, 2:]))
    # a smooth dip can reach below its lowest node by about the second difference
    dip = (here <= before) & (here <= after) & (here > 0.0) & (here < before - 2.0 * here + after)
    mass, node = np.nonzero(dip)
    if not len(mass):
        return
    grid = nodes[0].x
    low, high, sign = grid[node], grid[node + 2], sign_of[mass, node]
    golden = 0.5 * (np.sqrt(5.0) - 1.0)
    left, right = high - golden * (high - low), low + golden * (high - low)
    g_left, g_right = sign * log_ratio(mass, left), sign * log_ratio(mass, right)
    for _ in range(_GOLDEN_STEPS):
        if np.all((np.minimum(g_left, g_right) < 0.0) | (high - low < _TOLERANCE)):
            break
        take_left = g_left < g_right
        low, high = np.where(take_left, low, left), np.where(take_left, right, high)
        new = np.where(take_left, high - golden * (high - low), low + golden * (high - low))
        g_new = sign * log_ratio(mass, new)
        left, g_left, right, g_right = (
            np.where(take_left, new, right),
            np.where(take_left, g_new, g_right),
            np.where(take_left, left, new),
            np.where(take_left, g_left, g_new),
        )
    for i, m in enumerate(mass.tolist()):
        for x, g in ((left[i], g_left[i]), (right[i], g_right[i])):
            if g < 0.0:
                nodes[m].insert(float(x), float(sign[i] * g))
                break


def _assemble(
    nodes: list[_Nodes],
    log_ratio: Callable[[Index, Array], Array],
    values: Array,
    grid: Array,
    calculator: Calculator,
    confidence_level: float,
    order: int | None,
) -> RegionTable:
    """Polish every change of sign and join the edges to intervals."""
    crossings = [
        (m, i)
        for m, line in enumerate(nodes)
        if not np.isnan(line.g).any()
        for i in np.flatnonzero((line.g[:-1] > 0.0) != (line.g[1:] > 0.0)).tolist()
    ]
    mass = np.array([m for m, _ in crossings], dtype=np.intp)
    low = np.array([nodes[m].x[i] for m, i in crossings])
    high = np.array([nodes[m].x[i + 1] for m, i in crossings])
    falls = np.array([nodes[m].g[i] > 0.0 for m, i in crossings], dtype=bool)
    edges = np.empty(0)
    good = np.empty(0, dtype=bool)
    if crossings:
        # the root finder wants falling functions: mirror those that rise
        mirror = np.where(falls, 1.0, -1.0)

        def falling(t: Array, which: Index) -> Array:
            return log_ratio(mass[which], mirror[which] * t)

        first, last = np.where(falls, low, -high), np.where(falls, high, -low)
        roots = find_roots(falling, first, last, tolerance=_TOLERANCE, floor=-300.0, ceiling=300.0)
        edges, good = mirror * roots.x, roots.state == BRACKETED
    regions: list[Regions] = []
    status: list[Status] = []
    messages: list[str] = []
    for m, line in enumerate(nodes):
        mine = np.flatnonzero(mass == m)
        if np.isnan(line.g).any() or not good[mine].all():
            bad = grid[np.isnan(values[m])]
            at = f" at coupling {bad[0]:.4g}" if len(bad) else " at an edge"
            regions.append(())
            status.append(Status.FAILED)
            messages.append(f"CLs could not be computed{at}")
            continue
        intervals: list[tuple[float, float | None]] = []
        start = float(grid[0]) if line.g[0] <= 0.0 else None
        for k in mine.tolist():
            edge = float(np.exp(edges[k]))
            if falls[k]:
                start = edge
            elif start is not None:
                intervals.append((start, edge))
                start = None
        if start is not None:
            intervals.append((start, None))
        regions.append(tuple(intervals))
        if line.g[0] <= 0.0:
            status.append(Status.NOT_BRACKETED)
            messages.append(f"the smallest coupling, {grid[0]:.4g}, is already excluded")
        elif intervals:
            status.append(Status.OK)
            messages.append("")
        else:
            status.append(Status.NO_EXCLUSION)
            messages.append("no coupling of the grid is excluded")
    return RegionTable(
        calculator=calculator,
        confidence_level=confidence_level,
        couplings=grid,
        order=order,
        log_ratio=values,
        regions=tuple(regions),
        status=tuple(status),
        messages=tuple(messages),
    )


def _checked_couplings(couplings: ArrayLike) -> Array:
    grid = np.asarray(couplings, dtype=np.float64)
    if grid.ndim != 1 or len(grid) < 2:
        raise InputError("at least two couplings are needed")
    if not (np.all(np.isfinite(grid)) and grid[0] > 0.0 and np.all(np.diff(grid) > 0.0)):
        raise InputError("couplings must be positive and increasing")
    return grid
