"""Compiling workspaces: what is refused, what is the same, derivatives."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import calculator
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.likelihood.interpolation import (
    additive_shifts,
    code4_coefficients,
    multiplicative_factors,
)
from na64.models.errors import InputError


def test_injecting_equals_compiling(counting):
    """The JSON of a mass and its rates injected into another mass's JSON: the same numbers."""
    first = counting(signal=(0.45, 0.33, 0.22), observed=(0, 1, 0))
    second = counting(signal=(1.0, 4.0, 0.1), observed=(0, 1, 0))
    injected = compile_workspace(first, validate=False).inject([[[1.0, 4.0, 0.1]]])
    compiled = compile_workspace(second, validate=False).batch()
    for method in ("exact", "asymptotic"):
        a, b = (
            upper_limits(injected, calculator=calculator(method)),
            upper_limits(compiled, calculator=calculator(method)),
        )
        np.testing.assert_array_equal(a.observed, b.observed)
        np.testing.assert_array_equal(a.expected, b.expected)


def test_signals_of_two_processes_add(counting):
    """Samples with the same modifiers act as their sum, wherever their events are."""
    spec = counting()
    for channel in spec["channels"]:
        other = copy.deepcopy(channel["samples"][0])
        other["name"] = "signal_2"
        channel["samples"].append(other)
    likelihood = compile_workspace(spec, validate=False)
    assert likelihood.signal_names == ("signal", "signal_2")
    single = compile_workspace(counting(), validate=False)
    one = upper_limits(single.inject([[[1.0, 0.5, 0.2]]]))
    two = upper_limits(likelihood.inject([[[0.7, 0.1, 0.2], [0.3, 0.4, 0.0]]]))
    np.testing.assert_allclose(two.observed, one.observed, rtol=1e-9)


def test_masses_do_not_disturb_each_other(counting):
    likelihood = compile_workspace(counting(observed=(0, 1, 0)), validate=False)
    generator = np.random.default_rng(2)
    signals = (
        generator.dirichlet(np.ones(3), 7)[:, None, :] * np.geomspace(0.01, 100.0, 7)[:, None, None]
    )
    together = upper_limits(likelihood.inject(signals))
    for i in range(7):
        alone = upper_limits(likelihood.inject(signals[i : i + 1]))
        np.testing.assert_allclose(together.observed[i], alone.observed[0], rtol=3e-5)
        np.testing.assert_allclose(together.expected[:, i], alone.expected[:, 0], rtol=3e-5)


def test_measurements(counting):
    spec = counting()
    fixed = {"name": "efficiency", "fixed": True, "inits": [1.0]}
    spec["measurements"].append({"name": "shifted", "config": {"poi": "mu", "parameters": [fixed]}})
    free = upper_limits(compile_workspace(spec, validate=False).batch())
    likelihood = compile_workspace(spec, "shifted", validate=False)
    assert "efficiency" not in likelihood.parameter_names
    shifted = upper_limits(likelihood.batch())
    # at n = 0 without an efficiency uncertainty: ln 10, in events after the fixed factor 1.1
    assert shifted.observed[0] == pytest.approx(np.log(10.0) / 1.1, rel=2e-5)
    assert shifted.observed_events[0] == pytest.approx(np.log(10.0), rel=2e-5)
    assert free.observed_events[0] == pytest.approx(2.351, rel=4e-4)
    with pytest.raises(InputError, match=r"unknown measurement 'shiftd'.*'shifted'"):
        compile_workspace(spec, "shiftd", validate=False)


def test_a_width_in_the_measurement_counts(counting):
    """Twice the width of a code-1 normsys is the square of its factors."""
    wide = counting(efficiency=0.1)
    wide["measurements"][0]["config"]["parameters"] = [{"name": "efficiency", "sigmas": [2.0]}]
    double = counting(efficiency=1.1**2 - 1.0)
    answers = [
        upper_limits(
            compile_workspace(spec, validate=False, normsys_code="code1").batch()
        ).observed[0]
        for spec in (wide, double)
    ]
    assert answers[0] == pytest.approx(answers[1], rel=1e-6)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**6), free_signal=st.booleans())
def test_derivatives(everything, seed, free_signal):
    """Gradient and Hessian against central differences."""
    likelihood = compile_workspace(everything(seed), validate=False)
    batch = likelihood.batch()
    evaluator = likelihood.fitter.problem(free_signal).evaluator
    generator = np.random.default_rng(seed)
    size = evaluator.n_variables
    x = np.array(
        [
            # not at the joints of the interpolation codes, where f'' jumps
            generator.uniform(0.2, 0.8) * generator.choice([-1.0, 1.0])
            + generator.choice([0.0, 1.0]) * (1.0 if p.lower < 0.0 else 0.0)
            if p.lower < 0.0
            else generator.uniform(0.5, 1.5)
            for p in likelihood.model.parameters
        ]
        + [generator.uniform(0.5, 4.0)] * free_signal
    )
    h = 1e-5
    steps = np.eye(size) * h
    points = np.concatenate([x[:, None], x[:, None] + steps, x[:, None] - steps], axis=1)
    n_parameters = evaluator.n_parameters
    n = points.shape[1]
    nu = points[-1] if free_signal else np.full(n, 2.0)
    data = batch.points(np.zeros(n, dtype=int), likelihood.observed[:, None])
    found = evaluator.derivatives(points[:n_parameters], nu, data)
    np.testing.assert_allclose(
        found.value, evaluator.value(points[:n_parameters], nu, data), atol=1e-9
    )
    up, down = slice(1, 1 + size), slice(1 + size, None)
    gradient = (found.value[up] - found.value[down]) / (2.0 * h)
    scale = 1.0 + np.abs(found.gradient[:, 0])
    # truncation h^2 f''' / 6 and rounding 1e-13 / h
    np.testing.assert_allclose(gradient / scale, found.gradient[:, 0] / scale, atol=1e-6)
    hessian = np.zeros((size, size))
    hessian[evaluator.rows, evaluator.columns] = found.hessian[:, 0]
    hessian += np.tril(hessian, -1).T
    numeric = (found.gradient[:, up] - found.gradient[:, down]) / (2.0 * h)
    scale_h = 1.0 + np.abs(hessian).max(initial=0.0)
    np.testing.assert_allclose(numeric / scale_h, hessian / scale_h, atol=1e-6)


@pytest.mark.parametrize("code", ["code1", "code4"])
def test_normsys_passes_through_its_points(code):
    hi, lo = np.array([1.3, 1.8, 0.9]), np.array([0.8, 1.0 / 1.8, 1.2])
    coefficients = code4_coefficients(hi, lo)[:, :, None] if code == "code4" else None
    alpha = np.tile(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), (3, 1))
    factor, _, _ = multiplicative_factors(
        alpha, np.log(hi)[:, None], np.log(lo)[:, None], coefficients
    )
    wanted = np.array([lo**2, lo, np.ones(3), hi, hi**2]).T
    np.testing.assert_allclose(factor, wanted, rtol=1e-12)


@pytest.mark.parametrize("code", ["code0", "code2", "code4p"])
def test_histosys_passes_through_its_points(code):
    up, down = np.array([[0.4], [-0.1]]), np.array([[0.2], [0.3]])
    shift, _, _ = additive_shifts(np.tile([-1.0, 0.0, 1.0], (2, 1)), up, down, code)
    np.testing.assert_allclose(shift, np.concatenate([-down, 0.0 * up, up], axis=1), atol=1e-12)


def _broken(spec, change):
    spec = copy.deepcopy(spec)
    change(spec)
    return spec


def _modifier(spec, **changes):
    spec["channels"][1]["samples"][1]["modifiers"][0].update(changes)


BAD = [
    (
        lambda s: _modifier(s, type="custom"),
        r"channel 'bin_01', sample 'background', modifier 'background_1': type 'custom'",
    ),
    (lambda s: _modifier(s, data={"hi": 1.1, "lo": 0.0}), "modifier 'background_1': hi 1.1 and lo"),
    (lambda s: _modifier(s, type="lumi", data=None), "'auxdata' and 'sigmas'"),
    (lambda s: s["channels"][0]["samples"][0].update(data=[np.inf]), "sample 'signal': rate inf"),
    (lambda s: s["channels"][0]["samples"][0].update(data=[1.0, 2.0]), "2 rates for 1 observed"),
    (lambda s: s["observations"].pop(), "channel 'bin_02' has no observation"),
    (lambda s: s["observations"][0].update(data=[-1.0]), "observed count -1 is"),
    (lambda s: s["measurements"][0]["config"].update(poi=""), "no parameter of interest"),
    (lambda s: s["measurements"][0]["config"].update(poi="nu"), "no sample carries .* 'nu'"),
    (lambda s: s["measurements"].clear(), "no measurement"),
    (
        lambda s: _modifier(s, name="efficiency", type="shapesys", data=[0.1]),
        "modifier 'efficiency': the name is already used",
    ),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_refused(counting, change, message):
    with pytest.raises(InputError, match=message):
        compile_workspace(_broken(counting(), change), validate=False)


def test_schema_is_pyhfs(counting):
    spec = counting()
    del spec["channels"][0]["samples"][0]["modifiers"]
    with pytest.raises(InputError, match=r"not a valid pyhf workspace.*modifiers"):
        compile_workspace(spec)
    assert compile_workspace(counting()).signal_names == ("signal",)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: upper_limits(b, confidence_level=0.0), "between 0 and 1"),
        (lambda b: upper_limits(b, confidence_level=1.0), "between 0 and 1"),
        (lambda _: calculator("exat"), "unknown method 'exat'.*'exact'"),
        (lambda _: calculator("toys", toys=0), "toys must be 1 or more"),
        (lambda _: calculator("toys", ensemble="fixed"), "unknown ensemble"),
        (lambda b: upper_limits(b, counts=[1.0]), "1 counts for 3 bins"),
        (lambda b: upper_limits(b, counts=[1.0, 2.0, -1.0]), "not negative"),
        (lambda b: upper_limits(b, counts=[0.5, 0.0, 0.0]), "not whole numbers"),
        (lambda b: cls_values(b, -1.0), "not negative"),
        (lambda b: cls_values(b, [1.0, 2.0]), "do not fit 1 masses"),
        (lambda b: b.likelihood.inject([[[1.0, 2.0]]]), "expected .masses, 1, 3."),
        (lambda b: b.likelihood.inject([[[1.0, 2.0, np.nan]]]), "finite and not negative"),
    ],
)
def test_bad_arguments(counting, call, message):
    batch = compile_workspace(counting(), validate=False).batch()
    if message.startswith("do not fit"):
        batch = batch.likelihood.inject(np.ones((3, 1, 3)))
        message = "do not fit 3 masses"
    with pytest.raises(InputError, match=message):
        call(batch)


def test_absolute_modifiers_of_a_signal_cannot_be_rescaled(counting):
    spec = counting()
    spec["channels"][0]["samples"][0]["modifiers"].append(
        {"name": "mc", "type": "staterror", "data": [0.1]}
    )
    likelihood = compile_workspace(spec, validate=False)
    assert upper_limits(likelihood.batch()).status[0].value == "ok"
    with pytest.raises(InputError, match=r"sample 'signal'.*modifier 'mc'"):
        likelihood.inject([[[1.0, 1.0, 1.0]]])


@pytest.mark.parametrize("method", ["exact", "asymptotic"])
def test_auxiliary_data_of_every_mass(counting, method):
    """Pseudo-experiments with auxiliary data of their own, together and one by one."""
    spec = counting(observed=(0, 1, 0), kind="shapesys")
    likelihood = compile_workspace(spec, validate=False)
    generator = np.random.default_rng(8)
    gaussian = np.array([p.lower < 0.0 for p in likelihood.model.parameters])
    thrown = np.where(
        gaussian[:, None], generator.normal(size=(4, 5)), generator.poisson(3.0, (4, 5))
    )
    batch = likelihood.inject(np.full((5, 1, 3), 0.3)).with_auxiliary(thrown)
    together = upper_limits(batch, calculator=calculator(method))
    for i in range(5):
        alone = likelihood.inject(np.full((1, 1, 3), 0.3)).with_auxiliary(thrown[:, i])
        one = upper_limits(alone, calculator=calculator(method))
        np.testing.assert_allclose(together.observed[i], one.observed[0], rtol=3e-5)
        np.testing.assert_allclose(together.expected[:, i], one.expected[:, 0], rtol=3e-5)
    assert np.ptp(together.observed) > 0.1
    with pytest.raises(InputError, match="auxiliary data of shape"):
        batch.with_auxiliary(thrown[:, :2])
