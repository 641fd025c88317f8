"""Primakoff production of a photon-coupled boson in the field of a nucleus, gamma Z -> a Z.

The boson takes the energy of the photon; the nucleus recoils by t/(2 M_N), less than an MeV. The
cross-section is the same for a pseudoscalar, -(g/4) a F F-dual, and for a scalar, -(g/4) a F F.

For a boson of spin 2, -g G_{mu nu} T^{mu nu}, it is four times that. With the field E_1 = i w e of
a photon of polarisation e and the electric field i q Phi(q) of the nucleus the amplitude of a
helicity +-2 is 2 g w Phi epsilon_ij e_i q_j, and its square, summed over both and averaged over e,
2 (g w Phi q_T)^2: that of a scalar, g w Phi e.q_T, is (g w Phi q_T)^2/2. The other helicities
couple to what the source lacks to be conserved, F^{nu a} J_a, which the recoiling nucleus supplies
where the coupling is universal: with it they fall as (M/E)^2, and its own emission of helicity 2
is t/E^2 of the amplitude. Without a coupling to the nucleus they would rise as (t/M^2)^2 for light
bosons. In the language of widths, sigma ~ (2J + 1) Gamma(photons)/M^3: 5/(80 pi) over 1/(64 pi).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray, positive
from na64.models.constants import ALPHA
from na64.models.form_factors import NuclearModel
from na64.models.materials import Element, Material
from na64.models.production.quadrature import logarithmic_nodes
from na64.models.production.sources import PhotonSource

__all__ = ["primakoff_cross_section"]

# Beyond, the form factors leave nothing, in GeV^2.
_LARGEST_T: Final = 4.0
# Fraction of the screening scale below which (a^2 t)^2 leaves nothing.
_SCREENED: Final = 0.03
# Nodes in ln t; doubling them moves the cross-section by less than 1e-5.
_NODES: Final = 64


def primakoff_cross_section(
    energy_gev: ArrayLike,
    mass_gev: ArrayLike,
    target: Element | Material,
    *,
    inelastic: bool = True,
    nuclear: NuclearModel = NuclearModel.DIPOLE,
) -> FloatArray:
    """Return the cross-section of gamma Z -> a Z at g = 1/GeV.

    sigma = (alpha g^2/8) int dt (t - t_min)/t^2 G2(t), t_min = (m^2/2E)^2. It rises with
    the logarithm of t_min for heavy bosons and is flat where atoms screen the nucleus.

    Parameters
    ----------
    energy_gev, mass_gev
        Energies of the photon, scalar or shape (E,), and masses of the boson, scalar or (M,).
    target
        An element, for a cross-section per nucleus, or a material, for the macroscopic one: a
        probability per radiation length, to be multiplied by the photons' track length.
    inelastic, nuclear
        As in `PhotonSource`.

    Returns
    -------
    ndarray
        Shape (E, M), of a boson of spin zero, to be multiplied by g^2 in GeV^-2: GeV^-2 per
        (GeV^-1)^2 of the coupling for an element, GeV^2 per radiation length for a material. Zero
        for masses above the energy.

    Raises
    ------
    InputError
        For energies or masses that are not positive.

    References
    ----------
    Dusaev, Kirpichnikov and Kirsanov, arXiv:2004.04469, eqs. (6)-(8); Tsai, Phys. Rev. D 34,
    1326 (1986).
    """
    source = PhotonSource.of(target, inelastic=inelastic, nuclear=nuclear)
    energy, mass = positive("photon energy", energy_gev), positive("mass", mass_gev)
    t_min = (mass**2 / (2.0 * energy[:, None])) ** 2
    # t - t_min would lose its digits in the rule for t_min, and far below the screening
    # scale nothing is lost by starting later
    floor = np.maximum(t_min, _SCREENED * source.screening_scale_gev2)
    t, weights = logarithmic_nodes(floor, np.full_like(floor, _LARGEST_T), _NODES)
    integrand = (1.0 - t_min[..., None] / t) * source.g2(t)
    total = ALPHA / 8.0 * np.sum(weights * integrand, axis=-1)
    return np.asarray(np.where(mass < energy[:, None], total, 0.0))
