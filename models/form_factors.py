"""Squared form factors of atoms: G2(t) of a nucleus screened by its electrons."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV, HBAR_C_GEV_CM, PROTON_MASS_GEV
from na64.models.materials import Element

__all__ = [
    "NuclearModel",
    "g2_elastic",
    "g2_inelastic",
    "nuclear_scale_gev2",
    "screening_length",
]

_PROTON_MAGNETIC_MOMENT: Final = 2.79
_DIPOLE_SCALE_GEV2: Final = 0.71
_FERMI_PER_GEV: Final = HBAR_C_GEV_CM * 1e13


class NuclearModel(StrEnum):
    """Nuclear charge form factor: the dipole of the beam-dump literature, or Helm's."""

    DIPOLE = "dipole"
    HELM = "helm"


def screening_length(element: Element) -> float:
    """Return a = 111 Z^(-1/3)/m_e, the radius of the electron cloud in 1/GeV."""
    return float(111.0 * element.z ** (-1.0 / 3.0) / ELECTRON_MASS_GEV)


def nuclear_scale_gev2(element: Element) -> float:
    """Return d = 0.164 A^(-2/3) GeV^2, the scale of the dipole form factor of the nucleus."""
    return float(0.164 * element.a ** (-2.0 / 3.0))


def _screening(t_gev2: FloatArray, length_gev: float) -> FloatArray:
    """(a^2 t/(1 + a^2 t))^2: the atom is neutral seen from afar."""
    scaled = length_gev**2 * t_gev2
    ratio = scaled / (1.0 + scaled)
    return np.asarray(ratio * ratio)


def _helm(t_gev2: FloatArray, mass_number: float) -> FloatArray:
    """Squared Helm form factor with the radius of Lewin and Smith (1996), eq. (4.11)."""
    skin, surface = 0.9, 0.52
    c = 1.23 * mass_number ** (1.0 / 3.0) - 0.60
    radius = np.sqrt(c * c + 7.0 / 3.0 * (np.pi * surface) ** 2 - 5.0 * skin**2)
    q = np.sqrt(t_gev2) / _FERMI_PER_GEV
    x = q * radius
    safe = np.maximum(x, 0.05)
    bessel = 3.0 * (np.sin(safe) - safe * np.cos(safe)) / safe**3
    # the closed form cancels for small x; its series is exact to 1e-11 there
    bessel = np.where(x < 0.05, 1.0 - x * x / 10.0 * (1.0 - x * x / 28.0), bessel)
    return np.asarray((bessel * np.exp(-((q * skin) ** 2) / 2.0)) ** 2)


def g2_elastic(
    t_gev2: ArrayLike, element: Element, nuclear: NuclearModel = NuclearModel.DIPOLE
) -> FloatArray:
    """Return the elastic G2(t) = Z^2 (screening) (nuclear form factor)^2.

    Parameters
    ----------
    t_gev2
        Momentum transfer t = -q^2 >= 0.
    element
        The nucleus.
    nuclear
        ``dipole``: [1/(1 + t/d)]^2, d of `nuclear_scale_gev2` (Bjorken, Essig, Schuster and Toro,
        arXiv:0906.0580, eq. A18); ``helm``: Helm's.

    Returns
    -------
    ndarray
        Dimensionless, of the shape of ``t_gev2``.
    """
    t = np.asarray(t_gev2, float)
    screening = _screening(t, screening_length(element))
    if nuclear is NuclearModel.HELM:
        shape = _helm(t, element.a)
    else:
        dipole = 1.0 / (1.0 + t / nuclear_scale_gev2(element))
        shape = dipole * dipole
    return np.asarray(element.z**2 * screening * shape)


def g2_inelastic(t_gev2: ArrayLike, element: Element) -> FloatArray:
    """Return the quasi-elastic G2(t), incoherent scattering off the protons.

    Z (screening) (1 + tau mu_p^2)/(1 + tau) (1 + t/0.71 GeV^2)^-4, tau = t/(4 m_p^2). This is
    the Rosenbluth form; arXiv:0906.0580, eq. (A19), prints the square of the magnetic factor,
    which differs by up to 2 % in the cross-section (20 GeV, mass of 1 GeV).
    """
    t = np.asarray(t_gev2, float)
    tau = t / (4.0 * PROTON_MASS_GEV**2)
    screening = _screening(t, 773.0 * element.z ** (-2.0 / 3.0) / ELECTRON_MASS_GEV)
    magnetic = (1.0 + tau * _PROTON_MAGNETIC_MOMENT**2) / (1.0 + tau)
    dipole = (1.0 + t / _DIPOLE_SCALE_GEV2) ** 2
    return np.asarray(element.z * screening * magnetic / (dipole * dipole))
