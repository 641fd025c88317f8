"""Shipped curves of axion-like particles, B-L and L_mu-L_tau: what papers say, and scaling laws.

Numbers of papers are those of their abstracts; where the list a curve was made from cannot be that
exact, the tolerance says why.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from na64.models.anomalies import MEASUREMENTS, coupling_band
from na64.workspaces.io.curves import Curve, CurveKind, load_curve, selected_curves

FloatArray = NDArray[np.float64]

REGIONS = tuple(curve.name for curve in selected_curves(group="region"))
PROJECTED = tuple(
    curve.name for curve in selected_curves(group="projection") if curve.kind is CurveKind.REGION
)
ALP = tuple(curve.name for curve in selected_curves(model="alp"))


def crossing(segment: FloatArray, other: FloatArray) -> bool:
    """Whether two segments, each of two points, meet; touching counts."""

    def side(of: FloatArray, point: FloatArray) -> float:
        (ax, ay), (bx, by) = of
        return float(np.sign((bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)))

    return (
        side(segment, other[0]) * side(segment, other[1]) <= 0.0
        and side(other, segment[0]) * side(other, segment[1]) <= 0.0
    )


def edges(curve: Curve, mass: float) -> tuple[float, float]:
    """Return the lowest and the highest coupling of a closed region at a mass."""
    log_x, log_y, at = np.log(curve.x), np.log(curve.y), np.log(mass)
    found = [
        y0 + (y1 - y0) * (at - x0) / (x1 - x0)
        for (x0, x1), (y0, y1) in zip(
            itertools.pairwise(log_x), itertools.pairwise(log_y), strict=True
        )
        if (x0 - at) * (x1 - at) <= 0.0 and x0 != x1
    ]
    return float(np.exp(min(found))), float(np.exp(max(found)))


@pytest.mark.parametrize("name", [*REGIONS, *PROJECTED])
def test_regions_are_simple_paths(name: str) -> None:
    curve = load_curve(name)
    path = np.log(np.array(curve.points))
    if curve.points[0] != curve.points[-1]:  # it ends where its figure does, and is drawn open
        assert not name.endswith(("-alp", "-projection"))
        path = np.vstack([path, path[:1]])
    sides = [path[i : i + 2] for i in range(len(path) - 1)]
    assert all(np.any(side[0] != side[1]) for side in sides)
    for first, second in itertools.combinations(range(len(sides)), 2):
        if second - first > 1 and (first, second) != (0, len(sides) - 1):
            assert not crossing(sides[first], sides[second]), (first, second)


def test_segments_cross_or_not() -> None:
    flat, steep = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.5, -1.0], [0.5, 1.0]])
    assert crossing(flat, steep)
    assert not crossing(flat, steep + np.array([0.0, 1.5]))
    assert not crossing(flat, steep + np.array([0.6, 0.0]))


@pytest.mark.parametrize("name", ALP)
def test_units_of_axion_like_particles(name: str) -> None:
    # masses in GeV and couplings in 1/GeV, from stars to the LHC: nothing in eV or MeV
    curve = load_curve(name)
    assert (curve.x_axis.unit, curve.y_axis.unit) == ("GeV", "GeV^-1")
    assert (curve.x_axis.name, curve.y_axis.name) == ("m_a", "g_agg")
    assert 1e-7 < min(curve.x) < max(curve.x) < 150.0
    assert 1e-13 < min(curve.y) <= max(curve.y) < 1.5


def test_belle_ii_and_besiii() -> None:
    # arXiv:2007.13071: 0.2 < m_a < 9.7 GeV, limits at the level of 1e-3 GeV^-1
    belle = load_curve("belle-ii-alp-2020")
    assert belle.confidence_level == 0.95
    assert belle.x[0] == pytest.approx(0.2, rel=0.02)  # read off a logarithmic axis
    assert belle.x[-1] == pytest.approx(9.7, rel=0.02)
    mean = np.exp(np.mean(np.log(belle.at(np.geomspace(0.2, 1.0, 60)))))
    assert mean == pytest.approx(1e-3, rel=0.15)  # "level": one digit
    # arXiv:2211.12699 begins at 0.165 GeV and is the more stringent up to 1.468 GeV
    pieces = [load_curve(f"besiii-alp-2022-{part}") for part in ("low", "middle", "high")]
    assert pieces[0].x[0] == pytest.approx(0.165, rel=0.02)
    assert all(before.x[-1] < after.x[0] for before, after in itertools.pairwise(pieces))
    for piece in pieces:
        masses = np.array([m for m in piece.x if belle.x[0] < m < 1.468])
        assert np.mean(np.log(piece.at(masses) / belle.at(masses))) < -0.05


def test_luminosity_of_belle_ii() -> None:
    # background grows with the luminosity L: sigma ~ L^-1/2 and g ~ sigma^1/2. The projection has
    # a detector of its own and is not the search of 2020: a factor of two
    now, later = load_curve("belle-ii-alp-2020"), load_curve("belle-ii-alp-50ab-projection")
    masses = np.geomspace(0.25, 6.0, 200)
    ratio = np.median(now.at(masses) / later.at(masses))
    assert 0.5 < ratio / (50e6 / 445.0) ** 0.25 < 2.0
    assert later.projection
    assert not now.projection


def test_stars_and_supernova() -> None:
    # arXiv:2207.03102: g < 0.47e-10 GeV^-1 of light particles
    stars = load_curve("globular-clusters-alp")
    assert min(stars.y) == pytest.approx(0.47e-10, rel=0.01)
    # neutrinos carry the heat of SN1987A away in both evaluations: the least coupling that steals
    # it is the same but for the model of the core, a factor of two
    old, new = load_curve("sn1987a-alp-2018"), load_curve("sn1987a-alp-2021")
    for mass in (0.002, 0.01, 0.02):
        assert 1.0 < edges(old, mass)[0] / edges(new, mass)[0] < 2.5


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("e137-alp", (1e-4, 3e-3), (6e-3, 4e-2)),
        ("miniboone-alp-2023", (2e-4, 1e-2), (1e-2, 5e-2)),
        ("faser-alp-projection", (1e-3, 1e-2), (7e-3, 2e-2)),
        ("faser2-alp-projection", (1e-3, 1e-2), (1e-2, 5e-2)),
        ("nucal-alp", (1.05e-2, 2e-2), (2e-2, 6e-2)),
        ("charm-alp", (1.05e-2, 2e-2), (2e-2, 4e-2)),
        ("seaquest-alp-projection", (1.05e-2, 3e-2), (2e-2, 8e-2)),
        ("na62-alp-projection", (1.05e-2, 3e-2), (1.5e-2, 8e-2)),
    ],
)
def test_edges_of_decays_in_flight(
    name: str, low: tuple[float, float], high: tuple[float, float]
) -> None:
    # few decays: production g^2 times length over decay length g^2 m^4, so g ~ 1/m. Many: the
    # decay length must reach the detector, g^2 m^4 = const but for a logarithm, so g ~ m^-2
    curve = load_curve(name)
    slopes = [
        np.log(edges(curve, b)[side] / edges(curve, a)[side]) / np.log(b / a)
        for side, (a, b) in enumerate((low, high))
    ]
    # the flux of protons' photons depends on the mass too: 0.15; the logarithm and the steep
    # spectrum of the fastest particles tilt the upper edge
    assert slopes[0] == pytest.approx(-1.0, abs=0.15)
    assert slopes[1] == pytest.approx(-2.15, abs=0.35)


def test_dumps_one_by_one_make_the_joined_region() -> None:
    joined, single = load_curve("beam-dump-alp"), load_curve("e137-alp")
    for mass in (0.02, 0.05, 0.1, 0.2, 0.4):
        # two readings of one figure, on an axis of many decades
        assert edges(joined, mass)[0] == pytest.approx(edges(single, mass)[0], rel=0.10)
    # above the upper edge of E137 the others take over
    assert edges(load_curve("nucal-alp"), 0.1)[1] > edges(single, 0.1)[1]


def test_neutrinos_and_b_minus_l() -> None:
    texono, borexino, charm = (
        load_curve(f"{name}-b-minus-l") for name in ("texono", "borexino", "charm-ii")
    )
    # boson heavier than the momenta: contact interaction g^2/m^2
    for curve, (a, b), tolerance in (
        (texono, (0.01, 0.3), 0.04),
        (borexino, (0.001, 10.0), 0.15),  # four decades of an axis, drifts by 14 %
    ):
        assert curve.at(b) / curve.at(a) == pytest.approx(b / a, rel=tolerance)
    # lighter: the momenta of recoils, some 0.1 GeV for CHARM-II's, decide
    assert charm.at(1e-6) / charm.at(0.01) == pytest.approx(1.0, abs=0.03)
    assert charm.at(1.0) / charm.at(0.5) == pytest.approx(2.0, rel=0.15)
    # solar and reactor neutrinos reach less momentum: theirs is the better limit of light bosons
    assert texono.at(5e-3) < borexino.at(5e-3) < charm.at(5e-3)
    assert charm.at(0.3) < texono.at(0.3) < borexino.at(0.3)


def test_loop_mixing_of_l_mu_l_tau() -> None:
    # neutrinos of a B-L boson scatter by its coupling, those of an L_mu-L_tau boson by its loop:
    # one number apart where the loop is constant, far below 2 m_mu. 6 % is the reading of two axes
    masses = np.geomspace(0.0025, 0.024, 20)
    ratio = load_curve("borexino-l-mu-l-tau").at(masses) / load_curve("borexino-b-minus-l").at(
        masses
    )
    assert ratio == pytest.approx(np.full(20, np.median(ratio)), rel=0.06)
    white = load_curve("white-dwarfs-l-mu-l-tau")
    assert white.at(0.1) / white.at(0.003) == pytest.approx(0.1 / 0.003, rel=0.06)
    # the loop is largest at the threshold of muon pairs: g/m is least there
    per_mass = {mass: float(white.at(mass)) / mass for mass in (0.05, 0.22, 0.8)}
    assert per_mass[0.22] < 0.92 * per_mass[0.05]
    assert per_mass[0.22] < 0.92 * per_mass[0.8]


def test_tridents() -> None:
    ccfr = load_curve("ccfr-l-mu-l-tau")
    # lighter than the momenta: only logarithms of the mass; heavier: contact interaction
    assert 0.7e-3 < ccfr.at(0.002) < ccfr.at(0.05) < 1e-3
    assert ccfr.at(100.0) / ccfr.at(10.0) == pytest.approx(10.0, rel=0.03)
    # the moment of the muon of 2021 is not explained above 0.3 GeV (abstract of arXiv:2506.05511)
    # to 0.4 GeV (arXiv:1406.2332), depending on how well it is to be explained
    masses = np.geomspace(0.05, 2.0, 300)
    band = coupling_band(MEASUREMENTS["mu-2021"], "vector", masses, sigmas=2.0)
    excluded = masses[np.asarray(band.lower) > ccfr.at(masses)]
    assert 0.3 < excluded[0] < 0.4


def test_b_factories_and_l_mu_l_tau() -> None:
    # arXiv:1606.03501: 0.212-10 GeV, as low as 7e-4; the reading samples the minima, 10 %
    babar = load_curve("babar-4mu-l-mu-l-tau")
    assert min(babar.y) == pytest.approx(7e-4, rel=0.10)
    assert 0.212 < babar.x[0] < babar.x[-1] < 10.0
    # arXiv:1912.11276: 5e-2 to 1 up to 6 GeV
    belle = load_curve("belle-ii-invisible-l-mu-l-tau-2019")
    assert belle.at(0.5) == pytest.approx(5e-2, rel=0.05)
    assert belle.x[-1] == pytest.approx(6.0, rel=0.01)
    assert belle.y[-1] == pytest.approx(1.0, rel=0.02)


def test_phases_of_m3() -> None:
    # arXiv:1804.03144: 1e10 and 1e13 muons; without background g ~ N^-1/2
    first, second = (load_curve(f"m3-phase-{k}-l-mu-l-tau-projection") for k in (1, 2))
    masses = np.geomspace(0.004, 0.7, 40)
    ratio = first.at(masses) / second.at(masses)
    assert ratio == pytest.approx(np.full(40, 1e3**0.5), rel=0.05)  # two times 2 % of thinning


def test_x17() -> None:
    # arXiv:2504.11439: 16.88 +- 0.05 MeV, within the wider box of beryllium
    box, beryllium = load_curve("x17-combined-2025"), load_curve("x17-beryllium")
    assert (min(box.x) + max(box.x)) / 2 == pytest.approx(0.01688)
    assert max(box.x) - min(box.x) == pytest.approx(1e-4)
    assert min(beryllium.x) < min(box.x) < max(box.x) < max(beryllium.x)
    assert (min(box.y), max(box.y)) == (min(beryllium.y), max(beryllium.y))
