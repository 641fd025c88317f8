"""Reading of a card's [beam], [target], [window] and [setups.*] as the models' types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from na64.models.declaration import alternatives, declared, text_complaint
from na64.models.targets import Beam, Target
from na64.workspaces.cards.bins import DEFAULT_SETUP
from na64.workspaces.cards.card import RunCard, Setup
from na64.workspaces.cards.materials import TargetTable
from na64.workspaces.cards.topologies import Topology
from na64.workspaces.io.problems import Problem
from na64.workspaces.io.tables import TableReader

__all__ = ["read_setups", "setup_tables"]

_TABLES: Final = ("beam", "target", "window")


def setup_tables(topology: Topology | None) -> dict[str, type]:
    """Return the dataclass of each table of a setup; no window without a topology."""
    tables: dict[str, type] = {"beam": Beam, "target": TargetTable}
    return tables if topology is None else {**tables, "window": topology.window}


def read_setups(top: TableReader, topology: Topology | None) -> dict[str, Setup | None]:
    """Read every setup of a card.

    Parameters
    ----------
    top
        Reader of the whole card.
    topology
        Topology of the card; None if the card names none that is known.

    Returns
    -------
    dict
        Setup by name; None in place of a setup with problems.
    """
    readers = {name: top.table(name) for name in _TABLES}
    raw = {name: reader.data for name, reader in readers.items() if reader is not None}
    complete = len(raw) == len(_TABLES)
    setups = {DEFAULT_SETUP: _read_setup(raw, top, "", topology) if complete else None}
    tables = top.table("setups", needed=False)
    about = next(item.key for item in declared(RunCard) if item.field == "setups")
    for name in tables.data if tables is not None else ():
        reader = tables.table(name) if tables is not None else None
        if reader is None:
            continue
        if complaint := text_complaint(name, about):
            top.problem(f"setups.{name}", complaint)
        sound = setups[DEFAULT_SETUP] is not None
        setups[name] = _read_override(reader, raw, topology, sound) if complete else None
    return setups


def _read_override(
    reader: TableReader,
    default: Mapping[str, Mapping[str, object]],
    topology: Topology | None,
    default_is_sound: bool,
) -> Setup | None:
    """Read a setup that replaces parts of the default one."""
    merged = dict(default)
    given: dict[str, Mapping[str, object]] = {}
    for name in _TABLES:
        table = reader.table(name, needed=False)
        if table is not None:
            given[name] = table.data
            merged[name] = _merge(default[name], table.data)
    reader.finish()
    problems: list[Problem] = []
    apart = TableReader(reader.data, reader.path, problems, reader.names)
    setup = _read_setup(merged, apart, f"{reader.path}.", topology)
    # What is wrong in the default tables is reported there, and once.
    for problem in problems:
        name, _, rest = problem.path.removeprefix(f"{reader.path}.").partition(".")
        part = re.split(r"[.\[]", rest)[0]
        own = name in given and (part in given[name] or part in ("", "source"))
        if default_is_sound or own:
            reader.problems.append(problem)
    return setup


def _merge(default: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    merged = dict(default)
    merged.pop("source", None)  # the source of other numbers says nothing on the new ones
    for pair in alternatives(TargetTable):
        if any(name in given for name in pair):
            for name in pair:
                merged.pop(name, None)
    return merged | dict(given)


def _read_setup(
    raw: Mapping[str, Mapping[str, object]],
    reader: TableReader,
    prefix: str,
    topology: Topology | None,
) -> Setup | None:
    parts: dict[str, Any] = {}
    readers = {
        name: TableReader(raw[name], f"{prefix}{name}", reader.problems, reader.names)
        for name in _TABLES
    }
    for name, cls in setup_tables(topology).items():
        parts[name] = readers[name].record(cls, sourced=True)
    beam, table, window = (parts.get(name) for name in _TABLES)
    if table is None or table.material is None:
        return None
    target = Target(table.material, table.length_cm)
    if beam is None or window is None:
        return None
    for name, message in window.problems(beam, target):
        readers["window"].problem(name, message)
    return Setup(beam, target, window, {name: dict(raw[name]) for name in _TABLES})
