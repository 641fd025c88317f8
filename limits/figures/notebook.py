"""What a notebook shows of a result: a small figure and its facts."""

from __future__ import annotations

import base64
from html import escape

from na64.limits.figures.figure import figure
from na64.limits.figures.style import figure_bytes
from na64.limits.results.limit import Limit
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector

__all__ = ["html"]

#: width of the figure on the page, pixels
_WIDTH = 420


def html(limit: Limit) -> str:
    """Return a piece of HTML with the figure of a result and what it is of.

    A result that excludes nothing has no figure. Texts of cards are escaped.
    """
    made = limit.specification
    facts = {
        "search": made.title,
        "model": made.mediator.name,
        "dark matter": "" if made.dark_sector is None else _words(made.dark_sector),
        "statistics": f"{100.0 * made.confidence_level:g} % CL, {made.calculator.name}",
        "masses": f"{len(limit.masses_gev)}, {limit.masses_gev[0]:g}-{limit.masses_gev[-1]:g} GeV",
        "plane": f"{limit.y.name} against {limit.x.name}",
        "digest": limit.digest[:12],
    }
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th>"
        f"<td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in facts.items()
        if text
    )
    return f"<div>{_image(limit)}<table>{rows}</table></div>"


def _words(sector: DarkSector) -> str:
    parts = [sector.species.value, f"alpha_D {sector.alpha_d:g}", f"mass ratio {sector.ratio:g}"]
    return ", ".join([*parts, *([f"splitting {sector.splitting:g}"] if sector.splitting else [])])


def _image(limit: Limit) -> str:
    try:
        data = figure_bytes(figure([limit]), "limit.png")
    except InputError:
        return ""
    text = base64.b64encode(data).decode("ascii")
    return f"<img alt='limit' width='{_WIDTH}' src='data:image/png;base64,{text}'/>"
