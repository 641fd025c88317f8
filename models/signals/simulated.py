"""Numbers from a simulation, efficiencies or yields, between the points that it was run at.

ln(value) is interpolated in ln(mass), and in ln(coupling) where values depend on it, by the cubics
of `EventCurves`: exact for powers. Between two points of which one has no events there are none, so
that nothing reaches across a threshold, and outside of the points there is no value.

What is not known of a value has two parts. Its statistical error is that of the simulated events
around it. The interpolation is as far off as cubics and straight lines differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.arrays import FloatArray
from na64.models.errors import InputError
from na64.models.signals.rates import EventCurves

__all__ = ["SimulatedGrid", "SimulatedValues"]

#: points of a grid are met within this, relatively: far below any meaning, above rounding
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True)
class SimulatedValues:
    """Values at some masses and couplings with what is not known of them.

    Attributes
    ----------
    values
        Shape (N, K): mass, coupling.
    up, down
        Statistical error: ln of the upper end over the value, and of the value over the lower end,
        each one standard deviation, shape (N, K); 0 where there is no value.
    spread
        |ln(cubics / straight lines)|, the error of the interpolation, shape (N, K).
    """

    values: FloatArray
    up: FloatArray
    down: FloatArray
    spread: FloatArray


@dataclass(frozen=True, slots=True)
class SimulatedGrid:
    """Values on a grid of masses and couplings.

    Attributes
    ----------
    masses_gev
        Increasing, shape (M,).
    couplings
        Increasing, shape (C,); empty where values do not depend on the coupling, and C = 1 then.
    values
        Not negative, shape (M, C).
    up, down
        Statistical errors as in `SimulatedValues`, shape (M, C).
    """

    masses_gev: FloatArray
    couplings: FloatArray
    values: FloatArray
    up: FloatArray
    down: FloatArray

    def at(self, masses_gev: ArrayLike, couplings: ArrayLike | None = None) -> SimulatedValues:
        """Return the values at N masses and K couplings.

        Parameters
        ----------
        masses_gev
            Shape (N,), within the grid.
        couplings
            Shape (K,), within the grid; needed, and used, where values depend on the coupling.

        Raises
        ------
        InputError
            For a mass or coupling outside of the grid, which is named.
        """
        masses = _inside("mass", np.atleast_1d(np.asarray(masses_gev, float)), self.masses_gev)
        first = _along(
            self.masses_gev, SimulatedValues(self.values, self.up, self.down, 0.0 * self.up), masses
        )
        if not len(self.couplings):
            return first
        if couplings is None:
            raise InputError("values depend on the coupling, and none is given")
        wanted = _inside("coupling", np.atleast_1d(np.asarray(couplings, float)), self.couplings)
        turned = SimulatedValues(first.values.T, first.up.T, first.down.T, first.spread.T)
        found = _along(self.couplings, turned, wanted)
        return SimulatedValues(found.values.T, found.up.T, found.down.T, found.spread.T)


def _inside(kind: str, wanted: FloatArray, points: FloatArray) -> FloatArray:
    """Return what is asked for, points where it is at them; refuse what is outside."""
    low, high = float(points[0]), float(points[-1])
    outside = (wanted < low * (1.0 - _SAME)) | (wanted > high * (1.0 + _SAME))
    if np.any(outside):
        unit = " GeV" if kind == "mass" else ""
        covers = f"{low:g}-{high:g}" if len(points) > 1 else f"{low:g} alone"
        raise InputError(
            f"{kind} {float(wanted[outside][0]):.6g}{unit} is outside the simulation, which covers "
            f"{covers}{unit}; nothing is extrapolated"
        )
    nearest = points[np.abs(np.log(wanted[:, None] / points)).argmin(axis=1)]
    return np.where(np.abs(wanted / nearest - 1.0) <= _SAME, nearest, wanted)


def _along(points: FloatArray, given: SimulatedValues, wanted: FloatArray) -> SimulatedValues:
    """Interpolate along the first axis, from points (n,) to what is wanted (k,), inside them."""
    if len(points) == 1:
        rows = np.zeros(len(wanted), dtype=np.intp)
        return SimulatedValues(
            given.values[rows], given.up[rows], given.down[rows], given.spread[rows]
        )
    nodes = np.log(points)
    curves = EventCurves.through(points, given.values[None])
    values = curves(np.zeros(len(wanted), dtype=np.intp), wanted)
    place = np.clip(np.searchsorted(points, wanted, "right") - 1, 0, len(points) - 2)
    width = nodes[place + 1] - nodes[place]
    t = ((np.log(wanted) - nodes[place]) / width)[:, None]
    # a point is itself, whatever its logarithm is rounded to
    t = np.where((wanted == points[place])[:, None], 0.0, t)
    t = np.where((wanted == points[place + 1])[:, None], 1.0, t)
    lone = np.where(t == 0.0, given.values[place], given.values[place + 1])
    values = np.where((t == 0.0) | (t == 1.0), lone, values)
    some = values > 0.0

    def in_quadrature(errors: FloatArray) -> FloatArray:
        parts = np.hypot((1.0 - t) * errors[place], t * errors[place + 1])
        return np.where(some, parts, 0.0)

    across = (1.0 - t) * given.spread[place] + t * given.spread[place + 1]
    spread = np.hypot(_spread(given.values, place, t, values), across)
    return SimulatedValues(
        values,
        in_quadrature(given.up),
        in_quadrature(given.down),
        np.where(some, spread, 0.0),
    )


def _spread(
    nodes: FloatArray, place: NDArray[np.intp], t: FloatArray, values: FloatArray
) -> FloatArray:
    """Return |ln(cubic / straight line)|; between two points that stand alone, of two lines.

    These are straight in ln(value) and in the value itself: a cubic through two points is the first
    of them, and says nothing.
    """
    alive = nodes > 0.0
    both = alive[place] & alive[place + 1]
    below, above = nodes[place], nodes[place + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        straight = (1.0 - t) * np.log(below) + t * np.log(above)
        curved = np.log(values)
        arithmetic = np.log((1.0 - t) * below + t * above)
    edge = np.zeros((1, nodes.shape[1]), dtype=bool)
    padded = np.concatenate([edge, alive, edge])
    neighbours = padded[place] | padded[place + 3]
    inner = both & (t > 0.0) & (t < 1.0)
    other = np.where(neighbours, curved, arithmetic)
    return np.asarray(np.abs(np.where(inner, other, 0.0) - np.where(inner, straight, 0.0)))
