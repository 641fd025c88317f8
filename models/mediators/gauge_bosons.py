"""Gauge bosons of B-L and of L_mu - L_tau."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import ComplexArray, FloatArray
from na64.models.constants import (
    ALPHA,
    ELECTRON_MASS_GEV,
    ELEMENTARY_CHARGE,
    LEPTON_MASSES_GEV,
    MUON_MASS_GEV,
    TAU_MASS_GEV,
)
from na64.models.decays.hadrons import r_ratio
from na64.models.decays.widths import vector_to_fermions, vector_to_left_handed_neutrinos
from na64.models.mediators.charges import ELECTRIC_CHARGES, NEUTRINOS, QUARKS, charge_of
from na64.models.mediators.protocol import MediatorKind
from na64.models.mediators.vectors import HeavyNeutrinos, NeutrinoType, VectorMediator

__all__ = [
    "LMuLTau",
    "b_minus_l",
    "b_minus_l_heavy_neutrinos",
    "b_minus_l_left_handed",
    "l_mu_l_tau",
    "loop_mixing",
    "vacuum_polarisation",
]

_B_MINUS_L: Final[Mapping[str, float]] = {
    **dict.fromkeys((*LEPTON_MASSES_GEV, *NEUTRINOS), -1.0),
    **dict.fromkeys(QUARKS, 1.0 / 3.0),
}
_L_MU_L_TAU: Final[Mapping[str, float]] = {"mu": 1.0, "nu_mu": 1.0, "tau": -1.0, "nu_tau": -1.0}
#: |q^2|/m^2 below which the power series is used, and its order
_SERIES_BELOW: Final = 0.3
_SERIES_ORDER: Final = 12


def b_minus_l() -> VectorMediator:
    """Return the Z' of an unbroken U(1) of B-L with three light Dirac neutrinos.

    The default: freedom from anomalies demands three right-handed neutrinos, which stay massless
    partners of the left-handed ones while the symmetry is unbroken. No further parameter is
    needed. Between 2 m_e and 2 m_mu 3/4 of the decays are invisible.

    References
    ----------
    NA64, arXiv:2207.09979; Ilten, Soreq, Williams and Xue, arXiv:1801.04847.
    """
    return VectorMediator(
        name="b-minus-l",
        parameter="g",
        charges=_B_MINUS_L,
        citations=("arXiv:2207.09979", "arXiv:1801.04847"),
        neutrinos=NeutrinoType.DIRAC,
    )


def b_minus_l_left_handed() -> VectorMediator:
    """Return the Z' of B-L whose right-handed neutrinos are too heavy to be decayed to.

    3/5 of the decays between 2 m_e and 2 m_mu are invisible: the weakest limit of the three.

    References
    ----------
    As in `b_minus_l`.
    """
    return VectorMediator(
        name="b-minus-l-left-handed",
        parameter="g",
        charges=_B_MINUS_L,
        citations=("arXiv:2207.09979", "arXiv:1801.04847"),
        neutrinos=NeutrinoType.LEFT_HANDED,
    )


def b_minus_l_heavy_neutrinos() -> VectorMediator:
    """Return the Z' of a broken B-L with three Majorana neutrinos of m_N = m_Z'/3.

    The case of NA64's search, in which the heavy neutrinos count as invisible: 0.680 of the
    decays between 2 m_e and 2 m_mu.

    References
    ----------
    NA64, arXiv:2207.09979 (Phys. Rev. Lett. 129, 161801).
    """
    return VectorMediator(
        name="b-minus-l-heavy-neutrinos",
        parameter="g",
        charges=_B_MINUS_L,
        citations=("arXiv:2207.09979",),
        neutrinos=NeutrinoType.LEFT_HANDED,
        heavy_neutrinos=HeavyNeutrinos(number=3, charge=1.0, ratio=3.0),
    )


def vacuum_polarisation(q2_gev2: ArrayLike, mass_gev: float) -> ComplexArray:
    """Return int_0^1 dx x (1-x) ln[1 - x (1-x) q^2/m^2 - i0].

    Parameters
    ----------
    q2_gev2
        Squared four-momentum, any sign, any shape.
    mass_gev
        Mass m of the fermion in the loop.

    Returns
    -------
    ndarray
        Complex; real below q^2 = 4 m^2. With r = q^2/m^2 and b = sqrt(1 - 4/r) it is
        -5/18 - 2/(3 r) + (b/6) (1 + 2/r) ln[(b + 1)/(b - 1)].
    """
    ratio = np.asarray(q2_gev2, float) / mass_gev**2
    small = np.abs(ratio) < _SERIES_BELOW
    # sum of -(r^n/n) B(n+2, n+2), in which consecutive Beta functions have a simple ratio
    series = np.zeros_like(ratio)
    term, beta = np.ones_like(ratio), 1.0 / 6.0
    for n in range(1, _SERIES_ORDER + 1):
        beta *= (n + 1.0) / (2.0 * (2.0 * n + 3.0))
        term = term * np.where(small, ratio, 0.0)
        series = series - term * beta / n
    r = np.where(small, 1.0, ratio).astype(complex)
    b = np.sqrt(1.0 - 4.0 / r)
    # ln[(b+1)/(b-1)] on the side of q^2 + i0, where the logarithm of the integrand has -i pi
    log = np.log((b + 1.0) / np.where(b == 1.0, 1.0, b - 1.0))
    above = np.asarray(ratio > 4.0)
    log = np.where(above, np.log(np.abs((1.0 + b) / (1.0 - b))) - 1j * np.pi, log)
    closed = -5.0 / 18.0 - 2.0 / (3.0 * r) + b / 6.0 * (1.0 + 2.0 / r) * log
    return np.asarray(np.where(small, series, closed), complex)


def loop_mixing(q2_gev2: ArrayLike) -> ComplexArray:
    """Return the kinetic mixing that muon and tau loops induce, per unit of g.

    epsilon/g = -(e/2 pi^2) int dx x (1-x) ln[(m_tau^2 - x(1-x) q^2)/(m_mu^2 - x(1-x) q^2)],
    -1/69.3 at q^2 = 0, with an imaginary part above 2 m_mu.

    Parameters
    ----------
    q2_gev2
        Squared four-momentum, any shape.

    References
    ----------
    Kamada and Yu, arXiv:1504.00711; Gninenko and Krasnikov, arXiv:1801.10448.
    """
    logarithm = 2.0 * np.log(TAU_MASS_GEV / MUON_MASS_GEV) / 6.0
    difference = vacuum_polarisation(q2_gev2, TAU_MASS_GEV) - vacuum_polarisation(
        q2_gev2, MUON_MASS_GEV
    )
    return np.asarray(-ELEMENTARY_CHARGE / (2.0 * np.pi**2) * (logarithm + difference), complex)


@dataclass(frozen=True)
class LMuLTau:
    """The Z' of L_mu - L_tau.

    At tree level it couples to muons, taus and their left-handed neutrinos. To electrons and
    quarks it couples through the loops of muon and tau, a kinetic mixing that depends on q^2; its
    modulus is what counts. For the muon and the tau themselves that mixing is a correction of
    0.4 % to the coupling and left out.

    References
    ----------
    He, Joshi, Lew and Volkas, Phys. Rev. D 43, 22 (1991); NA64, arXiv:1801.10448,
    arXiv:2206.03101.
    """

    name: str = "l-mu-l-tau"
    parameter: str = "g"
    citations: tuple[str, ...] = (
        "Phys. Rev. D 43, 22 (1991)",
        "arXiv:2206.03101",
        "arXiv:2401.01708",
    )
    kind: MediatorKind = field(default=MediatorKind.VECTOR, init=False)

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> FloatArray:
        """Return the coupling per unit of g: the charge, or e Q times the modulus of the mixing."""
        tree = charge_of(_L_MU_L_TAU, fermion)
        electric = ELECTRIC_CHARGES.get(fermion, 0.0)
        if tree or not electric:
            return np.full(np.shape(q2_gev2), tree)
        return np.asarray(-ELEMENTARY_CHARGE * electric * np.abs(loop_mixing(q2_gev2)))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, FloatArray]:
        """Return the widths in GeV to Standard Model states at unit coupling; see `Mediator`."""
        mass = np.asarray(mass_gev, float)
        alpha = 1.0 / (4.0 * np.pi)
        mixed = ALPHA * np.abs(loop_mixing(mass**2)) ** 2
        return {
            "e e": vector_to_fermions(mass, ELECTRON_MASS_GEV, mixed),
            "mu mu": vector_to_fermions(mass, MUON_MASS_GEV, alpha),
            "tau tau": vector_to_fermions(mass, TAU_MASS_GEV, alpha),
            "neutrinos": vector_to_left_handed_neutrinos(mass, 2.0 * alpha),
            "hadrons": np.asarray(mixed * mass / 3.0 * r_ratio(mass**2)),
        }


def l_mu_l_tau() -> LMuLTau:
    """Return the Z' of L_mu - L_tau."""
    return LMuLTau()
