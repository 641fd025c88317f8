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

    from na64.limits.calculators.large_counts import few_events
    from na64.limits.calculators.limits import cls_values
    from na64.limits.calculators.status import BAND_ORDER
    from na64.limits.cli.inputs import read_question
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table
    from na64.limits.scanning.grids import parse_grid

    strengths = parse_grid(mu, "signal strengths", "units of mu")
    with the_console().progress("CLs"):
        asked = read_question(file, measurement, settings)
        batch = asked.compiled.batch()
        table = cls_values(batch, strengths[:, None], expected=True, calculator=asked.calculator)
        observed, expected = table.observed[:, 0], np.asarray(table.expected)[:, :, 0]
        warnings = few_events(asked.calculator, batch)
    if asked.projection:
        observed = np.full_like(observed, np.nan)
    known = nulls(observed)  # null is a value that does not exist
    # each strength and band speaks for itself; a projection has no observed value to fail
    rows = {} if asked.projection else {"observed": observed}
    rows |= {f"expected {k:+d} sigma": band for k, band in zip(BAND_ORDER, expected, strict=True)}
    lost = {
        name: ", ".join(f"{mu:g}" for mu in strengths[np.isnan(row)])
        for name, row in rows.items()
        if np.isnan(row).any()
    }
    main = expected[BAND_ORDER.index(0)] if asked.projection else observed
    if lost:
        where = "; ".join(f"{name} at mu = {at}" for name, at in lost.items())
        warnings = [f"no CLs {where}: a fit did not converge, or no toy is as extreme", *warnings]
    return tabled(
        {
            **asked.head("cls"),
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
        warnings=warnings,
        notes=asked.projection_notes,
        code=0 if not lost else 1 if np.isnan(main).all() else 3,
    )
