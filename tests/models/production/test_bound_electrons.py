"""Annihilation on electrons that move: the distribution, the two ways to fold, known limits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike
from scipy.integrate import trapezoid

from na64.models.constants import ALPHA
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon
from na64.models.production import bound_electrons
from na64.models.production.annihilation import Resonance, narrow_width_yield, resonant_yield
from na64.models.production.bound_electrons import (
    ElectronMotion,
    electron_motion,
    moving_nodes,
    moving_spectrum,
)
from na64.models.response.windows import DisplacedWindow, MissingEnergyWindow
from na64.models.shells import momentum_density
from na64.models.showers.cascade import cascade
from na64.models.signals import missing_energy
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.semi_visible import semi_visible_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target

ECAL = Target(material("ecal"))
WINDOW = MissingEnergyWindow(50.0)
DARK = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)
LEAD = electron_motion(material("lead"))
HYDROGEN = ElectronMotion((1.0,), (ALPHA,))


def moment(motion: ElectronMotion, order: int, above: float = 0.0) -> float:
    """int_above dy f(y) y^order."""
    low = np.log(max(above, 0.0501))
    shift = np.concatenate([[low], np.linspace(low, np.log(19.99), 400_000)[1:]])
    y = np.exp(shift)
    return float(trapezoid(motion.density(y) * y ** (order + 1), shift))


def rates(particle: str, masses: list[float], model: str = "dark-photon", **options) -> np.ndarray:
    settings = SignalSettings(dark_sector=DARK if model == "dark-photon" else None, **options)
    return missing_energy_rates(
        Beam(particle, 100.0), ECAL, WINDOW, mediator(model), masses, settings=settings
    ).events[:, 0, :, 0]


def test_momenta_in_the_calorimeter() -> None:
    # rms of one component, in m_e, without relativity: 2/3 of the binding energy per electron,
    # 531 keV/82 in lead (Hartree-Fock), and next to nothing in the scintillator
    def rms(motion: ElectronMotion) -> float:
        return float(np.sqrt(np.dot(motion.shares, np.square(motion.momenta)) / 3.0))

    assert sum(LEAD.shares) == pytest.approx(1.0, rel=1e-12)
    assert rms(LEAD) == pytest.approx(np.sqrt(2.0 * 531.0 / 82 / (3.0 * 511.0)), rel=0.01)
    assert rms(electron_motion(ECAL.material)) == pytest.approx(0.086, abs=5e-4)


def test_every_electron_counts_once() -> None:
    for motion in (LEAD, HYDROGEN, electron_motion(ECAL.material)):
        assert moment(motion, 0) == pytest.approx(1.0, abs=1e-5)  # 4e-6 lies outside


def test_slow_electrons() -> None:
    # mean and variance of y; the profile of hydrogen, to the first order in k/m_e
    assert moment(HYDROGEN, 1) - 1.0 == pytest.approx(5.0 / 6.0 * ALPHA**2, rel=1e-2)
    variance = moment(HYDROGEN, 2) - moment(HYDROGEN, 1) ** 2
    assert variance == pytest.approx(ALPHA**2 / 3.0, rel=1e-2)
    y = 1.0 + ALPHA * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    profile = 8.0 / (3.0 * np.pi * ALPHA * (1.0 + ((y - 1.0) / ALPHA) ** 2) ** 3)
    np.testing.assert_allclose(HYDROGEN.density(y), profile, rtol=0.06)


def test_distribution_from_all_directions() -> None:
    # the definition: n(k), isotropic, with the flux factor, and no delta function integrated
    k = np.geomspace(1e-5, 1e3, 1200)
    density = sum(
        s * momentum_density(q, k) for s, q in zip(LEAD.shares, LEAD.momenta, strict=True)
    )
    points, weights = leggauss(800)
    energy = np.sqrt(1.0 + k**2)[:, None]
    y = energy - k[:, None] * points
    for least in (0.8, 0.95, 1.02, 1.3, 2.0):
        directions = (0.5 * weights * np.where(y > least, y / energy, 0.0)).sum(axis=1)
        expected = trapezoid(4.0 * np.pi * k**3 * density * directions, np.log(k))
        assert moment(LEAD, 0, least) == pytest.approx(expected, rel=2e-3)


def test_power_laws_keep_their_power() -> None:
    # E^-2 becomes <y> E^-2, far from where it ends
    edges = np.geomspace(10.0, 400.0, 371)
    _, moved = moving_spectrum(edges, lambda energy: energy**-2.0, LEAD)
    energy = np.array([150.0, 161.3, 170.0])
    np.testing.assert_allclose(moved(energy) * energy**2, moment(LEAD, 1), rtol=1e-3)


@pytest.mark.parametrize("particle", ["e-", "e+"])
def test_track_length_is_kept(particle: str) -> None:
    # with the spike of a primary positron
    shower = cascade(ECAL.material, particle, 100.0, floor_gev=50.0, step=0.01)
    edges, moved = moving_spectrum(
        shower.energies_gev[::-1], lambda energy: shower.spectrum(energy)[1], LEAD
    )
    points, weights = leggauss(4)
    half = 0.5 * np.diff(edges)[:, None]
    energy = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * points
    assert np.sum(half * weights * moved(energy)) == pytest.approx(shower.above(50.0)[1], rel=1e-3)
    # where electrons at rest see none
    assert np.all(moved(np.array([45.0, 105.0])) > 0.0)
    assert np.all(moved(np.array([1.0, 1e4])) == 0.0)


@pytest.mark.parametrize("alpha_d", [0.1, 1e-3, 1e-7])
@pytest.mark.parametrize("mass", [0.215, 0.25, 0.325])
def test_moving_spectrum_or_moving_cross_section(alpha_d: float, mass: float) -> None:
    shower = cascade(ECAL.material, "e+", 100.0, floor_gev=50.0, step=0.01)
    edges = shower.energies_gev[::-1]
    dark = DarkSector(DarkMatter.DIRAC, alpha_d, 3.0)

    def spectrum(energy: np.ndarray) -> np.ndarray:
        return np.asarray(shower.spectrum(energy)[1])

    def entrance(root_s: np.ndarray) -> np.ndarray:
        return np.asarray(dark_photon().partial_widths(root_s)["e e"], float)

    def width(root_s: np.ndarray) -> np.ndarray:
        return dark.width_gev(root_s, mass)

    motion = electron_motion(ECAL.material)
    resonance = Resonance(mass, 3, entrance, width, width)
    moved_edges, moved = moving_spectrum(edges, spectrum, motion)
    found = resonant_yield(resonance, moved, moved_edges)
    energy, weight = moving_nodes(resonance, edges, motion)
    assert energy.shape == weight.shape
    assert len(energy) == len(edges) - 1
    assert np.sum(weight * spectrum(energy)) == pytest.approx(found, rel=1e-3)
    if alpha_d < 1e-6:
        narrow = narrow_width_yield(resonance, moved, 1.0)
        assert narrow == pytest.approx(found, rel=2e-3)


def test_integrals_are_fine_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    masses = [0.18, 0.215, 0.24, 0.32, 0.33, 0.5]
    cases = [("e-", "dark-photon"), ("e+", "dark-photon"), ("e+", "b-minus-l")]
    coarse = [rates(*case[:1], masses, case[1], bound_electrons=True)[:, 1] for case in cases]
    monkeypatch.setattr(bound_electrons, "_CELL", 0.5 * bound_electrons._CELL)
    monkeypatch.setattr(bound_electrons, "_GROWTH", 0.5 * bound_electrons._GROWTH)
    monkeypatch.setattr(bound_electrons, "_NODE_CELL", 0.5 * bound_electrons._NODE_CELL)
    monkeypatch.setattr(bound_electrons, "_POINTS_PER_CELL", 6)
    fine = [rates(*case[:1], masses, case[1], bound_electrons=True)[:, 1] for case in cases]
    np.testing.assert_allclose(coarse, fine, rtol=1e-3)


def test_light_atoms_are_nearly_at_rest() -> None:
    # a spectrum that is smooth over alpha, and a resonance within it
    edges = np.linspace(50.0, 100.0, 201)
    mass = 0.27
    resonance = Resonance(mass, 3, np.square, lambda x: 1e-2 * x, lambda x: 1e-2 * x)
    still = resonant_yield(resonance, lambda energy: energy**-2.0, edges)
    moved_edges, moved = moving_spectrum(edges, lambda energy: energy**-2.0, HYDROGEN)
    assert resonant_yield(resonance, moved, moved_edges) == pytest.approx(still, rel=1e-3)


def test_the_edges_of_the_resonance_are_softened() -> None:
    masses = [0.15, 0.215, 0.23, 0.25, 0.33]
    still = rates("e-", masses)
    moving = rates("e-", masses, bound_electrons=True)
    np.testing.assert_array_equal(moving[:, 0], still[:, 0])
    ratio = moving[:, 1] / still[:, 1]
    assert ratio[0] == pytest.approx(1.0, abs=0.02)
    assert ratio[1] > 1.3
    assert 0.75 < ratio[2] < 0.9
    assert ratio[3] == pytest.approx(1.0, abs=0.05)
    assert ratio[4] > 1.5
    # a narrow resonance below 226 MeV or above 320 MeV is not there at all on electrons at rest
    still, moving = (
        rates("e+", [0.22, 0.33], "b-minus-l", bound_electrons=on)[:, 1] for on in (False, True)
    )
    assert np.all(still == 0.0)
    assert np.all(moving > 0.0)


class ProfileAlone(ElectronMotion):
    """f(y) = m_e J(m_e (1 - y)): without flux factor and kinetic energy."""

    def density(self, fraction: ArrayLike) -> np.ndarray:
        # to the order in which f(y) gives J: y = exp(v) has k_min = sinh v
        y = np.exp(np.arcsinh(np.abs(1.0 - np.asarray(fraction, float))))
        return ElectronMotion.density(self, y) * 0.5 * (1.0 + y**-2)


def test_compton_profile_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # docs/annihilation.md, and why other estimates find more below the edge
    still, moving = (rates("e-", [0.215, 0.23], bound_electrons=on) for on in (False, True))
    motion = electron_motion(ECAL.material)
    alone = ProfileAlone(motion.shares, motion.momenta)
    monkeypatch.setattr(missing_energy, "electron_motion", lambda _: alone)
    profile = rates("e-", [0.215, 0.23], bound_electrons=True)
    change = np.sqrt(still.sum(axis=1) / profile.sum(axis=1)) - 1.0
    np.testing.assert_allclose(change, [-0.15, 0.09], atol=0.006)
    assert np.all(profile.sum(axis=1) > moving.sum(axis=1))


def test_photons_do_not_add_energy() -> None:
    # sqrt(2 m_e 100 GeV) = 319.7 MeV
    found = rates("e+", [0.319, 0.322, 0.4], "b-minus-l", initial_state_radiation=True)[:, 1]
    assert found[0] > 0.0
    np.testing.assert_array_equal(found[1:], 0.0)


def test_radiation_and_motion_add_up() -> None:
    masses = [0.215, 0.24]
    both = rates("e-", masses, bound_electrons=True, initial_state_radiation=True)[:, 1]
    moving = rates("e-", masses, bound_electrons=True)[:, 1]
    radiated = rates("e-", masses, initial_state_radiation=True)[:, 1]
    assert both[0] > max(moving[0], radiated[0])
    assert both[1] < min(moving[1], radiated[1])


def test_semi_visible_states_that_live_long_are_invisible() -> None:
    masses = np.array([0.215, 0.33])
    sector = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.4)
    settings = SignalSettings(dark_sector=sector, bound_electrons=True)
    beam = Beam("e-", 100.0)
    semi = semi_visible_rates(
        beam,
        ECAL,
        DisplacedWindow(147.0, 400.0, 15.0, 50.0),
        dark_photon(),
        masses,
        settings=settings,
        couplings=[1e-6, 1.0],
    ).events[:, 0, :, 1]
    invisible = missing_energy_rates(beam, ECAL, WINDOW, dark_photon(), masses, settings=settings)
    np.testing.assert_allclose(semi, 1e-12 * invisible.events[:, 0, :, 0], rtol=3e-3)
