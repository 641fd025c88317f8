"""Cross-sections with an acceptance of the final lepton against those between limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import trapezoid

from na64.models.arrays import FloatArray
from na64.models.materials import material
from na64.models.production.accepted_lepton import lepton_accepted_cross_section
from na64.models.production.emission import emission_cross_section, emission_spectrum
from na64.models.production.process import Emission

ECAL = material("ecal")
MUON = Emission(lepton="mu")
MASSES = np.array([1e-3, 0.1, 1.0, 3.0])


def accepted(left: list[float], values: list[float], masses: FloatArray = MASSES) -> FloatArray:
    return lepton_accepted_cross_section(
        160.0, masses, ECAL, MUON, np.array(left), np.array(values)
    )


def test_all_accepted() -> None:
    plain = emission_cross_section(160.0, MASSES, ECAL, MUON, min_energy_gev=100.0)
    np.testing.assert_allclose(accepted([0.0, 60.0], [1.0, 1.0]), plain[0], rtol=1e-12)


@pytest.mark.parametrize(("low", "high"), [(5.0, 45.0), (12.3, 17.7), (30.0, 80.0)])
def test_steps_are_limits(low: float, high: float) -> None:
    tiny = 1e-9
    found = accepted(
        [0.8 * low, low - tiny, low, high, high + tiny, 1.2 * high], [0, 0, 1, 1, 0, 0]
    )
    plain = emission_cross_section(
        160.0, MASSES, ECAL, MUON, min_energy_gev=160.0 - high, max_energy_gev=160.0 - low
    )
    # a step falls between two points of a projection, a thousandth of the range apart
    np.testing.assert_allclose(found, plain[0], rtol=5e-3)


def test_a_slope_is_an_integral() -> None:
    left = np.linspace(10.0, 40.0, 301)
    spectrum = emission_spectrum(160.0, MASSES, 160.0 - left, ECAL, MUON)[0]
    expected = trapezoid(spectrum * (left - 10.0) / 30.0, left, axis=-1)
    np.testing.assert_allclose(accepted([10.0, 40.0], [0.0, 1.0]), expected, rtol=1e-4)


def test_closed_and_one_mass_at_a_time() -> None:
    masses = np.array([0.01, 0.5, 159.95])
    together = accepted([5.0, 45.0], [1.0, 0.3], masses)
    assert together[2] == 0.0
    for mass, value in zip(masses, together, strict=True):
        assert accepted([5.0, 45.0], [1.0, 0.3], np.array([mass]))[0] == value
