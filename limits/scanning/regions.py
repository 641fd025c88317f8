"""Two-sided exclusion: the intervals of the coupling that are excluded at each mass.

Where the signal is not a power of the coupling (decays in flight: at large couplings the
particle decays in the target) a search excludes couplings between two edges, at some masses in
several separate intervals, at others nowhere. Edges are found where the expected events cross the
observed limit in events; then they are polished by the CLs of the signal itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Auto
from na64.limits.calculators.roots import BRACKETED, find_roots
from na64.limits.calculators.status import Regions, Status
from na64.limits.calculators.table import check_confidence_level
from na64.limits.likelihood.compiled import CompiledLikelihood
from na64.limits.scanning.crossings import Crossings, Signals, find_crossings
from na64.models.errors import InputError
from na64.models.signals.rates import checked_couplings

__all__ = ["RegionTable", "check_smooth", "excluded_regions"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
#: what is used unless told otherwise
_AUTO: Final = Auto()

#: tolerance of an edge in ln(coupling)
_TOLERANCE: Final = 1e-6
#: digits of the shares of bins and processes: as good as exact
_DIGITS: Final = 12
#: how far from the interpolated crossing CLs is looked at first
_CLOSE: Final = 1e-4
#: ln(CLs / alpha) is kept within this range
_DEPTH: Final = 30.0


@dataclass(frozen=True, slots=True)
class RegionTable:
    """Excluded intervals of the coupling for M masses.

    Attributes
    ----------
    regions
        Per mass the excluded intervals, lowest first; disjoint ones are separate. The upper
        edge is None where the largest coupling is still excluded.
    status
        ok; no-exclusion (nothing on the grid is excluded); not-bracketed (the smallest coupling
        is already excluded, the lower edge is outside the grid); failed.
    messages
        What went wrong, one per mass.
    """

    regions: tuple[Regions, ...]
    status: tuple[Status, ...]
    messages: tuple[str, ...]


def check_smooth(calculator: Calculator, whose: str = "") -> Calculator:
    """Return the method without statistical noise; refuse one that has it: there are no edges."""
    found = calculator.noiseless
    if found is None:
        raise InputError(
            f"{whose}regions need a method without statistical noise, not '{calculator.name}'"
        )
    return found


def excluded_regions(
    likelihood: CompiledLikelihood,
    signals: Signals,
    n_masses: int,
    couplings: ArrayLike,
    *,
    confidence_level: float = 0.9,
    calculator: Calculator = _AUTO,
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
        if ln(events / limit) bends towards it.
    confidence_level
        Between 0 and 1.
    calculator
        One without noise, which has no edges.
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
    grid = checked_couplings(couplings)
    calculator = check_smooth(calculator)
    x = np.log(grid)

    def limits(events: Array) -> Array:
        table = upper_limits(
            likelihood.inject(events),
            confidence_level=confidence_level,
            calculator=calculator,
            expected=False,
            counts=counts,
        )
        failed = [status is Status.FAILED for status in table.status]
        found = np.where(np.isfinite(table.observed), np.log(table.observed), np.inf)
        return np.where(failed, np.nan, found)[None, :]

    def log_ratio(mass: Index, at: Array) -> Array:
        """ln(CLs / alpha) of a signal itself, negative where it is excluded."""
        batch = likelihood.inject(signals(mass, np.exp(at)))
        found = cls_values(batch, 1.0, calculator=calculator, counts=counts)
        cls = found.observed
        if found.too_small is not None:  # more signal in the data than is tested excludes nothing
            cls = np.where(found.too_small, 1.0, cls)
        with np.errstate(divide="ignore"):
            return np.asarray(np.clip(np.log(cls / alpha), -_DEPTH, _DEPTH))

    crossings = find_crossings(signals, n_masses, x, limits, digits=_DIGITS)
    way = np.sign(crossings.inside - crossings.outside)

    def falling(step: Array, which: Index) -> Array:
        at = crossings.at[which] + way[which] * step
        return log_ratio(crossings.mass[which], np.clip(at, x[0], x[-1]))

    edges, good = crossings.at, np.ones(len(way), dtype=bool)
    if len(way):
        close, far = np.full(len(way), _CLOSE), float(np.diff(x).max())
        roots = find_roots(falling, -close, close, tolerance=_TOLERANCE, floor=-far, ceiling=far)
        edges = crossings.at + way * roots.x
        good = roots.state == BRACKETED
    return _table(crossings, edges, good, grid)


def _table(crossings: Crossings, edges: Array, good: NDArray[np.bool_], grid: Array) -> RegionTable:
    """Say how each mass fared."""
    (regions,) = crossings.regions(grid, edges)
    found, status, messages = [], [], []
    for m, intervals in enumerate(regions):
        polished = bool(good[crossings.mass == m].all())
        state, message = Status.OK, ""
        if crossings.failed[0, m] or not polished:
            where = "an edge" if not polished else "a coupling"
            state, message = Status.FAILED, f"CLs could not be computed at {where}"
        elif crossings.starts[0, m]:
            state = Status.NOT_BRACKETED
            message = f"the smallest coupling, {grid[0]:.4g}, is already excluded"
        elif not intervals:
            state, message = Status.NO_EXCLUSION, "no coupling of the grid is excluded"
        found.append(() if state is Status.FAILED else intervals)
        status.append(state)
        messages.append(message)
    return RegionTable(tuple(found), tuple(status), tuple(messages))
