"""The plane of alpha_D and m_chi: which alpha_D a limit excludes for a thermal relic."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.planes import PlaneCurve, check_limits, solved_coupling
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.relic.targets import OMEGA_H2, thermal_target, validity_notes

__all__ = ["ALPHA_D_GRID", "alpha_d_bound", "alpha_d_exclusion", "thermal_alpha_d"]

FloatArray = NDArray[np.float64]

#: alpha_D at which the relic density is solved unless told otherwise
ALPHA_D_GRID: Final = tuple(float(a) for a in np.geomspace(1e-6, 10.0, 15))


def thermal_alpha_d(
    mediator: Mediator,
    sector: DarkSector,
    masses_gev: ArrayLike,
    alphas: ArrayLike = ALPHA_D_GRID,
    *,
    omega_h2: float = OMEGA_H2,
) -> FloatArray:
    """Return thermal couplings on a grid of alpha_D.

    Parameters
    ----------
    mediator, sector
        Portal and dark matter; the sector's own alpha_D is not used.
    masses_gev
        m_chi, shape (M,).
    alphas
        alpha_D, shape (A,).
    omega_h2
        Abundance.

    Returns
    -------
    ndarray
        Shape (A, M); NaN where no coupling below 1 suffices.
    """
    return np.array(
        [
            solved_coupling(
                thermal_target(
                    mediator,
                    DarkSector(sector.species, float(alpha), sector.ratio, sector.splitting),
                    masses_gev,
                    omega_h2=omega_h2,
                )
            )
            for alpha in np.asarray(alphas, float)
        ]
    )


def alpha_d_exclusion(
    mediator: Mediator,
    sector: DarkSector,
    mediator_masses_gev: ArrayLike,
    limit: ArrayLike,
    alphas: ArrayLike = ALPHA_D_GRID,
    *,
    omega_h2: float = OMEGA_H2,
) -> PlaneCurve:
    """Return the alpha_D below which thermal dark matter is excluded, against m_chi.

    The smaller alpha_D, the larger the coupling that the relic density needs: a limit on the
    coupling excludes every alpha_D from 0 to the value at which the thermal coupling
    falls below the limit.

    Parameters
    ----------
    mediator, sector
        Portal and dark matter; the sector's own alpha_D is not used.
    mediator_masses_gev
        Masses of the mediator, shape (M,).
    limit
        Upper limits on the coupling, shape (M,) where they do not depend on alpha_D, or (A, M)
        with one row per value of ``alphas`` where they do (resonant annihilation).
    alphas
        Increasing alpha_D at which the relic density is solved, shape (A,), between 0 and 4 pi.
    omega_h2
        Abundance.

    Returns
    -------
    PlaneCurve
        0 where no alpha_D of the grid is excluded, infinity where all are, NaN where there is
        no limit, or no thermal coupling below one at any alpha_D.

    Raises
    ------
    InputError
        If shapes do not fit, or as `na64.models.relic.targets.thermal_target`.

    References
    ----------
    NA64 draws alpha_D against m_chi in arXiv:1906.00176 and arXiv:2307.02404.
    """
    grid = np.asarray(alphas, float)
    if grid.ndim != 1 or grid.size < 2 or not np.all(np.diff(grid) > 0.0):
        raise InputError("alpha_D must be a list of at least two increasing numbers")
    masses, limits = check_limits(mediator_masses_gev, limit)
    if limits.shape not in ((masses.size,), (grid.size, masses.size)):
        raise InputError(
            f"limits must have shape ({masses.size},) or ({grid.size}, {masses.size}), "
            f"have {limits.shape}"
        )
    thermal = thermal_alpha_d(mediator, sector, masses / sector.ratio, grid, omega_h2=omega_h2)
    return PlaneCurve(
        x=masses / sector.ratio,
        y=alpha_d_bound(thermal, np.broadcast_to(limits, thermal.shape), grid),
        x_name="m_chi",
        y_name="alpha_D",
        assumptions=f"{sector.species.value}, m_mediator = {sector.ratio:g} m_chi, thermal relic",
        notes=validity_notes(sector),
    )


def alpha_d_bound(thermal: FloatArray, limits: FloatArray, alphas: FloatArray) -> FloatArray:
    """Return the alpha_D below which thermal dark matter is excluded, for limits made elsewhere.

    Parameters
    ----------
    thermal
        Thermal couplings, shape (A, M), from `thermal_alpha_d`.
    limits
        Upper limits on the coupling at each alpha_D, shape (..., A, M), NaN for none.
    alphas
        Increasing alpha_D, shape (A,).

    Returns
    -------
    ndarray
        Shape (..., M), with 0, infinity and NaN as in `alpha_d_exclusion`.
    """
    solvable = np.any(np.isfinite(thermal), axis=0)
    # no coupling below one: out of reach for the relic, so as excluded as can be
    reach = np.where(np.isfinite(thermal), thermal, np.inf)
    above = np.log(reach) - np.log(limits)  # positive: this alpha_D is excluded
    known = np.broadcast_to(solvable, above[..., 0, :].shape) & ~np.any(np.isnan(above), axis=-2)
    bound = np.full(known.shape, np.nan)
    columns = np.moveaxis(above, -2, -1)[known]
    bound[known] = [_first_fall(np.log(alphas), column) for column in columns]
    return bound


def _first_fall(log_alpha: FloatArray, above: FloatArray) -> float:
    """alpha_D at which ``above`` first crosses zero from above; 0 or infinity at the ends."""
    allowed = above <= 0.0
    if not np.any(allowed):
        return math.inf
    i = int(np.argmax(allowed))
    if i == 0:
        return 0.0
    if math.isinf(above[i - 1]):
        return math.exp(log_alpha[i - 1])
    # ln of the thermal coupling is linear in ln alpha_D to the extent that y is constant
    fraction = above[i - 1] / (above[i - 1] - above[i])
    return math.exp(log_alpha[i - 1] + fraction * (log_alpha[i] - log_alpha[i - 1]))
