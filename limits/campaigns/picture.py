"""Figure of a campaign: what was found, against what stands on one of its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from na64.limits.campaigns.kinds import kind_of
from na64.limits.campaigns.table import CampaignTable
from na64.limits.figures.appearance import Appearance
from na64.limits.figures.lines import (
    Line,
    colour_of,
    dashes_of,
    draw_lines,
    finish,
    finite,
    frame,
    number,
    told,
)
from na64.limits.figures.style import drawing_style, twos_and_fives
from na64.limits.figures.typeset import typeset
from na64.limits.results.axes import coupling_axis
from na64.models.declaration import is_number
from na64.models.errors import InputError, unknown_name

__all__ = ["MOST_CURVES", "campaign_figure"]

#: curves that can be told apart
MOST_CURVES: Final = 12
_MASS: Final = "mass_gev"
#: couplings or signal strengths at which something was asked
_STRENGTH: Final = "strength"
#: how columns are written on axes
_WORDS: Final = {
    _MASS: "mass of the mediator [GeV]",
    "alpha_d": r"$\alpha_D$",
    "ratio": r"$m_\mathrm{mediator}/m_\chi$",
    "confidence_level": "confidence level",
    "observed": "observed limit",
    "expected_median": "median expected limit",
}

Row = Mapping[str, Any]


def campaign_figure(
    found: CampaignTable,
    *,
    x: str | None = None,
    y: str | None = None,
    where: Mapping[str, str] | None = None,
    look: Appearance | None = None,
) -> Figure:
    """Draw a column of a campaign against an axis; what stands on the others tells curves apart.

    Parameters
    ----------
    found
        The table of the campaign.
    x
        Key of an axis, or ``mass_gev``; the first axis of numbers if None.
    y
        A column of numbers; what the kind of campaign is about if None.
    where
        Values, as texts, that axes are held at.
    look
        Title, labels, ends of axes, legend, style.

    Raises
    ------
    InputError
        For a column that there is not or that has no numbers, and for more curves than can be told
        apart.
    """
    look = look or Appearance()
    rows: list[Row] = [dict(zip(found.table.columns, row, strict=True)) for row in found.table.rows]
    rows = _held(found, rows, where or {})
    x = _x_of(found, rows, x)
    y = _y_of(found, rows, y)
    others = [
        key for key in (*found.axes, *_along(found)) if key != x and len(_distinct(rows, key)) > 1
    ]
    if x in found.axes and x != _MASS and "masses" in found.axes and _MASS in others:
        others.remove(_MASS)  # the masses of the points stand on their axis
    if x == _MASS and "masses" in others:
        others.remove("masses")
    curves: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if is_number(row.get(x)):
            curves.setdefault(tuple(str(row.get(key)) for key in others), []).append(row)
    if not curves:
        raise InputError(f"nothing to draw: no point has a number for '{x}'")
    if len(curves) > MOST_CURVES:
        held = ", ".join(f"{key} ({len(_distinct(rows, key))} values)" for key in others)
        raise InputError(
            f"{len(curves)} curves cannot be told apart, at most {MOST_CURVES}: hold some axes "
            f"with `where`: {held}"
        )
    with drawing_style(look.style):
        return _drawn(found, curves, (x, y, others), look)


def _drawn(
    found: CampaignTable,
    curves: Mapping[tuple[str, ...], Sequence[Row]],
    named: tuple[str, str, Sequence[str]],
    look: Appearance,
) -> Figure:
    x, y, others = named
    facts = [[_fact(key, rows[0].get(key)) for key in others] for rows in curves.values()]
    heading, labels = told(facts or [[]], ["" for _ in curves], look)
    lines = []
    for place, (rows, label) in enumerate(zip(curves.values(), labels, strict=True)):
        ordered = sorted(rows, key=lambda row: float(row[x]))
        places = np.array([float(row[x]) for row in ordered])
        if places[0] <= 0.0:
            raise InputError(f"'{x}' is {places[0]:g}, which a logarithmic axis does not show")
        values = finite([row.get(y) for row in ordered])
        lines.append(Line(places, values, label, colour_of(place), dashes_of(place)))
    made, axes = frame()
    traced = draw_lines(axes[0], lines)
    for line in axes[0].get_lines():
        line.set_marker(".")  # points of a campaign are few, and far apart
    every = [row for rows in curves.values() for row in rows]
    own = kind_of(found.kind).words
    axes[0].set_xlabel(_strength_words(every) if x == _STRENGTH else own.get(x) or _words(x))
    axes[0].set_ylabel(own.get(y) or _value_words(y, every))
    common = ", ".join(filter(None, (typeset(found.name), heading)))
    finish(made, axes, look, (common, traced))
    low, high = axes[0].get_xlim()
    if high <= 12.0 * low and not 1e-3 <= low < high <= 1e4:  # powers of ten stand side by side
        axes[0].xaxis.set_minor_formatter(FuncFormatter(twos_and_fives))
    return made


def _held(found: CampaignTable, rows: Sequence[Row], where: Mapping[str, str]) -> list[Row]:
    for key, wanted in where.items():
        if key not in (*found.axes, *_along(found)):
            raise unknown_name("axis", key, (*found.axes, *_along(found)))
        have = _distinct(rows, key)
        if not any(_same(value, wanted) for value in have):
            some = ", ".join(_text(value) for value in have[:10])
            raise InputError(f"no point has {key} {wanted}; there are {some}")
        rows = [row for row in rows if _same(row.get(key), wanted)]
    return list(rows)


def _same(value: Any, wanted: str) -> bool:
    if is_number(value):
        try:
            return bool(np.isclose(float(value), float(wanted), rtol=1e-3, atol=0.0))
        except ValueError:
            return False
    return str(value) == wanted


def _distinct(rows: Sequence[Row], key: str) -> list[Any]:
    """Return the values of a column, each once, in their order."""
    found = {_text(row[key]): row[key] for row in rows if row.get(key) is not None}
    return list(found.values())


def _x_of(found: CampaignTable, rows: Sequence[Row], x: str | None) -> str:
    columns = (*found.axes, *_along(found))
    if x is not None:
        if x not in columns:
            raise unknown_name("axis", x, columns)
        return _MASS if x == "masses" else x
    for key in columns:
        values = _distinct(rows, key)
        if len(values) > 1 and all(is_number(value) for value in values):
            return _MASS if key == "masses" else key
    raise InputError("no axis of the campaign has several numbers: there is nothing to draw along")


def _along(found: CampaignTable) -> tuple[str, ...]:
    return kind_of(found.kind).along


def _y_of(found: CampaignTable, rows: Sequence[Row], y: str | None) -> str:
    columns = [name for name in found.table.columns if name not in found.axes]
    wanted = kind_of(found.kind).drawn if y is None else (y,)
    for name in wanted:
        if name not in columns:
            raise unknown_name("column", name, columns)
    known = {name: sum(is_number(row.get(name)) for row in rows) for name in wanted}
    if any(known.values()):  # of projections and data together nothing is observed at most points
        return max(known, key=known.__getitem__)
    raise InputError(f"nothing to draw: no point has a number for {' or '.join(wanted)}")


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(key: str) -> str:
    if key.endswith("*"):
        return f"factor of {typeset(key[:-1])}"
    return _WORDS.get(key, typeset(key.replace("_", " ")))


def _fact(key: str, value: Any) -> str:
    """Say of a curve what stands on an axis."""
    if not is_number(value):
        return typeset(str(value))
    if key == _MASS:
        return f"{value:.3g} GeV"
    return f"{_words(key)} = ${number(float(value))}$"


def _strength_words(rows: Sequence[Row]) -> str:
    """Return the label of an axis of couplings of a search, or of strengths in a workspace."""
    names = {(row["parameter"], row["model"] is None) for row in rows if row.get("parameter")}
    if len(names) != 1:
        return "coupling"
    ((name, of_workspace),) = names
    return typeset(name) if of_workspace else coupling_axis(name).label


def _value_words(y: str, rows: Sequence[Row]) -> str:
    """Return the label of the axis of values: of limits with the coupling, where it is one."""
    couplings = {row["parameter"] for row in rows if row.get("parameter")}
    if y not in _WORDS or len(couplings) != 1:
        return _words(y) + (" on the coupling" if y in _WORDS else "")
    axis = coupling_axis(couplings.pop())
    return f"{_words(y)} on {axis.label}"
