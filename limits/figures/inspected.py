"""Figures of documents that are no limits: widths, cross-sections, yields, relics, showers.

One row per kind of document, which names its schema and the function beside this file that draws
it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.style import drawing_style
from na64.limits.results.schemas import validate
from na64.models.errors import InputError

__all__ = ["KINDS", "document_figure", "kind_of"]

#: a function that draws documents of one kind, given their names and the look
Draw = Callable[[Sequence[Mapping[str, Any]], Sequence[str], Appearance], Figure]

#: kinds of documents by the name in their schema: the version that is read, and what draws them
KINDS: Final[Mapping[str, tuple[int, str]]] = {
    "relic": (1, "na64.limits.figures.relics:relic_figure"),
    "yields": (1, "na64.limits.figures.yields:yields_figure"),
    "yields-comparison": (1, "na64.limits.figures.yields_compared:yields_compared_figure"),
    "width": (1, "na64.limits.figures.widths:widths_figure"),
    "cross-section": (1, "na64.limits.figures.cross_sections:cross_sections_figure"),
    "track-length": (1, "na64.limits.figures.track_lengths:track_lengths_figure"),
    "breakdown": (1, "na64.limits.figures.breakdowns:breakdown_figure"),
}


def kind_of(document: object) -> str:
    """Return the name in the schema of a document of this project, empty for any other."""
    schema = document.get("schema") if isinstance(document, Mapping) else None
    words = str(schema or "").split("/")
    return words[1] if len(words) == 3 and words[0] == "na64-limits" else ""


def document_figure(
    documents: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    *,
    appearance: Appearance | None = None,
) -> Figure:
    """Draw documents of one kind of `KINDS`, several of them in one figure.

    Parameters
    ----------
    documents
        As read from JSON; they are validated here.
    names
        Their names, such as files: for messages, and for labels where nothing else tells them
        apart.
    appearance
        Title, labels, ranges, style; by rule if None. What belongs to limits alone is ignored.

    Returns
    -------
    matplotlib.figure.Figure
        Attached to no window; `na64.limits.figures.style.save_figure` writes it.

    Raises
    ------
    InputError
        Without a document, for documents of different kinds or of a kind that is not drawn, for
        those that do not fit their schema, and where there is nothing to draw.
    """
    if not documents:
        raise InputError("nothing to draw: no document given")
    found = {name: kind_of(document) for name, document in zip(names, documents, strict=True)}
    kinds = list(dict.fromkeys(found.values()))
    if len(kinds) > 1:
        told = ", ".join(f"{name} ({kind or 'another'})" for name, kind in found.items())
        raise InputError(f"results of different kinds have no common axes: {told}")
    kind = kinds[0]
    if kind not in KINDS:
        said = f"results of {kind}" if kind else "documents without a schema of na64-limits"
        raise InputError(f"{said} are not drawn here; drawn are {', '.join(KINDS)}")
    version, path = KINDS[kind]
    for name, document in zip(names, documents, strict=True):
        validate(document, f"result of {kind}", f"na64-limits/{kind}/{version}", name)
    module, _, function = path.partition(":")
    draw: Draw = getattr(importlib.import_module(module), function)
    look = appearance or Appearance()
    with drawing_style(look.style):
        try:
            return draw(documents, names, look)
        except (InputError, ValueError) as error:  # lists whose lengths do not fit, and the like
            raise InputError(f"{', '.join(names)}: {error}") from error
