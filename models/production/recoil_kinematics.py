"""Kinematics of l + N -> l + N + X at a given final lepton: d = p - p', and where in t it peaks.

Free of cancellations, as `na64.models.production.kinematics` is at a given boson.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.arrays import FloatArray
from na64.models.production.quadrature import unit_nodes
from na64.models.production.recoil_amplitude import BosonAngles

__all__ = ["RecoilKinematics", "momentum_of", "transfer_nodes"]

#: attributes of `RecoilKinematics` that are arrays
_ARRAYS: Final = ("energy", "mass", "recoil", "excess")
# No peak is taken to be wider than this, in ln(t): the rule then has equal steps.
_WIDEST: Final = 2.0


def momentum_of(energy: FloatArray, mass: float) -> FloatArray:
    """Return the momentum of a particle of given energy and mass, GeV."""
    return np.asarray(np.sqrt(np.maximum((energy - mass) * (energy + mass), 0.0)))


@dataclass(frozen=True, slots=True)
class RecoilKinematics:
    """A final lepton of given energy and direction; the boson has what it and the nucleus leave.

    Attributes
    ----------
    energy, mass
        Energy of the initial lepton and mass of the boson, GeV.
    recoil
        Energy of the final lepton E', GeV.
    excess
        2 |p| (|p'| - p'_z), that is -d^2 above its smallest value, GeV^2.
    lepton_mass, nucleus_mass
        GeV.
    """

    energy: FloatArray
    mass: FloatArray
    recoil: FloatArray
    excess: FloatArray
    lepton_mass: float
    nucleus_mass: float

    @property
    def lost(self) -> FloatArray:
        """E - E', the energy of the boson but for the recoil of the nucleus."""
        return np.asarray(self.energy - self.recoil)

    @property
    def momentum(self) -> FloatArray:
        """|p| of the initial lepton."""
        return momentum_of(self.energy, self.lepton_mass)

    @property
    def recoil_momentum(self) -> FloatArray:
        """|p'|."""
        return momentum_of(self.recoil, self.lepton_mass)

    @property
    def squared(self) -> FloatArray:
        """-d^2 > 0, free of cancellations."""
        forward = self.energy * self.recoil + self.momentum * self.recoil_momentum
        least = 2.0 * (self.lepton_mass * self.lost) ** 2 / (forward - self.lepton_mass**2)
        return np.asarray(least + self.excess)

    @property
    def gap(self) -> FloatArray:
        """w = M^2 - d^2."""
        return np.asarray(self.mass**2 + self.squared)

    @property
    def length_squared(self) -> FloatArray:
        """|d|^2."""
        return np.asarray(self.lost**2 + self.squared)

    @property
    def transverse(self) -> FloatArray:
        """Momentum of the final lepton across the beam."""
        p = self.momentum
        along = np.maximum(4.0 * p * self.recoil_momentum - self.excess, 0.0)
        return np.asarray(np.sqrt(self.excess * along) / (2.0 * p))

    def transfer_limits(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the limits of t, roots of 4 |d|^2 (t + t^2/4M_N^2) = (w + t (1 + d0/M_N))^2.

        And the coefficient of -t^2 in it, which is positive.
        """
        nucleus = self.nucleus_mass
        w, d2 = self.gap, self.length_squared
        half = 2.0 * d2 - w * (1.0 + self.lost / nucleus)
        rest = self.lost - w / (2.0 * nucleus)
        root = 2.0 * np.sqrt(d2 * np.maximum((rest - self.mass) * (rest + self.mass), 0.0))
        leading = 1.0 + (2.0 * nucleus * self.lost + self.mass**2 - w) / nucleus**2
        return np.asarray(w**2 / (half + root)), np.asarray((half + root) / leading), leading

    def peaks(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return where in t the boson is collinear with the beam, and with the final lepton.

        There the denominators -u and s are smallest. And the width of both in ln(t).
        """
        boson = np.sqrt(np.maximum((self.lost - self.mass) * (self.lost + self.mass), 0.0))
        p, p_recoil, across2 = self.momentum, self.recoil_momentum, self.transverse**2
        along = self.excess / (2.0 * p)  # |p'| - p'_z
        with_beam = (boson - (p - p_recoil + along)) ** 2 + across2
        with_recoil = (boson + p_recoil - p) ** 2 + 2.0 * p * (boson + p_recoil) * along / p_recoil
        x = self.lost / self.energy
        scale = self.mass**2 * (1.0 - x) + (self.lepton_mass * x) ** 2
        width = 2.0 * np.sqrt(scale / np.maximum(across2, scale / _WIDEST**2 * 4.0))
        return with_beam, with_recoil, width

    @classmethod
    def of(
        cls,
        energy: ArrayLike,
        mass: ArrayLike,
        recoil: ArrayLike,
        excess: ArrayLike,
        lepton_mass: float,
        nucleus_mass: float,
    ) -> RecoilKinematics:
        """Return final leptons of the shape to which the arrays broadcast."""
        a, b, c, d = np.broadcast_arrays(
            *(np.asarray(v, float) for v in (energy, mass, recoil, excess))
        )
        return cls(a, b, c, d, lepton_mass, nucleus_mass)

    def _each(self, change: Callable[[FloatArray], FloatArray]) -> RecoilKinematics:
        arrays: dict[str, Any] = {name: change(getattr(self, name)) for name in _ARRAYS}
        return replace(self, **arrays)

    def flat(self) -> RecoilKinematics:
        """Return the same in a row."""
        return self._each(np.ravel)

    def part(self, which: slice | NDArray[np.bool_]) -> RecoilKinematics:
        """Return some of a row."""
        return self._each(lambda values: values[which])

    def expanded(self) -> RecoilKinematics:
        """Return the same with one more axis, for the momentum transfer."""
        return self._each(lambda values: values[..., None])

    def boson_angles(
        self, t: FloatArray, t_min: FloatArray, t_max: FloatArray, leading: FloatArray
    ) -> BosonAngles:
        """Return what the average over the boson needs at momentum transfers within the limits."""
        nucleus, w, d2, d0 = self.nucleus_mass, self.gap, self.length_squared, self.lost
        scale, recoil, across = 0.25 / nucleus, self.recoil, self.transverse
        # -u = t + 2 p'.q, and h = p'.d/|d|^2 of the momenta
        h = (recoil * d0 - 0.5 * self.squared) / d2
        slope = 1.0 - recoil / nucleus + (1.0 + d0 / nucleus) * h
        a1 = w * h + t * slope
        b = (self.momentum * across / d2) * np.sqrt(
            leading * np.maximum((t - t_min) * (t_max - t), 0.0)
        )
        # w (E' - d0 h), without the cancellation of soft bosons and small angles
        first = w * self.squared * (self.energy + recoil) / (2.0 * d2)
        step = scale * w * (1.0 + 2.0 * h) - recoil - d0 * slope + scale * t * (2.0 * slope - 1.0)
        return BosonAngles(
            initial=self.energy - scale * t,
            final=recoil + scale * t,
            boson=d0 - scale * (w + t),
            t=t,
            a1=a1,
            a2=a1 + w - t,
            b=b,
            gap=w - t,
            n0=first + t * step,
            n1=(d0 - 2.0 * scale * t) * b,
            nucleus_mass_gev=nucleus,
        )


def _away_from(
    peak: FloatArray, width: FloatArray, end: FloatArray, number: int
) -> tuple[FloatArray, FloatArray]:
    """Nodes in ln(t) from a peak to an end, and weights for dln(t): dense at the peak.

    |ln(t/peak)| = ln(1 + width sinh(z)), equal steps in z near the peak, in ln(t) far from it.
    """
    distance = end - peak
    points, weights = unit_nodes(number)
    top = np.arcsinh(np.expm1(np.abs(distance)) / width)[..., None]
    z = top * points
    grown = 1.0 + width[..., None] * np.sinh(z)
    nodes = peak[..., None] + np.sign(distance)[..., None] * np.log(grown)
    return nodes, top * weights * width[..., None] * np.cosh(z) / grown


def transfer_nodes(
    at: RecoilKinematics, low: FloatArray, high: FloatArray, number: int
) -> tuple[FloatArray, FloatArray]:
    """Return nodes in t and their weights for dt/t, from low to high around both peaks.

    Parameters
    ----------
    at
        The final lepton.
    low, high
        Limits of t, GeV^2; intervals of no or negative length get zero weights.
    number
        Nodes in each of the four parts between ends, peaks and the middle of the peaks.
    """
    closed = high <= low
    start, stop = np.log(low), np.log(np.where(closed, 2.0 * low, high))
    with_beam, with_recoil, width = at.peaks()
    first = np.clip(np.log(with_beam), start, stop)
    second = np.clip(np.log(with_recoil), first, stop)
    middle = 0.5 * (first + second)
    parts = [
        _away_from(peak, width, end, number)
        for peak, end in ((first, start), (first, middle), (second, middle), (second, stop))
    ]
    nodes = np.exp(np.concatenate([part[0] for part in parts], axis=-1))
    weights = np.concatenate([part[1] for part in parts], axis=-1)
    return nodes, weights * ~closed[..., None]
