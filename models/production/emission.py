"""Emission of a boson by a lepton in the field of a nucleus, l + Z -> l + Z + X.

Cross-sections for X a vector, axial vector, scalar or pseudoscalar that couples to the lepton
with strength g (vertices g gamma_mu, g gamma_mu gamma_5, g and i g gamma_5), **at g = e**, the
charge of the electron. Multiply by (g/e)^2; for a dark photon that is epsilon^2. The coupling of a
boson of spin 2, c/Lambda, is taken at e/GeV, and has the approximation `ww` only.

Three approximations share one interface: exact tree level (`etl`, the default), and the
Weizsaecker-Williams approximations `ww` and `iww`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.arrays import FloatArray, positive
from na64.models.errors import InputError
from na64.models.materials import Element, Material
from na64.models.production.equivalent_photons import improved_ww_spectrum, ww_spectrum
from na64.models.production.kinematics import FractionRange, smallest_fraction_left
from na64.models.production.process import VECTOR_OFF_ELECTRONS, Approximation, Emission
from na64.models.production.quadrature import unit_nodes
from na64.models.production.sources import PhotonSource
from na64.models.production.tree_level import DEFAULT_GRID, TreeLevelGrid, tree_level_spectrum

__all__ = [
    "LIGHTEST_GEV",
    "accepted_cross_section",
    "emission_cross_section",
    "emission_spectrum",
    "numbers_of_nodes",
    "spectrum_at",
    "spectrum_over",
]

#: lightest boson, 1 keV: down to here the quadrature is checked, and cross-sections have long
#: ceased to depend on the mass
LIGHTEST_GEV: Final = 1e-6
# Points (x, angle, t) that one numpy expression holds at a time: small enough for the cache.
_CHUNK: Final = 32768
# Nodes in ln[(1-x)/x]: one per e-fold, but no fewer than this, and two more per e-fold of x < 1/2.
_FEWEST_NODES: Final = 12
# With an acceptance a stretch of less than an e-fold needs fewer, and the turn-on of a trigger is
# integrated to 2e-3.
_SHORT_NODES: Final = 5
# Below this lepton mass, emission of a light boson along the final lepton is a peak in t that
# is narrow and not yet cut off by the form factors.
_NARROW_GEV: Final = 0.03


def spectrum_at(
    energy: FloatArray,
    mass: FloatArray,
    y: FloatArray,
    process: Emission,
    source: PhotonSource,
    grid: TreeLevelGrid,
) -> FloatArray:
    """Return d sigma/dx at points inside the limits of x, for a coupling g = e.

    Parameters
    ----------
    energy, mass, y
        Lepton energy and boson mass in GeV, and 1 - x, all of shape (N,). Every point has the
        nodes that it needs by itself, whatever the others are.
    process, source
        What is emitted, and the atoms.
    grid
        Nodes in angle and momentum transfer.

    Returns
    -------
    ndarray
        GeV^-2 times the weights of the source, shape (N,).
    """
    # in chunks that fit the cache
    result = np.empty_like(y)
    exact = process.approximation == Approximation.ETL
    lepton_mass = process.lepton_mass_gev
    light = (mass < grid.light * lepton_mass) & (lepton_mass < _NARROW_GEV)
    for chosen, transfer in ((light, grid.transfer_light), (~light, grid.transfer)):
        indices = np.flatnonzero(chosen)
        size = max(1, _CHUNK // (grid.angle * transfer if exact else 512))
        for start in range(0, len(indices), size):
            part = indices[start : start + size]
            arguments = (energy[part], mass[part], y[part], lepton_mass, process.kind, source)
            match Approximation(process.approximation):
                case Approximation.ETL:
                    result[part] = tree_level_spectrum(*arguments, grid.angle, transfer)
                case Approximation.WW:
                    result[part] = ww_spectrum(*arguments)
                case Approximation.IWW:
                    result[part] = improved_ww_spectrum(*arguments)
    return result


def spectrum_over(
    ranges: FractionRange, number: int, process: Emission, source: PhotonSource, grid: TreeLevelGrid
) -> tuple[FloatArray, FloatArray]:
    """Return 1 - x at nodes and the parts of the cross-section for which they stand, (N, K)."""
    points, weights = unit_nodes(number)
    y = ranges.nodes(points)
    energy, mass = np.repeat(ranges.energy, number), np.repeat(ranges.mass, number)
    spectrum = spectrum_at(energy, mass, y.ravel(), process, source, grid).reshape(y.shape)
    return y, ranges.span[:, None] * weights * y * (1.0 - y) * spectrum


def numbers_of_nodes(ranges: FractionRange) -> NDArray[np.intp]:
    """Return how many nodes in ln[(1-x)/x] every range needs, shape (N,).

    The number follows each pair's own range, so that no result depends on the others. Soft bosons
    (x < 1/2) need more of them than hard ones.
    """
    soft = np.maximum(ranges.low + ranges.span, 0.0)
    wanted = np.maximum(_FEWEST_NODES, np.ceil(ranges.span)) + np.ceil(2.0 * soft)
    return wanted.astype(np.intp)


def _integrate(
    energy: FloatArray,
    mass: FloatArray,
    process: Emission,
    source: PhotonSource,
    boson_energies: tuple[float, float | None],
    nodes: int | None,
    grid: TreeLevelGrid,
    acceptance: Callable[[FloatArray], FloatArray] | None = None,
) -> FloatArray:
    """Integrate d sigma/dx for every pair, in ln[(1-x)/x]; shape (E, M)."""
    energies, masses = np.meshgrid(energy, mass, indexing="ij")
    result = np.zeros(energies.shape)
    of_rest = (process.lepton_mass_gev, source.nucleus_mass_gev)
    ranges = FractionRange.of(energies, masses, of_rest, *boson_energies)
    numbers = numbers_of_nodes(ranges)
    if acceptance is not None:
        numbers[ranges.span < 1.0] = _SHORT_NODES
    if nodes is not None:
        numbers[:] = nodes
    values = np.empty_like(ranges.span)
    for number in np.unique(numbers):
        group = numbers == number
        part = ranges.part(group)
        y, parts = spectrum_over(part, int(number), process, source, grid)
        if acceptance is not None:
            parts = parts * acceptance((1.0 - y) * part.energy[:, None])
        values[group] = parts.sum(axis=-1)
    result[ranges.is_open] = values
    return result


def _check(energy: FloatArray, mass: FloatArray, process: Emission) -> None:
    """Refuse what no cross-section is defined for."""
    if np.any(mass < LIGHTEST_GEV):
        raise InputError(
            f"mass of {mass.min():g} GeV is below {LIGHTEST_GEV:g} GeV (1 keV), down to which "
            "cross-sections are computed"
        )
    if np.any(energy <= process.lepton_mass_gev):
        raise InputError(
            f"energy must be above the mass of the lepton, {process.lepton_mass_gev} GeV"
        )


def emission_cross_section(
    energy_gev: ArrayLike,
    mass_gev: ArrayLike,
    target: Element | Material,
    process: Emission = VECTOR_OFF_ELECTRONS,
    *,
    min_energy_gev: float = 0.0,
    max_energy_gev: float | None = None,
    nodes: int | None = None,
    grid: TreeLevelGrid = DEFAULT_GRID,
) -> FloatArray:
    """Return the cross-section of l Z -> l Z X, for a coupling g = e.

    Of an element it is per nucleus; of a material the macroscopic one, X0 times the sum over the
    elements of nuclei per volume times cross-section: a probability per radiation length, to be
    multiplied by the track length in radiation lengths.

    Parameters
    ----------
    energy_gev
        Energies of the lepton, scalar or shape (E,), above its mass.
    mass_gev
        Masses of the boson, scalar or shape (M,), 1 keV and above.
    target
        An element or a material.
    process
        The boson's kind, the lepton, and the approximations.
    min_energy_gev, max_energy_gev
        Limits on the energy of the boson; no limit where kinematics are stricter.
    nodes
        Nodes in ln[(1-x)/x]; by default 12 to 40, by the length of the range.
    grid
        Nodes in angle and momentum transfer of the exact calculation.

    Returns
    -------
    ndarray
        GeV^-2 for an element, dimensionless (per X0) for a material, shape (E, M); zero where the
        process is closed.

    Raises
    ------
    InputError
        For numbers out of range.

    References
    ----------
    arXiv:1705.01633 and arXiv:1712.05706 (exact), arXiv:0906.0580 (WW and IWW).
    """
    energy, mass = positive("energy", energy_gev), positive("mass", mass_gev)
    _check(energy, mass, process)
    if not (np.isfinite(min_energy_gev) and min_energy_gev >= 0.0):
        raise InputError(f"smallest boson energy must not be negative, is {min_energy_gev} GeV")
    if max_energy_gev is not None and not max_energy_gev > 0.0:
        raise InputError(f"largest boson energy must be positive, is {max_energy_gev} GeV")
    limits = (min_energy_gev, max_energy_gev)
    return _integrate(energy, mass, process, process.source(target), limits, nodes, grid)


def accepted_cross_section(
    energy_gev: ArrayLike,
    mass_gev: ArrayLike,
    target: Element | Material,
    process: Emission,
    acceptance: Callable[[FloatArray], FloatArray],
    edges_gev: Sequence[float],
) -> FloatArray:
    """Return the cross-section of l Z -> l Z X, weighted with the acceptance of the boson.

    Parameters
    ----------
    energy_gev, mass_gev, target, process
        As in `emission_cross_section`.
    acceptance
        Weight as a function of the boson's energy in GeV.
    edges_gev
        Ascending energies of the boson; the acceptance is smooth between neighbours, and zero
        outside of the first and the last.

    Returns
    -------
    ndarray
        As of `emission_cross_section`, shape (E, M).
    """
    energy, mass = positive("energy", energy_gev), positive("mass", mass_gev)
    _check(energy, mass, process)
    source = process.source(target)
    total = np.zeros((len(energy), len(mass)))
    for limits in itertools.pairwise(edges_gev):
        total += _integrate(energy, mass, process, source, limits, None, DEFAULT_GRID, acceptance)
    return total


def emission_spectrum(
    energy_gev: ArrayLike,
    mass_gev: ArrayLike,
    boson_energy_gev: ArrayLike,
    target: Element | Material,
    process: Emission = VECTOR_OFF_ELECTRONS,
    *,
    grid: TreeLevelGrid = DEFAULT_GRID,
) -> FloatArray:
    """Return d sigma/dE_X at given energies of the boson, for a coupling g = e.

    Parameters
    ----------
    energy_gev, mass_gev
        Lepton energies, shape (E,), and boson masses, shape (M,).
    boson_energy_gev
        Energies of the boson, scalar or shape (X,). A spectrum of a heavy boson peaks within
        a fraction (m/M)^2 of the lepton energy: integrals belong to `emission_cross_section`.
    target, process, grid
        As in `emission_cross_section`.

    Returns
    -------
    ndarray
        GeV^-3 for an element, GeV^-1 per X0 for a material, shape (E, M, X); zero where the
        process is closed.

    Raises
    ------
    InputError
        For numbers out of range.
    """
    energy, mass = positive("energy", energy_gev), positive("mass", mass_gev)
    boson = positive("boson energy", boson_energy_gev)
    _check(energy, mass, process)
    source = process.source(target)
    shape = (len(energy), len(mass), len(boson))
    energies, masses, bosons = (
        np.broadcast_to(v, shape)
        for v in (energy[:, None, None], mass[None, :, None], boson[None, None, :])
    )
    y_low = smallest_fraction_left(
        energy[:, None],
        mass[None, :],
        process.lepton_mass_gev,
        source.nucleus_mass_gev,
        np.maximum(1.0 - mass[None, :] / energy[:, None], 0.0),
    )[..., None]
    # NaN where closed, and then the comparison is false
    open_ = (bosons > masses) & (bosons <= (1.0 - y_low) * energies)
    result = np.zeros(shape)
    if open_.any():
        energies, masses, bosons = (v[open_] for v in (energies, masses, bosons))
        y = (energies - bosons) / energies
        result[open_] = spectrum_at(energies, masses, y, process, source, grid) / energies
    return result
