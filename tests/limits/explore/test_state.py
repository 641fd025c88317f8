"""States of the page: addresses, settings, command lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from na64.limits.cli.explore import command_lines
from na64.limits.explore.compute import file_names
from na64.limits.explore.state import State, cut_of
from na64.models.errors import InputError
from na64.workspaces.cards.reader import available_cards, load_card

CARD = "na64e-2016-2022"
numbers = st.floats(1e-6, 1e6)
states = st.builds(
    State,
    search=st.sampled_from(available_cards()),
    model=st.sampled_from(["", "b-minus-l", "scalar"]),
    dark_matter=st.sampled_from(["", "majorana", "none"]),
    alpha_d=st.none() | numbers,
    ratio=st.none() | numbers,
    exposure=numbers,
    background=numbers,
    cut=st.none() | numbers,
    confidence_level=st.floats(0.01, 0.99),
    plane=st.sampled_from(["coupling", "y", "alpha-d"]),
)


@given(states)
def test_an_address_holds_the_state(state) -> None:
    assert State.from_query(state.to_query(), CARD) == state


def test_an_address_says_what_is_not_as_usual() -> None:
    assert State(CARD).to_query() == {"search": CARD}
    assert State(CARD, exposure=2.0, confidence_level=0.95).to_query() == {
        "search": CARD,
        "exposure": "2",
        "cl": "0.95",
    }
    assert State.from_query({}, CARD) == State(CARD)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"exposur": "2"}, r"did you mean 'exposure'\?"),
        ({"exposure": "<script>"}, "exposure in the address must be a number"),
        ({"exposure": "nan"}, "exposure must be positive and finite"),
        ({"cl": "-1"}, "confidence level must be positive"),
        ({"search": "x" * 1000}, "longer than 200 characters"),
    ],
)
def test_what_an_address_may_not_say(query, said) -> None:
    with pytest.raises(InputError, match=said):
        State.from_query(query, CARD)


def test_another_search_has_its_own_model_and_cut() -> None:
    state = State(CARD, model="scalar", cut=60.0, exposure=3.0, plane="y")
    assert state.at(search="ldmx-4gev") == State("ldmx-4gev", exposure=3.0)
    assert state.at(exposure=4.0).model == "scalar"


@pytest.mark.parametrize(
    ("search", "cut"),
    [
        (CARD, ("missing_energy_gev", 50.0, 100.0)),
        ("ldmx-4gev", ("recoil_energy_max_gev", 1.2, 4.0)),
        ("na64h-2022", None),
    ],
)
def test_the_cut_of_a_search(search, cut) -> None:
    assert cut_of(load_card(search)) == cut


def test_settings_on_top_of_a_card() -> None:
    card = load_card(CARD)
    state = State(CARD, exposure=2.0, background=0.5, cut=60.0)
    settings = state.overrides(card)
    changed = load_card(CARD, settings)
    for before, after in zip(card.bins, changed.bins, strict=True):
        assert after.exposure.value == pytest.approx(2.0 * before.exposure.value)
        assert after.expected_background == pytest.approx(0.5 * before.expected_background)
    assert changed.setups["default"].window.missing_energy_gev == 60.0
    with pytest.raises(InputError, match="has no cut on an energy"):
        State("na64h-2022", cut=3.0).overrides(load_card("na64h-2022"))


def test_command_lines() -> None:
    card = load_card(CARD)
    assert command_lines(State(CARD), card) == [
        ["na64-limits", "scan", CARD, "-o", "limit.json", "-o", "limit.csv"],
        ["na64-limits", "plot", "limit.json", "-o", "limit.pdf"],
        ["na64-limits", "card", "resolve", CARD, "-o", "card.toml"],
    ]
    state = State(CARD, "scalar", "majorana", 0.5, 4.0, 2.0, 3.0, 60.0, 0.95, "y")
    scan, plane, plot, resolve = command_lines(state, card)
    own = ["bins.*.exposure*=2", "bins.*.background*=3", "window.missing_energy_gev=60"]
    assert [word for word in scan if "=" in word] == own
    assert [word for word in resolve if "=" in word] == own
    assert scan[3:13] == ["--model", "scalar", "--dark-matter", "majorana", "--alpha-d", "0.5",
                          "--ratio", "4", "--cl", "0.95"]  # fmt: skip
    assert plane[2:5] == ["limit.json", "--plane", "y"]
    assert plot[2] == file_names(state)[".json"] == "limit-y.json"
