"""The kinds of search: one row per topology, joining its window and its signal function."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from na64.models.errors import unknown_name
from na64.models.setup import MissingEnergyWindow, MuonWindow
from na64.models.signals.rates import SignalRates
from na64.models.windows import DisplacedWindow, DumpWindow, MesonWindow

__all__ = ["TOPOLOGIES", "SignalFunction", "Topology", "topology"]

#: signal(beam, target, window, mediator, masses_gev, **options) -> SignalRates
SignalFunction = Callable[..., SignalRates]


@dataclass(frozen=True, slots=True)
class Topology:
    """A kind of search.

    Attributes
    ----------
    name
        Name in run cards.
    window
        Dataclass of the selection, bound to a card's ``[window]`` field by field; its
        ``problems(beam, target)`` tells where the parts of a setup do not fit together.
    regions
        Signal regions; a card with one region need not name it.
    processes
        Production processes, on which a card's theory uncertainties may act.
    mass_parameter
        How the mediator's mass is written on an axis unless the card says otherwise.
    signal_path
        ``module:function`` of the signal function; imported when first needed.
    """

    name: str
    window: type
    regions: tuple[str, ...]
    processes: tuple[str, ...]
    mass_parameter: str
    signal_path: str

    def signal(self) -> SignalFunction:
        """Return the signal function."""
        module, _, function = self.signal_path.partition(":")
        found: SignalFunction = getattr(importlib.import_module(module), function)
        return found


def _table(*rows: Topology) -> Mapping[str, Topology]:
    return {row.name: row for row in rows}


#: every topology by name
TOPOLOGIES: Final[Mapping[str, Topology]] = _table(
    Topology(
        "missing-energy",
        MissingEnergyWindow,
        ("missing-energy",),
        ("emission", "annihilation"),
        "m_A'",
        "na64.models.signals.missing_energy:missing_energy_rates",
    ),
    Topology(
        "muon",
        MuonWindow,
        ("missing-energy",),
        ("emission",),
        "m_A'",
        "na64.models.signals.muon:muon_rates",
    ),
    Topology(
        "alp",
        DisplacedWindow,
        ("decay", "missing-energy"),
        ("production",),
        "m_a",
        "na64.models.signals.alp:alp_rates",
    ),
    Topology(
        "visible",
        DumpWindow,
        ("decay",),
        ("emission",),
        "m_X",
        "na64.models.signals.visible:visible_rates",
    ),
    Topology(
        "semi-visible",
        DisplacedWindow,
        ("decay", "missing-energy"),
        ("emission", "annihilation"),
        "m_A'",
        "na64.models.signals.semi_visible:semi_visible_rates",
    ),
    Topology(
        "meson",
        MesonWindow,
        ("disappearance",),
        ("charge-exchange",),
        "m_M",
        "na64.models.signals.mesons:meson_rates",
    ),
)


def topology(name: str) -> Topology:
    """Return a topology by name.

    Raises
    ------
    InputError
        For a name that is not in `TOPOLOGIES`.
    """
    if name not in TOPOLOGIES:
        raise unknown_name("topology", name, TOPOLOGIES)
    return TOPOLOGIES[name]
