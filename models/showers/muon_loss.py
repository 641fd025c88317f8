"""Mean energy loss of high-energy muons."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import (
    ALPHA,
    CLASSICAL_ELECTRON_RADIUS_CM,
    ELECTRON_MASS_GEV,
    MUON_MASS_GEV,
)
from na64.models.materials import Material, Substance
from na64.models.production.quadrature import unit_nodes
from na64.models.showers.muon_interactions import RADIATION, largest_knock_on

__all__ = ["muon_energy_loss_gev_cm", "radiative_loss_gev_cm"]

# nodes in the logarithm of a radiated energy: 1e-4 from 1 GeV to 1 TeV
_NODES: Final = 48
# least radiated energy: below it pairs are closed, and photons take 1 MeV/E of what all take
_LEAST_GEV: Final = 1e-3


def _collision(energy: FloatArray, substance: Substance) -> FloatArray:
    """Bethe's stopping power with the density effect, GeV/cm."""
    gamma = energy / MUON_MASS_GEV
    beta_gamma2 = gamma**2 - 1.0
    beta2 = beta_gamma2 / gamma**2
    largest = largest_knock_on(energy)
    excitation = substance.mean_excitation_ev * 1e-9
    c, x0, x1, a, k = substance.sternheimer
    x = 0.5 * np.log10(beta_gamma2)
    delta = np.where(x > x0, 2.0 * math.log(10.0) * x - c + a * np.maximum(0.0, x1 - x) ** k, 0.0)
    logarithm = 0.5 * np.log(2.0 * ELECTRON_MASS_GEV * beta_gamma2 * largest / excitation**2)
    spin = 0.125 * (largest / energy) ** 2
    bethe = (logarithm - beta2 - 0.5 * delta + spin) / beta2
    # photons that the muon and the knock-on electron radiate at once
    hard = np.log1p(2.0 * largest / ELECTRON_MASS_GEV)
    radiated = (np.log(2.0 * gamma) - hard / 3.0) * hard**2 * ALPHA / (4.0 * math.pi)
    scale = 4.0 * math.pi * CLASSICAL_ELECTRON_RADIUS_CM**2 * ELECTRON_MASS_GEV
    return np.asarray(scale * substance.electron_density_cm3 * (bethe + radiated))


def radiative_loss_gev_cm(energy_gev: ArrayLike, material: Material) -> dict[str, FloatArray]:
    """Return the mean loss to photons, to electron pairs and to hadrons.

    Parameters
    ----------
    energy_gev
        Total energy, 1 GeV and above, any shape.
    material
        What they cross.

    Returns
    -------
    dict
        GeV/cm by the name of the process in `RADIATION`: n Int d epsilon epsilon d sigma/d epsilon,
        which divided by energy and density is b of Groom et al.
    """
    energy = np.asarray(energy_gev, float)
    points, weights = unit_nodes(_NODES)
    span = np.log(energy / _LEAST_GEV)[..., None]
    loss = _LEAST_GEV * np.exp(span * points)
    found = {}
    for name, spectrum in RADIATION.items():
        total = np.zeros_like(loss)
        for element, density in material.number_densities_cm3:
            total = total + density * spectrum(energy[..., None], loss, element)
        found[name] = np.asarray(np.sum(span * weights * loss**2 * total, axis=-1))
    return found


def muon_energy_loss_gev_cm(energy_gev: ArrayLike, material: Material) -> FloatArray:
    """Return the mean energy loss of muons by collisions, radiation, pairs and nuclei.

    Parameters
    ----------
    energy_gev
        Total energy, 0.15 to 1000 GeV, any shape.
    material
        What they cross.

    Returns
    -------
    ndarray
        GeV/cm, of the shape of ``energy_gev``.

    References
    ----------
    Groom, Mokhov and Striganov, At. Data Nucl. Data Tables 78, 183 (2001): Bethe's formula with the
    radiation off electrons, and the spectra of `na64.models.showers.muon_interactions`.
    """
    energy = np.asarray(energy_gev, float)
    total = np.zeros_like(energy)
    for substance, volume in material.parts:
        total = total + volume * _collision(energy, substance)
    for part in radiative_loss_gev_cm(energy, material).values():
        total = total + part
    return np.asarray(total)
