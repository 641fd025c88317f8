"""The engine: every task once, a bounded number under way, and what a dying process costs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.scanning.engine import TRIES, TaskLostError, computed, in_processes
from na64.models.errors import ComputationError


class Inline(Executor):
    """Computes a task when it is handed in; some lose their process."""

    def __init__(self, loses: Callable[[Sequence[int]], bool] = lambda _: False) -> None:
        self.loses = loses
        self.chunks: list[list[int]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.chunks.append(list(args[0]))
        if self.loses(args[0]):
            future.set_exception(BrokenExecutor("gone"))
            return future
        try:
            future.set_result(fn(*args))
        except ZeroDivisionError as error:
            future.set_exception(error)
        return future


def squares(tasks: Sequence[int]) -> list[int]:
    return [task**2 for task in tasks]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=12), st.sets(st.integers(0, 40)), st.integers(1, 5))
def test_every_task_is_answered_once(sizes: list[int], deadly: set[int], room: int) -> None:
    """Whatever the chunks, whichever tasks take their process with them."""
    numbers = iter(range(sum(sizes)))
    chunks = [[next(numbers) for _ in range(size)] for size in sizes]
    executor = Inline(lambda chunk: not deadly.isdisjoint(chunk))
    found = [
        pair for done in computed(squares, chunks, executor, at_once=lambda: room) for pair in done
    ]
    assert sorted(task for task, _ in found) == list(range(sum(sizes)))
    for task, result in found:
        if task in deadly:
            assert isinstance(result, TaskLostError)
            assert executor.chunks.count([task]) == TRIES
        else:
            assert result == task**2


def test_no_more_chunks_are_taken_than_there_is_room_for() -> None:
    taken = 0

    def source() -> Iterator[list[int]]:
        nonlocal taken
        for number in range(20):
            taken += 1
            yield [number]

    done = 0
    with ThreadPoolExecutor(2) as executor:
        for found in computed(squares, source(), executor, at_once=lambda: 3):
            assert taken - done <= 3 + len(found)
            done += len(found)
    assert done == 20


def test_an_error_of_the_work_is_raised_after_what_was_found() -> None:
    def work(tasks: Sequence[int]) -> list[int]:
        return [1 // task for task in tasks]

    every = computed(work, [[1], [0], [2]], Inline(), at_once=lambda: 3)
    assert sorted(next(every)) == [(1, 1), (2, 0)]
    with pytest.raises(ZeroDivisionError):
        next(every)


def die_once(mark: str) -> str:
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return mark
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_task_whose_process_was_killed_is_done_again(tmp_path: Path) -> None:
    marks = [str(tmp_path / name) for name in "ab"]
    assert in_processes(die_once, marks, 2) == marks


class Broken(Executor):
    """As a pool of the standard library after one of its processes died."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise BrokenExecutor("a child process terminated abruptly")


def test_an_executor_that_is_broken_is_told() -> None:
    with pytest.raises(ComputationError, match="takes no more tasks: a child process"):
        list(computed(squares, [[1]], Broken(), at_once=lambda: 1))
