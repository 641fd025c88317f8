"""``na64-limits goodness``: how well a fit describes the data of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.fitting import fit_options, read_fit_question
from na64.limits.cli.report import Report, reporting_with_figure, tabled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command("goodness", cls=Command)
@click.argument("file", metavar="WS.json|-")
@fit_options
@click.option(
    "--toys", metavar="N", type=int, default=0, show_default=True, help="Toys of the best fit."
)
@click.option("--seed", metavar="N", type=int, default=1, show_default=True, help="Of the toys.")
@click.option(
    "--ensemble",
    metavar="NAME",
    default="aux-fluctuated",
    show_default=True,
    help="Auxiliary data of toys: thrown (aux-fluctuated) or as observed (aux-fixed).",
)
@reporting_with_figure()
def command(
    file: str,
    measurement: str | None,
    mu: float | None,
    asimov: float | None,
    nuisances: str,
    toys: int,
    seed: int,
    ensemble: str,
) -> Report:
    """Goodness of fit of a pyhf workspace: likelihood ratio to the saturated model."""
    from na64.limits.cli.output import nulls
    from na64.limits.inference.goodness import goodness_of_fit
    from na64.limits.results.tables import Table

    with the_console().progress("goodness of fit"):
        asked = read_fit_question(file, measurement, asimov, nuisances)
        found = goodness_of_fit(
            asked.batch, data=asked.data, mu=mu, toys=toys, seed=seed, ensemble=ensemble
        )
    thrown = found.toys
    p_value = nulls(found.p_value)

    def drawn() -> Figure:
        from na64.limits.figures.stacks import goodness_figure

        return goodness_figure(found)

    after = f"\n\nq = {found.statistic:.4g}, {found.degrees_of_freedom} degrees of freedom"
    after += ": p = -" if p_value is None else f": p = {p_value:.4g} (chi2)"
    notes = []
    if thrown is not None:
        after += f", {thrown.p_value:.4g} +- {thrown.error:.1g} ({len(thrown.values)} toys)"
        if thrown.failed:
            notes.append(f"{thrown.failed} of {toys} toys could not be fitted and are left out")
    if p_value is None:
        notes.append("the fit has as many free parameters as there are data: nothing is tested")
    channels = [*found.channels.items(), ("constraints", found.constraints)]
    return tabled(
        {
            **asked.head("goodness", found.fit),
            "statistic": found.statistic,
            "degrees_of_freedom": found.degrees_of_freedom,
            "p_value": p_value,
            "toys": None
            if thrown is None
            else {
                "number": len(thrown.values),
                "failed": thrown.failed,
                "ensemble": thrown.ensemble,
                "seed": thrown.seed,
                "p_value": thrown.p_value,
                "error": thrown.error,
            },
            "channels": [{"name": name, "contribution": value} for name, value in channels[:-1]],
            "constraints": found.constraints,
        },
        Table(("channel", "contribution to q"), channels),
        facts=asked.facts,
        figure=drawn,
        after=after,
        notes=notes,
    )
