"""Planes of dark-matter searches: limits and thermal targets as arrays in y and g.

Pure functions on arrays: they take couplings, excluded or thermal, and return a `PlaneCurve`. NaN
stands for "no limit at this mass" and stays NaN. Where a limit itself depends on alpha_D or on the
spin of dark matter (resonant annihilation), the caller must bring limits computed for
them: nothing is rescaled here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.errors import InputError, unknown_name
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.relic.targets import OMEGA_H2, ThermalTarget, thermal_target

__all__ = [
    "Normalisation",
    "PlaneCurve",
    "check_limits",
    "coupling_from_y",
    "describe_sector",
    "find_normalisation",
    "limit_in_g",
    "limit_in_y",
    "solved_coupling",
    "thermal_in_coupling",
    "thermal_in_y",
    "y_definition",
    "y_from_coupling",
]

FloatArray = NDArray[np.float64]


class Normalisation(StrEnum):
    """What y means; both have (m_chi/m_mediator)^4.

    ``alpha-d``: coupling^2 alpha_D, with epsilon the y of the dark photon. ``product``:
    (g_chi g)^2, as in the figures of muon-philic mediators; 4 pi larger for the same g.
    """

    ALPHA_D = "alpha-d"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class PlaneCurve:
    """A line in a plane.

    Attributes
    ----------
    x
        Masses in GeV, shape (M,).
    y
        Values, shape (..., M); NaN where there is no limit.
    x_name, y_name
        Names of the axes; ``y_name`` states the normalisation. Masses are in GeV, y is a number.
    assumptions
        What the numbers hold for, one line.
    notes
        Caveats, sentences for people.
    """

    x: FloatArray
    y: FloatArray
    x_name: str
    y_name: str
    assumptions: str
    notes: tuple[str, ...] = ()


def describe_sector(sector: DarkSector) -> str:
    """Return the species and its parameters in a few words."""
    text = f"{sector.species.value}, alpha_D = {sector.alpha_d:g}"
    text += f", m_mediator = {sector.ratio:g} m_chi"
    return text + (f", splitting {sector.splitting:g}" if sector.splitting else "")


def find_normalisation(name: str) -> Normalisation:
    """Return the normalisation of a name, or raise InputError with the nearest match."""
    try:
        return Normalisation(name)
    except ValueError:
        raise unknown_name("normalisation", name, [item.value for item in Normalisation]) from None


def y_definition(normalisation: Normalisation, parameter: str = "coupling") -> str:
    """Return the formula of y in ASCII, with the name of the coupling."""
    if normalisation is Normalisation.PRODUCT:
        return f"y = (g_chi {parameter})^2 (m_chi/m_mediator)^4"
    return f"y = {parameter}^2 alpha_D (m_chi/m_mediator)^4"


def _factor(sector: DarkSector, normalisation: Normalisation) -> float:
    factor = sector.alpha_d / sector.ratio**4
    return 4.0 * math.pi * factor if normalisation is Normalisation.PRODUCT else factor


def y_from_coupling(
    coupling: ArrayLike,
    sector: DarkSector,
    normalisation: Normalisation = Normalisation.ALPHA_D,
) -> FloatArray:
    """Return y of a coupling, any shape.

    Examples
    --------
    >>> sector = DarkSector(alpha_d=0.1, ratio=3.0)
    >>> float(y_from_coupling(1e-4, sector))  # doctest: +ELLIPSIS
    1.23...e-11
    """
    return np.asarray(np.asarray(coupling, float) ** 2 * _factor(sector, normalisation))


def coupling_from_y(
    y: ArrayLike, sector: DarkSector, normalisation: Normalisation = Normalisation.ALPHA_D
) -> FloatArray:
    """Return the coupling of a y, any shape; the inverse of `y_from_coupling`."""
    return np.asarray(np.sqrt(np.asarray(y, float) / _factor(sector, normalisation)))


def check_limits(masses_gev: ArrayLike, limit: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return masses (M,) and limits (..., M) as arrays, or raise InputError if they cannot be."""
    masses, values = np.atleast_1d(np.asarray(masses_gev, float)), np.asarray(limit, float)
    if masses.ndim != 1 or values.ndim == 0 or values.shape[-1] != masses.size:
        raise InputError(
            f"limits need one value per mass, are {values.shape} for {masses.size} masses"
        )
    if not np.all(np.isfinite(masses) & (masses > 0.0)):
        raise InputError("masses must be positive and finite")
    if np.any(values <= 0.0):
        raise InputError("limits on a coupling must be positive, or NaN for none")
    return masses, values


def limit_in_y(
    mediator_masses_gev: ArrayLike,
    limit: ArrayLike,
    sector: DarkSector,
    *,
    normalisation: Normalisation = Normalisation.ALPHA_D,
    parameter: str = "epsilon",
) -> PlaneCurve:
    """Return a limit on the coupling as a limit on y against m_chi.

    Parameters
    ----------
    mediator_masses_gev
        Masses of the mediator, shape (M,); m_chi is that over the ratio.
    limit
        Upper limits on the free coupling, shape (..., M), made with this alpha_D and species.
    sector
        Dark sector the limit was made for.
    normalisation, parameter
        What y means, and the coupling's name on the axis.

    Raises
    ------
    InputError
        If shapes do not fit or a number is not positive.
    """
    masses, values = check_limits(mediator_masses_gev, limit)
    return PlaneCurve(
        x=masses / sector.ratio,
        y=y_from_coupling(values, sector, normalisation),
        x_name="m_chi",
        y_name=y_definition(normalisation, parameter),
        assumptions=describe_sector(sector),
    )


def limit_in_g(
    mediator: Mediator, mediator_masses_gev: ArrayLike, limit: ArrayLike, fermion: str = "e"
) -> PlaneCurve:
    """Return a limit on the free coupling as one on the coupling g_f to a fermion.

    Parameters
    ----------
    mediator
        Gives g_f per unit of the free coupling, on the mass shell: epsilon e for a dark photon.
    mediator_masses_gev
        Shape (M,).
    limit
        Upper limits on the free coupling, shape (..., M).
    fermion
        As in `Mediator.coupling`.
    """
    masses, values = check_limits(mediator_masses_gev, limit)
    unit = np.abs(mediator.coupling(fermion, masses**2))
    if not np.all(unit > 0.0):
        raise InputError(f"{mediator.name} does not couple to {fermion}")
    return PlaneCurve(
        masses, values * unit, "m_mediator", f"g_{fermion}", f"{mediator.name}, on the mass shell"
    )


def thermal_in_y(
    mediator: Mediator,
    sector: DarkSector,
    masses_gev: ArrayLike,
    *,
    normalisation: Normalisation = Normalisation.ALPHA_D,
    omega_h2: float = OMEGA_H2,
) -> PlaneCurve:
    """Return the line of the observed abundance, y against m_chi.

    Parameters
    ----------
    mediator, sector
        Portal and dark matter.
    masses_gev
        m_chi, shape (M,).
    normalisation
        What y means.
    omega_h2
        Abundance.

    Raises
    ------
    InputError
        As `na64.models.relic.targets.thermal_target`.
    """
    target = thermal_target(mediator, sector, masses_gev, omega_h2=omega_h2)
    return PlaneCurve(
        x=target.masses_gev,
        y=y_from_coupling(solved_coupling(target), sector, normalisation),
        x_name="m_chi",
        y_name=y_definition(normalisation, target.parameter),
        assumptions=describe_sector(sector),
        notes=target.notes,
    )


def thermal_in_coupling(
    mediator: Mediator,
    sector: DarkSector,
    mediator_masses_gev: ArrayLike,
    *,
    omega_h2: float = OMEGA_H2,
) -> PlaneCurve:
    """Return the line of the observed abundance, coupling against the mediator's mass."""
    masses = np.atleast_1d(np.asarray(mediator_masses_gev, float))
    target = thermal_target(mediator, sector, masses / sector.ratio, omega_h2=omega_h2)
    return PlaneCurve(
        x=masses,
        y=solved_coupling(target),
        x_name="m_mediator",
        y_name=target.parameter,
        assumptions=describe_sector(sector),
        notes=target.notes,
    )


def solved_coupling(target: ThermalTarget) -> FloatArray:
    """Return thermal couplings with NaN, as in every plane, where there is none."""
    return np.asarray(np.where(np.isfinite(target.coupling), target.coupling, np.nan))
