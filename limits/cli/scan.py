"""``na64-limits scan``: the exclusion of a search over a grid of masses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import calculator_options, cl_option, json_option, output_option
from na64.limits.cli.signal_options import SignalRequest, signal_options

if TYPE_CHECKING:
    from na64.limits.calculators.protocol import Calculator
    from na64.limits.cli.output import Table
    from na64.limits.results.limit import Exclusion


@click.command("scan", cls=Command)
@signal_options()
@cl_option()
@calculator_options()
@click.option("--expected-only", is_flag=True, help="Leave the data alone: expected limits only.")
@click.option(
    "--save-workspaces",
    metavar="DIR",
    help="Also write the likelihood: a pyhf workspace and a patchset with one patch per mass.",
)
@json_option
@output_option(".json or .csv")
def command(
    request: SignalRequest,
    confidence_level: float,
    calculator: Calculator,
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

    output.check_outputs(outputs, force)
    if save_workspaces is not None:
        output.check_directory(save_workspaces, force)

    from na64.limits.calculators.table import check_confidence_level
    from na64.limits.scanning.runner import exclude

    # what is quickly checked comes before what takes long
    check_confidence_level(confidence_level)
    with the_console().progress("card") as progress:
        signal = request.compute(progress)
        result = exclude(
            signal,
            confidence_level=confidence_level,
            calculator=calculator,
            jobs=jobs,
            expected_only=expected_only,
            progress=progress,
        )
    files = {} if save_workspaces is None else output.workspace_files(signal, save_workspaces)
    files |= {name: result.to_text(Path(name).suffix) for name in outputs}
    output.write_outputs(files, force)
    for warning in result.provenance.get("warnings", ()):
        the_console().warning(warning)
    if as_json:
        click.echo(result.to_json(), nl=False)
    elif not outputs:
        click.echo(exclusion_table(result).text())
    return _exit_code(result)


def exclusion_table(result: Exclusion) -> Table:
    """Return the limits as a table for people."""
    from na64.limits.cli.output import Table

    name = result.parameter
    columns = (
        f"{result.mass_parameter} [GeV]",
        f"{name} observed",
        "expected -2",
        "-1",
        "median",
        "+1",
        "+2",
        "events",
        "status",
    )
    rows = [
        (
            float(mass),
            float(result.observed[row]),
            *result.expected[:, row].tolist(),
            float(result.events_limit[row]),
            result.status[row].value,
        )
        for row, mass in enumerate(result.masses_gev)
    ]
    return Table(columns, rows)


def _exit_code(result: Exclusion) -> int:
    """Return 0 when every mass has its answer, 3 when some failed, 1 when all did."""
    from na64.limits.results.limit import Status

    failed = [
        f"{mass:.4g} GeV ({status.value})"
        for mass, status in zip(result.masses_gev, result.status, strict=True)
        if status in (Status.FAILED, Status.NOT_BRACKETED)
    ]
    if not failed:
        return 0
    the_console().warning(f"no limit at {len(failed)} masses: {', '.join(failed[:5])}")
    return 1 if len(failed) == len(result.status) else 3
