"""``na64-limits figure``: the figures of the programme, each from a small file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import names_option, tables_option
from na64.limits.figures import FIGURE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from na64.limits.programme.description import Description

#: stands for every shipped figure
ALL: Final = "all"
#: what goes into a folder unless formats are named
FORMATS: Final = ("png", "pdf")


def _styles() -> Iterable[str]:
    from na64.limits.figures.appearance import STYLES

    return STYLES


@click.command("figure", cls=Command)
@click.argument("names", metavar="NAME|FILE.toml|all...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    "outputs",
    metavar="FILE|DIR",
    multiple=True,
    help="Write a file, whose suffix is the format: "
    f"{', '.join(FIGURE_SUFFIXES)}; or NAME.FORMAT of every figure into a folder, which is made if "
    "there is none; repeatable.",
)
@click.option(
    "--format",
    "formats",
    metavar="FORMAT",
    multiple=True,
    help="Of the files in a folder: "
    f"{', '.join(suffix[1:] for suffix in FIGURE_SUFFIXES)}; repeatable.  "
    f"[default: {' and '.join(FORMATS)}]",
)
@click.option("--show", is_flag=True, help="Print the file of the figure, to copy and change it.")
@names_option("--style", names=_styles, help="Instead of that of the figure: {names}.")
@click.option(
    "--jobs",
    metavar="N",
    type=int,
    help="Processes that share the figures; the files do not depend on it.  [default: as many as "
    "there are processors]",
)
@tables_option
@click.option("--force", is_flag=True, help="Replace output files that exist.")
def command(
    names: tuple[str, ...],
    outputs: tuple[str, ...],
    formats: tuple[str, ...],
    show: bool,
    style: str | None,
    jobs: int | None,
    tables: Any,
    force: bool,
) -> None:
    """Scan and draw figures of the programme: limits beside what is published of them.

    NAME is a shipped figure (`list figures`); all is every one. A figure is a file that says which
    searches are scanned and what is drawn beside them: --show prints it, and a changed copy is
    drawn by its path.
    """
    from na64.limits.programme.reader import available_figures, figure_text

    every = tuple(dict.fromkeys(available_figures() if ALL in names else names))
    if show:
        if outputs or len(every) > 1:
            raise click.UsageError("--show prints the file of one figure and writes none")
        click.echo(figure_text(every[0]), nl=False)
        return
    if not outputs:
        raise click.UsageError("no output: give -o FILE.pdf, -o FILE.png or -o FOLDER")

    from na64.limits.cli.output import check_outputs, write_outputs
    from na64.limits.programme.batch import figure_files, with_style
    from na64.limits.programme.reader import load_figure

    found = [load_figure(name) for name in every]
    if style is not None:
        found = [with_style(item, style) for item in found]
    targets = _targets(found, outputs, formats)
    _check_folders(outputs)
    check_outputs([name for name in targets if Path(name).parent.is_dir()], force, FIGURE_SUFFIXES)
    suffixes = list(dict.fromkeys(suffix for _, suffix in targets.values()))
    content = {}
    with the_console().progress("figures") as progress:
        many = figure_files(
            found, suffixes, jobs=processors() if jobs is None else jobs, tables=tables
        )
        for count, made in enumerate(many, 1):
            content.update({(made.name, suffix): data for suffix, data in made.content.items()})
            for note in made.notes:
                the_console().detail(f"{made.name}: {note}")
            progress.advance(count, len(found))
    write_outputs({name: content[which] for name, which in targets.items()}, force)


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_file(output: str) -> bool:
    return Path(output).suffix != "" and not Path(output).is_dir()


def _targets(
    figures: Sequence[Description], outputs: Sequence[str], formats: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Return figure and suffix of every file that is written, by its name.

    Raises
    ------
    InputError
        For a format that there is not, two figures of one name, several figures for one file, and
        formats where no folder is named.
    """
    from na64.models.errors import InputError, unknown_name

    for name in formats:
        if f".{name}" not in FIGURE_SUFFIXES:
            raise unknown_name("format", name, [suffix[1:] for suffix in FIGURE_SUFFIXES])
    files = [output for output in outputs if _is_file(output)]
    if formats and len(files) == len(outputs):
        raise InputError("--format is of the files in a folder; the suffix of a file is its own")
    names = [item.name for item in figures]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{', '.join(twice)}: the name of two figures")
    if files and len(figures) > 1:
        raise InputError(
            f"output '{files[0]}' is one file for {len(figures)} figures: give a folder"
        )
    targets = {output: (names[0], Path(output).suffix) for output in files}
    for folder in outputs:
        if folder not in files:
            for name in names:
                for ending in formats or FORMATS:
                    targets[str(Path(folder) / f"{name}.{ending}")] = (name, f".{ending}")
    return targets


def _check_folders(outputs: Sequence[str]) -> None:
    """Refuse folders that can neither be written nor be made."""
    from na64.models.errors import InputError

    for output in outputs:
        folder = Path(output)
        if _is_file(output) or folder.is_dir():
            continue
        if os.path.lexists(folder):
            raise InputError(f"'{output}' is a file, not a folder")
        if not folder.parent.is_dir():
            raise InputError(f"there is no folder '{folder.parent}' in which to make '{folder}'")
        if not os.access(folder.parent, os.W_OK):
            raise InputError(f"the folder '{folder.parent}' is not writable")
