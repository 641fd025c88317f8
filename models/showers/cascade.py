"""The electromagnetic cascade of an absorbed particle, without Monte Carlo.

In an absorbing target only the depth-integrated fluxes matter: the track length per energy
T(E) = dL/dE of electrons, positrons and photons. Since energies only fall, the cascade equations
on an energy grid are triangular and are solved from the beam energy downwards.

Each node of the grid carries a weight W, the track length of the particles that it stands for.
What a particle turns into is shared out to the node above it and the two nodes below so that
number, energy and the mean square of the energy are conserved. Sums of W f(E) are therefore
accurate for smooth f although T itself has an integrable spike at the beam energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.errors import ComputationError, InputError
from na64.models.materials import Material
from na64.models.showers.processes import Processes

__all__ = ["SPECIES", "Cascade", "cascade"]

#: order of the species axis
SPECIES: Final = ("electron", "positron", "photon")
_PRIMARY: Final = {"e-": 0, "e+": 1, "gamma": 2}
# the finest step below the beam energy, in ln E, and the factor by which steps grow from there
_FIRST_STEP: Final = 2e-4
_GROWTH: Final = 1.3
_POINTS_PER_CELL: Final = 3
_POINTS_OWN_CELL: Final = 8


@dataclass(frozen=True)
class Cascade:
    """Depth-integrated cascade of one particle in an absorbing target.

    Attributes
    ----------
    particle
        ``e-``, ``e+`` or ``gamma``: what entered the target.
    energy_gev
        Its energy.
    energies_gev
        Nodes of the energy grid, descending from the beam energy to the floor, shape (N,).
    weights
        Track length in radiation lengths for which each node stands, by species (electron,
        positron, photon), shape (3, N). Single weights next to the beam energy may be
        slightly negative; sums with smooth functions are what they are for.
    deposited_gev
        Energy that collision loss and particles below the floor carry; equal to
        ``energy_gev`` but for the error of the quadratures.
    """

    particle: str
    energy_gev: float
    energies_gev: FloatArray
    weights: FloatArray
    deposited_gev: float

    @cached_property
    def _cumulative(self) -> PchipInterpolator:
        """Track length above an energy, as a function of ln(E0/E), by species."""
        depth = np.log(self.energy_gev / self.energies_gev)
        edges = np.concatenate([[0.0], 0.5 * (depth[1:] + depth[:-1]), depth[-1:]])
        total = np.concatenate([np.zeros((3, 1)), np.cumsum(self.weights, axis=1)], axis=1)
        # the cell of the last node is cut in half by the floor
        total[:, -1] = total[:, -2] + 0.5 * self.weights[:, -1]
        return PchipInterpolator(edges, total, axis=1)

    def above(self, threshold_gev: ArrayLike) -> FloatArray:
        """Return the track length above an energy.

        Parameters
        ----------
        threshold_gev
            Energies between the floor and the beam energy, any shape.

        Returns
        -------
        ndarray
            Radiation lengths, shape (3, ...): electron, positron, photon.

        Raises
        ------
        InputError
            If a threshold is below the floor.
        """
        threshold = np.asarray(threshold_gev, float)
        if np.any(threshold < self.energies_gev[-1] * (1.0 - 1e-12)):
            raise InputError(
                f"track length asked for below the floor of {self.energies_gev[-1]:g} GeV"
            )
        depth = np.log(self.energy_gev / np.minimum(threshold, self.energy_gev))
        return np.asarray(self._cumulative(depth))

    def spectrum(self, energy_gev: ArrayLike) -> FloatArray:
        """Return T(E) = dL/dE in radiation lengths per GeV.

        Parameters
        ----------
        energy_gev
            Energies between the floor and the beam energy, any shape; 0 is returned above
            the beam energy.

        Returns
        -------
        ndarray
            Shape (3, ...): electron, positron, photon. The primary's own spectrum has an
            integrable spike at the beam energy; integrate with the weights there.
        """
        energy = np.asarray(energy_gev, float)
        if np.any(energy < self.energies_gev[-1] * (1.0 - 1e-12)):
            raise InputError(f"spectrum asked for below the floor of {self.energies_gev[-1]:g} GeV")
        inside = np.minimum(energy, self.energy_gev)
        depth = np.log(self.energy_gev / inside)
        density = self._cumulative(depth, nu=1) / inside
        return np.asarray(np.where(energy <= self.energy_gev, np.maximum(density, 0.0), 0.0))


def _grid(energy_gev: float, floor_gev: float, step: float) -> FloatArray:
    """Nodes from the beam energy to the floor, fine near the beam energy, then log-uniform."""
    total = np.log(energy_gev / floor_gev)
    n_growing = int(np.ceil(np.log(step / _FIRST_STEP) / np.log(_GROWTH)))
    growing = np.cumsum(_FIRST_STEP * _GROWTH ** np.arange(max(n_growing, 0)))
    growing = growing[growing < total - step]
    start = growing[-1] if len(growing) else 0.0
    uniform = np.linspace(start, total, int(np.ceil((total - start) / step)) + 1)[1:]
    return np.asarray(energy_gev * np.exp(-np.concatenate([[0.0], growing, uniform])))


def _lagrange(nodes: FloatArray, point: FloatArray) -> FloatArray:
    """Weights that share a point among three nodes; nodes (..., 3), point (...) -> (..., 3)."""
    a, b, c = nodes[..., 0], nodes[..., 1], nodes[..., 2]
    return np.stack(
        [
            (point - b) * (point - c) / ((a - b) * (a - c)),
            (point - a) * (point - c) / ((b - a) * (b - c)),
            (point - a) * (point - b) / ((c - a) * (c - b)),
        ],
        axis=-1,
    )


class _Equations:
    """The generator of the cascade on a grid: rates between nodes, and what falls below.

    ``rates[a, b, i, j]`` is the rate per radiation length from species a at node i to species b
    at node j; ``below[a, i]`` the energy per radiation length that goes beneath the floor.
    """

    def __init__(self, processes: Processes, active: FloatArray) -> None:
        n = len(active)
        ratio = active[-1] / active[-2]
        #: two nodes beneath the floor receive what is shared out downwards
        self.nodes = np.concatenate([active, active[-1] * np.array([ratio, ratio**2])])
        self.n = n
        self.rates = np.zeros((3, 3, n, n + 2))
        self.below = np.zeros((3, n))
        self._triples = np.stack([self.nodes[:-2], self.nodes[1:-1], self.nodes[2:]], axis=-1)
        self._lower_cells(processes, active)
        self._own_cell(processes, active)
        self._collision_loss(processes, active)
        self._beneath_floor(processes, active)

    def _lower_cells(self, processes: Processes, active: FloatArray) -> None:
        """Products in the cells below that of their source, by Gauss-Legendre in ln E."""
        n = self.n
        points, weights = leggauss(_POINTS_PER_CELL)
        upper, lower = np.log(self.nodes[:n]), np.log(self.nodes[1 : n + 1])
        half = 0.5 * (upper - lower)
        cells = np.exp(0.5 * (upper + lower)[:, None] + half[:, None] * points)
        measure = half[:, None] * weights * cells
        shares = _lagrange(self._triples[:, None, :], cells)
        source, cell = np.triu_indices(n, 1)
        energy, product = active[source][:, None], cells[cell]

        def spread(spectrum: FloatArray) -> FloatArray:
            """Share out dN/dE' at the points of the cells of each source."""
            out = np.zeros((n, n + 2))
            number = spectrum * measure[cell]
            for k in range(3):
                out[source, cell + k] += np.einsum("pm,pm->p", number, shares[cell, :, k])
            return out

        leading = processes.bremsstrahlung(energy, energy - product)
        charged = spread(leading)
        departed = np.bincount(source, (leading * measure[cell]).sum(axis=1), n)
        charged[np.arange(n), np.arange(n)] -= departed
        photons = spread(processes.bremsstrahlung(energy, product))
        pairs = spread(processes.pair_production(energy, product))
        for species in (0, 1):
            self.rates[species, species] += charged
            self.rates[species, 2] += photons
            self.rates[2, species] += pairs
        self.rates[2, 2] += spread(processes.compton(energy, product))
        self.rates[2, 0] += spread(processes.compton(energy, energy - product))
        annihilated = processes.annihilation(energy, product) + processes.annihilation(
            energy, energy - product
        )
        self.rates[1, 2] += spread(annihilated)
        self.below[1] -= np.bincount(source, (annihilated * measure[cell] * product).sum(1), n)

    def _own_cell(self, processes: Processes, active: FloatArray) -> None:
        """Products in the cell below their source, where spectra have their end points.

        The variable is the square root of the energy lost. Soft bremsstrahlung leaves the
        electron there: its rate diverges, the energy lost does not, so that only the
        difference between what arrives and what leaves is formed.
        """
        points, weights = leggauss(_POINTS_OWN_CELL)
        v = 0.5 * (points + 1.0)
        energy = active[:, None]
        largest = energy - self.nodes[1 : self.n + 1, None]
        lost = largest * v**2
        product = energy - lost
        measure = largest * v * weights
        shares = _lagrange(self._triples[:, None, :], product)
        index = np.arange(self.n)

        def add(origin: int, target: int, spectrum: FloatArray, *, stays: bool = False) -> None:
            shared = shares - np.array([1.0, 0.0, 0.0]) if stays else shares
            moved = np.einsum("im,imk->ik", spectrum * measure, shared)
            for k in range(3):
                self.rates[origin, target, index, index + k] += moved[:, k]

        soft = processes.bremsstrahlung(energy, lost)
        hard = processes.bremsstrahlung(energy, product)
        pairs = processes.pair_production(energy, product)
        for species in (0, 1):
            add(species, species, soft, stays=True)
            add(species, 2, hard)
            add(2, species, pairs)
        add(2, 2, processes.compton(energy, product))
        add(2, 0, processes.compton(energy, lost))
        annihilated = processes.annihilation(energy, product) + processes.annihilation(energy, lost)
        add(1, 2, annihilated)
        self.below[1] -= (annihilated * measure * product).sum(axis=1)

    def _collision_loss(self, processes: Processes, active: FloatArray) -> None:
        """Continuous loss: the derivative of the shares at the node itself."""
        a, b, c = (self._triples[:, k] for k in range(3))
        slopes = (
            (2.0 * a - b - c) / ((a - b) * (a - c)),
            (a - c) / ((b - a) * (b - c)),
            (a - b) / ((c - a) * (c - b)),
        )
        index = np.arange(self.n)
        for species, charge in ((0, -1), (1, +1)):
            loss = processes.collision_loss(active, charge)
            self.below[species] += loss
            for k in range(3):
                self.rates[species, species, index, index + k] -= loss * slopes[k]

    def _beneath_floor(self, processes: Processes, active: FloatArray) -> None:
        """Products below the floor, and what leaves a species without arriving at a node."""
        points, weights = leggauss(24)
        v = 0.5 * (points + 1.0)
        energy = active[:, None]
        diagonal = np.arange(self.n)
        edge = self.nodes[self.n]  # the cell beneath the last node is shared out with the others
        product, measure = edge * v**2, edge * v * weights

        stopped = processes.bremsstrahlung(energy, energy - product) * measure
        photons = processes.bremsstrahlung(energy, product) * measure
        for species in (0, 1):
            self.rates[species, species, diagonal, diagonal] -= stopped.sum(axis=1)
            self.below[species] += ((stopped + photons) * product).sum(axis=1)

        # photons: pairs, counted by the positron, then Compton scattering in ln k'
        all_pairs = processes.pair_production(energy, energy * v**2 * (3.0 - 2.0 * v))
        removed = (all_pairs * energy * 3.0 * v * (1.0 - v) * weights).sum(axis=1)
        low_pairs = processes.pair_production(energy, product) * measure
        self.below[2] += 2.0 * (low_pairs * product).sum(axis=1)
        softest = energy / (1.0 + 2.0 * energy / ELECTRON_MASS_GEV)
        span = np.log(energy / softest)
        scattered = softest * np.exp(span * v)
        compton = processes.compton(energy, scattered) * scattered * 0.5 * span * weights
        span = np.log(edge / softest)
        scattered = softest * np.exp(span * v)
        low = processes.compton(energy, scattered) * scattered * 0.5 * span * weights
        recoil = processes.compton(energy, energy - product) * measure
        self.below[2] += (low * scattered).sum(axis=1) + (recoil * product).sum(axis=1)
        self.rates[2, 2, diagonal, diagonal] -= removed + compton.sum(axis=1)

        # annihilation: the photons that reach a node have been subtracted already
        annihilation = processes.annihilation_rate(active)
        self.rates[1, 1, diagonal, diagonal] -= annihilation
        self.below[1] += annihilation * active


def _solve(equations: _Equations, primary: int) -> tuple[FloatArray, float]:
    """Solve from the top downwards; return the weights (3, N) and the energy deposited."""
    n, rates = equations.n, equations.rates
    sources = np.zeros((3, n + 2))
    sources[primary, 0] = 1.0
    weights = np.zeros((3, n))
    for i in range(n):
        weights[:, i] = np.linalg.solve(-rates[:, :, i, i].T, sources[:, i])
        sources[:, i + 1 :] += np.einsum("a,abj->bj", weights[:, i], rates[:, :, i, i + 1 :])
    deposited = np.sum(weights * equations.below) + np.sum(sources[:, n:] * equations.nodes[n:])
    return weights, float(deposited)


def cascade(
    material: Material,
    particle: str,
    energy_gev: float,
    *,
    floor_gev: float = 0.02,
    step: float = 0.025,
    lpm: bool = True,
) -> Cascade:
    """Return the cascade of a particle absorbed in a material.

    Parameters
    ----------
    material
        The target.
    particle
        ``e-``, ``e+`` or ``gamma``.
    energy_gev
        Its total energy.
    floor_gev
        Energy down to which the cascade is followed, at least 5 MeV and below the beam
        energy. What happens above an energy does not depend on it.
    step
        Width of the grid's cells in ln E, 0.002 to 0.2.
    lpm
        Whether the Landau-Pomeranchuk-Migdal suppression is applied.

    Raises
    ------
    InputError
        For an unknown particle or a value outside its range.
    ComputationError
        If the energy balance does not close to 1e-3.
    """
    if particle not in _PRIMARY:
        raise InputError(f"a cascade starts from {', '.join(_PRIMARY)}, not '{particle}'")
    if not 0.005 <= floor_gev < energy_gev <= 1e4:
        raise InputError(
            f"cascade of {energy_gev} GeV followed to {floor_gev} GeV: the floor must be at "
            "least 0.005 GeV and below the energy, the energy at most 10 TeV"
        )
    if not 0.002 <= step <= 0.2:
        raise InputError(f"step of the energy grid must be in 0.002-0.2, is {step}")
    nodes, equations = _equations(material, energy_gev, floor_gev, step, lpm)
    weights, deposited = _solve(equations, _PRIMARY[particle])
    if abs(deposited / energy_gev - 1.0) > 1e-3:
        raise ComputationError(
            f"cascade of {energy_gev} GeV {particle} in {material.name}: "
            f"{deposited:.6g} GeV deposited"
        )
    return Cascade(particle, energy_gev, nodes, weights, deposited)


@lru_cache(maxsize=4)
def _equations(
    material: Material, energy_gev: float, floor_gev: float, step: float, lpm: bool
) -> tuple[FloatArray, _Equations]:
    """The equations do not depend on the primary: electron and positron beams share them."""
    nodes = _grid(energy_gev, floor_gev, step)
    return nodes, _Equations(Processes(material, lpm=lpm), nodes)
