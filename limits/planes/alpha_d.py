"""The plane of alpha_D and m_chi: which alpha_D a limit excludes for a thermal relic."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.status import BAND_ORDER, Regions, Status
from na64.limits.results.axes import Plane, coupling_axis, mass_axis
from na64.limits.results.limit import Limit
from na64.limits.scanning.known import Known
from na64.limits.scanning.progress import Progress, advance, part_of, silent
from na64.limits.scanning.recast import carried_to, carrier, recomputed_note
from na64.limits.scanning.runner import method_warnings
from na64.models.decays.invisible import invisible_branching_at
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.relic.targets import (
    OMEGA_H2,
    ThermalTarget,
    mass_range_gev,
    thermal_target,
    validity_notes,
)
from na64.models.signals.rates import TableStore

__all__ = [
    "ALPHA_D_GRID",
    "alpha_d_edges",
    "alpha_d_exclusion",
    "in_alpha_d",
    "invisible_coupling",
    "solved_coupling",
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
) -> FloatArray:
    """Return the interval of alpha_D in which thermal dark matter is excluded.

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
    ndarray
        Shape (2, M), the lower and the upper edge: the first of ``alphas`` and infinity where the
        interval is open in the grid. NaN where no alpha_D is excluded, there is no limit, or no
        coupling below one gives the abundance at any alpha_D.

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
    masses, limits = np.atleast_1d(np.asarray(mediator_masses_gev, float)), np.asarray(limit, float)
    if limits.shape not in ((masses.size,), (grid.size, masses.size)):
        raise InputError(
            f"limits must have shape ({masses.size},) or ({grid.size}, {masses.size}), "
            f"have {limits.shape}"
        )
    if np.any(limits <= 0.0):
        raise InputError("limits on a coupling must be positive, or NaN for none")
    thermal = thermal_alpha_d(mediator, sector, masses / sector.ratio, grid, omega_h2=omega_h2)
    seen = invisible_coupling(mediator, sector, masses, thermal, grid)
    return alpha_d_edges(seen, np.broadcast_to(limits, seen.shape), grid)


def in_alpha_d(
    limit: Limit,
    sector: DarkSector,
    *,
    omega_h2: float,
    tables: TableStore | None = None,
    progress: Progress = silent,
) -> Limit:
    """Return the interval of alpha_D in which thermal dark matter is excluded, for a result.

    Parameters
    ----------
    limit
        Upper limits on the coupling of a mediator.
    sector
        The relic; its own alpha_D is not used.
    omega_h2
        Abundance.
    tables, progress
        As in `na64.limits.scan`: the limit is scanned anew where it depends on alpha_D.
    """
    made = limit.specification
    portal = made.mediator
    if any(high is not None for found in limit.regions for _, high in found):
        raise InputError(
            f"the scan of {made.search} excludes regions closed towards strong couplings; "
            "the plane of alpha-d is for upper limits"
        )
    masses = made.masses_gev / sector.ratio
    low, high = mass_range_gev(portal, sector)
    inside = (masses >= low) & (masses <= high)
    if not inside.any():
        raise InputError(
            f"the scan has m_chi of {masses[0]:.4g}-{masses[-1]:.4g} GeV; thermal targets are "
            f"known in {low:g}-{high:g} GeV"
        )
    grid = np.array(ALPHA_D_GRID)
    progress("relic density")
    thermal = thermal_alpha_d(portal, sector, masses[inside], grid, omega_h2=omega_h2)
    limits = []
    # limits in events do not change with alpha_D where the shape of the signal over bins does not
    known = Known()
    again = np.zeros(masses.size, bool)
    progress("limits")
    of_all = masses.size * grid.size
    for done, alpha in zip(range(0, of_all, masses.size), grid.tolist(), strict=True):
        varied = replace(
            made, settings=replace(made.settings, dark_sector=replace(sector, alpha_d=alpha))
        )
        if varied != made:
            again |= ~carrier(limit, varied).sound
        part = part_of(progress, done, masses.size, of_all)
        there = carried_to(limit, varied, "recompute", tables=tables, progress=part, known=known)
        advance(progress, done + masses.size, of_all)
        limits.append(np.array([there.observed, *there.expected]))
    at_grid = np.moveaxis(np.array(limits), 0, 1)[:, :, inside]  # (6, alpha_D, mass)
    seen = invisible_coupling(portal, sector, made.masses_gev[inside], thermal, grid)
    edges = np.full((2, 6, masses.size), math.nan)
    edges[:, :, inside] = alpha_d_edges(seen, at_grid, grid)
    solvable = np.zeros(masses.size, bool)
    solvable[inside] = np.any(np.isfinite(thermal), axis=0)
    line = edges[1, 1 + BAND_ORDER.index(0) if limit.expected_only else 0]
    # what holds in any plane: of the method, and of data that there are not
    warnings = [*method_warnings([limit]), *filter(None, (c.projection_note for c in made.cards))]
    warnings += validity_notes(sector, portal, masses[inside])
    if again.any():
        note = recomputed_note(made.masses_gev[again], limit.power)
        warnings.append(f"{note}, at {grid.size} values of alpha_D")
    if np.any(np.isinf(line)):
        warnings.append(f"an open region is excluded to the largest alpha_D tried, {grid[-1]:g}")
    splitting = f", splitting {sector.splitting:g}" if sector.splitting else ""
    return replace(
        limit,
        x=mass_axis("m_chi"),
        y=coupling_axis("alpha_D"),
        masses_gev=masses,
        regions=_regions(edges[:, 0]),
        expected_regions=tuple(_regions(edges[:, 1 + band]) for band in range(len(BAND_ORDER))),
        status=tuple(
            _status(status, known, value)
            for status, known, value in zip(
                limit.status, solvable.tolist(), line.tolist(), strict=True
            )
        ),
        expected_status=limit.expected_status
        and tuple(
            tuple(map(_status, states, solvable.tolist(), edges[1, 1 + band].tolist()))
            for band, states in enumerate(limit.expected_status)
        ),
        warnings=tuple(warnings),
        plane=Plane(
            "alpha-d",
            {
                "omega_h2": omega_h2,
                "dark_matter": sector.species.value,
                "ratio": sector.ratio,
                "splitting": sector.splitting,
            },
            assumptions=f"thermal relic of {sector.species.value}, Omega h^2 = {omega_h2:g}, "
            f"m_mediator = {sector.ratio:g} m_chi{splitting}",
            excluded_below=True,
        ),
    )


def _regions(edges: FloatArray) -> tuple[Regions, ...]:
    """Intervals from lower and upper edges, shape (2, M); an infinite upper edge is open."""
    return tuple(
        () if math.isnan(low) else ((low, None if math.isinf(high) else high),)
        for low, high in edges.T.tolist()
    )


def _status(status: Status, known: bool, bound: float) -> Status:
    if status is not Status.OK:
        return status
    if not known:
        return Status.NO_RELIC
    return Status.NO_EXCLUSION if math.isnan(bound) else Status.OK


def solved_coupling(target: ThermalTarget) -> FloatArray:
    """Return thermal couplings with NaN, as in every plane, where there is none."""
    return np.asarray(np.where(np.isfinite(target.coupling), target.coupling, np.nan))


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
