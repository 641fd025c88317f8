"""Two-body decay widths of mediators, all closed forms.

Masses in GeV, widths in GeV; arrays broadcast; zero below threshold. With r = m^2/M^2 and
beta = sqrt(1 - 4 r).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray

__all__ = [
    "axial_to_fermions",
    "boson_to_photons",
    "pseudoscalar_to_fermions",
    "scalar_to_fermions",
    "spin_two_to_complex_scalars",
    "spin_two_to_fermions",
    "spin_two_to_photons",
    "sum_of_widths",
    "vector_to_complex_scalars",
    "vector_to_fermions",
    "vector_to_left_handed_neutrinos",
    "vector_to_majorana_fermions",
    "vector_to_pseudo_dirac_fermions",
    "velocity",
]


def sum_of_widths(partial_gev: Mapping[str, FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """Return the sum of partial widths in GeV, of a shape to which each of them broadcasts.

    They are added one after the other: a mass alone gives the same bits as among others.
    """
    total = np.zeros(shape)
    for width in partial_gev.values():
        total = total + width
    return np.asarray(total)


def velocity(mass_gev: ArrayLike, daughter_mass_gev: ArrayLike) -> FloatArray:
    """Return beta = sqrt(1 - 4 m^2/M^2) of a pair of equal daughters; 0 below threshold."""
    ratio = np.asarray(daughter_mass_gev, float) / np.asarray(mass_gev, float)
    return np.asarray(np.sqrt(np.maximum(0.0, 1.0 - 4.0 * ratio**2)))


def _p_wave(mass_gev: ArrayLike, daughter_mass_gev: ArrayLike, alpha: ArrayLike) -> FloatArray:
    """alpha M beta^3."""
    return np.asarray(
        np.asarray(alpha, float)
        * np.asarray(mass_gev, float)
        * velocity(mass_gev, daughter_mass_gev) ** 3
    )


def vector_to_fermions(
    mass_gev: ArrayLike, fermion_mass_gev: ArrayLike, alpha_g: ArrayLike = 1.0
) -> FloatArray:
    """Return the width of a vector to a Dirac pair, alpha_g (M/3) beta (1 + 2 r).

    Parameters
    ----------
    mass_gev
        Mass M of the vector.
    fermion_mass_gev
        Mass of the fermion.
    alpha_g
        g^2/(4 pi) of the vector coupling g; multiply by 3 for a quark.
    """
    mass = np.asarray(mass_gev, float)
    beta = velocity(mass, fermion_mass_gev)
    ratio = (np.asarray(fermion_mass_gev, float) / mass) ** 2
    return np.asarray(np.asarray(alpha_g, float) * mass / 3.0 * beta * (1.0 + 2.0 * ratio))


def axial_to_fermions(
    mass_gev: ArrayLike, fermion_mass_gev: ArrayLike, alpha_g: ArrayLike = 1.0
) -> FloatArray:
    """Return the width of an axial vector to a Dirac pair, alpha_g (M/3) beta^3."""
    return _p_wave(mass_gev, fermion_mass_gev, alpha_g) / 3.0


def vector_to_left_handed_neutrinos(mass_gev: ArrayLike, alpha_g: ArrayLike = 1.0) -> FloatArray:
    """Return the width of a vector to one massless left-handed neutrino pair, alpha_g M/6."""
    return np.asarray(np.asarray(alpha_g, float) * np.asarray(mass_gev, float) / 6.0)


def vector_to_complex_scalars(
    mass_gev: ArrayLike, scalar_mass_gev: ArrayLike, alpha_g: ArrayLike = 1.0
) -> FloatArray:
    """Return the width of a vector to a complex scalar pair, alpha_g (M/12) beta^3."""
    return _p_wave(mass_gev, scalar_mass_gev, alpha_g) / 12.0


def vector_to_majorana_fermions(
    mass_gev: ArrayLike, fermion_mass_gev: ArrayLike, alpha_g: ArrayLike = 1.0
) -> FloatArray:
    """Return the width of a vector to an (identical) Majorana pair, alpha_g (M/6) beta^3."""
    return _p_wave(mass_gev, fermion_mass_gev, alpha_g) / 6.0


def vector_to_pseudo_dirac_fermions(
    mass_gev: ArrayLike,
    light_mass_gev: ArrayLike,
    splitting: ArrayLike = 0.0,
    alpha_g: ArrayLike = 1.0,
) -> FloatArray:
    """Return the width of a vector to chi_1 chi_2 with the current i chibar_1 gamma chi_2.

    alpha_g (M/3) sqrt((1-S)(1-D)) (1-D) (1 + S/2), S = ((m_1+m_2)/M)^2, D = ((m_2-m_1)/M)^2.

    Parameters
    ----------
    mass_gev
        Mass M of the vector.
    light_mass_gev
        Mass m_1 of the lighter state.
    splitting
        Relative splitting delta, m_2 = m_1 (1 + delta); 0 gives the Dirac width.
    alpha_g
        g^2/(4 pi).
    """
    mass = np.asarray(mass_gev, float)
    light = np.asarray(light_mass_gev, float)
    delta = np.asarray(splitting, float)
    total = ((2.0 + delta) * light / mass) ** 2
    difference = (delta * light / mass) ** 2
    phase_space = np.sqrt(np.maximum(0.0, 1.0 - total) * np.maximum(0.0, 1.0 - difference))
    strength = np.asarray(alpha_g, float) * mass / 3.0
    return np.asarray(strength * phase_space * (1.0 - difference) * (1.0 + total / 2.0))


def scalar_to_fermions(
    mass_gev: ArrayLike, fermion_mass_gev: ArrayLike, coupling: ArrayLike = 1.0
) -> FloatArray:
    """Return the width of a scalar to a Dirac pair, g^2 M beta^3/(8 pi)."""
    return _p_wave(mass_gev, fermion_mass_gev, np.asarray(coupling, float) ** 2 / (8.0 * np.pi))


def pseudoscalar_to_fermions(
    mass_gev: ArrayLike, fermion_mass_gev: ArrayLike, coupling: ArrayLike = 1.0
) -> FloatArray:
    """Return the width of a pseudoscalar to a Dirac pair, g^2 M beta/(8 pi)."""
    mass = np.asarray(mass_gev, float)
    g2 = np.asarray(coupling, float) ** 2
    return np.asarray(g2 * mass / (8.0 * np.pi) * velocity(mass, fermion_mass_gev))


def boson_to_photons(mass_gev: ArrayLike, coupling: ArrayLike = 1.0) -> FloatArray:
    """Return the width of a spin-zero boson to two photons, g^2 M^3/(64 pi), g in 1/GeV."""
    mass = np.asarray(mass_gev, float)
    return np.asarray(np.asarray(coupling, float) ** 2 * mass**3 / (64.0 * np.pi))


def spin_two_to_photons(mass_gev: ArrayLike, coupling: ArrayLike = 1.0) -> FloatArray:
    """Return the width of a boson of spin 2 to two photons, g^2 M^3/(80 pi).

    L = -g G_{mu nu} T^{mu nu}, g = c/Lambda in 1/GeV, T the stress tensor of the photon.

    References
    ----------
    Han, Lykken and Zhang, hep-ph/9811350, with kappa^2 = 2 g^2; Giudice, Rattazzi and Wells,
    hep-ph/9811291. A test sums the amplitudes anew.
    """
    mass = np.asarray(mass_gev, float)
    return np.asarray(np.asarray(coupling, float) ** 2 * mass**3 / (80.0 * np.pi))


def spin_two_to_fermions(
    mass_gev: ArrayLike, fermion_mass_gev: ArrayLike, coupling: ArrayLike = 1.0
) -> FloatArray:
    """Return the width of a boson of spin 2 to a Dirac pair.

    g^2 M^3/(160 pi) beta^3 (1 + 8 r/3), g as in `spin_two_to_photons` (there the sources).
    """
    mass, fermion = np.asarray(mass_gev, float), np.asarray(fermion_mass_gev, float)
    strength = np.asarray(coupling, float) ** 2 * mass**2 / (160.0 * np.pi)
    return np.asarray(_p_wave(mass, fermion, strength) * (1.0 + 8.0 / 3.0 * (fermion / mass) ** 2))


def spin_two_to_complex_scalars(
    mass_gev: ArrayLike, scalar_mass_gev: ArrayLike, coupling: ArrayLike = 1.0
) -> FloatArray:
    """Return the width of a boson of spin 2 to a pair of complex scalars, g^2 M^3 beta^5/(480 pi).

    Twice that of a pair of real ones; g as in `spin_two_to_photons` (there the sources).
    """
    mass = np.asarray(mass_gev, float)
    strength = np.asarray(coupling, float) ** 2 * mass**3 / (480.0 * np.pi)
    return np.asarray(strength * velocity(mass, scalar_mass_gev) ** 5)
