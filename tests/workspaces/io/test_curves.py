"""Published curves: the shipped files and the reader of their format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.mediators.registry import BUILT_IN
from na64.workspaces.io.curves import (
    CurveKind,
    Level,
    available_curves,
    load_curve,
    log_log_interpolation,
    parse_curve,
    selected_curves,
)
from na64.workspaces.io.problems import FileProblemsError

CURVE = """
name = "mine"
title = "A curve"
kind = "limit"
confidence_level = 0.9
x = { name = "m", unit = "GeV" }
y = { name = "epsilon", unit = "1" }
model = "dark-photon"
production = ["e+ e- -> gamma X"]
final_state = ["invisible"]
provenance = "made up"
points = [[0.01, 1e-4], [0.1, 1e-3], [1.0, 1e-1]]
[source]
paper = "none"
"""


@pytest.mark.parametrize("name", available_curves())
def test_shipped_curves_say_what_they_are(name: str) -> None:
    curve = load_curve(name)
    assert curve.name == name
    if curve.kind is not CurveKind.THERMAL:
        assert curve.reference.arxiv or curve.reference.doi
        assert curve.reference.doi.startswith("10.") or not curve.reference.doi
        assert curve.model in BUILT_IN
        assert curve.production
        assert curve.final_state
    assert len(curve.provenance) > 20
    without = curve.kind is CurveKind.THERMAL or curve.level is Level.NONE
    assert (curve.confidence_level is None) == without
    if name.startswith("na64e"):
        assert curve.confidence_level == 0.9
        assert (curve.x_axis.unit, curve.y_axis.unit) == ("GeV", "1")


@pytest.mark.parametrize(
    ("name", "mass", "epsilon"),
    [
        # read off the figures by eye: NA64 at 0.1 GeV about 2e-4 with 9.37e11 electrons
        # (arXiv:2307.02404), 3.4e-4 with 2.84e11 (arXiv:1906.00176), BaBar 1e-3 (arXiv:1702.03327)
        ("na64e-2016-2022", 0.1, 2.1e-4),
        ("na64e-2019", 0.1, 3.4e-4),
        ("babar-invisible", 0.1, 1.0e-3),
    ],
)
def test_values(name: str, mass: float, epsilon: float) -> None:
    assert load_curve(name).at(mass) == pytest.approx(epsilon, rel=0.15)  # reading a log axis


def test_selection() -> None:
    projections = {curve.name for curve in selected_curves(group="projection")}
    assert {"ldmx-2018-4gev", "na64mu-2e13-projection"} <= projections
    assert not projections & {curve.name for curve in selected_curves(group="limit")}
    # the variants of a model are found by its name, what merely begins alike is not
    assert "na64e-b-minus-l-2022" in {curve.name for curve in selected_curves(model="b-minus-l")}
    assert not selected_curves(model="vector", group="thermal")
    seen = selected_curves(model="dark-photon", final_state="e+ e-")
    assert {"na64-visible-2018", "na64-visible-2020"} <= {curve.name for curve in seen}
    for wrong in ({"model": "b-minus"}, {"group": "limits"}, {"final_state": "e+e-"}):
        with pytest.raises(InputError, match="did you mean"):
            selected_curves(**wrong)


def test_regions() -> None:
    # tips by the papers' abstracts and figures: visible 24 MeV (arXiv:1912.11389), ALP 55 MeV
    # (arXiv:2005.02710)
    assert max(load_curve("na64-visible-2020").x) == pytest.approx(0.0248, rel=0.03)
    assert max(load_curve("na64-alp-2020").x) == pytest.approx(0.055, rel=0.03)
    names = ("visible-2018", "visible-2020", "alp-2020")
    assert all(load_curve(f"na64-{name}").kind is CurveKind.REGION for name in names)
    # 23 MeV in the abstract of arXiv:1803.07748: the list is narrower than the paper states
    assert max(load_curve("na64-visible-2018").x) == pytest.approx(0.023, rel=0.10)


def test_thermal_lines_are_ordered() -> None:
    # at alpha_D = 0.1, m_A' = 3 m_chi a complex scalar needs about twice the y of a Majorana
    # fermion (p-wave both) and some twenty times that of a pseudo-Dirac pair (s-wave)
    m_chi = [0.003, 0.01, 0.1]
    scalar, majorana, dirac = (
        load_curve(f"thermal-{name}-na64").at(m_chi)
        for name in ("scalar", "majorana", "pseudo-dirac")
    )
    assert np.all((scalar / majorana > 1.6) & (scalar / majorana < 2.5))
    assert np.all((scalar / dirac > 8.0) & (scalar / dirac < 40.0))


def test_resonance_of_2021() -> None:
    curve = load_curve("na64e-2021-fermion")
    without = load_curve("na64e-2019")
    improvement = without.at([0.05, 0.235, 0.6]) / curve.at([0.05, 0.235, 0.6])
    assert 3.0 < improvement[1] < 6.0
    assert improvement[[0, 2]] == pytest.approx(1.0, abs=0.3)


def test_interpolation_is_linear_in_the_logarithms() -> None:
    curve = parse_curve(CURVE, "test")
    assert curve.at(0.05) == pytest.approx(5e-4)  # epsilon = m/100 below 0.1
    assert curve.at([[0.1, 1.0]]) == pytest.approx(np.array([[1e-3, 1e-1]]))
    assert curve.at(10**-0.5) == pytest.approx(1e-2)
    assert curve.covers([0.005, 0.01, 2.0]).tolist() == [False, True, False]
    with pytest.raises(InputError, match=r"curve mine covers 0\.01-1 GeV only"):
        curve.at([0.1, 2.0])
    assert log_log_interpolation(2.0, [0.1, 1.0], [1.0, 3.0]) == pytest.approx(3.0)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(CURVE)
    curve = load_curve(file)
    assert curve.label == "A curve"
    assert curve.source == "none"
    with pytest.raises(InputError, match=r"unknown curve 'babar'.*allowed: "):
        load_curve("babar")
    with pytest.raises(InputError, match="no such file"):
        load_curve(tmp_path / "none.toml")
    file.write_text("points = [")
    with pytest.raises(InputError, match="not TOML"):
        load_curve(file)


def test_a_region_has_an_inside() -> None:
    region = CURVE.replace('"limit"', '"region"')
    assert len(parse_curve(region, "test").points) == 3
    with pytest.raises(FileProblemsError, match="must have 3 points or more, has 2"):
        parse_curve(region.replace(", [1.0, 1e-1]", ""), "test")


def test_regions_and_thermal_lines() -> None:
    region = CURVE.replace('"limit"', '"region"').replace("[1.0, 1e-1]", "[0.05, 1e-2]")
    curve = parse_curve(region, "test")
    assert curve.kind is CurveKind.REGION
    assert curve.covers([0.01, 0.2]).tolist() == [True, False]
    with pytest.raises(InputError, match="closed region"):
        curve.at(0.05)
    thermal = CURVE.replace('"limit"', '"thermal"').replace("confidence_level = 0.9", "")
    assert parse_curve(thermal, "test").confidence_level is None
    for given, words in (
        ("confidence_level = 0.9", "90 %"),
        ('confidence_level = 0.9\nlevel = "assumed"', "90 % (assumed)"),
        ('level = "none"', ""),
    ):
        other = CURVE.replace("confidence_level = 0.9", given)
        assert parse_curve(other, "test").level_words == words


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ("confidence_level = 0.9", "", "confidence_level", "missing"),
        ("confidence_level = 0.9", "confidence_level = 90", "confidence_level", "below 1"),
        ('"limit"', '"limits"', "kind", "did you mean 'limit'"),
        ('"limit"', '"thermal"', "confidence_level", "a thermal line has none"),
        ("level = 0.9", 'level = 0.9\nlevel = "none"', "confidence_level", "level = none has none"),
        ("level = 0.9", 'level = 0.9\nlevel = "asumed"', "level", "did you mean 'assumed'"),
        (', unit = "GeV"', "", "x.unit", "missing"),
        ("[0.1, 1e-3]", "[0.1, -1e-3]", "points[1][1]", "must be positive"),
        ("[0.1, 1e-3]", "[0.1]", "points[1]", "pair"),
        ("[0.1, 1e-3]", "[0.01, 1e-3]", "points[1]", "x must increase, is 0.01 after 0.01"),
        ("[0.1, 1e-3], [1.0, 1e-1]", "", "points", "must have 2 points or more, has 1"),
        ('paper = "none"', "", "source.paper", "missing"),
        ('paper = "none"', 'paper = "none"\nurl = "x"', "source.url", "unknown key"),
        ('provenance = "made up"', "", "provenance", "missing"),
        ('model = "dark-photon"', "", "model", "missing; it must be one of dark-photon"),
        ('"dark-photon"', '"dark-foton"', "model", "did you mean 'dark-photon'"),
        ("e- -> gamma X", "e- -> gama X", "production[0]", "did you mean 'e+ e- -> gamma X'"),
        ('"invisible"', '"invisibel"', "final_state[0]", "did you mean 'invisible'"),
        ('["invisible"]', '["e+ e-"]', "lifetime", "missing; it must be prompt or displaced"),
        ('["invisible"]', '["any"]\nlifetime = "prompt"', "lifetime", "left out where X is any"),
        ('["invisible"]', '["invisible"]\nalpha_d = -1', "alpha_d", "must be positive"),
        ('["invisible"]', '["invisible"]\ndark_matter = "dirc"', "dark_matter", "mean 'dirac'"),
    ],
)
def test_problems(old: str, new: str, path: str, message: str) -> None:
    assert old in CURVE
    with pytest.raises(FileProblemsError) as caught:
        parse_curve(CURVE.replace(old, new, 1), "test")
    found = {problem.path: problem.message for problem in caught.value.problems}
    assert message in found[path]
