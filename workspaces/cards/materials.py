"""Targets of run cards, and substances that a card defines itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from na64.models.declaration import Key, check_declared, declare
from na64.models.errors import InputError
from na64.models.materials import (
    MATERIALS,
    Element,
    Material,
    Substance,
    density_effect,
    mean_excitation_ev,
    mixture,
)
from na64.workspaces.cards.quantity import source

__all__ = ["MaterialTable", "TargetTable", "known_materials"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementTable:
    """An element in a substance."""

    z: int = declare(help="atomic number Z", at_least=1, at_most=118)
    a: float = declare(help="atomic weight A", unit="g/mol", above=0.0)
    mass_fraction: float = declare(help="fraction of the mass", above=0.0, at_most=1.0)
    symbol: str = declare("", help="symbol, for people")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialTable:
    """A homogeneous substance: a pure element, or elements by their fractions of the mass."""

    density_g_cm3: float = declare(help="mass density", unit="g/cm^3", above=0.0)
    z: int | None = declare(None, help="atomic number Z of a pure element", at_least=1, at_most=118)
    a: float | None = declare(None, help="its atomic weight A", unit="g/mol", above=0.0)
    symbol: str = declare("", help="its symbol, for people")
    composition: tuple[ElementTable, ...] = declare(
        (), help="elements: `z`, `a`, `mass_fraction` (they add to 1) and perhaps `symbol` of each"
    )
    radiation_length_cm: float | None = declare(
        None, help="radiation length; that of Tsai's formula if left out", unit="cm", above=0.0
    )
    mean_excitation_ev: float | None = declare(
        None,
        help="mean excitation energy I of the collision loss; if left out by Bragg's rule from "
        "16 Z^0.9 eV",
        unit="eV",
        above=0.0,
    )
    sternheimer: tuple[float, ...] | None = declare(
        None,
        help="density-effect parameters C, x0, x1, a, k; if left out those of Sternheimer and "
        "Peierls (1971) for I and the density",
        at_least=-10.0,
    )
    source: str = source()

    def __post_init__(self) -> None:
        check_declared(self)
        pure = self.z is not None and self.a is not None
        if pure == bool(self.composition) or (self.z is None) != (self.a is None):
            raise InputError("give z and a of a pure element, or composition, one of the two")
        total = math.fsum(item.mass_fraction for item in self.composition)
        if self.composition and abs(total - 1.0) > 0.01:
            raise InputError(f"the mass fractions of composition must add to 1, add to {total:g}")
        if self.sternheimer is not None and len(self.sternheimer) != 5:
            raise InputError(
                f"sternheimer must be five numbers, C, x0, x1, a, k, is {len(self.sternheimer)}"
            )

    def substance(self, name: str) -> Substance:
        """Return the substance, with estimates of what the card leaves out."""
        if self.z is not None and self.a is not None:
            parts: tuple[tuple[Element, float], ...] = ((_element(self.symbol, self.z, self.a), 1),)
        else:
            total = math.fsum(item.mass_fraction for item in self.composition)
            parts = tuple(
                (_element(item.symbol, item.z, item.a), item.mass_fraction / total)
                for item in self.composition
            )
        excitation = self.mean_excitation_ev or mean_excitation_ev(parts)
        effect: Any = self.sternheimer or density_effect(self.density_g_cm3, parts, excitation)
        return Substance(
            name, self.density_g_cm3, parts, excitation, effect, self.radiation_length_cm
        )


def _element(symbol: str, z: int, a: float) -> Element:
    return Element(symbol or f"Z{z}", z, a)


def known_materials(own: Mapping[str, MaterialTable | None]) -> dict[str, Material | None]:
    """Return every material by name, those of a card included; None for one with problems."""
    known: dict[str, Material | None] = dict(MATERIALS)
    for name, table in own.items():
        known[name] = None if table is None else Material(name, ((table.substance(name), 1.0),))
    return known


def _layers(
    layers: Mapping[str, float], values: Mapping[str, Any], names: Mapping[str, Any]
) -> Material | None:
    known = names["materials"]
    if any(known.get(name, True) is None for name in layers):
        return None  # the card's own substance has problems, which are reported there
    pure = {name: item.parts[0][0] for name, item in known.items() if item and len(item.parts) == 1}
    return mixture("layers", {name: layers[name] for name in sorted(layers)}, pure)


def _from_x0(length: float, values: Mapping[str, Any], names: Mapping[str, Any]) -> float:
    known = values["material"]
    return length * known.radiation_length_cm if known else length


@dataclass(frozen=True, slots=True)
class TargetTable:
    """The target of a card."""

    material: Material | None = declare(
        help=f"`{'`, `'.join(MATERIALS)}`, or one of `[materials]`",
        accepts=str,
        allowed="materials",
        to=lambda name, values, names: names["materials"][name],
        example="ecal",
        missing=f"give material (one of {', '.join(MATERIALS)}, or of [materials]) or layers_mm, "
        "a table of thicknesses, one of the two",
        other=Key(
            name="layers_mm",
            help="thicknesses of substances, of which only the ratios count",
            unit="mm",
            accepts=Mapping[str, float],
            above=0.0,
            to=_layers,
        ),
    )
    length_cm: float = declare(
        math.inf,
        help="length along the beam; left out for a target that absorbs the whole shower "
        "(searches with electrons refuse one of less than 15 radiation lengths, those for missing "
        "momentum one of more than 1)",
        unit="cm",
        above=0.0,
        other=Key(
            name="length_x0",
            help="length in radiation lengths",
            accepts=float,
            above=0.0,
            to=_from_x0,
        ),
    )
