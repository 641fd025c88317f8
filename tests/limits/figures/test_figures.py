"""The figure of limits: what is drawn, and that the same result gives the same bytes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from na64.limits.calculators.status import Status
from na64.limits.figures.appearance import Appearance
from na64.limits.figures.drawn import Drawn
from na64.limits.figures.figure import figure, ratio_to
from na64.limits.figures.overlays import Beside
from na64.limits.figures.style import save_figure
from na64.limits.results.limit import Limit
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from tests.limits.figures.toys import (
    BANDS,
    DIRAC,
    LIMIT,
    MASSES,
    NOTHING,
    PUBLISHED,
    card,
    closed,
    filled,
    heading,
    legend,
    lines,
    toy,
)
from tests.shared import open_regions

WITH_CURVE = Beside(overlays=(PUBLISHED,))


def test_the_lines_are_the_limits() -> None:
    made = figure([toy()], beside=WITH_CURVE)
    (axes,) = made.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    drawn = lines(made)
    np.testing.assert_array_equal(drawn["observed"][0], MASSES)
    np.testing.assert_allclose(drawn["observed"][1], LIMIT)
    np.testing.assert_allclose(drawn["expected median"][1], 1.1 * LIMIT)
    np.testing.assert_array_equal(drawn["published"][1], PUBLISHED.y)
    assert legend(made) == [
        r"expected $\pm 2\sigma$",
        r"expected $\pm 1\sigma$",
        "expected median",
        "observed",
        "published",
    ]


def test_a_result_plots_itself_and_into_axes_of_the_caller() -> None:
    assert legend(toy().plot())[-1] == "observed"
    mine = Figure(figsize=(3.0, 7.0))
    left, right = mine.subplots(1, 2)
    assert toy().plot(ax=right, beside=WITH_CURVE) is mine
    assert mine.get_size_inches().tolist() == [3.0, 7.0]
    assert mine.get_layout_engine() is None
    assert not left.lines
    assert right.get_legend_handles_labels()[1][-1] == "published"
    # what has no room at its curve is in the legend, which lies inside of the frame
    (heading_, *_), box = right.get_title(loc="left").split("\n"), right.get_window_extent()
    assert heading_ == "A toy search"
    shown = [text.get_text() for text in right.get_legend().get_texts()]
    shown += [text.get_text() for text in right.texts]
    assert set(right.get_legend_handles_labels()[1]) == set(shown)
    assert right.get_legend().get_window_extent().y1 <= box.y1
    with pytest.raises(InputError, match="a figure of its own"):
        figure([toy()], ax=left, ratio_panel=True, beside=WITH_CURVE)


def test_the_bands_enclose_the_right_quantiles_and_the_shade_what_is_excluded() -> None:
    made = figure([toy()])
    mass = float(MASSES[3])
    for label, low, high in (
        (r"expected $\pm 2\sigma$", BANDS[0, 3], BANDS[4, 3]),
        (r"expected $\pm 1\sigma$", BANDS[1, 3], BANDS[3, 3]),
    ):
        for value, inside in ((0.99 * low, 0), (1.01 * low, 1), (0.99 * high, 1), (1.01 * high, 0)):
            assert filled(made, label, mass * 1.0001, value) == bool(inside)
    shade = made.axes[0].patches[-1].get_path()
    assert shade.contains_point((mass, 1.01 * LIMIT[3]))
    assert shade.vertices[:, 1].max() > made.axes[0].get_ylim()[1]


def test_axes_have_symbols_and_units_and_the_legend_the_settings() -> None:
    made = figure([toy()])
    assert made.axes[0].get_xlabel() == "$m_{A'}$ [GeV]"
    assert made.axes[0].get_ylabel() == r"$\epsilon$"
    assert heading(made) == (
        "A toy search\n" r"90% CL, Dirac $\chi$, $m_{A'} = 3\,m_\chi$, $\alpha_D = 0.1$"
    )


def test_everything_lies_inside_the_axes() -> None:
    (axes,) = figure([toy()], beside=WITH_CURVE).axes
    low, high = axes.get_ylim()
    assert low < 0.9 * LIMIT.min()
    assert high > 1.6 * LIMIT.max()
    assert axes.get_xlim() == (MASSES[0], MASSES[-1])


def test_the_legend_covers_no_curve() -> None:
    (axes,) = figure([toy()], beside=WITH_CURVE).axes
    box = axes.get_legend().get_window_extent()
    points = axes.transData.transform(np.column_stack([MASSES, 1.6 * LIMIT]))
    assert not any(box.contains(x, y) for x, y in points)


def test_the_legend_takes_a_free_corner_and_no_axis_is_stretched_for_it() -> None:
    """Of a limit that falls another corner is free than of one that rises."""
    corners = []
    for order in (1, -1):
        made = figure([toy(regions=open_regions(LIMIT[::order]), expected=BANDS[:, ::order])])
        (axes,) = made.axes
        np.testing.assert_allclose(axes.get_ylim(), (LIMIT.min() * 0.9 / 3.0, 2.5 * BANDS.max()))
        box = axes.get_legend().get_window_extent().transformed(axes.transAxes.inverted())
        corners.append((box.x0 < 0.5, box.y0 > 0.5))
    assert corners == [(True, True), (True, False)]


def test_a_legend_without_a_free_corner_stands_above() -> None:
    made = figure([toy()], appearance=Appearance(legend="above"))
    (axes,) = made.axes
    assert axes.get_legend() is None
    assert made.get_size_inches()[1] > 4.8
    assert made.legends[0].get_window_extent().y0 >= axes.get_window_extent().y1
    assert made.legends[0].get_window_extent().x1 <= made.bbox.x1


def gap(status: Status, rows: tuple[int, ...] = (3,)) -> dict[str, Any]:
    limit, bands = LIMIT.copy(), BANDS.copy()
    limit[list(rows)] = bands[:, list(rows)] = np.nan
    return {
        "regions": open_regions(limit),
        "expected": bands,
        "status": tuple(status if row in rows else Status.OK for row in range(7)),
    }


@pytest.mark.parametrize("status", [Status.NO_EXCLUSION, Status.FAILED, Status.LEFT_OUT], ids=str)
def test_a_mass_without_a_limit_is_a_gap_and_not_a_zero(status: Status) -> None:
    made = figure([toy(**gap(status))])
    ((_, drawn),) = [found for label, found in lines(made).items() if label.startswith("observed")]
    assert np.isnan(drawn[3])
    assert np.all(drawn[[0, 1, 2, 4, 5, 6]] > 0.0)
    far = 0.5 * made.axes[0].get_ylim()[1]
    label = r"expected $\pm 2\sigma$"
    assert not filled(made, label, float(MASSES[3]), 1.3 * float(LIMIT[3]))
    for x, inside in ((MASSES[3], False), (MASSES[1] * 1.01, True), (MASSES[5] * 0.99, True)):
        assert made.axes[0].patches[-1].get_path().contains_point((x, far)) == inside


def test_the_legend_tells_what_was_left_out() -> None:
    made = figure([toy(**gap(Status.LEFT_OUT, (2, 3, 5)))])
    assert "observed, left out: 0.01-0.0316, 0.316 GeV" in legend(made)
    both = figure([toy(), toy(sector=None, **gap(Status.LEFT_OUT))])
    assert any(text.endswith("(observed, left out: 0.0316 GeV)") for text in legend(both))


def test_an_expected_only_scan_is_its_median() -> None:
    made = figure([toy(regions=((),) * 7, expected_only=True)])
    assert "observed" not in lines(made)
    np.testing.assert_allclose(lines(made)["expected median"][1], 1.1 * LIMIT)


def test_several_scans_are_named_by_what_differs() -> None:
    other = toy(method={"name": "asymptotic"}, regions=open_regions(0.8 * LIMIT))
    drawn = lines(figure([toy(), other]))
    assert {"exact (observed)", "asymptotic (observed)"} <= set(drawn)
    drawn = lines(figure([toy(), toy(cards=(card("The next search", name="next"),))]))
    assert {"A toy search (observed)", "The next search (observed)"} <= set(drawn)


def observed(made: Figure) -> list[str]:
    """Return the names of the observed limits in the legend."""
    texts = legend(made)
    return [text.removesuffix(" (observed)") for text in texts if text.endswith(" (observed)")]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"settings": {"annihilation": False}}, ["with annihilation", "without annihilation"]),
        (
            {"settings": {"initial_state_radiation": True}},
            ["without radiation", "with radiation"],
        ),
        ({"settings": {"inelastic": False}}, ["with inelastic scattering", "elastic only"]),
        ({"settings": {"production": "ww"}}, ["etl", "ww"]),
        ({"method": {"name": "toys", "toys": 9, "seed": 2}}, ["exact", "toys"]),
        ({"confidence_level": 0.95}, ["90% CL", "95% CL"]),
        ({"sector": replace(DIRAC, alpha_d=0.5)}, [r"$\alpha_D = 0.1$", r"$\alpha_D = 0.5$"]),
        ({"title": "A toy search, 1e9 $"}, ["A toy search", r"A toy search, $10^{9}$ \$"]),
        (
            {"cards": (replace(card(), overrides=("bins.0.exposure=2e12",)),)},
            ["a.json", r"bins.0.exposure=$2\times10^{12}$"],
        ),
        ({}, ["a.json", "b.json"]),
    ],
    ids=str,
)
def test_no_two_scans_have_the_same_name(changes: dict[str, Any], names: list[str]) -> None:
    scans = [toy(), toy(**changes)]
    assert observed(figure(scans, names=["a.json", "b.json"])) == names


def test_what_is_unusual_in_all_scans_is_in_the_title() -> None:
    scans = [toy(settings={"inelastic": False}, sector=replace(DIRAC, alpha_d=a)) for a in (0.1, 1)]
    assert heading(figure(scans)).endswith(r"$m_{A'} = 3\,m_\chi$, elastic only")


def test_seeds_and_ensembles_tell_toys_apart() -> None:
    toys = [
        toy(method={"name": "toys", "toys": 9, "seed": seed, "ensemble": ensemble})
        for seed, ensemble in ((1, "aux-fixed"), (2, "aux-fixed"), (2, "aux-fluctuated"))
    ]
    assert observed(figure(toys)) == [
        "aux-fixed, seed 1",
        "aux-fixed, seed 2",
        "aux-fluctuated, seed 2",
    ]
    assert observed(figure([toys[0]] * 2)) == ["limit 1", "limit 2"]


def test_what_the_names_share_is_the_title_and_long_lines_are_broken() -> None:
    title = "NA64e 2016, invisible decays"
    changes = ", ".join(f"bins.{k}.efficiency=0.{k}" for k in range(1, 5))
    made = figure([toy(title=f"{title}, 4e10 on target"), toy(title=f"{title}, with {changes}")])
    assert heading(made).split("\n")[0] == title
    first, second = observed(made)
    assert first == r"$4\times10^{10}$ on target"
    assert second.replace("\n", " ") == f"with {changes}"
    assert second.count("\n") == 1
    # a legend that is wider than the figure leaves the axes their place
    wide = figure([toy(title="word " * 30)])
    assert wide.axes[0].get_position().width > 0.8


def test_the_ratio_panel_is_the_scan_over_the_curve() -> None:
    made = figure([toy()], beside=WITH_CURVE, ratio_panel=True)
    _, below = made.axes
    ratio = below.get_lines()[0].get_ydata()
    np.testing.assert_allclose(ratio, 1.25)
    low, high = below.get_ylim()
    assert low < 1.0 < 1.25 < high


def test_a_ratio_exists_only_where_both_limits_do() -> None:
    short = Drawn("short", np.array([5e-3, 0.2]), np.array([5e-5, 2e-3]))
    ratio = ratio_to(toy(), short)
    inside = (MASSES >= 5e-3) & (MASSES <= 0.2)
    np.testing.assert_array_equal(np.isfinite(ratio), inside)
    np.testing.assert_allclose(ratio[inside], 1.0)


@pytest.mark.parametrize("suffix", ["pdf", "png", "svg"])
def test_two_runs_write_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    written = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.{suffix}"
        save_figure(figure([toy()], beside=WITH_CURVE, ratio_panel=True), path)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert len(written[0]) > 5000


def test_the_style_of_the_user_changes_nothing(tmp_path: Path) -> None:
    save_figure(figure([toy()]), tmp_path / "plain.png")
    before = dict(mpl.rcParams)
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30.0, "savefig.dpi": 40.0}):
        save_figure(figure([toy()]), tmp_path / "styled.png")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "styled.png").read_bytes()
    assert dict(mpl.rcParams) == before


def test_pdf_has_no_date_and_its_fonts_are_embedded_as_truetype(tmp_path: Path) -> None:
    save_figure(figure([toy()]), tmp_path / "figure.pdf")
    content = (tmp_path / "figure.pdf").read_bytes()
    assert b"CreationDate" not in content
    assert b"/Type3" not in content
    assert b"/FontFile2" in content


def test_pyplot_is_not_needed(tmp_path: Path) -> None:
    code = "import sys, na64.limits.figures.figure; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no limit given"):
        figure([])
    with pytest.raises(InputError, match=r"of different variables: epsilon against .*; g against"):
        figure([toy(), toy(model="vector")])
    with pytest.raises(InputError, match="of different variables"):
        figure([toy(), toy().to_plane("y")])
    with pytest.raises(InputError, match="a ratio panel needs a limit"):
        figure([toy()], ratio_panel=True)
    made = figure([toy()])
    with pytest.raises(InputError, match=r"not '\.jpg'"):
        save_figure(made, tmp_path / "figure.jpg")
    save_figure(made, tmp_path / "figure.png")
    with pytest.raises(InputError, match="file exists"):
        save_figure(made, tmp_path / "figure.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png"]


CEILING = 3e-3


def closing() -> Limit:
    """A region closed towards strong couplings, with bands on both of its edges."""
    return toy(
        regions=closed(LIMIT, CEILING),
        expected_regions=tuple(closed(k * LIMIT, CEILING / k) for k in (1.0, 1.1, 1.2, 1.4, 1.8)),
        status=tuple(Status.OK if low < CEILING else Status.NO_EXCLUSION for low in LIMIT),
    )


def test_the_contour_of_a_closed_region_goes_around_its_tip() -> None:
    made = figure([closing()])
    x, y = lines(made)["observed"]
    inside = LIMIT < CEILING
    count = int(inside.sum())
    np.testing.assert_allclose(y[:count], LIMIT[inside])
    np.testing.assert_allclose(y[count + 1 :], CEILING)
    # the grid's last mass with an exclusion does not close the region, the tip beyond it does
    assert MASSES[inside][-1] < x[count] < MASSES[count]
    assert LIMIT[inside][-1] < y[count] <= CEILING
    assert made.axes[0].get_ylim()[1] > CEILING


def test_a_closed_region_has_bands_along_both_edges() -> None:
    made = figure([closing()])
    mass, low = float(MASSES[2]) * 1.0001, float(LIMIT[2])
    for sigmas, strong, weak in ((2, 1.0, 1.8), (1, 1.1, 1.4)):
        label = rf"expected $\pm {sigmas}\sigma$"
        middle = (strong * weak) ** 0.5
        for value, inside in (
            (low * strong * 0.99, False),
            (low * middle, True),
            (low * weak * 1.01, False),
            (CEILING / weak * 0.99, False),
            (CEILING / middle, True),
            (CEILING / strong * 1.01, False),
        ):
            assert filled(made, label, mass, value) == inside, (sigmas, value)


def test_split_regions_are_shaded_where_they_exclude() -> None:
    """At the middle masses there is a gap, whose upper part goes on as the only region."""
    rows = [((1e-4, 1e-2),)] * 3 + [((1e-4, 1e-3), (2e-3, None))] + [((3e-3, None),)] * 3
    limit = toy(regions=tuple(rows), expected_regions=(((),) * 7,) * 5)
    path = figure([limit]).axes[0].patches[-1].get_path()
    for mass, found in list(zip(MASSES.tolist(), rows, strict=True))[1:-1]:
        for value in (5e-5, 3e-4, 1.5e-3, 4e-3, 5e-2):
            excluded = any(low < value and (high is None or value < high) for low, high in found)
            assert path.contains_point((mass * 1.0001, value)) == excluded, (mass, value)


def test_what_is_excluded_from_zero_on_is_shaded_down_to_the_bottom() -> None:
    rows = tuple(((0.0, 0.1 * low), (low, None)) for low in LIMIT.tolist())
    made = figure([toy(regions=rows)])
    bottom = made.axes[0].get_ylim()[0]
    path = made.axes[0].patches[-1].get_path()
    assert path.vertices[:, 1].min() < bottom < 0.1 * LIMIT.min()
    mass, limit = float(MASSES[3]) * 1.0001, float(LIMIT[3])
    for value, inside in ((bottom, True), (0.09 * limit, True), (0.5 * limit, False)):
        assert path.contains_point((mass, value)) == inside


def test_a_band_without_width_has_no_place_in_the_legend() -> None:
    flat = np.outer([1.0, 1.0, 1.0, 1.0, 1.6], LIMIT)
    expected = [r"expected $\pm 2\sigma$", "expected median", "observed"]
    assert legend(figure([toy(expected=flat)])) == expected


def test_a_short_axis_has_numbers_between_the_powers_of_ten() -> None:
    (axes,) = figure([toy(masses=[0.2, 0.6])]).axes
    numbers = [tick.label1.get_text() for tick in axes.xaxis.get_minor_ticks()]
    assert {"0.2", "0.3", "0.6"} <= set(numbers)
    assert lines(axes.figure)["observed"][0].tolist() == [0.2, 0.6]
    low, high = axes.get_xlim()
    assert low < 0.2 < 0.6 < high


@pytest.mark.parametrize(
    ("model", "changes", "axes_labels", "words"),
    [
        ("dark-photon", {}, ("$m_{A'}$ [GeV]", r"$\epsilon$"), "90% CL"),
        (
            "dark-photon",
            {"cards": (card(mass="m_X"),)},
            ("$m_{X}$ [GeV]", r"$\epsilon$"),
            "90% CL, dark photon",
        ),
        (
            "l-mu-l-tau",
            {},
            ("$m_{Z'}$ [GeV]", "$g_{Z'}$"),
            r"90% CL, $Z'$ of $L_\mu - L_\tau$",
        ),
        (
            "scalar",
            {},
            (r"$m_\phi$ [GeV]", r"$g_\phi$"),
            r"90% CL, scalar with $g_\phi\,\phi\,\bar\ell\ell$",
        ),
        (
            "alp",
            {"settings": {"invisible_branching": 0.3}},
            ("$m_{a}$ [GeV]", r"$g_{a\gamma\gamma}$ [GeV$^{-1}$]"),
            "90% CL, axion-like particle, BR(invisible) = 0.3",
        ),
    ],
)
def test_a_single_scan_names_its_mediator(
    model: str, changes: dict[str, Any], axes_labels: tuple[str, str], words: str
) -> None:
    made = figure([toy(model=model, sector=None, **changes)])
    (axes,) = made.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == axes_labels
    assert heading(made) == f"A toy search\n{words}"


def test_a_mass_splitting_is_in_the_title_and_other_mediators_by_name() -> None:
    mine = replace(mediator("vector"), name="mine")  # type: ignore[type-var]
    sector = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.4)
    title = heading(figure([toy(model=mine, sector=sector)])).replace("\n", " ")
    assert title.startswith("A toy search 90% CL, model mine, pseudo-Dirac")
    assert title.endswith(r"$\Delta = 0.4$")


def test_a_title_names_the_mediator_once() -> None:
    """By the words of the card or those of the model, whichever say more."""
    alp = toy(title="A search, axion-like particles", model="alp", sector=None)
    assert heading(figure([alp])).splitlines() == ["A search, axion-like particles", "90% CL"]
    boson = toy(title="A search, Z' of B-L", model="b-minus-l", sector=None)
    name, rest = heading(figure([boson])).splitlines()
    assert name == "A search"
    assert rest == "90% CL, $Z'$ of $B - L$ with light Dirac neutrinos"


def test_scans_of_two_mediators_share_no_symbol_that_belongs_to_one() -> None:
    (axes,) = figure([toy(model=name, sector=None) for name in ("scalar", "vector")]).axes
    assert axes.get_xlabel() == "mass of the mediator [GeV]"
    assert axes.get_ylabel() == "$g$"


def test_where_nothing_is_excluded_there_is_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="nothing is excluded or expected to be"):
        figure([toy(**NOTHING)])
    made = figure([toy(**NOTHING)], beside=WITH_CURVE, ratio_panel=True)
    assert legend(made) == ["nothing excluded", "published"]


def test_the_bands_of_a_single_mass_are_bars() -> None:
    made = figure([toy().at([MASSES[3]])])
    (axes,) = made.axes
    bars = [bar.get_segments()[0][:, 1] for bar in axes.collections]
    np.testing.assert_allclose(bars, np.outer(LIMIT[3:4], [0.9, 1.6, 0.95, 1.3]).reshape(2, 2))
    marks = {line.get_label(): line.get_marker() for line in axes.get_lines()}
    assert marks == {"expected median": "_", "observed": "o"}
    assert legend(made)[:2] == [r"expected $\pm 2\sigma$", r"expected $\pm 1\sigma$"]
    assert len(legend(made)) == 4


def test_a_mass_between_gaps_has_a_bar_beside_the_bands() -> None:
    expected = BANDS.copy()
    expected[:, [4, 6]] = np.nan
    made = figure([toy(expected=expected)])
    assert len(made.axes[0].collections) == 2
    assert len(legend(made)) == len(set(legend(made))) == 4


def test_the_panels_of_a_short_axis_share_the_numbers_of_the_lower_one() -> None:
    made = figure([toy().at(MASSES[3:5])], beside=WITH_CURVE, ratio_panel=True)
    upper, lower = made.axes
    for minor in (False, True):
        ticks = upper.xaxis.get_minor_ticks() if minor else upper.xaxis.get_major_ticks()
        assert not any(tick.label1.get_visible() for tick in ticks)
    shown = [tick.label1.get_text() for tick in lower.xaxis.get_minor_ticks()]
    assert {"0.04", "0.05"} <= set(shown)
    assert upper.get_position().y0 - lower.get_position().y1 < 0.03


def test_small_numbers_of_a_short_axis_are_powers_of_ten() -> None:
    regions = (((2e-6, None),), ((3e-6, None),))
    one = replace(toy().at(MASSES[3:5]), regions=regions, expected_regions=(((),) * 2,) * 5)
    (axes,) = figure([one]).axes
    numbers = {
        tick.label1.get_text()
        for tick in (*axes.yaxis.get_minor_ticks(), *axes.yaxis.get_major_ticks())
    }
    assert r"$2\times10^{-6}$" in numbers
    assert not any("e-" in number for number in numbers)


def test_open_regions_beside_closed_ones_are_shaded_to_the_top() -> None:
    regions = (((float(LIMIT[0]), None),), *closed(LIMIT[1:], 0.1))
    other = toy(title="B", regions=open_regions(3.0 * LIMIT))
    made = figure([toy(regions=regions), other])
    (axes,) = made.axes
    top = axes.get_ylim()[1]
    first, second = (patch.get_path().vertices for patch in axes.patches[-2:])
    assert first[np.isclose(first[:, 0], MASSES[0]), 1].max() > top
    assert first[np.isclose(first[:, 0], MASSES[3]), 1].max() == pytest.approx(0.1)
    assert second[:, 1].max() > top
    # the edge is drawn up to the top between the closed masses and the open one
    drawn = lines(made)["A toy search (observed)"][1]
    assert np.nanmax(drawn) > top
    # the legend is out of the way of the edges
    box = axes.get_legend().get_window_extent()
    points = axes.transData.transform(np.column_stack(lines(made)["A toy search (observed)"]))
    assert not any(box.contains(x, y) for x, y in points)


def test_a_projected_region_is_hatched_and_not_shaded() -> None:
    regions = closed(LIMIT, 3e-2)
    bands = {"expected_regions": (regions,) * 5}
    projected = toy(regions=((),) * 7, expected_only=True, **bands)
    for limit, hatch in ((toy(regions=regions, **bands), None), (projected, "//")):
        area = figure([limit]).axes[0].patches[-1]
        assert area.get_hatch() == hatch
        assert (area.get_facecolor()[3] == 0.0) == (hatch is not None)
