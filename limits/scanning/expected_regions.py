"""Expected regions of two-sided searches: all bands from a few upper limits per mass.

Which couplings the median experiment excludes is asked at thousands of points of a grid, and an
expected CLs costs an ensemble at each. But the limit on the *number of signal events* depends on
how the events are shared among bins and processes alone, and that changes slowly along the
coupling. So limits in events are computed where the expected events cross the range of the bands,
their logarithm is interpolated in ln(coupling), and an edge is where events and limit are equal.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Exact
from na64.limits.calculators.status import BAND_ORDER, Regions
from na64.limits.likelihood.compiled import CompiledLikelihood
from na64.limits.scanning.regions import Signals

__all__ = ["expected_regions"]

Array = NDArray[np.float64]

#: what is used unless told otherwise
_EXACT = Exact()

#: limits in events are computed at these fractions of the lowest and highest band
_BELOW: Final = 0.7
_ABOVE: Final = 1.4
#: and at so many levels from one to the other
_LEVELS: Final = 3
#: digits of the shares of bins and processes; a limit in events moves by less than 1e-3
_DIGITS: Final = 3
#: steps of the secant towards an edge
_STEPS: Final = 4


def expected_regions(
    likelihood: CompiledLikelihood,
    signals: Signals,
    n_masses: int,
    couplings: ArrayLike,
    *,
    confidence_level: float = 0.9,
    calculator: Calculator = _EXACT,
    observed: bool = True,
) -> tuple[tuple[Regions, ...], ...]:
    """Return the expected excluded intervals of the coupling in all five bands.

    Edges agree with those of `na64.limits.scanning.regions.excluded_regions` within 1 %
    where the limit in events is smooth along the coupling. A quantile of the outer bands jumps
    where an outcome changes its rank; there it can be a few per cent off.

    Parameters
    ----------
    likelihood, signals, n_masses, couplings, confidence_level, calculator
        As in `na64.limits.scanning.regions.excluded_regions`.
    observed
        Whether the nuisance parameters are fitted to the data, as for the observed region;
        otherwise to the nominal background.

    Returns
    -------
    tuple
        For each band in `BAND_ORDER`, for each mass, the excluded intervals, lowest first; the
        upper edge None where the largest coupling is still excluded, the lower edge the
        smallest coupling where that is excluded already.
    """
    grid = np.asarray(couplings, float)
    x = np.log(grid)
    rows = np.repeat(np.arange(n_masses), len(grid))
    events = signals(rows, np.tile(grid, n_masses))
    events = events.reshape(n_masses, len(grid), *events.shape[1:])
    totals = events.sum(axis=(2, 3))

    def limits(mass: NDArray[np.intp], column: NDArray[np.intp]) -> Array:
        """ln of the limits in events, shape (5, N); infinite where there is none."""
        chosen = totals[mass, column]
        shape = events[mass, column] / np.where(chosen > 0.0, chosen, 1.0)[:, None, None]
        # Shapes that are the same to this precision are solved once. However small, a share
        # that is not zero breaks ties among outcomes and must not vanish.
        least = np.where(shape > 0.0, 0.5 * 10.0**-_DIGITS, 0.0)
        shape = np.maximum(np.round(shape, _DIGITS), least)
        shape = shape / np.maximum(shape.sum(axis=(1, 2), keepdims=True), 1e-300)
        table = upper_limits(
            likelihood.inject(shape),
            confidence_level=confidence_level,
            calculator=calculator,
            observed=observed,
        )
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(table.expected), np.log(table.expected), np.inf)

    peak = np.argmax(totals, axis=1)
    every = np.arange(n_masses)
    scale = np.exp(limits(every, peak))
    probes = [
        _probes(row, low, high)
        for row, low, high in zip(totals, scale[0] * _BELOW, scale[-1] * _ABOVE, strict=True)
    ]
    mass = np.repeat(every, [len(found) for found in probes])
    column = np.concatenate(probes) if len(mass) else np.empty(0, dtype=np.intp)
    found = limits(mass, column) if len(mass) else np.empty((len(BAND_ORDER), 0))
    with np.errstate(divide="ignore"):
        logs = np.log(totals)
    bands: list[tuple[Regions, ...]] = []
    for band in range(len(BAND_ORDER)):
        intervals: list[Regions] = []
        for m in range(n_masses):
            mine = mass == m
            if not mine.any():
                intervals.append(())
                continue
            at, values = x[column[mine]], found[band, mine]
            intervals.append(_intervals(x, logs[m], at, values, signals, m))
        bands.append(tuple(intervals))
    return tuple(bands)


def _probes(totals: Array, low: float, high: float) -> NDArray[np.intp]:
    """Columns next to where the events cross the range from ``low`` to ``high``."""
    columns: set[int] = set()
    if not np.isfinite(high):  # no events anywhere, and no limit
        return np.empty(0, dtype=np.intp)
    for level in np.geomspace(low, high, _LEVELS):
        above = totals > level
        for at in np.flatnonzero(above[1:] != above[:-1]).tolist():
            # the inner one, which has events
            columns.add(at + 1 if above[at + 1] else at)
    if totals.max() > low:
        columns.add(int(np.argmax(totals)))
        columns.update(k for k in (0, len(totals) - 1) if totals[k] > low)
    return np.array(sorted(columns), dtype=np.intp)


def _intervals(
    x: Array, logs: Array, at: Array, limits: Array, signals: Signals, mass: int
) -> Regions:
    """Join the edges of one mass and band."""

    def excess(position: Array) -> Array:
        events = signals(np.full(len(position), mass), np.exp(position)).sum(axis=(1, 2))
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(events) - np.interp(position, at, limits))

    g = np.maximum(logs - np.interp(x, at, limits), -50.0)
    excluded = g >= 0.0
    changes = np.flatnonzero(excluded[1:] != excluded[:-1])
    low, high = x[changes].copy(), x[changes + 1].copy()
    g_low, g_high = g[changes].copy(), g[changes + 1].copy()
    edge = 0.5 * (low + high)
    for _ in range(_STEPS if len(changes) else 0):
        edge = low - g_low * (high - low) / (g_high - g_low)
        value = np.maximum(excess(edge), -50.0)
        same = (value >= 0.0) == (g_low >= 0.0)
        low, g_low = np.where(same, edge, low), np.where(same, value, g_low)
        high, g_high = np.where(same, high, edge), np.where(same, g_high, value)
    start = float(np.exp(x[0])) if excluded[0] else None
    result: list[tuple[float, float | None]] = []
    for position, entering in zip(edge.tolist(), (~excluded[changes]).tolist(), strict=True):
        if entering:
            start = float(np.exp(position))
        elif start is not None:
            result.append((start, float(np.exp(position))))
            start = None
    if start is not None:
        result.append((start, None))
    return tuple(result)
