"""Settings of signals: declared once, checked, written as data and read back."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.declaration import declared
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.signals.settings import SignalSettings, uses
from na64.workspaces.cards.topologies import TOPOLOGIES

sectors = st.builds(
    DarkSector,
    st.sampled_from(DarkMatter),
    st.floats(1e-6, 12.0),
    st.floats(2.1, 100.0),
) | st.builds(
    DarkSector,
    st.just(DarkMatter.PSEUDO_DIRAC),
    st.floats(1e-6, 12.0),
    st.floats(4.0, 100.0),
    st.floats(0.0, 1.9),
)
signal_settings = st.builds(
    SignalSettings,
    production=st.sampled_from(["etl", "ww", "iww"]),
    annihilation=st.booleans(),
    inelastic=st.booleans(),
    initial_state_radiation=st.booleans(),
    bound_electrons=st.booleans(),
    primary_positrons=st.booleans(),
    invisible_branching=st.just(0.0) | st.floats(1e-99, 1.0),
    dark_sector=st.none() | sectors,
)


@given(made=signal_settings)
@settings(max_examples=200, deadline=None)
def test_settings_come_back_from_data(made: SignalSettings) -> None:
    data = json.loads(json.dumps(made.to_dict()))
    assert SignalSettings.from_dict(data) == made
    # what is at its default may be left out
    default = SignalSettings().to_dict()
    short = {key: value for key, value in data.items() if value != default[key]}
    assert SignalSettings.from_dict(short) == made


def test_every_setting_is_declared_once() -> None:
    items = [item for kind in (SignalSettings, DarkSector) for item in declared(kind)]
    items = [item for item in items if item.name != "dark_sector"]
    options = [item.option for item in items]
    assert len(options) == len(set(options)) == 11
    for item in items:
        assert item.key.help.endswith(".")
        assert len(item.key.help) < 100
        assert item.option == item.option.lower().strip("-")
    assert {*SignalSettings().to_dict()} == {item.name for item in declared(SignalSettings)}


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_every_signal_declares_what_it_uses(name: str) -> None:
    used = uses(TOPOLOGIES[name].signal())
    assert used <= set(SignalSettings().to_dict())
    invisible = ("missing-energy", "missing-momentum", "muon", "semi-visible")
    assert ("dark_sector" in used) == (name in invisible)


def test_a_signal_that_declares_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="does not declare in USES"):
        uses(test_every_setting_is_declared_once)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"production": "wwi"}, r"unknown production 'wwi' .*allowed: etl, iww, ww"),
        ({"production": 1}, "unknown production '1'"),
        ({"annihilation": "yes"}, "annihilation must be true or false, is 'yes'"),
        ({"annihilation": 1}, "annihilation must be true or false, is 1"),
        ({"invisible_branching": 1.5}, "invisible_branching must be at most 1, is 1.5"),
        ({"invisible_branching": math.nan}, "invisible_branching must be finite, is nan"),
        ({"invisible_branching": True}, "invisible_branching must be a number, is True"),
        ({"dark_sector": "dirac"}, "dark sector must be a DarkSector or None"),
    ],
)
def test_bad_settings(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SignalSettings(**changes)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "scan.signal must be a table, is list"),
        ({"anihilation": True}, "scan.signal: unknown setting 'anihilation' .*'annihilation'"),
        ({"production": "wwi"}, "scan.signal: unknown production 'wwi'"),
        ({"production": ["ww"]}, "scan.signal: unknown production"),
        ({"dark_sector": 1}, "scan.signal.dark_sector must be a table, is int"),
        ({"dark_sector": {"species": "axion"}}, "scan.signal.dark_sector: unknown dark matter"),
        ({"dark_sector": {"species": []}}, "scan.signal.dark_sector: unknown dark matter"),
        ({"dark_sector": {"alpha_d": "x"}}, "scan.signal.dark_sector: alpha_d must be a number"),
        ({"dark_sector": {"ratio": 1.5}}, "scan.signal.dark_sector: mass ratio .* above 2"),
        ({"dark_sector": {"alpha": 1}}, "scan.signal.dark_sector: unknown setting .*'alpha_d'"),
    ],
)
def test_bad_data_are_refused_with_their_path(data: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SignalSettings.from_dict(data, "scan.signal")
