"""The pruned enumeration against a full one, its size limit, and its robustness."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Exact, calculator
from na64.limits.calculators.status import Status
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.models.errors import InputError


def _full_enumeration(batch: SignalBatch, mu: float, largest: int) -> tuple[float, list[float]]:
    """Observed and expected CLs from all datasets with at most `largest` events in total."""
    likelihood = batch.likelihood
    bins = len(likelihood.bins)
    lattice = np.array(
        [n for n in itertools.product(range(largest + 1), repeat=bins) if sum(n) <= largest],
        dtype=float,
    ).T
    fitter = likelihood.fitter
    evaluator = fitter.problem(False).evaluator
    size = lattice.shape[1]
    observed = int(np.flatnonzero(np.all(lattice == likelihood.observed[:, None], axis=0))[0])
    points = batch.points(np.zeros(size, dtype=int), lattice)
    nu = np.full(size, mu * batch.events[0])
    starts = [fitter.fit(points, np.full(size, x), free_signal=True) for x in (0.0, 1.0, 10.0)]
    free = starts[0]
    for other in starts[1:]:
        lower = other.value < free.value
        nu_hat, best = np.where(lower, other.nu, free.nu), np.where(lower, other.value, free.value)
        free = replace(free, nu=nu_hat, value=best)
    fixed = fitter.fit(points, nu, free_signal=False)
    q = np.where(free.nu > nu, 0.0, 2.0 * (fixed.value - free.value))
    one = points.take(slice(observed, observed + 1))
    background = fitter.fit(one, np.zeros(1), free_signal=False)
    probabilities = [
        np.prod(stats.poisson.pmf(lattice, evaluator.rates(theta, strength, one.signal)), axis=0)
        for theta, strength in (
            (fixed.theta[:, observed : observed + 1], nu[:1]),
            (background.theta, np.zeros(1)),
        )
    ]
    assert probabilities[0].sum() > 1.0 - 1e-6

    def cls(threshold: float) -> float:
        inside = q >= threshold - 1e-8
        return float(probabilities[0][inside].sum() / probabilities[1][inside].sum())

    # every dataset's CLs; the quantiles are of these, which q need not rank
    values = np.array([cls(threshold) for threshold in q])
    ranked = np.argsort(values, kind="stable")
    summed = np.cumsum(probabilities[1][ranked])
    bands = [values[ranked[np.searchsorted(summed, stats.norm.cdf(k))]] for k in (-2, -1, 0, 1, 2)]
    return cls(q[observed]), bands


def _with_control_region(spec, transfer=1.0):
    """Tie the background of the first bin to a bin without signal."""
    spec = copy.deepcopy(spec)
    for channel in spec["channels"][:2]:
        channel["samples"][1]["modifiers"].append(
            {"name": "shared", "type": "normsys", "data": {"hi": 2.5, "lo": 0.4}}
        )
    spec["channels"][1]["samples"][0]["data"] = [0.0]
    spec["channels"][1]["samples"][1]["data"] = [transfer]
    return spec


@pytest.mark.parametrize("observed", [(0, 0, 0), (0, 1, 0), (2, 1, 0), (0, 3, 1)])
@pytest.mark.parametrize("control", [False, True])
@pytest.mark.parametrize("mu", [0.7, 2.4, 5.0])
def test_pruning_loses_nothing(counting, observed, control, mu):
    spec = counting(observed=observed, background=(0.4, 0.3, 0.6))
    if control:
        spec = _with_control_region(spec)
    batch = compile_workspace(spec, validate=False).batch()
    found = cls_values(batch, mu, expected=True)
    assert found.expected is not None
    observed_cls, bands = _full_enumeration(batch, mu, 22)
    # branches below 1e-7 of the sums are cut
    assert found.observed[0] == pytest.approx(observed_cls, rel=1e-5)
    np.testing.assert_allclose(found.expected[:, 0], bands, rtol=1e-5)


def test_bins_that_say_nothing_do_not_count(counting):
    """Ten more bins without signal and without shared nuisances change no digit."""
    alone = counting(observed=(0, 1, 0))
    more = counting(
        background=(0.05, 0.17, 0.29) + (7.0,) * 10,
        uncertainty=(0.8, 0.4, 0.3) + (0.3,) * 10,
        signal=(0.45, 0.33, 0.22) + (0.0,) * 10,
        observed=(0, 1, 0) + (9,) * 10,
    )
    answers = [upper_limits(compile_workspace(s, validate=False).batch()) for s in (alone, more)]
    np.testing.assert_allclose(answers[0].observed, answers[1].observed, rtol=1e-9)
    np.testing.assert_allclose(answers[0].expected, answers[1].expected, rtol=1e-9)


def test_the_limit_is_where_cls_crosses(counting):
    """CLs jumps for n > 0: just below the limit it is above 1 - CL, just above it below."""
    for observed in ((0, 0, 0), (1, 0, 0), (0, 2, 1), (3, 3, 3)):
        batch = compile_workspace(counting(observed=observed), validate=False).batch()
        limit = upper_limits(batch, expected=False).observed[0]
        around = cls_values(batch, limit * np.array([[1.0 - 1e-4], [1.0 + 1e-4]])).observed[:, 0]
        assert around[0] > 0.1 > around[1]


def test_cls_is_one_without_signal(counting):
    batch = compile_workspace(counting(), validate=False).batch()
    for method in ("exact", "asymptotic"):
        found = cls_values(batch, 0.0, calculator=calculator(method), expected=True)
        assert found.observed[0] == 1.0
        assert np.all(found.expected == 1.0)


def test_hopeless_enumerations_are_refused(counting):
    for background, observed in (((3000.0,) * 3, (3010,) * 3), ((6.0,) * 30, (6,) * 30)):
        n = len(background)
        spec = counting(
            background=background,
            observed=observed,
            uncertainty=(0.1,) * n,
            signal=(1.0,) * n,
        )
        batch = compile_workspace(spec, validate=False).batch()
        with pytest.raises(InputError, match=rf"{n} bins .* 'toys' or 'asymptotic'"):
            upper_limits(batch, calculator=Exact(max_datasets=5000))
        assert upper_limits(batch, calculator=calculator("asymptotic")).status == (Status.OK,)


@settings(max_examples=200, deadline=None)
@given(
    background=st.lists(st.sampled_from([0.0, 1e-9, 0.01, 0.3, 2.0]), min_size=2, max_size=2),
    signal=st.lists(st.sampled_from([0.0, 1e-6, 0.1, 1.0]), min_size=2, max_size=2),
    observed=st.lists(st.integers(0, 3), min_size=2, max_size=2),
    uncertainty=st.sampled_from([0.0, 0.1, 0.8]),
    exponent=st.integers(-8, 8),
    kind=st.sampled_from(["normsys", "shapesys"]),
    method=st.sampled_from(["exact", "asymptotic"]),
)
def test_every_failure_is_reported(
    counting, background, signal, observed, uncertainty, exponent, kind, method
):
    """No NaN without a status that says why, whatever the rates."""
    spec = counting(
        background=background,
        signal=[s * 10.0**exponent for s in signal],
        observed=observed,
        uncertainty=(uncertainty,) * 2,
        efficiency=uncertainty / 2.0,
        kind=kind,
    )
    batch = compile_workspace(spec, validate=False).batch()
    found = upper_limits(batch, calculator=calculator(method))
    impossible = any(
        n > 0 and b == 0.0 and s == 0.0
        for n, b, s in zip(observed, background, signal, strict=True)
    )
    if impossible:
        assert found.status == (Status.FAILED,)
        assert "neither signal nor background" in found.messages[0]
    elif not any(signal):
        assert found.status == (Status.NO_EXCLUSION,)
    else:
        assert found.status == (Status.OK,), found.messages
    good = found.status[0] is Status.OK
    assert bool(np.isfinite(found.observed[0])) == good
    if good:
        assert found.observed[0] > 0.0
        for row, states in zip(found.expected, found.expected_status, strict=True):
            assert np.isfinite(row[0]) == (states[0] is Status.OK)
            assert states[0] is Status.OK, found.messages


def test_projection_without_data(counting):
    """Expected limits of the nominal background need no data."""
    batch = compile_workspace(counting(observed=(5, 5, 5)), validate=False).batch()
    for method in ("exact", "asymptotic"):
        found = upper_limits(batch, calculator=calculator(method), observed=False)
        assert np.isnan(found.observed[0])
        assert found.status == (Status.OK,)
        assert np.all(np.isfinite(found.expected))
    exact = upper_limits(batch, observed=False)
    # three in five background experiments see nothing, as in the fit to no event
    assert exact.expected_events[2, 0] == pytest.approx(2.351, rel=5e-3)


def test_sets_with_gaps(counting):
    """Shared backgrounds: along an axis qtilde can fall below the threshold and rise again."""
    spec = counting(
        background=(0.74, 1.48, 0.37),
        uncertainty=(0.4, 0.6, 0.2),
        signal=(0.34, 0.02, 0.64),
        observed=(1, 0, 1),
    )
    for channel in spec["channels"][:2]:
        channel["samples"][1]["modifiers"].append(
            {"name": "shared", "type": "normsys", "data": {"hi": 1.5, "lo": 1.0 / 1.5}}
        )
    batch = compile_workspace(spec, validate=False).batch()
    for mu in (1.5, 4.1, 6.0):
        found = cls_values(batch, mu, expected=True)
        assert found.expected is not None
        observed_cls, bands = _full_enumeration(batch, mu, 30)
        # what is not followed must not move CLs by 1e-4
        assert found.observed[0] == pytest.approx(observed_cls, rel=1e-4)
        np.testing.assert_allclose(found.expected[:, 0], bands, rtol=1e-4)
