"""Campaigns of scans: each point is a specification, and its document the limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from na64.limits.calculators.status import BAND_ORDER
from na64.limits.campaigns.tasks import Kept, Payload, Point, TaskKind
from na64.limits.results.specification import Specification
from na64.limits.results.tables import Table
from na64.limits.scanning.runner import run

__all__ = ["SCAN"]

#: columns of limits, observed and expected
_LINES = ("observed", *(f"expected_{name}" for name in ("m2", "m1", "median", "p1", "p2")))


def _payloads(point: Point, _keys: None) -> Sequence[Payload]:
    return [{"specification": point.asked().to_dict(), "tips": point.tips}]


def _compute(payload: Payload, kept: Kept) -> Payload:
    made = Specification.from_dict(payload["specification"])
    found = run(made, tables=kept.tables, known=kept.known, tips=payload["tips"])
    document = found.as_dict()
    # the command line is that of whichever process computed it
    document["provenance"] = {**document["provenance"], "command": None}
    return document


def _table(document: Payload) -> Table:
    """Return one row per mass; edges of the first excluded region, as `Limit.to_table`."""
    columns = (
        *("search", "model", "parameter", "mass_gev"),
        *_LINES,
        *("events_limit", "status", "message"),
    )
    bands: list[Sequence[Any]] = [document["observed"], *document["expected"]]
    if document["band_order"] != list(BAND_ORDER):
        raise ValueError("bands are in another order")
    head = (document["search"], document["model"], document["parameter"]["name"])
    rows = [
        (
            *head,
            mass,
            *(band[row] for band in bands),
            document["events_limit"][row],
            document["status"][row],
            document["messages"][row],
        )
        for row, mass in enumerate(document["masses_gev"])
    ]
    return Table(columns, rows)


SCAN = TaskKind(
    name="scan",
    about="limits of every point, as `scan` computes them",
    payloads=_payloads,
    compute=_compute,
    table=_table,
    drawn=("observed", "expected_median"),
)
