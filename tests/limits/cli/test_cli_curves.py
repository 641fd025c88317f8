"""`list curves` by model, kind and final state; `recast-curve`."""

from __future__ import annotations

from pathlib import Path

import pytest

from na64.models.constants import ELEMENTARY_CHARGE
from na64.workspaces.io.curves import load_curve


def test_lists_of_curves(call) -> None:
    everything = call("list", "curves", "--json").data
    chosen = call("list", "curves", "--model", "dark-photon", "--kind", "limit", "--json").data
    assert {"babar-invisible", "na64e-2019"} <= {entry["name"] for entry in chosen}
    assert {entry["kind"] for entry in chosen} == {"limit"}
    assert {entry["model"] for entry in chosen} == {"dark-photon"}
    assert len(chosen) < len(everything)
    projections = call("list", "curves", "--kind", "projection", "--json").data
    assert "ldmx-2018-4gev" in {entry["name"] for entry in projections}
    seen = call("list", "curves", "--final-state", "e+ e-").out
    assert "na64-visible-2020" in seen
    assert "babar-invisible" not in seen
    wrong = call("list", "curves", "--kind", "region", "--final-state", "e+e-")
    assert wrong.code == 2
    assert "unknown final state 'e+e-' (did you mean 'e+ e-'?)" in wrong.err


def test_recast_curve(call) -> None:
    words = ("recast-curve", "babar-invisible", "--model", "b-minus-l")
    dark = call(*words, "--dark-matter", "dirac", "-o", "c.toml", "-o", "c.csv")
    assert dark.code == 0, dark.err
    curve, old = load_curve(Path("c.toml")), load_curve("babar-invisible")
    assert (curve.model, curve.y_axis.name, curve.x_axis.name) == ("b-minus-l", "g", "m_Z'")
    assert curve.label == f"{old.label}, recast"
    assert curve.at(0.1) == pytest.approx(ELEMENTARY_CHARGE * old.at(0.1), rel=1e-4)
    rows = [line for line in Path("c.csv").read_text().splitlines() if line[0] != "#"]
    assert rows[0] == "m_Z' [GeV],g [1]"
    assert len(rows) == len(curve.points) + 1
    # its own dark matter, none: neutrinos alone
    assert call(*words).out.startswith("BaBar: invisible dark photon")
    Path("mine.toml").write_text(
        'name = "mine"\nkind = "vector"\nparameter = "g"\nreferences = ["mine"]\n'
        "[charges]\ne = 0.5\n"
    )
    own = call("recast-curve", "babar-invisible", "--charges", "mine.toml", "-o", "own.toml")
    assert own.code == 2
    assert "a curve file names one of dark-photon" in own.err
    for arguments, message in (
        (("babar-invisible",), "name the other mediator with --model or --charges"),
        (("na64-alp-2020", "--model", "b-minus-l"), "alp is photon-coupled"),
        (("babar-invisibl", "--model", "b-minus-l"), "did you mean 'babar-invisible'"),
    ):
        refused = call("recast-curve", *arguments)
        assert refused.code == 2
        assert message in refused.err
