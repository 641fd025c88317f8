"""``na64-limits cls``: CLs of any pyhf workspace against the signal strength."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, jobs_option, measurement_option
from na64.limits.cli.patched import PatchRequest, cls_of_patches, patch_options
from na64.limits.cli.report import Report, reporting_with_figure, tabled
from na64.limits.cli.settings import SettingsCommand

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command("cls", cls=SettingsCommand, settings=("calculator",))
@click.argument("file", metavar="WS.json|-")
@click.option(
    "--mu",
    metavar="MU,..",
    help="Signal strengths: a comma list, or LO:HI:N, log-spaced, from 0 equally spaced.  "
    "[default: 40 up to beyond the limits]",
)
@measurement_option
@cl_option
@jobs_option
@reporting_with_figure()
@patch_options
def command(
    file: str,
    mu: str | None,
    measurement: str | None,
    confidence_level: float,
    request: PatchRequest | None,
    jobs: int,
    **settings: Any,
) -> Report:
    """CLs of a pyhf workspace, observed and expected; below 1 - CL a strength is excluded.

    The figure has the bands against the signal strength, and marks the limits. With --patchset that
    of each signal of a published likelihood.
    """
    if request is not None:
        return cls_of_patches(request, settings, mu or "1", jobs)
    if jobs != 1:
        raise click.UsageError("--jobs shares the patches of a --patchset among processes")

    import numpy as np

    from na64.limits.calculators.curve import strengths_up_to
    from na64.limits.calculators.large_counts import few_events
    from na64.limits.calculators.limits import cls_values, upper_limits
    from na64.limits.calculators.status import BAND_ORDER
    from na64.limits.cli.inputs import read_question
    from na64.limits.cli.output import nulls
    from na64.limits.results.tables import Table
    from na64.limits.scanning.grids import parse_strengths
    from na64.limits.scanning.progress import counted

    given = None if mu is None else parse_strengths(mu)
    with the_console().progress("CLs") as progress:
        asked = read_question(file, measurement, settings)
        batch, chosen = asked.compiled.batch(), asked.calculator
        limits, seen = None, not asked.projection
        # of the same counts as the curve, in a projection the medians that stand in for data
        level: dict[str, Any] = {
            "confidence_level": confidence_level,
            "calculator": chosen,
            "observed": seen,
            "counts": batch.likelihood.observed,
        }
        if given is None:
            limits = upper_limits(batch, **level)
            given = strengths_up_to(limits)
        with counted(progress, len(given)):
            table = cls_values(batch, given[:, None], expected=True, calculator=chosen)
        if not seen:
            table = replace(table, observed=np.full_like(table.observed, np.nan))
        warnings = few_events(chosen, batch)
    parameter = asked.compiled.poi
    strengths, observed = table.mu[:, 0], table.observed[:, 0]
    expected = np.asarray(table.expected)[:, :, 0]

    def drawn() -> Figure:
        from na64.limits.figures.strength import cls_figure

        crossings = limits or upper_limits(batch, **level)
        return cls_figure(table, crossings, parameter)

    said = asked.projection_notes
    known = nulls(observed)  # null is a value that does not exist
    # each strength and band speaks for itself; a projection has no observed value to fail
    rows = {"observed": observed} if seen else {}
    rows |= {f"expected {k:+d} sigma": band for k, band in zip(BAND_ORDER, expected, strict=True)}
    lost = {
        name: ", ".join(f"{mu:g}" for mu in strengths[np.isnan(row)])
        for name, row in rows.items()
        if np.isnan(row).any()
    }
    main = expected[BAND_ORDER.index(0)] if not seen else observed
    if lost:
        where = "; ".join(f"{name} at mu = {at}" for name, at in lost.items())
        warnings = [f"no CLs {where}: a fit did not converge, or no toy is as extreme", *warnings]
    return tabled(
        {
            **asked.head("cls", table.used),
            "mu": strengths,
            "observed": known,
            "band_order": list(BAND_ORDER),
            "expected": nulls(expected),
            "confidence_level": confidence_level,
            "limit": limits
            and {
                "observed": nulls(limits.observed)[0],
                "lower": nulls(limits.lower)[0],
                "expected": nulls(limits.expected[:, 0]),
                "status": limits.status[0].value,
                "message": limits.messages[0],
            },
        },
        Table(
            (
                parameter,
                "CLs observed",
                *(f"expected {order:+d} sigma" for order in BAND_ORDER),
            ),
            np.column_stack([strengths, observed, expected.T]).tolist(),
        ),
        facts=asked.facts,
        figure=drawn,
        warnings=warnings,
        notes=[
            *(f"{note}, with nuisance parameters fitted to the medians" for note in said),
            *(note for note in table.notes if note),
        ],
        code=0 if not lost else 1 if np.isnan(main).all() else 3,
    )
