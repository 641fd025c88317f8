"""Figures of planes: what is drawn where, conversions of curves, and the words of the legend."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from na64.limits.figures.figure import save_figure
from na64.limits.figures.plane_figure import plane_figure
from na64.limits.figures.plane_legend import Level, PlaneOverlay
from na64.limits.figures.plane_overlays import draw_planes, overlay_in_plane, thermal_line
from na64.limits.planes.axes import Normalisation
from na64.limits.planes.bounds import MASS_FLOORS, landau_pole
from na64.limits.results.plane_limit import Plane, PlaneLimit
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.vectors import dark_photon
from na64.models.relic.targets import thermal_target
from na64.workspaces.io.curves import load_curve

MASSES = np.geomspace(1e-3, 0.3, 12)
LIMIT = 1e-7 * MASSES**1.8
Y_NAME = "y = epsilon^2 alpha_D (m_chi/m_mediator)^4"


def limit(**changes) -> PlaneLimit:
    made = PlaneLimit(
        plane=Plane.Y,
        search="toy",
        title="A toy search",
        model="dark-photon",
        parameter="epsilon",
        mass_parameter="m_A'",
        x_name="m_chi",
        y_name=Y_NAME,
        y_unit="1",
        normalisation=Normalisation.ALPHA_D,
        dark_matter="dirac",
        alpha_d=0.1,
        ratio=3.0,
        splitting=0.0,
        confidence_level=0.9,
        method="exact",
        production="etl",
        expected_only=False,
        masses_gev=MASSES,
        regions=tuple(((low, None),) for low in LIMIT.tolist()),
        expected=np.outer([0.9, 0.95, 1.1, 1.3, 1.6], LIMIT),
        status=("ok",) * 12,
        assumptions="dirac, alpha_D = 0.1, m_mediator = 3 m_chi",
    )
    return replace(made, **changes)


def coupling_limit(**changes) -> PlaneLimit:
    return limit(
        plane=Plane.EPSILON,
        x_name="m_A'",
        y_name="epsilon",
        normalisation=None,
        masses_gev=3.0 * MASSES,
        **changes,
    )


def relic_limit(species: str, scale: float = 1.0) -> PlaneLimit:
    bounds = scale * 0.1 * np.ones(12)
    return limit(
        plane=Plane.ALPHA_D,
        y_name="alpha_D",
        normalisation=None,
        dark_matter=species,
        alpha_d=None,
        regions=tuple(((1e-3 * high, high),) for high in bounds.tolist()),
        expected=np.outer([1.0, 1.0, 0.9, 0.7, 0.5], bounds),
    )


def lines(figure: Figure) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    (axes,) = figure.axes
    return {
        line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axes.get_lines()
    }


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_limit_bands_and_axes() -> None:
    figure = plane_figure([limit()])
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    np.testing.assert_array_equal(lines(figure)["observed"][1], LIMIT)
    np.testing.assert_allclose(lines(figure)["expected median"][1], 1.1 * LIMIT)
    assert axes.get_xlabel() == r"$m_\chi$ [GeV]"
    assert axes.get_ylabel() == r"$y = \epsilon^2\,\alpha_D\,\left(m_\chi/m_{A'}\right)^4$"
    assert axes.get_xlim() == (MASSES[0], MASSES[-1])
    bottom, top = axes.get_ylim()
    assert bottom < 0.9 * LIMIT.min()
    assert top > 1.6 * LIMIT.max()
    heading = figure.legends[0].get_title().get_text()
    assert heading == (
        "A toy search\n" r"90% CL, Dirac $\chi$, $\alpha_D = 0.1$, $m_{A'} = 3\,m_\chi$"
    )
    assert legend(figure) == [
        r"expected $\pm 2\sigma$",
        r"expected $\pm 1\sigma$",
        "expected median",
        "observed",
    ]


def test_the_axis_states_the_other_normalisation() -> None:
    other = limit(normalisation=Normalisation.PRODUCT, parameter="g", mass_parameter="m_Z'")
    (axes,) = plane_figure([other]).axes
    assert axes.get_ylabel() == r"$y = (g_\chi\,g_{Z'})^2\,\left(m_\chi/m_{Z'}\right)^4$"


def test_the_legend_stands_outside_the_frame() -> None:
    figure = draw_planes([limit()], thermal=["scalar", "majorana"], overlays=["babar-invisible"])
    (axes,) = figure.axes
    assert figure.legends[0].get_window_extent().y0 >= axes.get_window_extent().y1
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1


def test_thermal_lines_are_those_of_the_solver_in_both_planes() -> None:
    sector = DarkSector(DarkMatter.SCALAR, 0.05, 2.5)
    line = thermal_line(dark_photon(), sector, limit(), MASSES)
    target = thermal_target(dark_photon(), sector, MASSES)
    np.testing.assert_allclose(line.values, target.y)
    other = thermal_line(dark_photon(), sector, coupling_limit(), 2.5 * MASSES)
    np.testing.assert_allclose(other.values, target.coupling)
    np.testing.assert_allclose(other.masses_gev, 2.5 * MASSES)


def test_lines_of_several_dark_sectors_are_all_told_apart() -> None:
    figure = draw_planes(
        [coupling_limit()],
        thermal=["scalar"],
        thermal_alpha_d=[0.1, 0.05, 0.02],
        thermal_ratio=[3.0, 2.5],
    )
    names = [name for name in legend(figure) if name.startswith("relic density")]
    assert len(set(names)) == 6
    assert r"relic density: complex scalar, $\alpha_D = 0.02$, $m_{A'} = 2.5\,m_\chi$" in names
    drawn = lines(figure)
    # the smaller alpha_D, the larger the coupling that the abundance needs
    at = [
        drawn[rf"relic density: complex scalar, $\alpha_D = {a}$, $m_{{A'}} = 3\,m_\chi$"][1][50]
        for a in ("0.1", "0.05", "0.02")
    ]
    assert at == sorted(at)
    looks = {
        (line.get_color(), line.is_dashed())
        for line in figure.axes[0].get_lines()
        if str(line.get_label()).startswith("relic")
    }
    assert len(looks) == 6


def test_a_curve_in_epsilon_is_converted_with_the_sector_of_the_limit() -> None:
    curve = load_curve("babar-invisible")
    shown = overlay_in_plane(curve, limit(alpha_d=0.5, ratio=4.0), dark_photon())
    np.testing.assert_allclose(shown.masses_gev, np.array(curve.x) / 4.0)
    np.testing.assert_allclose(shown.values, np.array(curve.y) ** 2 * 0.5 / 4.0**4)
    same = overlay_in_plane(curve, coupling_limit(), dark_photon())
    np.testing.assert_array_equal(same.values, curve.y)


def test_a_curve_in_y_is_converted_back() -> None:
    found = load_curve("babar-invisible")
    curve = replace(
        found,
        x_axis=load_curve("thermal-scalar-na64").x_axis,
        y_axis=load_curve("thermal-scalar-na64").y_axis,
        points=tuple(zip(found.x, (1e-9, 2e-9), strict=True)),
    )
    shown = overlay_in_plane(curve, coupling_limit(), dark_photon())
    np.testing.assert_allclose(shown.masses_gev, 3.0 * np.array(curve.x))
    np.testing.assert_allclose(shown.values, np.sqrt(np.array(curve.y) * 81.0 / 0.1))
    unchanged = overlay_in_plane(curve, limit(), dark_photon())
    np.testing.assert_array_equal(unchanged.values, curve.y)


def test_a_curve_on_the_coupling_becomes_the_alpha_d_of_the_relic() -> None:
    shown = overlay_in_plane(load_curve("babar-invisible"), relic_limit("scalar"), dark_photon())
    assert shown.closed
    row = 3 * len(shown.values) // 4  # the upper edge, backwards
    sector = DarkSector(DarkMatter.SCALAR, float(shown.values[row]), 3.0)
    needed = thermal_target(dark_photon(), sector, [shown.masses_gev[row]]).coupling[0]
    # 2 %: interpolated between values of alpha_D, and the curve's three digits
    assert needed == pytest.approx(9.52e-4, rel=0.02)


def test_excluded_sides_are_shaded_above_and_for_alpha_d_below() -> None:
    def shaded(figure: Figure, x: float, y: float) -> bool:
        (axes,) = figure.axes
        label = "BaBar, mediators up to 1.5 GeV (arXiv:1702.03327)"
        paths = [patch.get_path() for patch in axes.patches if patch.get_label() == label]
        for item in axes.collections:
            paths += item.get_paths() if item.get_label() == label else []
        return any(path.contains_point((x, y)) for path in paths)

    above = draw_planes([limit()], overlays=["babar-invisible"])
    edge = (9.52e-4) ** 2 * 0.1 / 81.0
    assert shaded(above, 0.1, 2.0 * edge)
    assert not shaded(above, 0.1, 0.5 * edge)
    below = draw_planes([relic_limit("scalar")], overlays=["babar-invisible"])
    edge = 1.64e-9 * 81.0 / 9.52e-4**2  # the target in y, of which epsilon^2 is the limit
    assert shaded(below, 0.1, 0.5 * edge)
    assert not shaded(below, 0.1, 2.0 * edge)


def test_landau_poles_are_levels_at_their_values() -> None:
    figure = draw_planes(
        [relic_limit("scalar"), relic_limit("pseudo-dirac", 0.1)], bounds=["landau-tev"]
    )
    drawn = lines(figure)
    for species, name in (("scalar", "complex scalar"), ("pseudo-dirac", "pseudo-Dirac")):
        value = landau_pole(DarkMatter(species), 1e3)
        found = drawn[f"Landau pole below 1 TeV ({name})"][1]
        np.testing.assert_allclose(found, value)
    assert [name for name in legend(figure) if "observed" in name] == [
        "complex scalar (observed)",
        "pseudo-Dirac (observed)",
    ]


def test_the_mass_floor_is_a_band_that_names_its_source() -> None:
    figure = draw_planes([limit()], bounds=["bbn+cmb"])
    (axes,) = figure.axes
    assert "arXiv:1910.01649" in legend(figure)[-1]
    (patch,) = (item for item in axes.patches if item.get_label() == MASS_FLOORS["bbn+cmb"].label)
    assert patch.get_x() + patch.get_width() == pytest.approx(3.7e-3)
    # against the mediator's mass the band ends at the ratio times that
    (axes,) = draw_planes([coupling_limit()], bounds=["bbn+cmb"]).axes
    (patch,) = axes.patches
    assert patch.get_x() + patch.get_width() == pytest.approx(3.0 * 3.7e-3)


def test_the_microwave_background_lies_far_below_the_dirac_target() -> None:
    figure = draw_planes([limit()], thermal=["dirac"], bounds=["cmb"])
    drawn = lines(figure)
    x, bound = drawn["CMB, symmetric Dirac (arXiv:1807.06209)"]
    thermal_x, target = drawn["relic density: Dirac"]
    ratio = np.interp(np.log(thermal_x), np.log(x), np.log(bound)) - np.log(target)
    assert np.all(ratio < math.log(0.1))


def test_published_targets_lie_within_a_third_of_ours() -> None:
    figure = draw_planes([limit()], thermal=["scalar"], overlays=["thermal-scalar-na64"])
    drawn = lines(figure)
    x, ours = drawn["relic density: complex scalar"]
    there_x, there = drawn["Complex scalar (as drawn by NA64)"]
    ratio = np.exp(np.interp(np.log(x), np.log(there_x), np.log(there))) / ours
    # docs/relic.md has the table; between 1.2 MeV and 0.3 GeV
    assert np.all((ratio[10:] > 0.67) & (ratio[10:] < 1.2))


def test_a_gap_stays_a_gap_and_a_projection_is_drawn_by_its_median() -> None:
    regions = list(limit().regions)
    regions[4] = ()
    drawn = lines(plane_figure([limit(regions=tuple(regions))]))["observed"][1]
    assert np.isnan(drawn[4])
    empty = limit(expected_only=True, regions=((),) * 12)
    figure = plane_figure([empty])
    np.testing.assert_allclose(lines(figure)["expected median"][1], 1.1 * LIMIT)


def test_far_overlays_do_not_squeeze_the_limit() -> None:
    far = PlaneOverlay("far", MASSES, 1e-30 * np.ones(12))
    bottom, _ = plane_figure([limit()], overlays=[far]).axes[0].get_ylim()
    assert bottom > 1e-3 * LIMIT.min()


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_two_runs_write_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    written = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.{suffix}"
        save_figure(limit().plot(bounds=["bbn"]), path)
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="no limit given"):
        plane_figure([])
    with pytest.raises(InputError, match="no limit given"):
        draw_planes([])
    with pytest.raises(InputError, match="different planes"):
        plane_figure([limit(), coupling_limit()])
    with pytest.raises(InputError, match="no limit exists at any mass"):
        plane_figure([limit(regions=((),) * 12, expected=np.full((5, 12), math.nan))])
    with pytest.raises(InputError, match="the limit itself is that of a thermal relic"):
        draw_planes([relic_limit("scalar")], thermal=["scalar"])
    with pytest.raises(InputError, match="they are known for m_chi in"):
        thermal_line(dark_photon(), DarkSector(), limit(), np.array([5.0]))
    assert plane_figure([limit()], levels=[Level("level", 1e-9)]).axes


def test_no_two_limits_have_the_same_name() -> None:
    def names(*titles: str) -> list[str]:
        figure = plane_figure([limit(title=title) for title in titles], names=["a.json", "b.json"])
        return [text.get_text() for text in figure.legends[0].get_texts()]

    assert names("A search", "A search") == ["a.json (observed)", "b.json (observed)"]
    assert names("A search, 1e9", "A search, 1e10") == ["1e9 (observed)", "1e10 (observed)"]


def test_a_region_that_ends_between_two_masses_is_closed_there() -> None:
    relic = relic_limit("scalar")
    regions = (*relic.regions[:8], *((),) * 4)
    drawn = [np.asarray(line.get_xdata()) for line in lines_of(replace(relic, regions=regions))]
    assert [x.tolist() for x in drawn if len(x) == 2] == [[MASSES[7]] * 2]


def lines_of(item: PlaneLimit) -> list[object]:
    (axes,) = plane_figure([item]).axes
    return list(axes.get_lines())
