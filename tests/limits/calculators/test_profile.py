"""The profile likelihood: closed forms, the physical boundary, several minima."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from na64.limits.calculators.discovery import discovery
from na64.limits.calculators.profile import likelihood_scan
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import ComputationError, InputError


def _one(counting, n, b, **others):
    spec = counting(
        background=(b,), uncertainty=(0.0,), signal=(2.0,), efficiency=0.0, observed=(n,), **others
    )
    return compile_workspace(spec, validate=False).batch()


def test_gaussian_limit(counting):
    """10,000 events: mu_hat +- sqrt(n) / s at 68.27 %, sides different by 1/sqrt(n)."""
    n, b = 10_000, 4000.0
    level = float(special.chdtr(1, 1.0))
    found = likelihood_scan(_one(counting, n, b), levels=[level])
    ((low, high),) = found.intervals[0].allowed
    assert found.best_fit == pytest.approx((n - b) / 2.0)
    assert high is not None
    assert high - low == pytest.approx(np.sqrt(n), rel=1e-4)
    assert 0.5 * (low + high) == pytest.approx(found.best_fit + 1.0 / 6.0, abs=0.01)


def test_upper_is_the_two_sided_edge_of_twice_the_rest(counting):
    """chi2(1) at 90 % two-sided is the square of the normal quantile at 95 % one-sided."""
    found = likelihood_scan(_one(counting, 7, 2.0), levels=[0.9, 0.95])
    two_sided, upper = found.intervals[0], found.intervals[3]
    assert two_sided.threshold == pytest.approx(upper.threshold)
    assert upper.allowed == ((0.0, pytest.approx(two_sided.allowed[0][1], rel=1e-8)),)


def test_physical_boundary(counting):
    """Fewer events than background: measured from mu = 0, where the profile rises from zero."""
    found = likelihood_scan(_one(counting, 1, 4.0))
    assert found.best_fit == 0.0
    assert found.rise[0] == 0.0
    for item in found.intervals:
        ((low, high),) = item.allowed
        assert low == 0.0
        # t = 2 (s - n ln(1 + s/b)) with s = 2 mu
        assert high is not None
        s = 2.0 * high
        assert 2.0 * (s - np.log1p(s / 4.0)) == pytest.approx(item.threshold, rel=1e-7)


def test_zero_is_the_discovery(counting):
    batch = compile_workspace(counting(observed=(3, 2, 1)), validate=False).batch()
    found = likelihood_scan(batch, mu=[0.0, 1.0])
    asymptotic = special.ndtri(1.0 - discovery(batch).p_values[0])
    # asymptotically Z is the root of the rise at zero; with six events within a few tenths
    assert np.sqrt(found.rise[0]) == pytest.approx(asymptotic, abs=0.5)


def test_intervals_do_not_depend_on_the_strengths_of_the_scan(counting):
    batch = compile_workspace(counting(observed=(3, 2, 1)), validate=False).batch()
    free, given = likelihood_scan(batch), likelihood_scan(batch, mu=[5.0, 3.0])
    assert free.intervals == given.intervals
    assert given.mu.tolist() == [3.0, 5.0]
    np.testing.assert_allclose(given.rise, np.interp(given.mu, free.mu, free.rise), rtol=0.02)
    assert np.diff(free.mu).min() > 0.0
    # edges are where the profile crosses
    for item in free.intervals[::2]:
        edges = [edge for edge in item.allowed[0] if edge]
        rise = likelihood_scan(batch, mu=edges).rise
        np.testing.assert_allclose(rise, item.threshold, rtol=1e-6)


def _two_explanations():
    """Background that is 40 or 10 where 50 events are seen, a control region cannot tell which."""
    factor = {"name": "mu", "type": "normfactor", "data": None}
    either = {"name": "a", "type": "normsys", "data": {"hi": 1.5, "lo": 1.5}}
    here = {"name": "a", "type": "normsys", "data": {"hi": 2.0, "lo": 0.5}}
    region = [
        {"name": "signal", "data": [1.0], "modifiers": [factor]},
        {"name": "background", "data": [20.0], "modifiers": [here]},
    ]
    control = [{"name": "background", "data": [1000.0], "modifiers": [either]}]
    return {
        "channels": [
            {"name": "region", "samples": region},
            {"name": "control", "samples": control},
        ],
        "observations": [
            {"name": "region", "data": [50.0]},
            {"name": "control", "data": [1500.0]},
        ],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def test_two_minima_give_two_intervals():
    """10 or 40 signal events, each with an error of sqrt(50) and the control region's."""
    batch = compile_workspace(_two_explanations(), validate=False).batch()
    found = likelihood_scan(batch)
    narrow = found.intervals[0].allowed
    assert len(narrow) == 2
    for (low, high), centre in zip(narrow, (10.0, 40.0), strict=True):
        assert high is not None
        # the skewness of 50 events: a sixth of an event
        assert 0.5 * (low + high) == pytest.approx(centre, abs=0.7)
        assert 2.0 * np.sqrt(50.0) < high - low < 2.3 * np.sqrt(50.0)
    mu = np.linspace(1e-3, found.mu[-1], 1500)
    rise = likelihood_scan(batch, mu=mu).rise
    for item in found.intervals[::2]:
        crossings = np.flatnonzero(np.diff((rise <= item.threshold).astype(int)))
        edges = [e for pair in item.allowed for e in pair if e is not None and e > mu[0]]
        assert len(edges) == len(crossings)
        np.testing.assert_allclose(edges, mu[crossings], atol=2.0 * (mu[1] - mu[0]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"levels": [1.0]}, "between 0 and 1"),
        ({"levels": []}, "at least one"),
        ({"mu": [-1.0]}, "not negative"),
        ({"counts": [1.0, 2.0]}, "2 counts for 1 bins"),
    ],
)
def test_refused(counting, words, message):
    with pytest.raises(InputError, match=message):
        likelihood_scan(_one(counting, 3, 1.0), **words)


def test_what_cannot_be_scanned(counting):
    batch = _one(counting, 3, 1.0)
    with pytest.raises(InputError, match="one signal"):
        likelihood_scan(batch.take(np.array([0, 0])))
    empty = batch.likelihood.inject(np.zeros((1, 1, 1)))
    with pytest.raises(InputError, match="no signal event"):
        likelihood_scan(empty)
    spec = counting(
        background=(0.0, 1.0),
        uncertainty=(0.0, 0.0),
        signal=(0.0, 1.0),
        efficiency=0.0,
        observed=(2, 1),
    )
    with pytest.raises(ComputationError, match="neither"):
        likelihood_scan(compile_workspace(spec, validate=False).batch())
