"""``na64-limits breakdown``: the limit of a workspace without each systematic uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, jobs_option, measurement_option
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.settings import SettingsCommand

if TYPE_CHECKING:
    from na64.limits.calculators.table import LimitTable


@click.command("breakdown", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@measurement_option
@click.option(
    "--group",
    "groups",
    metavar="NAME=MODIFIER,..",
    multiple=True,
    help="Leave these out together; repeatable.  [default: every modifier by itself]",
)
@cl_option
@jobs_option
@reporting()
def command(
    file: str,
    measurement: str | None,
    groups: tuple[str, ...],
    confidence_level: float,
    jobs: int,
    **settings: Any,
) -> Report:
    """Upper limit of a pyhf workspace without each group of nuisance parameters."""
    from na64.limits.calculators.breakdown import break_down
    from na64.limits.calculators.large_counts import few_events
    from na64.limits.calculators.status import BAND_ORDER, UNANSWERED, Status
    from na64.limits.cli.inputs import read_question
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table

    chosen = _groups(groups)
    with the_console().progress("breakdown"):
        asked = read_question(file, measurement, settings)
        observed, batch = not asked.projection, asked.compiled.batch()
        found = break_down(
            batch,
            chosen,
            observed=observed,
            calculator=asked.calculator,
            confidence_level=confidence_level,
            jobs=jobs,
        )
        warnings = few_events(asked.calculator, batch, observed=observed)
    tables = {
        "all uncertainties": found.full,
        **{f"without {name}": table for name, table in found.without.items()},
        "no uncertainties": found.statistical,
    }
    median = BAND_ORDER.index(0)

    def shown(table: LimitTable) -> float:
        """The limit that stands for the whole."""
        return float(table.observed[0] if observed else table.expected[median, 0])

    full = shown(found.full)
    keys = ("uncertainties", "observed", "expected", "change")
    rows = [
        (
            name,
            nulls(table.observed[0]),
            nulls(table.expected[median, 0]),
            nulls(shown(table) / full - 1.0),
        )
        for name, table in tables.items()
    ]
    failed = [
        f"{name}: {table.messages[0]}"
        for name, table in tables.items()
        if table.status[0] in UNANSWERED
    ]
    status = found.full.status[0]
    return tabled(
        {
            **asked.head("breakdown", [name for table in tables.values() for name in table.used]),
            "confidence_level": confidence_level,
            "status": status.value,
            "limits": [dict(zip(keys, row, strict=True)) for row in rows],
        },
        Table(
            ("uncertainties", f"{asked.compiled.poi} observed", "expected median", "change"), rows
        ),
        facts=asked.facts,
        warnings=[*([f"no limit with {'; '.join(failed)}"] if failed else []), *warnings],
        notes=[
            *asked.projection_notes,
            *(note for note in found.full.notes if note),
            *([] if failed or status is Status.OK else [f"no limit: {found.full.messages[0]}"]),
        ],
        code=0 if not failed else 1 if len(failed) == len(tables) else 3,
    )


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
