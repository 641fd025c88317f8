"""Dimuons of a shower: the reference process with which a search checks what it expects to see.

Hard photons of the cascade convert to pairs of muons, which leave the target with their energy and
cross everything behind it. Per particle on target, before any efficiency:

* conversion, gamma Z -> mu+ mu- Z: sum over nuclei n X0 int T_gamma(k) sigma(k) dk above the least
  energy of a pair, both muons above theirs;
* annihilation, e+ e- -> mu+ mu- on atomic electrons: n_e X0 int T_e+(E) sigma(E) dE, above a
  threshold of 43.7 GeV.

Left out is production by virtual photons of electrons, e Z -> e Z mu+ mu-: the equivalent photons
of an electron in one radiation length are worth (2 alpha/pi) ln(m_mu/m_e)/(4/3) = 0.018 of those
that it radiates, and do not travel the 1.3 radiation lengths of a real one: 1 to 2 % more pairs.

References
----------
NA64, arXiv:1710.00971: dimuons as the reference process of the 2016 run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import GEV2_TO_CM2, MUON_MASS_GEV
from na64.models.errors import InputError
from na64.models.materials import Material, mixture
from na64.models.production.dimuons import annihilation_to_muons, muon_pair_cross_section
from na64.models.response.windows import refuse, shower_problems
from na64.models.showers.cascade import cascade
from na64.models.showers.muon_loss import muon_energy_loss_gev_cm
from na64.models.targets import Beam, Target

__all__ = [
    "PROCESSES",
    "RELATIVE_UNCERTAINTY",
    "DimuonRates",
    "DimuonSelection",
    "dimuon_rates",
    "energy_to_cross",
]

#: order of the process axis
PROCESSES: Final = ("conversion", "annihilation")
#: of the rate: nuclear form factor 3 % (dipole or Helm), cascade 2 %, virtual photons 1.5 %
RELATIVE_UNCERTAINTY: Final = 0.04
# what muons cross behind the front of the target: 40 radiation lengths of it unless it has a
# length, and four modules of 48 layers of 25 mm iron and 4 mm scintillator (arXiv:1710.00971)
_TARGET_DEPTH_X0: Final = 40.0
_MODULES_MM: Final = {"iron": 25.0, "scintillator": 4.0}
_MODULES_CM: Final = 4 * 48 * 2.9
# step of the cascade's grid in ln E; a quarter of it moves no sum of rates by more than 3e-4
_CASCADE_STEP: Final = 0.02
# steps in which a layer is crossed; twice as many move an energy by less than 1e-3
_STEPS: Final = 100


@dataclass(frozen=True, slots=True)
class DimuonSelection:
    """What makes a pair of muons count.

    Attributes
    ----------
    pair_energy_gev
        Least energy of the pair, which is missing in the target.
    muon_energy_gev
        Least energy of either muon; None for what the mean energy loss takes on the way through
        the target, from its front, and through the hadron calorimeter behind it.

    Raises
    ------
    InputError
        For energies below the masses.
    """

    pair_energy_gev: float = 40.0
    muon_energy_gev: float | None = None

    def __post_init__(self) -> None:
        least = 2.0 * MUON_MASS_GEV
        if not (math.isfinite(self.pair_energy_gev) and self.pair_energy_gev > least):
            raise InputError(
                f"least energy of a pair must be above {least:.4g} GeV, is {self.pair_energy_gev:g}"
            )
        muon = self.muon_energy_gev
        if muon is not None and not (math.isfinite(muon) and muon >= MUON_MASS_GEV):
            raise InputError(
                f"least energy of a muon must be {MUON_MASS_GEV:.4g} GeV or more, is {muon:g}"
            )


@dataclass(frozen=True, slots=True)
class DimuonRates:
    """Pairs of muons that count, per particle on target.

    Attributes
    ----------
    pair_energy_gev, muon_energy_gev
        The selection, with the least energy of a muon that was taken.
    events
        Per process, shape (2,), in the order of `PROCESSES`.
    """

    pair_energy_gev: float
    muon_energy_gev: float
    events: FloatArray


def energy_to_cross(layers: Sequence[tuple[Material, float]]) -> float:
    """Return the energy with which a muon, losing energy as the mean does, crosses layers.

    Parameters
    ----------
    layers
        Pairs (material, length in cm) in the order in which they are crossed.

    Returns
    -------
    float
        Total energy in GeV. The loss below 1 GeV is taken to be that at 1 GeV; the muon ends with
        its mass. Straggling is left out.
    """
    energy = MUON_MASS_GEV
    for material, length in reversed(layers):
        step = length / _STEPS
        for _ in range(_STEPS):
            energy += step * float(muon_energy_loss_gev_cm(max(energy, 1.0), material))
    return energy


def dimuon_rates(
    beam: Beam,
    target: Target,
    selection: DimuonSelection | None = None,
    *,
    inelastic: bool = True,
) -> DimuonRates:
    """Return the pairs of muons per particle on target.

    Parameters
    ----------
    beam, target
        An e- or e+ beam, and a target that absorbs the whole cascade.
    selection
        Which pairs count.
    inelastic
        Whether incoherent scattering off the protons of the nuclei is added.

    Raises
    ------
    InputError
        For another beam, a target that does not absorb the cascade, or a selection that leaves
        nothing of the beam energy.
    """
    refuse(shower_problems(beam, target))
    return _rates(beam, target, selection or DimuonSelection(), inelastic)


# setups of a card that differ in their windows share the rates
@lru_cache(maxsize=8)
def _rates(beam: Beam, target: Target, wanted: DimuonSelection, inelastic: bool) -> DimuonRates:
    material = target.material
    muon = wanted.muon_energy_gev
    if muon is None:
        depth = min(target.length_cm, _TARGET_DEPTH_X0 * material.radiation_length_cm)
        muon = energy_to_cross(
            [(material, depth), (mixture("hadron calorimeter", _MODULES_MM), _MODULES_CM)]
        )
    least = max(wanted.pair_energy_gev, 2.0 * muon)
    if not least < beam.energy_gev:
        raise InputError(
            f"pairs above {wanted.pair_energy_gev:g} GeV of muons above {muon:.4g} GeV leave "
            f"nothing of the beam energy of {beam.energy_gev:g} GeV"
        )
    shower = cascade(material, beam.particle, beam.energy_gev, floor_gev=least, step=_CASCADE_STEP)
    tracks, energies = shower.tracks, shower.energies_gev
    converted = muon_pair_cross_section(energies, material, min_muon_gev=muon, inelastic=inelastic)
    annihilated = annihilation_to_muons(energies, min_muon_gev=muon)
    electrons = material.electron_density_cm3 * material.radiation_length_cm * GEV2_TO_CM2
    events = np.array([np.sum(tracks[2] * converted), electrons * np.sum(tracks[1] * annihilated)])
    events = np.maximum(events, 0.0)
    events.setflags(write=False)
    return DimuonRates(wanted.pair_energy_gev, muon, events)
