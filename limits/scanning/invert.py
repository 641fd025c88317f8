"""From expected events to excluded couplings: the one step that depends on the coupling's power.

Where events are a power of the coupling one number per mass decides, the limit on the signal
strength. Where they are not (decays in flight) the couplings of a grid are tested one by one and
the edges of the excluded intervals are found between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.large_counts import few_events
from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.status import BAND_ORDER, BandStatus, Regions, Status
from na64.limits.likelihood.compiled import CompiledLikelihood, compile_workspace
from na64.limits.likelihood.sums import add_rows
from na64.limits.scanning.expected_regions import expected_region_tables
from na64.limits.scanning.known import Known
from na64.limits.scanning.progress import Progress, advance, counted, silent
from na64.limits.scanning.regions import check_smooth, excluded_regions
from na64.limits.scanning.signal import ExpectedSignal
from na64.models.errors import InputError
from na64.models.signals.blocks import mass_blocks
from na64.models.signals.rates import EventCurves
from na64.workspaces.pyhf.write import workspace

__all__ = ["Inversion", "in_order", "invert", "signal_document"]

Array = NDArray[np.float64]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Inversion:
    """What the calculators say about a search, in terms of the coupling.

    Attributes
    ----------
    regions
        Excluded intervals for the observed data, one tuple per mass; empty without data.
    expected_regions
        Intervals that the quantiles of outcomes without a signal exclude, in `BAND_ORDER`, one
        tuple per mass each.
    events_limit
        Accepted signal events at the lowest excluded coupling, shape (M,).
    yields
        Per process, accepted events at coupling one, or at the lowest excluded coupling where
        events are no power of it (0 where there is none); each of shape (M,).
    status, messages
        One per mass; without data those of the expected median.
    expected_status
        Of the expected limits, in `BAND_ORDER`, one tuple per mass each.
    warnings
        What the method says of its use here.
    errors
        Relative statistical errors of the limits in events, shape (6, M): observed and expected;
        None for methods without noise.
    """

    regions: tuple[Regions, ...]
    expected_regions: tuple[tuple[Regions, ...], ...]
    events_limit: Array
    yields: Mapping[str, Array]
    status: tuple[Status, ...]
    messages: tuple[str, ...]
    expected_status: BandStatus
    warnings: tuple[str, ...]
    errors: Array | None = None
    used: tuple[str, ...] = ()


def invert(
    signal: ExpectedSignal,
    *,
    progress: Progress = silent,
    known: Known | None = None,
    expected: bool = True,
) -> Inversion:
    """Return the excluded couplings at each mass.

    Parameters
    ----------
    signal
        Expected events, with the specification that says how they are tested.
    progress
        Called with the name of each stage as it begins.
    known
        Keeps what later computations have in common with this one.
    expected
        Whether the expected limits are computed as well; they always are of signals that are no
        power of the coupling.
    """
    if signal.template.by_mass:
        return _mass_by_mass(signal, progress, known, expected)
    if signal.rates.power is None:
        return _regions_in_blocks(signal, progress)
    progress("limits")
    return _strengths(signal, progress, known, expected)


def _strengths(
    signal: ExpectedSignal, progress: Progress, known: Known | None, expected: bool
) -> Inversion:
    """Invert a signal that is a power of the coupling."""
    made, power = signal.specification, float(signal.rates.power or 0.0)
    observed = not made.expected_only
    per_unit = signal.at_coupling(1.0)
    totals = add_rows(per_unit.reshape(len(per_unit), -1).T)
    # mu = 1 is one signal event at nominal nuisances
    per_event = per_unit / np.where(totals > 0.0, totals, 1.0)[:, None, None]
    document = signal_document(signal, per_event)
    likelihood = compile_workspace(document, validate=False)
    batch = (
        likelihood.batch(signal.rates.masses_gev)
        if signal.template.rigid
        else likelihood.inject(
            in_order(signal, likelihood, per_event), keys=signal.rates.masses_gev
        )
    )
    with counted(progress, len(totals), per_point=observed + len(BAND_ORDER) * expected):
        table = upper_limits(
            batch,
            confidence_level=made.confidence_level,
            calculator=made.calculator,
            observed=observed,
            expected=expected,
            remember=None if known is None else known.limits_of(document),
        )

    def coupling(mu: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((mu / totals) ** (1.0 / power))

    missing = np.full(len(totals), math.nan)
    return Inversion(
        regions=_excluded(coupling(table.lower), coupling(table.observed))
        if observed
        else ((),) * len(totals),
        expected_regions=tuple(_excluded(missing, coupling(band)) for band in table.expected),
        events_limit=table.observed_events if observed else missing,
        yields={name: per_unit[:, p].sum(axis=1) for p, name in enumerate(signal.rates.processes)},
        status=table.status,
        messages=tuple(
            said or note
            for said, note in zip(table.messages, table.notes or table.messages, strict=True)
        ),
        used=table.used,
        expected_status=table.expected_status,
        warnings=tuple(few_events(made.calculator, batch, observed=observed)),
        errors=table.relative_errors,
    )


def signal_document(signal: ExpectedSignal, per_event: Array) -> dict[str, Any]:
    """Write the template with any signal, which is replaced for all masses at once.

    With modifiers in absolute events it is that of the one mass that there is, one event.

    Parameters
    ----------
    signal
        Expected events of a search.
    per_event
        Events of one signal event at each mass, shape (M, P, B): mass, process, bin.
    """
    processes = signal.rates.processes
    ones = np.ones((len(processes), len(signal.bins)))
    return workspace(signal.template, per_event[0] if signal.template.rigid else ones, processes)


def _mass_by_mass(
    signal: ExpectedSignal, progress: Progress, known: Known | None, expected: bool
) -> Inversion:
    """Invert each mass by itself, where the sizes of nuisances depend on the mass."""
    progress("limits")
    rates = signal.rates
    found = []
    for row, mass in enumerate(rates.masses_gev):
        advance(progress, row, len(rates.masses_gev))
        one = slice(row, row + 1)
        alone = replace(
            signal,
            specification=signal.specification.at([mass]),
            template=signal.template.at_mass(rates, row, signal.accepted),
            rates=replace(rates, masses_gev=rates.masses_gev[one], events=rates.events[one]),
            accepted=signal.accepted[one],
        )
        found.append(
            _regions(alone, silent)
            if rates.power is None
            else _strengths(alone, silent, known, expected)
        )
    return _joined(found)


def in_order(signal: ExpectedSignal, likelihood: CompiledLikelihood, events: Array) -> Array:
    """Return events (..., P, B) with the samples and bins in the order of the likelihood."""
    samples = [f"signal_{name}" for name in signal.rates.processes]
    rows = [samples.index(name) for name in likelihood.signal_names]
    places = signal.template.channels
    columns = [places[channel][index] for channel, index in likelihood.bins]
    return np.ascontiguousarray(events[..., rows, :][..., columns])


def _regions_in_blocks(signal: ExpectedSignal, progress: Progress) -> Inversion:
    """Find the regions of blocks of masses: curves and lines of limits are some 0.4 MB a mass."""
    count = len(signal.rates.masses_gev)
    blocks = mass_blocks(count)
    if len(blocks) == 1:
        return _regions(signal, progress)
    progress("excluded regions")
    parts = []
    for block in blocks:
        parts.append(_regions(signal.take(np.arange(count)[block]), silent))
        advance(progress, block.stop, count)
    return _joined(parts)


def _joined(parts: Sequence[Inversion]) -> Inversion:
    """Return masses side by side that were inverted in parts."""
    first = parts[0]
    errors = [
        np.full((1 + len(BAND_ORDER), len(part.status)), math.nan)
        if part.errors is None
        else part.errors
        for part in parts
    ]
    noisy = any(part.errors is not None for part in parts)
    return Inversion(
        regions=_chained(part.regions for part in parts),
        expected_regions=tuple(
            _chained(part.expected_regions[band] for part in parts)
            for band in range(len(first.expected_regions))
        ),
        events_limit=np.concatenate([part.events_limit for part in parts]),
        yields={name: np.concatenate([p.yields[name] for p in parts]) for name in first.yields},
        status=_chained(part.status for part in parts),
        messages=_chained(part.messages for part in parts),
        used=_chained(part.used for part in parts),
        expected_status=tuple(
            _chained(part.expected_status[band] for part in parts)
            for band in range(len(first.expected_status))
        ),
        warnings=tuple(dict.fromkeys(note for part in parts for note in part.warnings)),
        errors=np.concatenate(errors, axis=1) if noisy else None,
    )


def _chained(parts: Iterable[tuple[Item, ...]]) -> tuple[Item, ...]:
    return tuple(chain.from_iterable(parts))


def _regions(signal: ExpectedSignal, progress: Progress) -> Inversion:
    rates, made = signal.rates, signal.specification
    if signal.template.rigid:
        raise InputError(
            f"the signal in {made.search} is no power of {rates.parameter}, and its simulation is "
            "in the likelihood as a staterror, in absolute events: give statistics = 'log-normal'"
        )
    check_smooth(
        made.calculator, f"the signal in {made.search} is no power of {rates.parameter}: its "
    )
    likelihood = compile_workspace(signal_document(signal, signal.accepted[0]), validate=False)
    accepted = in_order(signal, likelihood, signal.accepted)
    events = EventCurves.through(rates.couplings, accepted)
    count = len(rates.masses_gev)

    progress("expected regions")
    bands = expected_region_tables(
        likelihood,
        events,
        count,
        rates.couplings,
        confidence_level=made.confidence_level,
        calculator=made.calculator,
        observed=not made.expected_only,
    )
    if made.expected_only:
        regions: tuple[Regions, ...] = ((),) * count
        median = bands[BAND_ORDER.index(0)]
        status, messages = median.status, median.messages
    else:
        progress("excluded regions")
        found = excluded_regions(
            likelihood,
            events,
            count,
            rates.couplings,
            confidence_level=made.confidence_level,
            calculator=made.calculator,
        )
        regions, status, messages = found.regions, found.status, found.messages
    lowest = np.array([intervals[0][0] if intervals else math.nan for intervals in regions])
    exists = np.isfinite(lowest)
    at_edge = np.zeros((count, *accepted.shape[2:]))
    at_edge[exists] = events(np.flatnonzero(exists), lowest[exists])
    totals = at_edge.sum(axis=(1, 2))
    samples = list(likelihood.signal_names)
    most = accepted.sum(axis=(2, 3)).argmax(axis=1)
    strongest = likelihood.inject(accepted[np.arange(count), most])
    return Inversion(
        regions=regions,
        expected_regions=tuple(band.regions for band in bands),
        events_limit=np.where(exists, totals, math.nan),
        yields={
            name: at_edge[:, samples.index(f"signal_{name}")].sum(axis=1)
            for name in rates.processes
        },
        status=status,
        messages=messages,
        expected_status=tuple(band.status for band in bands),
        warnings=tuple(few_events(made.calculator, strongest, observed=not made.expected_only)),
    )


def _excluded(below: Array, above: Array) -> tuple[Regions, ...]:
    """Excluded couplings outside of an allowed interval; without a lower edge all above."""
    result: list[Regions] = []
    for low, high in zip(below.tolist(), above.tolist(), strict=True):
        ends = ((high, None),) if math.isfinite(high) else ()
        result.append(((0.0, low), *ends) if low > 0.0 else ends)
    return tuple(result)
