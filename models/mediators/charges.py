"""Tables of charges: which fermions a mediator couples to, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.errors import InputError, unknown_name

__all__ = [
    "ELECTRIC_CHARGES",
    "FERMIONS",
    "NEUTRINOS",
    "QUARKS",
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
