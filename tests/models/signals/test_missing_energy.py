"""Missing-energy yields of electron and positron beams against independent numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.integrate import trapezoid
from scipy.special import gammainc

from na64.models.constants import ALPHA, ELECTRON_MASS_GEV
from na64.models.decays.invisible import invisible_branching
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.gauge_bosons import b_minus_l
from na64.models.mediators.vectors import VectorMediator, dark_photon
from na64.models.production.annihilation import Resonance, resonant_yield
from na64.models.response.preshower import preshower_probability
from na64.models.response.windows import MissingEnergyWindow
from na64.models.showers.cascade import cascade
from na64.models.signals import missing_energy
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target

BEAM = Beam("e-", 100.0)
WINDOW = MissingEnergyWindow(50.0)
LEAD = Target(material("lead"))
ECAL = Target(material("ecal"))
DARK = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)

MASSES_MEV = np.array([1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 900.0])
# A' per electron on target at epsilon = 1: lead alone, elastic scattering, exact tree level; from
# an independent integration of cross-section and cascade
EMITTED = np.array(
    [0.196, 0.101, 0.0313, 0.0111, 3.55e-3, 6.41e-4, 1.44e-4, 2.76e-5, 9.73e-6, 2.32e-6, 3.42e-7]
)


def rates(target: Target, masses_mev: Any, tables: Any = None, **options: Any) -> np.ndarray:
    settings = SignalSettings(**{"dark_sector": DARK, **options})
    masses = np.atleast_1d(np.asarray(masses_mev, float)) * 1e-3
    found = missing_energy_rates(
        BEAM, target, WINDOW, dark_photon(), masses, settings=settings, tables=tables
    )
    assert found.power == 2.0
    return found.events[:, 0, :, 0]


def test_yield_per_electron_on_target() -> None:
    ratio = rates(LEAD, MASSES_MEV, inelastic=False)[:, 0] / EMITTED
    np.testing.assert_allclose(ratio, 1.0, rtol=0.01)


def test_inelastic_scattering_and_scintillator_are_small_corrections() -> None:
    masses = [5.0, 50.0, 300.0]
    lead = rates(LEAD, masses, inelastic=False)[:, 0]
    with_inelastic = rates(LEAD, masses)[:, 0] / lead
    assert np.all((with_inelastic > 1.013) & (with_inelastic < 1.021))
    # 1.5 % less lead per radiation length, 1-1.5 % of carbon
    sandwich = rates(ECAL, masses, inelastic=False)[:, 0] / lead
    np.testing.assert_allclose(sandwich, 1.0, atol=0.008)


def test_grids_are_fine_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    masses = [1.0, 30.0, 215.0, 240.0, 310.0]
    coarse = rates(ECAL, masses)
    monkeypatch.setattr(missing_energy, "_CASCADE_STEP", 0.005)
    monkeypatch.setattr(missing_energy, "_ENERGIES", 40)
    np.testing.assert_allclose(rates(ECAL, masses), coarse, rtol=2e-3)


@pytest.mark.parametrize(
    ("alpha_d", "improvement"),
    [(0.1, [3.6, 4.5, 4.0, 2.75, 1.9, 1.25]), (0.5, [3.1, 3.4, 3.3, 2.6, 2.1, 1.6])],
)
def test_resonance_improves_the_limit_on_epsilon(alpha_d: float, improvement: list[float]) -> None:
    # limit without over limit with annihilation, fixed width M Gamma(M), to the digits given
    masses = np.array([0.226, 0.235, 0.25, 0.28, 0.3, 0.32])
    emitted = rates(ECAL, masses * 1e3, inelastic=False)[:, 0]
    shower = cascade(ECAL.material, "e-", 100.0, floor_gev=50.0, step=0.01)
    dark = DarkSector(DarkMatter.DIRAC, alpha_d, 3.0)
    electrons = ECAL.material.electron_density_cm3 * ECAL.material.radiation_length_cm
    found = []
    for mass, events in zip(masses, emitted, strict=True):
        width = lambda root_s, mass=mass: dark.width_gev(root_s, mass)  # noqa: E731
        fixed = Resonance(
            mass, 3, lambda root_s: dark_photon().partial_widths(root_s)["e e"], width, width, False
        )
        annihilated = (
            electrons
            * 0.389379e-27
            * resonant_yield(
                fixed, lambda energy: shower.spectrum(energy)[1], shower.energies_gev[::-1]
            )
        )
        found.append(np.sqrt(1.0 + annihilated / events))
    np.testing.assert_allclose(found, improvement, rtol=0.025)


def test_initial_state_radiation_fills_in_below_the_resonance() -> None:
    masses = [215.0, 240.0]
    plain = rates(ECAL, masses)[:, 1]
    radiated = rates(ECAL, masses, initial_state_radiation=True)[:, 1]
    assert radiated[0] > 1.1 * plain[0]
    assert 0.85 < radiated[1] / plain[1] < 1.0


@pytest.mark.parametrize("share", [0.5, 0.1, 0.021])
def test_soft_collisions_after_one_hard_photon_of_the_electron(share: float) -> None:
    """Far below the threshold one photon is radiated along the electron, to first order in alpha.

    T'(E') = int dE/E (beta/4) (1 + z^2)/(1 - z) T(E) over what counts, z = E'/E; further photons
    are corrections of beta ln(z), 15 % at most.
    """
    threshold, full = 20.0, 30.0
    window, portal = MissingEnergyWindow(threshold), b_minus_l()
    masses = np.sqrt(2.0 * ELECTRON_MASS_GEV * np.array([share * threshold, full]))
    soft, plain = (
        missing_energy_rates(
            BEAM, ECAL, window, portal, masses, settings=SignalSettings(initial_state_radiation=on)
        ).events[:, 0, 1, 0]
        for on in (True, False)
    )
    assert plain[0] == 0.0
    track = cascade(ECAL.material, "e-", 100.0, floor_gev=threshold, step=0.01).spectrum
    energy, step = np.linspace(threshold, 100.0, 4001, retstep=True)
    z = share * threshold / energy
    beta = 2.0 * ALPHA / np.pi * (np.log(2.0 * share * threshold / ELECTRON_MASS_GEV) - 1.0)
    splitting = beta / 4.0 * (1.0 + z**2) / (1.0 - z) / energy
    expected = trapezoid(splitting * track(energy)[1], dx=step)
    # narrow, and as many invisible decays at both masses: events go with the track length
    found = soft[0] / plain[1] * track(np.array([full]))[1][0]
    assert found == pytest.approx(expected, rel=0.15)


def test_annihilation_can_be_switched_off_and_the_rest_stays() -> None:
    both = rates(ECAL, [240.0])
    alone = rates(ECAL, [240.0], annihilation=False)
    assert alone[0, 1] == 0.0
    assert alone[0, 0] == both[0, 0]


def test_heavy_mediators_cannot_annihilate() -> None:
    # above 2 m_chi = sqrt(2 m_e E_0) = 320 MeV not even off the resonance
    assert rates(ECAL, [485.0])[0, 1] == 0.0
    assert rates(ECAL, [470.0])[0, 1] > 0.0


def test_positron_beam_annihilates_near_its_energy() -> None:
    masses = np.array([0.318])  # just below sqrt(2 m_e 100 GeV)
    plus = missing_energy_rates(
        Beam("e+", 100.0),
        ECAL,
        WINDOW,
        dark_photon(),
        masses,
        settings=SignalSettings(dark_sector=DARK),
    )
    minus = rates(ECAL, masses * 1e3)
    assert plus.events[0, 0, 1, 0] > 50.0 * minus[0, 1]
    # emission does not see the charge: annihilation in flight takes 0.2 % of the positrons
    assert plus.events[0, 0, 0, 0] == pytest.approx(minus[0, 0], rel=5e-3)


def test_a_trigger_that_sees_all_of_the_rest_removes_the_hardest_mediators() -> None:
    # in a target without a simulated preshower the threshold is on E_rest itself. Fraction of
    # the signal that leaves more than 5 GeV: .95 at 1 MeV, .84 at 10 MeV, .77 at 100 MeV
    cut = MissingEnergyWindow(50.0, preshower_energy_gev=5.0)
    masses = np.array([1e-3, 0.01, 0.1])
    settings = SignalSettings(dark_sector=DARK, annihilation=False)
    kept, full = (
        missing_energy_rates(BEAM, LEAD, window, dark_photon(), masses, settings=settings).events
        for window in (cut, WINDOW)
    )
    np.testing.assert_allclose(kept[:, 0, 0, 0] / full[:, 0, 0, 0], [0.95, 0.84, 0.77], atol=0.02)


def test_trigger_on_the_preshower_acts_on_every_process() -> None:
    # 0.32 GeV: the positrons have 100 GeV and leave nothing; emission leaves what it leaves
    masses = np.array([0.32])
    beam = Beam("e+", 100.0)
    settings = SignalSettings(dark_sector=DARK)
    events = [
        missing_energy_rates(
            beam,
            ECAL,
            MissingEnergyWindow(50.0, preshower_energy_gev=threshold),
            dark_photon(),
            masses,
            settings=settings,
        ).events[0, 0, :, 0]
        for threshold in (0.0, 0.3, 0.5, 1.0, 10.0)
    ]
    emission, annihilation = np.array(events).T
    assert np.all(np.diff(emission) < 0.0)
    assert np.all(np.diff(annihilation) < 0.0)
    assert annihilation[2] < 0.3 * annihilation[0]
    assert annihilation[4] < 1e-3 * annihilation[0]
    # what emission keeps at 0.5 GeV: nearly all of what leaves more than 3 GeV
    assert 0.7 < emission[2] / emission[0] < 0.95


def test_annihilation_with_a_trigger_is_the_spectrum_times_its_probability() -> None:
    # a narrow resonance takes the positrons of one energy
    boson = VectorMediator("toy", "g", {"e": 1.0, "nu_mu": 1.0})
    masses = np.array([0.25, 0.30, 0.31])
    window = MissingEnergyWindow(50.0, preshower_energy_gev=1.0)
    kept, full = (
        missing_energy_rates(BEAM, ECAL, w, boson, masses).events[:, 0, 1, 0]
        for w in (window, WINDOW)
    )
    positron = masses**2 / (2.0 * ELECTRON_MASS_GEV) - ELECTRON_MASS_GEV
    expected = preshower_probability(100.0 - positron, 1.0, ECAL.material)
    np.testing.assert_allclose(kept / full, expected, rtol=1e-10)


def test_energy_resolution_softens_the_edge_of_the_resonance() -> None:
    # sigma/E = 10 %/sqrt(E) (+) 4 %: 2.1 GeV at 50 GeV
    smeared = MissingEnergyWindow(50.0, resolution_stochastic=0.1, resolution_constant=0.04)
    assert smeared.acceptance(BEAM, ECAL).spread_gev(50.0) == pytest.approx(2.12, rel=1e-2)
    masses = np.array([0.01, 0.2, 0.22, 0.232, 0.26])
    settings = SignalSettings(dark_sector=DARK)
    blurred = missing_energy_rates(BEAM, ECAL, smeared, dark_photon(), masses, settings=settings)
    sharp = missing_energy_rates(BEAM, ECAL, WINDOW, dark_photon(), masses, settings=settings)
    emission, annihilation = (blurred.events / sharp.events)[:, 0, :, 0].T
    # second order in sigma where the spectrum is smooth
    np.testing.assert_allclose(emission, 1.0, atol=0.02)
    assert annihilation[2] > 1.5  # 47.4 GeV: below the cut by little more than one sigma
    assert 0.6 < annihilation[3] < 0.95
    assert annihilation[4] == pytest.approx(1.0, abs=0.01)


def test_smeared_cut_is_the_average_over_sharp_ones() -> None:
    # emission does not see where in the shower; sigma is that of the visible energy at the cut.
    # With a constant spread the average over the cut is exact: Gauss-Hermite of seven points
    spread = 0.02
    beam = Beam("e-", 100.0, momentum_spread=spread)
    masses = np.array([2e-3, 0.05, 0.5])
    settings = SignalSettings(dark_sector=DARK, annihilation=False)

    def emitted(beam: Beam, cut: float) -> np.ndarray:
        window = MissingEnergyWindow(cut)
        return missing_energy_rates(
            beam, ECAL, window, dark_photon(), masses, settings=settings
        ).events[:, 0, 0, 0]

    points, weights = hermegauss(7)
    average = sum(
        weight * emitted(BEAM, 50.0 + 100.0 * spread * point)
        for point, weight in zip(points, weights / weights.sum(), strict=True)
    )
    np.testing.assert_allclose(emitted(beam, 50.0), average, rtol=2e-3)


def test_spread_of_the_beam_smears_the_end_of_the_resonance_of_its_positrons() -> None:
    boson = VectorMediator("toy", "g", {"e": 1.0, "nu_mu": 1.0})
    ends = np.sqrt(2.0 * ELECTRON_MASS_GEV * np.array([90.0, 101.0]))
    sharp, smeared = (
        missing_energy_rates(
            Beam("e+", 100.0, momentum_spread=spread), ECAL, WINDOW, boson, ends
        ).events[:, 0, 1, 0]
        for spread in (0.0, 0.01)
    )
    assert sharp[1] == 0.0 < smeared[1]
    # away from the end the spectrum is smooth: second order in the spread
    assert smeared[0] == pytest.approx(sharp[0], rel=0.02)


def test_light_mediators_have_no_resonance_whatever_the_spread() -> None:
    boson = VectorMediator("toy", "g", {"e": 1.0, "nu_mu": 1.0})
    masses = [2e-6, 1e-4, 1.1e-3, 0.05]
    for spread in (0.0, 0.01):
        beam = Beam("e-", 100.0, momentum_spread=spread)
        found = missing_energy_rates(beam, ECAL, WINDOW, boson, masses).events[:, 0, :, 0]
        assert np.all(found[:, 0] > 0.0)
        np.testing.assert_array_equal(found[:, 1], 0.0)


def test_vanishing_resolution_is_a_sharp_cut() -> None:
    tiny = MissingEnergyWindow(50.0, resolution_stochastic=1e-4)
    masses = np.array([0.01, 0.215, 0.24])
    for radiation in (False, True):
        settings = SignalSettings(dark_sector=DARK, initial_state_radiation=radiation)
        blurred = missing_energy_rates(BEAM, ECAL, tiny, dark_photon(), masses, settings=settings)
        sharp = missing_energy_rates(BEAM, ECAL, WINDOW, dark_photon(), masses, settings=settings)
        np.testing.assert_allclose(blurred.events, sharp.events, rtol=3e-3)


def test_tables_are_kept_under_everything_they_depend_on() -> None:
    class Store:
        def __init__(self) -> None:
            self.kept: dict[str, Mapping[str, np.ndarray]] = {}

        def get_or_compute(self, key, compute):
            name = repr(sorted(key.items(), key=str))
            if name not in self.kept:
                self.kept[name] = compute()
            return self.kept[name]

    store = Store()
    first = rates(ECAL, [10.0, 100.0], tables=store)
    assert len(store.kept) == 1
    np.testing.assert_array_equal(rates(ECAL, [10.0, 100.0], tables=store), first)
    assert len(store.kept) == 1
    rates(ECAL, [10.0, 100.0], tables=store, production="ww")
    rates(LEAD, [10.0, 100.0], tables=store)
    rates(ECAL, [10.0, 100.0], tables=store, inelastic=False)
    assert len(store.kept) == 4


def test_invisible_branching_of_a_gauge_boson_without_dark_matter() -> None:
    # e, and three left-handed neutrinos of the same charge: 3/2 against 1 well above threshold
    boson = VectorMediator("toy", "g", {"e": -1.0, "nu_e": -1.0, "nu_mu": -1.0, "nu_tau": -1.0})
    assert invisible_branching(boson, [0.1], None)[0] == pytest.approx(0.6, rel=1e-4)
    found = missing_energy_rates(BEAM, ECAL, WINDOW, boson, [0.05, 0.24])
    dark = missing_energy_rates(
        BEAM, ECAL, WINDOW, boson, [0.05, 0.24], settings=SignalSettings(dark_sector=DARK)
    )
    np.testing.assert_allclose(found.events[:, 0, 0, 0], 0.6 * dark.events[:, 0, 0, 0], rtol=1e-4)
    # the narrow resonance sits where the broad one peaks and is worth the same integral
    assert found.events[1, 0, 1, 0] == pytest.approx(0.6 * dark.events[1, 0, 1, 0], rel=0.25)


def test_thin_target_is_refused_and_a_deep_one_is_as_good_as_infinite() -> None:
    lead = material("lead")
    thin, deep = (Target(lead, depth * lead.radiation_length_cm) for depth in (3.0, 40.0))
    with pytest.raises(InputError, match=r"must absorb the cascade: .* has 3"):
        rates(thin, [10.0])
    np.testing.assert_array_equal(rates(deep, [10.0]), rates(LEAD, [10.0]))
    # what leaves 15 radiation lengths of bremsstrahlung with a tenth of its energy: the incomplete
    # gamma function of Bethe and Heitler, one emission mode at 4 t/3
    assert gammainc(15.0 * 4.0 / 3.0, np.log(10.0)) < 1e-3


@pytest.mark.parametrize(
    ("beam", "window", "masses", "mediator", "dark", "message"),
    [
        (Beam("mu-", 100.0), WINDOW, [0.1], dark_photon(), DARK, "for an e- or e\\+ beam"),
        (BEAM, MissingEnergyWindow(120.0), [0.1], dark_photon(), DARK, "below the beam energy"),
        (BEAM, WINDOW, [0.1, 150.0], dark_photon(), DARK, "mass of 150 GeV"),
        (BEAM, WINDOW, [0.0], dark_photon(), DARK, "positive"),
        (BEAM, WINDOW, [0.1], dark_photon(), None, "no invisible decay"),
        (BEAM, WINDOW, [0.1], VectorMediator("x", "g", {"mu": 1.0}), DARK, "not couple"),
    ],
)
def test_bad_input(beam, window, masses, mediator, dark, message) -> None:
    with pytest.raises(InputError, match=message):
        missing_energy_rates(
            beam, ECAL, window, mediator, masses, settings=SignalSettings(dark_sector=dark)
        )
