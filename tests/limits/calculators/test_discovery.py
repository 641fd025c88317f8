"""Discovery significance against closed forms and between calculators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from na64.limits.calculators.discovery import DiscoveryTable, discovery
from na64.limits.calculators.registry import Asymptotic, Auto, Exact, FeldmanCousins, Toys
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


def expected_of(table: DiscoveryTable) -> float:
    assert table.expected is not None
    return float(table.expected[0])


def _with_control_region(
    n_sr: float, n_cr: float, ratio: float = 10.0, signal: float = 10.0
) -> dict[str, Any]:
    """A signal over a background that a control region alone fixes."""
    free = {"name": "norm", "type": "normfactor", "data": None}
    mu = {"name": "mu", "type": "normfactor", "data": None}
    return {
        "channels": [
            {
                "name": "signal",
                "samples": [
                    {"name": "s", "data": [signal], "modifiers": [mu]},
                    {"name": "b", "data": [2.0], "modifiers": [free]},
                ],
            },
            {
                "name": "control",
                "samples": [{"name": "b", "data": [2.0 * ratio], "modifiers": [free]}],
            },
        ],
        "observations": [
            {"name": "signal", "data": [n_sr]},
            {"name": "control", "data": [n_cr]},
        ],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def _li_ma(on: float, off: float, ratio: float) -> float:
    """Significance of `on` events over `off`/`ratio`; T. Li, Y. Ma, ApJ 272, 317 (1983) eq. 17."""
    total = on + off
    here = on * math.log((1.0 + ratio) * on / total)
    there = off * math.log((1.0 + 1.0 / ratio) * off / total)
    return math.sqrt(2.0 * (here + there))


def test_the_background_is_that_of_the_control_region():
    """Four times the nominal background; where the fit at mu = 1 is exact, Li and Ma's formula.

    With 18 = 8 + 10 and 80 events the fit with mu = 1 leaves the factor at 4. The factor of the
    workspace, 1, would give 4.4 standard deviations.
    """
    batch = compile_workspace(_with_control_region(18.0, 80.0), validate=False).batch()
    wanted = _li_ma(18.0, 80.0, 10.0)
    found = discovery(batch, calculator=Asymptotic(), expected=True)
    assert expected_of(found) == pytest.approx(wanted, rel=1e-6)
    assert found.significance[0] == pytest.approx(wanted, rel=1e-6)
    # without the signal in the data the same to the pull of a fit with a signal that is not there
    batch = compile_workspace(_with_control_region(8.0, 80.0), validate=False).batch()
    absent = discovery(batch, calculator=Asymptotic(), expected=True)
    assert absent.significance[0] == 0.0
    assert expected_of(absent) == pytest.approx(wanted, rel=0.03)


def test_toys_enumeration_and_formulas_expect_the_same():
    """Seven events, three expected: up to the steps of the counts and the noise of the toys."""
    batch = compile_workspace(_with_control_region(7.0, 12.0, 4.0, 4.0), validate=False).batch()
    exact, toys, formulas = (
        discovery(batch, calculator=chosen, expected=True)
        for chosen in (Exact(), Toys(toys=20_000, seed=2), Asymptotic())
    )
    assert expected_of(formulas) == pytest.approx(_li_ma(7.0, 12.0, 4.0), rel=1e-6)
    # p of 0.05, 1000 toys: 0.02 in Z; the median of q0 moves by steps as well
    assert expected_of(toys) == pytest.approx(expected_of(exact), abs=0.1)
    assert expected_of(exact) == pytest.approx(expected_of(formulas), abs=0.2)


def test_auxiliary_data_may_be_thrown_as_well(counting):
    batch = compile_workspace(counting(observed=(0, 2, 1)), validate=False).batch()
    some = Toys(toys=2000, ensemble="aux-fluctuated")
    found = discovery(batch, calculator=some, expected=True)
    assert 0.0 < expected_of(found) < 3.0


def test_more_significant_than_toys_can_tell(counting):
    batch = compile_workspace(counting(signal=(8.0, 6.0, 4.0)), validate=False).batch()
    found = discovery(batch, calculator=Toys(toys=500), expected=True)
    assert expected_of(found) == pytest.approx(stats.norm.isf(1.0 / 500))
    assert "expected: p-value below 0.002, the significance is a lower bound" in found.messages[0]


def test_without_data_the_background_is_the_nominal_one(counting):
    """A fit with mu = 1 to counts without a signal would pull the background down."""
    spec = counting(
        background=(30.0,), uncertainty=(0.5,), signal=(15.0,), efficiency=0.0, observed=(4,)
    )
    batch = compile_workspace(spec, validate=False).batch()
    found = discovery(batch, calculator=Asymptotic(), observed=False, expected=True)
    assert np.isnan(found.p_values[0])
    assert np.isnan(found.best_fit[0])
    # what is in the workspace does not matter
    spec["observations"][0]["data"] = [90.0]
    other = compile_workspace(spec, validate=False).batch()
    same = discovery(other, calculator=Asymptotic(), observed=False, expected=True)
    assert expected_of(same) == expected_of(found)
    # data of 45 = 30 + 15 leave the nuisance parameter where it is: the same by another way
    spec["observations"][0]["data"] = [45.0]
    seen = compile_workspace(spec, validate=False).batch()
    fitted = discovery(seen, calculator=Asymptotic(), expected=True)
    assert expected_of(fitted) == pytest.approx(expected_of(found), rel=1e-6)


@pytest.mark.parametrize("seed", [1, 9, 18])
def test_expected_as_pyhf_has_it(everything, seed):
    """Random workspaces with every modifier, away from backgrounds of zero, where pyhf fails."""
    import pyhf

    spec = everything(seed)
    model = pyhf.Workspace(spec).model()
    data = pyhf.Workspace(spec).data(model)
    _, expected = pyhf.infer.hypotest(0.0, data, model, test_stat="q0", return_expected=True)
    batch = compile_workspace(spec, validate=False).batch()
    found = discovery(batch, calculator=Asymptotic(), expected=True)
    assert expected_of(found) == pytest.approx(stats.norm.isf(float(expected)), rel=2e-3)


def test_data_that_the_model_cannot_give_have_no_significance(counting):
    """Events where nothing is expected, or a negative background, fail as limits do."""
    some = {"uncertainty": (0.2, 0.2), "efficiency": 0.0}
    nowhere = counting(background=(3.0, 0.0), signal=(5.0, 0.0), observed=(4, 1), **some)
    negative = counting(background=(3.0,), uncertainty=(0.0,), signal=(5.0,), observed=(0,))
    (background,) = [
        sample for sample in negative["channels"][0]["samples"] if sample["data"] == [3.0]
    ]
    background |= {"data": [-3.0], "modifiers": []}
    for spec, why in ((nowhere, "neither signal nor background"), (negative, "is -3 events")):
        batch = compile_workspace(spec, validate=False).batch()
        for method in (Exact(), Asymptotic(), Auto()):
            table = discovery(batch, calculator=method, expected=True)
            assert math.isnan(table.p_values[0])
            assert math.isnan(expected_of(table))
            assert why in table.messages[0]


def test_no_signal_is_not_significant_and_leaves_other_masses_alone(counting):
    spec = counting(background=(3.0,), uncertainty=(0.2,), signal=(5.0,), observed=(6,))
    likelihood = compile_workspace(spec, validate=False)
    batch = likelihood.inject(np.array([0.0, 5.0]).reshape(2, 1, 1))
    alone = discovery(likelihood.batch(), expected=True)
    table = discovery(batch, expected=True)
    assert (table.p_values[0], table.significance[0], table.best_fit[0]) == (1.0, 0.0, 0.0)
    assert table.expected is not None
    assert table.expected[0] == 0.0
    assert table.messages[0] == "no signal event is expected at any strength"
    assert table.p_values[1] == alone.p_values[0]
    assert table.expected[1] == expected_of(alone)
