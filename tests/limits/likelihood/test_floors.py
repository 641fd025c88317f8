"""Rates are never negative, and likelihoods have no bottomless directions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import calculator
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.likelihood.dense import DenseEvaluator
from na64.limits.likelihood.floors import lifted


def shifted(observed: float, up: float = 6.0, down: float = 0.0, background: float = 3.0):
    """Return one bin whose background is moved by a histosys."""
    histosys = {
        "name": "shape",
        "type": "histosys",
        "data": {"hi_data": [up], "lo_data": [down]},
    }
    return {
        "channels": [
            {
                "name": "box",
                "samples": [
                    {
                        "name": "signal",
                        "data": [1.0],
                        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                    },
                    {"name": "background", "data": [background], "modifiers": [histosys]},
                ],
            }
        ],
        "observations": [{"name": "box", "data": [observed]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


@settings(max_examples=200, deadline=None)
@given(t=st.floats(-1e6, 3.0), below=st.floats(1e-12, 1e3))
def test_a_lifted_rate_is_positive_and_smooth(t, below):
    rates = np.array([t * below])
    value, slope, bend = lifted(rates, np.array([below]))
    assert value[0] > 0.0
    assert 0.0 < slope[0] <= 1.0
    assert bend[0] >= 0.0
    if t >= 1.0:
        assert (value[0], slope[0], bend[0]) == (rates[0], 1.0, 0.0)
    else:
        h = 1e-4 * below * max(1.0, abs(t))
        up, down = (lifted(rates + s * h, np.array([below])) for s in (1.0, -1.0))
        # truncation h^2 / 6 of third derivatives of order one in units of `below`
        assert (up[0][0] - down[0][0]) / (2.0 * h) == pytest.approx(slope[0], rel=1e-5, abs=1e-6)
        difference = (up[1][0] - down[1][0]) / (2.0 * h) * below
        assert difference == pytest.approx(bend[0] * below, rel=1e-3, abs=1e-3)


def test_a_background_that_can_vanish_excludes_no_more_than_no_background():
    """Nothing observed: the background is fitted to zero, and 2.303 signal events are excluded."""
    batch = compile_workspace(shifted(0.0), validate=False).batch()
    exact = upper_limits(batch, calculator=calculator("exact"))
    # the background ends at a fraction of 1e-4 of its nominal value
    assert exact.observed[0] == pytest.approx(-math.log(0.1), rel=1e-4)
    asymptotic = upper_limits(batch, calculator=calculator("asymptotic"))
    bands = [asymptotic.expected[i, 0] for i in range(5)]
    assert np.all(np.diff(bands) > 0.0)
    assert bands[0] < asymptotic.observed[0] < bands[4]


@pytest.mark.parametrize("observed", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("nu", [0.0, 2.0, 7.0])
def test_a_signal_does_not_buy_a_negative_background(observed, nu):
    """The fit is that of a background max(3 + 3 alpha, 0), found by a search along alpha."""
    likelihood = compile_workspace(shifted(observed), validate=False)
    batch = likelihood.batch()
    points = batch.points(np.zeros(1, dtype=int), likelihood.observed[:, None])
    fit = likelihood.fitter.fit(points, np.array([nu]), free_signal=False)

    def nll(alpha: float) -> float:
        rate = max(3.0 + 3.0 * alpha, 1e-9) + nu
        seen = observed * math.log(observed / rate) if observed else 0.0
        return rate - observed + seen + 0.5 * alpha**2

    best = min(nll(a) for a in np.linspace(-2.0, 2.0, 40_001))
    assert fit.converged[0]
    assert fit.value[0] == pytest.approx(best, abs=2e-4)
    evaluator = likelihood.fitter.problem(False).evaluator
    assert evaluator.rates(fit.theta, np.zeros(1), points.signal)[0, 0] > 0.0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_direction_is_bottomless(seed):
    """Far from anything the likelihood is not below its minimum."""
    generator = np.random.default_rng(seed)
    spec = shifted(
        float(generator.integers(0, 4)),
        float(generator.uniform(-5.0, 30.0)),
        float(generator.uniform(-5.0, 3.0)),
    )
    likelihood = compile_workspace(spec, validate=False)
    batch = likelihood.batch()
    points = batch.points(np.zeros(1, dtype=int), likelihood.observed[:, None])
    fit = likelihood.fitter.fit(points, np.ones(1), free_signal=True)
    evaluator = likelihood.fitter.problem(True).evaluator
    theta = generator.uniform(-5.0, 5.0, (1, 200))
    nu = generator.exponential(10.0, 200)
    many = points.take(np.zeros(200, dtype=int))
    assert fit.converged[0]
    assert np.all(evaluator.rates(theta, nu, many.signal) > 0.0)
    assert np.all(evaluator.value(theta, nu, many) >= fit.value[0] - 1e-9)


def test_shifts_of_the_signal_have_a_floor_too():
    spec = shifted(2.0)
    background = spec["channels"][0]["samples"][1]
    background["modifiers"] = []
    signal = spec["channels"][0]["samples"][0]
    data = {"hi_data": [3.0], "lo_data": [-1.0]}
    signal["modifiers"].append({"name": "shape", "type": "histosys", "data": data})
    likelihood = compile_workspace(spec, validate=False)
    evaluator = likelihood.fitter.problem(True).evaluator
    assert isinstance(evaluator, DenseEvaluator)
    batch = likelihood.batch()
    points = batch.points(np.zeros(1, dtype=int), likelihood.observed[:, None])
    rates = evaluator.rates(np.array([[-4.0]]), np.array([10.0]), points.signal)
    assert rates[0, 0] == pytest.approx(3.0, abs=1e-3)
    cls = cls_values(batch, [0.5, 5.0, 50.0], calculator=calculator("asymptotic"))
    assert np.all(np.diff(cls.observed[:, 0] if cls.observed.ndim > 1 else cls.observed) < 0.0)


def test_dense_and_listed_derivatives_are_the_same(everything):
    """Two codes for one likelihood; where nothing has a floor both can be asked."""
    from na64.limits.likelihood.sparse import SparseEvaluator

    compared = 0
    for seed in range(40):
        likelihood = compile_workspace(everything(seed), validate=False)
        dense = DenseEvaluator(likelihood.model, free_signal=True)
        if dense.lifts:
            continue
        listed = SparseEvaluator(likelihood.model, free_signal=True)
        generator = np.random.default_rng(seed)
        n = 3
        lower, upper = likelihood.fitter.lower[:, None], likelihood.fitter.upper[:, None]
        theta = likelihood.fitter.init[:, None] + generator.normal(
            0.0, 0.3, (len(likelihood.fitter.init), n)
        )
        theta = np.clip(theta, np.maximum(lower, -4.0), np.minimum(upper, 4.0))
        points = likelihood.batch().points(np.zeros(n, dtype=int), likelihood.observed[:, None])
        nu = generator.uniform(0.1, 5.0, n)
        one, two = (x.derivatives(theta, nu, points, information=True) for x in (dense, listed))
        np.testing.assert_allclose(one.value, two.value, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(one.gradient, two.gradient, rtol=1e-9, atol=1e-9)
        for name in ("hessian", "information"):
            full = []
            for evaluator, found in ((dense, one), (listed, two)):
                matrix = np.zeros((dense.n_variables, dense.n_variables, n))
                elements = getattr(found, name)
                used = slice(0, elements.shape[0])
                matrix[evaluator.rows[used], evaluator.columns[used]] = elements
                full.append(matrix)
            np.testing.assert_allclose(full[0], full[1], rtol=1e-8, atol=1e-8)
        compared += 1
    assert compared >= 10


def test_second_minimum_of_a_large_factor():
    """The polynomial of a factor of 19 has a plateau: the minimum beyond it is found."""
    samples = [
        {
            "name": "signal",
            "data": [0.1],
            "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
        },
        {
            "name": "background",
            "data": [20.0],
            "modifiers": [{"name": "a", "type": "normsys", "data": {"hi": 18.7, "lo": 0.24}}],
        },
    ]
    spec = shifted(2.0)
    spec["channels"][0]["samples"] = samples
    likelihood = compile_workspace(spec, validate=False)
    points = likelihood.batch().points(np.zeros(1, dtype=int), likelihood.observed[:, None])
    fit = likelihood.fitter.fit(points, np.zeros(1), free_signal=False)
    evaluator = likelihood.fitter.problem(False).evaluator
    grid = np.linspace(-5.0, 5.0, 20_001)[None, :]
    many = points.take(np.zeros(grid.shape[1], dtype=int))
    values = evaluator.value(grid, np.zeros(grid.shape[1]), many)
    polished = optimize.minimize_scalar(
        lambda a: float(evaluator.value(np.array([[a]]), np.zeros(1), points)[0]),
        bounds=(float(grid[0, values.argmin()]) - 0.01, float(grid[0, values.argmin()]) + 0.01),
        method="bounded",
    )
    assert fit.value[0] == pytest.approx(min(polished.fun, values.min()), abs=1e-7)
