"""Negative rates, as simulated samples with negative weights have them."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyhf
import pytest
from scipy import stats

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Asymptotic, Exact, Toys
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import InputError

Workspace = dict[str, Any]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _workspace(
    signal: list[float],
    backgrounds: dict[str, list[float]],
    observed: list[float],
    modifiers: dict[str, list[dict[str, Any]]] | None = None,
) -> Workspace:
    """Return one channel with a signal and some backgrounds."""
    own = modifiers or {}
    mu = {"name": "mu", "type": "normfactor", "data": None}
    samples = [{"name": "signal", "data": signal, "modifiers": [mu, *own.get("signal", [])]}]
    samples += [
        {"name": name, "data": data, "modifiers": own.get(name, [])}
        for name, data in backgrounds.items()
    ]
    return {
        "channels": [{"name": "channel", "samples": samples}],
        "observations": [{"name": "channel", "data": observed}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def _normsys(name: str, hi: float) -> dict[str, Any]:
    return {"name": name, "type": "normsys", "data": {"hi": hi, "lo": 1.0 / hi}}


NEGATIVE = {
    "background": _workspace(
        [4.0, 2.5],
        {"main": [30.0, 20.0], "interference": [-3.0, -1.5]},
        [28.0, 17.0],
        {
            "main": [
                _normsys("scale", 1.1),
                {"name": "mc", "type": "staterror", "data": [1.5, 1.0]},
            ],
            "interference": [
                _normsys("scale", 1.2),
                {"name": "mc", "type": "staterror", "data": [0.6, 0.3]},
            ],
        },
    ),
    "shapes of a negative background": _workspace(
        [4.0, 2.5],
        {"main": [30.0, 20.0], "interference": [-3.0, 0.5]},
        [30.0, 22.0],
        {
            "main": [{"name": "own", "type": "shapesys", "data": [2.0, 1.0]}],
            "interference": [
                {
                    "name": "shape",
                    "type": "histosys",
                    "data": {"hi_data": [-2.0, 1.5], "lo_data": [-4.5, -0.8]},
                },
                {"name": "none", "type": "shapesys", "data": [0.4, 0.2]},
            ],
        },
    ),
    "signal": _workspace(
        [6.0, -1.0],
        {"main": [30.0, 20.0]},
        [31.0, 19.0],
        {"main": [_normsys("scale", 1.1)], "signal": [_normsys("efficiency", 1.15)]},
    ),
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_asymptotic_cls_is_pyhfs(name):
    """Observed and expected, to what pyhf's own minimiser is good for."""
    workspace = NEGATIVE[name]
    batch = compile_workspace(workspace).batch()
    model = pyhf.Workspace(workspace).model()
    data = pyhf.Workspace(workspace).data(model)
    for mu in (0.5, 2.0):
        ours = cls_values(batch, mu, calculator=Asymptotic(), expected=True)
        with _quiet():
            observed, expected = pyhf.infer.hypotest(mu, data, model, return_expected_set=True)
        assert ours.observed[0] == pytest.approx(float(observed), rel=1e-3)
        assert ours.expected is not None
        wanted = np.array([float(e) for e in expected])
        np.testing.assert_allclose(np.ravel(ours.expected), wanted, rtol=1e-3)


def test_a_negative_sample_is_a_smaller_background():
    """Without uncertainties only the sum of a bin counts, for every calculator."""
    split = _workspace([1.0, 0.5], {"a": [2.0, 0.75], "b": [-0.5, -0.25]}, [1.0, 0.0])
    whole = _workspace([1.0, 0.5], {"a": [1.5, 0.5]}, [1.0, 0.0])
    for calculator in (Exact(), Asymptotic(), Toys(toys=200)):
        one, two = (
            upper_limits(compile_workspace(w, validate=False).batch(), calculator=calculator)
            for w in (split, whole)
        )
        assert one.status == two.status
        np.testing.assert_allclose(one.observed, two.observed, rtol=1e-9)
        np.testing.assert_allclose(one.expected, two.expected, rtol=1e-9)


@pytest.mark.parametrize("observed", [(1.0, 2.0), (0.0, 4.0), (3.0, 1.0)])
def test_exact_cls_of_a_signal_with_a_negative_bin(observed):
    """Against all counts up to 25 and 20, the best mu of each found by bisection."""
    signal, background = np.array([[2.0], [-0.3]]), np.array([[1.5], [3.0]])
    workspace = _workspace(signal[:, 0].tolist(), {"b": background[:, 0].tolist()}, list(observed))
    batch = compile_workspace(workspace, validate=False).batch()
    grid = np.array([observed, *itertools.product(range(26), range(21))], dtype=float).T

    def nll(mu: Any) -> np.ndarray:
        rates = background + mu * signal
        return np.asarray(np.sum(rates - grid * np.log(rates), axis=0))

    low, high = np.zeros(grid.shape[1]), np.full(grid.shape[1], 9.9999)
    for _ in range(60):  # the slope in mu rises
        middle = 0.5 * (low + high)
        rising = np.sum(signal - grid * signal / (background + middle * signal), axis=0) > 0.0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    for mu in (1.0, 2.2):
        q = np.where(high <= mu, 2.0 * (nll(mu) - nll(high)), 0.0)
        inside = q[1:] >= q[0] - 1e-8
        both, alone = (
            np.prod(stats.poisson.pmf(grid[:, 1:], background + x * signal), axis=0)[inside].sum()
            for x in (mu, 0.0)
        )
        found = cls_values(batch, mu, calculator=Exact())
        # what the enumeration leaves out
        assert found.observed[0] == pytest.approx(both / alone, rel=2e-4)


def test_a_signal_that_is_negative_as_a_whole_is_refused():
    workspace = _workspace([1.0, -1.5], {"b": [5.0, 5.0]}, [5.0, 5.0])
    likelihood = compile_workspace(workspace)
    with pytest.raises(InputError, match=r"'mu' \(signal\) expect -0.5 events in total at mu = 1"):
        likelihood.batch()
    with pytest.raises(InputError, match="finite and not negative"):
        likelihood.inject([[[1.0, -0.1]]])


def test_a_background_that_is_negative_as_a_whole_has_no_limit():
    workspace = _workspace([1.0, 1.0], {"a": [5.0, 1.0], "b": [-1.0, -1.5]}, [5.0, 0.0])
    found = upper_limits(compile_workspace(workspace).batch())
    assert found.status[0].value == "failed"
    assert "channel 'channel', bin 1: the background is -0.5 events" in found.messages[0]
    workspace["observations"][0]["data"] = [5.0, 1.0]
    workspace["channels"][0]["samples"][0]["data"] = [1.0, 0.0]
    found = upper_limits(compile_workspace(workspace).batch())
    assert "bin 1" in found.messages[0]


def test_a_negative_factor_is_read_if_it_is_fixed():
    """A sample that is subtracted: the same as one with negative rates."""
    subtracted = _workspace(
        [1.0],
        {"a": [4.0], "b": [1.5]},
        [2.0],
        {"b": [{"name": "minus", "type": "normfactor", "data": None}]},
    )
    config = {"name": "minus", "inits": [-1.0], "bounds": [[-1.0, -1.0]], "fixed": True}
    subtracted["measurements"][0]["config"]["parameters"] = [config]
    negative = _workspace([1.0], {"a": [4.0], "b": [-1.5]}, [2.0])
    one, two = (upper_limits(compile_workspace(w).batch()) for w in (subtracted, negative))
    np.testing.assert_array_equal(one.observed, two.observed)
    config.update(bounds=[[-2.0, -0.5]], fixed=False)
    with pytest.raises(InputError, match=r"bounds \[-2.0, -0.5\] leave no positive value"):
        compile_workspace(subtracted)


@pytest.mark.parametrize("below", [-2.0, 0.3, 1.5])
def test_derivatives_where_a_subtracted_signal_leaves_nothing(below):
    """Against central differences where the sum of a bin is that many times its floor.

    The floor is 1e-4 of 20 events. Rates change by 1e-6 events: truncation 1e-6 of the derivative.
    """
    likelihood = compile_workspace(NEGATIVE["signal"], validate=False)
    batch = likelihood.batch()
    evaluator = likelihood.fitter.problem(True).evaluator
    assert likelihood.parameter_names == ("efficiency", "scale")
    nu = (20.0 - below * 2e-3) / -batch.shape[1, 0]
    at = np.array([0.0, 0.0, nu])
    steps = np.diag([1e-7, 1e-7, 1e-6])
    x = np.concatenate([at[:, None], at[:, None] + steps, at[:, None] - steps], axis=1)
    points = batch.points(np.zeros(7, dtype=int), likelihood.observed[:, None])
    found = evaluator.derivatives(x[:2], x[2], points)
    np.testing.assert_allclose(evaluator.value(x[:2], x[2], points), found.value, rtol=1e-12)
    h = np.diag(steps)
    numeric = (found.value[1:4] - found.value[4:]) / (2.0 * h)
    np.testing.assert_allclose(numeric, found.gradient[:, 0], rtol=1e-4)
    hessian = np.zeros((3, 3))
    hessian[evaluator.rows, evaluator.columns] = found.hessian[:, 0]
    hessian += np.tril(hessian, -1).T
    numeric = (found.gradient[:, 1:4] - found.gradient[:, 4:]) / (2.0 * h)
    np.testing.assert_allclose(numeric, hessian, rtol=1e-3, atol=1e-6 * np.abs(hessian).max())


def test_a_limit_beyond_the_strength_that_leaves_nothing():
    """A subtracted signal takes a background down to zero, as pyhf's clip of bins does, no further.

    One bin expects mu, the other 0.5 - 0.4 mu, both are empty. At mu > 1.25 the second expects
    nothing. As much like the background are then the data with an empty first bin, whatever is in
    the second, so that CLs = P(n_1 = 0 | mu) / P(n_1 = 0 | 0) = exp(-mu) and the limit is ln 10.
    """
    workspace = _workspace([1.0, -0.4], {"b": [0.0, 0.5]}, [0.0, 0.0])
    found = upper_limits(compile_workspace(workspace, validate=False).batch(), calculator=Exact())
    assert found.status[0].value == "ok"
    assert found.observed[0] == pytest.approx(np.log(10.0), rel=1e-4)
