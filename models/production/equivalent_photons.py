"""Weizsaecker-Williams approximations of l + Z -> l + Z + X: WW and IWW.

The nucleus becomes a flux chi of real photons that scatter off the lepton. WW keeps the smallest
momentum transfer for each energy and angle of the boson; the improved version (IWW; improved in
speed, not in accuracy) takes that of a forward boson with all of the energy for every one.

References
----------
Kim and Tsai, PRD 8, 3109 (1973); Bjorken, Essig, Schuster and Toro, arXiv:0906.0580, appendix A;
Liu, McKeen and Miller, arXiv:1609.06781, and Liu and Miller, arXiv:1705.01633.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import ALPHA
from na64.models.kinds import kind_row, structure
from na64.models.production.quadrature import logarithmic_nodes, unit_nodes
from na64.models.production.sources import PhotonSource

__all__ = ["improved_ww_spectrum", "photon_flux", "ww_spectrum"]

_SCREENED: Final = 0.01
_FLUX_NODES: Final = 32
_ANGLE_NODES: Final = 16
# nodes in the logarithm of the virtuality of an exchanged photon, and where form factors have
# fallen to nothing, in GeV^2
_EXCHANGE_NODES: Final = 40
_LARGEST_T: Final = 4.0


def photon_flux(t_min: FloatArray, t_max: FloatArray, source: PhotonSource) -> FloatArray:
    """Return chi, the integral of dt (t - t_min)/t^2 G2(t) from t_min to t_max.

    Parameters
    ----------
    t_min, t_max
        GeV^2, of shapes that broadcast; zero where they leave no interval.
    source
        The atoms.
    """
    t_min, t_max = np.broadcast_arrays(t_min, t_max)
    low = np.maximum(t_min, _SCREENED * source.screening_scale_gev2)
    t, weights = logarithmic_nodes(low, t_max, _FLUX_NODES)
    return np.asarray(np.sum(weights * source.g2(t) * (1.0 - t_min[..., None] / t), axis=-1))


def _compton(
    kind: str, mass: FloatArray, y: FloatArray, lepton_mass: float
) -> tuple[FloatArray, FloatArray]:
    """Return (A, C) of the lepton's factor A + C [-x/U + (M^2 y + m^2 x^2)/U^2]."""
    x = 1.0 - y
    c = structure(kind, mass, lepton_mass)
    k_part = x * x / y
    l_part = 2.0 * (1.0 + y * y) / y
    return np.asarray(c.k * k_part + c.l * l_part), np.asarray(2.0 * c.t)


def _propagator(
    mass: FloatArray, y: FloatArray, lepton_mass: float
) -> tuple[FloatArray, FloatArray]:
    """Return the smallest U and M^2 y + m^2 x^2."""
    x = 1.0 - y
    bracket = mass**2 * y + (lepton_mass * x) ** 2
    return np.asarray(bracket / x), np.asarray(bracket)


def _prefactor(energy: FloatArray, mass: FloatArray, y: FloatArray) -> FloatArray:
    """alpha^3 (1-x) |k|/(x E), for an integral over U."""
    boson = (1.0 - y) * energy
    momentum = np.sqrt(np.maximum((boson - mass) * (boson + mass), 0.0))
    return np.asarray(ALPHA**3 * y * momentum / boson)


def ww_spectrum(
    energy: FloatArray,
    mass: FloatArray,
    y: FloatArray,
    lepton_mass: float,
    kind: str,
    source: PhotonSource,
    transverse: tuple[float, float] = (0.0, math.inf),
) -> FloatArray:
    """Return d sigma/dx in the WW approximation, for a coupling g = e.

    d sigma/(dx dU) = alpha^3 (1-x) (|k|/xE) chi/U^2 {...} with
    U = E^2 theta^2 x + M^2 (1-x)/x + m^2 x, t_min = [U/(2E(1-x))]^2 and t_max = M^2 + m^2. A kind
    that has no other amplitude than that off photons: see `_off_photons`.

    Parameters and result as for `tree_level_spectrum`; ``transverse`` has limits on the momentum
    across the beam E x theta, GeV, of the boson and, as the photon is collinear, of the lepton.
    """
    energy, mass, y = energy[:, None], mass[:, None], y[:, None]
    if kind_row(kind, "the amplitude of emission").compton is not None:
        return _off_photons(energy, mass, y, lepton_mass, kind, source, transverse)
    constant, slope = _compton(kind, mass, y, lepton_mass)
    u0, bracket = _propagator(mass, y, lepton_mass)
    t_max = mass**2 + lepton_mass**2
    first, last = (u0 + across**2 / (1.0 - y) for across in transverse)
    top = np.maximum(np.minimum(2.0 * energy * y * np.sqrt(t_max), last), first)
    nodes, weights = unit_nodes(_ANGLE_NODES)
    low, high = np.cbrt(u0 / top), np.cbrt(u0 / first)
    w = low + (high - low) * nodes
    u = u0 / (w * w * w)
    flux = photon_flux((u / (2.0 * energy * y)) ** 2, t_max, source)
    lepton = constant + slope * (bracket / u - (1.0 - y)) / u
    jacobian = 3.0 * (high - low) * weights / (w * u)
    return np.asarray(np.sum(jacobian * flux * lepton, -1) * _prefactor(energy, mass, y)[:, 0])


def _off_photons(
    energy: FloatArray,
    mass: FloatArray,
    y: FloatArray,
    lepton_mass: float,
    kind: str,
    source: PhotonSource,
    transverse: tuple[float, float],
) -> FloatArray:
    """Return d sigma/dx of `ww_spectrum` from the amplitude F of l gamma -> l X, energies (N, 1).

    d sigma/(dx dU) = alpha^3 (1-x) (|k|/xE) chi F/U^2, F at s = U/(1-x), u = -U and
    t = -x (U - U_0)/(1-x) - m^2 x^2/(1-x). The lepton's own exchanged photon makes F rise as 1/t
    towards U_0: the integral is done in ln(-t). That photon is as real as those of the nucleus, of
    which no mass of X limits the virtuality, as in the Primakoff process: t_max is where form
    factors end, as in arXiv:2210.00751.
    """
    compton = kind_row(kind, "the amplitude of emission").compton
    assert compton is not None
    x = 1.0 - y
    u0, _ = _propagator(mass, y, lepton_mass)
    least = lepton_mass**2 * x
    most = np.maximum(2.0 * energy * y * np.sqrt(_LARGEST_T) - u0, 0.0) + least
    nodes, weights = unit_nodes(_EXCHANGE_NODES)
    # U - U_0 is the squared momentum across the beam over x
    first, last = (least + across**2 / x for across in transverse)
    span = np.log(np.maximum(np.minimum(most, last), first) / first)
    beyond = first * np.exp(span * nodes)
    u = u0 + (beyond - least)
    flux = photon_flux((u / (2.0 * energy * y)) ** 2, np.full_like(u, _LARGEST_T), source)
    lepton = compton(u / y, -u, -beyond * x / y, mass**2, lepton_mass**2)
    jacobian = span * weights * beyond / (u * u)
    return np.asarray(np.sum(jacobian * flux * lepton, -1) * _prefactor(energy, mass, y)[:, 0])


def improved_ww_spectrum(
    energy: FloatArray,
    mass: FloatArray,
    y: FloatArray,
    lepton_mass: float,
    kind: str,
    source: PhotonSource,
) -> FloatArray:
    """Return d sigma/dx in the IWW approximation, for a coupling g = e.

    As `ww_spectrum` with t_min = (M^2/2E)^2, which makes the integral over the angle analytic.
    Wrong by factors for muons and for heavy bosons.

    Parameters and result as for `tree_level_spectrum`.
    """
    constant, slope = _compton(kind, mass, y, lepton_mass)
    u0, bracket = _propagator(mass, y, lepton_mass)
    angular = constant / u0 + slope * (bracket / (3.0 * u0) - 0.5 * (1.0 - y)) / u0**2
    flux = photon_flux((mass**2 / (2.0 * energy)) ** 2, mass**2 + lepton_mass**2, source)
    return np.asarray(_prefactor(energy, mass, y) * flux * angular)
