"""The order of the expected bands, their definition, and their statistical errors."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from na64.limits.calculators.limit_errors import half_width
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.pseudodata import ThrownCls
from na64.limits.calculators.registry import Toys, calculator
from na64.limits.likelihood.compiled import compile_workspace

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "benchmarks" / "bands.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Return the script that makes the random workspaces."""
    spec = importlib.util.spec_from_file_location("benchmark_bands", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


#: method, its settings, workspaces and signals on each
ORDERED = [
    ("exact", {}, 3, 10),
    ("toys", {"toys": 100}, 1, 6),
    ("asymptotic", {}, 5, 20),
    ("feldman-cousins", {}, 1, 2),
]


@pytest.mark.parametrize(("method", "settings", "workspaces", "signals"), ORDERED)
def test_no_band_is_out_of_order(script, method, settings, workspaces, signals):
    for seed in range(workspaces):
        likelihood = compile_workspace(script.workspace(seed, 0.2, 3, 6), validate=False)
        batch = script.signals(seed, likelihood, signals)
        used, seen = calculator(method, **settings), likelihood.observed
        bands = upper_limits(batch, calculator=used, observed=False, counts=seen).expected
        assert np.isfinite(bands).all()
        assert np.all(np.diff(bands, axis=0) >= 0.0), (seed, bands)


def test_bands_are_quantiles_of_the_limits_of_all_datasets(script):
    batch = compile_workspace(script.workspace(2, 1.0), validate=False).batch()
    found = upper_limits(batch, observed=False, counts=batch.likelihood.observed)
    bands = found.expected_events[:, 0]
    wanted = script.enumerated_bands(batch, 0.1, 0.7 * bands[0], 1.5 * bands[-1])
    # the last grid of the enumeration has steps of 3e-5, roots have a tolerance of 1e-5
    np.testing.assert_allclose(bands, wanted, rtol=1e-4)


def test_expected_values_are_ordered_at_every_strength(script):
    batch = compile_workspace(script.workspace(14, 1.0), validate=False).batch()
    found = cls_values(batch, np.geomspace(1.0, 12.0, 25)[:, None], expected=True).expected
    assert found is not None
    assert np.all(np.diff(found[:, :, 0], axis=0) >= 0.0)


def test_quantiles_of_thrown_values_are_those_of_cls():
    """Four toys: the one with the second largest qtilde has the smallest CLs."""
    background = np.array([4.0, 3.0, 2.0, 1.0])
    signal = np.array([4.5, 2.5, 1.5, 0.5])
    thrown = ThrownCls(2.0, signal, np.ones(4), background, np.ones(4))
    # S = 1, 1, 2, 3 and B = 1, 2, 3, 4 of four: CLs = 1, 1/2, 2/3, 3/4
    np.testing.assert_allclose(thrown.expected(), [0.5, 0.5, 2.0 / 3.0, 1.0, 1.0])


def test_copies_exclude_as_repetitions_would():
    """Where CLs is alpha in truth, half of all repetitions exclude; copies know how surely.

    Normal test statistics, of mean 0 with a signal and 1 without: CLs(q) = P(N > q) / P(N > q - 1).
    The quantiles z of the fractions then have mean 0 and standard deviation 1.
    """
    generator = np.random.default_rng(4)
    of_data = stats.norm.sf(1.5) / stats.norm.sf(0.5)
    of_median = stats.norm.sf(1.0) / 0.5
    fractions = []
    for i in range(80):
        signal, background = generator.normal(0.0, 1.0, 200), generator.normal(1.0, 1.0, 200)
        thrown = ThrownCls(1.5, signal, np.ones(200), background, np.ones(200))
        seen = thrown.excluded(of_data, np.random.default_rng(i))[0]
        fractions.append([seen, thrown.excluded(of_median, np.random.default_rng(i))[3]])
    z = stats.norm.ppf(np.clip(fractions, 0.005, 0.995))
    # of 80 repetitions the mean is known within 0.11 and the standard deviation within 0.08
    assert np.all(np.abs(z.mean(axis=0)) < 0.3)
    np.testing.assert_allclose(z.std(axis=0), 1.0, atol=0.25)


def test_width_of_a_known_distribution_and_of_a_step():
    at = [-0.11, -0.02, 0.03, 0.2]
    smooth = {t: float(stats.norm.cdf(t, 0.02, 0.08)) for t in at}
    assert half_width(smooth) == pytest.approx(0.08, rel=0.02)
    # all repetitions have their limit between two strengths
    step = {t: float(t > 0.0) for t in at}
    assert half_width(step) < 0.5 * 0.05


def test_errors_of_toy_limits_are_their_spread(counting):
    """120 repetitions of an observed limit: the same signal 120 times, with keys of its own."""
    spec = counting((0.3, 0.2), (0.2, 0.2), (0.6, 0.4), 0.1, (1, 0))
    likelihood = compile_workspace(spec, validate=False)
    own = likelihood.model.nominal[likelihood.model.is_signal]
    batch = likelihood.make_batch(np.repeat(own[None, :], 120, axis=0), np.arange(1.0, 121.0))
    table = upper_limits(batch, calculator=Toys(toys=200, seed=2), expected=False)
    assert table.observed_error is not None
    errors = table.observed_error / table.observed
    # 120 limits know their spread within 7 %
    spread = np.std(np.log(table.observed), ddof=1)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(spread, rel=0.25)


def test_toys_have_ordered_bands_with_errors(counting):
    spec = counting((0.3, 0.2), (0.2, 0.2), (0.6, 0.4), 0.1, (1, 0))
    batch = compile_workspace(spec, validate=False).batch()
    table = upper_limits(batch, calculator=Toys(toys=300))
    assert np.all(np.diff(table.expected[:, 0]) >= 0.0)
    assert table.expected_error is not None
    assert table.expected_error.shape == (5, 1)
    assert table.relative_errors is not None
    # a limit from 300 toys is known within 2 to 40 %
    assert np.all((table.relative_errors > 0.02) & (table.relative_errors < 0.4))


def test_methods_without_noise_have_no_errors(counting):
    table = upper_limits(compile_workspace(counting(), validate=False).batch())
    assert table.observed_error is None
    assert table.expected_error is None
    assert table.relative_errors is None
