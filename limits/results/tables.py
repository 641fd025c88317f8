"""Tables, and the files that results are written to: one writer per suffix."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["WRITERS", "Table", "cell_text"]

#: what a formula of a spreadsheet begins with
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
#: what begins so and is none: a number, states of limits by their order
_NO_FORMULA: Final = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?|[+-]\d [a-z-]+(; [+-]\d [a-z-]+)*")


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
        for note in self.notes:  # a note of several lines would be rows
            stream.write(f"# {' '.join(note.splitlines())}\n")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(cell_text(name) for name in self.columns)
        for row in self.rows:
            writer.writerow(_full(value) for value in row)
        return stream.getvalue()


def cell_text(text: str) -> str:
    """Return a text as a cell of CSV that no spreadsheet takes for a formula.

    Names in cards, workspaces and patchsets are anybody's, and ``=cmd|...`` in a cell is run by
    spreadsheets. A text that begins as a formula gets an apostrophe, which they take for "this is
    text"; numbers, and states of expected limits such as ``-2 failed; +1 ok``, stay as they are.

    Examples
    --------
    >>> cell_text("=1+1"), cell_text("-2 failed"), cell_text("-1e-3"), cell_text("a = b")
    ("'=1+1", '-2 failed', '-1e-3', 'a = b')
    """
    if text.startswith(_FORMULA) and not _NO_FORMULA.fullmatch(text):
        return f"'{text}"
    return text


def _short(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, (bool, int, str)):
        return str(value)
    return f"{float(value):.4g}"


def _full(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, str):
        return cell_text(value)
    if isinstance(value, (bool, int)):
        return str(value)
    return f"{float(value):.12g}"


#: what a file holds, by its suffix: made of the canonical JSON of a result and of its table
WRITERS: Final[Mapping[str, Callable[[str, Table], str]]] = {
    ".json": lambda json, table: json,
    ".csv": lambda json, table: table.csv(),
}
