"""Canonical JSON, its digest, and files that are never half-written."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from na64.models.errors import ComputationError, InputError

__all__ = [
    "canonical_json",
    "check_depth",
    "check_target",
    "digest",
    "faithful_json",
    "parse_json",
    "parsed",
    "plain",
    "read_json",
    "read_text",
    "write_atomic",
    "write_files",
]

T = TypeVar("T")

#: significant digits of a number in a file; enough for any physics and below the noise of the
#: last bits, so that two machines write the same bytes
SIGNIFICANT_DIGITS: Final = 12

#: levels of lists and tables in a file that is read; no file of this project or of pyhf has ten
DEEPEST: Final = 50


def plain(value: object, path: str = "$") -> object:
    """Return a value built of dict, list, str, int, float, bool and None only.

    Numbers are rounded to `SIGNIFICANT_DIGITS`; tuples and numpy arrays become lists and numpy
    scalars Python's numbers.

    Parameters
    ----------
    value
        Nested mappings, sequences, arrays and scalars.
    path
        Where the value stands in the document, for messages.

    Raises
    ------
    InputError
        For NaN, infinity, keys that are no text, and types that JSON does not have.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return _rounded(float(value), path)
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), path)
    if isinstance(value, Mapping):
        result: dict[str, object] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise InputError(f"{path}: keys must be texts, {key!r} is {type(key).__name__}")
            result[str(key)] = plain(item, f"{path}.{key}")
        return result
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    raise InputError(f"{path}: cannot write a {type(value).__name__} as JSON")


def _rounded(number: float, path: str) -> float:
    if not math.isfinite(number):
        raise InputError(f"{path}: {number} cannot be written as JSON")
    # + 0.0 turns -0.0 into 0.0
    return float(f"{number:.{SIGNIFICANT_DIGITS}g}") + 0.0


def canonical_json(obj: object, *, indent: int | None = None) -> str:
    """Return the one JSON text of a value: sorted keys, 12 significant digits, no NaN.

    Parameters
    ----------
    obj
        What `plain` accepts.
    indent
        Spaces per level for people; None for the shortest text, which `digest` uses.

    Returns
    -------
    str
        Without a final newline.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(
        plain(obj),
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
        indent=indent,
        separators=separators,
    )


def faithful_json(obj: object) -> str:
    """Return the JSON of a document of others with all digits of its numbers, for people.

    What is read again is the same to the last digit: digests of other tools stay as they are.

    Parameters
    ----------
    obj
        A value as `parse_json` returns it.

    Raises
    ------
    InputError
        For NaN and infinity.
    """
    try:
        return json.dumps(obj, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    except ValueError as error:
        raise InputError(f"cannot be written as JSON: {error}") from error


def digest(obj: object) -> str:
    """Return the sha256 of the canonical JSON, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(obj).encode("utf-8")).hexdigest()


def parse_json(text: str, where: str) -> object:
    """Return the value of a JSON text.

    Parameters
    ----------
    text
        The text.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        For a text that is empty or not JSON, for NaN or infinity in it, lists nested too deeply
        to be read, and whole numbers of more digits than Python converts.
    """

    def refuse(constant: str) -> float:
        raise InputError(f"{where}: {constant} is not a JSON number")

    def read(content: str) -> object:
        try:
            return json.loads(content, parse_constant=refuse)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}: {error.msg}"
            raise InputError(f"{where}: not JSON ({place})") from error

    return parsed(text, where, read)


def parsed(text: str, where: str, read: Callable[[str], T]) -> T:
    """Return what a text of JSON or TOML holds, read by a function that refuses other texts.

    Raises
    ------
    InputError
        For an empty text, one nested too deeply to be read, and whole numbers of more digits than
        Python converts.
    """
    if not text.strip():
        raise InputError(f"{where}: is empty")
    try:
        value = read(text)
    except InputError:
        raise
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply") from error
    except ValueError as error:  # of int(), since Python 3.11
        raise InputError(f"{where}: has a whole number with too many digits") from error
    check_depth(value, where)
    return value


def check_depth(value: object, where: str) -> None:
    """Refuse what is nested more deeply than `DEEPEST`: reading on would exhaust the stack."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        level = [
            part
            for item in level
            for part in (item.values() if isinstance(item, dict) else item)
            if isinstance(part, (dict, list))
        ]
        if not level:
            return
    raise InputError(f"{where}: nested too deeply")


def read_json(path: str | os.PathLike[str]) -> object:
    """Return the value of a JSON file.

    Raises
    ------
    InputError
        For a file that is missing, unreadable, not UTF-8, or not JSON.
    """
    return parse_json(read_text(path), str(path))


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a UTF-8 file, or raise `InputError` saying why there is none.

    A byte order mark, with which some editors begin a file, is no part of the text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}") from error
    except IsADirectoryError as error:
        raise InputError(f"is a folder, not a file: {path}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text in UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def write_atomic(
    path: str | os.PathLike[str], content: str | bytes, *, force: bool = False
) -> None:
    """Write a file whole or not at all: `write_files` with one file."""
    write_files({Path(path): content}, force=force)


def write_files(files: Mapping[Path, str | bytes], *, force: bool = False) -> None:
    """Write files, each of them whole, and all of them or none.

    The contents go to temporary files beside the targets, which take the targets' names when all
    are written; an error or a crash before that leaves the folders as they were.

    Parameters
    ----------
    files
        Contents by the file to write: text (written as UTF-8) or bytes. The folders must exist.
    force
        Whether existing files may be replaced.

    Raises
    ------
    InputError
        If a file exists and ``force`` is False, or a folder is missing or not writable.
    ComputationError
        If writing began and could not be finished, as on a full disk.
    """
    staged: dict[Path, Path] = {}
    named: list[Path] = []
    try:
        for target, content in files.items():
            staged[target] = _reserve(target, force)
            data = content.encode("utf-8") if isinstance(content, str) else content
            _fill(staged[target], data, target)
        for target, temporary in staged.items():
            _rename(temporary, target, force)
            named.append(target)
    except BaseException:
        if not force:  # what was replaced is lost, what was new goes again
            for target in named:
                target.unlink(missing_ok=True)
        raise
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise the `InputError` with which `write_files` would refuse a file; write nothing."""
    _reserve(Path(path), force).unlink()


def _reserve(target: Path, force: bool) -> Path:
    """Make an empty temporary file beside the target and return it."""
    if target.is_dir():
        raise InputError(f"is a folder, not a file: {target}")
    if os.path.lexists(target) and not force:  # a link to nothing is in the way, too
        raise _exists(target)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from error
    os.close(handle)
    return Path(name)


def _fill(temporary: Path, data: bytes, target: Path) -> None:
    try:
        temporary.write_bytes(data)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes files that only their owner can read
    except OSError as error:
        raise ComputationError(f"cannot write {target}: {error.strerror}") from error


def _rename(temporary: Path, target: Path, force: bool) -> None:
    try:
        if force:
            temporary.replace(target)
        else:
            # A hard link fails where a file appeared meanwhile; a rename would replace it.
            _link(temporary, target)
    except OSError as error:
        raise ComputationError(f"cannot write {target}: {error.strerror}") from error


def _link(temporary: Path, target: Path) -> None:
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError:  # file systems without hard links
        temporary.replace(target)


def _exists(target: Path) -> InputError:
    return InputError(f"file exists: {target}; it is replaced only if that is asked for")
