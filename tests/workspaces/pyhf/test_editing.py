"""Pruned and renamed workspaces are those of pyhf; sizes of modifiers; names that do not fit."""

from __future__ import annotations

import copy
from typing import Any

import pyhf
import pytest

from na64.models.errors import InputError
from na64.workspaces.io.choice import chosen_names
from na64.workspaces.pyhf.editing import effect_sizes, prune, rename, workspace_names

LUMI = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "inits": [1.0], "bounds": [[0.5, 1.5]]}


def modifier(name: str, kind: str, data: Any = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "data": data}


def document() -> dict[str, Any]:
    signal = [modifier("mu", "normfactor"), modifier("lumi", "lumi")]
    top = [
        modifier("both", "normsys", {"hi": 1.02, "lo": 0.99}),
        modifier("both", "histosys", {"hi_data": [21.0, 10.1], "lo_data": [19.0, 9.9]}),
        modifier("stat", "staterror", [1.0, 0.5]),
    ]
    other = [
        modifier("small", "normsys", {"hi": 1.001, "lo": 0.998}),
        modifier("appears", "histosys", {"hi_data": [4.0, 0.1], "lo_data": [4.0, 0.0]}),
        modifier("stat", "staterror", [0.2, 0.0]),
    ]
    return {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {"name": "signal", "data": [3.0, 2.0], "modifiers": signal},
                    {"name": "top", "data": [20.0, 10.0], "modifiers": top},
                    {"name": "other", "data": [4.0, 0.0], "modifiers": other},
                ],
            },
            {
                "name": "CR",
                "samples": [
                    {"name": "top", "data": [99.0], "modifiers": [modifier("free", "normfactor")]},
                    {"name": "other", "data": [1.0], "modifiers": []},
                ],
            },
        ],
        "observations": [{"name": "CR", "data": [101]}, {"name": "SR", "data": [23, 9]}],
        "measurements": [
            {"name": "first", "config": {"poi": "mu", "parameters": [LUMI]}},
            {
                "name": "second",
                "config": {"poi": "free", "parameters": [LUMI, {"name": "both", "fixed": True}]},
            },
        ],
        "version": "1.0.0",
    }


@pytest.mark.parametrize(
    "parts",
    [
        {"channels": ["CR"]},
        {"samples": ["other"]},
        {"modifiers": ["both", "mu"]},
        {"modifier_types": ["staterror", "lumi"]},
        {"measurements": ["first"]},
        {"channels": ["SR"], "modifiers": ["free"], "measurements": ["second"]},
    ],
)
def test_pruned_as_by_pyhf(parts: dict[str, Any]) -> None:
    given = document()
    assert prune(given, **parts) == dict(pyhf.Workspace(document()).prune(**parts))
    assert given == document()


def test_a_type_is_found_behind_another_of_the_same_name() -> None:
    # pyhf looks for types in a table by name, in which the second type of `both` hides the first
    given = prune(document(), modifiers=["appears"])
    types = [{m["type"] for m in s["modifiers"]} for c in given["channels"] for s in c["samples"]]
    assert sum("histosys" in some for some in types) == 1
    with pytest.raises(pyhf.exceptions.InvalidWorkspaceOperation):
        pyhf.Workspace(given).prune(modifier_types=["histosys"])
    assert (
        "histosys"
        not in workspace_names(prune(given, modifier_types=["histosys"]))["modifier type"]
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"channels": {"SR": "signal region"}},
        {"channels": {"SR": "CR", "CR": "SR"}},
        {"samples": {"top": "ttbar", "other": "top"}},
        {"modifiers": {"both": "tune", "free": "k", "mu": "strength"}},
        {"modifiers": {"small": "both"}},
        {"measurements": {"first": "a", "second": "b"}},
    ],
)
def test_renamed_as_by_pyhf(parts: dict[str, Any]) -> None:
    given = document()
    assert rename(given, **parts) == dict(pyhf.Workspace(document()).rename(**parts))
    assert given == document()


def test_what_would_not_be_a_workspace_is_refused() -> None:
    for parts, message in (
        ({"channels": ["SR", "CR"]}, "no channel would be left"),
        ({"samples": ["top", "other"]}, "no sample would be left in channel 'CR'"),
        ({"measurements": ["first", "second"]}, "no measurement would be left"),
        ({"channels": ["sr"]}, r"unknown channel 'sr'.*allowed: CR, SR"),
        ({"modifier_types": ["shapesys"]}, "unknown modifier type 'shapesys'"),
    ):
        with pytest.raises(InputError, match=message):
            prune(document(), **parts)
    cases: tuple[tuple[dict[str, Any], str | None], ...] = (
        ({"channels": {"SR": "CR"}}, "two channels would have the name 'CR'"),
        ({"samples": {"signal": "top"}}, "two samples in channel 'SR' would have the name 'top'"),
        ({"measurements": {"first": "second"}}, "two measurements"),
        ({"modifiers": {"small": "stat", "appears": "small"}}, None),
        ({"modifiers": {"lumi": "both"}}, "two settings of parameters in measurement 'second'"),
        ({"modifiers": {"none": "x"}}, "unknown modifier 'none'"),
        ({"samples": {"top": ""}}, "the new name of sample 'top' is empty"),
    )
    for new, told in cases:
        if told is None:
            assert rename(document(), **new)
            continue
        with pytest.raises(InputError, match=told):
            rename(document(), **new)
    twice = copy.deepcopy(document())
    twice["channels"][0]["samples"][2]["modifiers"].append(
        modifier("other small", "normsys", {"hi": 1.1, "lo": 0.9})
    )
    with pytest.raises(InputError, match=r"sample 'other' would have the name 'small \(normsys\)'"):
        rename(twice, modifiers={"other small": "small"})


def test_sizes_are_the_largest_relative_changes() -> None:
    sizes = effect_sizes(document())
    assert sizes == {
        "both": pytest.approx(0.05),  # 21 of 20, against 2 % of the normsys
        "small": pytest.approx(0.002),
        "appears": float("inf"),  # 0.1 events where there were none
    }


def test_no_sum_of_samples_changes_by_more_than_the_size() -> None:
    given = prune(document(), modifier_types=["normsys"])
    samples = given["channels"][0]["samples"]
    for name, size in effect_sizes(given).items():
        for index, side in ((0, "hi_data"), (0, "lo_data"), (1, "hi_data"), (1, "lo_data")):
            change = sum(
                item["data"][side][index] - sample["data"][index]
                for sample in samples
                for item in sample["modifiers"]
                if item["name"] == name
            )
            assert abs(change) <= size * sum(sample["data"][index] for sample in samples)


def test_names_are_chosen_in_the_order_of_the_list() -> None:
    names = ["b", "a[1]", "a2", "a3"]
    assert chosen_names("sample", ["a?", "b"], names) == ["b", "a2", "a3"]
    assert chosen_names("sample", ["a[1]"], names) == ["a[1]"]
    with pytest.raises(InputError, match="unknown sample 'a4'; allowed: a2, a3, a"):
        chosen_names("sample", ["a4"], names)
    many = [f"point_{number}" for number in range(500)]
    with pytest.raises(InputError, match="there are 500, from 'point_0' to 'point_499'"):
        chosen_names("patch", ["pont_3"], many)
