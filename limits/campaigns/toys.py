"""Campaigns of toys: CLs of one search or workspace at given strengths, from millions of toys.

Toys are thrown in shards of a fixed number, which are the tasks of a point; see
`na64.limits.calculators.shards`. The sum of shards is the same however they were shared out. Where
the error of every CLs is small enough after the first k shards, for the least such k, these are the
result: a rule that knows nothing of which shards were computed first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from na64.limits.calculators.registry import ENSEMBLES, calculator
from na64.limits.calculators.shards import SHARD, ShardedToys
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.tallies import ShardedCls, ToyCounts, cls_of
from na64.limits.campaigns.subjects import (
    COLUMNS,
    Lasting,
    Subject,
    SubjectKeys,
    count_strengths,
    subject_of,
)
from na64.limits.campaigns.tasks import Kept, Payload, Point, TaskKind
from na64.limits.results.tables import Table
from na64.models.declaration import declare
from na64.models.errors import InputError

__all__ = ["TOYS", "ToyKeys", "cls_of_document"]

#: names of the expected values in tables, in the order of `BAND_ORDER`
_BANDS: Final = tuple(f"expected_{name}" for name in ("m2", "m1", "median", "p1", "p2"))
#: what figures say of columns
_WORDS: Final = {
    "cls": r"observed $\mathrm{CL}_s$",
    "cls_error": r"error of the observed $\mathrm{CL}_s$",
    **{
        name: rf"expected $\mathrm{{CL}}_s$, {order:+d} $\sigma$"
        for name, order in zip(_BANDS, BAND_ORDER, strict=True)
    },
    "expected_median": r"median expected $\mathrm{CL}_s$",
}
#: keys of a payload in which shards of a point differ
_OWN: Final = ("shard", "toys", "relative_error", "absolute_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyKeys(SubjectKeys):
    """Keys of the table ``toys`` in the file of a campaign.

    Attributes
    ----------
    toys
        Per hypothesis and strength; fewer are thrown where the error is small enough before.
    shard
        Toys that are thrown together. They have random numbers of their own: other shards are other
        toys.
    seed
        Of the random numbers.
    ensemble
        Auxiliary data as observed (``aux-fixed``) or thrown with the counts (``aux-fluctuated``).
    relative_error, absolute_error
        Error of CLs that is small enough, over CLs and by itself: the larger one at each strength.
        Zero: all toys are thrown.
    """

    toys: int = declare(
        1_000_000, help="toys per hypothesis and strength", at_least=1, at_most=1_000_000_000
    )
    shard: int = declare(
        SHARD, help="toys that are thrown together", at_least=1, at_most=10_000_000
    )
    seed: int = declare(1, help="of the random numbers")
    ensemble: str = declare(
        ENSEMBLES[0],
        allowed=ENSEMBLES,
        help="auxiliary data as observed (aux-fixed) or thrown (aux-fluctuated)",
    )
    relative_error: float = declare(0.0, help="of CLs that is small enough, over CLs", at_most=1.0)
    absolute_error: float = declare(0.0, help="of CLs that is small enough", at_most=1.0)

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        yield from SubjectKeys.misfits(self)
        if (shards := math.ceil(self.toys / self.shard)) > _MOST_SHARDS:
            yield "shard", f"{shards} shards, at most {_MOST_SHARDS}: make them larger"


#: shards of a point
_MOST_SHARDS: Final = 100_000


def _payloads(point: Point, keys: ToyKeys) -> Sequence[Payload]:
    made = point.specification
    if made is not None and made.calculator != calculator():
        raise InputError(
            f"a campaign of toys has the method toys with the settings of its table 'toys', not "
            f"the method '{made.calculator.name}' with its own"
        )
    common = {
        **keys.asked(point),
        "seed": keys.seed,
        "ensemble": keys.ensemble,
        "relative_error": keys.relative_error,
        "absolute_error": keys.absolute_error,
    }
    return [
        {**common, "shard": number, "toys": min(keys.shard, keys.toys - number * keys.shard)}
        for number in range(math.ceil(keys.toys / keys.shard))
    ]


def _made(payload: Payload, kept: Kept) -> tuple[Subject, ShardedToys]:
    subject = subject_of(payload, kept)
    return subject, ShardedToys(
        subject.batch,
        subject.nu,
        subject.mass,
        subject.counts,
        seed=payload["seed"],
        ensemble=payload["ensemble"],
    )


_LASTING: Final = Lasting(_made)


def _compute(payload: Payload, kept: Kept) -> Payload:
    subject, thrower = _LASTING.of(payload, _OWN, kept)
    counts = thrower.shard(payload["shard"], payload["toys"])
    return {
        **{key: payload[key] for key in ("seed", "ensemble", "relative_error", "absolute_error")},
        # of a search; toys do not depend on it, figures and tables compare CLs with it
        "confidence_level": payload.get("specification", {}).get("confidence_level"),
        "observed": subject.observed,
        "rows": [dict(row) for row in subject.rows],
        **counts.to_dict(),
    }


def _add(total: Payload, document: Payload) -> Payload:
    counts = ToyCounts.from_dict(total) + ToyCounts.from_dict(document)
    return {**total, **counts.to_dict()}


def _enough(document: Payload) -> bool:
    relative, absolute = document["relative_error"], document["absolute_error"]
    if not (relative or absolute):
        return False
    found = cls_of(ToyCounts.from_dict(document), bands=False)
    # a CLs that is not known has no error, and is not enough
    return bool(np.all(found.error <= np.maximum(relative * found.observed, absolute)))


def cls_of_document(document: Payload) -> ShardedCls:
    """Return CLs with its errors of the document of any shards."""
    return cls_of(ToyCounts.from_dict(document), seed=document["seed"])


def _table(document: Payload) -> Table:
    """Return one row per strength."""
    found = cls_of_document(document)
    toys = sum(end - first for first, end in document["shards"])
    rows = []
    for i, row in enumerate(document["rows"]):
        seen = [found.observed[i], found.error[i], found.p_signal[i], found.p_background[i]]
        if not document["observed"]:
            seen = [math.nan] * len(seen)
        numbers = [*seen, *found.expected[:, i], *found.expected_error[:, i]]
        rows.append(
            (
                *(row[name] for name in COLUMNS),
                document["confidence_level"],
                int(found.toys[i]),
                toys,
                int(found.failed[i]),
                *(None if math.isnan(x) else float(x) for x in numbers),
                _message(found, i, document),
            )
        )
    return Table(
        (
            *COLUMNS,
            *("confidence_level", "toys", "shards", "failed"),
            *("cls", "cls_error", "p_signal", "p_background"),
            *_BANDS,
            *(f"{name}_error" for name in _BANDS),
            "message",
        ),
        rows,
    )


def _message(found: ShardedCls, i: int, document: Payload) -> str:
    """Say what a reader of a row must know; empty for nothing."""
    if math.isnan(found.p_signal[i]):
        return f"{found.failed[i]} fits of toys did not converge: no CLs"
    said = []
    if not document["observed"]:
        said.append("a projection: there are no data, expected values only")
    elif math.isnan(found.observed[i]):
        said.append("no background toy is as extreme as the data: CLs is not known")
    if found.failed[i]:
        said.append(
            f"{found.failed[i]} fits of toys did not converge: they make CLs larger, not smaller"
        )
    return "; ".join(said)


def _brief(document: Payload) -> Mapping[str, Any]:
    """Return the toys that there are, CLs and its error at every strength."""
    found = cls_of(ToyCounts.from_dict(document), bands=False)
    seen = np.where(document["observed"], [found.observed, found.error], np.nan)
    cls, error = ([None if math.isnan(x) else x for x in row] for row in seen.tolist())
    return {"toys": int(found.toys[0]), "cls": cls, "cls_error": error}


def _cost(payload: Payload) -> float:
    """The number of toys at all strengths."""
    return float(payload["toys"] * count_strengths(payload))


TOYS = TaskKind(
    name="toys",
    about="CLs at given strengths from toys, in shards that add up",
    payloads=_payloads,
    compute=_compute,
    table=_table,
    keys=ToyKeys,
    add=_add,
    enough=_enough,
    cost=_cost,
    brief=_brief,
    drawn=("cls", "expected_median"),
    along=("strength", "mass_gev"),
    words=_WORDS,
    levels=dict.fromkeys(("cls", *_BANDS), lambda level: 1.0 - level),
    alone=lambda keys: bool(keys.alone),
)
