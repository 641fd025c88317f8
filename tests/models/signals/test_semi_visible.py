"""Semi-visible dark photons: limits of long and short lives, a Monte Carlo of the whole chain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import trapezoid

from na64.limits import scan
from na64.models.constants import GEV2_TO_CM2
from na64.models.decays.in_flight import decay_length_cm
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon
from na64.models.production.annihilation import Resonance, resonance_nodes
from na64.models.response.windows import DisplacedWindow, MissingEnergyWindow
from na64.models.showers.cascade import cascade
from na64.models.signals.decay_in_flight import mediator_flux
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.semi_visible import excited_state_decay, semi_visible_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.reader import load_card
from na64.workspaces.pyhf.template import Template

BEAM = Beam("e-", 100.0)
ECAL = Target(material("ecal"))
WINDOW = DisplacedWindow(147.0, 400.0, 15.0, 50.0)
# arXiv:2107.02021: alpha_D = 0.1, m_A' = 3 m_1, Delta = 0.4 m_1
BENCHMARK = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.4)


def rates(masses: Any, couplings: Any, dark_sector: DarkSector = BENCHMARK) -> np.ndarray:
    found = semi_visible_rates(
        BEAM,
        ECAL,
        WINDOW,
        dark_photon(),
        masses,
        settings=SignalSettings(dark_sector=dark_sector),
        couplings=couplings,
    )
    return found.events


def test_long_lived_states_are_invisible() -> None:
    masses = np.array([0.01, 0.1, 0.22, 0.25])
    epsilon = 1e-6
    semi = rates(masses, [epsilon, 1.0])[:, 0, :, 1]
    invisible = missing_energy_rates(
        BEAM,
        ECAL,
        MissingEnergyWindow(50.0),
        dark_photon(),
        masses,
        settings=SignalSettings(dark_sector=BENCHMARK),
    )
    expected = epsilon**2 * invisible.events[:, 0, :, 0]
    # two quadratures of the same integral of emission; the resonance has the same nodes
    np.testing.assert_allclose(semi, expected, rtol=3e-3)


@pytest.mark.parametrize("particle", ["e-", "e+"])
@pytest.mark.parametrize("alpha_d", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_resonances_of_any_width(particle: str, alpha_d: float) -> None:
    masses = np.array([0.235, 0.25, 0.28, 0.30])
    sector = DarkSector(DarkMatter.PSEUDO_DIRAC, alpha_d, 3.0, 0.4)
    beam = Beam(particle, 100.0)
    epsilon = 1e-6
    semi = semi_visible_rates(
        beam,
        ECAL,
        WINDOW,
        dark_photon(),
        masses,
        settings=SignalSettings(dark_sector=sector),
        couplings=[epsilon, 1.0],
    )
    invisible = missing_energy_rates(
        beam,
        ECAL,
        MissingEnergyWindow(50.0),
        dark_photon(),
        masses,
        settings=SignalSettings(dark_sector=sector),
    )
    expected = epsilon**2 * invisible.events[:, 0, 1, 0]
    # chi_2 with a lifetime of 1/(epsilon^2 alpha_D) still decays with a probability of 1e-7
    np.testing.assert_allclose(semi.events[:, 0, 1, 1], expected, rtol=1e-5)


def test_points_of_the_resonance_integrate_decays() -> None:
    # a third of chi_2 survives; against seven times as many energies, each with its own direction
    mass, epsilon = 0.25, 6e-3
    for alpha_d in (0.1, 1e-4):
        sector = DarkSector(DarkMatter.PSEUDO_DIRAC, alpha_d, 3.0, 0.4)
        coupling = epsilon * np.sqrt(0.1 / alpha_d)
        found = rates([mass], [coupling, 1.0], sector)[0, 0, 1, 1]
        decay = excited_state_decay(dark_photon(), mass, sector)
        energy = np.geomspace(50.0, 100.0, 501)

        def width(root_s: np.ndarray, sector: DarkSector = sector) -> np.ndarray:
            return sector.width_gev(root_s, mass)

        resonance = Resonance(
            mass, 3, lambda root_s: dark_photon().partial_widths(root_s)["e e"], width, width
        )
        shower = cascade(ECAL.material, "e-", 100.0, floor_gev=50.0, step=0.01)
        nodes, weights = resonance_nodes(resonance, energy)
        weights = weights * shower.spectrum(nodes)[1]
        rest = (mass**2 + decay.heavy_gev[0] ** 2 - decay.light_gev[0] ** 2) / (2.0 * mass)
        momentum = np.sqrt(rest**2 - decay.heavy_gev[0] ** 2)
        gamma = nodes / mass
        cosines = np.linspace(-1.0, 1.0, 401)
        excited = (
            gamma[..., None] * rest + np.sqrt(gamma[..., None] ** 2 - 1.0) * momentum * cosines
        )
        length = decay_length_cm(excited, decay.heavy_gev[0], coupling**2 * decay.total_gev[0])
        survive = trapezoid(np.exp(-400.0 / length), cosines, axis=-1) / 2.0
        electrons = ECAL.material.electron_density_cm3 * ECAL.material.radiation_length_cm
        expected = coupling**2 * electrons * GEV2_TO_CM2 * np.sum(weights * survive)
        assert found == pytest.approx(expected, rel=2e-4)


def test_decays_at_once_leave_no_limit() -> None:
    events = rates([0.2, 0.3], [1e-3, 0.3, 1.0])
    assert np.all(events[:, 0] > 1e-15)
    assert np.all(events[:, 2] < 1e-30)


def test_decay_region_goes_with_the_fourth_power_for_long_lives() -> None:
    events = rates([0.05], [1e-6, 1e-5])[0, :, 0, 0]
    assert events[1] / events[0] == pytest.approx(1e4, rel=1e-3)


def test_lifetime_of_the_benchmark() -> None:
    # 0.64 of 4 epsilon^2 alpha alpha_D Delta^5/(15 pi M^4) at m_1 = 100 MeV
    decay = excited_state_decay(dark_photon(), 0.3, BENCHMARK)
    limit = 4.0 * 0.1 / 137.036 * 0.04**5 / (15.0 * np.pi * 0.3**4)
    assert decay.total_gev[0] / limit == pytest.approx(0.64, abs=0.005)
    assert decay.heavy_gev[0] == pytest.approx(0.14)


@pytest.mark.parametrize("epsilon", [2e-3, 1e-2])
def test_against_a_monte_carlo_of_the_chain(epsilon: float) -> None:
    # A' energies from the flux; A' -> chi_1 chi_2 and the pair's direction isotropic at rest; the
    # pair's mass from the width; vertices from an exponential
    mass = 0.15
    rng = np.random.default_rng(2107)
    decay = excited_state_decay(dark_photon(), mass, BENCHMARK)
    m1, m2 = decay.light_gev[0], decay.heavy_gev[0]
    flux = mediator_flux(
        BEAM,
        ECAL,
        dark_photon(),
        np.array([mass]),
        15.0,
        settings=SignalSettings(),
        tables=None,
    )
    count = 300_000
    chance = flux.weights[0] / flux.totals[0]
    energy = rng.choice(flux.energies_gev[0], count, p=chance)
    at_rest = (mass**2 + m2**2 - m1**2) / (2.0 * mass)
    momentum = np.sqrt(at_rest**2 - m2**2)
    gamma = energy / mass
    cosine = rng.uniform(-1.0, 1.0, count)
    excited = gamma * at_rest + np.sqrt(gamma**2 - 1.0) * momentum * cosine
    part = decay.pair_widths_gev[0] / decay.total_gev[0]
    pair = rng.choice(decay.pair_masses_gev[0], count, p=part / part.sum())
    pair_at_rest = (m2**2 - m1**2 + pair**2) / (2.0 * m2)
    pair_momentum = np.sqrt(pair_at_rest**2 - pair**2)
    boost = excited / m2
    cosine = rng.uniform(-1.0, 1.0, count)
    visible = boost * pair_at_rest + np.sqrt(boost**2 - 1.0) * pair_momentum * cosine
    length = decay_length_cm(excited, m2, epsilon**2 * decay.total_gev[0])
    vertex = rng.exponential(1.0, count) * length
    seen = np.mean((vertex > 147.0) & (vertex < 400.0) & (visible > 15.0))
    missing = np.mean((vertex > 400.0) & (energy > 50.0))
    found = rates([mass], [epsilon, 1.0])[0, 0, 0] / (epsilon**2 * flux.totals[0])
    # statistics of a few thousand counts; nodes beside the cut at 50 GeV
    np.testing.assert_allclose(found, [seen, missing], rtol=0.05)


def test_card() -> None:
    card = load_card("na64e-semi-visible-2016-2018")
    found = signal_rates(
        card, dark_photon(), [0.05, 0.15], settings=SignalSettings(dark_sector=BENCHMARK)
    )
    events = Template.from_card(card).signal_events(found).sum(axis=(2, 3))
    # excluded: an interval of epsilon that is closed on both sides
    for row in events:
        excluded = np.flatnonzero(row > 2.36)
        assert 0 < excluded[0] < excluded[-1] < len(row) - 1
        assert np.all(np.diff(excluded) == 1)


def test_limit_of_stable_states_is_that_of_the_invisible_search() -> None:
    # the same data and cut; at 10 MeV no chi_2 decays before the detector's end
    words: dict[str, Any] = {
        "dark_matter": "pseudo-dirac",
        "splitting": 0.4,
        "method": "asymptotic",
    }
    semi = scan("na64e-semi-visible-2016-2018", masses_gev=[0.01, 0.1, 0.24], **words)
    stable = scan("na64e-2016-2018", masses_gev=[0.01, 0.1, 0.24], **words)
    # the backgrounds differ in how they are split into bins, of no weight where nothing is observed
    np.testing.assert_allclose(semi.observed, stable.observed, rtol=0.01)


@pytest.mark.parametrize(
    ("sector", "masses", "message"),
    [
        (DarkSector(), [0.1], "pseudo-dirac"),
        (DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0), [0.1], "mass splitting"),
        (BENCHMARK, [0.1, 0.005], "2 m_e"),
    ],
)
def test_bad_dark_matter(sector: DarkSector, masses: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rates(masses, [1e-4, 1e-3], sector)


def test_needs_dark_matter_and_a_vector() -> None:
    with pytest.raises(InputError, match="pseudo-dirac"):
        semi_visible_rates(BEAM, ECAL, WINDOW, dark_photon(), [0.1])
    with pytest.raises(InputError, match="vector mediator"):
        semi_visible_rates(
            BEAM,
            ECAL,
            WINDOW,
            mediator("pseudoscalar"),
            [0.1],
            settings=SignalSettings(dark_sector=BENCHMARK),
        )


def test_trigger_acts_as_on_an_invisible_mediator() -> None:
    # long-lived chi_2, so that every A' is missing energy: the share that the trigger keeps is
    # that of the search for missing energy, process by process
    masses = np.array([0.05, 0.29])
    settings = SignalSettings(dark_sector=DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.1))
    seen, plain = (
        semi_visible_rates(
            BEAM, ECAL, DisplacedWindow(147.0, 400.0, 15.0, 50.0, threshold), dark_photon(),
            masses, settings=settings, couplings=[1e-7, 2e-7],
        ).events[:, 0, :, 1]
        for threshold in (1.0, 0.0)
    )  # fmt: skip
    seen_invisible, plain_invisible = (
        missing_energy_rates(
            BEAM, ECAL, MissingEnergyWindow(50.0, threshold), dark_photon(), masses,
            settings=settings,
        ).events[:, 0, :, 0]
        for threshold in (1.0, 0.0)
    )  # fmt: skip
    np.testing.assert_allclose(seen / plain, seen_invisible / plain_invisible, rtol=0.02)
    assert np.all(seen < 0.99 * plain)
