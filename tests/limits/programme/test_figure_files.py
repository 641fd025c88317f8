"""Files of figures: what they say, every problem at once, and that the shipped ones are sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from na64.limits.figures.appearance import Appearance
from na64.limits.programme.description import FORMAT
from na64.limits.programme.reader import (
    available_figures,
    figure_text,
    load_figure,
    parse_figure,
)
from na64.limits.scanning.request import specify
from na64.models.errors import InputError
from na64.workspaces.io.curves import CurveKind, load_curve
from na64.workspaces.io.problems import FileProblemsError

ONE = """
format = 1
name = "mine"
plane = "y"
normalisation = "product"
thermal = ["scalar"]
overlays = ["babar-invisible"]

[[limits]]
search = "na64e-2016"
masses = "0.1,0.01"
dark_matter = "scalar"
alpha_d = 0.5
annihilation = false
method = "asymptotic"
label = "ours"

[appearance]
mass_unit = "MeV"
xlim = [1.0, 100.0]
label_at = { ours = [10.0, 1e-9] }
"""


def problems(text: str) -> dict[str, str]:
    with pytest.raises(FileProblemsError) as caught:
        parse_figure(text, "mine.toml")
    return {item.path: item.message for item in caught.value.problems}


def test_a_file_of_one_panel() -> None:
    """The specification is the one that the same words give in Python."""
    found = parse_figure(ONE, "mine.toml")
    (panel,) = found.panels
    (limit,) = panel.limits
    assert limit.specification() == specify(
        "na64e-2016",
        masses_gev=np.array([0.01, 0.1]),
        dark_matter="scalar",
        alpha_d=0.5,
        annihilation=False,
        method="asymptotic",
    )
    assert (panel.plane, panel.plane_options) == ("y", {"normalisation": "product"})
    assert panel.thermal == ("scalar",)
    assert limit.label == "ours"
    assert panel.appearance == Appearance(
        mass_unit="MeV", xlim=(1.0, 100.0), label_at={"ours": (10.0, 1e-9)}
    )


def test_several_panels_and_a_combination() -> None:
    text = """
format = 1
name = "two"
columns = 1
[[panels]]
[[panels.limits]]
searches = ["na64e-2016", "na64mu-2022"]
masses_gev = [0.1, 0.2]
[[panels]]
moments = ["mu-2021"]
[[panels.limits]]
search = "na64mu-2022"
grid = "fixed"
masses = "0.1:1:3"
"""
    found = parse_figure(text, "two.toml")
    both, alone = (panel.limits[0].specification() for panel in found.panels)
    assert [card.name for card in both.cards] == ["na64e-2016", "na64mu-2022"]
    assert both.masses_gev.tolist() == [0.1, 0.2]
    assert len(alone.masses_gev) == 3
    assert not found.panels[1].limits[0].tips


def test_every_problem_at_once_with_its_place() -> None:
    text = """
format = 2
name = "no name"
plane = "yy"
normalisation = "product"
thermal = ["scalr"]
bounds = ["cmbb"]
overlay = ["babar-invisible"]
[[limits]]
serch = "na64e-2016"
[[limits]]
search = "na64e-2106"
masses = "1:0.1:3"
method = "exat"
alpha_d = -1
published = "na64e-2091"
[appearance]
mas_unit = "MeV"
"""
    found = problems(text)
    assert found["overlay"].startswith("unknown key (did you mean 'overlays'?)")
    assert "did you mean 'y'?" in found["plane"]
    assert "did you mean 'scalar'?" in found["thermal[0]"]
    assert "did you mean 'cmb'?" in found["bounds[0]"]
    assert "did you mean 'search'?" in found["limits[0].serch"]
    assert "missing" in found["limits[0].search"]
    assert "did you mean 'na64e-2016'?" in found["limits[1].search"]
    assert "1 is not below 0.1" in found["limits[1].masses"]
    assert "did you mean 'exact'?" in found["limits[1].method"]
    assert "must not be negative, is -1" in found["limits[1].alpha_d"]
    assert "did you mean 'na64e-2019'?" in found["limits[1].published"]
    assert "did you mean 'mass_unit'?" in found["appearance.mas_unit"]
    assert "must match" in found["name"]


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('plane = "y"\n', "", "normalisation", "is an option of the plane y"),
        ("format = 1", f"format = {FORMAT + 1}", "format", "this version reads 1"),
        ('thermal = ["scalar"]', "thermal_ratio = [3.0]", "thermal_ratio", "of which species"),
        ('name = "mine"', 'name = "mine"\nratio_panel = true', "ratio_panel", "published curve"),
        ('label = "ours"', 'bound_electrons = true', "limits[0]", "no effect"),
        ('label = "ours"', "compared_gev = [1.0]", "limits[0].compared_gev", "two masses"),
        ('mass_unit = "MeV"', 'mass_unit = "Mev"', "appearance", "did you mean 'MeV'?"),
        ('mass_unit = "MeV"', 'labels = ["a"]', "appearance.labels", "unknown key"),
        ('label = "ours"', 'charges = "x.toml"', "limits[0].charges", "x.toml"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together(old: str, new: str, path: str, words: str) -> None:
    assert old in ONE
    assert words in problems(ONE.replace(old, new))[path]


def test_files_are_named_relative_to_the_figure(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('extends = "na64e-2016"\nname = "own"\ntitle = "Own"\n')
    file = tmp_path / "mine.toml"
    file.write_text(ONE.replace('"na64e-2016"', '"own.toml"'))
    (limit,) = load_figure(file).panels[0].limits
    assert limit.specification().cards[0].name == "own"


def test_unknown_names_and_texts_that_are_no_toml() -> None:
    with pytest.raises(InputError, match=r"unknown figure 'meson' .did you mean 'mesons'"):
        load_figure("meson")
    with pytest.raises(InputError, match="figure x: not TOML"):
        parse_figure("[[", "x")


@pytest.mark.parametrize("name", available_figures())
def test_the_shipped_figures(name: str) -> None:
    """Each reads, has its name, says what it shows, and shows a published curve where it is of."""
    found = load_figure(name)
    assert found.name == name
    assert found.title != name
    assert found.about.endswith(".")
    assert figure_text(name).startswith("# ")
    for panel in found.panels:
        for item in panel.limits:
            if not item.published:
                continue
            curve = load_curve(item.published)
            made = item.specification()
            assert curve.kind in (CurveKind.LIMIT, CurveKind.REGION)
            masses = made.masses_gev
            assert masses[0] <= max(curve.x), "the curve is not in the figure"
            assert masses[-1] >= min(curve.x), "the curve is not in the figure"
