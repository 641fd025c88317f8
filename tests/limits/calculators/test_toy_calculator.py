"""Toys: the same bits however the work is divided, and the exact limits within their noise."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Toys
from na64.limits.likelihood.compiled import compile_workspace

THROWN = Toys(toys=200, seed=5, ensemble="aux-fluctuated")


def _batch(counting, masses: int = 4):
    likelihood = compile_workspace(counting(observed=(0, 1, 0)), validate=False)
    signals = np.random.default_rng(3).dirichlet(np.ones(3), masses)[:, None, :]
    return likelihood.inject(signals)


def test_any_division_gives_the_same_bits(counting):
    batch = _batch(counting)
    one = upper_limits(batch, expected=False, calculator=THROWN)
    two = upper_limits(batch, expected=False, jobs=2, calculator=THROWN)
    np.testing.assert_array_equal(one.observed, two.observed)
    np.testing.assert_array_equal(one.observed_error, two.observed_error)
    assert two.calculator == THROWN


def test_seeds_matter(counting):
    batch = _batch(counting, 1)
    first = upper_limits(batch, expected=False, calculator=THROWN).observed
    again = upper_limits(batch, expected=False, calculator=THROWN).observed
    other = upper_limits(
        batch, expected=False, calculator=Toys(toys=200, seed=6, ensemble="aux-fluctuated")
    ).observed
    assert first[0] == again[0]
    assert first[0] != other[0]


def test_a_mass_without_signal_does_not_move_the_others(counting):
    likelihood = compile_workspace(counting(observed=(0, 1, 0)), validate=False)
    signals = np.array([[[0.5, 0.3, 0.2]], [[0.0, 0.0, 0.0]], [[0.2, 0.2, 0.6]]])
    with_gap = upper_limits(likelihood.inject(signals), expected=False, calculator=THROWN)
    assert [s.value for s in with_gap.status] == ["ok", "no-exclusion", "ok"]
    signals[1] = [[0.1, 0.1, 0.8]]
    full = upper_limits(likelihood.inject(signals), expected=False, calculator=THROWN)
    np.testing.assert_array_equal(with_gap.observed[[0, 2]], full.observed[[0, 2]])


@pytest.mark.parametrize("observed", [(0, 0, 0), (0, 1, 0), (1, 1, 2)])
def test_fixed_auxiliary_data_are_the_exact_ensemble(counting, observed):
    """CLs at one strength, observed and expected, within four standard deviations."""
    batch = compile_workspace(counting(observed=observed), validate=False).batch()
    toys = 20_000
    exact = cls_values(batch, 3.0, expected=True)
    thrown = cls_values(batch, 3.0, expected=True, calculator=Toys(toys=toys, seed=2))
    # binomial errors of CLs+b and CLb; CLb is above 0.2 here
    error = 4.0 * np.sqrt(exact.observed / (0.2 * toys) + exact.observed**2 / (0.2 * toys))
    assert abs(thrown.observed - exact.observed)[0] < error[0]
    # the quantile of a discrete ensemble may fall on the neighbouring dataset for one of five
    assert thrown.expected is not None
    assert exact.expected is not None
    close = np.abs(thrown.expected - exact.expected)[:, 0] < 0.01 + error[0]
    assert close.sum() >= 4


def test_systematics_strengthen_limits_of_thrown_auxiliary_data(counting):
    """A known property of that ensemble at n = 0; the fixed one weakens as it should."""
    limits = {}
    for ensemble in ("aux-fixed", "aux-fluctuated"):
        for efficiency in (0.0, 0.2):
            batch = compile_workspace(counting(efficiency=efficiency), validate=False).batch()
            found = upper_limits(
                batch, calculator=Toys(toys=2500, ensemble=ensemble), expected=False
            )
            limits[ensemble, efficiency] = found.observed_events[0]
    assert limits["aux-fixed", 0.2] > 1.03 * limits["aux-fixed", 0.0]
    assert limits["aux-fluctuated", 0.2] < 0.97 * limits["aux-fluctuated", 0.0]
