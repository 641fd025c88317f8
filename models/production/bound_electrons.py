"""Resonant annihilation on atomic electrons that move.

On an electron of the momentum k a positron of the energy E has, up to m_e/E,

    s = 2 m_e (y E + m_e),    y = (E_k - k_z)/m_e,    E_k = sqrt(m_e^2 + k^2):

y E stands where E did for an electron at rest. The rate per electron at rest takes the flux factor
(E_k - k_z)/E_k with it, and the directions of k are all alike, so that y has the density

    f(y) = int d^3k n(k) (y m_e/E_k) delta(y - (E_k - k_z)/m_e)
         = 2 pi m_e^2 y int_{k_min} dk k n(k)/E_k,    k_min = m_e |y - 1/y|/2,

which does not depend on E and has the integral 1. For small momenta it is the Compton profile,
m_e J(m_e (1 - y)), with the mean 1 + 5 <k^2>/6 m_e^2 and the variance <k_z^2>/m_e^2. A spectrum of
positrons T(E) acts on moving electrons as T'(E') = int dE T(E) f(E'/E)/E does on those at rest.

Why E_k, and not m_e less the binding energy: the positron is repelled where the electron is
attracted. At r its momentum has fallen by its potential energy, -V(r), and so s contains the
energy of the electron less V(r): its kinetic energy. With the phase of an eikonal positron the
mean of y is <(1 - alpha_z)(epsilon - V - k_z)>/m_e, epsilon the energy of the electron; by the
Dirac equation that is 1 + 5 <k^2>/6 m_e^2 again. Binding without repulsion would lower the mean
of y by 0.02 in lead.

The densities n(k) are those of `na64.models.shells`, of free atoms. With the relativistic profiles
of Hartree and Fock (Biggs et al.) the part of the electrons of lead with y > 1.1 would be 3 %, that
with y > 1.4 20 %, that with y > 2 40 % larger; that with y < 0.9 is the same to 1 %. Beyond
|ln y| = 0.5 the electron is so close to the nucleus that neither is more than an estimate.

References
----------
Arias-Aragon, Darme, Grilli di Cortona and Nardi, arXiv:2403.15387: annihilation with Compton
profiles. Plestid and Wise, arXiv:2403.12184: binding in fixed-target experiments.
Biggs, Mendelsohn and Mann, At. Data Nucl. Data Tables 16, 201 (1975): Compton profiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from na64.models.arrays import FloatArray
from na64.models.materials import Material
from na64.models.production.annihilation import Resonance, resonance_nodes
from na64.models.shells import atomic_shells, momentum_density

__all__ = ["ElectronMotion", "electron_motion", "moving_nodes", "moving_spectrum"]

Spectrum = Callable[[FloatArray], FloatArray]

# |ln y| beyond which nothing is followed: less than 1e-6 of the electrons of lead
_LARGEST_SHIFT: Final = float(np.log(20.0))
# nodes of the table of f, crowded about y = 1, the width of the crowd, and where the table ends:
# a thousand times further than what is followed
_TABLE_NODES: Final = 400
_NARROW: Final = 1e-3
_TABLE_END: Final = float(np.log(2e4))
_POINTS_PER_CELL: Final = 3
# widest cell of an integral over f, in ln E: the slowest electrons change y by 0.005
_NODE_CELL: Final = 0.01
# cells, in ln E, of what has been smeared; a cell of the spectrum wider than the wide one is
# one without a feature, and is cut into as many
_CELL: Final = 0.0015
_WIDE_CELL: Final = 0.02
# growth of the cells beyond the ends of the spectrum
_GROWTH: Final = 0.06


@dataclass(frozen=True)
class ElectronMotion:
    """The distribution of y = (E_k - k_z)/m_e over the electrons of a material.

    Attributes
    ----------
    shares
        Part of the electrons in each shell; they sum to one.
    momenta
        Root mean square momentum of each shell in units of the electron's mass.
    """

    shares: tuple[float, ...]
    momenta: tuple[float, ...]

    @cached_property
    def _table(self) -> CubicSpline:
        """ln(f/y), which is even in ln y, as a function of arsinh(|ln y|/narrow).

        k = m_e sinh v turns f/y into 2 pi int_{|ln y|} dv sinh v n(sinh v).
        """
        nodes = np.linspace(0.0, np.arcsinh(_TABLE_END / _NARROW), _TABLE_NODES)
        node, weight = _nodes(nodes)
        momentum = np.sinh(_NARROW * np.sinh(node))
        measure = weight * _NARROW * np.cosh(node) * 2.0 * np.pi * momentum
        density = sum(
            share * momentum_density(q, momentum)
            for share, q in zip(self.shares, self.momenta, strict=True)
        )
        cells = (measure * density).sum(axis=1)
        # the last cell is there for the sum of what lies beyond
        above = np.cumsum(cells[::-1])[::-1]
        return CubicSpline(nodes[:-1], np.log(above), bc_type=("clamped", "not-a-knot"))

    def density(self, fraction: ArrayLike) -> FloatArray:
        """Return f(y) from a table, within 1e-5; 0 outside 0.05 to 20.

        Parameters
        ----------
        fraction
            y, positive, any shape.
        """
        y = np.asarray(fraction, float)
        shift = np.abs(np.log(y))
        node = np.arcsinh(np.minimum(shift, _LARGEST_SHIFT) / _NARROW)
        return np.asarray(np.where(shift <= _LARGEST_SHIFT, y * np.exp(self._table(node)), 0.0))


@cache
def electron_motion(material: Material) -> ElectronMotion:
    """Return how the electrons of a material move: those of its atoms, each by itself."""
    electrons = material.electron_density_cm3
    shells = [
        (density * shell.electrons / electrons, shell.momentum)
        for element, density in material.number_densities_cm3
        for shell in atomic_shells(element.z)
    ]
    shares, momenta = zip(*shells, strict=True)
    return ElectronMotion(shares, momenta)


def _cut(edges: FloatArray, parts: NDArray[np.int_]) -> FloatArray:
    """Edges with each cell cut into equal parts in ln E."""
    ends = np.log(edges)
    step = np.repeat(np.diff(ends) / parts, parts)
    within = np.arange(len(step)) - np.repeat(np.cumsum(parts) - parts, parts)
    return np.append(np.exp(np.repeat(ends[:-1], parts) + step * within), edges[-1])


def _cells(edges: FloatArray, cell: float) -> FloatArray:
    """Edges of cells in which what has been smeared is smooth, shape (N + 1,)."""
    width = np.diff(np.log(edges))
    inner = _cut(edges, np.ceil(np.minimum(width, _WIDE_CELL) / cell).astype(int))
    # outside the cells grow with the distance
    scale = cell / _GROWTH
    end = np.arcsinh(_LARGEST_SHIFT / scale)
    beyond = scale * np.sinh(np.linspace(0.0, end, int(np.ceil(end / _GROWTH)) + 1)[1:])
    return np.concatenate([edges[0] * np.exp(-beyond[::-1]), inner, edges[-1] * np.exp(beyond)])


def _parts(edges: FloatArray) -> NDArray[np.int_]:
    """Into how many parts a cell of the spectrum is cut for an integral over f, shape (N,).

    In each f is smooth. They are even in number: the spectrum of a cascade is continuous in the
    middle of a cell in ln E, its slope is not.
    """
    return 2 * np.ceil(0.5 * np.diff(np.log(edges)) / _NODE_CELL).astype(int)


def _nodes(edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre energies and weights in each cell, both of shape (N, K)."""
    points, weights = leggauss(_POINTS_PER_CELL)
    half = 0.5 * np.diff(edges)[:, None]
    return 0.5 * (edges[1:] + edges[:-1])[:, None] + half * points, half * weights


def moving_spectrum(
    edges_gev: FloatArray, spectrum: Spectrum, motion: ElectronMotion
) -> tuple[FloatArray, Spectrum]:
    """Return the spectrum T'(E') that acts on electrons at rest as T(E) does on moving ones.

    Parameters
    ----------
    edges_gev
        Ascending edges of cells in which the spectrum is smooth; they span it.
    spectrum
        Track length of positrons that count, in X0 per GeV, as a function of energy in GeV.
    motion
        That of the target's electrons.

    Returns
    -------
    edges, spectrum
        In the same form; from a tenth of the lowest energy to ten times the highest.
    """
    fine = _cut(edges_gev, _parts(edges_gev))
    energy, weight = (part.ravel() for part in _nodes(fine))
    length = weight * spectrum(energy) / energy
    edges = _cells(edges_gev, _CELL)
    smeared = (motion.density(edges[:, None] / energy) * length).sum(axis=1)
    table = PchipInterpolator(np.log(edges), smeared)

    def moving(reduced: FloatArray) -> FloatArray:
        inside = np.clip(reduced, edges[0], edges[-1])
        return np.asarray(np.where(inside == reduced, table(np.log(inside)), 0.0))

    return edges, moving


def moving_nodes(
    resonance: Resonance, edges_gev: FloatArray, motion: ElectronMotion
) -> tuple[FloatArray, FloatArray]:
    """Return energies and weights, like `resonance_nodes`, for electrons that move.

    The cross-section at the energy E is int dE' sigma(E') f(E'/E)/E.

    Parameters
    ----------
    resonance, edges_gev
        As there, N + 1 edges.
    motion
        That of the target's electrons.

    Returns
    -------
    energies, weights : ndarray
        Energies of positrons in GeV and weights in GeV^-1, both of shape (N, K).
    """
    # every cell has the same number of nodes
    parts = np.full(len(edges_gev) - 1, _parts(edges_gev).max())
    nodes = _nodes(_cut(edges_gev, parts))
    energy, weight = (part.reshape(len(parts), -1) for part in nodes)
    cells = _cells(edges_gev, _NODE_CELL)
    reduced, strength = (part.ravel() for part in resonance_nodes(resonance, cells))
    share = motion.density(reduced / energy[..., None]) * strength
    return energy, weight * share.sum(axis=-1) / energy
