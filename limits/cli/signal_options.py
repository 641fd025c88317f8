"""The options of every command that computes the signal of a search, as one request."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.options import (
    cache_option,
    dark_sector_options,
    masses_option,
    model_option,
    production_option,
    set_option,
    splitting_option,
)

if TYPE_CHECKING:
    from na64.limits.scanning.signal import ExpectedSignal, Settings

__all__ = ["SignalRequest", "signal_options"]


@dataclass(frozen=True, slots=True)
class SignalRequest:
    """What the user asked for.

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
    use_cache
        Whether tables on disk are used.
    settings
        Dark sector and approximations.
    """

    search: str
    model: str | None
    charges: str | None
    masses: str | None
    overrides: tuple[str, ...]
    combine: tuple[str, ...]
    shared: tuple[str, ...]
    use_cache: bool
    settings: Settings

    def compute(self, progress: Callable[[str], object]) -> ExpectedSignal:
        """Read card, model and masses, and compute the signal."""
        from na64.limits.cli.inputs import read_card, read_model
        from na64.limits.scanning.combination import combined_signal
        from na64.limits.scanning.grids import parse_grid
        from na64.limits.scanning.signal import expected_signal
        from na64.models.errors import InputError
        from na64.workspaces.io.cache import TableCache

        card = read_card(self.search, self.overrides)
        options: dict[str, Any] = {
            "masses_gev": None if self.masses is None else parse_grid(self.masses),
            "model": read_model(self.model, self.charges),
            "settings": self.settings,
            "tables": TableCache(enabled=self.use_cache),
            "progress": progress,
        }
        if self.combine:
            return combined_signal([card, *self.combine], shared=self.shared, **options)
        if self.shared:
            raise InputError("--shared is for searches that --combine joins")
        return expected_signal(card, **options)


def signal_options(masses_help: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add search, model, masses, production, dark sector, ``--set`` and the cache to a command.

    The command receives them as one `SignalRequest`, ``request``.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(
            search: str,
            model: str | None,
            charges: str | None,
            masses: str | None,
            overrides: tuple[str, ...],
            combine: tuple[str, ...],
            shared: tuple[str, ...],
            no_cache: bool,
            production: str,
            alpha_d: float,
            ratio: float,
            dark_matter: str | None,
            splitting: float,
            no_annihilation: bool,
            no_primary_positrons: bool,
            invisible_branching: float,
            elastic_only: bool,
            radiation: bool,
            **others: Any,
        ) -> Any:
            from na64.limits.scanning.signal import Settings

            settings = Settings(
                production=production,
                alpha_d=alpha_d,
                ratio=ratio,
                dark_matter=dark_matter,
                splitting=splitting,
                annihilation=not no_annihilation,
                primary_positrons=not no_primary_positrons,
                invisible_branching=invisible_branching,
                inelastic=not elastic_only,
                initial_state_radiation=radiation,
            )
            request = SignalRequest(
                search, model, charges, masses, overrides, combine, shared, not no_cache, settings
            )
            return function(request=request, **others)

        for option in (
            cache_option,
            click.option(
                "--shared",
                metavar="NAME",
                multiple=True,
                help="Nuisance that is one parameter in all searches combined, such as exposure.",
            ),
            click.option(
                "--combine",
                metavar="SEARCH",
                multiple=True,
                help="Join another search in one likelihood; repeatable. --set is for the first.",
            ),
            set_option(),
            click.option(
                "--radiation",
                is_flag=True,
                help="With initial-state radiation of the annihilating pair.",
            ),
            click.option(
                "--elastic-only", is_flag=True, help="Without inelastic scattering off nuclei."
            ),
            click.option(
                "--no-primary-positrons",
                is_flag=True,
                help="Of a positron beam only the shower annihilates, for comparison.",
            ),
            click.option(
                "--invisible-branching",
                metavar="BR",
                type=float,
                default=0.0,
                show_default=True,
                help="Of a particle that decays in flight: share of decays that nothing sees.",
            ),
            click.option("--no-annihilation", is_flag=True, help="Without the resonance of e+ e-."),
            splitting_option,
            dark_sector_options,
            production_option(),
            masses_option(help=masses_help),
            model_option(None),
            click.argument("search", metavar="[SEARCH|CARD.toml|-]", default="na64e-2016-2022"),
        ):
            command = option(command)
        return command

    return decorate
