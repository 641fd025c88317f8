"""Axes of a campaign: keys with their values, gone through together or multiplied."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from na64.limits.scanning.asked import Asked
from na64.limits.scanning.grids import parse_grid
from na64.limits.scanning.settings import CALCULATOR, SETTINGS
from na64.models.declaration import Declared, declared, is_number
from na64.models.errors import InputError, did_you_mean
from na64.workspaces.io.problems import Problem, shown
from na64.workspaces.io.tables import TableReader

__all__ = ["ASKED", "Axis", "AxisTable", "Change", "base_values", "read_axes"]

#: keys of a scan by their names in a file
ASKED: Final[Mapping[str, Declared]] = {
    **{item.name: item for item in declared(Asked) if item.field != "settings"},
    **SETTINGS,
}
#: further names of keys, of which a table has one
_OTHERS: Final = {
    item.key.other.name: item for item in ASKED.values() if item.key.other is not None
}
#: what a key is called by its declaration where it has a list
_OF_LISTS: Final = {"search": "searches", "masses": "masses_gev"}
#: keys that yields do not depend on, and beginnings of such paths in a card
_STATISTICS: Final = frozenset({*CALCULATOR, "method", "confidence_level", "expected_only"})
_OF_COUNTS: Final = ("bins.", "bins[", "uncertainties")


@dataclass(frozen=True, slots=True)
class Change:
    """What one value of an axis changes.

    Attributes
    ----------
    field
        Field of `Asked`; ``overrides`` are added to what there is, ``settings`` are one of them.
    value
        What the field becomes; of a setting the pair of its keyword and value.
    """

    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Axis:
    """One key and its values.

    Attributes
    ----------
    key
        The key, or the path of a number in the first card, with dots.
    values
        Plain data, as they are shown.
    changes
        What each of them changes.
    """

    key: str
    values: tuple[Any, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class AxisTable:
    """Axes that are gone through together; each has as many values as the others."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return len(self.axes[0].values)

    @property
    def changes_yields(self) -> bool:
        """Whether yields of a search, before exposure and efficiency, depend on the row."""
        return not all(
            axis.key in _STATISTICS or axis.key.startswith(_OF_COUNTS) for axis in self.axes
        )

    def values(self, row: int) -> dict[str, Any]:
        """Return the values at a row by their keys."""
        return {axis.key: axis.values[row] for axis in self.axes}

    def changes(self, row: int) -> list[Change]:
        """Return what a row changes."""
        return [axis.changes[row] for axis in self.axes]


def read_axes(
    raw: object, problems: list[Problem], names: dict[str, Any], where: str = "axes"
) -> tuple[AxisTable, ...]:
    """Return the axes of a file; what is wrong is added to the problems.

    Parameters
    ----------
    raw
        What stands under the key, a list of tables. Each key of a table has a list of values or,
        for numbers, a range ``LO:HI:N``.
    problems
        Where problems go.
    names
        What declarations may refer to.
    where
        Path of the list.
    """
    if not isinstance(raw, list) or not all(isinstance(item, Mapping) for item in raw):
        problems.append(Problem(where, f"must be an array of tables [[{where}]], is {shown(raw)}"))
        return ()
    tables = []
    seen: dict[str, str] = {}
    for index, item in enumerate(raw):
        path = f"{where}[{index}]"
        axes = [
            _axis(key, value, path, problems, names) for key, value in _flat(item, path, problems)
        ]
        found = [axis for axis in axes if axis is not None]
        for axis in found:
            other = seen.setdefault(_taken(axis), path)
            if other != path:
                problems.append(Problem(f"{path}.{axis.key}", f"is on {other} already"))
        sizes = {axis.key: len(axis.values) for axis in found}
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{key} {size}" for key, size in sizes.items())
            problems.append(
                Problem(path, f"keys of one table need the same number of values, have {told}")
            )
        elif found:
            tables.append(AxisTable(tuple(found)))
        elif not axes:
            problems.append(Problem(path, "must not be empty"))
    return tuple(tables)


def _taken(axis: Axis) -> str:
    """What an axis sets: a field, a setting or a path."""
    first = axis.changes[0]
    if first.field == "settings":
        return str(first.value[0])
    return axis.key if first.field == "overrides" else first.field


def _flat(
    table: Mapping[str, Any], path: str, problems: list[Problem], above: str = ""
) -> Iterator[tuple[str, object]]:
    """Yield keys and values; tables inside are paths of a card, ``bins.0.exposure = [...]``."""
    for key, value in table.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, Mapping) and value:
            yield from _flat(value, path, problems, name)
        else:
            yield name, value


def _axis(
    key: str, raw: object, path: str, problems: list[Problem], names: dict[str, Any]
) -> Axis | None:
    before = len(problems)
    place = f"{path}.{key}"
    item = ASKED.get(key) or _OTHERS.get(key)
    if item is None and "." not in key:
        known = [*ASKED, *_OTHERS]
        said = f"unknown key{did_you_mean(key, known)}; allowed: {', '.join(known)}"
        problems.append(Problem(place, f"{said}, and paths of a card such as bins.0.exposure"))
        return None
    values = _listed(key, item, raw, place, problems)
    changes = []
    for index, value in enumerate(values):
        there = f"{place}[{index}]" if isinstance(raw, list) else place
        if item is None:
            changes.append(_override(key, value, there, problems))
        else:
            changes.append(_change(key, item, value, there, problems, names))
    if len(problems) > before:
        return None
    return Axis(key, tuple(values), tuple(changes))


def _listed(
    key: str, item: Declared | None, raw: object, place: str, problems: list[Problem]
) -> list[Any]:
    """Return the values of an axis: those of a list, or of a range of numbers."""
    numbers = item is None or key == "masses" or item.hint in (float, int)
    if isinstance(raw, str) and ":" in raw and numbers:
        try:
            found: list[Any] = parse_grid(raw, key, "the unit of the key").tolist()
        except InputError as error:
            problems.append(Problem(place, str(error)))
            return []
        if item is not None and item.hint is int:
            found = [round(value) for value in found]
        return found if _distinct(found, place, problems) else []
    if not isinstance(raw, list) or not raw:
        form = "a list of values" + (" or a range LO:HI:N" if numbers else "")
        problems.append(
            Problem(place, f"must be {form}, is {'empty' if raw == [] else shown(raw)}")
        )
        return []
    _distinct(raw, place, problems)
    return raw


def _distinct(values: Sequence[Any], place: str, problems: list[Problem]) -> bool:
    """Add values that are given twice, whole numbers of a narrow range among them, to problems."""
    seen: set[str] = set()
    before = len(problems)
    for index, value in enumerate(values):
        text = json.dumps(value, sort_keys=True, default=str)
        if text in seen:
            problems.append(Problem(f"{place}[{index}]", f"{text} is given twice"))
        seen.add(text)
    return len(problems) == before


def _override(path: str, value: object, place: str, problems: list[Problem]) -> Change:
    """Return the setting of a card: ``path=value``; a star at the end multiplies."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, (int, float, str)):
        text = json.dumps(value) if isinstance(value, str) else repr(value)
    else:
        problems.append(
            Problem(place, f"must be a number, a text or true or false, is {shown(value)}")
        )
        text = ""
    return Change("overrides", f"{path}={text}")


def _change(
    key: str,
    item: Declared,
    value: object,
    place: str,
    problems: list[Problem],
    names: dict[str, Any],
) -> Change:
    """Return what a value of a key changes, read as it is declared."""
    name, value = _as_declared(key, value)  # a list: several searches, or masses, in one point
    own: list[Problem] = []
    read = read_key(TableReader({name: value}, "", own, names), item)
    problems.extend(Problem(place, problem.message) for problem in own)
    return Change("settings", (key, read)) if key in SETTINGS else Change(item.field, read)


def read_key(reader: TableReader, item: Declared) -> Any:
    """Return what a table has under a key of `ASKED`, as its declaration wants it."""
    return reader.declared(item)


def _as_declared(key: str, value: object) -> tuple[str, object]:
    """Return a key by the name that it is declared under for such a value, and the value."""
    if key == "masses" and is_number(value):
        value = [value]
    return (_OF_LISTS.get(key, key) if isinstance(value, list) else key), value


def base_values(reader: TableReader, taken: Sequence[str]) -> dict[str, Any]:
    """Return the values that are common to all points, by the fields of `Asked`.

    Parameters
    ----------
    reader
        The table.
    taken
        Keys that stand on an axis, which the table may not have.
    """
    found: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    named = {_as_declared(key, raw)[0]: key for key, raw in reader.data.items()}
    before, problems = len(reader.problems), reader.problems
    if len(named) == len(reader.data):  # otherwise both forms are given, which is told below
        lists = dict(_as_declared(key, raw) for key, raw in reader.data.items())
        reader = TableReader(lists, reader.path, problems, reader.names)
    for name, item in ASKED.items():
        other = item.key.other.name if item.key.other is not None else name
        if name in taken or other in taken:
            if reader.has(name) or reader.has(other):
                reader.problem(name, "stands on an axis as well")
            continue
        here = reader.has(name) + (other != name and reader.has(other))
        if not here and name != "search":
            continue
        value = read_key(reader, item)
        if name in SETTINGS:
            settings[name] = value
        else:
            found[item.field] = value
    reader.finish()
    for place in range(before, len(problems)):  # of keys as the file has them
        problems[place] = _under_its_key(problems[place], reader.path, named)
    return {**found, "settings": settings}


def _under_its_key(problem: Problem, table: str, named: Mapping[str, str]) -> Problem:
    """Return a problem of a key that was read by another name with the name that it has."""
    for read, given in named.items():
        place = f"{table}.{read}"
        if read != given and problem.path.startswith(place):
            return Problem(f"{table}.{given}{problem.path[len(place) :]}", problem.message)
    return problem
