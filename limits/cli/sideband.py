"""Options and files of the commands that extrapolate a sideband."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["COLUMNS", "read_spectrum", "shape_option"]

#: columns of a spectrum: edges of a bin in GeV and its events; further columns are not read
COLUMNS = ("low_gev", "high_gev", "events")


def shape_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--shape``: the form of the spectrum."""
    return click.option(
        "--shape",
        metavar="NAME",
        default="exponential",
        show_default=True,
        help="Form of the spectrum: exponential or exponential-quadratic.",
    )(function)


def read_spectrum(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read a binned spectrum from a CSV file or ``-``.

    Returns
    -------
    tuple
        Edges of the bins in GeV, shape (n + 1,), and events, shape (n,).

    Raises
    ------
    InputError
        For a file without the columns, a cell that is no number, bins that do not follow each
        other.
    """
    import numpy as np

    from na64.limits.cli.inputs import read_stdin
    from na64.models.errors import InputError
    from na64.workspaces.jsonio import read_text

    where = "stdin" if name == "-" else name
    text = read_stdin() if name == "-" else read_text(name)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(io.StringIO("\n".join(lines)))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
    if missing:
        raise InputError(f"{where}: no column {', '.join(missing)}; needed: {', '.join(COLUMNS)}")
    rows = []
    for number, row in enumerate(reader, start=1):
        try:
            rows.append([float(row[column]) for column in COLUMNS])
        except (TypeError, ValueError):
            raise InputError(f"{where}: row {number} has a cell that is no number") from None
    if not rows:
        raise InputError(f"{where}: no bins")
    table = np.array(rows)
    gaps = np.flatnonzero(~np.isclose(table[1:, 0], table[:-1, 1]))
    if gaps.size:
        at = int(gaps[0])
        raise InputError(
            f"{where}: row {at + 2} begins at {table[at + 1, 0]:g} GeV, row {at + 1} ends at "
            f"{table[at, 1]:g} GeV"
        )
    return np.append(table[:, 0], table[-1, 1]), table[:, 2]
