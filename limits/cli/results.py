"""What commands do with a limit: files, table for people, exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.output import write_outputs
from na64.limits.results.tables import Table

if TYPE_CHECKING:
    from na64.limits.results.limit import Limit

__all__ = ["emit_limit", "exit_code", "limit_table"]


def emit_limit(
    limit: Limit,
    *,
    as_json: bool,
    outputs: Sequence[str],
    force: bool,
    others: Mapping[str, str | bytes] | None = None,
) -> None:
    """Write a limit to its files, as JSON to stdout, or as a table for people; tell its warnings.

    Parameters
    ----------
    limit
        The result.
    as_json, outputs, force
        The options of the command.
    others
        Contents of further output files; all files are written or none.
    """
    files = {name: limit.to_text(Path(name).suffix) for name in outputs}
    write_outputs({**(others or {}), **files}, force)
    for warning in limit.warnings:
        the_console().warning(warning)
    if as_json:
        click.echo(limit.to_json(), nl=False)
    elif not outputs:
        if not limit.plane.is_coupling:
            words = (limit.y.definition, limit.plane.assumptions)
            click.echo("; ".join(text for text in words if text))
        click.echo(limit_table(limit).text())


def limit_table(limit: Limit) -> Table:
    """Return a limit as a table for people."""
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


def exit_code(limit: Limit) -> int:
    """Return 0 when every mass has its answer, 3 when some failed, 1 when all did."""
    from na64.limits.calculators.status import Status

    failed = [
        f"{mass:.4g} GeV ({status.value})"
        for mass, status in zip(limit.masses_gev, limit.status, strict=True)
        if status in (Status.FAILED, Status.NOT_BRACKETED)
    ]
    if not failed:
        return 0
    the_console().warning(f"no limit at {len(failed)} masses: {', '.join(failed[:5])}")
    return 1 if len(failed) == len(limit.status) else 3
