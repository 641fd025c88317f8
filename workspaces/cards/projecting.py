"""Changes that leave data behind: what was counted belongs to the experiment that was there.

Events that were observed with some exposure, beam, target and window say nothing on what another
exposure or another cut would have shown. The keys of which that holds are declared with
``measured``; everything else (efficiencies, backgrounds, uncertainties) is what is known of the
experiment, and a change of it analyses the same data again. A card of which a measured key was
changed is a projection, unless the observation was set with it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from na64.models.declaration import Declared, declared
from na64.models.errors import InputError
from na64.workspaces.cards.bins import Bin
from na64.workspaces.cards.card import RunCard, Setup

__all__ = ["left_behind", "measured_keys", "projected"]

#: reads the content of a card, or raises InputError
Reader = Callable[[Mapping[str, object]], RunCard]


def measured_keys() -> Iterator[tuple[type, Declared]]:
    """Yield the declarations of what was measured, with the table that each is in."""
    for cls in (RunCard, Setup, Bin):
        for item in declared(cls):
            if item.key.measured:
                yield cls, item


def _measured(card: RunCard, counted: Bin) -> dict[str, Any]:
    """Return by key what the events of a bin were counted with."""
    tables = {RunCard: card, Setup: card.setups[counted.setup], Bin: counted}
    return {item.name: _number(getattr(tables[cls], item.field)) for cls, item in measured_keys()}


def _number(value: Any) -> Any:
    """Return the number of a table that has one; its uncertainty and source are knowledge."""
    if not is_dataclass(value):
        return value
    cls: type = type(value)
    main = [item.field for item in declared(cls) if item.key.main]
    return getattr(value, main[0]) if main else value


def left_behind(before: RunCard, after: RunCard) -> tuple[dict[str, list[str]], list[str]]:
    """Compare two states of a card.

    Parameters
    ----------
    before, after
        The card, and what was made of it.

    Returns
    -------
    tuple
        Names of bins whose observation was kept though it was counted with something else, by
        the key that changed; and the names of those whose observation was set as well.
    """
    old = {item.name: item for item in before.bins}
    lost: dict[str, list[str]] = {}
    told = []
    for item in after.bins:
        was = old.get(item.name)
        if item.observation is None:
            continue
        if was is None or item.observation != was.observation:
            told.append(item.name)
            continue
        now, then = _measured(after, item), _measured(before, was)
        if item.observation.value == 0 and _is_within(item.edges_gev, was.edges_gev):
            then["edges_gev"] = item.edges_gev  # where nothing was seen there is nothing in a part
        for key in now:
            if now[key] != then[key]:
                lost.setdefault(key, []).append(item.name)
    return lost, told


def _is_within(edges: Sequence[float], outer: Sequence[float]) -> bool:
    """Tell whether edges are inside others, or inside the window where there are none."""
    if not (edges and outer):
        return not outer
    return outer[0] <= edges[0] and edges[-1] <= outer[-1]


def projected(
    content: Mapping[str, object], before: Mapping[str, object], read: Reader, what: str
) -> dict[str, object]:
    """Return the content of a changed card, made a projection if its data were left behind.

    Parameters
    ----------
    content, before
        Content of the card after and before the change.
    read
        Reads such a content. What cannot be read before the change is no experiment yet: then
        the change describes it. What cannot be read after it is returned as it is, for the reader
        to report.
    what
        Says in messages what made the change: ``settings``.

    Raises
    ------
    InputError
        If an observation was set, but not those of all bins whose data were left behind: neither
        the data nor a projection.
    """
    if content.get("projection") is True:  # what is observed all the same is for the reader
        return _without_data(content, before)
    try:
        after, old = read(content), read(before)
    except InputError:
        return dict(content)
    lost, told = left_behind(old, after)
    if not lost:
        return dict(content)
    words = [f"{key} of {_bins(names, after)}" for key, names in lost.items()]
    if told:
        missing = _bins([name for names in lost.values() for name in names], after)
        raise InputError(
            f"run card {after.name}: the {what} change {', '.join(words)} and observe bin "
            f"{', '.join(told)}: give observed of {missing} as well, or observed of none for a "
            "projection"
        )
    earlier = content.get("projected")
    reasons = [*(earlier if isinstance(earlier, list) else []), *words]
    return {**_without_data(content, before), "projection": True, "projected": reasons}


def _bins(names: list[str], card: RunCard) -> str:
    distinct = list(dict.fromkeys(names))
    if len(distinct) == len(card.bins):
        return "all bins"
    return f"bin{'s' if len(distinct) > 1 else ''} {', '.join(distinct)}"


def _without_data(content: Mapping[str, object], before: Mapping[str, object]) -> dict[str, object]:
    """Return the content of a card without the observations that it had before."""
    result = copy.deepcopy(dict(content))
    old = {item.get("name"): item.get("observed") for item in _tables_in(before)}
    for item in _tables_in(result):
        if "observed" in item and item["observed"] == old.get(item.get("name")):
            del item["observed"]
    return result


def _tables_in(content: Mapping[str, object]) -> list[dict[str, Any]]:
    bins = content.get("bins")
    return [item for item in bins if isinstance(item, dict)] if isinstance(bins, list) else []
