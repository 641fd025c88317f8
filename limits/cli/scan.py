"""``na64-limits scan``: the exclusion of a search over a grid of masses."""

from __future__ import annotations

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import cl_option, jobs_option, json_option, output_option
from na64.limits.cli.settings import SignalCommand, SignalRequest


@click.command("scan", cls=SignalCommand, calculator=True)
@cl_option()
@jobs_option
@click.option("--expected-only", is_flag=True, help="Leave the data alone: expected limits only.")
@click.option(
    "--save-workspaces",
    metavar="DIR",
    help="Also write the likelihood: a pyhf workspace and a patchset with one patch per mass.",
)
@json_option
@output_option()
def command(
    request: SignalRequest,
    confidence_level: float,
    jobs: int,
    expected_only: bool,
    save_workspaces: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> int:
    """Exclude couplings: signal yields, likelihood and CLs limits at every mass.

    SEARCH is a shipped card (`list searches`), a file, or - for stdin. Model and masses are
    those of the card unless given.
    """
    from na64.limits.cli import output
    from na64.limits.cli.results import emit_limit, exit_code

    output.check_outputs(outputs, force)
    if save_workspaces is not None:
        output.check_directory(save_workspaces, force)

    from na64.limits.scanning.runner import run
    from na64.limits.scanning.signal import expected_signal

    with the_console().progress("card") as progress:
        # what is quickly checked comes before what takes long
        made = request.specify(confidence_level=confidence_level, expected_only=expected_only)
        result = run(made, jobs=jobs, tables=request.tables, progress=progress)
        files: dict[str, str | bytes] = {}
        if save_workspaces is not None:
            signal = expected_signal(made, tables=request.tables)
            files.update(output.workspace_files(signal, save_workspaces))
    emit_limit(result, as_json=as_json, outputs=outputs, force=force, others=files)
    return exit_code(result)
