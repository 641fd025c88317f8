"""Rates of the electromagnetic processes: limits and sum rules."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from na64.models.constants import CLASSICAL_ELECTRON_RADIUS_CM, ELECTRON_MASS_GEV, HBAR_C_GEV_CM
from na64.models.materials import MATERIALS, material, mixture
from na64.models.showers.processes import Processes, collision_loss_gev_cm, lpm_functions

SUBSTANCES = {part.name: part for mat in MATERIALS.values() for part, _ in mat.parts}


@pytest.mark.parametrize("name", ["lead", "tungsten", "iron", "scintillator", "ecal"])
def test_bremsstrahlung_loses_one_beam_energy_per_radiation_length(name: str) -> None:
    # Tsai defines X0 by this at complete screening: 1 + (Z^2+Z)/9 terms of about 1-2 %
    processes = Processes(material(name), lpm=False)
    energy = np.array(5000.0)
    loss, _ = quad(
        lambda y: energy * y * processes.bremsstrahlung(energy, energy * np.array(y)), 0, 1
    )
    assert 1.0 < loss < 1.025


@pytest.mark.parametrize("name", ["lead", "tungsten", "iron", "ecal"])
def test_pair_production_tends_to_seven_ninths(name: str) -> None:
    processes = Processes(material(name), lpm=False)
    photon = np.array(5000.0)
    rate, _ = quad(
        lambda x: float(photon * processes.pair_production(photon, photon * np.array(x))), 0, 1
    )
    assert rate == pytest.approx(7.0 / 9.0, rel=0.015)


def test_suppression_functions_in_their_limits() -> None:
    # Migdal 1956: phi -> 6 s (1 - pi s), G -> 12 pi s^2 for s -> 0; both -> 1 for s -> infinity
    xi, phi, g = lpm_functions(np.array([1e-7, 1e-3, 100.0]), 82)
    assert xi[0] == pytest.approx(2.0)
    s = 1e-3 / np.sqrt(xi[1])
    assert phi[1] == pytest.approx(6.0 * s, rel=0.01)
    assert g[1] == pytest.approx(12.0 * np.pi * s**2, rel=0.05)
    assert (xi[2], phi[2], g[2]) == pytest.approx((1.0, 1.0, 1.0), abs=1e-4)


def test_suppression_functions_are_continuous_and_bounded() -> None:
    s_prime = np.geomspace(1e-5, 20.0, 4000)
    for values, lower, upper in zip(lpm_functions(s_prime, 82), (1, 0, 0), (2, 1, 1), strict=True):
        assert np.all((values >= lower - 1e-12) & (values <= upper + 1e-12))
        assert np.max(np.abs(np.diff(values))) < 0.01


@pytest.mark.parametrize(
    ("name", "critical_mev"), [("lead", 7.43), ("tungsten", 7.97), ("iron", 21.68)]
)
def test_critical_energy(name: str, critical_mev: float) -> None:
    # Rossi's definition: the collision loss per radiation length equals the energy. Values of
    # the Particle Data Group (Atomic and Nuclear Properties of Materials)
    energy = np.array([critical_mev * 1e-3])
    loss = Processes(material(name)).collision_loss(energy, -1)
    np.testing.assert_allclose(loss / energy, 1.0, rtol=0.01)


@pytest.mark.parametrize("name", ["lead", "tungsten", "iron", "copper", "scintillator"])
def test_density_effect_is_that_of_the_plasma_energy(name: str) -> None:
    # Sternheimer: C = 2 ln(I/(hbar omega_p)) + 1, omega_p^2 = 4 pi n_e r_e
    part = SUBSTANCES[name]
    wave_number = np.sqrt(4 * np.pi * part.electron_density_cm3 * CLASSICAL_ELECTRON_RADIUS_CM)
    plasma_ev = HBAR_C_GEV_CM * wave_number * 1e9
    assert part.sternheimer[0] == pytest.approx(
        2 * np.log(part.mean_excitation_ev / plasma_ev) + 1, abs=0.01
    )


@pytest.mark.parametrize("charge", [-1, 1])
def test_collision_loss_saturates(charge: int) -> None:
    # Fermi plateau: above the density effect's onset only the ln(gamma) of Moller or Bhabha
    # scattering is left
    energy = np.array([10.0, 100.0])
    low, high = collision_loss_gev_cm(energy, SUBSTANCES["lead"], charge)
    assert high / low == pytest.approx(1.0 + np.log(10.0) / 28.0, rel=0.01)


def test_compton_total_is_klein_nishina() -> None:
    processes = Processes(material("lead"))
    photon = 1.0
    k = photon / ELECTRON_MASS_GEV
    # closed form in units of pi r_e^2, e.g. Peskin and Schroeder eq. (5.91) integrated
    closed = (1.0 / k) * (
        (1.0 - 2.0 * (k + 1.0) / k**2) * np.log1p(2.0 * k)
        + 0.5
        + 4.0 / k
        - 0.5 / (1.0 + 2.0 * k) ** 2
    )
    lead = material("lead")
    scale = np.pi * CLASSICAL_ELECTRON_RADIUS_CM**2 * lead.electron_density_cm3
    softest = photon / (1.0 + 2.0 * k)
    total, _ = quad(
        lambda u: np.exp(u) * processes.compton(np.array(photon), np.array(np.exp(u))),
        np.log(softest),
        np.log(photon),
    )
    assert total == pytest.approx(scale * lead.radiation_length_cm * closed, rel=1e-6)


def test_annihilation_spectrum_integrates_to_heitler() -> None:
    processes = Processes(material("lead"))
    energy = 5.0
    total, _ = quad(
        lambda u: np.exp(u) * processes.annihilation(np.array(energy), np.array(np.exp(u))),
        np.log(0.5e-5 * energy),
        np.log(energy),
        limit=400,
    )
    rate = processes.annihilation_rate(np.array([energy]))[0]
    assert total == pytest.approx(rate, rel=2e-3)  # the step at the kinematic edge


def test_radiation_lengths() -> None:
    # Tsai 1974, table III.6: 6.37 g/cm^2 lead, 6.76 tungsten, 13.84 iron
    for name, length_g_cm2 in (("lead", 6.37), ("tungsten", 6.76), ("iron", 13.84)):
        substance = material(name)
        assert substance.radiation_length_cm * substance.density_g_cm3 == pytest.approx(
            length_g_cm2, rel=2e-3
        )


def test_mixture_is_linear_in_volume() -> None:
    half = mixture("half", {"lead": 1.0, "scintillator": 1.0})
    lead, scintillator = material("lead"), material("scintillator")
    assert 1 / half.radiation_length_cm == pytest.approx(
        0.5 / lead.radiation_length_cm + 0.5 / scintillator.radiation_length_cm
    )
    assert half.electron_density_cm3 == pytest.approx(
        0.5 * (lead.electron_density_cm3 + scintillator.electron_density_cm3)
    )


@pytest.mark.parametrize("z", [1, 6, 26, 82])
def test_suppression_never_enhances(z: int) -> None:
    # xi phi and xi G multiply the rates; as printed, xi phi reaches 1.02 in lead
    xi, phi, g = lpm_functions(np.geomspace(1e-4, 20.0, 4001), z)
    for factor in (xi * phi, xi * g):
        assert np.all(factor <= 1.0 + 1e-12)
        assert np.all(np.diff(factor) > -1e-4)
        assert factor[-1] == pytest.approx(1.0, abs=1e-4)
