"""What hits what in an experiment: a beam and a target.

No exposure, efficiency or uncertainty lives here; those belong to the run card.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.declaration import check_declared, declare
from na64.models.errors import InputError, unknown_name
from na64.models.materials import Material

__all__ = ["BEAM_PARTICLES", "Beam", "Target"]

#: beam particle to the name of its lepton flavour; hadrons have none
BEAM_PARTICLES: Final = {"e-": "e", "e+": "e", "mu-": "mu", "mu+": "mu", "pi-": "", "K-": ""}

_ABSORBING_X0: Final = 15.0


@dataclass(frozen=True, slots=True)
class Beam:
    """A beam of one kind of particle.

    Attributes
    ----------
    particle, energy_gev
        What it is made of, and the nominal energy.
    momentum_spread
        Relative standard deviation of the momentum, for selections that feel it.
    """

    particle: str = declare(help="beam particle", allowed=tuple(BEAM_PARTICLES), example="e-")
    energy_gev: float = declare(
        help="total energy", unit="GeV", above=0.0, at_least=1.0, at_most=1000.0, example=100.0
    )
    momentum_spread: float = declare(
        0.0,
        help="relative standard deviation of the momentum; what searches for missing energy feel",
        at_most=0.1,
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
            f"has {self.depth_x0:.3g}; a thin target, behind which the electron is measured, "
            "belongs to a search for missing momentum"
        )
