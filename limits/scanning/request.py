"""From the words of a person to a specification: cards by name, models by name, defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.registry import CALCULATORS, calculator
from na64.limits.results.specification import Specification, mass_grid
from na64.limits.scanning.features import decay_masses_gev, resonance_intervals_gev
from na64.limits.scanning.grids import (
    denser_grid,
    log_grid,
    parse_grid,
    refined_grid,
    with_points,
)
from na64.limits.scanning.settings import CALCULATOR, SECTOR, SETTINGS, SIGNAL
from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.dark_sector import DarkMatter, DarkSector, dark_matter
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import mediator
from na64.models.production.process import Approximation, best_approximation
from na64.models.signals.settings import SignalSettings, uses
from na64.workspaces.cards import DEFAULT_CARD
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import load_card, searches_for
from na64.workspaces.cards.topologies import topology

__all__ = [
    "GRIDS",
    "NO_DARK_MATTER",
    "Search",
    "changed_sector",
    "check_produced",
    "find_cards",
    "find_mediator",
    "refines",
    "sector_for",
    "specify",
]

#: a search in the words of a caller: a card, its name or file
Search = str | os.PathLike[str] | RunCard

#: what may be done to a range of masses
GRIDS: Final = ("auto", "fixed")
#: name of the dark matter of a mediator that has only its neutrinos to decay to invisibly
NO_DARK_MATTER: Final = "none"


def specify(
    search: Search | Sequence[Search] = DEFAULT_CARD,
    *,
    masses_gev: ArrayLike | str | None = None,
    grid: str = "auto",
    model: str | Mediator | None = None,
    overrides: Sequence[str] = (),
    shared: Sequence[str] = (),
    confidence_level: float = 0.9,
    expected_only: bool = False,
    **settings: Any,
) -> Specification:
    """Return the specification of a scan.

    Parameters
    ----------
    search
        A card, the name of a shipped one, or a file; a list of them for a combination in one
        likelihood.
    masses_gev
        Mediator masses, increasing, shape (M,), taken as they are; or a text, a comma list or
        ``LO:HI:N``, N points equally spaced in the logarithm; the range of the card if None.
    grid
        Whether a range gets further points where limits change fast: across resonances, at
        thresholds (``auto``), or none (``fixed``).
    model
        The mediator or its name; the card's if None.
    overrides
        ``path=value`` settings on top of the card, of a combination on top of the first.
    shared
        Of a combination: nuisances that are one parameter in all searches that have them. Every
        other nuisance is a separate one in each search.
    confidence_level
        Between 0 and 1; NA64 quotes 0.9.
    expected_only
        Whether the data are left alone.
    **settings
        ``method`` and everything in `SETTINGS`: the dark sector (``dark_matter`` may be
        ``none``), approximations of the signal, settings of the calculator. What is None is the
        card's, or the default; of the production the most accurate one that there is for the
        mediator.

    Raises
    ------
    InputError
        For anything that is not allowed: a card, a name, a value out of range, a setting without
        effect on the signal.
    """
    cards = find_cards(search, overrides)
    if shared and len(cards) == 1:
        raise InputError("nuisances are shared between searches that are combined; there is one")
    chosen = find_mediator(_model_of(cards) if model is None else model)
    method = settings.pop("method", None) or next(iter(CALCULATORS))
    given = {name: value for name, value in settings.items() if value is not None}
    for name in given:
        if name not in SETTINGS:
            raise unknown_name("setting", name, ["method", *SETTINGS])
    own = {name: value for name, value in given.items() if name in CALCULATOR}
    of_signal = {name: value for name, value in given.items() if name not in CALCULATOR}
    check_produced(cards, chosen)
    _refuse_unused(cards, chosen, of_signal)
    if (best := best_approximation(chosen.kind)) is not Approximation.ETL:
        of_signal.setdefault("production", best.value)
    sector = None
    if "dark_sector" in _uses(cards):
        sector = sector_for(chosen, _with_defaults(cards, of_signal))
    return Specification(
        cards=cards,
        mediator=chosen,
        settings=SignalSettings(
            dark_sector=sector,
            **{name: value for name, value in of_signal.items() if name in SIGNAL},
        ),
        calculator=calculator(method, **own),
        masses_gev=_masses(masses_gev, grid, cards, chosen, sector),
        confidence_level=confidence_level,
        expected_only=expected_only,
        shared=tuple(shared),
    )


def find_cards(
    search: Search | Sequence[Search], overrides: Sequence[str] = ()
) -> tuple[RunCard, ...]:
    """Return cards given by themselves, by name or by file; overrides are for the first."""
    items = [search] if isinstance(search, (str, os.PathLike, RunCard)) else list(search)
    if not items:
        raise InputError("no search is named")
    if overrides and isinstance(items[0], RunCard):
        raise InputError("overrides apply to a card's file or name; load it with them instead")
    cards = []
    for number, item in enumerate(items):
        settings = () if number else overrides
        cards.append(item if isinstance(item, RunCard) else load_card(os.fspath(item), settings))
    return tuple(cards)


def find_mediator(model: str | Mediator) -> Mediator:
    """Return a mediator given by itself or by name."""
    return mediator(model) if isinstance(model, str) else model


def sector_for(chosen: Mediator, wanted: Mapping[str, Any]) -> DarkSector | None:
    """Return the dark sector that a mediator has, with what is wanted otherwise.

    Parameters
    ----------
    chosen
        The mediator. One that decays to neutrinos, or that does not couple to fermions, has no
        dark matter unless it is named; any other has Dirac dark matter.
    wanted
        Some of ``dark_matter`` (a species, or ``none``), ``alpha_d``, ``ratio``, ``splitting``.
    """
    name = wanted.get("dark_matter")
    if name is None:
        widths = chosen.partial_widths(1.0)
        alone = "neutrinos" in widths or not any(
            np.any(chosen.coupling(lepton)) for lepton in LEPTON_MASSES_GEV
        )
        name = NO_DARK_MATTER if alone else DarkMatter.DIRAC.value
    if name == NO_DARK_MATTER:
        return None
    kinds = [kind.value for kind in DarkMatter]
    if name not in kinds:
        raise unknown_name("dark matter", str(name), [*kinds, NO_DARK_MATTER])
    numbers = {key: wanted[key] for key in SECTOR if key != "dark_matter" and key in wanted}
    return DarkSector(dark_matter(name), **numbers)


def changed_sector(
    made: Specification, chosen: Mediator, wanted: Mapping[str, Any]
) -> DarkSector | None:
    """Return the dark sector of a specification with changes, for the same or another mediator.

    Parameters
    ----------
    made
        The specification.
    chosen
        The mediator; another one that decays to neutrinos has no dark matter unless it is named.
    wanted
        As in `sector_for`. What is not named stays, but another species has no splitting.

    Raises
    ------
    InputError
        As `sector_for`, and for numbers of a dark matter that there is not.
    """
    old = made.dark_sector
    named = dict(wanted)
    if old is not None and chosen == made.mediator:
        named.setdefault("dark_matter", old.species.value)
    start = old or DarkSector()
    found = sector_for(
        chosen,
        {"alpha_d": start.alpha_d, "ratio": start.ratio, **named, "splitting": 0.0},
    )
    if found is None:
        if numbers := [f"`{name}`" for name in wanted if name != "dark_matter"]:
            raise InputError(
                f"{', '.join(numbers)}: the model '{chosen.name}' is without dark matter here; "
                "give `dark_matter`"
            )
        return None
    species = found.species if "dark_matter" in named or old is None else old.species
    kept = start.splitting if species is start.species else 0.0
    return DarkSector(species, found.alpha_d, found.ratio, named.get("splitting", kept))


def _model_of(cards: Sequence[RunCard]) -> str:
    models = {card.model: card.name for card in cards}
    if len(models) > 1:
        found = ", ".join(f"{name} ({search})" for name, search in models.items())
        raise InputError(f"the searches are for different models, {found}: give one `model`")
    return cards[0].model


def _with_defaults(cards: Sequence[RunCard], given: Mapping[str, Any]) -> dict[str, Any]:
    """The dark sector that the cards name, the first that does, below what is given."""
    told = next(
        (dict(card.defaults.dark_sector) for card in cards if card.defaults.dark_sector), {}
    )
    species = given.get("dark_matter")
    if species is not None and species != told.get("dark_matter"):
        told.pop("splitting", None)  # that of another species
    return {**told, **given}


def _uses(cards: Sequence[RunCard]) -> frozenset[str]:
    """Settings that the signal of any card depends on.

    Where all of it is from a simulation, settings of the computation have no effect; the dark
    sector is that of the simulation, and what planes of it need.
    """
    found: frozenset[str] = frozenset()
    for card in cards:
        own = uses(topology(card.topology).signal())
        found |= own & {"dark_sector"} if card.simulated_alone else own
    return found


def check_produced(cards: Sequence[RunCard], chosen: Mediator) -> None:
    """Refuse a model that the leptons of a beam do not make, unless it is of the card's kind.

    Parameters
    ----------
    cards
        Searches.
    chosen
        The model.

    Raises
    ------
    InputError
        With the shipped searches for the model.
    """
    for card in cards:
        if find_mediator(card.model).kind == chosen.kind:
            continue
        for lepton in {card.setups[name].beam.lepton for name in card.used_setups}:
            # some couple by loops alone, not to a mediator at rest
            if lepton in LEPTON_MASSES_GEV and not np.any(chosen.coupling(lepton, [0.0, 0.01])):
                beam = {"e": "electrons", "mu": "muons"}[lepton]
                names = [name for name in searches_for(chosen.name) if name != card.name]
                others = f"; searches for it are {', '.join(names)}" if names else ""
                raise InputError(
                    f"model '{chosen.name}' does not couple to the {beam} of this beam, that of "
                    f"{card.name}{others}"
                )


def _refuse_unused(cards: Sequence[RunCard], chosen: Mediator, given: Mapping[str, Any]) -> None:
    """Refuse settings that were changed and that no signal depends on."""
    known = set(_uses(cards))
    without = ""
    if "dark_sector" in known:
        known.add("dark_matter")
        if sector_for(chosen, {"dark_matter": given.get("dark_matter")}) is not None:
            known |= SECTOR.keys()
        else:
            without = " without dark matter"
    if given.get("dark_matter") == NO_DARK_MATTER:  # as good as no dark matter to be told of
        known.add("dark_matter")
    beams = {card.setups[name].beam.particle for card in cards for name in card.used_setups}
    if "e+" not in beams:
        known.discard("primary_positrons")
    if given.get("annihilation") is False:
        known -= {"initial_state_radiation", "bound_electrons", "primary_positrons"}
    for name, value in given.items():
        # who names dark matter, even the usual one, takes it to matter
        if name not in known and (name == "dark_matter" or value != SETTINGS[name].default):
            kinds = " or ".join(dict.fromkeys(card.topology for card in cards))
            searches = " + ".join(card.name for card in cards)
            raise InputError(
                f"`{name}` has no effect on the signal of the model '{chosen.name}'"
                f"{without if name in SECTOR else ''} in {searches}, of the topology {kinds}: "
                "leave it out"
            )


def refines(masses_gev: ArrayLike | str | None, grid: str) -> bool:
    """Whether a grid of masses may get more of them: one that the user did not list.

    Raises
    ------
    InputError
        For another kind of grid than those of `GRIDS`.
    """
    if grid not in GRIDS:
        raise unknown_name("grid", grid, GRIDS)
    return grid == "auto" and (
        masses_gev is None or (isinstance(masses_gev, str) and ":" in masses_gev)
    )


def _masses(
    masses_gev: ArrayLike | str | None,
    grid: str,
    cards: Sequence[RunCard],
    chosen: Mediator,
    sector: DarkSector | None,
) -> NDArray[np.float64]:
    """Return the masses that are meant: those that are listed, or a range, finer where it matters.

    The grid of the card has its number of points, five times denser around resonances; a range
    that is asked for has all of its points, and more there.
    """
    fine = refines(masses_gev, grid)
    around = resonance_intervals_gev(cards)
    if masses_gev is None:
        own = cards[0].masses
        low, high, count = own.low_gev, own.high_gev, own.points
        found = refined_grid(low, high, count, around) if fine else log_grid(low, high, count)
    elif isinstance(masses_gev, str):
        found = parse_grid(masses_gev)
        if fine:
            found = denser_grid(found, around)
    else:
        found = mass_grid(masses_gev)
    if fine:
        found = with_points(found, decay_masses_gev(chosen, sector, found[0], found[-1]))
    return found
