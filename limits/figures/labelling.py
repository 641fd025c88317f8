"""Title, labels at the curves and legend of a figure, once everything is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Transform
from numpy.typing import NDArray

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.drawn import Traced
from na64.limits.figures.placing import Box, Wanted, choose_places, resampled
from na64.limits.figures.style import legend_above
from na64.limits.figures.typeset import split_parts
from na64.models.errors import InputError, unknown_name

__all__ = ["lay_out"]

FloatArray = NDArray[np.float64]

#: of labels at curves, relative to texts of the legend
_SIZE: Final = 0.95
#: width of the halo around a label, points
_HALO: Final = 2.4
#: corners for the legend, the usual one of upper limits first
_CORNERS: Final = ("upper left", "lower right", "lower left", "upper right")
#: widest label at a curve, relative to the frame
_WIDEST: Final = 0.45
#: of the title, relative to texts of the legend: the first that fits into the figure
_TITLE_SIZES: Final = (1.05, 0.95, 0.85, 0.75)


@dataclass(frozen=True, slots=True)
class _Page:
    """Axes in points: what is drawn in them, and where."""

    axes: Axes
    figure: Figure
    to_points: Transform
    runs: tuple[FloatArray, ...]
    bands: tuple[FloatArray, ...]
    frame: tuple[float, float, float, float]

    def box(self, artist: Any) -> Box:
        """Return the box around an artist that is laid out."""
        found = artist.get_window_extent().transformed(self.figure.dpi_scale_trans.inverted())
        x0, y0, x1, y1 = (72.0 * float(value) for value in found.extents)
        return Box(0.5 * (x0 + x1), 0.5 * (y0 + y1), x1 - x0, y1 - y0)


def lay_out(
    axes: Axes, traced: Sequence[Traced], heading: str, look: Appearance, *, own: bool
) -> None:
    """Place the title, the labels and the legend of what was drawn.

    Parameters
    ----------
    axes
        Where it was drawn; their limits and their ticks stay as they are.
    traced
        What was drawn.
    heading
        The title.
    look
        What the user decided of it.
    own
        Whether the figure may grow for a legend above the frame.

    Raises
    ------
    InputError
        For the place of a label of a name that there is not, or outside of the axes.
    """
    _check_places(axes, traced, look)
    figure = axes.get_figure(root=True)
    assert figure is not None
    told = [item for item in traced if item.text and look.label_curves]
    explained = [item for item in traced if item not in told]
    height = figure.get_figheight() if own else None
    title = _title(axes, heading)
    _settle(figure)
    while True:
        shown = [item for item in traced if item in explained]
        legend = _legend(axes, shown, look, (heading, title, height))
        page = _page(axes)
        inside = [] if legend is None or legend in figure.legends else [page.box(legend)]
        labels = [_text(axes, item) for item in told]
        places = _places(page, told, labels, (look.label_at, inside))
        lost = [item for item, place in zip(told, places, strict=True) if place is None]
        if not lost or look.legend == "none":
            break
        for artist in (*labels, *([legend] if legend is not None else [])):
            artist.remove()
        told = [item for item in told if item not in lost]
        explained += lost
    for label, place in zip(labels, places, strict=True):
        if place is None:
            label.remove()
        else:
            _put(page, label, place, traced)


def _settle(figure: Figure) -> None:
    """Put axes where they will be when the figure is drawn."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def _check_places(axes: Axes, traced: Sequence[Traced], look: Appearance) -> None:
    names = {item.name for item in traced}
    ends = (axes.get_xlim(), axes.get_ylim())
    for name, point in look.label_at.items():
        if name not in names:
            raise unknown_name("name of what is labelled", name, names)
        if not all(low <= value <= high for value, (low, high) in zip(point, ends, strict=True)):
            frame = " and ".join(f"{low:.3g} to {high:.3g}" for low, high in ends)
            raise InputError(
                f"`label_at` of '{name}': {point[0]:g}, {point[1]:g} is outside of the axes, "
                f"{frame}"
            )


def _text(axes: Axes, item: Traced) -> Text:
    """Make the label of a thing, somewhere."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width = _WIDEST * axes.get_window_extent().width * 72.0 / figure.dpi
    label = axes.text(
        *(0.5, 0.5, _wrapped(figure, item.text, width, _SIZE * _legend_size())),
        transform=axes.transAxes,
        color=item.colour or mpl.rcParams["text.color"],
        fontsize=_SIZE * _legend_size(),
        ha="center",
        va="center",
        linespacing=1.1,
        zorder=6.0,
        clip_on=True,
    )
    label.set_in_layout(False)
    return label


def _put(page: _Page, label: Text, place: Box, traced: Sequence[Traced]) -> None:
    """Move a label to its place, with a halo in the colour of what is uppermost there."""
    ground = mpl.colors.to_hex(page.axes.get_facecolor())
    for item in sorted(traced, key=lambda item: item.level):
        for area in item.areas if item.ground else ():
            for run in _runs(page.to_points, area):
                ground = item.ground if Path(run).contains_point((place.x, place.y)) else ground
    label.set_path_effects([withStroke(linewidth=_HALO, foreground=ground)])
    at = page.figure.dpi_scale_trans.transform((place.x / 72.0, place.y / 72.0))
    label.set_transform(page.axes.transData)
    label.set_position(tuple(page.axes.transData.inverted().transform(at).tolist()))
    label.set_rotation(place.angle)
    label.set_rotation_mode("anchor")


def _page(axes: Axes) -> _Page:
    """Return what is drawn in axes that are laid out."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    to_points = axes.transData + figure.dpi_scale_trans.inverted()
    extent = axes.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
    frame = tuple(72.0 * float(value) for value in extent.extents)
    runs: list[FloatArray] = []
    for line in axes.get_lines():
        points = np.asarray(line.get_xydata(), float)
        if line.get_transform() != axes.transData:  # a level goes all the way
            points = np.column_stack([axes.get_xlim(), points[:, 1]])
        runs += _runs(to_points, points)
    bands = [
        72.0 * np.asarray(to_points.transform(loop))
        for patch in axes.patches
        if isinstance(patch, PathPatch) and not str(patch.get_label()).startswith("_")
        for loop in patch.get_path().to_polygons(closed_only=False)
    ]
    return _Page(axes, figure, to_points, tuple(runs), tuple(bands), frame)  # type: ignore[arg-type]


def _runs(to_points: Any, points: FloatArray) -> list[FloatArray]:
    """Return connected runs of a line in points, at least two vertices each."""
    with np.errstate(all="ignore"):
        drawn = 72.0 * np.asarray(to_points.transform(points))
    known = np.all(np.isfinite(drawn), axis=1)
    # what is far outside would be sampled in vain
    drawn = np.clip(np.where(known[:, None], drawn, 0.0), -5e3, 5e3)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(int), [0]])))
    return [drawn[start:end] for start, end in edges.reshape(-1, 2) if end - start > 1]


def _places(
    page: _Page,
    told: Sequence[Traced],
    labels: Sequence[Text],
    fixed: tuple[Mapping[str, tuple[float, float]], Sequence[Box]],
) -> list[Box | None]:
    """Return where labels go; those whose place the user chose go there."""
    given, legend = fixed
    to_points = page.to_points
    boxes = [page.box(label) for label in labels]
    places: dict[int, Box] = {}
    for row, (item, box) in enumerate(zip(told, boxes, strict=True)):
        if item.name in given:
            x, y = (72.0 * np.asarray(to_points.transform(given[item.name]))).tolist()
            places[row] = Box(x + 0.5 * box.width, y, box.width, box.height)
    rows = [row for row in range(len(told)) if row not in places]
    wanted = [
        Wanted(
            (boxes[row].width, boxes[row].height),
            tuple(_runs(to_points, told[row].line)),
            tuple(run for area in told[row].areas for run in _runs(to_points, area)),
            told[row].side,
            told[row].level,
        )
        for row in rows
    ]
    found = choose_places(wanted, page.frame, page.runs, [*legend, *places.values()])
    by_row = {**places, **dict(zip(rows, found, strict=True))}
    return [by_row[row] for row in range(len(told))]


def _legend(
    axes: Axes,
    shown: Sequence[Traced],
    look: Appearance,
    head: tuple[str, Text | None, float | None],
) -> Legend | None:
    """Make the legend: in a free corner, or above the frame where it takes the title along.

    The head is the title, what shows it, and the height of the figure without a legend above the
    frame, None if it must stay.
    """
    heading, title, height = head
    figure = axes.get_figure(root=True)
    if not shown or look.legend == "none" or figure is None:
        return None
    content = [item.handle for item in shown], [item.legend for item in shown]
    if look.legend not in ("auto", "above"):
        return _inside(axes, content, look.legend)
    page = _page(axes)
    for corner in _CORNERS if look.legend == "auto" or height is None else ():
        legend = _inside(axes, content, corner)
        if _is_free(page, page.box(legend)):
            return legend
        legend.remove()
    if height is None:
        return _inside(axes, content, "best", frameon=True, framealpha=0.85)
    if title is not None:
        title.set_text("")
    width = 0.97 * figure.get_figwidth() * 72.0
    legend_above(figure, content, _wrapped(figure, heading, width, _legend_size()), height)
    _settle(figure)
    return figure.legends[-1]


def _inside(
    axes: Axes, content: tuple[list[Artist], list[str]], place: Any, **others: Any
) -> Legend:
    """Put the legend inside of the frame; however long its lines are, the axes keep their size."""
    legend = axes.legend(*content, loc=place, **others)
    legend.get_frame().set_linewidth(0.0)
    legend.set_in_layout(False)
    return legend


def _is_free(page: _Page, box: Box) -> bool:
    """Whether a legend has its place inside of the frame to itself."""
    left, bottom, right, top = page.frame
    if box.width > 0.62 * (right - left) or box.height > 0.5 * (top - bottom):
        return False
    runs = [resampled(run) for run in (*page.runs, *page.bands)]
    return not any(box.covers(run, 3.0) for run in runs)


def _title(axes: Axes, heading: str) -> Text | None:
    """Put the title above the frame, as many lines as it needs, as small as it must be."""
    figure = axes.get_figure(root=True)
    if not heading or figure is None:
        return None
    is_laid_out = figure.get_layout_engine() is not None
    width = axes.get_window_extent().width * 72.0 / figure.dpi
    title = axes.set_title("", loc="left", fontfamily=mpl.rcParams["font.family"])
    title.set_linespacing(1.15)
    for size in _TITLE_SIZES:
        title.set_fontsize(size * _legend_size())
        title.set_text(_wrapped(figure, heading, width, size * _legend_size()))
        if is_laid_out:
            break
        axes.get_tightbbox()  # puts the title where it will be
        if title.get_window_extent().y1 <= figure.bbox.y1:
            break
    return title


def _legend_size() -> float:
    """Return the size of texts of the legend in points."""
    return float(FontProperties(size=mpl.rcParams["legend.fontsize"]).get_size_in_points())


def _wrapped(figure: Figure, text: str, width: float, size: float) -> str:
    """Break lines that are wider than so many points at their commas."""
    ruler = figure.text(0.0, 0.0, "", fontsize=size)

    def is_wide(line: str) -> bool:
        ruler.set_text(line)
        return ruler.get_window_extent().width * 72.0 / figure.dpi > width

    lines = []
    for line in text.split("\n"):
        whole = ""
        for part in split_parts(line):
            longer = f"{whole}, {part}" if whole else part
            if whole and is_wide(longer):
                lines.append(f"{whole},")
                whole = part
            else:
                whole = longer
        lines.append(whole)
    ruler.remove()
    return "\n".join(lines)
