"""Canonical JSON and its digest."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
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
    try:
        return _plain(value)
    except _UnfitError as error:
        raise InputError(f"{path}{''.join(reversed(error.steps))}{error.complaint}") from None


class _UnfitError(Exception):
    """A value that JSON does not have; the steps to it are added on the way out."""

    def __init__(self, complaint: str) -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.steps: list[str] = []


def _plain(value: object) -> object:
    kind = type(value)  # whole files are of these types, and of no class derived from them
    if kind is str or value is None or kind is bool or kind is int:
        return value
    if kind is float:
        return _rounded(value)  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, (list, tuple)):
        return _list(value)
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return _rounded(float(value))
    raise _UnfitError(f": cannot write a {kind.__name__} as JSON")


def _mapping(value: Mapping[object, object]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise _UnfitError(f": keys must be texts, {key!r} is {type(key).__name__}")
        try:
            result[str(key)] = _plain(item)
        except _UnfitError as error:
            error.steps.append(f".{key}")
            raise
    return result


def _list(value: Sequence[object]) -> list[object]:
    result = []
    try:
        for item in value:
            result.append(_plain(item))  # noqa: PERF401 - how many there are, tells where
    except _UnfitError as error:
        error.steps.append(f"[{len(result)}]")
        raise
    return result


def _rounded(number: float) -> float:
    if not math.isfinite(number):
        raise _UnfitError(f": {number} cannot be written as JSON")
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
