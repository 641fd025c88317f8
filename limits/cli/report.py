"""The frame of commands: outputs checked before the work, one report written at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import json_option, output_option
from na64.limits.figures import FIGURE_SUFFIXES
from na64.limits.results.tables import WRITERS, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Report", "reporting", "reporting_with_figure", "tabled"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a command found, in all its forms.

    Attributes
    ----------
    content
        Returns what a file of the given name holds.
    people
        What is printed where neither JSON nor a file is asked for.
    files
        Further files by their names; all files are written or none.
    warnings, notes
        What is said on stderr after the files are written.
    code
        Exit code.
    """

    content: Callable[[str], str | bytes]
    people: str = ""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    code: int = 0


def tabled(
    document: Mapping[str, Any],
    table: Table,
    *,
    rows: Table | None = None,
    facts: Mapping[str, Any] | None = None,
    others: Mapping[str, Callable[[str], str | bytes]] | None = None,
    figure: Callable[[], Figure] | None = None,
    after: str = "",
    **said: Any,
) -> Report:
    """Return the report of a document.

    Parameters
    ----------
    document
        The result under its stable keys, without ``provenance``.
    table
        The same for people, and for CSV files unless `rows` are for them.
    facts
        What `provenance` ought to say beyond versions and command.
    others
        What returns the content of a file, by its suffix, where `WRITERS` does not make it.
    figure
        Draws the result, for the commands of `reporting_with_figure`; called only where a file
        with a suffix of `FIGURE_SUFFIXES` is asked for.
    after
        What people read below the table.
    said
        Warnings, notes and code of the report.
    """
    from na64.limits.results.provenance import provenance
    from na64.workspaces.io.jsonio import canonical_json, digest

    made = provenance(**(facts or {}), content_digest=digest(document))
    text = canonical_json({**document, "provenance": made}, indent=1) + "\n"

    def content(name: str) -> str | bytes:
        suffix = Path(name).suffix
        if others and suffix in others:
            return others[suffix](name)
        if figure is not None and suffix in FIGURE_SUFFIXES:
            from na64.limits.figures.style import figure_bytes

            return figure_bytes(figure(), name)
        return WRITERS[suffix](text, rows or table)

    return Report(content, table.text() + after, **said)


def reporting(
    what: str = "{data}",
    suffixes: Iterable[str] = WRITERS,
    *,
    json: bool = True,
) -> Callable[[Callable[..., Report]], Callable[..., int]]:
    """Make a command of a function that returns a report.

    It gets the options ``-o``, ``--force`` and, with `json`, ``--json``.

    Parameters
    ----------
    what
        The files in the words of the help; ``{data}`` are those of results.
    suffixes
        Those that mean something.
    json
        Whether the report may be asked for as JSON.
    """

    def decorate(function: Callable[..., Report]) -> Callable[..., int]:
        @wraps(function)
        def run(
            *, outputs: tuple[str, ...], force: bool, as_json: bool = False, **given: Any
        ) -> int:
            from na64.limits.cli.output import check_outputs, write_outputs

            check_outputs(outputs, force, suffixes)
            report = function(**given)
            written = {name: report.content(name) for name in outputs}
            write_outputs({**report.files, **written}, force)
            if as_json:
                click.echo(report.content("stdout.json"), nl=False)
            elif report.people and not outputs:
                click.echo(report.people, nl=not report.people.endswith("\n"))
            for warning in report.warnings:
                the_console().warning(warning)
            for note in report.notes:
                the_console().note(note)
            return report.code

        made: Callable[..., int] = output_option(what)(run)
        return json_option(made) if json else made

    return decorate


def reporting_with_figure() -> Callable[[Callable[..., Report]], Callable[..., int]]:
    """Make a command of a function whose report has a figure; see `reporting` and `tabled`."""
    return reporting("{data}, or a figure {figures}", (*WRITERS, *FIGURE_SUFFIXES))
