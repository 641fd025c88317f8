"""The figure of a breakdown: how a limit changes without each systematic uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.drawn import Traced
from na64.limits.figures.labelling import lay_out
from na64.limits.figures.lines import colour_of, number, told
from na64.limits.figures.typeset import typeset
from na64.models.errors import InputError
from na64.workspaces.pyhf.write import parse_measurement

__all__ = ["breakdown_figure"]

#: the row that all others are compared with
_ALL: Final = "all uncertainties"
#: rows at most, and the least change in units of the largest: what changes less is counted
_ROWS: Final = 20
_SMALL: Final = 0.01
_GROUP: Final = 0.8


def breakdown_figure(
    documents: Sequence[Mapping[str, Any]], names: Sequence[str], look: Appearance
) -> Figure:
    """Draw changes of the limit in per cent as bars, the largest on top; one colour per document.

    Parameters
    ----------
    documents, names, look
        As in `na64.limits.figures.inspected.document_figure`; ``xlim`` and the unit of masses are
        not used: the axis is linear.

    Raises
    ------
    InputError
        Where no change is known.
    """
    heading, labels = told([_facts(item) for item in documents], names, look)
    changes = [
        {row["uncertainties"]: row["change"] for row in item["limits"]} for item in documents
    ]
    known: dict[str, float] = {}
    for found in changes:
        for name, change in found.items():
            if name != _ALL and change is not None:
                known[name] = max(known.get(name, 0.0), abs(change))
    if not known:
        raise InputError("nothing to draw: no limit without an uncertainty is known")
    every = sorted(known, key=lambda name: (-known[name], name))
    rows = [name for name in every if known[name] >= _SMALL * known[every[0]]][:_ROWS]
    others = every[len(rows) :]
    made = Figure(figsize=(6.4, 1.6 + 0.26 * len(rows) * max(1.0, 0.6 * len(documents))),
                  layout="constrained")  # fmt: skip
    axes = made.add_subplot()
    places = np.arange(len(rows), dtype=float)
    thick = _GROUP / len(documents)
    traced = []
    for place, (found, label) in enumerate(zip(changes, labels, strict=True)):
        values = [found.get(name) for name in rows]
        bars = axes.barh(
            places - 0.5 * _GROUP + (place + 0.5) * thick,
            [math.nan if value is None else 100.0 * value for value in values],
            0.9 * thick,
            color=colour_of(place + 1),
        )
        traced.append(Traced(label, label, "", bars[0]))
    axes.axvline(0.0, color=colour_of(0), lw=0.8)
    axes.set_yticks(places, [typeset(name) for name in rows])
    axes.tick_params(axis="y", which="both", length=0)
    axes.minorticks_on()
    axes.tick_params(axis="y", which="minor", length=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.margins(x=0.08)
    parameter = {item["parameter"] for item in documents}
    of = rf" on $\{parameter.pop()}$" if parameter == {"mu"} else ""
    axes.set_xlabel(f"change of the limit{of} [%]")
    text = heading if look.title is None else typeset(look.title)
    if others:
        text += f"\n{len(others)} more change it by {100.0 * known[others[0]]:.1g} % at most"
    # bars are no curves that a legend could keep clear of
    placed = replace(look, legend="above") if look.legend == "auto" else look
    lay_out(axes, traced if len(documents) > 1 else [], text, placed, own=True)
    made.draw_without_rendering()
    return made


def _measurement(name: str) -> str:
    """Write the mass of a measurement of this project, or the name of any other."""
    point = parse_measurement(name)
    return typeset(name) if point is None else f"$M = {number(point.mass_gev)}$ GeV"


def _facts(item: Mapping[str, Any]) -> list[str]:
    what = "expected limit" if item.get("projection") else "observed limit"
    return [
        _measurement(item["measurement"]),
        f"{what}, {100.0 * item['confidence_level']:g}% CL",
        item["method"],
    ]
