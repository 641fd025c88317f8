"""The figure of expected signal events against the mass of the mediator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.lines import (
    Line,
    colour_of,
    coupling_words,
    dashes_of,
    draw_lines,
    finish,
    frame,
    mass_label,
    model_words,
    sector_facts,
    told,
)
from na64.limits.figures.typeset import typeset
from na64.models.production.process import Approximation
from na64.workspaces.cards.reader import available_cards, load_card

__all__ = ["yields_figure"]


def yields_figure(
    documents: Sequence[Mapping[str, Any]], names: Sequence[str], look: Appearance
) -> Figure:
    """Draw the events of all bins together: of one document by process, of several their sums.

    Parameters
    ----------
    documents, names, look
        As in `na64.limits.figures.inspected.document_figure`.
    """
    heading, labels = told([_facts(item) for item in documents], names, look)
    lines = []
    for place, (item, label) in enumerate(zip(documents, labels, strict=True)):
        masses = look.mass_scale * np.array(item["masses_gev"], float)
        events = np.array(item["events"], float)
        wanted = (len(item["masses_gev"]), len(item["processes"]), len(item["bins"]))
        if events.shape != wanted:
            raise ValueError(f"events have shape {events.shape}, expected {wanted}")
        sums = events.sum(axis=2)
        alone = len(documents) == 1
        several = alone and len(item["processes"]) > 1
        name = label if not alone or look.labels else "all processes" if several else ""
        name = name or item["processes"][0]
        lines.append(Line(masses, sums.sum(axis=1), name, colour_of(place), dashes_of(place), 2.0))
        for number, process in enumerate(item["processes"] if several else (), 1):
            lines.append(
                Line(masses, sums[:, number - 1], process, colour_of(number), dashes_of(number))
            )
    made, axes = frame()
    traced = draw_lines(axes[0], lines)
    axes[0].set_xlabel(mass_label([item["model"] for item in documents], look))
    axes[0].set_ylabel("accepted signal events")
    return finish(made, axes, look, (heading, traced))


def _facts(item: Mapping[str, Any]) -> list[str]:
    usual = Approximation.ETL.value
    return [
        _search_words(item["search"]),
        model_words(item["model"]),
        coupling_words(item["parameter"], item["coupling"], item["model"]),
        *sector_facts(item),
        "" if item["production"] == usual else f"production {item['production']}",
    ]


def _search_words(search: str) -> str:
    """Write searches as their titles begin; those that are not shipped as they are called."""
    names = available_cards()
    parts = [
        load_card(name).title.split(",")[0] if name in names else name for name in search.split("+")
    ]
    return typeset(" + ".join(parts).replace("NA64mu", r"NA64$\mu$"))
