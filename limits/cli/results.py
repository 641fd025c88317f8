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

    The exit code is 0 when every mass has its answer, 3 when some failed, 1 when all did.
    """
    from na64.limits.calculators.status import Status

    words = () if limit.plane.is_coupling else (limit.y.definition, limit.plane.assumptions)
    above = "; ".join(text for text in words if text)
    failed = [
        f"{mass:.4g} GeV ({status.value})"
        for mass, status in zip(limit.masses_gev, limit.status, strict=True)
        if status in (Status.FAILED, Status.NOT_BRACKETED)
    ]
    warnings = list(limit.warnings)
    if failed:
        warnings.append(f"no limit at {len(failed)} masses: {', '.join(failed[:5])}")
    return Report(
        content=lambda name: limit.to_text(Path(name).suffix),
        people="\n".join([*([] if limit.plane.is_coupling else [above]), _table(limit).text()]),
        files=files or {},
        warnings=warnings,
        code=0 if not failed else 1 if len(failed) == len(limit.status) else 3,
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
            limit.status[row].value,
        )
        for row, mass in enumerate(limit.masses_gev)
    ]
    return Table(columns, rows)
