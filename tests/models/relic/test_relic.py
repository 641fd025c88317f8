"""Relic density: symmetries between species, scaling laws, states, bad input."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import trapezoid
from scipy.special import kv

from na64.models.constants import ALPHA, ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector, dark_matter
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import NeutrinoType, VectorMediator, dark_photon
from na64.models.relic import boltzmann
from na64.models.relic.analytic import analytic_target, partial_wave, velocity_coefficient
from na64.models.relic.boltzmann import FreezeOut
from na64.models.relic.dof import entropy_dof
from na64.models.relic.targets import (
    MASS_RANGE_GEV,
    OMEGA_H2,
    mass_range_gev,
    relic_abundance,
    thermal_target,
    validity_notes,
)
from na64.models.relic.thermal_average import (
    X_MAX,
    X_MIN,
    ThermalAverage,
    equilibrium_moment,
    visible_width_gev,
)

PORTAL = dark_photon()
MASSES = np.geomspace(2e-3, 0.4, 12)


class NeutrinoPortal:
    """A mediator that someone else wrote: it decays to neutrinos alone."""

    name = "neutrino-portal"
    kind = MediatorKind.VECTOR
    parameter = "g"
    citations = ()

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> NDArray[np.float64]:
        return np.full(np.shape(q2_gev2), 1.0 if fermion.startswith("nu_") else 0.0)

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, NDArray[np.float64]]:
        return {"neutrinos": np.asarray(mass_gev, float) / (8.0 * math.pi)}


class ScalarPortal(NeutrinoPortal):
    """The same with another spin."""

    name = "scalar-portal"
    kind = MediatorKind.SCALAR


def y_of(
    species: DarkMatter, alpha_d: float, ratio: float, splitting: float = 0.0
) -> NDArray[np.float64]:
    return thermal_target(PORTAL, DarkSector(species, alpha_d, ratio, splitting), MASSES).y


def test_scalar_needs_twice_the_y_of_majorana() -> None:
    # off resonance: twice the width, the same velocity dependence; the pole is felt to 1 %
    ratio = y_of(DarkMatter.SCALAR, 0.1, 5.0) / y_of(DarkMatter.MAJORANA, 0.1, 5.0)
    assert ratio == pytest.approx(2.0, rel=0.01)
    # at R = 3 the width of the pole, linear in alpha_D, enters
    ratio = y_of(DarkMatter.SCALAR, 0.01, 3.0) / y_of(DarkMatter.MAJORANA, 0.005, 3.0)
    assert ratio == pytest.approx(2.0, rel=1e-3)


def test_dirac_is_pseudo_dirac_without_splitting() -> None:
    assert y_of(DarkMatter.DIRAC, 0.3, 2.6) == pytest.approx(
        y_of(DarkMatter.PSEUDO_DIRAC, 0.3, 2.6), rel=1e-12
    )


def test_splitting_is_continuous_and_costs_coupling() -> None:
    exact = y_of(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0)
    assert y_of(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 1e-5) == pytest.approx(exact, rel=1e-3)
    split = [y_of(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, delta) for delta in (0.05, 0.1, 0.2, 0.4)]
    assert np.all(np.diff([exact, *split], axis=0) > 0.0)


def test_y_is_independent_of_alpha_d_at_large_ratio() -> None:
    assert y_of(DarkMatter.SCALAR, 0.5, 8.0) == pytest.approx(
        y_of(DarkMatter.SCALAR, 1e-3, 8.0), rel=2e-3
    )


def test_y_tends_to_a_limit_at_large_ratio() -> None:
    # <sigma v> goes with y (1 + O(1/R^2)) once the propagator is 1/M^4
    large, larger = (y_of(DarkMatter.DIRAC, 0.1, ratio) for ratio in (20.0, 40.0))
    assert large == pytest.approx(larger, rel=0.03)


def test_target_gives_the_abundance_back() -> None:
    sector = DarkSector(DarkMatter.MAJORANA, 0.2, 2.4)
    for omega in (OMEGA_H2, 0.01):
        target = thermal_target(PORTAL, sector, MASSES, omega_h2=omega)
        again = relic_abundance(PORTAL, sector, MASSES, target.coupling)
        assert again == pytest.approx(omega, rel=1e-5)
        assert target.status == ("ok",) * MASSES.size
        assert target.y == pytest.approx(target.coupling**2 * 0.2 / 2.4**4)
        assert target.mediator_masses_gev == pytest.approx(2.4 * MASSES)
        assert target.parameter == "epsilon"


def test_masses_do_not_talk_to_each_other() -> None:
    sector = DarkSector(DarkMatter.SCALAR, 0.1, 2.5)
    many = np.geomspace(1e-3, 1.0, 60)
    together = thermal_target(PORTAL, sector, many).y
    for i in (0, 24, 25, 41, 59):
        # panels of the quadrature differ, but not what they integrate
        assert thermal_target(PORTAL, sector, many[i]).y[0] == pytest.approx(together[i], rel=2e-5)
    shuffled = np.random.default_rng(1).permutation(many.size)
    assert thermal_target(PORTAL, sector, many[shuffled]).y == pytest.approx(
        together[shuffled], rel=2e-5
    )


@settings(max_examples=200, deadline=None)
@given(
    mass=st.floats(min_value=2e-3, max_value=1.0),
    ratio=st.floats(min_value=2.05, max_value=12.0),
    log_alpha=st.floats(min_value=-4.0, max_value=0.3),
    species=st.sampled_from([DarkMatter.SCALAR, DarkMatter.MAJORANA, DarkMatter.DIRAC]),
)
def test_abundance_falls_with_the_coupling(
    mass: float, ratio: float, log_alpha: float, species: DarkMatter
) -> None:
    sector = DarkSector(species, 10.0**log_alpha, ratio)
    couplings = np.geomspace(1e-6, 1e-2, 5)
    omega = relic_abundance(PORTAL, sector, np.full(5, mass), couplings)
    assert np.all(np.isfinite(omega))
    assert np.all(omega > 0.0)
    assert np.all(np.diff(omega) < 0.0)


def test_thermal_average_at_low_velocity() -> None:
    # <sigma v> = sigma_0 x^-n for x >> 1, far from pole and thresholds
    masses = np.array([0.02])
    for species, alpha_d in (
        (DarkMatter.SCALAR, 0.1),
        (DarkMatter.MAJORANA, 0.3),
        (DarkMatter.DIRAC, 0.1),
    ):
        sector = DarkSector(species, alpha_d, 6.0)
        average = ThermalAverage(PORTAL, sector, masses)
        sigma_0 = 1e-6 * velocity_coefficient(PORTAL, sector, masses)
        expected = sigma_0 * X_MAX ** -partial_wave(sector)
        assert average(X_MAX, 1e-3)[0] == pytest.approx(expected, rel=0.01)


def test_thermal_average_of_dirac_in_closed_form() -> None:
    # light electrons, heavy mediator: sigma = 4 pi alpha alpha_D eps^2 (s + 2 m^2)/(3 beta M^4),
    # averaged with the textbook formula for one species
    mass, ratio, alpha_d, epsilon = 0.05, 1000.0, 0.1, 1e-3
    sector = DarkSector(DarkMatter.DIRAC, alpha_d, ratio)
    x = np.array([X_MIN, 15.0, 40.0])
    average = ThermalAverage(PORTAL, sector, np.array([mass]))(x, epsilon)[:, 0]
    nodes = np.linspace(2.0 * mass * (1 + 1e-12), 2.0 * mass + 40.0 * mass / X_MIN, 200_001)
    s = nodes**2
    beta = np.sqrt(1.0 - 4.0 * mass**2 / s)
    sigma = (
        4.0
        * math.pi
        * ALPHA
        * alpha_d
        * epsilon**2
        / 3.0
        * (s + 2.0 * mass**2)
        / (beta * (ratio * mass) ** 4)
    )
    for value, point in zip(average, x, strict=True):
        weight = sigma * (s - 4.0 * mass**2) * nodes * kv(1, nodes * point / mass)
        integral = trapezoid(weight * 2.0 * nodes, nodes)
        gondolo = integral * point / (8.0 * mass**5 * kv(2, point) ** 2)
        assert value == pytest.approx(0.5 * gondolo, rel=2e-3)


def test_equilibrium_moment_counts_states() -> None:
    x = np.array([10.0, 30.0])
    plain = 2.0 * kv(2, x) * np.exp(x)
    assert equilibrium_moment(x, DarkSector(DarkMatter.SCALAR)) == pytest.approx(plain)
    assert equilibrium_moment(x, DarkSector(DarkMatter.DIRAC)) == pytest.approx(2.0 * plain)
    split = equilibrium_moment(x, DarkSector(DarkMatter.PSEUDO_DIRAC, splitting=0.5))
    assert split == pytest.approx(plain + 2.0 * 1.5**2 * kv(2, 1.5 * x) * np.exp(x))


def test_forbidden_annihilation() -> None:
    # below the electron mass electrons must come from the tail of the bath: steeply more coupling
    sector = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)
    target = thermal_target(PORTAL, sector, [1e-4, 4.0e-4, 4.5e-4, 5.2e-4])
    assert target.status == ("no-solution", "ok", "ok", "ok")
    assert math.isinf(target.coupling[0])
    assert math.isinf(target.y[0])
    assert target.y[1] > 5.0 * target.y[2] > 25.0 * target.y[3]


def test_a_portal_is_its_widths() -> None:
    portal = NeutrinoPortal()
    assert isinstance(portal, Mediator)
    sector = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)
    target = thermal_target(portal, sector, MASSES)
    assert target.parameter == "g"
    # width M/(8 pi) against alpha M/3 (and more above the muon): the sigma per coupling^2
    electron = thermal_target(PORTAL, sector, MASSES[:1])
    widths = visible_width_gev(portal, MASSES[:1]) / visible_width_gev(PORTAL, 2.0 * MASSES[:1])
    assert target.coupling[0] == pytest.approx(
        electron.coupling[0] / math.sqrt(2.0 * widths[0]), rel=0.02
    )
    # no threshold: g^2 alpha_D ~ m^2 up to logarithms and g_*, also below the electron mass
    light = thermal_target(portal, sector, [1e-4, 1e-3])
    assert light.coupling[1] / light.coupling[0] == pytest.approx(10.0, rel=0.15)


def test_gauge_bosons() -> None:
    # between 2 m_e and 2 m_mu, in units of the width to e e: two left-handed neutrinos, 1/2 each
    # (L_mu - L_tau); e e and three Dirac neutrinos (B-L)
    masses = np.array([0.005, 0.02])
    sector = DarkSector(DarkMatter.SCALAR, 0.1, 3.0)
    dark_photon_charge = thermal_target(PORTAL, sector, masses).coupling * ELEMENTARY_CHARGE
    tau = thermal_target(mediator("l-mu-l-tau"), sector, masses).coupling
    assert tau == pytest.approx(dark_photon_charge, rel=0.02)
    b_minus_l = thermal_target(mediator("b-minus-l"), sector, masses).coupling
    assert b_minus_l == pytest.approx(dark_photon_charge / 2.0, rel=0.02)
    # against leptons alone (e, mu: 2; with three Dirac neutrinos 5) B-L gains the omega, and that
    # only just below the mass at which pairs are at rest on it
    off, on = (
        thermal_target(mediator("b-minus-l"), sector, m).coupling[0]
        / thermal_target(mediator("vector"), sector, m).coupling[0]
        for m in (0.32, 0.38)
    )
    assert off == pytest.approx(math.sqrt(2.0 / 5.0), rel=0.03)
    assert on < 0.65 * off
    with pytest.raises(InputError, match="heavy neutrinos"):
        thermal_target(mediator("b-minus-l-heavy-neutrinos"), sector, masses)


def test_two_grids_extrapolate_to_one_that_is_eight_times_as_fine(monkeypatch) -> None:
    sector = DarkSector(DarkMatter.DIRAC, 1e-2, 2.2)
    average = ThermalAverage(PORTAL, sector, MASSES)
    coupling = np.full(MASSES.size, 1e-4)
    usual = FreezeOut(average, sector)
    precise, coarse = (usual.log_omega(coupling, precise=on) for on in (True, False))
    monkeypatch.setattr(boltzmann, "_STEPS", 8 * boltzmann._STEPS)
    finest = FreezeOut(average, sector).log_omega(coupling, precise=False)
    # second order, and fourth: what is left is a hundredth of what was taken away
    assert np.all(np.abs(coarse - finest) > 1e-3)
    np.testing.assert_allclose(precise, finest, rtol=0.0, atol=1e-4)
    assert np.all(np.abs(precise - finest) < 0.03 * np.abs(coarse - finest))


def test_equilibrium_yield_late_is_that_of_maxwell_and_boltzmann() -> None:
    # n/s with n = g m^2 T K_2(x)/(2 pi^2) and s = 2 pi^2 g_* T^3/45
    x, mass = np.array([10.0, 30.0]), np.array([0.02, 0.4])
    temperature = mass / x[:, None]
    entropy = 2.0 * math.pi**2 / 45.0 * entropy_dof(temperature) * temperature**3
    for species, states in ((DarkMatter.SCALAR, 2.0), (DarkMatter.DIRAC, 4.0)):
        number = states * mass**2 * temperature * kv(2, x)[:, None] / (2.0 * math.pi**2)
        found = boltzmann.equilibrium_yield(x, mass, DarkSector(species, 0.1, 3.0))
        np.testing.assert_allclose(found, number / entropy, rtol=1e-12)


@pytest.mark.parametrize(("ratio", "ahead"), [(2.101, True), (2.106, False)])
def test_a_pole_is_ahead_of_the_sum_of_both_masses(ratio: float, ahead: bool) -> None:
    sector = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, ratio, 0.1)
    average = ThermalAverage(PORTAL, sector, MASSES)
    assert np.all(FreezeOut(average, sector)._pole_ahead == ahead)


def far_per_rate(sector: DarkSector) -> float:
    """Integral of q beyond X_MAX over q there, at a mass at which g_* does not fall any more."""
    mass, end = np.array([2e-3]), np.array([X_MAX])
    average = ThermalAverage(PORTAL, sector, mass)
    freeze = FreezeOut(average, sector)
    nodes = average.log_nodes(np.array([1e-4]))
    before = np.sum(freeze._tail_weights * freeze._tail_average(nodes), axis=0)
    rate = boltzmann._expansion(end, mass) * average.at(end)(nodes)
    return float((freeze._tail(nodes) - before)[0] / rate[0, 0])


@pytest.mark.parametrize("species", [DarkMatter.DIRAC, DarkMatter.SCALAR])
@pytest.mark.parametrize("above", [3e-4, 1e-3, 2e-3, 4e-3])
def test_late_annihilation_just_below_a_narrow_pole(species: DarkMatter, above: float) -> None:
    """<sigma v> goes with x^(3/2) exp(-u x/X), u = (R - 2) X, and q with x^(1/2) of it."""
    u = above * X_MAX
    # the incomplete gamma function of 1/2
    expected = math.exp(u) * math.sqrt(math.pi / u) * math.erfc(math.sqrt(u))
    # the width is 1e-5 to 1e-3 of R - 2, and there is what is no pole
    found = far_per_rate(DarkSector(species, 1e-4, 2.0 + above))
    assert found == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("alpha_d", "ratio"), [(1e-4, 2.04), (0.1, 8.0)])
def test_without_a_pole_ahead_late_annihilation_does_not_rise(alpha_d: float, ratio: float) -> None:
    # an interpolation that rings behind a narrow pole would say otherwise: x^3.5 at R = 2.04
    assert 0.0 < far_per_rate(DarkSector(DarkMatter.SCALAR, alpha_d, ratio)) <= 1.0  # q ~ 1/x
    # an s wave that has settled: the integral of 1/x from 1e3 to 1e6
    settled = far_per_rate(DarkSector(DarkMatter.DIRAC, 0.1, 8.0))
    assert settled == pytest.approx(0.999, abs=3e-4)


def test_analytic_formulae() -> None:
    masses = np.array([0.003, 0.01, 0.03])
    for species, rule in (
        (DarkMatter.SCALAR, 1.0e-11),
        (DarkMatter.MAJORANA, 0.5e-11),
        (DarkMatter.DIRAC, 0.4e-12),
    ):
        sector = DarkSector(species, 0.1, 3.0)
        analytic = thermal_target(PORTAL, sector, masses, method="analytic")
        numeric = thermal_target(PORTAL, sector, masses)
        # rules of thumb for eps^2 alpha_D/(m/MeV)^2 at m_A' = 3 m_chi (arXiv:2003.07257, good
        # to 30 %): the rules include neither muons nor the logarithm of x_f
        assert numeric.coupling**2 * 0.1 / (1e3 * masses) ** 2 == pytest.approx(rule, rel=0.35)
        # the velocity expansion misses the rise towards the pole: up to 50 % in the p wave
        assert analytic.y == pytest.approx(numeric.y, rel=0.55)
        assert np.all(analytic.y > numeric.y)
        # without a pole nearby it is good
        far = DarkSector(species, 0.1, 10.0)
        expected = thermal_target(PORTAL, far, masses).y
        assert thermal_target(PORTAL, far, masses, method="analytic").y == pytest.approx(
            expected, rel=0.25
        )


def test_analytic_inverse() -> None:
    sector = DarkSector(DarkMatter.SCALAR, 0.1, 3.0)
    coupling = analytic_target(PORTAL, sector, MASSES, 0.12)
    omega = relic_abundance(PORTAL, sector, MASSES, coupling, method="analytic")
    assert omega == pytest.approx(0.12, rel=1e-6)
    assert np.all(np.isinf(analytic_target(PORTAL, sector, np.array([3e-4]), 0.12)))
    with pytest.raises(InputError, match="closed"):
        relic_abundance(PORTAL, sector, 3e-4, 1e-3, method="analytic")


def test_notes() -> None:
    assert validity_notes(DarkSector(DarkMatter.SCALAR, 0.1, 2.3)) == ()
    target = thermal_target(PORTAL, DarkSector(DarkMatter.SCALAR, 0.1, 2.2), 0.01)
    assert len(target.notes) == 1
    assert "2.2" in target.notes[0]
    assert "decouple kinetically" in target.notes[0]


def test_the_note_on_decoupling_has_a_size() -> None:
    # narrow and close to the pole: factors (arXiv:1706.07433); wide: tens of per cent
    sizes = []
    for alpha_d in (0.1, 1e-3):
        sector = DarkSector(DarkMatter.SCALAR, alpha_d, 2.1)
        (note,) = validity_notes(sector, PORTAL, [0.01])
        found = re.search(r"is about ([0-9.]+) times", note)
        assert found is not None
        sizes.append(float(found[1]))
    assert 1.05 < sizes[0] < 1.5
    assert 2.0 < sizes[1] < 5.0
    # where it is no longer below the old limit but still matters, and where it does not
    narrow = DarkSector(DarkMatter.SCALAR, 1e-3, 2.4)
    assert "close to 2" in validity_notes(narrow, PORTAL, [0.005])[0]
    assert validity_notes(DarkSector(DarkMatter.SCALAR, 0.1, 2.4), PORTAL, [0.1]) == ()


def test_the_z_ends_the_range_of_kinetic_mixing() -> None:
    sector = DarkSector(DarkMatter.DIRAC, 0.1, 3.5)
    assert thermal_target(PORTAL, sector, 8.0).notes == ()
    assert "mixes with the Z" in thermal_target(PORTAL, sector, 9.0).notes[0]
    far = DarkSector(DarkMatter.DIRAC, 0.1, 8.0)
    assert mass_range_gev(PORTAL, far) == (MASS_RANGE_GEV[0], 7.5)
    with pytest.raises(InputError, match=r"0\.0001-7\.5 GeV .*the Z"):
        thermal_target(PORTAL, far, 7.6)
    other = mediator("b-minus-l")
    assert mass_range_gev(other, far) == MASS_RANGE_GEV
    assert math.isfinite(thermal_target(other, far, 7.6).coupling[0])


@pytest.mark.parametrize(
    ("portal", "mass", "noted"),
    [
        (mediator("l-mu-l-tau"), 0.003, True),
        (mediator("b-minus-l"), 0.003, True),
        (
            VectorMediator(
                "mine", "g", {"mu": 1.0, "nu_mu": 1.0}, neutrinos=NeutrinoType.LEFT_HANDED
            ),
            0.003,
            True,
        ),
        (NeutrinoPortal(), 0.003, True),
        (mediator("l-mu-l-tau"), 0.03, False),
        (PORTAL, 0.003, False),
    ],
)
def test_light_dark_matter_follows_the_neutrinos_it_annihilates_to(portal, mass, noted) -> None:
    notes = validity_notes(DarkSector(DarkMatter.SCALAR), portal, [mass, 0.1])
    assert len(notes) == noted
    if noted:
        assert "neutrinos" in notes[0]
        assert portal.name in notes[0]


@pytest.mark.parametrize("ratio", [2.0, 1.5, 0.0, -3.0, math.nan, math.inf])
def test_closed_decay_is_refused(ratio: float) -> None:
    with pytest.raises(InputError, match="mass ratio"):
        DarkSector(DarkMatter.SCALAR, 0.1, ratio)


@pytest.mark.parametrize("alpha_d", [0.0, -0.1, 4.0 * math.pi, 100.0, math.nan])
def test_alpha_d_is_refused(alpha_d: float) -> None:
    with pytest.raises(InputError, match="alpha_D"):
        DarkSector(DarkMatter.SCALAR, alpha_d, 3.0)


@pytest.mark.parametrize(
    "mass", [0.99 * MASS_RANGE_GEV[0], 1.01 * MASS_RANGE_GEV[1], 0.0, -1.0, math.nan, math.inf]
)
def test_mass_is_refused(mass: float) -> None:
    sector = DarkSector(DarkMatter.SCALAR, 0.1, 3.0)
    with pytest.raises(InputError, match=r"0\.0001-10 GeV"):
        thermal_target(PORTAL, sector, [0.1, mass])
    with pytest.raises(InputError, match=r"0\.0001-10 GeV"):
        relic_abundance(PORTAL, sector, mass, 1e-4)


def test_other_bad_input() -> None:
    sector = DarkSector(DarkMatter.SCALAR, 0.1, 3.0)
    with pytest.raises(InputError, match="did you mean 'dark-photon'"):
        mediator("dark-foton")
    with pytest.raises(InputError, match="did you mean 'majorana'"):
        dark_matter("mayorana")
    with pytest.raises(InputError, match="scalar-portal is scalar"):
        thermal_target(ScalarPortal(), sector, 0.1)
    with pytest.raises(InputError, match="unknown relic method 'exact'"):
        thermal_target(PORTAL, sector, 0.1, method="exact")
    for omega in (0.0, -0.12, math.nan, math.inf):
        with pytest.raises(InputError, match="abundance must be positive"):
            thermal_target(PORTAL, sector, 0.1, omega_h2=omega)
    for coupling in (0.0, -1e-4, 1.5, math.nan):
        with pytest.raises(InputError, match="coupling must be"):
            relic_abundance(PORTAL, sector, 0.1, coupling)
    with pytest.raises(InputError, match="one number, or one per mass"):
        relic_abundance(PORTAL, sector, [0.1, 0.2], [1e-4, 1e-4, 1e-4])
    for masses in ([], [[0.1]]):
        with pytest.raises(InputError, match="a number or a list"):
            thermal_target(PORTAL, sector, masses)
