"""One process runs a campaign: others that would are told, and a process that died is no other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from na64.models.errors import InputError

__all__ = ["LOCK", "alone"]

#: the file beside the store
LOCK: Final = "campaign.lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a campaign.

    It is the lock that SQLite has on an empty file: there on every system, and gone with its
    process however that ends. The file stays, and means nothing by itself.

    Raises
    ------
    InputError
        If another process has it.
    """
    base = None
    try:
        base = sqlite3.connect(Path(folder) / LOCK, timeout=0.0, isolation_level=None)
        base.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if base is not None:
            base.close()
        busy = getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY"
        said = "another process is at this campaign" if busy else f"cannot lock {LOCK}: {error}"
        raise InputError(f"{folder}: {said}") from error
    try:
        yield
    finally:
        base.close()
