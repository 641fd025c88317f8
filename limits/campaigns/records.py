"""What the store of a campaign is given and gives: its head, points with tasks, results, counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Counts", "Head", "Planned", "Result", "TaskRow"]


@dataclass(frozen=True, slots=True)
class Head:
    """What a campaign is.

    Attributes
    ----------
    text, where
        Its file, and the name that the file had.
    name, kind
        Name of the campaign, and what is computed.
    size
        How many points it has.
    physics
        Version of the physics with which it began.
    """

    text: str
    where: str
    name: str
    kind: str
    size: int
    physics: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A point with its tasks.

    Attributes
    ----------
    number
        Its place.
    axes
        What stands on the axes, canonical JSON.
    refused
        Why it has no tasks; empty if it has.
    place
        Tasks with the same one have work in common.
    tasks
        Digest, cost and payload of each, the latter canonical JSON; gone through once, when they
        are written: a point may have more of them than there is memory for.
    """

    number: int
    axes: str
    refused: str
    place: int
    tasks: Iterable[tuple[str, float, bytes]]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task that is to be done."""

    id: int
    point: int
    shard: int
    digest: str
    place: int
    cost: float
    payload: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What was found for a task: the canonical JSON of its document, or why there is none."""

    digest: str
    content: bytes
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a campaign has come; points are done when their tasks are, or need no more.

    Attributes
    ----------
    points, planned
        How many there are, and how many of them have their tasks in the store.
    done, failed, left_out, to_do
        Points that are done, that failed, that cannot be computed, and the others.
    tasks_done, tasks_to_do
        Tasks with a result, and those that still need one.
    cost_done, cost_to_do
        Their costs together.
    seconds
        Computing time of what is done.
    """

    points: int
    planned: int
    done: int
    failed: int
    left_out: int
    to_do: int
    tasks_done: int
    tasks_to_do: int
    cost_done: float
    cost_to_do: float
    seconds: float
