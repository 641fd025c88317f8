"""Figure of a campaign: what was found, against what stands on one of its axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    AutoMinorLocator,
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)
from numpy.typing import NDArray

from na64.limits.campaigns.kinds import kind_of
from na64.limits.campaigns.table import CampaignTable
from na64.limits.figures.appearance import Appearance
from na64.limits.figures.drawn import Drawn, Kind, Traced, draw_beside, styled
from na64.limits.figures.lines import (
    Line,
    colour_of,
    dashes_of,
    draw_lines,
    finish,
    finite,
    frame,
    model_words,
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
#: columns of which a figure says what all its points have in common, beside those of the axes
_SAID: Final = ("search", "model", _MASS)
#: what is left free beside points at the ends of an axis, over its length
_MARGIN: Final = 0.03
#: least ratio of the ends of an axis on which digits times powers of ten are ticks enough
_SHORT: Final = 3.0
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
    _, labels = told(facts or [[]], ["" for _ in curves], look)
    kind = kind_of(found.kind)
    every = [row for rows in curves.values() for row in rows]
    lines, errors = [], []
    for place, (rows, label) in enumerate(zip(curves.values(), labels, strict=True)):
        ordered = sorted(rows, key=lambda row: float(row[x]))
        places = np.array([float(row[x]) for row in ordered])
        if places[0] <= 0.0:
            raise InputError(f"'{x}' is {places[0]:g}, which a logarithmic axis does not show")
        values = finite([row.get(y) for row in ordered])
        lines.append(Line(places, values, label, colour_of(place), dashes_of(place)))
        errors.append(finite([row.get(f"{y}_error") for row in ordered]))
    made, axes = frame()
    if y in kind.shares:
        axes[0].set_yscale("linear")
    traced = draw_lines(axes[0], lines)
    for curve in axes[0].get_lines():
        curve.set_marker(".")  # points of a campaign are few, and far apart
    for line, error in zip(lines, errors, strict=True):
        _draw_errors(axes[0], line, error, most=1.0 if y in kind.shares else np.inf)
    levels = _levels(kind.levels.get(y), every)
    _set_ends(axes[0], lines, errors, list(levels.values()), share=y in kind.shares)
    traced += _draw_levels(axes[0], levels)
    own = kind.words
    axes[0].set_xlabel(_strength_words(every) if x == _STRENGTH else own.get(x) or _words(x))
    axes[0].set_ylabel(own.get(y) or _value_words(y, every))
    common = ", ".join(filter(None, (typeset(found.name), *_common(found, every, x))))
    finish(made, axes, look, (common, traced))
    _set_ticks(axes[0])
    return made


def _common(found: CampaignTable, rows: Sequence[Row], x: str) -> list[str]:
    """Say what all points that are drawn have in common."""
    keys = [key for key in dict.fromkeys((*_SAID, *found.axes)) if key != x]
    values = {key: _distinct(rows, key) for key in keys if not key.startswith("masses")}
    return [_fact(key, some[0]) for key, some in values.items() if len(some) == 1]


def _draw_errors(axes: Axes, line: Line, error: NDArray[np.float64], *, most: float) -> None:
    """Draw the errors of points; none reaches beyond what a value can be."""
    if not np.isfinite(error).any():
        return
    upper = np.minimum(error, np.maximum(most - line.y, 0.0))
    axes.errorbar(
        line.x, line.y, yerr=[error, upper], fmt="none", ecolor=line.colour, lw=1.0, capsize=2.5
    )


def _levels(compared: Callable[[float], float] | None, rows: Sequence[Row]) -> dict[str, float]:
    """Return what values are compared with, by its words: one value per confidence level."""
    if compared is None:
        return {}
    levels = [level for level in _distinct(rows, "confidence_level") if is_number(level)]
    return {f"{100.0 * level:.6g} % CL": compared(level) for level in levels}


def _set_ends(
    axes: Axes,
    lines: Sequence[Line],
    errors: Sequence[NDArray[np.float64]],
    levels: Sequence[float],
    *,
    share: bool,
) -> None:
    """Set ends such that levels are seen, and no point is cut by the frame."""
    places = np.concatenate([line.x for line in lines])
    low, high = float(places.min()), float(places.max())
    if high > 1.2 * low:
        axes.set_xlim(low * (low / high) ** _MARGIN, high * (high / low) ** _MARGIN)
    if share:
        reach = [line.y - np.nan_to_num(error) for line, error in zip(lines, errors, strict=True)]
        bottom = min(float(np.nanmin(np.concatenate(reach))), *levels, 1.0)
        room = max(1.0 - bottom, 0.01)
        axes.set_ylim(max(bottom - 2.0 * _MARGIN * room, 0.0), 1.0 + _MARGIN * room)
    elif levels:
        bottom, top = axes.get_ylim()
        axes.set_ylim(min(bottom, *(level / 1.6 for level in levels)), max(top, *levels))


def _draw_levels(axes: Axes, levels: Mapping[str, float]) -> list[Traced]:
    things = [
        Drawn(words, np.array(axes.get_xlim()), np.full(2, level), Kind.LEVEL)
        for words, level in levels.items()
    ]
    return draw_beside(axes, styled(things), below=False)


def _set_ticks(axes: Axes) -> None:
    """Label a short axis of values, and a linear one, at round numbers."""
    low, high = axes.get_xlim()
    if high < _SHORT * low:
        found = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
        axes.xaxis.set_major_locator(FixedLocator(list(found)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${number(value)}$"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif high <= 12.0 * low and not 1e-3 <= low < high <= 1e4:
        # powers of ten stand side by side
        axes.xaxis.set_minor_formatter(FuncFormatter(twos_and_fives))
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_minor_locator(AutoMinorLocator())


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
        return model_words(value) if key == "model" else typeset(str(value))
    if key == _MASS:
        return f"mass {value:.3g} GeV"
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
