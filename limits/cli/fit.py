"""``na64-limits fit``: the best parameters of a workspace, their uncertainties and correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.fitting import fit_options, parameter_rows, read_fit_question
from na64.limits.cli.options import number_option
from na64.limits.cli.report import Report, reporting_with_figure, tabled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: what a figure shows
_DRAWINGS = ("pulls", "correlations")


@click.command("fit", cls=Command)
@click.argument("file", metavar="WS.json|-")
@fit_options
@click.option(
    "--errors",
    metavar="NAME",
    default="hessian",
    show_default=True,
    help="Uncertainties: hessian, or profile for asymmetric ones in addition.",
)
@click.option(
    "--draw",
    metavar="NAME",
    default=_DRAWINGS[0],
    show_default=True,
    help="What a figure shows: pulls or correlations.",
)
@number_option(
    "--threshold",
    metavar="R",
    default=0.2,
    help="A figure of correlations leaves out parameters without one of this size.",
)
@reporting_with_figure()
def command(
    file: str,
    measurement: str | None,
    mu: float | None,
    asimov: float | None,
    nuisances: str,
    errors: str,
    draw: str,
    threshold: float,
) -> Report:
    """Fit a pyhf workspace: values, uncertainties, pulls, constraints, correlations."""
    from na64.limits.cli.output import nulls
    from na64.limits.inference.fit import fit_workspace
    from na64.limits.inference.result import OK
    from na64.limits.results.tables import Table
    from na64.models.errors import unknown_name

    if draw not in _DRAWINGS:
        raise unknown_name("drawing", draw, _DRAWINGS)
    with the_console().progress("fit"):
        asked = read_fit_question(file, measurement, asimov, nuisances)
        fit = fit_workspace(asked.batch, data=asked.data, mu=mu, errors=errors)
    order = [len(fit.names) - 1, *range(len(fit.names) - 1)]  # mu first
    rows = parameter_rows(fit, order)

    def drawn() -> Figure:
        from na64.limits.figures.pulls import correlation_figure, pull_figure

        return pull_figure(fit) if draw == "pulls" else correlation_figure(fit, threshold=threshold)

    keys = [key for key in rows[0] if key not in ("name", "state")]
    said = [
        f"{row['name']}: {row['state'].replace('-', ' ')}" for row in rows if row["state"] != OK
    ]
    return tabled(
        {
            **asked.head("fit", fit),
            "errors": errors,
            "nll": fit.nll,
            "twice_nll_over_saturated": 2.0 * fit.value,
            "parameters": rows,
            "correlations": nulls(fit.correlations[order][:, order]),
        },
        Table(
            ("parameter", *(key.replace("_", " ") for key in keys), "state"),
            [(row["name"], *(row[key] for key in keys), row["state"]) for row in rows],
        ),
        facts=asked.facts,
        figure=drawn,
        after=f"\n\n-ln L {fit.nll:.6g}; -2 ln of its ratio to the saturated model "
        f"{2.0 * fit.value:.4g}",
        notes=[f"without an uncertainty: {', '.join(said)}"] if said else [],
    )
