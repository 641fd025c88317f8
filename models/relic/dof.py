"""Relativistic degrees of freedom of the early universe, from the shipped table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from na64.models.arrays import FloatArray
from na64.models.errors import InputError

__all__ = ["MAX_TEMPERATURE_GEV", "energy_dof", "entropy_dof", "sqrt_g_star"]

#: end of what the table covers; below its beginning, 1 keV, g and h are constant
MAX_TEMPERATURE_GEV: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Splines:
    """Cubic splines in ln T."""

    low: float
    g: CubicSpline
    h: CubicSpline
    sqrt_g_star: CubicSpline


@cache
def _splines() -> _Splines:
    table = resources.files("na64.models.relic") / "dof.csv"
    with table.open(encoding="utf-8") as stream:
        rows = np.loadtxt((line for line in stream if line[0].isdigit()), delimiter=",")
    log_t, g, h = np.log(rows[:, 0]), rows[:, 1], rows[:, 2]
    slope = CubicSpline(log_t, np.log(h))(log_t, 1)
    star = h / np.sqrt(g) * (1.0 + slope / 3.0)
    return _Splines(
        float(log_t[0]), CubicSpline(log_t, g), CubicSpline(log_t, h), CubicSpline(log_t, star)
    )


def _log_temperature(temperature_gev: ArrayLike, low: float) -> FloatArray:
    t = np.asarray(temperature_gev, float)
    if not np.all((t > 0.0) & (t <= MAX_TEMPERATURE_GEV * (1.0 + 1e-12))):
        raise InputError(
            f"temperature must be above 0 and at most {MAX_TEMPERATURE_GEV:g} GeV, the end of "
            "the table of degrees of freedom"
        )
    return np.asarray(np.maximum(np.log(t), low))


def energy_dof(temperature_gev: ArrayLike) -> FloatArray:
    """Return g(T) = 30 rho/(pi^2 T^4).

    Parameters
    ----------
    temperature_gev
        Photon temperature, any shape, above 0 and at most 2 GeV.

    Raises
    ------
    InputError
        Outside the table.
    """
    splines = _splines()
    return np.asarray(splines.g(_log_temperature(temperature_gev, splines.low)))


def entropy_dof(temperature_gev: ArrayLike) -> FloatArray:
    """Return h(T) = 45 s/(2 pi^2 T^3); parameters as `energy_dof`."""
    splines = _splines()
    return np.asarray(splines.h(_log_temperature(temperature_gev, splines.low)))


def sqrt_g_star(temperature_gev: ArrayLike) -> FloatArray:
    """Return sqrt(g_*) = h/sqrt(g) (1 + (dln h/dln T)/3); parameters as `energy_dof`.

    The combination in the Boltzmann equation for the yield; Gondolo and Gelmini,
    Nucl. Phys. B360, 145 (1991), eq. (2.20).
    """
    splines = _splines()
    return np.asarray(splines.sqrt_g_star(_log_temperature(temperature_gev, splines.low)))
