"""The file of a campaign as a database of SQLite: its tables, and access to what is not trusted.

A change is written in the journal of SQLite beside the file (WAL): a process that is killed at any
moment loses nothing of what it finished, and the next one to open the file finds it whole. `PRAGMA
synchronous=NORMAL` writes without waiting for the disk: a machine that loses its power may lose the
last changes, and nothing else.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from na64.models.errors import ComputationError, InputError

__all__ = ["FILE", "Database", "new_database"]

#: the file in the folder of a campaign
FILE: Final = "campaign.sqlite"
#: "N64C", in the header of the file
_APPLICATION: Final = 0x4E363443
_VERSION: Final = 1
#: how long another connection is waited for
_PATIENCE_SECONDS: Final = 30.0
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


def new_database(head: Mapping[str, Any]) -> bytes:
    """Return the content of a file with empty tables, but for the head: values by their keys."""
    base = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for statement in _TABLES:
            base.execute(statement)
        base.execute(f"PRAGMA application_id={_APPLICATION}")
        base.execute(f"PRAGMA user_version={_VERSION}")
        base.executemany("INSERT INTO head VALUES (?, ?)", head.items())
        return base.serialize()
    finally:
        base.close()


class Database:
    """The file of a campaign, open.

    Parameters
    ----------
    path
        The file.
    writing
        Whether it may be changed.

    Raises
    ------
    InputError
        For a folder without a campaign, and for a file that is another or damaged.
    """

    def __init__(self, path: Path, *, writing: bool) -> None:
        self.path = path
        self._check_file()
        with self._said():
            self._base = _connected(path, writing)
        try:
            with self._said():
                self._check_tables()
        except BaseException:
            self._base.close()
            raise

    def close(self) -> None:
        """Close the file; its journal goes into it."""
        self._base.close()

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that a statement finds."""
        with self._said():
            # no `yield from`: it would close the cursor of rows that are not wanted to their end,
            # when the connection may be closed already
            for row in self._base.execute(statement, values):  # noqa: UP028
                yield row

    def one(self, statement: str) -> Any:
        """Return the first value that a statement finds."""
        return next(self.rows(statement))[0]

    def change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Return how many rows a statement changes, within a `transaction`."""
        return self._base.execute(statement, values).rowcount

    def change_each(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change something for each of some rows, within a `transaction`."""
        self._base.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes that are made within, or none."""
        with self._said():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:  # SQLite has ended it itself on a full disk
                    self._base.execute("ROLLBACK")
                raise

    def _check_file(self) -> None:
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            raise InputError(f"{self.path.parent}: there is no campaign ({FILE})") from None
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}") from error
        if not stat.S_ISREG(mode):
            raise InputError(f"{self.path}: is no file")

    def _check_tables(self) -> None:
        found = self.one("PRAGMA application_id"), self.one("PRAGMA user_version")
        if found[0] != _APPLICATION:
            raise InputError(f"{self.path}: not a campaign of na64-limits")
        if found[1] != _VERSION:
            raise InputError(f"{self.path}: has version {found[1]}, this version reads {_VERSION}")
        made = {row[0] for row in self.rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
        if made != set(_TABLES):  # triggers and views of others would be run
            raise InputError(f"{self.path}: has other tables than a campaign")

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


def _connected(path: Path, writing: bool) -> sqlite3.Connection:
    """Open a file that is not trusted.

    Reading, too, writes: the journal of a process that was killed is brought to its end. Where
    nothing can be written, a file without a journal is read as it is; beside one that another user
    writes, SQLite reads the journal as well.
    """
    mode = "mode=rw"
    if not writing and not os.access(path.parent, os.W_OK):
        journal = path.with_name(f"{path.name}-wal")
        mode = "mode=ro" if journal.exists() else "mode=ro&immutable=1"
    base = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=_PATIENCE_SECONDS,
        isolation_level=None,
    )
    try:
        base.execute("PRAGMA trusted_schema=OFF")
        base.execute("PRAGMA cell_size_check=ON")
        if writing:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=NORMAL")
        else:
            base.execute("PRAGMA query_only=ON")
    except BaseException:
        base.close()
        raise
    return base
