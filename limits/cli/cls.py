"""``na64-limits cls``: CLs of any pyhf workspace at given signal strengths."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import measurement_option
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.settings import SettingsCommand


@click.command("cls", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@click.option(
    "--mu",
    metavar="MU,..",
    default="1",
    show_default=True,
    help="Signal strengths: a comma list or LO:HI:N.",
)
@measurement_option
@reporting()
def command(file: str, mu: str, measurement: str | None, **settings: Any) -> Report:
    """CLs of a pyhf workspace, observed and expected; below 1 - CL a strength is excluded."""
    import numpy as np

    from na64.limits.calculators.limits import cls_values
    from na64.limits.calculators.status import BAND_ORDER
    from na64.limits.cli.inputs import read_question
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table
    from na64.limits.scanning.grids import parse_grid

    strengths = parse_grid(mu, "signal strengths", "units of mu")
    with the_console().progress("CLs"):
        asked = read_question(file, measurement, settings)
        table = cls_values(
            asked.compiled.batch(), strengths[:, None], expected=True, calculator=asked.calculator
        )
        observed, expected = table.observed[:, 0], np.asarray(table.expected)[:, :, 0]
    known = nulls(observed)  # null is a value that could not be computed
    failed = [f"{mu:g}" for mu, value in zip(strengths, known, strict=True) if value is None]
    return tabled(
        {
            **asked.head("cls", table.used),
            "mu": strengths,
            "observed": known,
            "band_order": list(BAND_ORDER),
            "expected": nulls(expected),
        },
        Table(
            (
                asked.compiled.poi,
                "CLs observed",
                *(f"expected {order:+d} sigma" for order in BAND_ORDER),
            ),
            np.column_stack([strengths, observed, expected.T]).tolist(),
        ),
        facts=asked.facts,
        warnings=[f"no CLs at mu = {', '.join(failed)}: a fit did not converge"] if failed else [],
        notes=[note for note in table.notes if note],
        code=0 if not failed else 1 if len(failed) == len(known) else 3,
    )
