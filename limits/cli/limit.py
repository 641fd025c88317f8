"""``na64-limits limit``: the CLs upper limit of any pyhf workspace."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, jobs_option, measurement_option
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.settings import SettingsCommand


@click.command("limit", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@measurement_option
@cl_option
@jobs_option
@reporting()
def command(
    file: str, measurement: str | None, confidence_level: float, jobs: int, **settings: Any
) -> Report:
    """Upper limit on the signal strength of a pyhf workspace, observed and expected."""
    from na64.limits.calculators.limits import upper_limits
    from na64.limits.calculators.status import BAND_ORDER, Status
    from na64.limits.cli.inputs import read_question
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table
    from na64.workspaces.pyhf.write import parse_measurement

    with the_console().progress("limit"):
        asked = read_question(file, measurement, settings)
        table = upper_limits(
            asked.compiled.batch(),
            calculator=asked.calculator,
            confidence_level=confidence_level,
            jobs=jobs,
        )
    values = [nulls(table.observed)[0], *nulls(table.expected[:, 0])]
    events = [nulls(table.observed_events)[0], *nulls(table.expected_events[:, 0])]
    status, message = table.status[0], table.messages[0]
    why = [note for note in table.notes if note]
    result: dict[str, Any] = {
        **asked.head("limit", table.used),
        "confidence_level": confidence_level,
        "observed": values[0],
        "lower": nulls(table.lower)[0],
        "band_order": list(BAND_ORDER),
        "expected": values[1:],
        "observed_events": events[0],
        "expected_events": events[1:],
        "status": status.value,
        "message": message or "; ".join(why),
    }
    columns: dict[str, list[Any]] = {
        "limit": ["observed", *(f"expected {order:+d} sigma" for order in BAND_ORDER)],
        asked.compiled.poi: values,
        "signal events": events,
    }
    point = parse_measurement(asked.compiled.model.measurement)
    if point is not None and point.power is not None:
        couplings = [None if value is None else point.coupling_at(value) for value in values]
        result["coupling"] = {
            "name": point.parameter,
            "mass_gev": point.mass_gev,
            "observed": couplings[0],
            "expected": couplings[1:],
        }
        columns[point.parameter] = couplings
    failed = status in (Status.FAILED, Status.NOT_BRACKETED)
    return tabled(
        result,
        Table(tuple(columns), list(zip(*columns.values(), strict=True))),
        facts=asked.facts,
        warnings=[f"no limit: {status.value}, {message}"] if failed else [],
        notes=[*why, *([] if failed or status is Status.OK else [f"no limit: {message}"])],
        code=1 if failed else 0,
    )
