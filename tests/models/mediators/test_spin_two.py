"""The mediator of spin 2: widths from amplitudes summed anew, its resonance, its dark matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.decays import widths
from na64.models.inspection import production_by_annihilation, production_by_primakoff
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import MediatorKind
from na64.models.mediators.registry import mediator

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
BOSON = mediator("spin-2")
MASS = 0.8


def gamma_matrices() -> Any:
    zero = np.zeros((2, 2))
    sigma = [np.array(s) for s in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    time = np.diag([1.0, 1.0, -1.0, -1.0]).astype(complex)
    return np.array([time, *(np.block([[zero, s], [-s, zero]]) for s in sigma)])


GAMMA = gamma_matrices()


def over_polarisations(left: Any, right: Any) -> Any:
    """T^{mn} T*^{ab} summed over the five polarisations of a boson at rest, extra axes first."""
    project = np.diag([0.0, -1.0, -1.0, -1.0])
    mixed = np.einsum("ma,nb,...mn,...ab->...", project, project, left, right)
    swapped = np.einsum("mb,na,...mn,...ab->...", project, project, left, right)
    trace = np.einsum("mn,...mn->...", project, left) * np.einsum("ab,...ab->...", project, right)
    return (mixed + swapped) / 2.0 - trace / 3.0


def pair(daughter: float) -> tuple[Any, Any]:
    size = np.sqrt(MASS**2 / 4.0 - daughter**2)
    return np.array([MASS / 2.0, 0.0, 0.0, size]), np.array([MASS / 2.0, 0.0, 0.0, -size])


def width(summed: float, daughter: float) -> float:
    """Of five spin states to two distinguishable daughters, isotropic in the mean."""
    beta = np.sqrt(1.0 - 4.0 * (daughter / MASS) ** 2)
    return float(summed / 5.0 * beta / (16.0 * np.pi * MASS))


def test_two_photons() -> None:
    """T = -F^{ma} F^n_a of two outgoing photons; half for identical ones."""
    q, r = pair(0.0)
    total = 0.0
    for one in ((0, 1, 0, 0), (0, 0, 1, 0)):
        for other in ((0, 1, 0, 0), (0, 0, 1, 0)):
            f, g = (np.outer(k, e) - np.outer(e, k) for k, e in ((q, one), (r, other)))
            tensor = f @ METRIC @ g.T
            total += float(over_polarisations(tensor + tensor.T, tensor + tensor.T))
    assert float(widths.spin_two_to_photons(MASS)) == pytest.approx(width(total, 0.0) / 2.0)


@pytest.mark.parametrize("daughter", [0.0, 0.1, 0.35])
def test_fermions(daughter: float) -> None:
    """T = (gamma^m (p - p')^n + gamma^n (p - p')^m)/4 between a Dirac pair, by traces."""
    p, r = pair(daughter)
    slash = np.einsum("m,mn,nij->ij", p, METRIC, GAMMA), np.einsum("m,mn,nij->ij", r, METRIC, GAMMA)
    half = np.einsum("mij,n->ijmn", GAMMA, p - r) / 4.0
    vertex = half + half.transpose(0, 1, 3, 2)
    unit = np.eye(4)
    line = np.einsum(
        "ij,jkmn,kl->ilmn", slash[0] + daughter * unit, vertex, slash[1] - daughter * unit
    )
    # the vertex is its own Dirac conjugate
    turned = vertex.transpose(1, 0, 2, 3)
    total = over_polarisations(line, turned).sum().real
    found = widths.spin_two_to_fermions(MASS, daughter)
    assert float(found) == pytest.approx(width(total, daughter), rel=1e-12)


@pytest.mark.parametrize("daughter", [0.0, 0.2])
def test_complex_scalars(daughter: float) -> None:
    p, r = pair(daughter)
    tensor = np.outer(p, r) + np.outer(r, p)
    total = float(over_polarisations(tensor, tensor))
    found = widths.spin_two_to_complex_scalars(MASS, daughter)
    assert float(found) == pytest.approx(width(total, daughter))


def test_partial_widths_and_couplings() -> None:
    made = BOSON.partial_widths(np.array([0.01, 0.5]))
    assert set(made) == {"e e", "mu mu", "tau tau", "photons"}
    assert made["photons"] == pytest.approx(np.array([0.01, 0.5]) ** 3 / (80.0 * np.pi))
    # twice two helicities of photons, half of the massless leptons' two
    assert made["e e"][1] / made["photons"][1] == pytest.approx(0.5, rel=1e-4)
    assert made["mu mu"][0] == made["tau tau"][1] == 0.0
    assert [float(BOSON.coupling(f)) for f in ("e", "mu", "tau", "nu_e", "u")] == [1, 1, 1, 0, 0]


def test_dark_matter() -> None:
    """alpha_D is that of g_D = c_chi/Lambda in 1/GeV."""
    for species, share in ((DarkMatter.DIRAC, 1.0), (DarkMatter.MAJORANA, 0.5)):
        sector = DarkSector(species, alpha_d=0.1, ratio=3.0)
        coupling = np.sqrt(4.0 * np.pi * 0.1 * share)
        expected = widths.spin_two_to_fermions(MASS, MASS / 3.0, coupling)
        assert sector.width_gev(MASS, MASS, MediatorKind.SPIN_TWO) == pytest.approx(float(expected))
    scalars = DarkSector(DarkMatter.SCALAR, alpha_d=0.1, ratio=4.0)
    beta = np.sqrt(0.75)
    found = float(scalars.width_gev(MASS, MASS, MediatorKind.SPIN_TWO))
    assert found == pytest.approx(0.1 * MASS**3 * beta**5 / 120.0)


def test_annihilation_is_that_of_the_papers() -> None:
    """sigma = alpha_D c^2 s^3 beta^3 (1 + 8 r/3)/(64 D) of e+ e- -> G -> chi chi, with no m_e.

    arXiv:2304.14052 in the form of DMG4; D has the fixed width there, which far from the
    resonance is nothing.
    """
    sector, mass, energy, coupling = DarkSector(DarkMatter.DIRAC, 0.1, 3.0), 0.1, 50.0, 1e-4
    s = 2.0 * ELECTRON_MASS_GEV * (energy + ELECTRON_MASS_GEV)
    r = (mass / 3.0) ** 2 / s
    beta = np.sqrt(1.0 - 4.0 * r)
    expected = 4.0 * np.pi * 0.1 * coupling**2 * s**3 / (256.0 * np.pi)
    expected *= beta**3 * (1.0 + 8.0 / 3.0 * r) / (s - mass**2) ** 2
    found = production_by_annihilation(
        BOSON, mass, energy_gev=energy, coupling=coupling, dark_sector=sector
    )
    assert float(found[0]) == pytest.approx(expected, rel=1e-3)


def test_primakoff_goes_with_the_width_to_photons() -> None:
    """sigma ~ (2 J + 1) Gamma(photons)/M^3, of axion-like particles alike."""
    alp, masses = mediator("alp"), np.array([1e-3, 0.1])
    strength = [
        (2 * spin + 1) * boson.partial_widths(masses)["photons"]
        for spin, boson in ((2, BOSON), (0, alp))
    ]
    sigma = [production_by_primakoff(boson, masses, energy_gev=80.0) for boson in (BOSON, alp)]
    assert sigma[0] / sigma[1] == pytest.approx(strength[0] / strength[1], rel=1e-12)
