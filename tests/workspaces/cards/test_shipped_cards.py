"""Every shipped card can be scanned as it stands, with its own mediator, masses, dark sector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from na64.limits import scan
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.workspaces.cards.reader import available_cards, load_card


@pytest.mark.parametrize("name", available_cards())
def test_without_options(name: str) -> None:
    grid = load_card(name).masses
    masses = np.geomspace(grid.low_gev, grid.high_gev, min(grid.points, 3))
    found = scan(name, masses_gev=masses, method="asymptotic")
    assert {status.value for status in found.status} <= {"ok", "no-exclusion"}
    assert "ok" in [status.value for status in found.status]


def test_the_dark_sector_of_the_card_and_another() -> None:
    def sector(**words: Any) -> DarkSector | None:
        name = "na64e-semi-visible-2016-2018"
        return scan(name, masses_gev=[0.05], method="asymptotic", **words).specification.dark_sector

    told = sector()
    assert told == DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.4)
    # the card's for what is not named
    assert sector(ratio=4.0) == DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 4.0, 0.4)
