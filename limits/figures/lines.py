"""Curves of quantities that are no limits: frames, ranges, typeset names, one legend.

What the figures of widths, cross-sections, yields, relic densities and track lengths have in
common.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.style import (
    ALPHA_COLOURS,
    RATIO_DASHES,
    SCAN_COLOURS,
    SPECIES,
    decades,
    legend_above,
)
from na64.limits.figures.words import plain_text
from na64.limits.results.axes import coupling_axis, coupling_tex, mass_axis, tex
from na64.models.errors import InputError
from na64.models.mediators.naming import interaction_words, mass_name
from na64.models.mediators.registry import BUILT_IN

__all__ = [
    "PLACES",
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
#: decades below the largest value that an axis shows at most: what is less is nothing
_DECADES: Final = 10.0
#: lines of a legend inside of the frame
_ENTRIES: Final = 6
#: characters of a line of the heading
_WIDTH: Final = 78
#: corners of the frame
PLACES: Final[Mapping[str, Any]] = {
    f"{row} {side}": f"{row} {side}" for row in ("upper", "lower") for side in ("left", "right")
}
_PARTICLES: Final = {
    "e": "e",
    "mu": r"\mu",
    "tau": r"\tau",
    "gamma": r"\gamma",
    "e-": "e^-",
    "e+": "e^+",
    "mu-": r"\mu^-",
    "mu+": r"\mu^+",
    "electron": "e^-",
    "positron": "e^+",
    "photon": r"\gamma",
}
#: channels that are more than a list of particles
_CHANNELS: Final = {"dark": "dark matter", "neutrinos": r"$\nu\bar\nu$"}


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
    """Return the colour of a line by its place; black is the colour of text in a dark style."""
    colour = _COLOURS[place % len(_COLOURS)]
    return str(mpl.rcParams["text.color"]) if colour == "#000000" else colour


def dashes_of(place: int) -> Any:
    """Return the dashes of a line by its place."""
    return RATIO_DASHES[place % len(RATIO_DASHES)]


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


def draw_lines(axes: Axes, lines: Sequence[Line], ylim: tuple[float, float] | None = None) -> None:
    """Draw lines, and set the ends of the axes: of the masses all, of values ten decades.

    Raises
    ------
    InputError
        Where no line has a value that a logarithmic axis shows.
    """
    values = np.concatenate([line.y for line in lines])
    seen = values[np.isfinite(values) & (values > 0.0)]
    if not seen.size:
        raise InputError("nothing to draw: no value is above zero")
    for line in lines:
        shown = np.where(np.isfinite(line.y) & (line.y > 0.0), line.y, np.nan)
        mark = "." if np.isfinite(shown).sum() == 1 else ""
        axes.plot(
            line.x,
            shown,
            color=line.colour,
            ls=line.dashes,
            lw=line.width,
            marker=mark,
            label=line.label or "_",
        )
    low = max(float(seen.min()), float(seen.max()) * 10.0**-_DECADES)
    axes.set_ylim(ylim or (low / 1.6, float(seen.max()) * 1.6))
    masses = np.concatenate([line.x for line in lines])
    ends = float(masses.min()), float(masses.max())
    margin = 1.0 if ends[1] > 1.2 * ends[0] else 1.15
    axes.set_xlim(ends[0] / margin, ends[1] * margin)


def entry(axes: Axes, label: str, dashes: Any) -> None:
    """Add an entry to the legend that says what dashes of any colour mean."""
    axes.plot([], [], color="#808080", ls=dashes, lw=1.8, label=label)


def finish(made: Figure, axes: Sequence[Axes], look: Appearance, heading: str) -> Figure:
    """Set ranges that are wanted, ticks, heading and legend, and lay the figure out.

    Parameters
    ----------
    made, axes
        From `frame`; the first panel has the legend, and the axis of values that may be set.
    look
        What is wanted.
    heading
        Above the frame unless another title is wanted.
    """
    first = axes[0]
    text = _wrapped(heading) if look.title is None else look.title
    if look.xlim is not None:
        first.set_xlim(look.xlim)
    if look.ylim is not None:
        first.set_ylim(look.ylim)
    for panel in axes:
        decades(panel)
    _, labels = first.get_legend_handles_labels()
    if labels and (look.legend == "above" or (look.legend == "auto" and _crowded(labels, axes))):
        legend_above(made, first, text)
    else:
        first.set_title(text, loc="left", fontsize="medium")
        if labels and look.legend != "none":
            first.legend(loc="best" if look.legend == "auto" else PLACES[look.legend])
    made.draw_without_rendering()
    return made


def _crowded(labels: Sequence[str], axes: Sequence[Axes]) -> bool:
    """Whether a legend inside of the frame would take the place of the curves."""
    return len(labels) > _ENTRIES or len(axes) > 1


def _wrapped(text: str) -> str:
    """Break a heading at its commas, where a line has about so many characters as fit."""
    lines = [""]
    for part in text.split(", "):
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        if lines[-1] and len(re.sub(r"\\[A-Za-z]+|[${}_^\\]", "", longer)) > _WIDTH:
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] = longer
    return "\n".join(lines)


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
        return plain_text(model)
    made = BUILT_IN[model]()
    mass = mass_name(made)
    boson = tex(mass).removeprefix("m_").removeprefix("{").removesuffix("}")
    found = interaction_words(made, boson, coupling_tex(made.parameter, mass))
    return found or plain_text(model.replace("-", " "))


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
    """Write a particle, or the pair that a channel is, in TeX; what is neither stays as it is.

    Examples
    --------
    >>> particles("e e"), particles("mu-"), particles("hadrons")
    ('$e^+e^-$', '$\\\\mu^-$', 'hadrons')
    """
    if channel in _CHANNELS:
        return _CHANNELS[channel]
    parts = channel.split()
    if len(parts) == 2 and parts[0] == parts[1] and parts[0] in ("e", "mu", "tau"):
        symbol = _PARTICLES[parts[0]]
        return f"${symbol}^+{symbol}^-$"
    if all(part in _PARTICLES for part in parts):
        return f"${''.join(_PARTICLES[part] for part in parts)}$"
    return plain_text(channel)


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
        return heading, [next(iter(look.labels), "")]
    labels = [
        label if label and labels.count(label) == 1 else _with_file(label, name)
        for label, name in zip(labels, names, strict=True)
    ]
    wanted = [*look.labels, *[""] * (len(labels) - len(look.labels))]
    if len(look.labels) > len(labels):
        raise InputError(f"{len(look.labels)} labels for {len(labels)} results")
    return heading, [mine or rule for mine, rule in zip(wanted, labels, strict=True)]


def _with_file(label: str, name: str) -> str:
    file = plain_text(name.removesuffix(".json"))
    return f"{label} ({file})" if label else file


def finite(values: Sequence[float | None]) -> FloatArray:
    """Return numbers of a document as an array, NaN for null."""
    return np.array([math.nan if value is None else value for value in values], float)
