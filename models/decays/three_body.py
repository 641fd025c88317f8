"""Three-body decays of excited dark matter, chi_2 -> chi_1 f fbar, through an off-shell mediator.

The decay factorises in the invariant mass q of the visible pair,

    dGamma/dq^2 = Gamma(chi_2 -> chi_1 X*(q)) q Gamma(X* -> f fbar)(q) / (pi (M^2 - q^2)^2),
    Gamma(chi_2 -> chi_1 X*) = alpha_D lambda^(1/2) (Delta^2 - q^2) (2 q^2 + Sigma^2)
                               / (4 m_2^3 q^2),

with Delta = m_2 - m_1, Sigma = m_1 + m_2, lambda = (Delta^2 - q^2)(Sigma^2 - q^2): the current of
a pseudo-Dirac pair, i chibar_1 gamma chi_2, and a conserved current of the fermions. For
m_1 >> Delta >> m_e and M >> Delta it becomes 4 epsilon^2 alpha alpha_D Delta^5/(15 pi M^4).

References
----------
Izaguirre, Krnjaic and Shuve, arXiv:1508.03050; NA64, arXiv:2107.02021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import CHARGED_PION_MASS_GEV, ELECTRON_MASS_GEV, LEPTON_MASSES_GEV
from na64.models.decays.widths import sum_of_widths
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator, MediatorKind

__all__ = ["ThreeBodyDecay", "three_body_decay"]

#: smallest invariant mass of each final state
_THRESHOLDS: Final[Mapping[str, float]] = {
    **{f"{name} {name}": 2.0 * mass for name, mass in LEPTON_MASSES_GEV.items()},
    "hadrons": CHARGED_PION_MASS_GEV,  # omega -> pi0 gamma, in the units of `r_ratio`
    "neutrinos": 0.0,
    "photons": 0.0,
}
_INVISIBLE: Final = ("neutrinos",)
# Nodes in q; hadrons have narrow resonances.
_NODES: Final = 48
_HADRONIC_NODES: Final = 400


@dataclass(frozen=True, slots=True)
class ThreeBodyDecay:
    """Decay of chi_2 to chi_1 and a pair, over M sets of masses, at unit coupling.

    Attributes
    ----------
    heavy_gev, light_gev
        m_2 and m_1, shape (M,).
    widths_gev
        Width by final state of the pair, each of shape (M,); zero where it is closed.
    pair_masses_gev, pair_widths_gev
        Invariant masses of visible pairs, and the part of the width for which each stands,
        shape (M, K).
    """

    heavy_gev: FloatArray
    light_gev: FloatArray
    widths_gev: Mapping[str, FloatArray]
    pair_masses_gev: FloatArray
    pair_widths_gev: FloatArray

    @property
    def total_gev(self) -> FloatArray:
        """Total width, shape (M,)."""
        return sum_of_widths(self.widths_gev, self.heavy_gev.shape)

    def visible_fraction(self, energy_ratio: FloatArray) -> FloatArray:
        """Return the fraction of decays whose visible energy is above a cut.

        The pair's energy is boosted from the rest frame of chi_2, in which it has every
        direction alike, with a velocity of 1.

        Parameters
        ----------
        energy_ratio
            Cut over the energy of chi_2 in the laboratory, shape (M, N).

        Returns
        -------
        ndarray
            Of all decays, invisible ones included, shape (M, N).
        """
        m2, m1 = self.heavy_gev[:, None], self.light_gev[:, None]
        q2 = self.pair_masses_gev**2
        energy = (m2**2 - m1**2 + q2) / (2.0 * m2)
        momentum = np.sqrt(np.maximum(energy**2 - q2, 0.0))
        fraction = np.zeros(np.shape(energy_ratio))
        total = self.total_gev
        for e, p, w in zip(energy.T, momentum.T, self.pair_widths_gev.T, strict=True):
            # cos of the angle above which the pair passes the cut
            needed = (m2 * energy_ratio - e[:, None]) / np.maximum(p, 1e-300)[:, None]
            fraction += (w / total)[:, None] * 0.5 * (1.0 - np.clip(needed, -1.0, 1.0))
        return fraction


def three_body_decay(
    heavy_gev: ArrayLike,
    light_gev: ArrayLike,
    mediator_mass_gev: ArrayLike,
    alpha_d: float,
    mediator: Mediator,
) -> ThreeBodyDecay:
    """Return the three-body decay of excited dark matter over the full phase space.

    Parameters
    ----------
    heavy_gev, light_gev, mediator_mass_gev
        m_2, m_1 and M, scalars or shape (M,), with m_2 - m_1 above 2 m_e and below M.
    alpha_d
        g_D^2/(4 pi).
    mediator
        A vector; its widths, at the invariant mass of the pair, are those of the virtual one.

    Raises
    ------
    InputError
        For a splitting too small for a pair of electrons, or as large as the mediator's mass; for
        a mediator that is no vector.
    """
    heavy, light, mass = (
        np.array(a, float)
        for a in np.broadcast_arrays(
            *(
                np.atleast_1d(np.asarray(a, float))
                for a in (heavy_gev, light_gev, mediator_mass_gev)
            )
        )
    )
    if mediator.kind != MediatorKind.VECTOR:
        raise InputError(f"three-body decays are for a vector mediator, not {mediator.kind}")
    delta = heavy - light
    if np.any(delta <= 2.0 * ELECTRON_MASS_GEV):
        worst = float(delta.min())
        raise InputError(
            f"mass splitting of {1e3 * worst:.4g} MeV is not above 2 m_e = "
            f"{2e3 * ELECTRON_MASS_GEV:.4g} MeV: chi_2 -> chi_1 e+ e- is closed"
        )
    if np.any(delta >= mass):
        raise InputError("mass splitting must be below the mass of the mediator")
    widths: dict[str, FloatArray] = {}
    pairs: list[tuple[FloatArray, FloatArray]] = []
    for channel in mediator.partial_widths(mass):
        nodes = _HADRONIC_NODES if channel == "hadrons" else _NODES
        low = _THRESHOLDS.get(channel, 0.0)
        if not np.any(delta > low):
            widths[channel] = np.zeros_like(delta)
            continue
        q, weights = _nodes(low, delta, nodes)
        virtual = np.asarray(mediator.partial_widths(q)[channel], float)
        density = _density(q, heavy[:, None], light[:, None], mass[:, None], alpha_d) * virtual
        part = np.where(delta[:, None] > low, weights * density, 0.0)
        widths[channel] = part.sum(axis=1)
        if channel not in _INVISIBLE:
            pairs.append((q, part))
    return ThreeBodyDecay(
        heavy,
        light,
        widths,
        np.concatenate([q for q, _ in pairs], axis=1),
        np.concatenate([part for _, part in pairs], axis=1),
    )


def _nodes(low: float, high: FloatArray, number: int) -> tuple[FloatArray, FloatArray]:
    """Nodes in q from a threshold to Delta, crowded at both ends where square roots vanish."""
    points, weights = leggauss(number)
    v = 0.5 * (points + 1.0)
    span = np.maximum(high - low, 1e-12)[:, None]
    q = low + span * v**2 * (3.0 - 2.0 * v)
    return q, span * 3.0 * v * (1.0 - v) * weights


def _density(
    q: FloatArray, heavy: FloatArray, light: FloatArray, mass: FloatArray, alpha_d: float
) -> FloatArray:
    """dGamma/dq over Gamma(X* -> f fbar)(q)."""
    q2 = q * q
    delta2, sigma2 = (heavy - light) ** 2, (heavy + light) ** 2
    below = np.maximum(delta2 - q2, 0.0)
    two_body = (
        alpha_d
        * np.sqrt(below * (sigma2 - q2))
        * below
        * (2.0 * q2 + sigma2)
        / (4.0 * heavy**3 * q2)
    )
    return np.asarray(two_body * 2.0 * q2 / (np.pi * (mass**2 - q2) ** 2))
