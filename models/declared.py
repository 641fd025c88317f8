"""Settings that are declared once, as fields of frozen dataclasses.

What a field says of itself (a line of help, the name of its option, what is allowed) is all that
a command line, a reader of files and the checks need.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from na64.models.errors import InputError, unknown_name

__all__ = [
    "Declared",
    "check_declared",
    "declared",
    "in_words",
    "is_number",
    "read_declared",
    "setting",
]

_KEY: Final = "na64"


@dataclass(frozen=True, slots=True)
class Declared:
    """What a setting says of itself.

    Attributes
    ----------
    name
        Name of the field.
    default
        Its value unless it is set.
    help
        One line for people.
    option
        Name of its option on a command line, without dashes.
    negated
        Whether the option takes something away: a flag that sets the field to False.
    allowed
        Names that are allowed; empty for a number or a flag.
    low, high
        Range of a number, ends included; its class may refuse more.
    words
        What a figure says of it: of a flag when it is True and when it is False, of a number its
        format; empty for the value itself.
    """

    name: str
    default: Any
    help: str
    option: str
    negated: bool
    allowed: tuple[str, ...]
    low: float
    high: float
    words: tuple[str, ...] = ()


def setting(
    *,
    help: str,
    option: str,
    negated: bool = False,
    allowed: Iterable[str] = (),
    low: float = -math.inf,
    high: float = math.inf,
    words: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the metadata of a dataclass field that is a setting; see `Declared`."""
    return {
        _KEY: {
            "help": help,
            "option": option,
            "negated": negated,
            "allowed": tuple(str(name) for name in allowed),
            "low": low,
            "high": high,
            "words": words,
        }
    }


def declared(kind: type) -> tuple[Declared, ...]:
    """Return the declared settings of a dataclass, in order."""
    return tuple(
        Declared(item.name, item.default, **item.metadata[_KEY])
        for item in fields(kind)
        if _KEY in item.metadata
    )


def in_words(item: Declared, value: Any) -> str:
    """Return what a figure says of the value of a setting."""
    if not item.words:
        return str(value) if isinstance(value, str) else f"{item.name.replace('_', ' ')} {value}"
    if isinstance(item.default, bool):
        return item.words[0 if value else 1]
    return item.words[0].format(value)


def check_declared(settings: Any) -> None:
    """Refuse a dataclass with a setting of a wrong type, an unknown name or out of its range.

    Raises
    ------
    InputError
        Naming the setting and what is allowed.
    """
    for item in declared(type(settings)):
        value, words = getattr(settings, item.name), item.name.replace("_", " ")
        if isinstance(item.default, bool):
            if not isinstance(value, bool):
                raise InputError(f"{words} must be true or false, is {value!r}")
        elif item.allowed:
            if value not in item.allowed:
                raise unknown_name(words, str(value), item.allowed)
        elif not is_number(value):
            raise InputError(f"{words} must be a number, is {value!r}")
        elif not item.low <= value <= item.high:
            raise InputError(f"{words} must be between {item.low:g} and {item.high:g}, is {value}")


def is_number(value: object) -> bool:
    """Tell whether a value is a real number, and no truth value."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def read_declared(kind: type, data: object, where: str) -> dict[str, Any]:
    """Return the settings of a dataclass that plain data give, as its keyword arguments.

    Parameters
    ----------
    kind
        The dataclass; its own checks come when it is made.
    data
        A table with some of the settings; not trusted.
    where
        Path of the table, for messages.

    Raises
    ------
    InputError
        For what is no table or a setting that does not exist, with its path.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{where} must be a table, is {type(data).__name__}")
    known = [item.name for item in declared(kind)]
    for key in data:
        if key not in known:
            raise InputError(f"{where}: {unknown_name('setting', str(key), known)}")
    return dict(data)
