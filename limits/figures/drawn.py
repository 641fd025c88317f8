"""What is drawn beside limits: lines, regions, limits of others, levels and floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from na64.limits.figures.style import OTHER_COLOURS, OVERLAY_STYLES, open_ends

__all__ = ["Drawn", "Kind", "Look", "draw_beside", "styled"]

_LEVEL_DASHES: Final[tuple[Any, ...]] = ((0, (6, 2, 1, 2)), (0, (3, 2)))
_LEVEL_COLOUR: Final = "#5a3d7a"
_FLOOR_COLOURS: Final = ("#e3d5ee", "#8a6aa5")


class Kind(StrEnum):
    """What a thing beside limits is.

    A line; the closed path around a region; a limit of another experiment, shaded on its excluded
    side; a horizontal level; a floor, below which masses are excluded.
    """

    LINE = "line"
    REGION = "region"
    LIMIT = "limit"
    LEVEL = "level"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Look:
    """Colour, dashes and width of a line, and the shade beside it."""

    colour: str
    dashes: Any = "-"
    width: float = 1.4
    shade: str = ""
    order: float = 5.0


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
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    kind: Kind = Kind.LINE
    until: NDArray[np.float64] | None = None
    compared: bool = False
    look: Look | None = None
    name: str = ""


def styled(things: Sequence[Drawn]) -> list[Drawn]:
    """Return the things with a look each."""
    count = dict.fromkeys(("path", *Kind), 0)
    found = []
    for item in things:
        group = "path" if item.kind in (Kind.LINE, Kind.REGION) else item.kind
        look = item.look or _look(item.kind, count[group])
        count[group] += item.look is None
        found.append(replace(item, look=look))
    return found


def _look(kind: Kind, number: int) -> Look:
    if kind is Kind.LIMIT:
        shade, colour = OTHER_COLOURS[number % len(OTHER_COLOURS)]
        return Look(colour, width=0.8, shade=shade, order=1.2)
    if kind is Kind.LEVEL:
        return Look(_LEVEL_COLOUR, _LEVEL_DASHES[number % len(_LEVEL_DASHES)], 1.1, order=2.5)
    if kind is Kind.FLOOR:
        return Look(_FLOOR_COLOURS[1], width=0.8, shade=_FLOOR_COLOURS[0], order=0.5)
    colour, dashes = OVERLAY_STYLES[number % len(OVERLAY_STYLES)]
    return Look(colour, dashes, shade=colour if kind is Kind.REGION else "")


def draw_beside(axes: Axes, things: Sequence[Drawn], *, below: bool) -> None:
    """Draw things, in the limits that the axes have.

    Parameters
    ----------
    axes
        Where to draw; logarithmic.
    things
        From `styled`.
    below
        Whether limits exclude what is below them.
    """
    for item in things:
        if item.look is not None:
            _draw(axes, item, item.look, below)


def _draw(axes: Axes, item: Drawn, look: Look, below: bool) -> None:
    line = {"color": look.colour, "ls": look.dashes, "lw": look.width, "zorder": look.order}
    if item.kind is Kind.LEVEL:
        axes.axhline(float(item.y[0]), label=item.label, **line)
    elif item.kind is Kind.FLOOR:
        low, high = axes.get_xlim()
        edge = float(item.x[-1])
        if edge > low:
            axes.axvspan(
                low,
                min(edge, high),
                fc=look.shade,
                ec=look.colour,
                lw=look.width,
                zorder=look.order,
                label=item.label,
            )
    elif item.kind is Kind.LIMIT:
        until = item.until
        if until is None:
            far = open_ends(axes)[0 if below else 1]
            until = np.minimum(item.y, far) if below else np.maximum(item.y, far)
        axes.fill_between(
            item.x,
            item.y,
            until,
            fc=look.shade,
            ec="none",
            zorder=look.order - 0.2,
            label=item.label,
        )
        axes.plot(item.x, item.y, **line)
    else:
        if item.kind is Kind.REGION:
            axes.fill(item.x, item.y, fc=look.shade, alpha=0.15, ec="none", zorder=1.0)
        axes.plot(item.x, item.y, label=item.label, **line)
