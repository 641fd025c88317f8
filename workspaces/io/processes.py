"""Processes that share work: one that dies costs its task alone, and none outlives its parent.

An executor of `concurrent.futures` like `ProcessPoolExecutor`, with two differences. There, a
process that is killed breaks the pool and every task in it; here it costs the task that it had, and
another process takes its place. There, processes of a parent that was killed wait for ever; here
each holds the end of a pipe whose other end is the parent's alone, and leaves when that is closed:
by the parent, or by the system when it is gone for whatever reason.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Final, TypeVar

from na64.models.errors import ComputationError
from na64.workspaces.io.allocation import keep_freed_memory

__all__ = ["WorkerLostError", "Workers"]

T = TypeVar("T")

_CONTEXT: Final = get_context("spawn")  # a fork would copy locks of threads that it does not copy
#: exit code of a process whose parent is gone
_ORPHANED: Final = 3


class WorkerLostError(ComputationError):
    """The process of a task ended before the task did: killed, or out of memory."""


@dataclass(slots=True)
class _Task:
    future: Future[Any]
    call: Callable[[], Any]
    begun: bool = False


class Workers(Executor):
    """Processes to which tasks are handed one by one, as they are free.

    Parameters
    ----------
    processes
        How many; each begins when there is a task for it.
    initializer, initargs
        Called in each process before its first task.

    Notes
    -----
    As a context manager it waits for its tasks; left by an exception, such as KeyboardInterrupt,
    it ends the processes where they are. Ctrl-C reaches processes of a terminal too, and is left
    to the parent.
    """

    def __init__(
        self,
        processes: int,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        self._ear, self._line = _CONTEXT.Pipe(duplex=False)
        self._begin = (initializer, initargs)
        self._lock = threading.Condition(threading.RLock())
        self._waiting: deque[_Task] = deque()
        #: processes without a task; None for one that has not begun
        self._free: list[ProcessPoolExecutor | None] = [None] * processes
        self._unanswered = 0
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Hand in a task; its future fails with `WorkerLostError` if its process dies."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("no task is taken after the end")
            self._waiting.append(_Task(future, partial(fn, *args, **kwargs)))
        self._feed()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks; wait for those that there are, or cancel those not begun."""
        with self._lock:
            self._closed = True
            if cancel_futures:
                for task in self._waiting:
                    task.future.cancel()
                self._waiting.clear()
            if not wait:
                return
            self._lock.wait_for(lambda: not self._unanswered and not self._waiting)
            pools, self._free = self._free, []
        for pool in pools:
            if pool is not None:
                pool.shutdown()
        self._line.close()
        self._ear.close()

    def stop(self) -> None:
        """End the processes where they are; what they were at is lost."""
        self._line.close()
        self.shutdown(cancel_futures=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.shutdown()
        else:
            self.stop()

    def _feed(self) -> None:
        """Give tasks to processes that are free."""
        while True:
            with self._lock:
                if not self._waiting or not self._free:
                    return
                task = self._waiting.popleft()
                if not task.begun and not task.future.set_running_or_notify_cancel():
                    continue
                task.begun = True
                pool = self._free.pop()
                self._unanswered += 1
            try:
                pool = pool or self._process()
                with _sigint_held_back():  # the process begins here, and does so as well
                    inner = pool.submit(task.call)
            except BrokenExecutor:  # it was killed while it was idle: another one does the task
                with self._lock:
                    self._waiting.appendleft(task)
                    self._answered(None)
                continue
            except OSError as error:  # the system has no room for a process: nobody would answer
                task.future.set_exception(ComputationError(f"no process can begin: {error}"))
                with self._lock:
                    self._answered(None)
                continue
            inner.add_done_callback(partial(self._done, pool, task.future))

    def _answered(self, pool: ProcessPoolExecutor | None) -> None:
        """Take back the process of a task that is answered, or None; the lock is held."""
        self._free.append(pool)
        self._unanswered -= 1
        self._lock.notify_all()

    def _process(self) -> ProcessPoolExecutor:
        """Return a pool of one process: a pool says of none of its tasks which process had it."""
        return ProcessPoolExecutor(
            1, _CONTEXT, initializer=_begin, initargs=(self._ear, *self._begin)
        )

    def _done(self, pool: ProcessPoolExecutor, future: Future[Any], inner: Future[Any]) -> None:
        """Give a process its next task, and hand on what it found."""
        error = inner.exception()
        lost = isinstance(error, BrokenExecutor)
        with self._lock:
            self._free.append(None if lost else pool)
        self._feed()
        if lost:
            future.set_exception(WorkerLostError("its process was killed, or ran out of memory"))
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())
        with self._lock:
            self._unanswered -= 1
            self._lock.notify_all()


def _begin(ear: Connection, initializer: Callable[..., object] | None, initargs: Any) -> None:
    """Prepare a process: it leaves with its parent, and does not listen to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    threading.Thread(target=_leave_with_parent, args=(ear,), daemon=True).start()
    if initializer is not None:
        initializer(*initargs)


def _leave_with_parent(ear: Connection) -> None:
    """Wait for the end of the pipe, which nothing is ever written to."""
    wait([ear])
    os._exit(_ORPHANED)  # no other thread has to come to an end first


@contextmanager
def _sigint_held_back() -> Iterator[None]:
    """Hold back Ctrl-C: a process that begins meanwhile would print a traceback of its imports."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
