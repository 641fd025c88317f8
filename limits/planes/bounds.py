"""Bounds on dark matter from elsewhere: Landau poles, the microwave background, light elements."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.constants import GEV2_TO_CM2, HBAR_C_GEV_CM, HBAR_GEV_S, PLANCK_MASS_GEV
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.relic.analytic import partial_wave, velocity_coefficient

__all__ = ["CMB_LIMIT_CM3_S_GEV", "MASS_FLOORS", "MassFloor", "cmb_limit", "landau_pole"]

FloatArray = NDArray[np.float64]

#: f_eff <sigma v>/m of self-conjugate dark matter, 95 % CL: Planck 2018, arXiv:1807.06209, sec. 7
CMB_LIMIT_CM3_S_GEV: Final = 3.2e-28
_GEV2_TO_CM3_S: Final = GEV2_TO_CM2 * HBAR_C_GEV_CM / HBAR_GEV_S


@dataclass(frozen=True, slots=True)
class MassFloor:
    """Smallest mass of dark matter in equilibrium with the plasma, from one set of data.

    Attributes
    ----------
    mass_gev
        Lower bound.
    confidence
        As published.
    source
        Paper.
    valid_for
        What the bound assumes.
    label
        Text in a figure, with the source.
    """

    mass_gev: float
    confidence: str
    source: str
    valid_for: str
    label: str


#: lower bounds on m_chi for an optional shaded band, by the data they use
MASS_FLOORS: Final = {
    "bbn": MassFloor(
        0.4e-3,
        "2 sigma",
        "Sabti, Alvey, Escudero, Fairbairn and Blas, arXiv:1910.01649",
        "any spin, number of states and final state",
        "too light for BBN (arXiv:1910.01649)",
    ),
    "bbn+cmb": MassFloor(
        3.7e-3,
        "2 sigma",
        "Sabti, Alvey, Escudero, Fairbairn and Blas, arXiv:1910.01649",
        "any spin; annihilation to electrons and photons only, or to neutrinos only, and no other "
        "relativistic species",
        r"too light for BBN and CMB $N_\mathrm{eff}$ (arXiv:1910.01649)",
    ),
}


def landau_pole(
    species: DarkMatter,
    scale_gev: float = PLANCK_MASS_GEV,
    *,
    mediator_mass_gev: float = 0.01,
    higgs_charge: float | None = None,
) -> float:
    """Return the largest alpha_D at the mediator's mass with no Landau pole below a scale.

    alpha_D = 2 pi/(b ln(scale/M)), b = 4/3 for Dirac and pseudo-Dirac, 1/3 for complex scalar, 2/3
    for Majorana dark matter, plus q^2/3 for a dark Higgs of charge q.

    Parameters
    ----------
    species
        Dark matter.
    scale_gev
        Where the pole may be at the earliest.
    mediator_mass_gev
        M, where running begins; the bound depends on it logarithmically.
    higgs_charge
        Charge of the dark Higgs in units of that of dark matter, 0 for none. By default 2 for
        fermions, whose mass term it must break, and 1 for scalars: with M = 10 MeV these give
        the bounds that NA64 quotes, 0.8 (scalar) and 0.2 (fermions) for a pole above 1 TeV,
        0.2 and 0.05 above the Planck mass.

    Raises
    ------
    InputError
        If the scale is not above the mass.
    """
    if not 0.0 < mediator_mass_gev < scale_gev < math.inf:
        raise InputError(
            f"the scale of the Landau pole, {scale_gev:g} GeV, must be above the mass of the "
            f"mediator, {mediator_mass_gev:g} GeV"
        )
    matter = {DarkMatter.SCALAR: 1.0 / 3.0, DarkMatter.MAJORANA: 2.0 / 3.0}.get(species, 4.0 / 3.0)
    if higgs_charge is None:
        higgs_charge = 1.0 if species is DarkMatter.SCALAR else 2.0
    slope = matter + higgs_charge**2 / 3.0
    return 2.0 * math.pi / (slope * math.log(scale_gev / mediator_mass_gev))


def cmb_limit(
    mediator: Mediator,
    sector: DarkSector,
    masses_gev: ArrayLike,
    *,
    deposited_fraction: float = 0.2,
) -> FloatArray:
    """Return the coupling above which annihilation would disturb the microwave background.

    f_eff <sigma v>_eff/m < 3.2e-28 cm^3/s/GeV (Planck 2018, 95 % CL), where <sigma v>_eff counts
    as for self-conjugate dark matter: half of the pair's for Dirac. Decays to neutrinos do not
    count. Only annihilation in the s wave survives until recombination: symmetric Dirac.

    Parameters
    ----------
    mediator, sector
        Portal and dark matter.
    masses_gev
        m_chi, shape (M,).
    deposited_fraction
        f_eff, an assumption; 0.2 is at the weak end for light charged final states (Slatyer,
        arXiv:1506.03811).

    Returns
    -------
    ndarray
        Upper limits, shape (M,). NaN, no limit, for p-wave annihilation (complex scalar,
        Majorana), for pseudo-Dirac states with a splitting, whose heavier state is gone, and
        where annihilation at rest is closed.

    Raises
    ------
    InputError
        For a fraction outside 0-1 or a mass that is not positive.
    """
    if not 0.0 < deposited_fraction <= 1.0:
        raise InputError(
            f"deposited fraction must be above 0 and at most 1, is {deposited_fraction}"
        )
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    if not np.all(np.isfinite(masses) & (masses > 0.0)):
        raise InputError("masses must be positive and finite")
    if partial_wave(sector) > 0 or sector.splitting > 0.0:
        return np.full(masses.shape, np.nan)
    unit = velocity_coefficient(mediator, sector, masses, neutrinos=False) * _GEV2_TO_CM3_S
    allowed = CMB_LIMIT_CM3_S_GEV * masses / deposited_fraction
    is_open = unit > 0.0
    return np.asarray(np.where(is_open, np.sqrt(allowed / np.where(is_open, unit, 1.0)), np.nan))
