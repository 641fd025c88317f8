"""Figures in the planes of dark-matter searches: limits, thermal targets, bounds from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from na64.limits.figures.plane_legend import (
    Level,
    PlaneOverlay,
    ThermalLine,
    axis_label,
    limit_labels,
    thermal_label,
    title,
)
from na64.limits.figures.style import (
    FEW_MASSES,
    MEDIAN,
    ONE_SIGMA,
    SCAN_COLOURS,
    TWO_SIGMA,
    decades,
    drawing_style,
    legend_above,
    symbol,
    tips,
    upper_edge,
)
from na64.limits.planes.bounds import MassFloor
from na64.limits.results.plane_limit import PlaneLimit
from na64.models.errors import InputError

__all__ = ["plane_figure"]

FloatArray = NDArray[np.float64]

#: thermal lines by species; by alpha_D where several values of one species are drawn
SPECIES_COLOURS: Final = {
    "scalar": "#d55e00",
    "majorana": "#0072b2",
    "pseudo-dirac": "#009e73",
    "dirac": "#a0508a",
}
ALPHA_COLOURS: Final = ("#d55e00", "#0072b2", "#009e73", "#a0508a", "#7f6000")
#: by mass ratio
RATIO_DASHES: Final[tuple[Any, ...]] = (
    "-",
    (0, (5, 1.8)),
    (0, (1.2, 1.4)),
    (0, (6, 1.5, 1.2, 1.5)),
)
#: excluded regions of other experiments, the first behind
OTHER_SHADES: Final = ("#d0d0d0", "#b9c7d6", "#d6c7b3", "#c5d4bd")
OTHER_LINES: Final = ("#7a7a7a", "#5b7690", "#94774a", "#6a8a5a")
LEVEL_COLOUR: Final = "#5a3d7a"
LEVEL_DASHES: Final[tuple[Any, ...]] = ((0, (6, 2, 1, 2)), (0, (3, 2)))


def plane_figure(
    planes: Sequence[PlaneLimit],
    *,
    thermal: Sequence[ThermalLine] = (),
    overlays: Sequence[PlaneOverlay] = (),
    levels: Sequence[Level] = (),
    floors: Sequence[MassFloor] = (),
    names: Sequence[str] = (),
) -> Figure:
    """Draw limits of one plane; a single one has its expected bands.

    Parameters
    ----------
    planes
        One or more limits in the same plane, of the same variable.
    thermal, overlays, levels, floors
        What is drawn beside them.
    names
        Names of the limits, such as their files, for those that nothing else tells apart.

    Returns
    -------
    matplotlib.figure.Figure
        Not attached to any window; `na64.limits.figures.figure.save_figure` writes it.

    Raises
    ------
    InputError
        Without a limit, or for limits of different planes or variables.
    """
    if not planes:
        raise InputError("nothing to draw: no limit given")
    variables = sorted({f"{item.y_name} against {item.x_name}" for item in planes})
    if len(variables) > 1:
        raise InputError(f"these limits are in different planes: {'; '.join(variables)}")
    first = planes[0]
    with drawing_style():
        figure = Figure(figsize=(6.4, 4.8), layout="constrained")
        axes = figure.add_subplot()
        axes.set_xscale("log")
        axes.set_yscale("log")
        low = min(float(item.masses_gev[0]) for item in planes)
        high = max(float(item.masses_gev[-1]) for item in planes)
        margin = 1.0 if high > 3.0 * low else 1.15  # points, not a curve
        axes.set_xlim(low / margin, high * margin)
        axes.set_ylim(*_range(axes, planes, thermal, overlays, levels))
        colours = _colours(planes)
        if len(planes) == 1:
            _draw_bands(axes, first)
        labels = limit_labels(planes, names)
        for item, label, width in zip(planes, labels, _widths(planes), strict=True):
            _draw_limit(axes, item, label, colours[id(item)], width)
        shade = 0
        for overlay in overlays:
            _draw_overlay(axes, overlay, shade, below=first.excluded_below)
            shade += not (overlay.compared or overlay.species)
        for line in thermal:
            _draw_thermal(axes, line, thermal, planes, colours)
        for number, level in enumerate(levels):
            _draw_level(axes, level, number)
        for floor in floors:
            _draw_floor(axes, floor, first)
        axes.set_xlabel(f"${symbol(first.x_name)}$ [GeV]")
        axes.set_ylabel(axis_label(first))
        decades(axes)
        legend_above(figure, axes, title(planes))
        figure.draw_without_rendering()
    return figure


def _range(
    axes: Axes,
    planes: Sequence[PlaneLimit],
    thermal: Sequence[ThermalLine],
    overlays: Sequence[PlaneOverlay],
    levels: Sequence[Level],
) -> tuple[float, float]:
    """Values between which everything that is drawn lies, with room for the legend."""
    low, high = axes.get_xlim()
    own = np.concatenate([item.drawn for item in planes])
    if len(planes) == 1:
        own = np.concatenate([own, planes[0].expected.ravel()])
    others = []
    for masses, values in (
        *((curve.masses_gev, curve.values) for curve in thermal),
        *((curve.masses_gev, curve.values) for curve in overlays),
        *((np.array([low]), np.array([level.value])) for level in levels),
    ):
        others.append(values[(masses >= low) & (masses <= high)])
    own = own[np.isfinite(own) & (own > 0.0)]
    if not own.size:
        raise InputError("nothing to draw: no limit exists at any mass")
    bottom, top = float(own.min()), float(own.max())
    # what stands beside the limits is followed for three powers of ten; below an alpha_D that
    # is excluded there is nothing to see
    reach = 0.1 if planes[0].excluded_below else 1e-3
    beside = np.concatenate([own, *others])
    beside = beside[(beside >= reach * bottom) & (beside <= 1e3 * top)]
    bottom, top = float(beside.min()), float(beside.max())
    return bottom / 3.0, top * 3.0


def _widths(planes: Sequence[PlaneLimit]) -> list[float]:
    """Widths of the limits: those that agree lie on top of each other, the first the widest."""
    first = planes[0]
    same = len(planes) > 1 and all(
        np.array_equal(item.masses_gev, first.masses_gev)
        and np.nanmedian(np.abs(np.log(item.drawn / first.drawn))) < 0.05
        for item in planes
    )
    step = 1.1 if same else 0.0
    return [(1.6 if same else 2.0) + step * number for number in range(len(planes))][::-1]


def _colours(planes: Sequence[PlaneLimit]) -> dict[int, str]:
    """Black for one limit; by species in the plane of alpha_D; else one colour each."""
    species = [item.dark_matter for item in planes]
    if len(planes) > 1 and len(set(species)) == len(planes) and None not in species:
        return {id(item): SPECIES_COLOURS[str(item.dark_matter)] for item in planes}
    if len({item.alpha_d for item in planes}) == len(planes) > 1:
        return {id(item): ALPHA_COLOURS[i % 5] for i, item in enumerate(planes)}
    return {
        id(item): SCAN_COLOURS[number % len(SCAN_COLOURS)] for number, item in enumerate(planes)
    }


def _draw_bands(axes: Axes, item: PlaneLimit) -> None:
    expected = item.expected
    if not np.any(np.isfinite(expected)):
        return
    for low, high, colour, sigmas in ((0, 4, TWO_SIGMA, 2), (1, 3, ONE_SIGMA, 1)):
        ends = np.abs(np.log(expected[high] / expected[low]))
        # For a small background most outcomes are the same and a band can have no width.
        if np.any(ends > 1e-3):
            axes.fill_between(
                item.masses_gev,
                expected[low],
                expected[high],
                color=colour,
                lw=0,
                zorder=2,
                label=rf"expected $\pm {sigmas}\sigma$",
            )
    if not item.expected_only:
        axes.plot(
            item.masses_gev,
            expected[2],
            color=MEDIAN,
            lw=1.1,
            ls=(0, (3, 3)),
            zorder=4.5,
            label="expected median",
        )


def _draw_limit(axes: Axes, item: PlaneLimit, label: str, colour: str, width: float) -> None:
    kind = "expected median" if item.expected_only else "observed"
    axes.plot(
        item.masses_gev,
        item.drawn,
        color=colour,
        lw=width,
        marker="o" if len(item.masses_gev) <= FEW_MASSES else "",
        ms=4.5,
        zorder=4,
        label=f"{label} ({kind})" if label else kind,
    )
    bottom, top = axes.get_ylim()
    if item.expected_only:
        return
    low, high = _edges(item, bottom, top)
    closed = np.array([bool(found) and found[0][1] is not None for found in item.regions])
    axes.fill_between(item.masses_gev, low, high, color=colour, alpha=0.07, lw=0, zorder=1.5)
    if item.excluded_below:
        axes.plot(item.masses_gev, low, color=colour, lw=0.8, zorder=4)
    elif closed.any():
        upper = upper_edge(high, closed, np.isfinite(low))
        axes.plot(item.masses_gev, upper, color=colour, lw=width, zorder=4)
    for row in tips(closed, np.isfinite(low)):
        x = item.masses_gev[row]
        axes.plot([x, x], [low[row], high[row]], color=colour, lw=0.8, zorder=4)


def _edges(item: PlaneLimit, bottom: float, top: float) -> tuple[FloatArray, FloatArray]:
    """Ends of the first excluded interval: inside the axes below, far outside where it is open."""
    low = np.full(len(item.masses_gev), np.nan)
    high = low.copy()
    ends = [found[0][1] for found in item.regions if found and found[0][1] is not None]
    far = 10.0 * max(top, *ends, 0.0)
    for row, found in enumerate(item.regions):
        if found:
            low[row] = max(found[0][0], bottom)
            high[row] = far if found[0][1] is None else found[0][1]
    return low, high


def _draw_thermal(
    axes: Axes,
    line: ThermalLine,
    every: Sequence[ThermalLine],
    planes: Sequence[PlaneLimit],
    colours: dict[int, str],
) -> None:
    if line.published:
        axes.plot(
            line.masses_gev,
            line.values,
            color=SPECIES_COLOURS.get(line.species, "#555555"),
            ls=(0, (1, 1.2)),
            lw=1.2,
            zorder=3,
            label=line.published,
        )
        return
    ours = [other for other in every if not other.published]
    ratios = sorted({other.ratio for other in ours}, reverse=True)
    alphas = sorted({other.alpha_d for other in ours}, reverse=True)
    colour, dashes = SPECIES_COLOURS[line.species], RATIO_DASHES
    if len({other.species for other in ours}) == 1 and len(alphas) > 1:
        # by alpha_D: that of the limit with the same one, if each limit has its own
        colour = ALPHA_COLOURS[alphas.index(line.alpha_d) % len(ALPHA_COLOURS)]
        if len({item.alpha_d for item in planes}) == len(planes) > 1:
            same = [colours[id(item)] for item in planes if item.alpha_d == line.alpha_d]
            colour = same[0] if same else colour
            dashes = RATIO_DASHES[1:]  # no solid line beside those of the limits
    axes.plot(
        line.masses_gev,
        line.values,
        color=colour,
        ls=dashes[ratios.index(line.ratio) % len(dashes)],
        lw=1.3,
        zorder=3,
        label=thermal_label(line, ours, planes),
    )


def _draw_overlay(axes: Axes, overlay: PlaneOverlay, number: int, *, below: bool) -> None:
    if overlay.compared or overlay.species:
        axes.plot(
            overlay.masses_gev,
            overlay.values,
            color=SPECIES_COLOURS.get(overlay.species, "#c1121f"),
            ls=(0, (5, 2)) if overlay.compared else LEVEL_DASHES[0],
            lw=1.2,
            zorder=5,
            label=overlay.label,
        )
        return
    shade = OTHER_SHADES[number % len(OTHER_SHADES)]
    edge = OTHER_LINES[number % len(OTHER_LINES)]
    if overlay.closed:
        axes.fill(
            overlay.masses_gev,
            overlay.values,
            fc=shade,
            ec=edge,
            lw=0.8,
            zorder=1,
            label=overlay.label,
        )
        return
    bottom, top = axes.get_ylim()
    axes.fill_between(
        overlay.masses_gev,
        overlay.values,
        bottom if below else top,
        fc=shade,
        ec="none",
        zorder=1,
        label=overlay.label,
    )
    axes.plot(overlay.masses_gev, overlay.values, color=edge, lw=0.8, zorder=1.2)


def _draw_level(axes: Axes, level: Level, number: int) -> None:
    axes.axhline(
        level.value,
        color=SPECIES_COLOURS.get(level.species, LEVEL_COLOUR),
        lw=1.1,
        ls=LEVEL_DASHES[number % len(LEVEL_DASHES)] if not level.species else LEVEL_DASHES[0],
        zorder=2.5,
        label=level.label,
    )


def _draw_floor(axes: Axes, floor: MassFloor, first: PlaneLimit) -> None:
    """Shade the masses below a bound; for another axis than m_chi with the ratio of the limit."""
    low, high = axes.get_xlim()
    edge = floor.mass_gev * (1.0 if first.plane.against_dark_matter else first.ratio or 1.0)
    if edge <= low:
        return
    axes.axvspan(
        low, min(edge, high), fc="#e3d5ee", ec="#8a6aa5", lw=0.8, zorder=0.5, label=floor.label
    )
