"""The version of the physics, part of every key of the cache, is that of the numbers kept there."""

from __future__ import annotations

import copy
import json
import runpy
from typing import Any

import numpy as np
import pytest

from na64.models.production import emission
from na64.workspaces.io.cache import PHYSICS_VERSION
from tests.shared import ROOT


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "make_physics_numbers"))


def test_no_table_changes_without_a_new_version(script: dict[str, Any]) -> None:
    kept = json.loads(script["FILE"].read_text())
    moved = script["changed"](kept["numbers"], script["numbers"]())
    assert not moved, (
        f"the numbers of {len(moved)} tables have changed: raise PHYSICS_VERSION in "
        "workspaces/io/cache.py, and renew the numbers by scripts/make_physics_numbers"
    )
    assert kept["version"] == PHYSICS_VERSION, "renew the numbers by scripts/make_physics_numbers"


def test_a_change_of_a_part_in_a_million_is_noticed(
    script: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = json.loads(script["FILE"].read_text())["numbers"]
    other = copy.deepcopy(kept)
    name = next(iter(other))
    other[name][3] *= 1.0 + 1e-6
    assert script["changed"](kept, other) == [name]
    other[name][3] = kept[name][3] * (1.0 + 1e-12)
    assert script["changed"](kept, other) == []
    del other[name]
    assert script["changed"](kept, other) == [name]
    # another quadrature of the cross-section; the file cannot be renewed without a new version
    before = script["FILE"].read_bytes()
    monkeypatch.setattr(emission, "_FEWEST_NODES", emission._FEWEST_NODES + 2)
    assert script["main"]() == 1
    assert "raise PHYSICS_VERSION" in capsys.readouterr().err
    assert script["FILE"].read_bytes() == before
    assert np.all(np.isfinite([value for row in kept.values() for value in row]))
