"""Relative rates at which a search makes vectors of different couplings.

`production_rate` is the rate per square of the free coupling up to a factor that all vectors of
a mass share, so that the ratio of two mediators is that of their numbers of events:

=================================  ==============================================================
process                            rate
=================================  ==============================================================
e+ e- -> gamma X, emission off
and annihilation of electrons      x_e^2
emission off muons                 x_mu^2
emission off protons               (2 x_u + x_d)^2; form factors are common
Drell-Yan                          0.8 (x_u/Q_u)^2 + 0.2 (x_d/Q_d)^2
pi0, eta, eta' -> gamma X, ...     `na64.models.recasting.mesons.decay_amplitude` squared
K+ -> pi+ X and other hadrons      x_u^2, for couplings to quarks in the ratio of their charges
=================================  ==============================================================

x_f is the coupling at q^2 = M^2, per unit of the free coupling. Axial vectors of a mass far above
that of the electron are made by electrons and quarks as vectors are: the two differ by
(2 m_e/M)^2, the share of their longitudinal polarisation.

References
----------
Ilten, Soreq, Williams and Xue, arXiv:1801.04847, section 2; axial vectors: Baruch, Ilten, Soreq
and Williams, arXiv:2206.08563, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.errors import InputError
from na64.models.mediators.charges import ELECTRIC_CHARGES, NEUTRINOS
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.recasting.channels import Production
from na64.models.recasting.mesons import decay_amplitude

__all__ = ["AXIAL_FROM_GEV", "HEAVIEST_GEV", "exchange_strength", "production_rate"]

#: least mass of an axial vector for these rates: its longitudinal polarisation is 1 % there
AXIAL_FROM_GEV: Final = 0.01

_LEPTONS: Final[Mapping[Production, str]] = {
    Production.E_E_TO_GAMMA: "e",
    Production.ELECTRON_BREMSSTRAHLUNG: "e",
    Production.RESONANT_ANNIHILATION: "e",
    Production.MUON_BREMSSTRAHLUNG: "mu",
    Production.E_E_TO_MUONS: "mu",
    Production.E_E_TO_TAUS: "tau",
}
_DECAYS: Final[Mapping[Production, tuple[str, str]]] = {
    Production.PI0_TO_GAMMA: ("pi0", "photon"),
    Production.ETA_TO_GAMMA: ("eta", "photon"),
    Production.ETA_PRIME_TO_GAMMA: ("eta'", "photon"),
    Production.OMEGA_TO_PI0: ("omega", "pi0"),
    Production.PHI_TO_ETA: ("phi", "eta"),
}
#: largest mass of X that a decay leaves room for, parent less daughter; Particle Data Group
HEAVIEST_GEV: Final[Mapping[Production, float]] = {
    Production.PI0_TO_GAMMA: 0.13498,
    Production.ETA_TO_GAMMA: 0.54786,
    Production.ETA_PRIME_TO_GAMMA: 0.95778,
    Production.OMEGA_TO_PI0: 0.64768,
    Production.PHI_TO_ETA: 0.47160,
    Production.KAON_TO_PION: 0.35411,
    Production.NEUTRAL_KAON_TO_PION: 0.36263,
}
#: hadronic processes that go through the electromagnetic current: known for that one alone
_OF_CURRENT: Final = (
    Production.KAON_TO_PION,
    Production.NEUTRAL_KAON_TO_PION,
    Production.PION_CAPTURE,
    Production.PHOTOPRODUCTION,
    Production.NUCLEAR_TRANSITION,
    Production.MESON_DECAY,
    Production.J_PSI_DECAY,
)
#: share of u quarks in Drell-Yan of a dark photon off nuclei, as in arXiv:1801.04847
_DRELL_YAN_UP: Final = 0.8
#: processes of electrons and quarks whose masses do not matter
_CHIRAL: Final = (
    Production.E_E_TO_GAMMA,
    Production.ELECTRON_BREMSSTRAHLUNG,
    Production.RESONANT_ANNIHILATION,
    Production.DRELL_YAN,
)
_SAME: Final = 1e-6


def production_rate(process: Production, mediator: Mediator, mass_gev: ArrayLike) -> FloatArray:
    """Return the relative rate of a process per square of the free coupling.

    Parameters
    ----------
    process
        What makes the boson.
    mediator
        A vector, or an axial vector for processes of light fermions.
    mass_gev
        Its mass, any shape.

    Returns
    -------
    ndarray
        Of the shape of ``mass_gev``; 0 where the mediator is not made.

    Raises
    ------
    InputError
        For a mediator of another kind, a process whose rate is unknown, or one that is known for
        couplings in the ratio of the electric charges only.
    """
    mass = np.asarray(mass_gev, float)
    _check_kind(process, mediator)
    if process in _LEPTONS:
        return np.asarray(mediator.coupling(_LEPTONS[process], mass**2) ** 2)
    up, down, strange = (mediator.coupling(quark, mass**2) for quark in "uds")
    if process is Production.PROTON_BREMSSTRAHLUNG:
        return np.asarray((2.0 * up + down) ** 2)
    if process is Production.DRELL_YAN:
        of_up, of_down = (up / ELECTRIC_CHARGES["u"]) ** 2, (down / ELECTRIC_CHARGES["d"]) ** 2
        return np.asarray(_DRELL_YAN_UP * of_up + (1.0 - _DRELL_YAN_UP) * of_down)
    if process in _DECAYS:
        amplitude = decay_amplitude(*_DECAYS[process], (up, down, strange), mass)
        return np.asarray(np.abs(amplitude) ** 2)
    if process not in _OF_CURRENT:
        raise InputError(f"the rate of {process} is not known for other couplings")
    if not (np.allclose(up, -2.0 * down, rtol=_SAME) and np.allclose(down, strange, rtol=_SAME)):
        raise InputError(
            f"the rate of {process} is known for couplings to quarks in the ratio of their charges "
            f"only, which {mediator.name} has not"
        )
    return np.asarray(up**2)


def _check_kind(process: Production, mediator: Mediator) -> None:
    if mediator.kind is MediatorKind.VECTOR:
        return
    if mediator.kind is not MediatorKind.AXIAL:
        raise InputError(f"{mediator.name} is {mediator.kind}: rates are compared between vectors")
    if process not in _CHIRAL:
        raise InputError(f"the rate of {process} is known for vector couplings only")


def exchange_strength(process: Production, mediator: Mediator, mass_gev: ArrayLike) -> FloatArray:
    """Return the product of couplings with which a boson is exchanged; its sign counts.

    Where a boson is exchanged and not made, signal and interference depend on g^2 x_a x_b alone.

    Parameters
    ----------
    process
        Neutrino tridents, x_mu x_nu_mu; or neutrinos on electrons, x_e x_nu for mediators that
        couple to all neutrinos alike, as the flavours of a beam are not told.
    mediator, mass_gev
        A vector and its mass, any shape.

    Raises
    ------
    InputError
        For other processes and mediators.
    """
    mass = np.asarray(mass_gev, float)
    if mediator.kind is not MediatorKind.VECTOR:
        raise InputError(f"{mediator.name} is {mediator.kind}: exchange is compared for vectors")
    neutrinos = [mediator.coupling(name, mass**2) for name in NEUTRINOS]
    if process is Production.NEUTRINO_TRIDENT:
        return np.asarray(mediator.coupling("mu", mass**2) * neutrinos[1])
    if process is not Production.ELECTRON_SCATTERING:
        raise InputError(f"the exchange of X in {process} is not known for other couplings")
    if not (np.all(neutrinos[0] == neutrinos[1]) and np.all(neutrinos[0] == neutrinos[2])):
        raise InputError(
            "neutrinos scatter in the flavours of the beam, and "
            f"{mediator.name} does not couple to all of them alike"
        )
    return np.asarray(mediator.coupling("e", mass**2) * neutrinos[0])
