"""The page for a result: its controls stand where the result was computed."""

from __future__ import annotations

from typing import Any

import pytest

from na64.limits import combine, scan, specify
from na64.limits.explore.opening import state_of
from na64.limits.explore.state import State
from na64.models.errors import InputError
from tests.shared import toy_limit

OPTIONS: dict[str, Any] = {"masses_gev": [0.1], "method": "asymptotic"}


def test_settings_of_a_result_are_those_of_the_controls() -> None:
    made = specify(
        "na64e-2016", dark_matter="scalar", alpha_d=0.5, confidence_level=0.95, **OPTIONS
    )
    assert state_of(toy_limit(made), "a.json") == State(
        "na64e-2016", dark_matter="scalar", alpha_d=0.5, ratio=3.0, confidence_level=0.95
    )
    boson = specify("na64e-2016", model="b-minus-l", **OPTIONS)
    assert state_of(toy_limit(boson), "a.json") == State(
        "na64e-2016", model="b-minus-l", dark_matter="none"
    )
    assert state_of(scan("na64e-2016", **OPTIONS).to_plane("y"), "a.json").plane == "y"


def test_other_cards_and_combinations_are_refused() -> None:
    changed = specify("na64e-2016", overrides=["bins.*.exposure*=2"], **OPTIONS)
    with pytest.raises(InputError, match=r"^a\.json: was computed from a card that is not the"):
        state_of(toy_limit(changed), "a.json")
    both = combine(["na64e-2016", "na64mu-2022"], model="dark-photon", **OPTIONS)
    with pytest.raises(InputError, match="the page has one search"):
        state_of(both, "a.json")
