"""What once was an internal error is refused: exit code 2, what, where, what is allowed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.mathtext import MathTextParser

from na64.limits.figures.figure import figure
from na64.limits.figures.style import figure_bytes
from na64.limits.figures.typeset import drawable, plain_text, typeset
from na64.limits.results.axes import tex
from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification
from na64.models.errors import InputError
from na64.workspaces.io import reading
from tests.shared import CARD_HEAD, ROOT

QUICK = ("--method", "asymptotic", "--masses", "0.1")
BIN = (
    'exposure = { value = 1e10, source = "t" }\nefficiency = { value = 0.5, source = "t" }\n'
    'background = { value = 0.2, relative_uncertainty = 0.3, source = "t" }\n'
    'observed = { value = 0, source = "t" }\n'
)


def refused(call, *words: str, stdin: str | None = None) -> str:
    done = call(*words, stdin=stdin)
    assert done.code == 2, (done.code, done.out[:200], done.err)
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert "internal error" not in done.err
    return str(done.err)


def changed(source: str, change: Callable[[Any], object], name: str = "changed.json") -> str:
    """Write a JSON file with a change and return its name."""
    document = json.loads(Path(source).read_text())
    change(document)
    Path(name).write_text(json.dumps(document))
    return name


def put(*path: str | int, value: Any) -> Callable[[Any], None]:
    """Return what puts a value at a place of a document."""

    def change(document: Any) -> None:
        *outer, last = path
        for key in outer:
            document = document[key]
        document[last] = value

    return change


@pytest.fixture(scope="session")
def _made() -> dict[str, bytes]:
    return {}


@pytest.fixture
def made(call, _made: dict[str, bytes]) -> Callable[..., str]:
    """Return what makes a file by a command, once for all tests."""

    def making(name: str, *words: str) -> str:
        if name not in _made:
            done = call(*words, "-o", name)
            assert done.code == 0, done.err
            _made[name] = Path(name).read_bytes()
        Path(name).write_bytes(_made[name])
        return name

    return making


@pytest.fixture
def workspace(made) -> str:
    return str(made("ws.json", "workspace", "build", "na64e-2016", "--masses", "0.1"))


@pytest.fixture
def scan(made) -> str:
    words = ("scan", "na64e-2016", "--method", "asymptotic", "--masses", "0.05,0.1")
    return str(made("scan.json", *words))


# -- numbers ------------------------------------------------------------------------------------

HUGE = 10**400


def test_whole_numbers_of_more_than_308_digits(call, workspace, scan) -> None:
    place = put("channels", 0, "samples", 0, "data", 0, value=HUGE)
    told = refused(call, "limit", changed(workspace, place))
    assert "$.channels[0].samples[0].data[0]: a whole number has at most 308 digits" in told
    told = refused(call, "plot", changed(scan, put("masses_gev", 0, value=HUGE)), "-o", "a.png")
    assert "changed.json: $.masses_gev[0]: a whole number has at most 308 digits" in told
    Path("card.toml").write_text(
        f"{CARD_HEAD}[[bins]]\nname = 'a'\n{BIN}".replace("1e10", str(HUGE))
    )
    told = refused(call, "card", "check", "card.toml")
    assert "$.bins[0].exposure.value: a whole number has at most 308 digits" in told
    for setting in (f"bins.0.exposure={HUGE}", f"bins.0.exposure*={HUGE}"):
        told = refused(call, "scan", "na64e-2016", *QUICK, "--set", setting)
        assert "what is set: $.value: a whole number has at most 308 digits" in told
    told = refused(call, "scan", *QUICK, "--seed", str(HUGE), "--method", "toys")
    assert "Invalid value for '--seed': must be at most 1e+100, has 401 digits" in told


def test_numbers_in_files_have_a_range(call, workspace) -> None:
    def modifier(document: Any) -> None:
        for channel in document["channels"]:
            for sample in channel["samples"]:
                for item in sample["modifiers"]:
                    if item["type"] == "normsys":
                        item["data"] = {"hi": 1e199, "lo": 1e-5}

    changed(workspace, modifier)
    for words in (("limit",), ("fit",), ("cls",), ("limit", "--method", "toys", "--toys", "20")):
        told = refused(call, *words, "changed.json")
        assert "modifiers[" in told
        assert ".hi: a number must be within -1e+100 and 1e+100, is 1e+199" in told


def test_numbers_of_options_have_a_range(call) -> None:
    told = refused(call, "relic", "--masses", "0.1", "--ratio", "1e308")
    assert "Invalid value for '--ratio': must be at most 1e+100 in size, is 1e+308" in told
    told = refused(call, "relic", "--masses", "1e199")
    assert "masses '1e199': numbers must be at most 1e+100, not 1e199" in told
    assert refused(call, "width", "--masses", "0.1", "--coupling", "inf").endswith("help')\n")


@pytest.mark.parametrize("bounds", [[[1]], [[]], [[2, 1]], [[0, 1, 2]]], ids=str)
def test_bounds_are_intervals(call, workspace, bounds) -> None:
    entry = [{"name": "mu", "bounds": bounds}]
    file = changed(workspace, put("measurements", 0, "config", "parameters", value=entry))
    for words in (
        ("limit", file),
        ("fit", file),
        ("workspace", "combine", f"a={file}", f"b={file}", "-o", "both.json"),
    ):
        told = refused(call, *words)
        assert "config.parameters[0].bounds[0] ('mu'): must be two numbers, the lower one" in told


def test_a_plot_of_numbers_beyond_all_ranges(call, scan) -> None:
    told = refused(call, "plot", scan, "--xlim", "1e307:1e308", "-o", "a.png")
    assert "--xlim must be two positive numbers between" in told
    Path("table.csv").write_text("0.01,1e308\n0.1,1e307\n")
    told = refused(call, "plot", scan, "--overlay", "table.csv", "-o", "a.png")
    assert "table.csv, row 1: must be at most 1e+100 in size, is 1e+308" in told
    assert call("width", "--masses", "0.01,0.1", "-o", "width.json").code == 0
    file = changed("width.json", put("lifetime_s", 0, value=1e308), "wide.json")
    assert "wide.json: $.lifetime_s[0]: a number must be within" in refused(
        call, "plot", file, "-o", "a.png"
    )


def test_a_cut_at_nothing(call) -> None:
    Path("s.csv").write_text("low_gev,high_gev,events\n60,70,9\n70,80,48\n80,90,230\n")
    for card in ("na64e-2016", "na64e-positron-2022"):
        words = ("optimise", card, *QUICK, "--cuts", "1e-9", "--sideband", "s.csv")
        assert "cut" in refused(call, *words)


def test_a_background_beyond_counting(call) -> None:
    Path("s.csv").write_text("low_gev,high_gev,events\n60,70,9\n70,80,48\n80,90,230\n")
    words = ("optimise", "na64e-2016", *QUICK, "--cuts", "50", "--sideband", "s.csv")
    told = refused(call, *words, "--background-factor", "1e99")
    assert "background events must be at most 1e+09, are" in told


def test_a_name_of_a_megabyte(call) -> None:
    for words in (("scan", "x" * 2**20), ("figure", "x" * 2**20, "-o", "a.png")):
        told = refused(call, *words)
        assert "unknown " in told
        assert len(told) < 3000


def test_a_model_without_a_width_says_so(call) -> None:
    done = call("width", "--model", "invisible-meson", "--masses", "0.1", "-o", "w.json")
    assert done.code in (0, 2), done.err
    assert "internal error" not in done.err
    if done.code == 0:
        drawn = call("plot", "w.json", "-o", "w.png")
        assert drawn.code in (0, 2), drawn.err
        assert "internal error" not in drawn.err


# -- documents that do not fit their schema -------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [("expected", 2), ("expected_regions", 2), ("expected_status", 2), ("observed",), ("regions",),
     ("events_limit",), ("yields", "emission"), ("messages",)],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("plane", [False, True])
def test_ragged_lists(call, made, scan, plane: bool, path: tuple[Any, ...]) -> None:
    source = made("y.json", "to-plane", scan, "--plane", "y") if plane else scan

    def shorter(document: Any) -> None:
        for key in path:
            document = document[key]
        document.pop()

    told = refused(call, "plot", changed(source, shorter), "-o", "a.png")
    assert "has 1 entries, must have 2, as many as masses_gev" in told
    assert path[0] in told


@pytest.mark.parametrize(
    ("key", "value"),
    [("card", 1), ("card", "x"), ("card", [1]), ("versions", [1]), ("versions", {"a": 1}),
     ("command", "x"), ("command", [1]), ("command", {"a": 1})],
)  # fmt: skip
def test_a_provenance_of_another_type(call, scan, key: str, value: Any) -> None:
    file = changed(scan, put("provenance", key, value=value))
    for words in (
        ("plot", file, "-o", "a.png"),
        ("plot", file, "-o", "a.html"),
        ("to-plane", file, "--plane", "y", "--json"),
        ("export", "hepdata", file, "-o", "record"),
    ):
        assert f"changed.json: provenance: $.{key}" in refused(call, *words)


def test_a_key_that_is_there_twice(call, workspace) -> None:
    text = Path(workspace).read_text()
    assert text.count('"version":') == 1
    Path("twice.json").write_text(text.replace('"version":', '"version": "0", "version":'))
    told = refused(call, "limit", "twice.json")
    assert "twice.json: the key 'version' is there twice in an object with 'channels'" in told


def test_a_cell_of_a_megabyte(call) -> None:
    cell = "y" * 2**20
    Path("s.csv").write_text(f"low_gev,high_gev,events,note\n60,70,9,a\n70,80,48,{cell}\n")
    told = refused(call, "background", "s.csv")
    assert "s.csv: row 2: field larger than field limit (131072)" in told
    assert len(told) < 300


# -- what is no file ------------------------------------------------------------------------------


def test_pipes_and_devices_are_no_files(call) -> None:
    os.mkfifo("pipe.json")
    for words in (
        ("plot", "pipe.json", "-o", "a.png"),
        ("limit", "pipe.json"),
        ("scan", *QUICK, "--charges", "pipe.json"),
        ("background", "pipe.json"),
        ("card", "check", "pipe.json"),
    ):
        assert "is a named pipe, not a file ('-' reads stdin): pipe.json" in refused(call, *words)
    assert "is a device, not a file: /dev/zero" in refused(call, "limit", "/dev/zero")
    assert "is a folder, not a file: ." in refused(call, "plot", ".", "-o", "a.png")


def test_a_pipe_that_the_shell_has_opened_is_read(call) -> None:
    reader, writer = os.pipe()
    text = (ROOT / "workspaces" / "cards" / "na64e-2016.toml").read_bytes()

    def write() -> None:
        with os.fdopen(writer, "wb") as stream:
            stream.write(text)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        done = call("card", "check", f"/dev/fd/{reader}")
    finally:
        thread.join()
        os.close(reader)
    assert done.code == 0, done.err
    assert f"/dev/fd/{reader}: sound" in done.err


def test_files_have_a_largest_size(call, monkeypatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_JSON", 1000)
    Path("large.json").write_text("[" + "1," * 600 + "1]")
    told = refused(call, "limit", "large.json")
    assert "large.json: has 1203 bytes; at most 1000 bytes are read" in told
    with Path("large.toml").open("wb") as file:
        file.truncate(reading.LARGEST_TEXT + 1)
    told = refused(call, "card", "check", "large.toml")
    assert "large.toml: has 16 MiB; at most 16 MiB are read" in told


# -- texts ----------------------------------------------------------------------------------------

ODD = ("_^", "a$b", "$", "$\\frac{$", "$x_^$", "\\", "{", "}", "%", "a__b", "\u0007")


@pytest.mark.parametrize("text", ODD)
def test_every_text_can_be_drawn(text: str) -> None:
    parser = MathTextParser("path")
    for found in (drawable(text), typeset(text), plain_text(text), f"${tex(text)}$"):
        assert not set(found) & {"\x00", "\x07"}
        dollars = len(re.findall(r"(?<!\\)\$", found))
        assert dollars % 2 == 0
        if dollars:
            parser.parse(found)


def test_no_text_of_a_file_stops_a_figure(call, scan) -> None:
    limit = Limit.read(scan)
    y = replace(limit.y, tex="_^", definition="a$b")
    odd = replace(limit, x=replace(limit.x, tex="\\frac{"), y=y)
    assert figure_bytes(figure([odd]), "a.svg")
    done = call("plot", scan, "--title", "$x_^$ {", "--label", f"{scan}=a__b $", "-o", "b.svg")
    assert done.code == 0, done.err


def test_no_text_of_a_card_is_a_formula_or_a_row_of_a_table(call) -> None:
    title = "=cmd|' /C calc'!A0\n=cmd|' /C calc'!A0"
    words = ("--set", f"title={json.dumps(title)}")
    assert call("scan", "na64e-2016", *QUICK, *words, "-o", "a.csv").code == 0
    lines = Path("a.csv").read_text().splitlines()
    assert not [line for line in lines if line.startswith(("=", "+", "@", "\t"))]


def test_bytes_that_are_no_text_are_refused_before_anything_is_computed() -> None:
    head = [sys.executable, "-m", "na64.limits.cli", "scan"]
    words: list[str | bytes] = [*head, *QUICK, "-o", b"caf\xe9.json"]
    done = subprocess.run(words, capture_output=True, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 2
    assert b"argument 7, 'caf\\udce9.json': not a text in UTF-8" in done.stderr
    assert not [name for name in os.listdir(os.fsencode(ROOT)) if name.startswith(b"caf")]


def test_half_a_character_in_a_file(call, scan) -> None:
    text = Path(scan).read_text()
    Path("half.json").write_text(text.replace('"title": "NA64e', '"title": "\\ud800'))
    told = refused(call, "plot", "half.json", "-o", "a.png")
    assert "half.json: $." in told
    assert "half a character" in told


def test_no_home(call, monkeypatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.delenv("NA64_LIMITS_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    done = call("yields", "na64e-2016", "--masses", "0.1", "--no-cache")
    assert (done.code, done.err) == (0, "")
    done = call("yields", "na64e-2016", "--masses", "0.1")
    assert done.code == 0
    assert "there is no home folder" in done.err
    told = call("doctor")
    assert "off, there is no home folder" in told.out


@pytest.mark.parametrize("value", [[], "x", None], ids=str)
@pytest.mark.parametrize("key", ["calculator", "mediator", "signal", "cards", "masses_gev"])
def test_a_specification_of_other_types(scan, key: str, value: Any) -> None:
    made = json.loads(Path(scan).read_text())["specification"]
    assert Specification.from_dict(made)
    with pytest.raises(InputError, match=r"specification|calculator|mediator|settings|mass|card"):
        Specification.from_dict({**made, key: value})
