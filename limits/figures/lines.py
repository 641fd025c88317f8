"""Curves of quantities that are no limits: frames, ranges, typeset names, one legend.

What the figures of widths, cross-sections, yields, relic densities and track lengths have in
common.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.colours import ink
from na64.limits.figures.drawn import Traced
from na64.limits.figures.labelling import lay_out
from na64.limits.figures.style import (
    ALPHA_COLOURS,
    SCAN_COLOURS,
    SPECIES,
    decades,
)
from na64.limits.figures.typeset import typeset
from na64.limits.results.axes import coupling_axis, coupling_tex, mass_axis, tex
from na64.models.errors import InputError
from na64.models.mediators.naming import interaction_words, mass_name
from na64.models.mediators.registry import BUILT_IN

__all__ = [
    "Line",
    "colour_of",
    "coupling_words",
    "dashes_of",
    "draw_lines",
    "entry",
    "finish",
    "finite",
    "frame",
    "mass_label",
    "model_words",
    "number",
    "particles",
    "sector_facts",
    "told",
]

FloatArray = NDArray[np.float64]

#: colours of lines, the first that of the text: told apart by the colour-blind and in grey
_COLOURS: Final = (*SCAN_COLOURS, ALPHA_COLOURS[-1], "#56b4e9")
#: dashes of lines
_DASHES: Final[tuple[Any, ...]] = (
    "-",
    (0, (5, 1.8)),
    (0, (1.2, 1.4)),
    (0, (6, 1.5, 1.2, 1.5)),
)
#: decades below the largest value that an axis shows at most: what is less is nothing
_DECADES: Final = 10.0
_NAMES: Final = {
    "electron": "$e^-$",
    "positron": "$e^+$",
    "photon": r"$\gamma$",
    "gamma gamma": r"$\gamma\gamma$",
    "neutrinos": r"$\nu\bar\nu$",
    "dark": "dark matter",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A curve.

    Attributes
    ----------
    x, y
        Points, shape (N,); NaN for gaps.
    label
        Text of the legend; empty for none.
    colour, dashes, width
        How it looks.
    """

    x: FloatArray
    y: FloatArray
    label: str
    colour: str
    dashes: Any = "-"
    width: float = 1.8

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise InputError(f"{len(self.y)} values at {len(self.x)} places")


def colour_of(place: int) -> str:
    """Return the colour of a line by its place, for the ground of the style that is set."""
    return ink(_COLOURS[place % len(_COLOURS)])


def dashes_of(place: int) -> Any:
    """Return the dashes of a line by its place."""
    return _DASHES[place % len(_DASHES)]


def frame(panels: Sequence[float] = (1.0,)) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels, one above the other with a common axis below.

    Parameters
    ----------
    panels
        Heights of the panels in units of a whole one.
    """
    made = Figure(
        figsize=(6.4, 4.8 * sum(panels)), layout=ConstrainedLayoutEngine(h_pad=0.04, hspace=0.0)
    )
    grid = made.add_gridspec(len(panels), 1, height_ratios=list(panels))
    first = made.add_subplot(grid[0])
    axes = [first, *(made.add_subplot(grid[k], sharex=first) for k in range(1, len(panels)))]
    for panel in axes:
        panel.set_xscale("log")
        panel.set_yscale("log")
    for panel in axes[:-1]:
        panel.tick_params(which="both", labelbottom=False)
    return made, axes


def draw_lines(
    axes: Axes, lines: Sequence[Line], ylim: tuple[float, float] | None = None
) -> list[Traced]:
    """Draw lines, and set the ends of the axes: of the masses all, of values ten decades.

    Returns
    -------
    list of Traced
        Those that have a label.

    Raises
    ------
    InputError
        Where no line has a value that a logarithmic axis shows.
    """
    values = np.concatenate([line.y for line in lines])
    seen = values[np.isfinite(values) & (values > 0.0)]
    if not seen.size:
        raise InputError("nothing to draw: no value is above zero")
    traced = []
    for line in lines:
        shown = np.where(np.isfinite(line.y) & (line.y > 0.0), line.y, np.nan)
        if not np.isfinite(shown).any():  # a channel that is closed at all masses
            continue
        (drawn,) = axes.plot(
            line.x,
            shown,
            color=line.colour,
            ls=line.dashes,
            lw=line.width,
            marker="." if np.isfinite(shown).sum() == 1 else "",
            label=line.label or "_",
        )
        if line.label:
            points = np.column_stack([line.x, shown])
            traced.append(
                Traced(line.label, line.label, line.label, drawn, line.colour, line=points)
            )
    low = max(float(seen.min()), float(seen.max()) * 10.0**-_DECADES)
    axes.set_ylim(ylim or (low / 1.6, float(seen.max()) * 1.6))
    masses = np.concatenate([line.x for line in lines])
    ends = float(masses.min()), float(masses.max())
    margin = 1.0 if ends[1] > 1.2 * ends[0] else 1.15
    axes.set_xlim(ends[0] / margin, ends[1] * margin)
    return traced


def entry(label: str, dashes: Any) -> Traced:
    """Return an entry of the legend that says what dashes of any colour mean."""
    handle = Line2D([], [], color=ink("#808080"), ls=dashes, lw=1.8)
    return Traced(label, label, "", handle)


def finish(
    made: Figure, axes: Sequence[Axes], look: Appearance, told: tuple[str, Sequence[Traced]]
) -> Figure:
    """Set ranges that are wanted and ticks, and place heading, labels and legend.

    Parameters
    ----------
    made, axes
        From `frame`; the first panel has the labels, and the axis of values that may be set.
    look
        What is wanted.
    told
        The heading unless another title is wanted, and what is labelled.
    """
    first = axes[0]
    heading, traced = told
    if look.xlim is not None:
        first.set_xlim(look.xlim)
    if look.ylim is not None:
        first.set_ylim(look.ylim)
    for panel in axes:
        decades(panel)
    lay_out(first, traced, heading if look.title is None else typeset(look.title), look, own=True)
    made.draw_without_rendering()
    return made


def mass_label(models: Sequence[str], look: Appearance) -> str:
    """Return the label of the axis of the mediator's mass, with the index of one model."""
    names = set(models)
    model = names.pop() if len(names) == 1 else ""
    if model not in BUILT_IN:
        return f"mass of the mediator [{look.mass_unit}]"
    axis = mass_axis(mass_name(BUILT_IN[model]()))
    return f"${axis.tex}$ [{look.mass_unit}]"


def model_words(model: str) -> str:
    """Return a mediator in words: what it is called in figures, or its name."""
    if model not in BUILT_IN:
        return typeset(model)
    made = BUILT_IN[model]()
    mass = mass_name(made)
    boson = tex(mass).removeprefix("m_").removeprefix("{").removesuffix("}")
    found = interaction_words(made, boson, coupling_tex(made.parameter, mass))
    return found or typeset(model.replace("-", " "))


def sector_facts(item: Mapping[str, Any]) -> list[str]:
    """Return the dark sector of a document as facts: species, alpha_D, ratio of masses."""
    species, alpha_d, ratio = item["dark_matter"], item["alpha_d"], item["ratio"]
    mass = mass_name(BUILT_IN[item["model"]]()) if item["model"] in BUILT_IN else "M"
    return [
        "" if species is None else rf"{SPECIES.get(species, species)} $\chi$",
        "" if alpha_d is None else rf"$\alpha_D = {number(alpha_d)}$",
        "" if ratio is None else rf"${tex(mass)} = {ratio:g}\,m_\chi$",
    ]


def number(value: float) -> str:
    """Return a number in TeX, without dollar signs: three digits, times a power of ten.

    Examples
    --------
    >>> number(0.5), number(1e-4), number(9.37e11)
    ('0.5', '10^{-4}', '9.37 \\\\times 10^{11}')
    """
    if 1e-2 <= value < 1e4 or value <= 0.0:
        return f"{value:.3g}" if value < 1e3 else f"{value:.0f}"
    digits, _, power = f"{value:.2e}".partition("e")
    digits = digits.rstrip("0").rstrip(".")
    return f"10^{{{int(power)}}}" if digits == "1" else rf"{digits} \times 10^{{{int(power)}}}"


def particles(channel: str) -> str:
    r"""Write a particle of a shower, or the pair that a channel is, in TeX; or the text as it is.

    Examples
    --------
    >>> particles("e e"), particles("mu-"), particles("hadrons")
    ('$e^+e^-$', '$\\mu^-$', 'hadrons')
    """
    first, _, second = channel.partition(" ")
    if channel in _NAMES:
        return _NAMES[channel]
    return typeset(f"{first}+ {first}-" if first == second else channel)


def coupling_words(parameter: str, coupling: float, model: str) -> str:
    """Write which coupling of a model something is for."""
    mass = mass_name(BUILT_IN[model]()) if model in BUILT_IN else ""
    return f"${coupling_axis(parameter, mass).tex} = {number(coupling)}$" + _unit(parameter)


def _unit(parameter: str) -> str:
    base, _, power = coupling_axis(parameter).unit.partition("^")
    return "" if base == "1" else f" {base}$^{{{power}}}$" if power else f" {base}"


def told(
    facts: Sequence[Sequence[str]], names: Sequence[str], look: Appearance
) -> tuple[str, list[str]]:
    """Return what is common to things, for a heading, and what tells each from the others.

    Parameters
    ----------
    facts
        Of each thing the same facts in the same order, empty where there is nothing to tell.
    names
        Names of the things, the last resort.
    look
        Has the labels that are wanted instead.
    """
    columns = list(zip(*facts, strict=True))
    same = [len(set(column)) == 1 for column in columns]
    heading = ", ".join(
        column[0] for column, common in zip(columns, same, strict=True) if common and column[0]
    )
    labels = [
        ", ".join(text for text, common in zip(own, same, strict=True) if text and not common)
        for own in facts
    ]
    if len(facts) == 1:
        return heading, [typeset(next(iter(look.labels), ""))]
    labels = [
        label if label and labels.count(label) == 1 else _with_file(label, name)
        for label, name in zip(labels, names, strict=True)
    ]
    wanted = [*look.labels, *[""] * (len(labels) - len(look.labels))]
    if len(look.labels) > len(labels):
        raise InputError(f"{len(look.labels)} labels for {len(labels)} results")
    return heading, [
        typeset(mine) if mine else rule for mine, rule in zip(wanted, labels, strict=True)
    ]


def _with_file(label: str, name: str) -> str:
    file = typeset(name.removesuffix(".json"))
    return f"{label} ({file})" if label else file


def finite(values: Sequence[float | None]) -> FloatArray:
    """Return numbers of a document as an array, NaN for null."""
    return np.array([math.nan if value is None else value for value in values], float)
