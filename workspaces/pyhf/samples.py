"""Samples of a template: what is expected of one source in one bin, and the nuisances on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from na64.workspaces.cards.bins import Bin
from na64.workspaces.cards.counts import Background

__all__ = [
    "BackgroundSample",
    "SignalUncertainty",
    "Uncertainties",
    "background_samples",
    "factors_of",
]

#: pairs (nuisance, relative uncertainty u); the yield changes by 1 + u at +1 sigma and by
#: 1/(1 + u) at -1 sigma
Uncertainties = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class BackgroundSample:
    """Expected background events of one source in one bin, with their nuisances.

    Attributes
    ----------
    name, events
        The source, and what is expected of it.
    uncertainties
        Of the whole, log-normal; the same in all intervals of a channel.
    shape
        Name of the nuisances of the intervals of a channel and the relative uncertainty u of each
        by itself: factors constrained as by 1/u^2 events; None if there is none.
    variations
        Nuisances that move the spectrum of a channel, with the events of this interval one
        standard deviation up and down.
    """

    name: str
    events: float
    uncertainties: Uncertainties
    shape: tuple[str, float] | None = None
    variations: tuple[tuple[str, float, float], ...] = ()

    @property
    def nuisances(self) -> tuple[str, ...]:
        """Names of all nuisances of the sample."""
        names = [name for name, _ in self.uncertainties]
        names += [] if self.shape is None else [self.shape[0]]
        return (*names, *(name for name, _, _ in self.variations))

    def renamed(self, rename: Callable[[str], str | None]) -> BackgroundSample:
        """Return the sample with other names of nuisances, without those that have none."""
        kept = tuple(
            (name, relative)
            for old, relative in self.uncertainties
            if (name := rename(old)) is not None
        )
        shape = None
        if self.shape is not None and (name := rename(self.shape[0])) is not None:
            shape = (name, self.shape[1])
        varied = tuple(
            (name, up, down)
            for old, up, down in self.variations
            if (name := rename(old)) is not None
        )
        return replace(self, uncertainties=kept, shape=shape, variations=varied)


@dataclass(frozen=True, slots=True)
class SignalUncertainty:
    """A log-normal uncertainty of the signal in one bin.

    Attributes
    ----------
    nuisance
        Name of the nuisance parameter.
    relative
        Relative uncertainty u; two with one nuisance act together.
    processes
        Processes on which it acts; empty for all.
    """

    nuisance: str
    relative: float
    processes: tuple[str, ...] = ()


def factors_of(pairs: Iterable[tuple[str, float]]) -> Uncertainties:
    """Return pairs (nuisance, relative) with every nuisance once, sorted by name.

    Two uncertainties moved by one nuisance multiply: 1 + u = (1 + u1)(1 + u2).
    """
    factors: dict[str, float] = {}
    for nuisance, relative in pairs:
        if relative > 0.0:
            factors[nuisance] = factors.get(nuisance, 1.0) * (1.0 + relative)
    return tuple((nuisance, factors[nuisance] - 1.0) for nuisance in sorted(factors))


def background_samples(item: Bin, background: Background, parts: int) -> list[BackgroundSample]:
    """Return one background in each of the intervals of a bin.

    Parameters
    ----------
    item
        The bin.
    background
        One of its backgrounds.
    parts
        Number of intervals; 1 for a bin that is not divided.
    """
    factors = factors_of(_background_factors(item.name, background))
    relative = background.shape_uncertainty if background.events.value > 0.0 else 0.0
    shape = (f"{item.name}:{background.name}-shape", relative) if relative > 0.0 else None
    varied = background.varied(parts) if background.events.value > 0.0 else {}
    return [
        BackgroundSample(
            background.name,
            events,
            factors,
            shape,
            tuple((name, up[place], down[place]) for name, (up, down) in sorted(varied.items())),
        )
        for place, events in enumerate(background.in_intervals(parts))
    ]


def _background_factors(bin_name: str, background: Background) -> Iterator[tuple[str, float]]:
    """Yield pairs (nuisance, relative) of one background: its total, and its share in the bin."""
    events = background.events
    yield events.correlation or f"{bin_name}:{background.name}", events.relative_uncertainty
    if events.value > 0.0:  # no share of nothing
        yield background.split_nuisance(bin_name), background.split_uncertainty
