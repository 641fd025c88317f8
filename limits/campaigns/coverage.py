"""Campaigns of coverage: how often the intervals of a method contain a known truth.

Pseudo-experiments are thrown in shards, which are the tasks of a point; see
`na64.limits.calculators.coverage`. What is kept are numbers of experiments, so that shards add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from na64.limits.calculators.coverage import experiment_p_values, throw_experiments
from na64.limits.calculators.registry import (
    CALCULATORS,
    ENSEMBLES,
    Auto,
    calculator,
    calculator_from_dict,
)
from na64.limits.calculators.table import check_confidence_level
from na64.limits.calculators.tallies import binomial_error, joined_runs
from na64.limits.campaigns.subjects import (
    COLUMNS,
    Lasting,
    SubjectKeys,
    count_strengths,
    subject_of,
)
from na64.limits.campaigns.tasks import Kept, Payload, Point, TaskKind
from na64.limits.results.tables import Table
from na64.models.declaration import declare
from na64.models.errors import InputError

__all__ = ["COVERAGE", "CoverageKeys"]

#: keys of the method of a workspace, beside its name; in a search they stand in ``base``
_SETTINGS: Final = ("tolerance", "max_datasets", "toys", "ensemble", "samples")
#: auxiliary data of experiments
_AUXILIARY: Final = ("thrown", "fixed")
#: keys of a payload on which the subject does not depend
_OWN: Final = (
    *("calculator", "confidence_level", "seed", "auxiliary"),
    *("shard", "first", "experiments", "error"),
)
#: shards of a point
_MOST_SHARDS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageKeys(SubjectKeys):
    """Keys of the table ``coverage`` in the file of a campaign.

    Attributes
    ----------
    experiments
        Pseudo-experiments at each true strength.
    shard
        Pseudo-experiments that are thrown together, with random numbers of their own.
    seed
        Of the pseudo-experiments; that of a method's toys is a setting of the method.
    auxiliary
        Whether auxiliary data are ``thrown`` with the counts or ``fixed`` as they are.
    error
        Error of the coverage that is small enough; zero: all are thrown.
    method, confidence_level, tolerance, max_datasets, toys, ensemble, samples
        Of a workspace: the method and its settings. Those of a search stand in ``base``.
    """

    experiments: int = declare(
        10_000, help="pseudo-experiments at each strength", at_least=1, at_most=100_000_000
    )
    shard: int = declare(100, help="pseudo-experiments thrown together", at_least=1)
    seed: int = declare(1, help="of the pseudo-experiments")
    auxiliary: str = declare(
        _AUXILIARY[0], allowed=_AUXILIARY, help="auxiliary data of pseudo-experiments"
    )
    error: float = declare(0.0, help="of the coverage that is small enough", at_most=1.0)
    method: str | None = declare(None, allowed=tuple(CALCULATORS), help="method, for a workspace")
    confidence_level: float | None = declare(None, above=0.0, help="for a workspace")
    tolerance: float | None = declare(None, help="of the method, for a workspace")
    max_datasets: int | None = declare(None, help="of the method, for a workspace")
    toys: int | None = declare(None, help="of the method, for a workspace")
    ensemble: str | None = declare(None, allowed=ENSEMBLES, help="of the method, for a workspace")
    samples: int | None = declare(None, help="of the method, for a workspace")

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        yield from SubjectKeys.misfits(self)
        if (shards := math.ceil(self.experiments / self.shard)) > _MOST_SHARDS:
            yield "shard", f"{shards} shards, at most {_MOST_SHARDS}: make them larger"
        given = [
            key
            for key in ("method", "confidence_level", *_SETTINGS)
            if getattr(self, key) is not None
        ]
        if self.alone:
            try:
                self.tested()
            except InputError as error:
                yield "method", str(error)
        else:
            for key in given:
                yield key, "stands in the table 'base' of a search"

    def tested(self) -> dict[str, Any]:
        """Return the method of a workspace and the confidence level, as a payload has them."""
        settings = {key: getattr(self, key) for key in _SETTINGS}
        given = {key: value for key, value in settings.items() if value is not None}
        made = calculator(self.method or Auto.name, **given)
        level = 0.9 if self.confidence_level is None else self.confidence_level
        check_confidence_level(level)
        return {"calculator": made.to_dict(), "confidence_level": level}


def _payloads(point: Point, keys: CoverageKeys) -> Sequence[Payload]:
    made = point.specification
    if made is None:
        tested = keys.tested()
    else:
        tested = {
            "calculator": made.calculator.to_dict(),
            "confidence_level": made.confidence_level,
        }
    common = {
        **keys.asked(point),
        **tested,
        "seed": keys.seed,
        "auxiliary": keys.auxiliary,
        "error": keys.error,
    }
    return [
        {
            **common,
            "shard": number,
            "first": number * keys.shard,
            "experiments": min(keys.shard, keys.experiments - number * keys.shard),
        }
        for number in range(math.ceil(keys.experiments / keys.shard))
    ]


_LASTING: Final = Lasting(subject_of)


def _compute(payload: Payload, kept: Kept) -> Payload:
    subject = _LASTING.of(payload, _OWN, kept)
    method = calculator_from_dict(payload["calculator"])
    alpha = 1.0 - payload["confidence_level"]
    covered, failed = [], []
    for nu, mass in zip(subject.nu.tolist(), subject.mass.tolist(), strict=True):
        one = subject.batch.take(np.array([mass]))
        data = throw_experiments(
            one,
            nu,
            payload["shard"],
            payload["experiments"],
            first=payload["first"],
            seed=payload["seed"],
            auxiliary=payload["auxiliary"] == _AUXILIARY[0],
        )
        p_value = experiment_p_values(one, method, nu / float(one.events[0]), data)
        covered.append(int(np.sum(p_value > alpha)))
        failed.append(int(np.sum(np.isnan(p_value))))
    return {
        **{key: payload[key] for key in ("calculator", "confidence_level", "auxiliary", "error")},
        "rows": [dict(row) for row in subject.rows],
        "shards": [[payload["shard"], payload["shard"] + 1]],
        "thrown": payload["experiments"],
        "covered": covered,
        "failed": failed,
    }


def _add(total: Payload, document: Payload) -> Payload:
    runs = joined_runs(*(tuple((a, b) for a, b in each["shards"]) for each in (total, document)))
    return {
        **total,
        "shards": [list(run) for run in runs],
        "thrown": total["thrown"] + document["thrown"],
        **{
            key: [a + b for a, b in zip(total[key], document[key], strict=True)]
            for key in ("covered", "failed")
        },
    }


def _fractions(document: Payload) -> list[tuple[float, float]]:
    """Return coverages and their errors, of the experiments that a method has a number for."""
    found = []
    for covered, failed in zip(document["covered"], document["failed"], strict=True):
        n = document["thrown"] - failed
        found.append((covered / n, binomial_error(covered, n)) if n else (math.nan, math.nan))
    return found


def _enough(document: Payload) -> bool:
    most = document["error"]
    return bool(most) and all(error <= most for _, error in _fractions(document))


def _table(document: Payload) -> Table:
    """Return one row per true strength."""
    shards = sum(end - first for first, end in document["shards"])
    rows = []
    for row, failed, (coverage, error) in zip(
        document["rows"], document["failed"], _fractions(document), strict=True
    ):
        said = f"the method has no number for {failed} experiments: they are left out"
        rows.append(
            (
                *(row[name] for name in COLUMNS),
                document["calculator"]["name"],
                document["auxiliary"],
                document["confidence_level"],
                document["thrown"],
                shards,
                failed,
                *(None if math.isnan(x) else x for x in (coverage, error)),
                said if failed else "",
            )
        )
    return Table(
        (
            *COLUMNS,
            *("method", "auxiliary", "confidence_level", "experiments", "shards", "failed"),
            *("coverage", "coverage_error", "message"),
        ),
        rows,
    )


def _brief(document: Payload) -> Mapping[str, Any]:
    """Return the experiments that there are, coverages and their errors."""
    pairs = _fractions(document)
    coverage, error = (
        [None if math.isnan(x) else x for x in row] for row in zip(*pairs, strict=True)
    )
    return {"experiments": document["thrown"], "coverage": coverage, "coverage_error": error}


def _cost(payload: Payload) -> float:
    """The number of pseudo-experiments at all strengths."""
    return float(payload["experiments"] * count_strengths(payload))


COVERAGE = TaskKind(
    name="coverage",
    about="how often intervals contain a known truth, pseudo-experiments in shards",
    payloads=_payloads,
    compute=_compute,
    table=_table,
    keys=CoverageKeys,
    add=_add,
    enough=_enough,
    cost=_cost,
    brief=_brief,
    drawn=("coverage",),
    along=("strength", "mass_gev"),
    levels={"coverage": lambda level: level},
    shares=("coverage",),
    alone=lambda keys: bool(keys.alone),
)
