"""Charge exchange of hadrons on nuclei: pi- Z -> M0 (Z-1) with M0 = pi0, eta, eta', and K- to K0.

On the proton, the Regge form of fits to data between 5 and 200 GeV, integrated over t,

    sigma_p = A x^-b (1 + g)/c,  x = s/10 GeV^2,  c = c0 + c1 ln x,  g = g0 + g1 ln x;

on a nucleus sigma_p Z^(2/3) A^(-0.0108 ln A) at beam energies of tens of GeV. K- p -> K0bar n falls
with a power of the momentum, times Z^(2/3). Whether the fits for eta and eta' contain the branching
ratio of the visible decay in which the mesons were seen is not known: for eta' -> gamma gamma that
would be a factor of 43. The spread of models is tens of per cent.

References
----------
NA64h, arXiv:2406.01990; Gninenko, arXiv:1409.2288.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import (
    CHARGED_KAON_MASS_GEV,
    CHARGED_PION_MASS_GEV,
    NEUTRAL_PION_MASS_GEV,
    PROTON_MASS_GEV,
)
from na64.models.errors import InputError, unknown_name
from na64.models.materials import Element, Material

__all__ = ["MESONS", "Meson", "charge_exchange_cross_section", "mesons_per_hadron"]

_MICROBARN_CM2: Final = 1e-30
_NUCLEAR_SLOPE: Final = 0.0108
_KAON_MICROBARN: Final = 56.3
_KAON_POWER: Final = -1.60
_LOWEST_ENERGY_GEV: Final = 5.0
_HIGHEST_ENERGY_GEV: Final = 200.0


@dataclass(frozen=True, slots=True)
class Meson:
    """A neutral meson made by charge exchange.

    Attributes
    ----------
    name
        ``pi0``, ``eta``, ``eta-prime`` or ``K0``.
    mass_gev
        Mass (Particle Data Group, PRD 110, 030001).
    beam
        The hadron that turns into it.
    """

    name: str
    mass_gev: float
    beam: str


#: neutral mesons by name, by rising mass
MESONS: Final[Mapping[str, Meson]] = MappingProxyType(
    {
        meson.name: meson
        for meson in (
            Meson("pi0", NEUTRAL_PION_MASS_GEV, "pi-"),
            Meson("K0", 0.497611, "K-"),
            Meson("eta", 0.547862, "pi-"),
            Meson("eta-prime", 0.95778, "pi-"),
        )
    }
)
# (A in microbarn, b, c0, c1, g0, g1)
_REGGE: Final[Mapping[str, tuple[float, ...]]] = {
    "pi0": (122.0, 1.23, 12.7, 1.57, 2.55, -0.23),
    "eta": (78.8, 1.53, 6.0, 1.6, 4.6, -0.5),
    "eta-prime": (59.4, 1.35, 6.84, 1.7, 3.7, 0.0),
}


def charge_exchange_cross_section(
    meson: str, energy_gev: ArrayLike, element: Element
) -> FloatArray:
    """Return the cross-section of charge exchange on a nucleus.

    Parameters
    ----------
    meson
        A name of `MESONS`; its beam is pi-, or K- for the K0.
    energy_gev
        Energy of the beam, 5-200 GeV, any shape.
    element
        The nucleus.

    Returns
    -------
    ndarray
        Microbarn per nucleus, of the shape of ``energy_gev``.

    Raises
    ------
    InputError
        For an unknown meson or an energy outside the range of the fits.
    """
    if meson not in MESONS:
        raise unknown_name("meson", meson, MESONS)
    energy = np.asarray(energy_gev, float)
    if not np.all((energy >= _LOWEST_ENERGY_GEV) & (energy <= _HIGHEST_ENERGY_GEV)):
        raise InputError(
            f"charge exchange is fitted from {_LOWEST_ENERGY_GEV:g} to {_HIGHEST_ENERGY_GEV:g} "
            f"GeV, not at {energy.min():g}-{energy.max():g} GeV"
        )
    nucleus = float(element.z) ** (2.0 / 3.0)
    if meson == "K0":
        momentum = np.sqrt(energy**2 - CHARGED_KAON_MASS_GEV**2)
        return np.asarray(_KAON_MICROBARN * nucleus * (momentum / 10.0) ** _KAON_POWER)
    a, b, c0, c1, g0, g1 = _REGGE[meson]
    s = CHARGED_PION_MASS_GEV**2 + PROTON_MASS_GEV**2 + 2.0 * PROTON_MASS_GEV * energy
    x = s / 10.0
    log = np.log(x)
    proton = a * x**-b * (1.0 + g0 + g1 * log) / (c0 + c1 * log)
    nucleus *= element.a ** (-_NUCLEAR_SLOPE * np.log(element.a))
    return np.asarray(proton * nucleus)


def mesons_per_hadron(
    meson: str,
    energy_gev: float,
    material: Material,
    length_cm: float,
    interaction_length_cm: float,
) -> float:
    """Return the number of mesons made by charge exchange per hadron on target.

    Only hadrons that have not interacted count: sum over nuclei of n sigma times the effective
    length lambda (1 - exp(-L/lambda)).

    Parameters
    ----------
    meson, energy_gev
        As in `charge_exchange_cross_section`.
    material, length_cm
        The target; its length may be infinite.
    interaction_length_cm
        Attenuation length lambda of the beam in it; may be infinite for a target that has an end.

    Raises
    ------
    InputError
        For lengths that are not positive, or both infinite.
    """
    if not (length_cm > 0.0 and interaction_length_cm > 0.0):
        raise InputError("target length and interaction length must be positive")
    if np.isinf(length_cm) and np.isinf(interaction_length_cm):
        raise InputError("a target without an end needs a finite interaction length")
    if np.isinf(interaction_length_cm):
        effective = length_cm
    else:
        effective = -interaction_length_cm * np.expm1(-length_cm / interaction_length_cm)
    per_cm = sum(
        density * float(charge_exchange_cross_section(meson, energy_gev, element))
        for element, density in material.number_densities_cm3
    )
    return float(per_cm * _MICROBARN_CM2 * effective)
