"""The R ratio: annihilation of a vector current into hadrons, from 2 m_pi to 60 GeV.

R(s) is the cross-section of e+ e- -> hadrons over that of massless muon pairs. Through
Gamma(V -> hadrons) = (g^2/4 pi) (M/3) R(M^2) it gives the hadronic width of any vector that
couples to quarks, on its mass shell or, with M replaced by sqrt(s), running. The sum of

* pi+ pi-: Gounaris-Sakurai form factor of rho, rho', rho'', rho''' with rho-omega mixing, fitted by
  BaBar, arXiv:1205.2228, table VI (the omega mass is the world average instead);
* omega -> 3 pi, pi0 gamma and phi -> K K, 3 pi, eta gamma: Breit-Wigner resonances with the widths
  of the Particle Data Group (PRD 110, 030001) and the phase space of each channel;
* everything else (four and more pions, K K pi, ...): perturbative QCD times a turn-on from
  4 m_pi, plus the bump of the excited states at 1.68 GeV. The turn-on has two numbers, chosen
  such that its part of the muon's anomalous moment below 1.937 GeV is the sum of the measured
  exclusive channels, 48e-10 (Keshavarzi, Nomura and Teubner, arXiv:1911.00367, table I);
* above 2 GeV that is perturbative QCD to order alpha_s^3 for the light quarks, and from the
  thresholds of charmed and bottom mesons on a heavy pair with its attraction, to order alpha_s
  (Schwinger's factor). That averages over psi(3770) to psi(4415) and Upsilon(4S) to (11020), which
  stand out of it by up to 40 % at their peaks;
* J/psi, psi(2S), Upsilon(1S-3S) -> hadrons: Breit-Wigner resonances with the widths of the
  Particle Data Group, 20-320 keV. Their leptonic decays (12, 2, 7, 6, 7 %) are not hadrons.

Good to about 3 % below 1 GeV, 10-20 % between the phi and 1.6 GeV, 5-10 % up to the charm
threshold, 5 % on average from there to 5 GeV, and 1 % above outside 10.5-11.2 GeV. Inclusive
measurements of the 1980s, which compilations of R still carry, lie up to 30 % higher at 1.1 GeV.
Omega and phi do not interfere with each other here, which is a 10-20 % effect in 3 pi at 1.05 GeV.
The current of the photon alone, without the Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import ComplexArray, FloatArray
from na64.models.constants import ALPHA, CHARGED_KAON_MASS_GEV, CHARGED_PION_MASS_GEV

__all__ = [
    "BARYON_NUMBER",
    "ELECTROMAGNETIC",
    "HEAVY_THRESHOLDS_GEV",
    "NARROW_RESONANCES_GEV",
    "OMEGA_MASS_GEV",
    "PHI_MASS_GEV",
    "QUARKONIA",
    "QuarkCharges",
    "Quarkonium",
    "pion_form_factor",
    "pion_photon_ratio",
    "r_ratio",
]

OMEGA_MASS_GEV: Final = 0.78266
_OMEGA_WIDTH_GEV: Final = 8.68e-3
_OMEGA_TO_ELECTRONS: Final = 7.38e-5
_OMEGA_TO_PI0_GAMMA: Final = 0.0834
_OMEGA_TO_THREE_PIONS: Final = 0.9018  # with what the other channels leave over; pi pi is apart
PHI_MASS_GEV: Final = 1.019461
_PHI_WIDTH_GEV: Final = 4.249e-3
_PHI_TO_ELECTRONS: Final = 2.979e-4
_PHI_TO_CHARGED_KAONS: Final = 0.491
_PHI_TO_NEUTRAL_KAONS: Final = 0.339
_PHI_TO_THE_REST: Final = 0.170
_NEUTRAL_KAON_MASS_GEV: Final = 0.497611

# (mass, width, |c|, phase) of rho', rho'', rho''' and the mixing of the omega: table VI there
_RHO: Final = (0.77502, 0.14959)
_RHO_EXCITED: Final = (
    (1.493, 0.427, 0.158, 3.76),
    (1.861, 0.316, 0.068, 1.39),
    (2.254, 0.109, 0.0051, 0.70),
)
_OMEGA_MIXING: Final = 1.644e-3 * np.exp(-0.011j)

_CHARM_THRESHOLD_GEV: Final = 2.0 * 1.86484
_BOTTOM_THRESHOLD_GEV: Final = 2.0 * 5.27966
#: masses of the lightest pairs of charmed and of bottom mesons
HEAVY_THRESHOLDS_GEV: Final = (_CHARM_THRESHOLD_GEV, _BOTTOM_THRESHOLD_GEV)
# turn-on of the multi-hadron channels: tanh(((sqrt(s) - 4 m_pi)/scale)^power), and the bump
_CONTINUUM_SCALE_GEV: Final = 0.89
_CONTINUUM_POWER: Final = 4.5
_BUMP: Final = (1.68, 0.10, 0.30)  # centre and r.m.s. width in GeV, height
# two-loop Lambda of four flavours, so that alpha_s(5 GeV) = 0.214; frozen below 1.8 GeV
_LAMBDA_QCD_GEV: Final = 0.335
_ALPHA_S_FREEZE_GEV2: Final = 1.8**2


@dataclass(frozen=True, slots=True)
class Quarkonium:
    """A bound state of heavy quarks below the threshold of open flavour.

    Attributes
    ----------
    name, quark
        As in ``J/psi``, and the field of `QuarkCharges`.
    mass_gev, width_gev
        Mass and total width.
    to_electrons_gev
        Partial width to electrons, which holds for the electromagnetic current.
    hadronic
        Fraction of decays to hadrons.
    """

    name: str
    quark: str
    mass_gev: float
    width_gev: float
    to_electrons_gev: float
    hadronic: float


#: Particle Data Group, PRD 110, 030001
QUARKONIA: Final = (
    Quarkonium("J/psi", "charm", 3.0969, 92.6e-6, 5.53e-6, 0.877),
    Quarkonium("psi(2S)", "charm", 3.6861, 293e-6, 2.33e-6, 0.979),
    Quarkonium("Upsilon(1S)", "bottom", 9.4604, 54.02e-6, 1.340e-6, 0.926),
    Quarkonium("Upsilon(2S)", "bottom", 10.0234, 31.98e-6, 0.612e-6, 0.941),
    Quarkonium("Upsilon(3S)", "bottom", 10.3551, 20.32e-6, 0.443e-6, 0.935),
)
#: how far from its mass the Breit-Wigner form is used; R of the J/psi is 1e-4 there
_QUARKONIUM_REACH_GEV: Final = 0.5
#: mass and half width of every structure narrower than 10 MeV
NARROW_RESONANCES_GEV: Final = (
    (OMEGA_MASS_GEV, 0.5 * _OMEGA_WIDTH_GEV),
    (PHI_MASS_GEV, 0.5 * _PHI_WIDTH_GEV),
    *((state.mass_gev, 0.5 * state.width_gev) for state in QUARKONIA),
)


@dataclass(frozen=True, slots=True)
class QuarkCharges:
    """Charges of the quarks under a vector current, in units of its coupling g.

    They decide which resonances are seen: the rho couples to u - d, the omega to u + d, the phi
    to s, psi and Upsilon to c and b.
    """

    up: float
    down: float
    strange: float
    charm: float
    bottom: float

    @property
    def isovector(self) -> float:
        """Coupling to the rho relative to that of the electromagnetic current."""
        return self.up - self.down

    @property
    def isoscalar(self) -> float:
        """Coupling to the omega relative to that of the electromagnetic current."""
        return 3.0 * (self.up + self.down)

    @property
    def hidden_strange(self) -> float:
        """Coupling to the phi relative to that of the electromagnetic current."""
        return -3.0 * self.strange

    def relative(self, quark: str) -> float:
        """Coupling to a quark relative to that of the electromagnetic current."""
        return float(getattr(self, quark) / getattr(ELECTROMAGNETIC, quark))


ELECTROMAGNETIC: Final = QuarkCharges(2 / 3, -1 / 3, -1 / 3, 2 / 3, -1 / 3)
#: the quark part of B-L: no rho, four times the omega, the same phi
BARYON_NUMBER: Final = QuarkCharges(1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3)


def _momentum(s_gev2: FloatArray | float) -> FloatArray:
    """Pion momentum in the rest frame of a charged pion pair; 0 below threshold."""
    return np.asarray(0.5 * np.sqrt(np.maximum(s_gev2 - 4.0 * CHARGED_PION_MASS_GEV**2, 0.0)))


def _h(s_gev2: FloatArray | float) -> FloatArray:
    """h(s) of Gounaris and Sakurai, PRL 21, 244 (1968)."""
    energy, k = np.sqrt(s_gev2), _momentum(s_gev2)
    return np.asarray(
        2.0 / np.pi * k / energy * np.log((energy + 2.0 * k) / (2.0 * CHARGED_PION_MASS_GEV))
    )


def _gounaris_sakurai(s_gev2: FloatArray, mass_gev: float, width_gev: float) -> ComplexArray:
    """Propagator of a broad resonance that decays to pi pi; arXiv:1205.2228, eqs. (22)-(27)."""
    m, m2, pion2 = mass_gev, mass_gev**2, CHARGED_PION_MASS_GEV**2
    k0, h0 = float(_momentum(m2)), float(_h(m2))
    h0_slope = h0 * (1.0 / (8.0 * k0**2) - 1.0 / (2.0 * m2)) + 1.0 / (2.0 * np.pi * m2)
    d = (
        3.0 / np.pi * pion2 / k0**2 * np.log((m + 2.0 * k0) / (2.0 * np.sqrt(pion2)))
        + m / (2.0 * np.pi * k0)
        - pion2 * m / (np.pi * k0**3)
    )
    k = _momentum(s_gev2)
    f = width_gev * m2 / k0**3 * (k**2 * (_h(s_gev2) - h0) + (m2 - s_gev2) * k0**2 * h0_slope)
    running = width_gev * m2 * (k / k0) ** 3 / np.sqrt(s_gev2)
    return np.asarray(m2 * (1.0 + d * width_gev / m) / (m2 - s_gev2 + f - 1j * running))


def pion_form_factor(s_gev2: ArrayLike, charges: QuarkCharges = ELECTROMAGNETIC) -> ComplexArray:
    """Return the time-like form factor of the charged pion, 1 at s = 0 for the EM current.

    Parameters
    ----------
    s_gev2
        Invariant mass squared, above 4 m_pi^2.
    charges
        The current; an isoscalar current leaves omega -> pi pi alone.

    References
    ----------
    BaBar, arXiv:1205.2228, eq. (26) and table VI.
    """
    s = np.asarray(s_gev2, float)
    omega = OMEGA_MASS_GEV**2 / (OMEGA_MASS_GEV**2 - s - 1j * OMEGA_MASS_GEV * _OMEGA_WIDTH_GEV)
    mixing = (charges.isovector + charges.isoscalar * _OMEGA_MIXING * omega) / (1.0 + _OMEGA_MIXING)
    total: ComplexArray = np.asarray(_gounaris_sakurai(s, *_RHO) * mixing)
    norm = 1.0 + 0.0j
    for mass, width, size, phase in _RHO_EXCITED:
        amplitude = size * np.exp(1j * phase)
        norm += amplitude
        if charges.isovector != 0.0:
            total = total + charges.isovector * amplitude * _gounaris_sakurai(s, mass, width)
    return np.asarray(total / norm)


def _relative_beta(s: FloatArray, threshold_gev2: float, mass_gev: float) -> FloatArray:
    """sqrt(1 - s_0/s) over its value on the resonance; 0 below threshold."""
    on_shell = 1.0 - threshold_gev2 / mass_gev**2
    return np.asarray(np.sqrt(np.maximum(1.0 - threshold_gev2 / s, 0.0) / on_shell))


def _breit_wigner(
    s: FloatArray, mass_gev: float, width_gev: float, to_electrons: float, channels: FloatArray
) -> FloatArray:
    """R of a narrow resonance, 9 B_ee B_had/alpha^2 at its peak."""
    damping = (mass_gev * width_gev) ** 2
    return np.asarray(
        9.0 * to_electrons / ALPHA**2 * channels * damping / ((s - mass_gev**2) ** 2 + damping)
    )


def _omega_to(s: FloatArray, channels: FloatArray) -> FloatArray:
    return _breit_wigner(s, OMEGA_MASS_GEV, _OMEGA_WIDTH_GEV, _OMEGA_TO_ELECTRONS, channels)


def pion_photon_ratio(s_gev2: ArrayLike) -> FloatArray:
    """Return the part of R(s) that is pi0 gamma through the omega, for the photon's current.

    With the cube of the momentum, as every p wave to two particles. Far below the resonance it is
    all that a current without leptons and pion pairs decays to.
    """
    s = np.asarray(s_gev2, float)
    beta = _relative_beta(s, CHARGED_PION_MASS_GEV**2, OMEGA_MASS_GEV)
    return _omega_to(s, _OMEGA_TO_PI0_GAMMA * (np.sqrt(s) / OMEGA_MASS_GEV * beta**2) ** 3)


def _omega(s: FloatArray) -> FloatArray:
    three_pions = _relative_beta(s, 9.0 * CHARGED_PION_MASS_GEV**2, OMEGA_MASS_GEV) ** 8
    return pion_photon_ratio(s) + _omega_to(s, _OMEGA_TO_THREE_PIONS * three_pions)


def _phi(s: FloatArray) -> FloatArray:
    charged = _relative_beta(s, 4.0 * CHARGED_KAON_MASS_GEV**2, PHI_MASS_GEV) ** 3
    neutral = _relative_beta(s, 4.0 * _NEUTRAL_KAON_MASS_GEV**2, PHI_MASS_GEV) ** 3
    three_pions = _relative_beta(s, 9.0 * CHARGED_PION_MASS_GEV**2, PHI_MASS_GEV) ** 8
    channels = (
        _PHI_TO_CHARGED_KAONS * charged
        + _PHI_TO_NEUTRAL_KAONS * neutral
        + _PHI_TO_THE_REST * three_pions
    )
    return _breit_wigner(s, PHI_MASS_GEV, _PHI_WIDTH_GEV, _PHI_TO_ELECTRONS, channels)


def _quarkonia(s: FloatArray, charges: QuarkCharges) -> FloatArray:
    total, energy = np.zeros_like(s), np.sqrt(s)
    for state in QUARKONIA:
        near = np.abs(energy - state.mass_gev) < _QUARKONIUM_REACH_GEV
        if near.any():
            to_electrons = state.to_electrons_gev / state.width_gev
            hadronic = charges.relative(state.quark) ** 2 * np.where(near, state.hadronic, 0.0)
            total = total + _breit_wigner(
                s, state.mass_gev, state.width_gev, to_electrons, hadronic
            )
    return total


def _strong_coupling(s: FloatArray) -> FloatArray:
    """alpha_s at two loops, four flavours."""
    log = np.log(np.maximum(s, _ALPHA_S_FREEZE_GEV2) / _LAMBDA_QCD_GEV**2)
    b0, b1 = 25.0 / (12.0 * np.pi), 154.0 / (48.0 * np.pi**2)
    return np.asarray((1.0 - b1 * np.log(log) / (b0**2 * log)) / (b0 * log))


def _qcd_correction(s: FloatArray) -> FloatArray:
    """1 + a + 1.525 a^2 - 11.5 a^3, a = alpha_s/pi, four flavours (PDG, QCD review, eq. 9.7)."""
    a = _strong_coupling(s) / np.pi
    return np.asarray(1.0 + a + 1.525 * a**2 - 11.5 * a**3)


def _quark_pair(s: FloatArray, threshold_gev: float) -> FloatArray:
    """Heavy quarks from the threshold of their mesons, QCD included.

    beta (3 - beta^2)/2 [1 + (4/3) alpha_s f(beta)] with Schwinger's interpolation f =
    pi/(2 beta) - (3 + beta)/4 [pi/2 - 3/(4 pi)] (Particles, Sources and Fields II, 1973; used for
    R by Shifman, Vainshtein and Zakharov, Nucl. Phys. B147, 385, and in potential models): the
    step at the threshold is what the resonances there average to, and at high energy it is
    1 + alpha_s/pi.
    """
    beta = np.sqrt(np.maximum(1.0 - threshold_gev**2 / s, 0.0))
    # beta f, finite at the threshold
    attraction = np.pi / 2.0 - beta * (3.0 + beta) / 4.0 * (np.pi / 2.0 - 0.75 / np.pi)
    corrected = beta + 4.0 / 3.0 * _strong_coupling(s) * attraction
    return np.asarray(np.where(beta > 0.0, (3.0 - beta**2) / 2.0 * corrected, 0.0))


def _continuum(s: FloatArray, charges: QuarkCharges) -> FloatArray:
    light = 3.0 * (charges.up**2 + charges.down**2 + charges.strange**2)
    heavy = 3.0 * (
        charges.charm**2 * _quark_pair(s, _CHARM_THRESHOLD_GEV)
        + charges.bottom**2 * _quark_pair(s, _BOTTOM_THRESHOLD_GEV)
    )
    energy = np.sqrt(s)
    excess = np.maximum(energy - 4.0 * CHARGED_PION_MASS_GEV, 0.0)
    turn_on = np.tanh((excess / _CONTINUUM_SCALE_GEV) ** _CONTINUUM_POWER)
    centre, width, height = _BUMP
    # the height is that of the electromagnetic current, whose three light quarks sum to 2
    bump = height / 2.0 * np.exp(-0.5 * ((energy - centre) / width) ** 2) * (excess > 0.0)
    return np.asarray(light * turn_on * _qcd_correction(s) + heavy + light * bump)


def r_ratio(s_gev2: ArrayLike, charges: QuarkCharges = ELECTROMAGNETIC) -> FloatArray:
    """Return R(s) of a vector current.

    Parameters
    ----------
    s_gev2
        Invariant mass squared, any shape, positive.
    charges
        The current: `ELECTROMAGNETIC` for e+ e- annihilation and the dark photon,
        `BARYON_NUMBER` for B-L (isoscalar only: the omega four times, the phi once, no rho).

    Returns
    -------
    ndarray
        R, of the shape of ``s_gev2``; zero below the lightest threshold.

    References
    ----------
    Sources of each part in the docstring of this module; scaling to other currents as in
    Ilten, Soreq, Williams and Xue, arXiv:1801.04847, section 2.
    """
    s = np.asarray(s_gev2, float)
    beta = np.sqrt(np.maximum(1.0 - 4.0 * CHARGED_PION_MASS_GEV**2 / s, 0.0))
    total = 0.25 * beta**3 * np.abs(pion_form_factor(s, charges)) ** 2
    total = total + charges.isoscalar**2 * _omega(s) + charges.hidden_strange**2 * _phi(s)
    return np.asarray(total + _quarkonia(s, charges) + _continuum(s, charges))
