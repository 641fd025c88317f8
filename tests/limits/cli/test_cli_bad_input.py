"""Bad input: one clear message on stderr, exit code 2, nothing on stdout, nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CARD = """\
name = "toy"
title = "A toy search"
topology = "missing-energy"

[defaults]
model = "dark-photon"
masses = { low_gev = 0.01, high_gev = 0.1, points = 3 }

[beam]
particle = "e-"
energy_gev = 50.0
source = "made up"

[target]
material = "tungsten"
source = "made up"

[window]
missing_energy_gev = 25.0
source = "made up"

[[bins]]
name = "all"
exposure = { value = 1e10, uncertainty = 5e8, source = "made up" }
efficiency = { value = 0.5, uncertainty = 0.05, source = "made up" }
background = { value = 0.2, uncertainty = 0.1, source = "made up" }
observed = { value = 0, source = "made up" }
"""


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(call, *words: str, stdin: str | None = None) -> str:
    """Run a command that must be refused and return its message."""
    before = snapshot(Path())
    done = call(*words, stdin=stdin)
    assert done.code == 2, done.err
    assert done.out == ""
    assert snapshot(Path()) == before
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err
    assert "internal error" not in done.err
    return str(done.err).removeprefix("error: ").rstrip("\n")


SCAN = ("scan", "--masses", "0.01,0.1", "-o", "scan.json")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("na64e-2016-2023",), "unknown search 'na64e-2016-2023' (did you mean 'na64e-"),
        (("nothing.toml",), "no such file: nothing.toml"),
        (("--model", "dark-foton"), "unknown model 'dark-foton' (did you mean 'dark-photon'?)"),
        (("--method", "exakt"), "unknown method 'exakt' (did you mean 'exact'?)"),
        (("--method", "toys", "--seed", "-1"), "seed must not be negative, is -1"),
        (("--method", "toys", "--toys", "0"), "toys must be 1 or more, is 0"),
        (("--method", "toys", "--toys", "1000000000000"), "toys must be at most 1e+07, is 1e+12"),
        (("--tolerance", "1e-300"), "tolerance must be 1e-12 or more, is 1e-300"),
        (("--method", "toys", "--jobs", "0"), "at least one job is needed, not 0"),
        (("--method", "toys", "--ensemble", "aux"), "unknown ensemble 'aux'"),
        (("--production", "eltl"), "'eltl' (did you mean 'etl'?)"),
        (("--dark-matter", "diracc"), "unknown dark matter 'diracc' (did you mean 'dirac'?)"),
        (("--cl", "0"), "confidence level must be between 0 and 1, is 0"),
        (("--cl", "1"), "confidence level must be between 0 and 1, is 1"),
        (("--cl", "90"), "confidence level must be between 0 and 1, is 90"),
        (("--cl", "nan"), "confidence level must be between 0 and 1, is nan"),
        (("--ratio", "2"), "mass ratio m_mediator/m_chi must be above 2, is 2"),
        (("--ratio", "1.5"), "the decay to dark matter is closed"),
        (("--ratio", "nan"), "mass ratio m_mediator/m_chi must be above 2, is nan"),
        (("--splitting", "0.1"), "a mass splitting is for pseudo-dirac"),
        (("--splitting", "-1", "--dark-matter", "pseudo-dirac"), "must be 0 or positive, is -1"),
        (("--alpha-d", "0"), "alpha_D must be above 0"),
        (("--alpha-d", "-0.1"), "alpha_D must be above 0"),
        (("--alpha-d", "20"), "below 4 pi"),
        (("--masses", "100"), "must be below the beam energy of 100 GeV"),
        (("--masses", "0.1,250"), "must be below the beam energy of 100 GeV"),
        (("--masses", "1e-7"), "mass of 1e-07 GeV is below 1e-06 GeV (1 keV)"),
        (("na64mu-2022", "--masses", "1e-9"), "mass of 1e-09 GeV is below 1e-06 GeV (1 keV)"),
        (("na64e-alp-2016-2018", "--masses", "1e-300"), "mass of 1e-300 GeV is below 1e-06 GeV"),
        (("--masses", "0"), "numbers must be positive and finite, not 0"),
        (("--masses", "-0.1"), "numbers must be positive and finite, not -0.1"),
        (("--masses", "nan"), "numbers must be positive and finite, not nan"),
        (("--masses", "0.1,x"), "'x' is not a number; masses are LO:HI:N or a comma list in GeV"),
        (("--masses", "1:0.1:10"), "1 is not below 0.1"),
        (("--masses", "0.1:1"), "masses are LO:HI:N or a comma list in GeV, such as 0.001:1:60"),
        (("--masses", "0.1:1:ten"), "the number of points must be a whole number, is 'ten'"),
        (("--masses", "0.1:1:1"), "the number of points must be in 2-100000, is 1"),
        (("--masses", "0.1,0.1"), "a number is given twice"),
        (("--set", "bins.0.exposure"), "must have the form path=value"),
        (("--set", "bins.9.exposure=1e10"), "bins has no entry '9'"),
        (("--set", "bins.0.exposure=-1"), "bins[0].exposure.value: must"),
        (("--set", "bins.0.exposure=nan"), "bins[0].exposure.value: must be finite, is nan"),
        (("--set", "beam.energy=1"), "unknown key (did you mean 'energy_gev'?)"),
    ],
    ids=" ".join,
)
def test_scan_refuses(call, words: tuple[str, ...], message: str) -> None:
    told = refused(call, *SCAN, *words)
    assert message in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "toy"', "name = ", "not TOML"),
        ('name = "toy"', 'nmae = "toy"', "nmae: unknown key (did you mean 'name'?)"),
        ("value = 1e10", "value = -1e10", "bins[0].exposure.value: must be positive"),
        ("value = 0.2", "value = -0.2", "bins[0].background.value: must not be negative"),
        ("value = 0.2", "value = nan", "bins[0].background.value: must be finite, is nan"),
        ("value = 0.5", "value = 1.5", "bins[0].efficiency.value: must be at most 1, is 1.5"),
        (
            "energy_gev = 50.0",
            "energy_gev = 2e4",
            "beam.energy_gev: must be at most 1000, is 20000",
        ),
        ('particle = "e-"', 'particle = "e"', "unknown name 'e'"),
        ('material = "tungsten"', 'material = "tunsten"', "did you mean 'tungsten'?"),
        ("missing_energy_gev = 25.0", "missing_energy_gev = 50.0", "must be below the beam energy"),
        ("observed = { value = 0,", "observed = { value = 0.5,", "must be a whole number"),
        ('topology = "missing-energy"', 'topology = "missing"', "did you mean 'missing-energy'?"),
        (', source = "made up" }\nobserved', " }\nobserved", "bins[0].background.source: missing"),
    ],
)
@pytest.mark.parametrize("way", ["file", "stdin", "check"])
def test_a_bad_card_is_refused_with_the_path(
    call, old: str, new: str, message: str, way: str
) -> None:
    assert CARD.count(old) == 1
    card = CARD.replace(old, new)
    Path("toy.toml").write_text(card)
    if way == "file":
        told = refused(call, "scan", "toy.toml", "-o", "scan.json")
    elif way == "stdin":
        told = refused(call, "scan", "-", "-o", "scan.json", stdin=card)
    else:
        told = refused(call, "card", "check", "toy.toml")
    assert message in told
    assert ("stdin" if way == "stdin" else "toy.toml") in told


def test_the_toy_card_itself_is_sound(call) -> None:
    Path("toy.toml").write_text(CARD)
    done = call("card", "check", "toy.toml")
    assert done.code == 0
    assert done.out == ""
    assert "toy.toml: sound (1 bin," in done.err


def test_every_problem_of_a_card_is_told_at_once(call) -> None:
    card = CARD.replace("value = 0.5", "value = 1.5").replace(
        "energy_gev = 50.0", "energy_gev = -1"
    )
    told = refused(call, "card", "check", "-", stdin=card)
    assert "run card stdin has 2 problems:" in told
    assert "beam.energy_gev: must be positive, is -1" in told
    assert "bins[0].efficiency.value: must be at most 1, is 1.5" in told


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("there.json", "exists (--force overwrites it)"),
        ("scan.txt", "the suffix must be one of .json, .csv"),
        ("scan", "the suffix must be one of .json, .csv"),
        ("no/such/scan.json", "there is no folder 'no/such'"),
        ("folder.json", "is a folder"),
        ("dangling.json", "exists, a link to a file that does not"),
        ("/proc/scan.json", "cannot write /proc/scan.json"),
        (f"{'n' * 245}.json", "File name too long"),
    ],
    ids=["there", "suffix", "no-suffix", "no-folder", "folder", "dangling", "proc", "long"],
)
@pytest.mark.parametrize(
    "words",
    [
        ("scan",),
        ("yields",),
        ("width", "--masses", "0.1"),
        ("track-length",),
        ("cross-section", "emission", "--masses", "0.1", "--energy", "100"),
        ("limit", "ws.json"),
        ("cls", "ws.json"),
    ],
    ids=lambda words: words[0],
)
def test_output_is_checked_before_anything_is_computed(
    call, monkeypatch, words: tuple[str, ...], name: str, message: str
) -> None:
    def too_late(*arguments: object, **options: object) -> None:
        raise AssertionError("computed before the output was checked")

    monkeypatch.setattr("na64.models.showers.cascade.cascade", too_late)
    monkeypatch.setattr("na64.workspaces.cards.binding.signal_rates", too_late)
    monkeypatch.setattr("na64.limits.likelihood.compiled.compile_workspace", too_late)
    Path("there.json").write_text("precious")
    Path("folder.json").mkdir()
    Path("dangling.json").symlink_to("nowhere")
    assert message in refused(call, *words, "-o", name)
    assert message in refused(call, *words, "-o", "first.json", "-o", name)
    assert Path("there.json").read_text() == "precious"


def test_a_folder_of_workspaces_is_checked_with_the_other_outputs(call) -> None:
    Path("dangling").symlink_to("nowhere")
    scan = ("scan", "--masses", "0.1", "--save-workspaces")
    assert "is a file, not a folder" in refused(call, *scan, "dangling")
    Path("dangling.csv").symlink_to("nowhere")
    assert "exists, a link" in refused(call, *scan, "new", "-o", "dangling.csv")
    assert not Path("new").exists()


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["new", "force"])
def test_a_full_disk_leaves_nothing_half_written(call, monkeypatch, force) -> None:
    Path("toy.toml").write_text(CARD)
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if bytes(data[:1]) == b"#":  # the CSV
            write(descriptor, data[:10])
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    words = ("--save-workspaces", "new", "-o", "scan.json", "-o", "scan.csv", "--no-cache")
    done = call("scan", "toy.toml", "--masses", "0.05", *words, *force)
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: cannot write scan.csv: No space left on device\n"
    assert [path.name for path in Path().iterdir()] == ["toy.toml"]


def test_the_same_output_twice_is_refused(call) -> None:
    assert "is given twice" in refused(call, "scan", "-o", "a.json", "-o", "./a.json")


def test_links_in_a_circle_are_refused(call, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.json").symlink_to("b.json")
    Path("b.json").symlink_to("a.json")
    told = refused(call, "scan", "--masses", "0.05", "-o", "a.json", "--force")
    assert "links in a circle" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cross-section", "emission", "--masses", "0.1"), "Missing option '--energy'"),
        (
            ("cross-section", "emission", "--masses", "200", "--energy", "100"),
            "a mass of 200 GeV is not below the beam energy of 100 GeV",
        ),
        (
            ("cross-section", "emission", "--masses", "1", "--energy", "100", "--unit", "mb"),
            "unknown unit 'mb'; allowed: gev-2, pb",
        ),
        (
            ("cross-section", "emission", "--masses", "1", "--energy", "100", "--x-min", "1"),
            "x_min must be at least 0 and below 1, is 1",
        ),
        (
            ("cross-section", "emission", "--masses", "1", "--energy", "100", "--target", "ecal"),
            "ecal is a mixture",
        ),
        (
            ("cross-section", "emission", "--masses", "1", "--energy", "100", "--beam", "pi-"),
            "emission needs a lepton beam, not pi-",
        ),
        (
            ("cross-section", "emission", "--masses", "1", "--energy", "100", "--epsilon", "0"),
            "the coupling must be positive and finite, is 0",
        ),
        (("track-length", "--target", "lad"), "unknown material 'lad' (did you mean 'lead'?)"),
        (("track-length", "--beam", "mu-"), "a cascade starts from e-, e+, gamma, not 'mu-'"),
        (("track-length", "--threshold", "200"), "is not below the energy of 100 GeV"),
        (("track-length", "--energy", "-3"), "the energy must be positive and finite, is -3 GeV"),
        (("width", "--masses", "1", "--coupling", "nan"), "the coupling must be positive"),
        (
            ("cross-section", "emission", "--masses", "1e-9", "--energy", "100"),
            "mass of 1e-09 GeV is below 1e-06 GeV (1 keV)",
        ),
        (("yields", "--epsilon", "1e20"), "the coupling must be in 1e-100 to 1e+06, is 1e+20"),
        (("width", "--masses", "1", "--coupling", "1e-200"), "must be in 1e-100 to 1e+06"),
        (("yields", "--epsilon", "-1"), "the coupling must be positive and finite, is -1"),
        (("workspace", "build"), "a workspace holds one mass"),
        (("workspace", "build", "--masses", "0.1,0.2"), "a workspace holds one mass"),
        (
            ("workspace", "build", "--masses", "0.1", "--directory", "d", "-o", "w.json"),
            "not both",
        ),
        (("plot", "scan.json"), "no output: give -o FILE.pdf"),
        (("plot", "scan.json", "-o", "a.pdf"), "no such file: scan.json"),
        (("plot", "scan.json", "-o", "a.gif"), "the suffix must be one of .pdf, .png, .svg"),
        (("limit", "nothing.json"), "no such file: nothing.json"),
        (("card", "show", "na64e"), "unknown search 'na64e'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_other_commands_refuse(call, words: tuple[str, ...], message: str) -> None:
    assert message in refused(call, *words)


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        ("toml", "", "is empty"),
        ("json", " \n", "is empty"),
        ("toml", "a = " + "[" * 3000, "nested too deeply"),
        ("toml", "a = " + "[" * 60 + "]" * 60, "nested too deeply"),
        ("json", '{"a": ' + "[" * 600 + "]" * 600 + "}", "nested too deeply"),
        ("toml", "a = " + "1" * 5000, "has a whole number with too many digits"),
        ("json", '{"a": ' + "1" * 5000 + "}", "has a whole number with too many digits"),
    ],
    ids=lambda value: value[:12],
)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_texts_that_are_hardly_cards(call, suffix: str, text: str, message: str, way: str) -> None:
    Path(f"odd.{suffix}").write_text(text)
    name, stdin = (f"odd.{suffix}", None) if way == "file" else ("-", text)
    told = refused(call, "card", "check", name, stdin=stdin)
    assert message in told
    assert ("stdin" if way == "stdin" else name) in told


def test_a_byte_order_mark_does_not_matter(call) -> None:
    Path("toy.toml").write_text(CARD, encoding="utf-8-sig")
    assert "sound" in call("card", "check", "toy.toml").err
    assert "sound" in call("card", "check", "-", stdin="\N{BYTE ORDER MARK}" + CARD).err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("card", "check", "-", "-"), "stdin ('-') is given twice"),
        (("scan", ""), "no search is named: give the name of a card, or a file"),
        (
            ("scan", "--dark-matter", "nonne"),
            "allowed: dirac, majorana, none, pseudo-dirac, scalar",
        ),
        (("scan", "--set", "bins.0.exposure=" + "[" * 2000), "must be a number, is the text '[[[["),
        (("scan", "--set", "bins.0.exposure=" + "1" * 5000), "must be a number, is the text '1111"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else None,
)
def test_odd_arguments(call, words: tuple[str, ...], message: str) -> None:
    told = refused(call, *words)
    assert message in told
    assert len(told) < 200


def shell(command: str) -> subprocess.CompletedProcess[str]:
    program = f"{sys.executable} -m na64.limits.cli {command}"
    return subprocess.run(program, shell=True, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("card check - <&-", 2, "error: stdin is closed, there is nothing to read for '-'\n"),
        ("width --masses 0.1 --json >&-", 2, "error: stdout is closed; write to a file with -o"),
        ("width --masses 0.1 -o w.json >&-", 0, "wrote w.json\n"),
        ("width --masses 0.1 --json >/dev/full", 1, "error: No space left on device\n"),
        ("width --masses 0.1 2>&-", 0, ""),
        ("width --masses x 2>&-", 2, ""),
    ],
)
def test_closed_streams(tmp_path, monkeypatch, command: str, code: int, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = shell(command)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") <= 1


@pytest.mark.parametrize("command", ["limit", "cls"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "stdin: is empty"),
        ("[1, 2]", "not a pyhf workspace, which is a JSON object"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("{}", "not a valid pyhf workspace"),
    ],
)
def test_bad_workspaces(call, command: str, text: str, message: str) -> None:
    assert message in refused(call, command, "-", stdin=text)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"schema": "na64-limits/scan/1"}, "but a scan of na64-limits, which has its limits"),
        ({"schema": "na64-limits/yields/1"}, "but a result of na64-limits with schema na64-limits"),
        ({"metadata": {}, "patches": []}, "pyhf patchset"),
        ({"topology": "missing-energy"}, "but a run card; `workspace build` makes"),
        (
            {"version": "1.0.0", "numbers": list(range(5000))},
            "not a valid pyhf workspace: the document: ",
        ),
    ],
    ids=["scan", "yields", "patchset", "card", "long"],
)
@pytest.mark.parametrize("words", [("limit",), ("workspace", "inspect")], ids=" ".join)
def test_a_file_of_another_kind_is_named_in_one_short_line(
    call, words: tuple[str, ...], document: dict[str, object], message: str
) -> None:
    Path("file.json").write_text(json.dumps(document))
    told = refused(call, *words, "file.json")
    assert told.startswith("file.json: not a")
    assert message in told
    assert "\n" not in told
    assert len(told) < 250


def workspace(**changes: object) -> str:
    spec = {
        "channels": [
            {
                "name": "c",
                "samples": [
                    {
                        "name": "s",
                        "data": [1.0],
                        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                    },
                    {"name": "b", "data": [0.5], "modifiers": []},
                ],
            }
        ],
        "observations": [{"name": "c", "data": [0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    return json.dumps({**spec, **changes})


def test_the_workspace_itself_is_sound(call) -> None:
    done = call("limit", "-", "--json", stdin=workspace())
    assert done.code == 0
    # no events seen and no uncertainties: CLs = exp(-mu) = 0.1
    assert done.data["observed"] == pytest.approx(2.302585, rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "words", "message"),
    [
        ({"observations": [{"name": "c", "data": [0, 1]}]}, (), "c"),
        ({"observations": []}, (), "c"),
        ({"measurements": [{"name": "m", "config": {"poi": "", "parameters": []}}]}, (), "m"),
        ({"measurements": [{"name": "m", "config": {"poi": "nu", "parameters": []}}]}, (), "nu"),
        ({}, ("--measurement", "other"), "other"),
        ({}, ("--cl", "1.5"), "confidence level must be between 0 and 1, is 1.5"),
        ({}, ("--method", "best"), "unknown method 'best'"),
    ],
)
def test_workspaces_that_no_limit_can_come_from(
    call, changes: dict[str, object], words: tuple[str, ...], message: str
) -> None:
    assert message in refused(call, "limit", "-", *words, stdin=workspace(**changes))


@pytest.mark.parametrize("mu", ["-1", "x"])
def test_cls_at_a_strength_that_is_no_strength(call, mu: str) -> None:
    assert f"signal strengths '{mu}'" in refused(call, "cls", "-", "--mu", mu, stdin=workspace())
