"""Options and files of the commands that extrapolate a sideband."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from na64.limits.design.optimise import Sideband

__all__ = ["COLUMNS", "SidebandFile", "read_sideband", "shape_option"]

#: columns of a spectrum: edges of a bin in GeV and its events; further columns are not read
COLUMNS = ("low_gev", "high_gev", "events")
DEFAULT_SHAPE = "exponential"


def shape_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--shape``: the form of the spectrum."""
    return click.option(
        "--shape",
        metavar="NAME",
        help="Form of the spectrum: exponential or exponential-quadratic.  [default: the file's, "
        f"or {DEFAULT_SHAPE}]",
    )(function)


@dataclass(frozen=True, slots=True)
class SidebandFile:
    """What a sideband file says.

    Attributes
    ----------
    edges_gev, events
        Edges of the bins, shape (n + 1,), and events, shape (n,).
    source
        Where the numbers come from; empty if the file does not say.
    box_gev
        Signal box; None if the file does not say.
    shape
        Form of the spectrum; None if the file does not say.
    """

    edges_gev: tuple[float, ...]
    events: tuple[float, ...]
    source: str
    box_gev: tuple[float, float] | None = None
    shape: str | None = None

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit."""
        if self.box_gev is not None and len(self.box_gev) != 2:
            yield "box_gev", "must be two energies, the lower and the upper edge"

    def spectrum(self, shape: str | None = None) -> Sideband:
        """Return the spectrum with the form that is asked for, the file's, or the default."""
        import numpy as np

        from na64.limits.design.optimise import Sideband

        chosen = shape or self.shape or DEFAULT_SHAPE
        return Sideband(np.array(self.edges_gev), np.array(self.events), chosen)


def read_sideband(name: str) -> SidebandFile:
    """Read a binned spectrum from a CSV or TOML file, or either from ``-``.

    A text with a table ``[sideband]`` is TOML.

    Raises
    ------
    InputError
        For a file without the columns or keys, a cell that is no number, bins that do not follow
        each other.
    """
    from na64.limits.cli.inputs import read_stdin
    from na64.workspaces.io.reading import read_text

    where = "stdin" if name == "-" else name
    text = read_stdin() if name == "-" else read_text(name)
    if name.endswith(".toml") or "[sideband]" in text:
        return _from_toml(text, where)
    return _from_csv(text, where)


def _from_toml(text: str, where: str) -> SidebandFile:
    from na64.workspaces.io.tables import TableReader
    from na64.workspaces.io.toml import parse_toml

    top = TableReader(parse_toml(text, f"sideband {where}"), "", [])
    table = top.table("sideband")
    top.finish()
    found = None if table is None else table.record(SidebandFile)
    return top.result(found, "sideband", where)


def _cell(text: object, where: str) -> float:
    """Return the number in a cell, or say that there is none."""
    from na64.models.declaration import checked_number
    from na64.models.errors import InputError

    try:
        number = float(str(text))
    except ValueError:
        raise InputError(f"{where} has a cell that is no number") from None
    return checked_number(number, where)


def _from_csv(text: str, where: str) -> SidebandFile:
    from na64.models.errors import InputError

    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(io.StringIO("\n".join(lines)))
    try:
        names, found = reader.fieldnames or [], list(reader)
    except csv.Error as error:
        raise InputError(
            f"{where}: row {max(reader.line_num, 1)}: {error}; a cell has at most "
            f"{csv.field_size_limit()} characters"
        ) from error
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise InputError(f"{where}: no column {', '.join(missing)}; needed: {', '.join(COLUMNS)}")
    rows: list[tuple[float, float, float]] = []
    for number, row in enumerate(found, start=1):
        low, high, events = (_cell(row[name], f"{where}: row {number}") for name in COLUMNS)
        if rows and abs(low - rows[-1][1]) > 1e-8 + 1e-5 * abs(low):
            raise InputError(
                f"{where}: row {number} begins at {low:g} GeV, row {number - 1} ends at "
                f"{rows[-1][1]:g} GeV"
            )
        rows.append((low, high, events))
    if not rows:
        raise InputError(f"{where}: no bins")
    edges = (*(row[0] for row in rows), rows[-1][1])
    return SidebandFile(edges, tuple(row[2] for row in rows), source="")
