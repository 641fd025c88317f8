"""The expected signal of a search: from a card and a mediator to events per process and bin."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.scanning.grids import refined_grid
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.dark_sector import DarkMatter, DarkSector, dark_matter
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.registry import mediator
from na64.models.setup import MissingEnergyWindow
from na64.models.signals.rates import SignalRates, TableStore, events_at
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import load_card
from na64.workspaces.cards.topologies import SignalFunction, topology
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.pyhf.template import Template

__all__ = [
    "NO_DARK_MATTER",
    "ExpectedSignal",
    "Search",
    "Settings",
    "expected_signal",
    "find_card",
]

# options of commands that are not called as their settings are
_FLAGS: Final = {
    "annihilation": "--no-annihilation",
    "inelastic": "--elastic-only",
    "initial_state_radiation": "--radiation",
    "primary_positrons": "--no-primary-positrons",
}
# settings that are numbers of dark matter
_SECTOR: Final = frozenset({"alpha_d", "ratio", "splitting"})
#: name of the dark matter of a mediator that has only its neutrinos to decay to invisibly
NO_DARK_MATTER: Final = "none"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a signal depends on beside the search, the mediator and the masses.

    Attributes
    ----------
    production
        Approximation of the cross-section: ``etl``, ``ww`` or ``iww``.
    alpha_d
        g_D^2/(4 pi).
    ratio
        m_mediator/m_chi, above 2.
    dark_matter
        ``scalar``, ``majorana``, ``dirac`` or ``pseudo-dirac``; ``none`` leaves the mediator to
        its neutrinos. None: ``none`` for a mediator that decays to neutrinos or couples to
        photons, else ``dirac``.
    splitting
        Relative mass splitting of pseudo-Dirac states.
    annihilation
        Whether resonant annihilation of secondary positrons is included.
    inelastic
        Whether inelastic scattering off the nuclei is included.
    initial_state_radiation
        Whether annihilation with a photon that is not seen is included.
    primary_positrons
        Whether the positrons of a positron beam annihilate themselves, or only their showers'.
    invisible_branching
        Branching ratio to states that nothing sees, 0 to 1, of a particle that decays in flight.
    """

    production: str = "etl"
    alpha_d: float = 0.1
    ratio: float = 3.0
    dark_matter: str | None = None
    splitting: float = 0.0
    annihilation: bool = True
    inelastic: bool = True
    initial_state_radiation: bool = False
    primary_positrons: bool = True
    invisible_branching: float = 0.0

    def for_mediator(self, mediator: Mediator) -> Settings:
        """Return the settings with the dark matter that a mediator has unless told otherwise."""
        if self.dark_matter is not None:
            return self
        alone = (
            mediator.kind is MediatorKind.PHOTON_COUPLED
            or "neutrinos" in mediator.partial_widths(1.0)
        )
        return replace(self, dark_matter=NO_DARK_MATTER if alone else DarkMatter.DIRAC.value)

    def dark_sector(self) -> DarkSector | None:
        """Return the dark sector, checked; None if there is none."""
        if self.dark_matter is None or self.dark_matter == NO_DARK_MATTER:
            return None
        kinds = [kind.value for kind in DarkMatter]
        if self.dark_matter not in kinds:
            raise unknown_name("dark matter", self.dark_matter, [*kinds, NO_DARK_MATTER])
        return DarkSector(
            dark_matter(self.dark_matter), self.alpha_d, self.ratio, splitting=self.splitting
        )

    def options(self, signal: SignalFunction) -> Mapping[str, Any]:
        """Return the keyword arguments of a signal function, those that it has a use for."""
        known = inspect.signature(signal).parameters
        options = {
            "dark_sector": self.dark_sector(),
            "production": self.production,
            "annihilation": self.annihilation,
            "inelastic": self.inelastic,
            "initial_state_radiation": self.initial_state_radiation,
            "primary_positrons": self.primary_positrons,
            "invisible_branching": self.invisible_branching,
        }
        return {name: value for name, value in options.items() if name in known}

    def unused(self, card: RunCard, mediator: Mediator) -> tuple[str, ...]:
        """Return the fields that were changed and that the signal of a search does not depend on.

        That includes the numbers of a dark sector where there is no dark matter.
        """
        known = set(inspect.signature(topology(card.topology).signal()).parameters)
        if "dark_sector" in known:
            known.add("dark_matter")
            if self.for_mediator(mediator).dark_matter != NO_DARK_MATTER:
                known |= _SECTOR
        if not any(card.setups[name].beam.particle == "e+" for name in card.used_setups):
            known.discard("primary_positrons")
        if not self.annihilation:
            known -= {"initial_state_radiation", "primary_positrons"}
        if self.dark_matter == NO_DARK_MATTER:  # as good as no dark matter to be told of
            known.add("dark_matter")
        return tuple(
            item.name
            for item in fields(self)
            if getattr(self, item.name) != item.default and item.name not in known
        )


class Search(Protocol):
    """What a result says of the search it belongs to: a run card, or several of them."""

    @property
    def name(self) -> str:
        """Short name."""

    @property
    def title(self) -> str:
        """Name for people."""

    @property
    def mass_parameter(self) -> str:
        """How the mediator's mass is written on an axis."""

    @property
    def digest(self) -> str:
        """Digest (sha256) of `to_dict`."""

    def to_dict(self) -> dict[str, object]:
        """Return everything that is needed to redo it, as plain data."""


@dataclass(frozen=True, slots=True)
class ExpectedSignal:
    """Signal of one mediator in one search, or in several together.

    Attributes
    ----------
    card
        The search, resolved.
    template
        Its bins, backgrounds and nuisances.
    rates
        Events per particle on target.
    accepted
        Events after exposure and efficiency at the couplings of the rates, shape (M, C, P, B):
        mass, coupling, process, bin.
    settings
        With what it was computed, the dark matter named.
    mediator
        The mediator.
    """

    card: Search
    template: Template
    rates: SignalRates
    accepted: NDArray[np.float64]
    settings: Settings
    mediator: Mediator

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the bins."""
        return tuple(item.name for item in self.template.bins)

    def at_coupling(self, coupling: float) -> NDArray[np.float64]:
        """Return the accepted events at a coupling, shape (M, P, B).

        Raises
        ------
        InputError
            For a coupling outside the grid of a signal that is no power of it.
        """
        return self._events(self.accepted, coupling)

    def per_particle(self, coupling: float) -> NDArray[np.float64]:
        """Return the events per particle on target in the region of each bin, shape (M, P, B)."""
        places = [self.rates.regions.index(item.region) for item in self.template.bins]
        return self._events(self.rates.events[..., places], coupling)

    def _events(self, events: NDArray[np.float64], coupling: float) -> NDArray[np.float64]:
        found = events_at(self.rates.couplings, events, coupling, self.rates.power)
        return np.asarray(found[:, 0])


def find_card(search: str | os.PathLike[str] | RunCard, overrides: Sequence[str] = ()) -> RunCard:
    """Return a card given by itself, by name or by file."""
    if isinstance(search, RunCard):
        if overrides:
            raise InputError("overrides apply to a card's file or name; load it with them instead")
        return search
    return load_card(os.fspath(search), overrides)


def expected_signal(
    search: str | os.PathLike[str] | RunCard,
    *,
    masses_gev: ArrayLike | None = None,
    model: str | Mediator | None = None,
    settings: Settings | None = None,
    overrides: Sequence[str] = (),
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
) -> ExpectedSignal:
    """Return the events that a search expects.

    Parameters
    ----------
    search
        A card, or the name of a shipped one, or a file.
    masses_gev
        Mediator masses, increasing, shape (M,); the card's grid if None.
    model
        The mediator or its name; the card's if None.
    settings
        Dark sector and approximations; the defaults of `Settings` if None.
    overrides
        ``path=value`` settings on top of the card.
    tables
        Where tables of cross-sections are kept between runs; computed anew if None.
    progress
        Called with the name of each stage as it begins.

    Raises
    ------
    InputError
        For anything that is not allowed: the card, the model, a mass out of range, a setting
        without effect.
    """
    card = find_card(search, overrides)
    chosen = find_mediator(card.model if model is None else model)
    refuse_unused([card], chosen, settings or Settings())
    return signal_of_card(
        card, chosen, settings or Settings(), masses_gev, tables=tables, progress=progress
    )


def find_mediator(model: str | Mediator) -> Mediator:
    """Return a mediator given by itself or by name."""
    return mediator(model) if isinstance(model, str) else model


def refuse_unused(cards: Sequence[RunCard], chosen: Mediator, settings: Settings) -> None:
    """Refuse settings that were changed and that the signal of none of the searches depends on."""
    lost = [settings.unused(card, chosen) for card in cards]
    for name in lost[0]:
        if all(name in unused for unused in lost):
            option = _FLAGS.get(name, f"--{name.replace('_', '-')}")
            kinds = " or ".join(dict.fromkeys(card.topology for card in cards))
            searches = " + ".join(card.name for card in cards)
            alone = settings.for_mediator(chosen).dark_matter == NO_DARK_MATTER
            without = " without dark matter" if alone and name in _SECTOR else ""
            raise InputError(
                f"{name} ({option}) has no effect on the signal of the model '{chosen.name}'"
                f"{without} in {searches}, of the topology {kinds}: leave it out"
            )


def signal_of_card(
    card: RunCard,
    chosen: Mediator,
    settings: Settings,
    masses_gev: ArrayLike | None,
    *,
    tables: TableStore | None = None,
    progress: Callable[[str], object] = lambda label: None,
) -> ExpectedSignal:
    """Return the events of `expected_signal`, of the settings those that the search has."""
    chosen_settings = settings.for_mediator(chosen)
    options = chosen_settings.options(topology(card.topology).signal())
    if "dark_sector" not in options:  # what the signal does not depend on is no setting of it
        chosen_settings = replace(chosen_settings, dark_matter=NO_DARK_MATTER)
    masses = check_masses(card, masses_gev)
    progress("signal rates")
    rates = signal_rates(card, chosen, masses, tables=tables, **options)
    template = Template.from_card(card)
    return ExpectedSignal(
        card, template, rates, template.signal_events(rates), chosen_settings, chosen
    )


def check_masses(
    card: RunCard, masses_gev: ArrayLike | None, others: Sequence[RunCard] = ()
) -> NDArray[np.float64]:
    """Return the masses of a scan: those given, checked, or the card's grid.

    The card's grid has its points five times denser around the resonance of e+ e-, where the
    limit changes within a few per cent of the mass; so around those of other cards.
    """
    if masses_gev is None:
        grid = card.masses
        around = [edges for item in (card, *others) for edges in _resonances(item)]
        return refined_grid(grid.low_gev, grid.high_gev, grid.points, around)
    try:
        masses = np.atleast_1d(np.asarray(masses_gev, float))
    except (TypeError, ValueError):
        raise InputError("masses must be a list of numbers, in GeV") from None
    if masses.ndim != 1 or not masses.size:
        raise InputError(f"masses must be a list of numbers, have shape {masses.shape}")
    if not (np.all(np.isfinite(masses)) and np.all(masses > 0.0)):
        raise InputError("masses must be positive and finite")
    if np.any(np.diff(masses) <= 0.0):
        raise InputError("masses must increase, each given once")
    return masses


def _resonances(card: RunCard) -> list[tuple[float, float]]:
    """Return the intervals of mass around resonances, 12 % wider than their kinematic edges."""
    intervals = []
    for name in card.used_setups:
        setup = card.setups[name]
        if isinstance(setup.window, MissingEnergyWindow) and setup.beam.lepton == "e":
            low, high = setup.window.resonance_edges_gev(setup.beam.energy_gev)
            intervals.append((low / 1.12, high * 1.12))
    return intervals
