"""Limits of all patches: those of each workspace alone, of pyhf, and what scaling demands."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pyhf
import pytest

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import calculator
from na64.limits.calculators.status import Status
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.scanning.patches import limits_or_infinity, patch_cls, patch_limits
from na64.models.errors import InputError
from na64.workspaces.pyhf.patchsets import Patchset, read_patchset

ASYMPTOTIC = calculator("asymptotic")


@pytest.fixture
def background(counting) -> dict[str, Any]:
    """Three channels of one bin; their signal samples taken out."""
    document: dict[str, Any] = counting(
        background=(6.0, 3.0, 1.0), uncertainty=(0.2, 0.3, 0.4), observed=(7, 2, 1)
    )
    for channel in document["channels"]:
        del channel["samples"][0]
    return document


def sample(events: float, uncertainty: float = 0.1) -> dict[str, Any]:
    hi_lo = {"hi": 1.0 + uncertainty, "lo": 1.0 - uncertainty}
    return {
        "name": "s",
        "data": [events],
        "modifiers": [
            {"name": "mu", "type": "normfactor", "data": None},
            {"name": "acceptance", "type": "normsys", "data": hi_lo},
        ],
    }


def patches_of(background: dict[str, Any], *signals: Any) -> Patchset:
    """One patch per signal: its events in the three channels, or operations as they are."""
    items = []
    for number, signal in enumerate(signals):
        operations = signal
        if isinstance(signal[0], float):
            operations = [
                {"op": "add", "path": f"/channels/{channel}/samples/0", "value": sample(events)}
                for channel, events in enumerate(signal)
            ]
        items.append({"metadata": {"name": f"p{number}", "values": [number]}, "patch": operations})
    return read_patchset(
        {
            "version": "1.0.0",
            "metadata": {
                "references": {"hepdata": "ins1234567"},
                "digests": {"sha256": pyhf.utils.digest(background)},
                "labels": ["number"],
                "description": "a test",
            },
            "patches": items,
        }
    )


@pytest.fixture
def box(counting) -> dict[str, Any]:
    """One bin, where counts are enumerated and thrown at once."""
    document: dict[str, Any] = counting(
        background=(1.0,), uncertainty=(0.3,), signal=(1.0,), observed=(1,)
    )
    del document["channels"][0]["samples"][0]
    return document


@pytest.mark.parametrize("method", [ASYMPTOTIC, calculator("toys", toys=20, seed=5)])
def test_every_limit_is_that_of_its_workspace_alone(box, method) -> None:
    background = box
    patchset = patches_of(background, (2.0,), (0.5,), (3.0,))
    settings: dict[str, Any] = {
        "calculator": method,
        "confidence_level": 0.9,
        "expected": method is ASYMPTOTIC,
    }
    found = patch_limits(background, patchset, **settings)
    shuffled = patch_limits(background, patchset.take(["p2", "p1"]), **settings)
    for result in found:
        patched = patchset.named(result.name).apply(background)
        alone = upper_limits(compile_workspace(patched).batch(), **settings)
        assert repr(result.answer) == repr(alone)
    assert [result.name for result in shuffled] == ["p1", "p2"]  # the order of the patchset
    assert repr(shuffled.results) == repr(found.results[1:])


def test_limits_are_those_of_pyhf(background) -> None:
    patchset = patches_of(background, (2.0, 2.0, 2.0), (0.5, 1.0, 4.0))
    found = patch_limits(background, patchset, calculator=ASYMPTOTIC, confidence_level=0.95)
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(tolerance=1e-10))
    for result, limit, bands in zip(found, found.observed, found.expected, strict=True):
        workspace = pyhf.Workspace(patchset.named(result.name).apply(background))
        # pyhf's own ranges of mu would end below some limits
        workspace["measurements"][0]["config"]["parameters"].append(
            {"name": "mu", "bounds": [[0.0, 50.0]], "inits": [1.0]}
        )
        model = workspace.model()
        for mu, place in ((limit, None), (bands[0], 0), (bands[2], 2), (bands[4], 4)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                observed, expected = pyhf.infer.hypotest(
                    mu, workspace.data(model), model, return_expected_set=True
                )
            cls = observed if place is None else expected[place]
            assert float(cls) == pytest.approx(0.05, rel=2e-4)
    pyhf.set_backend("numpy")


def test_a_signal_of_twice_the_events_has_half_the_limit(box) -> None:
    patchset = patches_of(box, (1.5,), (3.0,))
    found = patch_limits(box, patchset, confidence_level=0.9)  # by enumeration
    assert found.observed[0] == pytest.approx(2.0 * found.observed[1], rel=1e-9)
    assert found.expected[0] == pytest.approx(2.0 * found.expected[1], rel=1e-9)


def test_cls_at_the_limit_is_what_the_level_says(background) -> None:
    patchset = patches_of(background, (2.0, 2.0, 2.0), (0.5, 1.0, 4.0))
    limits = patch_limits(background, patchset, calculator=ASYMPTOTIC, confidence_level=0.95)
    found = patch_cls(background, patchset, limits.observed, calculator=ASYMPTOTIC)
    assert found.observed.shape == (2, 2)
    assert found.expected.shape == (2, 5, 2)
    assert np.diag(found.observed) == pytest.approx(0.05, rel=1e-4)
    batch = compile_workspace(patchset.patches[1].apply(background)).batch()
    alone = cls_values(batch, limits.observed[:, None], calculator=ASYMPTOTIC, expected=True)
    assert np.array_equal(found.observed[1], alone.observed[:, 0])


def test_every_way_to_fail_is_the_patch_s_own(background) -> None:
    good: list[dict[str, Any]] = [
        {"op": "add", "path": "/channels/2/samples/0", "value": sample(2.0)}
    ]
    wrong: Any = copy.deepcopy(good)
    wrong[0]["value"]["data"] = [1.0, 2.0]
    invalid = copy.deepcopy(good)
    invalid[0]["value"]["modifiers"][1]["data"]["hi"] = "1.1"
    patchset = patches_of(
        background,
        good,
        [{"op": "remove", "path": "/channels/5"}],
        wrong,
        invalid,
        [{"op": "replace", "path": "/channels", "value": {"0": "nonsense"}}],
        [*good, {"op": "replace", "path": "/channels/0/samples", "value": []}],
        [*good, {"op": "remove", "path": "/observations/1"}],
        [{"op": "test", "path": "/channels/0/name", "value": "bin_00"}],
        (0.0, 0.0, 0.0),
    )
    found = patch_limits(background, patchset, calculator=ASYMPTOTIC, confidence_level=0.95)
    told = [
        "",
        "operation 0 (remove /channels/5): /channels has 3 items",
        "2 rates for 1 observed counts",
        "not a valid pyhf workspace: channels[2].samples[0].modifiers[1] ('bin_02', 's', ",
        "not a valid pyhf workspace: channels: ",
        "not a valid pyhf workspace: channels[0].samples ('bin_00'): ",
        "channel 'bin_01' has no observation",
        "no sample carries the parameter of interest 'mu'",
        "",
    ]
    assert list(found.problems) == [f"p{number}" for number in range(1, 8)]
    for result, words in zip(found, told, strict=True):
        assert words in found.problems.get(result.name, "")
        assert (result.answer is None) == bool(words)
    last = found.results[-1]
    assert last.answer is not None
    assert last.answer.status == (Status.NO_EXCLUSION,)
    rows = limits_or_infinity(found)
    assert np.isfinite(rows[:, 0]).all()
    assert np.isnan(rows[:, 1:8]).all()
    assert np.isinf(rows[:, 8]).all()


def test_what_is_wrong_for_all_patches_is_said_at_once(background) -> None:
    patchset = patches_of(background, (2.0, 2.0, 2.0))
    other = copy.deepcopy(background)
    other["observations"][0]["data"] = [8]
    with pytest.raises(InputError, match="not for this workspace"):
        patch_limits(other, patchset, calculator=ASYMPTOTIC)
    assert not patch_limits(other, patchset, calculator=ASYMPTOTIC, verify=False).problems
    with pytest.raises(InputError, match="confidence level"):
        patch_limits(background, patchset, confidence_level=2.0)
    with pytest.raises(InputError, match="at least one job"):
        patch_limits(background, patchset, jobs=0)
    with pytest.raises(InputError, match="signal strengths"):
        patch_cls(background, patchset, [1.0, -1.0])
    del other["channels"][0]["samples"]
    with pytest.raises(InputError, match="not a valid pyhf workspace"):
        patch_limits(other, patchset, verify=False)


def test_progress_is_told_after_every_patch(background) -> None:
    patchset = patches_of(background, (2.0, 2.0, 2.0), (1.0, 1.0, 1.0))
    said: list[tuple[int, ...]] = []

    class Told:
        def __call__(self, stage: str) -> None: ...

        def advance(self, *counts: int) -> None:
            said.append(counts)

    patch_cls(background, patchset, progress=Told(), calculator=ASYMPTOTIC)
    assert said == [(1, 2, 0, 0), (2, 2, 0, 0)]
