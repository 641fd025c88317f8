"""The energy grid of a cascade: its nodes, the sharing rule, and the spectrum behind the weights.

A particle of energy E between two nodes is shared out to the node above it and the two below,
E_i, by Lagrange's quadratics phi_i(E): number, energy and mean square of the energy are conserved.
The weight of a node is therefore a moment of the spectrum,

    W_i = int T(E) phi_i(E) dE,

not the track length in a cell around the node. The two differ by per cents where steps grow
from node to node. `spectrum_of` inverts the moments instead: T = sum_j t_j phi_j with
sum_j M_ij t_j = W_i and M_ij = int phi_i phi_j dE, the projection of T on the functions that the
cascade itself works with. Its number, energy and mean square are those of the weights.

Steps are as wide as the structure that they resolve: next to the beam energy T changes over
the energy lost so far, so that steps grow in proportion to it, and then over the energy itself. One
smooth map makes both. Where the ratio of neighbouring steps jumps, so does the error of the
solution, which is otherwise the same from node to node and far smaller.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.interpolate import PPoly
from scipy.linalg import solve_banded

from na64.models.arrays import FloatArray

__all__ = ["energy_nodes", "shares", "spectrum_of", "with_nodes_beneath"]

#: ln of the ratio of neighbouring steps where they grow in proportion to the energy lost
_GROWTH: Final = float(np.log(1.3))
_LEAST_CELLS: Final = 4
_TABLE: Final = 400
# phi_i phi_j is of fourth order in E
_POINTS: Final = 3


def energy_nodes(energy_gev: float, floor_gev: float, step: float, first: float) -> FloatArray:
    """Return the nodes from the beam energy to the floor, descending, shape (N,).

    With x = ln(E0/E) and u = first + x ln 1.3 the nodes are equidistant in s(x), where
    ds/dx = sqrt(1/u^2 + 1/step^2): the steps dx/ds are u near the beam energy, each 1.3 times that
    before, and ``step`` far from it.

    Parameters
    ----------
    energy_gev, floor_gev
        First and last node.
    step
        Largest step in ln E.
    first
        Step at the beam energy in ln E, below ``step``.
    """
    total = float(np.log(energy_gev / floor_gev))

    def index(u: FloatArray) -> FloatArray:
        return np.asarray((np.hypot(1.0, u / step) - np.arcsinh(step / u)) / _GROWTH)

    log_u = np.linspace(np.log(first), np.log(first + _GROWTH * total), _TABLE)
    table = index(np.exp(log_u))
    cells = max(int(np.ceil(table[-1] - table[0])), _LEAST_CELLS)
    wanted = np.linspace(table[0], table[-1], cells + 1)
    found = np.interp(wanted, table, log_u)
    for _ in range(3):  # Newton's steps: d index/d ln u = sqrt(1 + u^2/step^2)/growth
        u = np.exp(found)
        found -= (index(u) - wanted) * _GROWTH / np.hypot(1.0, u / step)
    nodes = energy_gev * np.exp((first - np.exp(found)) / _GROWTH)
    nodes[0], nodes[-1] = energy_gev, floor_gev
    return np.asarray(nodes)


def with_nodes_beneath(active: FloatArray) -> FloatArray:
    """Return the nodes and two more beneath the floor, which what is shared downwards needs."""
    ratio = active[-1] / active[-2]
    return np.concatenate([active, active[-1] * np.array([ratio, ratio**2])])


def shares(nodes: FloatArray, point: FloatArray) -> FloatArray:
    """Return the weights that share a point among three nodes.

    Parameters
    ----------
    nodes
        Shape (..., 3): the node above the point and the two below.
    point
        Shape (...).

    Returns
    -------
    ndarray
        phi_i at the point, shape (..., 3); their sum is 1.
    """
    a, b, c = nodes[..., 0], nodes[..., 1], nodes[..., 2]
    return np.stack(
        [
            (point - b) * (point - c) / ((a - b) * (a - c)),
            (point - a) * (point - c) / ((b - a) * (b - c)),
            (point - a) * (point - b) / ((c - a) * (c - b)),
        ],
        axis=-1,
    )


def _beneath(nodes: FloatArray) -> FloatArray:
    """T at the two nodes beneath the floor from the last three above it, shape (2, 3).

    Energies beneath the floor have not been solved for. E^2 T varies slowly in a shower and
    is continued there by a quadratic in the logarithm of the energy, in which these nodes lie
    equidistantly but for the change of the step over the last cells.
    """
    square = nodes[-5:] ** 2
    log = np.log(nodes[-5:])
    continued = shares(np.broadcast_to(log[:3], (2, 3)), log[3:])
    return np.asarray(continued * square[:3] / square[3:, None])


def spectrum_of(
    active: FloatArray, weights: FloatArray, *, line: int | None = None
) -> tuple[PPoly, FloatArray]:
    """Return the spectrum that has these weights, as a function of the energy.

    Parameters
    ----------
    active
        Nodes in GeV, descending, shape (N,), N > 4.
    weights
        Moments int T phi_i dE of some spectra, shape (S, N).
    line
        Which spectrum has a line at the beam energy, of particles that nothing has happened to.

    Returns
    -------
    PPoly
        T(E) without the line, a quadratic in each cell and continuous; an energy gives shape
        (..., S).
    ndarray
        Track length in the line, shape (S,).
    """
    nodes, n = with_nodes_beneath(active), len(active)
    points, measure = leggauss(_POINTS)
    upper, lower = nodes[:n], nodes[1 : n + 1]
    width = upper - lower
    inside = lower[:, None] + width[:, None] * (0.5 * (points + 1.0))
    triples = np.stack([nodes[:-2], nodes[1:-1], nodes[2:]], axis=-1)
    phi = shares(triples[:, None, :], inside)
    products = np.einsum("cpi,cpj,p,c->cij", phi, phi, 0.5 * measure, width)
    # bands[2 + i - j, j] = M_ij, of n + 2 nodes; the rows beneath the floor stay unused
    bands = np.zeros((5, n + 2))
    for i in range(3):
        for j in range(3):
            bands[2 + i - j, j : j + n] += products[:, i, j]
    beneath = _beneath(nodes)
    for row in (n - 2, n - 1):
        for column in range(n, row + 3):
            for k in range(3):
                bands[2 + row - (n - 3 + k), n - 3 + k] += (
                    bands[2 + row - column, column] * beneath[column - n, k]
                )
    moments = weights.T.copy()
    if line is not None:
        # a density that is level over the first two nodes
        size = np.einsum("cpi,p,c->ci", phi[:2], 0.5 * measure, width[:2])
        moments[0, line] = moments[1, line] * size[0, 0] / (size[0, 1] + size[1, 0])
    values = solve_banded((2, 2), bands[:, :n], moments)
    values = np.concatenate([values, beneath @ values[-3:]])
    # in a cell: t_b + (E - b) d_ab + (E - a)(E - b) d_abc, with divided differences
    first = -np.diff(values, axis=0) / (nodes[:-1] - nodes[1:])[:, None]
    second = (first[:-1] - first[1:]) / (nodes[:-2] - nodes[2:])[:, None]
    cells = slice(n - 2, None, -1)
    below, linear, square = values[1:][cells], first[cells], second[cells]
    density = PPoly(np.stack([square, linear - square * width[cells, None], below]), active[::-1])
    return density, weights[:, 0] - moments[0]
