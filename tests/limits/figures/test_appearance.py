"""What users decide: titles, labels, ranges, units, legend, style; and what they may not."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from na64.limits.cli.looks import Looks
from na64.limits.figures.appearance import STYLES, Appearance
from na64.limits.figures.drawn import Drawn, Kind
from na64.limits.figures.figure import figure
from na64.limits.figures.overlays import Beside
from na64.limits.figures.ranges import value_range
from na64.limits.figures.style import drawing_style, figure_bytes
from na64.limits.figures.thermal import thermal_lines
from na64.models.constants import ELECTRON_MASS_GEV, MUON_MASS_GEV
from na64.models.errors import InputError
from tests.limits.figures.toys import (
    BANDS,
    LIMIT,
    MASSES,
    PUBLISHED,
    at_curves,
    heading,
    in_legend,
    lines,
    toy,
)
from tests.shared import open_regions


def test_everything_at_once() -> None:
    look = Appearance(
        title="Mine, 1e9",
        labels=("first", "m_A' of 2e3"),
        overlay_labels={"published": "theirs"},
        label_at={"theirs": (2.0, 1e-2), "first": (3.0, 2e-6)},
        xlim=(0.5, 2000.0),
        ylim=(1e-6, 1.0),
        bands=False,
        mass_unit="MeV",
        style="dark",
    )
    scans = [toy(), toy(title="B", regions=open_regions(10.0 * LIMIT))]
    made = figure(scans, beside=Beside(overlays=(PUBLISHED,)), appearance=look)
    (axes,) = made.axes
    assert axes.get_xlim() == (0.5, 2000.0)
    assert axes.get_ylim() == (1e-6, 1.0)
    assert axes.get_xlabel() == "$m_{A'}$ [MeV]"
    assert heading(made) == "Mine, $10^{9}$"
    assert at_curves(made) == ["first", r"$m_{A'}$ of $2\times10^{3}$", "theirs"]
    assert in_legend(made) == []
    np.testing.assert_allclose(lines(made)["first (observed)"][0], 1e3 * MASSES)
    np.testing.assert_allclose(lines(made)["theirs"][0], 1e3 * PUBLISHED.x)
    # labels begin where the user said
    (left,) = [text for text in axes.texts if text.get_text() == "theirs"]
    box = left.get_window_extent().transformed(axes.transData.inverted())
    np.testing.assert_allclose(box.x0, 2.0, rtol=0.05)
    assert to_hex(made.get_facecolor()) == "#14171c"
    assert to_hex(axes.get_lines()[0].get_color()) == "#ffffff"
    assert figure_bytes(made, "a.png") == figure_bytes(made, "a.png")


def test_what_has_a_label_is_not_in_the_legend() -> None:
    made = figure([toy()], beside=Beside(overlays=(PUBLISHED,)))
    assert at_curves(made) == ["observed", "published"]
    assert in_legend(made) == [
        r"expected $\pm 2\sigma$",
        r"expected $\pm 1\sigma$",
        "expected median",
    ]
    assert made.axes[0].get_ylim()[1] == pytest.approx(2.5 * BANDS.max())
    every = figure(
        [toy()], beside=Beside(overlays=(PUBLISHED,)), appearance=Appearance(label_curves=False)
    )
    assert at_curves(every) == []
    assert in_legend(every)[-2:] == ["observed", "published"]
    none = figure([toy()], appearance=Appearance(legend="none", title=""))
    assert in_legend(none) == []
    assert none.axes[0].get_title(loc="left") == ""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"style": "papr"}, "unknown style 'papr' (did you mean 'paper'?)"),
        ({"legend": "top left"}, "unknown place of a legend 'top left'"),
        (
            {"mass_unit": "mev"},
            "unknown unit of masses 'mev' (did you mean 'MeV'?); allowed: GeV, MeV",
        ),
        ({"xlim": (1.0, 0.1)}, "`xlim` must increase, is 1 to 0.1"),
        ({"ylim": (0.0, 1.0)}, "`ylim` must be two positive numbers"),
        ({"ylim": (1.0, float("nan"))}, "`ylim` must be two positive numbers"),
        ({"label_at": {"a": (1.0, -1.0)}}, "`label_at` of 'a' must be two positive numbers"),
    ],
)
def test_what_is_not_possible_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        Appearance(**given)
    assert message in str(refused.value)


def test_names_that_are_not_drawn_are_refused() -> None:
    with pytest.raises(InputError, match="2 labels for 1 limits"):
        figure([toy()], appearance=Appearance(labels=("a", "b")))
    look = Appearance(overlay_labels={"publshed": "x"})
    with pytest.raises(InputError, match="unknown overlay of a label 'publshed'"):
        figure([toy()], beside=Beside(overlays=(PUBLISHED,)), appearance=look)
    with pytest.raises(InputError, match=r"unknown name of what is labelled 'obs'"):
        figure([toy()], appearance=Appearance(label_at={"obs": (1.0, 1.0)}))
    with pytest.raises(InputError, match="at any mass that is shown"):
        figure([toy()], appearance=Appearance(xlim=(10.0, 20.0)))


def test_labels_of_files_and_overlays() -> None:
    looks = Looks({}, (("a.json", "x"), ("babar", "y"), ("a.json", "z")), ())
    found = looks.appearance(["b.json", "a.json", "a.json"], ["babar"])
    assert found.labels == ("", "x", "z")
    assert found.overlay_labels == {"babar": "y"}
    with pytest.raises(InputError, match=r"'a\.json' has more labels than results"):
        looks.appearance(["a.json"], ["babar"])
    with pytest.raises(InputError, match=r"unknown file or overlay of a label 'babar'"):
        looks.appearance(["a.json", "a.json"])


@pytest.mark.parametrize("style", STYLES)
def test_styles_are_sheets_that_users_can_apply(style: str) -> None:
    with drawing_style(style):
        mine = dict(mpl.rcParams)
    with mpl.rc_context():
        mpl.rcdefaults()
        matplotlib.style.use(f"na64.limits.figures.{style}")
        theirs = dict(mpl.rcParams)
    assert {key for key in mine if mine[key] != theirs[key]} <= {"backend"}


def test_axes_of_the_caller_keep_their_style_and_their_size() -> None:
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9.0}):
        mine = Figure(figsize=(9.0, 3.5), layout="constrained")
        left, right = mine.subplots(1, 2)
        for axes in (left, right):
            figure([toy()], ax=axes, beside=Beside(overlays=(PUBLISHED,)))
        mine.draw_without_rendering()
    assert mine.get_size_inches().tolist() == [9.0, 3.5]
    for axes in (left, right):
        frame = axes.get_window_extent()
        assert {text.get_fontfamily()[0] for text in axes.texts} == {"DejaVu Sans"}
        title = axes.title.get_window_extent()
        assert title.x1 <= frame.x1 + 5.0
        for text in axes.texts:
            box = text.get_window_extent()
            assert frame.contains(box.x0, box.y0)
            assert frame.contains(box.x1, box.y1)


def test_spikes_of_relic_targets_stretch_no_axis() -> None:
    values = LIMIT.copy()
    values[0] = 90.0 * LIMIT.max()
    span = float(MASSES[0]), float(MASSES[-1])
    ranges = [
        value_range(span, [toy()], [Drawn("spike", MASSES, values, kind)], bands=False)[1]
        for kind in (Kind.TARGET, Kind.LINE)
    ]
    assert ranges[0] == pytest.approx(2.5 * LIMIT.max())
    assert ranges[1] == pytest.approx(2.5 * values[0])


def test_relic_targets_have_a_point_at_thresholds_and_go_to_the_edge_of_the_frame() -> None:
    """Dark matter at rest can make muons from m_chi = m_mu on: m_A' = 3 m_mu at ratio 3."""
    limit = toy(masses=np.array([0.25, 0.3, 0.35, 0.4]))
    (line,) = thermal_lines([limit], ("scalar",), span=(0.25, 0.45))
    assert np.isclose(line.x, 3.0 * MUON_MASS_GEV, rtol=1e-12).any()
    assert line.x[[0, -1]].tolist() == pytest.approx([0.25, 0.45])
    # above the threshold a smaller coupling suffices: it bends there, and rises on both sides
    slopes = np.diff(np.log(line.y)) / np.diff(np.log(line.x))
    at = int(np.argmin(np.abs(line.x - 3.0 * MUON_MASS_GEV)))
    assert slopes[:at].max() - slopes[at - 2 : at + 12].min() > 0.3


@pytest.mark.parametrize("model", ["dark-photon", "l-mu-l-tau"])
def test_relic_targets_begin_where_charged_particles_can_be_made(model: str) -> None:
    """Lighter matter annihilates by its hottest pairs alone, unless there are neutrinos."""
    masses = np.array([0.5e-3, 1e-3, 2e-3, 4e-3])
    (line,) = thermal_lines([toy(masses=masses, model=model)], ("scalar",))
    threshold = 3.0 * ELECTRON_MASS_GEV
    if model == "dark-photon":
        assert line.x[0] == pytest.approx(threshold, rel=1e-9)
        # on the contact scale y goes with m_chi^2: nothing left rises to smaller masses by decades
        assert line.y[0] < 3.0 * line.y.min()
    else:
        assert line.x[0] == pytest.approx(masses[0])


def test_a_short_axis_in_mev_has_plain_numbers() -> None:
    look = Appearance(mass_unit="MeV", xlim=(2.0, 40.0))
    (axes,) = figure([toy()], appearance=look).axes
    ticks = [*axes.xaxis.get_minor_ticks(), *axes.xaxis.get_major_ticks()]
    shown = {tick.label1.get_text() for tick in ticks if 2.0 <= tick.get_loc() <= 40.0}
    assert shown - {""} == {"2", "5", "10", "20"}


def test_a_region_has_no_edge_where_it_is_cut_off_at_its_lightest_mass() -> None:
    """Its shade ends there, its edge does not go along; a box keeps its sides."""

    def drawn(x: list[float], y: list[float]) -> Any:
        region = Drawn("region", np.array(x), np.array(y), Kind.REGION)
        return lines(figure([toy()], beside=Beside(overlays=(region,))))["region"]

    x, _ = drawn([0.01, 0.1, 0.3, 0.1, 0.01, 0.01], [1e-5, 1e-5, 3e-5, 1e-4, 1e-3, 1e-5])
    assert np.isnan(x).sum() == 1
    assert np.flatnonzero(np.isnan(x)).tolist() == [5]
    x, _ = drawn([0.01, 0.1, 0.1, 0.01, 0.01], [1e-5, 1e-5, 1e-3, 1e-3, 1e-5])
    assert not np.isnan(x).any()
