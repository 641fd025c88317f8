"""The figure of decays: branching ratios of a mediator, and its decay length at rest below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.lines import (
    Line,
    colour_of,
    coupling_words,
    dashes_of,
    draw_lines,
    entry,
    finish,
    finite,
    frame,
    mass_label,
    model_words,
    particles,
    sector_facts,
    told,
)
from na64.models.constants import HBAR_C_GEV_CM, HBAR_GEV_S

__all__ = ["widths_figure"]

#: decades of branching ratios below one that are shown, and below the largest of any channel
_DECADES: Final = 3.0
_BELOW: Final = 1.0
#: speed of light in cm/s
_C: Final = HBAR_C_GEV_CM / HBAR_GEV_S


def widths_figure(
    documents: Sequence[Mapping[str, Any]], names: Sequence[str], look: Appearance
) -> Figure:
    """Draw branching ratios against the mass, a colour per channel, and c tau below.

    Several documents have dashes each.

    Parameters
    ----------
    documents, names, look
        As in `na64.limits.figures.inspected.document_figure`.
    """
    heading, labels = told([_facts(item) for item in documents], names, look)
    channels = list(dict.fromkeys(name for item in documents for name in item["branching"]))
    ratios, lengths = [], []
    shown: set[str] = set()
    for place, item in enumerate(documents):
        masses = look.mass_scale * np.array(item["masses_gev"], float)
        for name, values in item["branching"].items():
            label = "" if name in shown else particles(name)
            shown.add(name)
            colour = colour_of(channels.index(name))
            ratios.append(Line(masses, np.array(values, float), label, colour, dashes_of(place)))
        lifetime = finite(item["lifetime_s"])
        lengths.append(Line(masses, _C * lifetime, "", colour_of(0), dashes_of(place)))
    made, axes = frame((1.0, 0.5))
    traced = draw_lines(axes[0], ratios, _range(ratios))
    draw_lines(axes[1], lengths)
    axes[0].set_ylabel("branching ratio")
    axes[1].set_ylabel(r"$c\tau$ [cm]")
    axes[-1].set_xlabel(mass_label([item["model"] for item in documents], look))
    if len(documents) > 1:
        traced += [entry(label, dashes_of(place)) for place, label in enumerate(labels)]
    return finish(made, axes, look, (heading, traced))


def _facts(item: Mapping[str, Any]) -> list[str]:
    return [
        model_words(item["model"]),
        coupling_words(item["parameter"], item["coupling"], item["model"]),
        "without dark matter" if item["dark_matter"] is None else "",
        *sector_facts(item),
    ]


def _range(lines: Sequence[Line]) -> tuple[float, float]:
    """Three decades below one, or so many that every channel reaches into the figure."""
    largest = [float(line.y.max()) for line in lines if line.y.max() > 0.0]
    least = min([10.0**-_DECADES, *(value * 10.0**-_BELOW for value in largest)])
    return least, 2.0
