"""What every result says in the same words: the order of bands, states, excluded intervals."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

__all__ = ["BAND_ORDER", "UNANSWERED", "BandStatus", "Interval", "Regions", "Status", "unanswered"]

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


#: states of a computation that did not answer; "no exclusion" is an answer
UNANSWERED: Final = frozenset({Status.FAILED, Status.NOT_BRACKETED})

#: states of the five expected limits in `BAND_ORDER`, one tuple of M per band
BandStatus = tuple[tuple[Status, ...], ...]


def unanswered(status: Status | None, bands: Sequence[Status]) -> list[str]:
    """Name the limits at one mass that were not found, with why.

    Parameters
    ----------
    status
        Of the observed limit; None where there is none on purpose.
    bands
        Of the expected limits, in `BAND_ORDER`; may be empty where they are not known.

    Returns
    -------
    list of str
        Such as ``expected +2 sigma: not-bracketed``.
    """
    named = [("observed", status)] if status is not None else []
    orders = BAND_ORDER if bands else ()
    named += [(f"expected {k:+d} sigma", one) for k, one in zip(orders, bands, strict=True)]
    return [f"{name}: {one.value}" for name, one in named if one in UNANSWERED]
