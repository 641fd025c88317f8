"""Files of figures: shipped ones by name, those of users, every problem at once with its place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from na64.limits.figures.appearance import Appearance
from na64.limits.planes.transforms import PLANES
from na64.limits.programme.description import (
    PLANE_OPTIONS,
    Description,
    DrawnLimit,
    Panel,
)
from na64.limits.scanning.asked import read_settings
from na64.models.declaration import key_names
from na64.workspaces.io.problems import Problem, shown
from na64.workspaces.io.shipped import shipped, shipped_or_file
from na64.workspaces.io.tables import TableReader
from na64.workspaces.io.toml import parse_toml

__all__ = ["available_figures", "figure_text", "load_figure", "parse_figure"]

_FOLDER: Final = "figures"
#: fields that are made of several keys of a file
_MADE: Final = ("plane_options", "settings")


@cache
def available_figures() -> tuple[str, ...]:
    """Return the names of the shipped figures, sorted."""
    return shipped(_FOLDER)


def figure_text(name_or_path: str | Path) -> str:
    """Return the file of a figure, to be copied and changed.

    Parameters
    ----------
    name_or_path
        Name of a shipped figure, or a file.

    Raises
    ------
    InputError
        For an unknown name, or a file that cannot be read.
    """
    return shipped_or_file("figure", _FOLDER, str(name_or_path))


def load_figure(name_or_path: str | Path) -> Description:
    """Return the description of a figure.

    Parameters
    ----------
    name_or_path
        As in `figure_text`. Cards and curves that a file names by a path are looked for in the
        folder of the file.

    Raises
    ------
    InputError
        For an unknown name, or a file that cannot be read.
    FileProblemsError
        For a file with problems: all of them.
    """
    return parse_figure(figure_text(name_or_path), str(name_or_path))


def parse_figure(text: str, where: str) -> Description:
    """Return the description of a TOML text; ``where`` names the file in messages."""
    data = parse_toml(text, f"figure {where}")
    problems: list[Problem] = []
    names = {"folder": str(Path(where).parent)}
    top = TableReader(data, "", problems, names)
    if top.has("panels"):
        panels = tuple(_panel(reader) for reader in _tables(top, "panels"))
    else:  # the keys of its one panel are those of the file
        for name in _names_of(Panel, PLANE_OPTIONS):
            top.has(name)
        one = TableReader(data, "", problems, names)
        for name in key_names(Description):
            one.has(name)
        panels = (_panel(one),)
    made = top.record(
        Description, special={"panels": lambda _: tuple(panel for panel in panels if panel)}
    )
    return top.result(made, "figure", where)


def _names_of(cls: type, more: Mapping[str, Any]) -> set[str]:
    """Return the keys of a table: those of a dataclass, and others in the place of made fields."""
    return {*key_names(cls), *more} - set(_MADE)


def _tables(reader: TableReader, name: str) -> list[TableReader]:
    """Return readers of an array of tables."""
    raw = reader.data.get(name)
    if not reader.has(name) or not isinstance(raw, list) or not raw:
        found = f"is {shown(raw)}" if reader.has(name) else "is missing"
        reader.problem(name, f"must be an array of tables [[{reader.at(name)}]], {found}")
        return []
    tables = []
    for index, item in enumerate(raw):
        place = f"{name}[{index}]"
        if isinstance(item, Mapping):
            tables.append(TableReader(item, reader.at(place), reader.problems, reader.names))
        else:
            reader.problem(place, f"must be a table, is {shown(item)}")
    return tables


def _panel(reader: TableReader) -> Panel | None:
    limits = tuple(_limit(table) for table in _tables(reader, "limits"))
    return reader.record(
        Panel,
        special={
            "limits": lambda _: tuple(limit for limit in limits if limit),
            "plane_options": lambda values: _plane_options(reader, values["plane"]),
            "appearance": lambda _: _appearance(reader),
        },
    )


def _limit(reader: TableReader) -> DrawnLimit | None:
    return reader.record(DrawnLimit, special={"settings": lambda _: read_settings(reader)})


def _plane_options(reader: TableReader, plane: str) -> dict[str, Any]:
    known = PLANES[plane].options if plane in PLANES else {}
    found = {}
    for name, (hint, about) in PLANE_OPTIONS.items():
        if not reader.has(name):
            continue
        if name not in known:
            whose = ", ".join(row.name for row in PLANES.values() if name in row.options)
            reader.problem(name, f"is an option of the plane {whose}")
        found[name] = reader.value(name, hint, about)
    return found


def _appearance(reader: TableReader) -> Appearance:
    """Return the look of a panel; labels of limits stand with them."""
    table = reader.table("appearance", needed=False)
    made = None if table is None else table.record(Appearance, special={"labels": lambda _: ()})
    return made or Appearance()
