"""The exclusion figure: what is drawn, and that the same scan gives the same bytes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from na64.limits.figures.figure import Overlay, exclusion_figure, ratio_to, save_figure
from na64.limits.results.limit import Exclusion, Status
from na64.models.errors import InputError
from na64.models.mediators.naming import mass_name
from na64.models.mediators.registry import mediator

MASSES = np.geomspace(1e-3, 1.0, 7)
LIMIT = 1e-2 * MASSES


def exclusion(**changes) -> Exclusion:
    made = Exclusion(
        search="toy",
        title="A toy search",
        model="dark-photon",
        parameter="epsilon",
        power=2.0,
        mass_parameter="m_A'",
        confidence_level=0.9,
        method="exact",
        production="etl",
        alpha_d=0.1,
        ratio=3.0,
        dark_matter="dirac",
        masses_gev=MASSES,
        regions=tuple(((low, None),) for low in LIMIT.tolist()),
        expected=np.outer([0.9, 0.95, 1.1, 1.3, 1.6], LIMIT),
        events_limit=np.full(7, 2.3),
        yields={"emission": 2.3 / LIMIT**2},
        status=(Status.OK,) * 7,
    )
    return replace(made, **changes)


PUBLISHED = Overlay("published", np.array([1e-4, 10.0]), np.array([8e-7, 8e-2]))


def lines(axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axes.get_lines()
    }


def test_the_lines_are_the_limits() -> None:
    (axes,) = exclusion_figure([exclusion()], [PUBLISHED]).axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    drawn = lines(axes)
    np.testing.assert_array_equal(drawn["observed"][0], MASSES)
    np.testing.assert_array_equal(drawn["observed"][1], LIMIT)
    np.testing.assert_allclose(drawn["expected median"][1], 1.1 * LIMIT)
    np.testing.assert_array_equal(drawn["published"][1], PUBLISHED.couplings)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == [
        r"expected $\pm 2\sigma$",
        r"expected $\pm 1\sigma$",
        "expected median",
        "observed",
        "published",
    ]


def test_the_bands_enclose_the_right_quantiles() -> None:
    (axes,) = exclusion_figure([exclusion()]).axes
    two, one = axes.collections
    for band, low, high in ((two, 0.9, 1.6), (one, 0.95, 1.3)):
        path = band.get_paths()[0].vertices
        at_first = path[np.isclose(path[:, 0], MASSES[0]), 1]
        assert at_first.min() == pytest.approx(low * LIMIT[0])
        assert at_first.max() == pytest.approx(high * LIMIT[0])


def test_axes_have_symbols_and_units_and_the_legend_the_settings() -> None:
    (axes,) = exclusion_figure([exclusion()]).axes
    assert axes.get_xlabel() == "$m_{A'}$ [GeV]"
    assert axes.get_ylabel() == r"$\epsilon$"
    title = axes.get_legend().get_title().get_text()
    assert title == (
        "A toy search\n" r"90% CL, Dirac $\chi$, $m_{A'} = 3\,m_\chi$, $\alpha_D = 0.1$"
    )


def test_everything_lies_inside_the_axes() -> None:
    (axes,) = exclusion_figure([exclusion()], [PUBLISHED]).axes
    low, high = axes.get_ylim()
    assert low < 0.9 * LIMIT.min()
    assert high > 1.6 * LIMIT.max()
    assert axes.get_xlim() == (MASSES[0], MASSES[-1])


def test_the_legend_covers_no_curve() -> None:
    figure = exclusion_figure([exclusion()], [PUBLISHED])
    (axes,) = figure.axes
    box = axes.get_legend().get_window_extent()
    points = axes.transData.transform(np.column_stack([MASSES, 1.6 * LIMIT]))
    assert not any(box.contains(x, y) for x, y in points)


def test_a_mass_without_exclusion_is_a_gap_and_not_a_zero() -> None:
    regions = list(exclusion().regions)
    regions[3] = ()
    status = (Status.OK,) * 3 + (Status.NO_EXCLUSION,) + (Status.OK,) * 3
    (axes,) = exclusion_figure([exclusion(regions=tuple(regions), status=status)]).axes
    drawn = lines(axes)["observed"][1]
    assert np.isnan(drawn[3])
    assert np.all(drawn[[0, 1, 2, 4, 5, 6]] > 0.0)


def test_an_expected_only_scan_is_its_median() -> None:
    (axes,) = exclusion_figure([exclusion(regions=((),) * 7, expected_only=True)]).axes
    assert "observed" not in lines(axes)
    np.testing.assert_allclose(lines(axes)["expected median"][1], 1.1 * LIMIT)


def test_several_scans_are_named_by_what_differs() -> None:
    other = exclusion(method="asymptotic", regions=tuple(((low, None),) for low in LIMIT * 0.8))
    (axes,) = exclusion_figure([exclusion(), other]).axes
    assert {"exact (observed)", "asymptotic (observed)"} <= set(lines(axes))
    other = exclusion(search="next", title="The next search")
    (axes,) = exclusion_figure([exclusion(), other]).axes
    assert {"A toy search (observed)", "The next search (observed)"} <= set(lines(axes))


def observed(figure) -> list[str]:
    """Return the names of the observed limits in the legend."""
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    return [text.removesuffix(" (observed)") for text in texts if text.endswith(" (observed)")]


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({"options": {"annihilation": False}}, ["with annihilation", "without annihilation"]),
        ({"options": {"initial_state_radiation": True}}, ["without radiation", "with radiation"]),
        ({"method": "toys", "toys": 9, "seed": 2}, ["exact", "toys, 9 toys, seed 2"]),
        ({"confidence_level": 0.95}, ["90% CL", "95% CL"]),
        ({"title": "A toy search, 1e9 $"}, ["A toy search", r"A toy search, 1e9 \$"]),
        (
            {"provenance": {"card": {"overrides": ["bins.0.exposure=2e12"]}}},
            ["a.json", "bins.0.exposure=2e12"],
        ),
        ({}, ["a.json", "b.json"]),
    ],
    ids=str,
)
def test_no_two_scans_have_the_same_name(changes, labels: list[str]) -> None:
    scans = [exclusion(), exclusion(**changes)]
    assert observed(exclusion_figure(scans, names=["a.json", "b.json"])) == labels


def test_seeds_and_ensembles_tell_toys_apart() -> None:
    toys = [
        exclusion(method="toys", toys=9, seed=seed, ensemble=ensemble)
        for seed, ensemble in ((1, "aux-fixed"), (2, "aux-fixed"), (2, "aux-fluctuated"))
    ]
    assert observed(exclusion_figure(toys)) == [
        "aux-fixed, seed 1",
        "aux-fixed, seed 2",
        "aux-fluctuated, seed 2",
    ]
    assert observed(exclusion_figure([toys[0]] * 2)) == ["limit 1", "limit 2"]


def test_what_the_names_share_is_the_title_and_long_lines_are_broken() -> None:
    title = "NA64e 2016, invisible decays"
    settings = ", ".join(f"bins.{k}.efficiency=0.{k}" for k in range(1, 5))
    figure = exclusion_figure(
        [exclusion(title=f"{title}, 4e10 on target"), exclusion(title=f"{title}, with {settings}")]
    )
    legend = figure.axes[0].get_legend()
    assert legend.get_title().get_text().split("\n")[0] == title
    first, second = observed(figure)
    assert first == "4e10 on target"
    assert second.replace("\n", " ") == f"with {settings}"
    assert second.count("\n") == 1
    # a legend that is wider than the figure leaves the axes their place
    wide = exclusion_figure([exclusion(title="word " * 60)])
    assert wide.axes[0].get_position().width > 0.8


def test_the_ratio_panel_is_the_scan_over_the_curve() -> None:
    figure = exclusion_figure([exclusion()], [PUBLISHED], ratio_panel=True)
    _, below = figure.axes if figure.axes[0].get_legend() else figure.axes[::-1]
    ratio = below.get_lines()[0].get_ydata()
    np.testing.assert_allclose(ratio, 1.25)
    low, high = below.get_ylim()
    assert low < 1.0 < 1.25 < high


def test_a_ratio_exists_only_where_both_limits_do() -> None:
    short = Overlay("short", np.array([5e-3, 0.2]), np.array([5e-5, 2e-3]))
    ratio = ratio_to(exclusion(), short)
    inside = (MASSES >= 5e-3) & (MASSES <= 0.2)
    np.testing.assert_array_equal(np.isfinite(ratio), inside)
    np.testing.assert_allclose(ratio[inside], 1.0)


@pytest.mark.parametrize("suffix", ["pdf", "png", "svg"])
def test_two_runs_write_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    written = []
    for name in ("a", "b"):
        figure = exclusion_figure([exclusion()], [PUBLISHED], ratio_panel=True)
        path = tmp_path / f"{name}.{suffix}"
        save_figure(figure, path)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert len(written[0]) > 5000


def test_the_style_of_the_user_changes_nothing(tmp_path: Path) -> None:
    save_figure(exclusion_figure([exclusion()]), tmp_path / "plain.png")
    before = dict(mpl.rcParams)
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30.0, "savefig.dpi": 40.0}):
        save_figure(exclusion_figure([exclusion()]), tmp_path / "styled.png")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "styled.png").read_bytes()
    assert dict(mpl.rcParams) == before


def test_pdf_has_no_date_and_its_fonts_are_embedded_as_truetype(tmp_path: Path) -> None:
    save_figure(exclusion_figure([exclusion()]), tmp_path / "figure.pdf")
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
    with pytest.raises(InputError, match="no scan given"):
        exclusion_figure([])
    with pytest.raises(InputError, match="different couplings: epsilon, g"):
        exclusion_figure([exclusion(), exclusion(parameter="g")])
    with pytest.raises(InputError, match="a ratio panel needs a limit"):
        exclusion_figure([exclusion()], ratio_panel=True)
    figure = exclusion_figure([exclusion()])
    with pytest.raises(InputError, match=r"not '\.jpg'"):
        save_figure(figure, tmp_path / "figure.jpg")
    save_figure(figure, tmp_path / "figure.png")
    with pytest.raises(InputError, match="file exists"):
        save_figure(figure, tmp_path / "figure.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png"]


def test_a_closed_region_has_an_upper_edge_and_a_tip() -> None:
    ceiling = 3e-3
    regions = tuple(((low, ceiling),) if low < ceiling else () for low in LIMIT.tolist())
    status = tuple(Status.OK if found else Status.NO_EXCLUSION for found in regions)
    (axes,) = exclusion_figure([exclusion(regions=regions, status=status)]).axes
    drawn = [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in axes.lines]
    inside = ceiling > LIMIT
    upper = [y for x, y in drawn if len(y) == 7 and np.all(y[inside] == ceiling)]
    assert len(upper) == 1
    assert np.all(np.isnan(upper[0][~inside]))
    # the grid's last mass with an exclusion closes the region, the first one does not
    tips = [(x[0], *y) for x, y in drawn if len(x) == 2]
    last = np.flatnonzero(inside)[-1]
    assert tips == [(MASSES[last], LIMIT[last], ceiling)]
    assert axes.get_ylim()[1] > ceiling


def test_a_band_without_width_has_no_place_in_the_legend() -> None:
    flat = np.outer([1.0, 1.0, 1.0, 1.0, 1.6], LIMIT)
    (axes,) = exclusion_figure([exclusion(expected=flat)]).axes
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == [r"expected $\pm 2\sigma$", "expected median", "observed"]


def test_a_short_axis_has_numbers_between_the_powers_of_ten() -> None:
    few = slice(3, 5)
    short = exclusion(
        masses_gev=np.array([0.2, 0.6]),
        regions=exclusion().regions[few],
        expected=exclusion().expected[:, few],
        events_limit=np.full(2, 2.3),
        yields={},
        status=(Status.OK,) * 2,
    )
    (axes,) = exclusion_figure([short]).axes
    numbers = [tick.label1.get_text() for tick in axes.xaxis.get_minor_ticks()]
    assert {"0.2", "0.3", "0.6"} <= set(numbers)
    assert lines(axes)["observed"][0].tolist() == [0.2, 0.6]
    low, high = axes.get_xlim()
    assert low < 0.2 < 0.6 < high


@pytest.mark.parametrize(
    ("parameter", "label"),
    [("g_agg", r"$g_{a\gamma\gamma}$ [GeV$^{-1}$]"), ("g", "$g_{a}$"), ("br", r"$\mathrm{BR}$")],
)
def test_couplings_have_their_symbol_and_unit(parameter: str, label: str) -> None:
    (axes,) = exclusion_figure([exclusion(parameter=parameter, mass_parameter="m_a")]).axes
    assert axes.get_ylabel() == label
    assert axes.get_xlabel() == "$m_{a}$ [GeV]"


@pytest.mark.parametrize(
    ("model", "changes", "axes_labels", "words"),
    [
        ("dark-photon", {}, ("$m_{A'}$ [GeV]", r"$\epsilon$"), "90% CL"),
        (
            "dark-photon",
            {"mass_parameter": "m_X"},
            ("$m_{X}$ [GeV]", r"$\epsilon$"),
            "90% CL, dark photon",
        ),
        (
            "l-mu-l-tau",
            {"options": {"splitting": 0.0}},
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
            {"options": {"invisible_branching": 0.3}},
            ("$m_{a}$ [GeV]", r"$g_{a\gamma\gamma}$ [GeV$^{-1}$]"),
            "90% CL, axion-like particle, BR(invisible) = 0.3",
        ),
    ],
)
def test_a_single_scan_names_its_mediator(model: str, changes, axes_labels, words: str) -> None:
    portal = mediator(model)
    settings = {"mass_parameter": mass_name(portal), "dark_matter": None, "alpha_d": None}
    scan = exclusion(model=model, parameter=portal.parameter, **{**settings, **changes})
    (axes,) = exclusion_figure([scan]).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == axes_labels
    assert axes.get_legend().get_title().get_text() == f"A toy search\n{words}"


def test_a_mass_splitting_is_in_the_title_and_other_mediators_by_name() -> None:
    scan = exclusion(dark_matter="pseudo-dirac", options={"splitting": 0.4}, model="mine")
    (axes,) = exclusion_figure([scan]).axes
    title = axes.get_legend().get_title().get_text().replace("\n", " ")
    assert title.startswith("A toy search 90% CL, model mine, pseudo-Dirac")
    assert title.endswith(r"$\Delta = 0.4$")


def test_scans_of_two_mediators_share_no_symbol_that_belongs_to_one() -> None:
    scans = [
        exclusion(model="scalar", parameter="g", mass_parameter="m_phi"),
        exclusion(model="vector", parameter="g", mass_parameter="m_Z'"),
    ]
    (axes,) = exclusion_figure(scans).axes
    assert axes.get_xlabel() == "mass of the mediator [GeV]"
    assert axes.get_ylabel() == "$g$"


NOTHING = {
    "regions": ((),) * 7,
    "expected": np.full((5, 7), np.nan),
    "events_limit": np.full(7, np.nan),
    "status": (Status.NO_EXCLUSION,) * 7,
}


def test_where_nothing_is_excluded_there_is_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="no coupling is excluded or expected to be"):
        exclusion_figure([exclusion(**NOTHING)])
    figure = exclusion_figure([exclusion(**NOTHING)], [PUBLISHED], ratio_panel=True)
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["nothing excluded", "published"]


def some(rows: list[int], **changes) -> Exclusion:
    """Return the scan at a few of its masses."""
    whole = exclusion(**changes)
    return replace(
        whole,
        masses_gev=whole.masses_gev[rows],
        regions=tuple(whole.regions[row] for row in rows),
        expected=whole.expected[:, rows],
        events_limit=np.full(len(rows), 2.3),
        yields={},
        status=(Status.OK,) * len(rows),
    )


def test_the_bands_of_a_single_mass_are_bars() -> None:
    (axes,) = exclusion_figure([some([3])]).axes
    bars = [bar.get_segments()[0][:, 1] for bar in axes.collections]
    np.testing.assert_allclose(bars, np.outer(LIMIT[3:4], [0.9, 1.6, 0.95, 1.3]).reshape(2, 2))
    marks = {line.get_label(): line.get_marker() for line in axes.get_lines()}
    assert marks == {"expected median": "_", "observed": "o"}
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend[:2] == [r"expected $\pm 2\sigma$", r"expected $\pm 1\sigma$"]
    assert len(legend) == 4


def test_a_mass_between_gaps_has_a_bar_beside_the_bands() -> None:
    expected = exclusion().expected.copy()
    expected[:, [4, 6]] = np.nan
    (axes,) = exclusion_figure([exclusion(expected=expected)]).axes
    assert len(axes.collections) == 4
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(legend) == len(set(legend)) == 4


def test_the_panels_of_a_short_axis_share_the_numbers_of_the_lower_one() -> None:
    figure = exclusion_figure([some([3, 4])], [PUBLISHED], ratio_panel=True)
    upper, lower = figure.axes
    for minor in (False, True):
        ticks = upper.xaxis.get_minor_ticks() if minor else upper.xaxis.get_major_ticks()
        assert not any(tick.label1.get_visible() for tick in ticks)
    shown = [tick.label1.get_text() for tick in lower.xaxis.get_minor_ticks()]
    assert {"0.04", "0.05"} <= set(shown)
    gap = upper.get_position().y0 - lower.get_position().y1
    assert gap < 0.03


def test_small_numbers_of_a_short_axis_are_powers_of_ten() -> None:
    regions = (((2e-6, None),), ((3e-6, None),))
    one = replace(some([3, 4]), regions=regions, expected=np.full((5, 2), np.nan))
    (axes,) = exclusion_figure([one]).axes
    numbers = {
        tick.label1.get_text()
        for tick in (*axes.yaxis.get_minor_ticks(), *axes.yaxis.get_major_ticks())
    }
    assert r"$2\times10^{-6}$" in numbers
    assert not any("e-" in number for number in numbers)


def test_open_regions_beside_closed_ones_are_shaded_to_the_top() -> None:
    open_above = ((LIMIT[0], None),)
    regions = (open_above, *(((low, 0.1),) for low in LIMIT[1:].tolist()))
    other = exclusion(title="B", regions=tuple(((3.0 * low, None),) for low in LIMIT.tolist()))
    (axes,) = exclusion_figure([exclusion(regions=regions), other]).axes
    top = axes.get_ylim()[1]
    first, second = (area.get_paths()[0].vertices for area in axes.collections[-2:])
    assert first[np.isclose(first[:, 0], MASSES[0]), 1].max() > top
    assert first[np.isclose(first[:, 0], MASSES[3]), 1].max() == pytest.approx(0.1)
    assert np.all(second[second[:, 1] > 3.1 * LIMIT.max(), 1] > top)
    assert second[:, 1].max() > top
    # the edge is drawn up to the top between the closed masses and the open one
    edges = [np.asarray(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) == 7]
    assert any(edge[0] > top and np.allclose(edge[1:], 0.1) for edge in edges)
    # the legend stands above, out of the way of edges
    legend = axes.figure.legends[0].get_window_extent()
    assert legend.y0 > axes.get_window_extent().y1


def test_a_projected_region_is_hatched_and_not_shaded() -> None:
    regions = tuple(((low, 3e-2),) for low in LIMIT.tolist())
    projected = exclusion(regions=((),) * 7, expected_regions=regions, expected_only=True)
    for scan, hatch in ((exclusion(regions=regions), None), (projected, "//")):
        (axes,) = exclusion_figure([scan]).axes
        area = axes.collections[-1]
        assert area.get_hatch() == hatch
        assert (len(area.get_facecolor()) == 0) == (hatch is not None)
