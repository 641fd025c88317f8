"""What is emitted by which lepton, and how the cross-section is computed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.errors import InputError, unknown_name
from na64.models.form_factors import NuclearModel
from na64.models.kinds import kind_row, structure
from na64.models.materials import Element, Material
from na64.models.mediators.protocol import MediatorKind
from na64.models.production.sources import PhotonSource

__all__ = ["VECTOR_OFF_ELECTRONS", "Approximation", "Emission", "best_approximation"]


class Approximation(StrEnum):
    """How the cross-section is computed."""

    ETL = "etl"
    WW = "ww"
    IWW = "iww"


def best_approximation(kind: str) -> Approximation:
    """Return the most accurate approximation that there is for the emission of a kind of boson.

    Exact tree level, or WW for a kind of which only the amplitude off photons is known.
    """
    row = kind_row(kind, "the amplitude of emission")
    return Approximation.ETL if row.compton is None else Approximation.WW


@dataclass(frozen=True, slots=True)
class Emission:
    """The process l + Z -> l + Z + X and its approximations.

    Attributes
    ----------
    kind
        Vector, axial, scalar, pseudoscalar, or spin-2, which has ``"ww"`` only.
    lepton
        ``"e"``, ``"mu"`` or ``"tau"``; the charge does not matter.
    approximation
        ``"etl"`` (exact tree level), ``"ww"`` or ``"iww"``.
    inelastic
        Whether incoherent scattering off the protons of the nucleus is added.
    nuclear
        Form factor of the nucleus.

    Raises
    ------
    InputError
        For an unknown lepton or approximation, one that the kind does not have, and a kind that
        leptons do not emit.
    """

    kind: str = MediatorKind.VECTOR
    lepton: str = "e"
    approximation: str = Approximation.ETL
    inelastic: bool = True
    nuclear: NuclearModel = NuclearModel.DIPOLE

    def __post_init__(self) -> None:
        if self.lepton not in LEPTON_MASSES_GEV:
            raise unknown_name("lepton", self.lepton, LEPTON_MASSES_GEV)
        if self.approximation not in list(Approximation):
            raise unknown_name("approximation", self.approximation, list(Approximation))
        only = best_approximation(self.kind)
        if only is not Approximation.WW:
            structure(self.kind, 1.0, self.lepton_mass_gev)
        elif self.approximation != only:
            raise InputError(
                f"production {self.approximation} is not known for the emission of a {self.kind} "
                f"boson: the exact amplitude off a nucleus has not been computed; choose {only}"
            )

    @property
    def lepton_mass_gev(self) -> float:
        """Mass of the lepton."""
        return LEPTON_MASSES_GEV[self.lepton]

    def source(self, target: Element | Material) -> PhotonSource:
        """Return the target's atoms as a source: of an element per nucleus, else per X0."""
        return PhotonSource.of(target, inelastic=self.inelastic, nuclear=self.nuclear)


#: the process of a dark photon and an electron beam, at exact tree level
VECTOR_OFF_ELECTRONS: Final = Emission()
