"""Options without effect on a signal are refused, one by one and with several searches."""

from __future__ import annotations

from typing import Any

import pytest

from na64.limits import expected_signal, scan, specify
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector

ELECTRON, MUON = "na64e-2016", "na64mu-2022"
VISIBLE, ALP, SEMI = (
    "na64e-visible-2017-2018",
    "na64e-alp-2016-2018",
    "na64e-semi-visible-2016-2018",
)
MESON = "na64h-2022"


@pytest.mark.parametrize(
    ("search", "words", "option", "kind"),
    [
        (VISIBLE, ("--dark-matter", "dirac"), "--dark-matter has", "visible"),
        (VISIBLE, ("--alpha-d", "0.5"), "--alpha-d has", "visible"),
        (VISIBLE, ("--radiation",), "--radiation has", "visible"),
        (VISIBLE, ("--invisible-branching", "0.1"), "--invisible-branching has", "visible"),
        (MESON, ("--splitting", "0.3"), "--splitting has", "meson"),
        (MESON, ("--ratio", "5"), "--ratio has", "meson"),
        (MESON, ("--radiation",), "--radiation has", "meson"),
        (MESON, ("--no-primary-positrons",), "--no-primary-positrons has", "meson"),
        (MESON, ("--elastic-only",), "--elastic-only has", "meson"),
        (MESON, ("--production", "ww"), "--production has", "meson"),
        (MUON, ("--radiation",), "--radiation has", "muon"),
        (MUON, ("--bound-electrons",), "--bound-electrons has", "muon"),
        (MUON, ("--no-annihilation",), "--no-annihilation has", "muon"),
        (MUON, ("--model", "l-mu-l-tau", "--alpha-d", "0.5"), "without dark matter", "muon"),
        (MUON, ("--dark-matter", "none", "--ratio", "5"), "--ratio has", "muon"),
        (ALP, ("--dark-matter", "dirac"), "--dark-matter has", "alp"),
        (ALP, ("--no-annihilation",), "--no-annihilation has", "alp"),
        (SEMI, ("--radiation",), "--radiation has", "semi-visible"),
        (ELECTRON, ("--no-primary-positrons",), "--no-primary-positrons has", "missing-energy"),
        (
            ELECTRON,
            ("--radiation", "--no-annihilation"),
            "--radiation has",
            "missing-energy",
        ),
        (ELECTRON, ("--invisible-branching", "0.1"), "--invisible-branching has", "missing-energy"),
    ],
)
def test_options_without_effect(call, search, words, option, kind) -> None:
    for command in ("scan", "yields"):
        outcome = call(command, search, *words)
        assert outcome.code == 2, outcome.err
        assert option in outcome.err
        assert "no effect" in outcome.err
        assert f"of the topology {kind}" in outcome.err


def test_primakoff_production_has_no_approximations(call) -> None:
    outcome = call("scan", ALP, "--production", "ww")
    assert outcome.code == 2
    assert "production ww is for emission by electrons" in outcome.err
    words = ("yields", ALP, "--model", "pseudoscalar", "--masses", "0.01", "--coupling", "1e-4")
    assert call(*words, "--production", "ww").code == 0


@pytest.mark.parametrize(
    ("search", "masses", "options"),
    [
        (ELECTRON, [0.25], {"initial_state_radiation": True}),
        (ELECTRON, [0.25], {"bound_electrons": True}),
        (SEMI, [0.25], {"bound_electrons": True}),
        (ELECTRON, [0.25], {"annihilation": False}),
        (ELECTRON, [0.25], {"ratio": 2.2}),
        (ELECTRON, [0.25], {"dark_matter": "pseudo-dirac", "splitting": 0.2}),
        ("na64e-positron-2022", [0.25], {"primary_positrons": False}),
        (MUON, [0.1], {"inelastic": False}),
        (ALP, [0.01], {"invisible_branching": 0.5}),
    ],
)
def test_other_options_change_the_signal(
    search: str, masses: list[float], options: dict[str, Any]
) -> None:
    usual = expected_signal(specify(search, masses_gev=masses))
    other = expected_signal(specify(search, masses_gev=masses, **options))
    assert abs(other.accepted.sum() / usual.accepted.sum() - 1.0) > 1e-5


def test_one_part_of_a_combination_is_enough(call) -> None:
    words = ("yields", ELECTRON, "--masses", "0.25", "--coupling", "1e-3", "--combine", MUON)
    model = ("--model", "dark-photon")
    assert call(*words, *model, "--no-annihilation").code == 0
    outcome = call(*words, *model, "--no-primary-positrons")
    assert outcome.code == 2
    assert f"{ELECTRON} + {MUON}, of the topology missing-energy or muon" in outcome.err
    with pytest.raises(InputError, match="`invisible_branching` has no effect"):
        specify([ELECTRON, MUON], model="dark-photon", invisible_branching=0.2)


def test_a_combination_keeps_the_dark_matter_of_any_part() -> None:
    found = specify(
        [VISIBLE, SEMI],
        masses_gev=[0.02],
        model="dark-photon",
        dark_matter="pseudo-dirac",
        splitting=0.4,
    )
    assert found.dark_sector == DarkSector(DarkMatter.PSEUDO_DIRAC, splitting=0.4)
    assert expected_signal(found).accepted.any()


def test_scans_from_python() -> None:
    with pytest.raises(InputError, match=r"`dark_matter` has no effect .* topology visible"):
        scan(VISIBLE, masses_gev=[0.01], dark_matter="dirac")


def test_scans_are_repeated_with_their_options(call) -> None:
    words = ("scan", "na64e-positron-2022", "--masses", "0.2", "--method", "asymptotic")
    options = ("--no-primary-positrons", "--radiation", "--elastic-only", "--bound-electrons")
    assert call(*words, *options, "-o", "scan.json").code == 0
    plane = ("to-plane", "scan.json", "--plane", "y", "--alpha-d", "0.5", "--recompute", "--json")
    repeated = call(*plane)
    assert repeated.code == 0
    assert "scanned anew" in repeated.err
    assert call(*words, *options, "--alpha-d", "0.5", "-o", "direct.json").code == 0
    direct = call("to-plane", "direct.json", "--plane", "y", "--json")
    assert repeated.data["observed"] == pytest.approx(direct.data["observed"], rel=1e-9)
