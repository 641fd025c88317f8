"""``na64-limits limit``: the CLs upper limit of any pyhf workspace."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, jobs_option, measurement_option
from na64.limits.cli.patched import PatchRequest, limits_of_patches, patch_options, refuse_figure
from na64.limits.cli.report import Report, reporting_with_figure, tabled
from na64.limits.cli.settings import SettingsCommand


@click.command("limit", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@measurement_option
@cl_option
@jobs_option
@reporting_with_figure()
@patch_options
def command(
    file: str,
    measurement: str | None,
    request: PatchRequest | None,
    confidence_level: float,
    jobs: int,
    **settings: Any,
) -> Report:
    """Upper limit on the signal strength of a pyhf workspace, observed and expected.

    With --patchset that of each signal of a published likelihood, and a figure of their grid.
    """
    if request is not None:
        return limits_of_patches(request, settings, confidence_level, jobs)
    refuse_figure()
    from na64.limits.calculators.large_counts import few_events
    from na64.limits.calculators.limits import upper_limits
    from na64.limits.calculators.status import BAND_ORDER, UNANSWERED, unanswered
    from na64.limits.cli.inputs import read_question
    from na64.limits.cli.output import coupling_limits, nulls
    from na64.limits.results.tables import Table
    from na64.limits.scanning.progress import counted

    with the_console().progress("limit") as progress:
        asked = read_question(file, measurement, settings)
        observed, batch = not asked.projection, asked.compiled.batch()
        with counted(progress, observed + len(BAND_ORDER)):
            table = upper_limits(
                batch,
                calculator=asked.calculator,
                confidence_level=confidence_level,
                observed=observed,
                jobs=jobs,
            )
        warnings = few_events(asked.calculator, batch, observed=observed)
    values = [nulls(table.observed)[0], *nulls(table.expected[:, 0])]
    events = [nulls(table.observed_events)[0], *nulls(table.expected_events[:, 0])]
    errors = None
    if table.observed_error is not None and table.expected_error is not None:
        errors = [nulls(table.observed_error)[0], *nulls(table.expected_error[:, 0])]
    status, message = table.status[0], table.messages[0]
    bands = [band[0] for band in table.expected_status]
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
        "expected_status": [one.value for one in bands],
        "message": message or "; ".join(why),
    }
    if errors is not None:
        result |= {"observed_error": errors[0], "expected_error": errors[1:]}
    columns: dict[str, list[Any]] = {
        "limit": ["observed", *(f"expected {order:+d} sigma" for order in BAND_ORDER)],
        asked.compiled.poi: values,
        **({} if errors is None else {f"error of {asked.compiled.poi}": errors}),
        "signal events": events,
    }
    result.update(coupling_limits(asked.compiled.model.measurement, values))
    if coupling := result.get("coupling"):
        columns[coupling["name"]] = [coupling["observed"], *coupling["expected"]]
    columns["status"] = [status.value if observed else "projection", *bands]
    lost = unanswered(status if observed else None, bands)
    if lost:
        warnings = [f"no limit: {', '.join(lost)}; {message}", *warnings]
    notes = asked.projection_notes
    if message and not lost:
        notes.append(f"no limit: {message}")
    return tabled(
        result,
        Table(tuple(columns), list(zip(*columns.values(), strict=True))),
        facts=asked.facts,
        warnings=warnings,
        notes=[*why, *notes],
        code=0 if not lost else 1 if status in UNANSWERED else 3,
    )
