"""Patchsets as pyhf reads them; patches that must not be applied, with the reason in one line."""

from __future__ import annotations

import copy
import json
from typing import Any

import pyhf
import pytest

from na64.models.errors import InputError
from na64.workspaces.pyhf.patching import apply_patch, check_operations
from na64.workspaces.pyhf.patchsets import read_patchset

BACKGROUND: dict[str, Any] = {
    "channels": [
        {"name": "A~/B", "samples": [{"name": "b", "data": [5.0], "modifiers": []}]},
        {"name": "C", "samples": [{"name": "b", "data": [7.0, 8.0], "modifiers": []}]},
    ],
    "observations": [{"name": "A~/B", "data": [4]}, {"name": "C", "data": [7, 9]}],
    "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    "version": "1.0.0",
}


def signal(size: float, bins: int = 1) -> dict[str, Any]:
    modifiers = [{"name": "mu", "type": "normfactor", "data": None}]
    return {"name": "s", "data": [size] * bins, "modifiers": modifiers}


def patch(name: str, values: list[Any], *operations: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name, "values": values}, "patch": list(operations)}


def add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def patchset(*patches: dict[str, Any]) -> dict[str, Any]:
    usual = (
        # the second operation changes what the first one has added
        patch(
            "light",
            [1, 0.5],
            add("/channels/0/samples/0", signal(2.0)),
            {"op": "replace", "path": "/channels/0/samples/0/data/0", "value": 3.0},
        ),
        patch(
            "heavy",
            [2, "long"],
            add("/channels/1/samples/-", signal(1.0, 2)),
            {"op": "test", "path": "/measurements/0/name", "value": "m"},
            {"op": "replace", "path": "/measurements/0/name", "value": "heavy"},
            {"op": "copy", "from": "/channels/1/samples/1", "path": "/channels/0/samples/0"},
            {"op": "remove", "path": "/channels/0/samples/0/data/1"},
            {"op": "move", "from": "/channels/1/samples/0", "path": "/channels/1/samples/1"},
        ),
    )
    return {
        "version": "1.0.0",
        "metadata": {
            "references": {"hepdata": "ins1234567"},
            "digests": {
                "sha256": pyhf.utils.digest(BACKGROUND),
                "md5": pyhf.utils.digest(BACKGROUND, algorithm="md5"),
            },
            "labels": ["mass", "lifetime"],
            "description": "a test",
        },
        "patches": list(patches or usual),
    }


def test_the_same_workspaces_as_by_pyhf_again_and_again() -> None:
    theirs, ours = pyhf.PatchSet(patchset()), read_patchset(patchset())
    background = copy.deepcopy(BACKGROUND)
    for name in ("light", "heavy", "light"):
        wanted = json.dumps(theirs.apply(copy.deepcopy(BACKGROUND), name), sort_keys=True)
        assert json.dumps(ours.named(name).apply(background), sort_keys=True) == wanted
    assert background == BACKGROUND
    assert ours.at([2, "long"]).name == ours.at((2.0, "long")).name == "heavy"
    assert (ours.labels, ours.names) == (("mass", "lifetime"), ["light", "heavy"])
    assert ours.take(["h*"]).names == ["heavy"]
    assert ours.patches[1].channels == ["1", "0"]


def test_another_workspace_is_not_the_one_of_the_digest() -> None:
    ours = read_patchset(patchset())
    ours.verify(BACKGROUND)
    other = copy.deepcopy(BACKGROUND)
    other["channels"][0]["samples"][0]["data"] = [5.000000000000001]
    with pytest.raises(InputError, match="not for this workspace: it names one with sha256"):
        ours.verify(other)
    with pytest.raises(pyhf.exceptions.PatchSetVerificationError):
        pyhf.PatchSet(patchset()).verify(other)


def test_values_that_no_patch_has() -> None:
    ours = read_patchset(patchset(*[patch(f"p{m}_{t}", [m, t]) for m in (1, 9) for t in (0, 70)]))
    with pytest.raises(InputError, match="no patch has mass = 8, lifetime = 1; the nearest is 'p9"):
        ours.at([8, 1])
    with pytest.raises(InputError, match="1 values for the 2 labels mass, lifetime"):
        ours.at([8])
    with pytest.raises(InputError, match=r"no patch has mass = 8, lifetime = x$"):
        ours.at([8, "x"])


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ([add("/version", "2")], "operation 0 .add /version.: a patch of a workspace may touch"),
        ([add("", {})], "a path is a text such as"),
        ([add("/", {})], "may touch channels, observations, measurements only"),
        ([add("channels", {})], "a path is a text such as"),
        ([add("/channels/~2", {})], "not '/channels/~2'"),
        (
            [{"op": "copy", "from": "/version", "path": "/channels/0/name"}],
            r"operation 0 \(copy /version\)",
        ),
        ([{"op": "replace", "path": "/channels/0/name"}], "has no 'value'"),
        ([{"op": "move", "path": "/channels/0/name"}], "has no 'from'"),
        ([{"op": "append", "path": "/channels/0/name", "value": "x"}], "with 'op' one of add"),
        ([3], "operation 0: not an operation"),
        ({"op": "add"}, "not a JSON patch, which is a list"),
        (
            [add("/channels/0/samples/0", signal(1.0)), add("/channels/2/samples/0", signal(1.0))],
            r"operation 1 \(add /channels/2/samples/0\): /channels has 2 items, from 0, and none",
        ),
        ([add("/channels/0/samples/5", signal(1.0))], "/channels/0/samples has 1 items"),
        ([add("/channels/0/extra/0", 1)], "/channels/0 has no 'extra' but name, samples"),
        ([add("/channels/0/name/0", 1)], "/channels/0/name is no list and no object"),
        ([{"op": "remove", "path": "/channels/-"}], "/channels has 2 items"),
        ([{"op": "remove", "path": "/channels/01"}], "operation 0 .remove /channels/01."),
        (
            [{"op": "test", "path": "/channels/1/name", "value": "D"}],
            r"\(test /channels/1/name\): the value there is another",
        ),
        (
            [{"op": "move", "from": "/channels/0", "path": "/channels/0/samples/0"}],
            "it cannot be applied there",
        ),
        (
            [{"op": "copy", "from": "/channels/7", "path": "/channels/0"}],
            "/channels has 2 items, from 0, and none is '7'",
        ),
        # each doubles the document
        (
            [{"op": "copy", "from": "/channels", "path": "/channels/0/samples/0"}] * 60,
            "would be more than 10 times as large as workspace and patch",
        ),
    ],
)
def test_operations_that_have_no_place(operations: Any, message: str) -> None:
    given = copy.deepcopy(BACKGROUND)
    with pytest.raises(InputError, match=message) as caught:
        apply_patch(given, check_operations(operations, "p.json"), name="p.json")
    assert str(caught.value).startswith("p.json")
    assert len(str(caught.value)) < 300
    assert given == BACKGROUND


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "not a pyhf patchset"),
        ({**patchset(), "version": "9.9.9"}, "pyhf knows no patchsets of version '9.9.9'"),
        ({**patchset(), "version": "../.."}, "a version is a text such as '1.0.0'"),
        ({**patchset(), "patches": []}, r"patches: \[\] should be non-empty"),
        ({**patchset(), "extra": 1}, "'extra' was unexpected"),
        (patchset(patch("a", [1])), "patch 'a' has 1 values for the 2 labels"),
        (patchset(patch("a", [1, 2]), patch("a", [1, 3])), "two patches have the name 'a'"),
        (
            patchset(patch("a", [1, 2]), patch("b", [1.0, 2])),
            "'a' and 'b' have the same values, mass = 1.0, lifetime = 2",
        ),
        (patchset(patch("a b", [1, 2])), "does not match"),
        (patchset(patch("a", [1, None])), "not valid under any of the given schemas"),
        (patchset(patch("a", [1, 2], add("/version", "2"))), "patch 'a', operation 0"),
        (patchset(patch("a", [1, 2], {"op": "zap", "path": "/channels"})), r"patch\[0\]"),
        (patchset(patch("a", [1, 2], add("/channels/~3", 1))), "patch 'a', operation 0 .add."),
    ],
)
def test_what_is_no_patchset(document: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_patchset(document, "p.json")
    assert str(caught.value).startswith("p.json")
    assert len(str(caught.value)) < 300
