"""The cut of a search and its background: from the card, from sidebands, into cards, as figures."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from na64.limits import specify
from na64.limits.design.optimise import (
    Background,
    Sideband,
    optimise_search,
    usual_cuts,
    usual_mass,
)
from na64.limits.design.sideband import fit_sideband
from na64.limits.results.schemas import validate
from na64.models.errors import InputError
from na64.workspaces.cards.reader import card_text, load_card

#: half an event below 50 GeV, falling by a factor of eight per 10 GeV
SPECTRUM = """
[background_spectrum]
energies_gev = [30, 40, 50, 60, 70]
events_below = [0.008, 0.065, 0.52, 4.16, 33.3]
relative_uncertainty = 0.3
source = "made up"
"""
SIDEBAND = """
[sideband]
edges_gev = [55, 60, 65, 70, 75, 80, 85, 90, 95]
events = [1, 1, 3, 7, 15, 33, 75, 170]
box_gev = [0, 50]
shape = "exponential"
source = "made up"
"""
CUTS = "30,38,46,54,62,70"
FAST = ("--masses", "0.02", "--method", "asymptotic")


@pytest.fixture
def card(call) -> str:
    Path("card.toml").write_text(card_text("na64e-2016") + SPECTRUM)
    return "card.toml"


def optimum(call, *words: str) -> float:
    done = call("optimise", *words, "--json")
    assert done.code == 0, done.err
    assert done.err == ""
    validate(done.data, "optimise", "na64-limits/optimise/1", "stdout")
    assert done.data["interior"] is True
    return float(done.data["best_cut_gev"])


def test_the_best_cut_is_interior_and_moves_with_the_background_of_the_card(call, card) -> None:
    """Exact and mean, the defaults: the analysis of 2016 chose 50 GeV (arXiv:1710.00971)."""
    words = (card, "--masses", "0.02", "--cuts", CUTS)
    usual = optimum(call, *words)
    assert usual == 46.0
    assert optimum(call, *words, "--background-factor", "10") < usual
    scaled = optimum(call, *words, "--set", "background_spectrum.events_below*=0.05")
    assert scaled > usual


def test_the_card_with_a_spectrum_needs_no_cuts(call) -> None:
    """Published 0.53 events below 50 GeV, steepness assumed: the best cut is close to 50 GeV.

    Without options the command itself runs with the page of the documentation.
    """
    card = load_card("na64e-2016-2018")
    spectrum = card.background_spectrum
    assert spectrum is not None
    assert "assumption" in spectrum.source
    assert float(spectrum.below(50.0)) == pytest.approx(
        sum(item.expected_background for item in card.bins)
    )
    np.testing.assert_allclose(usual_cuts(card), np.linspace(30.0, 70.0, 17))
    assert usual_mass(card) == pytest.approx(np.sqrt(1e-3 * 1.0))
    done = call("optimise", "na64e-2016-2018", "--json", "--cuts", "35,45,47.5,50,65")
    assert done.code == 0, done.err
    validate(done.data, "optimise", "na64-limits/optimise/1", "stdout")
    assert done.data["mass_gev"] == pytest.approx(usual_mass(card))
    assert done.data["interior"] is True
    expected = np.array(done.data["expected"])
    # the cut of NA64 is as good as the best, to the 2 % by which it is worse for a background that
    # falls by e in 4 instead of 6 GeV; those 15 GeV away are not
    assert expected[3] < 1.02 * expected.min()
    low, high = done.data["flat_gev"]
    assert low <= done.data["best_cut_gev"] <= high
    assert 35.0 < low < high < 65.0
    assert np.all(expected[[0, 4]] > 1.05 * expected.min())
    missing = call("optimise", "na64e-2016-2018", "--sideband", "x.toml")
    assert missing.code == 2
    assert "a sideband does not say where to cut" in missing.err


def test_signal_background_and_uncertainty_are_those_of_the_card(call, card) -> None:
    data = call("optimise", card, *FAST, "--cuts", "40,50,60", "--json").data
    assert data["background_source"] == "card"
    np.testing.assert_allclose(data["background"], [0.065, 0.52, 4.16], rtol=1e-9)
    assert data["background_uncertainty"] == [0.3, 0.3, 0.3]
    # 5 % exposure and 10 % efficiency, each common to all bins
    assert data["efficiency_uncertainty"] == pytest.approx(math.hypot(0.05, 0.1), rel=1e-9)
    # a cut of 50 GeV is the window of the card: the events that `yields` gives
    yields = call("yields", card, "--masses", "0.02", "--epsilon", "1", "--json").data
    assert data["signal"][1] == pytest.approx(np.sum(yields["events"]), rel=1e-9)
    np.testing.assert_allclose(
        np.square(data["expected"]) * data["signal"], data["expected_events"], rtol=1e-9
    )


def test_an_uncertainty_is_the_cards_or_the_one_given(call, card) -> None:
    words = ("optimise", card, *FAST, "--cuts", "40,50", "--efficiency-uncertainty")
    none, large = (call(*words, value, "--json").data["expected"] for value in ("0", "0.5"))
    assert none[0] < large[0]
    assert none[1] < large[1]


def test_a_card_of_several_beam_energies_is_cut_at_one_energy_in_the_calorimeter(call) -> None:
    text = card_text("na64e-2016").replace(
        'name = "2016-high"\n', 'name = "2016-high"\nsetup = "low"\n'
    )
    low = '[setups.low.beam]\nenergy_gev = 80.0\nsource = "made up"\n'
    window = '[setups.low.window]\nmissing_energy_gev = 40.0\nsource = "made up"\n'
    Path("two.toml").write_text(f"{text}\n{low}{window}{SPECTRUM}")
    words = ("optimise", "two.toml", *FAST, "--json", "--cuts")
    data = call(*words, "40").data
    # both windows of the card are E_ECAL < 50 GeV and E_ECAL < 40 GeV
    yields = call("yields", "two.toml", "--masses", "0.02", "--epsilon", "1", "--json").data
    by_bin = np.sum(yields["events"], axis=(0, 1))
    others = call("yields", "two.toml", "--masses", "0.02", "--epsilon", "1", "--json",
                  "--set", "window.missing_energy_gev=60").data  # fmt: skip
    high = yields["bins"].index("2016-high")
    expected = np.sum(np.delete(np.sum(others["events"], axis=(0, 1)), high)) + by_bin[high]
    assert data["signal"] == pytest.approx([expected], rel=1e-9)
    refused = call(*words, "85")
    assert refused.code == 2
    assert "a cut of 85 GeV is not below the beam energy of 80 GeV" in refused.err


def test_python_is_behind_it(call, card) -> None:
    fast = specify(card, masses_gev=[0.02], method="asymptotic")
    found = optimise_search(fast, [40.0, 50.0])
    data = call("optimise", card, *FAST, "--cuts", "40,50", "--json").data
    np.testing.assert_allclose(found.couplings, data["expected"], rtol=1e-11)
    table = tomllib.loads(SIDEBAND)["sideband"]
    band = Sideband(np.array(table["edges_gev"]), np.array(table["events"], float))
    other = optimise_search(fast, [40.0, 50.0], background=Background(band, 2.0))
    fit = fit_sideband(table["edges_gev"], table["events"], box_gev=(0.0, 50.0))
    assert other.scan.background[1] == pytest.approx(2.0 * fit.prediction)
    with pytest.raises(InputError, match="must not be negative, is -1"):
        optimise_search(fast, [40.0], background=Background(factor=-1.0))


def test_figures_and_tables_are_written_together(call, card) -> None:
    words = ("optimise", card, *FAST, "--cuts", "30,50,70")
    files = ("cut.png", "cut.pdf", "cut.json", "cut.csv")
    done = call(*words, *(word for name in files for word in ("-o", name)))
    assert (done.code, done.out) == (0, "")
    assert sorted(done.err.splitlines()) == sorted(f"wrote {name}" for name in files)
    assert Path("cut.png").read_bytes().startswith(b"\x89PNG")
    assert Path("cut.pdf").read_bytes().startswith(b"%PDF")
    first = Path("cut.png").read_bytes()
    assert call(*words, "-o", "again.png").code == 0
    assert Path("again.png").read_bytes() == first
    best = json.loads(Path("cut.json").read_text())["best_cut_gev"]
    marked = [line for line in Path("cut.csv").read_text().splitlines() if line.endswith(",*")]
    assert [float(line.split(",")[0]) for line in marked] == [best]


def test_a_best_cut_at_the_end_is_told(call, card) -> None:
    done = call("optimise", card, *FAST, "--cuts", "60,66,70")
    assert done.code == 0
    assert "warning: the best cut is at the end of the range" in done.err


def test_sidebands_in_toml_say_box_and_shape(call) -> None:
    Path("side.toml").write_text(SIDEBAND)
    usual = call("background", "side.toml", "--json").data
    validate(usual, "background", "na64-limits/background/1", "stdout")
    assert (usual["box_gev"], usual["shape"]) == ([0, 50], "exponential")
    assert usual["sideband_events"] == 305
    assert usual["degrees_of_freedom"] == 6
    piped = call("background", "-", "--json", stdin=SIDEBAND).data
    assert piped["prediction"] == usual["prediction"]
    smaller = call("background", "side.toml", "--box", "0:40", "--json").data
    assert smaller["prediction"] < usual["prediction"]
    bent = call("background", "side.toml", "--shape", "exponential-quadratic", "--json").data
    assert bent["shape"] == "exponential-quadratic"
    assert bent["relative_uncertainty"] > usual["relative_uncertainty"]


def test_the_entry_goes_into_a_card_by_hand_or_by_a_setting(call) -> None:
    Path("side.toml").write_text(SIDEBAND)
    done = call("background", "side.toml", "-o", "entry.toml", "-o", "fit.json")
    assert (done.code, done.out) == (0, "")
    entry = Path("entry.toml").read_text().strip()
    prediction = json.loads(Path("fit.json").read_text())["prediction"]
    assert tomllib.loads(entry)["background"]["value"] == pytest.approx(prediction, rel=1e-3)
    by_setting = load_card("na64e-2016", [f"bins.0.{entry}"]).bins[0]
    lines = card_text("na64e-2016").splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("background ="))
    lines[place] = entry
    Path("pasted.toml").write_text("\n".join(lines))
    pasted = load_card("pasted.toml").bins[0]
    for item in (by_setting, pasted):
        assert item.expected_background == pytest.approx(prediction, rel=1e-3)
        assert "sideband" in item.backgrounds[0].events.source
    scanned = call("scan", "pasted.toml", "--masses", "0.1", "--method", "asymptotic", "--json")
    assert scanned.code == 0


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        (("background", "-"), SIDEBAND.replace("box_gev = [0, 50]", ""), "give --box LO:HI"),
        (("background", "-"), SIDEBAND.replace("[0, 50]", "[50]"), "sideband.box_gev: must be two"),
        (("background", "-"), SIDEBAND.replace("[0, 50]", "[0, 60]"), "overlaps the sideband"),
        (("background", "-"), SIDEBAND.replace("shape", "sahpe"), "did you mean 'shape'?"),
        (
            ("background", "-"),
            SIDEBAND.replace('"exponential"', '"gauss"'),
            "unknown shape 'gauss'",
        ),
        (("background", "-"), SIDEBAND.replace("[1, 1,", "[-1, 1,"), "must not be negative"),
        (("background", "-"), SIDEBAND.replace(", 95]", "]"), "8 edges need 7 counts, not 8"),
        (
            ("background", "-"),
            SIDEBAND.replace('source = "made up"', ""),
            "sideband.source: missing",
        ),
        (("background", "-"), SIDEBAND.replace("[55,", "[55"), "not TOML"),
        (("background", "-", "--box", "60:50"), SIDEBAND, "the signal box 60-50 GeV is empty"),
        (("background", "no.toml"), "", "no such file: no.toml"),
        (("background", "-", "-o", "fit.txt"), SIDEBAND, "the suffix must be one of"),
        (("optimise", "-", *FAST, "--cuts", "20,50"), "", "20 GeV is outside the background spec"),
        (("optimise", "-", *FAST, "--cuts", "40,100"), "", "100 GeV is not below the beam energy"),
        (("optimise", "-", *FAST, "--cuts", "40,x"), "", "'x' is not a number"),
        (
            ("optimise", "-", *FAST, "--cuts", "40", "--merit", "mode"),
            "",
            "unknown figure of merit",
        ),
        (
            ("optimise", "-", *FAST, "--cuts", "40", "--background-factor", "-1"),
            "",
            "the factor of the background must not be negative, is -1",
        ),
        (("optimise", "-", *FAST, "--cuts", "40", "--shape", "exponential"), "", "give --sideband"),
        (("optimise", "-", *FAST, "--cuts", "40", "--cl", "1"), "", "between 0 and 1, is 1"),
        (
            ("optimise", "-", "--masses", "0.02", "--method", "toys", "--cuts", "40"),
            "",
            "the best cut needs a method without statistical noise, not 'toys'",
        ),
        (
            ("optimise", "-", *FAST, "--cuts", "40", "--combine", "na64e-2016"),
            "",
            "a cut is optimised for one search",
        ),
        (
            ("optimise", "na64e-2016", *FAST, "--cuts", "40"),
            "",
            "na64e-2016 has no table [background_spectrum]",
        ),
        (
            ("optimise", "na64mu-2022", *FAST, "--cuts", "40"),
            "",
            "a cut is optimised for a window on the missing energy",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_refused(call, words: tuple[str, ...], stdin: str, message: str) -> None:
    text = stdin or card_text("na64e-2016") + SPECTRUM
    done = call(*words, stdin=text)
    assert done.code == 2, done.out
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert "internal error" not in done.err
    assert message in done.err
    assert list(Path().iterdir()) == []
