"""Energy that a muon loses at once: knock-on electrons, bremsstrahlung, pairs, nuclei.

Spectra of single losses per nucleus, d sigma/d epsilon with epsilon the lost energy, for muons of
1 to 1000 GeV. With E the energy of the muon, M its mass, m the electron's and v = epsilon/E:

* knock-on electrons, with the photons that electron and muon radiate then (Kelner, Kokoulin and
  Petrukhin, Phys. Atom. Nucl. 60, 576 (1997));
* bremsstrahlung off the nucleus, with its size and excitation, and off the atomic electrons
  (Kelner, Kokoulin and Petrukhin, preprint MEPhI 024-95);
* e+ e- pairs (Kokoulin and Petrukhin, 12th ICRC, 2436 (1971); electrons: Kelner, preprint MEPhI
  015-97);
* inelastic scattering off nuclei (Borog and Petrukhin, 14th ICRC, 1949 (1975); photons: Caldwell et
  al., Phys. Rev. Lett. 42, 553 (1979)).

All are the choices of Groom, Mokhov and Striganov, At. Data Nucl. Data Tables 78, 183 (2001).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import (
    ALPHA,
    CLASSICAL_ELECTRON_RADIUS_CM,
    ELECTRON_MASS_GEV,
    MUON_MASS_GEV,
    PROTON_MASS_GEV,
)
from na64.models.materials import Element
from na64.models.production.quadrature import unit_nodes

__all__ = [
    "RADIATION",
    "bremsstrahlung",
    "knock_on",
    "largest_knock_on",
    "nuclear",
    "pair_production",
]

#: d sigma/d epsilon in cm^2/GeV of (energy in GeV, lost energy in GeV, element), broadcasting
LossSpectrum = Callable[[FloatArray, FloatArray, Element], FloatArray]

_RATIO: Final = MUON_MASS_GEV / ELECTRON_MASS_GEV
_SQRT_E: Final = math.sqrt(math.e)
# the asymmetry of a pair: 1 - rho is integrated in its logarithm
_ASYMMETRIES: Final = 12


def largest_knock_on(energy_gev: FloatArray) -> FloatArray:
    """Return the largest energy that a muon gives to an electron at rest, GeV."""
    gamma = energy_gev / MUON_MASS_GEV
    slow = 1.0 + 2.0 * gamma / _RATIO + _RATIO**-2
    return np.asarray(2.0 * ELECTRON_MASS_GEV * (gamma**2 - 1.0) / slow)


def knock_on(energy_gev: FloatArray, loss_gev: FloatArray, element: Element) -> FloatArray:
    """Return the spectrum of losses to single electrons, far above their binding energies.

    Parameters
    ----------
    energy_gev, loss_gev
        Energy of the muon and what it loses, GeV, arrays that broadcast.
    element
        What it meets.

    Returns
    -------
    ndarray
        cm^2/GeV per atom; zero beyond `largest_knock_on`.
    """
    beta2 = 1.0 - (MUON_MASS_GEV / energy_gev) ** 2
    share = loss_gev / largest_knock_on(energy_gev)
    left = np.maximum(energy_gev - loss_gev, MUON_MASS_GEV)
    spectrum = (1.0 - beta2 * share + 0.5 * (loss_gev / energy_gev) ** 2) / (beta2 * loss_gev**2)
    soft = np.log1p(2.0 * loss_gev / ELECTRON_MASS_GEV)
    hard = np.log(4.0 * energy_gev * left / MUON_MASS_GEV**2)
    radiated = 1.0 + 0.5 * ALPHA / math.pi * soft * (hard - soft)
    scale = 2.0 * math.pi * CLASSICAL_ELECTRON_RADIUS_CM**2 * ELECTRON_MASS_GEV * element.z
    return np.asarray(np.where(share < 1.0, scale * spectrum * radiated, 0.0))


def bremsstrahlung(energy_gev: FloatArray, loss_gev: FloatArray, element: Element) -> FloatArray:
    """Return the spectrum of photons; parameters and result as of `knock_on`."""
    energy, loss = np.broadcast_arrays(energy_gev, loss_gev)
    v = loss / energy
    inside = loss < energy - MUON_MASS_GEV
    left = np.where(inside, energy - loss, energy)
    transfer = 0.5 * MUON_MASS_GEV**2 * v / left  # the smallest
    z, hydrogen = element.z, element.z == 1
    third = z ** (1.0 / 3.0)
    of_nucleus = (202.4 if hydrogen else 182.7) / third
    of_electrons = (446.0 if hydrogen else 1429.0) / third**2
    # size of the nucleus; the power is its excitation
    size = (1.54 * element.a**0.27) ** (1.0 if hydrogen else 1.0 - 1.0 / z)
    screening = ELECTRON_MASS_GEV + _SQRT_E * transfer * of_nucleus
    finite = MUON_MASS_GEV + transfer * (size * _SQRT_E - 2.0)
    nucleus = np.log(of_nucleus * finite / (size * screening))
    recoil = 1.0 + transfer * _RATIO / (ELECTRON_MASS_GEV * _SQRT_E)
    screened = ELECTRON_MASS_GEV + _SQRT_E * transfer * of_electrons
    electrons = np.log(of_electrons * MUON_MASS_GEV / (recoil * screened))
    hardest = energy / (1.0 + 0.5 * MUON_MASS_GEV * _RATIO / energy)
    electrons = np.where(loss < hardest, np.maximum(electrons, 0.0), 0.0)
    logarithms = z * (z * np.maximum(nucleus, 0.0) + electrons)
    scale = 4.0 * ALPHA * (CLASSICAL_ELECTRON_RADIUS_CM / _RATIO) ** 2
    shape = (4.0 / 3.0) * (1.0 - v) + v**2
    return np.asarray(np.where(inside, scale * shape * logarithms / loss, 0.0))


def _electron_share(energy: FloatArray, element: Element) -> FloatArray:
    """Return zeta of Z (Z + zeta): pairs made off atomic electrons."""
    third = element.z ** (1.0 / 3.0)
    slow, fast = (4.4e-5, 4.8e-5) if element.z == 1 else (1.95e-5, 5.3e-5)
    gamma = energy / MUON_MASS_GEV
    above = 0.073 * np.log(gamma / (1.0 + slow * third**2 * gamma)) - 0.26
    below = 0.058 * np.log(gamma / (1.0 + fast * third * gamma)) - 0.14
    return np.asarray(np.where(above > 0.0, above / np.where(above > 0.0, below, 1.0), 0.0))


def _of_electron(xi: FloatArray, beta: FloatArray, rho2: FloatArray) -> FloatArray:
    """B_e, which vanishes with 1/xi."""
    full = (
        ((2.0 + rho2) * (1.0 + beta) + xi * (3.0 + rho2)) * np.log1p(1.0 / xi)
        + (1.0 - rho2 - beta) / (1.0 + xi)
        - (3.0 + rho2)
    )
    large = 0.5 * ((3.0 - rho2) + 2.0 * beta * (1.0 + rho2)) / xi
    return np.asarray(np.where(xi > 1e3, large, full))


def _of_muon(xi: FloatArray, beta: FloatArray, rho2: FloatArray) -> FloatArray:
    """B_mu, which vanishes with xi."""
    twice = (1.0 + 2.0 * beta) * (1.0 - rho2)
    full = (
        ((1.0 + rho2) * (1.0 + 1.5 * beta) - twice / xi) * np.log1p(xi)
        + xi * (1.0 - rho2 - beta) / (1.0 + xi)
        + twice
    )
    small = 0.5 * xi * (5.0 - rho2 + beta * (3.0 + rho2))
    return np.asarray(np.where(xi < 1e-3, small, full))


def _pairs(v: FloatArray, rho2: FloatArray, energy: FloatArray, z: int) -> FloatArray:
    """Phi_e + (m/M)^2 Phi_mu at an asymmetry rho."""
    third = z ** (1.0 / 3.0)
    radiation = (202.4 if z == 1 else 183.0) / third
    beta = 0.5 * v**2 / (1.0 - v)
    xi = (0.5 * _RATIO * v) ** 2 * (1.0 - rho2) / (1.0 - v)
    y_electron = 1.0 + (5.0 - rho2 + 4.0 * beta * (1.0 + rho2)) / (
        2.0 * (1.0 + 3.0 * beta) * np.log(3.0 + 1.0 / xi) - rho2 - 2.0 * beta * (2.0 - rho2)
    )
    y_muon = 1.0 + (4.0 + rho2 + 3.0 * beta * (1.0 + rho2)) / (
        (1.0 + rho2) * (1.5 + 2.0 * beta) * np.log(3.0 + xi) + 1.0 - 1.5 * rho2
    )
    screening = (
        2.0 * ELECTRON_MASS_GEV * _SQRT_E * radiation * (1.0 + xi) / (energy * v * (1.0 - rho2))
    )
    size = (1.5 * third / _RATIO) ** 2 * (1.0 + xi) * y_electron
    of_electron = np.log(
        radiation * np.sqrt((1.0 + xi) * y_electron) / (1.0 + screening * y_electron)
    ) - 0.5 * np.log1p(size)
    of_muon = np.log(_RATIO * radiation / (1.5 * third * (1.0 + screening * y_muon)))
    return np.asarray(
        np.maximum(of_electron * _of_electron(xi, beta, rho2), 0.0)
        + np.maximum(of_muon * _of_muon(xi, beta, rho2), 0.0) / _RATIO**2
    )


def pair_production(energy_gev: FloatArray, loss_gev: FloatArray, element: Element) -> FloatArray:
    """Return the spectrum of electron pairs; parameters and result as of `knock_on`."""
    energy, loss = np.broadcast_arrays(energy_gev, loss_gev)
    z = element.z
    least_left = 0.75 * _SQRT_E * MUON_MASS_GEV * z ** (1.0 / 3.0)
    inside = (loss > 4.0 * ELECTRON_MASS_GEV) & (energy - loss > least_left)
    # a harmless value where nothing is allowed
    loss = np.where(inside, loss, 0.5 * energy)
    v = loss / energy
    slow = 4.0 * ELECTRON_MASS_GEV / loss
    muon = 6.0 * MUON_MASS_GEV**2 / (energy**2 * (1.0 - v))
    # 1 - rho_max without its cancellation
    root = np.sqrt(np.maximum(1.0 - slow, 0.0))
    narrow = slow / (1.0 + root) + muon * root
    inside = inside & (narrow < 1.0)
    reach = np.log(np.where(inside, narrow, 0.5))[..., None]
    points, weights = unit_nodes(_ASYMMETRIES)
    apart = np.exp(reach * points)
    phi = _pairs(v[..., None], (1.0 - apart) ** 2, energy[..., None], z)
    integral = -reach[..., 0] * np.sum(weights * apart * phi, axis=-1)
    scale = 4.0 / (3.0 * math.pi) * (ALPHA * CLASSICAL_ELECTRON_RADIUS_CM) ** 2
    per_atom = scale * z * (z + _electron_share(energy, element))
    return np.asarray(np.where(inside, per_atom * (1.0 - v) / loss * integral, 0.0))


def nuclear(energy_gev: FloatArray, loss_gev: FloatArray, element: Element) -> FloatArray:
    """Return the spectrum of losses to hadrons; parameters and result as of `knock_on`."""
    energy, loss = np.broadcast_arrays(energy_gev, loss_gev)
    inside = (loss > 0.2) & (loss < energy - 0.5 * PROTON_MASS_GEV)
    loss = np.where(inside, loss, 0.5 * energy)
    v, scale2 = loss / energy, 0.4  # GeV^2, of the form factor
    shadowed = 0.22 * element.a + 0.78 * element.a**0.89
    photon_cm2 = (49.2 + 11.1 * np.log(loss) + 151.8 / np.sqrt(loss)) * 1e-30
    mass2 = MUON_MASS_GEV**2
    above = energy**2 * (1.0 - v) / mass2 * (1.0 + mass2 * v**2 / (scale2 * (1.0 - v)))
    scale = math.sqrt(scale2)
    below = 1.0 + loss / scale * (1.0 + 0.5 * scale / PROTON_MASS_GEV + loss / scale)
    shape = v - 1.0 + (1.0 - v + 0.5 * v**2 * (1.0 + 2.0 * mass2 / scale2)) * np.log(above / below)
    spectrum = ALPHA / math.pi * shadowed * photon_cm2 * np.maximum(shape, 0.0) / loss
    return np.asarray(np.where(inside, spectrum, 0.0))


#: what is lost to photons, pairs and hadrons, by name
RADIATION: Final[dict[str, LossSpectrum]] = {
    "bremsstrahlung": bremsstrahlung,
    "pairs": pair_production,
    "nuclear": nuclear,
}
