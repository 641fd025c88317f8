"""``to-plane`` and ``plot --plane``: data, files, pipes, figures, and what they refuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from na64.limits.results.schemas import validate

MASSES = "0.01,0.05,0.235,0.6"
SCAN = ("scan", "na64e-2016", "--masses", MASSES, "--method", "asymptotic")


@pytest.fixture(scope="module")
def text() -> str:
    from na64.limits import scan

    return scan("na64e-2016", masses_gev=[0.01, 0.05, 0.235, 0.6], method="asymptotic").to_json()


@pytest.fixture
def scan_file(call, text) -> str:
    Path("scan.json").write_text(text)
    return "scan.json"


@pytest.mark.parametrize("plane", ["y", "alpha-d", "g"])
def test_json_fits_the_schema_and_is_all_of_stdout(call, scan_file, plane) -> None:
    done = call("to-plane", scan_file, "--plane", plane, "--json")
    assert done.code == 0, done.err
    data = validate(done.data, "scan", "na64-limits/scan/2", "stdout")
    assert data["plane"]["name"] == plane
    assert data["plane"]["excluded_below"] is (plane == "alpha-d")
    assert data["specification"] == json.loads(Path(scan_file).read_text())["specification"]
    # nothing on stderr but what was scanned anew, and what the scan said of its method
    assert all(line.startswith("warning: ") for line in done.err.splitlines())
    assert ("scanned anew" in done.err) == (plane == "alpha-d")
    assert done.err.count("fewer than 5 of background") == 1


def test_y_of_the_scan_in_every_form(call, scan_file) -> None:
    scan = json.loads(Path(scan_file).read_text())
    data = call("to-plane", scan_file, "--plane", "y", "--json").data
    wanted = np.array(scan["observed"]) ** 2 * 0.1 / 81.0
    np.testing.assert_allclose(data["observed"], wanted, rtol=1e-11)
    np.testing.assert_allclose(data["masses_gev"], np.array(scan["masses_gev"]) / 3.0)
    words = ("to-plane", scan_file, "--plane", "y")
    assert call(*words, "-o", "y.json", "-o", "y.csv").out == ""
    written = json.loads(Path("y.json").read_text())
    assert {**written, "provenance": None} == {**data, "provenance": None}
    lines = [line for line in Path("y.csv").read_text().splitlines() if line[0] != "#"]
    rows = list(csv.DictReader(lines))
    assert [float(row["observed_y"]) for row in rows] == pytest.approx(wanted)
    table = call(*words).out.splitlines()
    assert table[0].startswith("y = epsilon^2 alpha_D (m_chi/m_mediator)^4; dirac, alpha_D = 0.1")
    assert table[1].split("  ")[0] == "m_chi [GeV]"
    assert float(table[2].split()[1]) == pytest.approx(wanted[0], rel=1e-3)


def test_a_scan_comes_through_a_pipe(call, scan_file, text) -> None:
    words = ("--plane", "y", "--json")
    piped = call("to-plane", "-", *words, stdin=text).data
    direct = call("to-plane", scan_file, *words).data
    assert {**piped, "provenance": None} == {**direct, "provenance": None}


def test_edited_results_need_trust(call, scan_file, text) -> None:
    document = json.loads(text)
    document["messages"][0] = "edited"
    Path(scan_file).write_text(json.dumps(document))
    for words in (
        ("to-plane", scan_file, "--plane", "y", "-o", "y.csv"),
        ("recast", scan_file, "--model", "b-minus-l", "-o", "r.csv"),
        ("plot", scan_file, "-o", "scan.svg"),
        ("export", "hepdata", scan_file, "-o", "record"),
        ("explore", scan_file, "--no-browser"),
    ):
        done = call(*words)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            "error: scan.json: was changed after it was written: its content_digest is that of "
            "other numbers; --trust accepts it\n"
        )
    done = call("to-plane", scan_file, "--plane", "y", "-o", "y.csv", "--trust")
    assert done.code == 0
    assert done.err.count("was changed after it was written") == 1
    assert done.err.startswith("warning: scan.json: ")
    assert call("width", "--masses", "0.1", "-o", "width.json").code == 0
    document = json.loads(Path("width.json").read_text())
    document["mediator"] = "another"
    Path("width.json").write_text(json.dumps(document))
    done = call("plot", "width.json", "-o", "width.svg")
    assert (done.code, "--trust accepts it" in done.err) == (2, True)


def test_a_change_on_the_resonance_names_the_scan_that_then_works(call, scan_file) -> None:
    words = ("to-plane", scan_file, "--plane", "y", "--alpha-d", "0.5", "--json")
    refused = call(*words)
    assert (refused.code, refused.out) == (2, "")
    assert (
        "scan na64e-2016 for the model dark-photon, dark matter dirac, alpha_D = 0.5, ratio 3; or "
        "have these masses recomputed (--recompute) or left out (--leave-out)" in refused.err
    )
    again = call(*SCAN, "--alpha-d", "0.5", "-o", "again.json")
    assert again.code == 0, again.err
    direct = call("to-plane", "again.json", "--plane", "y", "--json").data
    recomputed = call(*words, "--recompute")
    assert recomputed.code == 0
    assert "scanned anew at " in recomputed.err
    # 1 %: where annihilation is less than that of the events it is dropped
    np.testing.assert_allclose(recomputed.data["observed"], direct["observed"], rtol=0.01)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--plane", "x"), "unknown plane 'x'"),
        (("--plane", "alpha-d", "--alpha-d", "0.1"), "leave --alpha-d out"),
        (("--plane", "y", "--ratio", "1.9"), "must be above 2, is 1.9"),
        (("--plane", "y", "--dark-matter", "majoran"), "did you mean 'majorana'?"),
        (("--plane", "br"), "no plane of br"),
        (("--plane", "y", "--normalisation", "none"), "unknown normalisation 'none'"),
        (("--plane", "g", "--fermion", "nu"), "'nu'"),
        (("--plane", "y", "-o", "y.txt"), "the suffix must be one of .json, .csv"),
        (("--plane", "y", "-o", "scan.json"), "exists (--force overwrites it)"),
    ],
)
def test_what_to_plane_refuses(call, scan_file, words, message) -> None:
    done = call("to-plane", scan_file, *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert message in done.err
    assert [path.name for path in Path().iterdir()] == ["scan.json"]


def test_the_plane_is_required_and_must_come_from_a_scan(call, scan_file) -> None:
    assert "Missing option '--plane'" in call("to-plane", scan_file).err
    assert call("to-plane", scan_file, "--plane", "y", "-o", "y.json").code == 0
    done = call("to-plane", "y.json", "--plane", "g")
    assert done.code == 2
    assert "the result is in the plane of y already: convert the scan itself" in done.err


FIGURES = [
    ("--plane", "y", "--thermal", "scalar,majorana,pseudo-dirac", "--overlay", "babar-invisible"),
    ("--plane", "y", "--thermal", "dirac", "--bound", "cmb", "--bound", "bbn+cmb"),
    ("--plane", "y", "--overlay", "thermal-scalar-na64", "--normalisation", "product"),
    ("--plane", "epsilon", "--thermal", "scalar", "--thermal-alpha-d", "0.1,0.05,0.02"),
    ("--plane", "epsilon", "--thermal", "scalar,majorana", "--thermal-ratio", "2.5,3"),
    ("--plane", "g", "--thermal", "majorana", "--overlay", "none"),
    ("--plane", "y", "--g-2", "mu-2021", "--overlay", "na64e-2016-2022", "--ratio-panel"),
    ("--thermal", "scalar", "--bound", "cmb", "--bound", "bbn"),
]


@pytest.mark.parametrize("words", FIGURES, ids=lambda words: " ".join(words[1:4]))
def test_figures_of_planes_are_written(call, scan_file, words) -> None:
    done = call("plot", scan_file, *words, "-o", "figure.png")
    assert done.code == 0, done.err
    assert Path("figure.png").stat().st_size > 20_000


def test_caveats_of_thermal_targets_are_told(call, scan_file) -> None:
    words = ("plot", scan_file, "--overlay", "none", "--thermal", "scalar,majorana")
    for plane in ("y", "epsilon"):
        done = call(*words, "--plane", plane, "--thermal-ratio", "2.1", "-o", f"{plane}.svg")
        assert done.code == 0
        found = [line for line in done.err.splitlines() if line.startswith("warning: ")]
        assert len(found) == 2
        for warning, species in zip(found, ("scalar", "majorana"), strict=True):
            assert warning.startswith("warning: m_mediator/m_chi = 2.1 is below 2.3: dark matter")
            assert f"of {species} matter" in warning
    done = call(*words, "--plane", "y", "--thermal-ratio", "2.5", "-o", "fine.svg")
    assert "warning" not in done.err


def test_the_plane_of_alpha_d_is_drawn_from_a_scan_as_from_a_file(call, scan_file) -> None:
    words = ("--bound", "landau-tev", "--bound", "landau-planck")
    plane = (scan_file, "--plane", "alpha-d")
    assert call("plot", *plane, "--thermal", "scalar", *words, "-o", "scan.png").code == 0
    assert call("to-plane", *plane, "--dark-matter", "scalar", "-o", "scalar.json").code == 0
    assert call("plot", "scalar.json", *words, "-o", "file.png").code == 0
    assert Path("scan.png").read_bytes() == Path("file.png").read_bytes()
    # every file is a limit of its own
    both = ("scalar.json", "scalar.json", *words, "-o", "both.png")
    assert call("plot", *both).code == 0
    assert Path("both.png").read_bytes() != Path("file.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--bound", "landau-planck"), "it belongs in the plane of alpha-d"),
        (("--plane", "y", "--thermal", "scalr"), "did you mean 'scalar'?"),
        (("--plane", "y", "--bound", "cmd"), "unknown bound 'cmd' (did you mean 'cmb'?)"),
        (("--plane", "y", "--bound", "landau-tev"), "it belongs in the plane of alpha-d"),
        (("--plane", "alpha-d", "--bound", "cmb"), "no bound of the microwave background"),
        (("--plane", "y", "--thermal-ratio", "3"), "say of which species"),
        (("--plane", "y", "--thermal", "scalar", "--thermal-ratio", "2"), "must be above 2"),
        (("--plane", "y", "--ratio-panel", "--overlay", "none"), "a ratio panel needs a limit"),
        (("--plane", "y", "--overlay", "na64-alp-2020"), "cannot be recast to dark-photon: alp is"),
        (
            ("--plane", "epsilon", "--overlay", "thermal-scalar-na64"),
            "convert the limit to the plane of y",
        ),
        (("--plane", "alpha-d", "--overlay", "na64e-2016-2022"), "a limit is needed that holds"),
    ],
)
def test_what_plot_refuses(call, scan_file, words, message) -> None:
    done = call("plot", scan_file, *words, "-o", "figure.png")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert not Path("figure.png").exists()


def test_files_of_different_planes_do_not_mix(call, scan_file) -> None:
    assert call("to-plane", scan_file, "--plane", "y", "-o", "y.json").code == 0
    done = call("plot", "y.json", scan_file, "--plane", "g", "-o", "figure.png")
    assert done.code == 2
    assert "these limits are of different variables: " in done.err
