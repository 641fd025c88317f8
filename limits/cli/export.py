"""``na64-limits export``: results in the form in which archives publish them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import Group, the_console
from na64.limits.cli.options import tables_option, trust_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from na64.limits.publication.hepdata import Inputs
    from na64.limits.results.limit import Limit


@click.group("export", cls=Group)
def command() -> None:
    """Results in the form in which archives publish them."""


@command.command("hepdata")
@click.argument("files", metavar="SCAN.json|-...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    help="Folder to make: submission.tar.gz, which HEPData takes, and its files in submission/.",
)
@click.option("--force", is_flag=True, help="Replace the record that is in the folder.")
@click.option(
    "--inspire", metavar="N", type=int, help="Number of the paper in INSPIRE, if it has one."
)
@click.option(
    "--comment",
    metavar="TEXT",
    default="",
    help="What the record is, such as the abstract.  [default: titles of the searches]",
)
@click.option("--no-likelihood", is_flag=True, help="Without workspaces and patchsets.")
@trust_option
@tables_option
def hepdata(
    files: tuple[str, ...],
    folder: str,
    force: bool,
    inspire: int | None,
    comment: str,
    no_likelihood: bool,
    trust: bool,
    tables: Any,
) -> None:
    """Make a HEPData submission of scans and of limits in other planes.

    Tables of limits, excluded intervals, yields and counts; figures; the results, cards and
    commands that make them again; the likelihoods as pyhf workspaces and patchsets. The names of
    tables and files begin with those of the results: invisible.json gives "invisible limits".
    Needs the extra hepdata.
    """
    from na64.limits.cli.inputs import read_results
    from na64.limits.cli.output import write_outputs
    from na64.limits.publication.hepdata import ARCHIVE, hepdata_record

    _check_folder(Path(folder), force)
    results, names = read_results(files, trust), _names(files)
    with the_console().progress("record") as progress:
        record = hepdata_record(
            results,
            names,
            comment=comment,
            inspire=inspire,
            likelihood=not no_likelihood,
            commands=_commands,
            tables=tables,
            progress=progress,
        )
    inside = Path(folder, "submission")
    _refuse_others(inside, set(record.files))
    written: dict[str, str | bytes] = {str(Path(folder, ARCHIVE)): record.archive}
    written |= {str(inside / name): content for name, content in record.files.items()}
    write_outputs(
        written,
        force,
        note=f"wrote {Path(folder, ARCHIVE)}: {len(record.tables)} tables, {len(record.files)} "
        f"files, which are in {inside}, too",
    )
    for warning in record.warnings:
        the_console().warning(warning)


def _names(files: Sequence[str]) -> list[str]:
    """Name results by their files; those of the same name in several folders by numbers, too."""
    stems = ["scan" if name == "-" else Path(name).stem for name in files]
    plain = [re.sub(r"[^A-Za-z0-9._-]+", "_", stem).lstrip("._-") or "scan" for stem in stems]
    lower = [stem.lower() for stem in plain]
    return [
        stem if lower.count(stem.lower()) == 1 else f"{stem}-{number}"
        for number, stem in enumerate(plain, 1)
    ]


def _commands(limit: Limit, inputs: Inputs) -> list[list[str]]:
    from na64.limits.cli.command_lines import command_lines

    return command_lines(limit, inputs.result, cards=inputs.cards, charges=inputs.charges)


def _check_folder(folder: Path, force: bool) -> None:
    """Refuse a folder that could not be written to, before anything is computed."""
    from na64.models.errors import InputError

    if os.path.lexists(folder) and not folder.is_dir():
        raise InputError(f"'{folder}' is a file, not a folder")
    if folder.is_dir() and not force and any(folder.iterdir()):
        raise InputError(f"the folder '{folder}' is not empty (--force replaces a record in it)")
    home = folder if folder.exists() else folder.parent
    if not home.is_dir():
        raise InputError(f"there is no folder '{home}' in which to make '{folder.name}'")
    if not os.access(home, os.W_OK):
        raise InputError(f"the folder '{home}' is not writable")


def _refuse_others(inside: Path, files: set[str]) -> None:
    """Refuse to mix a record with files that are none of it: HEPData would refuse the folder."""
    from na64.models.errors import InputError

    found = {path.name for path in inside.iterdir()} if inside.is_dir() else set()
    if others := sorted(found - files):
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise InputError(
            f"'{inside}' holds files that are not of this record: {', '.join(others[:3])}{more}; "
            "remove them or choose another folder"
        )
