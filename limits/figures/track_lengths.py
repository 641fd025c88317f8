"""The figure of track lengths: how long particles of a cascade are under way, by their energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.lines import (
    Line,
    colour_of,
    dashes_of,
    draw_lines,
    entry,
    finish,
    frame,
    particles,
    told,
)

__all__ = ["track_lengths_figure"]

_SPECIES: Final = ("electron", "positron", "photon")


def track_lengths_figure(
    documents: Sequence[Mapping[str, Any]], names: Sequence[str], look: Appearance
) -> Figure:
    """Draw spectra of track lengths, a colour per particle; several documents have dashes each.

    Parameters
    ----------
    documents, names, look
        As in `na64.limits.figures.inspected.document_figure`; the unit of masses is not used.
    """
    heading, labels = told([_facts(item) for item in documents], names, look)
    lines = []
    for place, item in enumerate(documents):
        for number, species in enumerate(_SPECIES):
            lines.append(
                Line(
                    np.array(item["energies_gev"], float),
                    np.array(item[species], float),
                    particles(species) if place == 0 else "",
                    colour_of(number),
                    dashes_of(place),
                )
            )
    made, axes = frame()
    traced = draw_lines(axes[0], lines)
    axes[0].set_xlabel(r"$E$ [GeV]")
    axes[0].set_ylabel(r"$\mathrm{d}T/\mathrm{d}E$ [$X_0$/GeV]")
    if len(documents) > 1:
        traced += [entry(label, dashes_of(place)) for place, label in enumerate(labels)]
    return finish(made, axes, look, (heading, traced))


def _facts(item: Mapping[str, Any]) -> list[str]:
    return [f"{particles(item['beam'])} of {item['energy_gev']:g} GeV", f"in {item['target']}"]
