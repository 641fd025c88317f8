"""From a run card and a mediator to signal rates, over all setups of the card."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from na64.models.errors import ComputationError, InputError
from na64.models.signals.rates import SignalRates, TableStore
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.workspaces.cards.card import RunCard, Setup, region_name
from na64.workspaces.cards.topologies import SignalFunction, topology

__all__ = ["join_setups", "signal_rates"]


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
        ``setup/region`` otherwise. Setups that are physically the same are computed once.

    Raises
    ------
    InputError
        From the signal function, naming the setup where there are several.
    """
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    function = topology(card.topology).signal() if signal is None else signal
    computed: list[tuple[Setup, SignalRates]] = []
    parts: list[tuple[str, SignalRates]] = []
    for name in card.used_setups:
        setup = card.setups[name]
        rates = next((old for seen, old in computed if seen.physics == setup.physics), None)
        if rates is None:
            try:
                rates = function(*setup.physics, mediator, masses, settings=settings, tables=tables)
            except InputError as error:
                if len(card.used_setups) == 1:
                    raise
                raise InputError(f"setup {name}: {error}") from error
            computed.append((setup, rates))
        parts.append((name, rates))
    return join_setups(parts)


def join_setups(parts: Sequence[tuple[str, SignalRates]]) -> SignalRates:
    """Return the rates of several setups side by side along the region axis.

    Parameters
    ----------
    parts
        Pairs (setup, rates); the rates agree in all but regions and events.

    Raises
    ------
    ComputationError
        If the rates were computed at different masses, couplings or processes.
    """
    names = tuple(name for name, _ in parts)
    first = parts[0][1]
    for name, rates in parts[1:]:
        same = (
            np.array_equal(rates.masses_gev, first.masses_gev)
            and np.array_equal(rates.couplings, first.couplings)
            and rates.processes == first.processes
            and rates.power == first.power
        )
        if not same:
            raise ComputationError(
                f"signal rates of setup {name} and {names[0]} differ in masses, couplings or "
                "processes and cannot be joined"
            )
    return SignalRates(
        mediator=first.mediator,
        parameter=first.parameter,
        masses_gev=first.masses_gev,
        couplings=first.couplings,
        processes=first.processes,
        regions=tuple(
            region_name(name, region, names) for name, rates in parts for region in rates.regions
        ),
        events=np.concatenate([rates.events for _, rates in parts], axis=-1),
        power=first.power,
    )
