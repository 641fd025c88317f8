"""Weighted phase space of emission: sums, momenta, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import trapezoid

from na64.models.errors import InputError
from na64.models.materials import Element, material
from na64.models.mediators.protocol import MediatorKind
from na64.models.production.emission import (
    emission_cross_section,
    emission_spectrum,
)
from na64.models.production.kinematics import EmissionKinematics, smallest_u
from na64.models.production.phase_space import EmissionNodes, emission_nodes
from na64.models.production.process import Emission

LEAD = Element("Pb", 82, 207.2)
MUON = 0.1056583755


def root_mean_square(nodes: EmissionNodes, values: np.ndarray) -> float:
    return float(np.sqrt(np.sum(nodes.weights * values**2) / np.sum(nodes.weights)))


@pytest.mark.parametrize("kind", ["vector", "axial", "scalar", "pseudoscalar"])
@pytest.mark.parametrize(("lepton", "energy"), [("mu", 160.0), ("e", 100.0)])
@pytest.mark.parametrize("mass", [2e-3, 0.1, 1.0])
def test_weights_sum_to_the_cross_section(
    kind: str, lepton: str, energy: float, mass: float
) -> None:
    """The azimuth by sum and in closed form: 1e-3 for muons, 5e-3 for electrons.

    Light bosons along the final electron are a peak in the azimuth that eight nodes sample.
    """
    nodes = emission_nodes(
        energy,
        mass,
        LEAD,
        process=Emission(kind=MediatorKind(kind), lepton=lepton),
        min_energy_gev=energy / 2,
    )
    expected = emission_cross_section(
        energy,
        mass,
        LEAD,
        process=Emission(kind=MediatorKind(kind), lepton=lepton),
        min_energy_gev=energy / 2,
    )[0, 0]
    assert np.all(nodes.weights >= 0.0)
    assert nodes.weights.sum() == pytest.approx(expected, rel=1e-3 if lepton == "mu" else 5e-3)


def test_momenta_are_conserved() -> None:
    """Every final lepton is on its mass shell once the recoil of the nucleus is added.

    What the nucleus takes across the beam is at most sqrt(t): triangle inequality, node by node.
    """
    nodes = emission_nodes(160.0, 0.3, LEAD, process=Emission(lepton="mu"), min_energy_gev=80.0)
    kick = np.abs(nodes.boson_transverse_gev - nodes.lepton_transverse_gev)
    assert np.all(kick <= 2.01)  # the largest t is 4 GeV^2
    energy_left = 160.0 - nodes.boson_energy_gev - nodes.lepton_energy_gev
    assert np.all(energy_left >= 0.0)
    # t = 2 M_N T of the nucleus, and its momentum across the beam is smaller than sqrt(t + T^2)
    t = 2.0 * 0.93149410 * 207.2 * energy_left
    assert np.all(kick <= np.sqrt(t + energy_left**2) * (1.0 + 1e-9) + 1e-9)
    assert np.all(nodes.lepton_energy_gev >= np.hypot(MUON, nodes.lepton_transverse_gev))


def test_the_azimuth_is_that_of_the_amplitude() -> None:
    """The final lepton across the beam, from its mass shell and from s = a + b cos(phi).

    2 p.q = s + t gives q along the beam, the mass shell then p' across it.
    """
    m, nucleus, energy = MUON, 193.0, 160.0
    y = np.array(0.3)
    u0 = smallest_u(np.array(energy), y, np.array(0.3), m)
    at = EmissionKinematics(
        np.array(energy), np.array(0.3), m, nucleus, y, np.asarray(0.8 * u0), np.asarray(1.8 * u0)
    )
    t_min, t_max = at.t_limits()
    phi = np.linspace(0.0, np.pi, 7)
    for t in (3.0 * t_min, np.array(1e-3), np.array(0.3)):
        recoil = at.recoil(t, t_min, t_max)
        s = recoil.a + recoil.b * np.cos(phi)
        momentum = np.sqrt(energy**2 - m**2)
        q0 = -t / (2.0 * nucleus)
        cosine = (2.0 * energy * 0.7 * energy - 0.3**2 - 1.8 * u0) / (
            2.0 * momentum * np.sqrt((0.7 * energy) ** 2 - 0.3**2)
        )
        along = momentum - np.sqrt((0.7 * energy) ** 2 - 0.3**2) * cosine
        along += (2.0 * energy * q0 - t - s) / (2.0 * momentum)
        across = np.sqrt((0.3 * energy + q0) ** 2 - m**2 - along**2)
        assert at.lepton_transverse(t, t_min, t_max, phi) == pytest.approx(across, rel=1e-7)


def test_a_heavy_boson_and_the_lepton_are_back_to_back() -> None:
    """The nucleus takes little: root-mean-square transverse momenta agree to 1 %."""
    nodes = emission_nodes(160.0, 1.0, LEAD, process=Emission(lepton="mu"), min_energy_gev=80.0)
    lepton = root_mean_square(nodes, nodes.lepton_transverse_gev)
    boson = root_mean_square(nodes, nodes.boson_transverse_gev)
    assert lepton == pytest.approx(boson, rel=0.01)
    assert 0.3 < boson < 1.5  # of the size of the mass


def test_muons_are_deflected_more_by_heavier_bosons() -> None:
    """From m_mu/E' towards M/E': what makes an acceptance in angle depend on the mass."""
    fractions = []
    for mass in (0.01, 0.1, 0.3, 1.0):
        nodes = emission_nodes(
            160.0, mass, LEAD, process=Emission(lepton="mu"), min_energy_gev=80.0
        )
        bent = nodes.lepton_angle > 2e-3
        fractions.append(nodes.weights[bent].sum() / nodes.weights.sum())
    assert np.all(np.diff(fractions) > 0.05)
    assert fractions[0] > 0.2
    assert fractions[-1] > 0.95


def test_energy_distribution_is_the_spectrum() -> None:
    """Mean energy of the boson from the nodes and from d sigma/dE."""
    nodes = emission_nodes(160.0, 0.1, LEAD, process=Emission(lepton="mu"), min_energy_gev=80.0)
    mean = np.sum(nodes.weights * nodes.boson_energy_gev) / np.sum(nodes.weights)
    energies = np.linspace(80.0, 159.8, 400)
    spectrum = emission_spectrum(160.0, 0.1, energies, LEAD, process=Emission(lepton="mu"))[0, 0]
    expected = trapezoid(spectrum * energies, energies) / trapezoid(spectrum, energies)
    assert mean == pytest.approx(expected, rel=1e-3)


def test_materials_and_windows() -> None:
    ecal = material("ecal")
    options: dict[str, Any] = {"min_energy_gev": 80.0, "max_energy_gev": 140.0}
    nodes = emission_nodes(160.0, 0.1, ecal, process=Emission(lepton="mu"), **options)
    expected = emission_cross_section(160.0, 0.1, ecal, process=Emission(lepton="mu"), **options)[
        0, 0
    ]
    assert nodes.weights.sum() == pytest.approx(expected, rel=1e-3)
    assert np.all((nodes.boson_energy_gev > 80.0) & (nodes.boson_energy_gev < 140.0))
    assert emission_nodes(10.0, 20.0, LEAD).weights.size == 0
    assert emission_nodes(10.0, 0.1, LEAD, min_energy_gev=12.0).weights.size == 0


def test_bad_input() -> None:
    with pytest.raises(InputError, match="unknown lepton 'muon'"):
        emission_nodes(160.0, 0.1, LEAD, process=Emission(lepton="muon"))
    with pytest.raises(InputError, match="above the mass of the lepton"):
        emission_nodes(0.1, 0.1, LEAD, process=Emission(lepton="mu"))
    with pytest.raises(InputError, match="mass must be positive"):
        emission_nodes(160.0, -0.1, LEAD)
    with pytest.raises(InputError, match="do not emit a photon-coupled boson"):
        emission_nodes(160.0, 0.1, LEAD, process=Emission(kind=MediatorKind.PHOTON_COUPLED))
