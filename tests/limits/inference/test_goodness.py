"""Goodness of fit: chi2 at large counts, degrees of freedom, toys of the true model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from na64.limits.inference.goodness import goodness_of_fit
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.models.errors import InputError

Workspace = dict[str, Any]

FREE = {"name": "norm", "type": "normfactor", "data": None}


def spectrum(observed: list[float], background: float = 900.0, *extra: dict[str, Any]) -> Workspace:
    """Six bins of a background of free size and a signal in two of them."""
    n = len(observed)
    poi = [{"name": "mu", "type": "normfactor", "data": None}]
    signal = [0.1 * background if i in (2, 3) else 0.0 for i in range(n)]
    return {
        "channels": [
            {
                "name": "c",
                "samples": [
                    {"name": "s", "data": signal, "modifiers": poi},
                    {"name": "b", "data": [background] * n, "modifiers": [FREE, *extra]},
                ],
            }
        ],
        "observations": [{"name": "c", "data": observed}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def batch_of(workspace: Workspace) -> SignalBatch:
    return compile_workspace(workspace, validate=False).batch()


OBSERVED = [870.0, 935.0, 1010.0, 960.0, 905.0, 880.0]


def test_large_counts_are_a_chi2_of_pearson() -> None:
    found = goodness_of_fit(batch_of(spectrum(OBSERVED)))
    # the best fit by hand: two means, of the bins with and without signal
    means = np.where(np.isin(range(6), (2, 3)), np.mean(OBSERVED[2:4]), 0.0)
    means[[0, 1, 4, 5]] = np.mean([OBSERVED[i] for i in (0, 1, 4, 5)])
    pearson = float(np.sum((np.array(OBSERVED) - means) ** 2 / means))
    # q and Pearson's chi2 differ by pulls of 3 %
    assert found.statistic == pytest.approx(pearson, rel=0.03)
    assert found.degrees_of_freedom == 4
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 4), rel=1e-9)
    assert found.channels["c"] + found.constraints == pytest.approx(found.statistic)
    assert found.bins.sum() == pytest.approx(found.channels["c"])


def test_degrees_of_freedom_count_what_is_determined() -> None:
    # a second factor of the same sample determines nothing more
    twice = spectrum(OBSERVED, 900.0, {**FREE, "name": "again"})
    assert goodness_of_fit(batch_of(twice)).degrees_of_freedom == 4
    # constrained parameters cancel against their auxiliary data
    constrained = spectrum(
        OBSERVED,
        900.0,
        {"name": "shape", "type": "shapesys", "data": [20.0] * 6},
        {"name": "size", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}},
    )
    softer = goodness_of_fit(batch_of(constrained))
    assert softer.degrees_of_freedom == 4
    assert softer.statistic < goodness_of_fit(batch_of(spectrum(OBSERVED))).statistic
    assert softer.constraints > 0.0
    # a held mu is one parameter less; and so is one at its bound
    assert goodness_of_fit(batch_of(spectrum(OBSERVED)), mu=1.0).degrees_of_freedom == 5
    deficit = [*OBSERVED[:2], 700.0, 690.0, *OBSERVED[4:]]
    bound = goodness_of_fit(batch_of(spectrum(deficit)))
    assert bound.fit.mu == 0.0
    assert bound.degrees_of_freedom == 5
    # as many free parameters as bins: nothing is left to test
    two = spectrum(OBSERVED[1:4])
    two["channels"][0]["samples"][0]["data"] = [0.0, 90.0, 0.0]
    one = goodness_of_fit(batch_of({**two, "observations": [{"name": "c", "data": OBSERVED[1:4]}]}))
    assert one.degrees_of_freedom == 1


def test_nothing_to_test(counting: Callable[..., Workspace]) -> None:
    found = goodness_of_fit(batch_of(counting((3.0,), (0.0,), (1.0,), 0.0, (5,))))
    assert found.degrees_of_freedom == 0
    assert np.isnan(found.p_value)
    assert found.statistic == pytest.approx(0.0, abs=1e-9)


def test_toys_follow_the_chi2_at_large_counts() -> None:
    workspace = spectrum(OBSERVED, 900.0, {"name": "shape", "type": "shapesys", "data": [20.0] * 6})
    found = goodness_of_fit(batch_of(workspace), toys=1000, seed=3)
    assert found.toys is not None
    assert found.toys.failed == 0
    # mu is 1 sigma from its bound or further: the bound distorts a few percent of the toys
    assert stats.kstest(found.toys.values, stats.chi2(4).cdf).pvalue > 0.01
    assert found.toys.p_value == pytest.approx(found.p_value, abs=4.0 * found.toys.error)


def test_p_values_of_toys_are_uniform_under_the_true_model() -> None:
    """Few counts, constrained and free parameters: the chi2 does not hold, toys do."""
    truth = spectrum([0.0] * 6, 4.0, {"name": "shape", "type": "shapesys", "data": [1.0] * 6})
    generator = np.random.default_rng(17)
    rates = np.array([4.0, 4.0, 5.2, 5.2, 4.0, 4.0])  # mu = 3
    p_values = []
    for number in range(25):
        gamma = generator.poisson(16.0, 6) / 16.0
        workspace = spectrum(
            generator.poisson(rates).astype(float).tolist(),
            4.0,
            truth["channels"][0]["samples"][1]["modifiers"][1],
        )
        # auxiliary data fluctuate as well
        config = workspace["measurements"][0]["config"]
        config["parameters"] = [{"name": "shape", "auxdata": (16.0 * gamma).tolist()}]
        found = goodness_of_fit(batch_of(workspace), toys=80, seed=number)
        assert found.toys is not None
        p_values.append(found.toys.p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.02
    # and a wrong one is found
    wrong = goodness_of_fit(batch_of(spectrum([25.0, 0.0, 4.0, 4.0, 0.0, 0.0], 4.0)), toys=300)
    assert wrong.toys is not None
    assert wrong.toys.p_value < 0.01


def test_toys_depend_on_their_seed_alone() -> None:
    batch = batch_of(spectrum([5.0, 3.0, 6.0, 2.0, 4.0, 4.0], 4.0))
    first, again, other = (goodness_of_fit(batch, toys=50, seed=s).toys for s in (1, 1, 2))
    assert first is not None
    assert again is not None
    assert other is not None
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)
    fixed = goodness_of_fit(batch, toys=50, ensemble="aux-fixed")
    assert fixed.toys is not None
    assert fixed.toys.ensemble == "aux-fixed"


def test_what_is_not_allowed() -> None:
    batch = batch_of(spectrum(OBSERVED))
    with pytest.raises(InputError, match="ensemble"):
        goodness_of_fit(batch, ensemble="both")
    with pytest.raises(InputError, match="must not be negative"):
        goodness_of_fit(batch, toys=-1)
