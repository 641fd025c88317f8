"""Limits on branching ratios as bars, one group per meson: masses are names there, not an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from matplotlib.figure import Figure

from na64.limits.figures.figure import Overlay
from na64.limits.figures.legend import scan_labels
from na64.limits.figures.style import MEDIAN, OVERLAY_STYLES, SCAN_COLOURS, drawing_style
from na64.limits.results.limit import Exclusion
from na64.models.errors import InputError
from na64.models.signals.mesons import meson_of_mass

__all__ = ["branching_figure"]

#: how a meson is written, by its name in `na64.models.production.charge_exchange`
SYMBOLS = {"pi0": r"\pi^0", "K0": "K^0", "eta": r"\eta", "eta-prime": r"\eta'"}
_SAME_MASS = 2e-3
_GROUP = 0.8
_T = TypeVar("_T")


def branching_figure(
    exclusions: Sequence[Exclusion],
    overlays: Sequence[Overlay] = (),
    *,
    names: Sequence[str] = (),
) -> Figure:
    """Draw upper limits on invisible branching ratios as horizontal bars.

    Parameters
    ----------
    exclusions
        One or more scans of the parameter ``br``; each mass is that of a neutral meson. A tick
        marks the expected median; a projection is a hatched bar that ends there.
    overlays
        Published limits, with points at masses of mesons; others are left out.
    names
        Names of the scans, such as their files, for those that nothing else tells apart.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Without a scan, for another parameter, or a mass that no meson has.
    """
    if not exclusions:
        raise InputError("nothing to draw: no scan given")
    if other := sorted({found.parameter for found in exclusions} - {"br"}):
        raise InputError(f"bars are for branching ratios, not for {', '.join(other)}")
    masses = sorted({float(mass) for found in exclusions for mass in found.masses_gev})
    mesons = [meson_of_mass(mass) for mass in masses]
    kinds = ["expected" if found.expected_only else "observed" for found in exclusions]
    labels = titles = [found.title or found.search for found in exclusions]
    if len(set(titles)) < len(titles):
        labels = scan_labels(exclusions, names)
        if len(set(titles)) == 1:  # nothing but the legend names it
            labels = [f"{titles[0]}, {label}" for label in labels]
    thickness = _GROUP / (len(exclusions) + len(overlays))
    with drawing_style():
        figure = Figure(
            figsize=(6.2, 1.4 + 0.5 * len(masses) / thickness**0.5), layout="constrained"
        )
        axes = figure.subplots()
        slot = 0
        colours = _cycle(SCAN_COLOURS, len(exclusions))
        for found, colour, label, kind in zip(exclusions, colours, labels, kinds, strict=True):
            values = np.where(np.isfinite(found.observed), found.observed, found.expected[2])
            heights = [
                _place(masses, float(m)) + _offset(slot, thickness) for m in found.masses_gev
            ]
            axes.barh(
                heights,
                values,
                0.9 * thickness,
                color="white" if found.expected_only else colour,
                edgecolor=colour,
                hatch="///" if found.expected_only else None,
                alpha=1.0 if found.expected_only else 0.75,
                label=f"{label} ({kind})",
            )
            half = 0.45 * thickness
            for height, median in zip(heights, found.expected[2].tolist(), strict=True):
                if math.isfinite(median) and not found.expected_only:
                    axes.plot([median] * 2, [height - half, height + half], color=MEDIAN, lw=2.0)
            slot += 1
        for overlay, (colour, _) in zip(
            overlays, _cycle(OVERLAY_STYLES, len(overlays)), strict=True
        ):
            points = [
                (_place(masses, float(m)), float(limit))
                for m, limit in zip(overlay.masses_gev, overlay.couplings, strict=True)
                if _place(masses, float(m)) >= 0
            ]
            axes.barh(
                [at + _offset(slot, thickness) for at, _ in points],
                [limit for _, limit in points],
                0.9 * thickness,
                color=colour,
                alpha=0.45,
                label=overlay.label,
            )
            slot += 1
        axes.set_xscale("log")
        axes.set_yticks(
            [at + _GROUP / 2 for at in range(len(masses))],
            [f"${SYMBOLS[meson.name]} \\to$ invisible" for meson in mesons],
        )
        axes.tick_params(axis="y", which="both", length=0)
        axes.minorticks_on()
        axes.tick_params(axis="y", which="minor", left=False, right=False)
        axes.invert_yaxis()
        levels = {f"{100 * found.confidence_level:g}% CL" for found in exclusions}
        axes.set_xlabel(f"upper limit on BR, {', '.join(sorted(levels))}")
        lowest, highest = axes.get_xlim()
        axes.set_xlim(_decade_below(lowest, exclusions, overlays), highest * 1.5)
        figure.legend(loc="outside upper left", ncols=1)
    return figure


def _cycle(items: Sequence[_T], count: int) -> list[_T]:
    return [items[k % len(items)] for k in range(count)]


def _offset(slot: int, thickness: float) -> float:
    return (slot + 0.5) * thickness


def _place(masses: Sequence[float], mass: float) -> int:
    """Row of a mass; -1 if there is none."""
    for at, known in enumerate(masses):
        if abs(mass / known - 1.0) < _SAME_MASS:
            return at
    return -1


def _decade_below(
    fallback: float, exclusions: Sequence[Exclusion], overlays: Sequence[Overlay]
) -> float:
    """The power of ten below half of the smallest limit: bars on a logarithmic axis start there."""
    values = [np.concatenate([found.observed, found.expected[2]]) for found in exclusions] + [
        np.asarray(overlay.couplings) for overlay in overlays
    ]
    numbers = np.concatenate(values)
    numbers = numbers[np.isfinite(numbers) & (numbers > 0.0)]
    return float(10.0 ** math.floor(math.log10(numbers.min() / 2.0))) if len(numbers) else fallback
