"""The best cut is interior and follows the background."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.design.cuts import optimise_cut
from na64.models.errors import InputError

CUTS = np.linspace(30.0, 60.0, 6)
SIGNAL = 50.0 * (1.0 - np.exp(-CUTS / 30.0))


def _background(scale: float):
    return scale * np.exp((CUTS - 50.0) / 5.0)


def test_the_best_cut_moves_with_the_background():
    best = []
    for scale in (0.02, 0.2, 2.0):
        found = optimise_cut(
            CUTS,
            SIGNAL,
            _background(scale),
            background_uncertainty=0.3,
            efficiency_uncertainty=0.1,
        )
        assert found.interior
        assert found.expected[found.best] == found.expected.min()
        np.testing.assert_allclose(found.events, found.expected * SIGNAL)
        best.append(found.best_cut)
    assert best[0] > best[1] > best[2]


def test_without_background_the_loosest_cut_is_best():
    found = optimise_cut(CUTS, SIGNAL, np.zeros(6))
    assert found.best == 5
    assert not found.interior
    # every experiment sees nothing: ln 10 events pass
    np.testing.assert_allclose(found.events, np.log(10.0), rtol=2e-5)


def test_mean_limit_of_a_counting_experiment():
    """Against a sum over n of limits from the Poisson tails."""
    from scipy import optimize, stats

    b = 1.3
    wanted = 0.0
    for n in range(12):
        limit = optimize.brentq(
            lambda s, n=n: stats.poisson.cdf(n, s + b) / stats.poisson.cdf(n, b) - 0.1, 1e-3, 50.0
        )
        wanted += stats.poisson.pmf(n, b) * limit
    found = optimise_cut([1.0], [1.0], [b])
    # 1e-4 of the probability is left out
    assert found.expected[0] == pytest.approx(wanted, rel=1e-3)


def test_median_does_not_feel_a_small_background():
    found = optimise_cut(CUTS[:3], SIGNAL[:3], _background(0.01)[:3], merit="median")
    np.testing.assert_allclose(found.events, np.log(10.0), rtol=2e-5)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (([2.0, 1.0], [1.0, 1.0], [1.0, 1.0]), {}, "increase"),
        (([1.0, 2.0], [1.0], [1.0, 1.0]), {}, "1 signal values for 2 cuts"),
        (([1.0], [0.0], [1.0]), {}, "no signal passes the cut 1"),
        (([1.0], [1.0], [-1.0]), {}, "not negative"),
        (([1.0], [1.0], [1.0]), {"merit": "mode"}, "unknown figure of merit 'mode'"),
        (([1.0], [1.0], [1.0]), {"background_uncertainty": -0.1}, "not be negative"),
    ],
)
def test_refused(arguments, settings, message):
    with pytest.raises(InputError, match=message):
        optimise_cut(*arguments, **settings)
