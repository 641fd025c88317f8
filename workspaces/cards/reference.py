"""Run cards for people, from the declarations of their keys: tables of keys, and blank cards."""

from __future__ import annotations

import dataclasses
import json
import math
import textwrap
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

from na64.models.declaration import Declared, Key, declared
from na64.models.targets import Beam
from na64.workspaces.cards.bins import Bin
from na64.workspaces.cards.card import (
    Defaults,
    MassGrid,
    RunCard,
    SectorTable,
    Setup,
    Uncertainty,
)
from na64.workspaces.cards.counts import Background, Observed, TotalBackground, Variation
from na64.workspaces.cards.materials import ElementTable, MaterialTable, TargetTable
from na64.workspaces.cards.quantity import MassTable, Quantity
from na64.workspaces.cards.setups import setup_tables
from na64.workspaces.cards.simulated import SimulatedEfficiency, SimulatedYield
from na64.workspaces.cards.simulation_files import EfficiencyFile, YieldFile
from na64.workspaces.cards.spectrum import BackgroundSpectrum
from na64.workspaces.cards.topologies import TOPOLOGIES, Topology, topology
from na64.workspaces.io.simulation.description import Cut, FileOfMass

__all__ = ["blank_card", "key_tables"]

#: tables of keys in the order of the documentation: heading and dataclass
_TABLES: Final = (
    ("A card:", RunCard),
    ("A number, such as `exposure` or a background:", Quantity),
    ("A number by mass, for `efficiency`:", MassTable),
    ("Counts of a simulation, for `efficiency`:", SimulatedEfficiency),
    ("or the file that has them:", EfficiencyFile),
    ("`cuts` in it, an array of tables:", Cut),
    ("`files` in it, an array of tables:", FileOfMass),
    ("`[defaults]`:", Defaults),
    ("`masses` in it:", MassGrid),
    ("`dark_sector` in it:", SectorTable),
    ("`[materials.NAME]`, a substance:", MaterialTable),
    ("`composition` in it, an array of tables:", ElementTable),
    ("`[beam]`:", Beam),
    ("`[target]`:", TargetTable),
    ("`[[bins]]`, one count each: a run period, a beam intensity, a signal region:", Bin),
    ("`yield` of a bin, from a simulation:", SimulatedYield),
    ("or the file that has it:", YieldFile),
    ("`background` of a bin, its total:", TotalBackground),
    ("`[[bins.backgrounds]]`, numbers with names:", Background),
    ("`variations` of a background:", Variation),
    ("`observed` of a bin:", Observed),
    ("`[[uncertainties]]`:", Uncertainty),
    ("`[background_spectrum]`:", BackgroundSpectrum),
)
#: tables that a blank card shows as comments
_OPTIONAL: Final = (
    ("[setups.NAME]", Setup),
    ("[materials.NAME]", MaterialTable),
    ("[[uncertainties]]", Uncertainty),
    ("[background_spectrum]", BackgroundSpectrum),
)
_SOURCE: Final = "... (where this comes from)"


def key_tables() -> str:
    """Return the tables of all keys in Markdown, windows by topology last."""
    parts = [f"{heading}\n\n{_key_table(cls)}" for heading, cls in _TABLES]
    windows = [
        f"`{row.name}`: {row.help}.\n\n{_key_table(row.window)}" for row in TOPOLOGIES.values()
    ]
    return "\n\n".join([*parts, "### Windows", *windows])


def _key_table(cls: type) -> str:
    items = [part for item in declared(cls) for part in _unfolded(item)]
    rows = ["| key | meaning |", "|---|---|"]
    for item in items:
        label = _label(item) if cls is RunCard else item.name
        rows.append(f"| `{label}` | {_meaning(item)} |")
        if (other := item.key.other) is not None:
            rows.append(f"| or `{other.name}` | {_words(other)} |")
    return "\n".join(rows)


def _unfolded(item: Declared) -> tuple[Declared, ...]:
    """Return a key, those of a table whose keys stand in its place, or those of setups."""
    if item.key.flat:
        return declared(item.hint)
    if item.field == "setups":
        return (*(part for part in declared(Setup) if part.field != "tables"), item)
    return (item,)


def _label(item: Declared) -> str:
    """Return how the key of a table at the top is written in TOML."""
    parts = typing.get_args(item.hint)
    if parts and dataclasses.is_dataclass(parts[0]):
        return f"[[{item.name}]]"
    if parts and dataclasses.is_dataclass(parts[-1]):
        return f"[{item.name}.NAME]"
    table = dataclasses.is_dataclass(item.hint) or item.hint is Any
    return f"[{item.name}]" if table else item.name


def _words(about: Key) -> str:
    unit = ", ".join(filter(None, (about.unit, about.range_in_words())))
    names = about.allowed if isinstance(about.allowed, tuple) else ()
    return "; ".join(filter(None, (about.help, ", ".join(f"`{name}`" for name in names), unit)))


def _meaning(item: Declared) -> str:
    words = _words(item.key)
    if item.key.measured:
        words += "; other data with another value"
    number = isinstance(item.default, float) and math.isfinite(item.default)
    return words if not number or "left out" in words else f"{words}; {item.default:g} if left out"


def blank_card(name: str) -> str:
    """Return a card of a topology that is sound, with every key and what it means, to be filled.

    Raises
    ------
    InputError
        For an unknown topology.
    """
    row = topology(name)
    topic = f"A run card of the topology {name}: {row.help}. Every number is an example."
    low, high, points = row.masses
    masses = {"low_gev": low, "high_gev": high, "points": points}
    tables: dict[str, tuple[type, dict[str, Any]]] = {
        "": (RunCard, {"topology": name, "title": "My experiment"}),
        "defaults": (Defaults, {"model": row.model, "masses": masses}),
        **{table: (cls, {}) for table, cls in setup_tables(row).items()},
    }
    lines = [_comment(topic)]
    for table, (cls, values) in tables.items():
        lines += ["", *([f"[{table}]"] if table else []), *_keys(cls, row, values, table)]
        if table in setup_tables(row):
            lines.append(f'source = "{_SOURCE}"')
    for region in row.regions:
        own = {"region": region} if len(row.regions) == 1 else {"name": region, "region": region}
        lines += ["", "[[bins]]", *_keys(Bin, row, own)]
    for heading, cls in _OPTIONAL:
        lines += ["", f"# {heading}", *_keys(cls, row, {}, optional=True)]
    return "\n".join(lines) + "\n"


def _keys(
    cls: type, row: Topology, values: Mapping[str, Any], table: str = "", *, optional: bool = False
) -> Iterator[str]:
    """Yield the lines of a table: what a key means, and its value, as a comment if it has none."""
    for item in declared(cls):
        if _shown_apart(cls, item):
            continue
        for about, hint in ((item.key, item.hint), *_other(item)):
            name = about.name or item.name
            path = f"{table}.{name}".lstrip(".")
            value = values.get(name, row.example.get(path, about.example))
            yield _comment(f"{name}: {_words(about)}")
            if value is not None and not optional:
                yield f"{name} = {_toml(_with_source(value, hint))}"


def _comment(text: str) -> str:
    return textwrap.fill(text, 100, initial_indent="# ", subsequent_indent="#   ")


def _other(item: Declared) -> list[tuple[Key, Any]]:
    return [] if item.key.other is None else [(item.key.other, item.key.other.accepts)]


def _shown_apart(cls: type, item: Declared) -> bool:
    """Whether a key at the top of a card is a table, which a blank card shows by itself."""
    return (cls is RunCard and _label(item) != item.name) or not item.key.help


def _with_source(value: Any, hint: Any) -> Any:
    """Return an example of a number as the table that it is in a card."""
    number = isinstance(value, (int, float)) and hint not in (int, float)
    return {"value": value, "source": _SOURCE} if number else value


def _toml(value: Any) -> str:
    """Return a value as TOML on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(part)}" for name, part in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)
