"""Impacts against closed forms and fits of workspaces in which a parameter is fixed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Asymptotic, Exact
from na64.limits.inference.data import asimov_data
from na64.limits.inference.fit import fit_workspace
from na64.limits.inference.impacts import rank_by_limit, rank_by_mu
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.models.errors import InputError

Workspace = dict[str, Any]


def batch_of(workspace: Workspace) -> SignalBatch:
    return compile_workspace(workspace, validate=False).batch()


def holding(workspace: Workspace, name: str, value: float) -> Workspace:
    """The workspace with one scalar parameter fixed."""
    changed = copy.deepcopy(workspace)
    entries = changed["measurements"][0]["config"]["parameters"]
    entries[:] = [entry for entry in entries if entry["name"] != name]
    entries.append({"name": name, "inits": [value], "fixed": True})
    return changed


def test_the_impact_of_a_background_is_a_closed_form(counting: Callable[..., Workspace]) -> None:
    # one bin: mu = (n - b gamma) / s, gamma = 1 +- u: the impact is -+ u b / s
    workspace = counting((9.0,), (1.0 / 3.0,), (2.0,), 0.0, (14.0,), kind="shapesys")
    found = rank_by_mu(batch_of(workspace))
    assert found.names == ("background_0[0]",)
    assert found.postfit[:, 0] == pytest.approx([1.5, -1.5], rel=1e-6)
    assert found.prefit[:, 0] == pytest.approx([1.5, -1.5], rel=1e-6)
    assert not found.truncated[0]


def test_impacts_are_fits_with_the_parameter_fixed(counting: Callable[..., Workspace]) -> None:
    workspace = counting((2.0, 3.0, 4.0), (0.3, 0.4, 0.2), (3.0, 2.0, 1.0), 0.2, (5, 4, 7))
    found = rank_by_mu(batch_of(workspace))
    fit = found.fit
    sizes = np.abs(found.postfit).max(axis=0)
    assert np.all(np.diff(sizes) <= 1e-9)
    assert set(found.names) == set(fit.names[:-1])
    for i, p in enumerate(found.parameters.tolist()):
        for sigma, impacts in ((fit.errors[p], found.postfit), (fit.widths[p], found.prefit)):
            for side, sign in enumerate((-1.0, 1.0)):
                held = holding(workspace, fit.names[p], fit.values[p] + sign * sigma)
                wanted = fit_workspace(batch_of(held)).mu - fit.mu
                assert impacts[side, i] == pytest.approx(wanted, rel=1e-5, abs=1e-8)


def test_impacts_of_small_shifts_are_correlations(counting: Callable[..., Workspace]) -> None:
    # to first order the post-fit impact is rho(mu, theta) sigma(mu); 5 %: the likelihood is curved
    workspace = counting(
        (400.0, 300.0, 500.0), (0.02, 0.03, 0.02), (60.0, 40.0, 20.0), 0.03, (460, 350, 510)
    )
    found = rank_by_mu(batch_of(workspace))
    linear = found.fit.correlations[-1, found.parameters] * found.fit.mu_error
    assert 0.5 * (found.postfit[1] - found.postfit[0]) == pytest.approx(linear, rel=0.05)


def test_a_bound_of_mu_is_said(counting: Callable[..., Workspace]) -> None:
    workspace = counting()
    nothing = rank_by_mu(batch_of(workspace))
    assert nothing.fit.mu == 0.0
    assert nothing.truncated.all()
    batch = batch_of(workspace)
    asimov = rank_by_mu(batch, data=asimov_data(batch, 5.0))
    assert not asimov.truncated.any()
    assert asimov.names[0] == "efficiency"  # 10 % of mu = 5, against 0.2 events of background
    one = rank_by_mu(batch, parameters=["background_1"], data=asimov_data(batch, 5.0))
    assert one.names == ("background_1",)
    assert one.postfit[:, 0] == pytest.approx(
        asimov.postfit[:, asimov.names.index("background_1")], rel=1e-9
    )
    with pytest.raises(InputError, match="nuisance parameter"):
        rank_by_mu(batch, parameters=["no such"])


def test_the_limit_without_background_follows_the_efficiency(
    counting: Callable[..., Workspace],
) -> None:
    # n = 0 and the efficiency held at alpha: exp(-s f(alpha) mu) = 0.1 with f = 1.3^alpha
    workspace = counting((0.05,), (0.0,), (1.0,), 0.3, (0,))
    found = rank_by_limit(batch_of(workspace), calculator=Exact())
    assert found.names == ("efficiency",)
    p = found.fit.names.index("efficiency")
    alpha, sigma = found.fit.values[p], found.fit.errors[p]
    limits = [found.shifted[0, 0], found.frozen[0], found.shifted[1, 0]]
    wanted = [np.log(10.0) / 1.3 ** (alpha + k * sigma) for k in (-1.0, 0.0, 1.0)]
    assert limits == pytest.approx(wanted, rel=2e-4)  # tolerance of the exact method 1e-4
    assert found.costs[0] == pytest.approx(found.limit - wanted[1], rel=1e-2)
    assert found.costs[0] > 0.0


@pytest.mark.parametrize("expected", [False, True])
def test_limits_are_those_of_workspaces_with_the_parameter_fixed(
    counting: Callable[..., Workspace], expected: bool
) -> None:
    workspace = counting((2.0, 3.0, 4.0), (0.3, 0.4, 0.2), (3.0, 2.0, 1.0), 0.2, (3, 4, 5))
    found = rank_by_limit(batch_of(workspace), calculator=Asymptotic(), expected=expected)
    assert np.all(np.diff(np.abs(found.impacts).max(axis=0)) <= 1e-8)
    best = found.names[0]
    p = found.fit.names.index(best)
    for value, limit in (
        (found.fit.values[p], found.frozen[0]),
        (found.fit.values[p] + found.fit.errors[p], found.shifted[1, 0]),
    ):
        table = upper_limits(batch_of(holding(workspace, best, value)), calculator=Asymptotic())
        wanted = table.expected[2, 0] if expected else table.observed[0]
        assert limit == pytest.approx(wanted, rel=1e-5)
