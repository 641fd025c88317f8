"""A file is all that is needed: other commands work on it elsewhere, when its inputs are gone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from na64.limits import Limit

MASSES = ("--masses", "0.01,0.05,0.6")
FAST = ("--method", "asymptotic")
#: a vector with charges of its own, of a file that is deleted
CHARGES = 'name = "mine"\nkind = "vector"\nparameter = "kappa"\n[charges]\ne = 2.0\nmu = 1.0\n'
#: a card of one's own, deleted as well
OTHER = ("--set", "bins.0.exposure=1e10")

MODULE = """
from na64.models.mediators.vectors import VectorMediator

def boson():
    return VectorMediator("protophobic", "g", {"e": 1.0, "nu_e": 0.5}, citations=("toy",))
"""
ENTRY_POINTS = "[na64.mediators]\nprotophobic = toy_bosons:boson\n"

SCANS = {
    "charges": ("na64e-2016", *MASSES, *FAST, "--charges", "mine.toml"),
    "charges, axial": ("na64e-2016", *MASSES, *FAST, "--charges", "axial.toml"),
    "card": ("mine-card.json", *MASSES, *FAST, "--charges", "mine.toml"),
    "combination": (
        *("na64e-2016", "--combine", "na64mu-2022", "--charges", "mine.toml"),
        *(*MASSES, *FAST),
    ),
    "plug-in": ("na64e-2016", *MASSES, *FAST, "--model", "protophobic", "--dark-matter", "dirac"),
}
#: thermal targets and recasts are of vectors
WITH_DARK_MATTER = [name for name in SCANS if "axial" not in name]


@pytest.fixture
def plug_in(tmp_path_factory, monkeypatch) -> Iterator[Path]:
    """Another distribution that brings a mediator, as an installer would put it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "toy_bosons.py").write_text(MODULE)
    info = folder / "toy_bosons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-bosons\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield folder
    sys.modules.pop("toy_bosons", None)


@pytest.fixture
def alone(call, plug_in: Path, tmp_path: Path, monkeypatch, request) -> Path:
    """The file of a scan in a folder of its own; all that it was made from is gone."""
    begin = tmp_path / "begin"
    begin.mkdir()
    monkeypatch.chdir(begin)
    Path("mine.toml").write_text(CHARGES)
    Path("axial.toml").write_text(CHARGES.replace("vector", "axial"))
    Path("mine-card.json").write_text(call("card", "resolve", "na64e-2016", *OTHER).out)
    done = call("scan", *SCANS[request.param], "-o", "m.json")
    assert done.code == 0, done.err
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.replace("m.json", elsewhere / "m.json")
    monkeypatch.chdir(elsewhere)
    for path in begin.iterdir():
        path.unlink()
    begin.rmdir()
    (plug_in / "toy_bosons.py").unlink()
    for path in (plug_in / "toy_bosons-1.0.dist-info").iterdir():
        path.unlink()
    sys.modules.pop("toy_bosons", None)
    return elsewhere


@pytest.mark.parametrize("alone", SCANS, indirect=True)
@pytest.mark.usefixtures("alone")
def test_a_result_is_redone() -> None:
    text = Path("m.json").read_text()
    again = json.loads(Limit.from_json(text).redo().to_json())
    assert {**again, "provenance": None} == {**json.loads(text), "provenance": None}


@pytest.mark.parametrize("alone", WITH_DARK_MATTER, indirect=True)
@pytest.mark.usefixtures("alone")
def test_recast(call) -> None:
    words: tuple[str, ...] = ("--model", "vector", "--leave-out")
    if "mu" in json.loads(Path("m.json").read_text())["search"]:
        Path("two.toml").write_text(CHARGES.replace("mine", "two").replace("kappa", "g"))
        words = ("--charges", "two.toml")
    done = call("recast", "m.json", *words, "-o", "recast.json")
    assert done.code == 0, done.err
    origin = Limit.read("recast.json").origin
    assert origin is not None
    assert origin.specification == Limit.read("m.json").specification
    # and the file of the recast is as good as that of a scan
    Path("m.json").unlink()
    done = call("to-plane", "recast.json", "--plane", "y", "--json")
    assert done.code == 0, done.err
    assert done.data["y"]["name"] == "y"
    done = call("plot", "recast.json", "--plane", "y", "--thermal", "scalar", "-o", "recast.png")
    assert done.code == 0, done.err


@pytest.mark.parametrize("alone", SCANS, indirect=True)
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("words", [("y",), ("g",), ("y", "--alpha-d", "0.5", "--recompute")])
def test_to_plane(call, words) -> None:
    done = call("to-plane", "m.json", "--plane", *words, "-o", "plane.json")
    assert done.code == 0, done.err
    assert Limit.read("plane.json").plane.name == words[0]


@pytest.mark.parametrize("alone", ["charges", "plug-in"], indirect=True)
@pytest.mark.usefixtures("alone")
def test_recompute(call) -> None:
    done = call("recast", "m.json", "--alpha-d", "0.5", "--recompute", "--json")
    assert done.code == 0, done.err
    assert done.data["alpha_d"] == 0.5


@pytest.mark.parametrize("alone", SCANS, indirect=True)
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("words", [("--g-2", "e-lkb-2020"), ("--plane", "g")])
def test_plot(call, words) -> None:
    done = call("plot", "m.json", *words, "-o", "figure.png")
    assert done.code == 0, done.err
    assert Path("figure.png").stat().st_size > 10_000


@pytest.mark.parametrize("alone", WITH_DARK_MATTER, indirect=True)
@pytest.mark.usefixtures("alone")
def test_plot_with_a_thermal_target(call) -> None:
    done = call("plot", "m.json", "--plane", "y", "--thermal", "scalar", "-o", "figure.png")
    assert done.code == 0, done.err
    assert Path("figure.png").stat().st_size > 10_000
