"""Disk cache of tables that are expensive to compute.

A table is stored under the digest of everything it depends on, and with a sha256 of its file, so
that it is either exactly the table asked for or not found. The folder is, in this order: the one
given, that of the environment variable ``NA64_LIMITS_CACHE``, ``$XDG_CACHE_HOME/na64-limits``,
``~/.cache/na64-limits``.
``NA64_LIMITS_CACHE=off`` switches the cache off. ``NA64_LIMITS_CACHE_SIZE`` says how large it may
become; tables that were used longest ago go first.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.models.errors import NA64Error
from na64.workspaces.io import jsonio
from na64.workspaces.io.cache_size import chosen_size, keep_within, touch
from na64.workspaces.io.staging import Staged
from na64.workspaces.io.table_files import LARGEST, Tables, decoded, encoded, read_file

__all__ = ["CACHE_VARIABLE", "PHYSICS_VERSION", "TableCache", "cache_folder", "folder_problem"]

_LOGGER = logging.getLogger(__name__)

#: environment variable that names the cache's folder, or says ``off``
CACHE_VARIABLE: Final = "NA64_LIMITS_CACHE"
#: part of every key; raised whenever a change of the code changes a table's numbers
PHYSICS_VERSION: Final = 2
#: folders of which something has been said, and what
_TOLD: set[tuple[Path, str]] = set()


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

    Several processes may use one folder: files appear whole under their final name, and all would
    write the same content. A file that is damaged, or cannot be read for whatever reason, is
    computed and written again, with one warning per folder. A folder that cannot be written costs
    a warning and the caching, nothing else.

    Parameters
    ----------
    folder
        Where the files are; that of `cache_folder` if None. It is made when first needed.
    enabled
        False computes every table anew and touches no file.
    version
        Version of the numbers, part of every key.
    size
        Bytes that all tables may have together: a number, or a text such as ``1GiB``; that of the
        environment if None. Those that were used longest ago are removed.

    Raises
    ------
    InputError
        For a size that is none.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        enabled: bool = True,
        version: int = PHYSICS_VERSION,
        size: int | str | None = None,
    ) -> None:
        self._folder: Path | None = None
        if enabled:  # where it is off, nobody asks for a home folder
            self._folder = Path(folder) if folder is not None else cache_folder()
        self._version = version
        self._size = chosen_size(size)

    @property
    def folder(self) -> Path | None:
        """The folder; None if the cache is off."""
        return self._folder

    @property
    def size(self) -> int:
        """Bytes that the tables may have together."""
        return self._size

    def path(self, key: Mapping[str, object]) -> Path | None:
        """Return the file of a key; None if the cache is off."""
        if self._folder is None:
            return None
        return self._folder / f"{jsonio.digest(self._full_key(key))}.table"

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
        name = path.stem
        found = _read(path, name)
        if found is not None:
            return found
        tables = _checked(compute())
        self._write(path, encoded(name, tables))
        return tables

    def _write(self, path: Path, data: bytes) -> None:
        """Keep a table; what prevents it is said once."""
        if len(data) > min(self._size, LARGEST):
            if self._size:
                _tell(
                    path,
                    "too large",
                    f"a table of {len(data) / 1e6:.1f} MB is too large for the cache",
                )
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            staged = Staged(path, path)
            try:
                staged.make()
                staged.fill(data, durable=False)  # what a crash leaves does not pass its check
                staged.take_name(replace=True)
            finally:
                staged.release()
            keep_within(path.parent, self._size, path)
        except (OSError, NA64Error) as error:
            reason = folder_problem(path.parent) or str(error)
            _tell(path, "not written", f"the cache cannot be written, going on without: {reason}")

    def _full_key(self, key: Mapping[str, object]) -> dict[str, object]:
        return {"version": self._version, "key": dict(key)}


def _checked(tables: Mapping[str, NDArray[np.float64]]) -> Tables:
    """Return tables as doubles, contiguous, so that those that are read are no different."""
    made = {name: np.asarray(table, dtype=np.float64) for name, table in tables.items()}
    return {
        name: table if table.flags.forc else table.copy(order="C") for name, table in made.items()
    }


def _read(path: Path, key: str) -> Tables | None:
    """Return the tables of a file; None if there is no such file or it is not sound."""
    try:
        data = read_file(path)
        tables = None if data is None else decoded(key, data)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except Exception:  # whatever it is, the table can be computed
        reason = "is damaged"
    else:
        if tables is not None:
            touch(path)
            return tables
        reason = "is no file of a table" if data is None else "holds another table"
    _tell(path, reason, f"cache file {path} {reason} and is computed again")
    return None


def _tell(path: Path, what: str, message: str) -> None:
    """Log a warning, once for each folder and reason; the others are details."""
    told = (path.parent, what)
    _LOGGER.log(logging.INFO if told in _TOLD else logging.WARNING, message)
    _TOLD.add(told)
