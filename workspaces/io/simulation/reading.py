"""Simulations from files: the rows of one, whatever it is, and the sha256 of what was read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from na64.models.errors import InputError
from na64.workspaces.io.simulation.description import FileOfMass, SimulationFile
from na64.workspaces.io.simulation.histograms import histogram_rows
from na64.workspaces.io.simulation.root import opened
from na64.workspaces.io.simulation.rows import Row, checked_rows, counted
from na64.workspaces.io.simulation.text import text_rows
from na64.workspaces.io.simulation.trees import sums_of_tree, tree_rows

__all__ = ["read_rows"]

#: suffixes of files, and the largest of each in bytes
_TEXT: Final = (".csv", ".txt")
_ROOT: Final = ".root"
_LARGEST: Final = {**dict.fromkeys(_TEXT, 16_000_000), _ROOT: 8_000_000_000}
_BLOCK: Final = 1 << 20


def read_rows(file: SimulationFile, *, binomial: bool) -> tuple[tuple[Row, ...], str]:
    """Return the points of a simulation, and the sha256 of its file.

    Parameters
    ----------
    file
        What a card says of it. Paths are relative to the working directory.
    binomial
        Whether values are efficiencies, which have binomial errors.

    Returns
    -------
    tuple
        Rows by mass and coupling, a whole grid of them; and 64 hexadecimal digits, of several
        files the digest of their digests.

    Raises
    ------
    InputError
        For a file that cannot be read, is too large, is no regular file, or has no such columns,
        histograms, trees or branches; with its name.
    """
    if file.file is not None:
        path = Path(file.file)
        found, digest = _of_one(path, _rows(path, file, binomial))
        return checked_rows(found, file.file), digest
    digests: list[str] = []
    rows: list[Row] = []
    for item in file.files:
        found, digest = _of_one(Path(item.file), _of_mass(item, file))
        rows += found
        digests.append(digest)
    together = hashlib.sha256("".join(digests).encode("ascii")).hexdigest()
    return checked_rows(rows, "files"), together


def _of_one(path: Path, rows: Iterator[Row]) -> tuple[list[Row], str]:
    """Return the rows of one file and its sha256, with its name in front of what is wrong."""
    try:
        _check(path)
        digest = _sha256(path)
        return list(rows), digest
    except InputError as error:
        said = str(error)
        raise InputError(said if str(path) in said else f"{path}: {said}") from error


def _rows(path: Path, file: SimulationFile, binomial: bool) -> Iterator[Row]:
    if path.suffix.lower() in _TEXT:
        yield from text_rows(path, file, binomial=binomial)
        return
    if file.value is not None:
        raise InputError("`value` and `error` are columns of tables of text")
    with opened(path) as root:
        yield from (histogram_rows if file.tree is None else tree_rows)(root, file)


def _of_mass(item: FileOfMass, file: SimulationFile) -> Iterator[Row]:
    with opened(Path(item.file)) as root:
        total, squares = sums_of_tree(root, file, by_mass=False)[(0.0, None)]
    yield counted(item.mass_gev, item.coupling, total, squares, item.generated)


def _check(path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix not in _LARGEST:
        raise InputError(f"is of no kind that is read here; those are {', '.join(_LARGEST)}")
    try:
        about = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # a null character
        raise InputError(f"cannot read {path}: {error}") from error
    if not stat.S_ISREG(about.st_mode):
        raise InputError("is no regular file")
    if about.st_size > _LARGEST[suffix]:
        raise InputError(
            f"has {about.st_size} bytes, more than the {_LARGEST[suffix]} of a {suffix} file: make "
            "a table of sums of it, or a smaller tree"
        )
    if not os.access(path, os.R_OK):
        raise InputError(f"cannot read {path}: Permission denied")


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    return found.hexdigest()
