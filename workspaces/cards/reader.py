"""Run cards from TOML or JSON: every problem of a card in one error."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import cast

from na64.models.errors import InputError, unknown_name
from na64.workspaces.cards.card import (
    DEFAULT_SETUP,
    FORMAT,
    Background,
    Bin,
    MassGrid,
    RunCard,
    Setup,
    Uncertainty,
)
from na64.workspaces.cards.fields import Problems, TableReader
from na64.workspaces.cards.overrides import apply_overrides
from na64.workspaces.cards.quantity import MassTable, Quantity
from na64.workspaces.cards.setups import read_setups
from na64.workspaces.cards.spectrum import read_background_spectrum
from na64.workspaces.cards.topologies import TOPOLOGIES, Topology
from na64.workspaces.io import jsonio
from na64.workspaces.io.toml import parse_toml

__all__ = ["available_cards", "card_text", "load_card", "parse_card"]

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.+-]*"
#: bins and setups are parts of paths, so their names have no dot
_PART_NAME = r"[A-Za-z0-9][A-Za-z0-9_+-]*"
#: as in "NA64e 2016, invisible decays, 4.3e10 electrons on target"
_QUOTED_EXPOSURE = re.compile(r",? \d[\d.]*e\d+ (\w+ )?on target")
#: so many settings are told in the title
_TOLD_SETTINGS = 2
#: names that pyhf or the workspaces give a meaning of their own
_RESERVED_NUISANCES = ("mu", "lumi")


@cache
def available_cards() -> tuple[str, ...]:
    """Return the names of the cards shipped with the project, sorted."""
    folder = resources.files("na64.workspaces") / "cards"
    names = (Path(item.name) for item in folder.iterdir())
    return tuple(sorted(path.stem for path in names if path.suffix == ".toml"))


def card_text(name: str) -> str:
    """Return the text of a shipped card.

    Raises
    ------
    InputError
        For a name that no shipped card has.
    """
    if name not in available_cards():
        raise unknown_name("search", name, available_cards())
    file = resources.files("na64.workspaces") / "cards" / f"{name}.toml"
    return file.read_text(encoding="utf-8")


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
    if name in available_cards():
        return parse_card(card_text(name), name, overrides=overrides)
    if not Path(name).suffix and Path(name).name == name and not Path(name).exists():
        raise unknown_name("search", name, available_cards())
    return parse_card(
        jsonio.read_text(name), name, overrides=overrides, json=Path(name).suffix == ".json"
    )


def parse_card(
    text: str, where: str, *, overrides: Iterable[str] = (), json: bool = False
) -> RunCard:
    """Return the run card of a text.

    Parameters
    ----------
    text
        TOML, or JSON if ``json`` is True.
    where
        Name of the file, for messages.
    overrides
        Settings as in `load_card`.
    """
    if json:
        data = jsonio.parse_json(text, where)
        if not isinstance(data, dict):
            raise InputError(f"run card {where}: must be a table at the top")
    else:
        data = parse_toml(text, f"run card {where}")
    settings = tuple(overrides)
    problems = Problems()
    card = _read_card(apply_overrides(data, settings), settings, problems)
    problems.raise_if_any("run card", where)
    return cast(RunCard, card)


def _read_card(
    data: Mapping[str, object], settings: tuple[str, ...], problems: Problems
) -> RunCard | None:
    top = TableReader(data, "", problems)
    if top.integer("format", default=FORMAT) != FORMAT:
        top.problem("format", f"this version reads format {FORMAT}")
    name = top.text("name", pattern=_NAME)
    title = _retitled(top.text("title", default=name), settings)
    topology_name = top.text("topology", allowed=TOPOLOGIES)
    topology = TOPOLOGIES.get(topology_name)
    mass_parameter = top.text(
        "mass_parameter", default=topology.mass_parameter if topology else "mass"
    )
    references = top.texts("references", default=())
    earlier = top.texts("overrides", default=())
    projection = _flag(top, "projection")
    model, masses = _read_defaults(top)
    setups = read_setups(top, topology, _PART_NAME)
    bins = _read_bins(top, topology, setups, projection)
    uncertainties = _read_uncertainties(top, topology, [item.name for item in bins])
    spectrum = read_background_spectrum(top)
    top.finish()
    return top.build(
        RunCard,
        name=name,
        title=title,
        topology=topology_name,
        mass_parameter=mass_parameter,
        references=references,
        model=model,
        masses=masses,
        projection=projection,
        setups=setups,
        bins=bins,
        uncertainties=uncertainties,
        overrides=(*earlier, *settings),
        background_spectrum=spectrum,
    )


def _retitled(title: str, settings: Sequence[str]) -> str:
    """Say in a title what was set, and no longer in it an exposure that this may have changed."""
    changed = [setting.partition("=")[0].strip(" *") for setting in settings]
    if not changed or "title" in changed:
        return title
    if any(path.endswith(("exposure", "exposure.value")) for path in changed):
        title = _QUOTED_EXPOSURE.sub("", title)
    shown = ", ".join(setting.strip() for setting in settings[:_TOLD_SETTINGS])
    more = len(settings) - _TOLD_SETTINGS
    return f"{title}, with {shown}" + (f" and {more} more" if more > 0 else "")


def _flag(reader: TableReader, key: str) -> bool:
    value = reader.data[key] if reader.has(key) else False
    if not isinstance(value, bool):
        reader.problem(key, "must be true or false")
        return False
    return value


def _read_defaults(top: TableReader) -> tuple[str, MassGrid | None]:
    reader = top.table("defaults")
    if reader is None:
        return "", None
    model = reader.text("model")
    masses = None
    grid = reader.table("masses")
    if grid is not None:
        low = grid.number("low_gev", positive=True)
        high = grid.number("high_gev", positive=True)
        points = grid.integer("points", at_least=1)
        if low >= high:
            grid.problem("high_gev", f"must be above low_gev = {low:g}, is {high:g}")
        grid.finish()
        masses = MassGrid(low, high, points)
    reader.finish()
    return model, masses


def _read_bins(
    top: TableReader,
    topology: Topology | None,
    setups: Mapping[str, Setup | None],
    projection: bool,
) -> tuple[Bin, ...]:
    bins: list[Bin] = []
    names: dict[str, str] = {}
    for reader in top.tables("bins"):
        name = reader.text("name", pattern=_PART_NAME)
        if name in names:
            reader.problem("name", f"'{name}' is the name of {names[name]} already")
        elif name:
            names[name] = reader.path
        item = _read_bin(reader, name, topology, setups, projection)
        if item is not None:
            bins.append(item)
    return tuple(bins)


def _read_bin(
    reader: TableReader,
    name: str,
    topology: Topology | None,
    setups: Mapping[str, Setup | None],
    projection: bool,
) -> Bin | None:
    period = reader.text("period", default=name)
    setup = reader.text("setup", default=DEFAULT_SETUP, allowed=setups)
    regions = topology.regions if topology else ()
    only = regions[0] if len(regions) == 1 else None
    if topology:
        region = reader.text("region", default=only, allowed=regions)
    else:
        region = reader.text("region", default="unknown")
    exposure = _read_quantity(reader, "exposure", positive=True)
    efficiency = _read_efficiency(reader)
    correction = _read_correction(reader, efficiency)
    backgrounds = _read_backgrounds(reader)
    observation, observation_source = _read_observation(reader, projection)
    reader.finish()
    return reader.build(
        Bin,
        name=name,
        period=period,
        setup=setup,
        region=region,
        exposure=exposure,
        efficiency=efficiency,
        backgrounds=backgrounds,
        observation=observation,
        observation_source=observation_source,
        efficiency_correction=correction,
    )


def _read_observation(reader: TableReader, projection: bool) -> tuple[int | None, str]:
    if projection:
        if reader.has("observed"):
            reader.problem("observed", "a projection has no data; remove it, or projection = true")
        return None, ""
    table = _sourced(reader, "observed")
    if table is None:
        return None, ""
    observed = table.integer("value")
    source = table.text("source")
    table.finish()
    return observed, source


def _sourced(reader: TableReader, key: str) -> TableReader | None:
    """Return the table of a number; a bare number gets a message of its own."""
    if reader.has(key) and isinstance(reader.data[key], (int, float, str)):
        value = reader.data[key]
        reader.problem(
            key,
            f'every number needs its source: write {key} = {{ value = {value}, source = "..." }}',
        )
        return None
    return reader.table(key)


def _read_quantity(
    reader: TableReader, key: str, *, positive: bool = False, at_most: float | None = None
) -> Quantity | None:
    table = _sourced(reader, key)
    if table is None:
        return None
    quantity = _quantity_of(table, positive=positive, at_most=at_most)
    table.finish()
    return quantity


def _quantity_of(
    table: TableReader, *, positive: bool = False, at_most: float | None = None
) -> Quantity | None:
    value = table.number("value", positive=positive, at_most=at_most)
    relative = table.has("relative_uncertainty")
    if relative and table.has("uncertainty"):
        table.problem("uncertainty", "give uncertainty or relative_uncertainty, not both")
    if relative:
        uncertainty = value * table.number("relative_uncertainty")
    else:
        uncertainty = table.number("uncertainty", default=0.0)
    return table.build(Quantity, value, uncertainty, table.text("source"), _read_correlation(table))


def _read_correlation(table: TableReader) -> str | None:
    if not table.has("correlation"):
        return None
    return _nuisance_name(table, "correlation")


def _nuisance_name(table: TableReader, key: str) -> str:
    name = table.text(key, pattern=_NAME)
    if name in _RESERVED_NUISANCES:
        table.problem(key, f"'{name}' is reserved; choose another name")
    return name


def _read_efficiency(reader: TableReader) -> Quantity | MassTable | None:
    table = _sourced(reader, "efficiency")
    if table is None:
        return None
    result: Quantity | MassTable | None
    if table.has("masses_gev") or table.has("values"):
        masses = table.numbers("masses_gev", positive=True)
        values = table.numbers("values")
        for index, value in enumerate(values):
            if value > 1.0:
                table.problem(f"values[{index}]", f"must be at most 1, is {value:g}")
        relative = table.number("relative_uncertainty", default=0.0)
        result = table.build(
            MassTable, masses, values, relative, table.text("source"), _read_correlation(table)
        )
    else:
        result = _quantity_of(table, positive=True, at_most=1.0)
    table.finish()
    return result


def _read_correction(
    reader: TableReader, efficiency: Quantity | MassTable | None
) -> Quantity | None:
    if not reader.has("efficiency_correction"):
        return None
    correction = _read_quantity(reader, "efficiency_correction", positive=True)
    if correction is not None and efficiency is not None:
        values = efficiency.values if isinstance(efficiency, MassTable) else (efficiency.value,)
        largest = correction.value * max(values)
        if largest > 1.0:
            message = f"efficiency times correction must be at most 1, is {largest:g}"
            reader.problem("efficiency_correction", message)
    return correction


def _read_backgrounds(reader: TableReader) -> tuple[Background, ...]:
    if reader.has("background") and reader.has("backgrounds"):
        reader.problem("backgrounds", "give background (the total) or backgrounds, not both")
        return ()
    if reader.has("background"):
        total = _read_quantity(reader, "background")
        return () if total is None else (Background("background", total),)
    if not reader.has("backgrounds"):
        reader.problem(
            "background",
            "missing; give the total, background = { value = ..., source = ... }, or one "
            f"[[{reader.at('backgrounds')}]] per source (a bin without any says so: value = 0)",
        )
        return ()
    backgrounds: dict[str, Background] = {}
    for table in reader.tables("backgrounds"):
        name = table.text("name", pattern=_NAME)
        if name.startswith("signal"):
            table.problem("name", f"'{name}' is not allowed: names in signal* are the signal's")
        if name in backgrounds:
            table.problem("name", f"'{name}' is the name of another background of this bin")
        events = _quantity_of(table)
        table.finish()
        if events is not None:
            backgrounds[name] = Background(name, events)
    return tuple(backgrounds.values())


def _read_uncertainties(
    top: TableReader, topology: Topology | None, bins: list[str]
) -> tuple[Uncertainty, ...]:
    result = []
    for table in top.tables("uncertainties", required=False):
        name = _nuisance_name(table, "name")
        relative = table.number("relative_uncertainty", positive=True)
        source = table.text("source")
        processes = table.texts(
            "processes", default=(), allowed=topology.processes if topology else None
        )
        names = table.texts("bins", default=(), allowed=bins)
        table.finish()
        item = table.build(Uncertainty, name, relative, source, processes, names)
        if item is not None and not math.isnan(relative):
            result.append(item)
    return tuple(result)
