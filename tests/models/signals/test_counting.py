"""Intervals of simulated counts: known values, coverage, limits."""

import numpy as np
import pytest
from scipy import optimize, stats

from na64.models.signals.counting import TAIL, clopper_pearson, garwood


def test_ends_are_those_that_define_them():
    # P(K >= k | low) = P(K <= k | high) = tail
    k, n = 7, 40
    low, high = (float(end) for end in clopper_pearson(k, n))
    assert stats.binom.sf(k - 1, n, low) == pytest.approx(TAIL, rel=1e-10)
    assert stats.binom.cdf(k, n, high) == pytest.approx(TAIL, rel=1e-10)
    low, high = (float(end) for end in garwood(k))
    assert stats.poisson.sf(k - 1, low) == pytest.approx(TAIL, rel=1e-10)
    assert stats.poisson.cdf(k, high) == pytest.approx(TAIL, rel=1e-10)


def test_published_intervals():
    # PDG, table of Poisson limits at 90 % one-sided: 0 -> 2.30, 3 -> 1.10 ... 6.68
    low, high = garwood([0, 3], tail=0.1)
    assert high == pytest.approx([2.30, 6.68], abs=0.005)
    assert low == pytest.approx([0.0, 1.10], abs=0.005)


def test_nothing_and_everything():
    low, high = clopper_pearson([0, 10], 10)
    assert (low[0], high[1]) == (0.0, 1.0)
    assert high[0] == pytest.approx(1.0 - TAIL**0.1)
    assert low[1] == pytest.approx(TAIL**0.1)


@pytest.mark.parametrize("n", [1, 7, 50])
def test_a_true_efficiency_is_covered(n):
    efficiencies = np.linspace(0.005, 0.995, 199)
    k = np.arange(n + 1)
    low, high = clopper_pearson(k, n)
    chances = stats.binom.pmf(k[:, None], n, efficiencies)
    inside = (low[:, None] <= efficiencies) & (efficiencies <= high[:, None])
    covered = (chances * inside).sum(axis=0)
    assert covered.min() >= 1.0 - 2.0 * TAIL - 1e-12
    # and not by being as wide as can be: with many events it is near to that somewhere
    assert covered.min() < {1: 1.0, 7: 0.85, 50: 0.75}[n]


def test_many_events_have_the_normal_error():
    low, high = clopper_pearson(40_000, 100_000)
    sigma = np.sqrt(0.4 * 0.6 / 100_000)
    assert [float(0.4 - low), float(high - 0.4)] == pytest.approx([sigma, sigma], rel=0.01)
    low, high = garwood(10_000)  # from one count to the next it goes in steps of 1
    assert [float(1e4 - low), float(high - 1e4)] == pytest.approx([100.0, 101.0], rel=1e-3)


def test_few_out_of_very_many_are_a_poisson_count():
    low, high = clopper_pearson(4, 4e8)
    assert [4e8 * float(low), 4e8 * float(high)] == pytest.approx(
        [float(end) for end in garwood(4)], rel=1e-6
    )


def test_the_ends_meet_a_root_of_the_tail_for_a_count_that_is_no_whole_number():
    k = 3.7
    low, _ = garwood(k)
    root = optimize.brentq(lambda mean: stats.gamma(k).cdf(mean) - TAIL, 1e-6, 20.0)
    assert float(low) == pytest.approx(root, rel=1e-8)
