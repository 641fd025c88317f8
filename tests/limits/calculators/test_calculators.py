"""The table of calculators: settings that can be written, read, refused and offered as options."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from na64.limits.calculators.registry import (
    CALCULATORS,
    Auto,
    Toys,
    calculator,
    calculator_from_dict,
    described,
)
from na64.models.declaration import declared
from na64.models.errors import InputError


@pytest.mark.parametrize("name", CALCULATORS)
def test_settings_are_declared(name):
    chosen = calculator(name)
    assert chosen == CALCULATORS[name]()
    assert chosen.name == name
    assert chosen.summary
    for item in declared(type(chosen)):
        assert item.key.help.endswith(".")
    assert calculator_from_dict(chosen.to_dict()) == chosen
    assert hash(chosen) == hash(calculator(name))
    assert described(chosen)["method"] == name
    with pytest.raises((FrozenInstanceError, TypeError)):
        chosen.anything = 1  # type: ignore[attr-defined]


@given(
    toys=st.integers(1, 10**6),
    seed=st.integers(0, 2**40),
    ensemble=st.sampled_from(["aux-fixed", "aux-fluctuated"]),
)
def test_round_trip(toys, seed, ensemble):
    chosen = Toys(toys=toys, seed=seed, ensemble=ensemble)
    assert calculator_from_dict(chosen.to_dict()) == chosen
    assert chosen.to_dict() == {"name": "toys", "toys": toys, "seed": seed, "ensemble": ensemble}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "exakt"}, r"statistics: unknown method 'exakt' \(did you mean 'exact'\?\)"),
        (
            {"name": "exact", "toys": 3},
            "'exact' has no setting 'toys'; it belongs to auto, toys",
        ),
        ({"name": "toys", "toy": 3}, r"did you mean 'toys'"),
        ({"name": "toys", "toys": "3"}, "toys must be of type int, is '3'"),
        ({"name": "toys", "toys": True}, "toys must be of type int"),
        ({"name": "toys", "seed": -1}, "seed must not be negative"),
        ({"name": "exact", "tolerance": 2}, "tolerance must be at most 0.1, is 2"),
        ({"name": "feldman-cousins", "max_datasets": 0}, "max_datasets must be 1 or more"),
        ({"seed": 1}, "the name of a method is missing"),
    ],
)
def test_refused(data, message):
    with pytest.raises(InputError, match=message):
        calculator_from_dict(data, "statistics")


def test_default():
    assert calculator() == Auto()


def test_the_table_loads_no_numerics():
    """Help of commands is made from it."""
    code = "import sys, na64.limits.calculators.registry; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
