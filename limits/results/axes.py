"""The axes of a limit: what a number is, its unit, its name in files and in formulas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

__all__ = ["COUPLING", "Axis", "Plane", "coupling_axis", "coupling_tex", "mass_axis", "tex"]

#: name of the plane in which every scan is made: the free coupling against the mediator's mass
COUPLING: Final = "coupling"

_TEX: Final = {
    "br": r"\mathrm{BR}",
    "epsilon": r"\epsilon",
    "alpha_D": r"\alpha_D",
    "g_agg": r"g_{a\gamma\gamma}",
    "g_G": r"c/\Lambda",
    "m_chi": r"m_\chi",
    "m_phi": r"m_\phi",
}
#: names in which TeX has no other meaning than an index
_SOUND: Final = re.compile(r"[^\W_]+'*(_[^\W_]+'*)?|[^\W_](_[^\W_]+'*){2}")
#: what TeX takes for something else
_LITERALLY: Final = {
    "\\": r"\backslash ", "_": r"\_", "^": r"\wedge ", "$": r"\$", "{": r"\{", "}": r"\}",
    "%": r"\%", "#": r"\#", "&": r"\&", "~": r"\sim ",
}  # fmt: skip
#: units of couplings that have one
_UNITS: Final = {"g_agg": "GeV^-1", "g_G": "GeV^-1"}


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a result.

    Attributes
    ----------
    name
        Name in files, such as ``epsilon``, ``m_A'`` or ``y``.
    unit
        ``1``, ``GeV`` or ``GeV^-1``.
    tex
        Symbol in TeX, without dollar signs; for y the whole formula.
    definition
        Formula in ASCII, which states the normalisation; the name where that says it all.
    """

    name: str
    unit: str
    tex: str
    definition: str

    @property
    def label(self) -> str:
        """Text for the axis of a figure."""
        base, _, power = self.unit.partition("^")
        unit = f"{base}$^{{{power}}}$" if power else base
        return f"${self.tex}$" + ("" if unit == "1" else f" [{unit}]")

    @property
    def column(self) -> str:
        """Name as part of the name of a column."""
        return self.name.lower() if self.name.startswith("alpha") else self.name

    def to_dict(self) -> dict[str, str]:
        """Return the axis as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Plane:
    """In which plane a result is.

    Attributes
    ----------
    name
        ``coupling``, or the name of a transform of `na64.limits.planes`.
    options
        The transform's options, as plain data: with them it can be made again.
    assumptions
        What the numbers hold for, one line.
    excluded_below
        Whether values below the limit are excluded, down to another edge: alpha_D of relics.
    """

    name: str = COUPLING
    options: Mapping[str, Any] = field(default_factory=dict)
    assumptions: str = ""
    excluded_below: bool = False

    @property
    def is_coupling(self) -> bool:
        """Whether it is the plane in which scans are made."""
        return self.name == COUPLING

    def to_dict(self) -> dict[str, Any]:
        """Return the plane as plain data."""
        return {
            "name": self.name,
            "options": dict(self.options),
            "assumptions": self.assumptions,
            "excluded_below": self.excluded_below,
        }


def tex(name: str) -> str:
    """Write the name of a coupling or a mass in TeX: ``m_A'`` has an index."""
    if name in _TEX:
        return _TEX[name]
    letter, _, index = name.partition("_")
    if not _SOUND.fullmatch(name):  # of a file: what has a meaning in TeX is written as it is
        return rf"\mathrm{{{_literally(name)}}}"
    return f"{letter}_{{{index}}}" if len(letter) == 1 and index else rf"\mathrm{{{name}}}"


def _literally(name: str) -> str:
    shown = (letter if letter.isprintable() else " " for letter in name)
    return "".join(_LITERALLY.get(letter, letter) for letter in shown)


def coupling_tex(name: str, mass: str) -> str:
    """Write a coupling in TeX: a plain ``g`` has the index of the mass it belongs to."""
    letter, _, index = tex(mass).partition("_")
    return f"g_{index}" if name == "g" and letter == "m" and index else tex(name)


def mass_axis(name: str) -> Axis:
    """Return the axis of a mass in GeV."""
    return Axis(name, "GeV", tex(name), name)


def coupling_axis(name: str, mass: str = "") -> Axis:
    """Return the axis of a coupling; ``mass`` is the name of the mass it belongs to."""
    symbol = coupling_tex(name, mass) if mass else tex(name)
    return Axis(name, _UNITS.get(name, "1"), symbol, name)
