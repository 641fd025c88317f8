"""The figure of relic densities: thermal targets, or abundances at a coupling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.colours import ink
from na64.limits.figures.lines import (
    Line,
    colour_of,
    coupling_words,
    dashes_of,
    draw_lines,
    finish,
    finite,
    frame,
    model_words,
    sector_facts,
    told,
)
from na64.limits.figures.style import SPECIES_COLOURS
from na64.limits.planes.y import Normalisation, y_axis
from na64.limits.results.axes import coupling_axis
from na64.models.errors import InputError
from na64.models.mediators.naming import mass_name
from na64.models.mediators.registry import BUILT_IN
from na64.models.relic.targets import OMEGA_H2

__all__ = ["relic_figure"]


def relic_figure(
    documents: Sequence[Mapping[str, Any]], names: Sequence[str], look: Appearance
) -> Figure:
    """Draw y at the wanted abundance, or the abundance at a coupling, against m_chi.

    Thermal targets are in y unless the coupling has a unit, and then in the coupling; abundances
    have the observed one beside them.

    Parameters
    ----------
    documents, names, look
        As in `na64.limits.figures.inspected.document_figure`.

    Raises
    ------
    InputError
        For targets and abundances together, and for different definitions of y.
    """
    if len({item["solved_for"] for item in documents}) > 1:
        raise InputError("thermal targets and abundances at a coupling have no common axes")
    abundance = documents[0]["solved_for"] == "omega_h2"
    key = "omega_h2" if abundance else _key(documents)
    if key == "y" and len(definitions := {item["y_definition"] for item in documents}) > 1:
        raise InputError(f"these are different quantities: {'; '.join(sorted(definitions))}")
    heading, labels = told([_facts(item, key) for item in documents], names, look)
    species = [item["dark_matter"] for item in documents]
    distinct = len(set(species)) == len(species)
    lines = []
    for place, (item, label) in enumerate(zip(documents, labels, strict=True)):
        lines.append(
            Line(
                look.mass_scale * np.array(item["masses_gev"], float),
                finite(item[key]),
                label,
                ink(SPECIES_COLOURS[item["dark_matter"]]) if distinct else colour_of(place),
                dashes_of(0 if distinct else place),
            )
        )
    if abundance:
        ends = np.array([lines[0].x.min(), lines[0].x.max()])
        observed = np.full(2, OMEGA_H2)
        lines.append(Line(ends, observed, "observed", ink("#808080"), (0, (1.2, 1.4)), 1.4))
    made, axes = frame()
    traced = draw_lines(axes[0], lines)
    axes[0].set_xlabel(rf"$m_\chi$ [{look.mass_unit}]")
    axes[0].set_ylabel(_value_label(documents, key))
    return finish(made, axes, look, (heading, traced))


def _key(documents: Sequence[Mapping[str, Any]]) -> str:
    units = {coupling_axis(item["parameter"]).unit for item in documents}
    return "y" if units == {"1"} else "coupling"


def _value_label(documents: Sequence[Mapping[str, Any]], key: str) -> str:
    if key == "omega_h2":
        return r"$\Omega h^2$"
    if key == "coupling":
        return coupling_axis(documents[0]["parameter"]).label
    parameter, model = documents[0]["parameter"], documents[0]["model"]
    mass = mass_name(BUILT_IN[model]()) if model in BUILT_IN else "M"
    axes = [y_axis(choice, parameter, mass) for choice in Normalisation]
    known = [axis for axis in axes if axis.definition == documents[0]["y_definition"]]
    return known[0].label if known else "$y$"


def _facts(item: Mapping[str, Any], key: str) -> list[str]:
    found = [value for value in item["omega_h2"] if value is not None]
    wanted = rf"$\Omega h^2 = {found[0]:g}$" if found and key != "omega_h2" else ""
    return [
        model_words(item["model"]),
        *sector_facts(item),
        rf"$\Delta = {item['splitting']:g}$" if item["splitting"] else "",
        _coupling(item) if key == "omega_h2" else wanted,
        "closed formulae" if item["method"] == "analytic" else "",
    ]


def _coupling(item: Mapping[str, Any]) -> str:
    known = [value for value in item["coupling"] if value is not None]
    return coupling_words(item["parameter"], known[0], item["model"]) if known else ""
