"""Breakdown: frozen parameters equal workspaces that never had them."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.calculators.breakdown import break_down, without_groups
from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Asymptotic
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import InputError


@pytest.mark.parametrize("kind", ["normsys", "shapesys"])
def test_without_a_group(counting, kind):
    settings = {"observed": (0, 1, 0), "kind": kind}
    batch = compile_workspace(counting(**settings), validate=False).batch()
    found = break_down(batch)
    assert set(found.without) == {"efficiency", "background_0", "background_1", "background_2"}
    for change, name in (
        ({"efficiency": 0.0}, "efficiency"),
        ({"uncertainty": (0.8, 0.0, 0.3)}, "background_1"),
    ):
        never = compile_workspace(counting(**settings, **change), validate=False).batch()
        wanted = upper_limits(never)
        np.testing.assert_allclose(found.without[name].observed, wanted.observed, rtol=1e-9)
        np.testing.assert_allclose(found.without[name].expected, wanted.expected, rtol=1e-9)
    bare = counting(**settings, efficiency=0.0, uncertainty=(0.0, 0.0, 0.0))
    wanted = upper_limits(compile_workspace(bare, validate=False).batch())
    np.testing.assert_allclose(found.statistical.observed, wanted.observed, rtol=1e-9)
    assert found.changes()["efficiency"][0] > 0.01


def test_groups_of_several(counting):
    batch = compile_workspace(counting(), validate=False).batch()
    found = break_down(batch, {"backgrounds": [f"background_{i}" for i in range(3)]})
    assert list(found.without) == ["backgrounds"]
    # at n = 0 the background's uncertainty drops out of CLs
    assert found.changes()["backgrounds"][0] == pytest.approx(0.0, abs=3e-5)


def test_likelihood_at_nominal_parameters(everything):
    """Freezing everything leaves the nominal rates, in all kinds of modifiers."""
    for seed in range(30):
        batch = compile_workspace(everything(seed), validate=False).batch()
        constrained = [g for g in batch.likelihood.groups if g != "free"]
        frozen = without_groups(batch, constrained)
        mass = np.zeros(1, dtype=int)
        values = []
        for one in (batch, frozen):
            fitter = one.likelihood.fitter
            points = one.points(mass, one.likelihood.observed[:, None])
            evaluator = fitter.problem(False).evaluator
            values.append(evaluator.rates(fitter.init[:, None], 2.0 * one.events, points.signal))
        np.testing.assert_allclose(values[0], values[1], rtol=1e-12)


def test_unknown_and_free_names(counting, everything):
    batch = compile_workspace(counting(), validate=False).batch()
    with pytest.raises(InputError, match=r"unknown modifier 'eficiency'.*'efficiency'"):
        without_groups(batch, ["eficiency"])
    spec = counting()
    spec["channels"][0]["samples"][1]["modifiers"].append(
        {"name": "scale", "type": "normfactor", "data": None}
    )
    batch = compile_workspace(spec, validate=False).batch()
    with pytest.raises(InputError, match="'scale' has no constraint"):
        without_groups(batch, ["scale"])


def test_where_fits_begin_does_not_matter(counting):
    """Parameters are held at their auxiliary data: 0 and 1, whatever `inits` say."""
    spec = counting(observed=(1, 2, 0), kind="shapesys")
    for k, channel in enumerate(spec["channels"]):
        rate = channel["samples"][1]["data"][0]
        shift = {"hi_data": [1.3 * rate], "lo_data": [0.8 * rate]}
        channel["samples"][1]["modifiers"].append(
            {"name": f"shift_{k}", "type": "histosys", "data": shift}
        )
    # a signal with a shift of its own: what breaks if factors are not taken where it is held
    signal = {"name": "shift_0", "type": "histosys", "data": {"hi_data": [0.6], "lo_data": [0.4]}}
    spec["channels"][0]["samples"][0]["modifiers"].append(signal)
    usual = break_down(compile_workspace(spec).batch(), calculator=Asymptotic())
    spec["measurements"][0]["config"]["parameters"] = [
        {"name": "efficiency", "inits": [0.5]},
        {"name": "background_1", "inits": [1.4]},
        {"name": "shift_0", "inits": [-0.6]},
    ]
    begun = break_down(compile_workspace(spec).batch(), calculator=Asymptotic())
    for one, other in (
        (usual.full, begun.full),
        (usual.statistical, begun.statistical),
        *((usual.without[name], begun.without[name]) for name in usual.without),
    ):
        np.testing.assert_allclose(other.observed, one.observed, rtol=1e-6)
        np.testing.assert_allclose(other.expected, one.expected, rtol=1e-6)


def test_an_auxiliary_datum_is_where_a_parameter_is_held(counting):
    """Measured two standard deviations up and known exactly: the efficiency is 1.1^2 times 1."""
    spec = counting()
    efficiency = {"name": "efficiency", "inits": [0.0], "auxdata": [2.0]}
    spec["measurements"][0]["config"]["parameters"] = [efficiency]
    found = break_down(compile_workspace(spec).batch(), {"it": ["efficiency"]})
    never = upper_limits(compile_workspace(counting(efficiency=0.0)).batch())
    assert found.without["it"].observed[0] == pytest.approx(never.observed[0] / 1.1**2, rel=1e-6)
