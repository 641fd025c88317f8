"""Thermal targets, published curves and bounds, converted to the plane of a limit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from na64.limits.figures.plane_figure import plane_figure
from na64.limits.figures.plane_legend import Level, PlaneOverlay, ThermalLine
from na64.limits.figures.published import curve_label, published_curve
from na64.limits.figures.style import SPECIES
from na64.limits.planes.alpha_d import alpha_d_exclusion
from na64.limits.planes.axes import (
    Normalisation,
    coupling_from_y,
    solved_coupling,
    y_from_coupling,
)
from na64.limits.planes.bounds import MASS_FLOORS, cmb_limit, landau_pole
from na64.limits.results.plane_limit import Plane, PlaneLimit
from na64.models.constants import PLANCK_MASS_GEV
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.dark_sector import DarkMatter, DarkSector, dark_matter
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import mediator
from na64.models.relic.targets import MASS_RANGE_GEV, thermal_target, validity_notes
from na64.workspaces.io.curves import Curve, CurveKind, load_curve

__all__ = [
    "BOUNDS",
    "default_overlays",
    "draw_planes",
    "overlay_in_plane",
    "thermal_line",
    "thermal_notes",
]

FloatArray = NDArray[np.float64]

#: what ``--bound`` may name: a Landau pole below 1 TeV or the Planck mass, the microwave
#: background, and masses too small for the light elements
BOUNDS: Final = ("landau-tev", "landau-planck", "cmb", *MASS_FLOORS)
_POLES: Final = {
    "landau-tev": (1e3, "1 TeV"),
    "landau-planck": (PLANCK_MASS_GEV, r"$M_\mathrm{Pl}$"),
}
#: masses of a thermal line per decade: the phi at m_chi = 0.5 GeV needs them
_DENSITY: Final = 150
#: masses of a curve per decade in the plane of alpha_D, each for many alpha_D
_COARSE: Final = 60


def draw_planes(
    planes: Sequence[PlaneLimit],
    *,
    thermal: Sequence[str] = (),
    thermal_alpha_d: Sequence[float] = (),
    thermal_ratio: Sequence[float] = (),
    overlays: Sequence[str | os.PathLike[str]] = (),
    bounds: Sequence[str] = (),
    portal: Mediator | None = None,
    names: Sequence[str] = (),
) -> Figure:
    """Draw limits in one plane with what their assumptions allow beside them.

    Parameters
    ----------
    planes
        One or more limits in the same plane; the first has its bands.
    thermal
        Species of dark matter whose relic targets are drawn: ``scalar``, ``majorana``, ``dirac``,
        ``pseudo-dirac``. Not in the plane of alpha_D, where the limit itself is about relics.
    thermal_alpha_d, thermal_ratio
        For which alpha_D and mass ratios; those of the limits if empty.
    overlays
        Published curves, by name or file, converted with the dark sector of the first limit;
        in the plane of alpha_D for its relic.
    bounds
        Out of `BOUNDS`.
    portal
        The mediator of the limits, if it is neither built in nor installed.
    names
        Names of the limits, such as their files, for those that nothing else tells apart.

    Raises
    ------
    InputError
        For an unknown name, a curve that cannot be converted, or a plane in which it has no
        place.
    """
    if not planes:
        raise InputError("nothing to draw: no limit given")
    first = planes[0]
    chosen = portal
    if chosen is None and (thermal or bounds or overlays):
        chosen = mediator(first.model)
    lines, levels, floors = [], [], []
    curves = [load_curve(os.fspath(name)) for name in overlays]
    shown = []
    for curve in curves:
        if curve.kind is CurveKind.THERMAL:
            lines.append(_published_target(curve, first))
        elif chosen is not None:
            overlay = overlay_in_plane(curve, first, chosen)
            if first.plane is Plane.ALPHA_D and len({item.dark_matter for item in planes}) > 1:
                relic = SPECIES[str(first.dark_matter)]
                overlay = replace(overlay, label=f"{overlay.label}, {relic}")
            shown.append(overlay)
    if thermal and chosen is not None:
        lines = [*_thermal_lines(planes, chosen, thermal, thermal_alpha_d, thermal_ratio), *lines]
    for name in dict.fromkeys(bounds):
        if name in MASS_FLOORS:
            floors.append(MASS_FLOORS[name])
        elif name in _POLES:
            levels += _landau_levels(planes, name)
        elif name == "cmb" and chosen is not None:
            shown.append(_cmb(first, chosen))
        else:
            raise unknown_name("bound", name, BOUNDS)
    return plane_figure(
        planes, thermal=lines, overlays=shown, levels=levels, floors=floors, names=names
    )


def thermal_line(
    portal: Mediator, sector: DarkSector, like: PlaneLimit, masses_gev: FloatArray
) -> ThermalLine:
    """Return the relic target of a dark sector in the plane of a limit.

    Parameters
    ----------
    portal, sector
        Mediator and dark matter.
    like
        The limit whose plane and normalisation are used: y, epsilon or g.
    masses_gev
        Masses on the axis of that plane, shape (M,).
    """
    chi = masses_gev if like.plane.against_dark_matter else masses_gev / sector.ratio
    low, high = MASS_RANGE_GEV
    chi = chi[(chi >= low) & (chi <= high)]
    if not chi.size:
        raise InputError(
            f"no thermal target in this figure: they are known for m_chi in {low:g}-{high:g} GeV"
        )
    coupling = solved_coupling(thermal_target(portal, sector, chi))
    if like.plane is Plane.Y:
        chosen_y = like.normalisation or Normalisation.ALPHA_D
        x, values = chi, y_from_coupling(coupling, sector, chosen_y)
    else:
        x = chi * sector.ratio
        values = coupling * _per_coupling(like, portal, x)
    return ThermalLine(
        sector.species.value, sector.alpha_d, sector.ratio, sector.splitting, x, values
    )


def overlay_in_plane(curve: Curve, like: PlaneLimit, portal: Mediator) -> PlaneOverlay:
    """Return a published limit or region in the plane of a limit.

    Curves in (mediator mass, coupling) and in (m_chi, y) are converted into each other with
    the dark sector of the limit. In the plane of alpha_D only a limit on the coupling has a place
    that holds for every dark sector, as a curve without ``assumptions`` claims.

    Raises
    ------
    InputError
        For other axes, units other than GeV, or a curve that holds for one dark sector only,
        where another one would be needed.
    """
    if curve.x_axis.unit != "GeV":
        raise InputError(f"curve {curve.name} has masses in {curve.x_axis.unit}, not GeV")
    x, y = np.array(curve.x), np.array(curve.y)
    axes = (curve.x_axis.name, curve.y_axis.name)
    sector = like.sector()
    is_coupling = axes[1] == like.parameter and axes[0].startswith("m_") and axes[0] != "m_chi"
    is_y = axes == ("m_chi", "y")
    if not (is_coupling or (is_y and sector is not None)):
        raise InputError(
            f"curve {curve.name} is {axes[1]} against {axes[0]}: no place for it in the plane of "
            f"{like.plane.value} of {like.parameter}"
        )
    shown = PlaneOverlay(
        curve_label(curve, like),
        x,
        y,
        closed=curve.kind is CurveKind.REGION,
        compared=curve.name == published_curve(like.search),
    )
    if is_y and sector is not None:
        if like.plane is Plane.Y and like.normalisation is Normalisation.ALPHA_D:
            return shown
        x, y = x * sector.ratio, coupling_from_y(y, sector)
    if like.plane is Plane.Y and sector is not None:
        chosen_y = like.normalisation or Normalisation.ALPHA_D
        return replace(
            shown, masses_gev=x / sector.ratio, values=y_from_coupling(y, sector, chosen_y)
        )
    if like.plane is not Plane.ALPHA_D:
        return replace(shown, masses_gev=x, values=y * _per_coupling(like, portal, x))
    if sector is None or shown.closed or curve.assumptions or is_y:
        raise InputError(
            f"curve {curve.name} holds for {curve.assumptions or 'one dark sector'}; in the "
            "plane of alpha-d a limit is needed that holds for all: leave it out"
        )
    lightest, heaviest = (edge * sector.ratio for edge in MASS_RANGE_GEV)
    masses = _log_masses(max(lightest, x[0]), min(heaviest, x[-1]), _COARSE)
    excluded = alpha_d_exclusion(portal, sector, masses, curve.at(masses))
    low, high = np.where(np.isfinite(excluded.y), excluded.y, np.nan)
    known = np.isfinite(low) & np.isfinite(high)
    path = np.concatenate([low[known], high[known][::-1]])
    around = np.concatenate([excluded.x[known], excluded.x[known][::-1]])
    return replace(shown, masses_gev=around, values=path, closed=True)


def _log_masses(low: float, high: float, density: int = _DENSITY) -> FloatArray:
    count = max(2, round(density * np.log10(high / low)))
    return np.clip(np.geomspace(low, high, count), low, high)


def thermal_notes(
    planes: Sequence[PlaneLimit],
    thermal: Sequence[str],
    thermal_alpha_d: Sequence[float] = (),
    thermal_ratio: Sequence[float] = (),
    portal: Mediator | None = None,
) -> tuple[str, ...]:
    """Return what a reader of the thermal targets in a figure must know, each thing once.

    Parameters
    ----------
    planes, thermal, thermal_alpha_d, thermal_ratio, portal
        As in `draw_planes`.
    """
    if not thermal:
        return ()
    chosen = mediator(planes[0].model) if portal is None else portal
    masses = _shown_masses(planes)
    against_chi = planes[0].plane.against_dark_matter
    notes = [
        note
        for sector in _thermal_sectors(planes, thermal, thermal_alpha_d, thermal_ratio)
        for note in validity_notes(sector, chosen, masses / (1.0 if against_chi else sector.ratio))
    ]
    return tuple(dict.fromkeys(notes))


def _shown_masses(planes: Sequence[PlaneLimit]) -> FloatArray:
    low = min(float(item.masses_gev[0]) for item in planes)
    high = max(float(item.masses_gev[-1]) for item in planes)
    return _log_masses(low, high)


def _thermal_lines(
    planes: Sequence[PlaneLimit],
    portal: Mediator,
    species: Sequence[str],
    alphas: Sequence[float],
    ratios: Sequence[float],
) -> list[ThermalLine]:
    masses = _shown_masses(planes)
    return [
        thermal_line(portal, sector, planes[0], masses)
        for sector in _thermal_sectors(planes, species, alphas, ratios)
    ]


def _thermal_sectors(
    planes: Sequence[PlaneLimit],
    species: Sequence[str],
    alphas: Sequence[float],
    ratios: Sequence[float],
) -> list[DarkSector]:
    """The dark sectors whose targets are drawn, in this order."""
    first = planes[0]
    if first.plane is Plane.ALPHA_D:
        raise InputError(
            "in the plane of alpha-d the limit itself is that of a thermal relic: choose its "
            "species with --dark-matter"
        )
    if first.plane not in (Plane.Y, Plane.EPSILON, Plane.G):
        raise InputError(f"no thermal target in the plane of {first.plane.value}")
    chosen_alphas = tuple(alphas) or _own([item.alpha_d for item in planes])
    chosen_ratios = tuple(ratios) or _own([item.ratio for item in planes])
    if not (chosen_alphas and chosen_ratios):
        raise InputError("the limit has no dark matter: say for which alpha_D and ratio")
    return [
        DarkSector(kind, alpha, ratio, first.splitting if kind is DarkMatter.PSEUDO_DIRAC else 0.0)
        for kind in (dark_matter(name) for name in dict.fromkeys(species))
        for ratio in chosen_ratios
        for alpha in chosen_alphas
    ]


def _own(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(dict.fromkeys(value for value in values if value is not None))


def _published_target(curve: Curve, like: PlaneLimit) -> ThermalLine:
    """A thermal line from elsewhere; it is not recomputed, so y is all that it can be."""
    if (curve.x_axis.name, curve.y_axis.name) != ("m_chi", "y") or like.plane is not Plane.Y:
        raise InputError(f"curve {curve.name} is a thermal target in y: use --plane y")
    factor = 4.0 * np.pi if like.normalisation is Normalisation.PRODUCT else 1.0
    species = next((kind for kind in SPECIES if curve.name.startswith(f"thermal-{kind}")), "")
    return ThermalLine(
        species, 0.0, 0.0, 0.0, np.array(curve.x), factor * np.array(curve.y), curve.label
    )


def _per_coupling(like: PlaneLimit, portal: Mediator, masses_gev: FloatArray) -> FloatArray:
    """Value on the vertical axis per unit of the free coupling."""
    if like.plane is not Plane.G or like.y_name == "g":
        return np.ones(len(masses_gev))
    fermion = like.y_name.removeprefix("g_")
    return np.asarray(np.abs(portal.coupling(fermion, masses_gev**2)))


def _landau_levels(planes: Sequence[PlaneLimit], name: str) -> list[Level]:
    if planes[0].plane is not Plane.ALPHA_D:
        raise InputError(f"{name} is a bound on alpha_D: use --plane alpha-d")
    scale, text = _POLES[name]
    species = dict.fromkeys(str(item.dark_matter) for item in planes)
    by_value: dict[float, list[str]] = {}
    for kind in species:
        by_value.setdefault(landau_pole(DarkMatter(kind), scale), []).append(kind)
    levels = []
    for value, kinds in by_value.items():
        names = ", ".join(SPECIES[kind] for kind in kinds)
        whose = f" ({names})" if len(species) > 1 else ""
        colour = kinds[0] if len(by_value) > 1 and len(kinds) == 1 else ""
        levels.append(Level(f"Landau pole below {text}{whose}", value, colour))
    return levels


def _cmb(like: PlaneLimit, portal: Mediator) -> PlaneOverlay:
    """The bound of the microwave background on Dirac matter, in the plane of a limit."""
    sector = like.sector()
    if sector is None or like.plane not in (Plane.Y, Plane.EPSILON, Plane.G):
        raise InputError(f"no bound of the microwave background in the plane of {like.plane.value}")
    dirac = DarkSector(DarkMatter.DIRAC, sector.alpha_d, sector.ratio)
    low, high = float(like.masses_gev[0]), float(like.masses_gev[-1])
    x = _log_masses(low, high)
    chi = x if like.plane.against_dark_matter else x / dirac.ratio
    coupling = cmb_limit(portal, dirac, chi)
    values = (
        y_from_coupling(coupling, dirac, like.normalisation or Normalisation.ALPHA_D)
        if like.plane is Plane.Y
        else coupling * _per_coupling(like, portal, x)
    )
    return PlaneOverlay(
        "CMB, symmetric Dirac (arXiv:1807.06209)", x, values, species=dirac.species.value
    )


def default_overlays(like: PlaneLimit) -> tuple[str, ...]:
    """Return the name of the published curve of the search, if it holds in its plane."""
    name = published_curve(like.search)
    if name is None or like.plane is Plane.ALPHA_D:
        return ()
    curve = load_curve(name)
    axes = (curve.x_axis.name, curve.y_axis.name)
    return (name,) if axes == (like.mass_parameter, like.parameter) else ()
