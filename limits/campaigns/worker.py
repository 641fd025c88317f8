"""What runs in the processes of a campaign: tasks as data in, documents as data out."""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Final

from na64.limits.campaigns.kinds import kind_of
from na64.limits.campaigns.store import Result, TaskRow
from na64.limits.campaigns.tasks import FORMAT, Kept
from na64.models.arrays import FloatArray
from na64.models.errors import NA64Error
from na64.models.signals.rates import TableStore
from na64.workspaces.io.cache import PHYSICS_VERSION, TableCache
from na64.workspaces.io.jsonio import canonical_json

__all__ = ["RememberedTables", "Work", "here"]

_LOGGER = logging.getLogger(__name__)

#: bytes of tables that a process keeps in memory
_REMEMBERED: Final = 1 << 28


@cache
def here() -> tuple[str, int, int]:
    """Return the versions on which documents depend, of this process."""
    return version("na64-limits"), PHYSICS_VERSION, FORMAT


class RememberedTables:
    """Tables of a store, the last ones used in memory: a process reads no file twice.

    Parameters
    ----------
    store
        Where they come from.
    most
        Bytes that are kept at most.
    """

    def __init__(self, store: TableStore, most: int = _REMEMBERED) -> None:
        self._store = store
        self._most = most
        self._kept: OrderedDict[str, Mapping[str, FloatArray]] = OrderedDict()
        self._size = 0

    def get_or_compute(
        self, key: Mapping[str, object], compute: Callable[[], Mapping[str, FloatArray]]
    ) -> Mapping[str, FloatArray]:
        """Return the tables of a key, computing them if they are nowhere."""
        name = canonical_json(key)
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        found = self._store.get_or_compute(key, compute)
        for table in found.values():
            table.setflags(write=False)  # the next to ask is given the same
        self._kept[name] = found
        self._size += _size(found)
        while self._size > self._most and len(self._kept) > 1:
            self._size -= _size(self._kept.popitem(last=False)[1])
        return found


def _size(tables: Mapping[str, FloatArray]) -> int:
    return sum(table.nbytes for table in tables.values())


@cache
def _kept(cached: bool, size: str | None) -> Kept:
    """What this process keeps between tasks."""
    return Kept(RememberedTables(TableCache(enabled=cached, size=size)))


@dataclass(frozen=True, slots=True)
class Work:
    """Computes the tasks of a campaign, wherever it is sent.

    Attributes
    ----------
    kind
        Name of the kind of campaign.
    versions
        Those of the process that asks, from `here`.
    cached
        Whether tables are kept on the disk of the process that computes.
    cache_size
        What they may have together, as `na64.workspaces.io.cache.TableCache` has it.
    """

    kind: str
    versions: tuple[str, int, int]
    cached: bool = True
    cache_size: str | None = None

    def __call__(self, tasks: Sequence[TaskRow]) -> list[Result]:
        """Return what is found for tasks; what goes wrong with one is its result."""
        return [self._result(task) for task in tasks]

    def _result(self, task: TaskRow) -> Result:
        content, message = b"", ""
        start = time.perf_counter()
        try:
            if self.versions != here():
                found, wanted = (
                    "na64-limits {} (physics {}, format {})".format(*versions)
                    for versions in (here(), self.versions)
                )
                raise NA64Error(f"a process has {found}, the campaign {wanted}")
            document = kind_of(self.kind).compute(
                json.loads(task.payload), _kept(self.cached, self.cache_size)
            )
            content = canonical_json(document).encode()
        except NA64Error as error:
            message = str(error) or type(error).__name__
        except MemoryError:
            message = "out of memory"
        except Exception as error:  # a fault of the program costs this task, not the campaign
            _LOGGER.debug("task %s", task.digest, exc_info=True)
            message = f"internal error, {type(error).__name__}: {error}"
        return Result(task.digest, content, message, time.perf_counter() - start)
