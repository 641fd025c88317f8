"""Work in threads for somebody who keeps changing his mind: the newest request wins."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from na64.models.errors import NA64Error

__all__ = ["Newest"]

_LOGGER = logging.getLogger(__name__)

Request = TypeVar("Request")
Result = TypeVar("Result")


#: seconds after which work that nobody waits for any more makes room for another thread
_PATIENCE: Final = 0.2
#: threads at once
_MOST: Final = 2


class _SupersededError(Exception):
    """Nobody waits for this work any more."""


class Newest(Generic[Request, Result]):
    """Answers requests one after the other, but for those that a newer one has overtaken.

    A request that has not begun when another comes is dropped. One that has begun is finished if
    it is quick, so that a curve follows a hand that does not rest; one that is not is left at its
    next stage, and the newest begins beside it. No outcome is told after that of a newer request.

    Parameters
    ----------
    work
        Computes the result of a request. It is given what to call with the name of each stage,
        and what to call with a result that comes before the whole one.
    told
        Called with every outcome, from a thread of this object.
    """

    def __init__(
        self,
        work: Callable[[Request, Callable[[str], object], Callable[[Result], object]], Result],
        told: Callable[[int, Request, Result | NA64Error], object],
    ) -> None:
        self._work = work
        self._told = told
        self._lock = threading.Lock()
        self._number = 0
        self._last_told = 0
        self._pending: tuple[int, Request] | None = None
        self._began: dict[int, float] = {}
        self._stage = ""
        self._closed = False

    @property
    def stage(self) -> str:
        """What is being done for the newest request; empty if nothing is."""
        with self._lock:
            busy = self._pending is not None or self._number in self._began
            return (self._stage or "waiting") if busy else ""

    def ask(self, request: Request) -> int:
        """Hand in a request and return its number; it is told of later unless it is overtaken."""
        with self._lock:
            self._number += 1
            self._pending = (self._number, request)
            number = self._number
        self._begin()
        return number

    def close(self) -> None:
        """Drop everything; nothing is told any more."""
        with self._lock:
            self._closed, self._pending = True, None

    def _begin(self) -> None:
        """Begin the pending request if there is room, or come back when there may be."""
        with self._lock:
            if self._pending is None or self._closed:
                return
            now = time.monotonic()
            hurried = [begun for begun in self._began.values() if now - begun < _PATIENCE]
            if hurried or len(self._began) >= _MOST:
                if hurried and len(self._began) < _MOST:
                    wait = threading.Timer(min(hurried) + _PATIENCE - now + 0.01, self._begin)
                    wait.daemon = True
                    wait.start()
                return
            number, request = self._pending
            self._pending = None
            self._began[number] = now
            self._stage = ""
        threading.Thread(target=self._run, args=(number, request), daemon=True).start()

    def _run(self, number: int, request: Request) -> None:
        result: Result | NA64Error
        try:
            result = self._work(
                request,
                lambda stage: self._at(number, stage),
                lambda early: self._tell(number, request, early),
            )
        except _SupersededError:
            self._over(number)
            self._begin()
            return
        except NA64Error as error:
            result = error
        except Exception as error:
            # a defect must not end the page: it is told of, and written where it can be found
            _LOGGER.exception("a request of the page failed")
            result = NA64Error(f"internal error, {type(error).__name__}; the log has more")
        self._over(number)
        self._tell(number, request, result)
        self._begin()

    def _tell(self, number: int, request: Request, result: Result | NA64Error) -> None:
        """Tell an outcome unless that of a newer request was told."""
        with self._lock:
            if number < self._last_told or self._closed:
                return
            self._last_told = number
        self._told(number, request, result)

    def _over(self, number: int) -> None:
        with self._lock:
            self._began.pop(number, None)

    def _at(self, number: int, stage: str) -> None:
        with self._lock:
            late = time.monotonic() - self._began.get(number, 0.0) > _PATIENCE
            overtaken = number < self._number
            if not overtaken:
                self._stage = stage
        if self._closed or (overtaken and late):
            raise _SupersededError
