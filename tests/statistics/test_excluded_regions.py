"""Two-sided regions: edges in closed form, disjoint intervals, narrow ones, contours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

from na64.limits.calculators.registry import Toys
from na64.limits.calculators.status import Status
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.scanning.regions import excluded_regions, interpolated_signals
from na64.models.errors import InputError

#: without systematics and events, excluded means more than ln 10 signal events
WANTED = math.log(10.0)
COUPLINGS = np.geomspace(1e-6, 1e-2, 60)


@pytest.fixture(scope="module")
def likelihood(counting):
    spec = counting(uncertainty=(0.0, 0.0, 0.0), efficiency=0.0)
    return compile_workspace(spec, validate=False)


def _spread(events):
    return np.asarray(events)[:, None, None] * np.array([0.45, 0.33, 0.22])


def _decays(decay):
    """g^2 production, exp(-decay g^2): the shape of searches for decays in flight."""

    def signals(mass, coupling):
        return _spread(1e9 * coupling**2 * np.exp(-np.asarray(decay)[mass] * coupling**2))

    return signals


def _edges(decay):
    def excess(x):
        g2 = math.exp(2.0 * x)
        return math.log(1e9 * g2) - decay * g2 - math.log(WANTED)

    top = 0.5 * math.log(1.0 / decay)
    low = optimize.brentq(excess, math.log(1e-7), top)
    high = optimize.brentq(excess, top, math.log(1.0))
    return math.exp(low), math.exp(high)


def test_closed_form(likelihood):
    decays = np.geomspace(3e5, 1e8, 8)
    found = excluded_regions(likelihood, _decays(decays), 8, COUPLINGS)
    assert set(found.status) == {Status.OK}
    for decay, intervals in zip(decays, found.regions, strict=True):
        assert len(intervals) == 1
        # tolerance of the root finder: 1e-6 in ln(coupling), times the slope of ln(events)
        np.testing.assert_allclose(intervals[0], _edges(decay), rtol=1e-5)


def test_open_empty_and_unbracketed(likelihood):
    grid = np.geomspace(1e-5, 1e-3, 30)
    found = excluded_regions(likelihood, _decays([1.0, 1e12]), 2, grid)
    (only,) = found.regions[0]
    assert only[0] == pytest.approx(math.sqrt(WANTED / 1e9), rel=1e-5)
    assert only[1] is None
    assert found.regions[1] == ()
    assert found.status == (Status.OK, Status.NO_EXCLUSION)
    inside = excluded_regions(likelihood, _decays([1.0]), 1, np.geomspace(1e-4, 1e-3, 10))
    assert inside.status == (Status.NOT_BRACKETED,)
    assert inside.regions[0][0][1] is None


def test_disjoint_and_narrow_intervals(likelihood):
    """Two bumps of different height; the second lies between two nodes of the grid."""
    grid = np.geomspace(1e-6, 1e-2, 25)
    centre = math.log(grid[17]) + 0.4 * math.log(grid[1] / grid[0])

    def signals(mass, coupling):
        x = np.log(coupling)
        first = 30.0 * np.exp(-0.5 * ((x - math.log(1e-5)) / 0.6) ** 2)
        second = 1.1 * WANTED * np.exp(-0.5 * ((x - centre) / 0.3) ** 2)
        return _spread(first + second)

    found = excluded_regions(likelihood, signals, 1, grid)
    wide, narrow = found.regions[0]
    assert wide[1] is not None
    assert narrow[1] is not None
    assert wide[0] < 1e-5 < wide[1] < narrow[0] < math.exp(centre) < narrow[1]
    # half width of a Gaussian at 1/1.1 of its height
    half = 0.3 * math.sqrt(2.0 * math.log(1.1))
    assert math.log(narrow[1] / narrow[0]) == pytest.approx(2.0 * half, rel=1e-4)
    # neither of the nodes around it is excluded
    assert np.all(found.log_ratio[0, 16:20] > 0.0)


def test_expected_regions_enclose_each_other(counting):
    likelihood = compile_workspace(counting(observed=(0, 1, 0)), validate=False)
    edges = []
    for order in (None, -2, 0, 2):
        found = excluded_regions(likelihood, _decays([1e6]), 1, COUPLINGS, order=order)
        edges.append(found.regions[0][0])
    observed, strong, median, weak = edges
    assert strong[0] <= median[0] < weak[0]
    assert strong[1] >= median[1] > weak[1]
    assert strong[0] <= observed[0] <= weak[0]


def test_interpolated_signals(likelihood):
    """60 nodes give the edges of the exact curve to a per mille."""
    decays = np.array([1e6, 1e7])
    exact = excluded_regions(likelihood, _decays(decays), 2, COUPLINGS)
    mass, coupling = np.repeat([0, 1], 60), np.tile(COUPLINGS, 2)
    events = _decays(decays)(mass, coupling).reshape(2, 60, 1, 3)
    events[events < 1e-250] = 0.0
    curve = interpolated_signals(COUPLINGS, events)
    np.testing.assert_allclose(
        curve(mass, coupling).reshape(events.shape), events, rtol=1e-9, atol=1e-100
    )
    found = excluded_regions(likelihood, curve, 2, COUPLINGS)
    for a, b in zip(found.regions, exact.regions, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"couplings": [1e-3]}, "at least two"),
        ({"couplings": [1e-3, 1e-4]}, "increasing"),
        ({"calculator": Toys()}, "without statistical noise, not 'toys'"),
        ({"order": 3}, "band order"),
        ({"confidence_level": 1.5}, "between 0 and 1"),
    ],
)
def test_refused(likelihood, change, message):
    couplings = change.pop("couplings", COUPLINGS)
    with pytest.raises(InputError, match=message):
        excluded_regions(likelihood, _decays([1e6]), 1, couplings, **change)
