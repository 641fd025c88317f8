"""The boson of spin 2 on the command line: it needs no option, and says what it cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

from na64.limits import Limit

FEW = ("--masses", "0.02,0.5", "--method", "asymptotic")


def test_a_scan_needs_no_option(call, tmp_path: Path) -> None:
    outcome = call("scan", "na64e-2016", "--model", "spin-2", *FEW, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.data["production"] == "ww"
    assert outcome.data["parameter"]["name"] == "g_G"
    path = tmp_path / "scan.json"
    outcome = call("scan", "na64e-2016", "--model", "spin-2", *FEW, "-o", str(path))
    assert outcome.code == 0, outcome.err
    limit = Limit.read(path)
    assert set(limit.yields) == {"emission", "annihilation", "primakoff"}
    assert limit.y.label == r"$c/\Lambda$ [GeV$^{-1}$]"
    again = limit.redo()
    assert again.observed.tolist() == limit.observed.tolist()
    # another width of the resonance, away from it
    outcome = call("recast", str(path), "--alpha-d", "0.2", "--json")
    assert outcome.code == 0, outcome.err
    outcome = call("recast", str(path), "--model", "dark-photon")
    assert outcome.code == 2
    assert "cross-sections differ by more than a factor" in outcome.err


def test_electrons_and_muons_together(call) -> None:
    words = ("scan", "na64e-2016", "--combine", "na64mu-2022", "--model", "spin-2", *FEW, "--json")
    outcome = call(*words)
    assert outcome.code == 0, outcome.err
    alone = call("scan", "na64e-2016", "--model", "spin-2", *FEW, "--json").data["observed"]
    assert all(a < b for a, b in zip(outcome.data["observed"], alone, strict=True))


@pytest.mark.parametrize("process", ["emission", "primakoff", "annihilation"])
def test_cross_sections(call, process: str) -> None:
    words = ("cross-section", process, "--model", "spin-2", "--energy", "80", "--masses", "0.2")
    outcome = call(*words, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.data["cross_section"][0] > 0.0
    assert outcome.data.get("production", "ww") == "ww"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("scan", "na64e-2016", "--production", "etl"), "production etl is not known"),
        (("scan", "na64e-visible-2017-2018"), "is for searches for missing energy"),
        (("scan", "na64e-alp-2016-2018"), "is for searches for missing energy"),
        (("relic",), "the relic abundance needs a vector mediator"),
        (("cross-section", "emission", "--energy", "80", "--production", "iww"), "choose ww"),
    ],
)
def test_what_is_not_built_is_refused(call, words: tuple[str, ...], message: str) -> None:
    outcome = call(*words, "--model", "spin-2", "--masses", "0.02")
    assert outcome.code == 2
    assert message in outcome.err


def test_planes_and_moments_are_refused(call, tmp_path: Path) -> None:
    path = str(tmp_path / "scan.json")
    assert call("scan", "na64e-2016", "--model", "spin-2", *FEW, "-o", path).code == 0
    for words, message in (
        (("to-plane", path, "--plane", "y"), "the scan limits g_G, not the coupling"),
        (("to-plane", path, "--plane", "g"), "g_G, which is no dimensionless coupling"),
        (("plot", path, "--g-2", "mu-2021", "-o", "x.png"), "spin-2 boson to g-2 is not computed"),
    ):
        outcome = call(*words)
        assert outcome.code == 2
        assert message in outcome.err
