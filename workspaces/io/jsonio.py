"""Canonical JSON and its digest."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from na64.models.errors import InputError

__all__ = ["canonical_json", "digest", "faithful_json", "plain"]

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
