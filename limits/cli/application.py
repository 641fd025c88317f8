"""The group of commands, the options that all of them have, and the exit codes.

Command modules import nothing heavier than click at their top, and the group loads them by name,
so that ``--help`` does not wait for numpy, scipy and pyhf.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, Final

import click

from na64.limits.cli.console import Console

__all__ = ["Command", "Group", "cli", "main", "the_console"]

#: command to the module that defines it, as `command`; the order is that of ``--help``
COMMANDS: Final = {
    "scan": "scan",
    "recast": "recast",
    "to-plane": "to_plane",
    "plot": "plot",
    "yields": "yields",
    "cross-section": "cross_section",
    "track-length": "track_length",
    "width": "width",
    "relic": "relic",
    "card": "card",
    "workspace": "workspace",
    "limit": "limit",
    "cls": "cls",
    "significance": "significance",
    "breakdown": "breakdown",
    "background": "background",
    "optimise": "optimise",
    "list": "list",
    "doctor": "doctor",
}

CITATION: Final = """\
The na64-limits developers, na64-limits (version {version}), MIT licence.

Cite with it what the result stands on:
  NA64e data        NA64, Phys. Rev. Lett. 131 (2023) 161801, arXiv:2307.02404
  resonance         NA64, Phys. Rev. D 104 (2021) L091701, arXiv:2108.04195
  emission (ETL)    Liu and Miller, Phys. Rev. D 96 (2017) 016004, arXiv:1705.01633
                    Gninenko et al., Phys. Lett. B 782 (2018) 406, arXiv:1712.05706
  CLs, asymptotics  Read, J. Phys. G 28 (2002) 2693; Cowan et al., arXiv:1007.1727
  relic density     Gondolo and Gelmini, Nucl. Phys. B 360 (1991) 145
  workspaces        pyhf, J. Open Source Softw. 6 (2021) 2823
The files in the `references` of a card (na64-limits card show) belong to its numbers."""


def the_console() -> Console:
    """Return the console of the running command."""
    context = click.get_current_context(silent=True)
    if context is None:
        return Console()
    return context.find_root().ensure_object(Console)


def _version() -> str:
    from importlib.metadata import version

    return version("na64-limits")


def _print_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(f"na64-limits {_version()}")
        context.exit()


def _print_citation(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(CITATION.format(version=_version()))
        context.exit()


def _louder(context: click.Context, _parameter: click.Parameter, value: int) -> None:
    if value:
        context.find_root().ensure_object(Console).verbosity += value


def _quieter(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().ensure_object(Console).verbosity = -1


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["-v", "--verbose"],
            count=True,
            expose_value=False,
            is_eager=True,
            callback=_louder,
            help="Say what is done; twice: tracebacks of errors too.",
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_quieter,
            help="Errors only.",
        ),
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_print_version,
            help="Print the version and exit.",
        ),
        click.Option(
            ["--cite"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_print_citation,
            help="Print what to cite and exit.",
        ),
    ]


class Command(click.Command):
    """A command with ``-v``, ``-q``, ``--version`` and ``--cite``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command with the library's log on the console."""
        with the_console().library_log():
            return super().invoke(ctx)


class Group(click.Group):
    """A group of commands of this kind."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a name; an unknown one gets the nearest match."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            from na64.models.errors import unknown_name

            raise click.UsageError(str(unknown_name("command", name, self.list_commands(ctx))))
        return super().resolve_command(ctx, args)


class LazyGroup(Group):
    """The top group, which imports the module of a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"na64.limits.cli.{COMMANDS[cmd_name]}")
        command = module.command
        if not isinstance(command, click.Command):  # pragma: no cover - a slip in this package
            raise TypeError(f"{module.__name__}.command is no click command")
        return command


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
def cli() -> None:
    """Signal yields, CLs limits and figures for the NA64 missing-energy programme.

    na64-limits scan -o scan.json computes the exclusion of the invisible dark photon by NA64e;
    na64-limits plot scan.json -o scan.pdf draws it.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    0 done, 1 the computation failed, 2 usage or bad input, 3 done in part.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    console = Console()
    args = None if arguments is None else list(arguments)
    if sys.stderr is None:  # closed by the shell: what is said goes nowhere
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = _ClosedStdout()
    try:
        with console.warnings_as_log():
            code = cli.main(args, prog_name="na64-limits", standalone_mode=False, obj=console)
            sys.stdout.flush()
    except Exception as error:
        return _report(console, error)
    except KeyboardInterrupt:
        console.error("interrupted")
        return 130
    return code if isinstance(code, int) else 0


class _ClosedStdout(io.TextIOBase):
    """Stands for a stdout that the shell has closed: files are written, results are not lost."""

    def write(self, text: str, /) -> int:
        """Refuse to write."""
        from na64.models.errors import InputError

        raise InputError("stdout is closed; write to a file with -o FILE")


def _report(console: Console, error: Exception) -> int:
    """Write one clear line about an error and return the exit code."""
    from na64.models.errors import NA64Error

    if isinstance(error, BrokenPipeError):
        # the reader of the pipe, such as `head`, has gone; do not complain at shutdown either
        sys.stdout = None
        return 0
    if isinstance(error, click.Abort):
        console.error("interrupted")
        return 130
    if console.verbosity >= 2:
        traceback.print_exception(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(error.format_message(), file=sys.stderr)
        return 2
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        where = f" (see '{context.command_path} --help')" if context is not None else ""
        console.error(f"{error.format_message().rstrip('.')}{where}")
        return 2
    if isinstance(error, NA64Error):
        console.error(str(error))
        return error.exit_code
    if isinstance(error, OSError):
        named = f"'{error.filename}': " if error.filename else ""
        console.error(f"{named}{error.strerror or error}")
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            return 2
        sys.stdout = None  # there may be more to write to it, which would fail again
        return 1
    if isinstance(error, MemoryError):
        console.error("out of memory; ask for fewer points at once")
        return 1
    console.error(
        f"internal error, {type(error).__name__}: {error} (-vv shows where; please report it)"
    )
    return 1
