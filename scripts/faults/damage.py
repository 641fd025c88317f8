"""Damaged files in the cache: every table that comes back has the bits that were computed."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits import scan
from na64.workspaces.io.cache import TableCache

__all__ = ["KINDS", "SEARCHES", "Kept", "attack", "record"]

Tables = Mapping[str, NDArray[np.float64]]

#: scans whose tables are damaged: decays in flight, missing energy, a pseudoscalar, muons
SEARCHES: Final[tuple[tuple[str, str, tuple[float, ...]], ...]] = (
    ("na64e-visible-2017-2018", "dark-photon", (0.005, 0.01)),
    ("na64e-2016-2022", "dark-photon", (0.01, 0.1)),
    ("na64e-alp-2016-2018", "alp", (0.01, 0.05)),
    ("na64mu-2022", "l-mu-l-tau", (0.01, 0.1)),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One table of a cache: its key, its numbers and the bytes of its file."""

    key: dict[str, Any]
    tables: dict[str, NDArray[np.float64]]
    data: bytes


class _Recorder:
    """A store that keeps tables in a cache and remembers their keys."""

    def __init__(self, cache: TableCache) -> None:
        self.cache = cache
        self.found: dict[Path, tuple[dict[str, Any], dict[str, NDArray[np.float64]]]] = {}

    def get_or_compute(self, key: Mapping[str, object], compute: Callable[[], Tables]) -> Tables:
        tables = self.cache.get_or_compute(key, compute)
        path = self.cache.path(key)
        assert path is not None
        copies = {name: table.copy(order="K") for name, table in tables.items()}
        self.found[path] = (dict(key), copies)
        return tables


def record(folder: Path, searches: tuple[tuple[str, str, tuple[float, ...]], ...]) -> list[Kept]:
    """Return the tables of some scans, as a cache keeps them in a folder."""
    store = _Recorder(TableCache(folder))
    for search, model, masses in searches:
        scan(search, model=model, masses_gev=np.array(masses), tables=store)
    return [Kept(key, tables, path.read_bytes()) for path, (key, tables) in store.found.items()]


def _flip(data: bytearray, _other: bytes, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _cut(data: bytearray, _other: bytes, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data))]


def _splice(data: bytearray, other: bytes, chance: random.Random) -> bytearray:
    """The beginning of a file and the end of another, as after a crash of the file system."""
    place = chance.randrange(len(data))
    return data[:place] + other[place:]


def _insert(data: bytearray, other: bytes, chance: random.Random) -> bytearray:
    place, start = chance.randrange(len(data) + 1), chance.randrange(len(other))
    piece = other[start : start + chance.choice((1, 8, 100, 4096))]
    return data[:place] + piece + data[place:]


def _zero(data: bytearray, _other: bytes, chance: random.Random) -> bytearray:
    """Blocks that were never written read as zeros."""
    size = chance.choice((1, 8, 512, 4096))
    place = chance.randrange(len(data))
    end = min(len(data), place + size)
    data[place:end] = bytes(end - place)
    return data


def _swap(_data: bytearray, other: bytes, _chance: random.Random) -> bytearray:
    return bytearray(other)


def _number(data: bytearray, _other: bytes, chance: random.Random) -> bytearray:
    """One double replaced by another that is as likely, which only the sum can tell."""
    place = len(data) - 8 * (1 + chance.randrange(max(1, (len(data) - 400) // 8)))
    if place > 0:
        value = np.frombuffer(bytes(data[place : place + 8]), "<f8")[0]
        data[place : place + 8] = np.array(value * 1.01 + 1e-300, "<f8").tobytes()
    return data


def _same_seal(data: bytearray, other: bytes, _chance: random.Random) -> bytearray:
    """The seal of a file and the content of another."""
    head, rest = data.index(b"\n") + 1, other.index(b"\n") + 1
    return data[:head] + other[rest:]


#: ways to damage a file, given another one of the same cache
KINDS: Final[Mapping[str, Callable[[bytearray, bytes, random.Random], bytearray]]] = {
    "bits flipped": _flip,
    "cut short": _cut,
    "end of another file": _splice,
    "bytes put in": _insert,
    "zeros": _zero,
    "another file": _swap,
    "a number changed": _number,
    "content of another file": _same_seal,
}


def attack(folder: Path, kept: list[Kept], count: int, seed: int) -> Counter[tuple[str, str]]:
    """Damage files and read them through the cache; count what happened by kind.

    The outcomes are ``computed anew``, ``same bytes`` (the damage changed nothing) and ``WRONG``.

    Parameters
    ----------
    folder
        An empty one, better in memory.
    kept
        Sound tables, two or more.
    count
        Files to damage.
    seed
        Of the random numbers.
    """
    chance = random.Random(seed)
    cache = TableCache(folder)
    outcomes: Counter[tuple[str, str]] = Counter()
    names = list(KINDS)
    for number in range(count):
        kind = names[number % len(names)]
        one, other = chance.sample(kept, 2)
        damaged = bytes(KINDS[kind](bytearray(one.data), other.data, chance))
        path = cache.path(one.key)
        assert path is not None
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(damaged)
        anew: list[bool] = []

        def compute(one: Kept = one, anew: list[bool] = anew) -> Tables:
            anew.append(True)
            return one.tables

        found = cache.get_or_compute(one.key, compute)
        right = _same(found, one.tables) and path.read_bytes() == one.data
        read = not anew
        if not right or (read and damaged != one.data):
            outcomes[kind, "WRONG"] += 1
        else:
            outcomes[kind, "same bytes" if read else "computed anew"] += 1
    shutil.rmtree(folder)
    return outcomes


def _same(found: Tables, sound: Tables) -> bool:
    return found.keys() == sound.keys() and all(
        found[name].shape == table.shape and found[name].tobytes() == table.tobytes()
        for name, table in sound.items()
    )
