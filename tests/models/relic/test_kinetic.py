"""Kinetic decoupling: the rate in closed form, scaling laws, where it matters."""

from __future__ import annotations

import math

import numpy as np
import pytest

from na64.models.constants import PLANCK_MASS_GEV
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.vectors import VectorMediator, dark_photon
from na64.models.relic.kinetic import hubble_rate, kinetic_decoupling, momentum_exchange_rate
from na64.models.relic.targets import thermal_target

PORTAL = dark_photon()


def test_rate_of_light_fermions_in_closed_form() -> None:
    # contact interaction, massless fermions: (1/8) int u 4 (2 k^2 - u/2) du = 8 k^6/3, and
    # int f (1 - f) k^6 dk = 31 pi^6 T^7/42 (f = 1/(e^(k/T) + 1)); 2 for antifermions
    mass, temperature = 1.0, 0.01  # T far above the electron mass, far below that of the muon
    g, alpha_d, ratio = 0.3, 0.1, 50.0
    portal = VectorMediator("electrons", "g", {"e": g})
    sector = DarkSector(DarkMatter.DIRAC, alpha_d, ratio)
    contact = 4.0 * math.pi * alpha_d * g**2 * (2.0 * mass) ** 2 / (ratio * mass) ** 4
    expected = (
        contact * 2.0 * 8.0 / 3.0 * 31.0 * math.pi**6 / 42.0 * temperature**7
        / (48.0 * math.pi**3 * mass**3 * temperature)
    )  # fmt: skip
    assert momentum_exchange_rate(portal, sector, mass, temperature) == pytest.approx(
        expected, rel=2e-3
    )
    # the spin of Majorana dark matter: (1/8) int u 4 (2 k^2 + u/2) du = 40 k^6/3
    spin = momentum_exchange_rate(
        portal, DarkSector(DarkMatter.MAJORANA, alpha_d, ratio), mass, temperature
    )
    assert spin == pytest.approx(5.0 * expected, rel=2e-3)
    # a neutrino has one helicity
    neutrino = VectorMediator("neutrinos", "g", {"nu_e": g})
    assert momentum_exchange_rate(neutrino, sector, mass, temperature) == pytest.approx(
        0.5 * expected, rel=2e-3
    )


def test_rate_scales() -> None:
    sector = DarkSector(DarkMatter.DIRAC, 0.1, 50.0)
    at, hotter = (momentum_exchange_rate(PORTAL, sector, 1.0, t)[0] for t in (0.005, 0.01))
    assert hotter / at == pytest.approx(2.0**6, rel=0.02)  # muons are 1e-4 of it
    other = DarkSector(DarkMatter.DIRAC, 0.2, 100.0)
    assert momentum_exchange_rate(PORTAL, other, 1.0, 0.005) == pytest.approx(at / 8.0, rel=1e-3)
    # a splitting of some T costs
    split = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 50.0, 0.01)
    ratio = momentum_exchange_rate(PORTAL, split, 1.0, 0.005) / at
    assert ratio == pytest.approx(math.exp(-2.0), rel=1e-6)


def test_expansion() -> None:
    # 1.66 sqrt(g) T^2/M_Pl
    found = hubble_rate(np.array([0.01]))[0]
    assert found == pytest.approx(1.66 * math.sqrt(10.74) * 1e-4 / PLANCK_MASS_GEV, rel=2e-3)


@pytest.mark.parametrize("species", [DarkMatter.SCALAR, DarkMatter.DIRAC])
def test_it_decouples_late_away_from_the_pole(species: DarkMatter) -> None:
    masses = np.array([0.01, 0.1, 1.0])
    sector = DarkSector(species, 0.1, 3.0)
    found = kinetic_decoupling(
        PORTAL, sector, masses, thermal_target(PORTAL, sector, masses).coupling
    )
    assert np.all(found.x_kinetic > 5.0 * found.x_chemical)
    assert np.all((found.x_chemical > 13.0) & (found.x_chemical < 26.0))
    # 1 %: the order of the steps
    assert found.abundance_ratio == pytest.approx(1.0, abs=0.015)


def test_it_decouples_early_near_a_narrow_pole() -> None:
    masses = np.array([0.01, 0.1])
    ratios = (2.1, 2.2, 2.3, 2.5)
    found = []
    for ratio in ratios:
        sector = DarkSector(DarkMatter.SCALAR, 1e-3, ratio)
        coupling = thermal_target(PORTAL, sector, masses).coupling
        found.append(kinetic_decoupling(PORTAL, sector, masses, coupling))
    assert np.all(np.diff([item.x_kinetic for item in found], axis=0) > 0.0)
    assert np.all(found[0].x_kinetic < 1.3 * found[0].x_chemical)
    # colder dark matter misses a resonance above threshold: more of it is left
    sizes = np.array([item.abundance_ratio for item in found])
    assert np.all(sizes[0] > [2.5, 1.5])
    assert np.all(np.diff(sizes, axis=0) < 0.0)
    # arXiv:1706.07433: an order of magnitude at most
    assert np.all(sizes < 10.0)


def test_a_wide_resonance_is_less_of_a_filter() -> None:
    masses = np.array([0.01])
    sizes = []
    for alpha_d in (0.1, 1e-2, 1e-3):
        sector = DarkSector(DarkMatter.SCALAR, alpha_d, 2.1)
        coupling = thermal_target(PORTAL, sector, masses).coupling
        # scattering goes with alpha_D epsilon^2, annihilation on a narrow pole with epsilon^2
        sizes.append(kinetic_decoupling(PORTAL, sector, masses, coupling).abundance_ratio[0])
    assert 1.0 < sizes[0] < sizes[1] < sizes[2]
