"""Engine: tasks over any executor, with a bounded number of them under way.

The executor is one of `concurrent.futures`: processes of this machine
(`na64.workspaces.io.processes.Workers`) or of a cluster. It says where tasks run; what they find
does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from itertools import chain
from typing import Final, Generic, TypeVar

from na64.models.errors import ComputationError
from na64.workspaces.io.processes import WorkerLostError, Workers

__all__ = ["LOST", "TRIES", "TaskLostError", "computed", "in_processes"]

T = TypeVar("T")
R = TypeVar("R")

#: how often a task may lose the process that computes it before it counts as its fault
TRIES: Final = 3
#: how long is waited for a chunk before it is asked again how many may be under way
_LOOK_SECONDS: Final = 2.0
#: what the future of a task fails with if its process is gone
LOST: Final[tuple[type[BaseException], ...]] = (WorkerLostError, BrokenExecutor)


class TaskLostError(ComputationError):
    """A task whose process ended every time that it was tried."""


def computed(
    work: Callable[[Sequence[T]], Sequence[R]],
    chunks: Iterable[Sequence[T]],
    executor: Executor,
    *,
    at_once: Callable[[], int],
    lost: tuple[type[BaseException], ...] = LOST,
) -> Iterator[list[tuple[T, R | TaskLostError]]]:
    """Yield tasks with what was found, as they are done.

    Parameters
    ----------
    work
        Returns what is found for the tasks of a chunk, one each. It runs where the executor has
        it run; what it raises is raised here.
    chunks
        Tasks that are computed together, because they have work in common or are short. One is
        taken when there is room for it.
    executor
        Where tasks run. Left with unfinished tasks if the iteration is left.
    at_once
        How many chunks may be under way, asked anew each time.
    lost
        What futures fail with if a process is gone. The tasks of such a chunk are tried again one
        by one; one that loses its process by itself `TRIES` times is answered with
        `TaskLostError`.

    Raises
    ------
    ComputationError
        If the executor is broken as a whole, as that of the standard library is when one of its
        processes dies.
    """
    source = iter(chunks)
    again: list[tuple[Sequence[T], int]] = []
    under_way: dict[Future[Sequence[R]], tuple[Sequence[T], int]] = {}
    more = True
    try:
        while True:
            while len(under_way) < max(1, at_once()) and (again or more):
                chunk, tries = again.pop() if again else (next(source, None), 0)
                if chunk is None:
                    more = False
                elif chunk:
                    under_way[_submitted(executor, work, chunk)] = (chunk, tries)
            if not under_way:
                return
            # now and then ask for the room again: processors come and go
            done, _ = wait(under_way, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
            found: list[tuple[T, R | TaskLostError]] = []
            failures: list[BaseException] = []
            for future in done:
                chunk, tries = under_way.pop(future)
                error = future.exception()
                if error is None:
                    found += zip(chunk, future.result(), strict=True)
                elif not isinstance(error, lost):
                    failures.append(error)
                elif len(chunk) > 1:
                    again += [([task], 0) for task in reversed(chunk)]
                elif tries + 1 < TRIES:
                    again.append((chunk, tries + 1))
                else:
                    found.append((chunk[0], TaskLostError(f"{error}, {TRIES} times")))
            if found:
                yield found
            if failures:
                raise failures[0]
    finally:
        for future in under_way:
            future.cancel()


def _submitted(
    executor: Executor, work: Callable[[Sequence[T]], Sequence[R]], chunk: Sequence[T]
) -> Future[Sequence[R]]:
    try:
        return executor.submit(work, chunk)
    except BrokenExecutor as error:  # one that takes nothing more, such as a pool that lost one
        raise ComputationError(f"the executor takes no more tasks: {error}") from error


@dataclass(frozen=True, slots=True)
class _Each(Generic[T, R]):
    """Does the same with each task of a chunk; they come with their places."""

    work: Callable[[T], R]

    def __call__(self, chunk: Sequence[tuple[int, T]]) -> list[R]:
        return [self.work(task) for _, task in chunk]


def in_processes(
    work: Callable[[T], R],
    tasks: Sequence[T],
    processes: int,
    told: Callable[[int], object] = lambda done: None,
) -> list[R]:
    """Return what is found for tasks, in their order, by processes of this machine.

    Parameters
    ----------
    work
        Returns what is found for a task; a function that processes import by its name.
    tasks
        At least one.
    processes
        How many at most.
    told
        Called with the number of tasks that are done.

    Raises
    ------
    TaskLostError
        For a task whose process was killed, every time that it was tried.
    """
    found: dict[int, R] = {}
    with Workers(min(processes, len(tasks))) as workers:
        chunks = [[item] for item in enumerate(tasks)]
        every = computed(_Each(work), chunks, workers, at_once=lambda: len(chunks))
        for (place, _), result in chain.from_iterable(every):
            if isinstance(result, TaskLostError):
                raise result
            found[place] = result
            told(len(found))
    return [found[place] for place in range(len(tasks))]
