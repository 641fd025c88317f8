"""Canonical JSON, its digest, and files that are never half-written."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from na64.models.errors import InputError

__all__ = ["canonical_json", "digest", "parse_json", "plain", "read_json", "write_atomic"]

#: significant digits of a number in a file; enough for any physics and below the noise of the
#: last bits, so that two machines write the same bytes
SIGNIFICANT_DIGITS: Final = 12


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
        For a text that is not JSON, and for NaN or infinity in it.
    """

    def refuse(constant: str) -> float:
        raise InputError(f"{where}: {constant} is not a JSON number")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}: not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        ) from error
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply") from error


def read_json(path: str | os.PathLike[str]) -> object:
    """Return the value of a JSON file.

    Raises
    ------
    InputError
        For a file that is missing, unreadable, not UTF-8, or not JSON.
    """
    return parse_json(read_text(path), str(path))


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a UTF-8 file, or raise `InputError` saying why there is none."""
    try:
        return Path(path).read_text(encoding="utf-8")
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
    """Write a file whole or not at all.

    The content goes to a temporary file beside the target, which then takes the target's name
    in one step; an error or a crash leaves the folder as it was.

    Parameters
    ----------
    path
        File to write; its folder must exist.
    content
        Text (written as UTF-8) or bytes.
    force
        Whether an existing file may be replaced.

    Raises
    ------
    InputError
        If the file exists and ``force`` is False, or the folder is missing or not writable.
    """
    target = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    if target.is_dir():
        raise InputError(f"is a folder, not a file: {target}")
    if target.exists() and not force:
        raise InputError(f"file exists: {target} (--force overwrites it)")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # mkstemp makes files that only their owner can read
        if force:
            os.replace(name, target)
        else:
            # A hard link fails where a file appeared meanwhile; a rename would replace it.
            _link(name, target)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise InputError(f"cannot write {target}: {error.strerror}") from error
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _link(temporary: str, target: Path) -> None:
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise InputError(f"file exists: {target} (--force overwrites it)") from error
    except OSError:  # file systems without hard links
        os.replace(temporary, target)
        return
    Path(temporary).unlink()
