"""What a bin of a card counts: expected background events by source, and observed events."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from na64.models.declaration import declare
from na64.workspaces.cards.intervals import shared
from na64.workspaces.cards.quantity import NAME, Quantity, nuisance, source

__all__ = ["Background", "Observed", "TotalBackground", "Variation", "poisson_median"]


def _split_uncertainty() -> Any:
    return declare(
        0.0,
        help="relative uncertainty of the share of this bin where one published total, that of "
        "the `correlation`, is split over bins: a nuisance `CORRELATION-split-BIN` of its own",
    )


def _shares() -> Any:
    return declare(
        (),
        help="spectrum of the background: one number of each interval of a bin with `edges_gev`, "
        "such as the events in it; they are divided by their sum",
    )


def _shape_uncertainty() -> Any:
    return declare(
        0.0,
        help="relative uncertainty of the background in each interval by itself, besides that of "
        "the whole: nuisances `BIN:NAME-shape[0]`, `[1]`, ... (shapesys of pyhf)",
    )


@dataclass(frozen=True, slots=True)
class Variation:
    """Another spectrum of a background, one standard deviation away, such as another slope.

    The whole stays as it is. One standard deviation to the other side every interval moves by the
    same factor downwards, before the whole is restored: (shares^2/these shares).
    """

    name: str = nuisance(
        help="name of the nuisance parameter; one name moves the spectra of several bins together"
    )
    shares: tuple[float, ...] = declare(
        help="spectrum at one standard deviation, one number of each interval, divided by their "
        "sum; above 0 where the background is",
        fewest=1,
    )
    source: str = source()

    def sides(self, usual: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the shares one standard deviation up and down, by the usual ones."""
        down = tuple(
            share * share / other if share > 0.0 else 0.0
            for share, other in zip(usual, self.shares, strict=True)
        )
        return self.shares, down

    def problem(self, usual: Sequence[float]) -> str:
        """Return what is wrong beside the usual shares; empty if nothing."""
        if len(self.shares) != len(usual):
            return f"needs {len(usual)} shares, as the background has, there are {len(self.shares)}"
        if any((one > 0.0) != (other > 0.0) for one, other in zip(self.shares, usual, strict=True)):
            return "has shares of 0 elsewhere than the background: it cannot be reached from there"
        return ""


def _variations() -> Any:
    return declare(
        (),
        help="other spectra at one standard deviation, each an entry with a `name` and its "
        "`shares`: nuisances that move all intervals together (histosys of pyhf)",
        distinct=True,
    )


@dataclass(frozen=True, slots=True)
class TotalBackground:
    """An expected number of background events from all sources of one bin."""

    events: Quantity = declare(flat=True)
    split_uncertainty: float = _split_uncertainty()
    shares: tuple[float, ...] = _shares()
    shape_uncertainty: float = _shape_uncertainty()
    variations: tuple[Variation, ...] = _variations()

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if self.split_uncertainty > 0.0 and self.events.correlation is None:
            yield (
                "split_uncertainty",
                "needs a correlation, the name of the total that is split over bins",
            )
        if self.shares and not any(self.shares):
            yield "shares", "must not all be zero"
        if self.shape_uncertainty > 0.0 and not self.shares:
            yield "shape_uncertainty", "needs the shares of the intervals, which it is of"
        for index, item in enumerate(self.variations):
            if problem := item.problem(self.shares):
                yield f"variations[{index}]", problem


@dataclass(frozen=True, slots=True)
class Background:
    """An expected number of background events from one source.

    Attributes
    ----------
    name
        The source.
    events
        The number; with a ``correlation`` the share of a total that moves in all bins together.
    split_uncertainty
        Relative uncertainty of the share, log-normal, independent in every bin; 0 for none.
    shares
        Spectrum: what is in each interval of a bin that is divided, up to a common factor.
    shape_uncertainty
        Relative uncertainty of every interval by itself, independent of the others.
    variations
        Nuisances that move the spectrum as a whole.
    """

    name: str = declare(
        help="name of the source",
        pattern=NAME,
        refused=("signal.*", "is not allowed: names in signal* are the signal's"),
    )
    events: Quantity = declare(flat=True)
    split_uncertainty: float = _split_uncertainty()
    shares: tuple[float, ...] = _shares()
    shape_uncertainty: float = _shape_uncertainty()
    variations: tuple[Variation, ...] = _variations()

    @classmethod
    def of(cls, name: str, total: TotalBackground) -> Background:
        """Return a total as the one source of a bin."""
        return cls(
            name,
            total.events,
            total.split_uncertainty,
            total.shares,
            total.shape_uncertainty,
            total.variations,
        )

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        return TotalBackground(
            self.events,
            self.split_uncertainty,
            self.shares,
            self.shape_uncertainty,
            self.variations,
        ).misfits()

    def in_intervals(self, parts: int) -> tuple[float, ...]:
        """Return the events in each of the intervals of a bin; all of them in a single one."""
        return shared(self.events.value, self.shares, parts)

    def varied(self, parts: int) -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
        """Return by nuisance the events in each interval one standard deviation up and down."""
        found = {}
        for item in self.variations:
            up, down = item.sides(self.shares)
            whole = self.events.value
            found[item.name] = (shared(whole, up, parts), shared(whole, down, parts))
        return found

    def split_nuisance(self, bin_name: str) -> str:
        """Return the name of the nuisance that moves the share of a bin."""
        return f"{self.events.correlation}-split-{bin_name}"


@dataclass(frozen=True, slots=True)
class Observed:
    """A number of observed events."""

    value: int = declare(help="events")
    source: str = source()
    counts: tuple[int, ...] = declare(
        (),
        help="events in each interval of a bin with `edges_gev`; may be left out where there are "
        "none",
    )


def poisson_median(mean: float) -> int:
    """Return the median of a Poisson distribution: smallest n with P(N <= n) >= 1/2.

    Summed term by term; for means above 500, where exp(-mean) is close to the smallest number,
    the median is floor(mean + 1/3 - 0.02/mean) (Choi, Proc. Amer. Math. Soc. 121, 245 (1994)).
    """
    if mean > 500.0:
        return math.floor(mean + 1.0 / 3.0 - 0.02 / mean)
    term = total = math.exp(-mean)
    n = 0
    while total < 0.5:
        n += 1
        term *= mean / n
        total += term
    return n
