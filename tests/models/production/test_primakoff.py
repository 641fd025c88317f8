"""Primakoff cross-sections against direct integration, limits and scaling laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from na64.models.constants import ALPHA, GEV2_TO_CM2
from na64.models.errors import InputError
from na64.models.form_factors import g2_elastic
from na64.models.materials import material
from na64.models.production.primakoff import primakoff_cross_section

LEAD = material("lead").number_densities_cm3[0][0]


def test_light_boson_on_lead() -> None:
    # 87.56 from an independent integration of the same form factors
    elastic = primakoff_cross_section([20.0, 100.0], 1e-4, LEAD, inelastic=False)
    np.testing.assert_allclose(elastic, 87.56, rtol=2e-4)


def test_inelastic_scattering_adds_two_per_cent() -> None:
    with_protons = primakoff_cross_section(100.0, 0.01, LEAD)[0, 0]
    ratio = with_protons / primakoff_cross_section(100.0, 0.01, LEAD, inelastic=False)[0, 0]
    assert 1.016 < ratio < 1.019


@pytest.mark.parametrize(("energy", "mass"), [(100.0, 1e-3), (100.0, 0.05), (20.0, 0.2), (50, 1.0)])
def test_direct_integration(energy: float, mass: float) -> None:
    t_min = (mass**2 / (2.0 * energy)) ** 2

    def integrand(log_t: float) -> float:
        t = np.exp(log_t)
        return float((1.0 - t_min / t) * g2_elastic(t, LEAD))

    integral = quad(
        integrand, np.log(t_min), np.log(4.0), limit=500, epsrel=1e-8, epsabs=0.0, points=[-16, -6]
    )[0]
    found = primakoff_cross_section(energy, mass, LEAD, inelastic=False)[0, 0]
    assert found == pytest.approx(ALPHA / 8.0 * integral, rel=1e-4)


def test_heavy_bosons_need_more_momentum() -> None:
    masses = np.geomspace(1e-4, 5.0, 40)
    table = primakoff_cross_section([20.0, 50.0, 100.0], masses, LEAD)
    assert np.all(np.diff(table, axis=1) <= 0.0)
    assert np.all(np.diff(table, axis=0) >= 0.0)
    # only m^2/E enters
    a = primakoff_cross_section(100.0, 0.2, LEAD)[0, 0]
    b = primakoff_cross_section(25.0, 0.1, LEAD)[0, 0]
    assert a == pytest.approx(b, rel=1e-12)


def test_closed_above_the_energy() -> None:
    table = primakoff_cross_section([0.1, 100.0], [0.2], LEAD)
    assert table[0, 0] == 0.0
    assert table[1, 0] > 0.0


def test_probability_sums_over_the_elements() -> None:
    ecal = material("ecal")
    by_hand = sum(
        density * primakoff_cross_section(80.0, 0.03, element)[0, 0]
        for element, density in ecal.number_densities_cm3
    )
    found = primakoff_cross_section(80.0, 0.03, ecal)[0, 0]
    assert found == pytest.approx(by_hand * ecal.radiation_length_cm * GEV2_TO_CM2, rel=1e-3)


@pytest.mark.parametrize(
    ("energy", "mass"), [(0.0, 0.1), (100.0, -1.0), (np.nan, 0.1), ([[1.0]], 1)]
)
def test_bad_input(energy: object, mass: object) -> None:
    with pytest.raises(InputError):
        primakoff_cross_section(energy, mass, LEAD)  # type: ignore[arg-type]
