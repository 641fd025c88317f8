"""What an experiment is for the signal models: a beam, a target, a selection window.

No exposure, efficiency or uncertainty lives here; those belong to the run card. There is one
frozen window per search topology, and a window knows nothing but its cuts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.constants import ELECTRON_MASS_GEV, LEPTON_MASSES_GEV
from na64.models.errors import InputError, unknown_name
from na64.models.materials import Material

__all__ = ["BEAM_PARTICLES", "Beam", "MissingEnergyWindow", "MuonWindow", "Target"]

#: beam particle to the name of its lepton flavour; hadrons have none
BEAM_PARTICLES: Final = {"e-": "e", "e+": "e", "mu-": "mu", "mu+": "mu", "pi-": "", "K-": ""}

_ABSORBING_X0: Final = 15.0


@dataclass(frozen=True, slots=True)
class Beam:
    """A monoenergetic beam.

    Attributes
    ----------
    particle
        One of `BEAM_PARTICLES`.
    energy_gev
        Total energy, 1-1000 GeV.
    """

    particle: str
    energy_gev: float

    def __post_init__(self) -> None:
        if self.particle not in BEAM_PARTICLES:
            raise unknown_name("beam particle", self.particle, BEAM_PARTICLES)
        if not 1.0 <= self.energy_gev <= 1000.0:
            raise InputError(f"beam energy must be in 1-1000 GeV, is {self.energy_gev}")

    @property
    def lepton(self) -> str:
        """Flavour of the beam lepton, ``"e"`` or ``"mu"``; empty for hadrons."""
        return BEAM_PARTICLES[self.particle]

    @property
    def mass_gev(self) -> float:
        """Mass of the beam lepton.

        Raises
        ------
        InputError
            For a hadron beam.
        """
        if not self.lepton:
            raise InputError(f"a lepton beam is needed here, not {self.particle}")
        return LEPTON_MASSES_GEV[self.lepton]


@dataclass(frozen=True, slots=True)
class Target:
    """An active target.

    Attributes
    ----------
    material
        What it is made of.
    length_cm
        Length along the beam; infinite for a target that absorbs the whole cascade.
    """

    material: Material
    length_cm: float = math.inf

    def __post_init__(self) -> None:
        if not self.length_cm > 0.0:
            raise InputError(f"target length must be positive, is {self.length_cm} cm")

    @property
    def depth_x0(self) -> float:
        """Length in radiation lengths."""
        return self.length_cm / self.material.radiation_length_cm

    def why_not_absorbing(self) -> str:
        """Return what is wrong with a target that should absorb the cascade; empty if nothing.

        Signals of showers take the whole track length of the cascade. Fifteen radiation lengths
        hold all of it above a tenth of the beam energy, to better than 1e-3.
        """
        if self.depth_x0 >= _ABSORBING_X0:
            return ""
        return (
            f"the target must absorb the cascade: at least {_ABSORBING_X0:g} radiation lengths, "
            f"has {self.depth_x0:.3g}"
        )


def shower_problems(beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
    """Yield pairs ("", what is wrong) where a signal of an absorbed cascade cannot be made."""
    if wrong := target.why_not_absorbing():
        yield "", wrong
    if beam.lepton != "e":
        yield "", f"this selection is for an e- or e+ beam, not for {beam.particle}"


@dataclass(frozen=True, slots=True)
class MissingEnergyWindow:
    """Selection of a search for missing energy in an active target.

    Attributes
    ----------
    missing_energy_gev
        Smallest energy that the invisible particle must carry away: the beam energy less the
        cut on the energy seen in the calorimeter.
    preshower_energy_gev
        Energy that the visible part of the event must at least leave in the target
        (beam energy less the invisible energy), a stand-in for a preshower trigger;
        0 means no such cut.
    resolution_stochastic, resolution_constant
        Energy resolution of the target, sigma/E = stochastic/sqrt(E/GeV) (+) constant, added in
        quadrature; both 0 for a sharp cut.
    """

    missing_energy_gev: float
    preshower_energy_gev: float = 0.0
    resolution_stochastic: float = 0.0
    resolution_constant: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.missing_energy_gev) and self.missing_energy_gev > 0.0):
            raise InputError(
                f"missing energy cut must be positive and finite, is {self.missing_energy_gev} GeV"
            )
        if not (math.isfinite(self.preshower_energy_gev) and self.preshower_energy_gev >= 0.0):
            raise InputError(
                f"preshower energy must not be negative, is {self.preshower_energy_gev} GeV"
            )
        for name in ("resolution_stochastic", "resolution_constant"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise InputError(f"{name} must be between 0 and 1, is {value}")

    def resolution_gev(self, visible_gev: ArrayLike) -> NDArray[np.float64]:
        """Return the standard deviation of a visible energy measured in the target, in GeV."""
        visible = np.maximum(np.asarray(visible_gev, float), 0.0)
        stochastic = self.resolution_stochastic * np.sqrt(visible)
        return np.asarray(np.hypot(stochastic, self.resolution_constant * visible))

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where window, beam and target do not fit together."""
        yield from shower_problems(beam, target)
        if self.missing_energy_gev >= beam.energy_gev:
            yield (
                "missing_energy_gev",
                f"must be below the beam energy of {beam.energy_gev:g} GeV, is "
                f"{self.missing_energy_gev:g}",
            )
        elif self.missing_energy_gev + self.preshower_energy_gev >= beam.energy_gev:
            yield (
                "preshower_energy_gev",
                f"leaves nothing of the beam energy of {beam.energy_gev:g} GeV above a missing "
                f"energy of {self.missing_energy_gev:g} GeV, is {self.preshower_energy_gev:g}",
            )

    def resonance_edges_gev(self, beam_energy_gev: float) -> tuple[float, float]:
        """Return the mediator masses between which e+ e- annihilation at rest contributes.

        sqrt(2 m_e E) at the missing-energy cut and at the beam energy.
        """
        return (
            math.sqrt(2.0 * ELECTRON_MASS_GEV * self.missing_energy_gev),
            math.sqrt(2.0 * ELECTRON_MASS_GEV * beam_energy_gev),
        )


@dataclass(frozen=True, slots=True)
class MuonWindow:
    """Selection of a search for missing energy with muons that cross an active target.

    Attributes
    ----------
    recoil_energy_max_gev
        Largest energy of the muon behind the target.
    recoil_energy_min_gev
        Smallest energy of the muon behind the target at which it is still measured; 0 for none.
    """

    recoil_energy_max_gev: float
    recoil_energy_min_gev: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.recoil_energy_max_gev) and self.recoil_energy_max_gev > 0.0):
            raise InputError(
                "largest recoil energy must be positive and finite, is "
                f"{self.recoil_energy_max_gev} GeV"
            )
        if not 0.0 <= self.recoil_energy_min_gev < self.recoil_energy_max_gev:
            raise InputError(
                "smallest recoil energy must be at least 0 and below the largest, is "
                f"{self.recoil_energy_min_gev} GeV"
            )

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where window, beam and target do not fit together."""
        if beam.lepton != "mu":
            yield "", f"this selection is for a mu- or mu+ beam, not for {beam.particle}"
        if self.recoil_energy_max_gev >= beam.energy_gev:
            yield (
                "recoil_energy_max_gev",
                f"must be below the beam energy of {beam.energy_gev:g} GeV, is "
                f"{self.recoil_energy_max_gev:g}",
            )
        if not math.isfinite(target.length_cm):
            yield "", "a muon beam crosses the target: the target needs a length"
