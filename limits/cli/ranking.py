"""``na64-limits ranking``: nuisance parameters by their impact on mu or on the upper limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.fitting import (
    FitQuestion,
    asimov_options,
    parameter_rows,
    read_fit_question,
)
from na64.limits.cli.options import cl_option, jobs_option
from na64.limits.cli.report import Report, reporting_with_figure, tabled
from na64.limits.cli.settings import SettingsCommand

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from na64.limits.inference.impacts import Impacts, LimitImpacts

_BY = ("mu", "limit")


@click.command("ranking", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@click.option(
    "--by", metavar="NAME", default=_BY[0], show_default=True, help="Impact on mu or on the limit."
)
@asimov_options
@click.option(
    "--parameter", "parameters", metavar="NAME", multiple=True, help="Rank this one; repeatable."
)
@click.option("--expected", is_flag=True, help="By limit: the median expected one.")
@cl_option
@jobs_option
@click.option(
    "--most",
    metavar="N",
    type=int,
    default=25,
    show_default=True,
    help="Parameters in a figure.",
)
@reporting_with_figure()
def command(
    file: str,
    by: str,
    measurement: str | None,
    asimov: float | None,
    nuisances: str,
    parameters: tuple[str, ...],
    expected: bool,
    confidence_level: float,
    jobs: int,
    most: int,
    **settings: Any,
) -> Report:
    """Nuisance parameters of a pyhf workspace ranked by impact, beside their pulls."""
    from na64.limits.cli.inputs import make_calculator
    from na64.limits.inference.impacts import rank_by_limit, rank_by_mu
    from na64.models.errors import InputError, unknown_name

    if by not in _BY:
        raise unknown_name("ranking", by, _BY)
    if by == "mu" and (expected or any(value is not None for value in settings.values())):
        raise InputError("a calculator and --expected are for limits: give --by limit with them")
    if by == "limit" and asimov is not None:
        raise InputError("the limit of expected data is --expected; --asimov ranks by mu")
    calculator = make_calculator(settings)
    with the_console().progress("ranking"):
        asked = read_fit_question(file, measurement, asimov, nuisances)
        if by == "mu":
            return _by_mu(
                asked, rank_by_mu(asked.batch, data=asked.data, parameters=parameters), most
            )
        found = rank_by_limit(
            asked.batch,
            calculator=calculator,
            confidence_level=confidence_level,
            expected=expected,
            parameters=parameters,
            jobs=jobs,
        )
    return _by_limit(asked, found, most)


def _by_mu(asked: FitQuestion, found: Impacts, most: int) -> Report:
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table

    rows = parameter_rows(found.fit, found.parameters.tolist())
    impacts = {
        "impact_down": nulls(found.postfit[0]),
        "impact_up": nulls(found.postfit[1]),
        "pre_fit_impact_down": nulls(found.prefit[0]),
        "pre_fit_impact_up": nulls(found.prefit[1]),
    }
    for i, row in enumerate(rows):
        row |= {key: values[i] for key, values in impacts.items()}
        row["truncated"] = bool(found.truncated[i])
    cut = [row["name"] for row in rows if row["truncated"]]
    lost = [
        row["name"]
        for row in rows
        if row["error"] is not None and None in (row["impact_down"], row["impact_up"])
    ]
    notes = [f"cut short by a bound of mu or of the parameter: {_some(cut)}"] if cut else []
    if found.fit.mu == 0.0:
        notes.append("the best mu is zero: --asimov MU ranks for a signal")
    keys = ("pull", "constraint", *impacts)
    return tabled(
        {**asked.head("ranking", found.fit), "by": "mu", **_NO_LIMIT, "parameters": rows},
        Table(
            ("parameter", *(key.replace("_", " ") for key in keys)),
            [(row["name"], *(row[key] for key in keys)) for row in rows],
        ),
        facts=asked.facts,
        figure=lambda: _drawn(found, most),
        notes=notes,
        warnings=[f"no impact, a fit did not converge: {_some(lost)}"] if lost else [],
        code=3 if lost else 0,
    )


#: what the document of a ranking by mu has in place of the limit
_NO_LIMIT = dict.fromkeys(
    ("confidence_level", "method", "ensemble", "seed", "toys", "limit", "expected")
)


def _by_limit(asked: FitQuestion, found: LimitImpacts, most: int) -> Report:
    from na64.limits.calculators.registry import described
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table

    rows = parameter_rows(found.fit, found.parameters.tolist())
    numbers = {
        "limit_held": nulls(found.frozen),
        "limit_down": nulls(found.shifted[0]),
        "limit_up": nulls(found.shifted[1]),
        "impact_down": nulls(found.impacts[0]),
        "impact_up": nulls(found.impacts[1]),
        "cost": nulls(found.costs),
    }
    for i, row in enumerate(rows):
        row |= {key: values[i] for key, values in numbers.items()}
        row["truncated"] = bool(found.clipped[i])
    lost = [
        row["name"]
        for row in rows
        if row["limit_held"] is None
        or (row["error"] is not None and None in (row["limit_down"], row["limit_up"]))
    ]
    keys = ("pull", "constraint", *numbers)
    return tabled(
        {
            **asked.head("ranking", found.fit),
            "by": "limit",
            **described(found.calculator),
            "confidence_level": found.confidence_level,
            "limit": found.limit,
            "expected": found.expected,
            "parameters": rows,
        },
        Table(
            ("parameter", *(key.replace("_", " ") for key in keys)),
            [(row["name"], *(row[key] for key in keys)) for row in rows],
        ),
        facts=asked.facts,
        figure=lambda: _drawn(found, most),
        after=f"\n\nlimit with all uncertainties {found.limit:.6g}",
        warnings=[f"a limit with it held does not exist: {_some(lost)}"] if lost else [],
        code=3 if lost else 0,
    )


def _drawn(found: Impacts | LimitImpacts, most: int) -> Figure:
    from na64.limits.figures.impacts import impact_figure

    return impact_figure(found, most=most)


def _some(names: list[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
