"""Energy radiated in a thin layer: moments, the first photon, and an exact case."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad

from na64.models.materials import material
from na64.models.showers.processes import Processes
from na64.models.showers.straggling import radiated_energy

TUNGSTEN = material("tungsten")
ENERGY = 4.0


@cache
def photons(low: float, weight: int = 0) -> float:
    """Photons above an energy per radiation length, weighted with a power of theirs."""
    rates = Processes(TUNGSTEN)

    def integrand(log: float) -> float:
        k = math.exp(log)
        return k ** (1 + weight) * float(rates.bremsstrahlung(np.array(ENERGY), np.array(k)))

    return quad(integrand, math.log(low), math.log(ENERGY - 5.2e-4), limit=200)[0]


@pytest.mark.parametrize("depth", [1e-3, 0.1, 0.5])
def test_moments(depth: float) -> None:
    """Mean L/2 int dk k n(k), and of the square L/2 int dk k^2 n(k) + L^2/3 (int dk k n(k))^2."""
    k, probability = radiated_energy(TUNGSTEN, ENERGY, depth)
    assert probability.sum() == pytest.approx(1.0, abs=1e-12)
    assert probability.min() > -1e-12
    first, second = photons(1e-7, 1), photons(1e-7, 2)
    assert np.sum(k * probability) == pytest.approx(0.5 * depth * first, rel=2e-3)
    square = 0.5 * depth * second + depth**2 / 3.0 * first**2
    assert np.sum(k**2 * probability) == pytest.approx(square, rel=2e-3)


def test_one_hard_photon() -> None:
    """In a very thin layer the share of electrons that lost more than a GeV is that of photons."""
    depth = 1e-3
    k, probability = radiated_energy(TUNGSTEN, ENERGY, depth)
    expected = 0.5 * depth * photons(1.0)
    assert probability[k > 1.0].sum() == pytest.approx(expected, rel=3e-3)


def test_a_layer_is_made_of_halves() -> None:
    """The mean over a layer is that over its first half, and that behind it: survival without one.

    Electrons without a photon above k: (1 - exp(-n L))/(n L), which the first cell shows at a
    thickness at which soft photons are few.
    """
    depth = 0.02
    k, probability = radiated_energy(TUNGSTEN, ENERGY, depth)
    above = photons(1.5 * (k[1] - k[0])) * depth
    kept = -math.expm1(-above) / above
    assert probability[:2].sum() == pytest.approx(kept, rel=2e-3)
