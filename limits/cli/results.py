"""What commands say of a limit: files, table for people, exit code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from na64.limits.cli.report import Report
from na64.limits.results.tables import Table

if TYPE_CHECKING:
    from na64.limits.results.limit import Limit

__all__ = ["limit_report"]


def limit_report(limit: Limit, files: Mapping[str, str | bytes] | None = None) -> Report:
    """Return the report of a limit, with its warnings and further files.

    The exit code is 0 when every limit was found or does not exist, 3 when some failed, be it one
    band of one mass, and 1 when those of all masses did.
    """
    words = () if limit.plane.is_coupling else (limit.y.definition, limit.plane.assumptions)
    above = "; ".join(text for text in words if text)
    from na64.limits.calculators.status import UNANSWERED

    failed = []
    for row, (mass, status) in enumerate(zip(limit.masses_gev, limit.status, strict=True)):
        if status in UNANSWERED:
            failed.append(f"{mass:.4g} GeV ({status.value}{_because(limit.messages[row])})")
        elif lost_bands := limit.unanswered(row):
            failed.append(f"{mass:.4g} GeV ({', '.join(lost_bands)})")
    lost = [status in UNANSWERED for status in limit.status]
    warnings = list(limit.warnings)
    if failed:
        some = "; ".join(failed[:5])
        what = "limit" if any(lost) else "limit of some bands"
        warnings.append(f"no {what} at {len(failed)} masses: {some}")
    return Report(
        content=lambda name: limit.to_text(Path(name).suffix),
        people="\n".join([*([] if limit.plane.is_coupling else [above]), _table(limit).text()]),
        files=files or {},
        warnings=warnings,
        code=0 if not failed else 1 if all(lost) else 3,
    )


def _table(limit: Limit) -> Table:
    coupling = limit.plane.is_coupling
    expected, observed = limit.expected, limit.observed
    columns = (
        f"{limit.x.name} [{limit.x.unit}]",
        f"{limit.y.name} observed",
        "expected -2",
        "-1",
        "median",
        "+1",
        "+2",
        *(("events",) if coupling else ()),
        "status",
    )
    rows = [
        (
            float(mass),
            float(observed[row]),
            *expected[:, row].tolist(),
            *((float(limit.events_limit[row]),) if coupling else ()),
            _words(limit, row),
        )
        for row, mass in enumerate(limit.masses_gev)
    ]
    return Table(columns, rows)


def _words(limit: Limit, row: int) -> str:
    """Say how a mass fared, and which of its bands did otherwise."""
    state, bands = limit.status[row].value, limit.band_words(row)
    return state if bands in ("", state) else f"{state}; {bands}"


def _because(message: str) -> str:
    return f", {message}" if message else ""
