"""How every figure of the project looks, and how it is written to a file.

No pyplot and no global state: the style is set around the drawing, and a file depends only on
what is drawn, so that the same result gives the same bytes.
"""

from __future__ import annotations

import io
import logging
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, NullFormatter

from na64.limits.figures import FIGURE_SUFFIXES
from na64.limits.figures.appearance import STYLES
from na64.models.errors import InputError, unknown_name
from na64.workspaces.io.writing import write_atomic

__all__ = [
    "ALPHA_COLOURS",
    "FEW_MASSES",
    "HATCHES",
    "MEDIAN",
    "ONE_SIGMA",
    "OTHER_COLOURS",
    "OVERLAY_COLOURS",
    "OVERLAY_DASHES",
    "SCAN_COLOURS",
    "SPECIES",
    "SPECIES_COLOURS",
    "THERMAL_DASHES",
    "THERMAL_WIDTH",
    "TWO_SIGMA",
    "decades",
    "drawing_style",
    "figure_bytes",
    "legend_above",
    "open_ends",
    "save_figure",
    "twos_and_fives",
]


#: line colours of several scans; told apart by the colour-blind and in grey
SCAN_COLOURS: Final = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7")
#: colours and dashes of overlays: neighbours differ in lightness by 15 and more, for grey prints,
#: and in colours as the colour-blind see them. No dots between dashes: these are thermal targets
OVERLAY_COLOURS: Final = (
    "#b2182b",
    "#d08a1d",
    "#4d6b12",
    "#3b8ec2",
    "#5b3a8c",
    "#2aa198",
    "#7a3d10",
    "#b874b8",
    "#1f4e79",
    "#8fa03a",
    "#8c1d5a",
    "#7d8a97",
)
OVERLAY_DASHES: Final[tuple[Any, ...]] = (
    (0, (5, 2)),
    (0, (2, 1.2)),
    (0, (9, 2.5)),
    (0, (1, 1)),
    (0, (8, 1.5, 3, 1.5)),
)
#: hatches of regions and limits of others, by turns
HATCHES: Final = ("", "////", "....", "\\\\\\\\")
ONE_SIGMA: Final = "#8fbf9f"
TWO_SIGMA: Final = "#f3d58a"
MEDIAN: Final = "#56b4e9"
#: up to so many masses are drawn as points, too
FEW_MASSES: Final = 8

#: how species of dark matter are written, and the colours of their lines: none of those of scans
SPECIES: Final = {
    "dirac": "Dirac",
    "majorana": "Majorana",
    "pseudo-dirac": "pseudo-Dirac",
    "scalar": "complex scalar",
}
SPECIES_COLOURS: Final = {
    "scalar": "#8c510a",
    "majorana": "#4b2a86",
    "pseudo-dirac": "#2b8c83",
    "dirac": "#8f3a63",
}
#: where values of alpha_D of one species are told apart
ALPHA_COLOURS: Final = ("#d55e00", "#0072b2", "#009e73", "#a0508a", "#7f6000")
#: dashes of thermal targets, by mass ratio: with dots between them, as no experiment's are
THERMAL_DASHES: Final[tuple[Any, ...]] = (
    (0, (7, 1.6, 1.2, 1.6)),
    (0, (7, 1.6, 1.2, 1.6, 1.2, 1.6)),
    (0, (3, 1.4, 1, 1.4)),
    (0, (12, 1.6, 1.2, 1.6)),
    (0, (7, 1.6, 1.2, 1.6, 1.2, 1.6, 1.2, 1.6)),
)
THERMAL_WIDTH: Final = 1.1
#: shade and edge of what other experiments exclude, the first behind; light and less light in turn
OTHER_COLOURS: Final = (
    ("#dcdcdc", "#6e6e6e"),
    ("#a9bdd3", "#3f5f80"),
    ("#eadbc6", "#85683b"),
    ("#a8bf9c", "#4c6e3c"),
    ("#e4d3e8", "#7b5685"),
    ("#c2ab8f", "#6b5233"),
)


def open_ends(axes: Axes) -> tuple[float, float]:
    """Return values below and above all that axes show."""
    bottom, top = axes.get_ylim()
    return bottom / 10.0, 10.0 * top


def save_figure(figure: Figure, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a figure as PDF, PNG or SVG, by its suffix; the same figure gives the same bytes.

    Raises
    ------
    InputError
        For another suffix, or an existing file without ``force``.
    """
    write_atomic(path, figure_bytes(figure, path), force=force)


def figure_bytes(figure: Figure, path: str | os.PathLike[str]) -> bytes:
    """Return what `save_figure` writes to a file of that name.

    Raises
    ------
    InputError
        For another suffix than those of `FIGURE_SUFFIXES`.
    """
    suffix = Path(path).suffix
    # No dates, no version of matplotlib: two runs of the same scan give the same file.
    metadata: dict[str, dict[str, Any]] = {
        ".pdf": {"Creator": "na64-limits", "Producer": None, "CreationDate": None},
        ".png": {"Software": None},
        ".svg": {"Creator": "na64-limits", "Date": None},
    }
    if suffix not in metadata:
        allowed = ", ".join(FIGURE_SUFFIXES)
        raise InputError(f"{path}: a figure is written as {allowed}, not '{suffix}'")
    stream = io.BytesIO()
    with drawing_style():
        # fonts of fixed age make its reader say so, and nothing else
        logging.getLogger("fontTools.ttLib").setLevel(logging.ERROR)
        figure.savefig(stream, format=suffix[1:], metadata=metadata[suffix])
    return stream.getvalue()


@contextmanager
def drawing_style(style: str = "paper") -> Iterator[None]:
    """Set a style of the project while something is drawn or written.

    Parameters
    ----------
    style
        Out of `na64.limits.figures.appearance.STYLES`; over the defaults of matplotlib nothing but
        what its file says is set.

    Raises
    ------
    InputError
        For another style.
    """
    found = _sheet(style)
    with mpl.rc_context():
        mpl.rcdefaults()  # a matplotlibrc of the user would change the file
        mpl.rcParams.update(found)
        yield


@cache
def _sheet(style: str) -> dict[Any, Any]:
    """Return the settings of a style sheet."""
    if style not in STYLES:
        raise unknown_name("style", style, STYLES)
    with as_file(files("na64.limits.figures") / f"{style}.mplstyle") as path:
        found = mpl.rc_params_from_file(path, use_default_template=False)
    return dict(found)


def legend_above(
    figure: Figure,
    content: tuple[Sequence[Artist], Sequence[str]],
    heading: str,
    height: float,
) -> None:
    """Put the legend above the frame, where no curve can run through it.

    The figure, half an inch lower than so many inches, grows by the lines of the legend. It has
    two columns where these are not wider than the figure.

    Parameters
    ----------
    figure
        Has a layout engine.
    content
        What the legend shows, and its texts.
    heading
        Title of the legend.
    height
        Of the figure with a legend inside of the frame, inches.
    """
    handles, labels = content
    size = 0.9 * float(FontProperties(size=mpl.rcParams["legend.fontsize"]).get_size_in_points())
    lines = sum(label.count("\n") + 1 for label in labels)
    for columns in (2, 1):
        rows = -(-lines // columns) + heading.count("\n") + 1
        figure.set_figheight(height - 0.5 + 0.0222 * size * rows)
        legend = figure.legend(
            handles,
            labels,
            loc="outside upper left",
            title=heading,
            alignment="left",
            ncols=columns,
            fontsize=size,
            title_fontsize=mpl.rcParams["legend.fontsize"],  # its lines are broken for this size
            columnspacing=1.2,
            handlelength=2.0,
            borderaxespad=0.2,
            labelspacing=0.35,
        )
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def decades(axes: Axes) -> None:
    """Put ticks on logarithmic axes at powers of ten, and between them where an axis is short."""
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() != "log":
            continue
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(base=10.0, numticks=12))
        axis.set_minor_locator(LogLocator(base=10.0, subs=tuple(np.arange(2, 10)), numticks=12))
        axis.set_major_formatter(LogFormatterMathtext())
        if high <= 12.0 * low:  # at most one power of ten: the ticks between them need numbers
            axis.set_major_formatter(FuncFormatter(_number))
            crowded = high > 3.0 * low  # 7, 8, 9 and 10 then touch one another
            axis.set_minor_formatter(FuncFormatter(_number_but_7_and_9 if crowded else _number))
        elif high <= 80.0 * low:
            if low >= 0.01 and high <= 1000.0:  # "0.02", "0.1", "5": shorter than powers of ten
                axis.set_major_formatter(FuncFormatter(_number))
            axis.set_minor_formatter(FuncFormatter(twos_and_fives))
        else:
            axis.set_minor_formatter(NullFormatter())


def twos_and_fives(value: float, position: int | None) -> str:
    """Label 2 and 5 times a power of ten."""
    return _number(value, position) if _scientific(value)[0] in (2, 5) else ""


def _number_but_7_and_9(value: float, position: int | None) -> str:
    """Label a digit times a power of ten unless the digit is 7 or 9."""
    return "" if _scientific(value)[0] in (7, 9) else _number(value, position)


def _number(value: float, _position: int | None) -> str:
    """Write a digit times a power of ten: plainly if it is of ordinary size."""
    digit, power = _scientific(value)
    if -3 <= power <= 3:
        return f"{value:g}"
    return rf"$10^{{{power}}}$" if digit == 1 else rf"${digit}\times10^{{{power}}}$"


def _scientific(value: float) -> tuple[int, int]:
    """Return digit and power of ten of a tick."""
    power = math.floor(math.log10(value) + 1e-9)
    return round(value / 10.0**power), power
