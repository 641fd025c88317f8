"""The order of the expected bands, their definition, and their statistical errors."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

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


def _bands(script: ModuleType, method: str, seed: int, largest: float, **settings) -> np.ndarray:
    batch = compile_workspace(script.workspace(seed, largest), validate=False).batch()
    used = calculator(method, **settings)
    seen = batch.likelihood.observed
    return upper_limits(batch, calculator=used, observed=False, counts=seen).expected[:, 0]


@pytest.mark.parametrize(
    ("method", "settings", "workspaces"),
    [("exact", {}, 8), ("asymptotic", {}, 20)],
)
def test_no_band_is_out_of_order(script, method, settings, workspaces):
    for seed in range(workspaces):
        bands = _bands(script, method, seed, 0.2, **settings)
        assert np.all(np.diff(bands) >= 0.0), (seed, bands)


@pytest.mark.parametrize("seed", [2, 16])
def test_bands_are_quantiles_of_the_limits_of_all_datasets(script, seed):
    batch = compile_workspace(script.workspace(seed, 1.0), validate=False).batch()
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


def test_bootstrap_is_the_spread_of_thrown_values():
    """Errors of the five values of CLs against 200 ensembles of two normal test statistics."""
    generator = np.random.default_rng(4)
    thrown = [
        ThrownCls(
            0.0,
            generator.normal(0.0, 1.0, 2000),
            np.ones(2000),
            generator.normal(1.0, 1.0, 2000),
            np.ones(2000),
        )
        for _ in range(200)
    ]
    # CLs at -2 sigma rests on 2 signal toys in 2000: the logarithm has no variance to compare
    spread = np.std([np.log(one.expected()[1:]) for one in thrown], axis=0, ddof=1)
    some = [one.expected_error(np.random.default_rng(i))[1:] for i, one in enumerate(thrown[:20])]
    np.testing.assert_allclose(np.median(some, axis=0), spread, rtol=0.25)


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
