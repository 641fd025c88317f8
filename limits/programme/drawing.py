"""From the description of a figure to the figure: scans, planes, panels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from na64.limits.figures.drawn import Drawn
from na64.limits.figures.figure import figure
from na64.limits.figures.overlays import Beside, curve_in_plane
from na64.limits.figures.style import drawing_style
from na64.limits.figures.thermal import thermal_notes
from na64.limits.planes.transforms import to_plane
from na64.limits.programme.description import Description, Panel
from na64.limits.programme.reader import load_figure
from na64.limits.results.limit import Limit
from na64.limits.scanning.progress import Progress, silent
from na64.limits.scanning.runner import run
from na64.models.signals.rates import TableStore
from na64.workspaces.io.curves import CurveKind, load_curve

__all__ = ["Made", "compute", "draw", "programme_figure"]

#: width and height in inches of each panel where there are several
_PANEL: Final = (5.6, 4.6)
#: of which left, right, below and above of its axes
_MARGINS: Final = (0.8, 0.2, 0.6, 0.4)


@dataclass(frozen=True, slots=True)
class Made:
    """A figure that was made.

    Attributes
    ----------
    figure
        The figure.
    limits
        What is drawn, in couplings, by panel; in the order of the file.
    notes
        What a reader must know of limits and of what stands beside them, each once.
    """

    figure: Figure
    limits: tuple[tuple[Limit, ...], ...]
    notes: tuple[str, ...]


def programme_figure(
    figure: str | Path | Description,
    *,
    jobs: int = 1,
    tables: TableStore | None = None,
    progress: Progress = silent,
) -> Figure:
    """Return a figure of the programme: its limits are scanned, and drawn beside all else.

    Parameters
    ----------
    figure
        Name of a shipped figure (`na64.limits.programme.reader.available_figures`), a file of
        the same form, or a description.
    jobs, tables, progress
        As in `na64.limits.scan`; the figure does not depend on them.

    Returns
    -------
    matplotlib.figure.Figure
        `na64.limits.save_figure` writes it.

    Raises
    ------
    InputError
        For an unknown name, a file with problems, and what scans and figures refuse.
    """
    found = figure if isinstance(figure, Description) else load_figure(figure)
    return draw(found, jobs=jobs, tables=tables, progress=progress).figure


def compute(
    description: Description,
    *,
    jobs: int = 1,
    tables: TableStore | None = None,
    progress: Progress = silent,
) -> tuple[tuple[Limit, ...], ...]:
    """Return the limits of a figure in couplings, by panel; the same limit is scanned once."""
    known: dict[tuple[str, bool], Limit] = {}
    panels = []
    for panel in description.panels:
        limits = []
        for item in panel.limits:
            made = item.specification()
            key = (made.digest, item.tips)
            if key not in known:
                progress(made.search)
                known[key] = run(made, jobs=jobs, tables=tables, tips=item.tips)
            limits.append(known[key])
        panels.append(tuple(limits))
    return tuple(panels)


def draw(
    description: Description,
    *,
    jobs: int = 1,
    tables: TableStore | None = None,
    progress: Progress = silent,
) -> Made:
    """Return the figure of a description with its limits and what is to be noted.

    Parameters
    ----------
    description, jobs, tables, progress
        As in `programme_figure`.
    """
    limits = compute(description, jobs=jobs, tables=tables, progress=progress)
    notes: dict[str, None] = {}
    drawn = []
    for panel, found in zip(description.panels, limits, strict=True):
        shown = list(found)
        if panel.plane:
            progress(f"plane of {panel.plane}")
            options = panel.plane_options
            shown = [to_plane(item, panel.plane, tables=tables, **options) for item in found]
        notes.update(dict.fromkeys(note for item in shown for note in item.warnings))
        thermal = (panel.thermal, panel.thermal_alpha_d, panel.thermal_ratio)
        notes.update(dict.fromkeys(thermal_notes(shown, *thermal)))
        drawn.append(shown)
    progress("drawing")
    return Made(_panels(description, drawn), limits, tuple(notes))


def _panels(description: Description, limits: Sequence[Sequence[Limit]]) -> Figure:
    """Draw every panel into a figure of its size."""
    first, *others = description.panels
    if not others:
        return _panel(first, limits[0])
    columns = description.columns or min(len(description.panels), 2)
    rows = math.ceil(len(description.panels) / columns)
    with drawing_style(first.appearance.style):
        made = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows))
        for place, (panel, found) in enumerate(zip(description.panels, limits, strict=True)):
            axes = made.add_axes(_frame(place % columns, rows - 1 - place // columns, made))
            _panel(panel, found, ax=axes)
    return made


def _frame(column: int, row: int, made: Figure) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height of axes, as parts of the figure; rows count upwards.

    Known beforehand: panels do not have to be laid out again with every label that is placed.
    """
    left, right, below, above = _MARGINS
    width, height = made.get_size_inches()
    return (
        (column * _PANEL[0] + left) / width,
        (row * _PANEL[1] + below) / height,
        (_PANEL[0] - left - right) / width,
        (_PANEL[1] - below - above) / height,
    )


def _panel(panel: Panel, limits: Sequence[Limit], **where: object) -> Figure:
    labels = tuple(item.label for item in panel.limits)
    return figure(
        limits,
        beside=_beside(panel, limits),
        appearance=replace(panel.appearance, labels=labels),
        ratio_panel=panel.ratio_panel,
        **where,  # type: ignore[arg-type]
    )


def _beside(panel: Panel, limits: Sequence[Limit]) -> Beside:
    """Return what stands beside: curves of others shaded, published ones of ours as lines."""
    others = [_others(name, panel, limits) for name in panel.overlays]
    own = [
        replace(curve_in_plane(load_curve(item.published), [limit], compared=True), compared=k == 0)
        for k, (item, limit) in enumerate(zip(panel.limits, limits, strict=True))
        if item.published
    ]
    return Beside(
        overlays=(*others, *own),
        thermal=panel.thermal,
        thermal_alpha_d=panel.thermal_alpha_d,
        thermal_ratio=panel.thermal_ratio,
        bounds=panel.bounds,
        moments=panel.moments,
    )


def _others(name: str, panel: Panel, limits: Sequence[Limit]) -> str | Drawn:
    """Return the curve of another search, with which no ratio panel compares."""
    if not panel.ratio_panel or load_curve(name).kind is CurveKind.THERMAL:
        return name
    return replace(curve_in_plane(load_curve(name), limits), compared=False)
