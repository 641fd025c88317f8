"""The squared amplitude of l + Z -> l + Z + X at a given final lepton, averaged over the boson.

`na64.models.production.amplitudes` averages at a given boson over what the nucleus does. Cuts on
the final lepton need the other order: at given energy and angle of the final lepton, that is at
given d = p - p', and at given t, the boson has k = d + q, and one azimuth of q about d is left.
Then both denominators of the amplitude depend on it,

    -u = a1 + b cos(phi),    s = a2 + b cos(phi),    s + u = a2 - a1 = g,

and their sum does not. The averages are sums of geometric series in e = e1 e2,
e_i = b/(a_i + r_i), r_i^2 = a_i^2 - b^2, from the Fourier coefficients of 1/(a + b cos(phi))^n
(Parseval), all of whose terms are positive: nothing cancels, neither for b << a nor for b -> a1,
where the boson is collinear with the beam.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.production.amplitudes import Structure

__all__ = ["BosonAngles", "Moments", "amplitude_at_recoil"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Averages over the azimuth of the denominators -u = a1 + b z and s = a2 + b z, z = cos(phi).

    Attributes
    ----------
    inverse_u, inverse_s
        <1/(-u)> and <1/s>, GeV^-2.
    product
        <1/(-u s)>, GeV^-4.
    square0, square1, square2
        <z^n/(u s)^2> for n = 0, 1, 2, GeV^-8.
    """

    inverse_u: FloatArray
    inverse_s: FloatArray
    product: FloatArray
    square0: FloatArray
    square1: FloatArray
    square2: FloatArray

    @classmethod
    def of(cls, a1: FloatArray, a2: FloatArray, b: FloatArray) -> Moments:
        """Return the averages for a1, a2 > b >= 0, GeV^2.

        With c_n the Fourier coefficients, 1/(a + b z) has c_n = (-e)^n/r, 1/(a + b z)^2 has
        (-e)^n (a + n r)/r^3 and z/(a + b z)^2 has -(-e)^n (b^2 + n a r)/(b r^3), n >= 0.
        """
        r1, r2 = np.sqrt((a1 - b) * (a1 + b)), np.sqrt((a2 - b) * (a2 + b))
        # e/b^2, so that b may vanish
        per_b2 = 1.0 / ((a1 + r1) * (a2 + r2))
        b2 = b * b
        e = b2 * per_b2
        rest = 1.0 / (1.0 - e)
        zeroth = (1.0 + e) * rest  # sum over all n of e^n
        first = 2.0 * per_b2 * rest * rest  # of |n| e^n, over b^2
        second = first * zeroth  # of n^2 e^n, over b^2
        inverse_u, inverse_s = 1.0 / r1, 1.0 / r2
        both = inverse_u * inverse_s
        cubes = both * both * both
        aa, rr = a1 * a2, r1 * r2
        ar = a1 * r2 + a2 * r1
        same = a1 * r1 + a2 * r2
        return cls(
            inverse_u,
            inverse_s,
            zeroth * both,
            cubes * (aa * zeroth + b2 * (ar * first + rr * second)),
            -cubes * b * (a1 * zeroth + (b2 * r1 + aa * r2) * first + r1 * a2 * r2 * second),
            cubes * (b2 * (zeroth + same * first) + aa * rr * second),
        )


@dataclass(frozen=True, slots=True)
class BosonAngles:
    """What the average needs, in the laboratory frame.

    Attributes
    ----------
    initial, final
        E - t/(4 M_N) and E' + t/(4 M_N): P.p/(2 M_N) less its part with s, and P.p' likewise, GeV.
    boson
        P.k/(2 M_N), GeV.
    t
        Momentum transfer, GeV^2.
    a1, a2, b
        Of -u = a1 + b z and s = a2 + b z, GeV^2.
    gap
        s + u, GeV^2.
    n0, n1
        (u P.p + s P.p')/(2 M_N) = n0 - n1 z, GeV^3; it vanishes with t while its terms do not.
    nucleus_mass_gev
        Mass of the source.
    """

    initial: FloatArray
    final: FloatArray
    boson: FloatArray
    t: FloatArray
    a1: FloatArray
    a2: FloatArray
    b: FloatArray
    gap: FloatArray
    n0: FloatArray
    n1: FloatArray
    nucleus_mass_gev: float


def amplitude_at_recoil(c: Structure, mass_gev: FloatArray, at: BosonAngles) -> FloatArray:
    """Return the squared amplitude averaged over the azimuth of the boson, over 8 M_N^2.

    Parameters
    ----------
    c, mass_gev
        As for `na64.models.production.amplitudes.squared_amplitude`, whose average this is.
    at
        The final lepton and the momentum transfer; everything broadcasts.

    Returns
    -------
    ndarray
        Dimensionless.
    """
    mean = Moments.of(at.a1, at.a2, at.b)
    scale = 0.25 / at.nucleus_mass_gev
    t, gap, product = at.t, at.gap, mean.product
    tau = 1.0 + t * (scale / at.nucleus_mass_gev)
    gap2 = gap * gap
    # <n^2/(u s)^2>
    current = (
        at.n0 * at.n0 * mean.square0
        - (2.0 * at.n0) * at.n1 * mean.square1
        + at.n1 * at.n1 * mean.square2
    )
    total = c.t * (0.5 * tau * t * gap2 * mean.square0 - 2.0 * current)
    if c.l:
        # P.p/(2 M_N) = initial - scale s, P.p'/(2 M_N) = final + scale u; s/(-u) = 1 + gap/(-u)
        charges = (at.initial**2 + at.final**2) * product + scale * (
            (scale * gap - 2.0 * at.initial) * mean.inverse_u
            - (scale * gap + 2.0 * at.final) * mean.inverse_s
            + 2.0 * scale
        )
        mass_term = 2.0 * t * (t - 2.0 * mass_gev**2 + c.shift + gap)
        total = total + c.l * (4.0 * t * charges - tau * (2.0 + (gap2 + mass_term) * product))
    if np.any(c.k):
        total = total + c.k * (2.0 * t * at.boson**2 - 0.5 * tau * gap2) * product
    return np.asarray(total)
