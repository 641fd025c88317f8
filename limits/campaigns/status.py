"""How far a campaign has come."""

from __future__ import annotations

from typing import Any, Final

from na64.limits.campaigns.store import Store
from na64.limits.results.tables import Table
from na64.workspaces.io.reading import parse_json

__all__ = ["SCHEMA", "status_document", "status_table"]

SCHEMA: Final = "na64-limits/campaign-status/1"
#: failures that are told of
_NAMED: Final = 20


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
        "failures": [
            {"point": point, "axes": parse_json(axes, f"{store.path}"), "message": message}
            for point, axes, message in store.failures(_NAMED)
        ],
    }


def status_table(document: dict[str, Any]) -> Table:
    """Return the same for people."""
    words = ("points", "done", "failed", "left_out", "to_do")
    return Table(
        ("campaign", *(word.replace("_", " ") for word in words), "computing [s]"),
        [(document["name"], *(document[word] for word in words), document["computing_seconds"])],
    )
