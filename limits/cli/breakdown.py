"""``na64-limits breakdown``: the limit of a workspace without each systematic uncertainty."""

from __future__ import annotations

import math
from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, jobs_option, json_option, output_option
from na64.limits.cli.settings import SettingsCommand


@click.command("breakdown", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@click.option("--measurement", metavar="NAME", help="Measurement.  [default: the first]")
@click.option(
    "--group",
    "groups",
    metavar="NAME=MODIFIER,..",
    multiple=True,
    help="Leave these out together; repeatable.  [default: every modifier by itself]",
)
@cl_option()
@jobs_option
@json_option
@output_option()
def command(
    file: str,
    measurement: str | None,
    groups: tuple[str, ...],
    confidence_level: float,
    jobs: int,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    **settings: Any,
) -> int:
    """Upper limit of a pyhf workspace without each group of nuisance parameters."""
    from na64.limits.cli.output import check_outputs, emit
    from na64.limits.results.tables import Table

    check_outputs(outputs, force)

    from na64.limits.calculators.breakdown import break_down
    from na64.limits.calculators.registry import described
    from na64.limits.calculators.status import BAND_ORDER, Status
    from na64.limits.cli.inputs import make_calculator, read_workspace
    from na64.workspaces.io.jsonio import digest

    chosen = _groups(groups)
    calculator = make_calculator(settings)
    with the_console().progress("breakdown"):
        document, compiled = read_workspace(file, measurement)
        found = break_down(
            compiled.batch(),
            chosen,
            calculator=calculator,
            confidence_level=confidence_level,
            jobs=jobs,
        )

    def number(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    tables = {
        "all uncertainties": found.full,
        **{f"without {name}": table for name, table in found.without.items()},
        "no uncertainties": found.statistical,
    }
    median = BAND_ORDER.index(0)
    full = float(found.full.observed[0])
    rows = [
        (
            name,
            number(table.observed[0]),
            number(table.expected[median, 0]),
            number(table.observed[0] / full - 1.0),
        )
        for name, table in tables.items()
    ]
    result = {
        "schema": "na64-limits/breakdown/1",
        "measurement": compiled.model.measurement,
        "parameter": compiled.poi,
        "confidence_level": confidence_level,
        **described(calculator),
        "status": found.full.status[0].value,
        "limits": [
            {"uncertainties": name, "observed": observed, "expected": expected, "change": change}
            for name, observed, expected, change in rows
        ],
    }
    columns = ("uncertainties", f"{compiled.poi} observed", "expected median", "change")
    emit(
        result,
        Table(columns, rows),
        as_json=as_json,
        outputs=outputs,
        force=force,
        facts={"workspace_digest": digest(document)},
    )
    failed = [
        f"{name}: {table.messages[0]}"
        for name, table in tables.items()
        if table.status[0] in (Status.FAILED, Status.NOT_BRACKETED)
    ]
    if failed:
        the_console().warning(f"no limit with {'; '.join(failed)}")
        return 1 if len(failed) == len(tables) else 3
    if found.full.status[0] is not Status.OK:
        the_console().note(f"no limit: {found.full.messages[0]}")
    return 0


def _groups(texts: tuple[str, ...]) -> dict[str, tuple[str, ...]] | None:
    from na64.models.errors import InputError

    if not texts:
        return None
    groups: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, members = text.partition("=")
        parts = tuple(part.strip() for part in members.split(",") if part.strip())
        if not equals or not name.strip() or not parts:
            raise InputError(f"--group {text}: must have the form name=modifier,modifier")
        if name.strip() in groups:
            raise InputError(f"--group {text}: the name is given twice")
        groups[name.strip()] = parts
    return groups
