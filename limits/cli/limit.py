"""``na64-limits limit``: the CLs upper limit of any pyhf workspace."""

from __future__ import annotations

import math
from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, jobs_option, json_option, output_option
from na64.limits.cli.settings import SettingsCommand


@click.command("limit", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@click.option("--measurement", metavar="NAME", help="Measurement.  [default: the first]")
@cl_option()
@jobs_option
@json_option
@output_option()
def command(
    file: str,
    measurement: str | None,
    confidence_level: float,
    jobs: int,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    **settings: Any,
) -> int:
    """Upper limit on the signal strength of a pyhf workspace, observed and expected."""
    from na64.limits.cli.output import check_outputs, emit
    from na64.limits.results.tables import Table

    check_outputs(outputs, force)

    from na64.limits.calculators import upper_limits
    from na64.limits.calculators.registry import described
    from na64.limits.calculators.status import BAND_ORDER, Status
    from na64.limits.cli.inputs import make_calculator, read_workspace
    from na64.workspaces.io.jsonio import digest
    from na64.workspaces.pyhf.write import parse_measurement

    calculator = make_calculator(settings)
    with the_console().progress("limit"):
        document, compiled = read_workspace(file, measurement)
        table = upper_limits(
            compiled.batch(), calculator=calculator, confidence_level=confidence_level, jobs=jobs
        )

    def number(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    observed = number(table.observed[0])
    expected = [number(value) for value in table.expected[:, 0]]
    status = table.status[0]
    result: dict[str, Any] = {
        "schema": "na64-limits/limit/1",
        "measurement": compiled.model.measurement,
        "parameter": compiled.poi,
        "confidence_level": confidence_level,
        **described(calculator),
        "observed": observed,
        "lower": number(table.lower[0]),
        "band_order": list(BAND_ORDER),
        "expected": expected,
        "observed_events": number(table.observed_events[0]),
        "expected_events": [number(value) for value in table.expected_events[:, 0]],
        "status": status.value,
        "message": table.messages[0],
    }
    names = ("observed", *(f"expected {order:+d} sigma" for order in BAND_ORDER))
    values = (observed, *expected)
    events = (result["observed_events"], *result["expected_events"])
    columns = ["limit", compiled.poi, "signal events"]
    rows = [list(row) for row in zip(names, values, events, strict=True)]
    point = parse_measurement(compiled.model.measurement)
    if point is not None and point.power is not None:
        couplings = [None if value is None else point.coupling_at(value) for value in values]
        result["coupling"] = {
            "name": point.parameter,
            "mass_gev": point.mass_gev,
            "observed": couplings[0],
            "expected": couplings[1:],
        }
        columns.append(point.parameter)
        for row, value in zip(rows, couplings, strict=True):
            row.append(value)
    emit(
        result,
        Table(tuple(columns), rows),
        as_json=as_json,
        outputs=outputs,
        force=force,
        facts={"workspace_digest": digest(document)},
    )
    if status in (Status.FAILED, Status.NOT_BRACKETED):
        the_console().warning(f"no limit: {status.value}, {table.messages[0]}")
        return 1
    if status is not Status.OK:
        the_console().note(f"no limit: {table.messages[0]}")
    return 0
