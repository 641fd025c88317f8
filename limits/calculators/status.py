"""What every result says in the same words: the order of bands, states, excluded intervals."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["BAND_ORDER", "Interval", "Regions", "Status"]

#: quantiles of the expected limit, in standard deviations, in the order of all results
BAND_ORDER: Final = (-2, -1, 0, 1, 2)

#: an excluded interval (low, high); high is None where it is open upwards
Interval = tuple[float, float | None]
#: the excluded intervals at one mass, lowest first, disjoint
Regions = tuple[Interval, ...]


class Status(StrEnum):
    """What came out at one mass."""

    #: a number
    OK = "ok"
    #: no signal is expected, or no signal strength or coupling is excluded
    NO_EXCLUSION = "no-exclusion"
    #: the edge is outside of what was looked at
    NOT_BRACKETED = "not-bracketed"
    #: a number could not be computed
    FAILED = "failed"
    #: taken out on purpose
    LEFT_OUT = "left-out"
    #: no thermal coupling to compare with
    NO_RELIC = "no-relic"
