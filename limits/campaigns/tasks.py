"""What a campaign computes: tasks, and what each kind of campaign says of them.

A campaign has points, one per combination of the values on its axes, each a specification. A point
is one task, or several that are its shards: a million toys in hundreds of them. A task is plain
data and its document is plain data, so that both travel to other machines and are kept by digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from na64.limits.results.specification import Specification
from na64.limits.results.tables import Table
from na64.limits.scanning.known import Known
from na64.models.errors import InputError
from na64.models.signals.rates import TableStore
from na64.workspaces.io.cache import PHYSICS_VERSION
from na64.workspaces.io.jsonio import canonical_json

__all__ = ["FORMAT", "Kept", "Payload", "Point", "TaskKind", "folded", "task_digest"]

#: version of payloads and documents; part of every digest
FORMAT: Final = 1

#: what a task computes, and what it found, as plain data of JSON
Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a campaign.

    Attributes
    ----------
    number
        Its place in the campaign, from 0.
    axes
        What stands on the axes there, plain data by the keys of the file.
    specification
        What is computed; None where the keys of the kind say it.
    tips
        Whether masses are added where excluded regions begin and end, as
        `na64.limits.scanning.runner.run` has it.
    """

    number: int
    axes: Mapping[str, Any]
    specification: Specification | None
    tips: bool = False

    def asked(self) -> Specification:
        """Return the specification of a point that has one."""
        if self.specification is None:
            raise InputError(f"point {self.number} has no search")
        return self.specification


@dataclass(frozen=True, slots=True)
class Kept:
    """What a worker keeps between tasks; no number depends on it.

    Attributes
    ----------
    tables
        Tables of cross-sections, in memory and on disk.
    known
        Yields and limits in events that tasks have in common.
    """

    tables: TableStore | None = None
    known: Known = field(default_factory=Known)


def _one(_total: Payload, _document: Payload) -> Payload:
    raise InputError("documents of a point with one task are not added")


def _cost(payload: Payload) -> float:
    """The number of masses."""
    return float(len(payload["specification"]["masses_gev"]))


def _never(_keys: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskKind:
    """A kind of campaign, ``kind`` in its file; a row of `na64.limits.campaigns.kinds.KINDS`.

    Attributes
    ----------
    name
        Its name, which is also that of the table with keys of its own in the file.
    about
        One line for people.
    payloads
        Returns the payloads of the tasks of a point, at least one, in the order in which their
        documents are added, given the point and what `keys` was read to. Plain data; everything
        that decides the numbers is in them, with the specification under ``specification`` as
        `Specification.to_dict` gives it.
    compute
        Returns the document of a payload, plain data. It is called in any process and order, and
        the document depends on the payload alone: nothing of the machine, the time or the command
        line is in it. What it raises is recorded as the failure of the point.
    table
        Returns the rows of a whole point, of its document, for `collect`: columns and rows; columns
        of the axes are put in front.
    keys
        Dataclass of declared keys in the file's table of this kind; None for a kind without.
    add
        Returns the document of shards so far and the next together; exact, so that the sum of all
        is that of one run. Documents are added in the order of the payloads, whatever the order in
        which they were computed. Only for kinds with more than one payload per point.
    enough
        Whether the document of the first shards needs no more of them. The result of the point is
        that of the fewest shards, from the first on, for which it is true; what was computed
        beyond is left alone. So it does not depend on how many were computed at once.
    cost
        How much work a payload is, in any unit: how many are handed out together follows from it.
    brief
        What the document of the first shards of a point says in a few words, plain data by names,
        for ``campaign status``; None where a point is one task.
    drawn
        Columns of the table of which a figure shows one, unless another is named: that with numbers
        at most points, the first of several.
    along
        Columns that a figure can be drawn along, beside the axes.
    words
        What figures say of columns, where it is not their name.
    levels
        Columns that are compared with a confidence level, and what with, given that level.
    shares
        Columns of shares, which figures draw on a linear axis that ends at one.
    alone
        Whether the keys of the kind say all there is to compute: points then have no specification,
        and the file neither ``base`` nor ``axes``.
    """

    name: str
    about: str
    payloads: Callable[[Point, Any], Sequence[Payload]]
    compute: Callable[[Payload, Kept], Payload]
    table: Callable[[Payload], Table]
    keys: type | None = None
    add: Callable[[Payload, Payload], Payload] = _one
    enough: Callable[[Payload], bool] | None = None
    cost: Callable[[Payload], float] = _cost
    brief: Callable[[Payload], Mapping[str, Any]] | None = None
    drawn: tuple[str, ...] = ()
    along: tuple[str, ...] = ("mass_gev",)
    words: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    shares: tuple[str, ...] = ()
    alone: Callable[[Any], bool] = _never


def task_digest(kind: str, payload: str) -> str:
    """Return the sha256 that names a task: its payload, and the version of the physics.

    Parameters
    ----------
    kind
        Name of the kind of campaign.
    payload
        The canonical JSON of the payload.
    """
    head = canonical_json({"format": FORMAT, "kind": kind, "physics": PHYSICS_VERSION})
    return hashlib.sha256(f"{head}\n{payload}".encode()).hexdigest()


def folded(kind: TaskKind, documents: Iterable[Payload | None]) -> tuple[Payload | None, bool]:
    """Return the document of a point, and whether it is whole.

    Parameters
    ----------
    kind
        The kind of the campaign.
    documents
        Those of the shards of the point in their order, None for one that is not there yet; read
        no further than needed.

    Returns
    -------
    tuple
        The sum of the first shards that are there without a gap, None if there are none; and
        whether it is that of all, or `enough`.
    """
    total: Payload | None = None
    for document in documents:
        if document is None:
            return total, False
        total = document if total is None else kind.add(total, document)
        if kind.enough is not None and kind.enough(total):
            return total, True
    return total, total is not None
