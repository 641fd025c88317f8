"""The group of all commands, and the exit codes.

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
from typing import Final

import click

from na64.limits.cli.application import Group
from na64.limits.cli.console import Console
from na64.limits.cli.signals import exit_code, obey_signals

__all__ = ["COMMANDS", "cli", "main", "run"]

#: command to the module that defines it, as `command`; the order is that of ``--help``
COMMANDS: Final = {
    "scan": "scan",
    "recast": "recast",
    "recast-curve": "recast_curve",
    "to-plane": "to_plane",
    "plot": "plot",
    "figure": "figure",
    "campaign": "campaign",
    "explore": "explore",
    "export": "export",
    "yields": "yields",
    "cross-section": "cross_section",
    "track-length": "track_length",
    "width": "width",
    "relic": "relic",
    "card": "card",
    "workspace": "workspace",
    "limit": "limit",
    "cls": "cls",
    "likelihood-scan": "likelihood_scan",
    "significance": "significance",
    "breakdown": "breakdown",
    "fit": "fit",
    "ranking": "ranking",
    "goodness": "goodness",
    "post-fit": "post_fit",
    "background": "background",
    "optimise": "optimise",
    "list": "list",
    "doctor": "doctor",
}


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

    0 done, 1 the computation failed, 2 usage or bad input, 3 done in part; 128 and the number of
    the signal that ended it.
    """
    obey_signals()
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    console = Console()
    args = None if arguments is None else list(arguments)
    if sys.stderr is None:  # closed by the shell: what is said goes nowhere
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = _ClosedStdout()
    stdout = sys.stdout
    try:
        _check_arguments(sys.argv[1:] if args is None else args)
        with console.warnings_as_log():
            code = cli.main(args, prog_name="na64-limits", standalone_mode=False, obj=console)
            sys.stdout.flush()
    except Exception as error:
        return _report(console, error)
    except SystemExit:
        if sys.stdout is stdout:
            raise
        return _report(console, BrokenPipeError())  # of which click leaves, with another stdout
    except KeyboardInterrupt as error:
        console.error("interrupted")
        return exit_code(error)
    return code if isinstance(code, int) else 0


def _check_arguments(words: Sequence[str]) -> None:
    """Refuse words that are no text: the result quotes them, and could not be written.

    Raises
    ------
    InputError
        For bytes that are not UTF-8, which Python hands on as lone surrogates.
    """
    for place, word in enumerate(words, 1):
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            from na64.models.errors import InputError

            shown = word.encode("utf-8", "backslashreplace").decode("utf-8")
            raise InputError(
                f"argument {place}, '{shown[:100]}': not a text in UTF-8; arguments and names of "
                "files are quoted in results"
            ) from None


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
        return exit_code(error)
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
