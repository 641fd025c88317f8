"""Events between the couplings of a grid: power laws, interpolation, edges."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.signals.rates import events_at

GRID = np.geomspace(1e-4, 1e-1, 31)


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
