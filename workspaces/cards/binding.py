"""From a run card and a mediator to signal rates, over all setups of the card."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates, TableStore, side_by_side
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.workspaces.cards.card import RunCard, Setup, region_name
from na64.workspaces.cards.topologies import SignalFunction, topology

__all__ = ["signal_rates"]


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
    parts: dict[str, SignalRates] = {}
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
        parts[name] = rates
    names = tuple(parts)
    return side_by_side(
        parts,
        [region_name(name, region, names) for name in names for region in parts[name].regions],
    )
