"""R(s): peaks, integrals over the whole spectrum, other currents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from na64.models.constants import ALPHA, CHARGED_PION_MASS_GEV, MUON_MASS_GEV
from na64.models.decays.hadrons import (
    BARYON_NUMBER,
    ELECTROMAGNETIC,
    OMEGA_MASS_GEV,
    PHI_MASS_GEV,
    QUARKONIA,
    QuarkCharges,
    Quarkonium,
    pion_form_factor,
    r_ratio,
)

THRESHOLD_GEV = 2.0 * CHARGED_PION_MASS_GEV
M_Z_GEV = 91.1876

# sqrt(s) in GeV and R, three digits: compilation of the e+ e- data of the Particle Data Group as
# smoothed by Ilten, Soreq, Williams and Xue, arXiv:1801.04847
COMPILED = [
    (0.400, 0.193, 0.04),
    (0.500, 0.505, 0.04),
    (0.600, 1.34, 0.04),
    (0.650, 2.46, 0.04),
    (0.700, 4.93, 0.04),
    (0.740, 8.00, 0.04),
    (0.760, 9.15, 0.04),
    (0.7762, 13.0, 0.04),
    # in the fall of the omega a shift of 0.1 MeV moves R by 4 %
    (0.7798, 17.7, 0.06),
    (0.7852, 15.2, 0.06),
    (0.7943, 7.67, 0.04),
    (0.840, 3.73, 0.04),
    (0.900, 1.80, 0.04),
    (0.9397, 1.22, 0.04),
    # many channels: what compilations differ by
    (1.300, 1.32, 0.20),
    (1.400, 1.66, 0.20),
    (1.500, 2.24, 0.20),
    (1.600, 2.38, 0.10),
    (1.700, 2.59, 0.10),
    (2.000, 2.18, 0.10),
    (3.000, 2.18, 0.05),
]


def line(s: NDArray[np.float64], state: Quarkonium) -> NDArray[np.float64]:
    """R of a narrow resonance, and its reach."""
    damping = (state.mass_gev * state.width_gev) ** 2
    peak = 9.0 * state.to_electrons_gev * state.hadronic / (state.width_gev * ALPHA**2)
    near = np.abs(np.sqrt(s) - state.mass_gev) < 0.5
    return np.asarray(near * peak * damping / ((s - state.mass_gev**2) ** 2 + damping))


def smooth(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """R without the lines of psi and Upsilon, which a grid would miss."""
    return np.asarray(r_ratio(s) - sum(line(s, state) for state in QUARKONIA))


def kernel(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kernel of the muon's anomalous moment (Brodsky and de Rafael, PR 168, 1620)."""
    beta = np.sqrt(1.0 - 4.0 * MUON_MASS_GEV**2 / s)
    x = (1.0 - beta) / (1.0 + beta)
    return np.asarray(
        x**2 / 2.0 * (2.0 - x**2)
        + (1.0 + x**2) * (1.0 + x) ** 2 / x**2 * (np.log1p(x) - x + x**2 / 2.0)
        + (1.0 + x) / (1.0 - x) * x**2 * np.log(x)
    )


def integral(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], grid_gev: float
) -> float:
    """Trapezium in sqrt(s) from the pion threshold to 11.2 GeV of ``function(s)`` ds."""
    energy = np.arange(THRESHOLD_GEV + 1e-9, 11.2, grid_gev)
    return float(trapezoid(function(energy**2) * 2.0 * energy, energy))


@pytest.mark.parametrize(("energy", "expected", "tolerance"), COMPILED)
def test_against_compilation(energy: float, expected: float, tolerance: float) -> None:
    assert r_ratio(energy**2) == pytest.approx(expected, rel=tolerance)


def test_moment_of_the_muon() -> None:
    # a_mu(had, LO) below 11.2 GeV without psi and Upsilon: 692.8 - 2.1 - 7.9 = 682.8e-10
    # (Keshavarzi, Nomura and Teubner, arXiv:1911.00367, table I). The measurements of the pi pi
    # channel, 73 % of it, differ by 2-3 % among themselves (BaBar, used here, is above KLOE).
    value = ALPHA**2 / (3.0 * np.pi**2) * integral(lambda s: kernel(s) * smooth(s) / s, 1e-4)
    assert value == pytest.approx(682.8e-10, rel=0.02)


def test_moment_of_the_muon_from_rho_and_omega() -> None:
    energy = np.linspace(0.6, 0.9, 20001)
    s = energy**2
    moment = trapezoid(kernel(s) * r_ratio(s) / s * 2.0 * energy, energy)

    # BaBar pi pi, 376.7 +- 2.7 (quoted in arXiv:2302.08834), and the omega's 3 pi + pi0 gamma, 42
    assert ALPHA**2 / (3.0 * np.pi**2) * moment == pytest.approx(418e-10, rel=0.02)


def test_running_of_alpha() -> None:
    # Delta alpha_had(M_Z) = (276.1 +- 1.1)e-4 (arXiv:1911.00367), of which the psi and Upsilon
    # families contribute 11e-4; perturbative QCD carries a third of the sum.
    log_energy = np.linspace(np.log(THRESHOLD_GEV + 1e-9), np.log(5000.0), 400001)
    s, pole = np.exp(2.0 * log_energy), float(r_ratio(M_Z_GEV**2))
    # principal value: the pole is subtracted and integrated in closed form
    regular = trapezoid(2.0 * (smooth(s) - pole) / (s - M_Z_GEV**2), log_energy)
    closed = np.log(abs(1.0 - M_Z_GEV**2 / s[-1])) - np.log(abs(1.0 - M_Z_GEV**2 / s[0]))
    value = -ALPHA * M_Z_GEV**2 / (3.0 * np.pi) * (regular + pole / M_Z_GEV**2 * closed)
    assert value == pytest.approx(265e-4, rel=0.03)
    # the lines: 3 Gamma_ee B/(alpha M) each; ours are hadrons alone and dressed with the running
    # of alpha, each a few per cent
    lines = sum(3.0 * v.to_electrons_gev * v.hadronic / (ALPHA * v.mass_gev) for v in QUARKONIA)
    assert lines == pytest.approx(11e-4, rel=0.10)


def test_perturbative_limits() -> None:
    # sum of 3 Q^2, 2, 10/3 and 11/3, with alpha_s = 0.25, 0.18 and 0.15 (PDG: 1 + alpha_s/pi and
    # smaller terms); 1 % of R is 15 % of the correction
    for energy, quarks, alpha_s in ((3.3, 2.0, 0.25), (9.0, 10 / 3, 0.18), (25.0, 11 / 3, 0.145)):
        assert r_ratio(energy**2) == pytest.approx(quarks * (1.0 + alpha_s / np.pi), rel=0.015)
    # the step at the threshold of charm: resonances average to about one unit of R
    below, above = smooth(np.array([3.72, 3.74]) ** 2)
    assert above - below == pytest.approx(1.1, abs=0.3)


@pytest.mark.parametrize("state", QUARKONIA, ids=lambda state: state.name)
def test_narrow_resonances(state: Quarkonium) -> None:
    # integral of the cross-section 6 pi^2 Gamma_ee B_had/M^2, over that of muon pairs at M
    half, reach = 0.5 * state.width_gev, 0.03
    energy = state.mass_gev + half * np.sinh(
        np.linspace(-1.0, 1.0, 4001) * np.arcsinh(reach / half)
    )
    # the rest is a straight line over these 60 MeV, where no threshold is
    ends = smooth(energy[[0, -1]] ** 2)
    rest = ends[0] + (ends[1] - ends[0]) * (energy - energy[0]) / (energy[-1] - energy[0])
    rest = rest + sum(line(energy**2, other) for other in QUARKONIA if other is not state)
    expected = 9.0 * state.to_electrons_gev * state.hadronic / ALPHA**2 * np.arctan(reach / half)
    value = trapezoid(r_ratio(energy**2) - rest, energy)
    assert value == pytest.approx(expected, rel=2e-3)
    assert expected == pytest.approx(
        4.5 * np.pi * state.to_electrons_gev * state.hadronic / ALPHA**2, rel=5e-3
    )
    # a current without the quark, and one with half of its charge
    light = QuarkCharges(2 / 3, -1 / 3, -1 / 3, 0.0, 0.0)
    assert r_ratio(state.mass_gev**2, light) < 4.0
    halved = QuarkCharges(1 / 3, -1 / 6, -1 / 6, 1 / 3, -1 / 6)
    peak = r_ratio(state.mass_gev**2)
    assert r_ratio(state.mass_gev**2, halved) == pytest.approx(peak / 4.0)
    assert peak > 500.0


@pytest.mark.parametrize(
    ("mass", "width", "to_electrons", "hadronic", "charges"),
    [
        (OMEGA_MASS_GEV, 8.68e-3, 7.38e-5, 0.985, ELECTROMAGNETIC),
        (PHI_MASS_GEV, 4.249e-3, 2.979e-4, 1.0, ELECTROMAGNETIC),
    ],
)
def test_peak_cross_sections(
    mass: float, width: float, to_electrons: float, hadronic: float, charges: QuarkCharges
) -> None:
    # 12 pi B_ee B_had/M^2, on top of pi pi and the continuum
    point = 4.0 * np.pi * ALPHA**2 / (3.0 * mass**2)
    s = mass**2
    pions = 0.25 * (1.0 - THRESHOLD_GEV**2 / s) ** 1.5 * abs(pion_form_factor(s)) ** 2
    peak = (r_ratio(s, charges) - pions) * point
    expected = 12.0 * np.pi * to_electrons * hadronic / mass**2
    assert peak == pytest.approx(expected, rel=0.005)


def test_pion_form_factor_is_a_charge() -> None:
    # F(0) = 1; below threshold h(s) has another branch, so look just above
    assert abs(pion_form_factor(THRESHOLD_GEV**2 * 1.0001)) == pytest.approx(1.17, abs=0.05)
    # rho-omega interference: a drop by a fifth within 8 MeV, which a rho alone does not have
    high, low = np.abs(pion_form_factor(np.array([0.7775, 0.7875]) ** 2)) ** 2
    assert low / high < 0.72


def test_baryon_number_has_no_rho() -> None:
    s = np.array([0.70, 0.86]) ** 2
    assert np.all(r_ratio(s, BARYON_NUMBER) < 0.08 * r_ratio(s))
    assert BARYON_NUMBER.isovector == 0.0
    assert BARYON_NUMBER.isoscalar**2 == pytest.approx(4.0)
    assert BARYON_NUMBER.hidden_strange**2 == pytest.approx(1.0)
    # the omega's peak: four times 3 pi, pi0 gamma and pi pi
    expected = 4.0 * 9.0 * 7.38e-5 / ALPHA**2
    assert r_ratio(OMEGA_MASS_GEV**2, BARYON_NUMBER) == pytest.approx(expected, rel=0.01)
    # many hadrons: 3 sum Q^2 of three quarks, 1 instead of 2
    assert r_ratio(9.0, BARYON_NUMBER) / r_ratio(9.0) == pytest.approx(0.5, rel=0.01)


def test_thresholds_and_shape() -> None:
    assert r_ratio(0.10**2) == 0.0
    assert r_ratio(np.full((2, 3), 0.5)).shape == (2, 3)
    below, above = r_ratio(np.array([3.7, 5.0]) ** 2)
    assert above / below == pytest.approx(10.0 / 6.0, rel=0.1)  # charm adds 4/3 to 2


@settings(max_examples=200)
@given(
    energy=st.floats(min_value=0.14, max_value=20.0),
    scale=st.floats(min_value=-3.0, max_value=3.0),
)
def test_quadratic_in_the_charges(energy: float, scale: float) -> None:
    charges = QuarkCharges(scale * 2 / 3, -scale / 3, -scale / 3, scale * 2 / 3, -scale / 3)
    assert r_ratio(energy**2, charges) == pytest.approx(scale**2 * r_ratio(energy**2), rel=1e-9)
