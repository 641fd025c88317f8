"""Options that several commands share; values are checked with the library's own messages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any, TypeVar, cast

import click

__all__ = [
    "cache_option",
    "calculator_options",
    "cl_option",
    "dark_sector_options",
    "json_option",
    "masses_option",
    "model_option",
    "normalisation_option",
    "output_option",
    "production_option",
    "sector_options",
    "set_option",
    "splitting_option",
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


def production_option() -> Decorator[Any]:
    """``--production etl|ww|iww``."""
    return click.option(
        "--production",
        metavar="NAME",
        default="etl",
        show_default=True,
        help="Cross-section: etl (exact tree level), ww or iww (Weizsacker-Williams).",
    )


def calculator_options(*, parallel: bool = True) -> Decorator[Any]:
    """``--method`` and the settings of all methods, with ``--jobs`` if masses may be shared out.

    The command receives ``calculator``, a `na64.limits.calculators.Calculator`, and ``jobs``.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def command(method: str, **others: Any) -> Any:
            from na64.limits.calculators.registry import calculator

            given = {name: others.pop(name) for name in _settings()}
            given = {name: value for name, value in given.items() if value is not None}
            _refuse_settings_of_others(method, given)
            return function(calculator=calculator(method, **given), **others)

        decorated: Any = command
        for option in _calculator_options(parallel):
            decorated = option(decorated)
        return cast(Function, decorated)

    return decorate


def _settings() -> dict[str, list[tuple[str, Field[Any]]]]:
    """Return the settings of all calculators: the methods that have it, with its declaration."""
    from na64.limits.calculators.registry import CALCULATORS

    answer: dict[str, list[tuple[str, Field[Any]]]] = {}
    for name, row in CALCULATORS.items():
        for item in fields(cast(Any, row)):
            answer.setdefault(item.name, []).append((name, item))
    return answer


def _refuse_settings_of_others(method: str, given: dict[str, Any]) -> None:
    """Refuse what was given and would have no effect."""
    from na64.limits.calculators.registry import settings_of
    from na64.models.errors import InputError

    own = settings_of(method)
    for name in given:
        if name not in own:
            raise InputError(
                f"--{name.replace('_', '-')} is for --method "
                f"{' or '.join(other for other, _ in _settings()[name])}, the method is '{method}'"
            )


def _calculator_options(parallel: bool) -> list[Decorator[Any]]:
    from na64.limits.calculators.registry import CALCULATORS

    jobs = click.option(
        "--jobs",
        metavar="N",
        type=int,
        default=1,
        show_default=True,
        help="Processes that share the masses; the result does not depend on it.",
    )
    options = [jobs] if parallel else []
    for name, rows in reversed(_settings().items()):
        kind = type(rows[0][1].default)
        usual = dict.fromkeys(
            f"{item.default:g}" if kind is float else f"{item.default}" for _, item in rows
        )
        options.append(
            click.option(
                f"--{name.replace('_', '-')}",
                name,
                metavar="NAME" if kind is str else "N" if kind is int else "X",
                type=kind,
                help=f"{rows[0][1].metadata['help']}  "
                f"[{', '.join(method for method, _ in rows)}; default: {' or '.join(usual)}]",
            )
        )
    methods = "; ".join(f"{name} ({row.summary})" for name, row in CALCULATORS.items())
    return [
        *options,
        click.option(
            "--method",
            metavar="NAME",
            default=next(iter(CALCULATORS)),
            show_default=True,
            help=f"Calculator: {methods}.",
        ),
    ]


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


def dark_sector_options(function: Function) -> Function:
    """``--alpha-d``, ``--ratio``, ``--dark-matter``, where there may be no dark matter."""
    return cast(Function, sector_options(None)(function))


def sector_options(dark_matter: str | None) -> Decorator[Any]:
    """``--alpha-d``, ``--ratio``, ``--dark-matter`` with a default of the latter."""

    def decorate(function: Function) -> Function:
        what = "Dark matter: scalar, majorana, dirac, pseudo-dirac"
        usual = ", or none. By default none for a model that decays to neutrinos, otherwise dirac."
        decorated: Any = function
        for option in (
            click.option(
                "--dark-matter",
                metavar="NAME",
                default=dark_matter,
                show_default=dark_matter is not None,
                help=what + (usual if dark_matter is None else "."),
            ),
            click.option(
                "--ratio",
                metavar="R",
                type=float,
                default=3.0,
                show_default=True,
                help="Mediator mass over dark-matter mass, above 2.",
            ),
            click.option(
                "--alpha-d",
                metavar="ALPHA",
                type=float,
                default=0.1,
                show_default=True,
                help="Dark coupling g_D^2/(4 pi).",
            ),
        ):
            decorated = option(decorated)
        return cast(Function, decorated)

    return decorate


def splitting_option(function: Function) -> Function:
    """``--splitting``: of pseudo-Dirac states."""
    return click.option(
        "--splitting",
        metavar="D",
        type=float,
        default=0.0,
        show_default=True,
        help="Mass splitting of pseudo-Dirac states, m2 = m1 (1 + D).",
    )(function)


def normalisation_option(function: Function) -> Function:
    """``--normalisation``: what y means."""
    return click.option(
        "--normalisation",
        metavar="NAME",
        default="alpha-d",
        show_default=True,
        help="Of y: coupling^2 alpha_D (alpha-d), or (g_chi coupling)^2 (product), times "
        "(m_chi/m_mediator)^4.",
    )(function)


def json_option(function: Function) -> Function:
    """``--json``: data on stdout and nothing else."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")(function)


def output_option(what: str) -> Decorator[Any]:
    """``-o FILE`` and ``--force``; the suffix decides."""

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
            help=f"Write a file: {what}; repeatable.",
        )(function)

    return decorate


def cache_option(function: Function) -> Function:
    """``--no-cache``: neither read nor write tables of cross-sections on disk."""
    return click.option(
        "--no-cache", is_flag=True, help="Compute every table anew; see `doctor` for the cache."
    )(function)
