"""Widths to what a search sees, and where they can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import CHARGED_PION_MASS_GEV
from na64.models.decays.hadrons import QuarkCharges, pion_form_factor, pion_photon_ratio
from na64.models.decays.widths import sum_of_widths
from na64.models.mediators.charges import ELECTRIC_CHARGES
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.recasting.channels import FinalState

__all__ = ["HADRONIC_REACH_GEV", "seen_width", "total_width", "widths_known"]

#: largest mass at which R(s) through the photon alone stands for the hadrons; the Z is 20 % of a
#: propagator there
HADRONIC_REACH_GEV: Final = 40.0

_KEYS: Final[Mapping[FinalState, str]] = {
    FinalState.ELECTRONS: "e e",
    FinalState.MUONS: "mu mu",
    FinalState.TAUS: "tau tau",
    FinalState.HADRONS: "hadrons",
    FinalState.PIONS: "pi pi",
    FinalState.PHOTONS: "photons",
    FinalState.NEUTRINOS: "neutrinos",
}


def total_width(mediator: Mediator, mass_gev: ArrayLike) -> FloatArray:
    """Return the width in GeV to the Standard Model at unit coupling; shape of ``mass_gev``."""
    mass = np.asarray(mass_gev, float)
    return sum_of_widths(mediator.partial_widths(mass), mass.shape)


def seen_width(mediator: Mediator, states: Iterable[FinalState], mass_gev: ArrayLike) -> FloatArray:
    """Return the width in GeV to any of some final states at unit coupling.

    Parameters
    ----------
    mediator
        The mediator.
    states
        What is seen; ``visible`` is everything but neutrinos, ``invisible`` are those, and
        ``charged`` is what is visible without pi0 gamma.
    mass_gev
        Masses, any shape.
    """
    mass = np.asarray(mass_gev, float)
    states = tuple(states)
    widths = dict(mediator.partial_widths(mass))
    if FinalState.PIONS in states and not {FinalState.HADRONS, FinalState.VISIBLE} & {*states}:
        widths["pi pi"] = _pion_pair(mediator, mass)
    names: set[str] = set()
    for state in states:
        if state in (FinalState.VISIBLE, FinalState.CHARGED):
            names |= widths.keys() - {"neutrinos", "pi pi"}
        elif state is FinalState.INVISIBLE:
            names.add("neutrinos")
        else:
            names.add(_KEYS[state])
    chosen = {name: width for name, width in widths.items() if name in names}
    if FinalState.CHARGED in states and FinalState.VISIBLE not in states:
        chosen["hadrons"] = chosen.get("hadrons", 0.0) - _pion_photon(mediator, mass)
    return sum_of_widths(chosen, mass.shape)


def _pion_pair(mediator: Mediator, mass: FloatArray) -> FloatArray:
    """Width to pi+ pi- at unit coupling of a vector: rho, and omega by its mixing with it."""
    up, down = (mediator.coupling(quark, mass**2) for quark in "ud")
    opened = mass > 2.0 * CHARGED_PION_MASS_GEV
    s = np.where(opened, mass, 1.0) ** 2
    # the form factor is linear in the two parts of the current
    isovector, isoscalar = (
        pion_form_factor(s, QuarkCharges(up, down, 0.0, 0.0, 0.0))
        for up, down in ((0.5, -0.5), (1 / 6, 1 / 6))
    )
    total = (up - down) * isovector + 3.0 * (up + down) * isoscalar
    beta = np.sqrt(np.maximum(1.0 - 4.0 * CHARGED_PION_MASS_GEV**2 / s, 0.0))
    width = mass / (48.0 * np.pi) * beta**3 * np.abs(total) ** 2
    return np.asarray(np.where(opened, width, 0.0))


def _pion_photon(mediator: Mediator, mass: FloatArray) -> FloatArray:
    """Width to pi0 gamma at unit coupling of a vector, through the omega."""
    up, down = (mediator.coupling(quark, mass**2) for quark in "ud")
    isoscalar = (up + down) / (ELECTRIC_CHARGES["u"] + ELECTRIC_CHARGES["d"])
    return np.asarray(isoscalar**2 * mass / (12.0 * np.pi) * pion_photon_ratio(mass**2))


def widths_known(
    mediator: Mediator, mass_gev: ArrayLike
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return where the hadronic width is measured, or there is none; shape of ``mass_gev``.

    That of vectors is up to `HADRONIC_REACH_GEV`; that of axial vectors is an estimate everywhere
    above two pions.
    """
    mass = np.asarray(mass_gev, float)
    hadrons = np.asarray(mediator.partial_widths(mass).get("hadrons", np.zeros_like(mass)))
    reach = HADRONIC_REACH_GEV
    if mediator.kind is MediatorKind.AXIAL:
        reach = 2.0 * CHARGED_PION_MASS_GEV
    return np.asarray((mass < reach) | (hadrons <= 0.0))
