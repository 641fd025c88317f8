"""From a stored scan to another plane: exact factors, refusals, and scans repeated where needed."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from na64.limits import Limit, scan, specify, to_plane
from na64.limits.calculators.status import Status
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import VectorMediator, dark_photon
from na64.models.relic.targets import thermal_target
from tests.shared import open_regions, toy_limit

# one mass with emission alone, the peak and the upper edge of the resonance, emission again
MASSES = (0.01, 0.235, 0.3, 0.6)


def scanned(**options: Any) -> Limit:
    return scan("na64e-2016", masses_gev=MASSES, method="asymptotic", **options)


@pytest.fixture(scope="module")
def stored() -> Limit:
    return Limit.from_json(scanned().to_json())


def toy(search: str = "na64e-2016", masses_gev: Any = (0.03, 0.3), **words: Any) -> Limit:
    """A result with a limit at the first mass and none at the second; words of either kind."""
    changes = {name: words.pop(name) for name in list(words) if name in Limit.__dataclass_fields__}
    usual = {
        "regions": (((1e-4, None),), ()),
        "expected_regions": tuple(
            open_regions(k * np.array([1e-4, 2e-4])) for k in (0.9, 0.95, 1.0, 1.2, 1.5)
        ),
        "events_limit": np.array([2.3, math.nan]),
        "yields": {"emission": np.array([2.3e8, 1e7])},
        "status": (Status.OK, Status.NO_EXCLUSION),
    }
    return toy_limit(specify(search, masses_gev=masses_gev, **words), **{**usual, **changes})


def test_y_is_the_formula_for_limit_bands_and_gaps() -> None:
    limit = toy().to_plane("y")
    factor = 0.1 / 3.0**4
    assert limit.masses_gev == pytest.approx([0.01, 0.1])
    np.testing.assert_allclose(limit.observed, [1e-8 * factor, math.nan])
    np.testing.assert_allclose(limit.expected, toy().expected ** 2 * factor)
    assert limit.regions[0][0][1] is None
    assert limit.status == ("ok", "no-exclusion")
    assert limit.y.definition == "y = epsilon^2 alpha_D (m_chi/m_mediator)^4"
    assert limit.plane.assumptions == "dirac, alpha_D = 0.1, m_mediator = 3 m_chi"


def test_the_other_normalisation_of_y_is_four_pi_larger_and_says_so() -> None:
    one, other = (toy().to_plane("y", normalisation=name) for name in ("alpha-d", "product"))
    assert other.observed[0] / one.observed[0] == pytest.approx(4.0 * math.pi)
    assert other.y.definition == "y = (g_chi epsilon)^2 (m_chi/m_mediator)^4"


def test_both_edges_of_closed_regions_are_converted() -> None:
    closed = toy(regions=(((1e-4, 1e-3), (1e-2, None)), ()))
    (first, second), empty = closed.to_plane("y").regions
    factor = 0.1 / 81.0
    assert first == pytest.approx((1e-8 * factor, 1e-6 * factor))
    assert second == (pytest.approx(1e-4 * factor), None)
    assert empty == ()


def test_g_is_epsilon_times_the_charge() -> None:
    limit = toy().to_plane("g")
    assert limit.y.name == "g_e"
    assert limit.observed[0] == pytest.approx(1e-4 * ELEMENTARY_CHARGE)
    assert limit.masses_gev == pytest.approx(toy().masses_gev)


def test_a_free_coupling_g_is_its_own_plane_and_that_of_its_fermions() -> None:
    exclusion = toy(model="l-mu-l-tau")
    assert exclusion.to_plane("g").y.label == "$g_{Z'}$"
    assert exclusion.to_plane("g").observed[0] == 1e-4
    assert exclusion.to_plane("g", fermion="mu").observed[0] == pytest.approx(1e-4)
    # the loop: |epsilon|/g = 1/69.3 at small masses, and the electron couples with e epsilon
    at_loop = exclusion.to_plane("g", fermion="e").observed[0]
    loop = abs(float(mediator("l-mu-l-tau").coupling("e", np.array([0.03**2]))[0]))
    assert at_loop == pytest.approx(1e-4 * loop)
    assert loop == pytest.approx(ELEMENTARY_CHARGE / 69.3, rel=0.02)


def test_emission_carries_any_dark_sector() -> None:
    emission = toy(
        masses_gev=(0.02, 0.9),
        yields={"emission": np.array([2.3e8, 1e7]), "annihilation": np.zeros(2)},
    )
    changed = to_plane(emission, "y", alpha_d=0.5, ratio=4.0, dark_matter="scalar")
    assert changed.masses_gev == pytest.approx([0.005, 0.225])
    assert changed.observed[0] == pytest.approx(1e-8 * 0.5 / 4.0**4)
    assert changed.specification.dark_sector == DarkSector(DarkMatter.SCALAR, 0.5, 4.0)
    assert changed.origin is not None
    assert changed.origin.specification == emission.specification
    assert changed.warnings == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alpha_d": 0.5}, "dark matter dirac, alpha_D = 0.5, ratio 3"),
        ({"dark_matter": "scalar"}, "dark matter scalar, alpha_D = 0.1, ratio 3"),
        ({"ratio": 2.5}, "dark matter dirac, alpha_D = 0.1, ratio 2.5"),
    ],
)
@pytest.mark.parametrize("plane", ["y", "g", "epsilon"])
def test_on_the_resonance_a_change_is_refused_with_the_scan_to_run(
    stored, plane, change, words
) -> None:
    with pytest.raises(InputError, match="cannot carry that") as caught:
        to_plane(stored, plane, **change)
    assert f"scan na64e-2016 for the model dark-photon, {words}; or have" in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"alpha_d": 0.5}, {"dark_matter": "scalar"}, {"ratio": 2.5, "alpha_d": 0.02}]
)
def test_recomputing_gives_the_direct_scan(stored, change) -> None:
    limit = to_plane(stored, "y", policy="recompute", **change)
    direct = scanned(**change).to_plane("y")
    assert limit.masses_gev == pytest.approx(direct.masses_gev)
    # 0.5 %: annihilation below 1 % of the events is dropped where emission dominates
    np.testing.assert_allclose(limit.observed, direct.observed, rtol=0.01)
    np.testing.assert_allclose(limit.expected, direct.expected, rtol=0.01)
    # at the peak it is the same computation
    assert limit.observed[1] == pytest.approx(direct.observed[1], rel=1e-9)
    # the other says that the formulas are made for many events
    (note,) = [text for text in limit.warnings if "the method 'asymptotic'" not in text]
    assert note.startswith("scanned anew at ")


def test_what_cannot_be_carried_can_be_left_out(stored) -> None:
    limit = to_plane(stored, "y", alpha_d=0.5, policy="leave-out")
    whole = to_plane(stored, "y", alpha_d=0.5, policy="recompute")
    np.testing.assert_array_equal(limit.masses_gev, whole.masses_gev)
    assert limit.left_out.tolist() == [False, True, True, False]
    assert limit.complete
    kept = ~limit.left_out
    np.testing.assert_allclose(limit.observed[kept], whole.observed[kept])
    assert np.all(np.isnan(limit.observed[~kept]))
    assert np.all(np.isnan(limit.expected[:, ~kept]))
    with pytest.raises(InputError, match="refuse, leave-out, recompute, is 'both'"):
        to_plane(stored, "y", alpha_d=0.5, policy="both")


def test_rescaling_on_the_resonance_would_have_been_wrong(stored) -> None:
    true = to_plane(stored, "y", alpha_d=0.5, policy="recompute").observed
    rescaled = stored.to_plane("y").observed * 5.0
    assert true[0] == pytest.approx(rescaled[0], rel=1e-6)
    assert true[1] > 1.2 * rescaled[1]


@pytest.fixture(scope="module")
def relic_limits(stored) -> dict[str, Limit]:
    return {
        name: to_plane(stored, "alpha-d", dark_matter=name) for name in ("scalar", "pseudo-dirac")
    }


@pytest.mark.parametrize("name", ["scalar", "pseudo-dirac"])
def test_at_the_excluded_alpha_d_the_thermal_coupling_is_the_limit(relic_limits, name) -> None:
    limit = relic_limits[name]
    assert limit.plane.name == "alpha-d"
    assert limit.as_dict()["alpha_d"] is None
    assert limit.plane.excluded_below
    for row, mass in enumerate(MASSES):
        alpha = float(limit.observed[row])
        ((low, high),) = limit.regions[row]
        assert high == alpha
        assert 0.0 < low < 0.05 * alpha  # below, decays are visible
        sector = DarkSector(DarkMatter(name), alpha, 3.0)
        thermal = thermal_target(dark_photon(), sector, [mass / 3.0]).coupling[0]
        at_alpha = scan(
            "na64e-2016",
            masses_gev=[mass],
            method="asymptotic",
            alpha_d=alpha,
            dark_matter=name,
        ).observed[0]
        # 2 %: between the values of alpha_D both couplings are interpolated
        assert thermal == pytest.approx(at_alpha, rel=0.02)


def test_bands_of_alpha_d_are_those_of_the_coupling(relic_limits) -> None:
    expected = relic_limits["scalar"].expected
    # a weaker expected limit on the coupling excludes less
    assert np.all(np.diff(expected, axis=0) <= 1e-12)
    assert np.all(expected[0] >= relic_limits["scalar"].expected[4])


def test_the_note_says_where_scans_were_repeated(relic_limits) -> None:
    for limit in relic_limits.values():
        assert any("where annihilation changes" in note for note in limit.warnings)


def test_no_alpha_d_is_a_status_and_not_a_number() -> None:
    weak = toy(
        masses_gev=(0.03, 33.0),
        regions=(((0.9, None),), ((0.9, None),)),
        expected_regions=(open_regions([0.9, 0.9]),) * 5,
        status=(Status.OK, Status.OK),
    )
    limit = weak.to_plane("alpha-d", dark_matter="scalar")
    # at 10 MeV no alpha_D of the grid needs a coupling of 0.9; m_chi of 11 GeV has no target
    assert limit.status == ("no-exclusion", "no-relic")
    assert limit.regions == ((), ())
    assert np.all(np.isnan(limit.observed))


def test_the_file_is_canonical_and_comes_back(stored, relic_limits) -> None:
    for limit in (stored.to_plane("y"), relic_limits["scalar"], toy().to_plane("y")):
        text = limit.to_json()
        assert Limit.from_json(text).to_json() == text
    # everything that the scan had is in the file of the plane
    planar, scan_file = (json.loads(item.to_json()) for item in (stored.to_plane("y"), stored))
    assert planar["specification"] == scan_file["specification"]
    assert planar["provenance"]["workspace_digest"] == scan_file["provenance"]["workspace_digest"]


def test_a_damaged_file_names_the_place() -> None:
    document = json.loads(toy().to_plane("y").to_json())
    with pytest.raises(InputError, match=r"scan: \$\.masses_gev\[0\]: -1 is less"):
        Limit.from_dict({**document, "masses_gev": [-1, 0.1]})
    with pytest.raises(InputError, match="observed has 2 entries, must have 1"):
        Limit.from_dict({**document, "masses_gev": [0.1]})
    with pytest.raises(InputError, match="this version reads 'na64-limits/scan/2'"):
        Limit.from_dict({**document, "schema": "na64-limits/plane/1"})


@pytest.mark.parametrize(
    ("changes", "words", "message"),
    [
        ({}, {"plane": "z"}, "unknown plane 'z'"),
        ({}, {"plane": "y", "normalisation": "x"}, "unknown normalisation 'x'"),
        ({}, {"plane": "alpha-d", "alpha_d": 0.1}, "leave `alpha_d` out"),
        ({}, {"plane": "y", "dark_matter": "dirak"}, "did you mean 'dirac'"),
        ({}, {"plane": "y", "ratio": 2.0}, "mass ratio m_mediator/m_chi must be above 2"),
        ({}, {"plane": "y", "alpha_d": 13.0}, "alpha_D must be above 0 and perturbative"),
        ({}, {"plane": "g-agg"}, "limits epsilon .* which has no plane of g-agg"),
        ({}, {"plane": "y", "omega_h2": 0.1}, "unknown option of the plane y 'omega_h2'"),
        ({"model": "b-minus-l"}, {"plane": "y"}, "no dark matter"),
        ({"model": "b-minus-l"}, {"plane": "epsilon"}, "no plane of epsilon"),
        ({"regions": (((1e-4, 1e-3),), ())}, {"plane": "alpha-d"}, "closed towards strong"),
        ({"masses_gev": (33.0, 40.0)}, {"plane": "alpha-d"}, "thermal targets are known"),
        ({"model": "scalar"}, {"plane": "alpha-d"}, "needs a vector mediator"),
    ],
)
def test_what_is_refused(changes, words, message) -> None:
    with pytest.raises(InputError, match=message):
        to_plane(toy(**changes), **words)


def test_a_plane_is_made_of_a_scan_only() -> None:
    with pytest.raises(InputError, match="in the plane of y already: convert the scan itself"):
        toy().to_plane("y").to_plane("g")


def test_a_mediator_of_ones_own_is_known_from_the_file() -> None:
    mine = toy(model=VectorMediator("mine", "kappa", {"e": 2.0}))
    found = Limit.from_json(mine.to_json()).to_plane("g")
    assert found.y.name == "g_e"
    assert found.observed[0] == pytest.approx(2e-4)


@pytest.mark.parametrize("plane", ["y", "alpha-d"])
@pytest.mark.parametrize("policy", ["refuse", "recompute"])
@pytest.mark.parametrize(
    ("search", "mass", "message"),
    [
        ("na64h-2022", 0.55, "topology 'meson' does not depend on it"),
        ("na64e-alp-5e12", 0.02, "topology 'alp' does not depend on it"),
        ("na64e-visible-1e12", 0.01, "topology 'visible' does not depend on it"),
    ],
)
def test_a_search_that_knows_no_dark_matter_has_no_place_in_its_planes(
    plane, policy, search, mass, message
) -> None:
    made = toy(search, masses_gev=(mass, 1.1 * mass))
    with pytest.raises(InputError, match=message) as caught:
        to_plane(made, plane, dark_matter="dirac", policy=policy)
    assert "recomputed" not in str(caught.value)
    with pytest.raises(InputError, match=message):
        to_plane(made, "g", dark_matter="dirac", policy=policy)


def test_a_parameter_with_a_dimension_gives_no_y() -> None:
    with pytest.raises(InputError, match="limits g_G, not the coupling of a mediator to dark"):
        to_plane(toy(model="spin-2", dark_matter="dirac"), "y")


def test_a_search_for_decays_of_the_dark_matter_is_scanned_anew_as_a_whole() -> None:
    start = scan(
        "na64e-semi-visible-2016-2018",
        masses_gev=[0.2],
        method="asymptotic",
        dark_matter="pseudo-dirac",
        splitting=0.4,
    )
    with pytest.raises(InputError, match="or have these masses recomputed"):
        to_plane(start, "y", alpha_d=0.05)
    found = to_plane(start, "y", alpha_d=0.05, policy="recompute")
    assert found.warnings[0] == (
        "scanned anew at a mediator mass of 0.2 GeV, where the signal changes with what was changed"
    )
    assert all("the method 'asymptotic'" in text for text in found.warnings[1:])
    assert found.as_dict()["alpha_d"] == 0.05
