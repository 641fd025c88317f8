"""The JSON Schema of run cards, from the declarations of their keys."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from na64.models.declaration import Declared, Key, declared
from na64.workspaces.cards.card import FORMAT, RunCard
from na64.workspaces.cards.setups import setup_tables
from na64.workspaces.cards.topologies import TOPOLOGIES

__all__ = ["card_schema"]

Schema = dict[str, Any]

_PLAIN: Final = Key()
_DESCRIPTION: Final = (
    "Structure of a run card in TOML or JSON. What links parts of a card (setups and bins by "
    "name, cuts below the beam energy) is checked when the card is read."
)


def card_schema() -> Schema:
    """Return the schema, draft 2020-12, as plain data."""
    schema = _record(RunCard, leave_out=("setups",))
    schema["properties"] |= {"format": {"const": FORMAT}, **_setup(partial=False)}
    schema["properties"]["setups"] = _names(_field(RunCard, "setups").key) | {
        "type": "object",
        "additionalProperties": _object(_setup(partial=True), ()),
    }
    tables = list(setup_tables(None))
    # A card that extends another one may leave out whatever the other one has.
    complete = {"required": [*schema["required"], *tables, "window"]}
    schema["required"] = ["name"]
    schema["allOf"] = [_extending(complete)] + [_window(name) for name in TOPOLOGIES]
    schema["allOf"] += _forbidden(RunCard)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"na64-limits/run-card/{FORMAT}",
        "title": "Run card of a search",
        "description": _DESCRIPTION,
        **schema,
    }


def _extending(rule: Schema) -> Schema:
    """Return a rule that holds for cards that stand alone."""
    return {"if": {"required": ["extends"]}, "else": rule}


def _field(cls: type, name: str) -> Declared:
    return next(item for item in declared(cls) if item.field == name)


def _setup(*, partial: bool) -> Schema:
    """Return the schemas of the tables of a setup, the window's of any topology."""
    known = {
        name: _record(cls, sourced=True, partial=partial)
        for name, cls in setup_tables(None).items()
    }
    return {**known, "window": {"type": "object", "required": ["source"]}}


def _window(topology: str) -> Schema:
    """Return the schema of the windows of cards of one topology."""
    cls = TOPOLOGIES[topology].window
    own, other = (_record(cls, sourced=True, partial=partial) for partial in (False, True))
    return {
        "if": {"required": ["topology"], "properties": {"topology": {"const": topology}}},
        "then": {
            "properties": {
                "window": own,
                "setups": {"additionalProperties": {"properties": {"window": other}}},
            }
        },
    }


def _forbidden(cls: type) -> list[Schema]:
    """Return what a flag of the card forbids in its arrays of tables, or else demands."""
    rules = []
    for array in declared(cls):
        for inner in typing.get_args(array.hint):
            keys = declared(inner) if isinstance(inner, type) and inner is not str else ()
            for item in keys:
                if item.key.unless:
                    given = {"required": [item.name]}
                    flag, items = item.key.unless, array.name
                    rules.append(
                        {
                            "if": {"required": [flag], "properties": {flag: {"const": True}}},
                            "then": {"properties": {items: {"items": {"not": given}}}},
                            "else": _extending({"properties": {items: {"items": given}}}),
                        }
                    )
    return rules


def _object(properties: Schema, required: tuple[str, ...] | list[str]) -> Schema:
    schema: Schema = {"type": "object"}
    if required:
        schema["required"] = list(required)
    return schema | {"additionalProperties": False, "properties": properties}


def _record(
    cls: type,
    outer: Key = _PLAIN,
    *,
    sourced: bool = False,
    partial: bool = False,
    leave_out: tuple[str, ...] = (),
) -> Schema:
    """Return the schema of a dataclass; of a partial one only the source is mandatory."""
    properties: Schema = {"source": _value(str, _PLAIN)} if sourced else {}
    required = list(properties)
    rules = []
    for item in declared(cls):
        if item.field in leave_out:
            continue
        if item.key.flat:
            inner = _record(item.hint)
            properties |= inner["properties"]
            required += inner["required"]
            rules += inner.get("allOf", [])
            continue
        about = item.key.within(outer) if item.key.main else item.key
        properties[item.name] = _value(item.hint, about, mandatory=item.mandatory)
        mandatory = item.mandatory and not partial
        if about.other is not None:
            properties[about.other.name] = _value(about.other.accepts, about.other)
            names = ([item.name], [about.other.name])
            either = {"oneOf": [{"required": name} for name in names]}
            both = {"not": {"required": [*names[0], *names[1]]}}
            rules.append(either if mandatory else both)
        elif mandatory:
            required.append(item.name)
    schema = _object(properties, required)
    return schema | {"allOf": rules} if rules else schema


def _value(hint: Any, about: Key, *, mandatory: bool = False) -> Schema:
    schema = _plain(hint, about, mandatory)
    words = about.help if not about.unit else f"{about.help}; {about.unit}"
    return schema | {"description": words} if words else schema


def _plain(hint: Any, about: Key, mandatory: bool) -> Schema:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        return {"oneOf": [_record(part, about) for part in parts]}
    if origin is tuple:
        inside = dataclasses.replace(about, help="", unit="")
        schema: Schema = {"type": "array", "items": _value(parts[0], inside)}
        fewest = about.fewest or int(mandatory and dataclasses.is_dataclass(parts[0]))
        return schema | {"minItems": fewest} if fewest else schema
    if isinstance(origin, type) and issubclass(origin, Mapping):
        inside = dataclasses.replace(about, help="", unit="", pattern="", refused=None)
        schema = {"type": "object", "minProperties": 1}
        return schema | _names(about) | {"additionalProperties": _value(parts[1], inside)}
    if dataclasses.is_dataclass(hint):
        return _record(typing.cast(type, hint), about)
    if hint is bool:
        return {"type": "boolean"}
    if hint in (int, float):
        return {"type": "integer" if hint is int else "number"} | _range(about)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [item.value for item in hint]}
    return _text(about)


def _names(about: Key) -> Schema:
    return {"propertyNames": _text(about)} if about.pattern else {}


def _text(about: Key) -> Schema:
    if isinstance(about.allowed, tuple):
        return {"enum": list(about.allowed)}
    schema = {"type": "string", "pattern": f"^({about.pattern})$" if about.pattern else "\\S"}
    if about.refused is None:
        return schema
    return schema | {"not": {"pattern": f"^({about.refused[0]})$"}}


def _range(about: Key) -> Schema:
    low = about.at_least
    if low is None and about.above is None:
        low = 0
    limits = {"exclusiveMinimum": about.above, "minimum": low, "maximum": about.at_most}
    return {
        name: limit for name, limit in limits.items() if limit is not None and math.isfinite(limit)
    }
