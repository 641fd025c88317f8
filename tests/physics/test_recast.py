"""Recasting against scanning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from na64.limits import scan
from na64.limits.results.limit import Exclusion
from na64.limits.scanning.recast import recast
from na64.models.errors import InputError
from na64.models.mediators.vectors import VectorMediator

# on the resonance of 100 GeV (0.226-0.32 GeV), beside it and far from it
MASSES = np.array([0.002, 0.02, 0.15, 0.23, 0.26, 0.31, 0.5])
FAR = MASSES[[0, 1, 6]]


@pytest.fixture(scope="module")
def dark_photon() -> Exclusion:
    return scan("na64e-2016-2021", masses_gev=MASSES)


def same(found: Exclusion, direct: Exclusion, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(found.observed, direct.observed, rtol=rtol)
    np.testing.assert_allclose(found.expected, direct.expected, rtol=rtol)
    for mine, theirs in zip(found.expected_regions, direct.expected_regions, strict=True):
        assert mine[0][0] == pytest.approx(theirs[0][0], rel=rtol)
    assert found.model == direct.model
    assert found.parameter == direct.parameter
    assert found.mass_parameter == direct.mass_parameter
    assert (found.dark_matter, found.alpha_d, found.ratio) == (
        direct.dark_matter,
        direct.alpha_d,
        direct.ratio,
    )


# the solver of exact limits is good to 1e-5
TOLERANCE = 2e-5


def test_another_coupling_with_the_same_dark_sector(dark_photon: Exclusion) -> None:
    """The whole range, resonance included: B-L that decays to the dark photon's dark matter."""
    direct = scan("na64e-2016-2021", model="b-minus-l", dark_matter="dirac", masses_gev=MASSES)
    found = recast(dark_photon, "b-minus-l", dark_matter="dirac")
    same(found, direct, TOLERANCE)
    for name, values in direct.yields.items():
        np.testing.assert_allclose(found.yields[name], values, rtol=1e-9)
    assert found.mass_parameter == "m_Z'"
    assert found.provenance["recast"]["model"] == "dark-photon"
    assert found.provenance["recast"]["content_digest"] == dark_photon.content_digest
    assert Exclusion.from_json(found.to_json()).observed == pytest.approx(found.observed)


def test_neutrinos_alone_on_their_own_narrow_resonance() -> None:
    start = scan("na64e-2016-2021", model="b-minus-l", masses_gev=MASSES)
    for name in ("b-minus-l-left-handed", "b-minus-l-heavy-neutrinos"):
        direct = scan("na64e-2016-2021", model=name, masses_gev=MASSES)
        same(recast(start, name), direct, TOLERANCE)


def test_a_changed_dark_sector_is_carried_off_the_resonance_only(dark_photon: Exclusion) -> None:
    with pytest.raises(InputError) as caught:
        recast(dark_photon, "b-minus-l")
    message = str(caught.value)
    assert "annihilation contributes at 0.15-0.31 GeV" in message
    assert "run a scan of na64e-2016-2021 with --model b-minus-l --dark-matter none" in message
    found = recast(dark_photon, "b-minus-l", leave_out=True)
    np.testing.assert_array_equal(found.masses_gev, FAR)
    direct = scan("na64e-2016-2021", model="b-minus-l", masses_gev=FAR)
    # what is dropped of annihilation is below 1 % of the events
    same(found, direct, 5e-3)
    with pytest.raises(InputError, match=r"--alpha-d 0\.5 --ratio 3"):
        recast(dark_photon, "dark-photon", alpha_d=0.5)
    with pytest.raises(InputError, match="--dark-matter scalar"):
        recast(dark_photon, "dark-photon", dark_matter="scalar")


def test_b_minus_l_is_the_dark_photon_times_e_over_the_root_of_the_branching(
    dark_photon: Exclusion,
) -> None:
    found = recast(dark_photon, "b-minus-l", leave_out=True)
    low = found.masses_gev < 0.2
    expected = dark_photon.observed[:2] * 0.3028221 / np.sqrt(0.75)
    # r^2 terms of the width to electrons at 2 MeV, and what is dropped of annihilation
    assert found.observed[low][0] == pytest.approx(expected[0], rel=0.01)
    assert found.observed[low][1] == pytest.approx(expected[1], rel=2e-3)


def test_running_coupling(dark_photon: Exclusion) -> None:
    """L_mu - L_tau couples to electrons through a loop that runs over a broad resonance."""
    with pytest.raises(InputError, match="running coupling"):
        recast(dark_photon, "l-mu-l-tau", dark_matter="dirac")
    found = recast(dark_photon, "l-mu-l-tau", dark_matter="dirac", leave_out=True)
    direct = scan("na64e-2016-2021", model="l-mu-l-tau", dark_matter="dirac", masses_gev=FAR)
    same(found, direct, 5e-3)


def test_muons() -> None:
    start = scan("na64mu-2022", masses_gev=MASSES)
    for name in ("l-mu-l-tau", "b-minus-l", "vector"):
        same(recast(start, name), scan("na64mu-2022", model=name, masses_gev=MASSES), TOLERANCE)


def test_a_mediator_of_ones_own(dark_photon: Exclusion) -> None:
    mine = VectorMediator("mine", "kappa", {"e": 2.0})
    there = recast(dark_photon, mine)
    assert there.parameter == "kappa"
    with pytest.raises(InputError, match="unknown model 'mine'"):
        recast(there, "dark-photon")
    back = recast(there, "dark-photon", original=mine)
    np.testing.assert_allclose(back.observed, dark_photon.observed, rtol=1e-12)
    with pytest.raises(InputError, match="the scan is of the model 'mine', not of 'x'"):
        recast(there, "dark-photon", original=VectorMediator("x", "g", {"e": 1.0}))


def test_refusals(dark_photon: Exclusion) -> None:
    with pytest.raises(InputError, match="'scalar' is scalar and 'dark-photon' is vector"):
        recast(dark_photon, "scalar")
    with pytest.raises(InputError, match="no invisible decay"):
        recast(dark_photon, "vector", dark_matter="none")
    with pytest.raises(InputError, match="does not couple to the electrons"):
        recast(dark_photon, VectorMediator("x", "g", {"mu": 1.0}))
    with pytest.raises(InputError, match="does not hold its card"):
        recast(replace(dark_photon, provenance={}), "vector")
    card = {**dark_photon.provenance["card"], "topology": "alp"}
    with pytest.raises(InputError, match="topology 'alp', whose signal depends on the lifetime"):
        recast(replace(dark_photon, provenance={"card": card}), "vector")


def test_a_combination_of_beams() -> None:
    from na64.limits.scanning.combination import scan_combination

    parts = ["na64e-2016", "na64mu-2022"]
    masses = MASSES[:3]
    together = scan_combination(parts, masses_gev=masses)
    direct = scan_combination(parts, model="vector", masses_gev=masses)
    same(recast(together, "vector"), direct, TOLERANCE)
    with pytest.raises(InputError, match="couples to e and mu in another proportion"):
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
    assert found.options["splitting"] == 0.2
    # no dark matter for a mediator with neutrinos, and no splitting of other species
    far = recast(start, "b-minus-l", leave_out=True)
    assert (far.dark_matter, far.alpha_d, far.options["splitting"]) == (None, None, 0.0)
    other = recast(start, "vector", dark_matter="dirac", leave_out=True)
    assert (other.alpha_d, other.ratio, other.options["splitting"]) == (0.02, 2.7, 0.0)
    with pytest.raises(
        InputError,
        match=r"--dark-matter pseudo-dirac --alpha-d 0\.02 --ratio 2\.7 --splitting 0\.3,",
    ):
        recast(start, "vector", splitting=0.3)
