"""One limit in a figure: its expected bands, the contour of what is excluded, the shade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from na64.limits.calculators.status import BAND_ORDER, Regions
from na64.limits.figures.colours import ink
from na64.limits.figures.drawn import Traced
from na64.limits.figures.regions import (
    Outline,
    edge_lines,
    have_width,
    left_over,
    limit_outlines,
)
from na64.limits.figures.style import FEW_MASSES, MEDIAN, ONE_SIGMA, TWO_SIGMA, open_ends
from na64.limits.figures.typeset import with_remark
from na64.limits.figures.words import left_out_words
from na64.limits.results.limit import Limit

__all__ = ["closes", "draw_bands", "draw_limit", "edges_of"]

FloatArray = NDArray[np.float64]

#: width of the bar that a band of one mass is, points
_BAR_WIDTH: Final = 9.0


def closes(limit: Limit) -> bool:
    """Whether a region that stands for a limit has an upper end."""
    return any(high is not None for found in limit.shown_regions for _, high in found)


def edges_of(limit: Limit, *, bands: bool) -> tuple[FloatArray, FloatArray]:
    """Return masses and values of all that is drawn of a limit, each of shape (N,).

    Where values below a limit are excluded, the other edge decides nothing: it may be as far off
    as it likes.
    """
    if limit.plane.excluded_below:
        rows = [limit.shown, *(limit.expected if bands else ())]
        return np.tile(limit.masses_gev, len(rows)), np.concatenate(rows)
    kinds = [limit.shown_regions, *(limit.expected_regions if bands else ())]
    points = [
        (mass, end)
        for regions in kinds
        for mass, found in zip(limit.masses_gev.tolist(), regions, strict=True)
        for pair in found
        for end in pair
        if end
    ]
    found = np.array(points, float).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def draw_bands(axes: Axes, limit: Limit, scale: float = 1.0) -> list[Traced]:
    """Draw between which edges one and two of three outcomes without a signal lie.

    A band is what the strong outcome excludes and the weak one does not, so that a closed region
    has one along all of its edge.

    Parameters
    ----------
    axes, limit
        Where to draw which limit.
    scale
        Factor from GeV to the unit of the axis.
    """
    made: list[Traced] = []
    for sigmas, colour in ((2, ink(TWO_SIGMA, fill=True)), (1, ink(ONE_SIGMA, fill=True))):
        strong, weak = (limit.expected_regions[BAND_ORDER.index(k)] for k in (-sigmas, sigmas))
        if not have_width(strong, weak):
            continue
        label = rf"expected $\pm {sigmas}\sigma$"
        outer, inner = _paths(axes, limit, strong, scale), _paths(axes, limit, weak, scale)
        wide = [path for path in outer if not path.lone]
        if wide:
            holes = [path for path in inner if not path.lone]
            style = {"fc": colour, "ec": "none", "zorder": 2.0, "label": label}
            patch = axes.add_patch(PathPatch(_compound(wide, holes), **style))
            made.append(Traced(label, label, "", patch))
        for path in outer:
            if path.lone:  # a band of one mass is a bar
                row = int(np.argmin(np.abs(scale * limit.masses_gev - path.x[0])))
                ends = left_over(strong[row], weak[row], open_ends(axes))
                bar = axes.vlines(
                    np.full(len(ends), path.x[0]),
                    [low for low, _ in ends],
                    [high for _, high in ends],
                    color=colour,
                    lw=_BAR_WIDTH,
                    zorder=2.0,
                    label="_" if wide else label,
                )
                made += [] if wide else [Traced(label, label, "", bar)]
                wide = wide or [path]
    return made if limit.expected_only else [*made, *_draw_median(axes, limit, scale)]


def draw_limit(
    axes: Axes, limit: Limit, label: str, line: tuple[str, float], scale: float = 1.0
) -> Traced:
    """Draw the contour of what is excluded, and shade it.

    Parameters
    ----------
    axes
        Where to draw; its limits tell what is far outside.
    limit
        The limit.
    label
        What tells it from others; may be empty.
    line
        Colour of contour and shade, width of the contour in points.
    scale
        Factor from GeV to the unit of the axis.
    """
    colour, width = line
    paths = _paths(axes, limit, limit.shown_regions, scale)
    kind = "expected median" if limit.expected_only else "observed"
    words = [kind if paths else "nothing excluded", left_out_words(limit)]
    kind = ", ".join(word for word in words if word)
    x, y, nodes, _ = edge_lines(paths)
    few = len(limit.masses_gev) <= FEW_MASSES
    marked = few or any(path.lone for path in paths)
    full = with_remark(label, kind)
    (drawn,) = axes.plot(
        x,
        y,
        color=colour,
        lw=width,
        marker="o" if marked else "",
        markevery=nodes.tolist() if marked else None,
        ms=4.5,
        zorder=4.0,
        label=full,
    )
    wide = [path for path in paths if not path.lone]
    if wide and not limit.expected_only:
        style = {"fc": colour, "ec": "none", "alpha": 0.09, "zorder": 1.5}
        axes.add_patch(PathPatch(_compound(wide), **style))
    elif wide and closes(limit):  # hatched: not excluded yet
        style = {"fc": "none", "ec": colour, "alpha": 0.25, "lw": 0.0, "zorder": 1.5}
        axes.add_patch(PathPatch(_compound(wide), hatch="//", **style))
    areas = tuple(np.column_stack([path.x, path.y]) for path in wide) if closes(limit) else ()
    return Traced(
        label,
        full,
        # what is drawn was observed unless something else is said
        full if limit.expected_only or not paths or left_out_words(limit) else label or kind,
        drawn,
        colour=colour,
        line=np.column_stack([x, y]),
        areas=areas,
        side=-1 if limit.plane.excluded_below else 1,
    )


def _draw_median(axes: Axes, limit: Limit, scale: float) -> list[Traced]:
    paths = _paths(axes, limit, limit.expected_regions[BAND_ORDER.index(0)], scale)
    if not paths:
        return []
    x, y, _, alone = edge_lines(paths)
    # drawn over the observed line, which it may hide: with no events seen the two agree
    (line,) = axes.plot(
        x,
        y,
        color=ink(MEDIAN),
        lw=1.1,
        ls=(0, (3, 3)),
        marker="_" if alone.any() else "",
        markevery=alone.tolist(),
        ms=_BAR_WIDTH,
        zorder=4.5,
        label="expected median",
    )
    return [Traced("expected median", "expected median", "", line)]


def _paths(axes: Axes, limit: Limit, regions: Sequence[Regions], scale: float) -> list[Outline]:
    """Return outlines; open intervals end outside the axes and beyond every edge."""
    return limit_outlines(limit, regions, open_ends(axes), scale)


def _compound(paths: Sequence[Outline], holes: Sequence[Outline] = ()) -> Path:
    """Return one path: what is inside of the first and outside of the others."""
    vertices, codes = [], []
    for path, forward in [(p, True) for p in paths] + [(p, False) for p in holes]:
        points = np.column_stack([path.x, path.y])[:: 1 if forward else -1]
        vertices.append(np.concatenate([points, points[:1]]))
        codes += [Path.MOVETO, *[Path.LINETO] * (len(points) - 1), Path.CLOSEPOLY]
    return Path(np.concatenate(vertices), np.array(codes, Path.code_type))
