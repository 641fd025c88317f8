"""Windows of decays in flight and mesons: ranges, and what a card says when they do not fit."""

from __future__ import annotations

import pytest

from na64.models.errors import InputError
from na64.models.response.windows import DisplacedWindow, DumpWindow, MesonWindow
from na64.workspaces.cards.reader import card_text, load_card, parse_card
from na64.workspaces.io.problems import FileProblemsError


@pytest.mark.parametrize(
    ("start", "end", "energy", "message"),
    [
        (-1.0, 100.0, 30.0, "decay_start_cm must not be negative"),
        (float("nan"), 100.0, 30.0, "decay_start_cm must be finite"),
        (10.0, 10.0, 30.0, "end beyond its start"),
        (10.0, -5.0, 30.0, "decay_end_cm must be positive"),
        (10.0, float("inf"), 30.0, "decay_end_cm must be finite"),
        (10.0, 100.0, 0.0, "energy_gev must be positive"),
        (10.0, 100.0, float("nan"), "energy_gev must be finite"),
    ],
)
def test_ranges(start: float, end: float, energy: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DumpWindow(start, end, energy)
    with pytest.raises(InputError, match=message):
        DisplacedWindow(start, end, energy, 50.0)
    if message.startswith("energy_gev"):
        with pytest.raises(InputError, match=message):
            DisplacedWindow(start, end, 15.0, energy)


def test_interaction_length() -> None:
    with pytest.raises(InputError, match="interaction_length_cm must be positive"):
        MesonWindow(0.0)


CHANGES = [
    (
        "na64e-visible-2017-2018",
        "decay_start_cm = 36.0",
        "decay_start_cm = 10.0",
        "window.decay_start_cm: must not lie inside the target, which is 14.02 cm long, is 10 cm",
    ),
    (
        "na64e-visible-2017-2018",
        "boson_energy_gev = 75.0",
        "boson_energy_gev = 150.0",
        "setups.x30-150.window.boson_energy_gev: must be below the beam energy of 150 GeV, is 150",
    ),
    (
        "na64e-visible-2017-2018",
        "preshower_energy_gev = 0.5",
        "preshower_energy_gev = 50.0",
        "window.preshower_energy_gev: leaves nothing of the beam energy of 100 GeV above a missing "
        "energy of 50 GeV, is 50",
    ),
    (
        "na64e-alp-2016-2018",
        "decay_start_cm = 147.0",
        "decay_start_cm = -147.0",
        "window.decay_start_cm: must not be negative",
    ),
    (
        "na64e-alp-2016-2018",
        "decay_end_cm = 400.0",
        "decay_end_cm = 100.0",
        "decay volume must end beyond its start at 147 cm, ends at 100.0 cm",
    ),
    (
        "na64e-alp-2016-2018",
        "length_x0 = 40.0",
        "length_x0 = 400.0",
        "window.decay_start_cm: must not lie inside the target",
    ),
    (
        "na64e-visible-2017-2018",
        "length_x0 = 40.0",
        "length_x0 = 4.0",
        "window: the target must absorb the cascade",
    ),
    (
        "na64e-alp-5e12",
        'particle = "e-"',
        'particle = "mu-"',
        "window: this selection is for an e- or e+ beam, not for mu-",
    ),
    (
        "na64e-semi-visible-2016-2018",
        "missing_energy_gev = 50.0",
        "missing_energy_gev = 100.0",
        "window.missing_energy_gev: must be below the beam energy of 100 GeV",
    ),
    (
        "na64h-2022",
        "interaction_length_cm = 33.8",
        "interaction_length_cm = -33.8",
        "window.interaction_length_cm: must be positive, is -33.8",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), CHANGES)
def test_cards_that_do_not_fit(name: str, old: str, new: str, message: str) -> None:
    text = card_text(name)
    assert old in text
    with pytest.raises(FileProblemsError) as caught:
        parse_card(text.replace(old, new, 1), "mine.toml")
    assert message in str(caught.value)


def test_shipped_setups() -> None:
    card = load_card("na64e-visible-2017-2018")
    assert card.used_setups == ("default", "x30", "x30-150")
    assert [card.setups[name].window.decay_start_cm for name in card.used_setups] == [36, 30, 22]
    assert card.setups["x30-150"].beam.energy_gev == 150.0
    assert card.total_exposure == pytest.approx(8.4e10)
