"""A bin of a card: one counting experiment, or several that divide it in missing energy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from na64.models.declaration import Key, declare
from na64.workspaces.cards.counts import Background, Observed, TotalBackground, poisson_median
from na64.workspaces.cards.intervals import Interval, intervals, list_problems, not_rising
from na64.workspaces.cards.quantity import MassTable, Quantity
from na64.workspaces.cards.simulated import SimulatedEfficiency, SimulatedYield
from na64.workspaces.cards.simulation_files import (
    EfficiencyFile,
    YieldFile,
    read_efficiency,
    read_yield,
)

__all__ = ["DEFAULT_SETUP", "PART_NAME", "Bin", "Efficiency"]

#: name of the setup of the top-level tables [beam], [target] and [window]
DEFAULT_SETUP: Final = "default"
#: bins and setups are parts of paths, so their names have no dot
PART_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_+-]*"

#: an efficiency: a number, a table in mass, or counts of a simulation
Efficiency = Quantity | MassTable | SimulatedEfficiency


def _correct(quantity: Efficiency, factor: Quantity) -> Efficiency:
    number = factor.value
    origin = f"{quantity.source}; times {number:g}: {factor.source}"
    if isinstance(quantity, SimulatedEfficiency):
        return quantity.times(number, origin)
    if isinstance(quantity, MassTable):
        values = tuple(number * value for value in quantity.values)
        return replace(quantity, values=values, source=origin)
    return replace(
        quantity,
        value=number * quantity.value,
        uncertainty=number * quantity.uncertainty,
        source=origin,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One counting experiment: a run period, an intensity, a signal region."""

    name: str = declare(
        help="name of the bin and of its pyhf channel; no dot", pattern=PART_NAME, example="all"
    )
    period: str = declare(help="run period; the name if left out", fallback="name")
    setup: str = declare(
        DEFAULT_SETUP,
        help="name of a setup; `default`, the tables at the top, if left out",
        allowed="setups",
        resolved=True,
    )
    region: str = declare(
        help="signal region; may be left out where the topology has one",
        allowed="regions",
        fallback="region",
        measured=True,
    )
    exposure: Quantity = declare(help="particles on target", above=0.0, example=1e10, measured=True)
    edges_gev: tuple[float, ...] = declare(
        (),
        help="edges of intervals in missing energy as measured, increasing, two or more, between "
        "the window's least one and the beam energy, above which there is no end: the bin counts "
        "in each interval by itself; one count of the whole window if left out",
        unit="GeV",
        above=0.0,
        fewest=2,
        measured=True,
    )
    efficiency: Efficiency = declare(
        help="accepted fraction of the signal inside the window; a number, a table in mass, counts "
        "of a simulation or the file that has them",
        above=0.0,
        at_most=1.0,
        example=0.5,
        accepts=Efficiency | EfficiencyFile,
        to=read_efficiency,
    )
    efficiency_correction: Quantity | None = declare(
        None,
        help="multiplies the efficiency, such as data over simulation for a reference process",
        above=0.0,
    )
    simulated_yield: SimulatedYield | None = declare(
        None,
        name="yield",
        help="signal events per particle on target from a simulation, or the file that has them, "
        "in place of those that are computed; exposure and efficiency multiply them",
        accepts=SimulatedYield | YieldFile,
        to=read_yield,
    )
    backgrounds: tuple[Background, ...] = declare(
        help="expected background events by source, each an entry with a `name`",
        distinct=True,
        other=Key(
            name="background",
            help="expected background events, the total; a bin without any says so, "
            '`{ value = 0, source = "..." }`',
            accepts=TotalBackground,
            to=lambda total, values, names: (Background.of("background", total),),
            missing="missing; give the total, background = { value = ..., source = ... }, or one "
            "[[bins.backgrounds]] per source (a bin without any says so: value = 0)",
            example=0.1,
        ),
    )
    observation: Observed | None = declare(
        None, name="observed", help="observed events", unless="projection", example=0
    )

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        accepted = self.corrected_efficiency
        largest = accepted.value if isinstance(accepted, Quantity) else accepted.largest
        if largest > 1.0:
            message = f"efficiency times correction must be at most 1, is {largest:g}"
            yield "efficiency_correction", message
        if not_rising(self.edges_gev):
            yield "edges_gev", "must be two or more, and increase"
        if self.edges_gev and self.simulated_yield is not None:
            yield "yield", "is one number, and the bin counts in intervals: leave out `edges_gev`"
        if self.edges_gev and getattr(self.efficiency, "statistics", "") == "staterror":
            yield "efficiency", "is one for all intervals: give `statistics` as `log-normal`"
        parts = len(self.intervals)
        for item in self.backgrounds:
            what = "shares of the background"
            what += f" '{item.name}'" if item.name != "background" else ""
            for message in list_problems(what, item.shares, parts, needed=item.events.value > 0.0):
                yield "edges_gev", message
        if (seen := self.observation) is not None:
            for message in list_problems(
                "observed.counts", seen.counts, parts, needed=seen.value > 0
            ):
                yield "edges_gev", message
            if seen.counts and sum(seen.counts) != seen.value:
                yield "observed", f"counts must add up to {seen.value}, are {sum(seen.counts)}"

    @property
    def corrected_efficiency(self) -> Efficiency:
        """Efficiency times its correction, with the relative uncertainty of the efficiency.

        The uncertainty of the correction is a nuisance besides that of the efficiency.
        """
        if self.efficiency_correction is None:
            return self.efficiency
        return _correct(self.efficiency, self.efficiency_correction)

    @property
    def expected_background(self) -> float:
        """Sum of the backgrounds, events."""
        return math.fsum(background.events.value for background in self.backgrounds)

    @property
    def observed(self) -> int:
        """Observed events; in a projection the median of the expected background."""
        if self.observation is not None:
            return self.observation.value
        return poisson_median(self.expected_background)

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """Intervals in missing energy; none for a bin that is one count of its window."""
        return intervals(self.edges_gev)

    @property
    def observed_counts(self) -> tuple[int, ...]:
        """Observed events in each interval, or of the bin; medians in a projection, as above."""
        parts = max(len(self.intervals), 1)
        if parts == 1:
            return (self.observed,)
        if self.observation is not None:
            return self.observation.counts or (0,) * parts
        expected = zip(*(item.in_intervals(parts) for item in self.backgrounds), strict=True)
        return tuple(poisson_median(math.fsum(part)) for part in expected)
