"""``na64-limits cls``: CLs of any pyhf workspace at given signal strengths."""

from __future__ import annotations

import math
from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import json_option, output_option
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
@click.option("--measurement", metavar="NAME", help="Measurement.  [default: the first]")
@json_option
@output_option()
def command(
    file: str,
    mu: str,
    measurement: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    **settings: Any,
) -> int:
    """CLs of a pyhf workspace, observed and expected; below 1 - CL a strength is excluded."""
    from na64.limits.cli.output import check_outputs, emit
    from na64.limits.results.tables import Table

    check_outputs(outputs, force)

    import numpy as np

    from na64.limits.calculators import cls_values
    from na64.limits.calculators.registry import described
    from na64.limits.calculators.status import BAND_ORDER
    from na64.limits.cli.inputs import make_calculator, read_workspace
    from na64.limits.scanning.grids import parse_grid
    from na64.workspaces.io.jsonio import digest

    strengths = parse_grid(mu, "signal strengths", "units of mu")
    calculator = make_calculator(settings)
    with the_console().progress("CLs"):
        document, compiled = read_workspace(file, measurement)
        table = cls_values(
            compiled.batch(), strengths[:, None], expected=True, calculator=calculator
        )
        observed, expected = table.observed[:, 0], np.asarray(table.expected)[:, :, 0]
    # null is a value that could not be computed
    known = [None if math.isnan(value) else value for value in observed.tolist()]
    bands = [[None if math.isnan(value) else value for value in row] for row in expected.tolist()]
    result = {
        "schema": "na64-limits/cls/1",
        "measurement": compiled.model.measurement,
        "parameter": compiled.poi,
        **described(calculator),
        "mu": strengths,
        "observed": known,
        "band_order": list(BAND_ORDER),
        "expected": bands,
    }
    columns = (
        compiled.poi,
        "CLs observed",
        *(f"expected {order:+d} sigma" for order in BAND_ORDER),
    )
    rows = np.column_stack([strengths, observed, expected.T]).tolist()
    emit(
        result,
        Table(columns, rows),
        as_json=as_json,
        outputs=outputs,
        force=force,
        facts={"workspace_digest": digest(document)},
    )
    failed = [f"{mu:g}" for mu, value in zip(strengths, known, strict=True) if value is None]
    if not failed:
        return 0
    the_console().warning(f"no CLs at mu = {', '.join(failed)}: a fit did not converge")
    return 1 if len(failed) == len(known) else 3
