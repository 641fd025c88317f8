"""Electromagnetic processes of an electromagnetic cascade above about 10 MeV.

Differential rates per radiation length of the material. Bremsstrahlung and pair production:
Tsai, Rev. Mod. Phys. 46, 815 (1974), eqs. (3.9), (3.38)-(3.45) with the Coulomb correction, and
the Landau-Pomeranchuk-Migdal suppression in the parametrisation of Stanev et al., Phys. Rev. D
25, 1291 (1982), which never enhances here. Collision loss: Berger and Seltzer, ICRU report 37, with
the density effect of Sternheimer. Compton scattering (Klein-Nishina) and annihilation in flight
(Heitler) matter at the per mille level and neglect the electron mass in the energy balance.

Energies are total energies in GeV; every function broadcasts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import (
    ALPHA,
    CLASSICAL_ELECTRON_RADIUS_CM,
    ELECTRON_MASS_GEV,
    HBAR_C_GEV_CM,
)
from na64.models.materials import Material, Substance, coulomb_correction, radiation_logarithms

__all__ = ["Processes", "collision_loss_gev_cm", "lpm_functions"]

_RE2_CM2 = CLASSICAL_ELECTRON_RADIUS_CM**2
#: E_LPM = alpha m_e^2 X0/(4 pi hbar c): 7.68 TeV per cm of radiation length
_LPM_GEV_PER_CM = ALPHA * ELECTRON_MASS_GEV**2 / (4.0 * math.pi * HBAR_C_GEV_CM)


def lpm_functions(s_prime: FloatArray, z: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Migdal's xi, phi(s) and G(s) in the form of Stanev et al.

    Parameters
    ----------
    s_prime
        s' = sqrt(E_LPM k/(8 E1 E2)) with k the photon's energy and E1, E2 the electrons'.
    z
        Atomic number that sets the screening in xi.

    Returns
    -------
    tuple of ndarray
        xi in 1-2, phi and G in 0-1; all tend to 1 without suppression (large s').

    Notes
    -----
    xi is known to the leading logarithm only: with the printed one xi phi exceeds 1, by up to 2 %
    in lead about s' = 0.6, more radiation than without suppression. Here xi phi stays at 1 from
    where it gets there, which is before s = 0.57 in all elements.
    """
    log_s1 = math.log(math.sqrt(2.0) * z ** (2.0 / 3.0) / 184.15**2)
    h = np.log(np.clip(s_prime, math.exp(log_s1), 1.0)) / log_s1
    xi = 1.0 + h - 0.08 * (1.0 - h) * h * (2.0 - h) / log_s1
    s = s_prime / np.sqrt(xi)
    s2 = np.minimum(s, 10.0) ** 2
    s1 = np.minimum(s, 10.0)
    phi_low = -np.expm1(
        -6.0 * s1 * (1.0 + (3.0 - math.pi) * s1) + s1 * s2 / (0.623 + 0.796 * s1 + 0.658 * s2)
    )
    phi = np.where(s < 1.55, phi_low, 1.0 - 0.011905 / s2**2)
    psi = -np.expm1(
        -4.0 * s1 - 8.0 * s2 / (1.0 + 3.936 * s1 + 4.97 * s2 - 0.05 * s1 * s2 + 7.5 * s2**2)
    )
    g_middle = np.tanh(
        -0.160723 + 3.755030 * s1 - 1.798138 * s2 + 0.672827 * s1 * s2 - 0.120772 * s2**2
    )
    g = np.where(
        s < 0.415827, 3.0 * psi - 2.0 * phi, np.where(s < 1.9156, g_middle, 1 - 0.023065 / s2**2)
    )
    xi = np.where((s > 0.57) | (xi * phi > 1.0), 1.0 / phi, xi)
    return xi, phi, g


def collision_loss_gev_cm(energy_gev: FloatArray, substance: Substance, charge: int) -> FloatArray:
    """Return the collision stopping power of electrons (-1) or positrons (+1) in GeV/cm."""
    tau = energy_gev / ELECTRON_MASS_GEV - 1.0
    gamma = tau + 1.0
    beta2 = 1.0 - 1.0 / gamma**2
    if charge < 0:
        shape = 1.0 - beta2 + (tau**2 / 8.0 - (2.0 * tau + 1.0) * math.log(2.0)) / gamma**2
    else:
        u = 1.0 / (tau + 2.0)
        shape = 2.0 * math.log(2.0) - beta2 / 12.0 * (23.0 + u * (14.0 + u * (10.0 + 4.0 * u)))
    excitation = substance.mean_excitation_ev * 1e-9 / ELECTRON_MASS_GEV
    c, x0, x1, a, k = substance.sternheimer
    x = np.log10(np.sqrt(tau * (tau + 2.0)))
    # metals keep a density effect of about 0.1 below x0; it is beneath the floor of a cascade
    delta = np.where(x > x0, 2.0 * math.log(10.0) * x - c + a * np.maximum(0.0, x1 - x) ** k, 0.0)
    scale = 2.0 * math.pi * _RE2_CM2 * ELECTRON_MASS_GEV * substance.electron_density_cm3
    logarithm = np.log(tau**2 * (tau + 2.0) / (2.0 * excitation**2))
    return np.asarray(scale / beta2 * (logarithm + shape - delta))


@dataclass(frozen=True, slots=True)
class _Scatterer:
    """One element of one substance: what Tsai's formulae need of it."""

    z: int
    rate: float  # alpha r_e^2 n X0: dimensionless
    lpm_energy_gev: float
    elastic: float  # 4 (L_rad - f)
    inelastic: float  # 4 L'_rad


class Processes:
    """Rates of a material, per radiation length and GeV.

    Parameters
    ----------
    material
        The target; each substance has its own suppression scale, because the formation
        length of the photons that matter (micrometres) is far below any layer's thickness.
    lpm
        Whether the Landau-Pomeranchuk-Migdal suppression is applied.
    """

    def __init__(self, material: Material, *, lpm: bool = True) -> None:
        self.material = material
        self.radiation_length_cm = material.radiation_length_cm
        self._lpm = lpm
        self._electrons = (
            math.pi * _RE2_CM2 * material.electron_density_cm3 * self.radiation_length_cm
        )
        scatterers = []
        for substance, volume in material.parts:
            own_length = Material(substance.name, ((substance, 1.0),)).radiation_length_cm
            for element, density in substance.number_densities_cm3:
                elastic, inelastic = radiation_logarithms(element.z)
                scatterers.append(
                    _Scatterer(
                        element.z,
                        ALPHA * _RE2_CM2 * volume * density * self.radiation_length_cm,
                        _LPM_GEV_PER_CM * own_length,
                        4.0 * (elastic - coulomb_correction(element.z)),
                        4.0 * inelastic,
                    )
                )
        self._scatterers = tuple(scatterers)

    def _screened(
        self, momentum: FloatArray, scatterer: _Scatterer
    ) -> tuple[FloatArray, FloatArray]:
        """Tsai's screening: the main bracket and the small one (phi_1-phi_2, psi_1-psi_2).

        ``momentum`` is delta/m_e, the minimal momentum transfer m_e k/(2 E1 E2). The
        functions are shifted to the exact radiation logarithms at complete screening.
        """
        gamma = 200.0 * momentum / scatterer.z ** (1.0 / 3.0)
        epsilon = 200.0 * momentum / scatterer.z ** (2.0 / 3.0)
        phi = -2.0 * np.log1p((0.55846 * gamma) ** 2) - 4.0 * (
            1.0 - 0.6 * np.exp(-0.9 * gamma) - 0.4 * np.exp(-1.5 * gamma)
        )
        psi = -2.0 * np.log1p((3.621 * epsilon) ** 2) - 4.0 * (
            1.0 - 0.7 * np.exp(-8.0 * epsilon) - 0.3 * np.exp(-29.2 * epsilon)
        )
        z = scatterer.z
        main = z * z * (scatterer.elastic + phi) + z * (scatterer.inelastic + psi)
        small = (2.0 / 3.0) * (
            z * z / (1.0 + 6.5 * gamma + 6.0 * gamma**2)
            + z / (1.0 + 40.0 * epsilon + 400.0 * epsilon**2)
        )
        return np.maximum(main, 0.0), small

    def bremsstrahlung(self, energy_gev: FloatArray, photon_gev: FloatArray) -> FloatArray:
        """Return dN/dk per X0 of an electron of energy E for a photon of energy 0 < k < E."""
        y = photon_gev / energy_gev
        rest = energy_gev - photon_gev
        momentum = ELECTRON_MASS_GEV * photon_gev / (2.0 * energy_gev * rest)
        total = np.zeros(np.broadcast(energy_gev, photon_gev).shape)
        for scatterer in self._scatterers:
            main, small = self._screened(momentum, scatterer)
            if self._lpm:
                s_prime = np.sqrt(scatterer.lpm_energy_gev * photon_gev / (8.0 * energy_gev * rest))
                xi, phi, g = lpm_functions(s_prime, scatterer.z)
                shape = xi * (y**2 * g + 2.0 * (1.0 + (1.0 - y) ** 2) * phi) / 3.0
            else:
                shape = (4.0 - 4.0 * y + 3.0 * y**2) / 3.0
            total += scatterer.rate * (shape * main + 2.0 / 3.0 * (1.0 - y) * small)
        return np.asarray(total / photon_gev)

    def pair_production(self, photon_gev: FloatArray, positron_gev: FloatArray) -> FloatArray:
        """Return dN/dE+ per X0 of a photon of energy k for a positron of energy 0 < E+ < k."""
        x = positron_gev / photon_gev
        rest = photon_gev - positron_gev
        momentum = ELECTRON_MASS_GEV * photon_gev / (2.0 * positron_gev * rest)
        product = x * (1.0 - x)
        total = np.zeros(np.broadcast(photon_gev, positron_gev).shape)
        for scatterer in self._scatterers:
            main, small = self._screened(momentum, scatterer)
            if self._lpm:
                s_prime = np.sqrt(
                    scatterer.lpm_energy_gev * photon_gev / (8.0 * positron_gev * rest)
                )
                xi, phi, g = lpm_functions(s_prime, scatterer.z)
                shape = xi * (g + 2.0 * (1.0 - 2.0 * product) * phi) / 3.0
            else:
                shape = 1.0 - 4.0 / 3.0 * product
            total += scatterer.rate * (shape * main - 2.0 / 3.0 * product * small)
        return np.asarray(np.maximum(total, 0.0) / photon_gev)

    def compton(self, photon_gev: FloatArray, scattered_gev: FloatArray) -> FloatArray:
        """Return dN/dk' per X0 of a photon of energy k scattered to k'; the electron has k - k'."""
        ratio = scattered_gev / photon_gev
        t = ELECTRON_MASS_GEV * (1.0 - ratio) / (photon_gev * ratio)
        shape = (1.0 / ratio + ratio) * (1.0 - ratio * t * (2.0 - t) / (1.0 + ratio**2))
        rate = self._electrons * ELECTRON_MASS_GEV / photon_gev**2
        return np.asarray(np.where(t <= 2.0, rate * shape, 0.0))

    def annihilation(self, positron_gev: FloatArray, photon_gev: FloatArray) -> FloatArray:
        """Return dN/dk per X0 of a positron that annihilates in flight to photons k and E - k.

        The integral over k is the number of annihilations; the second photon has E - k, so
        the photon spectrum is the sum of this function at k and at E - k.
        """
        gamma = positron_gev / ELECTRON_MASS_GEV
        ratio = photon_gev / positron_gev
        shape = 1.0 + 2.0 * gamma / (gamma + 1.0) ** 2 - ratio - 1.0 / ((gamma + 1.0) ** 2 * ratio)
        edge = 0.5 * (1.0 - np.sqrt((gamma - 1.0) / (gamma + 1.0)))
        inside = (ratio >= edge) & (ratio <= 1.0 - edge)
        rate = self._electrons / ((gamma - 1.0) * positron_gev * ratio)
        return np.asarray(np.where(inside, rate * np.maximum(shape, 0.0), 0.0))

    def annihilation_rate(self, positron_gev: FloatArray) -> FloatArray:
        """Return the number of annihilations in flight per X0 (Heitler's total)."""
        gamma = positron_gev / ELECTRON_MASS_GEV
        root = np.sqrt(gamma**2 - 1.0)
        bracket = (gamma**2 + 4.0 * gamma + 1.0) / root**2 * np.log(gamma + root)
        return np.asarray(self._electrons / (gamma + 1.0) * (bracket - (gamma + 3.0) / root))

    def collision_loss(self, energy_gev: FloatArray, charge: int) -> FloatArray:
        """Return the mean collision loss in GeV per X0 of electrons (-1) or positrons (+1)."""
        total = np.zeros_like(energy_gev)
        for substance, volume in self.material.parts:
            total += volume * collision_loss_gev_cm(energy_gev, substance, charge)
        return total * self.radiation_length_cm
