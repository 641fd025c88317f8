"""Counting: how many limits a calculator has found so far, for whoever shows it.

A calculator solves many limits together, in blocks, observed and expected. It tells after each
block how many are done; who wants to know listens around the call. Numbers do not pass here, and
without a listener nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["counting", "limits_found"]


@dataclass(slots=True)
class _Count:
    """Limits found so far, of how many, and who is told."""

    total: int
    listener: Callable[[int, int], object]
    done: int = 0

    def add(self, count: int) -> None:
        # what is solved a second time, from another start, is one limit
        self.done = min(self.done + count, self.total)
        self.listener(self.done, self.total)


#: of this thread alone: two computations side by side do not hear one another
_COUNT: ContextVar[_Count | None] = ContextVar("count", default=None)


@contextmanager
def counting(total: int, listener: Callable[[int, int], object]) -> Iterator[None]:
    """Listen to what calculators tell inside the block.

    Parameters
    ----------
    total
        Limits that will be looked for: masses times observed and expected ones.
    listener
        Called with the limits done and their total, first with none and at the end of a block
        without an error with all.
    """
    count = _Count(total, listener)
    before = _COUNT.set(count)
    try:
        count.add(0)
        yield
        # limits that are known from another one are never looked for
        count.add(total)
    finally:
        _COUNT.reset(before)


def limits_found(count: int) -> None:
    """Tell that some more limits are done, or known not to exist."""
    if (current := _COUNT.get()) is not None:
        current.add(count)
