"""Emission off leptons: interface, limits, convergence, scaling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import InputError
from na64.models.form_factors import NuclearModel
from na64.models.materials import Element, material
from na64.models.mediators.protocol import MediatorKind
from na64.models.production.emission import (
    emission_cross_section,
    emission_spectrum,
)
from na64.models.production.equivalent_photons import photon_flux
from na64.models.production.kinematics import (
    EmissionKinematics,
    largest_u,
    smallest_fraction_left,
    smallest_u,
)
from na64.models.production.process import Approximation, Emission
from na64.models.production.quadrature import logarithmic_nodes
from na64.models.production.sources import PhotonSource
from na64.models.production.tree_level import TreeLevelGrid

LEAD = Element("Pb", 82, 207.2)
HYDROGEN = Element("H", 1, 1.008)
KINDS = ["vector", "axial", "scalar", "pseudoscalar"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("lepton", "threshold"), [("e", 50.0), ("mu", 50.0), ("e", 0.0)])
def test_quadrature_is_converged(kind: str, lepton: str, threshold: float) -> None:
    """1e-3, and 3e-3 for bosons below 2 m_e off electrons: more nodes in every variable."""
    masses = np.array([1e-6, 1e-4, 2e-3, 2e-2, 0.2, 1.0])
    options: dict[str, Any] = {
        "process": Emission(MediatorKind(kind), lepton),
        "min_energy_gev": threshold,
    }
    default = emission_cross_section(100.0, masses, LEAD, **options)
    fine = emission_cross_section(
        100.0, masses, LEAD, nodes=48, grid=TreeLevelGrid(14, 120, 160), **options
    )
    deviation = np.abs(default / fine - 1.0)[0]
    limit = np.where((masses < 1.022e-3) & (lepton == "e"), 3e-3, 1e-3)
    assert np.all(deviation < limit), deviation


@pytest.mark.parametrize("approximation", list(Approximation))
def test_spectrum_integrates_to_the_cross_section(approximation: str) -> None:
    """A light boson, whose spectrum is smooth in x, with its own Gauss-Legendre rule."""
    points, weights = np.polynomial.legendre.leggauss(60)
    # in ln(100 GeV - E_X), from 1 GeV to 50 GeV left to the electron
    left = np.exp(0.5 * np.log(50.0) * (points + 1.0))
    spectrum = emission_spectrum(
        100.0, [2e-3, 0.1], 100.0 - left, LEAD, process=Emission(approximation=approximation)
    )[0]
    integral = 0.5 * np.log(50.0) * np.sum(weights * left * spectrum, axis=-1)
    expected = emission_cross_section(
        100.0,
        [2e-3, 0.1],
        LEAD,
        process=Emission(approximation=approximation),
        min_energy_gev=50.0,
        max_energy_gev=99.0,
    )[0]
    assert integral == pytest.approx(expected, rel=2e-3)


def test_windows_add_up() -> None:
    whole = emission_cross_section(100.0, [5e-3, 0.3], LEAD, min_energy_gev=50.0)
    parts = emission_cross_section(
        100.0, [5e-3, 0.3], LEAD, min_energy_gev=50.0, max_energy_gev=95.0
    ) + emission_cross_section(100.0, [5e-3, 0.3], LEAD, min_energy_gev=95.0)
    assert parts == pytest.approx(whole, rel=1e-3)


def test_heavy_bosons_leave_nothing_to_the_electron() -> None:
    """At 100 MeV half of the rate above x = 1/2 has 1 - x < 1 %; a light boson is not like that."""
    masses = np.array([1.0, 10.0, 100.0, 500.0]) * 1e-3
    every = emission_cross_section(100.0, masses, LEAD, min_energy_gev=50.0)[0]
    kept = emission_cross_section(100.0, masses, LEAD, min_energy_gev=50.0, max_energy_gev=99.0)[0]
    fraction = kept / every
    assert np.all(np.diff(fraction) < 0.0)
    assert fraction[0] > 0.95
    assert fraction[2] == pytest.approx(0.5, abs=0.02)


def test_one_pair_does_not_depend_on_its_neighbours() -> None:
    table = emission_cross_section([60.0, 100.0], [2e-3, 0.1, 1.0], LEAD, min_energy_gev=50.0)
    alone = emission_cross_section(100.0, 0.1, LEAD, min_energy_gev=50.0)
    assert table.shape == (2, 3)
    assert alone.shape == (1, 1)
    assert alone[0, 0] == pytest.approx(table[1, 1], rel=1e-12)


def test_a_material_of_one_element_is_that_element() -> None:
    lead = material("lead")
    ((element, density),) = lead.number_densities_cm3
    per_depth = density * lead.radiation_length_cm * 0.3893793721e-27
    assert density * lead.radiation_length_cm == pytest.approx(1.85e22, rel=0.01)
    probability = emission_cross_section(100.0, [1e-2, 0.5], lead, min_energy_gev=50.0)
    cross_section = emission_cross_section(100.0, [1e-2, 0.5], element, min_energy_gev=50.0)
    assert probability == pytest.approx(per_depth * cross_section, rel=1e-6)
    spectra = [emission_spectrum(100.0, 1e-2, 80.0, target) for target in (lead, element)]
    assert spectra[0] == pytest.approx(per_depth * spectra[1], rel=1e-6)


@settings(max_examples=200, deadline=None)
@given(
    energy=st.floats(1.0, 200.0),
    mass=st.floats(-6.0, 0.0).map(lambda p: 10.0**p),
    kind=st.sampled_from(KINDS),
    lepton=st.sampled_from(["e", "mu"]),
    threshold=st.floats(0.0, 1.1),
)
def test_never_negative_and_falling_with_the_threshold(
    energy: float, mass: float, kind: str, lepton: str, threshold: float
) -> None:
    grid = TreeLevelGrid(4, 12, 12)
    process = Emission(MediatorKind(kind), lepton)
    low, high = (
        emission_cross_section(
            energy, mass, LEAD, process, min_energy_gev=f * energy, grid=grid
        ).item()
        for f in (threshold, threshold + 0.1)
    )
    assert np.isfinite(low)
    assert np.isfinite(high)
    assert 0.0 <= high <= low * 1.05  # the coarse grid is good to 5 %


def test_closed_channels_are_zero() -> None:
    assert emission_cross_section(10.0, [11.0, 20.0], LEAD).tolist() == [[0.0, 0.0]]
    assert emission_cross_section(10.0, 0.1, LEAD, min_energy_gev=10.0)[0, 0] == 0.0
    assert emission_cross_section(10.0, 0.1, LEAD, min_energy_gev=12.0)[0, 0] == 0.0
    closed = emission_cross_section(100.0, 0.1, LEAD, min_energy_gev=60.0, max_energy_gev=50.0)
    assert closed[0, 0] == 0.0
    spectrum = emission_spectrum(10.0, [0.1, 12.0], [0.05, 5.0, 9.99999, 11.0], LEAD)
    assert spectrum.shape == (1, 2, 4)
    assert (spectrum[0] > 0.0).tolist() == [[False, True, False, False], [False] * 4]
    # on a proton at rest 10 GeV make no more than sqrt(2 m_p E) of mass
    assert emission_cross_section(10.0, 4.5, HYDROGEN)[0, 0] == 0.0


def test_coherence_makes_the_square_of_the_charge() -> None:
    """Z^2 for a light boson up to screening and size, and Z for the inelastic part."""
    copper = Element("Cu", 29, 63.546)
    elastic, both = (
        [
            emission_cross_section(100.0, 0.03, el, process=Emission(inelastic=flag))[0, 0]
            for el in (LEAD, copper)
        ]
        for flag in (False, True)
    )
    assert elastic[0] / elastic[1] == pytest.approx((82 / 29) ** 2, rel=0.1)
    excess = [b - a for a, b in zip(elastic, both, strict=True)]
    assert excess[0] / excess[1] == pytest.approx(82 / 29, rel=0.1)


@settings(max_examples=200, deadline=None)
@given(
    energy=st.floats(1.0, 200.0),
    mass=st.floats(-5.0, 0.0).map(lambda p: 10.0**p),
    fraction=st.floats(0.01, 0.99),
    stretch=st.floats(0.001, 10.0),
    m=st.sampled_from([0.51099895e-3, 0.1056583755]),
)
def test_kinematics_close(
    energy: float, mass: float, fraction: float, stretch: float, m: float
) -> None:
    """s stays above threshold and the boundary of t is where the recoil is collinear."""
    nucleus = 193.0
    e, big_m = np.array(energy), np.array(mass)
    y_max = 1.0 - mass / energy
    if y_max <= 2.0 * m / energy:
        return
    y_min = smallest_fraction_left(e, big_m, m, nucleus, np.array(y_max))
    if np.isnan(y_min):  # closed: the recoil of the nucleus takes the rest of the energy
        assert energy < (mass + m) * (1.0 + (mass + m) / (2.0 * nucleus)) + 1e-2
        return
    y = y_min * (y_max / y_min) ** fraction
    u0 = smallest_u(e, y, big_m, m)
    k = np.sqrt(((1.0 - y) * e) ** 2 - mass**2)
    wide = [np.longdouble(v) for v in (energy, (1.0 - np.longdouble(y)) * energy, m, mass)]
    momenta = np.sqrt(wide[0] ** 2 - wide[2] ** 2) * np.sqrt(wide[1] ** 2 - wide[3] ** 2)
    plain = 2.0 * (wide[0] * wide[1] - momenta) - wide[3] ** 2
    lost = float(np.finfo(np.longdouble).eps) * energy**2
    assert u0 == pytest.approx(float(plain), rel=1e-11, abs=8.0 * lost)
    u = np.minimum(u0 * (1.0 + stretch), 0.999 * largest_u(e, y, m, nucleus))
    if u <= u0 or u > u0 + 4.0 * energy * 0.99 * k:
        return
    at = EmissionKinematics(e, big_m, m, nucleus, y, u - u0, u)
    t_min, t_max = at.t_limits()
    assert 0.0 < t_min < t_max
    for t in np.geomspace(t_min, t_max, 9):
        recoil = at.recoil(t, t_min, t_max)
        # (p' + k)^2 >= (m + M)^2
        assert recoil.a - recoil.b >= (mass**2 + 2.0 * m * mass) * (1.0 - 1e-6) - 1e-9 * recoil.a
        left, v2 = y * energy, at.transfer_squared
        along = (u + t * (1.0 + left / nucleus)) ** 2
        assert along <= 4.0 * v2 * (t + t * t / (4.0 * nucleus**2)) * (1.0 + 1e-9)


def test_logarithmic_nodes() -> None:
    """A step 1/(1 + a/t)^2 (1 - low/t) over twelve decades, against its primitive."""
    low, high = np.array([1e-10, 1e-6]), np.array([1.0, 4.0])
    t, weights = logarithmic_nodes(low, high, 28)
    a = 1e-8
    found = np.sum(weights * (1.0 - low[:, None] / t) * (t / (t + a)) ** 2, axis=-1)

    def primitive(t: np.ndarray, low: np.ndarray) -> np.ndarray:
        # integral of (t - low)/(t + a)^2
        return np.log(t + a) + (a + low) / (t + a)

    assert found == pytest.approx(primitive(high, low) - primitive(low, low), rel=3e-4)
    _, empty = logarithmic_nodes(np.array([2.0]), np.array([1.0]), 8)
    assert np.all(empty == 0.0)


def test_photon_flux_of_a_point_charge_is_a_logarithm() -> None:
    """Between screening and nuclear size chi = Z^2 [ln(t_max/t_min) - 1 + t_min/t_max]."""
    source = PhotonSource.of(LEAD, inelastic=False, nuclear=NuclearModel.DIPOLE)
    t_min = np.array([1e-7, 1e-6])
    chi = photon_flux(t_min, np.array(1e-5), source)
    assert chi[0] - chi[1] == pytest.approx(82**2 * (np.log(10.0) - 0.09), rel=0.01)
    assert photon_flux(np.array(1e-4), np.array(1e-5), source) == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energy_gev": -1.0}, "energy must be positive and finite"),
        ({"energy_gev": float("nan")}, "energy must be positive and finite"),
        ({"mass_gev": 0.0}, "mass must be positive and finite"),
        ({"mass_gev": [[0.1]]}, "mass must be a number or a list of numbers"),
        (
            {"energy_gev": 0.05, "process": Emission(lepton="mu")},
            "above the mass of the lepton, 0.1056",
        ),
        ({"min_energy_gev": -1.0}, "smallest boson energy must not be negative"),
        ({"max_energy_gev": 0.0}, "largest boson energy must be positive"),
    ],
)
def test_bad_input(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"energy_gev": 100.0, "mass_gev": 0.1, "target": LEAD}
    with pytest.raises(InputError, match=message):
        emission_cross_section(**(arguments | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lepton": "muon"}, r"unknown lepton 'muon' \(did you mean 'mu'\?\)"),
        ({"approximation": "wwi"}, r"unknown approximation 'wwi' .*allowed: etl, iww, ww"),
        ({"kind": MediatorKind.PHOTON_COUPLED}, "do not emit a photon-coupled boson"),
    ],
)
def test_a_process_that_is_none(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Emission(**change)
