"""Yields before and after a fit: closed forms, and the same from pyhf's expected data."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pyhf
import pytest

from na64.limits.inference.prepost import pre_and_post_fit

Workspace = dict[str, Any]


def test_one_bin_is_a_closed_form(counting: Callable[..., Workspace]) -> None:
    n, b, u, s = 14.0, 9.0, 1.0 / 3.0, 2.0
    found = pre_and_post_fit(counting((b,), (u,), (s,), 0.0, (n,), kind="shapesys"))
    assert found.samples == ("signal", "background")
    assert found.signals == ("signal",)
    before, after = found.before, found.after
    assert before.samples[:, 0] == pytest.approx([s, b])
    assert before.sample_errors[:, 0] == pytest.approx([0.0, u * b])
    assert before.total_errors == pytest.approx([u * b])
    # as many parameters as data: the total is n +- sqrt(n), whatever its parts
    assert after.samples[:, 0] == pytest.approx([n - b, b], rel=1e-6)
    assert after.sample_errors[:, 0] == pytest.approx([np.sqrt(n + (u * b) ** 2), u * b], rel=1e-6)
    assert after.totals == pytest.approx([n], rel=1e-8)
    # products of mu and gamma do not occur: yields are linear
    assert after.total_errors == pytest.approx([np.sqrt(n)], rel=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 5, 8])
def test_against_expected_data_of_pyhf(everything: Callable[[int], Workspace], seed: int) -> None:
    document = everything(seed)
    found = pre_and_post_fit(document)
    fit = found.fit
    workspace = pyhf.Workspace(document)
    model = workspace.model()
    place = {}
    for name in model.config.par_order:
        first, size = model.config.par_slice(name).start, model.config.param_set(name).n_parameters
        scalar = model.config.param_set(name).is_scalar
        place.update({name: first} if scalar else {f"{name}[{i}]": first + i for i in range(size)})
    base = np.array(model.config.suggested_init())
    # pyhf has channels in the order of their names; so have these workspaces
    assert list(found.channels) == list(model.config.channels)
    assert found.before.totals == pytest.approx(model.expected_actualdata(base), rel=1e-9)
    for name, value in zip(fit.names, fit.values, strict=True):
        base[place[name]] = value
    assert found.after.totals == pytest.approx(model.expected_actualdata(base), rel=1e-9)
    moving = [i for i, state in enumerate(fit.states) if state == "ok"]
    parameters = document_bounds(model)
    changes = []
    for i in moving:
        low, high = parameters[place[fit.names[i]]]
        up, down = base.copy(), base.copy()
        up[place[fit.names[i]]] = min(fit.values[i] + fit.errors[i], high)
        down[place[fit.names[i]]] = max(fit.values[i] - fit.errors[i], low)
        span = up[place[fit.names[i]]] - down[place[fit.names[i]]]
        change = model.expected_actualdata(up) - model.expected_actualdata(down)
        changes.append(change * fit.errors[i] / span)
    delta = np.array(changes).reshape(len(moving), -1)
    rho = fit.correlations[np.ix_(moving, moving)]
    wanted = np.sqrt(np.maximum(np.einsum("pb,pq,qb->b", delta, rho, delta), 0.0))
    assert found.after.total_errors == pytest.approx(wanted, rel=1e-6, abs=1e-9)
    channel = [found.channels.index(name) for name, _ in found.bins]
    summed = np.zeros((len(moving), len(found.channels)))
    np.add.at(summed.T, channel, delta.T)
    wanted = np.sqrt(np.maximum(np.einsum("pc,pq,qc->c", summed, rho, summed), 0.0))
    assert found.after.channel_total_errors == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def document_bounds(model: Any) -> list[tuple[float, float]]:
    """Bounds of pyhf, but mu has no upper one here."""
    bounds = [tuple(pair) for pair in model.config.suggested_bounds()]
    bounds[model.config.poi_index] = (0.0, np.inf)
    return bounds


@pytest.mark.parametrize("seed", [2, 5])
def test_samples_are_those_of_a_workspace_without_the_others(
    everything: Callable[[int], Workspace], seed: int
) -> None:
    document = everything(seed)
    found = pre_and_post_fit(document, prefit_mu=2.0)
    assert found.before.samples.sum(axis=0) == pytest.approx(found.before.totals)
    assert found.after.samples.sum(axis=0) == pytest.approx(found.after.totals)
    # nominal rates of the JSON; every parameter of these workspaces begins where it does nothing
    for s, name in enumerate(found.samples):
        rates: list[float] = []
        for channel in document["channels"]:
            sample = [x for x in channel["samples"] if x["name"] == name]
            size = len(channel["samples"][0]["data"])
            rates += sample[0]["data"] if sample else [0.0] * size
        factor = 2.0 if name in found.signals else 1.0
        assert found.before.samples[s] == pytest.approx(factor * np.array(rates))
    sums = np.zeros(len(found.channels))
    np.add.at(sums, [found.channels.index(name) for name, _ in found.bins], found.after.totals)
    assert found.after.channel_totals == pytest.approx(sums)


def test_equal_samples_are_told_apart(counting: Callable[..., Workspace]) -> None:
    # samples with the same factors are one in the likelihood, not in the table
    document = counting(observed=(1, 0, 1))
    for channel in document["channels"]:
        again = copy.deepcopy(channel["samples"][1])
        channel["samples"].append({**again, "name": "more", "data": [2.0 * again["data"][0]]})
    found = pre_and_post_fit(document, prefit_mu=0.0)
    assert found.samples == ("signal", "background", "more")
    assert found.after.samples[2] == pytest.approx(2.0 * found.after.samples[1])
    assert found.after.sample_errors[2] == pytest.approx(2.0 * found.after.sample_errors[1])
    # fully correlated: errors add
    both = found.before.sample_errors[1] + found.before.sample_errors[2]
    assert found.before.total_errors == pytest.approx(both)
