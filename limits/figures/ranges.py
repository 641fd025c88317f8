"""Which values a figure shows if nobody says it: those of the limits, and what is near them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.figures.drawing import edges_of
from na64.limits.figures.drawn import Drawn, Kind
from na64.limits.results.limit import Limit
from na64.models.errors import InputError

__all__ = ["mass_range", "value_range"]

FloatArray = NDArray[np.float64]

#: how far what stands beside limits is followed, as factors on their smallest and largest value
_REACH: Final = (1e-2, 1e2)
#: below an alpha_D that is excluded there is nothing to see
_BELOW: Final = 0.1
#: factors on the smallest and the largest value that are left free
_MARGINS: Final = (1.0 / 3.0, 2.5)
#: factor that is left free beside points
_BESIDE: Final = 1.15
#: part of a relic target that decides: it has spikes below thresholds and dips at resonances
_TYPICAL: Final = (0.1, 0.9)


def mass_range(results: Sequence[Limit]) -> tuple[float, float]:
    """Return the ends of the axis of masses in GeV: those of the results.

    One mass or two near each other are points, not a curve: there is something beside them.
    """
    low = min(float(item.masses_gev[0]) for item in results)
    high = max(float(item.masses_gev[-1]) for item in results)
    few = all(len(item.masses_gev) <= 2 for item in results) and high <= 3.0 * low
    margin = _BESIDE if few else 1.0
    return low / margin, high * margin


def value_range(
    span: tuple[float, float],
    results: Sequence[Limit],
    things: Sequence[Drawn],
    *,
    bands: bool,
    scale: float = 1.0,
) -> tuple[float, float]:
    """Return values between which limits lie, and what stands beside them unless it is far off.

    Parameters
    ----------
    span
        Ends of the axis of masses.
    results
        Limits; where they end inside of the span counts.
    things
        From `na64.limits.figures.overlays.things_beside`, on the axis of masses.
    bands
        Whether the first limit has bands.
    scale
        Factor from GeV to the unit of the axis.

    Raises
    ------
    InputError
        If there is nothing to see.
    """
    low, high = span
    parts = []
    for item in results:
        masses, values = edges_of(item, bands=bands and item is results[0])
        parts.append(values[(scale * masses >= low) & (scale * masses <= high)])
    own = np.concatenate(parts)
    own = own[np.isfinite(own) & (own > 0.0)]
    others = np.concatenate([np.array([]), *(_seen(item, low, high) for item in things)])
    others = others[np.isfinite(others) & (others > 0.0)]
    if not own.size and not others.size:
        raise InputError(
            "nothing to draw: nothing is excluded or expected to be, at any mass that is shown"
        )
    if own.size:
        down = _BELOW if results[0].plane.excluded_below else _REACH[0]
        others = others[(others >= down * own.min()) & (others <= _REACH[1] * own.max())]
    every = np.concatenate([own, others])
    return _MARGINS[0] * float(every.min()), _MARGINS[1] * float(every.max())


def _seen(item: Drawn, low: float, high: float) -> FloatArray:
    """Return values of a thing between two masses, those at the masses among them."""
    if item.kind in (Kind.LEVEL, Kind.FLOOR):
        return item.y
    inside = item.y[(item.x >= low) & (item.x <= high)]
    if item.kind is Kind.TARGET:
        inside = inside[np.isfinite(inside)]
        return np.quantile(inside, _TYPICAL, method="nearest") if inside.size else inside
    if not np.all(np.diff(item.x) > 0.0):
        return inside
    ends = np.clip([low, high], item.x[0], item.x[-1])
    ends = ends[(ends >= low) & (ends <= high)]
    with np.errstate(invalid="ignore"):
        return np.append(inside, np.exp(np.interp(np.log(ends), np.log(item.x), np.log(item.y))))
