"""From a run card and a mediator to signal rates, over all setups of the card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.errors import InputError
from na64.models.signals.decay_in_flight import coupling_grid
from na64.models.signals.rates import SignalRates, TableStore, events_at, side_by_side
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.workspaces.cards.card import Bin, RunCard, Setup, region_name
from na64.workspaces.cards.simulated import SimulatedEfficiency, SimulatedYield
from na64.workspaces.cards.topologies import SignalFunction, topology

__all__ = ["SIMULATION", "signal_rates"]

#: process of what is simulated: a simulation has all of them in one number
SIMULATION: Final = "simulation"


def signal_rates(
    card: RunCard,
    mediator: Any,
    masses_gev: ArrayLike,
    *,
    settings: SignalSettings = DEFAULT_SETTINGS,
    tables: TableStore | None = None,
    signal: SignalFunction | None = None,
) -> SignalRates:
    """Return the signal events per particle on target in every region of a card.

    Parameters
    ----------
    card
        The search.
    mediator
        A mediator of `na64.models.mediators`.
    masses_gev
        Mediator masses, shape (M,).
    settings
        Dark sector, approximations and so on; a signal takes those that it has a use for.
    tables
        A store for tables of cross-sections; everything is computed if None.
    signal
        Signal function; that of the card's topology if None.

    Returns
    -------
    SignalRates
        Regions are the topology's if the card uses its default setup only, and
        ``setup/region`` otherwise. Setups that are physically the same are computed once. Each bin
        whose yield is from a simulation has a region of its own, and its events are of the process
        ``simulation``; a setup of such bins alone is not computed. Where simulations depend on the
        coupling, couplings are those that all of them cover.

    Raises
    ------
    InputError
        From the signal function, naming the setup where there are several; for a mediator that was
        not simulated, and a mass outside a simulation.
    """
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    grid = _couplings(card)
    computed = _computed(card, mediator, masses, settings, tables, signal, grid)
    parts = {"": computed} if computed is not None else {}
    for item in card.bins:
        if item.simulated_yield is not None:
            parts[item.name] = _simulated(card, item, mediator, masses, grid)
    if list(parts) == [""]:
        return parts[""]
    return side_by_side(parts, [region for part in parts.values() for region in part.regions])


def _computed(
    card: RunCard,
    mediator: Any,
    masses: FloatArray,
    settings: SignalSettings,
    tables: TableStore | None,
    signal: SignalFunction | None,
    grid: FloatArray | None,
) -> SignalRates | None:
    """Return the rates of the setups whose bins have no simulated yield; None without any."""
    wanted = {item.setup for item in card.bins if item.simulated_yield is None}
    if not wanted:
        return None
    options = (
        {} if grid is None or topology(card.topology).power is not None else {"couplings": grid}
    )
    function = topology(card.topology).signal() if signal is None else signal
    computed: list[tuple[Setup, SignalRates]] = []
    parts: dict[str, SignalRates] = {}
    for name in card.used_setups:
        if name not in wanted:
            continue
        setup = card.setups[name]
        rates = next((old for seen, old in computed if seen.physics == setup.physics), None)
        if rates is None:
            try:
                rates = function(
                    *setup.physics, mediator, masses, settings=settings, tables=tables, **options
                )
            except InputError as error:
                if len(card.used_setups) == 1:
                    raise
                raise InputError(f"setup {name}: {error}") from error
            computed.append((setup, rates))
        parts[name] = rates
    names = card.used_setups
    found = side_by_side(
        parts,
        [region_name(name, region, names) for name in parts for region in parts[name].regions],
    )
    return found if grid is None else _at_couplings(found, grid)


def _at_couplings(rates: SignalRates, grid: FloatArray) -> SignalRates:
    """Return rates that are a power of the coupling at the couplings of a grid."""
    if rates.power is None:
        return rates
    events = events_at(rates.couplings, rates.events, grid, rates.power)
    return replace(rates, couplings=grid, events=events, power=None)


def _couplings(card: RunCard) -> FloatArray | None:
    """Return the couplings that all simulations of a card cover; None if none depends on it."""
    ends = [
        (numbers.couplings[0], numbers.couplings[-1])
        for item in card.bins
        for numbers in (item.efficiency, item.simulated_yield)
        if isinstance(numbers, SimulatedEfficiency | SimulatedYield) and numbers.couplings
    ]
    if not ends:
        return None
    low, high = max(end[0] for end in ends), min(end[1] for end in ends)
    if not low < high:
        raise InputError(
            f"{card.name}: its simulations have no couplings in common: the last begins at "
            f"{low:g}, the first ends at {high:g}"
        )
    return coupling_grid(low, high)


def _simulated(
    card: RunCard, item: Bin, mediator: Any, masses: FloatArray, grid: FloatArray | None
) -> SignalRates:
    """Return the simulated yield of a bin as rates."""
    numbers = item.simulated_yield
    assert numbers is not None
    where = f"yield of bin {item.name}"
    if mediator.name != numbers.model:
        raise InputError(
            f"{where}: simulated for the model '{numbers.model}', not for '{mediator.name}': "
            "simulate that, or have it computed without a yield"
        )
    power = topology(card.topology).power
    if not numbers.couplings and power is None:
        raise InputError(
            f"{where}: has one coupling, and the signal of the topology {card.topology} is no "
            "power of it: simulate several"
        )
    try:
        found = numbers.known_at(masses, grid if numbers.couplings else None).values
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    regions = (card.rate_region(item),)
    events = found[:, :, None, None]
    if numbers.couplings:
        return SignalRates.of(mediator, masses, (SIMULATION,), regions, events, couplings=grid)
    assert power is not None
    assert numbers.at_coupling is not None
    at_one = events * numbers.at_coupling**-power
    rates = SignalRates.of(mediator, masses, (SIMULATION,), regions, at_one, power=power)
    return rates if grid is None else _at_couplings(rates, grid)
