"""The figure of production cross-sections against the mass of the mediator."""

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
    finish,
    frame,
    mass_label,
    model_words,
    particles,
    told,
)
from na64.models.constants import GEV2_TO_PB
from na64.models.mediators.registry import BUILT_IN

__all__ = ["cross_sections_figure"]

#: on what the cross-section of a process is
_PER: Final = {
    "emission": "per nucleus",
    "primakoff": "per nucleus",
    "annihilation": "per electron",
}

#: approximations of emission; nothing is said of the exact one
_APPROXIMATIONS: Final = {"ww": "Weizsäcker-Williams", "iww": "improved Weizsäcker-Williams"}


def cross_sections_figure(
    documents: Sequence[Mapping[str, Any]], names: Sequence[str], look: Appearance
) -> Figure:
    """Draw cross-sections, in pb unless all are in GeV^-2.

    Parameters
    ----------
    documents, names, look
        As in `na64.limits.figures.inspected.document_figure`.
    """
    per = {_PER[item["process"]] for item in documents}
    facts = [_facts(item, mixed=len(per) > 1) for item in documents]
    heading, labels = told(facts, names, look)
    natural = all(item["unit"] == "gev-2" for item in documents)
    lines = []
    for place, (item, label) in enumerate(zip(documents, labels, strict=True)):
        factor = GEV2_TO_PB if item["unit"] == "gev-2" and not natural else 1.0
        lines.append(
            Line(
                look.mass_scale * np.array(item["masses_gev"], float),
                factor * np.array(item["cross_section"], float),
                label,
                colour_of(place),
                dashes_of(place),
            )
        )
    made, axes = frame()
    traced = draw_lines(axes[0], lines)
    axes[0].set_xlabel(mass_label([item["model"] for item in documents], look))
    on = f" {per.pop()}" if len(per) == 1 else ""
    axes[0].set_ylabel(rf"$\sigma${on} [{'GeV$^{-2}$' if natural else 'pb'}]")
    return finish(made, axes, look, (heading, traced))


def _facts(item: Mapping[str, Any], *, mixed: bool) -> list[str]:
    """What tells a cross-section from others; on what it is, where that is no word of the axis."""
    process = item["process"]
    beam = item.get("beam", {"annihilation": "e+", "primakoff": "photon"}.get(process, ""))
    model = BUILT_IN[item["model"]]() if item["model"] in BUILT_IN else None
    parameter = "coupling" if model is None else model.parameter
    target = item.get("target")
    return [
        model_words(item["model"]),
        coupling_words(parameter, item["coupling"], item["model"]),
        f"{process}, {_PER[process]}" if mixed else process,
        f"{particles(beam)} of {item['energy_gev']:g} GeV",
        f"on {target}" if target else "on electrons at rest",
        _APPROXIMATIONS.get(item.get("production", ""), ""),
        "elastic only" if item.get("elastic_only") else "",
        rf"$x > {item['x_min']:g}$" if item.get("x_min") else "",
    ]
