"""``na64-limits scan``: the exclusion of a search over a grid of masses."""

from __future__ import annotations

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, jobs_option
from na64.limits.cli.report import Report, reporting
from na64.limits.cli.settings import SignalCommand, SignalRequest


@click.command("scan", cls=SignalCommand, calculator=True)
@cl_option
@jobs_option
@click.option(
    "--grid",
    metavar="NAME",
    default="auto",
    help="Masses of a range: auto, more of them across resonances, at thresholds and where regions "
    "end, or fixed, as they are.  [default: auto]",
)
@click.option("--expected-only", is_flag=True, help="Leave the data alone: expected limits only.")
@click.option(
    "--save-workspaces",
    metavar="DIR",
    help="Also write the likelihood: a pyhf workspace and a patchset with one patch per mass.",
)
@reporting()
def command(
    request: SignalRequest,
    confidence_level: float,
    jobs: int,
    grid: str,
    expected_only: bool,
    save_workspaces: str | None,
) -> Report:
    """Exclude couplings: signal yields, likelihood and CLs limits at every mass.

    SEARCH is a shipped card (`list searches`), a file, or - for stdin. Model and masses are
    those of the card unless given.
    """
    from na64.limits.cli.output import check_directory, workspace_files

    if save_workspaces is not None:
        check_directory(save_workspaces)

    from na64.limits.cli.results import limit_report
    from na64.limits.scanning.request import refines
    from na64.limits.scanning.runner import run
    from na64.limits.scanning.signal import expected_signal

    with the_console().progress("card") as progress:
        # what is quickly checked comes before what takes long
        made = request.specify(
            confidence_level=confidence_level, expected_only=expected_only, grid=grid
        )
        result = run(
            made,
            jobs=jobs,
            tables=request.tables,
            progress=progress,
            tips=refines(request.masses, grid),
        )
        files = {}
        if save_workspaces is not None:
            signal = expected_signal(result.specification, tables=request.tables)
            files = workspace_files(signal, save_workspaces)
    return limit_report(result, files)
