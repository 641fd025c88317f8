"""Mediators, charges, combinations and recasts on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from na64.limits import Limit
from na64.models.kinds import EMITTED_KINDS
from na64.models.mediators.registry import BUILT_IN

CHARGES = 'name = "mine"\nkind = "axial"\nparameter = "kappa"\n[charges]\ne = 1.0\n'
FEW = ("--masses", "0.02,0.5")


def test_the_muon_card_with_every_kind(call) -> None:
    for model in ("dark-photon", "l-mu-l-tau", "scalar", "pseudoscalar", "axial", "b-minus-l"):
        outcome = call("scan", "na64mu-2022", "--model", model, *FEW, "--json", "--no-cache")
        assert outcome.code == 0, outcome.err
        assert outcome.data["model"] == model
        assert outcome.data["dark_matter"] == (None if "-l" in model else "dirac")


def test_charges_of_a_file(call, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CHARGES)
    for words in (
        ("scan", "na64e-2016", *FEW),
        ("yields", "na64e-2016", *FEW),
        ("width", *FEW),
        ("cross-section", "emission", "--energy", "100", *FEW),
    ):
        outcome = call(*words, "--charges", str(path), "--json")
        assert outcome.code == 0, outcome.err
        assert outcome.data["model"] == "mine"
    outcome = call("scan", "na64e-2016", *FEW, "--charges", str(path), "--model", "axial")
    assert outcome.code == 2
    assert "--model or --charges, not both" in outcome.err
    outcome = call("scan", "na64mu-2022", *FEW, "--charges", str(path))
    assert outcome.code == 2
    assert "model 'mine' does not couple to the muons of this beam" in outcome.err


def test_combination_and_shared_nuisances(call) -> None:
    words = ("scan", "na64e-2016", "--combine", "na64mu-2022", *FEW, "--json")
    outcome = call(*words)
    assert outcome.code == 0, outcome.err
    assert outcome.data["search"] == "na64e-2016+na64mu-2022"
    alone = call("scan", "na64e-2016", *FEW, "--json").data["observed"]
    assert all(a < b for a, b in zip(outcome.data["observed"], alone, strict=True))
    outcome = call(*words, "--shared", "efficiency")
    assert outcome.code == 2
    assert "shared nuisance 'efficiency' is in na64e-2016 only" in outcome.err
    outcome = call("scan", "na64e-2016", *FEW, "--shared", "exposure")
    assert outcome.code == 2
    assert "nuisances are shared between searches that are combined; there is one" in outcome.err


def test_recast(call, tmp_path: Path) -> None:
    scan, other = tmp_path / "scan.json", tmp_path / "other.json"
    assert call("scan", "na64mu-2022", *FEW, "-o", str(scan)).code == 0
    outcome = call("recast", str(scan), "--model", "l-mu-l-tau", "-o", str(other))
    assert outcome.code == 0, outcome.err
    direct = call("scan", "na64mu-2022", "--model", "l-mu-l-tau", *FEW, "--json").data
    assert Limit.read(other).observed == pytest.approx(direct["observed"], rel=1e-5)
    table = call("recast", str(scan), "--model", "l-mu-l-tau")
    assert "g observed" in table.out
    for words, message in (
        (("--model", "scalar"), "their cross-sections differ by more than a factor"),
        ((), "name the other mediator with --model or --charges"),
        (("--model", "l-mu-tau"), "did you mean 'l-mu-l-tau'"),
    ):
        outcome = call("recast", str(scan), *words)
        assert outcome.code == 2
        assert message in outcome.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("na64mu-2022", "--production", "iww"), "iww overestimates emission by muons"),
        (("na64e-2016", "--model", "vector", "--dark-matter", "none"), "has no invisible decay"),
        (("na64e-2016", "--model", "pseudoscalar", "--dark-matter", "scalar"), "parity"),
        (("na64mu-2022", "--set", "window.recoil_energy_max_gev=170"), "below the beam energy"),
        (("na64e-positron-2022", "--set", "window.missing_energy_gev=120"), "below the beam"),
    ],
)
def test_bad_input(call, words, message) -> None:
    outcome = call("scan", *words, *FEW)
    assert outcome.code == 2, outcome.err
    assert message in outcome.err
    assert outcome.out == ""


def test_models_that_a_lepton_emits_scan_down_to_a_kev(call) -> None:
    emitted = [name for name, make in BUILT_IN.items() if make().kind in EMITTED_KINDS]
    assert len(emitted) >= 9
    for model in ("vector", "scalar", "pseudoscalar", "axial"):
        outcome = call("scan", "na64e-2016", "--model", model, "--masses", "1e-6,1e-3", "--json")
        assert outcome.code == 0, outcome.err
        assert all(value > 0.0 for value in outcome.data["observed"])


def test_bands_of_anomalous_moments(call, tmp_path: Path) -> None:
    data, figure = tmp_path / "scan.json", tmp_path / "scan.png"
    masses = ("--masses", "1e-3:1:12")
    assert call("scan", "na64mu-2022", *masses, "-o", str(data)).code == 0
    words = ("plot", str(data), "--g-2", "mu-2021", "--g-2", "mu-2025", "--ratio-panel")
    outcome = call(*words, "-o", str(figure))
    assert outcome.code == 0, outcome.err
    assert figure.stat().st_size > 10_000
    outcome = call("plot", str(data), "--g-2", "mu-2022", "-o", str(tmp_path / "other.png"))
    assert outcome.code == 2
    assert "mu-2021" in outcome.err
    assert not (tmp_path / "other.png").exists()


def test_widths_have_the_dark_matter_that_scans_have(call) -> None:
    words = ("width", "--masses", "0.1", "--json")
    alone = call(*words, "--model", "l-mu-l-tau").data
    assert alone["dark_matter"] is None
    assert alone["branching"]["neutrinos"][0] == pytest.approx(1.0, abs=1e-4)
    dark = call(*words, "--model", "l-mu-l-tau", "--dark-matter", "majorana").data
    assert dark["dark_matter"] == "majorana"
    assert call(*words, "--model", "scalar").data["dark_matter"] == "dirac"
    sigma = ("cross-section", "annihilation", "--masses", "0.3", "--energy", "88", "--json")
    found = call(*sigma, "--model", "b-minus-l").data
    assert found["dark_matter"] is None
    assert found["cross_section"][0] > 0.0
    outcome = call(*sigma, "--dark-matter", "none")
    assert outcome.code == 2
    assert "has no invisible decay" in outcome.err


def test_primary_positrons_on_and_off(call) -> None:
    words = ("yields", "na64e-positron-2022", "--masses", "0.02,0.3", "--json")
    primary = call(*words).data["events"]
    shower = call(*words, "--no-primary-positrons").data["events"]
    place = call(*words).data["processes"].index("annihilation")
    assert primary[1][place][0] > 50.0 * shower[1][place][0]
    assert primary[1][1 - place] == shower[1][1 - place]  # emission
    scan = call("scan", *words[1:], "--no-primary-positrons").data
    assert scan["specification"]["signal"]["primary_positrons"] is False


def test_a_recast_takes_the_splitting_and_the_rest_from_the_scan(call, tmp_path: Path) -> None:
    scan = tmp_path / "scan.json"
    words = ("--masses", "0.01", "--method", "asymptotic", "--dark-matter", "pseudo-dirac")
    assert call("scan", "na64e-2016", *words, "--alpha-d", "0.02", "-o", str(scan)).code == 0
    found = call("recast", str(scan), "--model", "vector", "--splitting", "0.1", "--json")
    assert found.code == 0, found.err
    assert found.data["splitting"] == 0.1
    assert [found.data[name] for name in ("dark_matter", "alpha_d")] == ["pseudo-dirac", 0.02]
    wrong = call("recast", str(scan), "--model", "vector", "--splitting", "1.1")
    assert (wrong.code, wrong.out) == (2, "")
    assert "must be above 3.1, is 3" in wrong.err
