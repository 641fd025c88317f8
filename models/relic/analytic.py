r"""Freeze-out in closed form: velocity expansion and the Kolb-Turner solution.

<sigma v>_eff = sigma_0 x^-n, c = ln[0.038 (n+1) g M_Pl m sigma_0/sqrt(g_*)],
x_f = c - (n + 1/2) ln c, Omega h^2 = 1.07e9 GeV^-1 (n+1) x_f^(n+1)/(sqrt(g_*) M_Pl sigma_0)

(Kolb and Turner, The Early Universe, section 5.2; used for NA64 by Gninenko, Krasnikov and
Matveev, arXiv:2003.07257). Good to tens of per cent away from the resonance and from
thresholds: a cross-check and a starting value, not a prediction.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import PLANCK_MASS_GEV
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.relic.dof import MAX_TEMPERATURE_GEV, energy_dof, entropy_dof
from na64.models.relic.thermal_average import visible_width_gev

__all__ = ["analytic_log_omega", "analytic_target", "partial_wave", "velocity_coefficient"]

_KOLB_TURNER: Final = 1.07e9  # GeV^-1
_ITERATIONS: Final = 30


def partial_wave(sector: DarkSector) -> int:
    """Return n of <sigma v> ~ x^-n: 1 for complex scalar and Majorana (p-wave), else 0."""
    return 1 if sector.species in (DarkMatter.SCALAR, DarkMatter.MAJORANA) else 0


def velocity_coefficient(
    mediator: Mediator, sector: DarkSector, masses_gev: FloatArray, *, neutrinos: bool = True
) -> FloatArray:
    """Return sigma_0 of <sigma v>_eff = sigma_0 x^-n at unit coupling, in GeV^-2.

    k pi alpha_D m Gamma_f(2m)/(4 m^2 - M^2)^2 with k = 12 for complex scalar, 24 for Majorana,
    12 for Dirac and pseudo-Dirac (whose splitting is ignored), from the cross-section of
    `na64.models.relic.thermal_average` at low velocity; with or without final neutrinos.
    """
    factor = 24.0 if sector.species is DarkMatter.MAJORANA else 12.0
    width = visible_width_gev(mediator, 2.0 * masses_gev, neutrinos=neutrinos)
    pole = masses_gev**4 * (4.0 - sector.ratio**2) ** 2
    return np.asarray(factor * np.pi * sector.alpha_d * masses_gev * width / pole)


def _states(sector: DarkSector) -> float:
    return 2.0 if sector.species in (DarkMatter.SCALAR, DarkMatter.MAJORANA) else 4.0


def analytic_log_omega(
    sigma_0: FloatArray, sector: DarkSector, masses_gev: FloatArray
) -> FloatArray:
    """Return ln(Omega h^2) for the coefficient ``sigma_0`` of the low-velocity expansion."""
    n = partial_wave(sector)
    x_freeze = np.full_like(masses_gev, 15.0)
    for _ in range(_ITERATIONS):
        # a vanishing cross-section has no freeze-out within the table, and no relic of interest
        temperature = np.minimum(masses_gev / x_freeze, MAX_TEMPERATURE_GEV)
        g, h = energy_dof(temperature), entropy_dof(temperature)
        argument = 0.038 * (n + 1) * _states(sector) * PLANCK_MASS_GEV * masses_gev * sigma_0
        # above e^4 the formula holds; below, dark matter never was in equilibrium
        c = np.maximum(np.log(argument / np.sqrt(g)), 4.0)
        x_freeze = c - (n + 0.5) * np.log(c)
    star = h / np.sqrt(g)
    return np.asarray(
        np.log(_KOLB_TURNER * (n + 1) / (PLANCK_MASS_GEV * star * sigma_0))
        + (n + 1) * np.log(x_freeze)
    )


def analytic_target(
    mediator: Mediator, sector: DarkSector, masses_gev: FloatArray, omega_h2: float
) -> FloatArray:
    """Return the coupling that gives ``omega_h2``; infinite where annihilation is closed."""
    unit = velocity_coefficient(mediator, sector, masses_gev)
    is_open = unit > 0.0
    safe = np.where(is_open, unit, 1.0)
    # Omega falls as 1/sigma_0 but for the slow x_f: a fixed point is reached in a few steps
    log_sigma = np.full_like(masses_gev, np.log(1e-8))
    for _ in range(_ITERATIONS):
        omega = analytic_log_omega(np.exp(log_sigma), sector, masses_gev)
        log_sigma += omega - np.log(omega_h2)
    return np.asarray(np.where(is_open, np.sqrt(np.exp(log_sigma) / safe), np.inf))
