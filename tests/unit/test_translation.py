"""From a stored scan to another plane: exact factors, refusals, and scans repeated where needed."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from na64.limits.planes.transforms import to_plane
from na64.limits.results.limit import Exclusion, Status
from na64.limits.results.plane_limit import Plane, PlaneLimit
from na64.limits.scanning.runner import scan
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon
from na64.models.relic.targets import thermal_target
from na64.workspaces.cards.reader import load_card

# one mass with emission alone, the peak and the upper edge of the resonance, emission again
MASSES = (0.01, 0.235, 0.3, 0.6)


def scanned(**options) -> Exclusion:
    return scan("na64e-2016", masses_gev=MASSES, method="asymptotic", **options)


@pytest.fixture(scope="module")
def stored() -> Exclusion:
    return Exclusion.from_json(scanned().to_json())


def toy(**changes) -> Exclusion:
    made = Exclusion(
        search="toy",
        title="Toy",
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
        masses_gev=np.array([0.03, 0.3]),
        regions=(((1e-4, None),), ()),
        expected=np.outer([0.9, 0.95, 1.0, 1.2, 1.5], [1e-4, 2e-4]),
        events_limit=np.array([2.3, math.nan]),
        yields={"emission": np.array([2.3e8, 1e7])},
        status=(Status.OK, Status.NO_EXCLUSION),
    )
    return replace(made, **changes)


def test_y_is_the_formula_for_limit_bands_and_gaps() -> None:
    limit = toy().to_plane("y")
    factor = 0.1 / 3.0**4
    assert limit.masses_gev == pytest.approx([0.01, 0.1])
    np.testing.assert_allclose(limit.observed, [1e-8 * factor, math.nan])
    np.testing.assert_allclose(limit.expected, toy().expected ** 2 * factor)
    assert limit.regions[0][0][1] is None
    assert limit.status == ("ok", "no-exclusion")
    assert limit.y_name == "y = epsilon^2 alpha_D (m_chi/m_mediator)^4"
    assert limit.assumptions == "dirac, alpha_D = 0.1, m_mediator = 3 m_chi"


def test_the_other_normalisation_of_y_is_four_pi_larger_and_says_so() -> None:
    one, other = (toy().to_plane("y", normalisation=name) for name in ("alpha-d", "product"))
    assert other.observed[0] / one.observed[0] == pytest.approx(4.0 * math.pi)
    assert other.y_name == "y = (g_chi epsilon)^2 (m_chi/m_mediator)^4"


def test_both_edges_of_closed_regions_are_converted() -> None:
    closed = toy(regions=(((1e-4, 1e-3), (1e-2, None)), ()))
    (first, second), empty = closed.to_plane("y").regions
    factor = 0.1 / 81.0
    assert first == pytest.approx((1e-8 * factor, 1e-6 * factor))
    assert second == (pytest.approx(1e-4 * factor), None)
    assert empty == ()


def test_g_is_epsilon_times_the_charge() -> None:
    limit = toy().to_plane("g")
    assert limit.y_name == "g_e"
    assert limit.observed[0] == pytest.approx(1e-4 * ELEMENTARY_CHARGE)
    assert limit.masses_gev == pytest.approx(toy().masses_gev)


def test_a_free_coupling_g_is_its_own_plane_and_that_of_its_fermions() -> None:
    exclusion = toy(model="l-mu-l-tau", parameter="g", mass_parameter="m_Z'")
    assert exclusion.to_plane("g").observed[0] == 1e-4
    assert exclusion.to_plane("g", fermion="mu").observed[0] == pytest.approx(1e-4)
    # the loop: |epsilon|/g = 1/69.3 at small masses, and the electron couples with e epsilon
    at_loop = exclusion.to_plane("g", fermion="e").observed[0]
    loop = abs(float(mediator("l-mu-l-tau").coupling("e", np.array([0.03**2]))[0]))
    assert at_loop == pytest.approx(1e-4 * loop)
    assert loop == pytest.approx(ELEMENTARY_CHARGE / 69.3, rel=0.02)


def test_emission_carries_any_dark_sector(stored) -> None:
    emission = toy(
        masses_gev=np.array([0.02, 0.9]),
        provenance={"card": stored.provenance["card"]},
        yields={"emission": np.array([2.3e8, 1e7]), "annihilation": np.zeros(2)},
    )
    changed = to_plane(emission, "y", alpha_d=0.5, ratio=4.0, dark_matter="scalar")
    assert changed.masses_gev == pytest.approx([0.005, 0.225])
    assert changed.observed[0] == pytest.approx(1e-8 * 0.5 / 4.0**4)
    assert (changed.dark_matter, changed.alpha_d, changed.ratio) == ("scalar", 0.5, 4.0)
    assert changed.notes == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alpha_d": 0.5}, "--dark-matter dirac --alpha-d 0.5 --ratio 3"),
        ({"dark_matter": "scalar"}, "--dark-matter scalar --alpha-d 0.1 --ratio 3"),
        ({"ratio": 2.5}, "--dark-matter dirac --alpha-d 0.1 --ratio 2.5"),
    ],
)
@pytest.mark.parametrize("plane", ["y", "g", "epsilon"])
def test_on_the_resonance_a_change_is_refused_with_the_scan_to_run(
    stored, plane, change, words
) -> None:
    with pytest.raises(InputError, match="cannot carry that") as caught:
        to_plane(stored, plane, **change)
    assert f"run a scan of na64e-2016 with --model dark-photon {words}" in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"alpha_d": 0.5}, {"dark_matter": "scalar"}, {"ratio": 2.5, "alpha_d": 0.02}]
)
def test_recomputing_gives_the_direct_scan(stored, change) -> None:
    limit = to_plane(stored, "y", recompute=True, **change)
    direct = scanned(**change).to_plane("y")
    assert limit.masses_gev == pytest.approx(direct.masses_gev)
    # 0.5 %: annihilation below 1 % of the events is dropped where emission dominates
    np.testing.assert_allclose(limit.observed, direct.observed, rtol=0.01)
    np.testing.assert_allclose(limit.expected, direct.expected, rtol=0.01)
    # at the peak it is the same computation
    assert limit.observed[1] == pytest.approx(direct.observed[1], rel=1e-9)
    (note,) = limit.notes
    assert note.startswith("scanned anew at ")


def test_what_cannot_be_carried_can_be_left_out(stored) -> None:
    limit = to_plane(stored, "y", alpha_d=0.5, leave_out=True)
    whole = to_plane(stored, "y", alpha_d=0.5, recompute=True)
    kept = np.isin(whole.masses_gev, limit.masses_gev)
    assert 0 < kept.sum() < kept.size
    np.testing.assert_allclose(limit.observed, whole.observed[kept])
    with pytest.raises(InputError, match="not both"):
        to_plane(stored, "y", alpha_d=0.5, leave_out=True, recompute=True)


def test_rescaling_on_the_resonance_would_have_been_wrong(stored) -> None:
    true = to_plane(stored, "y", alpha_d=0.5, recompute=True).observed
    rescaled = stored.to_plane("y").observed * 5.0
    assert true[0] == pytest.approx(rescaled[0], rel=1e-6)
    assert true[1] > 1.2 * rescaled[1]


@pytest.fixture(scope="module")
def relic_limits(stored) -> dict[str, PlaneLimit]:
    return {
        name: to_plane(stored, "alpha-d", dark_matter=name) for name in ("scalar", "pseudo-dirac")
    }


@pytest.mark.parametrize("name", ["scalar", "pseudo-dirac"])
def test_at_the_excluded_alpha_d_the_thermal_coupling_is_the_limit(relic_limits, name) -> None:
    limit = relic_limits[name]
    assert limit.plane is Plane.ALPHA_D
    assert limit.alpha_d is None
    assert limit.excluded_below
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
        assert any("where annihilation changes with alpha_D" in note for note in limit.notes)


def test_no_alpha_d_is_a_status_and_not_a_number(stored) -> None:
    weak = toy(
        provenance={"card": stored.provenance["card"]},
        masses_gev=np.array([0.03, 4.5]),
        regions=(((0.9, None),), ((0.9, None),)),
        expected=np.full((5, 2), 0.9),
        status=(Status.OK, Status.OK),
    )
    limit = weak.to_plane("alpha-d", dark_matter="scalar")
    # at 10 MeV no alpha_D of the grid needs a coupling of 0.9; m_chi of 1.5 GeV has no target
    assert limit.status == ("no-exclusion", "no-relic")
    assert limit.regions == ((), ())
    assert np.all(np.isnan(limit.observed))


def test_the_file_is_canonical_and_comes_back(stored, relic_limits) -> None:
    for limit in (stored.to_plane("y"), relic_limits["scalar"], toy().to_plane("y")):
        text = limit.to_json()
        back = PlaneLimit.from_document(json.loads(text))
        assert back.to_json() == text
        assert json.loads(text)["provenance"]["scan"]["content_digest"]
    card = json.loads(stored.to_plane("y").to_json())["provenance"]["scan"]["card"]
    assert card == json.loads(stored.to_json())["provenance"]["card"]


def test_a_damaged_file_names_the_place() -> None:
    document = json.loads(toy().to_plane("y").to_json())
    with pytest.raises(InputError, match=r"plane: \$\.masses_gev\[0\]: -1 is less"):
        PlaneLimit.from_document({**document, "masses_gev": [-1, 0.1]})
    with pytest.raises(InputError, match="every list must have 1 entries"):
        PlaneLimit.from_document({**document, "masses_gev": [0.1]})
    with pytest.raises(InputError, match="this version reads 'na64-limits/plane/1'"):
        PlaneLimit.from_document({**document, "schema": "na64-limits/plane/7"})


@pytest.mark.parametrize(
    ("changes", "words", "message"),
    [
        ({}, {"plane": "z"}, "unknown plane 'z'"),
        ({}, {"plane": "y", "normalisation": "x"}, "unknown normalisation 'x'"),
        ({}, {"plane": "alpha-d", "alpha_d": 0.1}, "choose none"),
        ({}, {"plane": "y", "dark_matter": "dirak"}, "did you mean 'dirac'"),
        ({}, {"plane": "y", "ratio": 2.0}, "mass ratio m_mediator/m_chi must be above 2"),
        ({}, {"plane": "y", "alpha_d": 13.0}, "alpha_D must be above 0 and perturbative"),
        ({}, {"plane": "g-agg"}, "limits epsilon .* which has no plane of g-agg"),
        ({}, {"plane": "y", "alpha_d": 0.2}, "does not hold its card"),
        ({"dark_matter": None, "alpha_d": None, "ratio": None}, {"plane": "y"}, "no dark matter"),
        ({"parameter": "g", "model": "b-minus-l"}, {"plane": "epsilon"}, "no plane of epsilon"),
        ({"regions": (((1e-4, 1e-3),), ())}, {"plane": "alpha-d"}, "closed towards strong"),
        ({"masses_gev": np.array([5.0, 6.0])}, {"plane": "alpha-d"}, "thermal targets are known"),
        ({"model": "scalar"}, {"plane": "alpha-d"}, "needs a vector mediator"),
        ({"model": "mine"}, {"plane": "g"}, "unknown model 'mine'"),
    ],
)
def test_what_is_refused(changes, words, message) -> None:
    with pytest.raises(InputError, match=message):
        to_plane(toy(**changes), **words)


@pytest.mark.parametrize("plane", ["y", "alpha-d"])
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize(
    ("search", "mass", "message"),
    [
        ("na64h-2022", 0.55, "topology 'meson' does not depend on it"),
        ("na64e-alp-5e12", 0.02, "topology 'alp' does not depend on it"),
        ("na64e-visible-1e12", 0.01, "topology 'visible' does not depend on it"),
    ],
)
def test_a_search_that_knows_no_dark_matter_has_no_place_in_its_planes(
    plane, recompute, search, mass, message
) -> None:
    card = load_card(search).to_dict()
    made = toy(
        search=search,
        dark_matter=None,
        alpha_d=None,
        ratio=None,
        masses_gev=np.array([mass, 1.1 * mass]),
        provenance={"card": card},
    )
    with pytest.raises(InputError, match=message) as caught:
        to_plane(made, plane, dark_matter="dirac", recompute=recompute)
    assert "--recompute" not in str(caught.value)
    with pytest.raises(InputError, match=message):
        to_plane(made, "g", dark_matter="dirac", recompute=recompute)


def test_a_parameter_with_a_dimension_gives_no_y() -> None:
    with pytest.raises(InputError, match="limits g_agg, not the coupling of a mediator to dark"):
        to_plane(toy(parameter="g_agg"), "y")


def test_a_search_for_decays_of_the_dark_matter_is_scanned_anew_as_a_whole() -> None:
    start = scan(
        "na64e-semi-visible-2016-2018",
        masses_gev=[0.2],
        method="asymptotic",
        dark_matter="pseudo-dirac",
        splitting=0.4,
    )
    with pytest.raises(InputError, match="--recompute"):
        to_plane(start, "y", alpha_d=0.05)
    found = to_plane(start, "y", alpha_d=0.05, recompute=True)
    assert found.notes == (
        "scanned anew at a mediator mass of 0.2 GeV, where the signal changes with the changed "
        "dark sector",
    )
    assert found.alpha_d == 0.05
