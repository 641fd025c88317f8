"""Rates that are never negative: a floor under what a bin expects.

Templates that are shifted by events (histosys), and samples with negative weights, can make the
background of a bin, or its signal, negative. A Poisson mean cannot be: its likelihood would grow
without bound where nothing is observed. Above a small fraction of its nominal value a part is left
exactly as it is; below, it is continued, with continuous first and second derivatives, to zero,
which it never reaches:

    part -> e g(part / e),   g(t) = t for t >= 1,   1 / (1 + (1 - t) + (1 - t)^2) below,

with e = 1e-4 of the nominal part. This is the clip of pyhf's option ``clip_bin_data`` made smooth,
and applied to the background and the signal of a bin one by one: a signal does not make a negative
background good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.interpolation import additive_shifts
from na64.limits.likelihood.model import WorkspaceModel

__all__ = ["Floor", "bins_at_risk", "floors_of", "lifted"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: fraction of the nominal part of a bin below which it is lifted
_FRACTION = 1e-4
#: keeps ratios finite where a part does not exist
_SMALLEST = 1e-290
#: where a parameter without bounds is looked at
_FARTHEST = 100.0


@dataclass(frozen=True, slots=True)
class Floor:
    """Where one part, background or signal, of some bins needs a floor.

    Attributes
    ----------
    bins
        The bins that can become negative.
    shifts
        Sum of the largest shifts of the part in these bins, the scale where nothing is nominal,
        shape (b, 1).
    """

    bins: Index
    shifts: Array

    def below(self, nominal: Array) -> Array:
        """Return the rates below which the part is lifted, from its nominal rates, (b, N)."""
        scale = np.where(nominal > 0.0, nominal, np.maximum(np.abs(nominal), self.shifts))
        return np.asarray(np.maximum(_FRACTION * scale, _SMALLEST), dtype=np.float64)


def lifted(rates: Array, below: Array) -> tuple[Array, Array, Array]:
    """Return the positive continuation of rates, and its first and second derivatives.

    Parameters
    ----------
    rates
        Of any sign, shape (b, N).
    below
        Positive rates from which on nothing is changed, broadcast with `rates`.
    """
    under = np.maximum(1.0 - rates / below, 0.0)
    # beyond this the continuation is zero to all digits that matter, and squares must not overflow
    u = np.minimum(under, 1e75)
    inverse = 1.0 / (1.0 + u + u * u)
    slope = (1.0 + 2.0 * u) * inverse * inverse
    bend = (2.0 * (1.0 + 2.0 * u) * slope - 2.0 * inverse) * inverse / below
    inside = under == 0.0
    return (
        np.where(inside, rates, below * inverse),
        np.where(inside, 1.0, slope),
        np.where(inside, 0.0, bend),
    )


def floors_of(model: WorkspaceModel) -> tuple[Floor | None, Floor | None]:
    """Return the floors of backgrounds and of signals of a model, None where none is needed."""
    answer: list[Floor | None] = []
    sizes = np.zeros(len(model.nominal))
    for shift in model.shifts:
        sizes[shift.component] += abs(shift.up) + abs(shift.down)
    for signal in (False, True):
        bins = bins_at_risk(model, signal)
        part = np.flatnonzero(model.is_signal == signal)
        shifts = np.zeros(len(model.bins))
        np.add.at(shifts, model.component_bin[part], sizes[part])
        answer.append(Floor(bins, shifts[bins][:, None]) if len(bins) else None)
    return answer[0], answer[1]


def bins_at_risk(model: WorkspaceModel, signal: bool) -> Index:
    """Find the bins whose background, or signal, can become negative within the bounds.

    Factors are positive, so that it needs a component whose nominal rate and shifts can be.
    """
    lowest = model.nominal.copy()
    if model.shifts:
        where = np.array([shift.component for shift in model.shifts], dtype=np.intp)
        np.add.at(lowest, where, _least_shifts(model))
    negative = (lowest < 0.0) & (model.is_signal == signal)
    return np.unique(model.component_bin[negative])


def _least_shifts(model: WorkspaceModel) -> Array:
    """Return the lowest value of every shift within the bounds of its parameter."""
    owners = [model.parameters[shift.parameter] for shift in model.shifts]
    low = np.maximum([p.lower for p in owners], -_FARTHEST)[:, None]
    high = np.minimum([p.upper for p in owners], _FARTHEST)[:, None]
    inside = np.broadcast_to(np.linspace(-1.0, 1.0, 41), (len(owners), 41))
    alpha = np.clip(np.concatenate([inside, low, high], axis=1), low, high)
    up = np.array([[shift.up] for shift in model.shifts])
    down = np.array([[shift.down] for shift in model.shifts])
    values, _, _ = additive_shifts(alpha, up, down, model.histosys_code)
    return np.asarray(values.min(axis=1), dtype=np.float64)
