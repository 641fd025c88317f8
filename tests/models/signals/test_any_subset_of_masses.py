"""Signal rates of a mass are the same bits alone, in any company, and from a table on disk."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from na64.limits.scanning.grids import log_grid
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.models.production.process import best_approximation
from na64.models.signals import decay_in_flight
from na64.models.signals.rates import TableStore
from na64.models.signals.settings import SignalSettings
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import load_card
from na64.workspaces.io.cache import TableCache

CARDS = sorted(
    Path(entry.name).stem
    for entry in (files("na64.workspaces") / "cards").iterdir()
    if entry.name.endswith(".toml")
)
# what else a signal is made of: other kinds, neutrinos, loops, radiation
OTHERS = (
    ("na64e-positron-2022", "axial"),
    ("na64e-positron-2022", "b-minus-l"),
    ("na64e-2016", "l-mu-l-tau"),
    ("na64e-visible-1e12", "pseudoscalar"),
    ("na64e-visible-1e12", "b-minus-l"),
    ("na64mu-2022", "l-mu-l-tau"),
    ("na64mu-2022", "scalar"),
)
SPLIT = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.4)


def grid_of(card: RunCard, points: int) -> np.ndarray:
    grid = card.masses
    if grid.points < 5:  # a search for mesons knows no others
        return log_grid(grid.low_gev, grid.high_gev, grid.points)
    return np.geomspace(grid.low_gev, grid.high_gev, points)


def rates(
    card: RunCard,
    model: str,
    masses: np.ndarray,
    settings: SignalSettings,
    tables: TableStore | None = None,
) -> np.ndarray:
    decay_in_flight._flux.cache_clear()
    return signal_rates(card, mediator(model), masses, settings=settings, tables=tables).events


@pytest.mark.parametrize(
    ("name", "model"), [*((name, "") for name in CARDS), *OTHERS], ids=lambda text: text or "own"
)
def test_a_mass_does_not_know_its_neighbours(name: str, model: str, tmp_path: Path) -> None:
    card = load_card(name)
    model = model or card.model
    sector = {"semi-visible": SPLIT}.get(card.topology, DarkSector())
    settings = SignalSettings(
        production=best_approximation(mediator(model).kind),
        dark_sector=None if model in ("b-minus-l", "l-mu-l-tau") else sector,
        initial_state_radiation=model == "axial",
        invisible_branching=0.1,
    )
    masses = grid_of(card, 8)
    tables = TableCache(tmp_path)
    whole = rates(card, model, masses, settings, tables)
    assert np.array_equal(whole, rates(card, model, masses, settings, tables)), "from the table"
    rng = np.random.default_rng(sum(map(ord, name + model)))
    for size in (1, 4):
        some = np.sort(rng.choice(len(masses), min(size, len(masses)), replace=False))
        alone = rates(card, model, masses[some], settings)
        assert np.array_equal(alone, whole[some]), f"masses {some} alone"
