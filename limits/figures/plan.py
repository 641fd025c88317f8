"""What every figure of limits decides before it draws: colours, ranges, words at the axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.figures.drawing import edges_of
from na64.limits.figures.drawn import Drawn, Kind
from na64.limits.figures.style import ALPHA_COLOURS, SCAN_COLOURS, SPECIES_COLOURS
from na64.limits.figures.words import assumed, labels
from na64.limits.results.axes import tex
from na64.limits.results.limit import Limit
from na64.models.errors import InputError

__all__ = ["axis_labels", "check_results", "colours", "mass_range", "told_labels", "value_range"]

FloatArray = NDArray[np.float64]

#: how far what stands beside limits is followed, as factors on their smallest and largest value
_REACH: Final = (1e-3, 1e3)


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


def mass_range(results: Sequence[Limit]) -> tuple[float, float]:
    """Ends of the axis of masses, in GeV."""
    low = min(float(item.masses_gev[0]) for item in results)
    high = max(float(item.masses_gev[-1]) for item in results)
    margin = 1.0 if high > 3.0 * low else 1.15  # points, not a curve
    return low / margin, high * margin


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
    return [mine or made for mine, made in zip(padded, by_rule, strict=True)]


def axis_labels(results: Sequence[Limit], mass_unit: str = "GeV") -> tuple[str, str]:
    """Words at the axis of masses, and at that of values."""
    masses = {replace(item.x, unit=mass_unit).label for item in results}
    values = {item.y.label for item in results}
    name = results[0].y.name
    return (
        masses.pop() if len(masses) == 1 else f"mass of the mediator [{mass_unit}]",
        values.pop() if len(values) == 1 else f"${name if len(name) == 1 else tex(name)}$",
    )


def value_range(
    masses: tuple[float, float], results: Sequence[Limit], things: Sequence[Drawn], *, bands: bool
) -> tuple[float, float]:
    """Values between which limits lie, and what stands beside them unless it is far off.

    Parameters
    ----------
    masses
        Ends of the axis of masses, in the unit of the things.
    results, things
        What is drawn.
    bands
        Whether the first result has its bands.

    Raises
    ------
    InputError
        If there is nothing at all.
    """
    low, high = masses
    own = np.concatenate(
        [edges_of(item, bands=bands and item is results[0])[1] for item in results]
    )
    own = own[np.isfinite(own) & (own > 0.0)]
    others = np.concatenate([np.array([]), *(_seen(item, low, high) for item in things)])
    others = others[np.isfinite(others) & (others > 0.0)]
    if not own.size and not others.size:
        raise InputError("nothing to draw: nothing is excluded or expected to be, at any mass")
    if own.size:
        # below an alpha_D that is excluded there is nothing to see
        down = 0.1 if results[0].plane.excluded_below else _REACH[0]
        near = (others >= down * own.min()) & (others <= _REACH[1] * own.max())
        others = others[near]
    every = np.concatenate([own, others])
    return float(every.min()) / 3.0, float(every.max()) * 2.0


def _seen(item: Drawn, low: float, high: float) -> FloatArray:
    """Return values of a thing between two masses, those at the masses among them."""
    if item.kind in (Kind.LEVEL, Kind.FLOOR):
        return item.y
    inside = item.y[(item.x >= low) & (item.x <= high)]
    if not np.all(np.diff(item.x) > 0.0):
        return inside
    ends = np.clip([low, high], item.x[0], item.x[-1])
    ends = ends[(ends >= low) & (ends <= high)]
    with np.errstate(invalid="ignore"):
        return np.append(inside, np.exp(np.interp(np.log(ends), np.log(item.x), np.log(item.y))))
