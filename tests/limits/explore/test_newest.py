"""The newest request wins; what was overtaken is not told."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from na64.limits.explore import newest as module
from na64.limits.explore.newest import Newest
from na64.models.errors import InputError, NA64Error


class Bench:
    """Work that lasts until it is let go, and what is told of it."""

    def __init__(self) -> None:
        self.gates: dict[str, threading.Event] = {}
        self.begun: list[str] = []
        self.told: list[tuple[int, str, object]] = []
        self.news = threading.Event()
        self.newest: Newest[str, str] = Newest(self.work, self.tell)

    def work(self, request: str, progress: Any, early: Any) -> str:
        self.begun.append(request)
        gate = self.gates.setdefault(request, threading.Event())
        if request == "wrong":
            raise InputError("it is wrong")
        if request == "broken":
            raise ZeroDivisionError
        if request == "in two":
            early("half")
        assert gate.wait(10)
        progress("next stage")
        return request.upper()

    def tell(self, number, request, result) -> None:
        self.told.append((number, request, result))
        self.news.set()

    def let_go(self, request: str) -> None:
        self.gates.setdefault(request, threading.Event()).set()

    def until(self, count: int) -> None:
        for _ in range(1000):
            if len(self.told) >= count:
                return
            time.sleep(0.005)
        raise AssertionError(self.told)


@pytest.fixture
def bench(monkeypatch) -> Bench:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    return Bench()


def test_a_request_is_answered(bench) -> None:
    bench.let_go("a")
    assert bench.newest.ask("a") == 1
    bench.until(1)
    assert bench.told == [(1, "a", "A")]
    assert bench.newest.stage == ""


def test_what_has_not_begun_is_dropped(bench, monkeypatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 60.0)
    for request in "abcd":
        bench.newest.ask(request)
    assert bench.newest.stage
    for request in "abcd":
        bench.let_go(request)
    bench.until(2)
    assert bench.begun == ["a", "d"]
    assert [request for _, request, _ in bench.told] == ["a", "d"]  # the quick one is shown


def test_a_long_one_makes_room_and_is_not_told_after_a_newer_one(bench) -> None:
    bench.newest.ask("long")
    bench.let_go("new")
    bench.newest.ask("new")
    bench.until(1)
    assert bench.told == [(2, "new", "NEW")]
    bench.let_go("long")
    bench.let_go("last")
    bench.newest.ask("last")
    bench.until(2)
    assert [request for _, request, _ in bench.told] == ["new", "last"]


def test_a_result_may_come_in_two(bench) -> None:
    bench.newest.ask("in two")
    bench.until(1)
    assert bench.told == [(1, "in two", "half")]
    bench.let_go("in two")
    bench.until(2)
    assert bench.told[1] == (1, "in two", "IN TWO")


def test_errors_are_outcomes(bench, caplog) -> None:
    bench.newest.ask("wrong")
    bench.until(1)
    bench.newest.ask("broken")
    bench.until(2)
    assert isinstance(bench.told[0][2], InputError)
    assert type(bench.told[1][2]) is NA64Error
    assert "ZeroDivisionError" in str(bench.told[1][2])
    assert "a request of the page failed" in caplog.text
    bench.let_go("a")
    bench.newest.ask("a")  # and life goes on
    bench.until(3)


def test_nothing_is_told_of_a_page_that_is_gone(bench) -> None:
    bench.newest.ask("a")
    bench.newest.close()
    bench.let_go("a")
    time.sleep(0.05)
    assert bench.told == []
