"""The figure of limits: any mixture of results of one variable, and what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.bars import bars
from na64.limits.figures.colours import ink
from na64.limits.figures.drawing import draw_bands, draw_limit
from na64.limits.figures.drawn import Drawn, Traced, draw_beside, styled
from na64.limits.figures.labelling import lay_out
from na64.limits.figures.overlays import Beside, things_beside
from na64.limits.figures.plan import (
    axis_labels,
    check_results,
    colours,
    heading,
    relabelled,
    told_labels,
)
from na64.limits.figures.ranges import mass_range, value_range
from na64.limits.figures.style import (
    SCAN_COLOURS,
    decades,
    drawing_style,
)
from na64.limits.results.limit import Limit
from na64.models.errors import InputError

__all__ = ["figure", "ratio_to"]

FloatArray = NDArray[np.float64]


def figure(
    results: Sequence[Limit],
    *,
    beside: Beside | None = None,
    appearance: Appearance | None = None,
    ratio_panel: bool = False,
    names: Sequence[str] = (),
    ax: Axes | None = None,
) -> Figure:
    """Draw limits on one variable against a mass, or branching ratios as bars.

    What is excluded is shaded, its contour drawn. The first limit has its expected bands, unless
    the colours tell dark sectors apart; of an expected-only one the median stands for it. Both
    axes are logarithmic.

    Parameters
    ----------
    results
        One or more limits of the same variable, against the same kind of mass.
    beside
        Curves, thermal targets, bounds and bands of g-2; nothing if None.
    appearance
        Title, labels, ranges, style; by rule if None.
    ratio_panel
        Whether a second panel shows the first limit divided by every curve that is no region.
    names
        Names of the results, such as their files, for those that nothing else tells apart.
    ax
        Axes to draw into, in the style that is set (that of ``appearance`` is for figures of their
        own; ``matplotlib.style.use("na64.limits.figures.paper")`` sets it). The figure that they
        are in stays as large as it is, and is laid out by whoever made it. A new figure if None.

    Returns
    -------
    matplotlib.figure.Figure
        Not attached to any window unless that of ``ax`` is;
        `na64.limits.figures.style.save_figure` writes it.

    Raises
    ------
    InputError
        Without a result, for results of different variables, where there is nothing to draw, for
        a ratio panel without a curve, and for what has no place beside the results.
    """
    look = appearance or Appearance()
    check_results(results, look)
    is_branching = results[0].y.name == "br"
    if ratio_panel and (is_branching or ax is not None):
        raise InputError("a ratio panel needs a mass axis and a figure of its own")
    # axes of the caller keep the style of the caller
    with drawing_style(look.style) if ax is None else nullcontext():
        span = None
        if look.xlim is not None:
            span = look.xlim[0] / look.mass_scale, look.xlim[1] / look.mass_scale
        found = things_beside(results, beside or Beside(), compared=ratio_panel, span=span)
        if ratio_panel and not any(item.compared for item in found):
            raise InputError("a ratio panel needs a limit to divide by; overlay a curve")
        things = styled(relabelled(found, look))
        if is_branching:
            return bars(results, things, names=names, appearance=look, ax=ax)
        made, axes, below = _panels(ratio_panel, ax)
        traced = _draw(axes, results, things, (look, names))
        if below is not None:
            _draw_ratios(below, results, [item for item in things if item.compared], look)
            axes.tick_params(which="both", labelbottom=False)
        (below or axes).set_xlabel(axis_labels(results, look)[0])
        decades(axes)
        lay_out(axes, traced, heading(results, look), look, own=ax is None)
        # text is laid out and ticks are placed when the figure is drawn: do it in this style
        made.draw_without_rendering()
    return made


def ratio_to(limit: Limit, curve: Drawn) -> FloatArray:
    """Return a limit divided by a published one.

    The published curve is interpolated linearly in the logarithms of mass and coupling.

    Returns
    -------
    numpy.ndarray
        Shape (M,); NaN where either limit does not exist.
    """
    order = np.argsort(curve.x, kind="stable")
    published = np.interp(
        np.log(limit.masses_gev),
        np.log(curve.x[order]),
        np.log(curve.y[order]),
        left=math.nan,
        right=math.nan,
    )
    return np.asarray(limit.shown / np.exp(published))


def _panels(ratio_panel: bool, ax: Axes | None) -> tuple[Figure, Axes, Axes | None]:
    """Return the figure, the axes of limits, and those of ratios if there are any."""
    if ax is not None:
        made = ax.get_figure(root=True)
        if made is None:
            raise InputError("the axes to draw into are in no figure")
        return made, ax, None
    if not ratio_panel:
        made = Figure(figsize=(6.4, 4.8), layout="constrained")
        return made, made.add_subplot(), None
    made = Figure(figsize=(6.4, 6.2), layout=ConstrainedLayoutEngine(h_pad=0.02, hspace=0.0))
    grid = made.add_gridspec(2, 1, height_ratios=(3.1, 1.0))
    axes = made.add_subplot(grid[0])
    return made, axes, made.add_subplot(grid[1], sharex=axes)


def _draw(
    axes: Axes,
    results: Sequence[Limit],
    things: Sequence[Drawn],
    wanted: tuple[Appearance, Sequence[str]],
) -> list[Traced]:
    """Draw limits and things, and return what labels and legend must know of them."""
    look, names = wanted
    scale = look.mass_scale
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = mass_range(results)
    axes.set_xlim(look.xlim or (scale * low, scale * high))
    tones = colours(results)
    bands = look.bands and tones[0] == SCAN_COLOURS[0]
    axes.set_ylim(
        look.ylim or value_range(axes.get_xlim(), results, things, bands=bands, scale=scale)
    )
    axes.set_ylabel(axis_labels(results, look)[1])
    traced = draw_bands(axes, results[0], scale) if bands else []
    told = told_labels(results, look, names)
    keys = [*names, *told[len(names) :]] if names else told
    inks = [ink(colour) for colour in tones]
    for item, label, key, line in zip(
        results, told, keys, zip(inks, _widths(results), strict=True), strict=True
    ):
        made = draw_limit(axes, item, label, line, scale)
        traced.append(replace(made, name=key or made.text))
    others = draw_beside(axes, things, below=results[0].plane.excluded_below)
    return [*traced, *others]


def _widths(results: Sequence[Limit]) -> list[float]:
    """Widths of the limits: those that agree lie on top of each other, the first the widest."""
    first = results[0]
    both = [np.isfinite(item.shown) for item in results]
    same = len(results) > 1 and all(
        np.array_equal(item.masses_gev, first.masses_gev)
        and (some & both[0]).any()
        and np.median(np.abs(np.log((item.shown / first.shown)[some & both[0]]))) < 0.05
        for item, some in zip(results, both, strict=True)
    )
    step = 1.1 if same else 0.0
    return [(1.6 if same else 2.0) + step * number for number in range(len(results))][::-1]


def _draw_ratios(
    axes: Axes, results: Sequence[Limit], references: Sequence[Drawn], look: Appearance
) -> None:
    first = results[0]
    largest = 0.1
    for item in references:
        ratio = ratio_to(first, replace(item, x=item.x / look.mass_scale))
        colour = item.look.colour if item.look else SCAN_COLOURS[0]
        axes.plot(
            look.mass_scale * first.masses_gev, ratio, color=colour, marker=".", ms=3.5, lw=0.9
        )
        finite = np.abs(ratio[np.isfinite(ratio)] - 1.0)
        if finite.size:
            largest = max(largest, float(finite.max()))
    axes.axhline(1.0, color="#000000", lw=0.8)
    reach = min(math.ceil(largest * 1.1 / 0.1) * 0.1, 1.0)
    axes.set_ylim(1.0 - reach, 1.0 + reach)
    words = "ratio to published" if len(results) == 1 else "ratio of the first\nto published"
    axes.set_ylabel(words, fontsize=10.5)
    axes.grid(axis="y", color="#cccccc", lw=0.5)
