"""The flux of bosons out of a cascade against cross-sections above a threshold and limits."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.protocol import MediatorKind
from na64.models.production import boson_flux
from na64.models.production.boson_flux import emission_flux, primakoff_flux
from na64.models.production.emission import emission_cross_section
from na64.models.production.primakoff import primakoff_cross_section
from na64.models.production.process import Emission
from na64.models.showers.cascade import cascade

TUNGSTEN = material("tungsten")
ECAL = material("ecal")
MASSES = np.array([1.2e-3, 5e-3, 0.02, 0.1])


@pytest.mark.parametrize(
    ("kind", "approximation"),
    [("vector", "etl"), ("pseudoscalar", "etl"), ("vector", "ww"), ("vector", "iww")],
)
def test_sum_of_the_weights_is_the_yield(kind: str, approximation: str) -> None:
    flux = emission_flux(
        TUNGSTEN,
        "e-",
        100.0,
        MASSES,
        30.0,
        process=Emission(kind=MediatorKind(kind), approximation=approximation),
    )
    shower = cascade(TUNGSTEN, "e-", 100.0, floor_gev=30.0, step=0.01)
    energies = 30.0 + 70.0 * np.linspace(0.0, 1.0, 81) ** 2
    table = np.zeros((81, len(MASSES)))
    table[1:] = emission_cross_section(
        energies[1:],
        MASSES,
        TUNGSTEN,
        process=Emission(kind=MediatorKind(kind), approximation=approximation),
        min_energy_gev=30.0,
    )
    charged = shower.weights[0] + shower.weights[1]
    expected = [charged @ np.interp(shower.energies_gev, energies, row) for row in table.T]
    np.testing.assert_allclose(flux.totals, expected, rtol=3e-3)


def test_energies_and_weights_are_physical() -> None:
    flux = emission_flux(TUNGSTEN, "e-", 100.0, MASSES, 30.0)
    assert flux.energies_gev.shape == flux.weights.shape
    assert np.all(flux.weights >= 0.0)
    assert np.all((flux.energies_gev > 30.0 * (1 - 1e-9)) & (flux.energies_gev <= 100.0))


def test_energy_spectrum() -> None:
    # the part above 80 GeV is the yield above that threshold; the step falls between nodes, each
    # of which stands for a few per cent
    masses = np.array([0.01])
    low = emission_flux(TUNGSTEN, "e-", 100.0, masses, 30.0)
    high = emission_flux(TUNGSTEN, "e-", 100.0, masses, 80.0)
    above = low.weights[low.energies_gev > 80.0].sum()
    assert above == pytest.approx(high.totals[0], rel=0.04)
    mean_low = np.sum((low.weights * low.energies_gev)[low.energies_gev > 80.0]) / above
    mean_high = np.sum(high.weights * high.energies_gev) / high.totals[0]
    assert mean_low == pytest.approx(mean_high, rel=3e-3)


@pytest.mark.parametrize("exponent", [0.0, 5.0, 20.0])
def test_grids_are_fine_enough(monkeypatch: pytest.MonkeyPatch, exponent: float) -> None:
    def folded() -> np.ndarray:
        flux = emission_flux(TUNGSTEN, "e-", 100.0, MASSES, 30.0)
        return np.asarray(
            np.sum(flux.weights * np.exp(-exponent * 100.0 / flux.energies_gev), axis=1)
        )

    coarse = folded()
    monkeypatch.setattr(boson_flux, "_ENERGIES", 56)
    monkeypatch.setattr(boson_flux, "_FRACTIONS", 40)
    # 3 % at 20 decay lengths moves a limit on the coupling by 3 %/(2 * 20)
    np.testing.assert_allclose(coarse, folded(), rtol=3e-3 + 1.5e-3 * exponent)


def test_photons_above_50_gev() -> None:
    # 0.4715 radiation lengths of photons above 50 GeV in the calorimeter, from an independent
    # cascade; the Primakoff cross-section of a light boson does not depend on the energy
    flux = primakoff_flux(ECAL, "e-", 100.0, 1e-3, 50.0)
    per_length = primakoff_cross_section(100.0, 1e-3, ECAL)[0, 0]
    assert flux.totals[0] / per_length == pytest.approx(0.4715, rel=0.01)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="below the beam energy"):
        emission_flux(TUNGSTEN, "e-", 100.0, MASSES, 100.0)
    with pytest.raises(InputError, match="masses must be"):
        primakoff_flux(TUNGSTEN, "e-", 100.0, [-1.0], 10.0)
    with pytest.raises(InputError, match="unknown approximation"):
        emission_flux(TUNGSTEN, "e-", 100.0, MASSES, 30.0, process=Emission(approximation="exact"))
    with pytest.raises(InputError):
        emission_flux(
            TUNGSTEN, "e-", 100.0, MASSES, 30.0, process=Emission(kind=MediatorKind.PHOTON_COUPLED)
        )
