"""Places of labels: on nothing, along the curve, on its side; the same for the same input."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from na64.limits.figures.placing import Box, Wanted, choose_places, resampled

FRAME = (0.0, 0.0, 400.0, 300.0)
X = np.linspace(0.0, 400.0, 81)


def curve(y: Any) -> Any:
    return np.column_stack([X, np.broadcast_to(y, X.shape)])


def label(path: Any, **others: Any) -> Wanted:
    return Wanted((80.0, 11.0), (path,), **others)


def test_boxes_meet_where_they_overlap() -> None:
    box = Box(0.0, 0.0, 10.0, 2.0)
    assert box.meets(Box(9.0, 0.0, 10.0, 2.0))
    assert not box.meets(Box(11.0, 0.0, 10.0, 2.0))
    assert box.meets(Box(11.0, 0.0, 10.0, 2.0), pad=3.0)
    # a box that is turned has its corners where its circumscribed rectangle is empty
    assert not box.meets(Box(5.8, 1.8, 10.0, 2.0, -45.0))
    assert box.meets(Box(5.6, 1.6, 10.0, 2.0, -45.0))
    assert Box(0.0, 0.0, 10.0, 2.0, 90.0).covers(np.array([[0.0, 4.9]]))
    assert not Box(0.0, 0.0, 10.0, 2.0, 90.0).covers(np.array([[4.9, 0.0]]))


def test_a_label_is_turned_along_its_curve_and_on_its_side() -> None:
    rising = curve(50.0 + 0.5 * X)
    for side in (1, -1):
        (place,) = choose_places([label(rising, side=side)], FRAME)
        assert place is not None
        assert place.angle == np.float64(place.angle)
        np.testing.assert_allclose(place.angle, math.degrees(math.atan(0.5)), atol=0.1)
        above = place.y - (50.0 + 0.5 * place.x)
        # its middle is half its height and a little more away, along the normal
        np.testing.assert_allclose(above * math.cos(math.atan(0.5)), side * 7.5, atol=0.1)


def crowd() -> list[Wanted]:
    shapes = [40.0 + 20.0 * k + 30.0 * np.sin(X / (40.0 + 10.0 * k)) for k in range(9)]
    return [label(curve(y), side=1) for y in shapes]


def test_no_label_lies_on_a_curve_a_label_or_the_frame() -> None:
    wanted = crowd()
    obstacle = np.array([[200.0, 0.0], [200.0, 300.0]])
    taken = Box(60.0, 270.0, 100.0, 40.0)
    found = choose_places(wanted, FRAME, [obstacle], [taken])
    placed = [place for place in found if place is not None]
    assert len(placed) >= 5
    points = np.concatenate([resampled(item.paths[0], 1.0) for item in wanted])
    points = np.concatenate([points, resampled(obstacle, 1.0)])
    for place in placed:
        assert not place.covers(points)
        assert not place.meets(taken)
        corners = place.corners()
        assert corners.min() >= 0.0
        assert np.all(corners.max(axis=0) <= FRAME[2:])
    assert not any(one.meets(other) for one, other in itertools.combinations(placed, 2))
    assert found == choose_places(wanted, FRAME, [obstacle], [taken])


def test_an_area_has_its_label_inside_and_not_beneath_another() -> None:
    area = np.array([[100.0, 50.0], [300.0, 50.0], [300.0, 250.0], [100.0, 250.0], [100.0, 50.0]])
    upper = np.array([[0.0, 120.0], [400.0, 120.0], [400.0, 300.0], [0.0, 300.0], [0.0, 120.0]])
    (alone,) = choose_places([label(area, areas=(area,))], FRAME)
    both = [label(area, areas=(area,)), label(upper, areas=(upper,), level=1.0)]
    lower, _ = choose_places(both, FRAME)
    for place, top in ((alone, 250.0), (lower, 120.0)):
        assert place is not None
        assert 100.0 < place.x - 40.0 < place.x + 40.0 < 300.0
        assert 50.0 < place.y < top


def test_what_has_no_room_has_no_place() -> None:
    dense = [curve(8.0 * k) for k in range(38)]
    found = choose_places([label(dense[7])], FRAME, dense)
    assert found == [None]
    assert choose_places([label(np.empty((0, 2)))], FRAME) == [None]
