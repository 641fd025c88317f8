"""Vector mediators: couplings and visible widths from a table of charges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.constants import ELEMENTARY_CHARGE, LEPTON_MASSES_GEV
from na64.models.decays.hadrons import QuarkCharges, r_ratio
from na64.models.decays.widths import vector_to_fermions, vector_to_left_handed_neutrinos
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.protocol import MediatorKind

__all__ = ["FERMIONS", "VectorMediator", "dark_photon"]

_NEUTRINOS: Final = ("nu_e", "nu_mu", "nu_tau")
_QUARKS: Final = {"u": "up", "d": "down", "s": "strange", "c": "charm", "b": "bottom"}
#: fermions that a table of charges may name
FERMIONS: Final = (*LEPTON_MASSES_GEV, *_NEUTRINOS, *_QUARKS)


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
    """

    name: str
    parameter: str
    charges: Mapping[str, float]
    unit: float = 1.0
    citations: tuple[str, ...] = ()
    kind: MediatorKind = field(default=MediatorKind.VECTOR, init=False)

    def __post_init__(self) -> None:
        for fermion, charge in self.charges.items():
            if fermion not in FERMIONS:
                raise unknown_name("fermion", fermion, FERMIONS)
            if not np.isfinite(charge):
                raise InputError(f"charge of {fermion} in {self.name} must be finite, is {charge}")
        object.__setattr__(self, "charges", MappingProxyType(dict(self.charges)))

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Return g_f per unit of the free coupling; the same at every q^2 of ``q2_gev2``."""
        if fermion not in FERMIONS:
            raise unknown_name("fermion", fermion, FERMIONS)
        return np.full(np.shape(q2_gev2), self.unit * self.charges.get(fermion, 0.0))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, NDArray[np.float64]]:
        """Return the widths in GeV to Standard Model states at unit coupling; see `Mediator`.

        Neutrinos are left-handed and massless.
        """
        mass = np.asarray(mass_gev, float)
        alpha = self.unit**2 / (4.0 * np.pi)
        widths: dict[str, NDArray[np.float64]] = {}
        for lepton, lepton_mass in LEPTON_MASSES_GEV.items():
            if charge := self.charges.get(lepton, 0.0):
                widths[f"{lepton} {lepton}"] = vector_to_fermions(
                    mass, lepton_mass, alpha * charge**2
                )
        if neutrinos := sum(self.charges.get(name, 0.0) ** 2 for name in _NEUTRINOS):
            widths["neutrinos"] = vector_to_left_handed_neutrinos(mass, alpha * neutrinos)
        quarks = {word: self.charges.get(name, 0.0) for name, word in _QUARKS.items()}
        if any(quarks.values()):
            widths["hadrons"] = alpha * mass / 3.0 * r_ratio(mass**2, QuarkCharges(**quarks))
        return widths


def dark_photon() -> VectorMediator:
    """Return the dark photon: L = -epsilon e A'_mu J_em^mu.

    References
    ----------
    B. Holdom, Phys. Lett. B 166, 196 (1986); for NA64, arXiv:1710.00971, eq. (1).
    """
    leptons = dict.fromkeys(LEPTON_MASSES_GEV, -1.0)
    quarks = {name: 2.0 / 3.0 if name in "uc" else -1.0 / 3.0 for name in _QUARKS}
    return VectorMediator(
        name="dark-photon",
        parameter="epsilon",
        charges={**leptons, **quarks},
        unit=ELEMENTARY_CHARGE,
        citations=("Phys. Lett. B 166, 196 (1986)", "arXiv:1710.00971"),
    )
