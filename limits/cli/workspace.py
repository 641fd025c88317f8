"""``na64-limits workspace``: pyhf workspaces of a search."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import Group, the_console
from na64.limits.cli.editing import patch, prune, rename
from na64.limits.cli.options import json_option
from na64.limits.cli.report import Report, reporting
from na64.limits.cli.settings import SignalCommand, SignalRequest


@click.group("workspace", cls=Group)
def command() -> None:
    """The likelihood of a search as pyhf JSON."""


@command.command(
    "build",
    cls=SignalCommand,
    masses_help="One mass in GeV for -o and stdout; LO:HI:N or a list for --directory.",
)
@click.option(
    "--directory",
    metavar="DIR",
    help="Write the background workspace and a pyhf patchset with one patch per mass there.",
)
@reporting(".json, the workspace of one mass", (".json",), json=False)
def build(request: SignalRequest, directory: str | None) -> Report:
    """Write the pyhf workspace of one mass, or of all masses as a patchset.

    The signal is scaled to one event at mu = 1; the measurement's name says which mass and
    coupling that is.
    """
    from na64.limits.cli.output import check_directory, projection_notes, workspace_files
    from na64.models.errors import InputError

    if directory is not None:
        if click.get_current_context().params["outputs"]:
            raise InputError("give -o FILE (one mass) or --directory DIR (all masses), not both")
        check_directory(directory)

    from na64.limits.scanning.grids import parse_grid
    from na64.limits.scanning.signal import expected_signal
    from na64.workspaces.io.jsonio import canonical_json
    from na64.workspaces.pyhf.write import signal_workspace

    one = request.masses is not None and len(parse_grid(request.masses)) == 1
    if directory is None and not one:
        raise InputError("a workspace holds one mass: give --masses with one, or --directory")
    with the_console().progress("card") as progress:
        signal = expected_signal(request.specify(), tables=request.tables, progress=progress)
    notes = projection_notes(signal.specification.cards)
    if directory is not None:
        return Report(lambda _name: "", files=workspace_files(signal, directory), notes=notes)
    document, _ = signal_workspace(signal.template, signal.rates, 0)
    text = canonical_json(document, indent=1) + "\n"
    return Report(lambda _name: text, text, notes=notes)


@command.command("combine")
@click.argument("parts", metavar="NAME=WS.json...", nargs=-1, required=True)
@click.option(
    "--shared",
    metavar="NAME,..",
    default="",
    help="Nuisance parameters that are one in all parts; every other one stays separate.",
)
@reporting(".json", (".json",), json=False)
def combine(parts: tuple[str, ...], shared: str) -> Report:
    """Join workspaces into one with a common signal strength."""
    from na64.limits.cli.inputs import read_workspace
    from na64.models.errors import InputError
    from na64.workspaces.io.jsonio import canonical_json
    from na64.workspaces.pyhf.combine_documents import combine_workspaces

    if sum(part.endswith("=-") for part in parts) > 1:
        raise InputError("stdin ('-') is given twice")
    documents: dict[str, dict[str, Any]] = {}
    for part in parts:
        name, equals, file = part.partition("=")
        if not equals or not name or not file:
            raise InputError(f"{part}: a part is given as NAME=WS.json")
        if name in documents:
            raise InputError(f"the part '{name}' is given twice")
        # compiled, to hear what is wrong with the part's own names
        documents[name], _ = read_workspace(file)
    common = [name.strip() for name in shared.split(",") if name.strip()]
    text = canonical_json(combine_workspaces(documents, shared=common), indent=1) + "\n"
    return Report(lambda _name: text, text)


@command.command("inspect")
@click.argument("file", metavar="WS.json|PATCHSET.json|-")
@json_option
def inspect(file: str, as_json: bool) -> None:
    """Check a workspace and print its channels, samples, nuisances and measurements.

    Of a pyhf patchset its labels and digests, and the patches with their values.
    """
    from na64.limits.cli.inputs import check_workspace, read_any
    from na64.limits.cli.inspection import patchset_summary, workspace_summary
    from na64.workspaces.io.jsonio import canonical_json

    where = "stdin" if file == "-" else file
    with the_console().progress("workspace"):
        given = read_any(file)
        if isinstance(given, dict) and "patches" in given:
            summary, text = patchset_summary(given, where)
        else:
            summary, text = workspace_summary(check_workspace(given, where), where)
    click.echo(canonical_json(summary, indent=1) if as_json else text)


for _command in (prune, rename, patch):
    command.add_command(_command)
