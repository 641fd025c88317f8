"""``na64-limits likelihood-scan``: the likelihood against the signal strength, and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import measurement_option
from na64.limits.cli.report import Report, reporting_with_figure, tabled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command("likelihood-scan", cls=Command)
@click.argument("file", metavar="WS.json|-")
@click.option(
    "--mu",
    metavar="MU,..",
    help="Signal strengths: a comma list, or LO:HI:N, log-spaced, from 0 equally spaced.  "
    "[default: around the intervals]",
)
@click.option(
    "--cl",
    "levels",
    metavar="CL,..",
    default="0.683,0.9,0.95",
    show_default=True,
    help="Confidence levels of the intervals, between 0 and 1.",
)
@measurement_option
@reporting_with_figure()
def command(file: str, mu: str | None, levels: str, measurement: str | None) -> Report:
    """Profile likelihood of a pyhf workspace against the signal strength, and its intervals.

    No strength is negative: -2 ln L is measured from the best strength that is not, and an interval
    that would begin below zero begins there. Files have the profile, the table the intervals.
    """
    import numpy as np

    from na64.limits.calculators.profile import likelihood_scan
    from na64.limits.cli.inputs import read_workspace
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table
    from na64.limits.scanning.grids import parse_grid, parse_strengths
    from na64.workspaces.io.jsonio import digest

    given = None if mu is None else parse_strengths(mu)
    wanted = parse_grid(levels, "confidence levels", "numbers between 0 and 1").tolist()
    with the_console().progress("likelihood scan"):
        document, compiled = read_workspace(file, measurement)
        found = likelihood_scan(compiled.batch(), levels=wanted, mu=given)
    rise = nulls(found.rise)

    def drawn() -> Figure:
        from na64.limits.figures.strength import likelihood_figure

        return likelihood_figure(found, compiled.poi)

    best = ("best fit", "point", 0.0, found.best_fit, found.best_fit)
    rows: list[tuple[Any, ...]] = [best] + [
        (f"{100 * item.confidence_level:g} %", item.kind, item.threshold, low, high)
        for item in found.intervals
        for low, high in item.allowed
    ]
    failed = rise.count(None)
    return tabled(
        {
            "schema": "na64-limits/likelihood-scan/1",
            "measurement": compiled.model.measurement,
            "parameter": compiled.poi,
            "best_fit": found.best_fit,
            "mu": found.mu,
            "rise": rise,
            "intervals": [
                {
                    "kind": item.kind,
                    "confidence_level": item.confidence_level,
                    "threshold": item.threshold,
                    "allowed": [list(pair) for pair in item.allowed],
                }
                for item in found.intervals
            ],
        },
        Table(("CL", "interval", "-2 ln L ratio", "from", "to"), rows),
        rows=Table(
            (compiled.poi, "-2 ln L ratio"), np.column_stack([found.mu, found.rise]).tolist()
        ),
        facts={"workspace_digest": digest(document)},
        figure=drawn,
        warnings=[f"{failed} of {len(rise)} fits did not converge"] if failed else [],
        code=0 if not failed else 1 if failed == len(rise) else 3,
    )
