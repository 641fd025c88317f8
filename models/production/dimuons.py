"""Pairs of muons from photons in the field of a nucleus, gamma Z -> mu+ mu- Z, at tree level.

The Bethe-Heitler process is bremsstrahlung with the initial lepton and the photon crossed. With k
the photon, p+ the mu+, which takes the fraction x of its energy, p- the mu-, q = P_i - P_f,
t = -q^2 > 0, P = P_i + P_f, and

    U = 2 k.p+ > 0,   S = 2 k.p- > 0,   e = P.p/(2 M_N) of each muon,   tau = 1 + t/(4 M_N^2),

the squared amplitude, averaged over the polarisations of the photon, is 8 M_N^2 times

    G = {4 t (e+^2 + e-^2) - tau [S^2 + U^2 + 2 t (t - S - U)]}/(S U)
        + 8 m^2 (e+/S - e-/U)^2 - 2 m^2 tau t (1/S + 1/U)^2,

minus that of `na64.models.production.amplitudes` for a massless vector at s = -S, u = -U. Then

    d sigma/(dx dU) = alpha^3/(2 k |k - p+|) int dt G2(t)/t^2 <G>,

<> the average over the azimuth of the recoil. The momentum transfer is at least
m^2/(2 k x (1 - x)), 0.4 MeV at 50 GeV: far below the inverse radius of a nucleus (28 MeV for lead)
and far above that of an atom, so that the size of the nucleus matters and screening hardly does.
The field is taken to first order, without Coulomb correction.

References
----------
Bethe and Heitler, Proc. R. Soc. A 146, 83 (1934); Tsai, Rev. Mod. Phys. 46, 815 (1974).
Burkhardt, Kelner and Kokoulin, CERN-SL-2002-016 (CLIC note 511): the parametrisation of Geant4, to
which a test compares.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray, positive
from na64.models.constants import ALPHA, ELECTRON_MASS_GEV, MUON_MASS_GEV
from na64.models.errors import InputError
from na64.models.form_factors import NuclearModel
from na64.models.materials import Element, Material
from na64.models.production.kinematics import EmissionKinematics, largest_u
from na64.models.production.quadrature import logarithmic_nodes, unit_nodes
from na64.models.production.sources import PhotonSource
from na64.models.production.tree_level import transfer_range

__all__ = ["annihilation_to_muons", "muon_pair_cross_section", "pair_spectrum"]

# Nodes in x, in the angle of the mu+ and in t: twice the number of any moves no cross-section by
# more than 1e-3.
_FRACTIONS: Final = 16
_ANGLES: Final = 12
_TRANSFERS: Final = 28
# Where the form factors have fallen to nothing, in GeV^2.
_LARGEST_T: Final = 4.0


def muon_pair_cross_section(
    photon_gev: ArrayLike,
    target: Element | Material,
    *,
    min_muon_gev: float = MUON_MASS_GEV,
    inelastic: bool = True,
    nuclear: NuclearModel = NuclearModel.DIPOLE,
) -> FloatArray:
    """Return the cross-section of gamma Z -> mu+ mu- Z with both muons above an energy.

    Parameters
    ----------
    photon_gev
        Energies of photons, positive, shape (E,) or a number.
    target
        An element: per nucleus. A material: summed over its atoms in one radiation length.
    min_muon_gev
        Smallest total energy of either muon; its mass and above.
    inelastic
        Whether incoherent scattering off the protons of the nucleus is added.
    nuclear
        Form factor of the nucleus.

    Returns
    -------
    ndarray
        GeV^-2 of an element, a probability of a material, shape (E,); zero where closed.

    Raises
    ------
    InputError
        For an energy that is not positive, or a threshold below the mass of a muon.
    """
    photon = positive("photon energy", photon_gev)
    if not min_muon_gev >= MUON_MASS_GEV:
        raise InputError(
            f"smallest energy of a muon must be its mass of {MUON_MASS_GEV:.4g} GeV or more, "
            f"is {min_muon_gev:g} GeV"
        )
    source = PhotonSource.of(target, inelastic=inelastic, nuclear=nuclear)
    result = np.zeros_like(photon)
    is_open = photon > 2.0 * min_muon_gev
    energy = photon[is_open]
    points, weights = unit_nodes(_FRACTIONS)
    edge = min_muon_gev / energy
    x = edge[:, None] + (1.0 - 2.0 * edge)[:, None] * points
    spectrum = pair_spectrum(energy[:, None], x, MUON_MASS_GEV, source)
    result[is_open] = (1.0 - 2.0 * edge) * np.sum(weights * spectrum, axis=-1)
    return result


def pair_spectrum(
    photon_gev: FloatArray,
    fraction: FloatArray,
    lepton_mass_gev: float,
    source: PhotonSource,
    *,
    angles: int = _ANGLES,
    transfers: int = _TRANSFERS,
) -> FloatArray:
    """Return d sigma/dx of a pair of leptons.

    Parameters
    ----------
    photon_gev, fraction
        Energy k of the photon, and x, the share of it that the positive lepton takes; shapes that
        broadcast.
    lepton_mass_gev
        Mass of the leptons.
    source
        The atoms.
    angles, transfers
        Numbers of nodes.

    Returns
    -------
    ndarray
        GeV^-2 times the weights of the source; zero outside m/k < x < 1 - m/k.
    """
    k, x = (v[..., None] for v in np.broadcast_arrays(photon_gev, fraction))
    mass, nucleus = lepton_mass_gev, source.nucleus_mass_gev
    is_open = np.minimum(x, 1.0 - x) * k > mass * (1.0 + 1e-9)
    x = np.where(is_open, x, 0.5)
    plus = x * k
    # U = 2 k.p+ is smallest forward
    momentum = np.sqrt(np.maximum((plus - mass) * (plus + mass), 0.0))
    u0 = 2.0 * k * mass**2 / (plus + momentum)
    form_factor = 2.0 * _LARGEST_T * (1.0 + np.sqrt(1.0 + ((1.0 - x) * k) ** 2 / _LARGEST_T))
    top = np.minimum(largest_u(k, 1.0 - x, mass, nucleus), u0 + 4.0 * k * momentum)
    is_open &= (top > u0) & (momentum > 0.0)
    top = np.maximum(np.minimum(top, form_factor), u0)
    # U = u0/w^3: the tail, 1/U^2 times powers of ln(U), becomes smooth in w
    nodes, weights = unit_nodes(angles)
    low = np.cbrt(u0 / top)
    w = low + (1.0 - low) * nodes
    stretched = w**3
    at = EmissionKinematics(
        energy=k,
        mass=np.zeros_like(k),
        lepton_mass=mass,
        nucleus_mass=nucleus,
        y=1.0 - x,
        excess_u=u0 * (1.0 - stretched) / stretched,
        u=u0 / stretched,
    )
    t_min, t_max = at.t_limits()
    limits = t_min[..., None], t_max[..., None]
    t, t_weights = logarithmic_nodes(*transfer_range(t_min, t_max, source), transfers)
    # where the form factors leave no range, weights are zero and t is kept physical
    t = np.clip(t, *limits)
    amplitude = _averaged(at.expanded(), t, *limits)
    inner = np.sum(t_weights * source.g2(t) / t * amplitude, axis=-1)
    inner /= 2.0 * k * np.sqrt(at.transfer_squared)
    measure = 3.0 * (1.0 - low) * weights * at.u / w
    return np.asarray(ALPHA**3 * np.sum(np.where(is_open, measure * inner, 0.0), axis=-1))


def _averaged(
    at: EmissionKinematics, t: FloatArray, t_min: FloatArray, t_max: FloatArray
) -> FloatArray:
    """Return G averaged over the azimuth of the recoil about k - p+, dimensionless.

    The recoil of the mu- from k - p+ is that of the final lepton from p - k in emission, to which
    the kinematics belong; what differs is S = a + b cos(phi). In terms of r^2 = a^2 - b^2,

        <1/S> = 1/r,  <1/S^2> = a/r^3,  <cos/S^2> = -b/r^3,  <cos^2/S^2> = [a - r^2/(a + r)]/r^3.
    """
    k, u, mass2, nucleus = at.energy, at.u, at.lepton_mass**2, at.nucleus_mass
    left = at.y * k
    plus = k - left
    v2 = at.transfer_squared
    # k.(k - p+)/|k - p+|^2 = 1 + rho
    rho = (left * plus + mass2 - 0.5 * u) / v2
    gain = 1.0 + rho + (k * mass2 - u * (k - 0.5 * left)) / (nucleus * v2)
    a = u * rho + t * gain
    # sines of p+ and of q to k - p+, from factors that vanish exactly
    momentum = np.sqrt(np.maximum(plus**2 - mass2, 0.0))
    across2 = at.excess_u * np.maximum(k * momentum - 0.25 * at.excess_u, 0.0)
    leading = u**2 / (t_min * t_max)
    b = np.sqrt(across2 * leading * np.maximum((t - t_min) * (t_max - t), 0.0)) / v2
    scale = 0.25 / nucleus
    tau = 1.0 + t * scale / nucleus
    r2 = (a - b) * (a + b)
    inverse = 1.0 / np.sqrt(r2)
    cube = inverse**3
    # <n^2/S^2> of n = U e+ - S e- = n0 + n1 cos(phi)
    e_plus, e_minus = plus + scale * t, left - scale * (u + t)
    tilt = scale * t * (u + a)
    n0 = u * (u * (plus + 0.5 * left) - mass2 * k) / v2 - t * gain * left + tilt
    n1 = -b * (left - scale * t)
    n1_squared = n1 * n1
    squares = (
        a * (n0 * n0 + n1_squared)
        - 2.0 * b * n0 * n1
        - n1_squared * r2 * inverse / (a * inverse + 1.0)
    )
    interference = 1.0 + 2.0 * u * inverse + u * u * a * cube
    total = mass2 / (u * u) * (8.0 * squares * cube - 2.0 * tau * t * interference)
    # e+ = e_plus - S/(4 M_N)
    current = (e_plus**2 + e_minus**2) * inverse + scale * (scale * a - 2.0 * e_plus)
    spins = a + u * u * inverse + 2.0 * t * ((t - u) * inverse - 1.0)
    return np.asarray(total + (4.0 * t * current - tau * spins) / u)


def annihilation_to_muons(positron_gev: ArrayLike, *, min_muon_gev: float = 0.0) -> FloatArray:
    """Return the cross-section of e+ e- -> mu+ mu- on an electron at rest.

    pi alpha^2 beta/(2 s) int dcos [1 + cos^2 + (1 - beta^2)(1 - cos^2)] over the angles at which
    both muons have the energy (E/2)(1 +- beta cos), beta the speed in the centre of mass; without
    a cut it is (4 pi alpha^2/3 s) beta (3 - beta^2)/2. Zero below E = 43.7 GeV.

    Parameters
    ----------
    positron_gev
        Energies of positrons, positive, shape (E,) or a number.
    min_muon_gev
        Smallest energy of either muon.

    Returns
    -------
    ndarray
        GeV^-2 per electron, shape (E,).
    """
    energy = positive("positron energy", positron_gev)
    s = 2.0 * ELECTRON_MASS_GEV * (energy + ELECTRON_MASS_GEV)
    beta = np.sqrt(np.maximum(1.0 - 4.0 * MUON_MASS_GEV**2 / s, 0.0))
    slow = np.maximum(1.0 - 2.0 * min_muon_gev / energy, 0.0)
    largest = np.minimum(slow / np.maximum(beta, 1e-12), 1.0)
    angles = largest * (2.0 - beta**2) + beta**2 * largest**3 / 3.0
    return np.asarray(np.pi * ALPHA**2 * beta / s * angles)
