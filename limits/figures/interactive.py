"""Figures for a browser: the same limits and curves, to zoom into, to ask and to switch off.

The file is whole: scripts of Bokeh, data and words are in it, and it asks nobody for anything. Its
bytes depend on what is drawn and on the version of Bokeh alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.overlays import Beside
from na64.limits.figures.picture import Form, Picture, Trace, picture
from na64.limits.figures.sources import provenance_html
from na64.limits.results.limit import Limit
from na64.workspaces.io.optional import need

__all__ = ["Canvas", "columns", "draw", "html_figure", "padded", "redraw"]

#: what needs Bokeh, and the extra that has it
_PURPOSE: Final = "figures as HTML"
_EXTRA: Final = "web"

#: nothing is fetched: not even an image that a text might have smuggled in
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
)
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="na64-limits">
<title>{title}</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 1rem auto; max-width: 72rem; padding: 0 1rem; }}
h1 {{ font-size: 1.05rem; font-weight: 600; white-space: pre-line; margin: 0 0 .5rem; }}
details {{ margin: .75rem 0; font-size: .9rem; }}
summary {{ cursor: pointer; font-weight: 600; }}
table {{ border-collapse: collapse; margin: .5rem 0; }}
td, th {{ border-top: 1px solid #ddd; padding: .2rem .5rem; text-align: left; }}
td, th {{ vertical-align: top; }}
code {{ overflow-wrap: anywhere; }}
</style>
{scripts}
</head>
<body>
<h1>{heading}</h1>
<div id="figure"></div>
{provenance}
<script type="application/json" id="content">{content}</script>
<script>
Bokeh.embed.embed_item(JSON.parse(document.getElementById("content").textContent), "figure");
</script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A figure of Bokeh, and what its data can be changed through.

    Attributes
    ----------
    model
        The figure, or a column of two with a panel of ratios.
    main
        The figure of limits.
    sources
        One for each trace of the picture, in its order.
    entries
        Those of the legend by their labels.
    """

    model: Any
    main: Any
    sources: list[Any] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)


def html_figure(
    results: Sequence[Limit],
    *,
    beside: Beside | None = None,
    appearance: Appearance | None = None,
    ratio_panel: bool = False,
    names: Sequence[str] = (),
) -> str:
    """Return a file of HTML with the figure of limits and where they come from.

    Parameters
    ----------
    results, beside, appearance, ratio_panel, names
        As in `na64.limits.figures.picture.picture`.

    Returns
    -------
    str
        One page, which needs no network; the same figure gives the same text.

    Raises
    ------
    InputError
        As `na64.limits.figures.figure.figure`, and without Bokeh.
    """
    need("bokeh", extra=_EXTRA, purpose=_PURPOSE)
    shown = picture(
        results, beside=beside, appearance=appearance, ratio_panel=ratio_panel, names=names
    )
    return _PAGE.format(
        policy=escape(_POLICY, quote=True),
        title=escape(shown.title.replace("\n", ", ")),
        heading=escape(shown.title),
        scripts=_scripts(),
        provenance=provenance_html(results, names),
        content=_content(draw(shown).model),
    )


def draw(shown: Picture) -> Canvas:
    """Return the figure of Bokeh that shows a picture.

    Raises
    ------
    InputError
        Without Bokeh.
    """
    plotting = need("bokeh.plotting", extra=_EXTRA, purpose=_PURPOSE)
    models = need("bokeh.models", extra=_EXTRA, purpose=_PURPOSE)
    main = _axes(plotting, shown, shown.y_range)
    canvas = Canvas(main, main)
    items: dict[str, list[Any]] = {label: [] for label in _legend(shown)}
    for trace in shown.traces:
        source = models.ColumnDataSource(columns(trace))
        canvas.sources.append(source)
        glyph = _GLYPHS[trace.form](main, trace, source)
        items[trace.label].append(glyph)
        if trace.texts:
            main.add_tools(_hover(models, glyph, trace))
    for label, renderers in items.items():
        entry = models.LegendItem(label={"value": _shown_text(label)}, renderers=renderers)
        canvas.entries.append(entry)
    main.add_layout(
        models.Legend(
            items=canvas.entries,
            click_policy="hide",
            label_text_font_size="9pt",
            background_fill_alpha=0.8,
        ),
        "right",
    )
    if not shown.ratios:
        return canvas
    low, high = _ratio_range(shown.ratios)
    below = _axes(plotting, shown, (low, high), x_range=main.x_range, height=170)
    for trace in shown.ratios:
        _GLYPHS[trace.form](below, trace, models.ColumnDataSource(columns(trace)))
    below.hspan(1.0, line_color="#000000", line_width=0.8)
    below.yaxis.axis_label = "ratio to published"
    below.yaxis.axis_label_text_font_size = "9pt"
    below.toolbar_location = None
    main.xaxis.visible = False
    layouts = need("bokeh.layouts", extra=_EXTRA, purpose=_PURPOSE)
    both = layouts.column(main, below, sizing_mode="stretch_width")
    return Canvas(both, main, canvas.sources, canvas.entries)


def redraw(canvas: Canvas, before: Picture, shown: Picture) -> bool:
    """Put another picture into a figure if its form is the same, and return whether it was.

    Parameters
    ----------
    canvas
        The figure.
    before
        The picture that is in it; one without a panel of ratios.
    shown
        The other one.
    """
    if _form(before) != _form(shown) or before.ratios or shown.ratios:
        return False
    for trace, source in zip(shown.traces, canvas.sources, strict=True):
        source.data = columns(trace)
    for entry, label in zip(canvas.entries, _legend(shown), strict=True):
        entry.label = {"value": _shown_text(label)}
    main = canvas.main
    main.x_range.update(start=shown.x_range[0], end=shown.x_range[1])
    main.y_range.update(start=shown.y_range[0], end=shown.y_range[1])
    main.xaxis.axis_label = _shown_text(shown.x_label)
    main.yaxis.axis_label = _shown_text(shown.y_label)
    return True


def padded(shown: Picture, like: Picture) -> Picture:
    """Return a picture with the traces of another one, empty where it does not have them itself.

    Parameters
    ----------
    shown
        The picture.
    like
        The other one. A picture that has traces of its own stays as it is.
    """
    own = {(trace.form, trace.label): trace for trace in shown.traces}
    if not own.keys() <= {(trace.form, trace.label) for trace in like.traces}:
        return shown
    nothing = np.array([])
    traces = tuple(
        own.get((trace.form, trace.label))
        or replace(trace, x=nothing, y=nothing, texts=dict.fromkeys(trace.texts, ()))
        for trace in like.traces
    )
    return replace(shown, traces=traces)


def _legend(shown: Picture) -> list[str]:
    """Labels in the order of the legend: limits first, in whatever order things are drawn."""
    named = sorted(shown.traces, key=lambda trace: not trace.texts)
    return list(dict.fromkeys(trace.label for trace in named))


def _form(shown: Picture) -> list[tuple[Any, ...]]:
    """What of a picture is in the figure itself, not in its data."""
    entries = _legend(shown)
    return [
        (
            trace.form,
            entries.index(trace.label),
            trace.colour,
            trace.opacity,
            trace.width,
            trace.dashes,
            trace.hatch,
            tuple(trace.texts),
        )
        for trace in shown.traces
    ]


def columns(trace: Trace) -> dict[str, Any]:
    """Return the columns of the data of a trace, as Bokeh draws its form."""
    if trace.form is Form.AREA:
        rings = list(_rings(trace))
        return {"xs": [[[x for x, _ in rings]]], "ys": [[[y for _, y in rings]]]}
    if trace.form is Form.BARS:
        return {"x": trace.x[::2], "y0": trace.y[::2], "y1": trace.y[1::2]}
    texts = {f"t{number}": list(text) for number, text in enumerate(trace.texts.values())}
    return {"x": trace.x, "y": trace.y, **texts}


def _shown_text(text: str) -> str:
    """Return a text that is shown as it is: Bokeh takes some for mathematics, and fetches a font.

    Examples
    --------
    >>> _shown_text("$$x$$") == "$\\u2060$x$\\u2060$"
    True
    """
    return re.sub(r"(\$)(?=\$)|(\\)(?=[\[(])", lambda found: f"{found[0]}\u2060", text)


def _rings(trace: Trace) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    gaps = np.flatnonzero(np.isnan(trace.x))
    for x, y in zip(np.split(trace.x, gaps), np.split(trace.y, gaps), strict=True):
        good = np.isfinite(x)
        yield x[good], y[good]


def _axes(plotting: Any, shown: Picture, y_range: tuple[float, float], **words: Any) -> Any:
    made = plotting.figure(
        x_axis_type="log",
        y_axis_type="log" if not words else "linear",
        y_range=y_range,
        tools="pan,box_zoom,wheel_zoom,reset,save",
        output_backend="canvas",
        sizing_mode="stretch_width",
        **{"x_range": shown.x_range, "height": 560, **words},
    )
    made.toolbar.logo = None
    made.xaxis.axis_label = _shown_text(shown.x_label)
    made.yaxis.axis_label = _shown_text(shown.y_label)
    for axis in (*made.xaxis, *made.yaxis):
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = "12pt"
    for grid in made.grid:
        grid.grid_line_alpha = 0.35
    return made


def _line(made: Any, trace: Trace, source: Any) -> Any:
    return made.line(
        "x",
        "y",
        source=source,
        line_color=trace.colour,
        line_width=trace.width,
        line_dash=[max(1, round(length)) for length in trace.dashes] or "solid",
    )


def _area(made: Any, trace: Trace, source: Any) -> Any:
    return made.multi_polygons(
        "xs",
        "ys",
        source=source,
        fill_color=trace.colour,
        fill_alpha=trace.opacity,
        line_color=None,
        hatch_pattern=trace.hatch[0] or None,
        hatch_color=trace.hatch[1] or None,
        hatch_alpha=0.6,
        hatch_scale=9.0,
    )


def _bars(made: Any, trace: Trace, source: Any) -> Any:
    return made.segment(
        "x", "y0", "x", "y1", source=source, line_color=trace.colour, line_width=trace.width
    )


def _points(made: Any, trace: Trace, source: Any) -> Any:
    return made.scatter(
        "x",
        "y",
        source=source,
        size=trace.width + 2.0,
        fill_color=trace.colour,
        fill_alpha=trace.opacity,
        line_color=None,
        hover_fill_color=trace.colour,
        hover_fill_alpha=1.0,
    )


_GLYPHS: Final = {Form.LINE: _line, Form.AREA: _area, Form.BARS: _bars, Form.POINTS: _points}


def _hover(models: Any, glyph: Any, trace: Trace) -> Any:
    told = [(_shown_text(what), f"@t{number}") for number, what in enumerate(trace.texts)]
    return models.HoverTool(
        renderers=[glyph], tooltips=told, mode="mouse", point_policy="snap_to_data"
    )


def _ratio_range(ratios: Sequence[Trace]) -> tuple[float, float]:
    values = np.concatenate([trace.y for trace in ratios])
    values = values[np.isfinite(values)]
    reach = min(1.0, 1.1 * float(np.max(np.abs(values - 1.0), initial=0.1)))
    return 1.0 - reach, 1.0 + reach


def _scripts() -> str:
    """Return the script of Bokeh, the file itself: other packages change what Bokeh would add."""
    settings = need("bokeh.settings", extra=_EXTRA, purpose=_PURPOSE).settings
    text = (Path(settings.bokehjs_path()) / "js" / "bokeh.min.js").read_text(encoding="utf-8")
    return f"<script>\n{text.replace('</script', '<' + chr(92) + '/script')}\n</script>"


def _content(model: Any) -> str:
    """Return the figure as JSON that can stand in a script, its objects numbered in their order."""
    embed = need("bokeh.embed", extra=_EXTRA, purpose=_PURPOSE)
    numbers: dict[str, str] = {}
    item = _renumbered(embed.json_item(model, "figure"), numbers)
    item["doc"].pop("defs", None)  # of models that other packages have defined, none of them here
    text = json.dumps(item, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    for character in "<>&":  # no text can end the script or begin another
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


#: keys under which Bokeh names its objects
_NAMES: Final = ("id", "root_id")


def _renumbered(value: Any, numbers: dict[str, str]) -> Any:
    """Return data of Bokeh with objects named by the order in which they come, not by a counter."""
    if isinstance(value, dict):
        return {
            key: numbers.setdefault(item, f"p{len(numbers)}")
            if key in _NAMES and isinstance(item, str)
            else _renumbered(item, numbers)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_renumbered(item, numbers) for item in value]
    return value
