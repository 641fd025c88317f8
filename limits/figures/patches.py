"""Figures of the limits of a patchset: against one value, or contours in the plane of two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.table import LimitTable
from na64.limits.figures.style import (
    MEDIAN,
    ONE_SIGMA,
    SCAN_COLOURS,
    TWO_SIGMA,
    decades,
    drawing_style,
)
from na64.limits.figures.typeset import plain_text
from na64.limits.scanning.contours import UnitSquare, exclusion_contours, hull, interpolated
from na64.limits.scanning.patches import PatchedResults, PatchResult, limits_or_infinity
from na64.models.errors import InputError
from na64.workspaces.pyhf.patchsets import Patch, Patchset

__all__ = ["check_drawable", "patch_figure"]

Array = NDArray[np.float64]

#: points per axis at which the band is evaluated
_FINE: Final = 300
#: part of the range that is left free around the points
_MARGIN: Final = 0.06
#: longest description that fits above the figure
_TITLE: Final = 90
_MEDIAN: Final = BAND_ORDER.index(0)


def check_drawable(patchset: Patchset) -> None:
    """Refuse patches of other than one or two numbers, before anything is computed.

    Raises
    ------
    InputError
        For more than two labels, or a value that is no number.
    """
    _check(patchset.labels, patchset.patches)


def _check(labels: Sequence[str], patches: Iterable[Patch | PatchResult[LimitTable]]) -> None:
    if len(labels) not in (1, 2):
        raise InputError(
            f"a figure shows patches of one or two values, these have {len(labels)}: "
            f"{', '.join(labels)}"
        )
    for patch in patches:
        for label, value in zip(labels, patch.values, strict=True):
            if isinstance(value, str):
                raise InputError(
                    f"a figure shows numbers; patch '{patch.name}' has {label} = '{value}'"
                )


def patch_figure(found: PatchedResults[LimitTable], title: str = "") -> Figure:
    """Draw the limits on the signal strength of all patches.

    With one value per patch: observed and expected limits with bands against it. With two: the
    contours at which the observed and the median expected limit are one, and the region between
    those of the expected limits at +-1 standard deviation, see
    `na64.limits.scanning.contours`; every patch is a point.

    Parameters
    ----------
    found
        From `na64.limits.scanning.patches.patch_limits`.
    title
        What the patches are; its first line is drawn above, cut to 90 characters.

    Raises
    ------
    InputError
        For more than two values per patch, or values that are no numbers.
    """
    _check(found.labels, found.results)
    points = found.points
    with drawing_style():
        figure = Figure(figsize=(5.8, 4.4 if len(found.labels) == 1 else 5.6), layout="constrained")
        axes = figure.subplots()
        (_draw_against if len(found.labels) == 1 else _draw_plane)(axes, points, found)
        head = title.split("\n")[0].strip()
        head = head if len(head) <= _TITLE else f"{head[: _TITLE - 3]}..."
        figure.suptitle(plain_text(head), fontsize=10.5)
        figure.draw_without_rendering()
    return figure


def _level(found: PatchedResults[LimitTable]) -> str:
    levels = {each.answer.confidence_level for each in found if each.answer is not None}
    return ", ".join(f"{100 * level:g}% CL" for level in sorted(levels))


def _draw_against(axes: Axes, points: Array, found: PatchedResults[LimitTable]) -> None:
    """Draw limits against the one value."""
    order = np.argsort(points[:, 0], kind="stable")
    x, observed, expected = points[order, 0], found.observed[order], found.expected[order].T
    for sigmas, colour in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        low, high = (expected[BAND_ORDER.index(k)] for k in (-sigmas, sigmas))
        label = rf"expected $\pm {sigmas}\sigma$"
        axes.fill_between(x, low, high, color=colour, lw=0.0, label=label)
    black, blue = SCAN_COLOURS[0], MEDIAN
    axes.plot(x, expected[_MEDIAN], color=blue, ls=(0, (3, 3)), zorder=3.0, label="expected median")
    axes.plot(x, observed, "o-", color=black, ms=3.5, label="observed")
    axes.axhline(1.0, color=SCAN_COLOURS[2], lw=0.9, ls=(0, (6, 2, 1, 2)))
    axes.set_yscale("log")
    if x[0] > 0.0 and UnitSquare.around(np.column_stack([x, x])).logarithmic[0]:
        axes.set_xscale("log")
        decades(axes)
    missing = ~np.isfinite(observed)
    if missing.any():
        style: dict[str, Any] = {"color": SCAN_COLOURS[2], "ls": "", "label": "no limit"}
        across = axes.get_xaxis_transform()
        axes.plot(x[missing], np.full(missing.sum(), 0.03), "x", transform=across, **style)
    axes.set_xlabel(plain_text(found.labels[0]))
    axes.set_ylabel(f"upper limit on the signal strength, {_level(found)}")
    axes.legend(loc="best")


def _draw_plane(axes: Axes, points: Array, found: PatchedResults[LimitTable]) -> None:
    """Draw contours in the plane of two values."""
    square = UnitSquare.around(points)
    observed, *expected = limits_or_infinity(found)
    for axis, log in zip(("x", "y"), square.logarithmic, strict=True):
        if log:
            getattr(axes, f"set_{axis}scale")("log")
    ends = square.outward(np.array([[-_MARGIN] * 2, [1.0 + _MARGIN] * 2]))
    axes.set_xlim(*ends[:, 0])
    axes.set_ylim(*ends[:, 1])
    handles: list[Line2D | Rectangle] = []
    strong, weak = (expected[BAND_ORDER.index(k)] for k in (-1, 1))
    if _draw_band(axes, square, points, strong, weak):
        handles.append(
            Rectangle(
                (0.0, 0.0), 1.0, 1.0, fc=ONE_SIGMA, ec="none", label=r"expected $\pm 1\sigma$"
            )
        )
    lines = (
        (expected[_MEDIAN], "expected", SCAN_COLOURS[1], (0, (5, 2))),
        (observed, "observed", SCAN_COLOURS[0], "-"),
    )
    for values, name, colour, dashes in lines:
        drawn = exclusion_contours(points, values)
        for line in drawn:
            axes.plot(*line.T, color=colour, ls=dashes, lw=1.6, zorder=3.0)
        words = name if drawn else f"{name}: {_without_contour(values)}"
        handles.append(Line2D([], [], color=colour, ls=dashes if drawn else "", label=words))
    around = hull(points[~np.isnan(observed)]) if np.any(~np.isnan(observed)) else ()
    if len(around):
        style: dict[str, Any] = {"color": "#999999", "lw": 0.8, "ls": ":"}
        handles += axes.plot(*np.transpose(around), **style, zorder=0.5, label="edge of the points")
    handles += _draw_points(axes, points, observed)
    axes.set_xlabel(plain_text(found.labels[0]))
    axes.set_ylabel(plain_text(found.labels[1]))
    axes.legend(
        handles=handles[::-1],
        title=f"Contours of a signal strength of one, {_level(found)}",
        loc="lower left",
        bbox_to_anchor=(0.0, 1.01),
        ncols=2,
        alignment="left",
        borderaxespad=0.0,
    )


def _draw_band(axes: Axes, square: UnitSquare, points: Array, strong: Array, weak: Array) -> bool:
    """Fill between two contours: what the strong outcome excludes and the weak one does not."""
    ticks = np.linspace(0.0, 1.0, _FINE)
    x, y = np.meshgrid(ticks, ticks)
    unit = np.column_stack([x.ravel(), y.ravel()])
    between = np.maximum(
        interpolated(square, points, strong, unit), -interpolated(square, points, weak, unit)
    )
    if not np.any(between < 0.0):
        return False
    sides = [square.outward(np.column_stack([ticks, ticks]))[:, axis] for axis in (0, 1)]
    below = (float(np.nanmin(between)) - 1.0, 0.0)
    axes.contourf(*sides, between.reshape(x.shape), below, colors=[ONE_SIGMA], zorder=1.0)
    return True


def _draw_points(axes: Axes, points: Array, observed: Array) -> list[Line2D]:
    """Mark every patch; return what the legend says of the marks."""
    missing = np.isnan(observed)
    excluded = observed < 1.0
    marks: tuple[tuple[NDArray[np.bool_], str, dict[str, Any]], ...] = (
        (excluded, "observed: excluded", {"marker": "o", "mfc": "#555555"}),
        (~excluded & ~missing, "observed: not excluded", {"marker": "o", "mfc": "none"}),
        (missing, "no limit", {"marker": "x", "mfc": "none"}),
    )
    handles = []
    for chosen, label, mark in marks:
        if chosen.any():
            style: dict[str, Any] = {
                "color": "#555555",
                "ls": "",
                "ms": 3.5,
                "label": label,
                "zorder": 2.0,
                **mark,
            }
            handles += axes.plot(*points[chosen].T, **style)
    return handles


def _without_contour(limits: Array) -> str:
    """Say why there is no contour."""
    known = limits[~np.isnan(limits)]
    if not len(known):
        return "no limits"
    if np.all(known < 1.0):
        return "all excluded"
    return "none excluded" if np.all(known >= 1.0) else "points on a line"
