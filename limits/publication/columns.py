"""Tables of a result for a record: columns of numbers, names and units, independent of a library.

What does not exist - no exclusion, an open end, a limit that could not be computed - is None, and
stands as ``-`` in a record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from na64.limits.calculators.status import BAND_ORDER, Regions, Status
from na64.limits.publication.words import Qualifier, keywords, mesons, qualifiers
from na64.limits.results.limit import Limit
from na64.workspaces.cards.card import RunCard
from na64.workspaces.pyhf.template import Template

__all__ = ["Column", "DataTable", "counts_table", "limits_table", "regions_table", "yields_table"]

#: a cell: a number, a text, or None for what does not exist
Cell = float | str | None

_MEDIAN: Final = BAND_ORDER.index(0)
#: quantiles of the expected limit in words
_BANDS: Final = {
    -2: "minus 2 standard deviations",
    -1: "minus 1 standard deviation",
    0: "median",
    1: "plus 1 standard deviation",
    2: "plus 2 standard deviations",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A variable of a table.

    Attributes
    ----------
    name, units
        Header; no units for a pure number or a text.
    values
        One cell per row.
    qualifiers
        What holds for all of them.
    errors
        By label, pairs (downwards, upwards) for all rows: signed differences to the value.
    """

    name: str
    units: str
    values: Sequence[Cell]
    qualifiers: tuple[Qualifier, ...] = ()
    errors: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table of a record.

    Attributes
    ----------
    name
        Up to 64 characters, single in the record.
    description
        What it holds and for what, sentences.
    independent, dependent
        Its columns, all of the same length.
    keywords
        By kind, see `na64.limits.publication.words.keywords`.
    """

    name: str
    description: str
    independent: tuple[Column, ...]
    dependent: tuple[Column, ...]
    keywords: Mapping[str, Sequence[str | float]]


def limits_table(limit: Limit, name: str) -> DataTable:
    """Return the table of limits: observed, and expected in five quantiles, against the mass.

    A column each for the five, so that each may lack what it lacks; where nothing is lacking at
    any mass, the median has the others as errors, too, which the pages of records draw. With a
    limit missing at some mass there is a column of states.

    Parameters
    ----------
    limit
        Any result.
    name
        Of the table.
    """
    facts = tuple(qualifiers(limit))
    what = f"limit on ${limit.y.tex}$"
    if limit.plane.excluded_below:
        what = f"lower {what}"
    elif _is_two_sided(limit):
        what = f"{what} (lowest excluded value)"
    else:
        what = f"upper {what}"
    units = _units(limit.y.unit)
    expected = limit.expected
    columns = []
    if not limit.expected_only:
        columns.append(Column(f"Observed {what}", units, _cells(limit.observed), facts))
    for order, values in zip(BAND_ORDER, expected, strict=True):
        quantile = Qualifier("QUANTILE", _BANDS[order])
        errors = _bands_as_errors(expected) if order == 0 else {}
        columns.append(
            Column(
                f"Expected {what}, {_BANDS[order]}",
                units,
                _cells(values),
                (*facts, quantile),
                errors,
            )
        )
    if any(status is not Status.OK for status in limit.status):
        states = [status.value for status in limit.status]
        columns.append(Column("Status", "", states, facts))
    sentences = [
        f"{_cl(limit)} {what} against ${limit.x.tex}$.",
        f"{limit.specification.title}; model {limit.specification.mediator.name}.",
        *([f"{limit.y.definition}."] if limit.y.definition != limit.y.name else []),
        *([f"For {limit.plane.assumptions}."] if limit.plane.assumptions else []),
        "A dash stands where there is no limit.",
        *(_sentence(text) for text in limit.warnings),
    ]
    return DataTable(
        name,
        " ".join(sentences),
        _masses(limit),
        tuple(columns),
        keywords(limit, (f"LIMIT {limit.y.name}",)),
    )


def regions_table(limit: Limit, name: str) -> DataTable | None:
    """Return the table of excluded intervals: lower and upper edges; None if all are open above.

    A row for each mass and interval, lowest first, numbered from 1; a dash for an upper edge is an
    open end, dashes for both edges an interval that only others in the row have.
    """
    if not _is_two_sided(limit):
        return None
    named: list[tuple[str, Sequence[Regions]]] = []
    if not limit.expected_only:
        named.append(("Observed", limit.regions))
    named += [
        (f"Expected {_BANDS[order]}", band)
        for order, band in zip(BAND_ORDER, limit.expected_regions, strict=True)
    ]
    rows = [
        (place, number)
        for place in range(len(limit.masses_gev))
        for number in range(max(len(regions[place]) for _, regions in named))
    ]
    facts = tuple(qualifiers(limit))
    columns = []
    for words, regions in named:
        for side, edge in enumerate(("lower edge", "upper edge")):
            cells = [
                regions[place][number][side] if number < len(regions[place]) else None
                for place, number in rows
            ]
            header = f"{words}, {edge} of ${limit.y.tex}$"
            columns.append(Column(header, _units(limit.y.unit), cells, facts))
    mass = _mass(limit)
    masses = [mass.values[place] for place, _ in rows]
    numbers = [float(number + 1) for _, number in rows]
    return DataTable(
        name,
        f"Intervals of ${limit.y.tex}$ that are excluded at {_cl(limit)}, against ${limit.x.tex}$. "
        f"{limit.specification.title}; model {limit.specification.mediator.name}. "
        "A dash for an upper edge is an open end; masses without an excluded interval have no row.",
        (Column(mass.name, mass.units, masses), Column("Interval", "", numbers)),
        tuple(columns),
        keywords(limit, (f"REGION {limit.y.name}",)),
    )


def yields_table(limit: Limit, name: str) -> DataTable:
    """Return the table of accepted signal events by process, and of the efficiency of each bin."""
    made = limit.specification
    parameter = made.mediator.parameter
    at = f"{parameter} = 1" if limit.power is not None else "the lowest excluded coupling"
    facts = (*qualifiers(limit), Qualifier("COUPLING", at))
    columns = [
        Column(f"Accepted signal events, {process}", "", _cells(values), facts)
        for process, values in limit.yields.items()
    ]
    if not limit.expected_only:
        columns.append(
            Column("Events at the observed limit", "", _cells(limit.events_limit), facts)
        )
    if limit.errors is not None:
        names = ("observed", *(_BANDS[order] for order in BAND_ORDER))
        columns += [
            Column(f"Relative error of the limit in events, {words}", "", _cells(row), facts)
            for words, row in zip(names, limit.errors, strict=True)
            if words != "observed" or not limit.expected_only
        ]
    for card in made.cards:
        template = Template.from_card(card)
        for item in (template.bins[places[0]] for places in template.channels.values()):
            bin_name = item.name if len(made.cards) == 1 else f"{card.name}, {item.name}"
            if item.by_coupling:  # the masses are the rows of the table, and there is no more room
                continue
            values = item.efficiencies(made.masses_gev)
            columns.append(Column(f"Signal efficiency, bin {bin_name}", "", _cells(values), facts))
    scaling = "" if limit.power is None else f" They go with {parameter}^{limit.power:g}."
    return DataTable(
        name,
        f"Signal events after exposure and efficiency, by process, at {at}, and the efficiency. "
        f"{made.title}; model {made.mediator.name}.{scaling}",
        _masses(limit),
        tuple(columns),
        keywords(limit, ("N", "EFF")),
    )


def counts_table(limit: Limit, name: str) -> DataTable:
    """Return the table of what was counted: exposure, background and data of every bin.

    Errors of a background are those of its nuisances, log-normal, in quadrature: events times u
    upwards, events times 1 - 1/(1 + u) downwards; that of one interval in missing energy by itself
    is the same in both directions. Of a projection there are no observed events.
    """
    made = limit.specification
    found = [(card, item) for card in made.cards for item in Template.from_card(card).bins]
    single = len(made.cards) == 1
    names: list[Cell] = [
        item.label if single else f"{card.name}, {item.label}" for card, item in found
    ]
    facts = tuple(qualifiers(limit))
    samples = dict.fromkeys(sample.name for _, item in found for sample in item.backgrounds)
    columns = [
        Column("Particles on target", "", [item.exposure for _, item in found], facts),
    ]
    columns += [_background(found, sample, facts) for sample in samples]
    if not all(card.projection for card, _ in found):
        counts: list[Cell] = [
            None if card.projection else float(item.observed) for card, item in found
        ]
        columns.append(Column("Observed events", "", counts, facts))
    return DataTable(
        name,
        f"Particles on target, expected background and observed events of each bin. {made.title}.",
        (Column("Bin", "", names),),
        tuple(columns),
        keywords(limit, ("N",)),
    )


def _background(
    found: Sequence[tuple[RunCard, Any]], name: str, facts: tuple[Qualifier, ...]
) -> Column:
    """The events of one background in every bin, with the errors of all its nuisances together."""
    samples = [
        next((sample for sample in item.backgrounds if sample.name == name), None)
        for _, item in found
    ]
    values: list[Cell] = [None if sample is None else sample.events for sample in samples]
    errors = []
    for sample in samples:
        parts = () if sample is None else sample.uncertainties
        events = 0.0 if sample is None else sample.events
        shape = 0.0 if sample is None or sample.shape is None else sample.shape[1]
        moved = [
            [side - events for side in sides]
            for _, *sides in (() if sample is None else sample.variations)
        ]
        up = math.hypot(
            events * math.hypot(shape, *(u for _, u in parts)),
            *(max(*sides, 0.0) for sides in moved),
        )
        down = math.hypot(
            events * math.hypot(shape, *(u / (1.0 + u) for _, u in parts)),
            *(min(*sides, 0.0) for sides in moved),
        )
        errors.append((-down, up))
    return Column(f"Expected background events, {name}", "", values, facts, {"sys": errors})


def _mass(limit: Limit) -> Column:
    return Column(f"${limit.x.tex}$", limit.x.unit, _cells(limit.masses_gev))


def _masses(limit: Limit) -> tuple[Column, ...]:
    """The masses, and the mesons where they are those of mesons."""
    names = mesons(limit)
    return (_mass(limit), *([Column("Meson", "", names)] if names else []))


def _is_two_sided(limit: Limit) -> bool:
    """Whether any excluded interval has an upper edge, or there is more than one at a mass."""
    every = (limit.regions, *limit.expected_regions)
    return any(
        len(found) > 1 or any(high is not None for _, high in found)
        for regions in every
        for found in regions
    )


def _bands_as_errors(expected: Any) -> dict[str, list[tuple[float, float]]]:
    """The bands around the median as errors; none unless all of them exist at all masses."""
    if not np.all(np.isfinite(expected)):
        return {}
    found = {}
    for sigma in (1, 2):
        low, high = (expected[BAND_ORDER.index(sign * sigma)] for sign in (-1, 1))
        middle = expected[_MEDIAN]
        pairs = zip((low - middle).tolist(), (high - middle).tolist(), strict=True)
        found[f"{sigma} s.d."] = list(pairs)
    return found


def _cells(values: Iterable[float]) -> list[Cell]:
    return [float(value) if math.isfinite(value) else None for value in values]


def _units(unit: str) -> str:
    """Return a unit as records have it: nothing for a pure number, powers in TeX."""
    if unit == "1":
        return ""
    base, _, power = unit.partition("^")
    return f"{base}$^{{{power}}}$" if power else base


def _cl(limit: Limit) -> str:
    return f"{100.0 * limit.specification.confidence_level:g}% CL"


def _sentence(text: str) -> str:
    words = text[:1].upper() + text[1:]
    return words if words.endswith(".") else f"{words}."
