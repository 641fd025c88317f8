"""``na64-limits campaign``: many specifications computed as one, and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from na64.limits.cli.application import Group, the_console
from na64.limits.cli.figure import processors
from na64.limits.cli.looks import appearance_options
from na64.limits.cli.options import cache_option, cache_size_option, output_option
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.figures import FIGURE_SUFFIXES
from na64.limits.results.tables import WRITERS

if TYPE_CHECKING:
    from na64.limits.campaigns.executors import Processors
    from na64.limits.campaigns.running import Resources
    from na64.limits.campaigns.store import Counts
    from na64.limits.cli.looks import Looks

#: names of `--executor`
EXECUTORS: Final = ("processes", "dask")


@click.group("campaign", cls=Group)
def command() -> None:
    """Many specifications computed as one: a product of searches, models, settings and masses.

    A file describes the campaign; its results are kept in a folder as they finish, and one that was
    stopped goes on.
    """


def _running(function: Callable[..., Counts]) -> Callable[..., int]:
    """Options of where points are computed and of the cache; tells how it went."""

    @wraps(function)
    def run(
        *,
        jobs: int | None,
        executor: str,
        scheduler: str | None,
        no_cache: bool,
        cache_size: str | None,
        **given: Any,
    ) -> int:
        from na64.limits.campaigns.running import Resources

        where = _processors(jobs, executor, scheduler)
        with the_console().progress("campaign") as progress:
            resources = Resources(where, not no_cache, cache_size, progress)
            counts = function(resources=resources, **given)
        return _told(counts)

    for option in (
        cache_size_option,
        cache_option,
        click.option(
            "--scheduler",
            metavar="URL",
            help="With --executor dask: a scheduler that runs, such as tcp://host:8786, instead of "
            "a cluster on this machine.",
        ),
        click.option(
            "--executor",
            metavar="NAME",
            default=EXECUTORS[0],
            show_default=True,
            help="Where points are computed: processes of this machine, or dask.",
        ),
        click.option(
            "--jobs",
            metavar="N",
            type=int,
            help="Processes that share the points; no result depends on it.  [default: as many as "
            "there are processors]",
        ),
    ):
        run = option(run)
    return run


def _processors(jobs: int | None, executor: str, scheduler: str | None) -> Processors:
    """Return where tasks run, by the options."""
    from na64.limits.campaigns.executors import DaskWorkers, Processes
    from na64.models.errors import InputError, unknown_name

    if executor not in EXECUTORS:
        raise unknown_name("executor", executor, EXECUTORS)
    if scheduler is not None and executor != "dask":
        raise InputError("`scheduler` is of no use without `executor=dask`")
    if scheduler is not None and jobs is not None:
        raise InputError("`jobs` is of no use with `scheduler`, which has its workers")
    count = processors() if jobs is None else jobs
    return Processes(count) if executor == EXECUTORS[0] else DaskWorkers(count, scheduler)


def _told(counts: Counts) -> int:
    """Say how a campaign went, and return the exit code."""
    from na64.limits.campaigns.status import of_points

    left_out = f", {counts.left_out} left out" if counts.left_out else ""
    the_console().note(f"{of_points(counts.points)}: {counts.done} done{left_out}")
    if not counts.failed:
        return 0
    the_console().warning(
        f"{of_points(counts.failed)} failed: `campaign status` says why, `campaign retry --failed` "
        f"tries {'it' if counts.failed == 1 else 'them'} again"
    )
    return 3 if counts.done else 1


@command.command("run")
@click.argument("file", metavar="FILE.toml|-")
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    help="Folder of the results, made if there is none; one that has them already goes on.",
)
@click.option(
    "--replan",
    is_flag=True,
    help="The folder may be that of another campaign: go on with this file, and compute nothing "
    "that both have in common.",
)
@_running
def run(*, file: str, folder: str, replan: bool, resources: Resources) -> Counts:
    """Compute the points of a campaign."""
    from na64.limits.campaigns.running import begin
    from na64.limits.cli.inputs import read_stdin
    from na64.workspaces.io.reading import read_text

    text = read_stdin() if file == "-" else read_text(file)
    where = str(Path("stdin" if file == "-" else file).absolute())
    return begin(text, where, Path(folder), resources, replan=replan)


@command.command("resume")
@click.argument("folder", metavar="DIR")
@_running
def resume(*, folder: str, resources: Resources) -> Counts:
    """Go on with a campaign that was stopped, however it was: what is there stays."""
    from na64.limits.campaigns.running import go_on

    return go_on(Path(folder), resources)


@command.command("retry")
@click.argument("folder", metavar="DIR")
@click.option("--failed", is_flag=True, help="Points that failed: the only ones there are so far.")
@_running
def retry(*, folder: str, failed: bool, resources: Resources) -> Counts:
    """Try points again that failed, and go on with the campaign."""
    from na64.limits.campaigns.running import go_on

    if not failed:
        raise click.UsageError("say which points: --failed")
    return go_on(Path(folder), resources, failed=True)


@command.command("status")
@click.argument("folder", metavar="DIR")
@reporting()
def status(folder: str) -> Report:
    """Say how many points are done, and why some failed; the campaign may be running."""
    from na64.limits.campaigns.status import status_document, status_lines, status_table
    from na64.limits.campaigns.store import Store

    with Store(Path(folder)) as store:
        document = status_document(store)
    failures = "".join(
        f"\npoint {item['point']} ({_values(item['axes'])}): {item['message']}"
        for item in document["failures"]
    )
    so_far = "".join(f"\n{line}" for line in status_lines(document))
    return tabled(document, status_table(document), after=so_far + failures)


def _values(axes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in axes.items())


@command.command("collect")
@click.argument("folder", metavar="DIR")
@reporting("{data}, .parquet", (*WRITERS, ".parquet"))
def collect(folder: str) -> Report:
    """Write the table of a campaign: one row per point and mass, in the order of the file.

    The bytes do not depend on how, where and in which order it was computed.
    """
    from na64.limits.campaigns.status import of_points
    from na64.limits.campaigns.store import Store
    from na64.limits.campaigns.table import collect as collected

    with Store(Path(folder)) as store:
        found = collected(store)
        counts = store.counts()
    missing = counts.points - counts.done - counts.left_out
    have = "has" if missing == 1 else "have"
    said = f"{missing} of {of_points(counts.points)} {have} no result yet"
    warnings = [said] if missing else []
    return Report(
        lambda name: found.content(Path(name).suffix),
        found.table.text(),
        warnings=warnings,
        code=3 if missing else 0,
    )


@command.command("plot")
@click.argument("folder", metavar="DIR")
@click.option("--x", metavar="KEY", help="Axis to draw along, or mass_gev.  [default: the first]")
@click.option("--y", metavar="COLUMN", help="What is drawn, a column of `campaign collect`.")
@click.option(
    "--where",
    metavar="KEY=VALUE",
    multiple=True,
    help="Hold an axis at a value; repeatable.",
)
@appearance_options
@output_option("{figures}")
def plot(
    folder: str,
    x: str | None,
    y: str | None,
    where: tuple[str, ...],
    looks: Looks,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Draw what was found against one axis; the others tell curves apart."""
    from na64.limits.cli.output import check_outputs, write_outputs
    from na64.models.errors import InputError

    if not outputs:
        raise click.UsageError("no output: give -o FILE.pdf or -o FILE.png")
    check_outputs(outputs, force, FIGURE_SUFFIXES)
    held = dict(item.partition("=")[::2] for item in where)
    if not all(held.values()):
        raise InputError("`where` must be KEY=VALUE")

    from na64.limits.campaigns.picture import campaign_figure
    from na64.limits.campaigns.store import Store
    from na64.limits.campaigns.table import collect as collected
    from na64.limits.figures.style import figure_bytes

    with Store(Path(folder)) as store:
        found = collected(store)
    made = campaign_figure(found, x=x, y=y, where=held, look=looks.appearance([]))
    write_outputs({name: figure_bytes(made, name) for name in outputs}, force)
