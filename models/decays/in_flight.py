"""Decays in flight: decay lengths, and the probability to decay within a stretch of the beam line.

Distances are measured from the production point along the beam; particles are collinear with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import HBAR_C_GEV_CM
from na64.models.errors import InputError

__all__ = ["decay_length_cm", "decay_probability", "survival_probability"]


def decay_length_cm(energy_gev: ArrayLike, mass_gev: ArrayLike, width_gev: ArrayLike) -> FloatArray:
    """Return the mean decay length in the laboratory, (p/m) hbar c/Gamma.

    Parameters
    ----------
    energy_gev, mass_gev
        Energy, and mass, 0 < mass <= energy.
    width_gev
        Total width; 0 gives an infinite length in flight, infinity a length of zero.

    Returns
    -------
    ndarray
        Centimetres, of the shape to which the arguments broadcast.

    Raises
    ------
    InputError
        For a width that is negative or not a number, or an energy below the mass.
    """
    energy, mass = np.asarray(energy_gev, float), np.asarray(mass_gev, float)
    width = np.asarray(width_gev, float)
    if not (np.all(np.isfinite(mass)) and np.all(mass > 0.0)):
        raise InputError("a decay length needs a mass that is positive and finite")
    if not np.all(energy >= mass):
        raise InputError("a decay length needs an energy that is not below the mass")
    if not np.all(width >= 0.0):
        raise InputError("a decay width must not be negative")
    boost = np.sqrt((energy - mass) * (energy + mass)) / mass
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return np.asarray(np.where(boost > 0.0, boost * HBAR_C_GEV_CM / width, 0.0))


def _distance(name: str, value: float) -> float:
    if not value >= 0.0:
        raise InputError(f"{name} of a decay volume must not be negative, is {value} cm")
    return float(value)


def survival_probability(distance_cm: float, length_cm: ArrayLike) -> FloatArray:
    """Return exp(-distance/length), the probability to decay beyond a distance.

    Parameters
    ----------
    distance_cm
        Distance from the production point, 0 and above; infinity gives 0.
    length_cm
        Mean decay lengths, 0 to infinity, any shape.

    Raises
    ------
    InputError
        For a negative distance or length.
    """
    distance = _distance("the end", distance_cm)
    length = np.asarray(length_cm, float)
    if not np.all(length >= 0.0):
        raise InputError("a decay length must not be negative")
    if distance == 0.0:
        return np.ones_like(length)
    if np.isinf(distance):
        return np.where(np.isinf(length), 1.0, 0.0)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        return np.asarray(np.exp(-distance / length))


def decay_probability(start_cm: float, end_cm: float, length_cm: ArrayLike) -> FloatArray:
    """Return the probability to decay between two distances.

    exp(-start/l) (1 - exp(-(end-start)/l)), accurate for l far above and far below both.

    Parameters
    ----------
    start_cm, end_cm
        Distances of the volume's ends from the production point, 0 <= start < end; the end may
        be infinite.
    length_cm
        Mean decay lengths l, 0 to infinity, any shape.

    Returns
    -------
    ndarray
        0-1, of the shape of ``length_cm``.

    Raises
    ------
    InputError
        For a negative distance or length, or a volume without extent.
    """
    start, end = _distance("the start", start_cm), _distance("the end", end_cm)
    if not start < end:
        raise InputError(f"a decay volume must end beyond its start: {start} to {end} cm")
    length = np.asarray(length_cm, float)
    before = survival_probability(start, length)
    if np.isinf(end):
        return before
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        return np.asarray(before * -np.expm1(-(end - start) / length))
