"""Rates of many masses, some masses at a time: memory does not grow with what is computed for each.

On the way to the events of a mass there are fluxes and integrands with thousands of nodes, up to
1.3 MB a mass (axion-like particles), of which a few kB are left. Every mass is computed by itself,
so that the events are the same to the last bit however the masses are shared out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray, blocks_of
from na64.models.errors import ComputationError
from na64.models.signals.rates import SignalRates

__all__ = ["MASSES_TOGETHER", "SignalFunction", "in_blocks", "mass_blocks"]

#: signal(beam, target, window, mediator, masses_gev, **options) -> SignalRates
SignalFunction = Callable[..., SignalRates]

#: masses that are computed together
MASSES_TOGETHER: Final = 128


def mass_blocks(count: int) -> list[slice]:
    """Share neighbouring masses out to blocks of at most `MASSES_TOGETHER`."""
    return blocks_of(count, MASSES_TOGETHER)


def in_blocks(signal: SignalFunction) -> SignalFunction:
    """Return a signal function that computes blocks of masses one after the other.

    The block of the last masses comes first, then that of the first ones: in a range these are the
    masses that can be refused.

    Parameters
    ----------
    signal
        ``signal(beam, target, window, mediator, masses_gev, **options)`` of
        `na64.models.signals`.

    Raises
    ------
    ComputationError
        When called, if blocks differ in their couplings, processes or regions.
    """

    @wraps(signal)
    def blocked(
        beam: Any, target: Any, window: Any, mediator: Any, masses_gev: ArrayLike, **options: Any
    ) -> SignalRates:
        masses = np.atleast_1d(np.asarray(masses_gev, float))
        if masses.ndim != 1 or len(masses) <= MASSES_TOGETHER:
            return signal(beam, target, window, mediator, masses, **options)
        *others, end = mass_blocks(len(masses))
        last, *parts = (
            signal(beam, target, window, mediator, masses[block], **options)
            for block in (end, *others)
        )
        return _one_after_the_other([*parts, last], masses)

    return blocked


def _one_after_the_other(parts: Sequence[SignalRates], masses_gev: FloatArray) -> SignalRates:
    first = parts[0]
    for part in parts:
        if not np.array_equal(part.couplings, first.couplings) or (
            (part.processes, part.regions, part.power)
            != (first.processes, first.regions, first.power)
        ):
            raise ComputationError(
                "a signal has other couplings, processes or regions at some masses than at others"
            )
    events = np.concatenate([part.events for part in parts])
    return replace(first, masses_gev=masses_gev, events=events)
