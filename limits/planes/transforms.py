"""The planes of dark-matter searches: one row per plane, which says its axis and its transform."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.status import Regions
from na64.limits.planes.alpha_d import in_alpha_d
from na64.limits.planes.y import (
    Normalisation,
    describe_sector,
    find_normalisation,
    y_axis,
    y_from_coupling,
)
from na64.limits.results.axes import Axis, Plane, coupling_axis, mass_axis
from na64.limits.results.limit import Limit
from na64.limits.results.origin import Origin
from na64.limits.results.specification import Specification
from na64.limits.scanning.progress import Progress, silent
from na64.limits.scanning.recast import carried_to, recast
from na64.limits.scanning.request import changed_sector, find_mediator
from na64.limits.scanning.runner import run
from na64.limits.scanning.settings import SECTOR
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import available_mediators
from na64.models.relic.targets import OMEGA_H2
from na64.models.signals.rates import TableStore
from na64.models.signals.settings import uses
from na64.workspaces.cards.topologies import topology

__all__ = ["PLANES", "PlaneKind", "find_plane", "redo", "to_plane"]

FloatArray = NDArray[np.float64]
#: value of the plane's variable: options, mediator, dark sector, mediator masses, couplings
Convert = Callable[
    [Mapping[str, Any], Mediator, DarkSector | None, FloatArray, FloatArray], FloatArray
]


@dataclass(frozen=True, slots=True)
class PlaneKind:
    """A plane.

    Attributes
    ----------
    name
        Name in files and for callers.
    axis
        Axis of its variable: options, mediator, name of its mass.
    convert
        Value of the variable at couplings; None where a limit has no such value.
    transform
        Transform of a whole result where there is no `convert`.
    options
        Options with their defaults.
    dark_matter
        Whether masses are those of dark matter, m_chi.
    parameter
        Free coupling that the plane is for; empty for any.
    targets
        Whether thermal targets have a place in it.
    """

    name: str
    axis: Callable[[Mapping[str, Any], Mediator, str], Axis]
    convert: Convert | None
    transform: Callable[..., Limit] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    dark_matter: bool = False
    parameter: str = ""
    targets: bool = False


def _y(
    options: Mapping[str, Any],
    mediator: Mediator,
    sector: DarkSector | None,
    masses: FloatArray,
    coupling: FloatArray,
) -> FloatArray:
    if sector is None:
        raise InputError(f"y needs the dark matter of '{mediator.name}'")
    if coupling_axis(mediator.parameter).unit != "1":
        raise InputError(
            f"the scan limits {mediator.parameter}, not the coupling of a mediator to dark matter"
        )
    return y_from_coupling(coupling, sector, Normalisation(options["normalisation"]))


def _fermion(options: Mapping[str, Any], mediator: Mediator) -> str | None:
    """The fermion whose coupling is drawn, None for the free coupling of a model that is a g."""
    free = options["fermion"] is None and mediator.parameter == "g"
    return None if free else options["fermion"] or "e"


def _g(
    options: Mapping[str, Any],
    mediator: Mediator,
    sector: DarkSector | None,
    masses: FloatArray,
    coupling: FloatArray,
) -> FloatArray:
    if coupling_axis(mediator.parameter).unit != "1":
        raise InputError(
            f"the scan limits {mediator.parameter}, which is no dimensionless coupling"
        )
    fermion = _fermion(options, mediator)
    if fermion is None:
        return coupling
    unit = np.abs(mediator.coupling(fermion, masses**2))
    if not np.all(unit > 0.0):
        raise InputError(f"model '{mediator.name}' does not couple to '{fermion}'")
    return np.asarray(coupling * unit)


def _g_axis(options: Mapping[str, Any], mediator: Mediator, mass: str) -> Axis:
    fermion = _fermion(options, mediator)
    return coupling_axis("g", mass) if fermion is None else coupling_axis(f"g_{fermion}")


def _same(
    options: Mapping[str, Any],
    mediator: Mediator,
    sector: DarkSector | None,
    masses: FloatArray,
    coupling: FloatArray,
) -> FloatArray:
    return coupling


def _free(name: str, parameter: str, *, targets: bool = False) -> PlaneKind:
    """The plane of the free coupling of some models."""
    return PlaneKind(
        name,
        lambda options, mediator, mass: coupling_axis(mediator.parameter, mass),
        _same,
        parameter=parameter,
        targets=targets,
    )


#: every plane by name
PLANES: Final[Mapping[str, PlaneKind]] = {
    row.name: row
    for row in (
        PlaneKind(
            "y",
            lambda options, mediator, mass: y_axis(
                find_normalisation(options["normalisation"]), mediator.parameter, mass
            ),
            _y,
            options={"normalisation": Normalisation.ALPHA_D.value},
            dark_matter=True,
            targets=True,
        ),
        PlaneKind(
            "alpha-d",
            lambda options, mediator, mass: coupling_axis("alpha_D"),
            None,
            in_alpha_d,
            options={"omega_h2": OMEGA_H2},
            dark_matter=True,
        ),
        PlaneKind("g", _g_axis, _g, options={"fermion": None}, targets=True),
        _free("epsilon", "epsilon", targets=True),
        _free("g-agg", "g_agg"),
        _free("br", "br"),
    )
}


def find_plane(name: str) -> PlaneKind:
    """Return the plane of a name, or raise InputError with the nearest match."""
    if name not in PLANES:
        raise unknown_name("plane", name, PLANES)
    return PLANES[name]


def to_plane(
    limit: Limit,
    plane: str,
    *,
    policy: str = "refuse",
    tables: TableStore | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Limit:
    """Return a result in another plane.

    Parameters
    ----------
    limit
        A result in the plane of the coupling.
    plane
        Name of a row of `PLANES`.
    policy
        What becomes of masses at which another dark sector changes the resonance; see
        `na64.limits.scanning.recast.recast`. The plane of alpha_D always recomputes: it needs
        limits at many values.
    tables, progress
        As in `na64.limits.scan`.
    **options
        Options of the plane (``normalisation`` of y; ``fermion`` in the plane of g, whose
        coupling, by default that of the electron or for a model whose free coupling is a g that
        one itself; ``omega_h2``, the abundance in the plane of alpha_D), and ``dark_matter``,
        ``alpha_d``, ``ratio``, ``splitting`` of another dark sector. What is None is the default,
        or that of the result.

    Raises
    ------
    InputError
        Where the yields cannot carry the change and nothing is recomputed or left out; for a
        plane that the result has no place in, and options that are not the plane's.
    """
    kind = find_plane(plane)
    if not limit.plane.is_coupling:
        raise InputError(
            f"the result is in the plane of {limit.plane.name} already: convert the scan itself"
        )
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in kind.options and name not in SECTOR:
            raise unknown_name(f"option of the plane {plane}", name, [*kind.options, *SECTOR])
    own = {name: given.get(name, default) for name, default in kind.options.items()}
    wanted = {name: value for name, value in given.items() if name in SECTOR}
    made = limit.specification
    if kind.dark_matter or wanted:
        _check_dark_sector(made)
    if kind.parameter and kind.parameter != made.mediator.parameter:
        raise InputError(
            f"the scan limits {made.mediator.parameter} of the model '{made.mediator.name}', which "
            f"has no plane of {plane}; {_way_to(kind.parameter, made.mediator)}"
        )
    sector = made.dark_sector
    if wanted:
        sector = changed_sector(made, made.mediator, wanted)
    if kind.dark_matter and sector is None:
        raise InputError(
            f"the scan of {made.search} has no dark matter, whose mass is an axis of this plane: "
            "give `dark_matter`"
        )
    if kind.transform is not None and sector is not None:
        if "alpha_d" in wanted:
            raise InputError(f"the plane of {plane} has all values of alpha_D: leave `alpha_d` out")
        return kind.transform(limit, sector, tables=tables, progress=progress, **own)
    if wanted:
        limit = recast(limit, policy=policy, tables=tables, progress=progress, **wanted)
    return _mapped(limit, kind, own)


def _way_to(parameter: str, mediator: Mediator) -> str:
    """Say how to get a limit on another free coupling: a recast keeps the kind of mediator."""
    models = [item for item in map(find_mediator, available_mediators())
              if item.parameter == parameter]  # fmt: skip
    same = [item.name for item in models if item.kind == mediator.kind]
    if same:
        return f"recast it to the model {' or '.join(same)} first"
    names = " or ".join(item.name for item in models)
    return f"that plane is for the model {names}, which needs a scan of its own"


def _check_dark_sector(made: Specification) -> None:
    """Refuse a signal that does not know of dark matter."""
    for card in made.cards:
        if "dark_sector" not in uses(topology(card.topology).signal()):
            raise InputError(
                f"the scan of {made.search} has nothing to do with dark matter: the signal of the "
                f"topology '{card.topology}' does not depend on it"
            )


def _mapped(limit: Limit, kind: PlaneKind, options: Mapping[str, Any]) -> Limit:
    """Convert every edge."""
    made, sector = limit.specification, limit.specification.dark_sector
    convert = kind.convert
    if convert is None:
        raise InputError(f"the plane of {kind.name} has no conversion")

    def mapped(regions: Sequence[Regions]) -> tuple[Regions, ...]:
        rows = [row for row, found in enumerate(regions) for _ in found]
        edges = [pair for found in regions for pair in found]
        if not edges:
            return tuple(regions)
        masses = made.masses_gev[rows]
        low = convert(options, made.mediator, sector, masses, np.array([a for a, _ in edges]))
        ends = np.array([np.nan if b is None else b for _, b in edges], float)
        high = convert(options, made.mediator, sector, masses, ends)
        result: list[list[tuple[float, float | None]]] = [[] for _ in regions]
        for row, a, b in zip(rows, low.tolist(), high.tolist(), strict=True):
            result[row].append((a, None if np.isnan(b) else b))
        return tuple(tuple(found) for found in result)

    scale = 1.0 / sector.ratio if kind.dark_matter and sector is not None else 1.0
    return replace(
        limit,
        x=mass_axis("m_chi") if kind.dark_matter else limit.x,
        y=kind.axis(options, made.mediator, made.mass_parameter),
        masses_gev=made.masses_gev * scale,
        regions=mapped(limit.regions),
        expected_regions=tuple(mapped(band) for band in limit.expected_regions),
        plane=Plane(
            kind.name,
            dict(options),
            assumptions="" if sector is None else describe_sector(sector),
        ),
    )


def redo(
    limit: Limit,
    *,
    jobs: int = 1,
    tables: TableStore | None = None,
    progress: Progress = silent,
) -> Limit:
    """Compute a result again from what it holds: the scan, what it was carried to, its plane.

    Parameters
    ----------
    limit
        Any result.
    jobs, tables, progress
        As in `na64.limits.scan`.

    Raises
    ------
    InputError
        For a result of a signal that was given and not computed from the specification.
    """
    if limit.origin is not None and limit.origin.given:
        raise InputError(
            f"{limit.specification.search}: the signal was given, not computed from the "
            "specification, and cannot be redone"
        )

    def made(specification: Specification, origin: Origin | None) -> Limit:
        if origin is None:
            return run(specification, jobs=jobs, tables=tables, progress=progress)
        before = made(origin.specification, origin.origin)
        return carried_to(before, specification, origin.policy, tables=tables, progress=progress)

    found = made(limit.specification, limit.origin)
    if limit.plane.is_coupling:
        return found
    return to_plane(
        found, limit.plane.name, tables=tables, progress=progress, **limit.plane.options
    )
