"""RunCard: a search as data, with beam, target, window, bins, backgrounds and uncertainties."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from na64.models.setup import Beam, Target
from na64.workspaces.cards.quantity import MassTable, Quantity
from na64.workspaces.cards.spectrum import BackgroundSpectrum
from na64.workspaces.io import jsonio

__all__ = [
    "DEFAULT_SETUP",
    "FORMAT",
    "Background",
    "Bin",
    "MassGrid",
    "RunCard",
    "Setup",
    "Uncertainty",
    "poisson_median",
]

#: version of the card format, written into resolved cards
FORMAT: Final = 1
#: name of the setup of the top-level tables [beam], [target] and [window]
DEFAULT_SETUP: Final = "default"


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

    beam: Beam
    target: Target
    window: Any
    tables: Mapping[str, Mapping[str, object]]

    @property
    def physics(self) -> tuple[Beam, Target, Any]:
        """Beam, target and window: what the signal depends on."""
        return (self.beam, self.target, self.window)


@dataclass(frozen=True, slots=True)
class Background:
    """An expected number of background events from one source."""

    name: str
    events: Quantity


@dataclass(frozen=True, slots=True)
class Bin:
    """One counting experiment: a run period, an intensity, a signal region.

    Attributes
    ----------
    name
        Name of the bin, and of its pyhf channel.
    period
        Run period, such as ``2016``.
    setup
        Name of the setup.
    region
        Signal region of the topology.
    exposure
        Particles on target.
    efficiency
        Fraction of the signal inside the window that the analysis accepts.
    backgrounds
        Expected backgrounds, one or more.
    observation
        Observed events; None in a projection.
    observation_source
        Where the observation comes from; empty in a projection.
    efficiency_correction
        What multiplies the efficiency, such as the ratio of data to simulation for a reference
        process; None for nothing. Its uncertainty is a nuisance besides that of the efficiency.
    """

    name: str
    period: str
    setup: str
    region: str
    exposure: Quantity
    efficiency: Quantity | MassTable
    backgrounds: tuple[Background, ...]
    observation: int | None
    observation_source: str = ""
    efficiency_correction: Quantity | None = None

    @property
    def corrected_efficiency(self) -> Quantity | MassTable:
        """Efficiency times its correction, with the relative uncertainty of the efficiency."""
        if self.efficiency_correction is None:
            return self.efficiency
        factor = self.efficiency_correction.value
        source = f"{self.efficiency.source}; times {factor:g}: {self.efficiency_correction.source}"
        if isinstance(self.efficiency, MassTable):
            values = tuple(factor * value for value in self.efficiency.values)
            return replace(self.efficiency, values=values, source=source)
        return replace(
            self.efficiency,
            value=factor * self.efficiency.value,
            uncertainty=factor * self.efficiency.uncertainty,
            source=source,
        )

    @property
    def expected_background(self) -> float:
        """Sum of the backgrounds, events."""
        return math.fsum(background.events.value for background in self.backgrounds)

    @property
    def observed(self) -> int:
        """Observed events; in a projection the median of the expected background."""
        if self.observation is not None:
            return self.observation
        return poisson_median(self.expected_background)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A log-normal uncertainty of the signal yield, such as a theory uncertainty.

    Attributes
    ----------
    name
        Name of the nuisance parameter; the same name as a correlation moves both together.
    relative
        Relative standard uncertainty.
    source
        Where the number comes from.
    processes
        Processes on which it acts; empty for all.
    bins
        Bins on which it acts; empty for all.
    """

    name: str
    relative: float
    source: str
    processes: tuple[str, ...] = ()
    bins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MassGrid:
    """A grid of masses equally spaced in the logarithm: bounds in GeV and number of points."""

    low_gev: float
    high_gev: float
    points: int


@dataclass(frozen=True, slots=True)
class RunCard:
    """A search.

    Attributes
    ----------
    name, title
        Short name and one line for people.
    topology
        Kind of search, which fixes the type of window and the signal function.
    mass_parameter
        How the mediator's mass is written on an axis.
    references
        arXiv numbers or other references of the search.
    model
        Mediator of the search unless another one is asked for.
    masses
        Mass range of the search unless another one is asked for.
    projection
        Whether the card describes an experiment without data.
    setups
        Running conditions by name; ``default`` is that of the top-level tables.
    bins
        Counting experiments.
    uncertainties
        Uncertainties of the signal yield beyond those of exposure and efficiency.
    overrides
        Settings made on top of the file, ``path=value``.
    background_spectrum
        Background of all bins against the cut on the energy, for choosing the cut; None if the
        card does not say.
    """

    name: str
    title: str
    topology: str
    mass_parameter: str
    references: tuple[str, ...]
    model: str
    masses: MassGrid
    projection: bool
    setups: Mapping[str, Setup]
    bins: tuple[Bin, ...]
    uncertainties: tuple[Uncertainty, ...] = ()
    overrides: tuple[str, ...] = ()
    background_spectrum: BackgroundSpectrum | None = None

    @property
    def used_setups(self) -> tuple[str, ...]:
        """Names of the setups that bins use, in order of first use."""
        return tuple(dict.fromkeys(item.setup for item in self.bins))

    @property
    def total_exposure(self) -> float:
        """Particles on target of all bins that count different particles.

        Bins that are signal regions of one data set repeat its exposure; one per period, setup
        and exposure is counted.
        """
        distinct: dict[tuple[str, str, str], float] = {}
        regions: dict[tuple[str, str], str] = {}
        for item in self.bins:
            first = regions.setdefault((item.period, item.setup), item.region)
            if item.region == first:
                distinct[(item.period, item.setup, item.name)] = item.exposure.value
        return math.fsum(distinct.values())

    def rate_region(self, item: Bin) -> str:
        """Name of a bin's region in the signal rates: ``region`` or ``setup/region``."""
        return region_name(item.setup, item.region, self.used_setups)

    def to_dict(self) -> dict[str, object]:
        """Return the resolved card as plain data, in the format that a card file has."""
        data: dict[str, object] = {
            "format": FORMAT,
            "name": self.name,
            "title": self.title,
            "topology": self.topology,
            "mass_parameter": self.mass_parameter,
            "references": list(self.references),
            "projection": self.projection,
            "defaults": {
                "model": self.model,
                "masses": {
                    "low_gev": self.masses.low_gev,
                    "high_gev": self.masses.high_gev,
                    "points": self.masses.points,
                },
            },
        }
        default = self.setups[DEFAULT_SETUP]
        data.update({key: dict(table) for key, table in default.tables.items()})
        others = {
            name: {key: dict(table) for key, table in setup.tables.items()}
            for name, setup in self.setups.items()
            if name != DEFAULT_SETUP
        }
        if others:
            data["setups"] = others
        if self.uncertainties:
            data["uncertainties"] = [_uncertainty_dict(item) for item in self.uncertainties]
        if self.background_spectrum is not None:
            data["background_spectrum"] = self.background_spectrum.to_dict()
        data["bins"] = [_bin_dict(item) for item in self.bins]
        if self.overrides:
            data["overrides"] = list(self.overrides)
        return data

    @property
    def digest(self) -> str:
        """Digest (sha256) of the resolved card, sources and overrides included."""
        return jsonio.digest(self.to_dict())


def region_name(setup: str, region: str, used_setups: tuple[str, ...]) -> str:
    """Return the name of a region in rates: plain if only the default setup is used."""
    return region if used_setups == (DEFAULT_SETUP,) else f"{setup}/{region}"


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


def _quantity_dict(quantity: Quantity | MassTable) -> dict[str, object]:
    data: dict[str, object]
    if isinstance(quantity, MassTable):
        data = {"masses_gev": list(quantity.masses_gev), "values": list(quantity.values)}
        if quantity.relative_uncertainty > 0.0:
            data["relative_uncertainty"] = quantity.relative_uncertainty
    else:
        data = {"value": quantity.value}
        if quantity.uncertainty > 0.0:
            data["uncertainty"] = quantity.uncertainty
    if quantity.correlation is not None:
        data["correlation"] = quantity.correlation
    data["source"] = quantity.source
    return data


def _uncertainty_dict(item: Uncertainty) -> dict[str, object]:
    data: dict[str, object] = {
        "name": item.name,
        "relative_uncertainty": item.relative,
        "source": item.source,
    }
    if item.processes:
        data["processes"] = list(item.processes)
    if item.bins:
        data["bins"] = list(item.bins)
    return data


def _bin_dict(item: Bin) -> dict[str, object]:
    data: dict[str, object] = {
        "name": item.name,
        "period": item.period,
        "setup": item.setup,
        "region": item.region,
        "exposure": _quantity_dict(item.exposure),
        "efficiency": _quantity_dict(item.efficiency),
        "backgrounds": [
            {"name": background.name, **_quantity_dict(background.events)}
            for background in item.backgrounds
        ],
    }
    if item.efficiency_correction is not None:
        data["efficiency_correction"] = _quantity_dict(item.efficiency_correction)
    if item.observation is not None:
        data["observed"] = {"value": item.observation, "source": item.observation_source}
    return data
