"""The figure of yields of a simulation beside those that are computed, and of their ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.colours import ink
from na64.limits.figures.drawn import Traced
from na64.limits.figures.lines import (
    Line,
    colour_of,
    coupling_words,
    dashes_of,
    draw_lines,
    finish,
    finite,
    frame,
    mass_label,
    model_words,
    sector_facts,
    told,
)
from na64.limits.figures.typeset import typeset
from na64.models.errors import InputError

__all__ = ["yields_compared_figure"]

#: what the band around a ratio is
_ERROR = "error of the simulation"
#: opacity of the band of errors
_BAND = 0.25


def yields_compared_figure(
    documents: Sequence[Mapping[str, Any]], names: Sequence[str], look: Appearance
) -> Figure:
    """Draw the events of each bin, simulated and computed, and below them their ratio.

    The band around a ratio is what is not known of the simulation: its statistics, and the
    interpolation between the masses that were simulated.

    Parameters
    ----------
    documents, names, look
        As in `na64.limits.figures.inspected.document_figure`; one document.

    Raises
    ------
    InputError
        For several documents: bins of one fill a figure.
    """
    if len(documents) > 1:
        raise InputError("a comparison of yields has a figure of its own: give one result")
    (item,) = documents
    heading, _ = told([_facts(item)], names, look)
    masses = look.mass_scale * np.array(item["masses_gev"], float)
    shape = (len(item["masses_gev"]), len(item["bins"]))
    for key in ("simulated", "computed", "simulated_over_computed", "up", "down", "interpolation"):
        if [len(row) for row in item[key]] != [shape[1]] * shape[0]:
            raise ValueError(f"{key} must have {shape[0]} masses and {shape[1]} bins")
    made, axes = frame((1.0, 0.5))
    events, ratios = [], []
    for b, name in enumerate(item["bins"]):
        colour, words = colour_of(b), f"{name}, " if shape[1] > 1 else ""
        for place, key in enumerate(("simulated", "computed")):
            values = finite([row[b] for row in item[key]])
            label = typeset(f"{words}{key}")
            events.append(Line(masses, values, label, colour, dashes_of(place)))
        values = finite([row[b] for row in item["simulated_over_computed"]])
        ratios.append(Line(masses, values, "", colour))
        up, down, between = (
            np.log(finite([row[b] for row in item[key]])) for key in ("up", "down", "interpolation")
        )
        low, high = (np.exp(side * np.hypot(part, between)) for side, part in ((-1, down), (1, up)))
        axes[1].fill_between(
            masses, values * low, values * high, color=colour, alpha=_BAND, linewidth=0.0
        )
    traced = draw_lines(axes[0], events)
    error = Patch(color=ink("#808080"), alpha=2.0 * _BAND, linewidth=0.0)
    traced.append(Traced(_ERROR, _ERROR, "", error))
    draw_lines(axes[1], ratios)
    axes[1].axhline(1.0, color="#808080", linewidth=0.8, zorder=0)
    axes[0].set_ylabel("accepted signal events")
    axes[1].set_ylabel("simulated / computed")
    axes[1].set_xlabel(mass_label([item["model"]], look))
    return finish(made, axes, look, (heading, traced))


def _facts(item: Mapping[str, Any]) -> list[str]:
    return [
        typeset(item["search"]),
        model_words(item["model"]),
        coupling_words(item["parameter"], item["coupling"], item["model"]),
        *sector_facts(item),
    ]
