"""Contours between scattered points: exact where they must be, and honest about where they end."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.scanning.contours import UnitSquare, exclusion_contours, hull, interpolated
from na64.models.errors import InputError


def scattered(count: int = 60, seed: int = 1) -> np.ndarray:
    corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    return np.vstack([corners, np.random.default_rng(seed).uniform(size=(count, 2))])


def test_a_limit_that_is_exponential_in_both_values_has_a_straight_contour() -> None:
    # m1 from 100 to 1100 and m2 from 0 to 0.5: mu = exp((m1 - 700)/200 + 3 m2)
    points = scattered() * [1000.0, 0.5] + [100.0, 0.0]
    (line,) = exclusion_contours(
        points, np.exp((points[:, 0] - 700.0) / 200.0 + 3.0 * points[:, 1])
    )
    assert line[:, 0] == pytest.approx(700.0 - 600.0 * line[:, 1], rel=1e-12)
    assert sorted(line[[0, -1], 1]) == pytest.approx([0.0, 0.5], abs=1e-12)


def test_powers_are_straight_on_axes_that_span_decades() -> None:
    points = 10.0 ** (scattered() * [3.0, 2.0] - [3.0, 6.0])
    assert UnitSquare.around(points).logarithmic.all()
    (line,) = exclusion_contours(points, 1e-11 / (points[:, 1] ** 2 * points[:, 0]))
    assert line[:, 1] ** 2 * line[:, 0] == pytest.approx(1e-11, rel=1e-9)


def test_the_units_of_an_axis_do_not_matter() -> None:
    points = scattered()
    limits = np.exp(3.0 * (points[:, 0] ** 2 + 2.0 * points[:, 1] ** 2) - 2.0)
    lines = exclusion_contours(points, limits)
    scaled = exclusion_contours(points * [1e6, 1e-3], limits)
    assert len(lines) == len(scaled) == 1
    assert scaled[0] / [1e6, 1e-3] == pytest.approx(lines[0], rel=1e-9)


def test_an_island_is_a_closed_line_at_its_radius() -> None:
    grid = np.linspace(0.0, 1.0, 41)
    points = np.array([(x, y) for x in grid for y in grid])
    radius = np.hypot(*(points - 0.5).T)
    (line,) = exclusion_contours(points, np.exp(10.0 * (radius - 0.3)))
    assert np.array_equal(line[0], line[-1])
    # linear between points h apart: at most h^2/(8 r) off, twice that across a square
    assert np.hypot(*(line - 0.5).T) == pytest.approx(0.3, abs=0.025**2 / (4.0 * 0.3))
    # two islands are two lines
    other = np.minimum(np.hypot(*(points - 0.2).T), np.hypot(*(points - 0.8).T))
    assert len(exclusion_contours(points, np.exp(other - 0.1))) == 2


def test_there_is_no_contour_where_nothing_is_known() -> None:
    points = scattered()
    assert exclusion_contours(points, np.full(len(points), 0.3)) == []
    assert exclusion_contours(points, np.full(len(points), 1.0)) == []
    assert exclusion_contours(points, np.full(len(points), np.nan)) == []
    diagonal = np.column_stack([np.arange(5.0), 3.0 * np.arange(5.0)])
    assert exclusion_contours(diagonal, [0.1, 0.5, 2.0, 3.0, 4.0]) == []
    assert exclusion_contours(points[:2], [0.1, 2.0]) == []
    assert hull(diagonal).shape == (0, 2)
    assert len(hull(points)) == 5
    assert hull(points)[0].tolist() == hull(points)[-1].tolist()
    outside = interpolated(UnitSquare.around(points), points, np.ones(64), np.array([[1.1, 0.5]]))
    assert np.isnan(outside).all()


def test_points_that_failed_are_left_out_and_points_without_exclusion_count() -> None:
    points = np.array([(x, y) for x in (0.0, 1.0, 2.0) for y in (0.0, 1.0)])
    limits = np.array([0.1, 0.1, np.nan, np.nan, 10.0, 10.0])
    (line,) = exclusion_contours(points, limits)
    assert line[:, 0] == pytest.approx(1.0)
    # no strength is excluded at x = 2: as the largest of the others, but at least ten
    (line,) = exclusion_contours(points, np.where(points[:, 0] == 2.0, np.inf, 0.1))
    assert line[:, 0] == pytest.approx(1.5)


def test_what_is_no_plane_is_refused() -> None:
    for points, limits in (
        (np.zeros((3, 3)), np.ones(3)),
        (np.zeros((0, 2)), np.ones(0)),
        (np.full((3, 2), np.inf), np.ones(3)),
        (scattered(), np.ones(3)),
        (scattered(), np.zeros(64)),
    ):
        with pytest.raises(InputError):
            exclusion_contours(points, limits)
