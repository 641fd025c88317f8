"""How large the folder of the cache may become, and what goes when it is full."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from na64.models.errors import InputError
from na64.workspaces.io.staging import STALE_SECONDS, sweep

__all__ = [
    "DEFAULT_SIZE",
    "SIZE_VARIABLE",
    "Usage",
    "chosen_size",
    "keep_within",
    "parse_size",
    "touch",
    "usage",
]

#: environment variable that says how large the cache may become
SIZE_VARIABLE: Final = "NA64_LIMITS_CACHE_SIZE"
DEFAULT_SIZE: Final = 1 << 30

#: tables, those of earlier versions of their files included
_TABLE: Final = re.compile(r"[0-9a-f]{64}\.(table|npz)")
#: temporary files of versions that did not lock them
_EARLIER: Final = re.compile(r"\.[0-9a-f]{64}\.npz\.[a-z0-9_]{8}")
_SIZE: Final = re.compile(r"(\d+(?:\.\d*)?(?:e\d+)?)\s*(?:([kmgt])(i?))?b?", re.IGNORECASE)
_POWERS: Final = {"k": 1, "m": 2, "g": 3, "t": 4}

#: what is left of a full cache, so that the next table does not find it full again
_LEFT: Final = 0.9
#: part of the size after whose writing the folder is looked at anew: others write there, too
_UNSEEN: Final = 1 / 16
#: a table that was used is marked so once in this time
_MARK_SECONDS: Final = 600.0

#: bytes of a folder when this process looked last, and what it wrote since
_SEEN: dict[Path, tuple[int, int]] = {}


@dataclass(frozen=True, slots=True)
class Usage:
    """What is in the folder of a cache: number of tables and bytes."""

    tables: int
    size: int


def parse_size(text: str, what: str = "`cache_size`") -> int:
    """Return the bytes that a text says, such as ``1GiB``, ``500 MB`` or ``0``.

    Parameters
    ----------
    text
        A number with a unit of bytes: of 1000 (kB, MB, GB, TB) or 1024 (KiB, MiB, GiB, TiB).
    what
        Names it in messages.

    Raises
    ------
    InputError
        For any other text.
    """
    found = _SIZE.fullmatch(text.strip())
    size = float(found[1]) if found else -1.0
    if found and found[2]:
        size *= (1024.0 if found[3] else 1000.0) ** _POWERS[found[2].lower()]
    if not 0.0 <= size < 2.0**63:
        raise InputError(f"{what} must be bytes such as 1GiB, 500MB or 0, not '{text}'")
    return int(size)


def chosen_size(size: str | int | None) -> int:
    """Return the bytes asked for: given, by the environment, or the default.

    Raises
    ------
    InputError
        For a text that is no size, and for a negative one.
    """
    if isinstance(size, int):
        if size < 0:
            raise InputError(f"`cache_size` must not be negative, is {size}")
        return size
    if size is not None:
        return parse_size(size)
    setting = os.environ.get(SIZE_VARIABLE, "")
    return parse_size(setting, SIZE_VARIABLE) if setting.strip() else DEFAULT_SIZE


def usage(folder: Path) -> Usage:
    """Return what is in a folder; nothing where there is none.

    Raises
    ------
    OSError
        For a folder that cannot be read.
    """
    tables = _tables(folder)
    return Usage(len(tables), sum(size for _, size, _ in tables))


def _tables(folder: Path) -> list[tuple[float, int, str]]:
    """Return the tables in a folder: time of the last use, bytes, name; the oldest first."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _TABLE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):  # removed by another process
                        status = entry.stat(follow_symlinks=False)
                        found.append((status.st_mtime, status.st_size, entry.name))
    except FileNotFoundError:
        return []
    return sorted(found)


def touch(path: Path) -> None:
    """Mark a table as used now."""
    with suppress(OSError):  # a cache that may be read and not written
        if time.time() - os.stat(path).st_mtime > _MARK_SECONDS:
            os.utime(path)


def keep_within(folder: Path, size: int, written: Path) -> None:
    """Take note of a table that was written, and remove those used longest ago if it is too much.

    Most calls look at nothing: the folder is listed when this process writes there first, and when
    the size is reached or a good part of it has been written.

    Parameters
    ----------
    folder
        Of the cache. Other files in it are left alone and not counted.
    size
        Bytes that the tables may have together.
    written
        The new table, which stays.

    Raises
    ------
    OSError
        For a folder that cannot be read.
    """
    new = os.stat(written).st_size
    if folder in _SEEN:
        seen, since = _SEEN[folder]
        if seen + since + new <= size and since + new <= _UNSEEN * size:
            _SEEN[folder] = seen, since + new
            return
    _sweep(folder)
    tables = _tables(folder)
    total = sum(bytes_ for _, bytes_, _ in tables)
    if total > size:
        for _, bytes_, name in tables:
            if total <= _LEFT * size:
                break
            if name == written.name:
                continue
            with suppress(OSError):
                os.unlink(folder / name)
                total -= bytes_
    _SEEN[folder] = total, 0


def _sweep(folder: Path) -> None:
    """Remove temporary files of runs that were killed."""
    sweep(folder, lambda name: _TABLE.fullmatch(name) is not None)
    for name in os.listdir(folder):
        if _EARLIER.fullmatch(name):
            with suppress(OSError):
                path = folder / name
                if time.time() - os.lstat(path).st_mtime > STALE_SECONDS:
                    os.unlink(path)
