"""Tables, and the files that results are written to: one writer per suffix."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["WRITERS", "Table"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for people or for a CSV file.

    Attributes
    ----------
    columns
        Names, with units.
    rows
        One entry per column: text, number, or None for what does not exist.
    notes
        Lines in front of the table in a CSV file, each after a ``#``.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the table with aligned columns and four digits."""
        cells = [[_short(value) for value in row] for row in self.rows]
        widths = [
            max(len(name), *(len(row[index]) for row in cells)) if cells else len(name)
            for index, name in enumerate(self.columns)
        ]
        texts = [
            any(isinstance(row[index], str) for row in self.rows)
            for index in range(len(self.columns))
        ]
        lines = [
            "  ".join(
                cell.ljust(width) if is_text else cell.rjust(width)
                for cell, width, is_text in zip(line, widths, texts, strict=True)
            ).rstrip()
            for line in [list(self.columns), *cells]
        ]
        return "\n".join(lines)

    def csv(self) -> str:
        """Return the table as CSV with full precision; what does not exist is empty."""
        stream = io.StringIO()
        for note in self.notes:
            stream.write(f"# {note}\n")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow(_full(value) for value in row)
        return stream.getvalue()


def _short(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, (bool, int, str)):
        return str(value)
    return f"{float(value):.4g}"


def _full(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, (bool, int, str)):
        return str(value)
    return f"{float(value):.12g}"


#: what a file holds, by its suffix: made of the canonical JSON of a result and of its table
WRITERS: Final[Mapping[str, Callable[[str, Table], str]]] = {
    ".json": lambda json, table: json,
    ".csv": lambda json, table: table.csv(),
}
