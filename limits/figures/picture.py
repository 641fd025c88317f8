"""What a figure of limits shows, as data: traces that anything can draw.

The same limits, curves, outlines, colours and words as in the figures of matplotlib, for figures
that are drawn elsewhere: in a browser.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.status import BAND_ORDER, Regions
from na64.limits.figures.appearance import Appearance
from na64.limits.figures.drawing import closes
from na64.limits.figures.drawn import Drawn, Kind, Look, styled
from na64.limits.figures.figure import ratio_to
from na64.limits.figures.overlays import Beside, things_beside
from na64.limits.figures.plan import (
    axis_labels,
    check_results,
    colours,
    heading,
    relabelled,
    told_labels,
)
from na64.limits.figures.ranges import mass_range, value_range
from na64.limits.figures.regions import (
    edge_lines,
    have_width,
    left_over,
    limit_outlines,
)
from na64.limits.figures.style import FEW_MASSES, MEDIAN, ONE_SIGMA, SCAN_COLOURS, TWO_SIGMA
from na64.limits.figures.typeset import with_remark
from na64.limits.figures.unicode import in_unicode
from na64.limits.figures.words import left_out_words
from na64.limits.results.limit import Limit
from na64.models.errors import InputError

__all__ = ["Form", "Picture", "Trace", "picture"]

FloatArray = NDArray[np.float64]

#: how far beyond the axes an open interval ends, so that moving the axes does not show its end
_FAR: Final = 1e12
#: room beside the masses of mesons, a factor
_BESIDE: Final = 1.2


class Form(StrEnum):
    """How a trace is drawn.

    A line with gaps where it is NaN; an area inside of an odd number of its closed paths, which
    NaN separates; bars, each from a point to the next; points.
    """

    LINE = "line"
    AREA = "area"
    BARS = "bars"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Trace:
    """A thing that is drawn.

    Attributes
    ----------
    form
        How.
    label
        Entry of the legend; traces with the same one are switched on and off together.
    x, y
        Vertices, shape (N,), with NaN between parts.
    colour, opacity, width, dashes
        Of line or area; width in points, dashes in points on and off, none for a solid line.
    hatch
        Of an area: character of a pattern, as matplotlib has them, and its colour; empty for none.
    texts
        What is told of each point, by what it is: texts of length N.
    """

    form: Form
    label: str
    x: FloatArray
    y: FloatArray
    colour: str
    opacity: float = 1.0
    width: float = 0.0
    dashes: tuple[float, ...] = ()
    hatch: tuple[str, str] = ("", "")
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as data.

    Attributes
    ----------
    title
        What holds for all limits, a line each.
    x_label, y_label
        Words at the axes, which are logarithmic.
    x_range, y_range
        Ends of the axes.
    traces
        From the back to the front.
    ratios
        Of a panel below: the first limit divided by curves, by the label of the curve.
    """

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    traces: tuple[Trace, ...]
    ratios: tuple[Trace, ...] = ()


def picture(
    results: Sequence[Limit],
    *,
    beside: Beside | None = None,
    appearance: Appearance | None = None,
    ratio_panel: bool = False,
    names: Sequence[str] = (),
) -> Picture:
    """Return what a figure of limits shows.

    Parameters
    ----------
    results, beside, ratio_panel, names
        As in `na64.limits.figures.figure.figure`.
    appearance
        Title, labels of limits, ranges, bands and unit of masses; the rest is of paper alone.

    Raises
    ------
    InputError
        As there.
    """
    wanted = appearance or Appearance()
    check_results(results, wanted)
    scale = wanted.mass_scale
    span = None if wanted.xlim is None else (wanted.xlim[0] / scale, wanted.xlim[1] / scale)
    found = things_beside(results, beside or Beside(), compared=ratio_panel, span=span)
    if ratio_panel and not any(item.compared for item in found):
        raise InputError("a ratio panel needs a limit to divide by; overlay a curve")
    things = styled(relabelled(found, wanted))
    tones = colours(results)
    bands = wanted.bands and tones[0] == SCAN_COLOURS[0]
    low, high = mass_range(results)
    x_range = wanted.xlim or (scale * low, scale * high)
    y_range = wanted.ylim or value_range(x_range, results, things, bands=bands, scale=scale)
    far = y_range[0] / _FAR, y_range[1] * _FAR
    told = told_labels(results, wanted, names)
    own = [
        trace
        for item, words, colour in zip(results, told, tones, strict=True)
        for trace in _of_limit(item, words, colour, far)
    ]
    behind = [
        trace
        for item in sorted(things, key=lambda item: _look(item).order)
        for trace in _of_thing(item, results[0].plane.excluded_below, (x_range, far))
    ]
    x_label, y_label = axis_labels(results, wanted)
    in_unit = [replace(trace, x=scale * trace.x) for trace in own]
    of_bands = _bands(results[0], far) if bands else []
    traces = _layered(
        [*behind, *in_unit], [replace(trace, x=scale * trace.x) for trace in of_bands]
    )
    if results[0].y.name == "br":
        traces = _of_mesons(traces)
        x_range = wanted.xlim or (x_range[0] / _BESIDE, x_range[1] * _BESIDE)
    ratios = [_ratio(results[0], item, scale) for item in things if item.compared]
    return Picture(
        title=in_unicode(heading(results, wanted)),
        x_label=in_unicode(x_label),
        y_label=in_unicode(y_label),
        x_range=x_range,
        y_range=y_range,
        traces=traces,
        ratios=tuple(ratios) if ratio_panel else (),
    )


def _of_mesons(traces: Sequence[Trace]) -> tuple[Trace, ...]:
    """Points alone: between the masses of two mesons there is nothing to exclude."""
    told = {trace.label for trace in traces if trace.texts}
    return tuple(
        replace(trace, form=Form.POINTS, opacity=1.0, width=9.0 if trace.texts else 4.0)
        for trace in traces
        if trace.form in (Form.LINE, Form.POINTS) and (trace.texts or trace.label not in told)
    )


def _layered(things: Sequence[Trace], bands: Sequence[Trace]) -> tuple[Trace, ...]:
    """Shades behind the bands, lines before them, the median on top: the observed line hides it."""
    shades = [trace for trace in things if trace.form is Form.AREA]
    lines = [trace for trace in things if trace.form is not Form.AREA]
    return (
        *shades,
        *(trace for trace in bands if trace.form is not Form.LINE),
        *lines,
        *(trace for trace in bands if trace.form is Form.LINE),
    )


def _bands(limit: Limit, far: tuple[float, float]) -> list[Trace]:
    """Between which edges one and two of three outcomes without a signal lie, and the median."""
    traces = []
    for sigmas, colour in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        strong, weak = (limit.expected_regions[BAND_ORDER.index(k)] for k in (-sigmas, sigmas))
        if not have_width(strong, weak):
            continue
        label = f"expected ± {sigmas}σ"
        outer, inner = (limit_outlines(limit, found, far) for found in (strong, weak))
        wide = [path for path in outer if not path.lone]
        if wide:
            rings = [*wide, *(path for path in inner if not path.lone)]
            traces.append(_area(label, [(p.x, p.y) for p in rings], colour))
        if alone := [path for path in outer if path.lone]:
            traces.append(_lone_bars(limit, (strong, weak), alone, (label, colour), far))
    if not limit.expected_only:
        x, y, *_ = edge_lines(limit_outlines(limit, _median(limit), far))
        if x.size:
            traces.append(
                Trace(Form.LINE, "expected median", x, y, MEDIAN, width=1.1, dashes=(3.0, 3.0))
            )
    return traces


def _median(limit: Limit) -> tuple[Regions, ...]:
    return limit.expected_regions[BAND_ORDER.index(0)]


def _lone_bars(
    limit: Limit,
    bands: tuple[Sequence[Regions], Sequence[Regions]],
    alone: Sequence[Any],
    look: tuple[str, str],
    far: tuple[float, float],
) -> Trace:
    """A band of one mass is a bar."""
    x: list[float] = []
    y: list[float] = []
    for path in alone:
        row = int(np.argmin(np.abs(limit.masses_gev - path.x[0])))
        for low, high in left_over(bands[0][row], bands[1][row], far):
            x += [float(path.x[0]), float(path.x[0])]
            y += [low, high]
    return Trace(Form.BARS, look[0], np.array(x), np.array(y), look[1], width=9.0)


def _of_limit(limit: Limit, words: str, colour: str, far: tuple[float, float]) -> list[Trace]:
    """Shade, contour and masses of a limit."""
    paths = limit_outlines(limit, limit.shown_regions, far)
    kind = "expected median" if limit.expected_only else "observed"
    said = [kind if paths else "nothing excluded", left_out_words(limit)]
    kind = ", ".join(word for word in said if word)
    label = in_unicode(with_remark(words, kind))
    traces = []
    wide = [(path.x, path.y) for path in paths if not path.lone]
    if wide and not (limit.expected_only and not closes(limit)):
        traces.append(_area(label, wide, colour, 0.05 if limit.expected_only else 0.09))
    x, y, nodes, _ = edge_lines(paths)
    traces.append(Trace(Form.LINE, label, x, y, colour, width=2.0))
    if nodes.any():
        marked = len(limit.masses_gev) <= FEW_MASSES or any(path.lone for path in paths)
        traces.append(
            Trace(
                Form.POINTS,
                label,
                x[nodes],
                y[nodes],
                colour,
                opacity=1.0 if marked else 0.0,
                width=5.0,
                texts=_told(limit, label, x[nodes], y[nodes]),
            )
        )
    return traces


def _told(limit: Limit, label: str, x: FloatArray, y: FloatArray) -> dict[str, list[str]]:
    """What is told of each point: mass, value, events and how the mass fared."""
    rows = [int(np.argmin(np.abs(limit.masses_gev - mass))) for mass in x]
    events = [float(limit.events_limit[row]) for row in rows]
    value = in_unicode(f"${limit.y.tex.split('=')[0].strip()}$")
    unit = "" if limit.y.unit == "1" else f" {limit.y.unit}"
    return {
        "limit": [label] * len(rows),
        in_unicode(f"${limit.x.tex}$"): [f"{mass:.4g} GeV" for mass in x],
        value: [f"{number:.4g}{unit}" for number in y],
        "events at the limit": [f"{n:.4g}" if math.isfinite(n) else "-" for n in events],
        "status": [
            "; ".join(part for part in (limit.status[row].value, limit.messages[row]) if part)
            for row in rows
        ],
    }


def _look(item: Drawn) -> Look:
    return item.look or Look(SCAN_COLOURS[0])


def _dashes(look: Look) -> tuple[float, ...]:
    """On and off in points; matplotlib counts them in widths of the line."""
    if isinstance(look.dashes, str):
        return ()
    return tuple(float(length) * look.width for length in look.dashes[1])


def _of_thing(
    item: Drawn, below: bool, axes: tuple[tuple[float, float], tuple[float, float]]
) -> list[Trace]:
    """A curve, region, limit, level or floor beside limits."""
    (low, high), far = axes
    look, label = _look(item), in_unicode(item.label)

    def line(x: FloatArray, y: FloatArray) -> Trace:
        return Trace(Form.LINE, label, x, y, look.colour, width=look.width, dashes=_dashes(look))

    if item.kind is Kind.LEVEL:
        return [line(np.array([low / _FAR, high * _FAR]), np.full(2, item.y[0]))]
    if item.kind is Kind.FLOOR:
        edge = float(item.x[-1])
        x = np.array([low / _FAR, edge, edge, low / _FAR])
        y = np.array([far[0], far[0], far[1], far[1]])
        return [_area(label, [(x, y)], look.shade)]
    drawn = line(item.x, item.y)
    if item.kind in (Kind.LINE, Kind.TARGET):
        return [drawn]
    if item.kind is Kind.REGION:
        return [_area(label, _parts(item.x, item.y), look.shade, 0.22, look), drawn]
    until = item.until
    if until is None:
        until = np.full(len(item.x), far[0 if below else 1])
    shade = [
        (np.append(x, x[::-1]), np.append(y, z[::-1])) for x, y, z in _parts(item.x, item.y, until)
    ]
    return [_area(label, shade, look.shade, 1.0, look), drawn]


def _parts(*columns: FloatArray) -> list[tuple[FloatArray, ...]]:
    """Cut columns where one of them is NaN."""
    good = np.all(np.isfinite(columns), axis=0)
    ends = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(int), [0]])))
    return [
        tuple(column[first:last] for column in columns)
        for first, last in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True)
    ]


def _area(
    label: str,
    rings: Sequence[tuple[FloatArray, ...]],
    colour: str,
    opacity: float = 1.0,
    look: Look | None = None,
) -> Trace:
    gap = np.array([np.nan])
    x, y = (
        np.concatenate([part for ring in rings for part in (ring[k], gap)])[:-1]
        if rings
        else np.array([])
        for k in (0, 1)
    )
    hatch = (look.hatch[:1], look.colour) if look and look.hatch else ("", "")
    return Trace(Form.AREA, label, x, y, colour, opacity=opacity, hatch=hatch)


def _ratio(limit: Limit, item: Drawn, scale: float) -> Trace:
    values = ratio_to(limit, replace(item, x=item.x / scale))
    return Trace(
        Form.LINE,
        in_unicode(item.label),
        scale * limit.masses_gev,
        values,
        _look(item).colour,
        width=1.2,
    )
