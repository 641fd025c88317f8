"""Running a campaign: its points are planned, computed by an executor, and stored at once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from na64.limits.campaigns.description import Campaign, Plan, parse_campaign
from na64.limits.campaigns.executors import Processors
from na64.limits.campaigns.kinds import kind_of
from na64.limits.campaigns.lock import LOCK, alone
from na64.limits.campaigns.shards import Shards
from na64.limits.campaigns.soundness import check_plan, mend, plan_is_sound, seal
from na64.limits.campaigns.status import of_points
from na64.limits.campaigns.store import FILE, Counts, Head, Planned, Result, Store, TaskRow
from na64.limits.campaigns.tasks import Payload, TaskKind, task_digest
from na64.limits.campaigns.worker import Work, here
from na64.limits.scanning.engine import TaskLostError, computed
from na64.limits.scanning.progress import Progress, advance, silent
from na64.models.errors import InputError
from na64.workspaces.io.cache import PHYSICS_VERSION
from na64.workspaces.io.cache_size import chosen_size
from na64.workspaces.io.jsonio import canonical_json, plain
from na64.workspaces.io.problems import FileProblemsError, Problem

__all__ = ["Resources", "begin", "go_on"]

_LOGGER = logging.getLogger(__name__)

#: points that are planned, and tasks that are read, together
_BLOCK: Final = 200
#: what one chunk of tasks ought to take: long beside handing it out, short beside a campaign
_CHUNK_SECONDS: Final = 1.0
#: most tasks of a chunk
_CHUNK: Final = 64
#: chunks per process that are under way: one is computed, one waits for it to be done
_AHEAD: Final = 2
#: refused points that a message names
_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Resources:
    """With what a campaign is computed; no result depends on it.

    Attributes
    ----------
    processors
        Where tasks run.
    cached, cache_size
        Whether tables of cross-sections are kept on disk, and what they may have there together.
    progress
        Told of each stage, and how far it is.

    Raises
    ------
    InputError
        For a size that is none.
    """

    processors: Processors
    cached: bool = True
    cache_size: str | None = None
    progress: Progress = silent

    def __post_init__(self) -> None:
        chosen_size(self.cache_size)  # wrong once, and not at every point


def begin(
    text: str, where: str, folder: Path, resources: Resources, *, replan: bool = False
) -> Counts:
    """Run a campaign, or go on with the same one.

    Parameters
    ----------
    text, where
        Its file, and the path of it; cards named by a path are looked for beside it.
    folder
        Where its store is, or is made.
    resources
        With what it is computed.
    replan
        Whether a campaign in the folder may be another: its points are forgotten, and documents
        that both have in common are kept.

    Returns
    -------
    Counts
        How far the campaign is, when nothing is left to do.

    Raises
    ------
    InputError
        For a file with problems, points that cannot be computed, and a folder with another
        campaign or that another process is at; then nothing has been computed.
    """
    campaign = parse_campaign(text, where, folder=Path(where).parent)
    head = Head(text, where, campaign.name, campaign.kind, campaign.size, PHYSICS_VERSION)
    made = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make {folder}: {error.strerror}") from error
    try:
        with alone(folder):
            try:
                with _opened(folder, head, replan) as store:
                    return _planned_and_run(store, campaign, resources)
            finally:
                if made and not (folder / FILE).exists():
                    (folder / LOCK).unlink(missing_ok=True)
    finally:
        if made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def _planned_and_run(store: Store, campaign: Campaign, resources: Resources) -> Counts:
    try:
        _plan(store, campaign, resources.progress)
    except InputError:
        if store.empty:  # nothing is lost with it, and the next attempt is not told of this one
            store.remove()
        raise
    _check(store)
    return _run(store, resources)


def go_on(folder: Path, resources: Resources, *, failed: bool = False) -> Counts:
    """Go on with a campaign where it stopped.

    Parameters
    ----------
    folder
        Where its store is.
    resources
        With what it is computed.
    failed
        Whether points that failed are tried again.

    Returns
    -------
    Counts
        As `begin`.

    Raises
    ------
    InputError
        For a folder without a campaign or that another process is at, for a store that is damaged
        and for a campaign of another version of the physics.
    """
    Store(folder).close()  # where there is none, nothing is to be made
    with alone(folder), Store(folder, writing=True) as store:
        if store.head.physics != PHYSICS_VERSION:
            raise InputError(
                f"{folder}: began with version {store.head.physics} of the physics, this is "
                f"{PHYSICS_VERSION}: run its file anew, with `replan`"
            )
        if store.planned() < store.head.size:
            where = store.head.where
            campaign = parse_campaign(store.head.text, where, folder=Path(where).parent)
            _plan(store, campaign, resources.progress)
        _check(store)
        if failed:
            store.again()
        return _run(store, resources)


def _check(store: Store) -> None:
    """Check a store before it is gone on with; what is damaged in it is computed again."""
    seal(store)
    check_plan(store)
    if count := mend(store):
        _LOGGER.warning(
            "%s: %d document%s damaged, computed again", store.path, count, "s" * (count > 1)
        )


def _opened(folder: Path, head: Head, replan: bool) -> Store:
    """Return the store of a campaign in a folder, made if there is none."""
    if not (folder / FILE).exists():
        return Store.begin(folder, head)
    store = Store(folder, writing=True)
    if (store.head.text, store.head.physics) != (head.text, head.physics):
        if not replan:
            store.close()
            raise InputError(
                f"{folder}: holds another campaign, or an earlier form of this one; `replan` goes "
                "on with the file as it is now and keeps what both have in common"
            )
        store.replan(head)
    elif replan and not plan_is_sound(store):
        store.replan(head)
    return store


def _plan(store: Store, campaign: Campaign, progress: Progress) -> None:
    """Write the points that are not in the store yet; refuse those that cannot be computed.

    Where such a point is an error, none is written from there on: the campaign stays without a
    whole plan, and whoever goes on with it is told the same.
    """
    plan, size = Plan(campaign), campaign.size
    refused: list[Problem] = []
    start = store.planned()
    progress(f"planning {of_points(size)}")
    for first in range(start, size, _BLOCK):
        block = []
        for number in range(first, min(first + _BLOCK, size)):
            planned = _planned(plan, number)
            if planned.refused:
                values = ", ".join(f"{key} {value}" for key, value in plan.values(number).items())
                refused.append(Problem(f"point {number} ({values})", planned.refused))
            block.append(planned)
        if not refused or campaign.refused != "error":
            store.add(block)
        advance(progress, first + len(block), size)
    if refused and campaign.refused == "error":
        hint = '`refused = "leave-out"` goes on without these points'
        raise FileProblemsError("campaign", store.head.where, refused, most=_NAMED, hint=hint)
    if refused and store.counts().left_out == size:
        # what no point has is a mistake, not a gap in a product
        raise InputError(f"campaign {store.head.where}: no point can be computed; {refused[0]}")


def _planned(plan: Plan, number: int) -> Planned:
    kind = kind_of(plan.campaign.kind)
    axes = json.dumps(plain(plan.values(number)), ensure_ascii=False)  # in the order of the file
    try:
        point = plan.point(number)
        payloads = kind.payloads(point, plan.campaign.options)
    except InputError as error:
        why = str(error).replace(":\n", ":").replace("\n", ";")  # of a card, one problem per line
        return Planned(number, axes, " ".join(why.split()), 0, ())
    return Planned(number, axes, "", plan.place(number), _tasks(kind, payloads))


def _tasks(kind: TaskKind, payloads: Sequence[Payload]) -> Iterator[tuple[str, float, bytes]]:
    """Yield digest, cost and text of payloads: the texts of a million toys are many, and alike."""
    for payload in payloads:
        text = canonical_json(payload)
        yield task_digest(kind.name, text), kind.cost(payload), text.encode()


def _run(store: Store, resources: Resources) -> Counts:
    """Compute what is to be done, and store it as it is."""
    counts, processors, progress = store.counts(), resources.processors, resources.progress
    if not counts.tasks_to_do:
        return counts
    work = Work(store.head.kind, here(), resources.cached, resources.cache_size)
    progress(f"{counts.to_do} of {of_points(counts.points)}")
    queue = _Queue(store, Shards(store, kind_of(work.kind)))
    with processors.executor() as executor:
        for outcomes in computed(
            work,
            queue.chunks(),
            executor,
            at_once=lambda: _AHEAD * processors.count(),
            lost=processors.lost,
        ):
            queue.take(
                [
                    (row, Result(row.digest, b"", str(found), 0.0))
                    if isinstance(found, TaskLostError)
                    else (row, found)
                    for row, found in outcomes
                ]
            )
            advance(progress, *queue.done(counts), before=counts.tasks_done)
    return store.counts()


@dataclass(slots=True)
class _Queue:
    """Tasks on their way from the store and back."""

    store: Store
    shards: Shards
    #: tasks under way by digest, and digests that were stored since tasks were read last
    busy: dict[str, TaskRow] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    #: points that have enough, whose other tasks were left
    whole: set[int] = field(default_factory=set)
    #: of a unit of cost, as it was lately; None before anything is known
    seconds: float | None = None
    finished: int = 0
    failed: int = 0
    left: int = 0

    def chunks(self) -> Iterator[list[TaskRow]]:
        """Yield tasks that are computed together: they have work in common, and are short."""
        chunk: list[TaskRow] = []
        for row in self._rows():
            if chunk and (row.place != chunk[0].place or len(chunk) >= self._most(chunk)):
                yield chunk
                chunk = []
            self.busy[row.digest] = row
            chunk.append(row)
        if chunk:
            yield chunk

    def _rows(self) -> Iterator[TaskRow]:
        """Yield tasks that are to be done, each digest once."""
        after = (-1, -1)
        while True:
            self.stored.clear()
            rows = self.store.to_do(_BLOCK, after)
            if not rows:
                return
            after = (rows[-1].place, rows[-1].id)
            for row in rows:
                if row.digest in self.busy or row.digest in self.stored:
                    continue
                if not self.shards.has_enough(row.point):
                    yield row
                elif row.point not in self.whole:
                    self._leave(row.point)

    def _most(self, chunk: list[TaskRow]) -> int:
        if self.seconds is None:
            return 1
        cost = max(row.cost for row in chunk)
        return max(1, min(_CHUNK, int(_CHUNK_SECONDS / max(self.seconds * cost, 1e-9))))

    def take(self, outcomes: list[tuple[TaskRow, Result]]) -> None:
        """Store what was found."""
        self.finished += self.store.finish([result for _, result in outcomes])
        for row, result in outcomes:
            del self.busy[row.digest]
            self.stored.add(row.digest)
            if result.message:
                self.failed += 1
                continue
            spent = result.seconds / max(row.cost, 1e-9)
            self.seconds = spent if self.seconds is None else 0.8 * self.seconds + 0.2 * spent
            self.shards.done(row.point, row.shard, row.digest)
        for point in {row.point for row, _ in outcomes}:
            if self.shards.has_enough(point):  # also of a shard that failed, and is not needed
                self._leave(point)

    def _leave(self, point: int) -> None:
        """Leave the rest of a point; what is under way is stored, and counted, when it comes."""
        self.left += self.store.leave(point)
        if point not in self.whole:
            self.left -= sum(row.point == point for row in self.busy.values())
            self.whole.add(point)

    def done(self, counts: Counts) -> tuple[int, int, int]:
        """Return how many tasks are done, of how many, and how many failed."""
        total = counts.tasks_done + counts.tasks_to_do
        done = counts.tasks_done + self.finished + self.left
        return min(done, total), total, counts.failed + self.failed
