"""Points of several tasks: what their first shards say together, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from na64.limits.campaigns.store import Store
from na64.limits.campaigns.tasks import Payload, TaskKind, folded
from na64.workspaces.io.reading import parse_json

__all__ = ["Shards", "point_document"]


def point_document(store: Store, kind: TaskKind, point: int) -> tuple[Payload | None, bool]:
    """Return the document of a point, that of its first shards; and whether it is whole."""
    contents = (store.document(digest) for digest, _, _ in store.tasks_of(point))
    return folded(kind, (None if content is None else _document(content) for content in contents))


@dataclass(slots=True)
class _Sum:
    """The first shards of a point together, and what is there of later ones."""

    digests: list[str]
    next: int = 0
    total: Any = None
    later: dict[int, Any] = field(default_factory=dict)


class Shards:
    """Follows the points of a campaign whose kind knows when it has enough.

    Parameters
    ----------
    store
        Where documents are.
    kind
        The kind of the campaign.
    """

    def __init__(self, store: Store, kind: TaskKind) -> None:
        self._store = store
        self._kind = kind
        self._sums: dict[int, _Sum] = {}
        self.enough: set[int] = set()

    def has_enough(self, point: int) -> bool:
        """Whether a point needs no more tasks, by what is in the store."""
        if self._kind.enough is None:
            return False
        if point not in self.enough and point not in self._sums:
            rows = self._store.tasks_of(point)
            made = _Sum([digest for digest, _, _ in rows])
            self._sums[point] = made
            for shard, (digest, state, _) in enumerate(rows):
                if state == "done":
                    self._put(point, shard, digest)
        return point in self.enough

    def done(self, point: int, shard: int, digest: str) -> None:
        """Take note of a shard that is in the store."""
        if self._kind.enough is not None and not self.has_enough(point):
            self._put(point, shard, digest)

    def _put(self, point: int, shard: int, digest: str) -> None:
        made = self._sums.get(point)
        if made is None or shard < made.next:
            return
        content = self._store.document(digest)
        made.later[shard] = None if content is None else _document(content)
        while (document := made.later.pop(made.next, None)) is not None:
            made.next += 1
            made.total = document if made.total is None else self._kind.add(made.total, document)
            if self._kind.enough is not None and self._kind.enough(made.total):
                self.enough.add(point)
                del self._sums[point]
                return
        if made.next == len(made.digests):
            del self._sums[point]
            self.enough.add(point)


def _document(content: bytes) -> Any:
    """Return a document whose digest is that of what was written."""
    return parse_json(content.decode(), "document")
