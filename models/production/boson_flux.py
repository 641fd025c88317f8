"""The bosons that leave a target: energies and weights, summed over the cascade.

What happens to a boson after its production depends on its energy, through the boost, in ways that
a cross-section above a threshold does not tell. A `BosonFlux` is a set of energies with weights,
for every mass, such that sum_k w_k f(E_k) is the number per particle on target of bosons weighted
with any f(E) that is smooth in the boson's energy. Weights are never negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.errors import InputError
from na64.models.form_factors import NuclearModel
from na64.models.materials import Material
from na64.models.production.emission import spectrum_over
from na64.models.production.kinematics import FractionRange
from na64.models.production.primakoff import primakoff_cross_section
from na64.models.production.process import VECTOR_OFF_ELECTRONS, Emission
from na64.models.production.sources import PhotonSource
from na64.models.production.tree_level import DEFAULT_GRID, TreeLevelGrid
from na64.models.showers.cascade import cascade

__all__ = ["BosonFlux", "emission_flux", "primakoff_flux"]

# Step of the cascade's grid in ln E; halving it moves no number of bosons by more than 2e-3.
_CASCADE_STEP: Final = 0.01
# Energies of the emitting leptons, and nodes in ln[(1-x)/x] of the bosons; doubling either moves
# yields by less than 5e-3, those with a decay length far below the distance by less than 2 %.
_ENERGIES: Final = 28
_FRACTIONS: Final = 20


@dataclass(frozen=True, slots=True)
class BosonFlux:
    """Bosons per particle on target.

    Attributes
    ----------
    energies_gev
        Energies of the bosons, shape (M, K): mass, node.
    weights
        Bosons per particle on target for which each node stands, shape (M, K), at the coupling
        stated by the function that made it; 0 and above.
    """

    energies_gev: FloatArray
    weights: FloatArray

    @property
    def totals(self) -> FloatArray:
        """Bosons per particle on target, shape (M,)."""
        return np.asarray(self.weights.sum(axis=1))


def _check(masses_gev: ArrayLike, energy_gev: float, min_energy_gev: float) -> FloatArray:
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    if masses.ndim != 1 or not len(masses) or not np.all(np.isfinite(masses) & (masses > 0.0)):
        raise InputError("masses must be a list of positive numbers, in GeV")
    if not 0.0 < min_energy_gev < energy_gev:
        raise InputError(
            f"smallest boson energy must be positive and below the beam energy of "
            f"{energy_gev:g} GeV, is {min_energy_gev:g} GeV"
        )
    return masses


def primakoff_flux(
    material: Material,
    particle: str,
    energy_gev: float,
    masses_gev: ArrayLike,
    min_energy_gev: float,
    *,
    inelastic: bool = True,
    nuclear: NuclearModel = NuclearModel.DIPOLE,
) -> BosonFlux:
    """Return the bosons that a cascade's photons make in the field of the nuclei, g = 1/GeV.

    Parameters
    ----------
    material
        The target; it absorbs the whole cascade.
    particle
        ``e-``, ``e+`` or ``gamma``.
    energy_gev
        Beam energy.
    masses_gev
        Masses, shape (M,).
    min_energy_gev
        Smallest energy of the boson, which is the photon's.
    inelastic, nuclear
        As in `na64.models.production.primakoff.primakoff_cross_section`.

    Returns
    -------
    BosonFlux
        Weights in GeV^2, to be multiplied by g^2.

    Raises
    ------
    InputError
        For a value out of range.
    """
    masses = _check(masses_gev, energy_gev, min_energy_gev)
    shower = cascade(material, particle, energy_gev, floor_gev=min_energy_gev, step=_CASCADE_STEP)
    track = np.maximum(shower.tracks[2], 0.0)
    probability = primakoff_cross_section(
        shower.energies_gev, masses, material, inelastic=inelastic, nuclear=nuclear
    )
    energies = np.broadcast_to(shower.energies_gev, (len(masses), len(track)))
    # heavier than the photon's energy: the weight is zero, and the energy is kept physical
    # in the order of memory in which sums over the nodes do not depend on the number of masses
    weights = np.ascontiguousarray(track * probability.T)
    return BosonFlux(np.maximum(energies, masses[:, None]), weights)


def emission_flux(
    material: Material,
    particle: str,
    energy_gev: float,
    masses_gev: ArrayLike,
    min_energy_gev: float,
    process: Emission = VECTOR_OFF_ELECTRONS,
    grid: TreeLevelGrid = DEFAULT_GRID,
) -> BosonFlux:
    """Return the bosons that the electrons and positrons of a cascade emit, at g = e.

    Parameters
    ----------
    material, particle, energy_gev, masses_gev, min_energy_gev
        As in `primakoff_flux`.
    process, grid
        As in `na64.models.production.emission.emission_cross_section`; the lepton is the electron.

    Returns
    -------
    BosonFlux
        Dimensionless weights, to be multiplied by (g/e)^2 with the coupling g to electrons.

    Raises
    ------
    InputError
        For a value out of range, or emission by another lepton.
    """
    masses = _check(masses_gev, energy_gev, min_energy_gev)
    if process.lepton != "e":
        raise InputError(f"a cascade has electrons to emit bosons, not {process.lepton}")
    shower = cascade(material, particle, energy_gev, floor_gev=min_energy_gev, step=_CASCADE_STEP)
    leptons = min_energy_gev + (energy_gev - min_energy_gev) * (
        np.linspace(0.0, 1.0, _ENERGIES + 1) ** 2
    )
    tracks = _project(shower.energies_gev, shower.weights[0] + shower.weights[1], leptons)
    # at the threshold itself nothing is emitted
    source = process.source(material)
    energies, emitted = _emitted(leptons[1:], masses, min_energy_gev, process, source, grid)
    weights = np.maximum(tracks[1:, None, None], 0.0) * emitted
    shape = (len(masses), -1)
    return BosonFlux(
        np.moveaxis(energies, 1, 0).reshape(shape), np.moveaxis(weights, 1, 0).reshape(shape)
    )


def _project(fine: FloatArray, weights: FloatArray, coarse: FloatArray) -> FloatArray:
    """Share weights out to coarser nodes, ascending, as linear interpolation does."""
    place = np.clip(np.searchsorted(coarse, fine) - 1, 0, len(coarse) - 2)
    upper = np.clip((fine - coarse[place]) / (coarse[place + 1] - coarse[place]), 0.0, 1.0)
    shared = np.zeros_like(coarse)
    np.add.at(shared, place, weights * (1.0 - upper))
    np.add.at(shared, place + 1, weights * upper)
    return shared


def _emitted(
    leptons: FloatArray,
    masses: FloatArray,
    min_energy: float,
    process: Emission,
    source: PhotonSource,
    grid: TreeLevelGrid,
) -> tuple[FloatArray, FloatArray]:
    """Boson energies and their probabilities per radiation length, each of shape (E, M, X)."""
    energy, mass = np.meshgrid(leptons, masses, indexing="ij")
    of_rest = (ELECTRON_MASS_GEV, source.nucleus_mass_gev)
    ranges = FractionRange.of(energy, mass, of_rest, min_energy)
    bosons = np.repeat(np.maximum(energy, mass)[..., None], _FRACTIONS, axis=-1)
    emitted = np.zeros(bosons.shape)
    y, parts = spectrum_over(ranges, _FRACTIONS, process, source, grid)
    left = (1.0 - y) * ranges.energy[:, None]
    bosons[ranges.is_open] = np.maximum(left, ranges.mass[:, None])
    emitted[ranges.is_open] = np.maximum(parts, 0.0)
    return bosons, emitted
