"""Options that several commands share; values are checked with the library's own messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from na64.limits.results.tables import WRITERS

__all__ = [
    "cache_option",
    "cl_option",
    "jobs_option",
    "json_option",
    "masses_option",
    "model_option",
    "names_option",
    "normalisation_option",
    "output_option",
    "plane_option",
    "policy_options",
    "read_policy",
    "set_option",
    "target_option",
]

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]


def masses_option(*, required: bool = False, help: str = "") -> Decorator[Any]:
    """``--masses LO:HI:N`` in GeV."""
    return click.option(
        "--masses",
        metavar="LO:HI:N",
        required=required,
        help=help or "Mediator masses in GeV: N points, log-spaced, or a comma list.",
    )


def model_option(default: str | None = "dark-photon") -> Decorator[Any]:
    """``--model NAME`` and ``--charges FILE``.

    There is no choice list, so that plug-ins are looked for only when needed.
    """

    def decorate(function: Function) -> Function:
        function = click.option(
            "--charges",
            metavar="FILE.toml",
            help="A mediator of your own instead: kind and charges in a file.",
        )(function)
        return click.option(
            "--model",
            metavar="NAME",
            default=None,
            help="Mediator (see `list models`)"
            + (f"; {default} if not given." if default else "."),
        )(function)

    return decorate


def target_option(default: str = "lead") -> Decorator[Any]:
    """``--target MATERIAL``."""
    return click.option(
        "--target",
        metavar="MATERIAL",
        default=default,
        show_default=True,
        help="Target material: lead, tungsten, iron, ecal, ...",
    )


def cl_option() -> Decorator[Any]:
    """``--cl``: the confidence level."""
    return click.option(
        "--cl",
        "confidence_level",
        metavar="CL",
        type=float,
        default=0.9,
        show_default=True,
        help="Confidence level, between 0 and 1.",
    )


def set_option() -> Decorator[Any]:
    """``--set PATH=VALUE``: change a number of the card."""
    return click.option(
        "--set",
        "overrides",
        metavar="PATH=VALUE",
        multiple=True,
        help="Change a value of the card, such as bins.0.exposure=1e13; repeatable.",
    )


class _NamesOption(click.Option):
    """An option whose help names the rows of a table, which is loaded for the help alone."""

    def __init__(self, *args: Any, names: Callable[[], Iterable[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names = names

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the two columns of the help."""
        record = super().get_help_record(ctx)
        return record and (record[0], record[1].replace("{names}", ", ".join(self._names())))


def names_option(
    *words: str, names: Callable[[], Iterable[str]], help: str, **others: Any
) -> Decorator[Any]:
    """Return an option that takes a name; ``{names}`` in its help are those that there are."""
    return click.option(*words, cls=_NamesOption, names=names, metavar="NAME", help=help, **others)


def plane_option(help: str, **others: Any) -> Decorator[Any]:
    """``--plane NAME``."""

    def names() -> Iterable[str]:
        from na64.limits.planes.transforms import PLANES

        return PLANES

    return names_option("--plane", names=names, help=help, **others)


def normalisation_option(function: Function) -> Function:
    """``--normalisation``: what y means."""
    return click.option(
        "--normalisation",
        metavar="NAME",
        help="Of y: coupling^2 alpha_D (alpha-d), or (g_chi coupling)^2 (product), times "
        "(m_chi/m_mediator)^4.  [default: alpha-d]",
    )(function)


def json_option(function: Function) -> Function:
    """``--json``: data on stdout and nothing else."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")(function)


def output_option(what: str = "{data}") -> Decorator[Any]:
    """``-o FILE`` and ``--force``; the suffix decides, ``{data}`` being those of results."""

    def decorate(function: Function) -> Function:
        function = click.option("--force", is_flag=True, help="Replace output files that exist.")(
            function
        )
        return click.option(
            "-o",
            "--output",
            "outputs",
            metavar="FILE",
            multiple=True,
            help=f"Write a file: {what.format(data=' or '.join(WRITERS))}; repeatable.",
        )(function)

    return decorate


def cache_option(function: Function) -> Function:
    """``--no-cache``: neither read nor write tables of cross-sections on disk."""
    return click.option(
        "--no-cache", is_flag=True, help="Compute every table anew; see `doctor` for the cache."
    )(function)


def jobs_option(function: Function) -> Function:
    """``--jobs``: processes."""
    return click.option(
        "--jobs",
        metavar="N",
        type=int,
        default=1,
        show_default=True,
        help="Processes that share the work; the result does not depend on it.",
    )(function)


def policy_options(function: Function) -> Function:
    """``--recompute`` and ``--leave-out``: masses at which a change cannot be carried over."""
    function = click.option(
        "--leave-out",
        is_flag=True,
        help="Leave such masses without a limit; figures show the gap.",
    )(function)
    return click.option(
        "--recompute",
        is_flag=True,
        help="Scan anew, with what is in the file, where the yields of the scan cannot carry the "
        "change.",
    )(function)


def read_policy(recompute: bool, leave_out: bool) -> str:
    """Return the policy that `policy_options` ask for."""
    if recompute and leave_out:
        raise click.UsageError("masses can be scanned anew or left out, not both")
    return "recompute" if recompute else "leave-out" if leave_out else "refuse"
