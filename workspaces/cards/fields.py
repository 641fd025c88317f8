"""Binding of TOML tables to Python values, with every problem reported at once.

A `TableReader` walks over one table of a file. Each of its methods reads one key, notes a problem
with the key's path where the value is not allowed, and returns a harmless stand-in then, so that
reading goes on to the end. `Problems.raise_if_any` ends the reading with one error.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from na64.models.errors import InputError

__all__ = ["FileProblemsError", "Problem", "Problems", "TableReader", "did_you_mean"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file.

    Attributes
    ----------
    path
        Place in the file, such as ``bins[2].exposure.value``; empty for the whole file.
    message
        What is wrong and what is allowed.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class FileProblemsError(InputError):
    """A file with one or more problems.

    Attributes
    ----------
    file
        The file, or the name under which it was asked for.
    problems
        Every problem, in the order of reading.
    """

    def __init__(self, kind: str, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            message = f"{kind} {file}: {self.problems[0]}"
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            message = f"{kind} {file} has {len(self.problems)} problems:{lines}"
        super().__init__(message)


@dataclasses.dataclass(slots=True)
class Problems:
    """The problems found so far in one file."""

    found: list[Problem] = dataclasses.field(default_factory=list)

    def add(self, path: str, message: str) -> None:
        """Note a problem."""
        self.found.append(Problem(path, message))

    def raise_if_any(self, kind: str, file: str) -> None:
        """Raise `FileProblemsError` if there are problems."""
        if self.found:
            raise FileProblemsError(kind, file, self.found)


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest allowed name, or an empty text."""
    close = difflib.get_close_matches(name, list(allowed), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _shown(value: object) -> str:
    """Describe a value of the wrong type."""
    if isinstance(value, str):
        return f"the text '{value}'" if len(value) <= 60 else f"the text '{value[:57]}...'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return f"a {type(value).__name__}"


class TableReader:
    """Reads the keys of one table of a file.

    Parameters
    ----------
    data
        The table.
    path
        Its place in the file; empty for the top.
    problems
        Where problems go.
    """

    def __init__(self, data: Mapping[str, object], path: str, problems: Problems) -> None:
        self.data = data
        self.path = path
        self.problems = problems
        self._known: list[str] = []

    def at(self, key: str) -> str:
        """Return the path of a key of this table."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the table has the key; the key counts as known from now on."""
        self._know(key)
        return key in self.data

    def problem(self, key: str, message: str) -> None:
        """Note a problem with a key, or with the table itself for an empty key."""
        self.problems.add(self.at(key) if key else self.path, message)

    @property
    def sound(self) -> bool:
        """Whether no problem of this table, or of anything inside it, came up so far."""
        inside = (f"{self.path}.", f"{self.path}[")
        return not any(
            not self.path or problem.path == self.path or problem.path.startswith(inside)
            for problem in self.problems.found
        )

    def finish(self) -> None:
        """Report the keys of the table that nobody asked for."""
        for key in self.data:
            if key not in self._known:
                hint = did_you_mean(key, self._known)
                self.problem(key, f"unknown key{hint}; allowed: {', '.join(self._known)}")

    def build(self, make: Callable[..., T], *args: Any, **kwargs: Any) -> T | None:
        """Call a constructor unless this table has problems; its refusal becomes a problem."""
        if not self.sound:
            return None
        try:
            return make(*args, **kwargs)
        except InputError as error:
            self.problem("", str(error))
            return None

    # One method per kind of value. A default of None makes the key mandatory.

    def text(
        self,
        key: str,
        *,
        default: str | None = None,
        pattern: str | None = None,
        allowed: Iterable[str] | None = None,
    ) -> str:
        """Read a text that is not empty.

        Parameters
        ----------
        key
            The key.
        default
            Value when the key is absent.
        pattern
            Regular expression that the whole text must match.
        allowed
            Names of which the text must be one.
        """
        value = self._get(key, "a text", default)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.problem(key, f"must be a text, is {_shown(value)}")
            return ""
        if not value.strip() and value != default:
            self.problem(key, "must not be empty")
        elif pattern is not None and not re.fullmatch(pattern, value):
            self.problem(key, f"'{value}' is not allowed; it must match {pattern}")
        elif allowed is not None:
            names = list(allowed)
            if value not in names:
                hint = did_you_mean(value, names)
                self.problem(key, f"unknown name '{value}'{hint}; allowed: {', '.join(names)}")
        return value

    def number(
        self,
        key: str,
        *,
        default: float | None = None,
        positive: bool = False,
        at_most: float | None = None,
    ) -> float:
        """Read a finite number that is not negative.

        Parameters
        ----------
        key
            The key.
        default
            Value when the key is absent.
        positive
            Whether zero is refused too.
        at_most
            Largest value allowed.
        """
        value = self._get(key, "a number", default)
        if value is None:
            return math.nan
        number = _number(value)
        if number is None:
            self.problem(key, f"must be a number, is {_shown(value)}")
            return math.nan
        complaint = _range_complaint(number, positive=positive, at_most=at_most)
        if complaint:
            self.problem(key, complaint)
        return number

    def integer(self, key: str, *, default: int | None = None, at_least: int = 0) -> int:
        """Read a whole number; 0 and up unless told otherwise."""
        value = self._get(key, "a whole number", default)
        if value is None:
            return at_least
        number = _number(value)
        if number is None or not math.isfinite(number) or number != math.floor(number):
            self.problem(key, f"must be a whole number, is {_shown(value)}")
            return at_least
        if number < at_least:
            self.problem(key, f"must be {at_least} or more, is {int(number)}")
        return int(number)

    def numbers(self, key: str, *, positive: bool = False) -> tuple[float, ...]:
        """Read a mandatory list of finite numbers that are not negative."""
        value = self._get(key, "a list of numbers", None)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.problem(key, f"must be a list of numbers, is {_shown(value)}")
            return ()
        result = []
        for index, item in enumerate(value):
            number = _number(item)
            if number is None:
                self.problem(f"{key}[{index}]", f"must be a number, is {_shown(item)}")
                continue
            complaint = _range_complaint(number, positive=positive, at_most=None)
            if complaint:
                self.problem(f"{key}[{index}]", complaint)
            result.append(number)
        return tuple(result)

    def texts(
        self,
        key: str,
        *,
        default: tuple[str, ...] | None = None,
        allowed: Iterable[str] | None = None,
    ) -> tuple[str, ...]:
        """Read a list of texts, each one of ``allowed`` if that is given."""
        value = self._get(key, "a list of texts", default)
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)):
            self.problem(key, f"must be a list of texts, is {_shown(value)}")
            return ()
        names = None if allowed is None else list(allowed)
        result = []
        for index, item in enumerate(value):
            where = f"{key}[{index}]"
            if not isinstance(item, str) or not item.strip():
                self.problem(where, f"must be a text that is not empty, is {_shown(item)}")
            elif names is not None and item not in names:
                hint = did_you_mean(item, names)
                self.problem(where, f"unknown name '{item}'{hint}; allowed: {', '.join(names)}")
            else:
                result.append(item)
        return tuple(result)

    def table(self, key: str, *, required: bool = True) -> TableReader | None:
        """Return a reader of a table inside this one; None if there is none."""
        value = self._get(key, "a table", None if required else {})
        if value is None or (not required and key not in self.data):
            return None
        if not isinstance(value, Mapping):
            self.problem(key, f"must be a table, is {_shown(value)}")
            return None
        return TableReader(value, self.at(key), self.problems)

    def tables(self, key: str, *, required: bool = True) -> list[TableReader]:
        """Return a reader for each table of an array of tables."""
        value = self._get(key, f"an array of tables [[{self.at(key)}]]", None if required else [])
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(key, f"must be an array of tables, [[{self.at(key)}]], is {_shown(value)}")
            return []
        readers = []
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                readers.append(TableReader(item, self.at(f"{key}[{index}]"), self.problems))
            else:
                self.problem(f"{key}[{index}]", f"must be a table, is {_shown(item)}")
        if required and not value:
            self.problem(key, "must not be empty")
        return readers

    def record(self, cls: type[T]) -> T | None:
        """Read a dataclass of plain fields, one key per field.

        Fields may be float, int, bool, str, an enumeration of texts, a tuple of numbers or texts
        of any length, or one of these or None; a field with a default is optional. The
        dataclass checks its own ranges.
        """
        hints = typing.get_type_hints(cls)
        values: dict[str, object] = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            optional = (
                field.default is not dataclasses.MISSING
                or field.default_factory is not dataclasses.MISSING
            )
            if optional and not self.has(field.name):
                continue
            values[field.name] = self._field(field.name, hints[field.name])
        return self.build(cls, **values)

    def _field(self, key: str, hint: Any) -> object:
        if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
            hint = next(arg for arg in typing.get_args(hint) if arg is not type(None))
        if typing.get_origin(hint) is tuple:
            return self.numbers(key) if typing.get_args(hint)[0] is float else self.texts(key)
        if isinstance(hint, type) and issubclass(hint, Enum):
            name = self.text(key, allowed=[str(item.value) for item in hint])
            return hint(name) if name in [item.value for item in hint] else name
        if hint is bool:
            value = self._get(key, "true or false", None)
            if value is not None and not isinstance(value, bool):
                self.problem(key, f"must be true or false, is {_shown(value)}")
            return value
        if hint is int:
            return self.integer(key)
        if hint is str:
            return self.text(key)
        return self.number(key)

    def _know(self, key: str) -> None:
        if key not in self._known:
            self._known.append(key)

    def _get(self, key: str, what: str, default: object) -> object:
        self._know(key)
        if key in self.data:
            value = self.data[key]
            if value is None:  # null in JSON; TOML has none
                self.problem(key, f"must be {what}, is null")
            return value
        if default is None:
            self.problem(key, f"missing; it must be {what}")
        return default


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf


def _range_complaint(number: float, *, positive: bool, at_most: float | None) -> str:
    if not math.isfinite(number):
        return f"must be finite, is {number}"
    if positive and number <= 0.0:
        return f"must be positive, is {number:g}"
    if number < 0.0:
        return f"must not be negative, is {number:g}"
    if at_most is not None and number > at_most:
        return f"must be at most {at_most:g}, is {number:g}"
    return ""
