"""Limits on branching ratios as bars, one group per meson: masses are names there, not an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from na64.limits.calculators.status import BAND_ORDER
from na64.limits.figures.appearance import Appearance
from na64.limits.figures.colours import ink
from na64.limits.figures.drawn import Drawn
from na64.limits.figures.style import MEDIAN, SCAN_COLOURS
from na64.limits.figures.typeset import typeset, with_remark
from na64.limits.figures.words import labels, left_out_words, name_of
from na64.limits.results.limit import Limit
from na64.models.errors import InputError
from na64.models.signals.mesons import meson_of_mass

__all__ = ["bars"]

#: how a meson is written, by its name in `na64.models.production.charge_exchange`
_SYMBOLS: Final = {"pi0": r"\pi^0", "K0": "K^0", "eta": r"\eta", "eta-prime": r"\eta'"}
_SAME_MASS: Final = 2e-3
_GROUP: Final = 0.8
_MARK: Final = "expected median"
_MEDIAN: Final = BAND_ORDER.index(0)


def bars(
    limits: Sequence[Limit],
    things: Sequence[Drawn] = (),
    *,
    names: Sequence[str] = (),
    appearance: Appearance | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw upper limits on invisible branching ratios as horizontal bars.

    Parameters
    ----------
    limits
        One or more limits on ``br``; each mass is that of a neutral meson. A tick marks the
        expected median; a projection is a hatched bar that ends there.
    things
        Published limits, with points at masses of mesons; others are left out.
    names, appearance, ax
        As in `na64.limits.figures.figure.figure`, which calls this in the project's style.

    Raises
    ------
    InputError
        For another variable, a mass that no meson has, or ends of the vertical axis, which has
        no values.
    """
    look = appearance or Appearance()
    if look.ylim is not None:
        raise InputError("ylim: bars stand at mesons, not at values of a vertical axis")
    if other := sorted({found.y.name for found in limits} - {"br"}):
        raise InputError(f"bars are for branching ratios, not for {', '.join(other)}")
    masses = sorted({float(mass) for found in limits for mass in found.masses_gev})
    mesons = [meson_of_mass(mass) for mass in masses]
    thickness = _GROUP / (len(limits) + len(things))
    if ax is None:
        height = 1.4 + 0.5 * len(masses) / thickness**0.5
        figure: Figure = Figure(figsize=(6.4, height), layout="constrained")
        axes = figure.subplots()
    else:
        axes, figure = ax, ax.get_figure(root=True)  # type: ignore[assignment]
    told = _labels(limits, names)
    told[: len(look.labels)] = [
        typeset(mine) or other for mine, other in zip(look.labels, told, strict=False)
    ]
    for slot, (found, label) in enumerate(zip(limits, told, strict=True)):
        heights = [_place(masses, float(m)) + (slot + 0.5) * thickness for m in found.masses_gev]
        colour = ink(SCAN_COLOURS[slot % len(SCAN_COLOURS)])
        _draw(axes, found, heights, thickness, (label, colour))
    for slot, item in enumerate(things, len(limits)):
        points = [
            (_place(masses, x) + (slot + 0.5) * thickness, y)
            for x, y in zip(item.x.tolist(), item.y.tolist(), strict=True)
            if _place(masses, x) >= 0
        ]
        axes.barh(
            [at for at, _ in points],
            [value for _, value in points],
            0.9 * thickness,
            color=item.look.colour if item.look else None,
            alpha=0.45,
            label=item.label,
        )
    axes.set_xscale("log")
    axes.set_yticks(
        [at + _GROUP / 2 for at in range(len(masses))],
        [f"${_SYMBOLS[meson.name]} \\to$ invisible" for meson in mesons],
    )
    axes.minorticks_on()
    axes.tick_params(axis="y", which="both", length=0)
    axes.invert_yaxis()
    levels = {f"{100 * found.specification.confidence_level:g}% CL" for found in limits}
    axes.set_xlabel(f"upper limit on BR, {', '.join(sorted(levels))}")
    lowest, highest = axes.get_xlim()
    axes.set_xlim(look.xlim or (_decade_below(lowest, limits, things), highest * 1.5))
    handles, texts = axes.get_legend_handles_labels()
    # bars first, then the marks on them
    order = sorted(range(len(texts)), key=lambda row: texts[row] == _MARK)
    content = [handles[row] for row in order], [texts[row] for row in order]
    if look.title:
        axes.set_title(typeset(look.title), loc="left")
    if look.legend not in ("auto", "above", "none"):
        place: Any = look.legend
        axes.legend(*content, loc=place)
    elif look.legend != "none" and ax is None:
        figure.legend(*content, loc="outside upper left", ncols=1)
    elif look.legend != "none":
        axes.legend(*content, loc="best")
    if ax is None:
        figure.draw_without_rendering()
    return figure


def _labels(limits: Sequence[Limit], names: Sequence[str]) -> list[str]:
    """Name the limits whole: nothing but the legend does."""
    titles = [name_of(found) for found in limits]
    if len(set(titles)) == len(titles):
        return titles
    told = labels(limits, names)
    return [f"{titles[0]}, {label}" for label in told] if len(set(titles)) == 1 else told


def _draw(
    axes: Axes, found: Limit, heights: list[float], thickness: float, style: tuple[str, str]
) -> None:
    label, colour = style
    medians = found.expected[_MEDIAN]
    kind = "expected" if found.expected_only else "observed"
    axes.barh(
        heights,
        np.where(np.isfinite(found.shown), found.shown, medians),
        0.9 * thickness,
        color=mpl.rcParams["axes.facecolor"] if found.expected_only else colour,
        edgecolor=colour,
        hatch="///" if found.expected_only else None,
        alpha=1.0 if found.expected_only else 0.75,
        label=with_remark(label, ", ".join(word for word in (kind, left_out_words(found)) if word)),
    )
    half = 0.45 * thickness
    for height, median in zip(heights, medians.tolist(), strict=True):
        if math.isfinite(median) and not found.expected_only:
            label = "_" if _MARK in axes.get_legend_handles_labels()[1] else _MARK
            ends = [height - half, height + half]
            axes.plot([median] * 2, ends, color=ink(MEDIAN), lw=2.0, label=label)


def _place(masses: Sequence[float], mass: float) -> int:
    """Row of a mass; -1 if there is none."""
    for at, known in enumerate(masses):
        if abs(mass / known - 1.0) < _SAME_MASS:
            return at
    return -1


def _decade_below(fallback: float, limits: Sequence[Limit], things: Sequence[Drawn]) -> float:
    """The power of ten below half of the smallest limit: bars on a logarithmic axis start there."""
    values = [np.concatenate([found.shown, found.expected[_MEDIAN]]) for found in limits]
    numbers = np.concatenate([*values, *(item.y for item in things)])
    numbers = numbers[np.isfinite(numbers) & (numbers > 0.0)]
    return float(10.0 ** math.floor(math.log10(numbers.min() / 2.0))) if len(numbers) else fallback
