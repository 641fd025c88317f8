"""What is drawn beside limits: lines, regions, limits of others, levels and floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from na64.limits.figures.colours import ink
from na64.limits.figures.style import (
    HATCHES,
    OTHER_COLOURS,
    OVERLAY_COLOURS,
    OVERLAY_DASHES,
    open_ends,
)

__all__ = ["Drawn", "Kind", "Look", "Traced", "draw_beside", "styled"]

_LEVEL_DASHES: Final[tuple[Any, ...]] = ((0, (1.5, 2)), (0, (4, 4)))
_LEVEL_COLOUR: Final = "#5a3d7a"
_FLOOR_COLOURS: Final = ("#e3d5ee", "#8a6aa5")
#: masses that are one as nearly as curves are read off figures
_SAME_MASS: Final = 0.02


class Kind(StrEnum):
    """What a thing beside limits is.

    A line; the relic target of dark matter, a line of its own family; the closed path around a
    region; a limit of another experiment, shaded on its excluded side; a horizontal level; a
    floor, below which masses are excluded.
    """

    LINE = "line"
    TARGET = "target"
    REGION = "region"
    LIMIT = "limit"
    LEVEL = "level"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Look:
    """Colour, dashes and width of a line, the shade beside it and its hatch."""

    colour: str
    dashes: Any = "-"
    width: float = 1.4
    shade: str = ""
    order: float = 5.0
    hatch: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A thing that is drawn beside limits.

    Attributes
    ----------
    label
        Text of the legend.
    x, y
        Points in the plane of the figure, shape (N,), in their own order; NaN for gaps. The last
        x of a floor is its edge, the first y of a level its value.
    until
        Of a limit, where what it excludes ends, shape (N,); None if it is open.
    kind
        What it is.
    compared
        Whether a ratio panel compares with it.
    look
        How it looks; None for the next look of its kind.
    name
        By which `na64.limits.figures.appearance.Appearance` speaks of it: that of a curve, of a
        bound, of a measurement, or ``relic`` and a species; the label if empty.
    text
        Text at the curve, where references have no room; the label if empty.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    kind: Kind = Kind.LINE
    until: NDArray[np.float64] | None = None
    compared: bool = False
    look: Look | None = None
    name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Traced:
    """What was drawn, as far as a label or a legend must know.

    Attributes
    ----------
    name
        By which `na64.limits.figures.appearance.Appearance` speaks of it.
    legend
        Text of the legend.
    text
        Text at the curve; empty for what is explained by the legend alone.
    handle
        What the legend shows of it.
    colour, ground
        Of the label and of what is behind it; the axes' if empty.
    line
        Points of its edge, shape (N, 2), NaN for gaps.
    areas
        Closed paths inside of which the label may stand.
    side
        1 for a label above the line rather than below, -1 for below, 0 if that is the same.
    level
        Of its areas in the order of drawing.
    """

    name: str
    legend: str
    text: str
    handle: Artist
    colour: str = ""
    ground: str = ""
    line: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    areas: tuple[NDArray[np.float64], ...] = ()
    side: int = 0
    level: float = 0.0


def styled(things: Sequence[Drawn]) -> list[Drawn]:
    """Return the things with a look each, for the ground of the style that is set."""
    count = dict.fromkeys(("path", *Kind), 0)
    found = []
    for item in things:
        group = "path" if item.kind in (Kind.LINE, Kind.REGION) else item.kind
        look = item.look or _look(item.kind, count[group])
        count[group] += item.look is None
        look = replace(look, colour=ink(look.colour), shade=ink(look.shade, fill=True))
        found.append(replace(item, look=look))
    return found


def _look(kind: Kind, number: int) -> Look:
    if kind is Kind.LIMIT:
        shade, colour = OTHER_COLOURS[number % len(OTHER_COLOURS)]
        hatch = HATCHES[number // len(OTHER_COLOURS) % len(HATCHES)]
        return Look(colour, width=0.8, shade=shade, order=1.2, hatch=hatch)
    if kind is Kind.LEVEL:
        return Look(_LEVEL_COLOUR, _LEVEL_DASHES[number % len(_LEVEL_DASHES)], 1.1, order=2.5)
    if kind is Kind.FLOOR:
        return Look(_FLOOR_COLOURS[1], width=0.8, shade=_FLOOR_COLOURS[0], order=0.5)
    colour = OVERLAY_COLOURS[number % len(OVERLAY_COLOURS)]
    dashes = OVERLAY_DASHES[number % len(OVERLAY_DASHES)]
    if kind is not Kind.REGION:
        return Look(colour, dashes)
    return Look(colour, dashes, shade=colour, hatch=HATCHES[number % len(HATCHES)])


def draw_beside(axes: Axes, things: Sequence[Drawn], *, below: bool) -> list[Traced]:
    """Draw things, in the limits that the axes have, and return what labels must know of them.

    Parameters
    ----------
    axes
        Where to draw; logarithmic.
    things
        From `styled`.
    below
        Whether limits exclude what is below them.
    """
    drawers = {Kind.LEVEL: _level, Kind.FLOOR: _floor, Kind.LIMIT: _limit}
    made = []
    for item in _smallest_last(axes, things, below=below):
        if item.look is not None:
            style = {
                "color": item.look.colour,
                "ls": item.look.dashes,
                "lw": item.look.width,
                "zorder": item.look.order,
            }
            if found := drawers.get(item.kind, _path)(axes, (item, item.look), style, below):
                made.append(found)
    return made


def _smallest_last(axes: Axes, things: Sequence[Drawn], *, below: bool) -> list[Drawn]:
    """Return things so that no limit of others hides behind a stronger one."""
    limits = [row for row, item in enumerate(things) if item.kind is Kind.LIMIT]
    (low, high), (bottom, top) = np.log([axes.get_xlim(), axes.get_ylim()])
    grid = np.linspace(low, high, 200)

    def size(row: int) -> float:
        """Part of the frame that is shaded."""
        x, y = np.log(things[row].x), np.log(things[row].y)
        known = np.isfinite(x) & np.isfinite(y)
        if not known.any():
            return 0.0
        inside = (grid >= x[known].min()) & (grid <= x[known].max())
        edge = np.clip(np.interp(grid, x[known], y[known]), bottom, top)
        return float(np.sum(inside * (edge - bottom if below else top - edge)))

    order = sorted(limits, key=size, reverse=True)
    found = list(things)
    for rank, row in enumerate(order):
        look = things[row].look
        if look is not None:  # all of them below the lines of what is compared
            raised = look.order + 0.2 * rank / len(order)
            found[row] = replace(things[row], look=replace(look, order=raised))
    return found


def _traced(item: Drawn, handle: Artist, line: NDArray[np.float64], **others: Any) -> Traced:
    colour = item.look.colour if item.look else ""
    text = item.text or item.label
    return Traced(
        item.name or item.label,
        item.label,
        text,
        handle,
        colour=colour,
        line=line,
        level=item.look.order if item.look else 0.0,
        **others,
    )


def _level(
    axes: Axes, thing: tuple[Drawn, Look], style: dict[str, Any], _below: bool
) -> Traced | None:
    item, value = thing[0], float(thing[0].y[0])
    line = axes.axhline(value, label=item.label, **style)
    return _traced(item, line, np.column_stack([axes.get_xlim(), [value, value]]))


def _floor(
    axes: Axes, thing: tuple[Drawn, Look], _style: dict[str, Any], _below: bool
) -> Traced | None:
    item, look = thing
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    edge = float(item.x[-1])
    if edge <= low:
        return None
    colours: dict[str, Any] = {"fc": look.shade, "ec": look.colour, "lw": look.width}
    end = min(edge, high)
    span = axes.axvspan(low, end, zorder=look.order, label=item.label, **colours)
    corners = np.array([[low, bottom], [low, top], [end, top], [end, bottom]])
    line = np.array([[end, bottom], [end, top]])
    return _traced(item, span, line, areas=(corners,), ground=look.shade, side=1)


def _limit(
    axes: Axes, thing: tuple[Drawn, Look], style: dict[str, Any], below: bool
) -> Traced | None:
    item, look = thing
    until = item.until
    if until is None:
        far = open_ends(axes)[0 if below else 1]
        until = np.minimum(item.y, far) if below else np.maximum(item.y, far)
    fill = axes.fill_between(
        item.x,
        item.y,
        until,
        fc=look.shade,
        ec=look.colour if look.hatch else "none",
        hatch=look.hatch or None,
        lw=0.0,
        zorder=look.order - 0.2,
        label=item.label,
    )
    axes.plot(item.x, item.y, **style)
    line, end = np.column_stack([item.x, item.y]), np.column_stack([item.x, until])
    around = np.concatenate([line, end[::-1], line[:1]])
    side = -1 if below else 1
    return _traced(item, fill, line, areas=(around,), ground=look.shade, side=side)


def _path(
    axes: Axes, thing: tuple[Drawn, Look], style: dict[str, Any], _below: bool
) -> Traced | None:
    item, look = thing
    line = np.column_stack([item.x, item.y])
    is_region = item.kind is Kind.REGION
    if is_region:
        fill: dict[str, Any] = {
            "alpha": 0.22,
            "lw": 0.0,
            "zorder": 1.0,
            "hatch": look.hatch or None,
        }
        axes.fill(item.x, item.y, fc=look.shade, ec=look.colour, **fill)
    edge = _without_cut(line) if is_region else line
    (drawn,) = axes.plot(edge[:, 0], edge[:, 1], label=item.label, **style)
    return _traced(item, drawn, edge, areas=(line,) if is_region else ())


def _without_cut(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the path around a region with a gap where it is cut off at its lightest mass.

    Nothing is known of what is lighter, so that there is no edge. A region that has such a side at
    its heaviest mass, too, is a band or a box, with sides of its own.
    """
    x, y = np.log(path).T
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return path
    high = np.abs(np.diff(y)) > 0.5 * np.ptp(y[known])  # a tip is blunt, not as high as the region
    sides = [np.abs(x - end) < _SAME_MASS for end in (x[known].min(), x[known].max())]
    cut, other = (np.flatnonzero(side[:-1] & side[1:] & high) for side in sides)
    if len(other):
        return path
    return np.insert(path, cut + 1, np.nan, axis=0)
