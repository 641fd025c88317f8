r"""Thermally averaged annihilation of dark matter through a vector mediator in the s channel.

One formula serves every species and portal. With Gamma_i(sqrt s), the width of the mediator to the
annihilating pair, Gamma_f(sqrt s), its width to Standard Model states, and
D(s) = (s - M^2)^2 + s Gamma_tot(sqrt s)^2 (running widths throughout), the cross-section is

    sigma = N_id 3/(g_i g_j) (4 pi/p^2) s Gamma_i Gamma_f/D,

N_id = 2 for Majorana pairs, 1 otherwise. In the average of Gondolo and Gelmini (Nucl. Phys. B360,
145, eq. (3.8)), extended to coannihilation by Edsjo and Gondolo (hep-ph/9704361), spin factors
and momenta cancel and so does N_id against the counting of particles and antiparticles:

    <sigma v>_eff = (3 T/pi^3) Int ds s^(3/2) Gamma_i Gamma_f/D K_1(sqrt(s)/T) / n_eq^2,

where n_eq is the equilibrium density of all dark states together. This is <sigma v> for Majorana,
<sigma v>/2 for complex scalar and Dirac, 2 n_1 n_2 <sigma v>_12/(n_1 + n_2)^2 for pseudo-Dirac.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from scipy.special import kve

from na64.models.arrays import FloatArray
from na64.models.constants import (
    CHARGED_KAON_MASS_GEV,
    CHARGED_PION_MASS_GEV,
    ELECTRON_MASS_GEV,
    MUON_MASS_GEV,
    TAU_MASS_GEV,
)
from na64.models.decays.hadrons import HEAVY_THRESHOLDS_GEV, NARROW_RESONANCES_GEV
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator

__all__ = [
    "THRESHOLDS_GEV",
    "X_MAX",
    "X_MIN",
    "X_TAIL",
    "ThermalAverage",
    "equilibrium_moment",
    "visible_width_gev",
]

#: range of x = m_chi/T of the averages, and where the fine part of it ends
X_MIN: Final = 7.0
X_TAIL: Final = 60.0
X_MAX: Final = 1000.0
# Chebyshev points in ln x of each part; a narrow resonance makes ln <sigma v> bend sharply
_CHEBYSHEV_POINTS: Final = ((X_MIN, X_TAIL, 28), (X_TAIL, X_MAX, 12))
_NODES_PER_PANEL: Final = 6
_BOLTZMANN_CUT: Final = 36.0  # energies above this many T at X_MIN are dropped
_CHUNK: Final = 25  # masses that share one set of panels
# panels from the lowest energy, in units of m_chi, dense where exp(-x e) lives
_BASE_EDGES: Final = np.array([0.004, 0.02, 0.06, 0.15, 0.35, 0.8, 1.8])
#: where a width to Standard Model states sets in
THRESHOLDS_GEV: Final = np.array(
    [
        2.0 * ELECTRON_MASS_GEV,
        2.0 * MUON_MASS_GEV,
        2.0 * CHARGED_PION_MASS_GEV,
        2.0 * CHARGED_KAON_MASS_GEV,
        2.0 * 0.497611,
        2.0 * TAU_MASS_GEV,
        *HEAVY_THRESHOLDS_GEV,
    ]
)
# panels grow geometrically away from narrow structures
_PANEL_GROWTH: Final = 4.0


def visible_width_gev(
    mediator: Mediator, mass_gev: ArrayLike, *, neutrinos: bool = True
) -> FloatArray:
    """Return the width to all Standard Model states at unit coupling.

    Parameters
    ----------
    mediator
        The portal.
    mass_gev
        Invariant mass, any shape.
    neutrinos
        Whether they count.
    """
    mass = np.asarray(mass_gev, float)
    total = np.zeros_like(mass)
    for state, width in mediator.partial_widths(mass).items():
        if neutrinos or state != "neutrinos":
            total = total + width
    return total


def equilibrium_moment(x: ArrayLike, sector: DarkSector) -> FloatArray:
    """Return exp(x) sum_i g_i r_i^2 K_2(x r_i), r_i = m_i/m_chi: n_eq = m^2 T/(2 pi^2) of it.

    Maxwell-Boltzmann statistics, as the average of the cross-section assumes.

    Parameters
    ----------
    x
        m_chi/T, any shape.
    sector
        Complex scalar and Majorana have 2 states, Dirac 4, pseudo-Dirac 2 + 2.
    """
    z = np.asarray(x, float)
    if sector.species in (DarkMatter.SCALAR, DarkMatter.MAJORANA):
        return np.asarray(2.0 * kve(2, z))
    r = 1.0 + sector.splitting
    return np.asarray(2.0 * kve(2, z) + 2.0 * r**2 * kve(2, z * r) * np.exp(-z * sector.splitting))


def _scaled_k1(z: FloatArray) -> FloatArray:
    """exp(z) K_1(z) for z >= 2 X_MIN = 14, by its asymptotic series to 2e-7 (DLMF 10.40.2)."""
    w = 1.0 / z
    series = 1.0 + w * (
        0.375 + w * (-0.1171875 + w * (0.1025390625 + w * (-0.1441955566 + w * 0.2775764465)))
    )
    return np.asarray(np.sqrt(np.pi / 2.0 * w) * series)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Quadrature of a few masses: what does not depend on the coupling."""

    boltzmann: FloatArray  # (M, N, K): weight x s^2 x exp(z) K_1 x Boltzmann factor
    visible: FloatArray  # (M, N): Gamma_f at unit coupling
    dark: FloatArray  # (M, N): Gamma_i
    s: FloatArray  # (M, N) in units of GeV^2
    mediator2: FloatArray  # (M, 1)

    def integral(self, coupling2: FloatArray) -> FloatArray:
        """Scaled integral at couplings (M, 1) squared; shape (M, K)."""
        visible = coupling2 * self.visible
        denominator = (self.s - self.mediator2) ** 2 + self.s * (visible + self.dark) ** 2
        integrand = visible * self.dark / denominator
        return np.asarray(np.matmul(integrand[:, None, :], self.boltzmann)[:, 0, :])


class ThermalAverage:
    """<sigma v>_eff of a portal at many masses at once, ready for any coupling.

    Parameters
    ----------
    mediator
        The portal: its widths to Standard Model states at unit coupling.
    sector
        Dark matter species, alpha_D, mass ratio, splitting.
    masses_gev
        m_chi (the lighter state), shape (M,).
    """

    def __init__(self, mediator: Mediator, sector: DarkSector, masses_gev: FloatArray) -> None:
        self.masses_gev = masses_gev
        self._sector = sector
        self._x = np.concatenate([_chebyshev_nodes(*part) for part in _CHEBYSHEV_POINTS])
        floor = _lowest_energy_gev(mediator, sector, masses_gev)
        #: energy above 2 m_chi, in units of m_chi, that the thermal bath must provide
        self.barrier = floor / masses_gev - 2.0
        self._chunks = [
            self._chunk(mediator, masses_gev[i : i + _CHUNK], floor[i : i + _CHUNK])
            for i in range(0, masses_gev.size, _CHUNK)
        ]

    def _chunk(self, mediator: Mediator, masses: FloatArray, floor: FloatArray) -> _Chunk:
        energy, weight = _quadrature(self._sector, masses, floor)
        mass = masses[:, None]
        mediator_mass = self._sector.ratio * mass
        z = (energy / mass)[:, :, None] * self._x
        suppression = ((energy - floor[:, None]) / mass)[:, :, None] * self._x
        boltzmann = (weight * energy**4)[:, :, None] * _scaled_k1(z) * np.exp(-suppression)
        return _Chunk(
            boltzmann=boltzmann,
            visible=visible_width_gev(mediator, energy),
            dark=self._sector.width_gev(energy, mediator_mass),
            s=energy**2,
            mediator2=mediator_mass**2,
        )

    def log_nodes(self, coupling: FloatArray) -> FloatArray:
        """Return ln(<sigma v>_eff exp(barrier x)) at the interpolation nodes in x.

        Parameters
        ----------
        coupling
            The portal's free coupling per mass, shape (M,), positive.

        Returns
        -------
        ndarray
            Shape (K, M); <sigma v> in GeV^-2.
        """
        coupling2 = (coupling**2)[:, None]
        integral = np.concatenate(
            [
                chunk.integral(coupling2[i * _CHUNK : (i + 1) * _CHUNK])
                for i, chunk in enumerate(self._chunks)
            ]
        )
        # ds = 2 sqrt(s) dsqrt(s); K_1 and K_2 carry exp(-E_0/T) and exp(-2 m/T)
        moment = equilibrium_moment(self._x, self._sector)
        prefactor = 24.0 * np.pi * self._x / moment**2
        return np.asarray(np.log(prefactor * integral).T - 5.0 * np.log(self.masses_gev))

    def at(self, x: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return a function of `log_nodes` that gives <sigma v>_eff at x, shape (X, M)."""
        matrix = np.zeros((x.size, self._x.size))
        first = 0
        for low, high, count in _CHEBYSHEV_POINTS:
            inside = (x >= low) & ((x < high) | (high == X_MAX))
            columns = slice(first, first + count)
            matrix[inside, columns] = _chebyshev_matrix(x[inside], low, high, count)
            first += count
        barrier = x[:, None] * self.barrier
        return lambda nodes: np.asarray(np.exp(matrix @ nodes - barrier))

    def __call__(self, x: ArrayLike, coupling: ArrayLike) -> FloatArray:
        """Return <sigma v>_eff in GeV^-2.

        Parameters
        ----------
        x
            m_chi/T between `X_MIN` and `X_MAX`, shape (X,).
        coupling
            Free coupling, a number or one per mass.

        Returns
        -------
        ndarray
            Shape (X, M).
        """
        g = np.broadcast_to(np.asarray(coupling, float), self.masses_gev.shape)
        return self.at(np.atleast_1d(np.asarray(x, float)))(self.log_nodes(g))


def _chebyshev_nodes(low: float, high: float, count: int) -> FloatArray:
    """Chebyshev points of ln x between two values of x."""
    u = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    return np.asarray(np.sqrt(low * high) * (high / low) ** (u / 2.0))


def _chebyshev_matrix(x: FloatArray, low: float, high: float, count: int) -> FloatArray:
    """Interpolation in ln x from `_chebyshev_nodes` to x; shape (X, count)."""

    def basis(points: FloatArray) -> FloatArray:
        u = (2.0 * np.log(points) - np.log(high * low)) / np.log(high / low)
        return np.asarray(chebyshev.chebvander(u, count - 1))

    return np.asarray(basis(x) @ np.linalg.inv(basis(_chebyshev_nodes(low, high, count))))


def _lowest_energy_gev(
    mediator: Mediator, sector: DarkSector, masses_gev: FloatArray
) -> FloatArray:
    """Lowest invariant mass at which dark pairs annihilate: m_1 + m_2, or a threshold above."""
    openings = np.concatenate([[1e-3 * ELECTRON_MASS_GEV], np.sort(THRESHOLDS_GEV)])
    is_open = visible_width_gev(mediator, openings * (1.0 + 1e-9)) > 0.0
    lowest = openings[int(np.argmax(is_open))] if np.any(is_open) else np.inf
    return np.asarray(np.maximum((2.0 + sector.splitting) * masses_gev, lowest))


def _quadrature(
    sector: DarkSector, masses: FloatArray, floor: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights in sqrt(s), both (M, N): Gauss-Legendre on panels.

    Panels end at every threshold and every narrow structure. A panel that begins at a threshold
    is mapped quadratically, which makes sqrt(E - E_0) a polynomial.
    """
    count = masses.size
    low = floor[:, None]
    high = low + _BOLTZMANN_CUT / X_MIN * masses[:, None]
    pole = sector.ratio * masses
    half_width = 0.5 * sector.width_gev(pole, pole)
    columns = [low, high, low + _BASE_EDGES * masses[:, None]]
    columns.append(np.broadcast_to(THRESHOLDS_GEV, (count, THRESHOLDS_GEV.size)))
    for centre, width in NARROW_RESONANCES_GEV:
        around = _around(centre, width, 0.1)
        columns.append(np.broadcast_to(around, (count, around.size)))
    # the width over the mass is the same at all masses
    relative = _around(1.0, float(half_width[0] / pole[0]), 0.3)
    columns.append(pole[:, None] * relative)
    edges = np.concatenate(columns, axis=1)
    starts = np.zeros(edges.shape, bool)
    starts[:, 0] = True
    first = 2 + _BASE_EDGES.size
    starts[:, first : first + THRESHOLDS_GEV.size] = True
    # what lies outside is pushed to the end, where panels are empty
    edges = np.where((edges < low) | (edges > high), high, edges)
    order = np.argsort(edges, axis=1, kind="stable")
    edges, starts = np.take_along_axis(edges, order, 1), np.take_along_axis(starts, order, 1)
    size = np.diff(edges, axis=1)
    panels = int(np.max(np.nonzero(size > 0.0)[1])) + 1
    left, size, starts = edges[:, :panels], size[:, :panels], starts[:, :panels]
    points, weights = np.polynomial.legendre.leggauss(_NODES_PER_PANEL)
    t, w = 0.5 * (points + 1.0), 0.5 * weights
    is_start = starts[:, :, None]
    energy = left[:, :, None] + size[:, :, None] * np.where(is_start, t**2, t)
    weight = size[:, :, None] * np.where(is_start, 2.0 * t * w, w)
    return energy.reshape(count, -1), weight.reshape(count, -1)


def _around(centre: float, half_width: float, reach: float) -> FloatArray:
    """Panel edges centre +- half_width growth^k out to about ``reach``, and the centre."""
    steps = max(1, int(np.ceil(np.log(reach / half_width) / np.log(_PANEL_GROWTH))))
    offsets = half_width * _PANEL_GROWTH ** np.arange(steps)
    return np.concatenate([centre - offsets[::-1], [centre], centre + offsets])
