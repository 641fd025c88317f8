"""Changes of trees of JSON and TOML, and of their texts, as plain data that can be kept.

A change names its kind, its place and its value by numbers, so that the same change can be made
again, left out, or made to another document.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["BYTES", "KINDS", "VALUES", "Change", "Twice", "changed_bytes", "changed_tree", "dumped"]

#: what takes the place of a value
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2, 0.5, -0.5, 1e-12, 1e-309, 1e-300, -1e-300, 1e20, 1e99, 1e101,
    1e150, 1e199, -1e199, 1e308, -1e308, 10**20, 10**309, -(10**309), 10**4999,
    math.inf, -math.inf, math.nan, "", " ", "nan", "1e308", "x" * 140_000, "=cmd|' /C calc'!A0",
    "+1", "-x", "@SUM(A1)", "\ttab", "a\rb", "a\nb", "_^", "$", "a$b$", "\\frac{", "\\", "{", "%s",
    "\ud800", "\x00", "\N{BYTE ORDER MARK}", "\N{LATIN SMALL LETTER E WITH ACUTE}", "../x", "/",
    "na64e-2016-2022", "dark-photon", "ok", "failed", [], {}, [[]], [1], [[1]], [1, 2, 3],
    [None, None], {"a": 1}, {"name": "x"}, [{"name": "x"}], [[[1.0, 2.0]]], ["a"],
)  # fmt: skip

#: what is written into a text
BYTES: Final = (
    b"", b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"NaN", b"-Infinity",
    b"1e999", b"9" * 400, b"9" * 5000, b"-0.0", b"null", b'"', b"'", b"[", b"]", b"{", b"}", b",",
    b":", b"=", b"#", b"$", b"_^", b"\n", b"\r", b"\t", b"[" * 2000, b'{"a":' * 200,
    b"=cmd|' /C calc'!A0", b"&a", b"*a", b"!!python/object:os.system", b"---\n", b"0x10", b"1_0",
    b"2020-01-01", b"inf", b"nan", b"x" * 140_000,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a document.

    Attributes
    ----------
    kind
        Place in `KINDS`, modulo their number.
    place
        Which of the places of the tree, modulo their number.
    value
        Which of `VALUES`, or which other place.
    """

    kind: int
    place: int
    value: int


class Twice(dict[str, Any]):
    """A table whose first key is written twice."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A key of a table or an entry of a list."""

    parent: Any
    key: Any

    @property
    def value(self) -> Any:
        return self.parent[self.key]

    def put(self, value: Any) -> None:
        self.parent[self.key] = value


def _places(tree: Any) -> list[_Place]:
    """Return every place below the top, those above before those below."""
    found: list[_Place] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys: Iterable[Any] = (
            list(node)
            if isinstance(node, dict)
            else range(len(node) if isinstance(node, list) else 0)
        )
        inside = [_Place(node, key) for key in keys]
        found += inside
        waiting += [place.value for place in reversed(inside)]
    return found


def _replace(place: _Place, change: Change, _others: Sequence[_Place]) -> None:
    place.put(copy.deepcopy(VALUES[change.value % len(VALUES)]))


def _delete(place: _Place, _change: Change, _others: Sequence[_Place]) -> None:
    del place.parent[place.key]


def _nest(place: _Place, change: Change, _others: Sequence[_Place]) -> None:
    place.put([place.value] if change.value % 2 else {"value": place.value})


def _repeat(place: _Place, change: Change, _others: Sequence[_Place]) -> None:
    """Give a list one more of an entry, and a table one more key."""
    if isinstance(place.parent, list):
        place.parent.insert(place.key, copy.deepcopy(place.value))
    else:
        place.parent[f"{place.key}{change.value % 3}"] = copy.deepcopy(place.value)


def _ragged(place: _Place, change: Change, _others: Sequence[_Place]) -> None:
    """Take the end of a list away, or leave nothing of it."""
    if isinstance(place.value, list):
        place.put(place.value[: change.value % max(len(place.value), 1)])
    else:
        place.put([])


def _exchange(place: _Place, change: Change, others: Sequence[_Place]) -> None:
    place.put(copy.deepcopy(others[change.value % len(others)].value))


def _scale(place: _Place, change: Change, _others: Sequence[_Place]) -> None:
    value = place.value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        power = (-300, -20, -3, 1, 3, 20, 100, 199, 290)[change.value % 9]
        try:
            place.put(value * 10.0**power)
        except OverflowError:
            place.put(10**309)
    elif isinstance(value, str):
        place.put(value + str(VALUES[28 + change.value % 25]))
    else:
        place.put(-1)


def _twice(place: _Place, _change: Change, _others: Sequence[_Place]) -> None:
    if isinstance(place.value, dict) and place.value:
        place.put(Twice(place.value))


def _rename(place: _Place, change: Change, _others: Sequence[_Place]) -> None:
    if isinstance(place.parent, dict):
        value = place.parent.pop(place.key)
        place.parent[str(VALUES[28 + change.value % 25])] = value


_Make = Callable[[_Place, Change, Sequence[_Place]], None]
KINDS: Final[tuple[_Make, ...]] = (
    _replace, _replace, _replace, _delete, _nest, _repeat, _ragged, _exchange, _scale, _twice,
    _rename,
)  # fmt: skip


def changed_tree(tree: Any, changes: Iterable[Change]) -> Any:
    """Return a copy of a tree with changes made to it, one after the other."""
    top = [copy.deepcopy(tree)]
    for change in changes:
        places = _places(top)
        if not places:
            break
        # the top itself is changed now and then only
        place = places[change.place % len(places)]
        KINDS[change.kind % len(KINDS)](place, change, places)
    return top[0] if top else None


def changed_bytes(text: bytes, changes: Iterable[Change]) -> bytes:
    """Return a text with changes made to its bytes: flipped, cut, repeated, written into."""
    for change in changes:
        at = change.place % (len(text) + 1)
        piece = BYTES[change.value % len(BYTES)]
        kind = change.kind % 5
        if kind == 0:
            text = text[:at] + piece + text[at:]
        elif kind == 1:
            text = text[:at] + piece + text[at + 1 + change.value % 9 :]
        elif kind == 2 and at < len(text):
            text = text[:at] + bytes([text[at] ^ (1 << change.value % 8)]) + text[at + 1 :]
        elif kind == 3:
            text = text[:at]
        else:
            text = text[:at] + text[max(at - 1 - change.value % 200, 0) :]
    return text


def dumped(tree: Any) -> str:
    """Return the JSON of a tree, with NaN, lone surrogates and keys that are there twice."""
    if isinstance(tree, dict):
        pairs = [f"{json.dumps(str(key))}: {dumped(value)}" for key, value in tree.items()]
        if isinstance(tree, Twice):
            pairs.append(pairs[0])
        return f"{{{', '.join(pairs)}}}"
    if isinstance(tree, list):
        return f"[{', '.join(map(dumped, tree))}]"
    if isinstance(tree, int) and not isinstance(tree, bool) and abs(tree) > 10**300:
        return f"{'-' if tree < 0 else ''}{'1' + '0' * (309 if abs(tree) < 10**400 else 4999)}"
    return json.dumps(tree)
