"""Limits of a three-bin counting experiment, computed by independent programs.

Backgrounds 0.05, 0.17, 0.29 (80, 40, 30 %), signal split 0.45, 0.33, 0.22. The asymptotic and
toy numbers are pyhf's (0.7.6); the exact ones are closed forms or enumerations made for the
purpose. For n = 0 without systematics the limit is -ln(1 - CL).
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Toys, calculator
from na64.limits.likelihood.compiled import compile_workspace

# efficiency uncertainty, CL, asymptotic, exact: signal events for n = (0, 0, 0)
TABLE = [
    (0.0, 0.90, 1.588, 2.3026),
    (0.1, 0.90, 1.598, 2.351),
    (0.2, 0.90, 1.627, 2.486),
    (0.3, 0.90, 1.668, 2.698),
    (0.0, 0.95, 2.164, 2.9957),
    (0.1, 0.95, 2.184, 3.078),
    (0.2, 0.95, 2.238, 3.309),
    (0.3, 0.95, 2.317, 3.682),
]


@pytest.mark.parametrize(("efficiency", "level", "asymptotic", "exact"), TABLE)
def test_no_event(counting, efficiency, level, asymptotic, exact):
    batch = compile_workspace(counting(efficiency=efficiency), validate=False).batch()
    for method, wanted in (("asymptotic", asymptotic), ("exact", exact)):
        found = upper_limits(
            batch, confidence_level=level, calculator=calculator(method), expected=False
        )
        # the reference has four digits
        assert found.observed_events[0] == pytest.approx(wanted, rel=4e-4)


def test_closed_form_without_systematics(counting):
    """P(0 | s + b) / P(0 | b) = exp(-s), whatever the background."""
    workspace = counting(efficiency=0.0, uncertainty=(0.0, 0.0, 0.0))
    batch = compile_workspace(workspace, validate=False).batch()
    for level in (0.5, 0.9, 0.95, 0.999):
        found = upper_limits(batch, confidence_level=level)
        # tolerance of the root finder: 1e-5
        assert found.observed_events[0] == pytest.approx(-math.log(1.0 - level), rel=2e-5)
        assert found.expected_events[0, 0] == pytest.approx(-math.log(1.0 - level), rel=2e-5)


def test_closed_form_with_an_efficiency(counting):
    """With hi = 1/lo = 1 + u the fit at n = 0 pulls alpha to -s ln(1 + u) (1 + u)^alpha.

    Code 1 is this exponential exactly.
    """
    u, s = 0.2, 2.0
    spec = counting(efficiency=u, uncertainty=(0.0, 0.0, 0.0))
    likelihood = compile_workspace(spec, validate=False, normsys_code="code1")
    log = math.log1p(u)
    alpha = 0.0
    for _ in range(200):
        alpha = 0.5 * (alpha - s * log * math.exp(log * alpha))
    expected_signal = s * math.exp(log * alpha)
    found = upper_limits(
        likelihood.batch(), confidence_level=1.0 - math.exp(-expected_signal), expected=False
    )
    assert found.observed_events[0] == pytest.approx(s, rel=2e-5)


@pytest.mark.parametrize(("method", "wanted"), [("asymptotic", 2.795), ("exact", 3.143)])
def test_one_event(counting, method, wanted):
    batch = compile_workspace(counting(observed=(0, 1, 0)), validate=False).batch()
    found = upper_limits(batch, confidence_level=0.9, calculator=calculator(method), expected=False)
    assert found.observed_events[0] == pytest.approx(wanted, rel=4e-4)


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("asymptotic", (0.73, 1.17, 2.06, 3.80, 6.77)),
        ("exact", (2.35, 2.35, 2.35, 3.16, 4.51)),
    ],
)
def test_bands(counting, method, wanted):
    batch = compile_workspace(counting(), validate=False).batch()
    found = upper_limits(batch, confidence_level=0.9, calculator=calculator(method))
    # the reference has two decimals
    np.testing.assert_allclose(found.expected_events[:, 0], wanted, atol=0.006)


@pytest.mark.parametrize(
    ("efficiency", "observed", "ensemble", "wanted"),
    [
        (0.1, (0, 0, 0), "aux-fixed", 2.351),
        (0.1, (0, 1, 0), "aux-fixed", 3.143),
        (0.1, (0, 0, 0), "aux-fluctuated", 2.166),
        (0.2, (0, 0, 0), "aux-fluctuated", 2.108),
        (0.3, (0, 0, 0), "aux-fluctuated", 2.104),
        (0.1, (0, 1, 0), "aux-fluctuated", 2.981),
    ],
)
def test_toys(counting, efficiency, observed, ensemble, wanted):
    workspace = counting(efficiency=efficiency, observed=observed)
    batch = compile_workspace(workspace, validate=False).batch()
    found = upper_limits(
        batch,
        confidence_level=0.9,
        calculator=Toys(toys=10_000, seed=11, ensemble=ensemble),
        expected=False,
    )
    assert found.observed_error is not None
    error = found.observed_error[0]
    assert error < 0.08
    # three standard deviations of the toys; the reference has an error of the same kind
    assert abs(found.observed_events[0] - wanted) < 3.0 * error
