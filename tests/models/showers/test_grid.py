"""The grid of a cascade: its steps, and the spectrum that weights stand for."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.showers.grid import energy_nodes, shares, spectrum_of


def moments(nodes: np.ndarray, energy: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Share contents of energies out to the nodes."""
    above = np.minimum(np.searchsorted(-nodes, -energy, side="right") - 1, len(nodes) - 3)
    triples = above[:, None] + np.arange(3)
    weights = np.zeros(len(nodes))
    np.add.at(weights, triples, content[:, None] * shares(nodes[triples], energy))
    return weights


@pytest.mark.parametrize(("floor", "step"), [(50.0, 0.01), (0.02, 0.025), (1.0, 0.1), (99.0, 0.2)])
def test_steps_grow_by_a_factor_and_then_pass_smoothly_into_the_largest(
    floor: float, step: float
) -> None:
    nodes = energy_nodes(100.0, floor, step, 2e-5)
    assert (nodes[0], nodes[-1]) == (100.0, floor)
    steps = -np.diff(np.log(nodes))
    assert steps[0] == pytest.approx(2e-5, rel=0.2)
    assert np.all(steps <= step)
    if floor < 5.0:
        assert steps[-1] == pytest.approx(step, rel=0.03)
    growth = steps[1:] / steps[:-1]
    assert np.all((growth > 0.999) & (growth < 1.36))
    # what used to jump from 1.3 to 1 between two steps
    assert np.all(np.abs(np.diff(growth)) < 0.06)


def test_a_quadratic_spectrum_is_recovered_exactly() -> None:
    nodes = energy_nodes(100.0, 20.0, 0.05, 1e-4)

    def spectrum(energy: np.ndarray) -> np.ndarray:
        return 3.0 - 0.05 * energy + 4e-4 * energy**2

    # int T phi dE over the cells above each node and the one beneath the floor
    beneath = np.append(nodes, nodes[-1] ** 2 / nodes[-2])
    points, measure = np.polynomial.legendre.leggauss(4)
    half = 0.5 * (beneath[:-1] - beneath[1:])
    energy = 0.5 * (beneath[:-1] + beneath[1:])[:, None] + half[:, None] * points
    extended = np.append(beneath, beneath[-1] * nodes[-1] / nodes[-2])
    weights = np.zeros(len(extended))
    for cell in range(len(nodes)):
        phi = shares(extended[cell : cell + 3], energy[cell])
        content = spectrum(energy[cell]) * measure * half[cell]
        weights[cell : cell + 3] += content @ phi
    found, line = spectrum_of(nodes, weights[None, : len(nodes)])
    middle = np.linspace(20.0, 100.0, 301)
    # the continuation beneath the floor knows E^2 T to second order, and is local
    far = middle[middle > 40.0]
    np.testing.assert_allclose(found(far)[:, 0], spectrum(far), rtol=1e-9)
    np.testing.assert_allclose(found(middle)[:, 0], spectrum(middle), rtol=1e-4)
    assert line.tolist() == [0.0]


def test_number_and_energy_of_a_steep_spectrum_are_those_of_its_particles() -> None:
    # particles with dN/dE = 1/(E0 - E + 1 MeV), the shape next to the beam energy
    nodes = energy_nodes(100.0, 40.0, 0.025, 1e-6)
    depth = np.expm1(np.linspace(0.0, np.log1p(60.0 / 1e-3), 200001)) * 1e-3
    depth = 0.5 * (depth[1:] + depth[:-1])
    content = np.full_like(depth, np.log1p(60.0 / 1e-3) / 200000)
    found, _ = spectrum_of(nodes, moments(nodes, 100.0 - depth, content)[None])
    for low, high in ((50.0, 80.0), (80.0, 95.0), (95.0, 99.0), (99.0, 99.9), (99.9, 100.0)):
        expected = np.log((100.001 - low) / (100.001 - high))
        assert found.integrate(low, high)[0] == pytest.approx(expected, rel=2e-3)


def test_a_line_is_kept_apart_from_the_density() -> None:
    nodes = energy_nodes(100.0, 10.0, 0.05, 2e-4)
    energy = np.linspace(10.0, 100.0, 90001)
    smooth = moments(nodes, energy, np.full_like(energy, 1e-3))
    smooth[0] += 1.3
    found, line = spectrum_of(nodes, smooth[None], line=0)
    assert line[0] == pytest.approx(1.3, rel=1e-3)
    np.testing.assert_allclose(found(np.linspace(12.0, 99.0, 50))[:, 0], 1.0, rtol=0.05)
