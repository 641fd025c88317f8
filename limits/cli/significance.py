"""``na64-limits significance``: how unlikely the data of a workspace are without a signal."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import measurement_option
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.settings import SettingsCommand


@click.command("significance", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@measurement_option
@click.option("--expected", is_flag=True, help="Also the median for a signal of mu = 1.")
@reporting()
def command(file: str, measurement: str | None, expected: bool, **settings: Any) -> Report:
    """Discovery significance of a pyhf workspace: p-value, Z, best signal strength."""
    from na64.limits.calculators.discovery import discovery
    from na64.limits.calculators.large_counts import few_events
    from na64.limits.cli.inputs import read_question
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table

    with the_console().progress("significance"):
        asked = read_question(file, measurement, settings)
        observed, batch = not asked.projection, asked.compiled.batch()
        table = discovery(
            batch,
            observed=observed,
            expected=expected or not observed,
            calculator=asked.calculator,
        )
        warnings = few_events(asked.calculator, batch, observed=observed)
    numbers = {
        "p_value": nulls(table.p_values)[0],
        "significance": nulls(table.significance)[0],
        "best_fit": nulls(table.best_fit)[0],
        "expected": None if table.expected is None else nulls(table.expected)[0],
    }
    message = table.messages[0]
    lost = [
        words
        for words, key, wanted in (
            ("p-value", "p_value", observed),
            ("expected significance", "expected", table.expected is not None),
        )
        if wanted and numbers[key] is None
    ]
    said = [message] if message else []
    return tabled(
        {**asked.head("significance", table.used), **numbers, "message": message},
        Table(
            ("p-value", "Z", f"best {asked.compiled.poi}", "expected Z"), [tuple(numbers.values())]
        ),
        facts=asked.facts,
        warnings=[*([f"no {' and no '.join(lost)}: {message}"] if lost else []), *warnings],
        notes=asked.projection_notes + ([] if lost else said),
        code=0 if not lost else 1 if not observed or numbers["p_value"] is None else 3,
    )
