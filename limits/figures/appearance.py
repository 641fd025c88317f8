"""What a user decides about the look of a figure of limits, beside what is drawn in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from na64.models.errors import InputError, unknown_name

__all__ = ["LEGENDS", "MASS_UNITS", "STYLES", "Appearance"]

#: style sheets of the project, files of this package: ``matplotlib.style.use`` knows them as
#: ``na64.limits.figures.paper`` and so on
STYLES: Final = ("paper", "slide", "dark")

#: places of the legend: chosen by rule, above the frame, a corner of the frame, nowhere
LEGENDS: Final = (
    "auto",
    "above",
    "upper left",
    "upper right",
    "lower left",
    "lower right",
    "none",
)
#: units of masses on the axis: how many are a GeV
MASS_UNITS: Final[Mapping[str, float]] = {
    "eV": 1e9,
    "keV": 1e6,
    "MeV": 1e3,
    "GeV": 1.0,
    "TeV": 1e-3,
}

_Point = tuple[float, float]
#: values that a logarithmic axis is drawn for
_FARTHEST: Final = (1e-90, 1e90)


@dataclass(frozen=True, slots=True)
class Appearance:
    """How a figure of limits looks.

    Masses are in `mass_unit` everywhere, as on the axis of the figure.

    Attributes
    ----------
    title
        Text above the curves; None for what all limits have in common, empty for none. Lines are
        parted by ``\\n``; text between dollar signs is a formula.
    labels
        Texts of the limits, in the order of the results; an empty one, or a missing one, is made
        by rule.
    overlay_labels
        Texts of other things by their names: ``babar-invisible``, ``relic scalar``.
    label_at
        Where the label of a thing begins by its name, or of a limit by its label or the name of
        its file: a pair of values on the axes.
    xlim, ylim
        Ends of the axes, positive and increasing; None for what is drawn.
    bands
        Whether the first limit has its expected bands.
    legend
        Out of `LEGENDS`: where that stands which has no label at its curve. ``auto`` is a free
        corner of the frame, or above it.
    label_curves
        Whether curves are labelled where they are; otherwise everything is in the legend.
    mass_unit
        Out of `MASS_UNITS`.
    style
        Out of `STYLES`.

    Raises
    ------
    InputError
        For a name that there is not, or ends of an axis that are not positive and increasing.
    """

    title: str | None = None
    labels: tuple[str, ...] = ()
    overlay_labels: Mapping[str, str] = field(default_factory=dict)
    label_at: Mapping[str, _Point] = field(default_factory=dict)
    xlim: _Point | None = None
    ylim: _Point | None = None
    bands: bool = True
    legend: str = "auto"
    label_curves: bool = True
    mass_unit: str = "GeV"
    style: str = "paper"

    def __post_init__(self) -> None:
        for kind, name, allowed in (
            ("place of a legend", self.legend, LEGENDS),
            ("unit of masses", self.mass_unit, MASS_UNITS),
            ("style", self.style, STYLES),
        ):
            if name not in allowed:
                raise unknown_name(kind, name, allowed)
        for axis, ends in (("xlim", self.xlim), ("ylim", self.ylim)):
            if ends is not None:
                _check_ends(axis, ends)
        for name, point in self.label_at.items():
            if not _is_pair(point):
                raise InputError(
                    f"`label_at` of '{name}' must be two positive numbers on the axes, is {point}"
                )

    @property
    def mass_scale(self) -> float:
        """Factor from GeV to the unit of the axis."""
        return MASS_UNITS[self.mass_unit]


def _check_ends(axis: str, ends: _Point) -> None:
    if not _is_pair(ends):
        raise InputError(
            f"`{axis}` must be two positive numbers between {_FARTHEST[0]:g} and {_FARTHEST[1]:g} "
            f"on a logarithmic axis, is {ends}"
        )
    if not ends[0] < ends[1]:
        raise InputError(f"`{axis}` must increase, is {ends[0]:g} to {ends[1]:g}")


def _is_pair(values: object) -> bool:
    """Whether something is two numbers with a place on a logarithmic axis."""
    pair = isinstance(values, Sequence) and not isinstance(values, str) and len(values) == 2
    return pair and all(_is_place(value) for value in values)  # type: ignore[attr-defined]


def _is_place(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and _FARTHEST[0] <= value <= _FARTHEST[1]
