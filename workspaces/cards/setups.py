"""Binding of a card's [beam], [target], [window] and [setups.*] to the models' types."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from na64.models.errors import InputError
from na64.models.materials import MATERIALS, Material, material, mixture
from na64.models.setup import BEAM_PARTICLES, Beam, Target
from na64.workspaces.cards.card import DEFAULT_SETUP, Setup
from na64.workspaces.cards.fields import Problems, TableReader
from na64.workspaces.cards.topologies import Topology

__all__ = ["read_setups"]

_KEYS: Final = ("beam", "target", "window")
#: keys of which a table has at most one: an overriding table replaces the whole group
_ALTERNATIVES: Final = (("material", "layers_mm"), ("length_cm", "length_x0"))


def read_setups(
    top: TableReader, topology: Topology | None, name_pattern: str
) -> dict[str, Setup | None]:
    """Read every setup of a card.

    Parameters
    ----------
    top
        Reader of the whole card.
    topology
        Topology of the card; None if the card names none that is known.
    name_pattern
        Regular expression for the names of setups.

    Returns
    -------
    dict
        Setup by name; None in place of a setup with problems.
    """
    readers = {key: top.table(key) for key in _KEYS}
    raw = {key: reader.data for key, reader in readers.items() if reader is not None}
    complete = len(raw) == len(_KEYS)
    setups = {DEFAULT_SETUP: _read_setup(raw, "", topology, top.problems) if complete else None}
    tables = top.table("setups", required=False)
    if tables is None:
        return setups
    for name in tables.data:
        reader = tables.table(name)
        if reader is None:
            continue
        if name == DEFAULT_SETUP or not re.fullmatch(name_pattern, name):
            tables.problem(
                name, f"not allowed as a name; it must match {name_pattern} and not be 'default'"
            )
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
    for key in _KEYS:
        table = reader.table(key, required=False)
        if table is not None:
            given[key] = table.data
            merged[key] = _merge(default[key], table.data)
    reader.finish()
    problems = Problems()
    setup = _read_setup(merged, reader.path, topology, problems)
    # What is wrong in the default tables is reported there, and once.
    for problem in problems.found:
        if default_is_sound:
            reader.problems.found.append(problem)
            continue
        key, _, rest = problem.path.removeprefix(f"{reader.path}.").partition(".")
        part = re.split(r"[.\[]", rest)[0]
        if key in given and (part in given[key] or part in ("", "source")):
            reader.problems.found.append(problem)
    return setup


def _merge(default: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    merged = dict(default)
    merged.pop("source", None)  # the source of other numbers says nothing on the new ones
    for group in _ALTERNATIVES:
        if any(key in given for key in group):
            for key in group:
                merged.pop(key, None)
    return merged | dict(given)


def _read_setup(
    raw: Mapping[str, Mapping[str, object]],
    path: str,
    topology: Topology | None,
    problems: Problems,
) -> Setup | None:
    readers = {
        key: TableReader(raw[key], f"{path}.{key}" if path else key, problems) for key in _KEYS
    }
    for reader in readers.values():
        reader.text("source")
    beam = _read_beam(readers["beam"])
    target = _read_target(readers["target"])
    window = None
    if topology is not None:
        window = readers["window"].record(topology.window)
        readers["window"].finish()
        if beam is not None and target is not None and window is not None:
            for key, message in window.problems(beam, target):
                readers["window"].problem(key, message)
    if beam is None or target is None or window is None:
        return None
    return Setup(beam, target, window, {key: dict(raw[key]) for key in _KEYS})


def _read_beam(reader: TableReader) -> Beam | None:
    particle = reader.text("particle", allowed=BEAM_PARTICLES)
    energy = reader.number("energy_gev", positive=True)
    reader.finish()
    return reader.build(Beam, particle, energy)


def _read_target(reader: TableReader) -> Target | None:
    what = _read_material(reader)
    if reader.has("length_cm") and reader.has("length_x0"):
        reader.problem("length_x0", "give length_cm or length_x0, not both")
    length = math.inf
    if reader.has("length_cm"):
        length = reader.number("length_cm", positive=True)
    elif reader.has("length_x0"):
        length = reader.number("length_x0", positive=True)
        length *= what.radiation_length_cm if what is not None else 1.0
    reader.finish()
    return None if what is None else reader.build(Target, what, length)


def _read_material(reader: TableReader) -> Material | None:
    named, layered = reader.has("material"), reader.has("layers_mm")
    if named == layered:
        reader.problem(
            "material",
            "give material (one of "
            f"{', '.join(MATERIALS)}) or layers_mm, a table of thicknesses, "
            + ("not both" if named else "one of the two"),
        )
        return None
    if named:
        name = reader.text("material", allowed=MATERIALS)
        return material(name) if name in MATERIALS else None
    layers = reader.table("layers_mm")
    if layers is None:
        return None
    thicknesses = {name: layers.number(name, positive=True) for name in sorted(layers.data)}
    if not layers.sound:
        return None
    try:
        return mixture("layers", thicknesses)
    except InputError as error:
        reader.problem("layers_mm", str(error))
        return None
