"""Kinematics of l + N -> l + N + X with the nucleus N at rest, free of cancellations.

The boson takes x E of the energy E of the lepton; y = 1 - x is kept instead of x, because heavy
bosons take all but a fraction m_e/E of the energy and 1 - x would lose every digit. Likewise
-u = m^2 - (p - k)^2 > 0 is kept instead of the angle of the boson, 2 |p||k| (1 - cos) = u0 - u.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.models.arrays import FloatArray
from na64.models.production.amplitudes import RecoilAngles

__all__ = [
    "EmissionKinematics",
    "FractionRange",
    "largest_u",
    "smallest_fraction_left",
    "smallest_u",
]


#: attributes of `EmissionKinematics` that are arrays
_ARRAYS: Final = ("energy", "mass", "y", "excess_u", "u")


def smallest_u(
    energy: FloatArray, y: FloatArray, mass: FloatArray, lepton_mass: float
) -> FloatArray:
    """Return -u of a boson emitted forward: M^2 (1-x)/x + m^2 x at high energy, exactly.

    Parameters
    ----------
    energy
        Energy of the lepton in GeV.
    y
        1 - x, with x E >= M.
    mass, lepton_mass
        Masses in GeV.

    Returns
    -------
    ndarray
        GeV^2; every term is positive, so it keeps its relative precision for y -> 0.
    """
    m2, mass2, e2 = lepton_mass**2, mass**2, energy**2
    boson = (1.0 - y) * energy
    k = np.sqrt(np.maximum((boson - mass) * (boson + mass), 0.0))
    pk = np.sqrt((energy - lepton_mass) * (energy + lepton_mass)) * k
    # E^2 - p k from E^4 - p^2 k^2
    gap = (e2 * e2 * y * (2.0 - y) + e2 * mass2 + m2 * boson**2 - m2 * mass2) / (e2 + pk)
    return np.asarray(
        (mass2 * (e2 * y + gap) + 2.0 * m2 * (boson**2 - mass2)) / (energy * boson + pk)
    )


def largest_u(
    energy: FloatArray, y: FloatArray, lepton_mass: float, nucleus_mass: float
) -> FloatArray:
    """Return the largest -u, where the lepton is left with its mass: 2 M_N [(1-x) E - m]."""
    return np.asarray(2.0 * nucleus_mass * (y * energy - lepton_mass))


def smallest_fraction_left(
    energy: FloatArray,
    mass: FloatArray,
    lepton_mass: float,
    nucleus_mass: float,
    y_max: FloatArray,
) -> FloatArray:
    """Return the smallest 1 - x that kinematics allow, about m/E.

    Parameters
    ----------
    energy, mass, lepton_mass, nucleus_mass
        In GeV; energy and mass broadcast.
    y_max
        Upper end of the search, 1 - x at the smallest boson energy of interest.

    Returns
    -------
    ndarray
        The root of smallest_u = largest_u; NaN where nothing below ``y_max`` is allowed.
    """
    low = np.broadcast_to(lepton_mass / energy, np.broadcast_shapes(energy.shape, mass.shape))
    y_max = np.broadcast_to(y_max, low.shape)
    possible = y_max > low
    top = np.where(possible, y_max, 2.0 * low)

    def excess(y: FloatArray) -> FloatArray:
        return largest_u(energy, y, lepton_mass, nucleus_mass) - smallest_u(
            energy, y, mass, lepton_mass
        )

    # A scan in ln(y) finds the first allowed point, bisection refines the edge before it.
    steps = (top / low) ** (np.arange(1, 33).reshape(-1, *(1,) * low.ndim) / 32.0)
    grid = np.concatenate([low[None], low * steps])
    allowed = excess(grid) > 0.0
    first = np.argmax(allowed, axis=0)
    upper = np.take_along_axis(grid, first[None], 0)[0]
    lower = np.take_along_axis(grid, np.maximum(first - 1, 0)[None], 0)[0]
    for _ in range(40):
        middle = np.sqrt(lower * upper)
        inside = excess(middle) > 0.0
        upper = np.where(inside, middle, upper)
        lower = np.where(inside, lower, middle)
    return np.where(possible & allowed.any(axis=0), upper, np.nan)


@dataclass(frozen=True, slots=True)
class FractionRange:
    """Where kinematics and limits on the boson's energy leave 1 - x: nodes in ln[(1-x)/x].

    A heavy boson leaves m/E to a fraction of the energy, in which the spectrum is smooth.

    Attributes
    ----------
    is_open
        Where anything is left, of the shape of the pairs (energy, mass).
    energy, mass
        GeV, of the pairs that are open, shape (N,).
    low, span
        ln[(1-x)/x] at the lower end of each, and the length of the range.
    """

    is_open: NDArray[np.bool_]
    energy: FloatArray
    mass: FloatArray
    low: FloatArray
    span: FloatArray

    @classmethod
    def of(
        cls,
        energy: FloatArray,
        mass: FloatArray,
        masses: tuple[float, float],
        min_energy: float,
        max_energy: float | None = None,
    ) -> FractionRange:
        """Return the ranges of pairs of one shape; ``masses`` are those of lepton and nucleus."""
        y_high = 1.0 - np.maximum(min_energy, mass) / energy
        y_low = smallest_fraction_left(energy, mass, *masses, np.maximum(y_high, 0.0))
        if max_energy is not None:
            y_low = np.maximum(y_low, 1.0 - max_energy / energy)
        is_open = np.isfinite(y_low) & (y_high > y_low)
        energy, mass, y_low, y_high = (v[is_open] for v in (energy, mass, y_low, y_high))
        low = np.log(y_low / (1.0 - y_low))
        return cls(is_open, energy, mass, low, np.log(y_high / (1.0 - y_high)) - low)

    def nodes(self, points: FloatArray) -> FloatArray:
        """Return 1 - x at nodes on 0..1, shape (N, K); the measure is span y (1 - y)."""
        at = self.low[:, None] + self.span[:, None] * points
        return np.asarray(1.0 / (1.0 + np.exp(-at)))

    def part(self, which: NDArray[np.bool_]) -> FractionRange:
        """Return some of the open pairs."""
        arrays = (v[which] for v in (self.energy, self.mass, self.low, self.span))
        return FractionRange(self.is_open, *arrays)


@dataclass(frozen=True, slots=True)
class EmissionKinematics:
    """A boson of given energy and angle, before the recoil of the nucleus is integrated.

    Attributes
    ----------
    energy, mass, lepton_mass, nucleus_mass
        GeV.
    y
        1 - x.
    excess_u
        2 |p||k| (1 - cos theta), that is -u above its smallest value, GeV^2.
    u
        -u, GeV^2.
    """

    energy: FloatArray
    mass: FloatArray
    lepton_mass: float
    nucleus_mass: float
    y: FloatArray
    excess_u: FloatArray
    u: FloatArray

    def expanded(self) -> EmissionKinematics:
        """Return the same with one more axis, for the momentum transfer."""
        arrays = {name: getattr(self, name)[..., None] for name in _ARRAYS}
        return replace(self, **arrays)

    @property
    def transfer_squared(self) -> FloatArray:
        """|p - k|^2 in GeV^2."""
        left = self.y * self.energy
        return np.asarray((left - self.lepton_mass) * (left + self.lepton_mass) + self.u)

    def _slope(self) -> FloatArray:
        """1 + (1-x) E/M_N: what recoil adds to t in 2 q.(p - k)."""
        return np.asarray(1.0 + self.y * self.energy / self.nucleus_mass)

    def _leading(self) -> FloatArray:
        """Coefficient of -t^2 in the condition that the recoil angle is real."""
        left = self.y * self.energy
        nucleus2 = self.nucleus_mass**2
        return np.asarray(
            1.0 + (2.0 * self.nucleus_mass * left + self.lepton_mass**2 - self.u) / nucleus2
        )

    def t_limits(self) -> tuple[FloatArray, FloatArray]:
        """Return the smallest and the largest t, GeV^2.

        Roots of 4 |p-k|^2 (t + t^2/4M_N^2) = (-u + t + t (1-x) E/M_N)^2, the recoil along p - k.
        """
        v2 = self.transfer_squared
        left = self.y * self.energy
        half = 2.0 * v2 - self.u * self._slope()
        lepton = left - self.u / (2.0 * self.nucleus_mass)
        root = 2.0 * np.sqrt(
            v2 * np.maximum((lepton - self.lepton_mass) * (lepton + self.lepton_mass), 0.0)
        )
        t_max = (half + root) / self._leading()
        return np.asarray(self.u**2 / (half + root)), np.asarray(t_max)

    def _transverse_squared(self) -> FloatArray:
        """(|p||k| sin theta)^2 of the boson, GeV^4."""
        boson = (1.0 - self.y) * self.energy
        pk = np.sqrt(
            (self.energy - self.lepton_mass)
            * (self.energy + self.lepton_mass)
            * (boson + self.mass)
            * np.maximum(boson - self.mass, 0.0)
        )
        return np.asarray(self.excess_u * (pk - 0.25 * self.excess_u))

    def boson_transverse(self) -> FloatArray:
        """Return the momentum of the boson across the beam, GeV."""
        momentum2 = (self.energy - self.lepton_mass) * (self.energy + self.lepton_mass)
        return np.asarray(np.sqrt(self._transverse_squared() / momentum2))

    def lepton_transverse(
        self, t: FloatArray, t_min: FloatArray, t_max: FloatArray, azimuth: FloatArray
    ) -> FloatArray:
        """Return the momentum of the final lepton across the beam, GeV.

        Parameters
        ----------
        t, t_min, t_max
            Momentum transfer and its limits, GeV^2.
        azimuth
            Azimuth phi of `RecoilAngles`, of one more axis than ``t``.
        """
        v2 = self.transfer_squared
        across = self.boson_transverse()
        # p - k has -across in the plane of the boson; q adds a part along p - k and one around it
        along = -0.5 * (self.u + t * self._slope()) / v2
        around = np.sqrt(0.25 * self._leading() / v2 * np.maximum((t - t_min) * (t_max - t), 0.0))
        cosine = np.sqrt(np.maximum(1.0 - across**2 / v2, 0.0))
        plane = (-across * (1.0 + along))[..., None] - (around * cosine)[..., None] * np.cos(
            azimuth
        )
        return np.asarray(np.hypot(plane, around[..., None] * np.sin(azimuth)))

    def recoil(self, t: FloatArray, t_min: FloatArray, t_max: FloatArray) -> RecoilAngles:
        """Return the invariants at momentum transfer ``t`` within the limits of `t_limits`."""
        x, energy, u = 1.0 - self.y, self.energy, self.u
        v2, slope = self.transfer_squared, self._slope()
        # (1-x) p.(p-k)/|p-k|^2 = 1 + rho, with rho as small as u/(yE)^2
        rho = (
            x * self.lepton_mass**2 + 0.5 * self.y * self.mass**2 - u * (1.0 - 0.5 * self.y)
        ) / v2
        d0 = rho * u + t * (x + rho * slope)
        a = (d0 + u) / self.y
        # 2 |p||q| sin(p, p-k) sin(q, p-k), each sine from a factor that vanishes exactly
        sines = self._transverse_squared() * self._leading() / v2**2
        b = np.sqrt(sines * np.maximum((t - t_min) * (t_max - t), 0.0))
        return RecoilAngles(energy, self.y, u, t, a, b, d0, self.nucleus_mass)
