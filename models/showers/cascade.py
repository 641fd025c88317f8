"""The electromagnetic cascade of an absorbed particle, without Monte Carlo.

In an absorbing target only the depth-integrated fluxes matter: the track length per energy
T(E) = dL/dE of electrons, positrons and photons. Since energies only fall, the cascade equations
on an energy grid are triangular and are solved from the beam energy downwards.

Each node of the grid carries a weight W, the track length of the particles that it stands for.
What a particle turns into is shared out to the node above it and the two nodes below so that
number, energy and the mean square of the energy are conserved (`na64.models.showers.grid`). Sums
of W f(E) are therefore accurate for smooth f although T itself has an integrable spike at the beam
energy, and T is the spectrum whose moments the weights are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike
from scipy.interpolate import PPoly

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.errors import ComputationError, InputError
from na64.models.materials import Material
from na64.models.showers.grid import energy_nodes, shares, spectrum_of, with_nodes_beneath
from na64.models.showers.processes import Processes

__all__ = ["SPECIES", "Cascade", "cascade"]

#: order of the species axis
SPECIES: Final = ("electron", "positron", "photon")
_PRIMARY: Final = {"e-": 0, "e+": 1, "gamma": 2}
# The first step in ln E: a share of the collision loss per radiation length, which makes the spike
# at the beam energy finite (to a wider step it is a line, and the spectrum behind the weights would
# ring), but no wider than the end points of spectra next to the beam energy want it
_SPIKE: Final = 0.125
_FIRST_STEP: Final = 2e-4
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
    def _density(self) -> tuple[PPoly, FloatArray]:
        """T(E) by species, and the line at the beam energy of photons that have not interacted."""
        line = _PRIMARY[self.particle] if self.particle == "gamma" else None
        return spectrum_of(self.energies_gev, self.weights, line=line)

    @property
    def tracks(self) -> FloatArray:
        """Weights for sums down to the floor, which cuts the cell of the last node in half."""
        tracks = self.weights.copy()
        tracks[:, -1] *= 0.5
        return tracks

    @cached_property
    def _integral(self) -> PPoly:
        """Integral of T from the floor, by species, without the line."""
        return self._density[0].antiderivative()

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
        inside = np.clip(threshold, self.energies_gev[-1], self.energy_gev)
        integral = self._integral(self.energy_gev) - self._integral(inside)
        line = np.where((threshold < self.energy_gev)[..., None], self._density[1], 0.0)
        return np.moveaxis(integral + line, -1, 0)

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
            Shape (3, ...): electron, positron, photon. The spectrum of a primary electron or
            positron has a spike at the beam energy, as high as the inverse of its collision
            loss, and oscillates in the first six cells or so, about 1e-4 of 100 GeV. The line
            of primary photons that have not interacted is left out.
        """
        energy = np.asarray(energy_gev, float)
        if np.any(energy < self.energies_gev[-1] * (1.0 - 1e-12)):
            raise InputError(f"spectrum asked for below the floor of {self.energies_gev[-1]:g} GeV")
        inside = np.clip(energy, self.energies_gev[-1], self.energy_gev)
        density = np.moveaxis(self._density[0](inside), -1, 0)
        return np.asarray(np.where(energy <= self.energy_gev, np.maximum(density, 0.0), 0.0))


class _Equations:
    """The generator of the cascade on a grid: rates between nodes, and what falls below.

    ``rates[a, b, i, j]`` is the rate per radiation length from species a at node i to species b
    at node j; ``below[a, i]`` the energy per radiation length that goes beneath the floor.
    """

    def __init__(self, processes: Processes, active: FloatArray) -> None:
        n = len(active)
        self.nodes = with_nodes_beneath(active)
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
        parts = shares(self._triples[:, None, :], cells) * measure[..., None]
        source, cell = np.triu_indices(n, 1)
        energy, product = active[source][:, None], cells[cell]
        shared, place = parts[cell], source * (n + 2) + cell

        def spread(spectrum: FloatArray) -> FloatArray:
            """Share out dN/dE' at the points of the cells of each source."""
            out = np.zeros(n * (n + 2))
            moved = np.einsum("pm,pmk->pk", spectrum, shared)
            for k in range(3):
                out[place + k] += moved[:, k]
            return out.reshape(n, n + 2)

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
        # the most energetic recoil is not at an edge of cells: only a part of its cell is filled
        bottom, width = self.nodes[cell + 1][:, None], -np.diff(self.nodes)[cell][:, None]
        filled = np.clip((energy - _softest(energy) - bottom) / width, 0.0, 1.0)
        recoil = bottom + filled * (product - bottom)
        self.rates[2, 0] += spread(filled * processes.compton(energy, energy - recoil))
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
        parts = shares(self._triples[:, None, :], product)
        index = np.arange(self.n)

        def add(origin: int, target: int, number: FloatArray, parts: FloatArray) -> None:
            moved = np.einsum("im,imk->ik", number, parts)
            for k in range(3):
                self.rates[origin, target, index, index + k] += moved[:, k]

        soft = processes.bremsstrahlung(energy, lost) * measure
        hard = processes.bremsstrahlung(energy, product) * measure
        pairs = processes.pair_production(energy, product) * measure
        for species in (0, 1):
            add(species, species, soft, parts - np.array([1.0, 0.0, 0.0]))
            add(species, 2, hard, parts)
            add(2, species, pairs, parts)
        add(2, 2, processes.compton(energy, product) * measure, parts)
        annihilated = processes.annihilation(energy, product) + processes.annihilation(energy, lost)
        annihilated *= measure
        add(1, 2, annihilated, parts)
        self.below[1] -= (annihilated * product).sum(axis=1)

        # recoil electrons, where the cell is wider than the energy of a photon scattered backwards
        softest = _softest(energy)
        span = np.log(np.maximum(largest / softest, 1.0))
        scattered = softest * np.exp(span * v)
        recoils = processes.compton(energy, scattered) * scattered * 0.5 * span * weights
        add(2, 0, recoils, shares(self._triples[:, None, :], energy - scattered))

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

        # in ln k: for a source next to the floor the rate diverges towards the floor itself
        span = -np.log1p(-edge / energy)
        lost = energy * np.exp(-span * v**2)
        stopped = processes.bremsstrahlung(energy, lost) * lost * span * v * weights
        photons = processes.bremsstrahlung(energy, product) * measure
        for species in (0, 1):
            self.rates[species, species, diagonal, diagonal] -= stopped.sum(axis=1)
            self.below[species] += (stopped * (energy - lost) + photons * product).sum(axis=1)

        # photons: pairs, counted by the positron, then Compton scattering in ln k'
        all_pairs = processes.pair_production(energy, energy * v**2 * (3.0 - 2.0 * v))
        removed = (all_pairs * energy * 3.0 * v * (1.0 - v) * weights).sum(axis=1)
        low_pairs = processes.pair_production(energy, product) * measure
        self.below[2] += 2.0 * (low_pairs * product).sum(axis=1)
        softest = _softest(energy)
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


def _softest(photon_gev: FloatArray) -> FloatArray:
    """Return the energy of a photon after Compton scattering backwards, in GeV."""
    return photon_gev / (1.0 + 2.0 * photon_gev / ELECTRON_MASS_GEV) * (1.0 + 1e-9)


def _solve(equations: _Equations, primary: int) -> tuple[FloatArray, float]:
    """Solve from the top downwards; return the weights (3, N) and the energy deposited."""
    n, rates = equations.n, equations.rates
    sources = np.zeros((3, n + 2))
    sources[primary, 0] = 1.0
    weights = np.zeros((3, n))
    # from the source of each species at a node to its track length there, shape (N, 3, 3)
    stay = np.linalg.inv(-np.diagonal(rates[..., :n], axis1=2, axis2=3).T)
    for i in range(n):
        weights[:, i] = stay[i] @ sources[:, i]
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
    processes = Processes(material, lpm=lpm)
    loss = float(processes.collision_loss(np.array([energy_gev], float), -1)[0])
    first = min(_SPIKE * loss / energy_gev, _FIRST_STEP)
    nodes = energy_nodes(energy_gev, floor_gev, step, first)
    return nodes, _Equations(processes, nodes)
