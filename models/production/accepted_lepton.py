"""Cross-sections of emission in which the final lepton is accepted with a probability.

An acceptance in the energy of the lepton may have many steps where a selection cuts, at each depth
of a target another; the spectrum has none. The nodes of `na64.models.production.emission` are kept,
and the acceptance is replaced by its projection on the polynomials that they integrate exactly: the
product is then as exact as the integral without an acceptance, wherever the steps are.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.materials import Element, Material
from na64.models.production.emission import numbers_of_nodes, spectrum_over
from na64.models.production.kinematics import FractionRange
from na64.models.production.process import Emission
from na64.models.production.quadrature import unit_nodes
from na64.models.production.tree_level import DEFAULT_GRID

__all__ = ["lepton_accepted_cross_section"]

# panels of a range, and nodes in each, on which a projection is computed
_PANELS: Final = 96
_IN_A_PANEL: Final = 8


@cache
def _projector(number: int) -> tuple[FloatArray, FloatArray]:
    """Return points on 0..1 (P,) and the matrix from values there to nodes, (P, number)."""
    points, weights = unit_nodes(_IN_A_PANEL)
    at = ((np.arange(_PANELS)[:, None] + points) / _PANELS).ravel()
    weight = np.tile(weights, _PANELS) / _PANELS
    legendre = np.polynomial.legendre.legvander
    nodes, _ = unit_nodes(number)
    norms = 2.0 * np.arange(number) + 1.0
    here, there = (legendre(2.0 * u - 1.0, number - 1) for u in (at, nodes))
    return at, (weight[:, None] * here * norms) @ there.T


def lepton_accepted_cross_section(
    energy_gev: float,
    masses_gev: FloatArray,
    target: Element | Material,
    process: Emission,
    left_gev: FloatArray,
    accepted: FloatArray,
) -> FloatArray:
    """Return the cross-section of l Z -> l Z X times the acceptance of the final lepton.

    Parameters
    ----------
    energy_gev
        Energy of the lepton.
    masses_gev
        Masses of the boson, shape (M,).
    target, process
        As of `emission_cross_section`.
    left_gev, accepted
        Energies of the final lepton (increasing, shape (G,)) and the acceptance there; linear in
        between. Beyond the ends nothing is accepted.

    Returns
    -------
    ndarray
        As of `emission_cross_section`, for a coupling g = e, shape (M,).
    """
    source = process.source(target)
    masses = np.asarray(masses_gev, float)
    result = np.zeros(masses.shape)
    ranges = FractionRange.of(
        np.full(masses.shape, energy_gev),
        masses,
        (process.lepton_mass_gev, source.nucleus_mass_gev),
        max(0.0, energy_gev - float(left_gev[-1])),
        energy_gev - float(left_gev[0]),
    )
    numbers = numbers_of_nodes(ranges)
    values = np.empty_like(ranges.span)
    for number in np.unique(numbers):
        group = numbers == number
        part = ranges.part(group)
        _, parts = spectrum_over(part, int(number), process, source, DEFAULT_GRID)
        at, matrix = _projector(int(number))
        there = np.interp(energy_gev * part.nodes(at), left_gev, accepted, left=0.0, right=0.0)
        # row by row: the digits of a mass must not depend on the others
        values[group] = [row @ (one @ matrix) for row, one in zip(parts, there, strict=True)]
    result[ranges.is_open] = values
    return result
