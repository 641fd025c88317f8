"""Recasting against scanning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from na64.limits import Limit, recast, scan
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.vectors import VectorMediator

# on the resonance of 100 GeV (0.226-0.32 GeV), beside it and far from it
MASSES = np.array([0.002, 0.02, 0.15, 0.23, 0.26, 0.31, 0.5])
FAR = MASSES[[0, 1, 6]]


@pytest.fixture(scope="module")
def dark_photon() -> Limit:
    return scan("na64e-2016-2021", masses_gev=MASSES)


def same(found: Limit, direct: Limit, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(found.observed, direct.observed, rtol=rtol)
    np.testing.assert_allclose(found.expected, direct.expected, rtol=rtol)
    for band, theirs in zip(found.expected_regions, direct.expected_regions, strict=True):
        assert band[0][0][0] == pytest.approx(theirs[0][0][0], rel=rtol)
    assert found.specification == direct.specification
    assert (found.x, found.y) == (direct.x, direct.y)


def kept(limit: Limit) -> Limit:
    """What is left of a result where masses were left out."""
    return limit.at(limit.masses_gev[~limit.left_out])


# the solver of exact limits is good to 1e-5
TOLERANCE = 2e-5


def test_another_coupling_with_the_same_dark_sector(dark_photon: Limit) -> None:
    """The whole range, resonance included: B-L that decays to the dark photon's dark matter."""
    direct = scan("na64e-2016-2021", model="b-minus-l", dark_matter="dirac", masses_gev=MASSES)
    found = recast(dark_photon, "b-minus-l", dark_matter="dirac")
    same(found, direct, TOLERANCE)
    for name, values in direct.yields.items():
        np.testing.assert_allclose(found.yields[name], values, rtol=1e-9)
    assert found.x.name == "m_Z'"
    assert found.origin is not None
    assert found.origin.specification == dark_photon.specification
    assert found.origin.policy == "refuse"
    assert Limit.from_json(found.to_json()) == found


def test_neutrinos_alone_on_their_own_narrow_resonance() -> None:
    start = scan("na64e-2016-2021", model="b-minus-l", masses_gev=MASSES)
    for name in ("b-minus-l-left-handed", "b-minus-l-heavy-neutrinos"):
        direct = scan("na64e-2016-2021", model=name, masses_gev=MASSES)
        same(recast(start, name), direct, TOLERANCE)


def test_a_changed_dark_sector_is_carried_off_the_resonance_only(dark_photon: Limit) -> None:
    with pytest.raises(InputError) as caught:
        recast(dark_photon, "b-minus-l")
    message = str(caught.value)
    assert "annihilation contributes at 0.15-0.31 GeV" in message
    assert "scan na64e-2016-2021 for the model b-minus-l, dark matter none; or have" in message
    found = recast(dark_photon, "b-minus-l", policy="leave-out")
    np.testing.assert_array_equal(found.masses_gev, MASSES)
    np.testing.assert_array_equal(found.masses_gev[~found.left_out], FAR)
    assert [status.value for status in found.status[3:5]] == ["left-out"] * 2
    assert np.all(np.isnan(found.observed[found.left_out]))
    assert np.all(np.isnan(found.expected[:, found.left_out]))
    assert found.complete
    direct = scan("na64e-2016-2021", model="b-minus-l", masses_gev=FAR)
    # what is dropped of annihilation is below 1 % of the events
    same(kept(found), direct, 5e-3)
    with pytest.raises(InputError, match=r"alpha_D = 0\.5, ratio 3"):
        recast(dark_photon, "dark-photon", alpha_d=0.5)
    with pytest.raises(InputError, match="dark matter scalar"):
        recast(dark_photon, "dark-photon", dark_matter="scalar")


def test_what_cannot_be_carried_can_be_computed(dark_photon: Limit) -> None:
    found = recast(dark_photon, "b-minus-l", policy="recompute")
    direct = scan("na64e-2016-2021", model="b-minus-l", masses_gev=MASSES)
    same(found, direct, 5e-3)
    # where annihilation counts it is the same computation, to the last bit
    near = MASSES[2:6]
    for name in ("observed", "expected"):
        np.testing.assert_array_equal(getattr(found.at(near), name), getattr(direct.at(near), name))
    (note,) = found.warnings
    assert note.startswith("scanned anew at 4 mediator masses, 0.15-0.31 GeV")
    # even where nothing can be carried over
    scalar = recast(dark_photon.at(FAR), "scalar", policy="recompute")
    again = scan("na64e-2016-2021", model="scalar", masses_gev=FAR)
    np.testing.assert_array_equal(scalar.observed, again.observed)


def test_chains_of_recasts(dark_photon: Limit) -> None:
    """Where it came from is kept at every step, and the last step says the same as one alone."""
    there = recast(recast(dark_photon, "vector"), "b-minus-l", dark_matter="dirac")
    same(there, recast(dark_photon, "b-minus-l", dark_matter="dirac"))
    assert there.origin is not None
    assert there.origin.origin is not None
    assert there.origin.specification.mediator.name == "vector"
    assert there.origin.origin.specification == dark_photon.specification
    # what is left out stays so, unless it is computed
    gap = recast(dark_photon, "b-minus-l", policy="leave-out")
    other = recast(gap, "b-minus-l-left-handed", policy="leave-out")
    np.testing.assert_array_equal(other.left_out, gap.left_out)
    with pytest.raises(InputError, match=r"was left without a limit at 0\.15-0\.31 GeV; scan"):
        recast(gap, "b-minus-l-left-handed")
    assert not recast(gap, policy="recompute").left_out.any()
    filled = recast(gap, "b-minus-l-left-handed", policy="recompute")
    assert not filled.left_out.any()
    same(filled, scan("na64e-2016-2021", model="b-minus-l-left-handed", masses_gev=MASSES), 5e-3)


def test_b_minus_l_is_the_dark_photon_times_e_over_the_root_of_the_branching(
    dark_photon: Limit,
) -> None:
    found = kept(recast(dark_photon, "b-minus-l", policy="leave-out"))
    low = found.masses_gev < 0.2
    expected = dark_photon.observed[:2] * 0.3028221 / np.sqrt(0.75)
    # r^2 terms of the width to electrons at 2 MeV, and what is dropped of annihilation
    assert found.observed[low][0] == pytest.approx(expected[0], rel=0.01)
    assert found.observed[low][1] == pytest.approx(expected[1], rel=2e-3)


def test_running_coupling(dark_photon: Limit) -> None:
    """L_mu - L_tau couples to electrons through a loop that runs over a broad resonance."""
    with pytest.raises(InputError, match="running coupling"):
        recast(dark_photon, "l-mu-l-tau", dark_matter="dirac")
    found = kept(recast(dark_photon, "l-mu-l-tau", dark_matter="dirac", policy="leave-out"))
    direct = scan("na64e-2016-2021", model="l-mu-l-tau", dark_matter="dirac", masses_gev=FAR)
    same(found, direct, 5e-3)


def test_muons() -> None:
    start = scan("na64mu-2022", masses_gev=MASSES)
    for name in ("l-mu-l-tau", "b-minus-l", "vector"):
        same(recast(start, name), scan("na64mu-2022", model=name, masses_gev=MASSES), TOLERANCE)


def test_a_mediator_of_ones_own(dark_photon: Limit) -> None:
    mine = VectorMediator("mine", "kappa", {"e": 2.0})
    there = Limit.from_json(recast(dark_photon, mine).to_json())
    assert there.y.name == "kappa"
    back = recast(there, "dark-photon")
    np.testing.assert_allclose(back.observed, dark_photon.observed, rtol=1e-9)  # of the file


def test_refusals(dark_photon: Limit) -> None:
    with pytest.raises(InputError, match="'scalar' is scalar and 'dark-photon' is vector"):
        recast(dark_photon, "scalar")
    with pytest.raises(InputError, match="no invisible decay"):
        recast(dark_photon, "vector", dark_matter="none")
    with pytest.raises(InputError, match="does not couple to the electrons"):
        recast(dark_photon, VectorMediator("x", "g", {"mu": 1.0}))
    with pytest.raises(InputError, match="policy must be one of refuse, leave-out, recompute"):
        recast(dark_photon, "vector", policy="guess")
    with pytest.raises(InputError, match="in the plane of y: recast the scan"):
        recast(dark_photon.to_plane("y"), "vector")
    alp = scan("na64e-alp-2016-2018", masses_gev=[0.01], method="asymptotic")
    with pytest.raises(InputError, match="topology alp, depends on the lifetime"):
        recast(alp, "pseudoscalar")


def test_a_combination_of_beams() -> None:
    parts = ["na64e-2016", "na64mu-2022"]
    masses = MASSES[:3]
    together = scan(parts, masses_gev=masses)
    direct = scan(parts, model="vector", masses_gev=masses)
    same(recast(together, "vector"), direct, TOLERANCE)
    with pytest.raises(InputError, match="couples to the beams' leptons in another proportion"):
        recast(together, "l-mu-l-tau", dark_matter="dirac")


def test_what_is_not_told_of_the_dark_sector_is_that_of_the_scan() -> None:
    sector: dict[str, Any] = {
        "dark_matter": "pseudo-dirac",
        "alpha_d": 0.02,
        "ratio": 2.7,
        "splitting": 0.2,
    }
    start = scan("na64e-2016", masses_gev=MASSES, method="asymptotic", **sector)
    found = recast(start, "vector")
    direct = scan("na64e-2016", masses_gev=MASSES, model="vector", method="asymptotic", **sector)
    same(found, direct)
    assert found.specification.dark_sector == start.specification.dark_sector
    # no dark matter for a mediator with neutrinos, and no splitting of other species
    assert recast(start, "b-minus-l", policy="leave-out").specification.dark_sector is None
    other = recast(start, "vector", dark_matter="dirac", policy="leave-out")
    assert other.specification.dark_sector == DarkSector(DarkMatter.DIRAC, 0.02, 2.7)
    with pytest.raises(
        InputError,
        match=r"dark matter pseudo-dirac, alpha_D = 0\.02, ratio 2\.7, splitting 0\.3; or",
    ):
        recast(start, "vector", splitting=0.3)


def test_dark_matter_that_was_named_stays_with_its_mediator() -> None:
    masses = FAR[1:]
    options: dict[str, Any] = {"masses_gev": masses, "model": "b-minus-l", "method": "asymptotic"}
    start = scan("na64e-2016", dark_matter="dirac", **options)
    found = recast(start, alpha_d=0.5, policy="recompute")
    assert found.specification.dark_sector == DarkSector(DarkMatter.DIRAC, 0.5, 3.0)
    assert start.to_plane("y", ratio=4.0, policy="leave-out").x.name == "m_chi"
    # numbers of a dark matter that there is not are refused, not forgotten
    for limit, model in ((scan("na64e-2016", **options), None), (start, "b-minus-l-left-handed")):
        with pytest.raises(
            InputError, match=r"`alpha_d`: the model 'b-minus-l.*without dark matter"
        ):
            recast(limit, model, alpha_d=0.5)
