"""What every figure of limits decides before it draws: colours, labels, words at the axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from na64.limits.figures.style import ALPHA_COLOURS, SCAN_COLOURS, SPECIES_COLOURS
from na64.limits.figures.typeset import typeset
from na64.limits.figures.words import assumed, labels
from na64.limits.results.axes import tex
from na64.limits.results.limit import Limit
from na64.models.errors import InputError

__all__ = ["axis_labels", "check_results", "colours", "told_labels"]


def check_results(results: Sequence[Limit]) -> None:
    """Refuse limits that do not belong into one figure.

    Raises
    ------
    InputError
        Without a limit, or for limits of different variables.
    """
    if not results:
        raise InputError("nothing to draw: no limit given")
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


def told_labels(
    results: Sequence[Limit], names: Sequence[str] = (), own: Sequence[str] = ()
) -> list[str]:
    """Labels of limits: the user's own ones, and by rule where they are empty or missing.

    Raises
    ------
    InputError
        For more labels than limits.
    """
    if len(own) > len(results):
        raise InputError(f"{len(own)} labels for {len(results)} limits")
    padded = [*own, *[""] * (len(results) - len(own))]
    by_rule = labels(results, names)
    return [typeset(mine) or made for mine, made in zip(padded, by_rule, strict=True)]


def axis_labels(results: Sequence[Limit], mass_unit: str = "GeV") -> tuple[str, str]:
    """Words at the axis of masses, and at that of values."""
    masses = {replace(item.x, unit=mass_unit).label for item in results}
    values = {item.y.label for item in results}
    name = results[0].y.name
    return (
        masses.pop() if len(masses) == 1 else f"mass of the mediator [{mass_unit}]",
        values.pop() if len(values) == 1 else f"${name if len(name) == 1 else tex(name)}$",
    )
