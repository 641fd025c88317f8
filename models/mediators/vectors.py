"""Vector and axial-vector mediators: couplings and widths from a table of charges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import ELEMENTARY_CHARGE, LEPTON_MASSES_GEV
from na64.models.decays.hadrons import QuarkCharges, r_ratio
from na64.models.decays.widths import (
    axial_to_fermions,
    vector_to_fermions,
    vector_to_majorana_fermions,
)
from na64.models.errors import InputError
from na64.models.mediators.charges import ELECTRIC_CHARGES, QUARKS, ChargedMediator
from na64.models.mediators.protocol import MediatorKind

__all__ = [
    "AxialMediator",
    "HeavyNeutrinos",
    "NeutrinoType",
    "VectorMediator",
    "axial",
    "dark_photon",
    "vector",
]


class NeutrinoType(StrEnum):
    """What the neutrinos of a table of charges are; both massless here."""

    #: only nu_L is light: width alpha_g M/6 each
    LEFT_HANDED = "left-handed"
    #: nu_R is light too, with the same charge: twice that
    DIRAC = "dirac"


@dataclass(frozen=True, slots=True)
class HeavyNeutrinos:
    """Majorana neutrinos that take their mass from the same breaking as the mediator.

    Attributes
    ----------
    number
        How many, degenerate.
    charge
        Their charge.
    ratio
        m_mediator/m_N, above 2 for the decay to be open. They count as invisible.
    """

    number: int
    charge: float
    ratio: float

    def __post_init__(self) -> None:
        if self.number < 1 or not np.isfinite(self.charge) or not self.ratio > 0.0:
            raise InputError(
                f"heavy neutrinos: a number of 1 or more, a finite charge and a positive mass "
                f"ratio are needed, are {self.number}, {self.charge} and {self.ratio}"
            )


@dataclass(frozen=True)
class VectorMediator(ChargedMediator):
    """A vector boson X with the coupling g_f fbar gamma^mu f X_mu, g_f = parameter x unit x charge.

    Attributes
    ----------
    charges
        Charge of each fermion, those of `FERMIONS` that are not neutral.
    unit
        Coupling of a fermion of unit charge when the free coupling is one: e for kinetic
        mixing, 1 for a gauge coupling.
    neutrinos
        What the neutrinos with a charge are.
    heavy_neutrinos
        Further neutrinos to which X decays.
    name, parameter, citations
        As in `na64.models.mediators.protocol.Mediator`.
    """

    name: str
    parameter: str
    charges: Mapping[str, float]
    unit: float = 1.0
    citations: tuple[str, ...] = ()
    neutrinos: NeutrinoType = NeutrinoType.LEFT_HANDED
    heavy_neutrinos: HeavyNeutrinos | None = None
    kind: MediatorKind = field(default=MediatorKind.VECTOR, init=False)

    def _to_pair(self, mass: FloatArray, fermion_mass: float) -> FloatArray:
        return vector_to_fermions(mass, fermion_mass, self.unit**2 / (4.0 * np.pi))

    def _to_neutrinos(self, mass: FloatArray) -> FloatArray | None:
        alpha = self.unit**2 / (4.0 * np.pi)
        width, heavy = super()._to_neutrinos(mass), self.heavy_neutrinos
        if width is not None and self.neutrinos is NeutrinoType.DIRAC:
            width = 2.0 * width
        if heavy is not None:
            more = heavy.number * vector_to_majorana_fermions(
                mass, mass / heavy.ratio, alpha * heavy.charge**2
            )
            width = more if width is None else width + more
        return width

    def _to_hadrons(self, mass: FloatArray) -> FloatArray:
        """Width through R(s) of the mediator's own current."""
        charges = QuarkCharges(**{word: self.charges.get(q, 0.0) for q, word in QUARKS.items()})
        return np.asarray(self.unit**2 / (4.0 * np.pi) * mass / 3.0 * r_ratio(mass**2, charges))


@dataclass(frozen=True)
class AxialMediator(ChargedMediator):
    """An axial vector X with the coupling g_f fbar gamma^mu gamma_5 f X_mu.

    Attributes
    ----------
    name, parameter, charges, unit, citations
        As in `VectorMediator`; neutrinos are left-handed.
    """

    name: str
    parameter: str
    charges: Mapping[str, float]
    unit: float = 1.0
    citations: tuple[str, ...] = ()
    kind: MediatorKind = field(default=MediatorKind.AXIAL, init=False)

    def _to_pair(self, mass: FloatArray, fermion_mass: float) -> FloatArray:
        return axial_to_fermions(mass, fermion_mass, self.unit**2 / (4.0 * np.pi))


def dark_photon() -> VectorMediator:
    """Return the dark photon A': kinetic mixing epsilon with the photon.

    References
    ----------
    Holdom, Phys. Lett. B 166, 196 (1986); NA64, arXiv:1710.00971.
    """
    return VectorMediator(
        name="dark-photon",
        parameter="epsilon",
        charges=ELECTRIC_CHARGES,
        unit=ELEMENTARY_CHARGE,
        citations=("Phys. Lett. B 166, 196 (1986)", "arXiv:1710.00971"),
    )


def vector() -> VectorMediator:
    """Return a vector X of the coupling g to every charged lepton, and to nothing else.

    References
    ----------
    NA64, arXiv:2102.01885: the generic boson X, with g = epsilon_X e.
    """
    return VectorMediator(
        name="vector",
        parameter="g",
        charges=dict.fromkeys(LEPTON_MASSES_GEV, 1.0),
        citations=("arXiv:2102.01885",),
    )


def axial() -> AxialMediator:
    """Return an axial vector X of the coupling g to every charged lepton, and to nothing else.

    References
    ----------
    NA64, arXiv:2102.01885.
    """
    return AxialMediator(
        name="axial",
        parameter="g",
        charges=dict.fromkeys(LEPTON_MASSES_GEV, 1.0),
        citations=("arXiv:2102.01885",),
    )
