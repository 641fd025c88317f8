"""Spectra in showers of a beam whose momentum has a spread.

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

__all__ = ["TAIL_SIGMAS", "Spectrum", "with_momentum_spread"]

#: how many standard deviations of the momentum are followed
TAIL_SIGMAS: Final = 5.0
# points in a cell of the cascade, of the convolution, and of its table to a standard deviation:
# doubling them moves no spectrum by more than 1e-4 of its largest value within one deviation
_POINTS_PER_CELL: Final = 4
_POINTS: Final = 64
_PER_SIGMA: Final = 4.0
# a spread below this is that of a beam without one: no spectrum of a shower is known as finely
_SMALLEST: Final = 1e-5

Spectrum = Callable[[FloatArray], FloatArray]


def with_momentum_spread(
    spectrum: Spectrum, edges_gev: FloatArray, momentum_spread: float
) -> Spectrum:
    """Return the spectrum of a beam with a spread of its momentum, X0 per GeV.

    Parameters
    ----------
    spectrum
        Of the shower of a particle of the nominal energy, as a function of energy in GeV; weighted
        with whatever depends on the energy in units of the beam's.
    edges_gev
        Ascending edges of cells in which the spectrum is smooth, up to the nominal energy.
    momentum_spread
        Relative standard deviation of the beam's momentum, 0 or above.

    Returns
    -------
    callable
        Of an array of energies in GeV; below the first edge its value there.
    """
    floor, top = float(edges_gev[0]), float(edges_gev[-1])
    if momentum_spread < _SMALLEST:
        return lambda energy: spectrum(np.maximum(energy, floor))

    beyond = _integral_above(spectrum, edges_gev)
    table = _convolved(beyond, np.log(top / floor), momentum_spread)
    end = -TAIL_SIGMAS * momentum_spread

    def smeared(energy: FloatArray) -> FloatArray:
        log = np.log(np.maximum(energy, floor))
        depth = np.maximum(np.log(top) - log, end)
        return np.asarray(np.maximum(table(depth), 0.0) * np.exp(-log))

    return smeared


def _integral_above(spectrum: Spectrum, edges_gev: FloatArray) -> PchipInterpolator:
    """Integral of a spectrum above an energy, as a function of ln(E0/E)."""
    nodes = np.log(edges_gev[-1] / edges_gev[::-1])
    points, weights = leggauss(_POINTS_PER_CELL)
    half = 0.5 * np.diff(nodes)[:, None]
    energy = edges_gev[-1] * np.exp(-(nodes[:-1, None] + half * (points + 1.0)))
    content = np.sum(half * weights * energy * spectrum(energy), axis=1)
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
