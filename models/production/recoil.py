"""The final lepton of l + Z -> l + Z + X: its energy and transverse momentum.

The boson and the final lepton enter the phase space alike, so that the cross-section at given
energy E' and direction of the final lepton has the form of that at a given boson. With d = p - p',
w = M^2 - d^2 > 0 and G2 the form factors of the atom, at exact tree level and for a coupling g = e,

    d^2 sigma/(dE' dw) = alpha^3/(2 |p|^2 |d|) int dt G2(t)/t^2 <F>/(8 M_N^2),
    dw = -2 |p| dp'_z,

<F> averaged over the azimuth of the nuclear recoil about d. The transverse momentum of the lepton
balances that of the boson and that of the nucleus: nothing is neglected, and cuts are limits of the
outer integrals. In the Weizsaecker-Williams approximation the photon is collinear, and the lepton
has the transverse momentum of the boson.

References
----------
Those of `na64.models.production.tree_level` and `na64.models.production.equivalent_photons`; the
exchange of boson and lepton is ours, and tests compare it with integrals over the boson.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray, positive
from na64.models.constants import ALPHA
from na64.models.errors import InputError
from na64.models.kinds import structure
from na64.models.materials import Element, Material
from na64.models.production.equivalent_photons import ww_spectrum
from na64.models.production.kinematics import FractionRange
from na64.models.production.process import VECTOR_OFF_ELECTRONS, Approximation, Emission
from na64.models.production.quadrature import unit_nodes
from na64.models.production.recoil_amplitude import amplitude_at_recoil
from na64.models.production.recoil_kinematics import RecoilKinematics, momentum_of, transfer_nodes
from na64.models.production.sources import PhotonSource
from na64.models.production.tree_level import LARGEST_T, transfer_range

__all__ = ["RECOIL_GRID", "RecoilCuts", "RecoilGrid", "recoil_cross_section", "recoil_spectrum"]

# Points (lepton, t) that one numpy expression holds at a time: small enough for the cache.
_CHUNK: Final = 16384
# Fewest e-folds of E'/(E - E') for which there are nodes, and nodes of the approximation.
_FEWEST_FOLDS: Final = 4.0
_COLLINEAR_NODES: Final = 24


@dataclass(frozen=True, slots=True)
class RecoilCuts:
    """Limits on the final lepton, which may go forward or backward.

    Attributes
    ----------
    energy_min_gev, energy_max_gev
        Limits on its energy.
    transverse_min_gev, transverse_max_gev
        Limits on its momentum across the beam.

    Raises
    ------
    InputError
        For limits that are negative or leave nothing.
    """

    energy_min_gev: float = 0.0
    energy_max_gev: float = math.inf
    transverse_min_gev: float = 0.0
    transverse_max_gev: float = math.inf

    def __post_init__(self) -> None:
        for name in ("energy", "transverse"):
            low, high = getattr(self, f"{name}_min_gev"), getattr(self, f"{name}_max_gev")
            if not 0.0 <= low < high:
                raise InputError(
                    f"{name}_min_gev must be 0 or more and below {name}_max_gev, is {low:g} "
                    f"against {high:g}"
                )


@dataclass(frozen=True, slots=True)
class RecoilGrid:
    """Numbers of nodes.

    The default is converged to 3e-4 (of transverse momenta below a limit, at masses of 1 GeV, to
    2e-3; without cuts below 0.1 MeV, where soft bosons dominate, to 3e-2).

    Attributes
    ----------
    energy
        Nodes in the energy of the lepton, per e-fold of E'/(E - E').
    angle
        Nodes in its direction.
    transfer
        Nodes in t, in each of the four parts between the peaks of the integrand.
    """

    energy: float = 2.0
    angle: int = 10
    transfer: int = 10


RECOIL_GRID: Final = RecoilGrid()


def _density(at: RecoilKinematics, kind: str, source: PhotonSource, nodes: int) -> FloatArray:
    """d^2 sigma/(dE' dw) of leptons in a row, GeV^-5 times the weights of the source."""
    result = np.zeros_like(at.recoil)
    size = max(1, _CHUNK // (4 * nodes))
    for start in range(0, len(result), size):
        part = at.part(slice(start, start + size))
        t_min, t_max, leading = part.transfer_limits()
        t, weights = transfer_nodes(part, *transfer_range(t_min, t_max, source), nodes)
        inner, t_min, t_max = part.expanded(), t_min[..., None], t_max[..., None]
        # rounding may put a node beyond the ends
        t = np.clip(t, t_min, t_max)
        amplitude = amplitude_at_recoil(
            structure(kind, inner.mass, at.lepton_mass),
            inner.mass,
            inner.boson_angles(t, t_min, t_max, leading[..., None]),
        )
        integral = np.sum(weights * source.g2(t) / t * amplitude, axis=-1)
        flux = 2.0 * part.momentum**2 * np.sqrt(part.length_squared)
        result[start : start + size] = ALPHA**3 * integral / flux
    return result


def _energies(
    energy: FloatArray, mass: FloatArray, lepton: float, nucleus: float, cuts: RecoilCuts
) -> tuple[FloatArray, FloatArray]:
    """Return the limits of E' for pairs of energies and masses; none where they are reversed."""
    low = max(lepton, cuts.energy_min_gev, math.hypot(lepton, cuts.transverse_min_gev))
    # the boson keeps its mass: w < 2 M_N (E - E' - M) at its smallest; solved by iteration
    top = energy - mass
    for _ in range(40):
        kept = np.maximum(top, lepton)
        forward = energy * kept + momentum_of(energy, lepton) * momentum_of(kept, lepton)
        squared = 2.0 * (lepton * (energy - kept)) ** 2 / (forward - lepton**2)
        top = energy - mass - (mass**2 + squared) / (2.0 * nucleus)
    return np.full_like(top, low), np.minimum(top, cuts.energy_max_gev)


def _directions(at: RecoilKinematics, cuts: RecoilCuts) -> list[tuple[FloatArray, FloatArray]]:
    """Return the ranges of ``excess``, which is 0 forward, that cuts and form factors leave."""
    p, p_recoil = at.momentum, at.recoil_momentum
    backward = 4.0 * p * p_recoil

    def forward(across: float) -> FloatArray:
        along = np.sqrt(np.maximum(p_recoil**2 - across**2, 0.0))
        return np.asarray(2.0 * p * np.minimum(across, p_recoil) ** 2 / (p_recoil + along))

    # t > w^2/(4 |d|^2) must stay below the largest t
    boson2 = np.maximum((at.lost - at.mass) * (at.lost + at.mass), 0.0)
    reach = 2.0 * LARGEST_T * (1.0 + np.sqrt(1.0 + boson2 / LARGEST_T))
    top = np.minimum(reach, 2.0 * at.nucleus_mass * (at.lost - at.mass)) - at.gap
    first = forward(cuts.transverse_min_gev)
    if cuts.transverse_max_gev == math.inf:
        ranges = [(first, backward - first)]
    else:
        last = forward(cuts.transverse_max_gev)
        ranges = [(first, last), (backward - last, backward - first)]
    return [(low, np.maximum(np.minimum(high, top), low)) for low, high in ranges]


def _exact(
    beam: FloatArray,
    mass: FloatArray,
    limits: tuple[FloatArray, FloatArray],
    cuts: RecoilCuts,
    process: Emission,
    source: PhotonSource,
    grid: RecoilGrid,
    number: int,
) -> FloatArray:
    """Integrate over the final lepton for masses (N, 1), with ``number`` nodes in its energy."""
    lepton = process.lepton_mass_gev
    # l = ln[(E' + p')/(E - E')]: smooth at E' = m, where the phase space goes with p'
    start, stop = (np.log((e + momentum_of(e, lepton)) / (beam - e)) for e in limits)
    points, weights = unit_nodes(number)
    ratio = np.exp(start + (stop - start) * points)
    root = np.sqrt((ratio * beam) ** 2 - ratio * (ratio + 2.0) * lepton**2)
    recoil = ((ratio * beam) ** 2 + lepton**2) / (ratio * (1.0 + ratio) * beam + root)
    p_recoil, lost = momentum_of(recoil, lepton), beam - recoil
    measure = (stop - start) * weights * p_recoil * lost / (p_recoil + lost)
    at = RecoilKinematics.of(beam, mass, recoil, 0.0, lepton, source.nucleus_mass_gev)
    points, weights = unit_nodes(grid.angle)
    gap = at.gap[..., None]
    spectrum = np.zeros_like(recoil)
    for low, high in _directions(at, cuts):
        # w = w0/v^3, as for the boson: powers of 1/w and logarithms become smooth in v
        bottom, top = (np.cbrt(gap / (gap + e[..., None])) for e in (high, low))
        v = bottom + (top - bottom) * points
        stretched = v**3
        rows = RecoilKinematics.of(
            at.energy[..., None],
            at.mass[..., None],
            recoil[..., None],
            gap * (1.0 - stretched) / stretched,
            lepton,
            source.nucleus_mass_gev,
        )
        density = _density(rows.flat(), process.kind, source, grid.transfer).reshape(v.shape)
        spectrum += np.sum(3.0 * (top - bottom) * weights * gap / (stretched * v) * density, -1)
    return np.asarray(np.sum(measure * spectrum, axis=-1))


def _collinear(
    energy: float, masses: FloatArray, cuts: RecoilCuts, process: Emission, source: PhotonSource
) -> FloatArray:
    """Integrate in the WW approximation, where boson and lepton balance each other, shape (M,)."""
    of_rest = (process.lepton_mass_gev, source.nucleus_mass_gev)
    least = max(energy - cuts.energy_max_gev, 0.0)
    most = energy - cuts.energy_min_gev
    ranges = FractionRange.of(np.full_like(masses, energy), masses, of_rest, least, most)
    points, weights = unit_nodes(_COLLINEAR_NODES)
    y = ranges.nodes(points)
    spectrum = ww_spectrum(
        np.repeat(ranges.energy, len(points)),
        np.repeat(ranges.mass, len(points)),
        y.ravel(),
        process.lepton_mass_gev,
        process.kind,
        source,
        (cuts.transverse_min_gev, cuts.transverse_max_gev),
    ).reshape(y.shape)
    result = np.zeros_like(masses)
    result[ranges.is_open] = np.sum(
        ranges.span[:, None] * weights * y * (1.0 - y) * spectrum, axis=-1
    )
    return result


def recoil_cross_section(
    energy_gev: float,
    mass_gev: ArrayLike,
    target: Element | Material,
    cuts: RecoilCuts,
    process: Emission = VECTOR_OFF_ELECTRONS,
    *,
    grid: RecoilGrid = RECOIL_GRID,
) -> FloatArray:
    """Return the cross-section of l Z -> l Z X with cuts on the final lepton, for a coupling g = e.

    Without cuts it is that of `na64.models.production.emission.emission_cross_section`.

    Parameters
    ----------
    energy_gev
        Energy of the initial lepton, above its mass.
    mass_gev
        Masses of the boson, scalar or shape (M,), 1 keV and above.
    target
        An element, for a cross-section per nucleus, or a material, for a probability per
        radiation length.
    cuts
        Limits on the energy and the transverse momentum of the final lepton.
    process
        The boson's kind, the lepton, and the approximation: exact tree level, or WW with a
        collinear photon.
    grid
        Numbers of nodes of the exact calculation.

    Returns
    -------
    ndarray
        GeV^-2 for an element, dimensionless (per X0) for a material, shape (M,); zero where the
        process is closed or the cuts leave nothing.

    Raises
    ------
    InputError
        For numbers out of range, and for the improved WW approximation, whose photon flux knows
        no angles.
    """
    masses = positive("mass", mass_gev)
    beam = _checked_beam(energy_gev, process)
    source = process.source(target)
    if process.approximation == Approximation.WW:
        return _collinear(beam, masses, cuts, process, source)
    knee = math.hypot(process.lepton_mass_gev, cuts.transverse_max_gev)
    if cuts.energy_min_gev < knee < cuts.energy_max_gev:
        # below, no lepton has the largest transverse momentum
        below = replace(cuts, energy_max_gev=knee, transverse_max_gev=math.inf)
        above = replace(cuts, energy_min_gev=knee)
        parts = [
            recoil_cross_section(beam, masses, target, part, process, grid=grid)
            for part in (below, above)
        ]
        return np.asarray(parts[0] + parts[1])
    of_rest = (process.lepton_mass_gev, source.nucleus_mass_gev)
    low, high = _energies(np.full_like(masses, beam), masses, *of_rest, cuts)
    is_open = high > low
    low, high, mass = (v[is_open][:, None] for v in (low, high, masses))
    span = np.log(high * (beam - low) / (low * (beam - high)))
    # the number of nodes follows each mass's own range, so that no result depends on the others
    numbers = np.ceil(grid.energy * np.maximum(span[:, 0], _FEWEST_FOLDS)).astype(int)
    values = np.empty(len(numbers))
    for number in np.unique(numbers):
        group = numbers == number
        limits = (low[group], high[group])
        energies = np.full_like(limits[0], beam)
        values[group] = _exact(
            energies, mass[group], limits, cuts, process, source, grid, int(number)
        )
    result = np.zeros_like(masses)
    result[is_open] = values
    return result


def recoil_spectrum(
    energy_gev: float,
    mass_gev: float,
    recoil_energy_gev: ArrayLike,
    transverse_gev: ArrayLike,
    target: Element | Material,
    process: Emission = VECTOR_OFF_ELECTRONS,
    *,
    grid: RecoilGrid = RECOIL_GRID,
) -> FloatArray:
    """Return d^2 sigma/(dE' dp'_T) of the final lepton at exact tree level, for a coupling g = e.

    Parameters
    ----------
    energy_gev, mass_gev
        Energy of the initial lepton and mass of the boson.
    recoil_energy_gev, transverse_gev
        Energy of the final lepton and its momentum across the beam; they broadcast.
    target, process, grid
        As in `recoil_cross_section`.

    Returns
    -------
    ndarray
        Leptons that go forward and backward, GeV^-4 for an element, GeV^-2 per X0 for a
        material; zero where the process is closed.

    Raises
    ------
    InputError
        For numbers out of range and other approximations.
    """
    mass = positive("mass", mass_gev)
    beam = np.asarray(_checked_beam(energy_gev, process))
    if process.approximation != Approximation.ETL:
        raise InputError(f"recoil spectra are of exact tree level, not of {process.approximation}")
    source = process.source(target)
    lepton, nucleus = process.lepton_mass_gev, source.nucleus_mass_gev
    recoil, across = np.broadcast_arrays(
        np.asarray(recoil_energy_gev, float), np.asarray(transverse_gev, float)
    )
    p, p_recoil = momentum_of(beam, lepton), momentum_of(recoil, lepton)
    limits = _energies(beam, mass[0], lepton, nucleus, RecoilCuts())
    inside = (recoil > limits[0]) & (recoil < limits[1]) & (across > 0.0) & (across < p_recoil)
    result = np.zeros(recoil.shape)
    recoil, across, p_recoil = (v[inside] for v in (recoil, across, p_recoil))
    along = np.sqrt((p_recoil - across) * (p_recoil + across))
    for excess in (2.0 * p * across**2 / (p_recoil + along), 2.0 * p * (p_recoil + along)):
        at = RecoilKinematics.of(beam, mass[0], recoil, excess, lepton, nucleus)
        allowed = at.gap < 2.0 * nucleus * (at.lost - at.mass)
        density = np.zeros_like(recoil)
        density[allowed] = _density(at.part(allowed), process.kind, source, grid.transfer)
        result[inside] += density * 2.0 * p * across / along
    return result


def _checked_beam(energy_gev: float, process: Emission) -> float:
    """Return the energy, refused where nothing is computed."""
    lepton = process.lepton_mass_gev
    if not (math.isfinite(energy_gev) and energy_gev > lepton):
        raise InputError(f"energy must be above the mass of the lepton, {lepton} GeV")
    if process.approximation == Approximation.IWW:
        raise InputError(
            "iww has one photon flux for all angles and says nothing of the recoil: choose etl or "
            "ww"
        )
    return float(energy_gev)
