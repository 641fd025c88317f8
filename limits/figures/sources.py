"""Where the numbers of a figure come from: the search, its digest, the sources of its card."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from na64.limits.results.limit import Limit

__all__ = ["card_sources", "provenance_html"]


def card_sources(card: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield what a card says of the origin of its numbers.

    Parameters
    ----------
    card
        The card, or a part of it, as plain data.
    where
        Path of the part.

    Yields
    ------
    tuple of str
        Path, value and source; the value is empty for a table of several numbers.
    """
    if card.get("source"):
        value = card.get("value")
        yield where, "" if value is None else f"{value:g}", str(card["source"])
    for key, part in card.items():
        place = f"{where}.{key}" if where else str(key)
        if isinstance(part, Mapping):
            yield from card_sources(part, place)
        elif isinstance(part, list | tuple):
            for number, item in enumerate(part):
                if isinstance(item, Mapping):
                    yield from card_sources(item, f"{place}.{item.get('name', number)}")


def provenance_html(results: Sequence[Limit], names: Sequence[str] = ()) -> str:
    """Return a block for every result, closed at first, that says where its numbers come from.

    Parameters
    ----------
    results
        The results.
    names
        Their files, if they have any.

    Returns
    -------
    str
        HTML in which every text of a card is a text and nothing else.
    """
    told = [*names, *[""] * (len(results) - len(names))]
    return "\n".join(_block(limit, name) for limit, name in zip(results, told, strict=True))


def _block(limit: Limit, name: str) -> str:
    made, facts = limit.specification, limit.provenance
    command, versions = facts.get("command"), facts.get("versions", {})
    rows = [
        ("file", name),
        ("search", made.search),
        ("model", made.mediator.name),
        ("confidence level", f"{made.confidence_level:g}"),
        ("method", made.calculator.name),
        ("references", ", ".join(ref for card in made.cards for ref in card.references)),
        ("digest of the specification", f"sha256 {limit.digest}"),
        ("digest of the result", f"sha256 {limit.content_digest}"),
        ("command", shlex.join(command) if command else "called from Python"),
        ("versions", ", ".join(f"{what} {which}" for what, which in sorted(versions.items()))),
        *(("note", warning) for warning in limit.warnings),
    ]
    table = "".join(
        f"<tr><th>{escape(what)}</th><td>{escape(text)}</td></tr>" for what, text in rows if text
    )
    numbers = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>"
        for card in made.cards
        for row in card_sources(card.to_dict())
    )
    return (
        f"<details><summary>{escape(made.title)}: where the numbers come from</summary>\n"
        f"<table>{table}</table>\n"
        f"<table><tr><th>number</th><th>value</th><th>source</th></tr>{numbers}</table>\n"
        "</details>"
    )
