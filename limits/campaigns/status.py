"""How far a campaign has come."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from na64.limits.campaigns.kinds import kind_of
from na64.limits.campaigns.shards import point_document
from na64.limits.campaigns.store import Store
from na64.limits.results.tables import Table
from na64.workspaces.io.reading import parse_json

__all__ = ["SCHEMA", "of_points", "status_document", "status_lines", "status_table"]

SCHEMA: Final = "na64-limits/campaign-status/1"
#: failures that are told of
_NAMED: Final = 20


def of_points(count: int) -> str:
    """Return a number of points in words."""
    return f"{count} point{'s' * (count != 1)}"


def status_document(store: Store) -> dict[str, Any]:
    """Return how far a campaign has come: points by their state, and why some failed."""
    counts = store.counts()
    return {
        "schema": SCHEMA,
        "name": store.head.name,
        "kind": store.head.kind,
        "points": counts.points,
        "planned": counts.planned,
        "done": counts.done,
        "failed": counts.failed,
        "left_out": counts.left_out,
        "to_do": counts.to_do,
        "tasks": {"done": counts.tasks_done, "to_do": counts.tasks_to_do},
        "computing_seconds": counts.seconds,
        "so_far": _so_far(store),
        "failures": [
            {"point": point, "axes": parse_json(axes, f"{store.path}"), "message": message}
            for point, axes, message in store.failures(_NAMED)
        ],
    }


def _so_far(store: Store) -> list[dict[str, Any]]:
    """Return what the shards of the first points say together, as far as they are there."""
    kind = kind_of(store.head.kind)
    if kind.brief is None:
        return []
    found = []
    for number, axes, refused in islice(store.points(), _NAMED):
        document, whole = (None, False) if refused else point_document(store, kind, number)
        if document is not None:
            values = parse_json(axes, f"{store.path}")
            found.append({"point": number, "axes": values, "whole": whole, **kind.brief(document)})
    return found


def status_lines(document: dict[str, Any]) -> list[str]:
    """Return what shards say so far for people, one line per point."""
    lines = []
    for item in document["so_far"]:
        axes = ", ".join(f"{key} {value}" for key, value in item["axes"].items())
        said = [
            f"{key.replace('_', ' ')} {_words(value)}"
            for key, value in item.items()
            if key not in ("point", "axes", "whole")
        ]
        state = "whole" if item["whole"] else "so far"
        lines.append(
            f"point {item['point']}{f' ({axes})' if axes else ''}, {state}: {'; '.join(said)}"
        )
    return lines


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def status_table(document: dict[str, Any]) -> Table:
    """Return the same for people."""
    words = ("points", "done", "failed", "left_out", "to_do")
    return Table(
        ("campaign", *(word.replace("_", " ") for word in words), "computing [s]"),
        [(document["name"], *(document[word] for word in words), document["computing_seconds"])],
    )
