"""Options that several commands share; values are checked with the library's own messages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

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
    """``--method`` and what the toys need, with ``--jobs`` if they run in parallel.

    The command receives ``calculator``: keyword arguments of
    `na64.limits.calculators.upper_limits` or `cls_values`.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def command(
            method: str, toys: int, seed: int, ensemble: str, jobs: int = 1, **others: Any
        ) -> Any:
            from na64.limits.calculators import METHODS
            from na64.limits.calculators.toys import check_toys
            from na64.models.errors import unknown_name

            if method not in METHODS:
                raise unknown_name("method", method, METHODS)
            if method != "toys":
                _refuse_options_of_toys(method)
            check_toys(toys, ensemble, jobs)
            calculator = {"method": method, "toys": toys, "seed": seed, "ensemble": ensemble}
            if parallel:
                calculator["jobs"] = jobs
            return function(calculator=calculator, **others)

        decorated: Any = command
        for option in _calculator_options(parallel):
            decorated = option(decorated)
        return cast(Function, decorated)

    return decorate


def _refuse_options_of_toys(method: str) -> None:
    """Refuse what was given on the command line and would have no effect."""
    from na64.models.errors import InputError

    context = click.get_current_context()
    for name in ("toys", "seed", "ensemble", "jobs"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise InputError(f"--{name} is for --method toys, the method is '{method}'")


def _calculator_options(parallel: bool) -> list[Decorator[Any]]:
    jobs = click.option(
        "--jobs",
        metavar="N",
        type=int,
        default=1,
        show_default=True,
        help="Processes that share the toys; the result does not depend on it.",
    )
    return [
        *([jobs] if parallel else []),
        click.option(
            "--ensemble",
            metavar="NAME",
            default="aux-fixed",
            show_default=True,
            help="Toys with auxiliary data as observed (aux-fixed) or thrown (aux-fluctuated).",
        ),
        click.option(
            "--seed", metavar="N", type=int, default=1, show_default=True, help="Of the toys."
        ),
        click.option(
            "--toys",
            metavar="N",
            type=int,
            default=10_000,
            show_default=True,
            help="Toys per hypothesis and mass.",
        ),
        click.option(
            "--method",
            metavar="NAME",
            default="exact",
            show_default=True,
            help="Calculator of the CLs: exact, asymptotic (too strong for few events), or toys.",
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
