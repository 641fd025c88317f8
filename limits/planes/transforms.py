"""From a stored scan to the planes of dark-matter searches; nothing is rescaled silently."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.planes.alpha_d import (
    ALPHA_D_GRID,
    alpha_d_edges,
    invisible_coupling,
    thermal_alpha_d,
)
from na64.limits.planes.axes import (
    Normalisation,
    describe_sector,
    find_normalisation,
    y_definition,
    y_from_coupling,
)
from na64.limits.results.limit import Exclusion, Regions, Status
from na64.limits.results.plane_limit import Plane, PlaneLimit, find_plane
from na64.limits.results.provenance import provenance
from na64.limits.scanning.rescanning import (
    at_sector,
    check_dark_sector,
    dark_sector_of,
    mediator_of,
)
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.dark_sector import dark_matter as species_of
from na64.models.mediators.protocol import Mediator
from na64.models.relic.targets import MASS_RANGE_GEV, OMEGA_H2, validity_notes
from na64.models.signals.rates import TableStore

__all__ = ["to_plane"]

FloatArray = NDArray[np.float64]

#: planes whose variable is the free coupling of the model, and the name of that coupling
_FREE_COUPLING: Final = {Plane.EPSILON: "epsilon", Plane.G_AGG: "g_agg", Plane.BR: "br"}
_UNITS: Final = {Plane.G_AGG: "GeV^-1"}


def to_plane(
    exclusion: Exclusion,
    plane: str,
    *,
    dark_matter: str | None = None,
    alpha_d: float | None = None,
    ratio: float | None = None,
    splitting: float | None = None,
    normalisation: str = Normalisation.ALPHA_D,
    fermion: str | None = None,
    omega_h2: float = OMEGA_H2,
    recompute: bool = False,
    leave_out: bool = False,
    original: Mediator | None = None,
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
) -> PlaneLimit:
    """Return the limit of a scan in another plane.

    Parameters
    ----------
    exclusion
        The scan.
    plane
        ``y``, ``alpha-d``, ``g``, ``epsilon``, ``g-agg`` or ``br``; see
        `na64.limits.results.plane_limit.Plane`.
    dark_matter, alpha_d, ratio, splitting
        Dark sector, that of the scan where None. In the plane of alpha_D there is no one value.
    normalisation
        Of y: ``alpha-d`` or ``product``.
    fermion
        In the plane of g, whose coupling; by default that of the electron, or for a model whose
        free coupling is a g, that one itself.
    omega_h2
        Abundance, in the plane of alpha_D.
    recompute
        Whether masses at which another dark sector changes the resonance are scanned anew, from
        the card stored with the scan; otherwise they are refused. The plane of alpha_D always
        does so: it needs limits at many values.
    leave_out
        Whether such masses are left out instead.
    original
        The mediator of the scan, if it is neither built in nor installed.
    tables, progress
        As in `na64.limits.scan`.

    Raises
    ------
    InputError
        Where the stored yields cannot carry the change; the message names the scan to run. For
        a plane that the scan has no place in, and for parameters that are not allowed.
    """
    chosen = find_plane(plane)
    if chosen is Plane.ALPHA_D and alpha_d is not None:
        raise InputError("the plane of alpha-d has all values of alpha_D: choose none")
    if recompute and leave_out:
        raise InputError("masses can be scanned anew or left out, not both")
    chosen_y = find_normalisation(normalisation)
    old = dark_sector_of(exclusion)
    if chosen.against_dark_matter or any(
        item is not None for item in (dark_matter, alpha_d, ratio, splitting)
    ):
        check_dark_sector(exclusion)
    sector = _changed(old, dark_matter, alpha_d, ratio, splitting)
    if chosen.against_dark_matter and sector is None:
        raise InputError(
            f"the scan of {exclusion.search} has no dark matter, whose mass is an axis of this "
            "plane: name it, --dark-matter"
        )
    if chosen is Plane.ALPHA_D and sector is not None:
        return _in_alpha_d(
            exclusion, mediator_of(exclusion, original), sector, omega_h2, tables, progress
        )
    notes: tuple[str, ...] = ()
    if sector is not None and sector != old:
        exclusion, again = at_sector(
            exclusion,
            mediator_of(exclusion, original),
            sector,
            repeat=recompute,
            leave_out=leave_out,
            tables=tables,
            progress=progress,
        )
        notes = _recomputed(again, f"{_what_changes(exclusion)} with the changed dark sector")
    notes += tuple(exclusion.provenance.get("warnings", ()))
    if chosen is Plane.Y and sector is not None:
        return _mapped(
            exclusion,
            chosen,
            lambda coupling: y_from_coupling(coupling, sector, chosen_y),
            x_scale=1.0 / sector.ratio,
            y_name=y_definition(chosen_y, exclusion.parameter),
            normalisation=chosen_y,
            notes=notes,
        )
    unit, name = _unit(exclusion, chosen, fermion, original)
    return _mapped(exclusion, chosen, lambda coupling: coupling * unit, y_name=name, notes=notes)


def _changed(
    old: DarkSector | None,
    dark_matter: str | None,
    alpha_d: float | None,
    ratio: float | None,
    splitting: float | None,
) -> DarkSector | None:
    """The dark sector of the scan with what the caller wants otherwise."""
    if old is None:
        if dark_matter is None:
            return None
        old = DarkSector()
    species = old.species if dark_matter is None else species_of(dark_matter)
    kept = old.splitting if species is old.species else 0.0
    return DarkSector(
        species,
        old.alpha_d if alpha_d is None else alpha_d,
        old.ratio if ratio is None else ratio,
        kept if splitting is None else splitting,
    )


def _recomputed(masses: FloatArray, why: str) -> tuple[str, ...]:
    if not masses.size:
        return ()
    where = f"{masses.size} mediator masses, {masses[0]:.4g}-{masses[-1]:.4g} GeV"
    if masses.size == 1:
        where = f"a mediator mass of {masses[0]:.4g} GeV"
    return (f"scanned anew at {where}, where {why}",)


def _what_changes(exclusion: Exclusion) -> str:
    """What of a signal the stored yields cannot carry to another dark sector."""
    # decays of the dark matter itself change with all of it
    return "annihilation changes" if exclusion.power is not None else "the signal changes"


def _unit(
    exclusion: Exclusion, plane: Plane, fermion: str | None, original: Mediator | None
) -> tuple[FloatArray, str]:
    """Value of the plane's variable per unit of the free coupling, and its name."""
    masses = exclusion.masses_gev
    if plane in _FREE_COUPLING:
        if exclusion.parameter != _FREE_COUPLING[plane]:
            raise InputError(
                f"the scan limits {exclusion.parameter} of the model '{exclusion.model}', which "
                f"has no plane of {plane.value}; recast it to another model first"
            )
        return np.ones(len(masses)), exclusion.parameter
    if fermion is None and exclusion.parameter == "g":
        return np.ones(len(masses)), "g"
    portal = mediator_of(exclusion, original)
    chosen = fermion or "e"
    unit = np.abs(portal.coupling(chosen, masses**2))
    if not np.all(unit > 0.0):
        raise InputError(f"model '{portal.name}' does not couple to '{chosen}'")
    return np.asarray(unit), f"g_{chosen}"


def _mapped(
    exclusion: Exclusion,
    plane: Plane,
    convert: Callable[[FloatArray], FloatArray],
    *,
    y_name: str,
    x_scale: float = 1.0,
    normalisation: Normalisation | None = None,
    notes: tuple[str, ...] = (),
) -> PlaneLimit:
    """Convert every limit and edge; ``convert`` takes and gives one value per mass."""
    depth = max((len(found) for found in exclusion.regions), default=0)
    edges = np.full((depth, 2, len(exclusion.masses_gev)), math.nan)
    for row, found in enumerate(exclusion.regions):
        for number, (low, high) in enumerate(found):
            edges[number, :, row] = low, math.nan if high is None else high
    edges = np.array([[convert(edge) for edge in pair] for pair in edges])
    regions: tuple[Regions, ...] = tuple(
        tuple(
            (float(edges[k, 0, row]), None if pair[1] is None else float(edges[k, 1, row]))
            for k, pair in enumerate(found)
        )
        for row, found in enumerate(exclusion.regions)
    )
    sector = dark_sector_of(exclusion)
    return PlaneLimit(
        **_common(exclusion),
        plane=plane,
        x_name="m_chi" if plane.against_dark_matter else exclusion.mass_parameter,
        y_name=y_name,
        y_unit=_UNITS.get(plane, "1"),
        normalisation=normalisation,
        dark_matter=exclusion.dark_matter,
        alpha_d=exclusion.alpha_d,
        ratio=exclusion.ratio,
        splitting=0.0 if sector is None else sector.splitting,
        masses_gev=exclusion.masses_gev * x_scale,
        regions=regions,
        expected=np.array([convert(row) for row in exclusion.expected]),
        status=tuple(status.value for status in exclusion.status),
        assumptions="" if sector is None else describe_sector(sector),
        notes=notes,
    )


def _common(exclusion: Exclusion) -> Mapping[str, Any]:
    same = (
        "search",
        "title",
        "model",
        "parameter",
        "mass_parameter",
        "confidence_level",
        "method",
        "production",
        "expected_only",
    )
    return {
        **{name: getattr(exclusion, name) for name in same},
        "provenance": provenance(
            scan={**exclusion.provenance, "content_digest": exclusion.content_digest}
        ),
    }


def _in_alpha_d(
    exclusion: Exclusion,
    portal: Mediator,
    sector: DarkSector,
    omega_h2: float,
    tables: TableStore | None,
    progress: Callable[[str], object],
) -> PlaneLimit:
    """The interval of alpha_D in which the thermal coupling is excluded."""
    if any(high is not None for found in exclusion.regions for _, high in found):
        raise InputError(
            f"the scan of {exclusion.search} excludes regions closed towards strong couplings; "
            "the plane of alpha-d is for upper limits"
        )
    masses = exclusion.masses_gev / sector.ratio
    low, high = MASS_RANGE_GEV
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
    again = np.array([])
    for alpha in grid.tolist():
        varied = DarkSector(sector.species, alpha, sector.ratio, sector.splitting)
        at_alpha, lost = at_sector(
            exclusion, portal, varied, repeat=True, tables=tables, progress=progress
        )
        limits.append(np.array([at_alpha.observed, *at_alpha.expected]))
        again = np.union1d(again, lost)
    at_grid = np.moveaxis(np.array(limits), 0, 1)[:, :, inside]  # (6, alpha_D, mass)
    seen = invisible_coupling(portal, sector, exclusion.masses_gev[inside], thermal, grid)
    edges = np.full((2, 6, masses.size), math.nan)
    edges[:, :, inside] = alpha_d_edges(seen, at_grid, grid)
    solvable = np.zeros(masses.size, bool)
    solvable[inside] = np.any(np.isfinite(thermal), axis=0)
    line = edges[1, 3 if exclusion.expected_only else 0]
    notes = [
        *validity_notes(sector, portal, masses[inside]),
        *_recomputed(
            again, f"{_what_changes(exclusion)} with alpha_D, at {grid.size} values of alpha_D"
        ),
    ]
    if np.any(np.isinf(line)):
        notes.append(f"an open region is excluded to the largest alpha_D tried, {grid[-1]:g}")
    expected = edges[1, 1:]
    return PlaneLimit(
        **_common(exclusion),
        plane=Plane.ALPHA_D,
        x_name="m_chi",
        y_name="alpha_D",
        y_unit="1",
        normalisation=None,
        dark_matter=sector.species.value,
        alpha_d=None,
        ratio=sector.ratio,
        splitting=sector.splitting,
        masses_gev=masses,
        regions=tuple(_interval(low, high) for low, high in edges[:, 0].T.tolist()),
        expected=np.where(np.isfinite(expected), expected, math.nan),
        status=tuple(
            _status(status, known, float(value))
            for status, known, value in zip(exclusion.status, solvable, line, strict=True)
        ),
        assumptions=f"thermal relic of {sector.species.value}, Omega h^2 = {omega_h2:g}, "
        f"m_mediator = {sector.ratio:g} m_chi"
        + (f", splitting {sector.splitting:g}" if sector.splitting else ""),
        notes=tuple(notes),
    )


def _interval(low: float, high: float) -> Regions:
    return () if math.isnan(low) else ((low, None if math.isinf(high) else high),)


def _status(status: Status, known: bool, bound: float) -> str:
    if status is not Status.OK:
        return status.value
    if not known:
        return "no-relic"
    return Status.NO_EXCLUSION.value if math.isnan(bound) else Status.OK.value
