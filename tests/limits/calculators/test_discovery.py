"""Discovery significance against closed forms and between calculators."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from na64.limits.calculators.discovery import discovery
from na64.limits.calculators.registry import Asymptotic, Exact, FeldmanCousins, Toys
from na64.limits.likelihood.compiled import compile_workspace


@pytest.mark.parametrize(("background", "observed"), [(0.5, 1), (0.5, 6), (0.5, 12), (20.0, 45)])
def test_one_bin_without_systematics(counting, background, observed):
    """q0 grows with n: the p-value is the Poisson tail."""
    spec = counting(
        background=(background,),
        uncertainty=(0.0,),
        signal=(1.0,),
        efficiency=0.0,
        observed=(observed,),
    )
    found = discovery(compile_workspace(spec, validate=False).batch())
    wanted = stats.poisson.sf(observed - 1, background)
    # branches below 1e-13 are left out; the smallest p-value that is reported is 1e-12
    assert found.p_values[0] == pytest.approx(max(wanted, 1e-12), rel=1e-5, abs=5e-13)
    assert found.best_fit[0] == pytest.approx(observed - background, rel=1e-6)
    if wanted < 1e-12:
        assert "lower bound" in found.messages[0]


def test_no_excess_is_no_significance(counting):
    batch = compile_workspace(counting(), validate=False).batch()
    for chosen in (Exact(), Asymptotic(), Toys(toys=100), FeldmanCousins()):
        found = discovery(batch, calculator=chosen)
        assert (found.p_values[0], found.significance[0], found.best_fit[0]) == (1.0, 0.0, 0.0)


def test_asymptotic_formula(counting):
    """1007.1727 eq. (97): Z_A^2 = 2 [(s + b) ln(1 + s/b) - s]."""
    s, b = 8.0, 30.0
    spec = counting(
        background=(b,), uncertainty=(0.0,), signal=(s,), efficiency=0.0, observed=(38,)
    )
    found = discovery(
        compile_workspace(spec, validate=False).batch(),
        calculator=Asymptotic(),
        expected=True,
    )
    wanted = math.sqrt(2.0 * ((s + b) * math.log1p(s / b) - s))
    assert found.significance[0] == pytest.approx(wanted, rel=1e-7)
    assert found.expected is not None
    assert found.expected[0] == pytest.approx(wanted, rel=1e-7)


def test_toys_agree_with_the_enumeration(counting):
    batch = compile_workspace(counting(observed=(0, 2, 0)), validate=False).batch()
    exact = discovery(batch).p_values[0]
    toys = discovery(batch, calculator=Toys(toys=40_000, seed=4)).p_values[0]
    assert abs(toys - exact) < 4.0 * math.sqrt(exact / 40_000)


def test_expected_significance_grows_with_the_signal(counting):
    likelihood = compile_workspace(counting(), validate=False)
    strengths = np.array([0.5, 3.0, 8.0, 20.0])
    signals = strengths[:, None, None] * np.array([0.45, 0.33, 0.22])
    found = discovery(likelihood.inject(signals), expected=True)
    assert found.expected is not None
    assert np.all(np.diff(found.expected) > 0.0)
    asymptotic = discovery(likelihood.inject(signals), calculator=Asymptotic(), expected=True)
    assert asymptotic.expected is not None
    # at 8 events over half an event the two agree to a few tenths of a standard deviation
    assert found.expected[2] == pytest.approx(asymptotic.expected[2], abs=0.4)
