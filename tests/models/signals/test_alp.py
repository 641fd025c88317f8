"""Axion-like particles: regions against a Monte Carlo, scaling laws, the published region."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.decays.in_flight import decay_length_cm
from na64.models.decays.widths import boson_to_photons
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.alp import alp
from na64.models.mediators.registry import mediator
from na64.models.production.primakoff import primakoff_cross_section
from na64.models.response.preshower import preshower_probability
from na64.models.response.windows import DisplacedWindow
from na64.models.showers.cascade import cascade
from na64.models.signals.alp import alp_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.reader import load_card
from na64.workspaces.pyhf.template import Template

BEAM = Beam("e-", 100.0)
ECAL = Target(material("ecal"))
WINDOW = DisplacedWindow(147.0, 400.0, 15.0, 50.0)

# NA64, arXiv:2005.02710, 90 % CL, read off the figure: mass in GeV, lower and upper edge of g_agg
PUBLISHED_LOWER = [
    (1e-3, 2.56e-4), (5.28e-3, 2.39e-4), (0.0166, 2.31e-4), (0.0344, 2.24e-4), (0.0447, 2.27e-4),
]  # fmt: skip
PUBLISHED_UPPER = [
    (0.0114, 3.03e-2), (0.0133, 2.17e-2), (0.0190, 9.26e-3), (0.0231, 5.60e-3), (0.0329, 2.05e-3),
    (0.0383, 1.30e-3), (0.0456, 7.68e-4),
]  # fmt: skip
PUBLISHED_TIP = 0.0546


def rates(masses: object, couplings: object = None, **options: object) -> np.ndarray:
    settings = SignalSettings(**options)  # type: ignore[arg-type]
    found = alp_rates(BEAM, ECAL, WINDOW, alp(), masses, settings=settings, couplings=couplings)  # type: ignore[arg-type]
    return found.events[:, :, 0, :]


def edges(events: np.ndarray, couplings: np.ndarray, limit: float) -> list[float]:
    """Couplings at which the events cross a limit, by interpolation of the logarithms."""
    possible = events > 1e-100
    y, x = np.log(events[possible] / limit), np.log(couplings[possible])
    at = np.flatnonzero(np.diff(np.sign(y)))
    return [float(np.exp(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))) for i in at]


@pytest.mark.parametrize(("mass", "coupling"), [(0.03, 3e-4), (0.05, 3e-4), (0.05, 6e-4)])
def test_regions_against_decay_vertices(mass: float, coupling: float) -> None:
    # photons are drawn from the track length of the cascade, vertices from an exponential
    rng = np.random.default_rng(1729)
    shower = cascade(material("ecal"), "e-", 100.0, floor_gev=15.0, step=0.01)
    grid = np.geomspace(15.0, 100.0, 4001)
    above = shower.above(grid)[2]
    energies = np.interp(rng.uniform(0.0, above[0], 1_000_000), above[::-1], grid[::-1])
    per_length = primakoff_cross_section(grid[::50], mass, material("ecal"))[:, 0]
    weight = above[0] * np.interp(energies, grid[::50], per_length)
    length = decay_length_cm(energies, mass, boson_to_photons(mass, coupling))
    vertex = rng.exponential(1.0, len(energies)) * length
    decay = np.mean(weight * ((vertex > 147.0) & (vertex < 400.0)))
    missing = np.mean(weight * ((vertex > 400.0) & (energies > 50.0)))
    found = rates(mass, [coupling, 2.0 * coupling])[0, 0] / coupling**2
    # statistical error up to 1 %, and 1 % for the interpolated track length
    np.testing.assert_allclose(found, [decay, missing], rtol=0.025)


def test_production_goes_with_the_coupling_squared_when_nothing_decays() -> None:
    events = rates(1e-3, [1e-6, 1e-5])[0, :, 1]
    assert events[1] / events[0] == pytest.approx(100.0, rel=1e-6)


def test_decays_go_with_the_fourth_power_when_the_particle_lives_long() -> None:
    events = rates([1e-3, 2e-3], [1e-6, 1e-5])[:, :, 0]
    np.testing.assert_allclose(events[:, 1] / events[:, 0], 1e4, rtol=1e-4)
    # and with m^4 through the decay length
    assert events[1, 0] / events[0, 0] == pytest.approx(16.0, rel=0.01)


def test_everything_is_lost_in_front_of_the_veto_at_large_couplings() -> None:
    events = rates([0.05, 0.1], [1e-3, 1e-2, 1e-1, 10.0])
    assert np.all(np.diff(events.sum(axis=2), axis=1) <= 0.0)
    assert np.all(events[:, -1] == 0.0)


def test_invisible_branching() -> None:
    masses, couplings = [0.02], [1e-5, 3e-4, 1e-2]
    none, half, full = (rates(masses, couplings, invisible_branching=b)[0] for b in (0.0, 0.5, 1.0))
    # nothing to see, and a deficit that does not care where the decay is
    assert np.all(full[:, 0] == 0.0)
    assert full[2, 1] / full[0, 1] == pytest.approx((1e-2 / 1e-5) ** 2, rel=1e-9)
    # long-lived: the same deficit whatever the decay
    np.testing.assert_allclose(none[0, 1], full[0, 1], rtol=1e-3)
    # short-lived: half of the deficit, nothing of the rest
    assert half[2, 1] == pytest.approx(0.5 * full[2, 1], rel=1e-6)
    with pytest.raises(InputError, match="at most 1"):
        rates(masses, couplings, invisible_branching=1.5)


def test_electron_coupled() -> None:
    found = alp_rates(BEAM, ECAL, WINDOW, mediator("pseudoscalar"), [2e-3, 0.02])
    assert found.parameter == "g"
    events = found.events[:, :, 0, :]
    # emission instead of Primakoff: production goes with g^2 here too
    assert events[0, 20, 1] / events[0, 0, 1] == pytest.approx(
        (found.couplings[20] / found.couplings[0]) ** 2, rel=1e-3
    )
    # and shorter decay lengths at larger mass
    peak = found.couplings[np.argmax(events.sum(axis=2), axis=1)]
    assert peak[1] < peak[0]


@pytest.mark.parametrize("name", ["na64e-alp-2016-2018"])
def test_published_region(name: str) -> None:
    card = load_card(name)
    template = Template.from_card(card)

    def crossings(masses: np.ndarray) -> list[list[float]]:
        found = signal_rates(card, alp(), masses)
        total = template.signal_events(found).sum(axis=(2, 3))
        # 2.36 events exclude at 90 % CL without background and with the card's uncertainties
        return [edges(row, found.couplings, 2.36) for row in total]

    for mass, lower in PUBLISHED_LOWER:
        tolerance = 0.10 if mass < 0.015 else 0.12
        assert crossings(np.array([mass]))[0][0] == pytest.approx(lower, rel=tolerance)
    for mass, upper in PUBLISHED_UPPER:
        assert crossings(np.array([mass]))[0][1] == pytest.approx(upper, rel=0.25)
    masses = np.linspace(0.045, 0.065, 41)
    tip = max(m for m, found in zip(masses, crossings(masses), strict=True) if found)
    assert tip == pytest.approx(PUBLISHED_TIP, rel=0.10)


def test_what_is_calibrated_says_so() -> None:
    for name in ("na64e-alp-2016-2018", "na64e-alp-5e12"):
        card = load_card(name)
        assert all("calibrated" in item.efficiency.source for item in card.bins)
        assert "calibrated" in str(card.setups["default"].tables["window"]["source"])


@pytest.mark.parametrize(
    ("window", "target"),
    [
        ((-1.0, 400.0, 15.0, 50.0), ECAL),
        ((400.0, 147.0, 15.0, 50.0), ECAL),
        ((147.0, np.inf, 15.0, 50.0), ECAL),
        ((147.0, 400.0, 0.0, 50.0), ECAL),
        ((147.0, 400.0, 15.0, 100.0), ECAL),
        ((147.0, 400.0, 15.0, 50.0), Target(material("ecal"), 150.0)),
    ],
)
def test_bad_windows(window: tuple[float, float, float, float], target: Target) -> None:
    with pytest.raises(InputError):
        alp_rates(BEAM, target, DisplacedWindow(*window), alp(), [0.01])


def test_bad_beam_and_couplings() -> None:
    with pytest.raises(InputError, match="e- or e\\+ beam"):
        alp_rates(Beam("mu-", 160.0), ECAL, WINDOW, alp(), [0.01])
    with pytest.raises(InputError, match="positive and increasing"):
        rates([0.01], [1e-4, 1e-5])
    with pytest.raises(InputError, match="below the beam energy"):
        rates([200.0])


def test_trigger_keeps_what_leaves_enough_beside_the_particle() -> None:
    # a long-lived particle takes the energy of its photon: the spectrum of photons, weighted
    window = DisplacedWindow(147.0, 400.0, 15.0, 50.0, preshower_energy_gev=1.0)
    mass, coupling = 1e-3, [1e-6, 2e-6]
    kept, full = (
        alp_rates(BEAM, ECAL, w, alp(), [mass], couplings=coupling).events[0, 0, 0, 1]
        for w in (window, WINDOW)
    )
    shower = cascade(ECAL.material, "e-", 100.0, floor_gev=50.0, step=0.01)
    photons = shower.energies_gev
    made = shower.tracks[2] * primakoff_cross_section(photons, mass, ECAL.material)[:, 0]
    passed = preshower_probability(100.0 - photons, 1.0, ECAL.material)
    assert kept / full == pytest.approx(np.sum(made * passed) / np.sum(made), rel=1e-4)
    assert 0.9 < kept / full < 0.98
