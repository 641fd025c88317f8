"""Resonant annihilation of cascade positrons on atomic electrons, e+ e- -> X -> invisible.

The electrons are at rest and free, s = 2 m_e (E + m_e); all of the positron's energy E goes
missing. In the form of a Breit-Wigner resonance any mediator is its widths and its spin:

    sigma(s) = (2J + 1)/4 (4 pi s/p^2) Gamma_ee Gamma_inv / D(s),
    D(s) = (s - M^2)^2 + s Gamma(sqrt s)^2

with running widths, p the momentum in the centre of mass. For a dark photon that decays to Dirac
fermions this is 4 pi epsilon^2 alpha alpha_D s (1 + 2 m^2/s) beta/(3 D).

Initial-state radiation is an option. A photon along the positron takes energy that the calorimeter
sees; one along the atomic electron is soft in the laboratory and lost. Both are described by
structure functions in leading logarithm with exponentiation.

References
----------
Marsicano et al., arXiv:1802.03794; Andreev et al. (NA64), arXiv:2108.04195.
Kuraev and Fadin, Sov. J. Nucl. Phys. 41, 466 (1985): the structure functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ALPHA, ELECTRON_MASS_GEV

__all__ = [
    "Resonance",
    "annihilation_cross_section",
    "narrow_width_yield",
    "radiated_spectrum",
    "resonance_nodes",
    "resonant_yield",
]

Width = Callable[[FloatArray], FloatArray]

#: points and weights in each cell of an integral over a resonance
_NODES = leggauss(6)
# of the two halves of an integral over radiation: the spike at the beam energy is a feature of one
# part in 1e5 in the second, which more points resolve
_POINTS_RADIATION = (24, 48)


@dataclass(frozen=True, slots=True)
class Resonance:
    """A mediator as a resonance of e+ e-.

    Attributes
    ----------
    mass_gev
        Mass M.
    spin_states
        2 J + 1: 3 for a vector, 1 for a scalar.
    entrance
        Width to e+ e- in GeV as a function of the invariant mass in GeV, at unit coupling.
    invisible
        Width to invisible states in GeV, likewise.
    total
        Total width in GeV, likewise.
    running
        Whether the width in D(s) runs, Gamma(sqrt s); else it is M Gamma(M).
    """

    mass_gev: float
    spin_states: int
    entrance: Width
    invisible: Width
    total: Width
    running: bool = True


def _s_gev2(positron_gev: FloatArray) -> FloatArray:
    return 2.0 * ELECTRON_MASS_GEV * (positron_gev + ELECTRON_MASS_GEV)


def _numerator(s_gev2: FloatArray, resonance: Resonance) -> FloatArray:
    """sigma(s) D(s): what is left of the cross-section without its pole."""
    root = np.sqrt(s_gev2)
    flux = np.pi * s_gev2 / (0.25 * s_gev2 - ELECTRON_MASS_GEV**2)
    return np.asarray(
        resonance.spin_states * flux * resonance.entrance(root) * resonance.invisible(root)
    )


def _denominator(s_gev2: FloatArray, resonance: Resonance) -> FloatArray:
    mass = resonance.mass_gev
    if resonance.running:
        damping = s_gev2 * resonance.total(np.sqrt(s_gev2)) ** 2
    else:
        damping = (mass * resonance.total(np.asarray(mass))) ** 2
    return np.asarray((s_gev2 - mass**2) ** 2 + damping)


def annihilation_cross_section(positron_gev: ArrayLike, resonance: Resonance) -> FloatArray:
    """Return the cross-section of e+ e- -> X -> invisible on an electron at rest.

    Parameters
    ----------
    positron_gev
        Energy of the positron, any shape.
    resonance
        The mediator.

    Returns
    -------
    ndarray
        GeV^-2, per electron, at unit coupling.
    """
    s = _s_gev2(np.asarray(positron_gev, float))
    return np.asarray(_numerator(s, resonance) / _denominator(s, resonance))


def narrow_width_yield(
    resonance: Resonance, spectrum: Callable[[FloatArray], FloatArray], branching: float
) -> float:
    """Return int dE T(E) sigma(E) for a resonance much narrower than the spectrum's features.

    sigma -> 2 pi^2 (2J + 1) (M^2/2 p^2) (Gamma_ee/M) BR_inv delta(s - M^2), which for a vector
    is T(E_R) 4 pi^2 alpha epsilon^2 BR_inv/(2 m_e).

    Parameters
    ----------
    resonance
        The mediator; its ``invisible`` and ``total`` widths are not used.
    spectrum
        Track length of positrons in X0 per GeV as a function of energy in GeV, zero where it
        does not count.
    branching
        Invisible branching ratio.

    Returns
    -------
    float
        X0 GeV^-2, per electron, at unit coupling.
    """
    mass = np.asarray(resonance.mass_gev)
    s = mass**2
    energy = s / (2.0 * ELECTRON_MASS_GEV) - ELECTRON_MASS_GEV
    reached = np.asarray(spectrum(energy))
    if not np.any(reached):  # at 2 m_e, too, where the flux is infinite and the width is nothing
        return 0.0
    flux = np.pi * s / (0.25 * s - ELECTRON_MASS_GEV**2)
    strength = resonance.spin_states * flux * np.pi * resonance.entrance(mass) / mass
    jacobian = 2.0 * ELECTRON_MASS_GEV
    return float(strength * branching * reached / jacobian)


def resonant_yield(
    resonance: Resonance,
    spectrum: Callable[[FloatArray], FloatArray],
    edges_gev: FloatArray,
) -> float:
    """Return int dE T(E) sigma(E), accurate for any width.

    In every cell the variable is the phase of the resonance, arctan((s - M^2)/(M Gamma)), in
    which the cross-section is flat; no grid can then miss the peak.

    Parameters
    ----------
    resonance
        The mediator.
    spectrum
        Track length of positrons in X0 per GeV as a function of energy in GeV.
    edges_gev
        Ascending edges of cells in which the spectrum is smooth; they span the integral.

    Returns
    -------
    float
        X0 GeV^-2, per electron, at unit coupling.
    """
    energy, weight = resonance_nodes(resonance, edges_gev)
    return float(np.sum(weight * spectrum(energy)))


def resonance_nodes(resonance: Resonance, edges_gev: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return energies and weights with which sum(weight T(energy)) is int dE T(E) sigma(E).

    Parameters
    ----------
    resonance, edges_gev
        As in `resonant_yield`, N + 1 edges.

    Returns
    -------
    energies, weights : ndarray
        Energies of positrons in GeV and weights in GeV^-1, at unit coupling, both of shape (N, K):
        K points in each cell.
    """
    mass = resonance.mass_gev
    scale = mass * float(resonance.total(np.asarray(mass)))
    points, weights = _NODES
    phase = np.arctan((_s_gev2(edges_gev) - mass**2) / scale)
    half = 0.5 * np.diff(phase)[:, None]
    theta = 0.5 * (phase[1:] + phase[:-1])[:, None] + half * points
    tangent = np.tan(theta)
    s = mass**2 + scale * tangent
    # rounding must not push a point out of its cell, where the spectrum may be undefined
    energy = np.clip(
        s / (2.0 * ELECTRON_MASS_GEV) - ELECTRON_MASS_GEV, edges_gev[:-1, None], edges_gev[1:, None]
    )
    s = _s_gev2(energy)
    measure = half * weights * scale * (1.0 + tangent**2) / (2.0 * ELECTRON_MASS_GEV)
    return energy, measure * _numerator(s, resonance) / _denominator(s, resonance)


def radiated_spectrum(
    spectrum: Callable[[FloatArray], FloatArray],
    limits_gev: tuple[float, float],
    energy_gev: ArrayLike,
    acceptance: Callable[[FloatArray], FloatArray] = np.ones_like,
) -> FloatArray:
    """Return the positron spectrum after initial-state radiation.

    A positron of energy E that annihilates at the invariant mass of E' = z_+ z_- E, with the
    fraction 1 - z_+ radiated along the positron (and seen) and 1 - z_- along the electron (and
    lost), counts when z_+ E is above the threshold:

        T'(E') = int dz_+ dz_- D(z_+) D(z_-) T(E'/(z_+ z_-))/(z_+ z_-) theta(E'/z_- - E_miss).

    Parameters
    ----------
    spectrum
        Track length of positrons in X0 per GeV as a function of energy in GeV.
    limits_gev
        Smallest missing energy, down to which the spectrum is known, and largest energy of a
        positron.
    energy_gev
        Energies E' that fix the invariant mass, s' = 2 m_e E'; may be below the threshold.
    acceptance
        Probability that a missing energy above the threshold, in GeV, is selected.

    Returns
    -------
    ndarray
        X0 per GeV, of the shape of ``energy_gev``.
    """
    reduced = np.asarray(energy_gev, float)[..., None]
    threshold, top = limits_gev
    beta = 2.0 * ALPHA / np.pi * (np.log(2.0 * reduced / ELECTRON_MASS_GEV) - 1.0)

    # z_- first: E'/z_- must exceed the threshold and stay below the beam energy
    ratio = np.minimum(reduced / top, 1.0)
    most = 1.0 - ratio
    least = np.clip(1.0 - reduced / threshold, 0.0, most)
    z_minus, weight_minus = _radiated_fractions(beta, least, most)
    weight_minus = weight_minus * acceptance(reduced / z_minus)
    # then z_+, down to where the positron would have needed the beam energy
    most = np.maximum(1.0 - ratio / z_minus, 0.0)[..., None]
    z_plus, weight_plus = _radiated_fractions(beta[..., None], np.zeros_like(most), most)
    z = z_minus[..., None] * z_plus
    density = spectrum(np.clip(reduced[..., None] / z, threshold, top)) / z
    weight_plus = (weight_plus * density).sum(axis=-1)
    return np.asarray((weight_minus * weight_plus).sum(axis=-1))


def _radiated_fractions(
    beta: FloatArray, least: FloatArray, most: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return z and weights of an integral over D(z) dz with 1 - z between two limits.

    All arguments have a last axis of 1, in place of which the results have that of the nodes. D
    has the power (beta/2)(1-z)^(beta/2-1) at z = 1; at the other limit the positron has the beam
    energy, where its spectrum has a spike, after radiation one as steep. Each half has its own
    variable.
    """
    half_beta = 0.5 * beta
    middle = 0.5 * (least + most)
    (v, soft_weights), (w, hard_weights) = (_unit_interval(n) for n in _POINTS_RADIATION)
    low, high = least**half_beta, middle**half_beta
    soft = (low + (high - low) * v) ** (1.0 / half_beta)
    distance = (most - middle) * w ** (1.0 / half_beta)
    hard = np.maximum(most - distance, np.finfo(float).tiny)
    lost = np.concatenate([soft, hard], axis=-1)
    hard_weights = hard ** (half_beta - 1.0) * distance / w * hard_weights
    power = np.concatenate([(high - low) * soft_weights, hard_weights], axis=-1)
    # D over its leading power
    structure = 1.0 + 0.75 * half_beta - 0.5 * (2.0 - lost) * lost ** (1.0 - half_beta)
    return 1.0 - lost, power * structure


def _unit_interval(number: int) -> tuple[FloatArray, FloatArray]:
    """Return points and weights of Gauss and Legendre between 0 and 1."""
    points, weights = leggauss(number)
    return 0.5 * (points + 1.0), 0.5 * weights
