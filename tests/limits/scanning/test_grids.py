"""Grids from texts, and grids that are finer across a resonance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.scanning.grids import log_grid, parse_grid, refined_grid
from na64.models.errors import InputError


def test_bounds_are_exact_and_steps_equal_in_the_logarithm() -> None:
    grid = parse_grid("0.003:0.7:31")
    assert (grid[0], grid[-1], len(grid)) == (0.003, 0.7, 31)
    np.testing.assert_allclose(np.diff(np.log(grid)), np.log(0.7 / 0.003) / 30, rtol=1e-9)


def test_a_list_is_sorted() -> None:
    np.testing.assert_array_equal(parse_grid("1, 0.1,1e-2"), [0.01, 0.1, 1.0])


@given(st.text(alphabet="0123456789.:,-+einf ", max_size=20))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_grid_or_one_clear_error(text: str) -> None:
    try:
        grid = parse_grid(text)
    except InputError as error:
        message = str(error)
        grid = np.ones(1)
    else:
        message = f"masses '{text}'"
    assert f"masses '{text}'" in message
    assert np.all(np.isfinite(grid) & (grid > 0.0))
    assert np.all(np.diff(grid) > 0.0)


def test_messages_name_what_was_asked_for() -> None:
    with pytest.raises(InputError, match=r"thresholds 'x': 'x' is not a number; thresholds are"):
        parse_grid("x", "thresholds")


def test_without_intervals_the_refined_grid_is_the_plain_one() -> None:
    np.testing.assert_allclose(refined_grid(1e-3, 1.0, 60), log_grid(1e-3, 1.0, 60), rtol=1e-11)


@pytest.mark.parametrize("intervals", [[(0.2, 0.36)], [(0.1, 0.2), (0.15, 0.3)], [(1e-4, 0.01)]])
def test_points_are_denser_inside_the_intervals(intervals: list[tuple[float, float]]) -> None:
    grid = refined_grid(1e-3, 1.0, 200, intervals, density=4.0)
    assert (grid[0], grid[-1], len(grid)) == (1e-3, 1.0, 200)
    steps, middles = np.diff(np.log(grid)), np.sqrt(grid[1:] * grid[:-1])
    # cells that straddle an edge are neither
    inside = np.any([(grid[:-1] >= a) & (grid[1:] <= b) for a, b in intervals], axis=0)
    outside = np.all([(grid[1:] <= a) | (grid[:-1] >= b) for a, b in intervals], axis=0)
    assert inside.any()
    assert outside.any()
    assert len(middles) == 199
    np.testing.assert_allclose(steps[inside], steps[inside][0], rtol=1e-6)
    np.testing.assert_allclose(steps[outside], 4.0 * steps[inside][0], rtol=1e-6)


def test_an_interval_outside_the_grid_changes_nothing() -> None:
    np.testing.assert_allclose(
        refined_grid(1e-3, 1.0, 60, [(2.0, 3.0)]), log_grid(1e-3, 1.0, 60), rtol=1e-11
    )
