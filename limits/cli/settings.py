"""Options made from the declarations of settings: of the signal, the dark sector, calculators.

They are made when a command is parsed or asks for its help, so that the declarations, which need
numpy, are not loaded by ``na64-limits --help``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from na64.limits.cli.application import Command
from na64.limits.cli.options import (
    cache_option,
    cache_size_option,
    charges_option,
    make_tables,
    masses_option,
    set_option,
)

if TYPE_CHECKING:
    from na64.limits.results.specification import Specification
    from na64.models.declaration import Declared

__all__ = ["SettingsCommand", "SignalCommand", "SignalRequest"]

#: what the dark matter of a signal may be beside its species
_NONE: Final = ", or none. By default none for a model that decays to neutrinos, otherwise dirac."


class SettingsCommand(Command):
    """A command that takes declared settings, each by its keyword, None where not given.

    Parameters
    ----------
    settings
        Groups: ``sector``, ``signal``, ``calculator``; or single names of settings.
    default
        What a setting is that is not given, in the words of the help; the declared default if
        empty.
    dark_matter
        What the help says of the default of ``dark_matter``.
    """

    def __init__(
        self,
        *args: Any,
        settings: tuple[str, ...] = (),
        default: str = "",
        dark_matter: str = _NONE,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._wanted = settings
        self._default = default
        self._dark_matter = dark_matter
        self._made = False

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, those of settings in front of the options of the command."""
        if not self._made:
            self._made = True
            first = sum(isinstance(item, click.Argument) for item in self.params)
            self.params[first:first] = self._options()
        return super().get_params(ctx)

    def _options(self) -> list[click.Parameter]:
        from na64.limits.scanning.settings import CALCULATOR, SECTOR, SIGNAL

        groups = {"sector": SECTOR, "signal": SIGNAL, "calculator": CALCULATOR}
        declared: dict[str, Declared] = {}
        for name in self._wanted:
            if name in groups:
                declared.update(groups[name])
            else:
                declared[name] = next(group[name] for group in groups.values() if name in group)
        options: list[click.Parameter] = [_method()] if "calculator" in self._wanted else []
        return options + [self._option(name, item) for name, item in declared.items()]

    def _option(self, name: str, item: Declared) -> click.Option:
        usual, words = item.default, item.key.help
        if isinstance(usual, bool):
            return click.Option(
                [f"--{item.option}", name],
                is_flag=True,
                default=False,
                callback=lambda _context, _option, value: (not usual) if value else None,
                help=words,
            )
        shown = self._default or f"{usual}"
        if methods := _methods_with(name):
            words = f"{words.removesuffix('.')} (method {' or '.join(methods)})."
            if len(set(methods.values())) > 1:
                shown = ", ".join(f"{value} {method}" for method, value in methods.items())
        if name == "dark_matter":
            words, shown = words.removesuffix(".") + self._dark_matter, self._default
        number = isinstance(usual, (int, float))
        return click.Option(
            [f"--{item.option}", name],
            type=type(usual) if number else str,
            metavar={int: "N", float: "X"}.get(type(usual), "NAME"),
            default=None,
            help=words + (f"  [default: {shown}]" if shown else ""),
        )


def _methods_with(name: str) -> dict[str, Any]:
    """Return the default of a setting in each calculator that has it."""
    from na64.limits.calculators.registry import CALCULATORS, settings_of

    every = {method: settings_of(method) for method in CALCULATORS}
    return {method: has[name] for method, has in every.items() if name in has}


def _method() -> click.Option:
    from na64.limits.calculators.registry import CALCULATORS

    return click.Option(
        ["--method"],
        metavar="NAME",
        default=None,
        help=f"Calculator: {', '.join(CALCULATORS)}.  [default: {next(iter(CALCULATORS))}]",
    )


@dataclass(frozen=True, slots=True)
class SignalRequest:
    """What the user asked for; `specify` reads cards and names.

    Attributes
    ----------
    search
        Name of a card, file, or ``-``.
    model, charges
        Name of the mediator, or file with its charges.
    masses
        Text of the mass grid.
    overrides
        ``path=value`` settings of the card.
    combine, shared
        Further searches in the same likelihood, and the nuisances that are one parameter.
    no_cache, cache_size
        Whether tables on disk are left alone, and what they may have together.
    settings
        Declared settings by keyword, None where not given.
    """

    search: str
    model: str | None
    charges: str | None
    masses: str | None
    overrides: tuple[str, ...]
    combine: tuple[str, ...]
    shared: tuple[str, ...]
    no_cache: bool
    cache_size: str | None
    settings: Mapping[str, Any]

    def specify(self, **others: Any) -> Specification:
        """Return the specification, with further keywords of `na64.limits.specify`.

        A range of masses gets further ones only where there is a keyword ``grid``.
        """
        from na64.limits.cli.inputs import read_card, read_model
        from na64.limits.scanning.grids import parse_grid
        from na64.limits.scanning.request import specify

        card = read_card(self.search, self.overrides)
        masses: Any = self.masses
        if masses is not None and "grid" not in others:
            masses = parse_grid(masses)
        return specify(
            [card, *self.combine],
            masses_gev=masses,
            model=read_model(self.model, self.charges),
            shared=self.shared,
            **self.settings,
            **others,
        )

    @property
    def tables(self) -> Any:
        """The cache of tables."""
        return make_tables(self.no_cache, self.cache_size)


class SignalCommand(SettingsCommand):
    """A command that computes the signal of a search; it receives one `SignalRequest`, ``request``.

    Parameters
    ----------
    masses_help
        Help of the option ``--masses``, where it is not the usual one.
    calculator
        Whether it takes a calculator as well.
    """

    def __init__(
        self, *args: Any, masses_help: str = "", calculator: bool = False, **kwargs: Any
    ) -> None:
        groups = ("sector", "signal", *(("calculator",) if calculator else ()))
        super().__init__(*args, settings=groups, default="", **kwargs)
        self.params[:0] = _signal_parameters(masses_help)
        self._inner, self.callback = self.callback, self._with_request

    def _with_request(self, **given: Any) -> Any:
        from na64.limits.scanning.settings import SETTINGS

        settings = {name: given.pop(name) for name in ("method", *SETTINGS) if name in given}
        words = {
            name: given.pop(name)
            for name in SignalRequest.__dataclass_fields__
            if name != "settings"
        }
        assert self._inner is not None
        return self._inner(request=SignalRequest(**words, settings=settings), **given)


def _signal_parameters(masses_help: str) -> list[click.Parameter]:
    from na64.workspaces.cards import DEFAULT_CARD

    @click.command()
    @click.argument("search", metavar="[SEARCH|CARD.toml|-]", default=DEFAULT_CARD)
    @click.option("--model", metavar="NAME", help="Mediator (see `list models`); that of the card.")
    @charges_option
    @masses_option(help=masses_help)
    @set_option
    @click.option(
        "--combine",
        metavar="SEARCH",
        multiple=True,
        help="Join another search in one likelihood; repeatable. --set is for the first.",
    )
    @click.option(
        "--shared",
        metavar="NAME",
        multiple=True,
        help="Nuisance that is one parameter in all searches combined, such as exposure.",
    )
    @cache_option
    @cache_size_option
    def declared() -> None: ...

    return declared.params
