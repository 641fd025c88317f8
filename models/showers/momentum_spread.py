"""The track length of positrons in a shower of a beam whose momentum has a spread.

A shower scales with the energy E0 of the particle that began it, T(E; E0) = f(E/E0)/E0, but for
the logarithms in which screening and suppression change: nothing within per cents of E0. A spread
of the momentum then convolves the spectrum in ln E.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.interpolate import CubicSpline, PchipInterpolator

from na64.models.arrays import FloatArray
from na64.models.showers.cascade import Cascade

__all__ = ["TAIL_SIGMAS", "positron_spectrum"]

#: how many standard deviations of the momentum are followed
TAIL_SIGMAS: Final = 5.0
# points in a cell of the cascade, of the convolution, and of its table to a standard deviation:
# doubling them moves no spectrum by more than 1e-4 of its largest value within one deviation
_POINTS_PER_CELL: Final = 4
_POINTS: Final = 64
_PER_SIGMA: Final = 4.0
# a spread below this is that of a beam without one: no spectrum of a shower is known as finely
_SMALLEST: Final = 1e-5

Weight = Callable[[FloatArray], FloatArray]


def positron_spectrum(shower: Cascade, momentum_spread: float, weight: Weight) -> Weight:
    """Return the spectrum of positrons as a function of energy, X0 per GeV.

    Parameters
    ----------
    shower
        The cascade of a particle of the nominal energy.
    momentum_spread
        Relative standard deviation of the beam's momentum, 0 or above.
    weight
        Multiplies the spectrum before the spread, as a function of the energy in GeV at the nominal
        energy of the beam, such as the probability that the rest of the event is seen.

    Returns
    -------
    callable
        Of an array of energies in GeV; below the floor of the cascade its value there.
    """
    floor = float(shower.energies_gev[-1])
    if momentum_spread < _SMALLEST:

        def plain(energy: FloatArray) -> FloatArray:
            return np.asarray(shower.spectrum(np.maximum(energy, floor))[1] * weight(energy))

        return plain

    beyond = _integral_above(shower, weight)
    table = _convolved(beyond, np.log(shower.energy_gev / floor), momentum_spread)
    end = -TAIL_SIGMAS * momentum_spread

    def smeared(energy: FloatArray) -> FloatArray:
        log = np.log(np.maximum(energy, floor))
        depth = np.maximum(np.log(shower.energy_gev) - log, end)
        return np.asarray(np.maximum(table(depth), 0.0) * np.exp(-log))

    return smeared


def _integral_above(shower: Cascade, weight: Weight) -> PchipInterpolator:
    """Weighted track length above an energy, as a function of ln(E0/E)."""
    nodes = np.log(shower.energy_gev / shower.energies_gev)
    points, weights = leggauss(_POINTS_PER_CELL)
    half = 0.5 * np.diff(nodes)[:, None]
    energy = shower.energy_gev * np.exp(-(nodes[:-1, None] + half * (points + 1.0)))
    content = np.sum(half * weights * energy * shower.spectrum(energy)[1] * weight(energy), axis=1)
    return PchipInterpolator(nodes, np.concatenate([[0.0], np.cumsum(content)]))


def _convolved(beyond: PchipInterpolator, depth: float, spread: float) -> CubicSpline:
    """The density in ln E after the spread, as a function of ln(E0/E).

    With F the integral above and g the distribution, E T'(E) = int dv (v/s^2) g(v) F(ln E0/E + v):
    by parts, so that the integrable spike of T at the beam energy is only a steep end of F.
    """
    reach = TAIL_SIGMAS * spread
    at = np.linspace(-reach, depth, int(np.ceil(_PER_SIGMA * (depth + reach) / spread)) + 1)[
        :, None
    ]
    points, weights = leggauss(_POINTS)
    crowd = 0.5 * (points + 1.0)  # towards the beam energy
    first = np.maximum(at - reach, 0.0)
    span = at + reach - first

    def integral(where: FloatArray) -> FloatArray:
        # straight beyond the floor; less a constant, of which the odd kernel leaves nothing
        inside = np.minimum(where, depth)
        return np.asarray(beyond(inside) + beyond(depth, nu=1) * (where - inside) - beyond(first))

    where = first + span * crowd**3
    moved = (where - at) / spread
    kernel = moved / spread * np.exp(-0.5 * moved**2)
    total = np.sum(1.5 * crowd**2 * weights * span * kernel * integral(where), axis=1)
    total += np.exp(-0.5 * TAIL_SIGMAS**2) * integral(at + reach)[:, 0]
    return CubicSpline(at[:, 0], total / (np.sqrt(2.0 * np.pi) * spread))
