"""Cards of runs that are not published yet: hand-computed numbers, limiting cases, a few facts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from na64.limits import scan
from na64.limits.scanning.request import specify
from na64.limits.scanning.signal import expected_signal
from na64.models.anomalies import MEASUREMENTS, coupling_band
from na64.models.constants import CHARGED_KAON_MASS_GEV, CHARGED_PION_MASS_GEV
from na64.models.mediators.mesons import invisible_mesons
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.reader import load_card

#: c tau of the K_S and the K_L, of K- and pi- [cm], Particle Data Group
C_TAU_CM = {"K_S": 2.684, "K_L": 1534.0, "K-": 371.2, "pi-": 780.4}
K0_MASS_GEV = 0.497611


def test_a_threshold_of_40_gev_moves_the_edge_of_the_resonance() -> None:
    # sqrt(2 m_e 40 GeV) = 202.2 MeV and 226.1 MeV at 50 GeV
    low = load_card("na64e-2023").setups["default"].window.resonance_edges_gev(100.0)
    high = load_card("na64e-2016-2022").setups["default"].window.resonance_edges_gev(100.0)
    assert low == pytest.approx((0.2022, 0.3197), rel=5e-4)
    assert high[0] == pytest.approx(0.2261, rel=5e-4)
    between = [0.214]  # above the one edge, below the other
    new, old = (scan(name, masses_gev=between, method="asymptotic", expected_only=True)
                for name in ("na64e-2023", "na64e-2016-2022"))  # fmt: skip
    # with half of the electrons, 2.8 times the reach: there annihilation is open for 2023 alone
    assert new.expected[2, 0] < old.expected[2, 0] / 2.0
    # away from it the exposure decides, of which 2023 has less than half
    new, old = (scan(name, masses_gev=[0.01, 0.6], method="asymptotic", expected_only=True)
                for name in ("na64e-2023", "na64e-2016-2022"))  # fmt: skip
    assert np.all(new.expected[2] > old.expected[2])


def test_all_runs_to_2024_are_the_published_ones_and_one_more_bin() -> None:
    card, published = load_card("na64e-2016-2024"), load_card("na64e-2016-2022")
    assert card.total_exposure == pytest.approx(1.9e12, rel=3e-3)
    assert [item.name for item in card.bins[:-1]] == [item.name for item in published.bins]
    for new, old in zip(card.bins, published.bins, strict=False):
        assert (new.exposure, new.efficiency, new.backgrounds) == (
            old.exposure, old.efficiency, old.backgrounds,
        )  # fmt: skip
        # the median that stands in for the data is what was seen
        assert new.observed == old.observed == 0
    (last,) = card.bins[len(published.bins) :]
    assert card.setups[last.setup].window == load_card("na64e-2023").setups["default"].window
    # 4.4e11 of it in 2023, with the same background per electron to two digits
    (alone,) = load_card("na64e-2023").bins
    per_electron = [item.expected_background / item.exposure.value for item in (alone, last)]
    assert per_electron[0] == pytest.approx(per_electron[1], rel=0.02)
    assert last.expected_background == pytest.approx((0.34 + 0.016) * 9.6 / 6.53, rel=0.01)


def test_electrons_exclude_the_moment_of_the_muon_below_2_mev() -> None:
    # arXiv:2404.06982: the band preferred by g-2 is excluded from 1 keV up to about 2 MeV. Here
    # the limit leaves the band of two standard deviations, at its upper edge, at 2.4 MeV.
    masses = np.array([1e-6, 1e-4, 1.5e-3, 3e-3])
    limit = scan("na64e-l-mu-l-tau-2016-2022", masses_gev=masses)
    assert limit.specification.mediator.name == "l-mu-l-tau"
    band = coupling_band(MEASUREMENTS["mu-2021"], "vector", masses)
    excluded = limit.observed < band.upper
    assert excluded.tolist() == [True, True, True, False]
    # the whole band below, where the emission does not depend on the mass
    assert np.all(limit.observed[:2] < band.lower[:2])
    assert limit.observed[0] == pytest.approx(limit.observed[1], rel=0.02)


def test_b_minus_l_scales_with_the_root_of_the_exposure() -> None:
    # no event in either, so the background does not count: 3.22e11 electrons to 2021
    masses = [1e-3, 0.05]
    new = scan("na64e-b-minus-l-2016-2022", masses_gev=masses).observed
    old = scan("na64e-2016-2021", model="b-minus-l-heavy-neutrinos", masses_gev=masses).observed
    np.testing.assert_allclose(new / old, math.sqrt(3.22 / 9.37), rtol=1e-3)


def test_kaons_by_hand() -> None:
    # Pb, C, H in the calorimeter [1e22/cm^3], times 56.3 microbarn Z^(2/3) (p/10 GeV)^-1.6
    momentum = math.sqrt(50.0**2 - CHARGED_KAON_MASS_GEV**2)
    density = {82: 1.649, 6: 2.367, 1: 2.620}
    per_cm = sum(
        1e22 * n * 56.3e-30 * z ** (2.0 / 3.0) * (momentum / 10.0) ** -1.6
        for z, n in density.items()
    )
    made = per_cm * 33.8 * (1.0 - math.exp(-45.0 / 33.8))
    card = load_card("na64h-kaons")
    (only,) = card.bins
    rates = signal_rates(card, invisible_mesons(), [K0_MASS_GEV])
    assert rates.events.item() == pytest.approx(made, rel=2e-3) == pytest.approx(4.43e-5, rel=2e-3)
    found = scan(card)
    assert found.masses_gev == pytest.approx([K0_MASS_GEV], rel=1e-5)
    events = only.exposure.value * made * 0.028
    # 2.30 events, and a little more for 30 % of the production and 30 % of the efficiency
    assert 1.0 < found.expected[2, 0] * events / 2.303 < 1.5
    # the first limit on K_S to nothing is 8.4e-4 (BESIII, arXiv:2501.06426)
    assert found.expected[2, 0] < 8.4e-4 / 20.0


def decays_first(kind: str, interaction_cm: float) -> float:
    """Probability of a K0 of 50 GeV to decay before it interacts."""
    length = math.sqrt((50.0 / K0_MASS_GEV) ** 2 - 1.0) * C_TAU_CM[kind]
    return interaction_cm / (interaction_cm + length)


def test_few_of_the_kaons_decay_before_they_interact() -> None:
    card = load_card("na64h-kaons")
    (only,) = card.bins
    window = card.setups["default"].window
    short = decays_first("K_S", window.interaction_length_cm)
    assert short == pytest.approx(0.111, rel=5e-3)
    assert only.efficiency.at(K0_MASS_GEV).item() == pytest.approx(0.5 * short * 0.5, rel=0.01)
    # K_L are 500 times worse; arXiv:1409.2288 has a factor of 100 between its two sensitivities
    assert 100.0 < short / decays_first("K_L", window.interaction_length_cm) < 600.0
    # a calorimeter without nuclei would see half of all K0 as K_S
    assert decays_first("K_S", 1e9) == pytest.approx(1.0, abs=1e-6)


def test_share_of_kaons_in_a_beam_of_pions() -> None:
    # the 2 % of the card's source: 7 % where they are made, decays of both over 540 m
    def left(mass: float, c_tau: float) -> float:
        return math.exp(-54000.0 * mass / (50.0 * c_tau))

    share = 0.07 * left(CHARGED_KAON_MASS_GEV, C_TAU_CM["K-"])
    share /= left(CHARGED_PION_MASS_GEV, C_TAU_CM["pi-"])
    assert share == pytest.approx(0.02, rel=0.05)
    assert share * load_card("na64h-2025").total_exposure == pytest.approx(8e8, rel=0.05)


def test_pions_of_2025_scale_with_their_number() -> None:
    new, old = scan("na64h-2025"), scan("na64h-2022")
    np.testing.assert_allclose(new.expected[2] / old.observed, 2.9e9 / 4e10, rtol=1e-3)


def test_lead_tungstate() -> None:
    card = load_card("na64e-positron-pbwo4")
    beam, target, window = card.setups["default"].physics
    # Particle Data Group: 0.8904 cm
    assert target.material.radiation_length_cm == pytest.approx(0.8904, rel=1e-3)
    assert target.material.electron_density_cm3 == pytest.approx(2.065e24, rel=2e-3)
    # at the cut: 2.5 % sqrt(30 GeV) and 0.5 % of 30 GeV, and 1 % of the beam
    spread = window.acceptance(beam, target).spread_gev(30.0)
    assert spread == pytest.approx(math.sqrt(0.1369**2 + 0.15**2 + 0.6**2), rel=1e-3)
    # the two energies cover what the programme says, 135-250 MeV (CERN-SPSC-2024-003)
    low = card.setups["40-gev"]
    edges = (low.window.resonance_edges_gev(40.0)[0], window.resonance_edges_gev(60.0)[1])
    assert edges == pytest.approx((0.135, 0.250), rel=0.06)
    assert low.target == target
    assert low.window.resolution_stochastic == 0.025


def test_annihilation_in_lead_tungstate_counts_electrons_per_radiation_length() -> None:
    # 2.065e24 x 0.8904 cm against 1.685e24 cm^-2 in lead and scintillator: 9 % more. The plain
    # step of the trigger is left out, since only that of the calorimeter is simulated.
    def made(*settings: str) -> float:
        plain = ("window.preshower_energy_gev=0", *settings)
        asked = specify("na64e-positron-pbwo4", masses_gev=[0.22], overrides=plain)
        # mass, region (60 GeV first), process (emission, annihilation), coupling
        return float(expected_signal(asked).rates.events[0, 0, 1, 0])

    ratio = made() / made("target.material=ecal")
    assert ratio == pytest.approx(2.065e24 * 0.8904 / 1.685e24, rel=0.01)
