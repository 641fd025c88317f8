"""Exact tree level (ETL): d sigma/dx of l + Z -> l + Z + X from the 2 -> 3 amplitude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import ALPHA
from na64.models.kinds import structure
from na64.models.production.amplitudes import averaged_amplitude
from na64.models.production.kinematics import EmissionKinematics, largest_u, smallest_u
from na64.models.production.quadrature import logarithmic_nodes, unit_nodes
from na64.models.production.sources import PhotonSource

__all__ = [
    "DEFAULT_GRID",
    "LARGEST_T",
    "TreeLevelGrid",
    "angular_nodes",
    "transfer_range",
    "tree_level_angular",
    "tree_level_spectrum",
]

#: where the form factors have fallen to nothing, in GeV^2
LARGEST_T: Final = 4.0
# Fraction of the screening scale below which (a^2 t)^2 leaves nothing.
_SCREENED: Final = 0.03


@dataclass(frozen=True, slots=True)
class TreeLevelGrid:
    """Numbers of nodes in the angle of the boson and in the momentum transfer.

    The default is converged to 1e-3, off electrons below 2 m_e to 3e-3.

    Attributes
    ----------
    angle
        Nodes in the angle.
    transfer
        Nodes in t.
    transfer_light
        Nodes in t for light bosons off electrons, whose emission along the final electron is a
        narrow peak in t.
    light
        Below how many lepton masses a boson is light.
    """

    angle: int = 8
    transfer: int = 28
    transfer_light: int = 48
    light: float = 10.0


DEFAULT_GRID: Final = TreeLevelGrid()


def transfer_range(
    t_min: FloatArray, t_max: FloatArray, source: PhotonSource
) -> tuple[FloatArray, FloatArray]:
    """Return the part of a range of t in which the form factors leave something, GeV^2."""
    low = np.maximum(t_min, _SCREENED * source.screening_scale_gev2)
    return np.asarray(low), np.asarray(np.minimum(t_max, LARGEST_T))


def angular_nodes(
    energy: FloatArray,
    mass: FloatArray,
    y: FloatArray,
    lepton_mass: float,
    source: PhotonSource,
    number: int,
) -> tuple[EmissionKinematics, FloatArray]:
    """Return kinematics at ``number`` angles of the boson and their weights in -u.

    Parameters
    ----------
    energy, mass, y
        GeV, GeV and 1 - x, with a last axis of length 1 that the angles replace.
    lepton_mass
        GeV.
    source
        The atoms.
    number
        Number of nodes.
    """
    nucleus_mass = source.nucleus_mass_gev
    u0 = smallest_u(energy, y, mass, lepton_mass)
    boson = (1.0 - y) * energy
    backward = 4.0 * np.sqrt(
        (energy - lepton_mass)
        * (energy + lepton_mass)
        * np.maximum((boson - mass) * (boson + mass), 0.0)
    )
    # t > u^2/(4 |p-k|^2) must stay below the largest t: u^2 - 4 t u < 4 t (yE)^2
    form_factor = 2.0 * LARGEST_T * (1.0 + np.sqrt(1.0 + (y * energy) ** 2 / LARGEST_T))
    top = np.minimum(largest_u(energy, y, lepton_mass, nucleus_mass), u0 + backward)
    top = np.maximum(np.minimum(top, form_factor), u0)
    # -u = u0/w^3: the tail, 1/u^2 times powers of ln(u), becomes smooth in w
    nodes, weights = unit_nodes(number)
    low = np.cbrt(u0 / top)
    w = low + (1.0 - low) * nodes
    stretched = w * w * w
    at = EmissionKinematics(
        energy=energy,
        mass=mass,
        lepton_mass=lepton_mass,
        nucleus_mass=nucleus_mass,
        y=y,
        excess_u=u0 * (1.0 - stretched) / stretched,
        u=u0 / stretched,
    )
    return at, np.asarray(3.0 * (1.0 - low) * weights * at.u / w)


def tree_level_angular(
    at: EmissionKinematics, kind: str, source: PhotonSource, nodes: int
) -> FloatArray:
    """Return d^2 sigma/(dx d(-u)) for a coupling g = e.

    alpha^3 E/(2 |p|^2 |p-k|) times the integral of dt G2(t)/t^2 <F>/(8 M_N^2), F the squared
    amplitude averaged over the azimuth of the recoil. With -u = u0 + 2 |p||k| (1 - cos theta)
    the cross-section d^2 sigma/(dx dcos theta) is 2 |p||k| times this.

    Parameters
    ----------
    at
        Energies and angles, any shape.
    kind
        Kind of the boson.
    source
        The atoms.
    nodes
        Nodes in t.

    Returns
    -------
    ndarray
        GeV^-4 times the weights of the source.
    """
    t_min, t_max = at.t_limits()
    t, weights = logarithmic_nodes(*transfer_range(t_min, t_max, source), nodes)
    inner = at.expanded()
    amplitude = averaged_amplitude(
        structure(kind, inner.mass, at.lepton_mass),
        inner.mass,
        inner.recoil(t, t_min[..., None], t_max[..., None]),
    )
    integral = np.sum(weights * source.g2(t) / t * amplitude, axis=-1)
    momentum2 = (at.energy - at.lepton_mass) * (at.energy + at.lepton_mass)
    flux = at.energy / (2.0 * momentum2 * np.sqrt(at.transfer_squared))
    return np.asarray(ALPHA**3 * flux * integral)


def tree_level_spectrum(
    energy: FloatArray,
    mass: FloatArray,
    y: FloatArray,
    lepton_mass: float,
    kind: str,
    source: PhotonSource,
    angle_nodes: int,
    transfer_nodes: int,
) -> FloatArray:
    """Return d sigma/dx at points inside the limits of x, for a coupling g = e.

    In GeV^-2 times the weights of the source, from lepton energy and boson mass in GeV and 1 - x,
    all of shape (N,); see `na64.models.production.emission.spectrum_at`.
    """
    at, weights = angular_nodes(
        energy[:, None], mass[:, None], y[:, None], lepton_mass, source, angle_nodes
    )
    return np.asarray(
        np.sum(weights * tree_level_angular(at, kind, source, transfer_nodes), axis=-1)
    )
