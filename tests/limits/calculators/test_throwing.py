"""Throwing counts: blocks change no bit, and rates of which there are no counts are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from na64.limits.calculators import throwing
from na64.limits.calculators.bayesian import likely_datasets
from na64.limits.calculators.discovery import discovery
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Auto, Bayesian, Toys
from na64.limits.calculators.throwing import (
    check_rates,
    poisson_level,
    poisson_quantile,
    throw_counts,
    without_copies,
)
from na64.limits.inference.goodness import goodness_of_fit
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import ComputationError, InputError

FLUCTUATED = Toys(toys=50, ensemble="aux-fluctuated")


def tabulated(uniform, rate):
    """Quantiles from the whole table of the distribution function."""
    spread = 10.0 * math.sqrt(rate) + 30.0
    low = max(0, math.floor(rate - spread))
    table = special.pdtr(np.arange(low, math.ceil(rate + spread) + 1), rate)
    return low + np.searchsorted(table, uniform)


@pytest.mark.parametrize("rate", [1e-9, 0.3, 77.7, 1e6, 0.99e8, 1.01e8])
def test_quantiles_are_those_of_the_table_however_they_are_found(rate):
    uniform = np.append(np.random.default_rng(3).random(2000), [0.0, 1e-300, 0.5, 1.0 - 2.0**-53])
    np.testing.assert_array_equal(poisson_quantile(uniform, rate), tabulated(uniform, rate))


def test_quantiles_of_the_largest_rates_are_normal():
    """At 1e14 events the skewness is 1e-7: (n - rate) / sqrt(rate) is the normal quantile."""
    uniform = np.array([0.001, 0.3, 0.5, 0.99])
    z = (poisson_quantile(uniform, 1e14) - 1e14) / 1e7
    np.testing.assert_allclose(z, special.ndtri(uniform), atol=1e-6)
    # to what the pdtrik of scipy 1.12 iterates; ranges of counts are made of it, no counts
    assert poisson_level(0.5, 1e14) == pytest.approx(1e14, rel=1e-8)
    assert poisson_level(0.5, 20.0) == special.pdtrik(0.5, 20.0)


@pytest.mark.parametrize("rates", [[0.1, 0.2, 0.0], [100.0] * 4, [0.5] * 60])
def test_blocks_change_no_bit(rates, monkeypatch):
    lam = np.array(rates)

    def thrown():
        blocks = throw_counts(np.random.default_rng(5), lam, 200)
        return without_copies(counts for _, counts in blocks)

    whole = thrown()
    uniform = np.random.default_rng(5).random((200, len(lam))).T
    counts = np.array([poisson_quantile(u, x) for u, x in zip(uniform, rates, strict=True)])
    columns, times = np.unique(counts, axis=1, return_counts=True)
    order = np.lexsort(whole.counts[::-1])  # one number per column sorts by the last row
    np.testing.assert_array_equal(whole.counts[:, order], columns)
    np.testing.assert_array_equal(whole.weight[order], times)
    for cells, merged in ((1000, 50), (7, 5)):
        monkeypatch.setattr(throwing, "_CELLS", cells)
        monkeypatch.setattr(throwing, "_MERGED", merged)
        again = thrown()
        assert again.counts.tobytes() == whole.counts.tobytes()
        assert again.weight.tobytes() == whole.weight.tobytes()


def test_rates_without_counts_are_refused_by_name():
    names = [("one", 0), ("two", 3)]
    check_rates(np.array([0.0, 1e15]), names)
    check_rates(np.zeros((0, 5)), [])
    with pytest.raises(InputError, match=r"channel 'two', bin 3: 1e\+199 events expected"):
        check_rates(np.array([1.0, 1e199]), names)
    with pytest.raises(InputError, match="parameter 'x': inf auxiliary events"):
        check_rates(np.array([math.inf]), ["parameter 'x'"], "auxiliary events expected")
    with pytest.raises(ComputationError, match="bin 0: the number of events expected is not known"):
        check_rates(np.array([[math.nan], [math.inf]]), names)


@pytest.mark.parametrize("huge", [1e17, 1e199, 1e307])
@pytest.mark.parametrize("calculator", [Toys(toys=50), FLUCTUATED, Auto(toys=1000), Bayesian()])
def test_huge_backgrounds_are_refused(counting, huge, calculator: Calculator):
    """Not an internal error: what is expected, where, and what is allowed."""
    document = counting((huge, 1.0), (0.1, 0.1), (1.0, 1.0), observed=(huge, 1.0))
    batch = compile_workspace(document, validate=False).batch()
    words = r"channel 'bin_00', bin 0: .*up to 1e\+15"
    with pytest.raises(InputError, match=words):
        upper_limits(batch, calculator=calculator)
    with pytest.raises(InputError, match=words):
        cls_values(batch, 1.0, calculator=calculator, expected=True)
    if not isinstance(calculator, Bayesian):
        with pytest.raises(InputError, match=words):
            discovery(batch, calculator=calculator, expected=True)
    with pytest.raises(InputError, match=words):
        goodness_of_fit(batch, toys=20)


def test_signals_that_are_not_finite_in_total_are_refused(counting):
    with pytest.raises(InputError, match="which is not finite"):
        compile_workspace(
            counting((1.0, 1.0), (0.1, 0.1), (1e308, 1e308), observed=(1, 1)), validate=False
        ).batch()


def test_a_single_bin_of_many_events_has_limits(counting):
    """1e12 events, where scipy has no quantile: the limit is that of a normal distribution."""
    document = counting((1e12,), (0.0,), (1.0,), efficiency=0.0, observed=(1e12,))
    found = upper_limits(compile_workspace(document, validate=False).batch())
    # CLs = 0.1 at 1.6449 standard deviations of 1e6 events for data at the expectation
    assert found.observed[0] == pytest.approx(1.6449e6, rel=2e-3)
    assert found.expected[2, 0] == pytest.approx(1.6449e6, rel=2e-3)


def test_ensembles_of_many_events_are_thrown_at_once():
    """Not 1e12 numbers of one bin first."""
    counts, share = likely_datasets(np.array([1e12]), 500, 100, 1)
    assert counts.shape[1] == 100
    assert share.sum() == pytest.approx(1.0)
