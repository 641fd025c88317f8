"""From expected events to excluded couplings: the one step that depends on the coupling's power.

Where events are a power of the coupling one number per mass decides, the limit on the signal
strength. Where they are not (decays in flight) the couplings of a grid are tested one by one and
the edges of the excluded intervals are found between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.registry import upper_limits
from na64.limits.likelihood.compiled import CompiledLikelihood, compile_workspace
from na64.limits.results.limit import BAND_ORDER, Regions, Status
from na64.limits.scanning.expected_regions import expected_regions
from na64.limits.scanning.regions import check_method, excluded_regions
from na64.limits.scanning.signal import ExpectedSignal
from na64.models.signals.rates import EventCurves

__all__ = ["Inversion", "invert"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Inversion:
    """What the calculators say about a search, in terms of the coupling.

    Attributes
    ----------
    regions
        Excluded intervals for the observed data, one tuple per mass; empty without data.
    expected_regions
        Intervals that outcomes without a signal exclude: for each band in `BAND_ORDER`, one
        tuple per mass.
    events_limit
        Accepted signal events at the lowest excluded coupling, shape (M,).
    yields
        Per process, accepted events at coupling one, or at the lowest excluded coupling where
        events are no power of it (0 where there is none); each of shape (M,).
    status, messages
        One per mass; without data those of the expected median.
    ensemble, seed, toys
        Of the calculator.
    """

    regions: tuple[Regions, ...]
    expected_regions: tuple[tuple[Regions, ...], ...]
    events_limit: Array
    yields: Mapping[str, Array]
    status: tuple[Status, ...]
    messages: tuple[str, ...]
    ensemble: str | None
    seed: int | None = None
    toys: int | None = None

    @property
    def expected(self) -> Array:
        """Lowest coupling expected to be excluded, in `BAND_ORDER`, shape (5, M); NaN if none."""
        return np.array([_lowest(band) for band in self.expected_regions])


def invert(
    signal: ExpectedSignal,
    *,
    confidence_level: float,
    method: str,
    observed: bool,
    toys: int,
    seed: int,
    ensemble: str,
    jobs: int,
    progress: Callable[[str], object],
) -> Inversion:
    """Return the excluded couplings at each mass.

    Parameters
    ----------
    signal
        Expected events.
    confidence_level, method, toys, seed, ensemble, jobs
        As in `na64.limits.calculators.upper_limits`.
    observed
        Whether the data are looked at.
    progress
        Called with the name of each stage as it begins.
    """
    if signal.rates.power is None:
        return _regions(signal, confidence_level, method, observed, progress)
    progress("limits")
    per_unit = signal.at_coupling(1.0)
    totals = per_unit.sum(axis=(1, 2))
    # mu = 1 is one signal event at nominal nuisances
    per_event = per_unit / np.where(totals > 0.0, totals, 1.0)[:, None, None]
    likelihood = _compile(signal)
    table = upper_limits(
        likelihood.inject(_in_order(signal, likelihood, per_event)),
        confidence_level=confidence_level,
        method=method,
        observed=observed,
        toys=toys,
        seed=seed,
        ensemble=ensemble,
        jobs=jobs,
    )
    power = signal.rates.power

    def coupling(mu: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((mu / totals) ** (1.0 / power))

    missing = np.full(len(totals), math.nan)
    lowest = coupling(table.observed) if observed else missing
    return Inversion(
        regions=_open(lowest),
        expected_regions=tuple(_open(band) for band in coupling(table.expected)),
        events_limit=table.observed_events if observed else missing,
        yields={name: per_unit[:, p].sum(axis=1) for p, name in enumerate(signal.rates.processes)},
        status=table.status,
        messages=table.messages,
        ensemble=table.ensemble,
        seed=table.seed,
        toys=table.toys,
    )


def _compile(signal: ExpectedSignal) -> CompiledLikelihood:
    """Compile the template once; any signal will do, it is replaced for all masses at once."""
    processes = signal.rates.processes
    ones = np.ones((len(processes), len(signal.bins)))
    return compile_workspace(signal.template.to_pyhf(ones, processes), validate=False)


def _in_order(signal: ExpectedSignal, likelihood: CompiledLikelihood, events: Array) -> Array:
    """Return events (..., P, B) with the samples and bins in the order of the likelihood."""
    samples = [f"signal_{name}" for name in signal.rates.processes]
    rows = [samples.index(name) for name in likelihood.signal_names]
    columns = [signal.bins.index(channel) for channel, _ in likelihood.bins]
    return np.ascontiguousarray(events[..., rows, :][..., columns])


def _regions(
    signal: ExpectedSignal,
    confidence_level: float,
    method: str,
    observed: bool,
    progress: Callable[[str], object],
) -> Inversion:
    rates = signal.rates
    check_method(method, f"the signal in {signal.card.name} is no power of {rates.parameter}: its ")
    likelihood = _compile(signal)
    accepted = _in_order(signal, likelihood, signal.accepted)
    events = EventCurves.through(rates.couplings, accepted)
    count = len(rates.masses_gev)

    progress("expected regions")
    bands = expected_regions(
        likelihood,
        events,
        count,
        rates.couplings,
        confidence_level=confidence_level,
        method=method,
        observed=observed,
    )
    if observed:
        progress("excluded regions")
        found = excluded_regions(
            likelihood,
            events,
            count,
            rates.couplings,
            confidence_level=confidence_level,
            method=method,
        )
        regions: tuple[Regions, ...] = found.regions
        status, messages = found.status, found.messages
    else:
        regions = ((),) * count
        median, smallest = bands[BAND_ORDER.index(0)], float(rates.couplings[0])
        status = tuple(_status(intervals, smallest) for intervals in median)
        messages = ("",) * count
    lowest = _lowest(regions)
    exists = np.isfinite(lowest)
    at_edge = np.zeros((count, *accepted.shape[2:]))
    at_edge[exists] = events(np.flatnonzero(exists), lowest[exists])
    totals = at_edge.sum(axis=(1, 2))
    samples = list(likelihood.signal_names)
    return Inversion(
        regions=regions,
        expected_regions=bands,
        events_limit=np.where(exists, totals, math.nan),
        yields={
            name: at_edge[:, samples.index(f"signal_{name}")].sum(axis=1)
            for name in rates.processes
        },
        status=status,
        messages=messages,
        ensemble="aux-fixed" if method == "exact" else None,
    )


def _open(lowest: Array) -> tuple[Regions, ...]:
    return tuple(((low, None),) if math.isfinite(low) else () for low in lowest.tolist())


def _lowest(regions: tuple[Regions, ...]) -> Array:
    return np.array([found[0][0] if found else math.nan for found in regions])


def _status(intervals: Regions, smallest: float) -> Status:
    """State of an expected region on a grid that begins at the smallest coupling."""
    if not intervals:
        return Status.NO_EXCLUSION
    at_the_end = math.isclose(intervals[0][0], smallest, rel_tol=1e-9)
    return Status.NOT_BRACKETED if at_the_end else Status.OK
