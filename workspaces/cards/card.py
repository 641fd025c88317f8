"""RunCard: a search as data, with beam, target, window, bins, backgrounds and uncertainties.

The declarations of the fields are the format of card files: `na64.workspaces.cards.reader` reads
by them, `RunCard.to_dict` writes, and the schema and the tables of docs/run-cards.md follow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from na64.models.declaration import declare, table_of
from na64.models.errors import InputError
from na64.models.materials import MATERIALS
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.targets import Beam, Target
from na64.workspaces.cards.bins import DEFAULT_SETUP, PART_NAME, Bin
from na64.workspaces.cards.intervals import Interval, edge_problems
from na64.workspaces.cards.materials import MaterialTable, TargetTable
from na64.workspaces.cards.quantity import NAME, nuisance, source
from na64.workspaces.cards.simulated import SimulatedEfficiency
from na64.workspaces.cards.spectrum import BackgroundSpectrum
from na64.workspaces.cards.topologies import TOPOLOGIES
from na64.workspaces.io import jsonio

__all__ = [
    "FORMAT",
    "Defaults",
    "MassGrid",
    "RunCard",
    "Setup",
    "Uncertainty",
]

#: version of the card format, written into resolved cards
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Setup:
    """Beam, target and selection window of one running condition.

    Attributes
    ----------
    beam, target
        What hits what.
    window
        The selection; its type belongs to the topology.
    tables
        The tables ``beam``, ``target`` and ``window`` as the card gives them, with their sources.
    """

    beam: Beam = declare(help="what hits the target", measured=True)
    target: Target = declare(help="what is hit", accepts=TargetTable, measured=True)
    window: Any = declare(help="the selection; its keys depend on the topology", measured=True)
    tables: Mapping[str, Mapping[str, object]] = declare()

    @property
    def physics(self) -> tuple[Beam, Target, Any]:
        """Beam, target and window: what the signal depends on."""
        return (self.beam, self.target, self.window)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A log-normal uncertainty of the signal yield, such as a theory uncertainty."""

    name: str = nuisance(
        help="name of the nuisance parameter; the same name as a correlation moves both together"
    )
    relative: float = declare(
        name="relative_uncertainty", help="relative standard uncertainty", above=0.0
    )
    source: str = source()
    processes: tuple[str, ...] = declare(
        (), help="processes on which it acts; all if left out", allowed="processes"
    )
    bins: tuple[str, ...] = declare(
        (), help="bins on which it acts; all if left out", allowed="bins"
    )


@dataclass(frozen=True, slots=True)
class MassGrid:
    """A grid of masses equally spaced in the logarithm."""

    low_gev: float = declare(help="lowest mass", unit="GeV", above=0.0)
    high_gev: float = declare(help="highest mass", unit="GeV", above=0.0)
    points: int = declare(help="number of masses, equal steps in the logarithm", at_least=1)

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if self.low_gev >= self.high_gev:
            yield "high_gev", f"must be above low_gev = {self.low_gev:g}, is {self.high_gev:g}"


@dataclass(frozen=True, slots=True)
class SectorTable:
    """The dark sector of a card, as far as the card says."""

    dark_matter: str | None = declare(
        None,
        help="species of dark matter, or `none`",
        allowed=(*(kind.value for kind in DarkMatter), "none"),
    )
    alpha_d: float | None = declare(None, help="dark coupling g_D^2/(4 pi)", above=0.0)
    ratio: float | None = declare(None, help="mass of the mediator over that of chi", above=2.0)
    splitting: float | None = declare(None, help="relative mass splitting of pseudo-Dirac states")

    def __post_init__(self) -> None:
        given = table_of(self)
        species = given.pop("dark_matter", DarkMatter.PSEUDO_DIRAC.value)
        if species != "none":
            DarkSector(DarkMatter(species), **given)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a search is computed for unless something else is asked for."""

    model: str = declare(help="mediator; that of the topology if left out", fallback="model")
    masses: MassGrid = declare(
        help="`low_gev`, `high_gev` and `points` of a grid equally spaced in the logarithm; that "
        "of the topology if left out",
        fallback="masses",
    )
    sector: SectorTable | None = declare(
        None,
        name="dark_sector",
        help="`dark_matter`, `alpha_d`, `ratio`, `splitting`, those that differ from the usual",
    )

    @property
    def dark_sector(self) -> Mapping[str, Any]:
        """What the card says of the dark sector: some of dark_matter, alpha_d, ratio, splitting."""
        return {} if self.sector is None else table_of(self.sector)


def _this_format(number: int, values: Mapping[str, Any], names: Mapping[str, Any]) -> int:
    if number != FORMAT:
        raise InputError(f"this version reads format {FORMAT}")
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCard:
    """A search."""

    format: int = declare(
        FORMAT, help="version of the format, 1; may be left out", to=_this_format, resolved=True
    )
    name: str = declare(
        help="name in results; letters, digits, `_ . + -`", pattern=NAME, example="my-experiment"
    )
    title: str = declare(help="one line for people; the name if left out", fallback="name")
    extends: str | None = declare(
        None,
        help="name or file of another card that this one takes over, all but `name` and `title`: "
        "a table given here replaces that one's, bins, uncertainties, setups and materials are "
        "replaced or added by name; written out in resolved cards",
    )
    topology: str = declare(
        help="kind of search: which signal, which window",
        allowed=tuple(TOPOLOGIES),
        measured=True,
    )
    mass_parameter: str = declare(
        help="how the mass is written on an axis; that of the topology if left out. In results "
        "`m_A'` becomes `m_Z'`, `m_phi` or `m_a` for mediators other than the dark photon",
        fallback="mass_parameter",
    )
    references: tuple[str, ...] = declare(
        (), help="papers, such as `arXiv:2307.02404`", resolved=True
    )
    projection: bool = declare(
        False,
        help="`true` for an experiment without data: then no bin has `observed`, and the median "
        "of the expected background stands in for it",
        resolved=True,
    )
    defaults: Defaults = declare(
        help="used unless something else is asked for; may be left out", fallback="defaults"
    )
    materials: Mapping[str, MaterialTable] = declare(
        {},
        help="substances of the card's own, for targets",
        pattern=PART_NAME,
        refused=("|".join(MATERIALS), "is known already: choose another name"),
    )
    setups: Mapping[str, Setup] = declare(
        help="another running condition: tables `beam`, `target`, `window` with the keys that "
        "differ from the tables at the top, each with a `source` of its own",
        pattern=PART_NAME,
        refused=(DEFAULT_SETUP, "is the name of the tables at the top"),
    )
    bins: tuple[Bin, ...] = declare(help="counting experiments", distinct=True)
    uncertainties: tuple[Uncertainty, ...] = declare(
        (), help="further uncertainties of the signal, such as that of a cross-section"
    )
    background_spectrum: BackgroundSpectrum | None = declare(
        None, help="background of all bins below an energy in the calorimeter, to choose the cut"
    )
    overrides: tuple[str, ...] = declare(
        (), help="settings made on top of the file, `path=value`; written into resolved cards"
    )
    projected: tuple[str, ...] = declare(
        (),
        help="what was changed of a search with data and made a projection of it, such as "
        "`exposure of bin 2022`; written into resolved cards",
    )

    @property
    def model(self) -> str:
        """Mediator of the search unless another one is asked for."""
        return self.defaults.model

    @property
    def masses(self) -> MassGrid:
        """Mass range of the search unless another one is asked for."""
        return self.defaults.masses

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        for index, item in enumerate(self.bins):
            messages = [*self._edge_problems(item)]
            for before in self.bins[:index]:
                if not messages and self._counts_twice(before, item):
                    messages.append(
                        f"bin {before.name} counts some of the same energies in the same period "
                        f"and setup: divide them, or name another `period` if bin {item.name} has "
                        "particles of its own"
                    )
            for message in messages:
                yield f"bins[{index}].edges_gev", message

    def _counts_twice(self, one: Bin, other: Bin) -> bool:
        """Whether two bins that are regions of one data set have missing energies in common."""
        same = (one.period, one.setup, one.region) == (other.period, other.setup, other.region)
        if not same or one.edges_gev == other.edges_gev:
            return False
        if not (one.edges_gev and other.edges_gev):
            return True
        return one.edges_gev[0] < other.edges_gev[-1] and other.edges_gev[0] < one.edges_gev[-1]

    def _edge_problems(self, item: Bin) -> Iterator[str]:
        if not item.edges_gev:
            return
        key = TOPOLOGIES[self.topology].spectra.get(item.region)
        if key is None:
            known = [name for name, row in TOPOLOGIES.items() if row.spectra]
            yield (
                f"the region {item.region} of the topology {self.topology} is one count; there "
                f"are spectra in the topology {', '.join(known)}"
            )
            return
        setup = self.setups[item.setup]
        yield from edge_problems(item.edges_gev, setup.window, key, setup.beam, setup.target)

    @property
    def used_setups(self) -> tuple[str, ...]:
        """Names of the setups that bins use, in order of first use."""
        return tuple(dict.fromkeys(item.setup for item in self.bins))

    @property
    def simulated(self) -> bool:
        """Whether any number of the signal is from a simulation."""
        return any(
            item.simulated_yield is not None or isinstance(item.efficiency, SimulatedEfficiency)
            for item in self.bins
        )

    @property
    def simulated_alone(self) -> bool:
        """Whether all of the signal is from a simulation, and nothing is computed."""
        return all(item.simulated_yield is not None for item in self.bins)

    @property
    def distinct_bins(self) -> tuple[Bin, ...]:
        """Bins that count different particles on target.

        Bins that are signal regions of one data set repeat its exposure: of a period and setup
        those of the region, and of the edges in missing energy, that come first.
        """
        first: dict[tuple[str, str], tuple[str, tuple[float, ...]]] = {}
        return tuple(
            item
            for item in self.bins
            if first.setdefault((item.period, item.setup), (item.region, item.edges_gev))
            == (item.region, item.edges_gev)
        )

    @property
    def total_exposure(self) -> float:
        """Particles on target of all bins that count different particles."""
        return math.fsum(item.exposure.value for item in self.distinct_bins)

    @property
    def projection_note(self) -> str:
        """Say why a card is a projection although there are data; empty if there are none."""
        if not self.projected:
            return ""
        return (
            f"{self.name} is a projection: the data were not taken with this "
            f"{', nor with this '.join(self.projected)}; set what is observed as well to keep data"
        )

    def rate_region(self, item: Bin) -> str:
        """Name of a bin's region in the signal rates: ``region`` or ``setup/region``.

        A bin whose yield is from a simulation has a region of its own.
        """
        if item.simulated_yield is not None:
            return f"{item.name} (simulation)"
        return region_name(item.setup, item.region, self.used_setups)

    def rate_regions(self, item: Bin) -> tuple[str, ...]:
        """Names of the regions of a bin's counts: its region, or that with each interval."""
        region = self.rate_region(item)
        return tuple(f"{region}/{part.name}" for part in item.intervals) or (region,)

    def divisions(self, setup: str) -> Mapping[str, tuple[Interval, ...]]:
        """Intervals of the bins of a setup, by region, each once and in order of first use."""
        found: dict[str, dict[Interval, None]] = {}
        for item in self.bins:
            if item.setup == setup and item.intervals:
                found.setdefault(item.region, {}).update(dict.fromkeys(item.intervals))
        return {region: tuple(parts) for region, parts in found.items()}

    def to_dict(self) -> dict[str, object]:
        """Return the resolved card as plain data, in the format that a card file has."""
        data = table_of(replace(self, setups={}))
        setups = {name: dict(setup.tables) for name, setup in self.setups.items()}
        default = setups.pop(DEFAULT_SETUP)
        bins = data.pop("bins")
        data |= default | {"setups": setups, "bins": bins}
        if not setups:
            del data["setups"]
        return data

    @property
    def digest(self) -> str:
        """Digest (sha256) of the resolved card, sources and overrides included."""
        return jsonio.digest(self.to_dict())


def region_name(setup: str, region: str, used_setups: tuple[str, ...]) -> str:
    """Return the name of a region in rates: plain if only the default setup is used."""
    return region if used_setups == (DEFAULT_SETUP,) else f"{setup}/{region}"
