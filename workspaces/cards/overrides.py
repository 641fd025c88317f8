"""Settings on top of a file: ``bins.0.exposure=1e13`` and what it leaves of the old entry."""

from __future__ import annotations

import copy
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from na64.models.declaration import alternatives
from na64.models.errors import InputError, did_you_mean
from na64.workspaces.cards.card import RunCard
from na64.workspaces.io.reading import check_content

__all__ = ["apply_overrides"]

#: how sources name a setting
_BY = "set by the user:"
#: keys of a number's table other than its value; what is left when the value is set
_KEPT = (
    "relative_uncertainty",
    "correlation",
    "split_uncertainty",
    "shares",
    "shape_uncertainty",
    "variations",
)


def apply_overrides(data: Mapping[str, object], settings: Iterable[str]) -> dict[str, object]:
    """Return a copy of a file's content with settings applied.

    Parameters
    ----------
    data
        Content of a TOML file.
    settings
        Texts ``path=value``. A path joins keys and places in lists with dots,
        ``bins.0.exposure`` or ``bins[0].exposure``; in a list of tables the ``name`` of an entry
        stands for its place and ``*`` for every place. The value is TOML; what is not TOML is
        taken as a text. Setting a number that has a table (value, uncertainty, source) sets the
        value, keeps the relative uncertainties and the correlation, and becomes the source.
        Setting any other key of a table that has a source is noted in that source.
        ``path*=factor`` multiplies a number or a list of numbers; ``background`` means all
        sources of a bin then.

    Raises
    ------
    InputError
        For a setting without ``=``, a path that does not lead into the content, or a factor
        that is no positive number or meets no number.
    """
    result = copy.deepcopy(dict(data))
    for setting in settings:
        try:
            _apply(result, setting)
        except InputError as error:
            raise InputError(f"setting {setting}: {error}") from None
    return result


def _apply(content: dict[str, object], setting: str) -> None:
    path, _, text = setting.partition("=")
    # A star at the end of a name multiplies; one that is a part by itself means every entry.
    scale = re.fullmatch(r"(.*[^.\s*])\s*\*", path.strip())
    keys = [key for key in re.split(r"[.\[\]]+", scale[1] if scale else path.strip()) if key]
    if not keys or not text.strip():
        raise InputError("must have the form path=value")
    value = _toml_value(text.strip())
    _set(content, keys, _Factor.of(value) if scale else value, setting, "")


@dataclass(frozen=True, slots=True)
class _Factor:
    """What a number is multiplied by, in place of a value."""

    factor: float

    @classmethod
    def of(cls, value: object) -> _Factor:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0.0 < cast(float, value) < math.inf:
            raise InputError("the factor must be a positive number")
        return cls(float(cast(float, value)))


def _toml_value(text: str) -> object:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # no TOML, or none that can be read
        return text
    check_content(parsed, "what is set")
    return parsed["value"] if parsed.keys() == {"value"} else text


def _set(node: object, keys: list[str], value: object, setting: str, where: str) -> None:
    key, rest = keys[0], keys[1:]
    if isinstance(node, list):
        for index in _places(node, key, where):
            if rest:
                _set(node[index], rest, value, setting, f"{where}[{index}]")
            else:
                node[index] = _replacement(node[index], value, setting)
        return
    if not isinstance(node, dict):
        raise InputError(f"{where} has no parts")
    if rest and rest == ["value"] and _is_number_table(node.get(key)) and not _is_file(node[key]):
        rest = []
    if not rest and key == "background" and "backgrounds" in node:
        _set_background(node, value, setting, f"{where}.backgrounds")
        return
    if not rest:
        if isinstance(value, _Factor) and key not in node:
            raise InputError(f"there is no {where}.{key} to multiply")
        node[key] = _replacement(node.get(key), value, setting)
        _forget_the_alternative(node, key)
        _note(node, key, setting)
        return
    if key not in node:
        hint = did_you_mean(key, node)
        place = f"{where}.{key}" if where else key
        raise InputError(f"there is no {place}{hint}; there are: {', '.join(node)}")
    _set(node[key], rest, value, setting, f"{where}.{key}" if where else key)


def _places(node: list[object], key: str, where: str) -> list[int]:
    """Return the places in a list that a key means: an index, a name, or all."""
    if key == "*":
        return list(range(len(node)))
    named = [
        (item["name"], index)
        for index, item in enumerate(node)
        if isinstance(item, dict) and "name" in item
    ]
    if found := [index for name, index in named if name == key]:
        return found
    names = [str(name) for name, _ in named]
    if not re.fullmatch(r"\d+", key) or int(key) >= len(node):
        allowed = f"0-{len(node) - 1}" if node else "nothing, it is empty"
        known = f", or by name {', '.join(names)}" if names else ""
        hint = did_you_mean(key, names)
        raise InputError(f"{where} has no entry '{key}'{hint}; allowed: {allowed}{known}")
    return [int(key)]


def _set_background(node: dict[str, object], value: object, setting: str, where: str) -> None:
    """Set or scale the total background of a bin that lists its sources."""
    if isinstance(value, _Factor):
        _set(node["backgrounds"], ["*"], value, setting, where)
        return
    del node["backgrounds"]
    node["background"] = (
        value if isinstance(value, dict) else {"value": value, "source": f"{_BY} {setting}"}
    )


def _is_number_table(old: object) -> bool:
    """Whether a table stands for a number, or for numbers: its own, or those of a file."""
    numbers = ("value", "values", "passed")
    return (
        isinstance(old, dict)
        and "source" in old
        and (any(key in old for key in numbers) or _is_file(old))
    )


def _is_file(old: object) -> bool:
    """Whether a table names the file of a simulation."""
    return isinstance(old, dict) and ("file" in old or "files" in old)


def _replacement(old: object, value: object, setting: str) -> object:
    """Return what takes the place of an entry."""
    if isinstance(value, _Factor):
        return _multiplied(old, value.factor, setting)
    if not (isinstance(old, dict) and _is_number_table(old)) or isinstance(value, dict):
        return value
    new: dict[str, object] = {"value": value, "source": f"{_BY} {setting}"}
    # An entry of a list of backgrounds carries its name and what else it may have.
    new |= {key: old[key] for key in old if key in _KEPT or key == "name"}
    old_value, uncertainty = old.get("value"), old.get("uncertainty")
    numbers = isinstance(old_value, (int, float)) and isinstance(uncertainty, (int, float))
    if numbers and "relative_uncertainty" not in new and old_value:
        new["relative_uncertainty"] = cast(float, uncertainty) / cast(float, old_value)
    return new


def _multiplied(old: object, factor: float, setting: str) -> object:
    if isinstance(old, (int, float)) and not isinstance(old, bool):
        return old * factor
    if isinstance(old, list) and old:
        return [_multiplied(number, factor, setting) for number in old]
    if not (isinstance(old, dict) and _is_number_table(old)):
        raise InputError("there is no number to multiply")
    if _is_file(old) or "generated" in old:  # counts stay what they are
        new = {**old, "scale": _multiplied(old.get("scale", 1.0), factor, setting)}
    else:
        numbers = {key: old[key] for key in ("value", "uncertainty", "values") if key in old}
        new = {**old, **{key: _multiplied(old[key], factor, setting) for key in numbers}}
    new["source"] = f"{old['source']}; times {factor:g}, {_BY} {setting}"
    return new


def _forget_the_alternative(node: dict[str, object], key: str) -> None:
    """Drop the key that excludes the one just set: it would be an error beside it."""
    for pair in alternatives(RunCard):
        if key in pair:
            for other in pair:
                if other != key:
                    node.pop(other, None)


def _note(node: dict[str, object], key: str, setting: str) -> None:
    """Add a setting of one key of a sourced table to the table's source."""
    source = node.get("source")
    if key != "source" and isinstance(source, str):
        node["source"] = f"{source}; {key} {_BY} {setting}"
