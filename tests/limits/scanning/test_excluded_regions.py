"""Two-sided regions: edges in closed form, disjoint intervals, narrow ones, subsets of masses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

from na64.limits.calculators.limits import cls_values
from na64.limits.calculators.registry import calculator
from na64.limits.calculators.status import Status
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.scanning.regions import excluded_regions
from na64.models.errors import InputError
from na64.models.signals.rates import EventCurves

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
        np.testing.assert_allclose(np.array(intervals[0], float), _edges(decay), rtol=1e-5)


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
    assert grid[17] < narrow[0]
    assert narrow[1] < grid[18]


def test_a_narrow_gap_between_two_nodes(likelihood):
    """A hollow that dips below the limit between two nodes, both of which are excluded."""
    grid = np.geomspace(1e-6, 1e-2, 25)
    centre = math.log(grid[12]) + 0.4 * math.log(grid[1] / grid[0])

    def signals(mass, coupling):
        x = np.log(coupling)
        hollow = 0.93 + 4.0 * (1.0 - np.exp(-0.5 * ((x - centre) / 0.3) ** 2))
        return _spread(WANTED * hollow)

    found = excluded_regions(likelihood, signals, 1, grid)
    assert found.status == (Status.NOT_BRACKETED,)
    (low, up), (down, high) = found.regions[0]
    assert low == pytest.approx(grid[0])
    assert high is None
    half = 0.3 * math.sqrt(-2.0 * math.log1p(-0.07 / 4.0))
    assert up is not None
    assert math.log(up) == pytest.approx(centre - half, abs=1e-5)
    assert math.log(down) == pytest.approx(centre + half, abs=1e-5)


@pytest.mark.parametrize("observed", [(0, 0, 0), (0, 1, 0)])
def test_edges_are_where_the_signal_is_just_excluded(counting, observed):
    """The shape changes along the coupling; CLs of the signal itself decides."""
    likelihood = compile_workspace(counting(observed=observed), validate=False)

    def signals(mass, coupling):
        share = 1.0 / (1.0 + (coupling / 1e-4) ** 2)
        shares = np.stack([share, 0.5 * (1.0 - share), 0.5 * (1.0 - share)], axis=-1)
        events = 1e9 * coupling**2 * np.exp(-1e6 * coupling**2)
        return (events[:, None] * shares)[:, None, :]

    found = excluded_regions(likelihood, signals, 1, COUPLINGS)
    (region,) = found.regions[0]
    for edge in region:
        around = edge * np.exp([-2e-6, 2e-6])
        batch = likelihood.inject(signals(np.zeros(2, dtype=int), around))
        below, above = cls_values(batch, 1.0).observed
        assert (below > 0.1) != (above > 0.1)


def test_some_masses_give_what_all_give(counting):
    """Bit for bit, whichever masses are asked for together."""
    compiled = compile_workspace(counting(observed=(0, 1, 0)), validate=False)
    decays = np.geomspace(3e5, 1e12, 7)
    steep = np.linspace(0.5, 3.0, 7)

    def signals(mass, coupling):
        share = 1.0 / (1.0 + (coupling / 1e-4) ** steep[mass])
        shares = np.stack([share, 0.4 * (1.0 - share), 0.6 * (1.0 - share)], axis=-1)
        events = 1e9 * coupling**2 * np.exp(-decays[mass] * coupling**2)
        return (events[:, None] * shares)[:, None, :]

    whole = excluded_regions(compiled, signals, 7, COUPLINGS)
    assert any(whole.regions)
    for rows in ([0], [3], [1, 4], [0, 2, 5, 6]):

        def some(mass, coupling, rows=rows):
            return signals(np.array(rows)[mass], coupling)

        part = excluded_regions(compiled, some, len(rows), COUPLINGS)
        assert part.regions == tuple(whole.regions[row] for row in rows)
        assert part.status == tuple(whole.status[row] for row in rows)


def test_interpolated_events(likelihood):
    """60 nodes, 15 per decade, give the edges of the exact curve to a few 1e-5."""
    decays = np.array([1e6, 1e7])
    exact = excluded_regions(likelihood, _decays(decays), 2, COUPLINGS)
    mass, coupling = np.repeat([0, 1], 60), np.tile(COUPLINGS, 2)
    events = _decays(decays)(mass, coupling).reshape(2, 60, 1, 3)
    events[events < 1e-250] = 0.0
    curve = EventCurves.through(COUPLINGS, events)
    np.testing.assert_allclose(
        curve(mass, coupling).reshape(events.shape), events, rtol=1e-9, atol=1e-100
    )
    found = excluded_regions(likelihood, curve, 2, COUPLINGS)
    for a, b in zip(found.regions, exact.regions, strict=True):
        np.testing.assert_allclose(np.array(a, float), np.array(b, float), rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"couplings": [1e-3]}, "at least two"),
        ({"couplings": [1e-3, 1e-4]}, "increasing"),
        ({"calculator": calculator("toys")}, "without statistical noise"),
        ({"confidence_level": 1.5}, "between 0 and 1"),
    ],
)
def test_refused(likelihood, change, message):
    couplings = change.pop("couplings", COUPLINGS)
    with pytest.raises(InputError, match=message):
        excluded_regions(likelihood, _decays([1e6]), 1, couplings, **change)
