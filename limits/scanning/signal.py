"""The expected signal of a specification: events per process and bin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from na64.limits.results.specification import Specification
from na64.limits.scanning.known import Known
from na64.limits.scanning.progress import Progress, silent
from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates, TableStore, events_at
from na64.workspaces.pyhf.combine import combine_rates, combine_templates
from na64.workspaces.pyhf.template import Template

__all__ = ["ExpectedSignal", "expected_signal"]


@dataclass(frozen=True, slots=True)
class ExpectedSignal:
    """Signal of one mediator in one search, or in several together.

    Attributes
    ----------
    specification
        What it was computed for.
    template
        Bins, backgrounds and nuisances.
    rates
        Events per particle on target.
    accepted
        Events after exposure and efficiency at the couplings of the rates, shape (M, C, P, B):
        mass, coupling, process, bin.
    computed
        Whether `expected_signal` made them from the specification; what is excluded with rates of
        one's own is not computed again by `na64.limits.results.limit.Limit.redo`.
    """

    specification: Specification
    template: Template
    rates: SignalRates
    accepted: NDArray[np.float64]
    computed: bool = False

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the bins, with the interval where a bin has several."""
        return tuple(item.label for item in self.template.bins)

    def take(self, rows: NDArray[np.intp]) -> ExpectedSignal:
        """Return the signal at some of its masses."""
        rates, made = self.rates, self.specification
        some = replace(rates, masses_gev=rates.masses_gev[rows], events=rates.events[rows])
        return replace(
            self,
            specification=made.at(made.masses_gev[rows]),
            rates=some,
            accepted=self.accepted[rows],
        )

    def at_coupling(self, coupling: float) -> NDArray[np.float64]:
        """Return the accepted events at a coupling, shape (M, P, B).

        Raises
        ------
        InputError
            For a coupling outside the grid of a signal that is no power of it.
        """
        return self._events(self.accepted, coupling)

    def per_particle(self, coupling: float) -> NDArray[np.float64]:
        """Return the events per particle on target in the region of each bin, shape (M, P, B)."""
        places = [self.rates.regions.index(item.region) for item in self.template.bins]
        return self._events(self.rates.events[..., places], coupling)

    def _events(self, events: NDArray[np.float64], coupling: float) -> NDArray[np.float64]:
        found = events_at(self.rates.couplings, events, coupling, self.rates.power)
        return np.asarray(found[:, 0])


def expected_signal(
    specification: Specification,
    *,
    tables: TableStore | None = None,
    progress: Progress = silent,
    known: Known | None = None,
) -> ExpectedSignal:
    """Return the events that a search, or several together, expect.

    Parameters
    ----------
    specification
        From `na64.limits.scanning.request.specify`.
    tables
        Where tables of cross-sections are kept between runs; computed anew if None.
    progress
        Called with the name of each stage as it begins.
    known
        Keeps what later computations have in common with this one.

    Raises
    ------
    InputError
        For a mass out of range, and searches whose signals cannot be combined.
    """
    cards = specification.cards
    parts: dict[str, SignalRates] = {}
    for card in cards:
        progress("signal rates" if len(cards) == 1 else card.name)
        try:
            parts[card.name] = (known or Known()).rates_of(card, specification, tables=tables)
        except InputError as error:
            if len(cards) == 1:
                raise
            raise InputError(f"{card.name}: {error}") from error
    if len(cards) == 1:
        template, rates = Template.from_card(cards[0]), parts[cards[0].name]
    else:
        template = combine_templates(
            {card.name: Template.from_card(card) for card in cards}, shared=specification.shared
        )
        # with one projection among the parts there is nothing to observe yet
        template = replace(template, projection=any(card.projection for card in cards))
        rates = combine_rates(parts)
    return ExpectedSignal(specification, template, rates, template.signal_events(rates), True)
