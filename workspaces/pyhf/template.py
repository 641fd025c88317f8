"""Template: the part of a search's likelihood that does not depend on the mediator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates
from na64.workspaces.cards.bins import Bin, Efficiency
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.quantity import MassTable, Quantity
from na64.workspaces.cards.simulated import SimulatedEfficiency
from na64.workspaces.io import jsonio
from na64.workspaces.pyhf.samples import (
    BackgroundSample,
    SignalUncertainty,
    Uncertainties,
    background_samples,
    factors_of,
)
from na64.workspaces.pyhf.simulated import (
    NO_FACTORS,
    BinFactors,
    BinTable,
    factors_at,
    tables_of,
)

__all__ = ["Template", "TemplateBin"]


@dataclass(frozen=True, slots=True)
class TemplateBin:
    """One count: that of a whole channel, or of one of its intervals in missing energy.

    Attributes
    ----------
    name
        Name of the pyhf channel. Intervals of one channel stand next to each other and share all
        but region, events and observation.
    region
        Region of the signal rates that feeds the bin.
    exposure
        Particles on target.
    efficiency
        Accepted fraction of the signal, corrections applied: a number, a table in mass, or counts
        of a simulation.
    signal_uncertainties
        Uncertainties of the signal.
    backgrounds
        Background samples, one or more.
    observed
        Observed events; in a projection the median of the expected background.
    interval
        Name of the interval; empty for a whole channel.
    tables
        Simulations of the signal, whose uncertainties depend on the mass.
    simulated
        These uncertainties at one mass, where the template is one of one mass.
    """

    name: str
    region: str
    exposure: float
    efficiency: Efficiency
    signal_uncertainties: tuple[SignalUncertainty, ...]
    backgrounds: tuple[BackgroundSample, ...]
    observed: int
    interval: str = ""
    tables: tuple[BinTable, ...] = ()
    simulated: BinFactors = NO_FACTORS

    @property
    def label(self) -> str:
        """Name in tables: that of the channel, with the interval behind a slash."""
        return f"{self.name}/{self.interval}" if self.interval else self.name

    @property
    def by_coupling(self) -> bool:
        """Whether the efficiency depends on the coupling."""
        return isinstance(self.efficiency, SimulatedEfficiency) and bool(self.efficiency.couplings)

    def efficiencies(
        self, masses_gev: ArrayLike, couplings: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the efficiency at each mass, shape of ``masses_gev``.

        Where it depends on the coupling, at each of these as well: shape (M, C).
        """
        try:
            if isinstance(self.efficiency, SimulatedEfficiency):
                return self.efficiency.at(masses_gev, couplings)
            return self.efficiency.at(masses_gev)
        except InputError as error:
            raise InputError(f"efficiency of bin {self.name}: {error}") from error

    def signal_factors(self, process: str) -> Uncertainties:
        """Return the uncertainties of one process as pairs (nuisance, relative), sorted."""
        return factors_of(
            (item.nuisance, item.relative)
            for item in self.signal_uncertainties
            if not item.processes or process in item.processes
        )

    def renamed(self, rename: Callable[[str], str | None]) -> TemplateBin:
        """Return the bin with other names of nuisances, without those whose new name is None."""
        backgrounds = (sample.renamed(rename) for sample in self.backgrounds)
        signal = (
            replace(item, nuisance=name)
            for item in self.signal_uncertainties
            if (name := rename(item.nuisance)) is not None
        )
        return replace(
            self,
            signal_uncertainties=tuple(signal),
            backgrounds=tuple(backgrounds),
            tables=tuple(table.renamed(rename) for table in self.tables),
        )


@dataclass(frozen=True, slots=True)
class Template:
    """Bins, backgrounds and nuisances of a search; signals are injected for any mediator.

    Attributes
    ----------
    name
        Name of the search.
    bins
        Counting experiments, the intervals of a channel each by itself.
    references
        arXiv numbers of the search.
    projection
        Whether there are no data: observations are medians of the background then.
    """

    name: str
    bins: tuple[TemplateBin, ...]
    references: tuple[str, ...] = ()
    projection: bool = False

    @classmethod
    def from_card(cls, card: RunCard) -> Template:
        """Return the template of a run card.

        A number with a correlation name is moved by the nuisance of that name; every other
        number has a nuisance of its own, ``bin:exposure``, ``bin:efficiency``,
        ``bin:efficiency-correction``, ``bin:yield`` or ``bin:background-name``. The share of a bin
        in a total that is split has one more, ``correlation-split-bin``, and the intervals of a
        bin whose spectrum is uncertain have ``bin:background-name-shape``; those of simulations
        are named by `na64.workspaces.pyhf.simulated.tables_of`.
        """
        tables = tables_of(card.bins)
        bins = tuple(
            replace(part, tables=tables.get(item.name, ()))
            for item in card.bins
            for part in _template_bins(card, item)
        )
        return cls(card.name, bins, card.references, card.projection)

    @property
    def observations(self) -> NDArray[np.int64]:
        """Observed events per bin, shape (B,)."""
        return np.array([item.observed for item in self.bins], dtype=np.int64)

    @property
    def expected_backgrounds(self) -> NDArray[np.float64]:
        """Expected background events per bin, all sources, shape (B,)."""
        return np.array(
            [math.fsum(sample.events for sample in item.backgrounds) for item in self.bins]
        )

    @property
    def channels(self) -> Mapping[str, tuple[int, ...]]:
        """Places of the bins of each channel, in the order of first use."""
        places: dict[str, tuple[int, ...]] = {}
        for place, item in enumerate(self.bins):
            places[item.name] = (*places.get(item.name, ()), place)
        return places

    @property
    def nuisances(self) -> tuple[str, ...]:
        """Names of all nuisance parameters, sorted."""
        names = {u.nuisance for item in self.bins for u in item.signal_uncertainties}
        for item in self.bins:
            for sample in item.backgrounds:
                names.update(sample.nuisances)
            for table in item.tables:
                names.update(table.nuisances)
        return tuple(sorted(names))

    def without(self, nuisances: Iterable[str]) -> Template:
        """Return the template with some nuisances removed, as if they were known exactly.

        Raises
        ------
        InputError
            For a nuisance that the template does not have.
        """
        removed = set(nuisances)
        unknown = sorted(removed.difference(self.nuisances))
        if unknown:
            raise InputError(
                f"no nuisance {', '.join(unknown)} in {self.name}; there are: "
                f"{', '.join(self.nuisances)}"
            )
        bins = tuple(
            item.renamed(lambda name: None if name in removed else name) for item in self.bins
        )
        return replace(self, bins=bins)

    def efficiencies(self, masses_gev: ArrayLike) -> NDArray[np.float64]:
        """Return the efficiencies, shape (M, B), for masses of shape (M,).

        Raises
        ------
        InputError
            For a mass outside a bin's table.
        """
        masses = np.atleast_1d(np.asarray(masses_gev, float))
        return np.stack([item.efficiencies(masses) for item in self.bins], axis=-1)

    def signal_events(self, rates: SignalRates) -> NDArray[np.float64]:
        """Return the accepted signal events at the couplings of the rates.

        Parameters
        ----------
        rates
            Events per particle on target; must have the region of every bin.

        Returns
        -------
        ndarray
            Exposure times efficiency times rate, shape (M, C, P, B).

        Raises
        ------
        InputError
            For a region that the rates do not have, a mass outside an efficiency table.
        """
        places = []
        for item in self.bins:
            if item.region not in rates.regions:
                raise InputError(
                    f"bin {item.label} of {self.name} needs signal rates in region "
                    f"'{item.region}'; there are: {', '.join(rates.regions)}"
                )
            places.append(rates.regions.index(item.region))
        exposures = np.array([item.exposure for item in self.bins])
        if any(item.by_coupling for item in self.bins):
            return np.asarray(rates.events[..., places] * exposures * self._fractions(rates))
        scale = exposures * self.efficiencies(rates.masses_gev)
        return np.asarray(rates.events[..., places] * scale[:, None, None, :])

    def _fractions(self, rates: SignalRates) -> NDArray[np.float64]:
        """Return efficiencies that depend on the coupling, shape (M, C, 1, B)."""
        if rates.power is not None:
            names = ", ".join(item.name for item in self.bins if item.by_coupling)
            raise InputError(
                f"the efficiency of bin {names} depends on the coupling, and the signal of "
                f"{self.name} is a power of it: give one that depends on the mass alone"
            )
        columns = []
        for item in self.bins:
            found = item.efficiencies(rates.masses_gev, rates.couplings)
            column = found if item.by_coupling else found[:, None]
            columns.append(np.broadcast_to(column, rates.events.shape[:2]))
        return np.stack(columns, axis=-1)[:, :, None, :]

    @property
    def most_events(self) -> float:
        """Signal events in all bins together that no limit is above."""
        largest = 100.0 + 10.0 * float(self.observations.sum())
        return largest + 10.0 * math.ceil(float(self.expected_backgrounds.sum()))

    @property
    def rigid(self) -> bool:
        """Whether the signal of this one mass has modifiers in absolute events."""
        return any(item.simulated.staterror[0] for item in self.bins)

    @property
    def by_mass(self) -> bool:
        """Whether uncertainties depend on the mass: then each mass has its own likelihood."""
        return any(item.tables for item in self.bins)

    def at_mass(self, rates: SignalRates, mass_index: int, events: NDArray[np.float64]) -> Template:
        """Return the template of one mass, whose uncertainties have the size of that mass.

        Parameters
        ----------
        rates
            Has the masses and couplings.
        mass_index
            Which of the masses.
        events
            `signal_events` of the rates.
        """
        if not self.by_mass:
            return self
        totals = events[mass_index].sum(axis=(1, 2))
        relevant = (totals >= 1.0) & (totals <= self.most_events)
        mass = float(rates.masses_gev[mass_index])
        bins = tuple(
            replace(item, simulated=factors_at(item.tables, mass, rates.couplings, relevant))
            for item in self.bins
        )
        return replace(self, bins=bins)

    def to_dict(self) -> dict[str, object]:
        """Return everything that the likelihood depends on as plain data."""
        return {"name": self.name, "bins": [_bin_dict(item) for item in self.bins]}

    @property
    def digest(self) -> str:
        """Digest (sha256) of `to_dict`."""
        return jsonio.digest(self.to_dict())


def _template_bins(card: RunCard, item: Bin) -> Iterator[TemplateBin]:
    """Yield the counts of a bin of a card: one, or one of each interval."""
    uncertainties = [
        SignalUncertainty(quantity.correlation or f"{item.name}:{label}", relative)
        for label, quantity in (
            ("exposure", item.exposure),
            ("efficiency", item.efficiency),
            ("efficiency-correction", item.efficiency_correction),
            ("yield", item.simulated_yield),
        )
        if quantity is not None and (relative := quantity.relative_uncertainty) > 0.0
    ]
    uncertainties += [
        SignalUncertainty(extra.name, extra.relative, extra.processes)
        for extra in card.uncertainties
        if not extra.bins or item.name in extra.bins
    ]
    regions, observed = card.rate_regions(item), item.observed_counts
    samples = [
        background_samples(item, background, len(regions)) for background in item.backgrounds
    ]
    whole = TemplateBin(
        name=item.name,
        region=regions[0],
        exposure=item.exposure.value,
        efficiency=item.corrected_efficiency,
        signal_uncertainties=tuple(uncertainties),
        backgrounds=tuple(parts[0] for parts in samples),
        observed=observed[0],
    )
    if not item.intervals:
        yield whole
    for place, part in enumerate(item.intervals):
        yield replace(
            whole,
            region=regions[place],
            backgrounds=tuple(parts[place] for parts in samples),
            observed=observed[place],
            interval=part.name,
        )


def _bin_dict(item: TemplateBin) -> Mapping[str, object]:
    efficiency: object = None  # that of a simulation, which is among the tables
    if isinstance(item.efficiency, MassTable):
        efficiency = {"masses_gev": item.efficiency.masses_gev, "values": item.efficiency.values}
    elif isinstance(item.efficiency, Quantity):
        efficiency = item.efficiency.value
    tables = {"simulations": [table.to_dict() for table in item.tables]} if item.tables else {}
    return (
        tables
        | {
            "name": item.name,
            "region": item.region,
            "exposure": item.exposure,
            "efficiency": efficiency,
            "signal_uncertainties": [
                {"nuisance": u.nuisance, "relative": u.relative, "processes": u.processes}
                for u in item.signal_uncertainties
            ],
            "backgrounds": [
                {
                    "name": sample.name,
                    "events": sample.events,
                    "uncertainties": sample.uncertainties,
                }
                | ({} if sample.shape is None else {"shape": sample.shape})
                | ({"variations": sample.variations} if sample.variations else {})
                for sample in item.backgrounds
            ],
            "observed": item.observed,
        }
        | ({"interval": item.interval} if item.interval else {})
    )
