"""From a run card and a mediator to signal rates, over all setups and intervals of the card.

Events of an interval in missing energy are the difference of two windows: the events with at least
its lower edge less those with at least its upper one, each computed as the window of a single count
is. Smearing, trigger and production are then those of the window, the intervals add up to it to
rounding, and an interval that is all of the window has its events to the last bit. Yields are
accurate to 1.5e-3 of a window, and so are intervals: to 1.5e-3 of the events above their lower
edge, not of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates, TableStore, side_by_side
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target
from na64.workspaces.cards.card import RunCard, Setup, region_name
from na64.workspaces.cards.intervals import Interval, threshold_windows
from na64.workspaces.cards.simulated_rates import (
    SIMULATION,
    at_couplings,
    simulated_couplings,
    simulated_rates,
)
from na64.workspaces.cards.topologies import SignalFunction, topology

__all__ = ["SIMULATION", "signal_rates"]


def signal_rates(
    card: RunCard,
    mediator: object,
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
        ``setup/region`` otherwise; behind those of a setup the intervals of its bins,
        ``region/50-60``. Setups that are physically the same are computed once. Each bin whose
        yield is from a simulation has a region of its own, and its events are of the process
        ``simulation``; a setup of such bins alone is not computed. Where simulations depend on the
        coupling, couplings are those that all of them cover.

    Raises
    ------
    InputError
        From the signal function, naming the setup where there are several; for a mediator that was
        not simulated, and a mass outside a simulation.
    """
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    grid = simulated_couplings(card)
    parts: dict[str, SignalRates] = {}
    if not card.simulated_alone:
        by_coupling = grid is not None and topology(card.topology).power is None
        options = {"couplings": grid} if by_coupling else {}
        function = topology(card.topology).signal() if signal is None else signal

        def of(beam: Beam, target: Target, window: Any) -> SignalRates:
            options_of = {"settings": settings, "tables": tables, **options}
            return function(beam, target, window, mediator, masses, **options_of)

        computed = _computed(card, of)
        parts[""] = computed if grid is None else at_couplings(computed, grid)
    for item in card.bins:
        if item.simulated_yield is not None:
            parts[item.name] = simulated_rates(card, item, mediator, masses, grid)
    if list(parts) == [""]:
        return parts[""]
    return side_by_side(parts, [region for part in parts.values() for region in part.regions])


def _computed(card: RunCard, function: Callable[[Beam, Target, Any], SignalRates]) -> SignalRates:
    """Return the rates of the setups of bins without a simulated yield."""
    wanted = {item.setup for item in card.bins if item.simulated_yield is None}
    row = topology(card.topology)
    computed: list[tuple[tuple[Any, ...], SignalRates]] = []
    parts: dict[str, SignalRates] = {}
    for name in card.used_setups:
        if name not in wanted:
            continue
        setup, divisions = card.setups[name], card.divisions(name)
        physics = (*setup.physics, divisions)
        rates = next((old for seen, old in computed if seen == physics), None)
        if rates is None:

            def of(window: Any, setup: Setup = setup) -> SignalRates:
                return function(setup.beam, setup.target, window)

            try:
                rates = of(setup.window)
                for region, division in divisions.items():
                    windows = threshold_windows(
                        division, setup.window, row.spectra[region], setup.beam
                    )
                    rates = _divided(rates, region, division, windows, of)
            except InputError as error:
                if len(card.used_setups) == 1:
                    raise
                raise InputError(f"setup {name}: {error}") from error
            computed.append((physics, rates))
        parts[name] = rates
    names = card.used_setups
    return side_by_side(
        parts,
        [region_name(name, region, names) for name in parts for region in parts[name].regions],
    )


def _divided(
    rates: SignalRates,
    region: str,
    division: tuple[Interval, ...],
    windows: Mapping[float, Any],
    of: Callable[[Any], SignalRates],
) -> SignalRates:
    """Return rates with a region's intervals behind the regions that there are.

    Events above an edge are at most those above the edge before: what the accuracy of either
    leaves beyond that is cut off, so that no interval has less than nothing.
    """
    place = rates.regions.index(region)
    every = before = rates.events[..., place]
    above: dict[float, FloatArray] = {}
    for edge, window in windows.items():
        before = above[edge] = np.minimum(before, of(window).events[..., place])
    # an edge without a window of its own is the window's least energy, or the beam energy
    nothing = np.zeros_like(every)
    blocks = [
        above.get(part.low_gev, every) - above.get(part.high_gev, nothing) for part in division
    ]
    events = np.concatenate([rates.events, np.stack(blocks, axis=-1)], axis=-1)
    names = tuple(f"{region}/{part.name}" for part in division)
    return replace(rates, regions=(*rates.regions, *names), events=events)
