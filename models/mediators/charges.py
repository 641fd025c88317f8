"""Tables of charges: which fermions a mediator couples to, how strongly, and its widths to them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.quarks import free_quark_widths

__all__ = [
    "ELECTRIC_CHARGES",
    "FERMIONS",
    "NEUTRINOS",
    "QUARKS",
    "ChargedMediator",
    "charge_of",
    "checked_charges",
]

NEUTRINOS: Final = ("nu_e", "nu_mu", "nu_tau")
#: quark to its name in `na64.models.decays.hadrons.QuarkCharges`
QUARKS: Final = {"u": "up", "d": "down", "s": "strange", "c": "charm", "b": "bottom"}
#: fermions that a table of charges may name
FERMIONS: Final = (*LEPTON_MASSES_GEV, *NEUTRINOS, *QUARKS)
#: charges of the electromagnetic current, in units of the proton's
ELECTRIC_CHARGES: Final[Mapping[str, float]] = MappingProxyType(
    {
        **dict.fromkeys(LEPTON_MASSES_GEV, -1.0),
        **{name: 2.0 / 3.0 if name in "uc" else -1.0 / 3.0 for name in QUARKS},
    }
)


def checked_charges(mediator: str, charges: Mapping[str, float]) -> Mapping[str, float]:
    """Return a read-only copy of a table of charges.

    Parameters
    ----------
    mediator
        Its name, for messages.
    charges
        Charge by fermion, those of `FERMIONS` that are not neutral; finite, either sign.

    Raises
    ------
    InputError
        For an unknown fermion or a charge that is not finite.
    """
    for fermion, charge in charges.items():
        if fermion not in FERMIONS:
            raise unknown_name("fermion", fermion, FERMIONS)
        if not np.isfinite(charge):
            raise InputError(f"charge of {fermion} in {mediator} must be finite, is {charge}")
    return MappingProxyType(dict(charges))


def charge_of(charges: Mapping[str, float], fermion: str) -> float:
    """Return the charge of a fermion, 0 if the table does not name it.

    Raises
    ------
    InputError
        For an unknown fermion.
    """
    if fermion not in FERMIONS:
        raise unknown_name("fermion", fermion, FERMIONS)
    return charges.get(fermion, 0.0)


class ChargedMediator:
    """What mediators with a table of charges do alike: couplings, and widths to pairs.

    Hadrons are pairs of free quarks above the threshold of their lightest mesons, and neutrinos
    are left-handed, unless a subclass knows better.
    """

    name: str
    charges: Mapping[str, float]
    #: coupling of a fermion of unit charge when the free coupling is one
    unit: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "charges", checked_charges(self.name, self.charges))

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> FloatArray:
        """Return g_f per unit of the free coupling; the same at every q^2 of ``q2_gev2``."""
        return np.full(np.shape(q2_gev2), self.unit * charge_of(self.charges, fermion))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, FloatArray]:
        """Return the widths in GeV to Standard Model states at unit coupling; see `Mediator`."""
        mass = np.asarray(mass_gev, float)
        widths = {
            f"{lepton} {lepton}": self.lepton_width(lepton, mass)
            for lepton in LEPTON_MASSES_GEV
            if self.charges.get(lepton, 0.0)
        }
        neutrinos = self._to_neutrinos(mass)
        if neutrinos is not None:
            widths["neutrinos"] = neutrinos
        if any(self.charges.get(quark, 0.0) for quark in QUARKS):
            widths["hadrons"] = self._to_hadrons(mass)
        return widths

    def lepton_width(self, lepton: str, mass_gev: ArrayLike) -> FloatArray:
        """Return the width in GeV to a pair of charged leptons at unit coupling.

        It is that of `partial_widths`, without the others, of which that to hadrons takes longest.
        """
        charge, mass = self.charges.get(lepton, 0.0), np.asarray(mass_gev, float)
        return np.asarray(charge**2 * self._to_pair(mass, LEPTON_MASSES_GEV[lepton]))

    def _to_pair(self, mass: FloatArray, fermion_mass: float) -> FloatArray:
        """Width to a Dirac pair of unit charge and colour."""
        raise NotImplementedError

    def _to_neutrinos(self, mass: FloatArray) -> FloatArray | None:
        """Width to all neutrinos, None without any; a left-handed pair is half of a Dirac pair."""
        squares = sum(self.charges.get(name, 0.0) ** 2 for name in NEUTRINOS)
        return np.asarray(0.5 * squares * self._to_pair(mass, 0.0)) if squares else None

    def _to_hadrons(self, mass: FloatArray) -> FloatArray:
        return free_quark_widths(self._to_pair, mass, self.charges)
