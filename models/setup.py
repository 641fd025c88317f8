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
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV, LEPTON_MASSES_GEV
from na64.models.declaration import check_declared, declare
from na64.models.errors import InputError, unknown_name
from na64.models.materials import Material

__all__ = ["BEAM_PARTICLES", "Beam", "MissingEnergyWindow", "MuonWindow", "Target"]

#: beam particle to the name of its lepton flavour; hadrons have none
BEAM_PARTICLES: Final = {"e-": "e", "e+": "e", "mu-": "mu", "mu+": "mu", "pi-": "", "K-": ""}

_ABSORBING_X0: Final = 15.0


@dataclass(frozen=True, slots=True)
class Beam:
    """A monoenergetic beam."""

    particle: str = declare(help="beam particle", allowed=tuple(BEAM_PARTICLES), example="e-")
    energy_gev: float = declare(
        help="total energy", unit="GeV", above=0.0, at_least=1.0, at_most=1000.0, example=100.0
    )

    def __post_init__(self) -> None:
        if self.particle not in BEAM_PARTICLES:
            raise unknown_name("beam particle", self.particle, BEAM_PARTICLES)
        check_declared(self)

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
        The beam energy less the cut on the energy seen in the calorimeter.
    preshower_energy_gev
        A stand-in for a preshower trigger: the visible energy is the beam's less the invisible.
    resolution_stochastic, resolution_constant
        sigma/E = stochastic/sqrt(E/GeV) and constant, added in quadrature; 0 for a sharp cut.
    """

    missing_energy_gev: float = declare(
        help="least energy that the invisible particle carries away",
        unit="GeV",
        above=0.0,
        example=50.0,
    )
    preshower_energy_gev: float = declare(
        0.0, help="least energy that the rest of the event leaves in the target", unit="GeV"
    )
    resolution_stochastic: float = declare(
        0.0, help="stochastic term of the energy resolution of the target, sigma/E at 1 GeV",
        at_most=1.0,
    )  # fmt: skip
    resolution_constant: float = declare(
        0.0, help="constant term of the energy resolution, in quadrature", at_most=1.0
    )

    def __post_init__(self) -> None:
        check_declared(self)

    def resolution_gev(self, visible_gev: ArrayLike) -> FloatArray:
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
    """Selection of a search for missing energy with muons that cross an active target."""

    recoil_energy_max_gev: float = declare(
        help="largest energy of the muon behind the target", unit="GeV", above=0.0, example=80.0
    )
    recoil_energy_min_gev: float = declare(
        0.0, help="smallest energy of the muon at which it is still measured", unit="GeV"
    )

    def __post_init__(self) -> None:
        check_declared(self)
        if self.recoil_energy_min_gev >= self.recoil_energy_max_gev:
            raise InputError(
                "recoil_energy_min_gev must be below recoil_energy_max_gev, is "
                f"{self.recoil_energy_min_gev:g}"
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
