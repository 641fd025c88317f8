"""The asymptotic calculator: closed forms, and limits where fits have several minima."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from na64.limits.calculators.asymptotic import Engine, _asimov_root, _log_cls
from na64.limits.calculators.registry import Asymptotic
from na64.limits.likelihood.compiled import compile_workspace
from scripts.benchmarks.hostile_generator import make_workspace

ALPHA = 0.1


def test_every_limit_is_where_fresh_fits_give_alpha() -> None:
    # one bin; a search whose fits begin where the last one ended stays in a minimum that is not the
    # lowest, and its +1 sigma limit is a quarter of the events, at CLs = 0.25
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rates on the way of a minimiser
        likelihood = compile_workspace(make_workspace(97, seed=2), validate=False)
        engine = Engine(Asymptotic(), likelihood.batch(), likelihood.observed)
        edges = engine.limits(ALPHA, observed=True, expected=True)
        roots = np.array([found.x[0] for found in edges.upper if found is not None])
        assert roots.shape == (6,)
        first = np.zeros(6, dtype=np.intp)
        observed, bands = engine.p_values(np.exp(roots), first, expected=True)
    cls = np.concatenate([observed[:1], np.diagonal(bands[:, 1:])])
    np.testing.assert_allclose(cls, ALPHA, rtol=1e-3)


def normal_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2.0))


@pytest.mark.parametrize(
    ("q", "asimov"), [(0.0, 2.0), (1.0, 2.0), (4.0, 2.0), (6.0, 2.0), (9.0, 1.2), (2.0, 0.5)]
)
def test_cls_is_the_ratio_of_two_tails(q: float, asimov: float) -> None:
    # arXiv:1007.1727 eqs. (64)-(66); asimov is the root of qtilde of the Asimov data
    if math.sqrt(q) <= asimov:
        both, alone = normal_tail(math.sqrt(q)), normal_tail(math.sqrt(q) - asimov)
    else:
        both, alone = (normal_tail((q + s * asimov**2) / (2.0 * asimov)) for s in (1.0, -1.0))
    found = np.exp(_log_cls(np.array([q]), np.array([asimov])))[0]
    assert found == pytest.approx(both / alone, rel=1e-12)


def test_without_sensitivity_cls_is_one() -> None:
    assert _log_cls(np.array([0.0, 1.0]), np.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("order", [-2.0, 0.0, 1.0])
def test_expected_roots_give_alpha_back(order: float) -> None:
    root = _asimov_root(ALPHA, np.array([order]))
    # N standard deviations of the background: sqrt(q) = sqrt(q_A) - N
    ratio = normal_tail(float(root[0]) - order) / normal_tail(-order)
    assert ratio == pytest.approx(ALPHA, rel=1e-12)


def counting(observed: float, background: float, uncertainty: float) -> dict[str, Any]:
    mu = {"name": "mu", "type": "normfactor", "data": None}
    shift = {"name": "b", "type": "normsys", "data": {"hi": 1 + uncertainty, "lo": 1 - uncertainty}}
    samples = [
        {"name": "signal", "data": [1.0], "modifiers": [mu]},
        {"name": "background", "data": [background], "modifiers": [shift] if uncertainty else []},
    ]
    return {
        "channels": [{"name": "c", "samples": samples}],
        "observations": [{"name": "c", "data": [observed]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def q_of(n: float, b: float, s: float) -> float:
    """Return qtilde of n events, b expected of the background and s of the signal."""

    def log_likelihood(rate: float) -> float:
        return n * math.log(rate) - rate if n else -rate

    best = min(max(n - b, 0.0), s)
    return 2.0 * (log_likelihood(b + best) - log_likelihood(b + s))


@pytest.mark.parametrize("observed", [0.0, 2.0, 4.0, 9.0])
def test_a_bin_without_uncertainty_in_closed_form(observed: float) -> None:
    background = 3.5
    likelihood = compile_workspace(counting(observed, background, 0.0), validate=False)
    engine = Engine(Asymptotic(), likelihood.batch(), likelihood.observed)
    edges = engine.limits(ALPHA, observed=True, expected=True)
    roots = [found.x[0] for found in edges.upper if found is not None]

    def cls(q: float, s: float) -> float:
        asimov = math.sqrt(q_of(background, background, s))
        return float(np.exp(_log_cls(np.array([q]), np.array([asimov])))[0])

    limit = math.exp(roots[0])
    assert cls(q_of(observed, background, limit), limit) == pytest.approx(ALPHA, rel=1e-3)
    for order, root in zip((-2.0, -1.0, 0.0, 1.0, 2.0), roots[1:], strict=True):
        asimov = math.sqrt(q_of(background, background, math.exp(root)))
        assert asimov == pytest.approx(float(_asimov_root(ALPHA, np.array([order]))[0]), rel=1e-3)
    assert engine.discovery_p_values(np.array([0.0, 4.0])) == pytest.approx(
        [1.0, normal_tail(2.0)], rel=1e-12
    )


def test_an_uncertainty_weakens_the_limit_and_the_significance() -> None:
    found = []
    for uncertainty in (0.0, 0.3):
        likelihood = compile_workspace(counting(4.0, 3.5, uncertainty), validate=False)
        engine = Engine(Asymptotic(), likelihood.batch(), likelihood.observed)
        edges = engine.limits(ALPHA, observed=True, expected=False)
        assert edges.upper[1:] == (None,) * 5
        assert edges.upper[0] is not None
        theta = np.zeros((1 if uncertainty else 0, 1))
        found.append((math.exp(edges.upper[0].x[0]), engine.median_significance(theta)[0]))
    (limit, sharp), (weaker, blurred) = found
    assert weaker > 1.02 * limit
    assert sharp == pytest.approx(math.sqrt(2.0 * (4.5 * math.log(4.5 / 3.5) - 1.0)), rel=1e-6)
    assert 0.0 < blurred < 0.95 * sharp


def test_a_fit_that_failed_gives_no_statistic() -> None:
    likelihood = compile_workspace(counting(4.0, 3.5, 0.3), validate=False)
    nu, first = np.array([2.0, 5.0]), np.zeros(2, dtype=np.intp)
    engine = Engine(Asymptotic(), likelihood.batch(), likelihood.observed)
    assert np.all(engine.statistic(nu, first) >= 0.0)
    assert np.all(engine.asimov_statistic(nu, first) > 0.0)
    engine.background.converged[:] = False
    assert np.isnan(engine.asimov_statistic(nu, first)).all()
    assert np.isfinite(engine.statistic(nu, first)).all()
    engine.free.converged[:] = False
    assert np.isnan(engine.statistic(nu, first)).all()
