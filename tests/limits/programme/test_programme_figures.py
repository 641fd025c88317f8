"""Figures from files: what is drawn, the same bytes whoever draws, ratios to published curves."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits import programme_figure, scan, specify
from na64.limits.figures.drawn import Kind
from na64.limits.figures.overlays import curve_in_plane
from na64.limits.figures.style import figure_bytes
from na64.limits.programme.batch import figure_files, with_style
from na64.limits.programme.compare import comparisons, edges_at
from na64.limits.programme.drawing import compute, draw
from na64.limits.programme.reader import load_figure, parse_figure
from na64.models.errors import InputError
from na64.workspaces.io.curves import load_curve
from tests.shared import toy_limit

TWO = """
format = 1
name = "two"
[[panels]]
overlays = ["babar-invisible"]
[[panels.limits]]
search = "na64mu-2022"
masses = "0.01:1:5"
published = "na64mu-2022"
[[panels]]
plane = "y"
thermal = ["scalar"]
[[panels.limits]]
search = "na64mu-2022"
masses = "0.01:1:5"
dark_matter = "scalar"
[[panels.limits]]
search = "na64mu-2022"
masses = "0.01:1:5"
dark_matter = "scalar"
alpha_d = 0.5
"""


def test_panels_of_a_figure() -> None:
    made = draw(parse_figure(TWO, "two"))
    left, right = made.figure.axes[:2]
    assert "\\chi" in right.get_xlabel()
    assert "\\chi" not in left.get_xlabel()
    assert [len(limits) for limits in made.limits] == [1, 2]
    first = made.limits[0][0]
    assert first.observed == pytest.approx(
        scan("na64mu-2022", masses_gev="0.01:1:5").observed, rel=1e-12
    )


def test_a_limit_that_two_panels_have_is_scanned_once() -> None:
    """Muons know no resonance, but another dark sector is another specification."""
    stages: list[str] = []
    text = TWO.replace('dark_matter = "scalar"\n', "")
    limits = compute(parse_figure(text, "two"), progress=stages.append)
    assert stages == ["na64mu-2022"] * 2
    assert limits[0][0] is limits[1][0]


def test_the_ratio_panel_compares_with_the_published_curve_alone() -> None:
    head, _, _ = TWO.partition("[[panels]]\nplane")
    text = head.replace("[[panels]]\n", "ratio_panel = true\n").replace("panels.", "")
    made = draw(parse_figure(text, "one")).figure
    below = made.axes[1]
    assert len([line for line in below.lines if np.size(line.get_xdata()) > 2]) == 1


def test_the_same_bytes_from_processes_and_from_python(tmp_path) -> None:
    figures = ("kaons", "mesons")
    many = {made.name: made.content for made in figure_files(figures, [".png"], jobs=2)}
    assert sorted(many) == sorted(figures)
    for name in figures:
        assert figure_bytes(programme_figure(name), "x.png") == many[name][".png"]


def test_another_style_is_another_figure() -> None:
    kaons = load_figure("kaons")
    (dark,) = figure_files([with_style(kaons, "dark")], [".svg"])
    (paper,) = figure_files([kaons], [".svg"])
    assert dark.content != paper.content
    with pytest.raises(InputError, match="did you mean 'dark'"):
        with_style(kaons, "darc")
    with pytest.raises(InputError, match="at least one job"):
        list(figure_files([kaons], [".png"], jobs=0))


def test_an_error_names_the_figure() -> None:
    text = TWO.replace('plane = "y"', 'plane = "br"')
    with pytest.raises(InputError, match=r"figure two: .*no plane of br"):
        list(figure_files([parse_figure(text, "two")], [".png"]))


def test_ratios_are_ours_over_published() -> None:
    """At the points of the curve, which the plane of the figure does not change."""
    (found,) = comparisons(parse_figure(TWO, "two"))
    curve = load_curve("na64mu-2022")
    inside = np.array([x for x in curve.x if 0.01 <= x <= 1.0])
    assert found.masses_gev.tolist() == inside.tolist()
    ours = scan("na64mu-2022", masses_gev=inside).observed
    assert found.ratio == pytest.approx(np.array(ours) / curve.at(inside), rel=1e-12)
    assert found.median == pytest.approx(1.0, abs=0.05)  # the card is calibrated to 5 %
    ratio, mass = found.worst
    assert abs(np.log(ratio)) == np.abs(np.log(found.ratio)).max()
    assert mass in inside


def test_edges_of_a_published_region() -> None:
    """A box has its corners: straight lines in the logarithms between them."""
    box = load_curve("x17-beryllium")
    edges = edges_at(box, [0.0150, 0.0167, 0.0180])
    assert edges[1] == pytest.approx([2e-4, 1.4e-3])
    assert np.isnan(edges[[0, 2]]).all()


def test_regions_of_others_that_are_cut_off_are_shaded() -> None:
    """Both edges of E141 end at 1 MeV: what is between them is excluded. Ours is a line."""
    limit = toy_limit(specify("na64e-visible-2017-2018", masses_gev=[0.01, 0.02]))
    kinds = [
        curve_in_plane(load_curve(name), [limit]).kind
        for name in ("e141-visible", "na64-visible-2020")
    ]
    assert kinds == [Kind.REGION, Kind.LINE]
