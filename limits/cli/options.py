"""Options that several commands share; values are checked with the library's own messages.

Values that are names have no choice list, so that plug-ins are looked for only when needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

import click

from na64.limits.figures import FIGURE_SUFFIXES
from na64.limits.results.tables import WRITERS

__all__ = [
    "cache_option",
    "cache_size_option",
    "charges_option",
    "cl_option",
    "coupling_option",
    "jobs_option",
    "json_option",
    "make_tables",
    "masses_option",
    "measurement_option",
    "model_option",
    "names_option",
    "normalisation_option",
    "number_option",
    "output_option",
    "plane_option",
    "policy_options",
    "set_option",
    "tables_option",
    "target_option",
    "trust_option",
]

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]

charges_option = click.option(
    "--charges",
    metavar="FILE.toml",
    help="A mediator of your own instead: kind and charges in a file.",
)
set_option = click.option(
    "--set",
    "overrides",
    metavar="PATH=VALUE",
    multiple=True,
    help="Change a value of the card, such as bins.0.exposure=1e13; repeatable.",
)
measurement_option = click.option(
    "--measurement", metavar="NAME", help="Measurement.  [default: the first]"
)
normalisation_option = click.option(
    "--normalisation",
    metavar="NAME",
    help="Of y: coupling^2 alpha_D (alpha-d), or (g_chi coupling)^2 (product), times "
    "(m_chi/m_mediator)^4.  [default: alpha-d]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")
cache_option = click.option(
    "--no-cache", is_flag=True, help="Compute every table anew; see `doctor` for the cache."
)
cache_size_option = click.option(
    "--cache-size",
    metavar="SIZE",
    help="What the tables in the cache may have together, such as 500MB; those used longest ago "
    "go.  [default: 1GiB]",
)
trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Accept results that were changed after they were written, with a warning.",
)
jobs_option = click.option(
    "--jobs",
    metavar="N",
    type=int,
    default=1,
    show_default=True,
    help="Processes that share the work; the result does not depend on it.",
)
target_option = click.option(
    "--target",
    metavar="MATERIAL",
    default="lead",
    show_default=True,
    help="Target material: lead, tungsten, iron, ecal, ...",
)


def number_option(*names: str, metavar: str, default: float, help: str) -> Decorator[Any]:
    """Return an option that takes a number and shows its default."""
    return click.option(
        *names, metavar=metavar, type=float, default=default, show_default=True, help=help
    )


cl_option = number_option(
    "--cl",
    "confidence_level",
    metavar="CL",
    default=0.9,
    help="Confidence level, between 0 and 1.",
)


def coupling_option(*names: str, default: float) -> Decorator[Any]:
    """``--coupling`` and ``--epsilon``."""
    return number_option(
        *names, "coupling", metavar="G", default=default, help="Free coupling of the model."
    )


def masses_option(*, required: bool = False, help: str = "") -> Decorator[Any]:
    """``--masses LO:HI:N`` in GeV."""
    return click.option(
        "--masses",
        metavar="LO:HI:N",
        required=required,
        help=help or "Mediator masses in GeV: N points, log-spaced, or a comma list.",
    )


def model_option(default: str | None = "dark-photon") -> Decorator[Any]:
    """``--model NAME`` and ``--charges FILE``."""
    words = "Mediator (see `list models`)" + (f"; {default} if not given." if default else ".")
    option = click.option("--model", metavar="NAME", help=words)
    return lambda function: option(charges_option(function))


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


def output_option(what: str) -> Decorator[Any]:
    """``-o FILE`` and ``--force``; ``{data}`` and ``{figures}`` are suffixes that decide."""
    words = what.format(data=", ".join(WRITERS), figures=", ".join(FIGURE_SUFFIXES))
    force = click.option("--force", is_flag=True, help="Replace output files that exist.")
    output = click.option(
        "-o",
        "--output",
        "outputs",
        metavar="FILE",
        multiple=True,
        help=f"Write a file: {words}; repeatable.",
    )
    return lambda function: output(force(function))


def make_tables(no_cache: bool, cache_size: str | None) -> Any:
    """Return the cache of tables that the two options describe."""
    from na64.workspaces.io.cache import TableCache

    return TableCache(enabled=not no_cache, size=cache_size)


def tables_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--no-cache`` and ``--cache-size`` for a function that receives the cache of ``tables``."""

    @wraps(function)
    def run(*, no_cache: bool, cache_size: str | None, **given: Any) -> Any:
        return function(tables=make_tables(no_cache, cache_size), **given)

    return cache_option(cache_size_option(run))


def policy_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--recompute``, ``--leave-out`` and the cache, for masses that cannot be carried over.

    The function receives the ``policy`` and the cache of ``tables``.
    """

    @wraps(function)
    def run(*, recompute: bool, leave_out: bool, **given: Any) -> Any:
        if recompute and leave_out:
            raise click.UsageError("masses can be scanned anew or left out, not both")
        policy = "recompute" if recompute else "leave-out" if leave_out else "refuse"
        return function(policy=policy, **given)

    again = click.option(
        "--recompute",
        is_flag=True,
        help="Scan anew, with what is in the file, where the yields of the scan cannot carry the "
        "change.",
    )
    gap = click.option(
        "--leave-out",
        is_flag=True,
        help="Leave such masses without a limit; figures show the gap.",
    )
    return again(gap(tables_option(run)))
