"""Vectors in decays of light mesons, by vector dominance: which current makes which one.

P -> V* + D with V* turning into the boson X: the amplitude is

    sum over V of  tr(T_P T_D T_V)  tr(T_V Q)  BW_V(M),

with the U(3) generators T of the mesons, the diagonal matrix Q of the couplings of X to u, d and s,
and V out of rho, omega and phi. Only ratios of it between two currents have a meaning here.

References
----------
Ilten, Soreq, Williams and Xue, arXiv:1801.04847, eqs. (2.7)-(2.11), (A.1) and (A.3), whose
generators these are: the eta and eta' mixed so that the eta holds u, d and s in equal parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import ComplexArray, FloatArray
from na64.models.constants import CHARGED_KAON_MASS_GEV, CHARGED_PION_MASS_GEV
from na64.models.decays.hadrons import OMEGA_MASS_GEV, PHI_MASS_GEV

__all__ = ["GENERATORS", "decay_amplitude", "running_breit_wigner"]

_ROOT_2, _ROOT_3, _ROOT_6 = np.sqrt([2.0, 3.0, 6.0])
#: diagonals of the generators, and of the charges of the photon
GENERATORS: Final[Mapping[str, tuple[float, float, float]]] = {
    "photon": (2 / 3, -1 / 3, -1 / 3),
    "pi0": (0.5, -0.5, 0.0),
    "eta": (1 / _ROOT_6, 1 / _ROOT_6, -1 / _ROOT_6),
    "eta'": (0.5 / _ROOT_3, 0.5 / _ROOT_3, 1 / _ROOT_3),
    "rho": (0.5, -0.5, 0.0),
    "omega": (0.5, 0.5, 0.0),
    "phi": (0.0, 0.0, 1 / _ROOT_2),
}
_NEUTRAL_PION_MASS_GEV: Final = 0.1349768
_NEUTRAL_KAON_MASS_GEV: Final = 0.497611
_ETA_MASS_GEV: Final = 0.547862


@dataclass(frozen=True, slots=True)
class _Resonance:
    """Mass, width, and decays as (branching ratio, mass, mass); Particle Data Group."""

    mass_gev: float
    width_gev: float
    decays: tuple[tuple[float, float, float], ...]


_RESONANCES: Final[Mapping[str, _Resonance]] = {
    "rho": _Resonance(0.77526, 0.1491, ((1.0, CHARGED_PION_MASS_GEV, CHARGED_PION_MASS_GEV),)),
    "omega": _Resonance(
        OMEGA_MASS_GEV,
        8.68e-3,
        (
            (0.901, 2.0 * CHARGED_PION_MASS_GEV, _NEUTRAL_PION_MASS_GEV),
            (0.0834, _NEUTRAL_PION_MASS_GEV, 0.0),
            (0.0153, CHARGED_PION_MASS_GEV, CHARGED_PION_MASS_GEV),
        ),
    ),
    "phi": _Resonance(
        PHI_MASS_GEV,
        4.249e-3,
        (
            (0.491, CHARGED_KAON_MASS_GEV, CHARGED_KAON_MASS_GEV),
            (0.339, _NEUTRAL_KAON_MASS_GEV, _NEUTRAL_KAON_MASS_GEV),
            (0.0131, _ETA_MASS_GEV, 0.0),
        ),
    ),
}


def _momentum_squared(s: FloatArray | float, one: float, two: float) -> FloatArray:
    """4 s times the square of the momentum of two daughters; 0 below their threshold."""
    product = (s - (one + two) ** 2) * (s - (one - two) ** 2)
    return np.asarray(np.where(s > (one + two) ** 2, product, 0.0))


def running_breit_wigner(name: str, mass_gev: ArrayLike) -> ComplexArray:
    """Return m^2/(m^2 - M^2 - i m^2 Gamma k(M)/M), k the p-wave phase space of the decays.

    Parameters
    ----------
    name
        ``rho``, ``omega`` or ``phi``.
    mass_gev
        M, any shape.

    References
    ----------
    arXiv:1801.04847, eq. (A.3).
    """
    mass = np.asarray(mass_gev, float)
    state = _RESONANCES[name]
    s, pole = mass**2, state.mass_gev**2
    opened = np.zeros_like(mass)
    for branching, one, two in state.decays:
        on_shell = float(_momentum_squared(pole, one, two)) / pole
        opened += branching * (_momentum_squared(s, one, two) / s / on_shell) ** 1.5
    return np.asarray(pole / (pole - s - 1j * pole * state.width_gev * opened / mass))


def decay_amplitude(
    parent: str, daughter: str, couplings: Sequence[ArrayLike], mass_gev: ArrayLike
) -> ComplexArray:
    """Return the amplitude of a decay P -> D X up to what all currents share.

    Parameters
    ----------
    parent, daughter
        Out of `GENERATORS`.
    couplings
        Of X to u, d and s, each of the shape of ``mass_gev`` or a number.
    mass_gev
        Mass of X, any shape.

    Examples
    --------
    The pi0 makes as many bosons of B-L as dark photons of the same coupling, the eta a quarter:

    >>> photon, baryon = GENERATORS["photon"], (1 / 3, 1 / 3, 1 / 3)
    >>> for meson in ("pi0", "eta"):
    ...     two = [decay_amplitude(meson, "photon", q, 0.01) for q in (baryon, photon)]
    ...     print(f"{abs(two[0] / two[1]) ** 2:.2f}")
    1.00
    0.25
    """
    total = np.zeros(np.shape(mass_gev), complex)
    outer = np.multiply(GENERATORS[parent], GENERATORS[daughter])
    for name in _RESONANCES:
        generator = GENERATORS[name]
        strength = float(np.dot(outer, generator))
        if strength:
            mixing = sum(
                number * np.asarray(coupling, float)
                for number, coupling in zip(generator, couplings, strict=True)
            )
            total = total + strength * mixing * running_breit_wigner(name, mass_gev)
    return np.asarray(total)
