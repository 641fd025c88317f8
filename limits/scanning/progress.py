"""Progress: what a long computation tells while it runs.

A progress is called with the name of each stage as it begins. One that also counts, such as the
bar of a terminal, has a method `advance`; a plain function goes without.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from na64.limits.calculators.counting import counting

__all__ = ["Counted", "Progress", "advance", "counted", "part_of", "silent"]

#: called with the name of each stage as it begins
Progress = Callable[[str], object]


@runtime_checkable
class Counted(Protocol):
    """A progress that counts what is done of a stage."""

    def __call__(self, stage: str) -> object:
        """Begin a stage, of which nothing is done."""

    def advance(self, done: int, total: int, failed: int = 0, before: int = 0) -> object:
        """Tell how many points of the stage are done; failed ones, and earlier ones, among them."""


def silent(stage: str) -> None:
    """Report no progress."""


def advance(progress: Progress, done: int, total: int, failed: int = 0, *, before: int = 0) -> None:
    """Tell how much of the present stage is done, to a progress that counts.

    Parameters
    ----------
    progress
        Anything that takes the names of stages.
    done, total
        Points that are finished, and all of them: masses of a scan, patches, points of a campaign.
    failed
        Points among those finished that have no result.
    before
        Points that were finished when the stage began: they say nothing of how fast it is.
    """
    if isinstance(progress, Counted):
        progress.advance(done, total, failed, before)


@dataclass(slots=True)
class _Part:
    """What a part of the points tells, as a share of the whole."""

    whole: Progress
    before: int
    count: int
    total: int

    def __call__(self, stage: str) -> object:
        """Nothing: the stages of a part would come once for every part."""

    def advance(self, done: int, total: int, failed: int = 0, before: int = 0) -> None:
        """Tell the whole how far it is."""
        share = self.count * done // max(total, 1)
        advance(self.whole, self.before + share, self.total, failed)


def part_of(progress: Progress, before: int, count: int, total: int) -> Progress:
    """Return the progress of some of the points of a stage, which come one part after another.

    Parameters
    ----------
    progress
        Of the whole; the stage has begun.
    before, count, total
        Points of the parts before, of this part, and of all.
    """
    return _Part(progress, before, count, total)


def counted(progress: Progress, points: int, *, per_point: int = 1) -> AbstractContextManager[None]:
    """Tell a progress how many points are done while a calculator is at work on their limits.

    Parameters
    ----------
    progress
        Its stage has begun.
    points
        Masses, or signal strengths.
    per_point
        Limits of each, such as an observed and five expected ones.
    """

    def told(done: int, total: int) -> None:
        advance(progress, points * done // max(total, 1), points)

    return counting(points * per_point, told)
