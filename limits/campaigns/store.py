"""The store of a campaign: its index and its documents, in one file of SQLite.

A task that is finished is written when it is, by the one process that runs the campaign, in the
journal of SQLite beside the file (WAL): a process that is killed at any moment loses nothing of
that, and the next one to open the file finds it whole. `PRAGMA synchronous=NORMAL` writes without
waiting for the disk: a machine that loses its power may lose the last tasks, which are computed
again, and nothing else.

Payloads and documents are canonical JSON, compressed against the first payload, which has most of
their words: a specification of 12 kB takes 200 bytes.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from na64.models.errors import ComputationError, InputError
from na64.workspaces.io.writing import write_atomic

__all__ = ["FILE", "Counts", "Head", "Planned", "Result", "Store", "TaskRow"]

#: the file in the folder of a campaign
FILE: Final = "campaign.sqlite"
#: "N64C", in the header of the file
_APPLICATION: Final = 0x4E363443
_VERSION: Final = 1
#: a document is no larger; what says so is no campaign of ours
_LARGEST: Final = 1 << 28
#: how long another connection is waited for
_PATIENCE_SECONDS: Final = 30.0
#: bytes of the first payload that others are packed against: what zlib looks back at
_WINDOW: Final = 32_768
_TABLES: Final = (
    "CREATE TABLE head (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE points (number INTEGER PRIMARY KEY, axes TEXT NOT NULL, refused TEXT NOT NULL)",
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, point INTEGER NOT NULL, shard INTEGER NOT NULL, "
    "digest TEXT NOT NULL, place INTEGER NOT NULL, cost REAL NOT NULL, state TEXT NOT NULL, "
    "message TEXT NOT NULL, seconds REAL NOT NULL, payload BLOB NOT NULL)",
    "CREATE TABLE documents (digest TEXT PRIMARY KEY, sha256 TEXT NOT NULL, content BLOB NOT NULL)",
    "CREATE INDEX tasks_to_do ON tasks (state, place, id)",
    "CREATE INDEX tasks_of_digest ON tasks (digest)",
    "CREATE INDEX tasks_of_point ON tasks (point, shard)",
)


@dataclass(frozen=True, slots=True)
class Head:
    """What a campaign is.

    Attributes
    ----------
    text, where
        Its file, and the name that the file had.
    name, kind
        Name of the campaign, and what is computed.
    size
        How many points it has.
    physics
        Version of the physics with which it began.
    """

    text: str
    where: str
    name: str
    kind: str
    size: int
    physics: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A point with its tasks.

    Attributes
    ----------
    number
        Its place.
    axes
        What stands on the axes, canonical JSON.
    refused
        Why it has no tasks; empty if it has.
    place
        Tasks with the same one have work in common.
    tasks
        Digest, cost and payload of each, the latter canonical JSON.
    """

    number: int
    axes: str
    refused: str
    place: int
    tasks: Sequence[tuple[str, float, bytes]]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task that is to be done."""

    id: int
    point: int
    shard: int
    digest: str
    place: int
    cost: float
    payload: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What was found for a task: the canonical JSON of its document, or why there is none."""

    digest: str
    content: bytes
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a campaign has come; points are done when their tasks are, or need no more.

    Attributes
    ----------
    points, planned
        How many there are, and how many of them have their tasks in the store.
    done, failed, left_out, to_do
        Points that are done, that failed, that cannot be computed, and the others.
    tasks_done, tasks_to_do
        Tasks with a result, and those that still need one.
    cost_done, cost_to_do
        Their costs together.
    seconds
        Computing time of what is done.
    """

    points: int
    planned: int
    done: int
    failed: int
    left_out: int
    to_do: int
    tasks_done: int
    tasks_to_do: int
    cost_done: float
    cost_to_do: float
    seconds: float


def _connected(path: Path, writing: bool) -> sqlite3.Connection:
    """Open a file that is not trusted.

    Reading, too, writes: the journal of a process that was killed is brought to its end. In a
    folder where nothing can be written there is no such journal.
    """
    mode = "mode=rw"
    if not writing and not os.access(path.parent, os.W_OK):
        mode = "mode=ro&immutable=1"
    base = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=_PATIENCE_SECONDS,
        isolation_level=None,
    )
    base.execute("PRAGMA trusted_schema=OFF")
    base.execute("PRAGMA cell_size_check=ON")
    if writing:
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=NORMAL")
    else:
        base.execute("PRAGMA query_only=ON")
    return base


def _write_head(base: sqlite3.Connection, head: Head) -> None:
    base.executemany("INSERT INTO head VALUES (?, ?)", asdict(head).items())


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
        self._check_file()
        with self._said():
            self._base = _connected(self.path, writing)
        try:
            with self._said():
                self._check_content()
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
        base = sqlite3.connect(":memory:", isolation_level=None)
        for statement in _TABLES:
            base.execute(statement)
        base.execute(f"PRAGMA application_id={_APPLICATION}")
        base.execute(f"PRAGMA user_version={_VERSION}")
        _write_head(base, head)
        content = base.serialize()
        base.close()
        write_atomic(path, content)
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
        with self._transaction():
            self._base.execute("DELETE FROM points")
            self._base.execute("DELETE FROM tasks")
            # the dictionary stays: documents were packed with it
            self._base.execute("DELETE FROM head WHERE key <> 'dictionary'")
            _write_head(self._base, head)
        self.head, self._dictionary, self.sealed = self._read_head()

    def add(self, points: Sequence[Planned]) -> None:
        """Write points with their tasks; those whose documents are there are done."""
        if not self._dictionary:
            first = next((task for point in points for task in point.tasks), None)
            if first is not None:
                self._dictionary = first[2][:_WINDOW]
                self._base.execute(
                    "INSERT OR REPLACE INTO head VALUES ('dictionary', ?)", (self._dictionary,)
                )
        rows = [
            (point.number, shard, digest, point.place, cost, self._packed(payload))
            for point in points
            for shard, (digest, cost, payload) in enumerate(point.tasks)
        ]
        with self._transaction():
            self._base.executemany(
                "INSERT INTO points VALUES (?, ?, ?)",
                [(point.number, point.axes, point.refused) for point in points],
            )
            self._base.executemany(
                "INSERT INTO tasks (point, shard, digest, place, cost, payload, state, message, "
                "seconds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN EXISTS "
                "(SELECT 1 FROM documents WHERE documents.digest = ?3) THEN 'done' ELSE 'to-do' "
                "END, '', 0)",
                rows,
            )

    def finish(self, results: Sequence[Result]) -> None:
        """Write what was found for tasks, all of it or nothing."""
        with self._transaction():
            for result in results:
                state = "failed" if result.message else "done"
                if not result.message:
                    sha256 = hashlib.sha256(result.content).hexdigest()
                    self._base.execute(
                        "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)",
                        (result.digest, sha256, self._packed(result.content)),
                    )
                self._base.execute(
                    "UPDATE tasks SET state = ?, message = ?, seconds = ? WHERE digest = ?",
                    (state, result.message, result.seconds, result.digest),
                )

    def leave(self, point: int) -> None:
        """Leave the tasks of a point that are not done: what there is, is enough."""
        with self._transaction():
            self._base.execute(
                "UPDATE tasks SET state = 'left' WHERE point = ? AND state IN ('to-do', 'failed')",
                (point,),
            )

    def seal(self, plan: str) -> None:
        """Keep the sha256 of the plan, now that it is complete."""
        with self._transaction():
            self._base.execute("INSERT OR REPLACE INTO head VALUES ('plan', ?)", (plan,))
        self.sealed = plan

    def forget(self, digests: Sequence[str]) -> None:
        """Take documents out of the store; tasks that are done no more are to be done again."""
        with self._transaction():
            self._base.executemany(
                "DELETE FROM documents WHERE digest = ?", [(digest,) for digest in digests]
            )
            self._base.execute(
                "UPDATE tasks SET state = 'to-do', message = '' WHERE state NOT IN "
                "('to-do', 'failed', 'left') AND digest NOT IN (SELECT digest FROM documents)"
            )

    def again(self) -> int:
        """Make tasks that failed to be done again, and return how many there are."""
        with self._transaction():
            return self._base.execute(
                "UPDATE tasks SET state = 'to-do', message = '' WHERE state = 'failed'"
            ).rowcount

    # -- reading -------------------------------------------------------------------------------

    def planned(self) -> int:
        """Return how many points have their tasks in the store."""
        return int(self._one("SELECT count(*) FROM points"))

    def to_do(self, most: int, after: tuple[int, int] = (-1, -1)) -> list[TaskRow]:
        """Return tasks that are to be done, those with work in common together.

        Parameters
        ----------
        most
            How many at most.
        after
            Place and id of the last one that was returned before.
        """
        rows = self._rows(
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
        planned, left_out = next(self._rows("SELECT count(*), sum(refused <> '') FROM points"))
        by_state = {
            state: (count, cost, seconds)
            for state, count, cost, seconds in self._rows(
                "SELECT state, count(*), sum(cost), sum(seconds) FROM tasks GROUP BY state"
            )
        }
        failed = self._one("SELECT count(DISTINCT point) FROM tasks WHERE state = 'failed'")
        to_do = self._one(
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
        yield from self._rows("SELECT number, axes, refused FROM points ORDER BY number")

    def plan(self) -> Iterator[tuple[Any, ...]]:
        """Yield what was planned: every point, and then its tasks with their packed payloads."""
        yield from self._rows("SELECT number, axes, refused FROM points ORDER BY number")
        yield from self._rows(
            "SELECT point, shard, digest, hex(payload) FROM tasks ORDER BY point, shard, id"
        )
        yield (self._dictionary.hex(),)  # without it no payload can be read

    def digests(self) -> list[str]:
        """Return the digests of all documents."""
        return [str(digest) for (digest,) in self._rows("SELECT digest FROM documents")]

    def tasks_of(self, point: int) -> list[tuple[str, str, str]]:
        """Return digest, state and message of the tasks of a point, in the order of shards."""
        return list(
            self._rows(
                "SELECT digest, state, message FROM tasks WHERE point = ? ORDER BY shard", (point,)
            )
        )

    def failures(self, most: int) -> list[tuple[int, str, str]]:
        """Return number, axes and message of points that failed, the first ones."""
        return list(
            self._rows(
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
            self._rows("SELECT sha256, content FROM documents WHERE digest = ?", (digest,)), None
        )
        if row is None:
            return None
        content = self._unpacked(row[1], f"document {digest[:12]}")
        if hashlib.sha256(content).hexdigest() != row[0]:
            raise InputError(f"{self.path}: document {digest[:12]} is damaged (its sha256 differs)")
        return content

    # -- SQLite --------------------------------------------------------------------------------

    def _check_file(self) -> None:
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            raise InputError(f"{self.path.parent}: there is no campaign ({FILE})") from None
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}") from error
        if not stat.S_ISREG(mode):
            raise InputError(f"{self.path}: is no file")

    def _check_content(self) -> None:
        found = self._one("PRAGMA application_id"), self._one("PRAGMA user_version")
        if found[0] != _APPLICATION:
            raise InputError(f"{self.path}: not a campaign of na64-limits")
        if found[1] != _VERSION:
            raise InputError(f"{self.path}: has version {found[1]}, this version reads {_VERSION}")
        made = {row[0] for row in self._rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
        if made != set(_TABLES):  # triggers and views of others would be run
            raise InputError(f"{self.path}: has other tables than a campaign")

    def _read_head(self) -> tuple[Head, bytes, str | None]:
        found = dict(self._rows("SELECT key, value FROM head"))
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

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        with self._said():
            # no `yield from`: it would close the cursor of rows that are not wanted to their end,
            # when the connection may be closed already
            for row in self._base.execute(statement, values):  # noqa: UP028
                yield row

    def _one(self, statement: str) -> Any:
        return next(self._rows(statement))[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._said():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:  # SQLite has ended it itself on a full disk
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Say what SQLite cannot do, and where."""
        try:
            yield
        except sqlite3.Error as error:
            kind = getattr(error, "sqlite_errorname", "")
            if kind.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
                raise ComputationError(f"cannot write {self.path}: {error}") from error
            raise InputError(f"{self.path}: {error}") from error
        except UnicodeDecodeError as error:  # of a text that is damaged
            raise InputError(f"{self.path}: is damaged ({error.reason})") from error
