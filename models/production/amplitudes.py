"""Squared amplitudes of l + Z -> l + Z + X for a boson X of spin 0 or 1.

The nucleus is a scalar source of a virtual photon of four-momentum q = P_i - P_f; p, p' are the
lepton momenta before and after, k that of X, m and M the masses, and

    s = (p' + k)^2 - m^2 > 0,    u = (p - k)^2 - m^2 < 0,    t = -q^2 > 0,    P = P_i + P_f.

Current conservation (P.q = 0) leaves three independent structures, and every boson is a
combination of them:

    K = [P^2 (s + u)^2 - 4 t (P.k)^2] / (s u)
    L = {2 P^2 (s^2 + u^2) + 4 P^2 t (t - 2 M^2 + d + s + u) - 8 t [(P.p)^2 + (P.p')^2]} / (s u)
    T = P^2 t (1/s + 1/u)^2 - 4 [(u P.p + s P.p') / (s u)]^2

    scalar        K + (M^2 - 4 m^2) T
    pseudoscalar  K + M^2 T
    vector        L + 2 (M^2 + 2 m^2) T,                      d = 0
    axial         L + 2 (M^2 - 4 m^2) T + (4 m^2/M^2) K,      d = 8 m^2

The last term of the axial vector is the longitudinal part k k/M^2 of its polarisation sum; the
mass of the lepton breaks the axial current, and the rate rises as 1/M^2 for light bosons.

References
----------
Liu, McKeen and Miller, arXiv:1609.06781, and Liu and Miller, arXiv:1705.01633, whose amplitudes
these are; arXiv:1712.05706 for electrons on nuclei in NA64. The grouping is ours, and a test
compares all four with traces of explicit Dirac matrices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray

__all__ = [
    "Invariants",
    "RecoilAngles",
    "Structure",
    "amplitude_at",
    "averaged_amplitude",
    "axial",
    "pseudoscalar",
    "scalar",
    "squared_amplitude",
    "vector",
]


@dataclass(frozen=True, slots=True)
class Structure:
    """Coefficients of the three structures in the squared amplitude of one kind of boson.

    Attributes
    ----------
    k
        Coefficient of K, dimensionless.
    l
        Coefficient of L, 0 or 1.
    t
        Coefficient of T, in GeV^2.
    shift
        The term d inside L, in GeV^2.
    """

    k: FloatArray
    l: float  # noqa: E741 - the name of the structure
    t: FloatArray
    shift: float


def vector(mass2: FloatArray, lepton2: float) -> Structure:
    """Return the coefficients of a vector; M^2 and m^2 in GeV^2."""
    return Structure(np.zeros_like(mass2), 1.0, 2.0 * (mass2 + 2.0 * lepton2), 0.0)


def axial(mass2: FloatArray, lepton2: float) -> Structure:
    """Return the coefficients of an axial vector; M^2 and m^2 in GeV^2."""
    return Structure(4.0 * lepton2 / mass2, 1.0, 2.0 * (mass2 - 4.0 * lepton2), 8.0 * lepton2)


def scalar(mass2: FloatArray, lepton2: float) -> Structure:
    """Return the coefficients of a scalar; M^2 and m^2 in GeV^2."""
    return Structure(np.ones_like(mass2), 0.0, mass2 - 4.0 * lepton2, 0.0)


def pseudoscalar(mass2: FloatArray, lepton2: float) -> Structure:
    """Return the coefficients of a pseudoscalar; M^2 in GeV^2, of the lepton nothing."""
    return Structure(np.ones_like(mass2), 0.0, mass2, 0.0)


@dataclass(frozen=True, slots=True)
class Invariants:
    """One point of phase space, or arrays of them that broadcast.

    Attributes
    ----------
    s, u, t
        The invariants of the module's docstring, GeV^2.
    source_dot_initial, source_dot_final, source_squared
        P.p, P.p' and P^2, GeV^2.
    """

    s: ArrayLike
    u: ArrayLike
    t: ArrayLike
    source_dot_initial: ArrayLike
    source_dot_final: ArrayLike
    source_squared: ArrayLike


def squared_amplitude(c: Structure, mass_gev: ArrayLike, at: Invariants) -> FloatArray:
    """Return the squared amplitude at one point of phase space.

    Averaged over the spins of the initial lepton, summed over those of the final one and over
    the polarisations of X, without couplings and without the photon propagator:
    |M|^2 = g^2 e^4 Z^2 F(t)^2 / t^2 times this.

    Parameters
    ----------
    c
        Coefficients of the boson.
    mass_gev
        Mass of the boson.
    at
        The point of phase space.

    Returns
    -------
    ndarray
        In GeV^2 (the amplitude of a 2 -> 3 process less that of the source), of the shape that
        the arguments broadcast to.
    """
    s, u, t, p2 = (np.asarray(v, float) for v in (at.s, at.u, at.t, at.source_squared))
    pi, pf = np.asarray(at.source_dot_initial, float), np.asarray(at.source_dot_final, float)
    mass2 = np.asarray(mass_gev, float) ** 2
    su = s * u
    k = (p2 * (s + u) ** 2 - 4.0 * t * (pi - pf) ** 2) / su
    middle = 4.0 * p2 * t * (t - 2.0 * mass2 + c.shift + s + u)
    l_term = (2.0 * p2 * (s * s + u * u) + middle - 8.0 * t * (pi**2 + pf**2)) / su
    t_term = p2 * t * (1.0 / s + 1.0 / u) ** 2 - 4.0 * ((u * pi + s * pf) / su) ** 2
    return np.asarray(c.k * k + c.l * l_term + c.t * t_term)


@dataclass(frozen=True, slots=True)
class RecoilAngles:
    """What the average over the azimuth of the nuclear recoil needs, in the laboratory frame.

    At given boson energy, boson angle (that is u) and t, only s depends on the azimuth phi of
    the recoil about p - k: s = a + b cos(phi). The combination u + (1-x) s, which vanishes with
    t while both of its terms stay, is passed as d0 + (1-x) b cos(phi).

    Attributes
    ----------
    energy_gev
        Energy of the initial lepton.
    fraction_left
        y = 1 - x.
    u
        -u > 0, GeV^2.
    t
        Momentum transfer, GeV^2.
    a, b
        Mean and amplitude of s, a > abs(b), GeV^2.
    d0
        Mean of u + (1-x) s, GeV^2.
    nucleus_mass_gev
        Mass of the source.
    """

    energy_gev: FloatArray
    fraction_left: FloatArray
    u: FloatArray
    t: FloatArray
    a: FloatArray
    b: FloatArray
    d0: FloatArray
    nucleus_mass_gev: float

    def expanded(self) -> RecoilAngles:
        """Return the same with one more axis, for the azimuth."""
        names = ("energy_gev", "fraction_left", "u", "t", "a", "b", "d0")
        return replace(self, **{name: getattr(self, name)[..., None] for name in names})


def averaged_amplitude(c: Structure, mass_gev: FloatArray, at: RecoilAngles) -> FloatArray:
    """Return the squared amplitude averaged over the azimuth, over 8 M_N^2.

    Parameters
    ----------
    c, mass_gev, at
        As for `squared_amplitude`; they broadcast.

    Returns
    -------
    ndarray
        Dimensionless. The formula is `squared_amplitude` with the averages, r^2 = a^2 - b^2,

        <1/s> = 1/r, <1/s^2> = a/r^3, <cos/s^2> = -b/r^3, <cos^2/s^2> = [a - r^2/(a + r)]/r^3,

        arranged so that nothing is lost for b << a, the bulk of the rate.
    """
    energy, y, u, t, a, b = at.energy_gev, at.fraction_left, at.u, at.t, at.a, at.b
    scale = 0.25 / at.nucleus_mass_gev
    tau = 1.0 + t * (scale / at.nucleus_mass_gev)
    r2 = (a - b) * (a + b)
    r = np.sqrt(r2)
    inverse = 1.0 / r
    # <n^2/s^2> of n = (u P.p + s P.p')/(2 M_N) = n0 + n1 cos(phi)
    tilt = scale * t
    n0 = energy * at.d0 - tilt * (a - u)
    n1 = b * (y * energy - tilt)
    n1_squared = n1 * n1
    squares = a * (n0 * n0 + n1_squared) - (2.0 * b) * (n0 * n1) - n1_squared * r2 / (a + r)
    # <(s + u)^2/s^2>; the remaining 1/u^2 has fewer axes than t and is taken first
    cube = inverse * inverse * inverse
    ratios = 1.0 + u * (u * a * cube - 2.0 * inverse)
    total = (0.5 * c.t / (u * u)) * (tau * t * ratios - 4.0 * (squares * cube))
    if c.l:
        # P.p/(2 M_N) = e1 - s/(4 M_N), P.p'/(2 M_N) = e2
        e1 = energy - tilt
        e2 = y * energy - scale * (u + t)
        current = (e1 * e1 + e2 * e2) * inverse + scale * (scale * a - 2.0 * e1)
        mass_term = 2.0 * t * (1.0 + (t - u - (2.0 * mass_gev**2 - c.shift)) * inverse)
        total += (c.l / u) * (4.0 * t * current - tau * (a + u * u * inverse + mass_term))
    if np.any(c.k):
        # P.k/(2 M_N) = e3 - s/(4 M_N)
        e3 = (1.0 - y) * energy + scale * u
        current = e3 * e3 * inverse + scale * (scale * a - 2.0 * e3)
        total += (c.k / u) * (2.0 * t * current - 0.5 * tau * (a - 2.0 * u + u * u * inverse))
    return np.asarray(total)


def amplitude_at(
    c: Structure, mass_gev: FloatArray, at: RecoilAngles, cosine: FloatArray
) -> FloatArray:
    """Return the squared amplitude at one azimuth of the recoil, over 8 M_N^2.

    `squared_amplitude` in the variables of `averaged_amplitude`, whose mean over the azimuth is
    exactly that: for quantities that depend on the direction of the final lepton.

    Parameters
    ----------
    c, mass_gev, at
        As for `averaged_amplitude`.
    cosine
        cos(phi).

    Returns
    -------
    ndarray
        Dimensionless, of the shape that the arguments broadcast to.
    """
    energy, y, u, t = at.energy_gev, at.fraction_left, at.u, at.t
    scale = 0.25 / at.nucleus_mass_gev
    tau = 1.0 + t * (scale / at.nucleus_mass_gev)
    s = at.a + at.b * cosine
    tilt = scale * t
    n = energy * (at.d0 + y * at.b * cosine) - tilt * (s - u)
    total = c.t * (0.5 * tau * t * (s - u) ** 2 - 2.0 * n * n) / (s * u) ** 2
    if c.l:
        initial, final = energy - tilt - scale * s, y * energy - scale * (u + t)
        middle = 2.0 * t * (s + t - u - 2.0 * mass_gev**2 + c.shift)
        spins = 4.0 * t * (initial**2 + final**2) - tau * (s * s + u * u + middle)
        total = total + c.l * spins / (s * u)
    if np.any(c.k):
        boson = (1.0 - y) * energy - scale * (s - u)
        total = total + c.k * (2.0 * t * boson**2 - 0.5 * tau * (s - u) ** 2) / (s * u)
    return np.asarray(total)
