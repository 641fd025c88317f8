"""Figures of exclusions: functions that take results and curves and return a Figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from na64.limits.figures.legend import scan_labels, scan_title
from na64.limits.figures.style import (
    FEW_MASSES,
    FIGURE_SUFFIXES,
    MEDIAN,
    ONE_SIGMA,
    OVERLAY_STYLES,
    SCAN_COLOURS,
    TWO_SIGMA,
    UNITS,
    coupling_symbol,
    decades,
    drawing_style,
    legend_above,
    save_figure,
    symbol,
    tips,
    upper_edge,
)
from na64.limits.results.limit import Exclusion, Regions
from na64.models.errors import InputError

__all__ = ["FIGURE_SUFFIXES", "Overlay", "exclusion_figure", "ratio_to", "save_figure"]

#: width of the bar that a band of one mass is, points
_BAR_WIDTH: Final = 9.0


@dataclass(frozen=True, slots=True)
class Overlay:
    """A curve drawn beside a scan.

    Attributes
    ----------
    label
        Text of the legend.
    masses_gev, couplings
        Points of the curve, shape (N,), in its own order (regions are closed paths).
    region
        Whether the curve encloses a region; it is shaded then.
    compared
        Whether a ratio panel compares with it; regions never are.
    """

    label: str
    masses_gev: NDArray[np.float64]
    couplings: NDArray[np.float64]
    region: bool = False
    compared: bool = True


def exclusion_figure(
    exclusions: Sequence[Exclusion],
    overlays: Sequence[Overlay] = (),
    *,
    ratio_panel: bool = False,
    names: Sequence[str] = (),
) -> Figure:
    """Draw coupling limits against the mediator's mass.

    The first scan has its expected bands; the others are lines. Both axes are logarithmic.

    Parameters
    ----------
    exclusions
        One or more scans of the same coupling.
    overlays
        Curves to compare with.
    ratio_panel
        Whether a second panel shows the first scan divided by every overlay that is no region.
    names
        Names of the scans, such as their files, for those that nothing else tells apart.

    Returns
    -------
    matplotlib.figure.Figure
        Not attached to any window; `save_figure` writes it.

    Raises
    ------
    InputError
        Without a scan, for scans of different couplings, where neither a scan nor a curve has a
        coupling to draw, or a ratio panel without a curve.
    """
    if not exclusions:
        raise InputError("nothing to draw: no scan given")
    parameters = {exclusion.parameter for exclusion in exclusions}
    if len(parameters) > 1:
        raise InputError(f"these scans limit different couplings: {', '.join(sorted(parameters))}")
    first = exclusions[0]
    if not any(np.any(np.isfinite(couplings)) for _, couplings in _parts(exclusions, overlays)):
        raise InputError("nothing to draw: no coupling is excluded or expected to be, at any mass")
    references = [overlay for overlay in overlays if overlay.compared and not overlay.region]
    if ratio_panel and not references:
        raise InputError("a ratio panel needs a limit to divide by; overlay a curve")
    with drawing_style():
        if ratio_panel:
            figure = Figure(
                figsize=(6.2, 6.2), layout=ConstrainedLayoutEngine(h_pad=0.02, hspace=0.0)
            )
            grid = figure.add_gridspec(2, 1, height_ratios=(3.1, 1.0))
            axes = figure.add_subplot(grid[0])
            below = figure.add_subplot(grid[1], sharex=axes)
            _draw_ratios(below, first, references)
            axes.tick_params(which="both", labelbottom=False)
            _label_masses(below, exclusions)
        else:
            figure = Figure(figsize=(6.2, 4.8), layout="constrained")
            axes = figure.add_subplot()
            _label_masses(axes, exclusions)
        _draw_bands(axes, first)
        for index, (exclusion, label) in enumerate(
            zip(exclusions, scan_labels(exclusions, names), strict=True)
        ):
            _draw_limit(axes, exclusion, label, SCAN_COLOURS[index % len(SCAN_COLOURS)])
        for index, overlay in enumerate(overlays):
            _draw_overlay(axes, overlay, index)
        axes.set_xscale("log")
        axes.set_yscale("log")
        lightest = min(float(exclusion.masses_gev[0]) for exclusion in exclusions)
        heaviest = max(float(exclusion.masses_gev[-1]) for exclusion in exclusions)
        margin = 1.0 if heaviest > 3.0 * lightest else 1.15  # points, not a curve
        axes.set_xlim(lightest / margin, heaviest * margin)
        unit = f" [{UNITS[first.parameter]}]" if first.parameter in UNITS else ""
        axes.set_ylabel(f"${_coupling(exclusions)}$" + unit)
        heading = scan_title(exclusions)
        closed = any(_closes(exclusion) for exclusion in exclusions)
        if not closed:  # upper limits rise to the right: the other corner is free
            legend = axes.legend(loc="upper left", title=heading, alignment="left")
            legend.set_in_layout(False)  # however long its lines are, the axes keep their size
        _limit_couplings(figure, axes, exclusions, overlays)
        if closed:
            legend_above(figure, axes, heading, height=5.7 if ratio_panel else 4.3)
            for index, exclusion in enumerate(exclusions):
                _draw_regions(axes, exclusion, SCAN_COLOURS[index % len(SCAN_COLOURS)])
        decades(axes)
        # Text is laid out and ticks are placed when the figure is drawn: do it in this style.
        figure.draw_without_rendering()
    return figure


def ratio_to(exclusion: Exclusion, overlay: Overlay) -> NDArray[np.float64]:
    """Return the observed limit divided by a published one.

    The published curve is interpolated linearly in the logarithms of mass and coupling.

    Returns
    -------
    numpy.ndarray
        Shape (M,); NaN where either limit does not exist.
    """
    order = np.argsort(overlay.masses_gev, kind="stable")
    masses, couplings = overlay.masses_gev[order], overlay.couplings[order]
    published = np.exp(
        np.interp(
            np.log(exclusion.masses_gev),
            np.log(masses),
            np.log(couplings),
            left=math.nan,
            right=math.nan,
        )
    )
    return np.asarray(_drawn(exclusion) / published)


def _label_masses(axes: Axes, exclusions: Sequence[Exclusion]) -> None:
    names = {exclusion.mass_parameter for exclusion in exclusions}
    name = f"${symbol(names.pop())}$" if len(names) == 1 else "mass of the mediator"
    axes.set_xlabel(f"{name} [GeV]")


def _coupling(exclusions: Sequence[Exclusion]) -> str:
    first = exclusions[0]
    if len({exclusion.mass_parameter for exclusion in exclusions}) > 1:
        return symbol(first.parameter)
    return coupling_symbol(first.parameter, first.mass_parameter)


def _drawn(exclusion: Exclusion) -> NDArray[np.float64]:
    """Return the line that stands for a scan: observed, or the median of an expected-only scan."""
    return exclusion.expected[2] if exclusion.expected_only else exclusion.observed


def _shown(exclusion: Exclusion) -> tuple[Regions, ...]:
    """Return the regions that stand for a scan: observed, or the median's."""
    return exclusion.expected_regions if exclusion.expected_only else exclusion.regions


def _draw_bands(axes: Axes, exclusion: Exclusion) -> None:
    expected = exclusion.expected
    if not np.any(np.isfinite(expected)):
        return
    masses = exclusion.masses_gev
    alone = _alone(expected[2])
    for low, high, colour, sigmas in ((0, 4, TWO_SIGMA, 2), (1, 3, ONE_SIGMA, 1)):
        # For a small background most outcomes are the same and a band can have no width.
        if np.any(expected[high] > expected[low] * 1.001):
            label = rf"expected $\pm {sigmas}\sigma$"
            if not alone.all():
                axes.fill_between(
                    masses, expected[low], expected[high], color=colour, lw=0, label=label
                )
            if alone.any():  # a band of one mass is a bar
                axes.vlines(
                    masses[alone],
                    expected[low][alone],
                    expected[high][alone],
                    color=colour,
                    lw=_BAR_WIDTH,
                    label=label if alone.all() else "_",
                )
    if not exclusion.expected_only:
        # Drawn over the observed line, which it may hide: with no events seen the two agree.
        axes.plot(
            masses,
            expected[2],
            color=MEDIAN,
            lw=1.1,
            ls=(0, (3, 3)),
            marker="_" if alone.any() else "",
            markevery=alone.tolist(),
            ms=_BAR_WIDTH,
            zorder=4,
            label="expected median",
        )


def _alone(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where a value has no neighbour, so that nothing connects it to; shape (M,)."""
    there = np.concatenate([[False], np.isfinite(values), [False]])
    return np.asarray(there[1:-1] & ~there[:-2] & ~there[2:])


def _draw_limit(axes: Axes, exclusion: Exclusion, label: str, colour: str) -> None:
    kind = "expected median" if exclusion.expected_only else "observed"
    if not np.any(np.isfinite(_drawn(exclusion))):
        kind = "nothing excluded"
    few = len(exclusion.masses_gev) <= FEW_MASSES
    axes.plot(
        exclusion.masses_gev,
        _drawn(exclusion),
        color=colour,
        lw=2.0,
        marker="o" if few else "",
        ms=4.5,
        zorder=3,
        label=f"{label} ({kind})" if label else kind,
    )


def _closes(exclusion: Exclusion) -> bool:
    """Whether a region that stands for a scan closes towards strong couplings."""
    return any(pair[1] is not None for found in _shown(exclusion) for pair in found)


def _draw_regions(axes: Axes, exclusion: Exclusion, colour: str) -> None:
    for number in range(max((len(found) for found in _shown(exclusion)), default=0)):
        _draw_interval(axes, exclusion, number, colour)


def _draw_interval(axes: Axes, exclusion: Exclusion, number: int, colour: str) -> None:
    """Shade a region, up to the top of the axes where it is open, and draw its upper edge."""
    masses = exclusion.masses_gev
    regions = _shown(exclusion)
    pairs = [found[number] if number < len(found) else (math.nan, None) for found in regions]
    low = np.array([pair[0] for pair in pairs])
    high = np.array([math.nan if pair[1] is None else pair[1] for pair in pairs])
    closed = np.isfinite(high)
    some = np.isfinite(low)
    far = 10.0 * max(axes.get_ylim()[1], *high[closed].tolist(), 0.0)  # outside the axes
    top = np.where(closed, high, far)
    if exclusion.expected_only:  # hatched: not excluded yet
        axes.fill_between(
            masses,
            low,
            top,
            where=some.tolist(),
            fc="none",
            ec=colour,
            alpha=0.25,
            lw=0,
            hatch="//",
        )
    else:
        axes.fill_between(masses, low, top, where=some.tolist(), color=colour, alpha=0.12, lw=0)
    if number > 0:  # the lower edge of the first interval is the observed line
        axes.plot(masses, low, color=colour, lw=2.0, zorder=3)
    axes.plot(masses, upper_edge(top, closed, some), color=colour, lw=2.0, zorder=3)
    for row in tips(closed, some):
        axes.plot([masses[row]] * 2, [low[row], high[row]], color=colour, lw=2.0, zorder=3)


def _draw_overlay(axes: Axes, overlay: Overlay, index: int) -> None:
    colour, dashes = OVERLAY_STYLES[index % len(OVERLAY_STYLES)]
    if overlay.region and _is_closed(overlay):
        axes.fill(overlay.masses_gev, overlay.couplings, fc=colour, alpha=0.15, ec="none", zorder=1)
    axes.plot(
        overlay.masses_gev,
        overlay.couplings,
        color=colour,
        ls=dashes,
        zorder=5,
        label=overlay.label,
    )


def _is_closed(overlay: Overlay) -> bool:
    """Whether a path ends where it began; a published region may be cut off by its axes."""
    ends = np.log([overlay.masses_gev[[0, -1]], overlay.couplings[[0, -1]]])
    return bool(np.all(np.abs(ends[:, 1] - ends[:, 0]) < [0.1, 0.5]))


def _draw_ratios(axes: Axes, exclusion: Exclusion, references: Sequence[Overlay]) -> None:
    largest = 0.1
    for index, overlay in enumerate(references):
        colour, _ = OVERLAY_STYLES[index % len(OVERLAY_STYLES)]
        ratio = ratio_to(exclusion, overlay)
        axes.plot(exclusion.masses_gev, ratio, color=colour, marker=".", ms=3.5, lw=0.9)
        finite = np.abs(ratio[np.isfinite(ratio)] - 1.0)
        if finite.size:
            largest = max(largest, float(finite.max()))
    axes.axhline(1.0, color="#000000", lw=0.8)
    reach = min(math.ceil(largest * 1.1 / 0.1) * 0.1, 1.0)
    axes.set_ylim(1.0 - reach, 1.0 + reach)
    axes.set_ylabel("ratio to published", fontsize=10.5)
    axes.grid(axis="y", color="#cccccc", lw=0.5)


def _limit_couplings(
    figure: Figure, axes: Axes, exclusions: Sequence[Exclusion], overlays: Sequence[Overlay]
) -> None:
    """Show every curve, and leave room for the legend above those that pass under it."""
    masses, couplings = _points(exclusions, overlays)
    low, high = axes.get_xlim()
    seen = (masses >= low) & (masses <= high) & np.isfinite(couplings) & (couplings > 0.0)
    masses, couplings = masses[seen], couplings[seen]
    if not couplings.size:
        return
    bottom, top = float(couplings.min()) / 3.0, float(couplings.max()) * 2.0
    axes.set_ylim(bottom, top)
    legend = axes.get_legend()
    if legend is None:
        return
    figure.draw_without_rendering()  # only then has the legend a place
    box = legend.get_window_extent().transformed(axes.transAxes.inverted())
    place = np.log(masses / low) / math.log(high / low)
    under = couplings[(place > box.x0 - 0.02) & (place < box.x1 + 0.02)]
    free = box.y0 - 0.03
    if under.size and free > 0.1:
        needed = bottom * math.exp(math.log(float(under.max()) / bottom) / free)
        axes.set_ylim(bottom, max(top, needed))


def _points(
    exclusions: Sequence[Exclusion], overlays: Sequence[Overlay]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return masses and couplings of everything that is drawn, in one list."""
    parts = _parts(exclusions, overlays)
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def _parts(
    exclusions: Sequence[Exclusion], overlays: Sequence[Overlay]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return masses and couplings of every line that is drawn."""
    parts = [(overlay.masses_gev, overlay.couplings) for overlay in overlays]
    parts += [(exclusions[0].masses_gev, band) for band in exclusions[0].expected]
    for exclusion in exclusions:
        parts.append((exclusion.masses_gev, _drawn(exclusion)))
        edges = [
            (mass, pair[1])
            for mass, found in zip(exclusion.masses_gev.tolist(), _shown(exclusion), strict=False)
            for pair in found
            if pair[1] is not None
        ]
        if edges:
            parts.append((np.array(edges)[:, 0], np.array(edges)[:, 1]))
    return parts
