"""Fits against closed forms, pyhf with Minuit, and numerical derivatives of pyhf's likelihood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyhf
import pytest
from scipy import optimize

from na64.limits.inference.data import asimov_data, observed_data
from na64.limits.inference.fit import fit_workspace
from na64.limits.inference.minimum import LocalMinimiser
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.models.errors import InputError

Workspace = dict[str, Any]


def one_bin(n: float, *, signal: float = 2.0, background: float = 9.0, error: float = 3.0) -> Any:
    """One bin with a background known from a side measurement of tau = (b / error)^2 events."""
    own = [{"name": "side", "type": "shapesys", "data": [error]}] if error else []
    poi = [{"name": "mu", "type": "normfactor", "data": None}]
    return {
        "channels": [
            {
                "name": "c",
                "samples": [
                    {"name": "s", "data": [signal], "modifiers": poi},
                    {"name": "b", "data": [background], "modifiers": own},
                ],
            }
        ],
        "observations": [{"name": "c", "data": [n]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def batch_of(workspace: Workspace) -> SignalBatch:
    return compile_workspace(workspace, validate=False).batch()


def test_one_bin_with_mu_held_is_a_closed_form() -> None:
    # lambda = b gamma and tau gamma counts of aux: gamma = (n + tau) / (b + tau)
    n, b, tau = 14.0, 9.0, 9.0
    fit = fit_workspace(batch_of(one_bin(n)), mu=0.0)
    gamma = (n + tau) / (b + tau)
    assert fit.names == ("side[0]", "mu")
    assert fit.values == pytest.approx([gamma, 0.0], rel=1e-9)
    assert fit.errors[0] == pytest.approx(gamma / np.sqrt(n + tau), rel=1e-7)
    assert fit.pulls[0] == pytest.approx((gamma - 1.0) * np.sqrt(tau), rel=1e-8)
    assert fit.constraints[0] == pytest.approx(gamma * np.sqrt(tau / (n + tau)), rel=1e-7)
    assert fit.states == ("ok", "fixed")
    assert np.isnan(fit.mu_error)


def test_one_bin_with_mu_free_is_a_closed_form() -> None:
    # mu = (n - b) / s and gamma = 1; var(mu) = (n + b^2 / tau) / s^2, cov = - b / (tau s)
    n, s, b, tau = 14.0, 2.0, 9.0, 9.0
    fit = fit_workspace(batch_of(one_bin(n)))
    assert fit.values == pytest.approx([1.0, (n - b) / s], rel=1e-8)
    assert fit.value == pytest.approx(0.0, abs=1e-12)
    variance = (n + b * b / tau) / s**2
    wanted = np.array([[1.0 / tau, -b / (tau * s)], [-b / (tau * s), variance]])
    assert fit.covariance == pytest.approx(wanted, rel=1e-6)
    correlation = wanted[0, 1] / np.sqrt(variance / tau)
    assert fit.correlations[0, 1] == pytest.approx(correlation, rel=1e-6)


def test_mu_is_not_negative_and_the_fit_says_so() -> None:
    fit = fit_workspace(batch_of(one_bin(4.0)))
    assert fit.mu == 0.0
    assert fit.states[-1] == "at-lower-bound"
    assert np.isnan(fit.mu_error)
    # the nuisance parameter is that of the fit without a signal
    held = fit_workspace(batch_of(one_bin(4.0)), mu=0.0)
    assert fit.values[0] == pytest.approx(held.values[0], rel=1e-9)
    assert fit.errors[0] == pytest.approx(held.errors[0], rel=1e-6)


def test_profile_errors_solve_the_equation_of_the_likelihood() -> None:
    n, s, b = 14.0, 2.0, 9.0

    def rise(mu: float) -> float:
        rate = s * mu + b
        return rate - n - n * float(np.log(rate / n)) - 0.5

    best = (n - b) / s
    fit = fit_workspace(batch_of(one_bin(n, error=0.0)), errors="profile")
    assert fit.lower_errors is not None
    assert fit.upper_errors is not None
    assert fit.lower_errors[-1] == pytest.approx(best - optimize.brentq(rise, 0.0, best), rel=2e-5)
    assert fit.upper_errors[-1] == pytest.approx(optimize.brentq(rise, best, 9.0) - best, rel=2e-5)
    # fewer events: mu = 0 is reached before the likelihood has risen
    low = fit_workspace(batch_of(one_bin(10.0, error=0.0)), errors="profile")
    assert low.lower_errors is not None
    assert np.isnan(low.lower_errors[-1])


def test_profile_errors_of_a_nuisance_parameter() -> None:
    # mu is free and follows: the data leave the side measurement alone, tau gamma - tau ln gamma
    tau = 9.0
    fit = fit_workspace(batch_of(one_bin(40.0)), errors="profile")

    def rise(gamma: float) -> float:
        return tau * (gamma - 1.0 - float(np.log(gamma))) - 0.5

    assert fit.lower_errors is not None
    assert fit.upper_errors is not None
    assert fit.lower_errors[0] == pytest.approx(1.0 - optimize.brentq(rise, 0.1, 1.0), rel=2e-5)
    assert fit.upper_errors[0] == pytest.approx(optimize.brentq(rise, 1.0, 4.0) - 1.0, rel=2e-5)


def test_a_factor_that_acts_with_another_is_undetermined(
    counting: Callable[..., Workspace],
) -> None:
    workspace = counting(observed=(1, 2, 1))
    for name in ("first", "second"):
        free = {"name": name, "type": "normfactor", "data": None}
        workspace["channels"][1]["samples"][1]["modifiers"].append(free)
    fit = fit_workspace(batch_of(workspace), mu=1.0)
    states = dict(zip(fit.names, fit.states, strict=True))
    assert states["first"] == states["second"] == "undetermined"
    assert states["background_0"] == "ok"
    assert np.isnan(fit.errors[fit.names.index("first")])


def test_asimov_data_give_their_parameters_back(counting: Callable[..., Workspace]) -> None:
    batch = batch_of(counting(observed=(3, 0, 1)))
    for nuisances in ("nominal", "fitted"):
        data = asimov_data(batch, 2.5, nuisances)
        fit = fit_workspace(batch, data=data)
        assert fit.mu == pytest.approx(2.5, rel=1e-6)
        assert fit.value == pytest.approx(0.0, abs=1e-9)
    nominal = fit_workspace(batch, data=asimov_data(batch, 2.5))
    assert nominal.pulls[:-1] == pytest.approx(0.0, abs=1e-6)
    # fitted ones are those of a fit to the observed data at this mu
    held = fit_workspace(batch, mu=2.5)
    fitted = fit_workspace(batch, data=asimov_data(batch, 2.5, "fitted"))
    assert fitted.values[:-1] == pytest.approx(held.values[:-1], abs=1e-6)


def test_asimov_data_do_not_depend_on_initial_values(counting: Callable[..., Workspace]) -> None:
    plain, moved = counting(), counting()
    moved["measurements"][0]["config"]["parameters"] = [{"name": "efficiency", "inits": [0.7]}]
    first, second = (asimov_data(batch_of(w), 1.0) for w in (plain, moved))
    assert first.counts == pytest.approx(second.counts, rel=1e-12)
    assert first.auxiliary == pytest.approx(second.auxiliary)


# -- against pyhf


@contextmanager
def minuit() -> Iterator[None]:
    """Fit with Minuit, as careful as it can be."""
    before = pyhf.get_backend()
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(strategy=2, tolerance=1e-4))
    try:
        yield
    finally:
        pyhf.set_backend(*before)


def elements(model: Any) -> list[str]:
    """Names of the elements of pyhf's parameters, as this project writes them."""
    names = []
    for name in model.config.par_order:
        size = model.config.param_set(name).n_parameters
        scalar = model.config.param_set(name).is_scalar
        names += [name] if scalar else [f"{name}[{i}]" for i in range(size)]
    return names


SEEDS = (1, 2, 5, 8)


@pytest.mark.parametrize("seed", SEEDS)
def test_best_values_and_likelihood_against_minuit(
    everything: Callable[[int], Workspace], seed: int
) -> None:
    workspace = pyhf.Workspace(everything(seed))
    model = workspace.model()
    data = workspace.data(model)
    with minuit():
        # its own failures are warnings: compared is the value it reaches
        best, twice = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
    fit = fit_workspace(batch_of(everything(seed)))
    place = {name: i for i, name in enumerate(elements(model))}
    # pyhf has the constraint terms of alphas that no rate depends on as well: a constant each
    idle = set(place) - set(fit.names)
    constant = np.log(2.0 * np.pi) * sum(1 for name in idle if "[" not in name)
    twice_nll = 2.0 * fit.nll + constant
    assert twice_nll <= float(twice) + 1e-5
    mine = np.array(model.config.suggested_init())
    for name, value in zip(fit.names, fit.values, strict=True):
        mine[place[name]] = value
    # pyhf's own likelihood at the point found here
    assert twice_nll == pytest.approx(float(pyhf.infer.mle.twice_nll(mine, data, model)[0]))
    if abs(twice_nll - float(twice)) < 1e-5:
        moving = [i for i, state in enumerate(fit.states) if state == "ok"]
        theirs = np.array([best[place[fit.names[i]]] for i in moving])
        # a parameter is known to its error times the root of twice the distance in likelihood
        assert np.all(np.abs(theirs - fit.values[moving]) < 0.01 * fit.errors[moving])


@pytest.mark.parametrize("seed", SEEDS)
def test_covariance_against_numerical_derivatives_of_pyhf(
    everything: Callable[[int], Workspace], seed: int
) -> None:
    workspace = pyhf.Workspace(everything(seed))
    model = workspace.model()
    data = workspace.data(model)
    fit = fit_workspace(batch_of(everything(seed)))
    place = {name: i for i, name in enumerate(elements(model))}
    base = np.array(model.config.suggested_init())
    for name, value in zip(fit.names, fit.values, strict=True):
        base[place[name]] = value
    moving = [i for i, state in enumerate(fit.states) if state == "ok"]
    step = 2e-3 * fit.errors[moving]
    at = [place[fit.names[i]] for i in moving]

    def nll(*shifts: tuple[int, float]) -> float:
        x = base.copy()
        for j, sign in shifts:
            x[at[j]] += sign * step[j]
        return 0.5 * float(pyhf.infer.mle.twice_nll(x, data, model)[0])

    n = len(moving)
    hessian = np.empty((n, n))
    for j in range(n):
        for k in range(j + 1):
            mixed = sum(a * b * nll((j, a), (k, b)) for a in (1.0, -1.0) for b in (1.0, -1.0))
            hessian[j, k] = hessian[k, j] = mixed / (4.0 * step[j] * step[k])
    covariance = np.linalg.inv(hessian)
    sigma = np.sqrt(np.diagonal(covariance))
    # steps of 0.2 % of an error: differences of a likelihood of order ten keep five digits
    assert fit.errors[moving] == pytest.approx(sigma, rel=2e-3)
    wanted = covariance / np.outer(sigma, sigma)
    assert fit.correlations[np.ix_(moving, moving)] == pytest.approx(wanted, abs=3e-3)


def test_what_cannot_be_fitted_is_refused(counting: Callable[..., Workspace]) -> None:
    batch = batch_of(counting())
    with pytest.raises(InputError, match="must not be negative"):
        fit_workspace(batch, mu=-1.0)
    with pytest.raises(InputError, match="hessian or profile"):
        fit_workspace(batch, errors="minos")
    with pytest.raises(InputError, match="expects no events"):
        fit_workspace(batch_of(counting(signal=(0.0, 0.0, 0.0))))
    with pytest.raises(InputError, match="must not be negative"):
        asimov_data(batch, -0.5)
    impossible = counting(background=(0.0, 0.1, 0.1), signal=(0.0, 0.1, 0.1), observed=(1, 0, 0))
    with pytest.raises(InputError, match="neither signal nor background"):
        fit_workspace(batch_of(impossible))


def folded(n: float) -> Workspace:
    """One bin whose histosys moves the background up on both sides, by 4 of 9 events."""
    workspace = one_bin(n, error=0.0)
    both = {"hi_data": [13.0], "lo_data": [13.0]}
    background = workspace["channels"][0]["samples"][1]
    background["modifiers"] = [{"name": "fold", "type": "histosys", "data": both}]
    return dict(workspace)


def test_saddle_points_are_left() -> None:
    batch = batch_of(folded(14.0))
    local = LocalMinimiser(batch.likelihood)
    points = observed_data(batch).points(batch)
    saddle = np.zeros((2, 1))
    held = np.array([[False], [True]])
    value, gradient, hessian = local.derivatives(saddle, points)
    assert gradient[0, 0] == pytest.approx(0.0, abs=1e-12)
    assert hessian[0, 0, 0] < 0.0
    found = local.minimise(points, saddle, held)
    assert found.converged.all()
    assert found.value[0] < value[0] - 0.1
    assert abs(found.x[0, 0]) > 0.5
    # the same on both sides
    fit = fit_workspace(batch, mu=0.0)
    assert fit.value == pytest.approx(found.value[0], rel=1e-9)


def test_a_deeper_minimum_far_away_is_found(counting: Callable[..., Workspace]) -> None:
    # an excess of 5 events: by 1 sigma downwards of a parameter that is 5 sigma upwards elsewhere
    workspace = counting((9.0, 9.0), (0.0, 0.0), (0.0, 1.0), 0.0, (14.0, 9.0))
    lopsided = {"hi_data": [9.6], "lo_data": [14.0]}
    modifiers = workspace["channels"][0]["samples"][1]["modifiers"]
    modifiers.append({"name": "fold", "type": "histosys", "data": lopsided})
    batch = batch_of(workspace)
    grid = np.linspace(-5.0, 5.0, 4001)
    evaluator = batch.likelihood.fitter.problem(False).evaluator
    points = observed_data(batch).points(batch, len(grid))
    scanned = evaluator.value(grid[None, :], np.zeros(len(grid)), points)
    fit = fit_workspace(batch, mu=0.0)
    assert fit.value == pytest.approx(float(scanned.min()), abs=1e-5)
    assert fit.values[0] == pytest.approx(grid[int(np.argmin(scanned))], abs=0.01)
    assert fit.values[0] < 0.0
