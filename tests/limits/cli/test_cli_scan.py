"""The scan from card to files: reproducible, from any folder, for any experiment."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from na64.limits import Limit, Specification, scan
from na64.limits.results.schemas import validate
from na64.models.errors import InputError

FEW = ("--masses", "0.002,0.02,0.2,0.24,0.5")
FAST = ("--method", "asymptotic")

# Another experiment altogether: other beam, energy, target, window, periods; no Python.
OTHER = """\
name = "elsewhere"
title = "An imaginary positron beam on tungsten"
topology = "missing-energy"
references = ["made up"]

[defaults]
model = "dark-photon"
masses = { low_gev = 0.005, high_gev = 0.15, points = 12 }

[beam]
particle = "e+"
energy_gev = 15.0
source = "made up"

[target]
layers_mm = { tungsten = 3.0, scintillator = 2.0 }
source = "made up"

[window]
missing_energy_gev = 7.0
source = "made up"

[[bins]]
name = "first"
exposure = { value = 1e12, relative_uncertainty = 0.03, source = "made up" }
efficiency = { masses_gev = [0.001, 0.2], values = [0.6, 0.3], relative_uncertainty = 0.1, \
source = "made up" }
background = { value = 0.6, uncertainty = 0.3, source = "made up" }
observed = { value = 1, source = "made up" }

[[bins]]
name = "second"
exposure = { value = 3e12, relative_uncertainty = 0.03, source = "made up" }
efficiency = { value = 0.4, uncertainty = 0.05, source = "made up" }
background = { value = 0.1, uncertainty = 0.05, source = "made up" }
observed = { value = 0, source = "made up" }
"""


def without_provenance(text: str) -> str:
    data = json.loads(text)
    del data["provenance"]
    return json.dumps(data)


def test_the_json_fits_its_schema_and_reads_back(scanned) -> None:
    done = scanned(*FEW)
    assert done.code == 0
    assert done.err == ""
    validate(done.data, "scan", "na64-limits/scan/2", "stdout")
    assert Limit.from_json(done.out).to_json() == done.out
    assert done.data["search"] == "na64e-2016-2022"
    assert done.data["parameter"] == {"name": "epsilon", "power": 2}
    assert done.data["confidence_level"] == 0.9
    assert done.data["status"] == ["ok"] * 5
    assert done.data["regions"] == [[[low, None]] for low in done.data["observed"]]


def test_provenance_says_how_to_redo_it(call) -> None:
    words = ("scan", *FEW, "--set", "bins.2022.exposure=1e12", "--json")
    data = call(*words).data
    made = data["provenance"]
    assert made["command"] == ["na64-limits", *words]
    assert set(made["versions"]) == {"python", "na64-limits", "numpy", "scipy", "pyhf"}
    for digest in (made["workspace_digest"], made["content_digest"], data["digest"]):
        assert len(digest) == 64
    (card,) = data["specification"]["cards"]
    Path("card.json").write_text(json.dumps(card))
    again = call("scan", "card.json", *FEW, "--json").data
    assert again["provenance"]["content_digest"] == made["content_digest"]
    assert (
        again["digest"] == data["digest"] == Specification.from_dict(data["specification"]).digest
    )


def test_the_library_gives_what_the_command_writes(scanned, monkeypatch) -> None:
    found = Limit.from_json(scanned(*FEW).out)
    monkeypatch.setattr(sys, "argv", ["my_script.py", "scan"])
    direct = scan(masses_gev=np.array([0.002, 0.02, 0.2, 0.24, 0.5]))
    np.testing.assert_allclose(found.observed, direct.observed, rtol=1e-11)
    np.testing.assert_allclose(found.expected, direct.expected, rtol=1e-11)
    assert direct.provenance["command"] is None


def test_two_runs_and_another_folder_give_the_same_bytes(call, tmp_path: Path) -> None:
    Path("elsewhere.toml").write_text(OTHER)
    first = call("scan", "elsewhere.toml", "--json").out
    again = call("scan", "elsewhere.toml", "--no-cache", "--json").out
    assert first == again.replace('"--no-cache",\n   ', "")
    folder = tmp_path / "other folder"
    folder.mkdir()
    program = [sys.executable, "-m", "na64.limits.cli", "scan", "../elsewhere.toml", "--json"]
    other = subprocess.run(
        program,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NA64_LIMITS_CACHE": "off", "PYTHONHASHSEED": "7"},
    )
    assert without_provenance(other.stdout) == without_provenance(first)
    assert list(folder.iterdir()) == []


def test_a_card_of_another_experiment_scans(call) -> None:
    Path("elsewhere.toml").write_text(OTHER)
    result = Limit.from_json(call("scan", "elsewhere.toml", "--json").out)
    assert result.complete
    assert result.specification.search == "elsewhere"
    assert len(result.masses_gev) == 12
    # the resonance of a 15 GeV positron lies between sqrt(2 m_e 7 GeV) = 85 MeV and 124 MeV
    peak = result.masses_gev[np.argmax(result.yields["annihilation"])]
    assert 0.085 < peak < 0.124
    assert result.yields["annihilation"][0] < result.yields["emission"][0]
    assert np.all(np.diff(result.expected, axis=0) >= 0.0)


def test_limits_are_where_the_events_are(scanned) -> None:
    result = Limit.from_json(scanned(*FEW).out)
    events = sum(result.yields.values()) * result.observed**2
    np.testing.assert_allclose(events, result.events_limit, rtol=1e-9)
    # nothing seen: 2.30 events without uncertainties, a few per cent more with them
    np.testing.assert_array_less(2.30, result.events_limit)
    np.testing.assert_array_less(result.events_limit, 2.45)


def test_one_efficiency_for_all_masses_and_no_other_knob(call) -> None:
    """The default card has one scalar efficiency per bin, so the curve's shape is computed."""
    card = json.loads(call("card", "resolve", "na64e-2016-2022").out)
    assert {entry["efficiency"]["value"] for entry in card["bins"]} == {
        card["bins"][0]["efficiency"]["value"]
    }
    assert not any("masses_gev" in entry["efficiency"] for entry in card["bins"])


def test_default_grid_has_60_masses_from_1_mev_to_1_gev(call) -> None:
    masses = np.array(call("scan", "--method", "asymptotic", "--json").data["masses_gev"])
    assert len(masses) == 60
    assert (masses[0], masses[-1]) == (0.001, 1.0)
    steps = np.diff(np.log(masses))
    resonance = (masses[1:] > 0.21) & (masses[:-1] < 0.33)
    assert steps[resonance].max() < 0.05
    assert steps[~resonance].max() < 0.2


@pytest.mark.parametrize(
    ("options", "ratio", "because"),
    [
        # eps^2 times a known number of events: eps goes with the root of the exposure
        (("--set", "bins.*.exposure=1e10", "--set", "bins.*.observed=0"), None, "less exposure"),
        (("--cl", "0.95"), math.sqrt(3.05 / 2.36), "95 % of nothing seen is 3.0 events, not 2.3"),
        # one bin with n = 0 and one background event: asymptotics (1007.1727, eqs. 64-66) give
        # 1.76 signal events instead of 2.30
        (("--method", "asymptotic"), math.sqrt(1.76 / 2.30), "asymptotics are too strong"),
    ],
)
def test_options_do_what_they_say(call, scanned, options, ratio, because: str) -> None:
    default = np.array(scanned("--masses", "0.02,0.05").data["observed"])
    changed = np.array(call("scan", "--masses", "0.02,0.05", *options, "--json").data["observed"])
    if ratio is None:
        # 7 bins of 1e10 instead of 9.37e11 altogether
        np.testing.assert_allclose(changed / default, math.sqrt(9.37e11 / 7e10), rtol=0.02)
    else:
        # 3 %: the uncertainties of efficiency and exposure enter both limits differently
        np.testing.assert_allclose(changed / default, ratio, rtol=0.03, err_msg=because)


def test_what_is_left_out_is_left_out_and_recorded(call) -> None:
    words = ("scan", "--masses", "0.1,0.24", "--method", "asymptotic", "--json")
    full = call(*words).data
    signal = full["specification"]["signal"]
    assert (signal["annihilation"], signal["inelastic"]) == (True, True)
    assert signal["initial_state_radiation"] is False
    assert signal["dark_sector"]["splitting"] == 0.0
    alone = call(*words, "--no-annihilation").data
    assert alone["yields"]["annihilation"] == [0.0, 0.0]
    assert alone["yields"]["emission"] == full["yields"]["emission"]
    assert alone["specification"]["signal"]["annihilation"] is False
    elastic = call(*words, "--elastic-only").data
    assert elastic["yields"]["annihilation"] == full["yields"]["annihilation"]
    # incoherent scattering off protons is 1-3 % of emission at 100 GeV
    ratio = elastic["yields"]["emission"][0] / full["yields"]["emission"][0]
    assert 0.97 < ratio < 0.99
    radiating = call(*words, "--radiation").data
    # radiation takes 5-12 % off the peak
    assert 0.85 < radiating["yields"]["annihilation"][1] / full["yields"]["annihilation"][1] < 0.97
    split = call(*words, "--dark-matter", "pseudo-dirac", "--splitting", "0.1").data
    assert split["splitting"] == 0.1
    assert split["yields"]["emission"] == full["yields"]["emission"]


def test_expected_only_leaves_the_data_alone(call) -> None:
    data = call("scan", "--masses", "0.02", "--expected-only", "--json").data
    assert data["observed"] == [None]
    assert data["regions"] == [[]]
    assert data["events_limit"] == [None]
    assert data["status"] == ["ok"]
    assert data["expected_only"] is True
    seen = call(
        "scan", "--masses", "0.02", "--expected-only", "--set", "bins.*.observed=5", "--json"
    ).data
    assert seen["expected"] == data["expected"]


def test_csv_has_the_numbers_of_the_json(call) -> None:
    done = call("scan", *FEW, *FAST, "-o", "scan.json", "-o", "scan.csv")
    assert done.code == 0
    assert done.out == ""
    assert done.err.startswith("wrote scan.json\nwrote scan.csv\n")
    data = json.loads(Path("scan.json").read_text())
    text = Path("scan.csv").read_text()
    header = [line for line in text.splitlines() if line.startswith("#")]
    assert data["provenance"]["content_digest"] in header[-1]
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert [float(row["mass_gev"]) for row in rows] == data["masses_gev"]
    assert [float(row["observed_epsilon"]) for row in rows] == data["observed"]
    assert [float(row["expected_p2_epsilon"]) for row in rows] == data["expected"][4]
    assert [float(row["yield_emission"]) for row in rows] == data["yields"]["emission"]
    assert {row["observed_upper_edge_epsilon"] for row in rows} == {""}


def test_force_replaces_and_nothing_else_is_left(call) -> None:
    Path("scan.json").write_text("old")
    assert call("scan", "--masses", "0.1", "-o", "scan.json", "--force").code == 0
    assert Limit.read("scan.json").masses_gev.tolist() == [0.1]
    assert [path.name for path in Path().iterdir()] == ["scan.json"]


def test_table_for_people(call) -> None:
    done = call("scan", "--masses", "0.1,0.5")
    assert done.code == 0
    head, *rows = done.out.splitlines()
    assert head.split()[:4] == ["m_A'", "[GeV]", "epsilon", "observed"]
    assert [row.split()[0] for row in rows] == ["0.1", "0.5"]
    assert all(row.endswith("ok") for row in rows)


def test_no_signal_at_a_mass_is_a_result(call, monkeypatch) -> None:
    """A mass above the missing energy of a short window cannot be produced."""
    done = call("scan", "--masses", "0.1,99.9999", "--json")
    assert done.code == 0, done.err
    data = done.data
    assert data["status"] == ["ok", "no-exclusion"]
    assert data["observed"][1] is None
    assert data["regions"][1] == []


def test_saved_workspaces_hold_the_likelihood(call) -> None:
    done = call("scan", *FEW, *FAST, "--save-workspaces", "likelihood", "-o", "scan.json")
    assert done.code == 0
    folder = Path("likelihood")
    assert sorted(path.name for path in folder.iterdir()) == [
        "background-only.json",
        "patchset.json",
    ]
    patches = json.loads((folder / "patchset.json").read_text())["patches"]
    assert [patch["metadata"]["values"][0] for patch in patches] == [0.002, 0.02, 0.2, 0.24, 0.5]
    again = call("scan", *FEW, "--save-workspaces", "likelihood", "-o", "other.json")
    assert again.code == 2
    assert "exists (--force overwrites it)" in again.err
    assert not Path("other.json").exists()


def test_part_of_the_masses_failing_is_exit_code_3(call, monkeypatch) -> None:
    from na64.limits.calculators.status import Status
    from na64.limits.scanning import runner

    original = runner.exclude

    def failing(count: int):
        def exclude(*arguments, **options) -> Limit:
            from dataclasses import replace

            result = original(*arguments, **options)
            states = (Status.FAILED,) * count + result.status[count:]
            return replace(result, status=states)

        return exclude

    monkeypatch.setattr(runner, "exclude", failing(1))
    done = call("scan", "--masses", "0.1,0.2", *FAST, "-o", "part.json")
    assert done.code == 3
    assert "warning: no limit at 1 masses: 0.1 GeV (failed)" in done.err
    assert Path("part.json").exists()
    monkeypatch.setattr(runner, "exclude", failing(2))
    assert call("scan", "--masses", "0.1,0.2", *FAST, "-o", "none.json").code == 1


def test_a_limit_beyond_perturbation_theory_is_warned_of(call) -> None:
    few = ("scan", "na64e-2016", "--set", "bins.*.exposure=100", "--masses", "0.001,0.2,0.4")
    done = call(*few, "-o", "weak.json")
    assert done.code == 0
    # sqrt(4 pi)/e = 1/sqrt(alpha)
    message = (
        "at 0.2 to 0.4 GeV the limit is above epsilon = 11.7, where the coupling is sqrt(4 pi)"
    )
    assert f"warning: {message}" in done.err
    found = json.loads(Path("weak.json").read_text())
    assert found["warnings"][0].startswith(message)
    assert found["status"] == ["ok"] * 3
    usual = call("scan", "na64e-2016", "--masses", "0.001,0.2,0.4", "--json")
    assert "warning" not in usual.err
    assert usual.data["warnings"] == []


def test_a_limit_at_which_visible_decays_count_is_warned_of(call) -> None:
    weak = ("--dark-matter", "scalar", "--alpha-d", "1e-6", "--masses", "0.01,0.5,1")
    done = call("scan", "--method", "asymptotic", *weak, "-o", "weak.json")
    assert done.code == 0
    found = json.loads(Path("weak.json").read_text())
    warning, few = found["warnings"]
    assert "fewer than 5 of background" in few
    # width to scalars alpha_D M (1 - 4/9)^(3/2)/12, and to e, mu and hadrons alpha eps^2 M/3 each
    # but for R = 2.2 or so at 1 GeV and thresholds
    low, high = (
        1.0 / (1.0 + found["observed"][2] ** 2 / 137.0 / 3.0 * counted / (1e-6 * 0.414 / 12.0))
        for counted in (6.0, 2.0)
    )
    told = float(warning.split("down to ")[1].split(";")[0])
    assert low < told < high
    assert warning.startswith("at 0.5 to 1 GeV the limit assumes invisible decays alone")
    assert warning.endswith("with visible decays no coupling is excluded at 1 GeV")
    assert f"warning: {warning}" in done.err
    plane = call("to-plane", "weak.json", "--plane", "y", "--json")
    assert f"warning: {warning}" in plane.err
    assert plane.data["warnings"] == [warning, few]
    # a recast speaks of its own limit: with neutrinos some coupling is always excluded
    words = ("--dark-matter", "scalar", "--alpha-d", "1e-6", "--leave-out")
    recast = call("recast", "weak.json", "--model", "b-minus-l", *words, "-o", "b-l.json")
    assert recast.code == 0
    assert "branching ratio is down to" in recast.err
    assert "no coupling" not in recast.err
    # the other dark sector has no such problem, and no warning is left
    strong = call("to-plane", "weak.json", "--plane", "y", "--alpha-d", "0.1", "--json")
    assert strong.code == 0, strong.err
    assert strong.data["warnings"] == [few]


def test_masses_from_python_must_be_numbers() -> None:
    for masses in (np.array(["a"]), [[0.1], [0.2, 0.3]], [], [0.2, 0.1], [1e-9]):
        with pytest.raises(InputError, match="mass"):
            scan("na64e-2016", masses_gev=masses)
