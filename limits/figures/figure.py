"""The figure of limits: any mixture of results of one variable, and what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.bars import bars
from na64.limits.figures.drawing import closes, draw_bands, draw_limit, edges_of
from na64.limits.figures.drawn import Drawn, Kind, draw_beside, styled
from na64.limits.figures.overlays import Beside, things_beside
from na64.limits.figures.style import (
    ALPHA_COLOURS,
    SCAN_COLOURS,
    SPECIES_COLOURS,
    STRETCH,
    decades,
    drawing_style,
    legend_above,
)
from na64.limits.figures.words import assumed, labels, title
from na64.limits.results.axes import tex
from na64.limits.results.limit import Limit
from na64.models.errors import InputError

__all__ = ["figure", "ratio_to"]

FloatArray = NDArray[np.float64]

#: entries of a legend inside of the frame
_ENTRIES: Final = 7
#: how far what stands beside limits is followed, as factors on their smallest and largest value
_REACH: Final = (1e-3, 1e3)


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
        Axes to draw into; the figure that they are in stays as large as it is, and is laid out by
        whoever made it. A new figure if None.

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
    _check(results, look)
    things = styled(things_beside(results, beside or Beside(), compared=ratio_panel))
    things = [replace(item, x=item.x * look.mass_scale) for item in things]
    references = [item for item in things if item.compared]
    is_branching = results[0].y.name == "br"
    if ratio_panel and (is_branching or ax is not None):
        raise InputError("a ratio panel needs a mass axis and a figure of its own")
    if ratio_panel and not references:
        raise InputError("a ratio panel needs a limit to divide by; overlay a curve")
    with drawing_style(look.style):
        if is_branching:
            return bars(results, things, names=names, ax=ax)
        made, axes, below = _panels(ratio_panel, ax)
        _draw(axes, results, things, (look, names))
        if below is not None:
            _draw_ratios(below, results, [item for item in things if item.compared], look)
            axes.tick_params(which="both", labelbottom=False)
        (below or axes).set_xlabel(_mass_label(results, look))
        decades(axes)
        if ax is not None:
            axes.legend(loc="best", title=_heading(results, look), alignment="left")
            return made
        _place_legend(made, axes, results, things, look)
        decades(axes)
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


def _check(results: Sequence[Limit], look: Appearance) -> None:
    if not results:
        raise InputError("nothing to draw: no limit given")
    if len(look.labels) > len(results):
        raise InputError(f"{len(look.labels)} labels for {len(results)} limits")
    kinds = {
        (item.y.definition, item.x.name if item.x.name == "m_chi" else "the mediator's mass")
        for item in results
    }
    if len(kinds) > 1:
        found = "; ".join(sorted(f"{y} against {x}" for y, x in kinds))
        raise InputError(f"these limits are of different variables: {found}")


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


def _heading(results: Sequence[Limit], look: Appearance) -> str:
    return title(results) if look.title is None else look.title


def _draw(
    axes: Axes,
    results: Sequence[Limit],
    things: Sequence[Drawn],
    wanted: tuple[Appearance, Sequence[str]],
) -> None:
    look, names = wanted
    scale = look.mass_scale
    axes.set_xscale("log")
    axes.set_yscale("log")
    low = min(float(item.masses_gev[0]) for item in results)
    high = max(float(item.masses_gev[-1]) for item in results)
    margin = 1.0 if high > 3.0 * low else 1.15  # points, not a curve
    axes.set_xlim(look.xlim or (scale * low / margin, scale * high * margin))
    colours = _colours(results)
    bands = look.bands and colours[0] == SCAN_COLOURS[0]
    axes.set_ylim(look.ylim or _range(axes, results, things, bands=bands))
    axes.set_ylabel(_value_label(results))
    if bands:
        draw_bands(axes, results[0], scale)
    own = [*look.labels, *[""] * (len(results) - len(look.labels))]
    told = [mine or by_rule for mine, by_rule in zip(own, labels(results, names), strict=True)]
    for item, label, line in zip(
        results, told, zip(colours, _widths(results), strict=True), strict=True
    ):
        draw_limit(axes, item, label, line, scale)
    draw_beside(axes, things, below=results[0].plane.excluded_below)


def _mass_label(results: Sequence[Limit], look: Appearance) -> str:
    found = {replace(item.x, unit=look.mass_unit).label for item in results}
    return found.pop() if len(found) == 1 else f"mass of the mediator [{look.mass_unit}]"


def _value_label(results: Sequence[Limit]) -> str:
    found = {item.y.label for item in results}
    name = results[0].y.name
    return found.pop() if len(found) == 1 else f"${name if len(name) == 1 else tex(name)}$"


def _colours(results: Sequence[Limit]) -> list[str]:
    """Black for one limit; by species or alpha_D where each has its own; else one colour each."""
    known = [assumed(item) for item in results]
    if len(results) > 1 and not results[0].plane.is_coupling:
        species = [item.dark_matter for item in known]
        if len(set(species)) == len(results) and None not in species:
            return [SPECIES_COLOURS[str(name)] for name in species]
        if len({item.alpha_d for item in known}) == len(results):
            return [ALPHA_COLOURS[i % len(ALPHA_COLOURS)] for i in range(len(results))]
    return [SCAN_COLOURS[i % len(SCAN_COLOURS)] for i in range(len(results))]


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


def _range(
    axes: Axes, results: Sequence[Limit], things: Sequence[Drawn], *, bands: bool
) -> tuple[float, float]:
    """Values between which limits lie, and what stands beside them unless it is far off."""
    low, high = axes.get_xlim()
    own = np.concatenate(
        [edges_of(item, bands=bands and item is results[0])[1] for item in results]
    )
    own = own[np.isfinite(own) & (own > 0.0)]
    others = np.concatenate([np.array([]), *(_seen(item, low, high) for item in things)])
    others = others[np.isfinite(others) & (others > 0.0)]
    if not own.size and not others.size:
        raise InputError("nothing to draw: nothing is excluded or expected to be, at any mass")
    if own.size:
        # below an alpha_D that is excluded there is nothing to see
        down = 0.1 if results[0].plane.excluded_below else _REACH[0]
        near = (others >= down * own.min()) & (others <= _REACH[1] * own.max())
        others = others[near]
    every = np.concatenate([own, others])
    return float(every.min()) / 3.0, float(every.max()) * 2.0


def _seen(item: Drawn, low: float, high: float) -> FloatArray:
    """Return values of a thing between two masses, those at the masses among them."""
    if item.kind in (Kind.LEVEL, Kind.FLOOR):
        return item.y
    inside = item.y[(item.x >= low) & (item.x <= high)]
    if not np.all(np.diff(item.x) > 0.0):
        return inside
    ends = np.clip([low, high], item.x[0], item.x[-1])
    ends = ends[(ends >= low) & (ends <= high)]
    with np.errstate(invalid="ignore"):
        return np.append(inside, np.exp(np.interp(np.log(ends), np.log(item.x), np.log(item.y))))


def _place_legend(
    made: Figure,
    axes: Axes,
    results: Sequence[Limit],
    things: Sequence[Drawn],
    look: Appearance,
) -> None:
    """Put the legend in the upper left corner if it is free, above the frame otherwise."""
    heading = _heading(results, look)
    if look.legend == "none":
        axes.set_title(heading)
        return
    if look.legend not in ("auto", "above"):
        axes.legend(loc=look.legend, title=heading, alignment="left")
        return
    _, texts = axes.get_legend_handles_labels()
    shaded = any(item.kind in (Kind.LIMIT, Kind.LEVEL, Kind.FLOOR) for item in things)
    crowded = len(texts) > _ENTRIES or shaded or any(map(closes, results))
    # upper limits on couplings rise to the right: the other corner is free
    if look.legend == "auto" and not crowded and results[0].plane.is_coupling:
        legend = axes.legend(loc="upper left", title=heading, alignment="left")
        legend.set_in_layout(False)  # however long its lines are, the axes keep their size
        if _make_room(made, axes, results, things, look):
            return
        legend.remove()
    legend_above(made, axes, heading)


def _make_room(
    made: Figure,
    axes: Axes,
    results: Sequence[Limit],
    things: Sequence[Drawn],
    look: Appearance,
) -> bool:
    """Raise the axis until no curve runs through the legend; False if that were too much."""
    made.draw_without_rendering()  # only then has the legend a place
    edges = [edges_of(item, bands=look.bands and item is results[0]) for item in results]
    parts = [(look.mass_scale * x, y) for x, y in edges]
    parts += [(item.x, item.y) for item in things]
    masses, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    box = axes.get_legend().get_window_extent().transformed(axes.transAxes.inverted())  # type: ignore[union-attr]
    low, high = axes.get_xlim()
    bottom, top = axes.get_ylim()
    seen = (masses >= low) & (masses <= high) & (values > bottom) & (values < top)
    place = np.log(masses[seen] / low) / math.log(high / low)
    under = values[seen][(place > box.x0 - 0.02) & (place < box.x1 + 0.02)]
    free = box.y0 - 0.03
    if not under.size:
        return True
    if free <= 0.1:
        return False
    needed = math.log(float(under.max()) / bottom) / free
    height = math.log(top / bottom)
    if needed > STRETCH * height:
        return False
    axes.set_ylim(bottom, max(top, bottom * math.exp(needed)))
    return True


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
