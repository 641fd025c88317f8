"""Declarations of keys: what a field of a dataclass is in a file - name, unit, range, help.

A dataclass whose fields are made by `declare` is the one place that says what a table of a file may
hold, or which settings a command takes. Readers, writers, schemas, documents, options and range
checks follow from it.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar

from na64.models.errors import InputError, unknown_name

__all__ = [
    "LARGEST_NUMBER",
    "SMALLEST_NUMBER",
    "Declared",
    "Key",
    "alternatives",
    "check_declared",
    "checked_number",
    "classes_in",
    "declare",
    "declared",
    "in_words",
    "is_number",
    "key_names",
    "range_complaint",
    "record_of",
    "table_of",
    "text_complaint",
]

T = TypeVar("T")

#: no number of a file or an option is larger: squares, and products of three, are finite
LARGEST_NUMBER: Final = 1e100
#: none but zero is smaller, so that one over it is a number, too
SMALLEST_NUMBER: Final = 1e-100

#: converts what a file gives, from the value, the fields read before it, and the names known
Conversion = Callable[[Any, Mapping[str, Any], Mapping[str, Any]], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """What a key of a file is.

    Attributes
    ----------
    help
        One line for people.
    unit
        Unit of a number; empty for a pure number.
    name
        Name in files; that of the field if empty.
    above, at_least, at_most
        Range of a number, or of the value in a table with a source. Without ``above`` and
        ``at_least`` a number must not be negative.
    pattern
        Regular expression of a text, or of the names in a table of tables.
    refused
        Regular expression of texts that are not allowed, and why.
    allowed
        Names allowed, or the name of a list of them that the reader knows, such as ``regions``.
    absent
        Value of a field without a default where a file leaves the key out.
    fallback
        Field, or name known to the reader, that stands in where a file leaves the key out.
    resolved
        Whether resolved files have the key even if it has its default.
    unless
        Name known to the reader that forbids the key if it is true, and else makes it mandatory.
    missing
        Message for a mandatory key that is not there, if it needs more than the usual words.
    fewest
        Least number of entries of a list.
    distinct
        Whether no two tables of an array may have one ``name``.
    measured
        Whether the key is part of what an experiment is: events that were counted with one value
        say nothing on another, so a change of it leaves the data behind. Of a table with a
        ``main`` number that number counts.
    main
        Whether this is the number of a table for which the range of the table's key holds.
    flat
        Whether the keys of this table stand among those of the table around it.
    accepts
        Type in files if it is another one than the field's, and ``to`` converts it.
    to
        Conversion of what a file gives.
    other
        Another key, with its own type and conversion, that may stand in the place of this one.
    example
        Value in a blank file.
    flag
        Name of the option of a setting on a command line if it is not that of the key; one that
        takes something away (``no-annihilation``) sets a field that is True to False.
    words
        What a figure says of a setting: of a flag when it is True and when it is False, of a
        number its format; empty for the value itself.
    """

    help: str = ""
    unit: str = ""
    name: str = ""
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    pattern: str = ""
    refused: tuple[str, str] | None = None
    allowed: tuple[str, ...] | str | None = None
    absent: Any = None
    fallback: str = ""
    resolved: bool = False
    unless: str = ""
    missing: str = ""
    fewest: int = 0
    distinct: bool = False
    measured: bool = False
    main: bool = False
    flat: bool = False
    accepts: Any = None
    to: Conversion | None = None
    other: Key | None = None
    example: Any = None
    flag: str = ""
    words: tuple[str, ...] = ()

    def range_in_words(self) -> str:
        """Return the range of a number for people; empty if it need only not be negative."""
        low = "" if self.above is None else f"above {self.above:g}"
        if self.at_least is not None and math.isfinite(self.at_least):
            low = f"{self.at_least:g} or more"
        high = "" if self.at_most is None else f"at most {self.at_most:g}"
        return ", ".join(part for part in (low, high) if part)

    def within(self, outer: Key) -> Key:
        """Return this key with the range of the key around its table where it has none itself."""
        return dataclasses.replace(
            self,
            above=outer.above if self.at_least is None and self.above is None else self.above,
            at_most=outer.at_most if self.at_most is None else self.at_most,
        )


def declare(default: Any = MISSING, **declaration: Any) -> Any:
    """Return a field of a dataclass with its declaration; arguments are those of `Key`."""
    metadata: dict[str, Any] = {"key": Key(**declaration)}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, slots=True)
class Declared:
    """A field of a dataclass as a key of a file.

    Attributes
    ----------
    field, name
        Names of the field and of the key.
    hint
        Type in the file; None is no part of it.
    key
        The declaration.
    default
        Value where the key is left out; ``dataclasses.MISSING`` if it may not be.
    """

    field: str
    name: str
    hint: Any
    key: Key
    default: Any

    @property
    def mandatory(self) -> bool:
        """Whether there is nothing to stand in for the key."""
        return self.default is MISSING and not self.key.fallback and not self.key.unless

    @property
    def option(self) -> str:
        """Name of the option on a command line, without dashes in front."""
        return self.key.flag or self.name.replace("_", "-")


_UNDECLARED: Final = Key()
_ANY_SIGN: Final = Key(at_least=-math.inf)


@cache
def declared(cls: type) -> tuple[Declared, ...]:
    """Return the keys of a dataclass; a field without a declaration is one of any value."""
    hints = typing.get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        about: Key = field.metadata.get("key", _UNDECLARED)
        default = field.default if about.absent is None else about.absent
        if field.default_factory is not MISSING:
            default = field.default_factory()
        hint = hints[field.name] if about.accepts is None else about.accepts
        if isinstance(hint, types.UnionType):
            parts = tuple(part for part in typing.get_args(hint) if part is not type(None))
            hint = typing.Union[parts]  # noqa: UP007 - made from a list
        found.append(Declared(field.name, about.name or field.name, hint, about, default))
    return tuple(found)


def range_complaint(number: float, about: Key, *, whole: bool = False) -> str:
    """Return what is wrong with a number, ``must be positive, is -1``; empty if nothing."""
    low = about.at_least
    if isinstance(number, int) and abs(number) > LARGEST_NUMBER:
        return f"must be at most {about.at_most or LARGEST_NUMBER:g}, has {_digits(number)} digits"
    if not math.isfinite(number):
        return f"must be finite, is {number}"
    if about.above is not None and number <= about.above:
        limit = "positive" if about.above == 0.0 else f"above {about.above:g}"
        return f"must be {limit}, is {number:g}"
    if low is None and about.above is None:
        low = 0.0
    if low is not None and number < low:
        if whole or low != 0.0:
            return f"must be {low:g} or more, is {number:g}"
        return f"must not be negative, is {number:g}"
    if about.at_most is not None and number > about.at_most:
        return f"must be at most {about.at_most:g}, is {number:g}"
    if abs(number) > LARGEST_NUMBER:
        return f"must be at most {LARGEST_NUMBER:g} in size, is {number:g}"
    if 0.0 < abs(number) < SMALLEST_NUMBER:
        return f"must be {SMALLEST_NUMBER:g} or more in size, or 0, is {number:g}"
    return ""


def checked_number(number: float, what: str) -> float:
    """Return a number of any sign with which something can be computed.

    Raises
    ------
    InputError
        For NaN, infinity, and sizes beyond `SMALLEST_NUMBER` and `LARGEST_NUMBER`.
    """
    if complaint := range_complaint(number, _ANY_SIGN):
        raise InputError(f"{what}: {complaint}")
    return number


def _digits(number: int) -> int:
    """Return how many digits a whole number has, without writing them."""
    return int(abs(number).bit_length() * math.log10(2.0)) + 1


def text_complaint(text: str, about: Key) -> str:
    """Return what is wrong with a text by its pattern; empty if nothing."""
    if about.pattern and not re.fullmatch(about.pattern, text):
        return f"'{text}' is not allowed; it must match {about.pattern}"
    if about.refused is not None and re.fullmatch(about.refused[0], text):
        return f"'{text}' {about.refused[1]}"
    return ""


def is_number(value: object) -> bool:
    """Tell whether a value is a real number, and no truth value."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_declared(record: Any) -> None:
    """Raise InputError for a value of a record that its declaration does not allow.

    That is a number out of its range or none, an empty text, an unknown name, no truth value. A
    default is always allowed, such as an infinite length.
    """
    cls: type = type(record)
    for item in declared(cls):
        value, allowed = getattr(record, item.field), item.key.allowed
        if item.hint is bool:
            complaint = "" if isinstance(value, bool) else f"must be true or false, is {value!r}"
        elif value == item.default and not isinstance(value, bool):
            continue
        elif isinstance(allowed, tuple):
            if value not in allowed:
                raise unknown_name(item.name.replace("_", " "), str(value), allowed)
            continue
        elif is_number(value):
            complaint = range_complaint(value, item.key)
        elif item.hint is float:
            complaint = f"must be a number, is {value!r}"
        else:
            complaint = "must not be empty" if isinstance(value, str) and not value.strip() else ""
        if complaint:
            raise InputError(f"{item.name} {complaint}")


def key_names(cls: type) -> set[str]:
    """Return every key that a table of a dataclass may have."""
    names = set()
    for item in declared(cls):
        names |= key_names(item.hint) if item.key.flat else {item.name}
        if item.key.other is not None:
            names.add(item.key.other.name)
    return names


def in_words(item: Declared, value: Any) -> str:
    """Return what a figure says of the value of a setting."""
    words = item.key.words
    if not words:
        return str(value) if isinstance(value, str) else f"{item.name.replace('_', ' ')} {value}"
    return words[not value] if item.hint is bool else words[0].format(value)


def record_of(cls: Callable[..., T], data: object, where: str) -> T:
    """Return the dataclass that plain data give; what is missing has its default.

    Parameters
    ----------
    cls
        The dataclass, which checks itself.
    data
        A table with some of the fields; not trusted.
    where
        Path of the table, for messages.

    Raises
    ------
    InputError
        For what is no table, a field that does not exist, and what the class refuses, with the
        path.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{where} must be a table, is {type(data).__name__}")
    known = [item.name for item in dataclasses.fields(cls)]  # type: ignore[arg-type]
    try:
        for key in data:
            if key not in known:
                raise unknown_name("setting", str(key), known)
        return cls(**data)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def classes_in(hint: Any) -> tuple[type, ...]:
    """Return the dataclasses of which a type is made, each before those inside it."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        inside = [part for item in declared(hint) for part in classes_in(item.hint)]
        inside += [
            part
            for item in declared(hint)
            if item.key.other is not None
            for part in classes_in(item.key.other.accepts)
        ]
        return tuple(dict.fromkeys((hint, *inside)))
    return tuple(part for argument in typing.get_args(hint) for part in classes_in(argument))


def alternatives(hint: Any) -> tuple[tuple[str, str], ...]:
    """Return the pairs of keys, in a type and what is inside it, of which a table has one."""
    return tuple(
        (item.name, item.key.other.name)
        for cls in classes_in(hint)
        for item in declared(cls)
        if item.key.other is not None
    )


def table_of(record: Any) -> dict[str, Any]:
    """Return a dataclass as the table that a file has.

    Keys with their default values are left out, unless their declaration wants them.
    """
    table: dict[str, Any] = {}
    cls: type = type(record)
    for item in declared(cls):
        value = getattr(record, item.field)
        if value == item.default and not item.key.resolved:
            continue
        written = _written(value)
        table |= written if item.key.flat else {item.name: written}
    return table


def _written(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return table_of(value)
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _written(item) for name, item in value.items()}
    return value.value if isinstance(value, Enum) else value
