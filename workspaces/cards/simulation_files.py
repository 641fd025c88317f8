"""Files of simulations that a card names: their keys, and the numbers that take their place.

A card may name a file beside itself; the resolved card has its numbers, those of
`na64.workspaces.io.simulation`, and its sha256.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from na64.models.declaration import declare
from na64.models.errors import InputError
from na64.workspaces.cards.quantity import source
from na64.workspaces.cards.simulated import (
    Simulated,
    SimulatedEfficiency,
    SimulatedYield,
    correlation_key,
    relative_key,
    statistics_key,
)
from na64.workspaces.io.simulation.description import SimulationFile, text_of
from na64.workspaces.io.simulation.reading import read_rows
from na64.workspaces.io.simulation.rows import Row

__all__ = [
    "READER",
    "EfficiencyFile",
    "Reader",
    "YieldFile",
    "beside",
    "file_reader",
    "read_efficiency",
    "read_yield",
]

#: name under which a reader of cards is given what reads files
READER: Final = "simulation"
#: digits of a file's numbers in a card
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyFile(SimulationFile):
    """An efficiency in a file: what passed out of the signal events that were generated."""

    statistics: str = statistics_key()
    relative_uncertainty: float = relative_key()
    source: str = source()
    correlation: str | None = correlation_key()


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldFile(SimulationFile):
    """A yield in a file: what passed for the particles on target that were generated."""

    model: str = declare(help="mediator that was simulated")
    at_coupling: float | None = declare(
        None, help="coupling that was simulated, where the file has no column of it", above=0.0
    )
    statistics: str = statistics_key()
    relative_uncertainty: float = relative_key()
    source: str = source()
    correlation: str | None = correlation_key()


#: reads the file that a card names
Reader = Callable[[EfficiencyFile | YieldFile], Simulated]


def beside(node: object, folder: Path) -> object:
    """Return the table of an efficiency or yield with its files beside the card that names them.

    Parameters
    ----------
    node
        Content of a card; what is no table with files comes back as it is.
    folder
        Folder of the card.
    """
    if not isinstance(node, dict):
        return node
    found = dict(node)
    if isinstance(node.get("file"), str) and node["file"].strip():
        found["file"] = str(folder / node["file"])
    if isinstance(node.get("files"), list):
        found["files"] = [beside(item, folder) for item in node["files"]]
    return found


def file_reader() -> Reader:
    """Return what reads files of simulations, each once."""
    known: dict[EfficiencyFile | YieldFile, Simulated] = {}

    def read(file: EfficiencyFile | YieldFile) -> Simulated:
        if file not in known:
            known[file] = _efficiency(file) if isinstance(file, EfficiencyFile) else _yield(file)
        return known[file]

    return read


def read_efficiency(found: Any, values: Any, names: Any) -> Any:
    """Return an efficiency as a bin has it: from a file, where a card names one."""
    return _resolved(found, names) if isinstance(found, EfficiencyFile) else found


def read_yield(found: Any, values: Any, names: Any) -> Any:
    """Return a yield as a bin has it: from a file, where a card names one."""
    return _resolved(found, names) if isinstance(found, YieldFile) else found


def _resolved(file: EfficiencyFile | YieldFile, names: Any) -> Simulated:
    read: Reader | None = names.get(READER)
    if read is None:
        raise InputError(
            f"names the file {text_of(file)}; a card inside a result has the numbers themselves"
        )
    return read(file)


def _read(file: EfficiencyFile | YieldFile, *, binomial: bool) -> tuple[tuple[Row, ...], str]:
    """Return the points of a file and its sha256; nothing that passes anywhere is a mistake."""
    rows, digest = read_rows(file, binomial=binomial)
    if not any(row.value > 0.0 for row in rows):
        raise InputError(f"{text_of(file)}: nothing passes at any mass; look at its `cuts`")
    return rows, digest


def _efficiency(file: EfficiencyFile) -> SimulatedEfficiency:
    rows, digest = _read(file, binomial=True)
    return SimulatedEfficiency(
        **_columns(rows),
        passed=tuple(_digits(row.passed) for row in rows),
        generated=tuple(_digits(row.generated) for row in rows),
        scale=file.scale,
        **_said(file, digest),
    )


def _yield(file: YieldFile) -> SimulatedYield:
    rows, digest = _read(file, binomial=False)
    couplings = sorted({row.coupling for row in rows if row.coupling is not None})
    columns, at = _columns(rows), file.at_coupling
    if len(couplings) == 1:  # a column that says the same in every row
        if at is not None:
            raise InputError(f"{text_of(file)} has couplings already: leave out `at_coupling`")
        columns["couplings"], at = (), couplings[0]
    return SimulatedYield(
        model=file.model,
        at_coupling=at,
        **columns,
        values=tuple(_digits(file.scale * row.value) for row in rows),
        passed=tuple(_digits(row.passed) for row in rows),
        **_said(file, digest),
    )


def _columns(rows: Sequence[Row]) -> dict[str, Any]:
    couplings = [row.coupling for row in rows if row.coupling is not None]
    return {
        "masses_gev": tuple(_digits(row.mass_gev) for row in rows),
        "couplings": tuple(_digits(value) for value in couplings),
    }


def _said(file: EfficiencyFile | YieldFile, digest: str) -> dict[str, Any]:
    return {
        "statistics": file.statistics,
        "relative_uncertainty": file.relative_uncertainty,
        "read_from": Path(text_of(file)).name,
        "sha256": digest,
        "source": file.source,
        "correlation": file.correlation,
    }


def _digits(number: float) -> float:
    """Return a number with the digits that files keep."""
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else number
