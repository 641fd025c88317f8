"""Simulated yields of bins as signal rates, beside those that are computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from na64.models.arrays import FloatArray
from na64.models.errors import InputError
from na64.models.signals.decay_in_flight import coupling_grid
from na64.models.signals.rates import SignalRates, events_at
from na64.workspaces.cards.bins import Bin
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.simulated import SimulatedEfficiency, SimulatedYield
from na64.workspaces.cards.topologies import topology

__all__ = ["SIMULATION", "at_couplings", "simulated_couplings", "simulated_rates"]

#: process of what is simulated: a simulation has all of them in one number
SIMULATION: Final = "simulation"


def at_couplings(rates: SignalRates, grid: FloatArray) -> SignalRates:
    """Return rates at the couplings of a grid, those that are a power of it; others as they are."""
    if rates.power is None:
        return rates
    events = events_at(rates.couplings, rates.events, grid, rates.power)
    return replace(rates, couplings=grid, events=events, power=None)


def simulated_couplings(card: RunCard) -> FloatArray | None:
    """Return the couplings that all simulations of a card cover; None if none depends on it.

    Raises
    ------
    InputError
        Where they have none in common.
    """
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


def simulated_rates(
    card: RunCard, item: Bin, mediator: Any, masses: FloatArray, grid: FloatArray | None
) -> SignalRates:
    """Return the simulated yield of a bin as rates, of one region and one process.

    Parameters
    ----------
    card, item
        The card and its bin, which has a yield.
    mediator
        What it is asked for; it has to be what was simulated.
    masses
        Shape (M,).
    grid
        Couplings, where any simulation of the card depends on them.

    Raises
    ------
    InputError
        For another mediator, a mass outside the simulation, and one coupling alone where the
        signal is no power of it.
    """
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
    return rates if grid is None else at_couplings(rates, grid)
