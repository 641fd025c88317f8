"""Several searches for one mediator in one likelihood: one coupling, shared nuisances if named."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import ArrayLike

from na64.limits.calculators.table import check_confidence_level
from na64.limits.results.limit import Exclusion
from na64.limits.scanning.runner import chosen_calculator, exclude
from na64.limits.scanning.signal import (
    NO_DARK_MATTER,
    ExpectedSignal,
    Settings,
    check_masses,
    find_card,
    find_mediator,
    refuse_unused,
    signal_of_card,
)
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator
from na64.models.signals.rates import TableStore
from na64.workspaces.cards.card import RunCard
from na64.workspaces.io import jsonio
from na64.workspaces.pyhf.combine import combine_rates, combine_templates
from na64.workspaces.pyhf.template import Template

__all__ = ["CombinedSearch", "combined_signal", "scan_combination"]


@dataclass(frozen=True, slots=True)
class CombinedSearch:
    """Run cards that are combined.

    Attributes
    ----------
    cards
        Two or more, each once.
    shared
        Nuisances that are one parameter in all cards that have them.
    """

    cards: tuple[RunCard, ...]
    shared: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Names of the cards, joined by ``+``."""
        return "+".join(card.name for card in self.cards)

    @property
    def title(self) -> str:
        """Names of the cards, in words, with what was set in them."""
        *others, last = (
            f"{card.name} with {', '.join(card.overrides)}" if card.overrides else card.name
            for card in self.cards
        )
        return f"{', '.join(others)} and {last}, combined"

    @property
    def mass_parameter(self) -> str:
        """That of the first card."""
        return self.cards[0].mass_parameter

    @property
    def digest(self) -> str:
        """Digest (sha256) of `to_dict`."""
        return jsonio.digest(self.to_dict())

    def to_dict(self) -> dict[str, object]:
        """Return the resolved cards and the names of the shared nuisances."""
        return {
            "combination": [card.to_dict() for card in self.cards],
            "shared": sorted(self.shared),
        }


def combined_signal(
    searches: Sequence[str | os.PathLike[str] | RunCard],
    *,
    masses_gev: ArrayLike | None = None,
    model: str | Mediator | None = None,
    settings: Settings | None = None,
    shared: Collection[str] = (),
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
) -> ExpectedSignal:
    """Return the events that several searches expect of one mediator.

    Parameters
    ----------
    searches
        Two or more cards, names of shipped ones, or files; of any topologies whose signals go
        with the same power of the coupling.
    masses_gev
        Mediator masses, increasing, shape (M,); if None the first card's grid, denser around the
        resonances of all cards.
    model
        The mediator or its name; that of the cards if None, which must agree then.
    settings
        Dark sector and approximations, the same in all searches.
    shared
        Nuisances that are one parameter in all searches that have them; see
        `na64.workspaces.pyhf.combine.combine_templates`. The shipped cards call the uncertainties
        of electron and positron runs ``exposure`` and ``efficiency``, those of muon runs
        ``muon-exposure`` and ``muon-efficiency``.
    tables, progress
        As in `na64.limits.scanning.signal.expected_signal`.

    Raises
    ------
    InputError
        For anything that is not allowed in one of the searches, the same search twice, different
        default models, or a setting without effect on any of them.
    """
    cards = [find_card(search) for search in searches]
    if len(cards) < 2:
        raise InputError("a combination needs two searches or more")
    names = [card.name for card in cards]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{', '.join(twice)}: given twice; data count once")
    if model is None:
        models = {card.model: card.name for card in cards}
        if len(models) > 1:
            found = ", ".join(f"{name} ({search})" for name, search in models.items())
            raise InputError(f"the searches are for different models, {found}: choose one")
        model = cards[0].model
    chosen, chosen_settings = find_mediator(model), settings or Settings()
    refuse_unused(cards, chosen, chosen_settings)
    masses = check_masses(cards[0], masses_gev, cards[1:])
    parts: dict[str, ExpectedSignal] = {}
    for card in cards:
        progress(card.name)
        try:
            parts[card.name] = signal_of_card(card, chosen, chosen_settings, masses, tables=tables)
        except InputError as error:
            raise InputError(f"{card.name}: {error}") from error
    template = combine_templates(
        {name: Template.from_card(card) for name, card in zip(names, cards, strict=True)},
        shared=shared,
    )
    rates = combine_rates({name: part.rates for name, part in parts.items()})
    # with one projection among the parts there is nothing to observe yet
    template = replace(template, projection=any(card.projection for card in cards))
    # a part that does not depend on dark matter says nothing of it
    told = [part.settings for part in parts.values()]
    kept = next((item for item in told if item.dark_matter != NO_DARK_MATTER), told[0])
    return ExpectedSignal(
        CombinedSearch(tuple(cards), tuple(shared)),
        template,
        rates,
        template.signal_events(rates),
        kept,
        chosen,
    )


def scan_combination(
    searches: Sequence[str | os.PathLike[str] | RunCard],
    *,
    masses_gev: ArrayLike | None = None,
    model: str | Mediator | None = None,
    settings: Settings | None = None,
    shared: Collection[str] = (),
    confidence_level: float = 0.9,
    method: str = "exact",
    expected_only: bool = False,
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
    **calculator: Any,
) -> Exclusion:
    """Return the couplings of one mediator that several searches exclude together.

    Parameters
    ----------
    searches, masses_gev, model, settings, shared, tables, progress
        As in `combined_signal`.
    confidence_level
        Between 0 and 1.
    method
        Calculator of the CLs.
    expected_only
        Whether the data are left alone. Always so if one of the searches is a projection.
    **calculator
        Further options of the method, as in `na64.limits.scan`: ``toys``, ``seed``, ...

    Raises
    ------
    InputError
        As in `combined_signal`, and for an unknown method or a level out of range.

    Examples
    --------
    >>> from na64.limits.scanning.combination import scan_combination
    >>> together = scan_combination(
    ...     ["na64e-2016", "na64mu-2022"], masses_gev=[0.01], method="asymptotic"
    ... )
    >>> together.search
    'na64e-2016+na64mu-2022'
    """
    jobs = calculator.pop("jobs", 1)
    chosen = chosen_calculator(method, **calculator)
    check_confidence_level(confidence_level)
    signal = combined_signal(
        searches,
        masses_gev=masses_gev,
        model=model,
        settings=settings,
        shared=shared,
        tables=tables,
        progress=progress,
    )
    return exclude(
        signal,
        confidence_level=confidence_level,
        calculator=chosen,
        expected_only=expected_only,
        jobs=jobs,
        progress=progress,
    )
