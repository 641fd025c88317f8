"""Dimuons expected by a card, data over simulation, and the line for the card."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from na64.limits.design.reference_process import REFERENCE_PROCESSES, reference_yields
from na64.limits.results.schemas import validate
from na64.models.signals.dimuons import DimuonSelection
from na64.workspaces.cards.reader import card_text, load_card
from tests.shared import ROOT

WORDS = ("yields", "na64e-2016", "--reference", "dimuons")


def test_expected_pairs(call) -> None:
    data = call(*WORDS, "--json").data
    validate(data, "reference", "na64-limits/reference/1", "stdout")
    found = reference_yields(load_card("na64e-2016"))
    np.testing.assert_allclose(data["events"], found.expected, rtol=1e-11)
    np.testing.assert_allclose(data["events_per_particle"], found.per_particle, rtol=1e-11)
    assert data["comparison"] is None
    assert data["total"] == pytest.approx(found.total)
    # the exposure is the card's, the efficiency of the signal has no part in it
    changed = ("--set", "bins.*.exposure*=10", "--set", "bins.*.efficiency=0.1")
    tenfold = call(*WORDS, "--json", *changed, "--reference-efficiency", "0.5").data
    np.testing.assert_allclose(tenfold["events"], 5.0 * found.expected, rtol=1e-11)
    table = call(*WORDS)
    assert table.code == 0
    assert "2016-medium" in table.out
    assert "per particle on target" in table.out


def test_the_selection_is_that_of_the_options(call) -> None:
    chosen = ("--pair-energy", "60", "--muon-energy", "8", "--elastic-only")
    data = call(*WORDS, *chosen, "--json").data
    found = reference_yields(
        load_card("na64e-2016"), selection=DimuonSelection(60.0, 8.0), inelastic=False
    )
    np.testing.assert_allclose(data["events"], found.expected, rtol=1e-11)
    assert data["pair_energy_gev"] == {"default": 60.0}
    assert data["muon_energy_gev"] == {"default": 8.0}


def test_the_help_tells_the_defaults(call) -> None:
    text = " ".join(call("yields", "-h").out.split())
    assert f"of a pair. [default: {DimuonSelection().pair_energy_gev:g}]" in text
    usual = REFERENCE_PROCESSES["dimuons"].relative_uncertainty
    assert f"that of the rate, {usual:g}]" in text
    assert ", ".join(REFERENCE_PROCESSES) in text


def test_data_over_simulation_goes_into_a_card(call) -> None:
    data = call(*WORDS, "--observed-pairs", "170000,84000,64000", "--json").data
    validate(data, "reference", "na64-limits/reference/1", "stdout")
    ratios = np.array([170000, 84000, 64000]) / data["events"]
    np.testing.assert_allclose(data["comparison"]["ratio"], ratios, rtol=1e-11)
    statistical = ratios / np.sqrt([170000, 84000, 64000])
    np.testing.assert_allclose(data["comparison"]["statistical"], statistical, rtol=1e-11)
    printed = call(*WORDS, "--observed-pairs", "170000,84000,64000").out
    entries = [line for line in printed.splitlines() if line.startswith("efficiency_correction")]
    assert entries == data["comparison"]["card_entries"]
    # in the order of the bins
    text = card_text("na64e-2016")
    for entry in entries:
        text = text.replace("\nobserved = ", f"\n{entry}\nobserved  = ", 1)
    Path("corrected.toml").write_text(text)
    words = ("--masses", "0.1", "--json")
    plain, corrected = (
        call("yields", card, *words).data for card in ("na64e-2016", "corrected.toml")
    )
    gain = np.array(corrected["events"])[0, 0] / np.array(plain["events"])[0, 0]
    np.testing.assert_allclose(gain, ratios, rtol=1e-3)  # four digits


def test_one_number_is_that_of_all_bins(call) -> None:
    done = call(*WORDS, "--observed-pairs", "320000", "--reference-uncertainty", "0", "--json").data
    (ratio,) = done["comparison"]["ratio"]
    assert ratio == pytest.approx(320000 / done["total"])
    assert done["comparison"]["common"] == 0.0
    (entry,) = done["comparison"]["card_entries"]
    correction = tomllib.loads(entry)["efficiency_correction"]
    assert correction["uncertainty"] == pytest.approx(ratio / np.sqrt(320000), rel=0.05)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--pair-energy", "30"), "--pair-energy is for a reference process"),
        (("--observed-pairs", "3"), "--observed-pairs is for a reference process"),
        (("--reference", "muons"), "unknown reference process 'muons'"),
        (("--reference", "dimuons", "--masses", "0.1"), "--masses is for a signal"),
        (("--reference", "dimuons", "--model", "b-minus-l"), "--model is for a signal"),
        (("--reference", "dimuons", "--epsilon", "1e-3"), "--coupling is for a signal"),
        (("--reference", "dimuons", "--alpha-d", "0.5"), "alpha_d is for a signal"),
        (("--reference", "dimuons", "--combine", "na64mu-2022"), "--combine is for a signal"),
        (("--reference", "dimuons", "--observed-pairs", "1,x"), "must be a comma list"),
        (("--reference", "dimuons", "--observed-pairs", "1,2"), "2 observed numbers"),
        (("--reference", "dimuons", "--observed-pairs", "0"), "must be positive"),
        (("--reference", "dimuons", "--reference-uncertainty", "0.1"), "give --observed-pairs too"),
        (("--reference", "dimuons", "--reference-efficiency", "2"), "at most 1, is 2"),
        (("--reference", "dimuons", "--pair-energy", "120"), "leave nothing of the beam energy"),
    ],
    ids=" ".join,
)
def test_refused(call, words: tuple[str, ...], message: str) -> None:
    done = call("yields", "na64e-2016", *words)
    assert done.code == 2
    assert done.out == ""
    assert message in done.err
    assert "internal error" not in done.err


def test_another_beam_is_refused(call) -> None:
    done = call("yields", "na64mu-2022", "--reference", "dimuons")
    assert done.code == 2
    assert "for an e- or e+ beam, not for mu-" in done.err


def test_the_numbers_of_the_page_on_dimuons(call) -> None:
    page = (ROOT / "docs" / "dimuons.md").read_text()
    rows = re.findall(r"^\| (\d+) GeV \| (\S+)[^|]*\| (\S+) \|$", page, flags=re.MULTILINE)
    assert len(rows) >= 4
    pair, muon, rate = rows[1]
    data = call(*WORDS, "--pair-energy", pair, "--muon-energy", muon, "--json").data
    assert np.sum(data["events_per_particle"][0]) == pytest.approx(float(rate), rel=5e-3)
