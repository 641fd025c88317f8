"""Outlines of excluded regions: they hold what the intervals at the masses hold, and no more."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.calculators.status import Regions
from na64.limits.figures.regions import Outline, region_paths

BOTTOM, TOP = 1e-8, 1e3


def winding(paths: list[Outline], x: float, y: float) -> int:
    """How often the outlines go around a point, counterclockwise, in logarithms."""
    total = 0.0
    for path in paths:
        around = np.arctan2(
            np.log(np.append(path.y, path.y[0]) / y), np.log(np.append(path.x, path.x[0]) / x)
        )
        total += float(np.sum((np.diff(around) + math.pi) % (2.0 * math.pi) - math.pi))
    return round(total / (2.0 * math.pi))


@st.composite
def regions_at(draw: st.DrawFn) -> Regions:
    """Up to three intervals, far enough from one another; open ends now and then."""
    ends = draw(st.lists(st.integers(0, 40), max_size=6, unique=True).map(sorted))
    ends = ends[: len(ends) // 2 * 2]
    pairs = [[10.0 ** (-4.0 + a / 10.0) for a in ends[k : k + 2]] for k in range(0, len(ends), 2)]
    found: list[tuple[float, float | None]] = [(low, high) for low, high in pairs]
    if found and draw(st.booleans()):
        found[-1] = (found[-1][0], None)
    if found and draw(st.integers(0, 4)) == 0:
        found[0] = (0.0, found[0][1])
    return tuple(found)


@settings(max_examples=300, deadline=None)
@given(st.lists(regions_at(), min_size=3, max_size=7))
def test_a_point_at_a_mass_is_inside_if_and_only_if_it_is_excluded(rows: list[Regions]) -> None:
    masses = np.geomspace(0.01, 1.0, len(rows))
    paths = region_paths(masses, rows, bottom=BOTTOM, top=TOP)
    wide = [path for path in paths if not path.lone]
    bars = {float(path.x[0]) for path in paths if path.lone}  # open, and alone at its mass
    for mass, found in list(zip(masses.tolist(), rows, strict=True))[1:-1]:
        ends = sorted({BOTTOM, TOP, *(end for pair in found for end in pair if end)})
        for low, high in itertools.pairwise(ends):
            value = math.sqrt(low * high)
            excluded = any(a < value and (b is None or value < b) for a, b in found)
            # an open region may end at this mass: then it is on one side of it
            inside = any(winding(wide, mass * k, value) > 0 for k in (1 - 1e-9, 1 + 1e-9))
            assert inside == excluded or (excluded and mass in bars), (mass, value, found)


@settings(max_examples=200, deadline=None)
@given(st.lists(regions_at(), min_size=1, max_size=7), st.integers(0, 127))
def test_every_end_is_on_one_outline_and_tips_lie_between_masses(
    rows: list[Regions], bits: int
) -> None:
    masses = np.geomspace(0.01, 1.0, len(rows))
    known = np.array([bool(bits >> k & 1) for k in range(len(rows))])
    rows = [found if there else () for found, there in zip(rows, known, strict=True)]
    paths = region_paths(masses, rows, known, bottom=BOTTOM, top=TOP)
    ends = sorted(
        (mass, end or (TOP if side else BOTTOM))
        for mass, found in zip(masses.tolist(), rows, strict=True)
        for pair in found
        for side, end in enumerate(pair)
    )
    on_grid = [
        (x, y)
        for path in paths
        for x, y in zip(path.x.tolist(), path.y.tolist(), strict=True)
        if x in masses
    ]
    assert sorted(on_grid) == ends
    for path in paths:
        for x in path.x[~np.isin(path.x, masses)]:  # tips
            row = int(np.searchsorted(masses, x))
            assert known[row - 1]
            assert known[row]


def test_a_closed_region_ends_where_its_edges_would_meet() -> None:
    masses = np.array([1.0, 10.0, 100.0, 1000.0])
    # the edges are a factor of 1000 apart, then 10: half a step further they meet
    rows = [((1.0, 1e3),), ((10.0, 100.0),), (), ()]
    (path,) = region_paths(masses, rows, bottom=BOTTOM, top=TOP)
    tip = (~path.is_node).nonzero()[0]
    np.testing.assert_allclose([path.x[tip], path.y[tip]], [[10.0**1.5], [10.0**1.5]])
    # the last mass of the grid is a cut and no edge
    assert path.is_edge.tolist() == [True, True, True, True, False]
    (run,) = path.edges()
    assert path.x[run].tolist() == pytest.approx([1.0, 10.0, 10.0**1.5, 10.0, 1.0])
    # edges that would meet beyond the next mass end before it
    rows = [((1.0, 1e3),), ((1.01, 999.0),), (), ()]
    (path,) = region_paths(masses, rows, bottom=BOTTOM, top=TOP)
    assert 10.0 < path.x.max() < 100.0


def test_a_region_is_cut_where_nothing_is_known() -> None:
    masses = np.array([1.0, 2.0, 3.0, 4.0])
    rows = [((1.0, None),), (), ((1.0, 2.0),), ((1.0, 2.0),)]
    known = np.array([True, False, True, True])
    first, second = region_paths(masses, rows, known, bottom=BOTTOM, top=TOP)
    assert first.lone
    assert [run.tolist() for run in first.edges()] == [[0]]
    assert second.x.tolist() == [3.0, 4.0, 4.0, 3.0]
    assert second.is_edge.tolist() == [True, False, True, False]


def test_a_hole_is_an_outline_of_its_own() -> None:
    masses = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    one, two = ((1.0, None),), ((1.0, 2.0), (4.0, None))
    outer, hole = region_paths(masses, [one, one, two, one, one], bottom=BOTTOM, top=TOP)
    assert hole.is_edge.all()
    assert sorted(hole.y.tolist()) == pytest.approx([2.0, 8.0**0.5, 8.0**0.5, 4.0])
    assert winding([outer, hole], 3.0, 3.0) == 0
    assert winding([outer, hole], 3.0, 5.0) == 1
