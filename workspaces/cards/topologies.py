"""The kinds of search: one row per topology, joining its window and its signal function."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from na64.models.errors import unknown_name
from na64.models.response.missing_momentum import MissingMomentumWindow
from na64.models.response.windows import (
    DisplacedWindow,
    DumpWindow,
    MesonWindow,
    MissingEnergyWindow,
    MuonWindow,
)
from na64.models.signals.blocks import SignalFunction, in_blocks

__all__ = ["TOPOLOGIES", "SignalFunction", "Topology", "topology"]


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
    help
        What the topology is, for people.
    power
        Exponent p where signal events are proportional to coupling^p; None where they are not.
    model, masses
        Mediator and mass grid (lowest, highest in GeV, points) unless the card says otherwise.
    spectra
        By region that can be divided in missing energy: the key of the window that is the least
        missing energy.
    example
        What a blank card of the topology has other than the examples of the declarations, by path.
    """

    name: str
    window: type
    regions: tuple[str, ...]
    processes: tuple[str, ...]
    mass_parameter: str
    signal_path: str
    help: str
    power: float | None = 2.0
    model: str = "dark-photon"
    masses: tuple[float, float, int] = (1e-3, 1.0, 60)
    spectra: Mapping[str, str] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)

    def signal(self) -> SignalFunction:
        """Return the signal function, which computes many masses in blocks."""
        module, _, function = self.signal_path.partition(":")
        return in_blocks(getattr(importlib.import_module(module), function))


def _table(*rows: Topology) -> Mapping[str, Topology]:
    return {row.name: row for row in rows}


#: every topology by name
TOPOLOGIES: Final[Mapping[str, Topology]] = _table(
    Topology(
        "missing-energy",
        MissingEnergyWindow,
        ("missing-energy",),
        ("emission", "annihilation", "primakoff"),
        "m_A'",
        "na64.models.signals.missing_energy:missing_energy_rates",
        "energy lost in an active target",
        spectra={"missing-energy": "missing_energy_gev"},
    ),
    Topology(
        "missing-momentum",
        MissingMomentumWindow,
        ("missing-momentum",),
        ("emission",),
        "m_A'",
        "na64.models.signals.missing_momentum:missing_momentum_rates",
        "an electron crosses a thin target, which needs a length, and leaves it with little energy "
        "and a transverse momentum",
        example={
            "beam.energy_gev": 4.0,
            "target.material": "tungsten",
            "target.length_x0": 0.1,
        },
    ),
    Topology(
        "muon",
        MuonWindow,
        ("missing-energy",),
        ("emission",),
        "m_A'",
        "na64.models.signals.muon:muon_rates",
        "a muon crosses an active target, which needs a length, and loses energy there",
        example={
            "beam.particle": "mu-",
            "beam.energy_gev": 160.0,
            "target.length_cm": 45.0,
        },
    ),
    Topology(
        "alp",
        DisplacedWindow,
        ("decay", "missing-energy"),
        ("production",),
        "m_a",
        "na64.models.signals.alp:alp_rates",
        "a particle made by photons of the shower that decays to photons. Regions `decay` (its "
        "energy appears behind the veto) and `missing-energy` (it leaves the detector)",
        power=None,
        model="alp",
        masses=(1e-3, 0.1, 60),
    ),
    Topology(
        "visible",
        DumpWindow,
        ("decay",),
        ("emission",),
        "m_X",
        "na64.models.signals.visible:visible_rates",
        "a boson that decays to an electron pair behind a dump. Region `decay`",
        power=None,
        masses=(1.2e-3, 0.04, 60),
    ),
    Topology(
        "semi-visible",
        DisplacedWindow,
        ("decay", "missing-energy"),
        ("emission", "annihilation"),
        "m_A'",
        "na64.models.signals.semi_visible:semi_visible_rates",
        "a mediator whose heavier decay product decays in flight. Regions as for `alp`",
        power=None,
        masses=(0.01, 1.0, 60),
        example={
            "defaults.dark_sector": {"dark_matter": "pseudo-dirac", "ratio": 3.0, "splitting": 0.4}
        },
    ),
    Topology(
        "meson",
        MesonWindow,
        ("disappearance",),
        ("charge-exchange",),
        "m_M",
        "na64.models.signals.mesons:meson_rates",
        "a hadron that vanishes as a neutral meson without visible decay. Region `disappearance`",
        power=1.0,
        model="invisible-meson",
        masses=(0.547862, 0.95778, 2),
        example={
            "beam.particle": "pi-",
            "beam.energy_gev": 50.0,
            "target.length_cm": 45.0,
        },
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
