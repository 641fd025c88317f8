"""Numbers of run cards: uncertainties, sources, tables in mass."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import InputError
from na64.workspaces.cards.quantity import MassTable, Quantity


def test_relative_uncertainty() -> None:
    assert Quantity(2.0, 0.5, "a table").relative_uncertainty == 0.25
    assert Quantity(0.0, 0.0, "none expected").relative_uncertainty == 0.0


@pytest.mark.parametrize(
    ("value", "uncertainty", "source", "message"),
    [
        (-1.0, 0.0, "x", "value must not be negative, is -1"),
        (math.nan, 0.0, "x", "value must be finite"),
        (1.0, -0.1, "x", "uncertainty must not be negative"),
        (1.0, math.inf, "x", "uncertainty must be finite"),
        (0.0, 0.1, "x", "value of 0 cannot have an uncertainty"),
        (1.0, 0.1, "  ", "source must not be empty"),
    ],
)
def test_refusals(value: float, uncertainty: float, source: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Quantity(value, uncertainty, source)


def test_a_number_is_the_same_at_every_mass() -> None:
    values = Quantity(0.42, 0.0, "x").at(np.ones((2, 3)))
    assert values.shape == (2, 3)
    assert np.all(values == 0.42)


def test_table_is_linear_in_the_logarithm_of_the_mass() -> None:
    table = MassTable((0.01, 0.1, 1.0), (0.5, 0.4, 0.2), 0.1, "x")
    assert table.at(0.1) == pytest.approx(0.4)
    assert table.at(math.sqrt(0.1 * 1.0)) == pytest.approx(0.3)
    assert table.at([[0.01], [1.0]]).shape == (2, 1)


def test_table_ends_at_its_ends() -> None:
    table = MassTable((0.01, 1.0), (0.5, 0.2), 0.0, "x")
    # a grid made from logarithms may miss its ends by a rounding error
    assert table.at(float(np.exp(np.log(0.01)))) == pytest.approx(0.5)
    for mass in (0.0099, 1.01):
        with pytest.raises(InputError, match=r"outside the table, which covers 0.01-1 GeV"):
            table.at([0.1, mass])


@pytest.mark.parametrize(
    ("masses", "values", "message"),
    [
        ((0.1,), (0.5,), "two points or more"),
        ((0.1, 0.1), (0.5, 0.5), "positive and increasing"),
        ((0.2, 0.1), (0.5, 0.5), "positive and increasing"),
        ((0.0, 0.1), (0.5, 0.5), "positive and increasing"),
        ((0.1, 0.2), (0.5,), "2 masses but 1 values"),
        ((0.1, 0.2), (0.5, -0.5), "finite and not negative"),
        ((0.1, 0.2), (0.5, math.nan), "finite and not negative"),
    ],
)
def test_table_refusals(masses: tuple[float, ...], values: tuple[float, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MassTable(masses, values, 0.0, "x")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(1e-4, 1.0), min_size=2, max_size=8, unique=True),
    st.floats(0.0, 1.0),
    st.data(),
)
def test_table_stays_between_its_neighbours(
    masses: list[float], fraction: float, data: st.DataObject
) -> None:
    masses = sorted(masses)
    values = data.draw(st.lists(st.floats(0.0, 1.0), min_size=len(masses), max_size=len(masses)))
    place = data.draw(st.integers(0, len(masses) - 2))
    low, high = masses[place], masses[place + 1]
    mass = min(max(low * (high / low) ** fraction, low), high)
    value = float(MassTable(tuple(masses), tuple(values), 0.0, "x").at(mass))
    around = values[place], values[place + 1]
    assert min(around) - 1e-12 <= value <= max(around) + 1e-12
