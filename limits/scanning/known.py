"""What one scan leaves for the next: yields, and limits in signal events.

Scans that follow one another while somebody turns a knob have most of their work in common. The
yields of a search depend on its beams, targets and windows, on the mediator, the settings of the
signal and the masses, but on no exposure, efficiency or background. A limit in signal events
depends on the likelihood of the background, the shape of the signal over its bins, the counts and
the calculator, but not on how many events a coupling gives. Both are kept here by all of that, and
what is found is what would be computed, to the last bit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from na64.limits.calculators.limits import Remember
from na64.limits.calculators.roots import Edges
from na64.limits.results.specification import Specification
from na64.models.mediators.data import PLUG_IN, mediator_to_dict
from na64.models.signals.rates import SignalRates, TableStore
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.card import RunCard
from na64.workspaces.io.jsonio import digest

__all__ = ["Known", "NotKnownError"]

Kept = TypeVar("Kept")

#: how many yields, and how many sets of limits, are kept: those that were used last
_MOST: Final = 64


class NotKnownError(LookupError):
    """Limits in events are not known, and were not to be computed."""


class Known:
    """Yields and limits in events of the scans that were made with it.

    Several threads may use one. What it holds is bounded; the oldest is forgotten.
    """

    def __init__(self) -> None:
        self._rates: _Store[SignalRates] = _Store()
        self._limits: _Store[Edges] = _Store()
        self._closed = False

    @property
    def as_it_is(self) -> Known:
        """The same, but limits in events that are not known raise `NotKnownError`."""
        view = Known()
        view._rates, view._limits, view._closed = self._rates, self._limits, True
        return view

    def rates_of(
        self, card: RunCard, made: Specification, *, tables: TableStore | None = None
    ) -> SignalRates:
        """Return the rates of one card of a specification.

        Parameters
        ----------
        card
            The card.
        made
            The specification.
        tables
            As in `na64.limits.scan`.

        Raises
        ------
        InputError
            From `na64.workspaces.cards.binding.signal_rates`.
        """

        def computed() -> SignalRates:
            return signal_rates(
                card, made.mediator, made.masses_gev, settings=made.settings, tables=tables
            )

        mediator = mediator_to_dict(made.mediator)
        physics = repr(
            [(name, card.setups[name].physics, card.divisions(name)) for name in card.used_setups]
        )
        # bins whose yields are simulated are regions of their own
        physics += repr(
            [
                (item.name, item.setup, item.simulated_yield, item.efficiency)
                for item in card.bins
                if card.simulated
            ]
        )
        # the name of a plug-in need not be all of it, nor the text of an array
        if mediator["type"] == PLUG_IN or "array(" in physics:
            return computed()
        key = (
            card.topology,
            physics,
            digest(mediator),
            digest(made.settings.to_dict()),
            made.masses_gev.tobytes(),
        )
        return self._rates.get(key, computed)

    def limits_of(self, document: Mapping[str, Any]) -> Remember:
        """Return what keeps the limits in events of a likelihood.

        Parameters
        ----------
        document
            The workspace, whatever signal it has.
        """
        name = digest(document)

        def refuse() -> Edges:
            raise NotKnownError

        def remember(key: Hashable, compute: Callable[[], Edges]) -> Edges:
            return self._limits.get((name, key), refuse if self._closed else compute)

        return remember


class _Store(Generic[Kept]):
    """Values by their keys, the last ones that were used."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], Kept]) -> Kept:
        """Return the value of a key; two threads at once may both compute it, to the same end."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = compute()
        with self._lock:
            self._values[key] = value
            while len(self._values) > _MOST:
                self._values.popitem(last=False)
        return value
