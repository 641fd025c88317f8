"""The other commands: their data, their tables, and that they agree with each other."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import trapezoid

from na64.limits.results.schemas import validate
from na64.workspaces.cards.reader import available_cards
from na64.workspaces.io.curves import available_curves

FAST = ("--method", "asymptotic")
DATA_COMMANDS = [
    ("scan", "--masses", "0.1,0.2"),
    ("yields", "--masses", "0.1,0.24"),
    ("cross-section", "emission", "--masses", "0.01,0.1", "--energy", "100"),
    ("cross-section", "annihilation", "--masses", "0.2,0.25", "--energy", "61.2"),
    ("track-length", "--threshold", "50,60"),
    ("width", "--masses", "0.01,1"),
    ("limit", "ws.json"),
    ("cls", "ws.json", "--mu", "0.5,1,2"),
    ("likelihood-scan", "ws.json"),
]


@pytest.fixture
def workspace(call) -> Path:
    assert call("workspace", "build", "--masses", "0.1", "-o", "ws.json").code == 0
    return Path("ws.json")


@pytest.mark.parametrize("words", DATA_COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_json_is_all_of_stdout_and_fits_the_schema(call, workspace, words) -> None:
    done = call(*words, "--json")
    assert done.code == 0, done.err
    assert done.err == ""
    kind = words[0]
    validate(done.data, kind, f"na64-limits/{kind}/{2 if kind == 'scan' else 1}", "stdout")
    assert done.data["provenance"]["command"] == ["na64-limits", *words, "--json"]
    # the file is the same document
    assert call(*words, "-o", "result.json").out == ""
    written = json.loads(Path("result.json").read_text())
    assert {**written, "provenance": None} == {**done.data, "provenance": None}


@pytest.mark.parametrize("words", DATA_COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_csv_is_a_table_of_numbers(call, workspace, words) -> None:
    assert call(*words, "-o", "result.csv").code == 0
    lines = [line for line in Path("result.csv").read_text().splitlines() if line[0] != "#"]
    head, *rows = list(csv.reader(lines))
    assert len(head) > 1
    assert rows
    assert all(len(row) == len(head) for row in rows)


@pytest.mark.parametrize("words", DATA_COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_table_for_people_is_aligned(call, workspace, words) -> None:
    done = call(*words)
    assert done.code == 0
    assert len({len(re.split(r"\s{2,}", line.strip())) for line in done.out.splitlines()}) == 1
    assert len(done.out.splitlines()) >= 2


def test_yields_add_up_to_those_of_the_scan(call) -> None:
    yields = call("yields", "--masses", "0.1,0.24", "--json").data
    scan = call("scan", "--masses", "0.1,0.24", "--json").data
    events = np.array(yields["events"])
    assert events.shape == (2, 2, len(yields["bins"]))
    for p, process in enumerate(yields["processes"]):
        np.testing.assert_allclose(events[:, p].sum(axis=1), scan["yields"][process])
    card = json.loads(call("card", "resolve", "na64e-2016-2022").out)
    accepted = [entry["exposure"]["value"] * entry["efficiency"]["value"] for entry in card["bins"]]
    np.testing.assert_allclose(events, np.array(yields["events_per_particle"]) * accepted)


def test_yields_go_with_the_square_of_the_coupling(call) -> None:
    one = np.array(call("yields", "--masses", "0.1", "--json").data["events"])
    small = call("yields", "--masses", "0.1", "--epsilon", "1e-4", "--json").data["events"]
    np.testing.assert_allclose(np.array(small), 1e-8 * one, rtol=1e-11)


def test_a_built_workspace_has_the_limit_of_the_scan(call, workspace) -> None:
    limit = call("limit", "ws.json", "--json").data
    scan = call("scan", "--masses", "0.1", "--json").data
    # 1e-4: the tolerance of the exact calculator's truncation, reached from two scales of mu
    assert limit["coupling"]["observed"] == pytest.approx(scan["observed"][0], rel=1e-4)
    np.testing.assert_allclose(
        limit["coupling"]["expected"], [row[0] for row in scan["expected"]], rtol=1e-4
    )
    assert limit["observed_events"] == pytest.approx(scan["events_limit"][0], rel=2e-4)


def test_cls_at_the_limit_is_one_minus_the_level(call, workspace) -> None:
    limit = call("limit", "ws.json", "--cl", "0.95", "--json").data["observed"]
    cls = call("cls", "ws.json", "--mu", str(limit), "--json").data["observed"]
    # nothing was seen, so that CLs is continuous in mu
    assert cls == pytest.approx([0.05], rel=2e-3)


def test_cls_falls_with_the_strength(call, workspace) -> None:
    data = call("cls", "ws.json", "--mu", "0.1:10:6", "--json").data
    assert data["mu"] == sorted(data["mu"])
    assert np.all(np.diff(data["observed"]) < 0.0)
    assert np.all(np.diff(np.array(data["expected"]), axis=0) >= -1e-12)


def test_workspaces_come_from_stdin_too(call, workspace) -> None:
    text = workspace.read_text()
    direct = call("limit", "ws.json", "--json").data
    piped = call("limit", "-", "--json", stdin=text).data
    assert {**piped, "provenance": None} == {**direct, "provenance": None}
    assert call("workspace", "inspect", "-", stdin=text).code == 0


def test_workspace_build_is_valid_pyhf_and_the_same_every_time(call, workspace) -> None:
    import pyhf

    spec = json.loads(workspace.read_text())
    pyhf.schema.validate(spec, "workspace.json")
    built = call("workspace", "build", "--masses", "0.1")
    assert built.out == workspace.read_text()


def test_workspace_build_writes_a_patchset_of_all_masses(call, workspace) -> None:
    import pyhf

    words = ("workspace", "build", "--masses", "0.1,0.2", "--directory", "all")
    assert call(*words).code == 0
    patchset = pyhf.PatchSet(json.loads(Path("all/patchset.json").read_text()))
    background = json.loads(Path("all/background-only.json").read_text())
    patched = patchset.patches[0].apply(background)
    assert patched == json.loads(workspace.read_text())


def test_workspace_inspect_tells_what_mu_means(call, workspace) -> None:
    done = call("workspace", "inspect", "ws.json")
    assert done.code == 0
    assert "mu = 1 is epsilon = " in done.out
    assert "at a mass of 0.1 GeV" in done.out
    data = call("workspace", "inspect", "ws.json", "--json").data
    assert data["poi"] == "mu"
    assert data["signal_samples"] == ["signal_emission", "signal_annihilation"]
    assert [channel["observed"] for channel in data["channels"]] == [[0]] * 7


def test_track_length_table_is_the_integral_of_the_spectrum(call) -> None:
    data = call("track-length", "--threshold", "20,50", "--json").data
    energies = np.array(data["energies_gev"])
    assert np.all(np.diff(energies) > 0.0)
    for species in ("electron", "positron", "photon"):
        spectrum = np.array(data[species])
        between = (energies >= 20.0) & (energies <= 50.0)
        integral = trapezoid(spectrum[between], energies[between])
        difference = data["above"][species][0] - data["above"][species][1]
        # 3 %: the trapezium rule on nodes that do not end exactly at the thresholds
        assert integral == pytest.approx(difference, rel=0.03)


def test_cross_section_units_and_couplings(call) -> None:
    words = ("cross-section", "emission", "--masses", "0.1", "--energy", "100", "--json")
    natural = call(*words, "--unit", "gev-2").data["cross_section"][0]
    # 1 GeV^-2 = 0.389379 mb (Particle Data Group)
    assert call(*words).data["cross_section"][0] == pytest.approx(0.389379e9 * natural, rel=1e-5)
    weak = call(*words, "--unit", "gev-2", "--epsilon", "1e-3").data["cross_section"][0]
    assert weak == pytest.approx(1e-6 * natural, rel=1e-10)
    elastic = call(*words, "--unit", "gev-2", "--elastic-only").data["cross_section"][0]
    assert 0.97 < elastic / natural < 0.99
    hard = call(*words, "--unit", "gev-2", "--x-min", "0.5").data["cross_section"][0]
    assert hard < natural


def test_annihilation_peaks_on_the_resonance(call) -> None:
    # sqrt(2 m_e 61.16 GeV) = 250 MeV
    words = ("cross-section", "annihilation", "--masses", "0.2,0.25,0.3", "--energy", "61.16")
    low, peak, high = call(*words, "--epsilon", "1e-4", "--json").data["cross_section"]
    assert peak > 50.0 * max(low, high)


def test_widths_add_up(call) -> None:
    data = call("width", "--masses", "0.001:3:20", "--epsilon", "1e-3", "--json").data
    widths = {name: np.array(row) for name, row in data["widths_gev"].items()}
    total = widths.pop("total")
    np.testing.assert_allclose(sum(widths.values()), total, rtol=1e-10)
    np.testing.assert_allclose(sum(np.array(row) for row in data["branching"].values()), 1.0)
    np.testing.assert_allclose(np.array(data["lifetime_s"]) * total, 6.582119569e-25, rtol=1e-9)


def test_widths_without_dark_matter_and_below_every_threshold(call) -> None:
    visible = call("width", "--masses", "0.01", "--visible", "--json").data
    assert "dark" not in visible["branching"]
    assert visible["branching"]["e e"] == [1.0]
    assert visible["alpha_d"] is None
    stable = call("width", "--masses", "0.0005", "--visible", "--json").data
    assert stable["lifetime_s"] == [None]


def test_lists_name_everything_that_is_shipped(call) -> None:
    searches = call("list", "searches", "--json").data
    assert [entry["name"] for entry in searches] == list(available_cards())
    curves = call("list", "curves", "--json").data
    assert [entry["name"] for entry in curves] == list(available_curves())
    assert all(entry["source"] for entry in curves)
    models = {entry["name"] for entry in call("list", "models", "--json").data}
    assert "dark-photon" in models
    for what in ("searches", "models", "curves"):
        assert call("list", what).code == 0


@pytest.mark.parametrize("name", available_cards())
def test_every_shipped_card_shows_checks_and_resolves(call, name: str) -> None:
    shown = call("card", "show", name)
    assert shown.code == 0
    assert shown.out.startswith(f"{name}: ")
    assert call("card", "check", name).code == 0
    resolved = call("card", "resolve", name)
    assert resolved.code == 0
    again = call("card", "resolve", "-", stdin=resolved.out)
    assert again.out == resolved.out
    sources = call("card", "show", name, "--sources").out
    assert "bins.0.exposure" in sources


def test_card_check_goes_on_after_a_bad_one(call) -> None:
    done = call("card", "check", "nowhere", "na64e-2016")
    assert done.code == 2
    assert "error: unknown search 'nowhere'" in done.err
    assert "na64e-2016: sound (3 bins" in done.err


def test_doctor_tells_versions_and_the_cache(call, table_cache: Path) -> None:
    done = call("doctor")
    assert done.code == 0
    assert "no problems found" in done.out
    assert str(table_cache) in done.out
    report = call("doctor", "--json").data
    assert report["problems"] == []
    assert report["versions"]["pyhf"].startswith("0.7.")
    assert report["cache"]["folder"] == str(table_cache)


def test_the_cache_has_a_size(call, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "tables"
    monkeypatch.setenv("NA64_LIMITS_CACHE", str(folder))
    words = ("cross-section", "emission", "--masses", "0.1", "--energy", "100", "--trust")
    assert call(*words).code == 2  # no command that reads results
    yields = ("yields", "na64e-2016", "--masses", "0.1")
    assert call(*yields, "--cache-size", "0").code == 0
    assert not folder.exists()
    refused = call(*yields, "--cache-size", "much")
    assert (refused.code, refused.err) == (
        2,
        "error: --cache-size must be bytes such as 1GiB, 500MB or 0, not 'much'\n",
    )
    assert call(*yields, "--cache-size", "1MB").code == 0
    kept = [file.stat().st_size for file in folder.iterdir()]
    monkeypatch.setenv("NA64_LIMITS_CACHE_SIZE", "3 GB")
    told = call("doctor").out
    assert f"{len(kept)} tables, {sum(kept) / 1e6:.1f} MB of 3000 MB" in told
    monkeypatch.setenv("NA64_LIMITS_CACHE_SIZE", "much")
    done = call("doctor")
    assert (done.code, "problem: NA64_LIMITS_CACHE_SIZE must be" in done.out) == (1, True)


def test_doctor_reports_a_missing_package(call, monkeypatch) -> None:
    from importlib import metadata

    original = metadata.version

    def version(name: str) -> str:
        if name == "iminuit":
            raise metadata.PackageNotFoundError(name)
        return original(name)

    monkeypatch.setattr(metadata, "version", version)
    done = call("doctor")
    assert done.code == 1
    assert "problem: iminuit is not installed" in done.out


def test_a_cache_that_does_not_work_is_a_problem(call, tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder, message in ((file, f"{file} is not a folder"), ("/proc/nope", "cannot write in")):
        monkeypatch.setenv("NA64_LIMITS_CACHE", str(folder))
        done = call("doctor")
        assert done.code == 1
        assert f"problem: tables cannot be kept in the cache: {message}" in done.out
        computed = call("yields", "--masses", "0.1")
        assert computed.code == 0
        assert f"warning: the cache cannot be written, going on without: {message}" in computed.err
        assert "damaged" not in computed.err


def test_no_cache_leaves_the_cache_alone(call, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "tables"
    monkeypatch.setenv("NA64_LIMITS_CACHE", str(folder))
    first = call("yields", "--masses", "0.1", "--no-cache", "--json").data
    assert not folder.exists()
    second = call("yields", "--masses", "0.1", "--json").data
    assert list(folder.glob("*.table"))
    third = call("yields", "--masses", "0.1", "--json").data
    assert first["events"] == second["events"] == third["events"]


def test_plot_overlays_the_published_curve_of_the_search(call) -> None:
    assert call("scan", "--masses", "0.01:0.5:6", *FAST, "-o", "scan.json").code == 0
    done = call("plot", "scan.json", "--ratio-panel", "-o", "a.pdf", "-o", "a.png")
    assert done.code == 0, done.err
    assert done.err == "wrote a.pdf\nwrote a.png\n"
    assert Path("a.pdf").read_bytes().startswith(b"%PDF")
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    with_curve = Path("a.png").read_bytes()
    assert call("plot", "scan.json", "--ratio-panel", "-o", "b.png").code == 0
    assert Path("b.png").read_bytes() == with_curve
    bare = call("plot", "scan.json", "--overlay", "none", "--ratio-panel", "-o", "c.png")
    assert bare.code == 2
    assert "a ratio panel needs a limit" in bare.err
    text = Path("scan.json").read_text()
    assert call("plot", "-", "-o", "d.png", stdin=text).code == 0


def test_plot_without_a_published_curve_leaves_the_ratio_panel_out(call) -> None:
    assert call("scan", "na64e-2016-2024", "--masses", "0.1,0.2", "-o", "scan.json").code == 0
    done = call("plot", "scan.json", "--ratio-panel", "-o", "a.png")
    assert done.code == 0
    assert "warning: no published curve of na64e-2016-2024: no ratio panel" in done.err


def test_plot_takes_curves_by_name_and_file_and_several_scans(call) -> None:
    assert call("scan", "--masses", "0.01:0.5:6", *FAST, "-o", "scan.json").code == 0
    assert call("scan", "na64e-2016", "--masses", "0.01:0.5:6", *FAST, "-o", "first.json").code == 0
    Path("mine.toml").write_text(
        'name = "mine"\ntitle = "Mine"\nkind = "limit"\nconfidence_level = 0.9\n'
        'provenance = "made up"\nmodel = "dark-photon"\n'
        'x = { name = "m_A\'", unit = "GeV" }\n'
        'y = { name = "epsilon", unit = "1" }\npoints = [[0.01, 1e-4], [0.5, 1e-2]]\n'
        '[source]\npaper = "nowhere"\n'
    )
    words = ("plot", "scan.json", "first.json", "--overlay", "babar-invisible")
    done = call(*words, "--overlay", "mine.toml", "-o", "a.png")
    assert done.code == 0, done.err
    wrong = Path("mine.toml").read_text().replace('name = "epsilon"', 'name = "y"')
    Path("wrong.toml").write_text(wrong)
    done = call("plot", "scan.json", "--overlay", "wrong.toml", "-o", "b.png")
    assert done.code == 2
    assert "curve mine is y against m_A', the limit epsilon against m_A'" in done.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "na64-limits/scan/9"}, "this version reads 'na64-limits/scan/2'"),
        ({"masses_gev": [-1.0, 0.2]}, "$.masses_gev[0]"),
        ({"status": ["ok", "fine"]}, "$.status[1]: 'fine' is not one of"),
        ({"masses_gev": [0.1, 0.2, 0.3]}, "observed has 2 entries, must have 3"),
        ({"masses_gev": [0.2, 0.1]}, "masses must be positive and increase"),
    ],
)
def test_plot_refuses_what_is_no_scan(call, scanned, change, message: str) -> None:
    data = scanned("--masses", "0.1,0.2").data
    Path("scan.json").write_text(json.dumps({**data, **change}))
    done = call("plot", "scan.json", "-o", "a.png")
    assert done.code == 2
    assert message in done.err
    assert not Path("a.png").exists()


def test_toys_have_a_seed_and_agree_with_the_exact_method(call, workspace) -> None:
    words = ("cls", "ws.json", "--mu", "1.5", "--json")
    toys = call(*words, "--method", "toys", "--toys", "1500", "--seed", "5").data
    assert (toys["method"], toys["ensemble"], toys["seed"], toys["toys"]) == (
        "toys",
        "aux-fixed",
        5,
        1500,
    )
    again = call(*words, "--method", "toys", "--toys", "1500", "--seed", "5").data
    assert again["observed"] == toys["observed"]
    exact = call(*words).data
    # 1500 toys: CLs near 0.2 to about 8 %
    assert toys["observed"] == pytest.approx(exact["observed"], rel=0.2)
    assert exact["seed"] is None


def test_limit_without_events_and_uncertainties_is_ln_10(call) -> None:
    """CLs = exp(-s) for n = 0: 2.3026 events at 90 %, 2.9957 at 95 %, whatever the background."""
    spec = {
        "channels": [
            {
                "name": "c",
                "samples": [
                    {
                        "name": "s",
                        "data": [0.01],
                        "modifiers": [{"name": "k", "type": "normfactor", "data": None}],
                    },
                    {"name": "b", "data": [3.0], "modifiers": []},
                ],
            }
        ],
        "observations": [{"name": "c", "data": [0]}],
        "measurements": [{"name": "m", "config": {"poi": "k", "parameters": []}}],
        "version": "1.0.0",
    }
    for level in (0.9, 0.95):
        data = call("limit", "-", "--cl", str(level), "--json", stdin=json.dumps(spec)).data
        assert data["observed_events"] == pytest.approx(-math.log(1.0 - level), rel=1e-4)
        assert data["observed"] == pytest.approx(-100.0 * math.log(1.0 - level), rel=1e-4)
        assert data["parameter"] == "k"
        assert "coupling" not in data


def test_a_card_is_resolved_into_toml(call) -> None:
    done = call("card", "resolve", "na64e-2016", "--set", "bins.0.exposure=1e10", "-o", "x.toml")
    assert done.code == 0, done.err
    resolved = call("card", "resolve", "na64e-2016", "--set", "bins.0.exposure=1e10")
    assert call("card", "resolve", "x.toml").out == resolved.out


def test_a_new_card(call) -> None:
    assert call("card", "new", "muon", "-o", "mine.toml").code == 0
    assert call("card", "check", "mine.toml").code == 0
    assert Path("mine.toml").read_text() == call("card", "new", "muon").out
    told = call("card", "new", "muons")
    assert told.code == 2
    assert "did you mean 'muon'?" in told.err
