"""Overlays that are bare tables: two columns of text, CSV, or a table of HEPData.

Such a table says neither what its coupling is nor at which confidence level it holds. It has the
axes of the figure that it is drawn in, and the name of its file. Nothing in it is trusted: sizes,
numbers, columns and units are checked, and YAML is read as plain data without references.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from na64.models.declaration import Key, range_complaint
from na64.models.errors import InputError, unknown_name
from na64.workspaces.io.curves import Axis, Curve, CurveKind, CurveSource, load_curve
from na64.workspaces.io.problems import as_number, shown
from na64.workspaces.io.reading import parse_json, parsed, read_text

__all__ = ["TABLE_SUFFIXES", "load_overlay", "table_curve"]

#: suffixes of tables; others are curve files
TABLE_SUFFIXES: Final = (".csv", ".txt", ".dat", ".yaml", ".yml", ".json")
_LARGEST_BYTES: Final = 4_000_000
_MOST_POINTS: Final = 20_000
_MOST_COLUMNS: Final = 100
#: units of a mass, in GeV
_MASS_UNITS: Final = {"eV": 1e-9, "keV": 1e-6, "MeV": 1e-3, "GeV": 1.0, "TeV": 1e3}
#: how HEPData marks a value that is not there
_ABSENT: Final = ("", "-", "nan", "NaN")
_UNIT: Final = re.compile(r"\[([^\[\]]*)\]\s*$|\(([^()]*)\)\s*$")
#: how people write that a column is a square
_SQUARE: Final = re.compile(r"(\^\{?2\}?|\*\*\s*2|²|squared)$", re.IGNORECASE)


def load_overlay(name_or_path: str | os.PathLike[str], x: Axis, y: Axis) -> Curve:
    """Return a curve to be drawn in a figure: a shipped one, a curve file, or a bare table.

    Parameters
    ----------
    name_or_path
        Name of a shipped curve, a curve file, or a table with one of `TABLE_SUFFIXES`. Of a table
        with more than two columns ``FILE#COLUMN`` is the one of a name.
    x, y
        Axes of the figure, which are those of a bare table.

    Raises
    ------
    InputError
        For an unknown name, and a file that cannot be read.
    """
    name = os.fspath(name_or_path)
    path, _, column = name.partition("#")
    suffix = Path(path).suffix.lower()
    if suffix not in TABLE_SUFFIXES or (column and Path(name).exists()):
        return load_curve(name)
    return table_curve(read_text(path, _LARGEST_BYTES), path, x, y, column)


def table_curve(text: str, where: str, x: Axis, y: Axis, column: str = "") -> Curve:
    """Return the curve of a table.

    Parameters
    ----------
    text
        The table; the suffix of ``where`` tells its form.
    where
        Name of the file.
    x, y
        Axes of the figure. Units that the table states are converted to those of a mass in GeV;
        other units must be those of the axes.
    column
        The column of y if there is more than one.

    Returns
    -------
    Curve
        A limit if x increases or decreases all the way, else the path around a region; with no
        confidence level, no model, and the stem of the file as its name.

    Raises
    ------
    InputError
        For a table of another form, numbers that are not positive and finite, and sizes beyond
        reason; with the row.
    """
    suffix = Path(where).suffix.lower()
    label = f"overlay {where}"
    if suffix in (".yaml", ".yml"):
        columns = _hepdata(parsed(text, label, lambda content: _plain_yaml(content, label)), label)
    elif suffix == ".json":
        columns = _hepdata(parse_json(text, label), label)
    else:
        columns = _text_columns(text, label)
    chosen = _chosen(columns[1:], column, label)
    points = _points(columns[0], chosen, (x, y), label)
    kind = _kind(points, label)
    if kind is CurveKind.LIMIT:
        points.sort()
    stem = Path(where).stem
    return Curve(
        name=re.sub(r"[^A-Za-z0-9_.+-]", "-", stem).lstrip("_.+-") or "overlay",
        title=stem,
        label=stem,
        kind=kind,
        x_axis=x,
        y_axis=y,
        confidence_level=None,
        reference=CurveSource(where),
        provenance="a table of the user, as it stands; no confidence level is claimed",
        points=tuple(points),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table: its name and unit as it states them, and its cells."""

    name: str
    unit: str
    cells: Sequence[Any]


def _text_columns(text: str, where: str) -> list[_Column]:
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if content and not content.startswith("#"):
            mark = next((mark for mark in (",", ";", "\t") if mark in content), None)
            rows.append((number, [cell.strip() for cell in content.split(mark)]))
    names: list[str] = []
    if rows and not any(_is_number(cell) for cell in rows[0][1]):
        names = [cell.strip("\"'") for cell in rows.pop(0)[1]]
    if not rows:
        raise InputError(f"{where}: has no rows of numbers")
    width = len(names) or len(rows[0][1])
    if not 2 <= width <= _MOST_COLUMNS:
        raise InputError(f"{where}: must have two columns or more, x and y, has {width}")
    for number, cells in rows:
        if len(cells) != width:
            raise InputError(f"{where}, line {number}: has {len(cells)} columns, not {width}")
    names = names or ["x", *(f"column {index}" for index in range(2, width + 1))]
    return [
        _Column(*_name_and_unit(name), [cells[index] for _, cells in rows])
        for index, name in enumerate(names)
    ]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _name_and_unit(header: str) -> tuple[str, str]:
    """Split ``mass [MeV]`` into name and unit; in round brackets only a unit of mass is one."""
    found = _UNIT.search(header)
    if found is None:
        return header.strip(), ""
    unit = (found[1] if found[1] is not None else found[2]).strip()
    if found[1] is None and unit not in _MASS_UNITS:
        return header.strip(), ""
    return header[: found.start()].strip(), unit


def _plain_yaml(text: str, where: str) -> object:
    """Read YAML as plain data without references, by which a small text becomes a large one."""
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise InputError(f"{where}: has a reference (*name), which no table needs")
            return super().compose_node(parent, index)

    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = "" if line is None else f" in line {line + 1}"
        raise InputError(f"{where}: not YAML{place}") from error


def _hepdata(data: object, where: str) -> list[_Column]:
    """Columns of a table of a submission to HEPData, or of what the site gives as JSON."""
    if not isinstance(data, Mapping):
        raise InputError(f"{where}: is no table of HEPData")
    if "independent_variables" in data:
        found = [
            _variables(data, key, where) for key in ("independent_variables", "dependent_variables")
        ]
        if len(found[0]) != 1:
            raise InputError(f"{where}: must have 1 independent variable, has {len(found[0])}")
        columns = [*found[0], *found[1]]
    elif "headers" in data and "values" in data:
        columns = _downloaded(data, where)
    else:
        raise InputError(
            f"{where}: is no table of HEPData: it has no independent_variables; of a submission "
            "give the file of the table"
        )
    if any(len(column.cells) != len(columns[0].cells) for column in columns):
        raise InputError(f"{where}: its columns have different lengths")
    return columns


def _variables(data: Mapping[Any, Any], key: str, where: str) -> list[_Column]:
    """Variables of a table as {header: {name, units}, values: [{value}]}."""
    variables = data.get(key)
    if not isinstance(variables, list) or len(variables) > _MOST_COLUMNS:
        raise InputError(f"{where}: {key} must be a list of at most {_MOST_COLUMNS}")
    columns = []
    for index, variable in enumerate(variables):
        place = f"{where}: {key}[{index}]"
        if not isinstance(variable, Mapping) or not isinstance(variable.get("values"), list):
            raise InputError(f"{place} has no list of values")
        header = variable.get("header")
        header = header if isinstance(header, Mapping) else {}
        name, unit = str(header.get("name", "")), str(header.get("units") or "")
        columns.append(_Column(name, unit, [_cell(item) for item in variable["values"]]))
    return columns


def _downloaded(data: Mapping[Any, Any], where: str) -> list[_Column]:
    """Columns of {headers: [{name}], values: [{x: [...], y: [...]}]}."""
    headers, rows = data["headers"], data["values"]
    if not isinstance(headers, list) or not isinstance(rows, list):
        raise InputError(f"{where}: headers and values must be lists")
    table = []
    for index, row in enumerate(rows):
        x, y = (row.get(axis) for axis in "xy") if isinstance(row, Mapping) else (None, None)
        if not (isinstance(x, list) and isinstance(y, list) and len(x) == 1):
            raise InputError(f"{where}: values[{index}] must have one x and a list of y")
        table.append([_cell(item) for item in (*x, *y)])
    names = [str(item.get("name", "")) for item in headers if isinstance(item, Mapping)]
    if any(len(row) != len(names) for row in table) or not 2 <= len(names) <= _MOST_COLUMNS:
        raise InputError(f"{where}: rows must have as many values as there are headers, 2 or more")
    return [
        _Column(*_name_and_unit(name), [row[index] for row in table])
        for index, name in enumerate(names)
    ]


def _cell(item: object) -> object:
    """The value of {value: ...}, or the middle of {low: ..., high: ...}."""
    if not isinstance(item, Mapping):
        return item
    low, high = as_number(item.get("low")), as_number(item.get("high"))
    if "value" not in item and low is not None and high is not None:
        return 0.5 * (low + high)
    return item.get("value")


def _chosen(columns: Sequence[_Column], name: str, where: str) -> _Column:
    names = [column.name for column in columns]
    if name:
        if names.count(name) != 1:
            raise unknown_name(f"column of {where}", name, names)
        return columns[names.index(name)]
    if len(columns) == 1:
        return columns[0]
    observed = [column for column in columns if "observed" in column.name.lower()]
    if len(observed) == 1:
        return observed[0]
    raise InputError(
        f"{where}: has {len(columns)} columns of y: choose one as FILE#COLUMN out of "
        f"{', '.join(names)}"
    )


def _points(
    x: _Column, y: _Column, axes: tuple[Axis, Axis], where: str
) -> list[tuple[float, float]]:
    if len(x.cells) > _MOST_POINTS:
        raise InputError(f"{where}: has {len(x.cells)} rows, more than {_MOST_POINTS}")
    factors = [_factor(column, axis, where) for column, axis in zip((x, y), axes, strict=True)]
    points = []
    for row, cells in enumerate(zip(x.cells, y.cells, strict=True), 1):
        if isinstance(cells[1], str) and cells[1].strip() in _ABSENT:
            continue
        numbers = [_number(cell, f"{where}, row {row}") for cell in cells]
        points.append((numbers[0] * factors[0], numbers[1] * factors[1]))
    if len(points) < 2:
        raise InputError(f"{where}: must have 2 points or more, has {len(points)}")
    return points


def _factor(column: _Column, axis: Axis, where: str) -> float:
    """What the numbers of a column are multiplied by for the unit of an axis."""
    if _SQUARE.search(column.name):
        raise InputError(
            f"{where}: {column.name} is a square, the axis of the figure is {axis.name}: give the "
            "numbers of the axis"
        )
    if column.unit in ("", "1", axis.unit):
        return 1.0
    if axis.unit == "GeV" and column.unit in _MASS_UNITS:
        return _MASS_UNITS[column.unit]
    raise InputError(
        f"{where}: {column.name or 'a column'} is in {column.unit}, the axis {axis.name} of the "
        f"figure in {axis.unit}"
    )


def _number(cell: object, where: str) -> float:
    number = as_number(cell)
    if isinstance(cell, str) and len(cell) < 100 and _is_number(cell.strip()):
        number = float(cell)
    if number is None:
        raise InputError(f"{where}: {shown(cell)} is not a number")
    if not (math.isfinite(number) and number > 0.0):
        raise InputError(f"{where}: must be positive and finite, is {number:g}")
    if complaint := range_complaint(number, Key()):
        raise InputError(f"{where}: {complaint}")
    return number


def _kind(points: Sequence[tuple[float, float]], where: str) -> CurveKind:
    steps = [after[0] - before[0] for before, after in pairwise(points)]
    if all(step > 0.0 for step in steps) or all(step < 0.0 for step in steps):
        return CurveKind.LIMIT
    if all(step >= 0.0 for step in steps) or all(step <= 0.0 for step in steps):
        twice = next(points[row][0] for row, step in enumerate(steps) if step == 0.0)
        raise InputError(
            f"{where}: x = {twice:g} is there twice; x of a limit increases or decreases, and the "
            "path around a region turns back"
        )
    return CurveKind.REGION
