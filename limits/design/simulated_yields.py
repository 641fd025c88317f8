"""Yields of a simulation beside those that are computed: their ratio by mass and bin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from na64.limits.results.specification import Specification
from na64.limits.scanning.progress import Progress, silent
from na64.limits.scanning.signal import expected_signal
from na64.models.errors import InputError
from na64.models.signals.rates import TableStore

__all__ = ["YieldComparison", "compare_yields"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class YieldComparison:
    """Accepted events of bins whose yields are from a simulation, and the same computed.

    Attributes
    ----------
    model, parameter
        Mediator and its coupling.
    masses_gev
        Shape (M,).
    bins
        Names of the B bins with simulated yields.
    simulated, computed
        Accepted events after exposure and efficiency, all processes, shape (M, B).
    up, down
        Statistical error of the simulation as factors, hi and lo at one standard deviation, shape
        (M, B); 1 where nothing is expected.
    interpolation
        Error of the interpolation as a factor, 1 at the masses that were simulated, shape (M, B).
    """

    model: str
    parameter: str
    masses_gev: Array
    bins: tuple[str, ...]
    simulated: Array
    computed: Array
    up: Array
    down: Array
    interpolation: Array

    @property
    def ratio(self) -> Array:
        """Simulated over computed events, shape (M, B); NaN where none are computed."""
        nothing = np.full(self.computed.shape, np.nan)
        where = self.computed > 0.0
        return np.asarray(np.divide(self.simulated, self.computed, out=nothing, where=where))


def compare_yields(
    specification: Specification,
    coupling: float,
    *,
    tables: TableStore | None = None,
    progress: Progress = silent,
) -> YieldComparison:
    """Return the simulated yields of a search beside those that are computed without them.

    The computed ones are of the bin's region, as if the card had no yield: of the window that the
    card has, with the exposure and the efficiency of the bin, which multiply both.

    Parameters
    ----------
    specification
        One search, from `na64.limits.scanning.request.specify`.
    coupling
        Where events are compared.
    tables, progress
        As in `na64.limits.scan`.

    Raises
    ------
    InputError
        For a combination, a search without a simulated yield, and what either signal refuses.
    """
    if len(specification.cards) > 1:
        raise InputError("yields are compared of one search, not of a combination")
    (card,) = specification.cards
    places = [k for k, item in enumerate(card.bins) if item.simulated_yield is not None]
    if not places:
        raise InputError(
            f"no bin of {card.name} takes its yield from a simulation: there is nothing to compare"
        )
    simulated = expected_signal(specification, tables=tables, progress=progress)
    bins = tuple(replace(item, simulated_yield=None) for item in card.bins)
    without = replace(specification, cards=(replace(card, bins=bins),))
    computed = expected_signal(without, tables=tables, progress=progress)
    masses = specification.masses_gev
    known = [
        numbers.known_at(masses, [coupling])
        for item in card.bins
        if (numbers := item.simulated_yield) is not None
    ]
    up, down, spread = (
        np.concatenate([getattr(part, name) for part in known], axis=1)
        for name in ("up", "down", "spread")
    )
    names = [card.bins[place].name for place in places]
    columns = [[signal.bins.index(name) for name in names] for signal in (simulated, computed)]
    events = [
        signal.at_coupling(coupling).sum(axis=1)[:, own]
        for signal, own in zip((simulated, computed), columns, strict=True)
    ]
    return YieldComparison(
        model=simulated.rates.mediator,
        parameter=simulated.rates.parameter,
        masses_gev=masses,
        bins=tuple(names),
        simulated=events[0],
        computed=events[1],
        up=np.exp(up),
        down=np.exp(-down),
        interpolation=np.exp(spread),
    )
