"""Bayesian limits: identities, closed forms, and integrals that are done in two ways."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import na64.limits.calculators.bayesian as module
from na64.limits.calculators.bayesian import likely_datasets
from na64.limits.calculators.discovery import discovery
from na64.limits.calculators.gamma_mixture import gamma_mixture
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Bayesian, Exact
from na64.limits.calculators.status import Status
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import ComputationError, InputError


@pytest.fixture(scope="module")
def bins(counting):
    """Return the maker of experiments with one or more bins."""

    def make(counts, background, signal=(1.0,), uncertainty=None, efficiency=0.0, kind="normsys"):
        spec = counting(
            background=background,
            uncertainty=uncertainty or (0.0,) * len(background),
            signal=signal,
            efficiency=efficiency,
            observed=counts,
            kind=kind,
        )
        return compile_workspace(spec, validate=False).batch()

    return make


@pytest.mark.parametrize(("n", "b"), [(0, 0.7), (1, 2.0), (3, 1.2), (10, 3.0), (10, 12.0)])
def test_one_bin_is_cls(bins, n, b):
    """Zech, Roever: both are P(N <= n | s + b) / P(N <= n | b), and so are all expected bands."""
    batch = bins((n,), (b,))
    posterior = upper_limits(batch, calculator=Bayesian())
    cls = upper_limits(batch, calculator=Exact(tolerance=1e-9))
    assert posterior.observed[0] == pytest.approx(cls.observed[0], rel=1e-6)
    np.testing.assert_allclose(posterior.expected, cls.expected, rtol=1e-6)
    mu = np.array([[0.3], [1.7], [6.0]])
    above = cls_values(batch, mu, calculator=Bayesian(), expected=True)
    known = stats.poisson.cdf(n, mu[:, 0] + b) / stats.poisson.cdf(n, b)
    np.testing.assert_allclose(above.observed[:, 0], known, rtol=1e-10)
    assert above.expected is not None
    assert (np.diff(above.expected[:, :, 0], axis=0) >= 0.0).all()


@pytest.mark.parametrize(("level", "events"), [(0.9, np.log(10.0)), (0.95, np.log(20.0))])
def test_no_events_no_background_dependence(bins, level, events):
    for b in (1e-6, 0.5, 2.0):
        found = upper_limits(bins((0,), (b,)), calculator=Bayesian(), confidence_level=level)
        assert found.observed[0] == pytest.approx(events, rel=1e-10)
        # the lowest band is that of no event while its probability is above 2.3 %
        assert found.expected[0, 0] == pytest.approx(events, rel=1e-10)


def test_bins_of_one_ratio_are_one_bin(bins):
    """Only the sum of the counts says something where signal over background is the same."""
    whole = upper_limits(bins((5,), (3.0,)), calculator=Bayesian(), expected=False)
    parts = bins((1, 4, 0), (1.5, 0.9, 0.6), (0.5, 0.3, 0.2))
    split = upper_limits(parts, calculator=Bayesian(), expected=False)
    assert split.observed[0] == pytest.approx(whole.observed[0], rel=1e-9)


def test_large_counts_are_a_truncated_gaussian(bins):
    """With 2500 +- 50 events over 2450 the posterior is a Gaussian cut off at zero."""
    n, b = 2500, 2450.0
    found = upper_limits(bins((n,), (b,)), calculator=Bayesian(), expected=False)
    mean, width = n + 1.0 - b, np.sqrt(n + 1.0)
    tail = 0.1 * special.ndtr(mean / width)
    # the skewness of a gamma distribution of 2500: a percent of the width
    assert found.observed[0] == pytest.approx(mean - width * special.ndtri(tail), abs=0.03 * width)


@pytest.mark.parametrize(
    ("counts", "background", "signal"),
    [
        ((0,), (3.0,), (1.0,)),
        ((1,), (1e-6,), (1.0,)),
        ((5,), (0.0,), (1.0,)),
        ((10, 2), (3.0, 0.1), (0.7, 0.3)),
        ((0, 4, 1), (0.1, 0.5, 8.0), (0.2, 0.3, 0.5)),
    ],
)
def test_grid_and_closed_form(bins, monkeypatch, counts, background, signal):
    """The posterior on panels, as with nuisance parameters, against the sum of gammas."""
    batch = bins(counts, background, signal)
    closed = gamma_mixture(counts, background, signal)
    monkeypatch.setattr(module, "_MOST_EVENTS", -1)
    limit = upper_limits(batch, calculator=Bayesian(), expected=False).observed[0]
    assert closed.tail(limit * sum(signal)) == pytest.approx(0.1, rel=1e-7)
    mu = limit * np.array([0.02, 0.3, 0.8, 1.4])
    found = cls_values(batch, mu[:, None], calculator=Bayesian()).observed[:, 0]
    np.testing.assert_allclose(found, closed.tail(mu), rtol=1e-6)


def test_sampling_and_quadrature_agree(counting):
    """Three parameters by nodes; a fourth that does nothing makes them sampled."""
    spec = counting(
        background=(2.0, 1.0), uncertainty=(0.3, 0.4), signal=(0.6, 0.4), observed=(3, 2)
    )
    nodes = upper_limits(
        compile_workspace(spec, validate=False).batch(), calculator=Bayesian(), expected=False
    )
    assert nodes.observed_error is None
    spec["channels"][0]["samples"][1]["modifiers"].append(
        {"name": "idle", "type": "normsys", "data": {"hi": 1.0 + 1e-9, "lo": 1.0 / (1.0 + 1e-9)}}
    )
    batch = compile_workspace(spec, validate=False).batch()
    assert len(batch.likelihood.parameter_names) == 4
    sampled = upper_limits(batch, calculator=Bayesian(), expected=False)
    assert sampled.observed_error is not None
    error = float(sampled.observed_error[0])
    assert 0.0 < error < 2e-3 * sampled.observed[0]
    # four of its own errors, and what the polynomial of code 4 costs the nodes
    assert abs(sampled.observed[0] - nodes.observed[0]) < 4.0 * error + 1e-4
    again = upper_limits(batch, calculator=Bayesian(), expected=False)
    assert again.observed[0] == sampled.observed[0]
    other = upper_limits(batch, calculator=Bayesian(seed=7), expected=False)
    assert other.observed[0] != sampled.observed[0]


def test_uncertainties_weaken_the_limit(bins):
    limits = [
        upper_limits(
            bins((2,), (1.0,), efficiency=u), calculator=Bayesian(), expected=False
        ).observed[0]
        for u in (0.0, 0.1, 0.3)
    ]
    assert limits[0] < limits[1] < limits[2]


def test_datasets_that_background_gives():
    rates = np.array([0.4, 1.5])
    counts, probability = likely_datasets(rates, 10_000, 10, 1)
    known = np.prod(np.asarray(stats.poisson.pmf(counts, rates[:, None])), axis=0)
    np.testing.assert_allclose(probability, known, rtol=1e-12)
    assert 0.999 <= probability.sum() <= 1.0
    thrown, fraction = likely_datasets(rates, 3, 5000, 1)
    assert fraction.sum() == pytest.approx(1.0)
    # the error of a mean of 5000
    np.testing.assert_allclose(thrown @ fraction, rates, atol=5.0 * np.sqrt(rates.max() / 5000))


def test_thrown_bands_are_near_the_enumerated_ones(bins):
    batch = bins((4,), (20.0,))
    whole = upper_limits(batch, calculator=Bayesian(), observed=False).expected[:, 0]
    some = upper_limits(
        batch, calculator=Bayesian(max_datasets=5, toys=4000), observed=False
    ).expected[:, 0]
    # a step of one event at most
    np.testing.assert_allclose(some, whole, rtol=0.12)
    assert some[2] == pytest.approx(whole[2], rel=1e-9)


def test_signal_that_can_vanish_has_no_posterior():
    """An efficiency that reaches zero within its bounds: any strength is possible."""
    spec = {
        "channels": [
            {
                "name": "c",
                "samples": [
                    {
                        "name": "signal",
                        "data": [1.0],
                        "modifiers": [
                            {"name": "mu", "type": "normfactor", "data": None},
                            {
                                "name": "efficiency",
                                "type": "histosys",
                                "data": {"hi_data": [1.5], "lo_data": [0.5]},
                            },
                        ],
                    },
                    {"name": "background", "data": [0.5], "modifiers": []},
                ],
            }
        ],
        "observations": [{"name": "c", "data": [0.0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    found = upper_limits(compile_workspace(spec, validate=False).batch(), calculator=Bayesian())
    assert found.status == (Status.NOT_BRACKETED,)
    assert np.isnan(found.observed[0])
    assert {band[0] for band in found.expected_status} == {Status.NOT_BRACKETED}


def test_no_discovery(bins):
    with pytest.raises(InputError, match="no p-value of a discovery"):
        discovery(bins((2,), (1.0,)), calculator=Bayesian())


def test_too_few_samples_are_said(bins, monkeypatch):
    batch = bins((0, 1, 0), (0.5, 0.2, 0.3), (0.45, 0.33, 0.22), (0.8, 0.4, 0.3), 0.1)
    monkeypatch.setattr(module, "_FEWEST", 1e9)
    with pytest.raises(ComputationError, match="effective samples"):
        upper_limits(batch, calculator=Bayesian(samples=64), expected=False)
