"""Run cards from TOML or JSON: every problem of a card in one error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from na64.models.errors import InputError
from na64.workspaces.cards.card import Defaults, MassGrid, RunCard
from na64.workspaces.cards.extending import EXTENDS, extended
from na64.workspaces.cards.materials import known_materials
from na64.workspaces.cards.overrides import apply_overrides
from na64.workspaces.cards.projecting import projected
from na64.workspaces.cards.setups import read_setups
from na64.workspaces.cards.simulation_files import READER, Reader, beside, file_reader
from na64.workspaces.cards.topologies import TOPOLOGIES, Topology
from na64.workspaces.io import reading
from na64.workspaces.io.problems import Problem
from na64.workspaces.io.shipped import shipped, shipped_or_file, shipped_text
from na64.workspaces.io.tables import TableReader
from na64.workspaces.io.toml import parse_toml

__all__ = ["available_cards", "card_text", "load_card", "parse_card", "searches_for"]

#: as in "NA64e 2016, invisible decays, 4.3e10 electrons on target"
_QUOTED_EXPOSURE = re.compile(r",? \d[\d.]*e\d+ (\w+ )?on target")
#: so many settings are told in the title
_TOLD_SETTINGS = 2


def available_cards() -> tuple[str, ...]:
    """Return the names of the cards shipped with the project, sorted."""
    return shipped("cards")


def card_text(name: str) -> str:
    """Return the text of a shipped card.

    Raises
    ------
    InputError
        For a name that no shipped card has.
    """
    return shipped_text("search", "cards", name)


def load_card(name_or_path: str | Path, overrides: Iterable[str] = ()) -> RunCard:
    """Return a run card.

    Parameters
    ----------
    name_or_path
        Name of a shipped card, or a file ``*.toml`` or ``*.json``.
    overrides
        Settings ``path=value`` on top of the file, see
        `na64.workspaces.cards.overrides.apply_overrides`.

    Raises
    ------
    InputError
        For an unknown name, a file that cannot be read, a setting whose path does not exist.
    FileProblemsError
        For a card with problems: all of them.
    """
    name = str(name_or_path)
    if not name.strip():
        raise InputError("no search is named: give the name of a card, or a file")
    text = shipped_or_file("search", "cards", name)
    return parse_card(text, name, overrides=overrides, json=Path(name).suffix == ".json")


def searches_for(model: str) -> tuple[str, ...]:
    """Return the names of the shipped cards of searches for a mediator."""
    return tuple(name for name in available_cards() if load_card(name).model == model)


def parse_card(
    text: str,
    where: str,
    *,
    overrides: Iterable[str] = (),
    json: bool = False,
    files: bool = True,
) -> RunCard:
    """Return the run card of a text.

    Parameters
    ----------
    text
        TOML, or JSON if ``json`` is True.
    where
        Name of the file, for messages; a base that is a file is looked for in its folder.
    overrides
        Settings as in `load_card`. They act on the card with its base filled in.
    files
        Whether the card may name files of simulations, beside itself, whose numbers are put into
        it; a card inside of a result may not.

    Settings, and tables of a card that extends another one, that change what data were taken with
    make a projection; see `na64.workspaces.cards.projecting`.
    """
    data, base = extended(_content(text, where, json), where, _base_content)
    place = f"{where} (with what it takes from {base[0]})" if base else where

    simulations = file_reader() if files else None

    def read(content: Mapping[str, object]) -> RunCard:
        return _read_card(content, place, simulations)

    if base and data.get("projection") is not True:
        data = projected(data, base[1], read, f"tables of {where}")
    settings = tuple(overrides)
    changed = apply_overrides(data, settings)
    if EXTENDS in changed:
        raise InputError(f"run card {where}: {EXTENDS} belongs to the file and cannot be set")
    if not settings:
        return read(changed)
    card = read(projected(changed, data, read, "settings"))
    return replace(
        card,
        title=_retitled(card.title, settings, card.projection and not data.get("projection")),
        overrides=(*card.overrides, *settings),
    )


def _content(text: str, where: str, json: bool) -> Mapping[str, object]:
    data = reading.parse_json(text, where) if json else parse_toml(text, f"run card {where}")
    if not isinstance(data, dict):
        raise InputError(f"run card {where}: must be a table at the top")
    return _with_files_beside(data, Path(where).parent)


def _with_files_beside(data: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    """Return the content of a card whose files of simulations are found from where it is."""
    bins = data.get("bins")
    if not isinstance(bins, list):
        return data
    found = [
        {key: beside(value, folder) for key, value in item.items()}
        if isinstance(item, dict)
        else item
        for item in bins
    ]
    return {**data, "bins": found}


def _base_content(name: str) -> Mapping[str, object]:
    """Return the content of a card to be extended, which must be sound if it stands alone."""
    data = _content(shipped_or_file("search", "cards", name), name, Path(name).suffix == ".json")
    if EXTENDS not in data:
        _read_card(data, name, file_reader())
    return data


def _read_card(data: Mapping[str, object], where: str, simulations: Reader | None) -> RunCard:
    topology = TOPOLOGIES.get(str(data.get("topology")))
    names = _names_of(topology)
    names["projection"] = data.get("projection") is True
    names[READER] = simulations
    problems: list[Problem] = []
    top = TableReader(data, "", problems, names)

    def setups(values: Mapping[str, Any]) -> dict[str, Any]:
        names["materials"] = known_materials(values["materials"])
        names["setups"] = found = read_setups(top, topology)
        return found

    return top.result(top.record(RunCard, special={"setups": setups}), "run card", where)


def _names_of(topology: Topology | None) -> dict[str, Any]:
    """Return what the declarations of a card may refer to and a topology decides."""
    if topology is None:  # which is reported itself
        unknown: dict[str, Any] = dict.fromkeys(("model", "mass_parameter", "region"), "unknown")
        return {**unknown, "masses": None, "defaults": None}
    masses = MassGrid(*topology.masses)
    names = {
        "mass_parameter": topology.mass_parameter,
        "model": topology.model,
        "masses": masses,
        "defaults": Defaults(topology.model, masses),
        "regions": topology.regions,
        "processes": topology.processes,
    }
    if len(topology.regions) == 1:
        names["region"] = topology.regions[0]
    return names


def _retitled(title: str, settings: Sequence[str], projection: bool) -> str:
    """Say in a title what was set, and no longer in it an exposure that this may have changed.

    Whether it made a projection is said as well.
    """
    changed = [setting.partition("=")[0].strip(" *") for setting in settings]
    if not changed or "title" in changed:
        return title
    if any(path.endswith(("exposure", "exposure.value")) for path in changed):
        title = _QUOTED_EXPOSURE.sub("", title)
    shown = ", ".join(setting.strip() for setting in settings[:_TOLD_SETTINGS])
    more = len(settings) - _TOLD_SETTINGS
    return f"{title}{' (projection)' if projection else ''}, with {shown}" + (
        f" and {more} more" if more > 0 else ""
    )
