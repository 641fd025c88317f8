"""The final lepton of emission: against integrals over the boson, explicit momenta, and limits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import qmc

from na64.models.constants import ALPHA, ELECTRON_MASS_GEV, MUON_MASS_GEV
from na64.models.errors import InputError
from na64.models.kinds import EMITTED_KINDS, structure
from na64.models.materials import material
from na64.models.production.amplitudes import Invariants, squared_amplitude
from na64.models.production.emission import emission_cross_section
from na64.models.production.process import Emission
from na64.models.production.recoil import (
    RecoilCuts,
    RecoilGrid,
    recoil_cross_section,
    recoil_spectrum,
)
from na64.models.production.recoil_amplitude import Moments, amplitude_at_recoil
from na64.models.production.recoil_kinematics import RecoilKinematics, momentum_of, transfer_nodes

TUNGSTEN = material("tungsten")
MASSES = np.array([1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0])
NONE = RecoilCuts()
WINDOW = RecoilCuts(0.05, 1.2)


@pytest.mark.parametrize("kind", EMITTED_KINDS)
def test_without_cuts_it_is_the_inclusive_cross_section(kind: str) -> None:
    """Other variables, another amplitude, the same integral: to 1e-3, the accuracy of that one."""
    process = Emission(kind)
    found = recoil_cross_section(4.0, MASSES, TUNGSTEN, NONE, process)
    inclusive = emission_cross_section(4.0, MASSES, TUNGSTEN, process)[0]
    assert found == pytest.approx(inclusive, rel=1e-3)


def test_muons_and_single_nuclei() -> None:
    lead = material("lead")
    masses = MASSES[2:7]
    muon = Emission(lepton="mu", inelastic=False)
    found = recoil_cross_section(160.0, masses, lead, NONE, muon)
    assert found == pytest.approx(emission_cross_section(160.0, masses, lead, muon)[0], rel=1e-3)
    element = TUNGSTEN.number_densities_cm3[0][0]
    one = recoil_cross_section(8.0, masses, element, NONE)
    assert one == pytest.approx(emission_cross_section(8.0, masses, element)[0], rel=1e-3)


def test_limits_of_the_energy_are_those_of_the_boson() -> None:
    """E' = E - E_X but for what the nucleus takes, t/(2 M_N)."""
    found = recoil_cross_section(4.0, MASSES, TUNGSTEN, WINDOW)
    boson = emission_cross_section(4.0, MASSES, TUNGSTEN, min_energy_gev=2.8, max_energy_gev=3.95)
    assert found == pytest.approx(boson[0], rel=1e-3)


def test_the_nodes_are_enough() -> None:
    cuts = (WINDOW, RecoilCuts(0.05, 1.2, 0.08), RecoilCuts(0.05, 1.2, 0.02, 0.3))
    for cut in cuts:
        found = recoil_cross_section(4.0, MASSES, TUNGSTEN, cut)
        fine = recoil_cross_section(4.0, MASSES, TUNGSTEN, cut, grid=RecoilGrid(5.0, 20, 18))
        assert found == pytest.approx(fine, rel=2e-3 if cut is cuts[2] else 4e-4)


@pytest.mark.parametrize("kind", ["vector", "axial"])
def test_an_integral_over_explicit_four_momenta(kind: str) -> None:
    """Quasi Monte Carlo over energy and angle of the boson, t and azimuth, with cuts on p'.

    The final lepton is what is left of explicit momenta; the amplitude is that of their products;
    the phase space is d^3k/(2 E_k) d^4q delta(p'^2 - m^2) delta(P_f^2 - M_N^2). Sets of 2^19 points
    scatter by 0.2 %.
    """
    energy, mass, m = 4.0, 0.03, ELECTRON_MASS_GEV
    cuts = RecoilCuts(0.1, 1.2, 0.03, 0.2)
    source = Emission(kind).source(TUNGSTEN)
    nucleus = source.nucleus_mass_gev
    points = qmc.Sobol(4, seed=1).random_base2(19)
    # energies of the boson, its angle in ln(theta), t in its logarithm, azimuth
    low, high = energy - 1.25, energy - 0.1
    boson = low + (high - low) * points[:, 0]
    bottom, top = 1e-4, 1.0
    theta = bottom * (top / bottom) ** points[:, 1]
    k = np.sqrt(boson**2 - mass**2)
    p = math.sqrt(energy**2 - m**2)
    # d = p - k, recoil q = P_i - P_f with q0 = -t/2M_N, p' = d + q
    across, along = -k * np.sin(theta), p - k * np.cos(theta)
    length = np.hypot(across, along)
    d0 = energy - boson
    t_bottom, t_top = 1e-12, 4.0
    t = t_bottom * (t_top / t_bottom) ** points[:, 2]
    q0 = -t / (2.0 * nucleus)
    q = np.sqrt(t + q0**2)
    # p'^2 = m^2 fixes the angle of q with d
    cosine = ((d0 + q0) ** 2 - m**2 - length**2 - q**2) / (2.0 * length * q)
    inside = np.abs(cosine) < 1.0
    sine = np.sqrt(np.where(inside, 1.0 - cosine**2, 0.0))
    phi = 2.0 * np.pi * points[:, 3]
    # axes: along d, across it in the plane of the boson, out of the plane
    in_plane = q * (cosine * across + sine * np.cos(phi) * along) / length
    forward = q * (cosine * along - sine * np.cos(phi) * across) / length
    out = q * sine * np.sin(phi)
    recoil, transverse = d0 + q0, np.hypot(across + in_plane, out)
    inside &= (recoil > cuts.energy_min_gev) & (recoil < cuts.energy_max_gev)
    inside &= (transverse > cuts.transverse_min_gev) & (transverse < cuts.transverse_max_gev)
    u = mass**2 - 2.0 * (energy * boson - p * k * np.cos(theta))
    s = -t + 2.0 * (energy * q0 - p * forward)  # (p + q)^2 - m^2
    initial = 2.0 * nucleus * energy - 0.5 * (s + t)
    final = 2.0 * nucleus * recoil - 0.5 * (-u - t)
    at = Invariants(s, u, t, initial, final, 4.0 * nucleus**2 + t)
    amplitude = squared_amplitude(structure(kind, mass, m), mass, at)
    # d sigma = alpha^3 |k| E/(|p| |d|)/E dE_X dcos dt G2/t^2 <F>/(8 M_N^2)
    jacobian = (high - low) * theta * np.sin(theta) * math.log(top / bottom)
    jacobian *= math.log(t_top / t_bottom) * t
    weight = ALPHA**3 * k / (p * length) * source.g2(t) / t**2 * amplitude / (8.0 * nucleus**2)
    estimate = np.mean(np.where(inside, weight * jacobian, 0.0))
    found = recoil_cross_section(energy, mass, TUNGSTEN, cuts, Emission(kind))
    assert found[0] == pytest.approx(estimate, rel=0.006)


@pytest.mark.parametrize("kind", EMITTED_KINDS)
def test_the_amplitude_is_the_mean_of_that_at_one_point(kind: str) -> None:
    """Over 4096 azimuths of q about d, from explicit momenta."""
    energy, mass, m, nucleus = 4.0, 0.05, MUON_MASS_GEV, 171.0
    c = structure(kind, mass, m)
    phi = 2.0 * np.pi * (np.arange(4096) + 0.5) / 4096
    for recoil, theta, fraction in ((0.7, 0.3, 0.2), (0.2, 2.0, 0.6), (3.0, 0.01, 1e-3)):
        p, p_recoil = math.sqrt(energy**2 - m**2), math.sqrt(recoil**2 - m**2)
        excess = 2.0 * p * p_recoil * (1.0 - math.cos(theta))
        at = RecoilKinematics.of(energy, mass, recoil, excess, m, nucleus)
        t_min, t_max, leading = at.transfer_limits()
        t = t_min + fraction * (min(float(t_max), 2.0) - t_min)
        found = amplitude_at_recoil(c, np.array(mass), at.boson_angles(t, t_min, t_max, leading))
        d = np.array([-p_recoil * math.sin(theta), p - p_recoil * math.cos(theta)])
        length, lost = math.hypot(*d), energy - recoil
        q0 = -t / (2.0 * nucleus)
        q = math.sqrt(t + q0**2)
        # the boson has its mass: (d + q)^2 = M^2
        cosine = ((lost + q0) ** 2 - mass**2 - length**2 - q**2) / (2.0 * length * q)
        sine = math.sqrt(1.0 - cosine**2)
        forward = q * (cosine * d[1] - sine * np.cos(phi) * d[0]) / length
        in_plane = q * (cosine * d[0] + sine * np.cos(phi) * d[1]) / length
        s = -t + 2.0 * (energy * q0 - p * forward)
        p_dot_q = recoil * q0 - p_recoil * (math.sin(theta) * in_plane + math.cos(theta) * forward)
        u = -t - 2.0 * p_dot_q  # (p' - q)^2 - m^2
        invariants = Invariants(
            s,
            u,
            t,
            2.0 * nucleus * energy - 0.5 * (s + t),
            2.0 * nucleus * recoil - p_dot_q,
            4.0 * nucleus**2 + t,
        )
        mean = np.mean(squared_amplitude(c, mass, invariants)) / (8.0 * nucleus**2)
        assert float(found) == pytest.approx(float(mean), rel=1e-8)


def test_averages_of_the_denominators() -> None:
    """Midpoints of the azimuth, for small and large amplitudes of both denominators."""
    z = np.cos(2.0 * np.pi * (np.arange(20000) + 0.5) / 20000)
    for a1, a2, b in ((1.0, 1.5, 0.0), (1.0, 1.5, 1e-4), (2.0, 1.0, 0.99), (1.0, 1.0, 0.999)):
        u, s = a1 + b * z, a2 + b * z
        found = Moments.of(np.array(a1), np.array(a2), np.array(b))
        assert float(found.inverse_u) == pytest.approx(np.mean(1.0 / u), rel=1e-10)
        assert float(found.inverse_s) == pytest.approx(np.mean(1.0 / s), rel=1e-10)
        assert float(found.product) == pytest.approx(np.mean(1.0 / (u * s)), rel=1e-10)
        for power in range(3):
            value = float(getattr(found, f"square{power}"))
            expected = np.mean(z**power / (u * s) ** 2)
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("mass", [3e-3, 0.1, 1.0])
def test_the_spectrum_integrates(mass: float) -> None:
    """Gauss-Legendre in E' and in ln(pT) against the integral over energies and directions."""
    cuts = RecoilCuts(0.4, 1.2, 0.005, 0.3)
    points, weights = np.polynomial.legendre.leggauss(24)
    recoil = 0.8 + 0.4 * points
    span = math.log(cuts.transverse_max_gev / cuts.transverse_min_gev)
    across = cuts.transverse_min_gev * np.exp(0.5 * span * (1.0 + points))
    spectrum = recoil_spectrum(4.0, mass, recoil[:, None], across, TUNGSTEN)
    total = np.sum(0.4 * weights[:, None] * 0.5 * span * weights * across * spectrum)
    found = recoil_cross_section(4.0, mass, TUNGSTEN, cuts)
    assert found[0] == pytest.approx(total, rel=1e-3)


def test_transverse_cuts_are_parts_of_the_whole() -> None:
    whole = recoil_cross_section(4.0, MASSES, TUNGSTEN, WINDOW)
    tiny = recoil_cross_section(4.0, MASSES, TUNGSTEN, RecoilCuts(0.05, 1.2, 1e-7))
    assert tiny == pytest.approx(whole, rel=1e-5)
    edges = (0.0, 0.01, 0.08, 0.4, math.inf)
    parts = [
        recoil_cross_section(4.0, MASSES, TUNGSTEN, RecoilCuts(0.05, 1.2, low, high))
        for low, high in itertools.pairwise(edges)
    ]
    assert np.sum(parts, axis=0) == pytest.approx(whole, rel=2e-3)
    assert np.all(np.array(parts) > 0.0)


def test_heavier_bosons_kick_harder() -> None:
    cut = RecoilCuts(0.05, 1.2, 0.08)
    share = recoil_cross_section(4.0, MASSES, TUNGSTEN, cut) / recoil_cross_section(
        4.0, MASSES, TUNGSTEN, WINDOW
    )
    assert np.all(np.diff(share) > 0.0)
    # the scale is M sqrt(1 - x): far above it the nucleus has to help
    assert share[0] < 1e-4
    assert 0.7 < share[6] < 0.9


def test_the_collinear_photon_has_no_kick() -> None:
    """What the momentum of the nucleus is worth, in shares of events above a transverse momentum.

    Where boson and electron balance each other (WW) the share of a 10 MeV boson above 30 MeV is
    a quarter of the true one: there the nucleus took it. At 0.3 GeV it is 15 % off.
    """
    process = Emission(approximation="ww")
    cut = RecoilCuts(0.05, 1.2, 0.03)
    masses = [0.01, 0.3]
    exact, collinear = (
        recoil_cross_section(4.0, masses, TUNGSTEN, cut, each)
        / recoil_cross_section(4.0, masses, TUNGSTEN, WINDOW, each)
        for each in (Emission(), process)
    )
    assert collinear[0] / exact[0] == pytest.approx(0.27, abs=0.03)
    assert collinear[1] / exact[1] == pytest.approx(0.86, abs=0.03)


def test_without_cuts_the_approximation_is_that_of_the_boson() -> None:
    process = Emission(approximation="ww")
    found = recoil_cross_section(4.0, MASSES, TUNGSTEN, RecoilCuts(0.0, 1.2), process)
    boson = emission_cross_section(4.0, MASSES, TUNGSTEN, process, min_energy_gev=2.8)[0]
    assert found == pytest.approx(boson, rel=1e-3)


def test_a_boson_that_has_the_approximation_alone_is_cut_too() -> None:
    process = Emission("spin-2", approximation="ww")
    masses = [0.01, 0.1]
    edges = (0.0, 1e-3, 0.01, 0.08, math.inf)
    whole, *parts = (
        recoil_cross_section(4.0, masses, TUNGSTEN, cuts, process)
        for cuts in (
            WINDOW,
            *(RecoilCuts(0.05, 1.2, low, high) for low, high in itertools.pairwise(edges)),
        )
    )
    assert np.sum(parts, axis=0) == pytest.approx(whole, rel=2e-3)
    assert np.all(parts[3] < 0.5 * whole)


def test_what_is_closed_is_zero() -> None:
    assert recoil_cross_section(4.0, [3.9999, 5.0], TUNGSTEN, NONE).tolist() == [0.0, 0.0]
    assert not np.any(recoil_cross_section(4.0, MASSES, TUNGSTEN, RecoilCuts(3.9999)))
    recoil, across = np.array([1.0, 3.99, 1e-4]), np.array([2.0, 0.1, 0.0])
    assert not np.any(recoil_spectrum(4.0, 0.1, recoil, across, TUNGSTEN))


def test_nodes_of_the_transfer_integrate_around_both_peaks() -> None:
    """1/sqrt((t - t0)^2 + w^2) at both, an asinh; the peaks are narrow for light bosons."""
    m = ELECTRON_MASS_GEV
    recoil, across = 0.8, 0.06
    along = math.sqrt(recoil**2 - m**2 - across**2)
    p = math.sqrt(16.0 - m**2)
    excess = 2.0 * p * (float(momentum_of(np.array(recoil), m)) - along)
    at = RecoilKinematics.of([4.0], [1e-3], [recoil], [excess], m, 171.0)
    first, second, width = (float(v[0]) for v in at.peaks())
    assert width < 0.05
    low, high = 1e-10, 4.0
    t, weights = transfer_nodes(at, np.array([low]), np.array([high]), 12)
    for peak in (first, second):
        scale = peak * width
        found = float(np.sum(weights * t / np.hypot(t - peak, scale)))
        exact = math.asinh((high - peak) / scale) - math.asinh((low - peak) / scale)
        assert found == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize(
    ("energy", "mass", "process", "message"),
    [
        (4.0, 0.1, Emission(approximation="iww"), "says nothing of the recoil"),
        (1e-4, 0.1, Emission(), "above the mass of the lepton"),
        (math.inf, 0.1, Emission(), "above the mass of the lepton"),
        (4.0, -0.1, Emission(), "mass"),
    ],
)
def test_bad_input(energy: float, mass: float, process: Emission, message: str) -> None:
    with pytest.raises(InputError, match=message):
        recoil_cross_section(energy, mass, TUNGSTEN, NONE, process)


def test_bad_cuts() -> None:
    with pytest.raises(InputError, match="energy_min_gev must be 0 or more and below"):
        RecoilCuts(1.0, 0.5)
    with pytest.raises(InputError, match="transverse_min_gev must be 0 or more"):
        RecoilCuts(transverse_min_gev=-1.0)
    with pytest.raises(InputError, match="exact tree level, not of ww"):
        recoil_spectrum(4.0, 0.1, 1.0, 0.1, TUNGSTEN, Emission(approximation="ww"))
