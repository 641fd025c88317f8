"""Vector, axial and gauge-boson mediators: couplings, widths, invisible branching ratios."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from na64.models.constants import ALPHA, ELEMENTARY_CHARGE, LEPTON_MASSES_GEV, MUON_MASS_GEV
from na64.models.decays.hadrons import r_ratio
from na64.models.decays.invisible import invisible_branching
from na64.models.errors import InputError
from na64.models.mediators.charges import FERMIONS
from na64.models.mediators.gauge_bosons import (
    b_minus_l,
    b_minus_l_heavy_neutrinos,
    b_minus_l_left_handed,
    l_mu_l_tau,
    loop_mixing,
    vacuum_polarisation,
)
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.quarks import free_quark_widths
from na64.models.mediators.vectors import (
    AxialMediator,
    HeavyNeutrinos,
    NeutrinoType,
    VectorMediator,
    axial,
    dark_photon,
    vector,
)

masses = st.floats(1e-6, 10.0)


def test_dark_photon_couples_to_the_electromagnetic_current() -> None:
    photon = dark_photon()
    assert isinstance(photon, Mediator)
    assert photon.kind is MediatorKind.VECTOR
    assert float(photon.coupling("e")) == pytest.approx(-ELEMENTARY_CHARGE)
    assert float(photon.coupling("u")) == pytest.approx(2.0 / 3.0 * ELEMENTARY_CHARGE)
    assert float(photon.coupling("nu_e")) == 0.0
    assert photon.coupling("mu", np.zeros((2, 3))).shape == (2, 3)
    widths = photon.partial_widths(3.0)
    # far above threshold one flavour is worth alpha M/3, hadrons R times that
    assert float(widths["e e"]) == pytest.approx(ALPHA, rel=1e-6)
    assert float(widths["hadrons"]) == pytest.approx(ALPHA * float(r_ratio(9.0)))
    assert "neutrinos" not in widths


@given(mass=masses)
@settings(max_examples=200, deadline=None)
def test_width_opens_at_twice_the_mass(mass: float) -> None:
    for mediator in (dark_photon(), vector(), axial()):
        widths = mediator.partial_widths(mass)
        for lepton, lepton_mass in LEPTON_MASSES_GEV.items():
            width = float(widths[f"{lepton} {lepton}"])
            assert (width > 0.0) == (mass > 2.0 * lepton_mass)
            assert math.isfinite(width)


@given(mass=st.floats(0.3, 10.0), g=st.floats(0.01, 3.0))
@settings(max_examples=200, deadline=None)
def test_width_goes_with_the_square_of_the_charge(mass: float, g: float) -> None:
    unit = VectorMediator("a", "g", {"mu": 1.0}).partial_widths(mass)["mu mu"]
    other = VectorMediator("b", "g", {"mu": -g}).partial_widths(mass)["mu mu"]
    assert float(other) == pytest.approx(g**2 * float(unit), rel=1e-12)


def test_axial_width_has_the_third_power_of_the_velocity() -> None:
    mass = 0.25
    beta = math.sqrt(1.0 - 4.0 * MUON_MASS_GEV**2 / mass**2)
    width = float(axial().partial_widths(mass)["mu mu"])
    assert width == pytest.approx(mass / (12.0 * math.pi) * beta**3)
    # a left-handed neutrino cannot tell an axial from a vector coupling
    charges = {"nu_mu": 0.7}
    as_vector = VectorMediator("v", "g", charges).partial_widths(mass)["neutrinos"]
    as_axial = AxialMediator("a", "g", charges).partial_widths(mass)["neutrinos"]
    assert float(as_axial) == pytest.approx(float(as_vector))


def test_quarks_of_an_axial_vector_open_with_their_mesons() -> None:
    boson = AxialMediator("a", "g", {"u": 1.0, "c": 1.0})
    widths = boson.partial_widths(np.array([0.25, 1.0, 3.0, 5.0]))["hadrons"]
    assert widths[0] == 0.0
    assert widths[1] == pytest.approx(3.0 / (12.0 * math.pi), rel=0.15)
    assert widths[2] < 3.4 * widths[1]  # no charm yet, beta^3 of the lighter one 0.89
    assert widths[3] > 1.15 * widths[2] * 5.0 / 3.0
    none = free_quark_widths(lambda mass, quark: mass, np.array([1.0]), {"e": 1.0})
    assert none[0] == 0.0


@pytest.mark.parametrize(
    ("boson", "light", "above_muons"),
    [
        # Gamma_inv/(Gamma_inv + Gamma_ee [+ Gamma_mumu]), at 20 MeV and with muons as light as
        # electrons at 0.6 GeV (hadrons are 0.1 % there)
        (b_minus_l(), 3 / 4, 3 / 5),
        (b_minus_l_left_handed(), 3 / 5, 3 / 7),
        (b_minus_l_heavy_neutrinos(), 0.680, 0.515),
    ],
)
def test_invisible_branching_of_b_minus_l(
    boson: VectorMediator, light: float, above_muons: float
) -> None:
    found = invisible_branching(boson, [0.02, 0.6], None)
    assert found[0] == pytest.approx(light, abs=1e-3)
    assert found[1] == pytest.approx(above_muons, rel=0.01)


def test_heavy_neutrinos_by_hand() -> None:
    # 3 (g^2/4 pi) (M/6) (1 - 4/9)^1.5 beside three left-handed neutrinos
    plain = float(b_minus_l_left_handed().partial_widths(0.1)["neutrinos"])
    heavy = float(b_minus_l_heavy_neutrinos().partial_widths(0.1)["neutrinos"])
    expected = 3.0 / (4.0 * math.pi) * 0.1 / 6.0 * (1.0 - 4.0 / 9.0) ** 1.5
    assert heavy - plain == pytest.approx(expected)


def test_b_minus_l_has_no_rho() -> None:
    """At the rho the hadronic width of an isoscalar current is what the omega leaves."""
    rho = float(b_minus_l().partial_widths(0.72)["hadrons"]) * 4.0 * math.pi * 3.0 / 0.72
    omega = float(b_minus_l().partial_widths(0.78266)["hadrons"]) * 4.0 * math.pi * 3.0 / 0.78266
    assert rho < 0.3
    # the omega counts four times: (3 (1/3 + 1/3))^2; beside it R of e+ e- is 8 without interference
    em = float(r_ratio(0.78266**2))
    assert omega > 2.0 * em


@pytest.mark.parametrize("q2", [-3.0, -1e-3, 1e-6, 3.34e-3, 3.36e-3, 0.04, 0.0447, 0.3, 10.0])
def test_vacuum_polarisation_against_its_integral(q2: float) -> None:
    mass2 = MUON_MASS_GEV**2

    def integrand(x: float) -> complex:
        argument = 1.0 - x * (1.0 - x) * q2 / mass2
        # ln(-|a| - i0) = ln|a| - i pi
        phase = -math.pi if argument < 0.0 else 0.0
        return x * (1.0 - x) * complex(math.log(abs(argument)), phase)

    root = math.sqrt(max(0.0, 1.0 - 4.0 * mass2 / q2)) if q2 > 0.0 else 0.0
    points = [0.5 * (1.0 - root), 0.5 * (1.0 + root)] if root else None
    real = quad(lambda x: integrand(x).real, 0.0, 1.0, points=points, limit=200)[0]
    imaginary = quad(lambda x: integrand(x).imag, 0.0, 1.0, points=points, limit=200)[0]
    found = complex(vacuum_polarisation(q2, MUON_MASS_GEV))
    assert found.real == pytest.approx(real, rel=1e-8, abs=1e-14)
    assert found.imag == pytest.approx(imaginary, rel=1e-8, abs=1e-14)


def test_loop_induced_coupling_of_l_mu_l_tau() -> None:
    assert complex(loop_mixing(0.0)).real == pytest.approx(-1.0 / 69.3, rel=1e-3)
    at = np.array([0.0, 0.2, 2.0 * MUON_MASS_GEV, 0.25, 0.3, 1.0])
    values = [0.01443, 0.01817, 0.0211, 0.0192, 0.0175, 0.0108]
    # the third number is printed with three digits beside a cusp
    np.testing.assert_allclose(np.abs(loop_mixing(at**2)), values, rtol=8e-3)
    boson = l_mu_l_tau()
    np.testing.assert_allclose(
        boson.coupling("e", at**2), ELEMENTARY_CHARGE * np.abs(loop_mixing(at**2))
    )
    # the electron's width carries e epsilon
    width = boson.partial_widths(0.2)["e e"]
    assert float(width) == pytest.approx(ALPHA * 0.01817**2 * 0.2 / 3.0, rel=1e-3)


def test_l_mu_l_tau_decays() -> None:
    boson = l_mu_l_tau()
    assert isinstance(boson, Mediator)
    assert float(boson.coupling("mu")) == -float(boson.coupling("tau")) == 1.0
    assert float(boson.coupling("nu_e")) == 0.0
    found = invisible_branching(boson, [0.05, 0.2, 0.25, 1.0], None)
    np.testing.assert_allclose(found[:2], 1.0, atol=1e-4)  # e+ e- through the loop: 2e-5
    ratio = (MUON_MASS_GEV / 0.25) ** 2
    muons = math.sqrt(1.0 - 4.0 * ratio) * (1.0 + 2.0 * ratio)
    assert found[2] == pytest.approx(1.0 / (1.0 + muons), rel=1e-3)
    assert found[3] == pytest.approx(0.5, rel=2e-3)


def test_neutrino_types() -> None:
    charges = {"nu_e": 1.0, "nu_mu": 1.0}
    left = VectorMediator("a", "g", charges).partial_widths(0.3)["neutrinos"]
    dirac = VectorMediator("b", "g", charges, neutrinos=NeutrinoType.DIRAC)
    assert float(left) == pytest.approx(2.0 / (4.0 * math.pi) * 0.3 / 6.0)
    assert float(dirac.partial_widths(0.3)["neutrinos"]) == pytest.approx(2.0 * float(left))


@pytest.mark.parametrize("kind", [VectorMediator, AxialMediator])
def test_bad_charges(kind: type[VectorMediator]) -> None:
    with pytest.raises(InputError, match="unknown fermion 'muon'"):
        kind("x", "g", {"muon": 1.0})
    with pytest.raises(InputError, match="charge of e in x must be finite"):
        kind("x", "g", {"e": math.nan})
    with pytest.raises(InputError, match="unknown fermion"):
        kind("x", "g", {"e": 1.0}).coupling("t")
    assert set(kind("x", "g", dict.fromkeys(FERMIONS, 1.0)).charges) == set(FERMIONS)


@pytest.mark.parametrize("values", [(0, 1.0, 3.0), (3, math.inf, 3.0), (3, 1.0, 0.0)])
def test_bad_heavy_neutrinos(values: tuple[int, float, float]) -> None:
    with pytest.raises(InputError, match="heavy neutrinos"):
        HeavyNeutrinos(*values)
