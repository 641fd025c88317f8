"""The store of a campaign: its index and its documents, in one file of SQLite.

A task that is finished is written when it is, by the one process that runs the campaign; the file
itself is that of `na64.limits.campaigns.database`.

Payloads and documents are canonical JSON, compressed against the first payload, which has most of
their words: a specification of 12 kB takes 200 bytes.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from na64.limits.campaigns.database import FILE, Database, new_database
from na64.limits.campaigns.records import Counts, Head, Planned, Result, TaskRow
from na64.models.errors import InputError
from na64.workspaces.io.writing import write_atomic

__all__ = ["FILE", "Counts", "Head", "Planned", "Result", "Store", "TaskRow"]

#: a document is no larger; what says so is no campaign of ours
_LARGEST: Final = 1 << 28
#: bytes of the first payload that others are packed against: what zlib looks back at
_WINDOW: Final = 32_768


class Store:
    """The store of one campaign, open; a context manager.

    Parameters
    ----------
    folder
        Where it is.
    writing
        Whether it may be changed. Two processes that write are kept apart by
        `na64.limits.campaigns.lock`.

    Raises
    ------
    InputError
        For a folder without a campaign, and for a file that is another or damaged.
    """

    def __init__(self, folder: Path, *, writing: bool = False) -> None:
        self.path = Path(folder) / FILE
        self._base = Database(self.path, writing=writing)
        try:
            self.head, self._dictionary, self.sealed = self._read_head()
        except BaseException:
            self._base.close()
            raise

    @classmethod
    def begin(cls, folder: Path, head: Head) -> Store:
        """Make the store of a campaign without points, and open it for writing.

        The file appears whole. A campaign that is there already is not touched.

        Raises
        ------
        InputError
            If there is one.
        """
        path = Path(folder) / FILE
        if os.path.lexists(path):
            raise InputError(f"{path}: there is a campaign already")
        write_atomic(path, new_database(asdict(head)))
        return cls(folder, writing=True)

    def close(self) -> None:
        """Close the file; its journal goes into it."""
        self._base.close()

    def remove(self) -> None:
        """Close the store and delete it."""
        self.close()
        for ending in ("", "-wal", "-shm"):
            self.path.with_name(FILE + ending).unlink(missing_ok=True)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- writing -------------------------------------------------------------------------------

    def replan(self, head: Head) -> None:
        """Forget points and tasks; documents stay, and are not computed again."""
        with self._base.transaction():
            self._base.change("DELETE FROM points")
            self._base.change("DELETE FROM tasks")
            # the dictionary stays: documents were packed with it
            self._base.change("DELETE FROM head WHERE key <> 'dictionary'")
            self._base.change_each("INSERT INTO head VALUES (?, ?)", asdict(head).items())
        self.head, self._dictionary, self.sealed = self._read_head()

    def add(self, points: Sequence[Planned]) -> None:
        """Write points with their tasks, all of them or nothing; tasks with documents are done."""
        before = self._dictionary
        try:
            with self._base.transaction():
                for point in points:
                    self._add(point)
        except BaseException:
            self._dictionary = before  # what is packed from now on must not refer to it
            raise

    def _add(self, point: Planned) -> None:
        self._base.change(
            "INSERT INTO points VALUES (?, ?, ?)", (point.number, point.axes, point.refused)
        )
        tasks = iter(point.tasks)
        if not self._dictionary and (first := next(tasks, None)) is not None:
            self._dictionary = first[2][:_WINDOW]
            self._base.change(
                "INSERT OR REPLACE INTO head VALUES ('dictionary', ?)", (self._dictionary,)
            )
            tasks = chain([first], tasks)
        self._base.change_each(
            "INSERT INTO tasks (point, shard, digest, place, cost, payload, state, message, "
            "seconds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN EXISTS "
            "(SELECT 1 FROM documents WHERE documents.digest = ?3) THEN 'done' ELSE 'to-do' "
            "END, '', 0)",
            (
                (point.number, shard, digest, point.place, cost, self._packed(payload))
                for shard, (digest, cost, payload) in enumerate(tasks)
            ),
        )

    def finish(self, results: Sequence[Result]) -> int:
        """Write what was found for tasks, all of it or nothing; return how many tasks it is of."""
        count = 0
        with self._base.transaction():
            for result in results:
                state = "failed" if result.message else "done"
                if not result.message:
                    sha256 = hashlib.sha256(result.content).hexdigest()
                    self._base.change(
                        "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)",
                        (result.digest, sha256, self._packed(result.content)),
                    )
                count += self._base.change(
                    "UPDATE tasks SET state = ?, message = ?, seconds = ? WHERE digest = ?",
                    (state, result.message, result.seconds, result.digest),
                )
        return count

    def leave(self, point: int) -> int:
        """Leave the tasks of a point that are not done: what there is, is enough.

        Returns
        -------
        int
            How many of them were to be done; the others had failed.
        """
        said = "UPDATE tasks SET state = 'left' WHERE point = ? AND state = ?"
        with self._base.transaction():
            self._base.change(said, (point, "failed"))
            return self._base.change(said, (point, "to-do"))

    def seal(self, plan: str) -> None:
        """Keep the sha256 of the plan, now that it is complete."""
        with self._base.transaction():
            self._base.change("INSERT OR REPLACE INTO head VALUES ('plan', ?)", (plan,))
        self.sealed = plan

    def forget(self, digests: Sequence[str]) -> None:
        """Take documents out of the store; tasks that are done no more are to be done again."""
        with self._base.transaction():
            self._base.change_each(
                "DELETE FROM documents WHERE digest = ?", [(digest,) for digest in digests]
            )
            self._base.change(
                "UPDATE tasks SET state = 'to-do', message = '' WHERE state NOT IN "
                "('to-do', 'failed', 'left') AND digest NOT IN (SELECT digest FROM documents)"
            )

    def again(self) -> int:
        """Make tasks that failed to be done again, and return how many there are."""
        with self._base.transaction():
            return self._base.change(
                "UPDATE tasks SET state = 'to-do', message = '' WHERE state = 'failed'"
            )

    # -- reading -------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """Whether there is no document."""
        return not self._base.one("SELECT EXISTS (SELECT 1 FROM documents)")

    def planned(self) -> int:
        """Return how many points have their tasks in the store."""
        return int(self._base.one("SELECT count(*) FROM points"))

    def to_do(self, most: int, after: tuple[int, int] = (-1, -1)) -> list[TaskRow]:
        """Return tasks that are to be done, those with work in common together.

        Parameters
        ----------
        most
            How many at most.
        after
            Place and id of the last one that was returned before.
        """
        rows = self._base.rows(
            "SELECT id, point, shard, digest, place, cost, payload FROM tasks WHERE state = 'to-do'"
            " AND (place, id) > (?, ?) ORDER BY place, id LIMIT ?",
            (*after, most),
        )
        return [
            TaskRow(
                number, point, shard, digest, place, cost, self._unpacked(blob, f"task {number}")
            )
            for number, point, shard, digest, place, cost, blob in rows
        ]

    def counts(self) -> Counts:
        """Return how far the campaign has come."""
        planned, left_out = next(self._base.rows("SELECT count(*), sum(refused <> '') FROM points"))
        by_state = {
            state: (count, cost, seconds)
            for state, count, cost, seconds in self._base.rows(
                "SELECT state, count(*), sum(cost), sum(seconds) FROM tasks GROUP BY state"
            )
        }
        failed = self._base.one("SELECT count(DISTINCT point) FROM tasks WHERE state = 'failed'")
        to_do = self._base.one(
            "SELECT count(DISTINCT point) FROM tasks WHERE state = 'to-do' AND point NOT IN "
            "(SELECT point FROM tasks WHERE state = 'failed')"
        )
        none = (0, 0.0, 0.0)
        left_out = left_out or 0
        to_do += self.head.size - planned
        return Counts(
            points=self.head.size,
            planned=planned,
            done=self.head.size - left_out - failed - to_do,
            failed=failed,
            left_out=left_out,
            to_do=to_do,
            tasks_done=by_state.get("done", none)[0],
            tasks_to_do=by_state.get("to-do", none)[0],
            cost_done=by_state.get("done", none)[1],
            cost_to_do=by_state.get("to-do", none)[1],
            seconds=sum(seconds for _, _, seconds in by_state.values()),
        )

    def points(self) -> Iterator[tuple[int, str, str]]:
        """Yield number, axes and refusal of every point in its order."""
        yield from self._base.rows("SELECT number, axes, refused FROM points ORDER BY number")

    def plan(self) -> Iterator[tuple[Any, ...]]:
        """Yield what was planned: every point, and then its tasks with their packed payloads."""
        yield from self._base.rows("SELECT number, axes, refused FROM points ORDER BY number")
        yield from self._base.rows(
            "SELECT point, shard, digest, hex(payload) FROM tasks ORDER BY point, shard, id"
        )
        yield (self._dictionary.hex(),)  # without it no payload can be read

    def digests(self) -> list[str]:
        """Return the digests of all documents."""
        return [str(digest) for (digest,) in self._base.rows("SELECT digest FROM documents")]

    def tasks_of(self, point: int) -> list[tuple[str, str, str]]:
        """Return digest, state and message of the tasks of a point, in the order of shards."""
        return list(
            self._base.rows(
                "SELECT digest, state, message FROM tasks WHERE point = ? ORDER BY shard", (point,)
            )
        )

    def failures(self, most: int) -> list[tuple[int, str, str]]:
        """Return number, axes and message of points that failed, the first ones."""
        return list(
            self._base.rows(
                "SELECT number, axes, message FROM tasks JOIN points ON number = point "
                "WHERE state = 'failed' GROUP BY number ORDER BY number LIMIT ?",
                (most,),
            )
        )

    def document(self, digest: str) -> bytes | None:
        """Return the document of a task, checked; None if there is none.

        Raises
        ------
        InputError
            If it is not what was written.
        """
        row = next(
            self._base.rows("SELECT sha256, content FROM documents WHERE digest = ?", (digest,)),
            None,
        )
        if row is None:
            return None
        content = self._unpacked(row[1], f"document {digest[:12]}")
        if hashlib.sha256(content).hexdigest() != row[0]:
            raise InputError(f"{self.path}: document {digest[:12]} is damaged (its sha256 differs)")
        return content

    # -- content -------------------------------------------------------------------------------

    def _read_head(self) -> tuple[Head, bytes, str | None]:
        found = dict(self._base.rows("SELECT key, value FROM head"))
        dictionary, plan = found.pop("dictionary", b""), found.pop("plan", None)
        try:
            head = Head(**found)
        except TypeError as error:
            raise InputError(f"{self.path}: its head is damaged ({error})") from error
        texts = (head.text, head.where, head.name, head.kind)
        if not all(isinstance(text, str) for text in texts) or not isinstance(head.size, int):
            raise InputError(f"{self.path}: its head is damaged")
        if not isinstance(dictionary, bytes) or not isinstance(plan, str | None):
            raise InputError(f"{self.path}: its head is damaged")
        return head, dictionary, plan

    def _packed(self, content: bytes) -> bytes:
        packer = zlib.compressobj(zdict=self._dictionary)
        return packer.compress(content) + packer.flush()

    def _unpacked(self, content: object, what: str) -> bytes:
        if not isinstance(content, bytes):
            raise InputError(f"{self.path}: {what} is damaged")
        unpacker = zlib.decompressobj(zdict=self._dictionary)
        try:
            found = unpacker.decompress(content, _LARGEST)
        except zlib.error as error:
            raise InputError(f"{self.path}: {what} is damaged ({error})") from error
        if not unpacker.eof:
            raise InputError(f"{self.path}: {what} is damaged or larger than {_LARGEST} bytes")
        return found
