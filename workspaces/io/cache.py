"""Disk cache of tables that are expensive to compute.

A table is stored under the digest of everything it depends on, so that it is either exactly the
table asked for or not found. The folder is, in this order: the one given, that of the environment
variable ``NA64_LIMITS_CACHE``, ``$XDG_CACHE_HOME/na64-limits``, ``~/.cache/na64-limits``.
``NA64_LIMITS_CACHE=off`` switches the cache off.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.models.errors import NA64Error
from na64.workspaces.io import jsonio, writing

__all__ = ["CACHE_VARIABLE", "PHYSICS_VERSION", "TableCache", "cache_folder", "folder_problem"]

_LOGGER = logging.getLogger(__name__)

#: environment variable that names the cache's folder, or says ``off``
CACHE_VARIABLE: Final = "NA64_LIMITS_CACHE"
#: part of every key; raised whenever a change of the code changes a table's numbers
PHYSICS_VERSION: Final = 2
#: entry of a file that holds its key
_KEY: Final = "__key__"

Tables = dict[str, NDArray[np.float64]]


def cache_folder() -> Path | None:
    """Return the folder that the environment asks for; None if the cache is switched off.

    None as well where nothing is asked for and there is no home folder, which is told once.
    """
    setting = os.environ.get(CACHE_VARIABLE, "")
    if setting.lower() == "off":
        return None
    if setting:
        return Path(setting)
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification tells to ignore paths that are not absolute.
    if base and Path(base).is_absolute():
        return Path(base) / "na64-limits"
    try:
        return Path.home() / ".cache" / "na64-limits"
    except RuntimeError:  # no HOME, and a user whom the system does not know
        _warn_of_no_home()
        return None


@cache
def _warn_of_no_home() -> None:
    _LOGGER.warning(
        "there is no home folder, so tables are not kept: set %s to a folder, or to off",
        CACHE_VARIABLE,
    )


def folder_problem(folder: Path) -> str:
    """Say why tables cannot be kept in a folder; empty if they can. Nothing is left there."""
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        return f"{place} is not a folder"
    try:
        with tempfile.TemporaryFile(dir=place):
            return ""
    except OSError as error:
        return f"cannot write in {place}: {error.strerror}"


class TableCache:
    """Named arrays on disk, by what they depend on.

    Two processes may use one folder: files appear whole under their final name, and both would
    write the same content. A file that cannot be read is computed and written again, with a
    warning. A folder that cannot be written costs a warning and the caching, nothing else.

    Parameters
    ----------
    folder
        Where the files are; that of `cache_folder` if None. It is made when first needed.
    enabled
        False computes every table anew and touches no file.
    version
        Version of the numbers, part of every key.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        enabled: bool = True,
        version: int = PHYSICS_VERSION,
    ) -> None:
        self._folder: Path | None = None
        if enabled:  # where it is off, nobody asks for a home folder
            self._folder = Path(folder) if folder is not None else cache_folder()
        self._version = version

    @property
    def folder(self) -> Path | None:
        """The folder; None if the cache is off."""
        return self._folder

    def path(self, key: Mapping[str, object]) -> Path | None:
        """Return the file of a key; None if the cache is off."""
        if self._folder is None:
            return None
        return self._folder / f"{jsonio.digest(self._full_key(key))}.npz"

    def get_or_compute(
        self,
        key: Mapping[str, object],
        compute: Callable[[], Mapping[str, NDArray[np.float64]]],
    ) -> Tables:
        """Return the tables of a key, from the disk if they are there.

        Parameters
        ----------
        key
            Everything that the tables depend on, as plain data.
        compute
            Makes the tables: name to array of numbers.

        Returns
        -------
        dict
            The same numbers, bit for bit, whether computed or read.
        """
        path = self.path(key)
        if path is None:
            return _checked(compute())
        text = jsonio.canonical_json(self._full_key(key))
        found = _read(path, text)
        if found is not None:
            return found
        tables = _checked(compute())
        _write(path, text, tables)
        return tables

    def _full_key(self, key: Mapping[str, object]) -> dict[str, object]:
        return {"version": self._version, "key": dict(key)}


def _checked(tables: Mapping[str, NDArray[np.float64]]) -> Tables:
    return {name: np.asarray(table, dtype=np.float64) for name, table in tables.items()}


def _read(path: Path, text: str) -> Tables | None:
    """Return the tables of a file; None if there is no such file or it is not sound."""
    try:
        # numpy forgets to close a file of its own opening that is no archive.
        with path.open("rb") as stream:
            file = np.load(stream, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("not an archive of arrays")
            with file:
                # Reading an entry checks its CRC, so that a flipped bit is noticed.
                tables = {name: file[name] for name in file.files}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        _LOGGER.warning(
            "cache file %s cannot be read (%s) and is computed again", path, error.strerror
        )
        return None
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        _LOGGER.warning("cache file %s is damaged and is computed again", path)
        return None
    stored = tables.pop(_KEY, None)
    if stored is None or str(stored) != text:
        _LOGGER.warning("cache file %s holds another table and is computed again", path)
        return None
    return tables


def _write(path: Path, text: str, tables: Tables) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **{_KEY: np.array(text), **tables})  # type: ignore[arg-type]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writing.write_atomic(path, buffer.getvalue(), force=True)
    except (OSError, NA64Error) as error:
        reason = folder_problem(path.parent) or str(error)
        _LOGGER.warning("the cache cannot be written, going on without: %s", reason)
