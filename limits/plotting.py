"""Figures of exclusions: functions that take results and curves and return a Figure.

No pyplot and no global state: the style is set around the drawing, and a file depends only on
what is drawn, so that the same result gives the same bytes.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogFormatterMathtext, LogLocator, NullFormatter
from numpy.typing import NDArray

from na64.limits.result import Exclusion
from na64.models.errors import InputError
from na64.workspaces.jsonio import write_atomic

__all__ = ["FIGURE_SUFFIXES", "Overlay", "exclusion_figure", "ratio_to", "save_figure"]

FIGURE_SUFFIXES: Final = (".pdf", ".png", ".svg")

STYLE: Final[dict[Any, Any]] = {
    "axes.labelsize": 13,
    "axes.linewidth": 0.8,
    "font.family": "STIXGeneral",
    "font.size": 11,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "mathtext.fontset": "stix",
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
    "savefig.dpi": 200,
    "svg.hashsalt": "na64-limits",
    "xtick.direction": "in",
    "xtick.minor.visible": True,
    "xtick.top": True,
    "ytick.direction": "in",
    "ytick.minor.visible": True,
    "ytick.right": True,
}

#: line colours of several scans, then of overlays; told apart by the colour-blind and in grey
SCAN_COLOURS: Final = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7")
OVERLAY_STYLES: Final = (
    ("#c1121f", (0, (5, 2))),
    ("#3a5fb0", (0, (6, 2, 1, 2))),
    ("#5b7f2b", (0, (2, 1.5))),
    ("#8a5a9e", (0, (8, 3))),
)
ONE_SIGMA: Final = "#8fbf9f"
TWO_SIGMA: Final = "#f3d58a"
MEDIAN: Final = "#56b4e9"
#: up to so many masses are drawn as points, too
FEW_MASSES: Final = 8

SYMBOLS: Final = {
    "br": r"\mathrm{BR}",
    "epsilon": r"\epsilon",
    "g": "g",
    "g_agg": r"g_{a\gamma\gamma}",
}
#: units of couplings that have one
UNITS: Final = {"g_agg": r"GeV$^{-1}$"}
SPECIES: Final = {
    "dirac": "Dirac",
    "majorana": "Majorana",
    "pseudo-dirac": "pseudo-Dirac",
    "scalar": "complex scalar",
}


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

    Returns
    -------
    matplotlib.figure.Figure
        Not attached to any window; `save_figure` writes it.

    Raises
    ------
    InputError
        Without a scan, for scans of different couplings, or a ratio panel without a curve.
    """
    if not exclusions:
        raise InputError("nothing to draw: no scan given")
    parameters = {exclusion.parameter for exclusion in exclusions}
    if len(parameters) > 1:
        raise InputError(f"these scans limit different couplings: {', '.join(sorted(parameters))}")
    first = exclusions[0]
    references = [overlay for overlay in overlays if overlay.compared and not overlay.region]
    if ratio_panel and not references:
        raise InputError("a ratio panel needs a limit to divide by; overlay a curve")
    with _style():
        if ratio_panel:
            figure = Figure(
                figsize=(6.2, 6.2), layout=ConstrainedLayoutEngine(h_pad=0.02, hspace=0.0)
            )
            grid = figure.add_gridspec(2, 1, height_ratios=(3.1, 1.0))
            axes = figure.add_subplot(grid[0])
            below = figure.add_subplot(grid[1], sharex=axes)
            _draw_ratios(below, first, references)
            axes.tick_params(labelbottom=False)
            _label_masses(below, first)
        else:
            figure = Figure(figsize=(6.2, 4.8), layout="constrained")
            axes = figure.add_subplot()
            _label_masses(axes, first)
        _draw_bands(axes, first)
        for index, (exclusion, label) in enumerate(
            zip(exclusions, _labels(exclusions), strict=True)
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
        _limit_couplings(axes, exclusions, overlays)
        unit = f" [{UNITS[first.parameter]}]" if first.parameter in UNITS else ""
        axes.set_ylabel(f"${_symbol(first.parameter)}$" + unit)
        _decades(axes)
        axes.legend(loc="upper left", title=_title(exclusions), alignment="left")
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


def save_figure(figure: Figure, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a figure as PDF, PNG or SVG, by its suffix; the same figure gives the same bytes.

    Raises
    ------
    InputError
        For another suffix, or an existing file without ``force``.
    """
    suffix = Path(path).suffix
    # No dates, no version of matplotlib: two runs of the same scan give the same file.
    metadata: dict[str, dict[str, Any]] = {
        ".pdf": {"Creator": "na64-limits", "Producer": None, "CreationDate": None},
        ".png": {"Software": None},
        ".svg": {"Creator": "na64-limits", "Date": None},
    }
    if suffix not in metadata:
        allowed = ", ".join(FIGURE_SUFFIXES)
        raise InputError(f"{path}: a figure is written as {allowed}, not '{suffix}'")
    stream = io.BytesIO()
    with _style():
        figure.savefig(stream, format=suffix[1:], metadata=metadata[suffix])
    write_atomic(path, stream.getvalue(), force=force)


@contextmanager
def _style() -> Iterator[None]:
    with mpl.rc_context():
        mpl.rcdefaults()  # a matplotlibrc of the user would change the file
        for key, value in STYLE.items():
            mpl.rcParams[key] = value
        yield


def _symbol(name: str) -> str:
    """Write the name of a coupling or a mass in mathematics: ``m_A'`` has an index."""
    if name in SYMBOLS:
        return SYMBOLS[name]
    letter, _, index = name.partition("_")
    return f"{letter}_{{{index}}}" if len(letter) == 1 and index else rf"\mathrm{{{name}}}"


def _title(exclusions: Sequence[Exclusion]) -> str:
    """Say above the legend what holds for every scan."""
    lines = []
    if len(exclusions) == 1:
        lines.append(exclusions[0].title or exclusions[0].search)
    sectors = {_sector(exclusion) for exclusion in exclusions}
    levels = {exclusion.confidence_level for exclusion in exclusions}
    parts = []
    if len(levels) == 1:
        parts.append(f"{100.0 * levels.pop():g}% CL")
    if len(sectors) == 1:
        parts.append(sectors.pop())
    lines.append(", ".join(part for part in parts if part))
    return "\n".join(line for line in lines if line)


def _sector(exclusion: Exclusion) -> str:
    parts = []
    if exclusion.dark_matter is not None and exclusion.ratio is not None:
        mass = _symbol(exclusion.mass_parameter)
        species = SPECIES.get(exclusion.dark_matter, exclusion.dark_matter)
        parts.append(rf"{species} $\chi$, ${mass} = {exclusion.ratio:g}\,m_\chi$")
    if exclusion.alpha_d is not None:
        parts.append(rf"$\alpha_D = {exclusion.alpha_d:g}$")
    return ", ".join(parts)


def _labels(exclusions: Sequence[Exclusion]) -> list[str]:
    """Name each scan by what tells it from the others."""
    if len(exclusions) == 1:
        return [""]
    one_search = len({exclusion.search for exclusion in exclusions}) == 1
    one_sector = len({_sector(exclusion) for exclusion in exclusions}) == 1
    labels = []
    for exclusion in exclusions:
        parts = [] if one_search else [exclusion.title or exclusion.search]
        parts += [] if one_sector else [_sector(exclusion)]
        for name in ("model", "method", "production", "confidence_level"):
            if len({getattr(other, name) for other in exclusions}) > 1:
                value = getattr(exclusion, name)
                parts.append(f"{100 * value:g}% CL" if name == "confidence_level" else str(value))
        labels.append(", ".join(parts) or exclusion.search)
    return labels


def _label_masses(axes: Axes, exclusion: Exclusion) -> None:
    axes.set_xlabel(f"${_symbol(exclusion.mass_parameter)}$ [GeV]")


def _drawn(exclusion: Exclusion) -> NDArray[np.float64]:
    """Return the line that stands for a scan: observed, or the median of an expected-only scan."""
    return exclusion.expected[2] if exclusion.expected_only else exclusion.observed


def _draw_bands(axes: Axes, exclusion: Exclusion) -> None:
    expected = exclusion.expected
    if not np.any(np.isfinite(expected)):
        return
    masses = exclusion.masses_gev
    for low, high, colour, sigmas in ((0, 4, TWO_SIGMA, 2), (1, 3, ONE_SIGMA, 1)):
        # For a small background most outcomes are the same and a band can have no width.
        if np.any(expected[high] > expected[low] * 1.001):
            axes.fill_between(
                masses,
                expected[low],
                expected[high],
                color=colour,
                lw=0,
                label=rf"expected $\pm {sigmas}\sigma$",
            )
    if not exclusion.expected_only:
        # Drawn over the observed line, which it may hide: with no events seen the two agree.
        axes.plot(
            masses,
            expected[2],
            color=MEDIAN,
            lw=1.1,
            ls=(0, (3, 3)),
            zorder=4,
            label="expected median",
        )


def _draw_limit(axes: Axes, exclusion: Exclusion, label: str, colour: str) -> None:
    kind = "expected median" if exclusion.expected_only else "observed"
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
    for number in range(max(len(found) for found in exclusion.regions)):
        _draw_interval(axes, exclusion, number, colour)


def _draw_interval(axes: Axes, exclusion: Exclusion, number: int, colour: str) -> None:
    """Draw the upper edge of a region that closes towards strong couplings, and shade it."""
    masses = exclusion.masses_gev
    pairs = [
        found[number] if number < len(found) else (math.nan, None) for found in exclusion.regions
    ]
    low = np.array([pair[0] for pair in pairs])
    high = np.array([math.nan if pair[1] is None else pair[1] for pair in pairs])
    closed = np.isfinite(high)
    if not closed.any():
        return
    axes.fill_between(masses, low, high, where=closed.tolist(), color=colour, alpha=0.12, lw=0)
    if number > 0:  # the lower edge of the first interval is the observed line
        axes.plot(masses, low, color=colour, lw=2.0, zorder=3)
    axes.plot(masses, high, color=colour, lw=2.0, zorder=3)
    # where the region ends between two masses of the grid its tip is cut off
    padded = np.concatenate([[True], closed, [True]])
    for row in np.flatnonzero(closed):
        if not (padded[row] and padded[row + 2]):
            axes.plot([masses[row]] * 2, [low[row], high[row]], color=colour, lw=2.0, zorder=3)


def _draw_overlay(axes: Axes, overlay: Overlay, index: int) -> None:
    colour, dashes = OVERLAY_STYLES[index % len(OVERLAY_STYLES)]
    if overlay.region:
        axes.fill(overlay.masses_gev, overlay.couplings, fc=colour, alpha=0.15, ec="none", zorder=1)
    axes.plot(
        overlay.masses_gev,
        overlay.couplings,
        color=colour,
        ls=dashes,
        zorder=5,
        label=overlay.label,
    )


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
    axes: Axes, exclusions: Sequence[Exclusion], overlays: Sequence[Overlay]
) -> None:
    """Leave room above the curves, where the legend stands."""
    low, high = axes.get_xlim()
    values = [_drawn(exclusion) for exclusion in exclusions]
    values += [exclusions[0].expected.ravel()]
    values += [
        np.array([pair[1] for found in exclusion.regions for pair in found if pair[1]])
        for exclusion in exclusions
    ]
    values += [
        overlay.couplings[(overlay.masses_gev >= low) & (overlay.masses_gev <= high)]
        for overlay in overlays
    ]
    every = np.concatenate(values)
    every = every[np.isfinite(every) & (every > 0.0)]
    if every.size:
        axes.set_ylim(float(every.min()) / 3.0, float(every.max()) * 20.0)


def _decades(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(base=10.0, numticks=12))
        axis.set_minor_locator(LogLocator(base=10.0, subs=tuple(np.arange(2, 10)), numticks=12))
        axis.set_major_formatter(LogFormatterMathtext())
        if high > 12.0 * low:
            axis.set_minor_formatter(NullFormatter())
        else:  # at most one power of ten: the ticks between them need numbers
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("{x:g}")
