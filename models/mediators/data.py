"""Mediators as data: everything that defines one, never only its name.

A mediator of this project's own types is a table of texts and numbers, whoever made it: the
registry, a file of charges, or another package. One of another package's own class cannot be
written down; its table says what it is and where it is registered, and reading it asks the
registry.

Numbers are rounded to 12 significant digits, as in every file. A table that is equal to that of the
built-in mediator of its name stands for that one, so that 1/3 and e keep all of their digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import MappingProxyType
from typing import Any, Final, cast, get_args, get_origin

from na64.models.declaration import declared
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.alp import PhotonCoupledMediator
from na64.models.mediators.charges import FERMIONS
from na64.models.mediators.gauge_bosons import LMuLTau
from na64.models.mediators.mesons import InvisibleMesons
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import (
    BUILT_IN,
    ENTRY_POINT_GROUP,
    entry_point_of,
    mediator,
)
from na64.models.mediators.spin_two import SpinTwoMediator
from na64.models.mediators.spin_zero import SpinZeroMediator
from na64.models.mediators.vectors import AxialMediator, VectorMediator

__all__ = ["PLUG_IN", "TYPES", "is_registered", "mediator_from_dict", "mediator_to_dict"]

#: types of mediator that are data, by their name in a table
TYPES: Final[Mapping[str, type]] = MappingProxyType(
    {
        "vector": VectorMediator,
        "axial": AxialMediator,
        "spin-zero": SpinZeroMediator,
        "spin-two": SpinTwoMediator,
        "photon-coupled": PhotonCoupledMediator,
        "l-mu-l-tau": LMuLTau,
        "invisible-mesons": InvisibleMesons,
    }
)
#: type of a mediator of another package's own class
PLUG_IN: Final = "plug-in"

_DIGITS: Final = 12
_LONGEST_TEXT: Final = 500
_PLUG_IN_KEYS: Final = ("type", "name", "kind", "parameter", "citations", "class", "entry_point")


def mediator_to_dict(mediator: Mediator) -> dict[str, Any]:
    """Return everything that defines a mediator, as plain data.

    Parameters
    ----------
    mediator
        Any mediator.

    Returns
    -------
    dict
        ``type``, one of `TYPES`, and the attributes of that type: dicts, lists, texts and
        numbers, these rounded to 12 significant digits. For a class of another package `PLUG_IN`,
        with its name, kind, parameter, citations, class and entry point (None if it is not
        registered under its name: then `mediator_from_dict` cannot read it).
    """
    for name, made_by in TYPES.items():
        if made_by is type(mediator):
            return {"type": name, **cast("dict[str, Any]", _plain(mediator))}
    entry = entry_point_of(mediator.name)
    return {
        "type": PLUG_IN,
        "name": mediator.name,
        "kind": str(mediator.kind),
        "parameter": mediator.parameter,
        "citations": list(mediator.citations),
        "class": f"{type(mediator).__module__}:{type(mediator).__qualname__}",
        "entry_point": None if entry is None else entry.value,
    }


def mediator_from_dict(data: object, where: str = "mediator") -> Mediator:
    """Return the mediator that plain data defines.

    Parameters
    ----------
    data
        As `mediator_to_dict` returns it, possibly after a way through a file; not trusted.
        Attributes that have a default may be missing.
    where
        Path of the data in its document, for messages.

    Returns
    -------
    Mediator
        The built-in one if the data are its own, to 12 digits; else one built of the values as
        they are. A plug-in comes from the registry.

    Raises
    ------
    InputError
        For what is no such data, with its path; for a plug-in that is not installed or has
        changed.
    """
    table = _table(data, where)
    if "type" not in table:
        raise InputError(f"{where}.type is missing; allowed: {', '.join((*TYPES, PLUG_IN))}")
    name = _text(table["type"], f"{where}.type")
    if name == PLUG_IN:
        return _plug_in(table, where)
    if name not in TYPES:
        raise InputError(f"{where}.type: {unknown_name('type', name, (*TYPES, PLUG_IN))}")
    made = cast("Mediator", _record(TYPES[name], table, where, ("type",)))
    built_in = BUILT_IN.get(made.name)
    if built_in is not None:
        own = built_in()
        if mediator_to_dict(own) == mediator_to_dict(made):
            return own
    return made


def is_registered(chosen: Mediator) -> bool:
    """Whether a mediator is the one that is found under its name, built in or of a plug-in."""
    if chosen.name not in BUILT_IN and entry_point_of(chosen.name) is None:
        return False
    return mediator_to_dict(mediator(chosen.name)) == mediator_to_dict(chosen)


def _plug_in(table: Mapping[str, Any], where: str) -> Mediator:
    """Return a mediator of a class of another package, and see that it is what it was."""
    _refuse_others(table, _PLUG_IN_KEYS, where)
    for key in _PLUG_IN_KEYS:
        if key not in table:
            raise InputError(f"{where}.{key} is missing")
    name = _text(table["name"], f"{where}.name")
    made_by = _text(table["class"], f"{where}.class")
    if name in BUILT_IN or entry_point_of(name) is None:
        raise InputError(
            f"{where}: the model '{name}' is of the class {made_by} of another package, and no "
            f"installed package registers it in the entry points '{ENTRY_POINT_GROUP}': install "
            "the package"
        )
    found = mediator(name)
    now = mediator_to_dict(found)
    for key in ("type", "class", "kind", "parameter"):
        then = _text(table[key], f"{where}.{key}")
        if then != now.get(key):
            raise InputError(
                f"{where}.{key} is '{then}', and the installed model '{name}' has "
                f"'{now.get(key)}': another version of its package is needed"
            )
    return found


def _plain(value: object) -> object:
    """Return a value of dict, list, str, int, float and None, its numbers rounded."""
    if isinstance(value, str):
        return str(value)
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, int):
        return value
    # + 0.0 turns -0.0 into 0.0
    return float(f"{float(cast('float', value)):.{_DIGITS}g}") + 0.0


def _read(hint: Any, value: object, where: str) -> Any:
    """Return a value of the type that an attribute has."""
    options = get_args(hint)
    if is_dataclass(hint):
        return _record(cast("type", hint), _table(value, where), where)
    if get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{where} must be a list of texts, is {type(value).__name__}")
        return tuple(_text(item, f"{where}[{index}]") for index, item in enumerate(value))
    if options:  # charges by fermion
        table = _table(value, where)
        for fermion in table:
            if fermion not in FERMIONS:
                raise InputError(f"{where}: {unknown_name('fermion', fermion, FERMIONS)}")
        return {name: _number(charge, f"{where}.{name}") for name, charge in table.items()}
    if hint is float:
        return _number(value, where)
    if hint is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(f"{where} must be a whole number")
        return value
    name = _text(value, where)
    if hint is not str and name not in list(hint):
        raise InputError(f"{where}: {unknown_name('value', name, list(hint))}")
    return hint(name)


def _record(
    kind: type, table: Mapping[str, Any], where: str, others: tuple[str, ...] = ()
) -> object:
    """Return a dataclass of the values of a table, which may have some other keys."""
    known = {item.name: item for item in declared(kind)}
    _refuse_others(table, (*others, *known), where)
    given: dict[str, Any] = {}
    made = {item.name: item.init for item in fields(kind)}
    for name, item in known.items():
        path = f"{where}.{name}"
        if name in table and (table[name] is not None or item.default is not None):
            value = _read(item.hint, table[name], path)
            if made[name]:
                given[name] = value
            elif value != item.default:
                raise InputError(f"{path} must be '{item.default}' for this type, is '{value}'")
        elif item.default is MISSING:
            raise InputError(f"{path} is missing")
    try:
        return kind(**given)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(f"{where} must be a table, is {type(value).__name__}")
    return value


def _refuse_others(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"{where}: {unknown_name('key', key, known)}")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise InputError(f"{where} must be a text of one line")
    if len(value) > _LONGEST_TEXT:
        raise InputError(f"{where} must be no longer than {_LONGEST_TEXT} characters")
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{where} must be a number, is {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{where} must be finite")
    return number
