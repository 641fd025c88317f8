"""Events between the couplings of a grid: power laws, interpolation, edges."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from na64.limits.scanning.request import specify
from na64.models.errors import InputError
from na64.models.signals.rates import events_at
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.topologies import topology

GRID = np.geomspace(1e-4, 1e-1, 31)
SEMI_VISIBLE: dict[str, Any] = {"dark_matter": "pseudo-dirac", "splitting": 0.4}


def test_power_law() -> None:
    events = np.array([2.0, 5.0]).reshape(2, 1, 1)
    found = events_at(np.array([1.0]), events, [1e-3, 2e-3], 2.0)
    np.testing.assert_allclose(found[:, :, 0], [[2e-6, 8e-6], [5e-6, 20e-6]])


def test_interpolation_of_a_power_is_exact() -> None:
    events = (GRID**3)[None, :, None] * np.array([1.0, 7.0])
    at = np.array([[1e-4, 3.3e-3, 0.1]])
    found = events_at(GRID, events, at, None)
    np.testing.assert_allclose(found[0], at[0, :, None] ** 3 * [1.0, 7.0], rtol=1e-12)


def test_interpolation_of_a_decaying_signal() -> None:
    # eps^2 exp(-L/l) with 25 decay lengths: the error of the events is far below their slope
    grid = np.geomspace(1e-4, 1e-1, 121)
    events = (grid**2 * np.exp(-25.0 * (grid / 1e-2) ** 2))[None, :, None]
    at = 0.99e-2
    found = events_at(grid, events, at, None)[0, 0, 0]
    exact = at**2 * np.exp(-25.0 * 0.99**2)
    assert abs(np.log(found / exact)) / (2.0 * 25.0) < 2e-3


def test_zeros_stay_zero() -> None:
    events = np.where(GRID < 1e-2, GRID, 0.0)[None, :, None]
    found = events_at(GRID, events, [5e-3, 5e-2, float(GRID[-1]), float(GRID[0])], None)[0, :, 0]
    assert found[0] > 0.0
    assert found[1] == found[2] == 0.0
    assert found[3] == pytest.approx(GRID[0])


def test_outside_the_grid() -> None:
    events = np.ones((1, len(GRID), 1))
    with pytest.raises(InputError, match="are tabulated, others"):
        events_at(GRID, events, 1.0, None)
    with pytest.raises(InputError, match="positive"):
        events_at(GRID, events, 0.0, 2.0)


@pytest.mark.parametrize(
    ("name", "masses", "settings"),
    [
        ("na64e-alp-2016-2018", [1e-3, 0.01, 0.05, 0.08], {}),
        ("na64e-alp-2016-2018", [0.01, 0.05], {"invisible_branching": 0.1}),
        ("na64e-visible-2017-2018", [2e-3, 0.01, 0.03], {}),
        ("na64e-semi-visible-2016-2018", [0.02, 0.1, 0.5], SEMI_VISIBLE),
    ],
)
def test_against_direct_evaluation_between_the_nodes(
    name: str, masses: list[float], settings: dict[str, Any]
) -> None:
    made = specify(name, masses_gev=masses, **settings)
    card, chosen = made.cards[0], made.mediator
    rates = signal_rates(card, chosen, masses, settings=made.settings)
    between = np.sqrt(rates.couplings[1:] * rates.couplings[:-1])
    there = functools.partial(topology(card.topology).signal(), couplings=between)
    direct = signal_rates(card, chosen, masses, settings=made.settings, signal=there).events
    found = events_at(rates.couplings, rates.events, between, None)
    # 0.1 event of 1e12 particles on target: far below what any search excludes
    counts = direct > 1e-13
    error = np.abs(found / np.where(counts, direct, 1.0) - 1.0) * counts
    assert counts.any(axis=(1, 2, 3)).all()
    assert error[:, 2:-2].max() < 1e-5
    assert error.max() < 2e-3


def test_monotone_where_the_nodes_are() -> None:
    # a kink: slopes of quartics alone would overshoot
    grid = np.geomspace(1e-3, 1.0, 13)
    events = np.where(grid < 0.03, grid, 0.03 * (grid / 0.03) ** 1e-3)
    fine = np.geomspace(1e-3, 1.0, 1001)
    found = events_at(grid, events[None, :], fine, None)[0]
    assert np.all(np.diff(found) >= -1e-15)


def test_the_top_of_a_peak_may_lie_between_nodes() -> None:
    grid = np.geomspace(1e-2, 1.0, 81)
    at = float(np.sqrt(grid[40] * grid[41]))
    events = np.exp(-0.5 * np.log(grid / at) ** 2)[None, :]
    assert events_at(grid, events, at, None)[0, 0] == pytest.approx(1.0, rel=1e-9)


def test_curves_of_some_masses_are_those_of_all() -> None:
    events = GRID ** np.linspace(1.0, 4.0, 7)[:, None, None] * np.exp(-GRID / 0.03)
    events = np.moveaxis(events, 1, 2)
    at = np.geomspace(1.1e-4, 0.09, 50)
    whole = events_at(GRID, events, at, None)
    for rows in ([3], [0, 6], [1, 2, 5]):
        np.testing.assert_array_equal(events_at(GRID, events[rows], at, None), whole[rows])
