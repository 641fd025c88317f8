"""What every figure of limits decides before it draws: colours, labels, words at the axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.drawn import Drawn
from na64.limits.figures.style import ALPHA_COLOURS, SCAN_COLOURS, SPECIES_COLOURS
from na64.limits.figures.typeset import drawable, typeset
from na64.limits.figures.words import assumed, labels, title
from na64.limits.results.axes import tex
from na64.limits.results.limit import Limit
from na64.models.errors import InputError, unknown_name

__all__ = [
    "axis_labels",
    "check_results",
    "colours",
    "heading",
    "relabelled",
    "told_labels",
]


def check_results(results: Sequence[Limit], appearance: Appearance) -> None:
    """Refuse limits that do not belong into one figure.

    Raises
    ------
    InputError
        Without a limit, for limits of different variables, and for more labels than limits.
    """
    if not results:
        raise InputError("nothing to draw: no limit given")
    if len(appearance.labels) > len(results):
        raise InputError(f"{len(appearance.labels)} labels for {len(results)} limits")
    kinds = {
        (item.y.definition, item.x.name if item.x.name == "m_chi" else "the mediator's mass")
        for item in results
    }
    if len(kinds) > 1:
        found = "; ".join(sorted(f"{y} against {x}" for y, x in kinds))
        raise InputError(f"these limits are of different variables: {found}")


def colours(results: Sequence[Limit]) -> list[str]:
    """Black for one limit; by species or alpha_D where each has its own; else one colour each."""
    known = [assumed(item) for item in results]
    if len(results) > 1 and not results[0].plane.is_coupling:
        species = [item.dark_matter for item in known]
        if len(set(species)) == len(results) and None not in species:
            return [SPECIES_COLOURS[str(name)] for name in species]
        if len({item.alpha_d for item in known}) == len(results):
            return [ALPHA_COLOURS[i % len(ALPHA_COLOURS)] for i in range(len(results))]
    return [SCAN_COLOURS[i % len(SCAN_COLOURS)] for i in range(len(results))]


def heading(results: Sequence[Limit], appearance: Appearance) -> str:
    """Text above the curves: that of the user, or what all limits have in common."""
    return title(results) if appearance.title is None else typeset(appearance.title)


def told_labels(
    results: Sequence[Limit], appearance: Appearance, names: Sequence[str] = ()
) -> list[str]:
    """Labels of limits: those of the user, and by rule where they are empty or missing."""
    padded = [*appearance.labels, *[""] * (len(results) - len(appearance.labels))]
    by_rule = labels(results, names)
    return [typeset(mine) or made for mine, made in zip(padded, by_rule, strict=True)]


def relabelled(things: Sequence[Drawn], appearance: Appearance) -> list[Drawn]:
    """Return things on the axis of masses, with the labels that the user chose.

    Raises
    ------
    InputError
        For a label of something that there is not.
    """
    names = {item.name or item.label for item in things}
    for name in appearance.overlay_labels:
        if name not in names:
            raise unknown_name("overlay of a label", name, names)
    made = []
    for item in things:
        text = typeset(appearance.overlay_labels.get(item.name or item.label, ""))
        words: dict[str, Any] = {"label": text, "text": text} if text else {}
        made.append(replace(item, x=item.x * appearance.mass_scale, **words))
    return made


def axis_labels(results: Sequence[Limit], appearance: Appearance) -> tuple[str, str]:
    """Words at the axis of masses, and at that of values."""
    unit = appearance.mass_unit
    masses = {replace(item.x, unit=unit).label for item in results}
    values = {item.y.label for item in results}
    name = results[0].y.name
    return (
        drawable(masses.pop()) if len(masses) == 1 else f"mass of the mediator [{unit}]",
        drawable(
            values.pop() if len(values) == 1 else f"${name if len(name) == 1 else tex(name)}$"
        ),
    )
