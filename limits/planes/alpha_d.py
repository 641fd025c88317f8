"""The plane of alpha_D and m_chi: which alpha_D a limit excludes for a thermal relic."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.planes.axes import PlaneCurve, check_limits, solved_coupling
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.relic.targets import OMEGA_H2, thermal_target, validity_notes
from na64.models.signals.missing_energy import invisible_branching_at

__all__ = [
    "ALPHA_D_GRID",
    "alpha_d_edges",
    "alpha_d_exclusion",
    "invisible_coupling",
    "thermal_alpha_d",
]

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
    """Return the interval of alpha_D in which thermal dark matter is excluded, against m_chi.

    The smaller alpha_D, the larger the coupling that the relic density needs: a limit on the
    coupling excludes alpha_D up to the value at which the thermal coupling falls below the limit.
    For a very small alpha_D the mediator decays visibly instead, and a search for
    invisible decays excludes nothing.

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
        Values of shape (2, M), the lower and the upper edge: the first of ``alphas`` and infinity
        where the interval is open in the grid. NaN where no alpha_D is excluded, there is no
        limit, or no coupling below one gives the abundance at any alpha_D.

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
    seen = invisible_coupling(mediator, sector, masses, thermal, grid)
    return PlaneCurve(
        x=masses / sector.ratio,
        y=alpha_d_edges(seen, np.broadcast_to(limits, seen.shape), grid),
        x_name="m_chi",
        y_name="alpha_D",
        assumptions=f"{sector.species.value}, m_mediator = {sector.ratio:g} m_chi, thermal relic",
        notes=validity_notes(sector, mediator, masses / sector.ratio),
    )


def invisible_coupling(
    mediator: Mediator,
    sector: DarkSector,
    mediator_masses_gev: FloatArray,
    thermal: FloatArray,
    alphas: FloatArray,
) -> FloatArray:
    """Return the coupling as which a search for invisible decays sees a thermal coupling.

    The events of such a search go with coupling^2 times the invisible branching ratio.

    Parameters
    ----------
    mediator, sector
        Portal and dark matter; the sector's own alpha_D is not used.
    mediator_masses_gev
        Shape (M,).
    thermal
        From `thermal_alpha_d`, shape (A, M). Coupling one stands for "none below one".
    alphas
        Shape (A,).

    Returns
    -------
    ndarray
        Coupling times the root of the branching ratio, shape (A, M); NaN for masses at which no
        alpha_D has a thermal coupling below one.
    """
    coupling = np.where(np.isfinite(thermal), thermal, 1.0)
    branching = [
        invisible_branching_at(
            mediator,
            mediator_masses_gev,
            DarkSector(sector.species, float(alpha), sector.ratio, sector.splitting),
            row,
        )
        for alpha, row in zip(alphas, coupling, strict=True)
    ]
    seen = coupling * np.sqrt(branching)
    return np.asarray(np.where(np.any(np.isfinite(thermal), axis=0), seen, np.nan))


def alpha_d_edges(seen: FloatArray, limits: FloatArray, alphas: FloatArray) -> FloatArray:
    """Return the excluded interval of alpha_D for limits that were made elsewhere.

    Parameters
    ----------
    seen
        Couplings as seen by the search, shape (A, M), from `invisible_coupling`.
    limits
        Upper limits on the coupling at each alpha_D, shape (..., A, M), NaN for none.
    alphas
        Increasing alpha_D, shape (A,).

    Returns
    -------
    ndarray
        Lower and upper edges, shape (2, ..., M), as in `alpha_d_exclusion`. Of several intervals
        the one at the largest alpha_D.
    """
    above = np.log(seen) - np.log(limits)  # positive: this alpha_D is excluded
    known = ~np.any(np.isnan(above), axis=-2)
    edges = np.full((2, *known.shape), np.nan)
    columns = np.moveaxis(above, -2, -1)[known]
    edges[:, known] = (
        np.array([_last_interval(np.log(alphas), column) for column in columns], float)
        .reshape(-1, 2)
        .T
    )
    return edges


def _last_interval(log_alpha: FloatArray, above: FloatArray) -> tuple[float, float]:
    """Interval of alpha_D in which ``above`` is positive; it is straight between the points."""

    def crossing(i: int) -> float:
        fraction = above[i] / (above[i] - above[i + 1])
        return math.exp(log_alpha[i] + fraction * (log_alpha[i + 1] - log_alpha[i]))

    excluded = np.flatnonzero(above > 0.0)
    if not excluded.size:
        return math.nan, math.nan
    last = int(excluded[-1])
    allowed = np.flatnonzero(above[:last] <= 0.0)
    low = crossing(int(allowed[-1])) if allowed.size else math.exp(log_alpha[0])
    return low, crossing(last) if last + 1 < above.size else math.inf
