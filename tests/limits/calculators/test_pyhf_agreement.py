"""The engine against pyhf 0.7.6 on the same workspaces."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyhf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Asymptotic, calculator
from na64.limits.likelihood.compiled import CompiledLikelihood, compile_workspace


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """pyhf's optimiser steps into negative rates now and then and says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module", autouse=True)
def precise_pyhf():
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(tolerance=1e-13, maxiter=5000))
    yield
    pyhf.set_backend("numpy")


def _parameters(
    likelihood: CompiledLikelihood, model: Any, theta: np.ndarray, mu: float
) -> np.ndarray:
    ours = dict(zip(likelihood.parameter_names, theta, strict=True))
    values = np.array(model.config.suggested_init())
    for i, name in enumerate(model.config.par_names):
        values[i] = mu if name == "mu" else ours.get(name, values[i])
    return values


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_likelihood(everything, seed):
    """Differences of ln L between parameter points: constants of the data drop out."""
    workspace = everything(seed)
    likelihood = compile_workspace(workspace, validate=False)
    model = pyhf.Workspace(workspace).model(validate=False)
    data = pyhf.Workspace(workspace).data(model)
    generator = np.random.default_rng(seed)
    batch = likelihood.batch()
    points = batch.points(np.zeros(1, dtype=int), likelihood.observed[:, None])
    evaluator = likelihood.fitter.problem(False).evaluator
    sums = []
    for _ in range(2):
        theta = np.array(
            [
                generator.uniform(-2.0, 2.0) if p.lower < 0.0 else generator.uniform(0.5, 1.5)
                for p in likelihood.model.parameters
            ]
        )
        mu = generator.uniform(0.1, 3.0)
        ours = evaluator.value(theta[:, None], mu * batch.events, points)[0]
        theirs = model.logpdf(_parameters(likelihood, model, theta, mu), data)[0]
        sums.append(ours + theirs)
    # rounding of sums of a few hundred
    assert sums[0] == pytest.approx(sums[1], abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_qtilde(everything, seed):
    """pyhf's minimum may be a local one; then ours must be lower."""
    workspace = everything(seed)
    likelihood = compile_workspace(workspace, validate=False)
    model = pyhf.Workspace(workspace).model(validate=False)
    data = pyhf.Workspace(workspace).data(model)
    mu = float(np.random.default_rng(seed).uniform(0.1, 4.0))
    bounds = list(model.config.suggested_bounds())
    bounds[model.config.poi_index] = (0.0, 1000.0)
    given = (data, model, model.config.suggested_init(), bounds, model.config.suggested_fixed())
    with _quiet():
        _, fixed = pyhf.infer.mle.fixed_poi_fit(mu, *given, return_fitted_val=True)
        best, free = pyhf.infer.mle.fit(*given, return_fitted_val=True)
    batch = likelihood.batch()
    points = batch.points(np.zeros(1, dtype=int), likelihood.observed[:, None])
    ours = [
        likelihood.fitter.fit(points, nu, free_signal=free_signal)
        for nu, free_signal in ((mu * batch.events, False), (batch.events, True))
    ]
    assert all(fit.converged[0] for fit in ours)
    values = []
    for fit in ours:
        x = _parameters(likelihood, model, fit.theta[:, 0], fit.nu[0] / batch.events[0])
        values.append(-2.0 * model.logpdf(x, data)[0])
    for value, theirs in zip(values, (float(fixed), float(free)), strict=True):
        assert value <= theirs + 1e-6
    if best[model.config.poi_index] <= mu and abs(values[1] - float(free)) < 1e-7:
        q = 2.0 * (ours[0].value[0] - ours[1].value[0])
        assert q == pytest.approx(float(fixed) - float(free), abs=1e-6)


@pytest.mark.parametrize("kind", ["normsys", "shapesys"])
def test_asymptotic_limits(counting, kind):
    """pyhf's CLs crosses its threshold within 1e-4 of our limits: observed, -2, 0 and +2."""
    workspace = counting(
        background=(1.5, 4.0, 0.6), observed=(2, 3, 1), kind=kind, uncertainty=(0.3, 0.2, 0.4)
    )
    batch = compile_workspace(workspace, validate=False).batch()
    ours = upper_limits(batch, confidence_level=0.9, calculator=Asymptotic())
    model = pyhf.Workspace(workspace).model(validate=False)
    data = pyhf.Workspace(workspace).data(model)
    bounds = list(model.config.suggested_bounds())
    bounds[model.config.poi_index] = (0.0, 300.0)

    def cls(mu: float, which: int) -> float:
        with _quiet():
            observed, expected = pyhf.infer.hypotest(
                mu, data, model, par_bounds=bounds, return_expected_set=True
            )
        return float([observed, *expected][which])

    for which, limit in zip((0, 1, 3, 5), [ours.observed[0], *ours.expected[::2, 0]], strict=True):
        assert cls(limit * (1.0 - 1e-4), which) > 0.1 > cls(limit * (1.0 + 1e-4), which)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_scale_of_the_signal_does_not_matter(counting, scale):
    signal = tuple(scale * s for s in (0.45, 0.33, 0.22))
    batch = compile_workspace(counting(signal=signal), validate=False).batch()
    for method, wanted in (("asymptotic", 1.598), ("exact", 2.351)):
        found = upper_limits(batch, calculator=calculator(method), expected=False)
        assert found.observed[0] * scale == pytest.approx(wanted, rel=4e-4)


HARD: dict[str, dict[str, Any]] = {
    "a bin without background": {"background": (0.0, 0.17, 0.29)},
    "no background at all": {"background": (0.0, 0.0, 0.0), "observed": (0, 1, 0)},
    "80 % gammas": {"kind": "shapesys", "uncertainty": (0.8, 0.8, 0.8)},
    "an excess": {"observed": (0, 6, 3)},
    "a deficit": {"background": (12.0, 9.0, 14.0), "observed": (1, 0, 2)},
    "thirty channels": {
        "background": (0.02,) * 30,
        "uncertainty": (0.5,) * 30,
        "signal": (0.03,) * 30,
        "observed": (0,) * 29 + (1,),
    },
}


@pytest.mark.parametrize("name", HARD)
def test_hard_workspaces(counting, name):
    """Every number exists, and qtilde agrees with pyhf wherever pyhf has one."""
    workspace = counting(**HARD[name])
    likelihood = compile_workspace(workspace, validate=False)
    batch = likelihood.batch()
    for method in ("asymptotic", "exact"):
        found = upper_limits(batch, calculator=calculator(method))
        assert [s.value for s in found.status] == ["ok"]
        assert np.all(np.isfinite(found.expected))
        assert np.all(np.diff(found.expected[:, 0]) >= -1e-6)
    model = pyhf.Workspace(workspace).model(validate=False)
    data = pyhf.Workspace(workspace).data(model)
    bounds = list(model.config.suggested_bounds())
    bounds[model.config.poi_index] = (0.0, 200.0)
    mu = 8.0
    with _quiet():
        theirs = float(
            pyhf.infer.test_statistics.qmu_tilde(
                mu,
                data,
                model,
                model.config.suggested_init(),
                bounds,
                model.config.suggested_fixed(),
            )
        )
    points = batch.points(np.zeros(1, dtype=int), likelihood.observed[:, None])
    fitter = likelihood.fitter
    fixed = fitter.fit(points, mu * batch.events, free_signal=False)
    free = fitter.fit(points, batch.events, free_signal=True)
    ours = 2.0 * (fixed.value[0] - free.value[0]) if free.nu[0] <= mu * batch.events[0] else 0.0
    assert ours == pytest.approx(theirs, abs=2e-6)
