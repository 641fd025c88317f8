"""What every command is made of: its class, the options that all of them have, the console."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import click

from na64.limits.cli.console import Console
from na64.limits.cli.progress import FORMS

__all__ = ["Command", "Group", "in_options", "the_console"]

#: arguments in Python whose option has another name
_ARGUMENTS: Final = {"masses_gev": "masses"}

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


def _print(text: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    """Return what prints a text, with its ``{version}``, and leaves."""

    def callback(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            from importlib.metadata import version

            click.echo(text.format(version=version("na64-limits")))
            context.exit()

    return callback


def _louder(context: click.Context, _parameter: click.Parameter, value: int) -> None:
    if value:
        context.find_root().ensure_object(Console).verbosity += value


def _quieter(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().ensure_object(Console).verbosity = -1


def _told(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.find_root().ensure_object(Console).progress_form = value


def _common_options() -> list[click.Parameter]:
    def flag(*names: str, callback: Any, help: str, **words: Any) -> click.Option:
        kind = words or {"is_flag": True}
        return click.Option(
            names, expose_value=False, is_eager=True, callback=callback, help=help, **kind
        )

    loud = "Say what is done; twice: tracebacks of errors too."
    return [
        flag("-v", "--verbose", callback=_louder, help=loud, count=True),
        flag("-q", "--quiet", callback=_quieter, help="Errors only."),
        flag(
            "--progress",
            callback=_told,
            help="What long computations tell on stderr.",
            type=click.Choice(list(FORMS)),
            metavar="|".join(FORMS),
        ),
        flag(
            "--version",
            callback=_print("na64-limits {version}"),
            help="Print the version and exit.",
        ),
        flag("--cite", callback=_print(CITATION), help="Print what to cite and exit."),
    ]


def in_options(message: str, params: Sequence[click.Parameter]) -> str:
    """Return a message with the arguments that it names in backticks as options of a command.

    Parameters
    ----------
    message
        Such as "give `dark_matter`", or "`policy=recompute`" for what may be a flag of its own.
    params
        What the command takes; what it does not take keeps its name.
    """
    flags = {item.name: item.opts[0] for item in params if isinstance(item, click.Option)}

    def option(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        name = _ARGUMENTS.get(name, name)
        if value and value.replace("-", "_") in flags:
            return flags[value.replace("-", "_")]
        if name not in flags:
            return found[0].strip("`")
        return f"{flags[name]} {value}" if value else flags[name]

    return re.sub(r"`(?P<name>[a-z_0-9]+)(=(?P<value>[\w.+-]+))?`", option, message)


class Command(click.Command):
    """A command with ``-v``, ``-q``, ``--version`` and ``--cite``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command with the library's log on the console.

        Errors of the library name arguments as Python has them; a person at a command line is
        told the options.
        """
        from na64.models.errors import NA64Error
        from na64.workspaces.io.allocation import keep_freed_memory

        keep_freed_memory()
        try:
            self._check_numbers(ctx)
            with the_console().library_log():
                return super().invoke(ctx)
        except NA64Error as error:
            error.args = tuple(
                in_options(item, self.params) if isinstance(item, str) else item
                for item in error.args
            )
            raise

    def _check_numbers(self, ctx: click.Context) -> None:
        """Refuse numbers with which nothing could be computed.

        NaN and small ones are left to what takes them, which says more of what is allowed.
        """
        from na64.models.declaration import LARGEST_NUMBER, Key, is_number, range_complaint

        for item in self.params:
            value = ctx.params.get(item.name or "")
            if value is None or not is_number(value) or not abs(value) > LARGEST_NUMBER:
                continue
            raise click.BadParameter(range_complaint(abs(value), Key()), ctx, item)


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
