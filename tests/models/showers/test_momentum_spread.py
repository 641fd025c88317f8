"""A beam with a spread of its momentum: number kept, both limits, the average over sharp beams."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss

from na64.models.materials import material
from na64.models.showers.cascade import cascade
from na64.models.showers.momentum_spread import Spectrum, with_momentum_spread

SHOWER = cascade(material("ecal"), "e+", 100.0, floor_gev=40.0, step=0.01)


def positron_spectrum(spread: float, weight: Callable[[np.ndarray], np.ndarray]) -> Spectrum:
    def weighted(energy: np.ndarray) -> np.ndarray:
        return np.asarray(SHOWER.spectrum(energy)[1] * weight(energy))

    return with_momentum_spread(weighted, SHOWER.energies_gev[::-1], spread)


@pytest.mark.parametrize("spread", [0.0003, 0.001, 0.0025, 0.004, 0.01, 0.03])
def test_positrons_are_moved_and_not_lost(spread: float) -> None:
    track = positron_spectrum(spread, np.ones_like)
    points, weights = leggauss(16)
    # cells as fine as the spread, up to where the tail ends
    edges = np.unique(
        np.concatenate([np.linspace(80.0, 100.0 * (1.0 + 5.0 * spread), 400), [100.0]])
    )
    half = 0.5 * np.diff(edges)[:, None]
    energy = edges[:-1, None] + half * (points + 1.0)
    found = np.sum(half * weights * track(energy))
    # what leaves at the lower end and what comes in there differ by the slope: second order
    assert found == pytest.approx(SHOWER.above(80.0)[1], rel=1e-3 + 2.0 * spread**2)


@pytest.mark.parametrize("spread", [1e-6, 1e-4, 0.0024, 0.0026, 0.005])
def test_spectrum_away_from_its_end_does_not_feel_a_small_spread(spread: float) -> None:
    energy = np.linspace(60.0, 92.0, 9)
    smeared = positron_spectrum(spread, np.ones_like)(energy)
    sharp = SHOWER.spectrum(energy)[1]
    # second order: s^2/2 times the curvature in ln E, about 1/(1 - E/E0)^2
    np.testing.assert_allclose(smeared, sharp, rtol=2e-3 + 100.0 * spread**2)


def test_a_spectrum_that_is_flat_in_the_logarithm_stays_down_to_the_floor() -> None:
    # what a spread carries over the floor comes back from below it, where it goes on as it ends
    edges = np.geomspace(40.0, 100.0, 50)
    moved = with_momentum_spread(lambda energy: 1.0 / energy, edges, 0.02)
    energy = np.linspace(40.0, 85.0, 10)
    np.testing.assert_allclose(moved(energy), 1.0 / energy, rtol=1e-4)
    assert moved(np.array([30.0]))[0] == pytest.approx(moved(np.array([40.0]))[0], rel=1e-12)


def test_is_the_average_over_beams_without_spread() -> None:
    spread = 0.01
    energy = np.linspace(60.0, 85.0, 6)
    shifts, weights = hermegauss(9)
    average = sum(
        weight * SHOWER.spectrum(energy * np.exp(-spread * shift))[1] * np.exp(-spread * shift)
        for shift, weight in zip(shifts, weights / weights.sum(), strict=True)
    )
    smeared = positron_spectrum(spread, np.ones_like)(energy)
    np.testing.assert_allclose(smeared, average, rtol=2e-3)


def test_the_weight_is_that_of_the_nominal_beam() -> None:
    # half of the spike is above the nominal energy, with whatever weight it has below
    def weight(energy: np.ndarray) -> np.ndarray:
        return np.asarray(energy < 99.0, float)

    smeared = positron_spectrum(0.001, weight)
    assert smeared(np.array([99.6]))[0] == pytest.approx(
        0.0, abs=1e-3 * smeared(np.array([95.0]))[0]
    )
    with_all = positron_spectrum(0.001, np.ones_like)
    assert with_all(np.array([100.1]))[0] > 0.0
