"""Progress: who counts is told how much is done; who does not is left alone."""

from __future__ import annotations

import pytest

from na64.limits import scan
from na64.limits.calculators.counting import counting, limits_found
from na64.limits.scanning.progress import advance, counted, part_of, silent


class Told:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.counts: list[tuple[str, int, int, int]] = []

    def __call__(self, stage: str) -> None:
        self.stages.append(stage)

    def advance(self, done: int, total: int, failed: int = 0, before: int = 0) -> None:
        self.counts.append((self.stages[-1], done, total, failed))


@pytest.mark.parametrize("settings", [{"method": "exact"}, {"method": "toys", "toys": 200}])
def test_a_scan_counts_its_masses(settings) -> None:
    told = Told()
    limit = scan("na64mu-2022", masses_gev=[0.01, 0.1], progress=told, **settings)
    assert told.stages == ["signal rates", "limits"]
    done = [count for _, count, _, _ in told.counts]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, len(limit.masses_gev))
    if settings["method"] == "toys":  # equal signals are solved once where there is no noise
        assert set(done) == {0, 1, 2}
    assert {total for _, _, total, _ in told.counts} == {2}


def test_a_scan_gives_the_same_whether_it_is_listened_to() -> None:
    heard, alone = (scan("na64mu-2022", masses_gev=[0.05], progress=p) for p in (Told(), silent))
    assert heard.specification == alone.specification
    assert heard.observed == alone.observed


def test_a_plain_function_is_told_stages_alone() -> None:
    stages: list[str] = []
    advance(stages.append, 1, 2)
    with counted(stages.append, 3):
        limits_found(1)
    assert stages == []


def test_parts_are_a_share_of_the_whole() -> None:
    told = Told()
    told("plane")
    part = part_of(told, 60, 60, 180)
    part("signal rates")
    advance(part, 1, 2)
    advance(part, 2, 2, 1)
    assert told.stages == ["plane"]
    assert told.counts == [("plane", 90, 180, 0), ("plane", 120, 180, 1)]


def test_what_is_solved_twice_counts_once_and_what_is_known_counts() -> None:
    heard: list[tuple[int, int]] = []
    with counting(6, lambda done, total: heard.append((done, total))):
        limits_found(4)
        limits_found(4)
    assert heard == [(0, 6), (4, 6), (6, 6), (6, 6)]
    heard.clear()
    with pytest.raises(ZeroDivisionError), counting(6, lambda *count: heard.append(count)):
        raise ZeroDivisionError
    limits_found(1)  # nobody listens any more
    assert heard == [(0, 6)]
