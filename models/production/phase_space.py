"""Weighted points of the phase space of emission, for acceptances and decays in flight.

A deterministic set of nodes in all four variables (energy and angle of the boson, momentum
transfer and azimuth of the recoil): the sum of the weights is the cross-section, the sum of
weights times any function of the final state is that function integrated over it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import ALPHA
from na64.models.errors import InputError
from na64.models.kinds import structure
from na64.models.materials import Element, Material
from na64.models.production.amplitudes import amplitude_at
from na64.models.production.kinematics import FractionRange
from na64.models.production.process import VECTOR_OFF_ELECTRONS, Approximation, Emission
from na64.models.production.quadrature import logarithmic_nodes, unit_nodes
from na64.models.production.tree_level import angular_nodes, transfer_range

__all__ = ["EmissionNodes", "emission_nodes"]


@dataclass(frozen=True, slots=True)
class EmissionNodes:
    """Final states of l + Z -> l + Z + X with weights.

    Attributes
    ----------
    energy_gev, mass_gev
        Energy of the initial lepton and mass of the boson.
    boson_energy_gev, boson_transverse_gev
        Energy of the boson and its momentum across the beam, shape (N,).
    lepton_energy_gev, lepton_transverse_gev
        The same of the final lepton; the recoil of the nucleus is accounted for.
    weights
        Shape (N,), positive, for a coupling g = e: GeV^-2 for an element, per radiation length
        for a material.
    """

    energy_gev: float
    mass_gev: float
    boson_energy_gev: FloatArray
    boson_transverse_gev: FloatArray
    lepton_energy_gev: FloatArray
    lepton_transverse_gev: FloatArray
    weights: FloatArray

    @property
    def lepton_angle(self) -> FloatArray:
        """Angle of the final lepton with the beam in radians, for small angles."""
        return np.asarray(self.lepton_transverse_gev / self.lepton_energy_gev)


def emission_nodes(
    energy_gev: float,
    mass_gev: float,
    target: Element | Material,
    process: Emission = VECTOR_OFF_ELECTRONS,
    *,
    min_energy_gev: float = 0.0,
    max_energy_gev: float | None = None,
    nodes: tuple[int, int, int, int] = (16, 8, 28, 8),
) -> EmissionNodes:
    """Return the phase space of emission at exact tree level as nodes and weights.

    Parameters
    ----------
    energy_gev, mass_gev
        One energy and one mass.
    target
        An element, or a material for weights per radiation length.
    process
        The boson's kind, the lepton and the nucleus; the approximation is always exact tree level.
    min_energy_gev, max_energy_gev
        As for `na64.models.production.emission.emission_cross_section`.
    nodes
        Numbers of nodes in ln[(1-x)/x], in the angle, in t and in the azimuth.

    Returns
    -------
    EmissionNodes
        Empty where the process is closed.

    Raises
    ------
    InputError
        For a mass that is not positive, an energy below that of the lepton at rest, or a process
        in another approximation.
    """
    if process.approximation != Approximation.ETL:
        raise InputError(f"phase space is of exact tree level, not of {process.approximation}")
    m = process.lepton_mass_gev
    if not (np.isfinite(energy_gev) and energy_gev > m):
        raise InputError(f"energy must be above the mass of the lepton, {m} GeV")
    if not (np.isfinite(mass_gev) and mass_gev > 0.0):
        raise InputError("mass must be positive and finite")
    source = process.source(target)
    energy, mass = np.array(energy_gev), np.array(mass_gev)
    coefficients = structure(process.kind, mass, m)
    of_rest = (m, source.nucleus_mass_gev)
    ranges = FractionRange.of(energy, mass, of_rest, min_energy_gev, max_energy_gev)
    if not ranges.is_open:
        empty = np.zeros(0)
        return EmissionNodes(energy_gev, mass_gev, empty, empty, empty, empty, empty)
    points, x_weights = unit_nodes(nodes[0])
    y = ranges.nodes(points)[0][:, None]
    measure = ranges.span * x_weights[:, None] * y * (1.0 - y)
    at, u_weights = angular_nodes(
        np.full_like(y, energy_gev), np.full_like(y, mass_gev), y, m, source, nodes[1]
    )
    t_min, t_max = at.t_limits()
    t, t_weights = logarithmic_nodes(*transfer_range(t_min, t_max, source), nodes[2])
    inner = at.expanded()
    recoil = inner.recoil(t, t_min[..., None], t_max[..., None])
    flux = ALPHA**3 * at.energy / (2.0 * (at.energy**2 - m**2) * np.sqrt(at.transfer_squared))
    outer = (measure * u_weights * flux)[..., None] * t_weights * source.g2(t) / t
    # the amplitude is even in the azimuth: midpoints of 0..pi
    phi = np.pi * (np.arange(nodes[3]) + 0.5) / nodes[3]
    shape = (*t.shape, nodes[3])
    weights = (
        outer[..., None]
        / nodes[3]
        * amplitude_at(coefficients, mass, recoil.expanded(), np.cos(phi))
    )
    left = y[..., None] * energy - t / (2.0 * source.nucleus_mass_gev)
    inside = weights > 0.0  # beyond the reach of the form factors there is nothing
    columns = (
        ((1.0 - y) * energy)[..., None, None],
        inner.boson_transverse()[..., None],
        left[..., None],
        inner.lepton_transverse(t, t_min[..., None], t_max[..., None], phi),
        weights,
    )
    return EmissionNodes(
        energy_gev, mass_gev, *(np.broadcast_to(values, shape)[inside] for values in columns)
    )
