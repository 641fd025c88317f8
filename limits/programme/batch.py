"""Many figures at once: each made by one of some processes, returned as the bytes of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from na64.limits.figures.style import figure_bytes
from na64.limits.planes.transforms import PLANES
from na64.limits.programme.description import Description
from na64.limits.programme.drawing import draw
from na64.limits.programme.reader import load_figure
from na64.models.errors import InputError, NA64Error
from na64.models.signals.rates import TableStore
from na64.workspaces.io.processes import Workers

__all__ = ["Files", "figure_files", "with_style"]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a figure.

    Attributes
    ----------
    name
        Name of the figure.
    content
        Bytes by suffix.
    notes
        What a reader must know.
    """

    name: str
    content: dict[str, bytes]
    notes: tuple[str, ...]


def figure_files(
    figures: Sequence[str | Path | Description],
    suffixes: Sequence[str],
    *,
    jobs: int = 1,
    tables: TableStore | None = None,
) -> Iterator[Files]:
    """Yield the files of figures as they are done.

    Parameters
    ----------
    figures
        Names, files or descriptions.
    suffixes
        Such as ``.pdf``: a file of each is made.
    jobs
        Processes that share the figures; the files do not depend on it.
    tables
        As in `na64.limits.scan`.

    Raises
    ------
    InputError
        Before anything is computed, for a figure that is unknown or has problems.
    """
    if jobs < 1:
        raise InputError(f"at least one job is needed, not {jobs}")
    found = [item if isinstance(item, Description) else load_figure(item) for item in figures]
    tasks = [(item, tuple(suffixes), tables) for item in sorted(found, key=_work, reverse=True)]
    if min(jobs, len(tasks)) == 1:
        yield from map(_made, tasks)
        return
    with Workers(min(jobs, len(tasks))) as pool:
        for done in as_completed([pool.submit(_made, task) for task in tasks]):
            yield done.result()


def with_style(description: Description, style: str) -> Description:
    """Return a figure in another style."""
    panels = tuple(
        replace(panel, appearance=replace(panel.appearance, style=style))
        for panel in description.panels
    )
    return replace(description, panels=panels)


def _work(description: Description) -> int:
    """About how much there is to compute: the most is begun first, so that none waits long."""
    return sum(
        len(item.specification().masses_gev) * len(item.search) * _effort(panel.plane)
        for panel in description.panels
        for item in panel.limits
    )


def _effort(plane: str) -> int:
    """How much longer a limit takes in a plane that scans it at many dark couplings."""
    return 10 if plane and PLANES[plane].transform is not None else 1


def _made(task: tuple[Description, tuple[str, ...], TableStore | None]) -> Files:
    description, suffixes, tables = task
    try:
        made = draw(description, tables=tables)
    except NA64Error as error:
        raise type(error)(f"figure {description.name}: {error}") from error
    content = {suffix: figure_bytes(made.figure, f"figure{suffix}") for suffix in suffixes}
    return Files(description.name, content, made.notes)
