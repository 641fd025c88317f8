"""Limits of the muon search: published curve, L_mu - L_tau, projections."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits import Limit, scan
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.materials import material
from na64.models.mediators.gauge_bosons import l_mu_l_tau
from na64.models.production.emission import emission_cross_section
from na64.models.production.process import Emission
from na64.workspaces.cards.quantity import Quantity
from na64.workspaces.cards.reader import load_card
from na64.workspaces.io.curves import load_curve

# 90 % CL limit on epsilon, m_A' in GeV: NA64mu 2022, arXiv:2409.10128 (three digits; numbers of
# the collaboration as y at alpha_D = 0.1, m_A' = 3 m_chi, converted)
PUBLISHED = np.array(
    [
        [1.01e-3, 1.74e-3],
        [4.00e-3, 1.77e-3],
        [2.00e-2, 1.76e-3],
        [6.61e-2, 1.76e-3],
        [0.109, 1.88e-3],
        [0.17, 2.23e-3],
        [0.242, 2.79e-3],
        [0.35, 3.80e-3],
        [0.514, 5.65e-3],
        [0.732, 8.73e-3],
        [0.961, 1.31e-2],
    ]
)


@pytest.fixture(scope="module")
def dark_photon() -> Limit:
    return scan("na64mu-2022", masses_gev=PUBLISHED[:, 0])


@pytest.mark.parametrize(
    ("mass", "exact"), [(0.01, 2.535), (0.1, 1.506), (1.0, 2.573e-2)]
)  # fmt: skip
def test_cross_sections_off_lead(mass: float, exact: float) -> None:
    """160 GeV, x > 0.5, elastic, GeV^-2: an independent integration; WW agrees, IWW does not."""
    element = material("lead").number_densities_cm3[0][0]
    etl, ww, iww = (
        emission_cross_section(
            160.0,
            mass,
            element,
            process=Emission(lepton="mu", approximation=name, inelastic=False),
            min_energy_gev=80.0,
        ).item()
        for name in ("etl", "ww", "iww")
    )
    assert etl == pytest.approx(exact, rel=0.005)
    assert ww / etl == pytest.approx(1.0, abs=0.015)
    assert iww / etl > 1.6


def test_one_efficiency_reproduces_the_published_limit_within_6_percent(
    dark_photon: Limit,
) -> None:
    efficiency = load_card("na64mu-2022").bins[0].efficiency
    assert isinstance(efficiency, Quantity)
    assert efficiency.source.startswith("calibrated to")
    # one band and one number for all masses: 5 %, and the table keeps to 0.5 % of the full list
    np.testing.assert_allclose(dark_photon.observed / PUBLISHED[:, 1], 1.0, atol=0.055)
    assert dark_photon.specification.confidence_level == 0.9


@pytest.mark.parametrize(
    ("search", "curve", "overrides"),
    [
        # NA64's projection is for 3e11 muons and without background
        (
            "na64mu-2023-2024",
            "na64mu-3e11-projection",
            ["bins.*.exposure=1.5e11", "bins.*.background=0"],
        ),
        ("na64mu-run4", "na64mu-2e13-projection", []),
    ],
)
def test_projections_of_the_collaboration(search: str, curve: str, overrides: list[str]) -> None:
    published = np.array([point for point in load_curve(curve).points if point[0] < 1.0])
    ours = scan(search, masses_gev=published[:, 0], overrides=overrides).expected[2]
    # the shape is that of 2022, and so are the deviations
    np.testing.assert_allclose(ours / published[:, 1], 1.0, atol=0.055)


def test_projections_and_the_limit_of_2022_have_one_description() -> None:
    past = load_card("na64mu-2022")
    for name in ("na64mu-2023-2024", "na64mu-run4", "na64mu-run4-scaled-background"):
        card = load_card(name)
        assert card.setups["default"].physics == past.setups["default"].physics
        for item in card.bins:
            assert item.efficiency.value == past.bins[0].efficiency.value  # type: ignore[union-attr]
            assert item.efficiency_correction is not None
            assert item.efficiency_correction.value == 4.0
            assert item.efficiency_correction.source.startswith("assumption")
    assert load_card("na64mu-2023-2024").total_exposure == 3.5e11


def test_coupling_for_full_efficiency() -> None:
    """g = 1.2e-4 at 10 MeV for x > 1/2, efficiency 1, 1.98e10 muons and 2.3 events."""
    found = scan(
        "na64mu-2022",
        model="vector",
        masses_gev=np.array([0.01]),
        overrides=[
            "bins.0.efficiency=1.0",
            "window.recoil_energy_max_gev=80",
            "window.recoil_energy_min_gev=0",
            "bins.0.observed=0",
        ],
    )
    events_limit = found.events_limit[0]
    assert found.observed[0] * np.sqrt(2.303 / events_limit) == pytest.approx(1.2e-4, rel=0.02)


def test_l_mu_l_tau_is_the_dark_photon_below_two_muons(dark_photon: Limit) -> None:
    boson = scan("na64mu-2022", model="l-mu-l-tau", masses_gev=PUBLISHED[:, 0])
    assert boson.specification.dark_sector is None
    ratio = boson.observed / (dark_photon.observed * ELEMENTARY_CHARGE)
    below = PUBLISHED[:, 0] < 0.211
    # BR = 1 but for 2e-5 of e+ e- through the loop
    np.testing.assert_allclose(ratio[below], 1.0, rtol=1e-4)
    widths = l_mu_l_tau().partial_widths(PUBLISHED[~below, 0])
    branching = widths["neutrinos"] / sum(widths.values())
    np.testing.assert_allclose(ratio[~below], 1.0 / np.sqrt(branching), rtol=1e-9)
    # with dark matter, which dominates, it is the dark photon everywhere
    dark = scan("na64mu-2022", model="l-mu-l-tau", dark_matter="dirac", masses_gev=PUBLISHED[:, 0])
    np.testing.assert_allclose(dark.observed, dark_photon.observed * ELEMENTARY_CHARGE, rtol=1e-9)


def test_muon_philic_scalar_and_pseudoscalar() -> None:
    masses = np.array([0.001, 0.01, 3.0])
    scalar, pseudoscalar, vector = (
        scan("na64mu-2022", model=name, masses_gev=masses).observed
        for name in ("scalar", "pseudoscalar", "vector")
    )
    # far above the muon mass the two agree; far below, the pseudoscalar's derivative coupling
    # costs a factor x^2/(4 (1-x)) of spin flips, less where the window asks for x > 0.7
    assert scalar[2] / pseudoscalar[2] == pytest.approx(1.0, abs=0.03)
    assert scalar[0] < 0.9 * pseudoscalar[0]
    # a vector has twice the number of polarisations or more
    assert np.all(vector < scalar)


def test_projections() -> None:
    masses = np.array([0.02, 0.2])
    past = scan("na64mu-2022", masses_gev=masses)
    clean, scaled, next_run = (
        scan(name, masses_gev=masses)
        for name in ("na64mu-run4", "na64mu-run4-scaled-background", "na64mu-2023-2024")
    )
    for projection in (clean, scaled, next_run):
        assert projection.expected_only
        assert np.all(np.isnan(projection.observed))
    # without background the limit on the rate goes with exposure and yield: epsilon with their root
    improvement = past.expected[2] / clean.expected[2]
    np.testing.assert_allclose(improvement, np.sqrt(4.0 * 2e13 / 1.98e10), rtol=0.02)
    # 71 +- 30 events of background undo most of that
    assert np.all(scaled.expected[2] > 4.0 * clean.expected[2])
    assert np.all(scaled.expected[2] < past.expected[2] / 4.0)
    assert np.all(next_run.expected[2] < past.expected[2])
    assert np.all(next_run.expected[2] > clean.expected[2])


def test_every_muon_below_80_gev_does_not_have_the_shape_of_the_published_limit() -> None:
    """Why the card has a band."""
    wide = ["window.recoil_energy_max_gev=80", "window.recoil_energy_min_gev=0"]
    wide.append("bins.0.observed=0")
    found = scan("na64mu-2022", masses_gev=PUBLISHED[:, 0], overrides=wide)
    ratio = found.observed / PUBLISHED[:, 1]
    assert ratio.max() / ratio.min() > 1.3
