"""What stands beside limits, in their plane: curves, thermal targets, bounds, g-2."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.figures.drawn import Drawn, Kind, Look
from na64.limits.figures.moments import moment_bands
from na64.limits.figures.published import curve_label, curve_text, published_curve
from na64.limits.figures.style import SPECIES, SPECIES_COLOURS
from na64.limits.figures.thermal import (
    in_plane,
    log_masses,
    published_target,
    refuse_target,
    sector_of,
    shown_masses,
    thermal_lines,
)
from na64.limits.figures.typeset import with_remark
from na64.limits.figures.words import assumed
from na64.limits.planes.alpha_d import alpha_d_exclusion
from na64.limits.planes.bounds import MASS_FLOORS, MassFloor, cmb_limit, landau_pole
from na64.limits.planes.curves import recast_curve
from na64.limits.planes.displaced import islands
from na64.limits.planes.transforms import PLANES
from na64.limits.planes.y import Normalisation, coupling_from_y
from na64.limits.results.limit import Limit
from na64.models.constants import PLANCK_MASS_GEV
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.relic.targets import mass_range_gev
from na64.workspaces.io.curves import Axis as CurveAxis
from na64.workspaces.io.curves import Curve, CurveKind, load_curve
from na64.workspaces.io.tabulated import load_overlay

__all__ = ["BOUNDS", "Beside", "curve_in_plane", "default_overlays", "things_beside"]

FloatArray = NDArray[np.float64]

#: bounds by name: a Landau pole below 1 TeV or the Planck mass, the microwave background, and
#: masses too small for the light elements
BOUNDS: Final = ("landau-tev", "landau-planck", "cmb", *MASS_FLOORS)
_POLES: Final = {
    "landau-tev": (1e3, "1 TeV"),
    "landau-planck": (PLANCK_MASS_GEV, r"$M_\mathrm{Pl}$"),
}
#: masses of a curve per decade in the plane of alpha_D, each for many alpha_D
_COARSE: Final = 60


@dataclass(frozen=True, slots=True)
class Beside:
    """What is drawn beside limits.

    Attributes
    ----------
    overlays
        Published curves, by name or file or by themselves, converted with the dark sector of the
        first limit; bare tables, which have its axes; or things that are in its plane already.
    thermal
        Species of dark matter whose relic targets are drawn: ``scalar``, ``majorana``, ``dirac``,
        ``pseudo-dirac``. Not in the plane of alpha_D, where the limit itself is about relics.
    thermal_alpha_d, thermal_ratio
        For which alpha_D and mass ratios; those of the limits if empty.
    bounds
        Out of `BOUNDS`.
    moments
        Measurements of g-2, out of `na64.models.anomalies.MEASUREMENTS`.
    """

    overlays: tuple[str | os.PathLike[str] | Curve | Drawn, ...] = ()
    thermal: tuple[str, ...] = ()
    thermal_alpha_d: tuple[float, ...] = ()
    thermal_ratio: tuple[float, ...] = ()
    bounds: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.thermal_alpha_d or self.thermal_ratio) and not self.thermal:
            raise InputError(
                "alpha_D and mass ratios are those of thermal targets: say of which species"
            )


def things_beside(
    limits: Sequence[Limit],
    beside: Beside,
    *,
    compared: bool = False,
    span: tuple[float, float] | None = None,
) -> list[Drawn]:
    """Return what is drawn beside limits, in the plane of the first.

    Parameters
    ----------
    limits
        Limits of one variable.
    beside
        What to draw.
    compared
        Whether curves of other searches are there to be compared with, as lines, and not as what
        is excluded already.
    span
        Ends of the axis of masses in GeV, to which relic targets go; those of the limits if None.

    Raises
    ------
    InputError
        For an unknown name, a curve that cannot be converted, or a plane in which something has
        no place.
    """
    first = limits[0]
    curves: list[Drawn] = []
    targets: list[Drawn] = []
    for item in beside.overlays:
        if isinstance(item, Drawn):
            curves.append(item)
            continue
        curve = item if isinstance(item, Curve) else load_overlay(item, *_axes_of(first))
        if curve.kind is CurveKind.THERMAL:
            targets.append(published_target(curve, first))
        else:
            curves.append(curve_in_plane(curve, limits, compared=compared))
    sectors = (beside.thermal, beside.thermal_alpha_d, beside.thermal_ratio)
    lines = thermal_lines(limits, *sectors, span=span)
    own = published_curve(first)
    curves.sort(key=lambda item: item.name != own)  # it has the first look
    bounds = [thing for name in dict.fromkeys(beside.bounds) for thing in _bound(name, limits)]
    moments = [
        band for name in dict.fromkeys(beside.moments) for band in moment_bands(name, limits)
    ]
    return [*curves, *moments, *lines, *targets, *bounds]


def default_overlays(limit: Limit) -> tuple[str, ...]:
    """Return the name of the published curve of a search, if it has a place in the plane."""
    name = published_curve(limit)
    if name is None or not _converts(limit):
        return ()
    try:
        curve = _of_mediator(load_curve(name), limit)
    except InputError:
        return ()
    axes = (curve.x_axis.name, curve.y_axis.name)
    return (name,) if _of_coupling(axes, limit) or axes == (limit.x.name, limit.y.name) else ()


def curve_in_plane(curve: Curve, limits: Sequence[Limit], *, compared: bool = False) -> Drawn:
    """Return a published limit or region in the plane of limits.

    Curves in (mediator mass, coupling) and in (m_chi, y) are converted into each other with
    the dark sector of the first limit. In the plane of alpha_D only a limit on the coupling has a
    place that holds for every dark sector, as a curve without ``assumptions`` claims. A curve of
    another mediator is recast to that of the limit.

    Raises
    ------
    InputError
        For other axes, units other than GeV, a curve that holds for one dark sector only where
        another one would be needed, or one that cannot be recast.
    """
    first = limits[0]
    curve = _of_mediator(curve, first)
    if curve.x_axis.unit != "GeV":
        raise InputError(f"curve {curve.name} has masses in {curve.x_axis.unit}, not GeV")
    axes = (curve.x_axis.name, curve.y_axis.name)
    sector = sector_of(first)
    is_coupling, is_y = _of_coupling(axes, first), axes == ("m_chi", "y")
    as_drawn = axes == (first.x.name, first.y.name) and (
        first.plane.options.get("normalisation", Normalisation.ALPHA_D) == Normalisation.ALPHA_D
    )
    if not (is_coupling or as_drawn or (is_y and sector is not None)):
        raise InputError(
            f"curve {curve.name} is {axes[1]} against {axes[0]}, the limit {first.y.name} against "
            f"{first.x.name}: no place for it in the plane of {first.plane.name} of "
            f"{first.specification.mediator.parameter}"
        )
    x, y, label = np.array(curve.x), np.array(curve.y), curve_label(curve, assumed(first))
    names: dict[str, Any] = {"name": curve.name, "text": curve_text(curve, assumed(first))}
    own = compared or curve.name == published_curve(first)
    if own:
        names["text"] = with_remark(names["text"], "published")
    is_region = curve.kind is CurveKind.REGION
    if as_drawn:
        pass
    elif not _converts(first):
        if is_region or is_y or curve.assumptions:
            raise InputError(
                f"curve {curve.name} holds for {curve.assumptions or 'one dark sector'}; in the "
                f"plane of {first.plane.name} a limit is needed that holds for all: leave it out"
            )
        return replace(_in_alpha_d(curve, label, limits), **names)
    else:
        if is_y and sector is not None:
            x, y = x * sector.ratio, coupling_from_y(y, sector)
        x, y = in_plane(first, x, y)
    if is_region:
        shaded = _is_closed(x, y) or (not own and _is_cut(x))
        kind = Kind.REGION if shaded else Kind.LINE
        return Drawn(label, *_apart(x, y), kind, **names)
    return Drawn(
        label, x, y, Kind.LINE if own or curve.projection else Kind.LIMIT, compared=True, **names
    )


def _axes_of(limit: Limit) -> tuple[CurveAxis, CurveAxis]:
    """Axes of a figure as a curve has them."""
    x, y = (CurveAxis(axis.name, axis.unit) for axis in (limit.x, limit.y))
    return x, y


def _of_mediator(curve: Curve, limit: Limit) -> Curve:
    """Return a curve for the mediator of a limit; one that names no model is taken as it is."""
    mediator = limit.specification.mediator
    if not curve.model or curve.model == mediator.name:
        return curve
    return recast_curve(curve, mediator, sector_of(limit))


def _converts(limit: Limit) -> bool:
    """Whether couplings have a value in the plane of a limit."""
    return limit.plane.is_coupling or PLANES[limit.plane.name].convert is not None


def _of_coupling(axes: tuple[str, str], limit: Limit) -> bool:
    """Whether axes are the mass of a mediator and the free coupling of that of a limit."""
    is_mass = axes[0].startswith("m_") and axes[0] != "m_chi"
    return is_mass and axes[1] == limit.specification.mediator.parameter


def _apart(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A path with gaps between its islands."""
    around: list[list[FloatArray]] = [[], []]
    for island in islands(x, y):
        for axis in range(2):
            around[axis] += [np.array([np.nan])] if around[axis] else []
            around[axis].append(island[axis])
    return np.concatenate(around[0]), np.concatenate(around[1])


def _is_closed(x: FloatArray, y: FloatArray) -> bool:
    """Whether a path ends where it began; a published region may be cut off by its axes."""
    ends = np.log([x[[0, -1]], y[[0, -1]]])
    return bool(np.all(np.abs(ends[:, 1] - ends[:, 0]) < [0.1, 0.5]))


def _is_cut(x: FloatArray) -> bool:
    """Whether a path ends at the mass where it began: a region that its source cuts off there."""
    return bool(abs(np.log(x[-1] / x[0])) < 0.1)


def _in_alpha_d(curve: Curve, label: str, limits: Sequence[Limit]) -> Drawn:
    """What a limit on the coupling excludes of alpha_D of the first relic."""
    made, sector = limits[0].specification, sector_of(limits[0])
    if sector is None:
        raise InputError("the plane of alpha_D is that of a relic, and there is none")
    lightest, heaviest = (edge * sector.ratio for edge in mass_range_gev(made.mediator, sector))
    masses = log_masses(max(lightest, curve.x[0]), min(heaviest, curve.x[-1]), _COARSE)
    low, high = alpha_d_exclusion(made.mediator, sector, masses, curve.at(masses))
    known = np.isfinite(low) & np.isfinite(high)
    if len({sector_of(limit) for limit in limits}) > 1:
        label = f"{label}, {SPECIES[sector.species.value]}"
    x = masses[known] / sector.ratio
    return Drawn(label, x, high[known], Kind.LIMIT, until=low[known])


def _bound(name: str, limits: Sequence[Limit]) -> list[Drawn]:
    if name in MASS_FLOORS:
        return [_floor(name, MASS_FLOORS[name], limits[0])]
    if name in _POLES:
        return _landau_levels(limits, name)
    if name == "cmb":
        return [_cmb(limits)]
    raise unknown_name("bound", name, BOUNDS)


def _floor(name: str, floor: MassFloor, like: Limit) -> Drawn:
    """The masses below a bound on m_chi; for another axis with the ratio of the limit."""
    sector = sector_of(like)
    if sector is None:
        raise InputError(
            f"a bound on m_chi ({floor.source}) has no place beside a limit without dark matter"
        )
    edge = floor.mass_gev * (1.0 if like.x.name == "m_chi" else sector.ratio)
    text = floor.label.split(" (")[0]
    return Drawn(floor.label, np.array([edge]), np.array([]), Kind.FLOOR, name=name, text=text)


def _landau_levels(limits: Sequence[Limit], name: str) -> list[Drawn]:
    if limits[0].y.name != "alpha_D":
        raise InputError(f"{name} is a bound on alpha_D: it belongs in the plane of alpha-d")
    scale, text = _POLES[name]
    species = dict.fromkeys(sector.species for sector in map(sector_of, limits) if sector)
    by_value: dict[float, list[DarkMatter]] = {}
    for kind in species:
        by_value.setdefault(landau_pole(kind, scale), []).append(kind)
    levels = []
    for value, kinds in by_value.items():
        whose = f" ({', '.join(SPECIES[kind] for kind in kinds)})" if len(species) > 1 else ""
        look = None
        if len(by_value) > 1 and len(kinds) == 1:
            look = Look(SPECIES_COLOURS[kinds[0]], (0, (1.5, 2)), 1.1, order=2.5)
        label = f"Landau pole below {text}{whose}"
        at = np.array([value])
        levels.append(Drawn(label, np.array([]), at, Kind.LEVEL, look=look, name=f"{name}{whose}"))
    return levels


def _cmb(limits: Sequence[Limit]) -> Drawn:
    """The bound of the microwave background on Dirac matter, in the plane of the limits."""
    first = limits[0]
    refuse_target(first, "bound of the microwave background")
    sector = sector_of(first)
    if sector is None:
        raise InputError("no bound of the microwave background on a limit without dark matter")
    dirac = DarkSector(DarkMatter.DIRAC, sector.alpha_d, sector.ratio)
    x = shown_masses(limits)
    chi = x if first.x.name == "m_chi" else x / dirac.ratio
    coupling = cmb_limit(first.specification.mediator, dirac, chi)
    x, values = in_plane(first, chi * dirac.ratio, coupling, dirac)
    look = Look(SPECIES_COLOURS[dirac.species], (0, (1.5, 1.5)), 1.2)
    label = "CMB, symmetric Dirac (arXiv:1807.06209)"
    return Drawn(label, x, values, look=look, name="cmb", text="CMB, symmetric Dirac")
