"""Vector and axial-vector mediators: couplings and widths from a table of charges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.constants import ELEMENTARY_CHARGE, LEPTON_MASSES_GEV
from na64.models.decays.hadrons import QuarkCharges, r_ratio
from na64.models.decays.widths import (
    axial_to_fermions,
    vector_to_fermions,
    vector_to_left_handed_neutrinos,
    vector_to_majorana_fermions,
)
from na64.models.errors import InputError
from na64.models.mediators.charges import (
    ELECTRIC_CHARGES,
    FERMIONS,
    NEUTRINOS,
    QUARKS,
    charge_of,
    checked_charges,
)
from na64.models.mediators.protocol import MediatorKind
from na64.models.mediators.quarks import free_quark_widths

__all__ = [
    "FERMIONS",
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
class VectorMediator:
    """A vector boson X with the coupling g_f fbar gamma^mu f X_mu, g_f = parameter x unit x charge.

    Attributes
    ----------
    name
        Name in the registry.
    parameter
        Name of the free coupling.
    charges
        Charge of each fermion, those of `FERMIONS` that are not neutral.
    unit
        Coupling of a fermion of unit charge when the free coupling is one: e for kinetic
        mixing, 1 for a gauge coupling.
    citations
        References of the model.
    neutrinos
        What the neutrinos with a charge are.
    heavy_neutrinos
        Further neutrinos to which X decays.
    """

    name: str
    parameter: str
    charges: Mapping[str, float]
    unit: float = 1.0
    citations: tuple[str, ...] = ()
    neutrinos: NeutrinoType = NeutrinoType.LEFT_HANDED
    heavy_neutrinos: HeavyNeutrinos | None = None
    kind: MediatorKind = field(default=MediatorKind.VECTOR, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "charges", checked_charges(self.name, self.charges))

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Return g_f per unit of the free coupling; the same at every q^2 of ``q2_gev2``."""
        return np.full(np.shape(q2_gev2), self.unit * charge_of(self.charges, fermion))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, NDArray[np.float64]]:
        """Return the widths in GeV to Standard Model states at unit coupling; see `Mediator`.

        Hadrons through R(s) of the mediator's own current.
        """
        mass = np.asarray(mass_gev, float)
        alpha = self.unit**2 / (4.0 * np.pi)
        widths: dict[str, NDArray[np.float64]] = {}
        for lepton, lepton_mass in LEPTON_MASSES_GEV.items():
            if charge := self.charges.get(lepton, 0.0):
                widths[f"{lepton} {lepton}"] = vector_to_fermions(
                    mass, lepton_mass, alpha * charge**2
                )
        invisible = self._neutrino_width(mass, alpha)
        if invisible is not None:
            widths["neutrinos"] = invisible
        quarks = {word: self.charges.get(name, 0.0) for name, word in QUARKS.items()}
        if any(quarks.values()):
            widths["hadrons"] = alpha * mass / 3.0 * r_ratio(mass**2, QuarkCharges(**quarks))
        return widths

    def _neutrino_width(
        self, mass: NDArray[np.float64], alpha: float
    ) -> NDArray[np.float64] | None:
        squares = sum(self.charges.get(name, 0.0) ** 2 for name in NEUTRINOS)
        if self.neutrinos is NeutrinoType.DIRAC:
            squares *= 2.0
        heavy = self.heavy_neutrinos
        if not squares and heavy is None:
            return None
        width = vector_to_left_handed_neutrinos(mass, alpha * squares)
        if heavy is not None:
            width = width + heavy.number * vector_to_majorana_fermions(
                mass, mass / heavy.ratio, alpha * heavy.charge**2
            )
        return width


@dataclass(frozen=True)
class AxialMediator:
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "charges", checked_charges(self.name, self.charges))

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Return g_f per unit of the free coupling; the same at every q^2 of ``q2_gev2``."""
        return np.full(np.shape(q2_gev2), self.unit * charge_of(self.charges, fermion))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, NDArray[np.float64]]:
        """Return the widths in GeV to Standard Model states at unit coupling; see `Mediator`.

        Hadrons as pairs of free quarks above the threshold of their lightest mesons.
        """
        mass = np.asarray(mass_gev, float)
        alpha = self.unit**2 / (4.0 * np.pi)
        widths: dict[str, NDArray[np.float64]] = {}
        for lepton, lepton_mass in LEPTON_MASSES_GEV.items():
            if charge := self.charges.get(lepton, 0.0):
                widths[f"{lepton} {lepton}"] = axial_to_fermions(
                    mass, lepton_mass, alpha * charge**2
                )
        if neutrinos := sum(self.charges.get(name, 0.0) ** 2 for name in NEUTRINOS):
            widths["neutrinos"] = vector_to_left_handed_neutrinos(mass, alpha * neutrinos)
        if any(self.charges.get(name, 0.0) for name in QUARKS):
            widths["hadrons"] = alpha * free_quark_widths(axial_to_fermions, mass, self.charges)
        return widths


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
