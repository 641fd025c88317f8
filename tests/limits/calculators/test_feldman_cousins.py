"""Unified intervals: the tables of physics/9711021, and a construction that shares no code."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from na64.limits.calculators.discovery import discovery
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Exact, FeldmanCousins, Toys
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.scanning.regions import excluded_regions


@pytest.fixture(scope="module")
def bins(counting):
    """Return the maker of experiments without uncertainties, one or more bins."""

    def make(background, observed, signal=(1.0,)):
        spec = counting(
            background=background,
            uncertainty=(0.0,) * len(background),
            signal=signal,
            efficiency=0.0,
            observed=observed,
        )
        return compile_workspace(spec, validate=False).batch()

    return make


#: n, b and the interval at 90 %, as printed in table IV of the paper (two decimals, found there on
#: a grid of steps of 0.005)
TABLE = [
    (0, 0.0, 0.00, 2.44),
    (0, 0.5, 0.00, 1.94),
    (0, 1.0, 0.00, 1.61),
    (0, 2.5, 0.00, 1.18),
    (1, 0.0, 0.11, 4.36),
    (1, 2.0, 0.00, 2.53),
    (1, 3.0, 0.00, 1.88),
    (2, 0.5, 0.03, 5.41),
    (2, 5.0, 0.00, 1.73),
    (3, 1.0, 0.10, 6.42),
    (4, 1.5, 0.24, 7.10),
    (5, 0.0, 1.84, 9.99),
    (5, 3.0, 0.00, 6.99),
    (6, 3.0, 0.15, 8.47),
    (8, 3.0, 1.51, 10.99),
    (10, 3.0, 2.63, 13.50),
]


@pytest.mark.parametrize(("n", "b", "low", "high"), TABLE)
def test_table_of_the_paper(bins, n, b, low, high):
    found = upper_limits(bins((b,), (n,)), calculator=FeldmanCousins(), expected=False)
    # rounding to two decimals and the paper's grid
    assert found.lower[0] == pytest.approx(low, abs=0.0101)
    assert found.observed[0] == pytest.approx(high, abs=0.0101)


@pytest.mark.parametrize(("n", "b", "printed"), [(0, 3.0, 1.08), (1, 4.0, 1.39)])
def test_lengthened_intervals_of_the_paper(bins, n, b, printed):
    """Section IV B: the paper prints the largest upper edge of all larger backgrounds instead."""
    edges = [
        upper_limits(bins((x,), (n,)), calculator=FeldmanCousins(), expected=False).observed[0]
        for x in (b, *np.linspace(b + 0.05, b + 0.6, 12))
    ]
    assert edges[0] < printed - 0.05
    # the largest is just beyond a jump, which steps of 0.05 in b do not hit
    assert max(edges) == pytest.approx(printed, abs=0.035)


def _interval(counts, background, signal, level, strengths, most):
    """Neyman construction on a grid: rank all counts by likelihood ratio, add until covered."""
    shape = (most,) * len(background)
    n = np.stack([x.ravel() for x in np.indices(shape)], axis=1)
    b, s = np.array(background), np.array(signal)
    grid = np.concatenate([np.arange(0.0, 4.0, 0.004), np.arange(4.0, 40.0, 0.02)])
    best = np.full(len(n), -np.inf)
    for mu in grid:
        best = np.maximum(best, stats.poisson.logpmf(n, mu * s + b).sum(axis=1))
    place = int(np.flatnonzero((n == np.array(counts)).all(axis=1))[0])
    allowed = []
    for mu in strengths:
        log = stats.poisson.logpmf(n, mu * s + b).sum(axis=1)
        ratio = log - best
        # what is ranked before the data does not reach the level yet
        if np.exp(log[ratio > ratio[place] + 1e-6]).sum() < level:
            allowed.append(mu)
    return min(allowed), max(allowed)


@pytest.mark.parametrize(
    ("counts", "background", "signal", "level", "most"),
    [
        ((0,), (2.0,), (1.0,), 0.9, 40),
        ((4,), (1.3,), (1.0,), 0.95, 40),
        ((1, 0), (0.3, 0.8), (0.7, 0.3), 0.9, 22),
        ((3, 1), (0.4, 0.2), (0.6, 0.4), 0.9, 22),
    ],
)
def test_brute_force(bins, counts, background, signal, level, most):
    batch = bins(background, counts, signal)
    found = upper_limits(batch, calculator=FeldmanCousins(), confidence_level=level, expected=False)
    step = 0.01
    around = [x + step * np.arange(-12, 13) for x in (found.lower[0], found.observed[0]) if x > 0.0]
    strengths = np.concatenate([np.linspace(0.0, 12.0, 41), *around])
    low, high = _interval(counts, background, signal, level, strengths[strengths >= 0.0], most)
    # a step of the grid of strengths, and the grid of the best fit (ties)
    assert found.lower[0] == pytest.approx(low, abs=1.5 * step)
    assert found.observed[0] == pytest.approx(high, abs=1.5 * step)


def test_expected_edges_are_quantiles_of_the_background_ensemble(bins):
    b = 1.7
    found = upper_limits(bins((b,), (3,)), calculator=FeldmanCousins(), observed=True)
    edges = [
        upper_limits(bins((b,), (n,)), calculator=FeldmanCousins(), expected=False).observed[0]
        for n in range(7)
    ]
    ranks = [int(stats.poisson.ppf(stats.norm.cdf(z), b)) for z in (-2, -1, 0, 1, 2)]
    np.testing.assert_allclose(found.expected[:, 0], [edges[n] for n in ranks], rtol=1e-5)


def test_edges_are_where_the_p_value_crosses(counting):
    """With uncertainties, in several bins: the profiled construction."""
    batch = compile_workspace(counting(observed=(2, 1, 2)), validate=False).batch()
    found = upper_limits(batch, calculator=FeldmanCousins(), expected=False)
    low, high = found.lower[0], found.observed[0]
    assert 0.0 < low < high
    mu = np.array([low * 0.99, low * 1.01, 0.5 * (low + high), high * 0.99, high * 1.01])
    p = cls_values(batch, mu[:, None], calculator=FeldmanCousins()).observed[:, 0]
    assert (p > 0.1).tolist() == [False, True, True, True, False]
    # the p-value of no signal is that of the discovery; 1e-6 may be left out of an ensemble
    zero = cls_values(batch, 1e-9, calculator=FeldmanCousins()).observed[0]
    assert zero == pytest.approx(discovery(batch).p_values[0], abs=5e-6)


def test_only_unified_intervals_have_a_lower_edge(counting):
    batch = compile_workspace(counting(observed=(2, 1, 2)), validate=False).batch()
    for chosen in (Exact(), Toys(toys=50)):
        found = upper_limits(batch, calculator=chosen, expected=False)
        assert np.isnan(found.lower).all()
        assert cls_values(batch, 1.0, calculator=chosen).too_small is None
    tested = cls_values(batch, [[0.1], [9.0]], calculator=FeldmanCousins())
    assert tested.too_small is not None
    assert tested.too_small[:, 0].tolist() == [True, False]


def test_regions_exclude_from_above_only(bins):
    """More signal in the data than a coupling gives is no exclusion of the coupling."""
    batch = bins((0.5,), (5,))
    couplings = np.geomspace(1e-4, 1e-2, 9)

    def signals(mass, coupling):
        del mass
        return (1e6 * coupling**2)[:, None, None]

    found = excluded_regions(batch.likelihood, signals, 1, couplings, calculator=FeldmanCousins())
    wanted = upper_limits(batch, calculator=FeldmanCousins(), expected=False).observed[0]
    ((low, high),) = found.regions[0]
    assert high is None
    assert low == pytest.approx(np.sqrt(wanted / 1e6), rel=1e-4)
