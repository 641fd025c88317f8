"""``na64-limits significance``: how unlikely the data of a workspace are without a signal."""

from __future__ import annotations

import math
from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import json_option, output_option
from na64.limits.cli.settings import SettingsCommand


@click.command("significance", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@click.option("--measurement", metavar="NAME", help="Measurement.  [default: the first]")
@click.option("--expected", is_flag=True, help="Also the median for a signal of mu = 1.")
@json_option
@output_option()
def command(
    file: str,
    measurement: str | None,
    expected: bool,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    **settings: Any,
) -> int:
    """Discovery significance of a pyhf workspace: p-value, Z, best signal strength."""
    from na64.limits.cli.output import check_outputs, emit
    from na64.limits.results.tables import Table

    check_outputs(outputs, force)

    from na64.limits.calculators.discovery import discovery
    from na64.limits.calculators.registry import described
    from na64.limits.cli.inputs import make_calculator, read_workspace
    from na64.workspaces.io.jsonio import digest

    calculator = make_calculator(settings)
    with the_console().progress("significance"):
        document, compiled = read_workspace(file, measurement)
        table = discovery(compiled.batch(), expected=expected, calculator=calculator)

    def number(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    result = {
        "schema": "na64-limits/significance/1",
        "measurement": compiled.model.measurement,
        "parameter": compiled.poi,
        **described(calculator),
        "p_value": number(table.p_values[0]),
        "significance": number(table.significance[0]),
        "best_fit": number(table.best_fit[0]),
        "expected": None if table.expected is None else number(table.expected[0]),
        "message": table.messages[0],
    }
    columns = ("p-value", "Z", f"best {compiled.poi}", "expected Z")
    row = (result["p_value"], result["significance"], result["best_fit"], result["expected"])
    emit(
        result,
        Table(columns, [row]),
        as_json=as_json,
        outputs=outputs,
        force=force,
        facts={"workspace_digest": digest(document)},
    )
    if result["p_value"] is None:
        the_console().warning(f"no p-value: {table.messages[0]}")
        return 1
    if table.messages[0]:
        the_console().note(table.messages[0])
    return 0
