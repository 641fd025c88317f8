"""The file of a campaign: what is common to all points, and what stands on its axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from na64.limits.campaigns.axes import AxisTable, base_values, read_axes
from na64.limits.campaigns.kinds import KINDS, kind_of
from na64.limits.campaigns.tasks import Point, TaskKind
from na64.limits.scanning.asked import Asked
from na64.limits.scanning.request import find_mediator
from na64.models.declaration import declare
from na64.workspaces.cards.reader import load_card
from na64.workspaces.io.problems import Problem
from na64.workspaces.io.reading import read_text
from na64.workspaces.io.tables import TableReader
from na64.workspaces.io.toml import parse_toml

__all__ = ["FORMAT", "MOST_POINTS", "Campaign", "Plan", "load_campaign", "parse_campaign"]

#: version of the form of these files
FORMAT: Final = 1
#: more points than that are a slip of the keyboard: a year of computing for a hundred processors
MOST_POINTS: Final = 1_000_000
#: cards, each with its overrides, that are kept while points are made
_CARDS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign.

    Attributes
    ----------
    name
        Its name.
    kind
        What is computed at each point, a row of `na64.limits.campaigns.kinds.KINDS`.
    refused
        What becomes of combinations of values that `na64.limits.specify` refuses: the campaign is
        refused (``error``), or they have no result (``leave-out``).
    base
        What is common to all points, by the keys of `na64.limits.scanning.asked.Asked`.
    axes
        Tables of axes; within one they are gone through together, the tables multiply.
    options
        The keys of the kind, read as its dataclass; None for a kind without.
    """

    format: int = declare(help=f"version of the form of the file, {FORMAT}")
    name: str = declare(help="name of the campaign", pattern=r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
    kind: str = declare("scan", help="what is computed at each point", allowed=tuple(KINDS))
    refused: str = declare(
        "error",
        help="what becomes of points that cannot be computed",
        allowed=("error", "leave-out"),
    )
    base: Mapping[str, Any] = field(default_factory=dict)
    axes: tuple[AxisTable, ...] = ()
    options: Any = None

    @property
    def size(self) -> int:
        """How many points there are."""
        return math.prod(len(table) for table in self.axes)

    @property
    def alone(self) -> bool:
        """Whether the keys of the kind say all there is to compute."""
        return self.options is not None and kind_of(self.kind).alone(self.options)

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if self.format != FORMAT:
            yield "format", f"this version reads {FORMAT}, is {self.format}"
        if self.size > MOST_POINTS:
            sizes = " x ".join(str(len(table)) for table in self.axes)
            yield "axes", f"{sizes} are {self.size} points, more than {MOST_POINTS}"

    def plan(self) -> Plan:
        """Return what makes its points."""
        return Plan(self)


class Plan:
    """Makes the points of a campaign one by one; cards are read once.

    Parameters
    ----------
    campaign
        The campaign.
    """

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self._load = lru_cache(maxsize=_CARDS)(load_card)
        self._find = lru_cache(maxsize=_CARDS)(find_mediator)

    def rows(self, number: int) -> list[int]:
        """Return where a point stands on each table of axes; the last varies fastest."""
        found = []
        for table in reversed(self.campaign.axes):
            number, row = divmod(number, len(table))
            found.append(row)
        return found[::-1]

    def values(self, number: int) -> dict[str, Any]:
        """Return what stands on the axes at a point, plain data by key."""
        found: dict[str, Any] = {}
        for table, row in zip(self.campaign.axes, self.rows(number), strict=True):
            found |= table.values(row)
        return found

    def place(self, number: int) -> int:
        """Return the first point whose yields are those of a point, by the keys on the axes.

        Tasks of one place are computed together, since they have the yields in common.
        """
        place = 0
        for table, row in zip(self.campaign.axes, self.rows(number), strict=True):
            place = place * len(table) + (row if table.changes_yields else 0)
        return place

    def point(self, number: int) -> Point:
        """Return a point.

        Raises
        ------
        InputError
            For values that do not go together, as `na64.limits.specify`.
        """
        if self.campaign.alone:
            return Point(number, {}, None)
        words: dict[str, Any] = dict(self.campaign.base)
        settings = dict(words.pop("settings"))
        overrides = list(words.pop("overrides", ()))
        for table, row in zip(self.campaign.axes, self.rows(number), strict=True):
            for change in table.changes(row):
                if change.field == "settings":
                    settings |= [change.value]
                elif change.field == "overrides":
                    overrides += [change.value] if isinstance(change.value, str) else change.value
                else:
                    words[change.field] = change.value
        asked = Asked(**words, overrides=tuple(overrides), settings=settings)
        made = asked.specification(self._load, self._find)
        return Point(number, self.values(number), made, asked.tips)


def load_campaign(path: str | Path) -> Campaign:
    """Return the campaign of a file.

    Parameters
    ----------
    path
        A TOML file. Cards that it names by a path are looked for in its folder.

    Raises
    ------
    InputError
        For a file that cannot be read.
    FileProblemsError
        For a file with problems: all of them.
    """
    return parse_campaign(read_text(path), str(path), folder=Path(path).parent)


def parse_campaign(text: str, where: str, *, folder: Path) -> Campaign:
    """Return the campaign of a TOML text; ``where`` names it in messages."""
    data = parse_toml(text, f"campaign {where}")
    problems: list[Problem] = []
    top = TableReader(data, "", problems, {"folder": str(folder)})
    axes = read_axes(data["axes"], problems, top.names) if top.has("axes") else ()
    name = data.get("kind", "scan")
    kind = KINDS.get(name) if isinstance(name, str) else None
    options = None if kind is None else _options(top, kind)
    if kind is not None and options is not None and kind.alone(options):
        base = {}
        for key in ("base", "axes"):
            if top.has(key):
                top.problem(key, f"says nothing here: the table '{kind.name}' has it all")
    else:
        base = _base(top, _keys_of(data.get("axes")))
    made = top.record(
        Campaign,
        special={
            "base": lambda _: base,
            "axes": lambda _: axes,
            "options": lambda _: options,
        },
    )
    return top.result(made, "campaign", where)


def _keys_of(axes: object) -> list[str]:
    """Return the keys that stand on axes, sound or not."""
    tables = axes if isinstance(axes, list) else []
    return [key for table in tables if isinstance(table, Mapping) for key in table]


def _base(top: TableReader, taken: Sequence[str]) -> dict[str, Any]:
    table = top.table("base", needed=False)
    if table is None:
        table = TableReader({}, "base", top.problems, top.names)
    return base_values(table, taken)


def _options(top: TableReader, kind: TaskKind) -> Any:
    """Return the keys of a kind, from the table of its name."""
    if kind.keys is None:
        return None
    table = top.table(kind.name, needed=False)
    if table is None:
        table = TableReader({}, kind.name, top.problems, top.names)
    return table.record(kind.keys)
