"""Intervals: a bin of a card divided in the energy that is missing, as it is measured.

The edges of a bin divide what its window selects. An event is in the interval [a, b) when its
missing energy as measured, smeared by the resolution, is at least a and below b; the last interval
of a bin whose last edge is the beam energy has no end. Several bins with edges that do not overlap
are several signal regions, each with an efficiency and backgrounds of its own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from na64.models.targets import Beam, Target
from na64.workspaces.cards.quantity import rising

__all__ = [
    "Interval",
    "edge_problems",
    "intervals",
    "list_problems",
    "not_rising",
    "shared",
    "threshold_windows",
]


@dataclass(frozen=True, slots=True)
class Interval:
    """Part of a bin in missing energy, GeV."""

    low_gev: float
    high_gev: float

    @property
    def name(self) -> str:
        """Name in tables and of regions, such as ``50-60``."""
        return f"{self.low_gev:.12g}-{self.high_gev:.12g}"


def intervals(edges_gev: Sequence[float]) -> tuple[Interval, ...]:
    """Return the intervals between edges; none for a bin that is not divided."""
    return tuple(Interval(low, high) for low, high in itertools.pairwise(edges_gev))


def shared(total: float, shares: Sequence[float], parts: int) -> tuple[float, ...]:
    """Return a total split by shares, which are divided by their sum.

    Parameters
    ----------
    total
        What is split, 0 and above.
    shares
        Not negative, not all zero, one of each part; may be left out where there is nothing to
        split, or no parts.
    parts
        How many there are, one and more.
    """
    if len(shares) != parts:
        return (total,) if parts == 1 else (0.0,) * parts
    if parts == 1:
        return (total,)
    whole = math.fsum(shares)
    return tuple(total * (share / whole) for share in shares)


def list_problems(what: str, values: Sequence[float], parts: int, *, needed: bool) -> Iterator[str]:
    """Yield what is wrong with a list that has one number of each interval.

    Parameters
    ----------
    what
        The list, for messages.
    values
        The numbers; empty if the list is left out.
    parts
        Number of intervals; 0 for a bin that is not divided.
    needed
        Whether the intervals need the list.
    """
    if values and not parts:
        yield f"missing: {what} are those of the intervals between edges"
    elif parts > 1 and needed and not values:
        yield f"{parts} intervals need {what}, one number of each"
    elif values and len(values) != parts:
        yield f"{parts} intervals need as many {what}, there are {len(values)}"


def edge_problems(
    edges_gev: Sequence[float], window: Any, key: str, beam: Beam, target: Target
) -> Iterator[str]:
    """Yield what is wrong with the edges of a bin where its setup is known.

    Parameters
    ----------
    edges_gev
        Edges, increasing.
    window
        Selection of the setup.
    key
        Its least missing energy.
    beam, target
        What hits what.
    """
    least = getattr(window, key)
    if edges_gev[0] < least:
        yield (
            f"the first edge must be the window's {key} of {least:g} GeV or more, below which "
            f"nothing is selected, is {edges_gev[0]:g}"
        )
    if edges_gev[-1] > beam.energy_gev:
        yield (
            f"the last edge must be at most the beam energy of {beam.energy_gev:g} GeV, which has "
            f"no end then, is {edges_gev[-1]:g}"
        )
    for edge in edges_gev:
        if least < edge < beam.energy_gev:
            for _, message in replace(window, **{key: edge}).problems(beam, target):
                yield f"an edge at {edge:g} GeV {message}"


def not_rising(edges_gev: Sequence[float]) -> bool:
    """Tell whether edges are no edges of intervals."""
    return len(edges_gev) == 1 or (len(edges_gev) > 1 and not rising(edges_gev))


def threshold_windows(
    division: Sequence[Interval], window: Any, key: str, beam: Beam
) -> Mapping[float, Any]:
    """Return the windows whose events give those of intervals as differences.

    Parameters
    ----------
    division
        Intervals of the bins of a setup.
    window
        Its selection.
    key
        Its least missing energy.
    beam
        Above the energy of which nothing is missing.

    Returns
    -------
    Mapping
        By the edge, increasing: the same selection of more missing energy than that. The window's
        own least energy has none, nor the beam energy.
    """
    edges = {edge for part in division for edge in (part.low_gev, part.high_gev)}
    least = getattr(window, key)
    return {
        edge: replace(window, **{key: edge})
        for edge in sorted(edges)
        if least < edge < beam.energy_gev
    }
