"""Figures in planes: what is drawn where, conversions of curves, and the words of the legend."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.drawn import Drawn, Kind
from na64.limits.figures.figure import figure
from na64.limits.figures.overlays import Beside, curve_in_plane, default_overlays
from na64.limits.figures.style import save_figure
from na64.limits.figures.thermal import thermal_line, thermal_lines, thermal_notes
from na64.limits.planes.bounds import MASS_FLOORS, landau_pole
from na64.limits.results.axes import Plane, coupling_axis, mass_axis
from na64.limits.results.limit import Limit
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon
from na64.models.relic.targets import thermal_target
from na64.workspaces.io.curves import Axis, load_curve
from tests.limits.figures.toys import DIRAC, card, closed, heading, legend, lines, toy
from tests.shared import open_regions

CHI = np.geomspace(1e-3, 0.3, 12).round(6)
COUPLING = 1e-3 * (3.0 * CHI) ** 0.9
Y = COUPLING**2 * 0.1 / 81.0


def limit(**changes: Any) -> Limit:
    """A limit on the coupling of masses at which thermal targets are known."""
    given = {
        "masses": 3.0 * CHI,
        "regions": open_regions(COUPLING),
        "expected": np.outer([0.9, 0.95, 1.1, 1.3, 1.6], COUPLING),
    }
    return toy(**{**given, **changes})


def in_y(normalisation: str | None = None, **changes: Any) -> Limit:
    return limit(**changes).to_plane("y", normalisation=normalisation)


def relic(species: str, scale: float = 1.0, rows: int = 12) -> Limit:
    """A limit on alpha_D of a relic."""
    bounds = scale * 0.1 * np.ones(12)
    return replace(
        limit(),
        x=mass_axis("m_chi"),
        y=coupling_axis("alpha_D"),
        masses_gev=CHI,
        regions=(*closed(1e-3 * bounds, bounds)[:rows], *((),) * (12 - rows)),
        expected_regions=tuple(
            closed(1e-3 * bounds, k * bounds) for k in (1.2, 1.1, 0.9, 0.7, 0.5)
        ),
        plane=Plane(
            "alpha-d",
            {"omega_h2": 0.12, "dark_matter": species, "ratio": 3.0, "splitting": 0.0},
            excluded_below=True,
        ),
    )


def draw(*limits: Limit, **beside: Any) -> Figure:
    return figure(limits, beside=Beside(**beside))


def test_limit_bands_and_axes() -> None:
    made = draw(in_y())
    (axes,) = made.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    np.testing.assert_allclose(lines(made)["observed"][1], Y)
    np.testing.assert_allclose(lines(made)["expected median"][1], 1.1**2 * Y)
    assert axes.get_xlabel() == r"$m_\chi$ [GeV]"
    assert axes.get_ylabel() == r"$y = \epsilon^2\,\alpha_D\,\left(m_\chi/m_{A'}\right)^4$"
    np.testing.assert_allclose(axes.get_xlim(), (CHI[0], CHI[-1]))
    bottom, top = axes.get_ylim()
    assert bottom < 0.9**2 * Y.min()
    assert top > 1.6**2 * Y.max()
    assert heading(made) == (
        "A toy search\n" r"90% CL, Dirac $\chi$, $m_{A'} = 3\,m_\chi$, $\alpha_D = 0.1$"
    )
    assert legend(made) == [
        r"expected $\pm 2\sigma$",
        r"expected $\pm 1\sigma$",
        "expected median",
        "observed",
    ]


def test_the_axis_states_the_other_normalisation() -> None:
    (axes,) = draw(in_y("product", model="vector")).axes
    assert axes.get_ylabel() == r"$y = (g_\chi\,g_{Z'})^2\,\left(m_\chi/m_{Z'}\right)^4$"


def test_limits_of_one_variable_are_drawn_together_whatever_their_planes() -> None:
    made = draw(limit(), limit(title="B").to_plane("epsilon"))
    assert len([label for label in lines(made) if "observed" in label]) == 2
    with pytest.raises(InputError, match="of different variables"):
        draw(in_y(), in_y("product"))


def test_the_legend_stands_outside_the_frame() -> None:
    beside = Beside(overlays=("babar-invisible",), bounds=("bbn",))
    look = Appearance(legend="above", label_curves=False)
    made = figure([in_y()], beside=beside, appearance=look)
    (axes,) = made.axes
    assert not axes.texts
    assert made.legends[0].get_window_extent().y0 >= axes.get_window_extent().y1
    assert made.legends[0].get_window_extent().x1 <= made.bbox.x1


def test_thermal_lines_are_those_of_the_solver_in_every_plane() -> None:
    sector = DarkSector(DarkMatter.SCALAR, 0.05, 2.5)
    line = thermal_line(sector, in_y(), CHI)
    target = thermal_target(dark_photon(), sector, CHI)
    np.testing.assert_allclose(line.y, target.y)
    for other in (limit(), limit().to_plane("epsilon")):
        line = thermal_line(sector, other, 2.5 * CHI)
        np.testing.assert_allclose(line.y, target.coupling)
        np.testing.assert_allclose(line.x, 2.5 * CHI)
    line = thermal_line(sector, limit().to_plane("g"), 2.5 * CHI)
    np.testing.assert_allclose(line.y, target.coupling * np.abs(dark_photon().coupling("e")))


def test_lines_of_several_dark_sectors_are_all_told_apart() -> None:
    made = draw(
        limit(), thermal=("scalar",), thermal_alpha_d=(0.1, 0.05, 0.02), thermal_ratio=(3.0, 2.5)
    )
    names = [name for name in legend(made) if name.startswith("relic density")]
    assert len(set(names)) == 6
    assert r"relic density: complex scalar, $\alpha_D = 0.02$, $m_{A'} = 2.5\,m_\chi$" in names
    drawn = lines(made)
    # the smaller alpha_D, the larger the coupling that the abundance needs
    at = [
        drawn[rf"relic density: complex scalar, $\alpha_D = {a}$, $m_{{A'}} = 3\,m_\chi$"][1][50]
        for a in ("0.1", "0.05", "0.02")
    ]
    assert at == sorted(at)
    targets = thermal_lines([limit()], ("scalar",), (0.1, 0.05, 0.02), (3.0, 2.5))
    assert len({(item.look.colour, item.look.dashes) for item in targets if item.look}) == 6
    # at the line itself the species and what tells it from the others
    assert targets[0].text == names[0].removeprefix("relic density: ")
    assert targets[0].name == "relic scalar alpha_D=0.1 ratio=3"


def test_the_mediator_of_a_target_is_that_of_the_result() -> None:
    mine = replace(mediator("b-minus-l"), name="mine")  # type: ignore[type-var]
    found = Limit.from_json(limit(model=mine).to_json())
    line = thermal_line(DIRAC, found, 3.0 * CHI)
    target = thermal_target(mediator("b-minus-l"), DIRAC, CHI)
    np.testing.assert_allclose(line.y, target.coupling)
    assert thermal_notes([found], ("dirac",))[0].startswith("below m_chi of about")


def test_a_curve_in_epsilon_is_converted_with_the_sector_of_the_limit() -> None:
    curve = load_curve("babar-invisible")
    sector = DarkSector(DarkMatter.DIRAC, 0.5, 4.0)
    shown = curve_in_plane(curve, [in_y(sector=sector)])
    np.testing.assert_allclose(shown.x, np.array(curve.x) / 4.0)
    np.testing.assert_allclose(shown.y, np.array(curve.y) ** 2 * 0.5 / 4.0**4)
    np.testing.assert_array_equal(curve_in_plane(curve, [limit()]).y, curve.y)


def test_a_curve_in_y_is_converted_back() -> None:
    found = load_curve("babar-invisible")
    curve = replace(
        found,
        x_axis=load_curve("thermal-scalar-na64").x_axis,
        y_axis=load_curve("thermal-scalar-na64").y_axis,
        points=tuple(zip(found.x, np.geomspace(1e-9, 2e-9, len(found.x)), strict=True)),
    )
    shown = curve_in_plane(curve, [limit()])
    np.testing.assert_allclose(shown.x, 3.0 * np.array(curve.x))
    np.testing.assert_allclose(shown.y, np.sqrt(np.array(curve.y) * 81.0 / 0.1))
    np.testing.assert_array_equal(curve_in_plane(curve, [in_y()]).y, curve.y)
    product = curve_in_plane(curve, [in_y("product")])
    np.testing.assert_allclose(product.y, 4.0 * math.pi * np.array(curve.y))


def test_a_curve_on_the_coupling_becomes_the_alpha_d_of_the_relic() -> None:
    shown = curve_in_plane(load_curve("babar-invisible"), [relic("scalar")])
    assert shown.kind is Kind.LIMIT
    assert shown.until is not None
    assert np.all(shown.until < shown.y)
    row = int(np.searchsorted(shown.x, 0.1))  # BaBar's limit is flat up to m_A' = 1.6 GeV
    sector = DarkSector(DarkMatter.SCALAR, float(shown.y[row]), 3.0)
    needed = thermal_target(dark_photon(), sector, [shown.x[row]]).coupling[0]
    # 2 %: interpolated between values of alpha_D, and the curve's three digits
    assert needed == pytest.approx(9.52e-4, rel=0.02)


def test_excluded_sides_are_shaded_above_and_for_alpha_d_below() -> None:
    def shaded(made: Figure, x: float, y: float) -> bool:
        label = "BaBar 2017 (arXiv:1702.03327)"
        (item,) = (item for item in made.axes[0].collections if item.get_label() == label)
        return any(path.contains_point((x, y)) for path in item.get_paths())

    for shown, edge in ((in_y(), 9.52e-4**2 * 0.1 / 81.0), (limit(), 9.52e-4)):
        above = draw(shown, overlays=("babar-invisible",))
        assert shaded(above, 0.1, 2.0 * edge)
        assert not shaded(above, 0.1, 0.5 * edge)
    below = draw(relic("scalar"), overlays=("babar-invisible",))
    edge = 1.64e-9 * 81.0 / 9.52e-4**2  # the target in y, of which epsilon^2 is the limit
    assert shaded(below, 0.1, 0.5 * edge)
    assert not shaded(below, 0.1, 2.0 * edge)


def test_the_curve_of_the_search_is_a_line_and_drawn_by_default() -> None:
    own = limit(cards=(card(name="na64e-2016-2022"),))
    assert default_overlays(own) == default_overlays(own.to_plane("y")) == ("na64e-2016-2022",)
    assert default_overlays(limit()) == default_overlays(relic("scalar")) == ()
    assert curve_in_plane(load_curve("na64e-2016-2022"), [own]).kind is Kind.LINE
    assert curve_in_plane(load_curve("na64e-2016-2022"), [limit()]).kind is Kind.LIMIT


def test_landau_poles_are_levels_at_their_values() -> None:
    made = draw(relic("scalar"), relic("pseudo-dirac", 0.1), bounds=("landau-tev",))
    drawn = lines(made)
    for species, name in (("scalar", "complex scalar"), ("pseudo-dirac", "pseudo-Dirac")):
        value = landau_pole(DarkMatter(species), 1e3)
        np.testing.assert_allclose(drawn[f"Landau pole below 1 TeV ({name})"][1], value)
    assert [name for name in legend(made) if "observed" in name] == [
        "complex scalar (observed)",
        "pseudo-Dirac (observed)",
    ]
    assert heading(draw(relic("scalar"))).endswith(
        r"thermal complex scalar $\chi$, $m_{A'} = 3\,m_\chi$"
    )


def test_the_mass_floor_is_a_band_that_names_its_source() -> None:
    # against the mediator's mass the band ends at the ratio times that
    for shown, scale in ((in_y(), 1.0), (limit(), 3.0), (limit().to_plane("g"), 3.0)):
        made = draw(shown, bounds=("bbn+cmb",))
        assert "arXiv:1910.01649" in legend(made)[-1]
        label = MASS_FLOORS["bbn+cmb"].label
        (patch,) = (item for item in made.axes[0].patches if item.get_label() == label)
        assert patch.get_x() + patch.get_width() == pytest.approx(scale * 3.7e-3)


@pytest.mark.parametrize("plane", ["y", "epsilon", "coupling"])
def test_the_microwave_background_lies_far_below_the_dirac_target(plane: str) -> None:
    shown = limit() if plane == "coupling" else limit().to_plane(plane)
    drawn = lines(draw(shown, thermal=("dirac",), bounds=("cmb",)))
    x, bound = drawn["CMB, symmetric Dirac (arXiv:1807.06209)"]
    thermal_x, target = drawn["relic density: Dirac"]
    ratio = np.interp(np.log(thermal_x), np.log(x), np.log(bound)) - np.log(target)
    assert np.all(ratio < math.log(0.1) * (1.0 if plane == "y" else 0.5))


def test_published_targets_lie_within_a_third_of_ours() -> None:
    drawn = lines(draw(in_y(), thermal=("scalar",), overlays=("thermal-scalar-na64",)))
    x, ours = drawn["relic density: complex scalar"]
    there_x, there = drawn["Complex scalar (as drawn by NA64)"]
    ratio = np.exp(np.interp(np.log(x), np.log(there_x), np.log(there))) / ours
    # docs/relic.md has the table; between 1.2 MeV and 0.3 GeV
    assert np.all((ratio[10:] > 0.67) & (ratio[10:] < 1.2))
    product = lines(draw(in_y("product"), overlays=("thermal-scalar-na64",)))
    other = product["Complex scalar (as drawn by NA64)"][1]
    np.testing.assert_allclose(other, 4.0 * math.pi * there)


def test_a_projection_is_drawn_by_its_median() -> None:
    made = draw(in_y(expected_only=True, regions=((),) * 12))
    np.testing.assert_allclose(lines(made)["expected median"][1], 1.1**2 * Y)


def test_far_overlays_do_not_squeeze_the_limit() -> None:
    far = Drawn("far", CHI, 1e-30 * np.ones(12))
    bottom, _ = draw(in_y(), overlays=(far,)).axes[0].get_ylim()
    assert bottom > 1e-3 * Y.min()


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_two_runs_write_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    written = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.{suffix}"
        save_figure(in_y().plot(beside=Beside(bounds=("bbn",))), path)
        written.append(path.read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("shown", "beside", "message"),
    [
        (relic("scalar"), {"thermal": ("scalar",)}, "the limit itself is that of a thermal relic"),
        (relic("scalar"), {"bounds": ("cmb",)}, "no bound of the microwave background"),
        (relic("scalar"), {"overlays": ("na64e-2016-2022",)}, "a limit is needed that holds"),
        (limit(), {"bounds": ("landau-tev",)}, "it belongs in the plane of alpha-d"),
        (limit(), {"bounds": ("cmd",)}, "unknown bound 'cmd' (did you mean 'cmb'?)"),
        (limit(), {"thermal": ("scalr",)}, "did you mean 'scalar'?"),
        (limit(), {"overlays": ("thermal-scalar-na64",)}, "convert the limit to the plane of y"),
        (
            limit(),
            {"overlays": ("na64-alp-2020",)},
            "alp is photon-coupled, and rates are compared",
        ),
        (limit(sector=None), {"thermal": ("scalar",)}, "say for which alpha_D and mass ratio"),
        (limit(sector=None), {"bounds": ("bbn",)}, "beside a limit without dark matter"),
        (limit(model="scalar"), {"thermal": ("dirac",)}, "needs a vector mediator"),
        (
            limit(model="alp", sector=None).to_plane("g-agg"),
            {"thermal": ("dirac",), "thermal_alpha_d": (0.1,), "thermal_ratio": (3.0,)},
            "no thermal target in the plane of g-agg",
        ),
        (limit(masses=np.geomspace(45, 60, 12)), {"thermal": ("dirac",)}, "are known for m_chi in"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, (str, dict)) else "",
)
def test_what_has_no_place_is_refused(shown: Limit, beside: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        draw(shown, **beside)
    assert message in str(refused.value)
    assert "--" not in str(refused.value)


def test_numbers_of_targets_need_a_species_and_curves_gev() -> None:
    with pytest.raises(InputError, match="say of which species"):
        Beside(thermal_ratio=(3.0,))
    curve = replace(load_curve("babar-invisible"), x_axis=Axis("m_A'", "MeV"))
    with pytest.raises(InputError, match="has masses in MeV, not GeV"):
        draw(limit(), overlays=(curve,))


def test_no_two_limits_have_the_same_name() -> None:
    def names(*titles: str) -> list[str]:
        made = figure([in_y(title=title) for title in titles], names=["a.json", "b.json"])
        return [text for text in legend(made) if "observed" in text]

    assert names("A search", "A search") == ["a.json (observed)", "b.json (observed)"]
    assert names("A search, 1e9", "A search, 1e10") == [
        r"$10^{9}$ (observed)",
        r"$10^{10}$ (observed)",
    ]


def test_limits_of_several_alpha_d_have_the_colours_of_their_targets() -> None:
    limits = [in_y(sector=replace(DIRAC, alpha_d=a)) for a in (0.5, 0.1)]
    made = draw(*limits, thermal=("dirac",))
    colours = {str(line.get_label()): line.get_color() for line in made.axes[0].get_lines()}
    for alpha in ("0.5", "0.1"):
        words = rf"$\alpha_D = {alpha}$"
        assert colours[f"{words} (observed)"] == colours[f"relic density: Dirac, {words}"]
    assert not any("expected" in text for text in legend(made))  # whose would they be?


def test_a_relic_region_ends_between_two_masses_in_a_tip() -> None:
    x, y = lines(draw(relic("scalar", rows=8)))["observed"]
    assert CHI[7] < np.nanmax(x) < CHI[8]
    assert y[np.nanargmax(x)] == pytest.approx(0.1 * math.sqrt(1e-3), rel=0.1)


def test_a_published_region_that_ends_at_one_mass_is_shaded_but_for_that_of_the_search() -> None:
    """Its edges end at one mass, where the figure of the paper or the decay begins."""
    curve = load_curve("e141-visible")
    assert curve.x[0] == curve.x[-1]
    assert curve.y[-1] > 100.0 * curve.y[0]
    assert curve_in_plane(curve, [limit()]).kind is Kind.REGION
    own = limit(cards=(card(name="na64e-visible-2017-2018"),))
    assert curve_in_plane(load_curve("na64-visible-2020"), [own]).kind is Kind.LINE
