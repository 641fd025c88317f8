"""Tables of files as dataclasses, by the declarations of their fields.

`read_file` reads a dataclass from a table and reports every problem at once, each with its path.
A `TableReader` notes a problem where a value is not allowed and returns a harmless stand-in, so
that reading goes on to the end. `na64.models.declaration.table_of` is the way back.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING
from enum import Enum
from typing import Any, Final, TypeVar

from na64.models.declaration import (
    Declared,
    Key,
    declared,
    key_names,
    range_complaint,
    text_complaint,
)
from na64.models.errors import InputError, did_you_mean
from na64.workspaces.io.problems import FileProblemsError, Problem, as_number, shown

__all__ = ["TableReader", "read_file"]

T = TypeVar("T")

_PLAIN: Final = Key()
#: how the types of values are called in messages
_WORDS: Final[dict[Any, str]] = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text",
    tuple[float, ...]: "a list of numbers",
    tuple[str, ...]: "a list of texts",
}
_STAND_INS: Final = {float: math.nan, int: 0, bool: False, str: ""}


#: by field: what reads it instead of its declaration, given the fields before it
Special = Mapping[str, Callable[[Mapping[str, Any]], Any]]


def read_file(cls: type[T], data: Mapping[str, object], kind: str, where: str) -> T:
    """Return the dataclass that a file holds.

    Parameters
    ----------
    cls
        Dataclass with declared fields.
    data
        Content of the file.
    kind, where
        What the file is and its name, for messages.

    Raises
    ------
    FileProblemsError
        With every problem of the file.
    """
    top = TableReader(data, "", [])
    return top.result(top.record(cls), kind, where)


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
    names
        What declarations may refer to, such as lists of names; shared by the tables of a file.
    """

    def __init__(
        self,
        data: Mapping[str, object],
        path: str,
        problems: list[Problem],
        names: dict[str, Any] | None = None,
    ) -> None:
        self.data = data
        self.path = path
        self.problems = problems
        self.names: dict[str, Any] = {} if names is None else names
        self._known: list[str] = []

    def at(self, name: str) -> str:
        """Return the path of a key of this table."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the table has the key; the key counts as known from now on."""
        if name not in self._known:
            self._known.append(name)
        return name in self.data

    def problem(self, name: str, message: str) -> None:
        """Note a problem with a key, or with the table itself for an empty name."""
        self.problems.append(Problem(self.at(name) if name else self.path, message))

    @property
    def sound(self) -> bool:
        """Whether no problem of this table, or of anything inside it, came up so far."""
        inside = (f"{self.path}.", f"{self.path}[")
        return not any(
            not self.path or problem.path == self.path or problem.path.startswith(inside)
            for problem in self.problems
        )

    def finish(self) -> None:
        """Report the keys of the table that nobody asked for."""
        for name in self.data:
            if name not in self._known:
                hint = did_you_mean(name, self._known)
                self.problem(name, f"unknown key{hint}; allowed: {', '.join(self._known)}")

    def build(self, make: Callable[..., T], **values: Any) -> T | None:
        """Call a constructor unless this table has problems; its refusal becomes a problem."""
        if not self.sound:
            return None
        try:
            return make(**values)
        except InputError as error:
            self.problem("", str(error))
            return None

    def result(self, made: T | None, kind: str, where: str) -> T:
        """Return what was made of a whole file, or raise `FileProblemsError`."""
        if self.problems or made is None:
            raise FileProblemsError(kind, where, self.problems)
        return made

    def table(self, name: str, *, needed: bool = True) -> TableReader | None:
        """Return a reader of a table inside this one; None if there is none."""
        if not self.has(name):
            if needed:
                self.problem(name, "missing; it must be a table")
            return None
        raw = self.data[name]
        if not isinstance(raw, Mapping):
            self.problem(name, f"must be a table, is {shown(raw)}")
            return None
        return TableReader(raw, self.at(name), self.problems, self.names)

    def value(self, name: str, hint: Any, about: Key = _PLAIN, default: Any = MISSING) -> Any:
        """Read a key.

        Parameters
        ----------
        name
            The key.
        hint
            Type: float, int, bool, str, an enumeration of texts, a dataclass or one of several,
            or tuples and mappings of these.
        about
            Declaration of what is allowed.
        default
            Value when the key is left out; without it the key is mandatory.
        """
        if not self.has(name):
            if default is MISSING:
                words = about.missing or f"missing; it must be {self._words(name, hint)}"
                self.problem(name, words)
                return _stand_in(hint)
            return default
        raw = self.data[name]
        if isinstance(raw, str) and raw == default:
            return default
        if raw == [] and default is MISSING and _is_tables(hint):
            self.problem(name, "must not be empty")
        return self._checked(name, raw, hint, about)

    def record(
        self,
        cls: type[T],
        *,
        outer: Key = _PLAIN,
        special: Special | None = None,
        sourced: bool = False,
    ) -> T | None:
        """Read the whole table as a dataclass; None if it has problems.

        A method ``misfits`` of the dataclass yields pairs (key, what is wrong) of values that do
        not fit together.

        Parameters
        ----------
        cls
            The dataclass.
        outer
            Declaration of the table, whose range is that of the main number in it.
        special
            What reads single fields in place of their declarations.
        sourced
            Whether the table has a ``source`` beside the fields.
        """
        if sourced:
            self.value("source", str)
        values = self._values(cls, outer, special or {})
        self.finish()
        made = self.build(cls, **values)
        if made is not None and hasattr(made, "misfits"):
            for name, message in made.misfits():
                self.problem(name, message)
        return made

    def declared(self, item: Declared) -> Any:
        """Read one key as it is declared, apart from the table that it belongs to."""
        return self._field(item, {}, _PLAIN)

    def _values(self, cls: type, outer: Key, special: Special) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for item in declared(cls):
            if item.field in special:
                values[item.field] = special[item.field](values)
            elif item.key.flat:
                inner = self._values(item.hint, item.key, {})
                values[item.field] = self.build(item.hint, **inner)
            else:
                values[item.field] = self._field(item, values, outer)
        return values

    def _field(self, item: Declared, values: Mapping[str, Any], outer: Key) -> Any:
        about = item.key.within(outer) if item.key.main else item.key
        default = item.default
        if about.fallback:
            default = values.get(about.fallback, self.names.get(about.fallback, MISSING))
        if about.unless:
            if self.names.get(about.unless):
                if self.has(item.name):
                    self.problem(item.name, f"must be left out where {about.unless} is true")
                return default
            default = MISSING
        name, hint = item.name, item.hint
        if (other := about.other) is not None:
            here, there = self.has(name), self.has(other.name)
            if here and there:
                self.problem(name, f"give {name} or {other.name}, not both")
            elif there or (not here and other.missing):
                name, hint, about, default = other.name, other.accepts, other, MISSING
        before = len(self.problems)
        found = self.value(name, hint, about, default)
        if about.to is None or found is default:
            return found
        if len(self.problems) == before:
            try:
                return about.to(found, values, self.names)
            except InputError as error:
                self.problem(name, str(error))
        return None

    def _checked(self, name: str, raw: object, hint: Any, about: Key) -> Any:
        """Return a value of the type that is asked for, or a stand-in and a problem."""
        origin = typing.get_origin(hint)
        if raw is None:  # null in JSON; TOML has none
            self.problem(name, f"must be {self._words(name, hint)}, is null")
            return _stand_in(hint)
        if origin is tuple:
            return self._list(name, raw, hint, about)
        if hint in (float, int):
            return self._number(name, raw, hint, about)
        if hint is bool:
            if not isinstance(raw, bool):
                self.problem(name, f"must be true or false, is {shown(raw)}")
            return raw
        if hint is str or (isinstance(hint, type) and issubclass(hint, Enum)):
            return self._text(name, raw, hint, about)
        if not isinstance(raw, Mapping):
            self.problem(name, self._no_table(name, raw, hint))
            return _stand_in(hint)
        reader = TableReader(raw, self.at(name), self.problems, self.names)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return reader.entries(typing.get_args(hint)[1], about)
        return reader.record(_chosen(hint, raw), outer=about)

    def entries(self, hint: Any, about: Key) -> dict[str, Any]:
        """Read every entry of a table whose keys are names; the declaration is of both."""
        allowed = self._allowed(about)
        if allowed is not None:
            self._known.extend(allowed)
            self.finish()
        inside = dataclasses.replace(about, pattern="", refused=None, allowed=None)
        found = {}
        for name, raw in self.data.items():
            if complaint := text_complaint(name, about):
                self.problem(name, complaint)
            elif allowed is None or name in allowed:
                found[name] = self._checked(name, raw, hint, inside)
        return found

    def _list(self, name: str, raw: object, hint: Any, about: Key) -> tuple[Any, ...]:
        if not isinstance(raw, (list, tuple)):
            self.problem(name, f"must be {self._words(name, hint)}, is {shown(raw)}")
            return ()
        if len(raw) < about.fewest:
            self.problem(name, f"must have {about.fewest} entries or more, has {len(raw)}")
        item_hint = typing.get_args(hint)[0]
        about = dataclasses.replace(about, fewest=0)
        if _is_tables(hint):
            inside = [item.get("name") for item in raw if isinstance(item, Mapping)]
            names = [item for item in inside if isinstance(item, str)]
            self.names[name] = tuple(dict.fromkeys(names))
            if about.distinct:
                self._distinct(name, raw)
        return tuple(
            self._checked(f"{name}[{index}]", item, item_hint, about)
            for index, item in enumerate(raw)
        )

    def _distinct(self, name: str, raw: Sequence[object]) -> None:
        seen: dict[str, int] = {}
        for index, item in enumerate(raw):
            own = item.get("name") if isinstance(item, Mapping) else None
            if isinstance(own, str) and seen.setdefault(own, index) != index:
                other = self.at(f"{name}[{seen[own]}]")
                self.problem(f"{name}[{index}].name", f"'{own}' is the name of {other} already")

    def _text(self, name: str, raw: object, hint: type, about: Key) -> Any:
        if not isinstance(raw, str):
            self.problem(name, f"must be a text, is {shown(raw)}")
            return ""
        allowed = self._allowed(about) if hint is str else [str(item.value) for item in hint]  # type: ignore[attr-defined]
        if not raw.strip():
            self.problem(name, "must not be empty")
        elif complaint := text_complaint(raw, about):
            self.problem(name, complaint)
        elif allowed is not None and raw not in allowed:
            near = did_you_mean(raw, allowed)
            self.problem(name, f"unknown name '{raw}'{near}; allowed: {', '.join(allowed)}")
        else:
            return hint(raw)
        return raw

    def _allowed(self, about: Key) -> list[str] | None:
        """Return the names that a declaration allows; None if it allows any."""
        allowed: Any = about.allowed
        if isinstance(allowed, str):
            allowed = self.names.get(allowed)
        return None if allowed is None else list(allowed)

    def _number(self, name: str, raw: object, hint: type, about: Key) -> float:
        whole = hint is int
        number = as_number(raw)
        if number is None or (whole and not number.is_integer()):
            self.problem(name, f"must be {_WORDS[hint]}, is {shown(raw)}")
            return math.nan
        if complaint := range_complaint(number, about, whole=whole):
            self.problem(name, complaint)
        return int(number) if whole else number

    def _words(self, name: str, hint: Any) -> str:
        if _is_tables(hint):
            return f"an array of tables [[{self.at(name)}]]"
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _WORDS[str]
        return _WORDS.get(hint, "a list" if typing.get_origin(hint) is tuple else "a table")

    def _no_table(self, name: str, raw: object, hint: Any) -> str:
        keys = {key for cls in _classes(hint) for key in key_names(cls)}
        if isinstance(raw, (int, float, str)) and {"value", "source"} <= keys:
            number = f'{name.split("[")[0]} = {{ value = {raw}, source = "..." }}'
            return f"every number needs its source: write {number}"
        return f"must be a table, is {shown(raw)}"


def _classes(hint: Any) -> tuple[type, ...]:
    parts = typing.get_args(hint) if typing.get_origin(hint) is typing.Union else (hint,)
    return tuple(part for part in parts if isinstance(part, type))


def _chosen(hint: Any, raw: Mapping[str, object]) -> type:
    """Return the dataclass of a union that has a key of its own in a table, or the first.

    Of several the one that knows most keys of the table.
    """
    first, *others = _classes(hint)
    usual = key_names(first)
    found = [cls for cls in others if raw.keys() & (key_names(cls) - usual)]
    return min(found, key=lambda cls: len(raw.keys() - key_names(cls)), default=first)


def _is_tables(hint: Any) -> bool:
    arguments = typing.get_args(hint)
    return typing.get_origin(hint) is tuple and dataclasses.is_dataclass(arguments[0])


def _stand_in(hint: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin is tuple:
        return ()
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {}
    return _STAND_INS.get(hint)
