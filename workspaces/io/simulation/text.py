"""Simulations in tables of text: columns with names, one row per mass and coupling."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from na64.models.declaration import LARGEST_NUMBER
from na64.models.errors import InputError, unknown_name
from na64.workspaces.io.reading import read_text
from na64.workspaces.io.simulation.description import MASS_UNITS, Cut, SimulationFile
from na64.workspaces.io.simulation.rows import MOST_ROWS, Row, counted, measured

__all__ = ["text_rows"]

_MOST_LINES: Final = 200_000
_MOST_COLUMNS: Final = 200
#: a unit at the end of a name, ``mass [MeV]``
_UNIT: Final = re.compile(r"\s*\[([^\[\]]*)\]\s*$")
#: names of the columns that are looked for where a card names none
_GENERATED: Final = "generated"


def text_rows(path: Path, file: SimulationFile, *, binomial: bool) -> Iterator[Row]:
    """Yield the rows of a table of text.

    Parameters
    ----------
    path
        A file of a size that was checked. Its first line names the columns; they are separated by
        commas, semicolons or tabs. Lines that begin with ``#`` say nothing.
    file
        What the card says of it.
    binomial
        Whether values are efficiencies.

    Raises
    ------
    InputError
        For a column that is not there, a cell that is no number, and everything that makes no row;
        with the line.
    """
    table = _Table(path, file)
    kept = 0
    for line, cells in table.lines():
        try:
            if not all(table.passes(cut, cells) for cut in file.cuts):
                continue
            row = _row(table, file, cells, binomial)
        except InputError as error:
            raise InputError(f"line {line}: {error}") from error
        kept += 1
        if kept > MOST_ROWS:
            raise InputError(f"has more than {MOST_ROWS} rows that count")
        yield row


def _row(table: _Table, file: SimulationFile, cells: Mapping[str, str], binomial: bool) -> Row:
    mass = float(f"{table.unit * table.number(file.mass, cells):.12g}")
    place = mass, None if file.coupling is None else table.number(file.coupling, cells)
    if file.value is not None and file.error is not None:
        value, error = (table.number(name, cells) for name in (file.value, file.error))
        return measured(*place, value, error, binomial=binomial)
    passed = table.number(file.passed, cells)
    squares = abs(passed) if file.squares is None else table.number(file.squares, cells)
    generated = file.generated_number
    if generated is None:
        generated = table.number(file.generated or _GENERATED, cells)
    # a sum of weights may be larger than the number that was generated, a count or a share may not
    most = generated * (1.0 + 1e-9)
    if (binomial or file.squares is None) and 0.0 < most < passed <= LARGEST_NUMBER:
        hint = "" if file.squares else "; sums of weights need the column of their `squares`"
        raise InputError(
            f"column '{file.passed}' is {passed:g}, more than the {generated:g} that were "
            f"generated{hint}"
        )
    return counted(*place, passed, squares, generated)


class _Table:
    """Lines of a file as cells by the names of their columns."""

    def __init__(self, path: Path, file: SimulationFile) -> None:
        content = read_text(path)
        if content.count("\n") > _MOST_LINES:
            raise InputError(f"has more than {_MOST_LINES} lines")
        self._lines = [
            (number, line)
            for number, line in enumerate(content.splitlines(), 1)
            if line.strip() and not line.lstrip().startswith("#")
        ]
        if not self._lines:
            raise InputError("is empty")
        _, header = self._lines[0]
        self._mark = next((mark for mark in (",", ";", "\t") if mark in header), ",")
        names = self._cells(*self._lines[0])
        self.unit = MASS_UNITS[file.mass_unit]
        self.names = [self._without_unit(name, file) for name in names]
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise InputError(f"has two columns of the name '{twice}'")

    def _without_unit(self, name: str, file: SimulationFile) -> str:
        found = _UNIT.search(name)
        bare = name if found is None else name[: found.start()]
        if found is not None and bare == file.mass:
            if found[1] not in MASS_UNITS:
                raise unknown_name("unit of the mass", found[1], MASS_UNITS)
            if file.mass_unit not in ("GeV", found[1]):
                raise InputError(
                    f"its masses are in {found[1]}, and the card says {file.mass_unit}"
                )
            self.unit = MASS_UNITS[found[1]]
        return bare

    def _cells(self, line: int, text: str) -> list[str]:
        try:
            cells = next(csv.reader([text], delimiter=self._mark, skipinitialspace=True))
        except csv.Error as error:  # a cell of more than 131,072 characters
            raise InputError(f"line {line}: {error}") from error
        if len(cells) > _MOST_COLUMNS:
            raise InputError(f"line {line}: has {len(cells)} columns, more than {_MOST_COLUMNS}")
        return [cell.strip() for cell in cells]

    def lines(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the lines of cells with their numbers."""
        for number, text in self._lines[1:]:
            cells = self._cells(number, text)
            if len(cells) != len(self.names):
                raise InputError(
                    f"line {number}: has {len(cells)} cells for {len(self.names)} columns"
                )
            yield number, dict(zip(self.names, cells, strict=True))

    def cell(self, name: str, cells: Mapping[str, str]) -> str:
        """Return a cell, or say which columns there are."""
        if name not in cells:
            raise unknown_name("column", name, self.names)
        return cells[name]

    def number(self, name: str, cells: Mapping[str, str]) -> float:
        """Return a cell as a number."""
        text = self.cell(name, cells)
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            shown = text if len(text) <= 40 else f"{text[:37]}..."
            raise InputError(f"column '{name}' must be a finite number, is '{shown}'")
        return found

    def passes(self, cut: Cut, cells: Mapping[str, str]) -> bool:
        """Tell whether a line passes a cut."""
        if cut.equals is not None:
            return self.cell(cut.column, cells) == cut.equals
        return cut.low <= self.number(cut.column, cells) < cut.high
