"""The table of a campaign: one row per point and mass, the same bytes however it was computed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from na64.limits.campaigns.kinds import kind_of
from na64.limits.campaigns.shards import point_document
from na64.limits.campaigns.soundness import check_plan
from na64.limits.campaigns.store import Store
from na64.limits.results.provenance import provenance
from na64.limits.results.tables import WRITERS, Table
from na64.models.errors import InputError
from na64.workspaces.io.jsonio import canonical_json, digest
from na64.workspaces.io.optional import need
from na64.workspaces.io.reading import parse_json

__all__ = ["SCHEMA", "SUFFIXES", "CampaignTable", "collect", "parquet_bytes"]

SCHEMA: Final = "na64-limits/campaign/1"
#: suffixes of files that hold a table
SUFFIXES: Final = (*WRITERS, ".parquet")
#: whole numbers of a column of 64 bits
_WHOLE: Final = 1 << 63
#: columns in front: number and state of a point, and why it has no result
_FRONT: Final = ("point", "state", "reason")


@dataclass(frozen=True, slots=True)
class CampaignTable:
    """What a campaign found.

    Attributes
    ----------
    name, kind
        Name of the campaign, and what was computed.
    axes
        Keys of its axes.
    table
        Number and state of each point, the values on its axes, and what was found there; a point
        without a result has one row with nothing in it.
    """

    name: str
    kind: str
    axes: tuple[str, ...]
    table: Table

    def document(self) -> dict[str, Any]:
        """Return the table as a JSON document; nothing in it is of the run."""
        content = {
            "schema": SCHEMA,
            "name": self.name,
            "kind": self.kind,
            "axes": list(self.axes),
            "columns": list(self.table.columns),
            "rows": [list(row) for row in self.table.rows],
        }
        made = provenance(content_digest=digest(content))
        return {**content, "provenance": {**made, "command": None}}

    def content(self, suffix: str) -> str | bytes:
        """Return what a file with a suffix holds, one of `SUFFIXES`.

        Raises
        ------
        InputError
            For Parquet where pyarrow is not installed.
        """
        if suffix == ".parquet":
            return parquet_bytes(self.table)
        return WRITERS[suffix](canonical_json(self.document(), indent=1) + "\n", self.table)


def collect(store: Store) -> CampaignTable:
    """Return the table of a campaign, its points in their order.

    Parameters
    ----------
    store
        Open, of a campaign that may still be running: it is seen as it is now.

    Raises
    ------
    InputError
        For a plan or a document that is damaged; what to do is in the message.
    """
    check_plan(store)
    axes: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    rows: list[tuple[tuple[Any, ...], Mapping[str, Any]]] = []
    for front, values, found in _points(store):
        axes = axes or tuple(values)
        if set(values) != set(axes):
            raise InputError(f"{store.path}: point {front[0]} is not on the axes of the first")
        shown = tuple(_cell(values[key]) for key in axes)
        if found is None:
            rows.append(((*front, *shown), {}))
            continue
        columns = columns or tuple(found.columns)
        if columns != tuple(found.columns):
            raise InputError(f"{store.path}: point {front[0]} has other columns than the first")
        rows += [((*front, *shown), dict(zip(columns, row, strict=True))) for row in found.rows]
    more = [name for name in columns or () if name not in axes]
    table = Table(
        (*_FRONT, *axes, *more),
        [(*head, *(cells.get(name) for name in more)) for head, cells in rows],
    )
    return CampaignTable(store.head.name, store.head.kind, axes, table)


def _points(store: Store) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any], Table | None]]:
    """Yield number, state and reason of points, what is on their axes, and what was found."""
    kind = kind_of(store.head.kind)
    for number, text, refused in store.points():
        values = _object(text, f"{store.path}: axes of point {number}")
        if refused:
            yield (number, "left-out", refused), values, None
            continue
        try:
            document, whole = point_document(store, kind, number)
        except InputError as error:
            raise InputError(f"{error}; resuming the campaign computes it again") from error
        if document is not None and whole:
            yield (number, "done", None), values, _checked(store, number, document)
            continue
        messages = [message for _, state, message in store.tasks_of(number) if state == "failed"]
        state = ("failed", messages[0]) if messages else ("to-do", None)
        yield (number, *state), values, None


def _object(text: str, where: str) -> Mapping[str, Any]:
    found = parse_json(text, where)
    if not isinstance(found, dict):
        raise InputError(f"{where}: are no table")
    return found


def _checked(store: Store, number: int, document: Mapping[str, Any]) -> Table:
    """Return the rows of a document that was read from a file, of which nothing is trusted."""
    try:
        return kind_of(store.head.kind).table(document)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{store.path}: the document of point {number} is not as one of its kind ({error!r})"
        ) from error


def _cell(value: Any) -> Any:
    """Return a value of an axis as a cell: lists as their JSON."""
    return canonical_json(value) if isinstance(value, (list, dict)) else value


def parquet_bytes(table: Table) -> bytes:
    """Return a table as a Parquet file; the same bytes each time with one version of pyarrow.

    Columns of numbers are doubles, or 64-bit integers where all are such; what does not exist is
    null.

    Raises
    ------
    InputError
        Where pyarrow is not installed.
    """
    arrow = need("pyarrow", extra="parquet", purpose="tables as Parquet")
    parquet = need("pyarrow.parquet", extra="parquet", purpose="tables as Parquet")
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    arrays = [_array(arrow, column) for column in columns]
    stream = io.BytesIO()
    parquet.write_table(arrow.table(arrays, names=list(table.columns)), stream)
    return stream.getvalue()


def _array(arrow: Any, column: Sequence[Any]) -> Any:
    """Return a column with a type: that of its numbers, texts otherwise."""
    kinds = {type(value) for value in column if value is not None}
    if kinds == {bool}:
        return arrow.array(column, arrow.bool_())
    if kinds == {int} and all(v is None or -_WHOLE <= v < _WHOLE for v in column):
        return arrow.array(column, arrow.int64())
    if kinds and kinds <= {int, float}:
        return arrow.array([None if v is None else float(v) for v in column], arrow.float64())
    if not kinds <= {str}:
        column = [
            value if value is None or isinstance(value, str) else str(value) for value in column
        ]
    return arrow.array(column, arrow.string())
