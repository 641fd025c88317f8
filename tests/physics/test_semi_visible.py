"""Semi-visible dark photons: limits of long and short lives, a Monte Carlo of the whole chain."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.decays.in_flight import decay_length_cm
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon
from na64.models.setup import Beam, MissingEnergyWindow, Target
from na64.models.signals.decay_in_flight import mediator_flux
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.semi_visible import excited_state_decay, semi_visible_rates
from na64.models.windows import DisplacedWindow
from na64.workspaces.binding import signal_rates
from na64.workspaces.cardreader import load_card
from na64.workspaces.template import Template

BEAM = Beam("e-", 100.0)
ECAL = Target(material("ecal"))
WINDOW = DisplacedWindow(147.0, 400.0, 15.0, 50.0)
# arXiv:2107.02021: alpha_D = 0.1, m_A' = 3 m_1, Delta = 0.4 m_1
BENCHMARK = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.4)


def rates(masses: object, couplings: object, dark_sector: DarkSector = BENCHMARK) -> np.ndarray:
    found = semi_visible_rates(
        BEAM,
        ECAL,
        WINDOW,
        dark_photon(),
        masses,  # type: ignore[arg-type]
        dark_sector=dark_sector,
        couplings=couplings,  # type: ignore[arg-type]
    )
    return found.events


def test_long_lived_states_are_invisible() -> None:
    masses = np.array([0.01, 0.1, 0.22, 0.25])
    epsilon = 1e-6
    semi = rates(masses, [epsilon, 1.0])[:, 0, :, 1]
    invisible = missing_energy_rates(
        BEAM, ECAL, MissingEnergyWindow(50.0), dark_photon(), masses, dark_sector=BENCHMARK
    )
    expected = epsilon**2 * invisible.events[:, 0, :, 0]
    # two quadratures of the same integrals
    np.testing.assert_allclose(semi, expected, rtol=3e-3)


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
        production="etl",
        inelastic=True,
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
    found = signal_rates(card, dark_photon(), [0.05, 0.15], dark_sector=BENCHMARK)
    events = Template.from_card(card).signal_events(found).sum(axis=(2, 3))
    # excluded: an interval of epsilon that is closed on both sides
    for row in events:
        excluded = np.flatnonzero(row > 2.36)
        assert 0 < excluded[0] < excluded[-1] < len(row) - 1
        assert np.all(np.diff(excluded) == 1)


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
            BEAM, ECAL, WINDOW, mediator("pseudoscalar"), [0.1], dark_sector=BENCHMARK
        )
