"""Cards that take over another one: ``extends = "NAME"``, and what is different.

Tables of measured numbers have one source each, so a table of the card replaces the base's as a
whole; what is a collection of named parts (bins, uncertainties, setups, materials) is merged by
name. The result is the content of a card that stands alone: nothing of the base is looked up later.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Final

from na64.models.declaration import declared
from na64.models.errors import InputError
from na64.workspaces.cards.card import RunCard

__all__ = ["EXTENDS", "extended"]

#: key of a card that names its base
EXTENDS: Final = "extends"
#: what tells one search from another, and is not taken over
_OWN: Final = ("name", "title")

#: returns the content of a card by the name or path of the card, or raises InputError
Lookup = Callable[[str], Mapping[str, object]]


def extended(
    data: Mapping[str, object], where: str, lookup: Lookup
) -> tuple[dict[str, object], tuple[str, Mapping[str, object]] | None]:
    """Return the content of a card with that of its base filled in, and the base.

    Parameters
    ----------
    data
        Content of a card file.
    where
        Name of the file: a path of a base is relative to its folder.
    lookup
        Reads the base; called with its name or path.

    Returns
    -------
    tuple
        The content without ``extends``, and name and content of the base; None if there is none.

    Raises
    ------
    InputError
        For a base that is not named by a text, that cannot be read, or that extends another card.
    """
    if EXTENDS not in data:
        return dict(data), None
    name = data[EXTENDS]
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"run card {where}: {EXTENDS}: must be the name of a card, or a file")
    base = _read(name, where, lookup)
    if EXTENDS in base:
        raise InputError(
            f"run card {where}: {EXTENDS}: '{name}' extends '{base[EXTENDS]}' itself; a base must "
            "stand alone"
        )
    own = {key: value for key, value in data.items() if key != EXTENDS}
    return _merged(base, own), (name, base)


def _read(name: str, where: str, lookup: Lookup) -> Mapping[str, object]:
    path = Path(name)
    is_file = bool(path.suffix) and not path.is_absolute()
    try:
        return lookup(str(Path(where).parent / path) if is_file else name)
    except InputError as error:
        raise InputError(f"run card {where}: {EXTENDS}: {error}") from None


def _merged(base: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    result = copy.deepcopy({key: value for key, value in base.items() if key not in _OWN})
    if own.get("projection") is True:  # a projection has no data, nor do the bins taken over
        bins = result.get("bins")
        for item in bins if isinstance(bins, list) else ():
            item.pop("observed", None)
    lists, tables = _parts_with_names()
    for key, value in own.items():
        old = result.get(key)
        if key in lists and isinstance(old, list) and isinstance(value, list):
            result[key] = _merged_list(old, value)
        elif key in tables and isinstance(old, dict) and isinstance(value, dict):
            result[key] = {**old, **value}
        else:
            result[key] = value
    return result


def _merged_list(old: list[Any], new: list[Any]) -> list[Any]:
    """Replace entries of the same name where they are, and append the others."""
    result = list(old)
    places = {item["name"]: place for place, item in enumerate(old) if "name" in item}
    for item in new:
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name in places:
            result[places.pop(name)] = item  # a second one is appended: the reader refuses it
        else:
            result.append(item)
    return result


def _parts_with_names() -> tuple[set[str], set[str]]:
    """Return the keys of a card that hold arrays of tables, and those that hold tables by name."""
    lists, tables = set(), set()
    for item in declared(RunCard):
        origin, parts = typing.get_origin(item.hint), typing.get_args(item.hint)
        if not (parts and is_dataclass(parts[-1] if origin is not tuple else parts[0])):
            continue
        if origin is tuple:
            lists.add(item.name)
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            tables.add(item.name)
    return lists, tables
