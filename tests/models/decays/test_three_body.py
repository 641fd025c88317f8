"""Three-body decays of excited dark matter: full phase space against limits and direct numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad, trapezoid

from na64.models.constants import ALPHA, ELECTRON_MASS_GEV
from na64.models.decays.three_body import three_body_decay
from na64.models.errors import InputError
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon

ALPHA_D = 0.1


def limit(delta: float, mass: float) -> float:
    """4 eps^2 alpha alpha_D Delta^5/(15 pi M^4), for m_1 >> Delta >> m_e."""
    return 4.0 * ALPHA * ALPHA_D * delta**5 / (15.0 * np.pi * mass**4)


def benchmark(light: float) -> tuple[float, float, float]:
    """m_2, m_1 and M of the benchmark of arXiv:2107.02021: Delta = 0.4 m_1, M = 3 m_1."""
    return 1.4 * light, light, 3.0 * light


def test_limit_of_a_small_splitting() -> None:
    # corrections are -(3/2) Delta/m_1 and of order (m_e/Delta)^2 and (Delta/M)^2
    delta, light = 0.1, 30.0
    decay = three_body_decay(light + delta, light, 3.0 * light, ALPHA_D, dark_photon())
    assert decay.widths_gev["e e"][0] == pytest.approx(limit(delta, 3.0 * light), rel=0.01)


@pytest.mark.parametrize(
    ("light", "ratio", "tolerance"),
    [(0.1, 0.64, 0.01), (0.03, 0.63, 0.01), (0.01, 0.51, 0.01), (0.003, 0.011, 0.03)],
)
def test_full_width_of_the_benchmark(light: float, ratio: float, tolerance: float) -> None:
    # numbers to two digits, from an independent integration
    decay = three_body_decay(*benchmark(light), ALPHA_D, dark_photon())
    found = decay.widths_gev["e e"][0] / limit(0.4 * light, 3.0 * light)
    assert found == pytest.approx(ratio, rel=tolerance)


def test_dalitz_integral() -> None:
    # 1/2 sum |M|^2 = 16 G^2 [(p1.k)(p2.k') + (p1.k')(p2.k) - m1 m2 k.k'], G = g_D epsilon e/M^2, of
    # the contact interaction with massless electrons; dGamma = |M|^2 dq^2 dE_k/((2 pi)^3 16 m2^2)
    light, delta, mass = 1.0, 0.3, 300.0
    heavy = light + delta
    g2 = (4.0 * np.pi) ** 2 * ALPHA * ALPHA_D / mass**4
    cosines, weights = np.polynomial.legendre.leggauss(8)

    def at_pair_mass(q2: float) -> float:
        energy = (heavy**2 - light**2 + q2) / (2.0 * heavy)
        momentum = np.sqrt(energy**2 - q2)
        e1, e2 = 0.5 * (energy + momentum * cosines), 0.5 * (energy - momentum * cosines)
        p1k2 = 0.5 * (heavy**2 - light**2 - 2.0 * heavy * e1)
        p1k1 = 0.5 * (heavy**2 - light**2 - 2.0 * heavy * e2)
        bracket = heavy * e1 * p1k2 + heavy * e2 * p1k1 - light * heavy * q2 / 2.0
        integral = np.sum(weights * 16.0 * g2 * bracket) * momentum / 2.0
        return float(integral / ((2.0 * np.pi) ** 3 * 16.0 * heavy**2))

    direct = quad(at_pair_mass, 0.0, delta**2, epsrel=1e-10, epsabs=0.0)[0]
    decay = three_body_decay(heavy, light, mass, ALPHA_D, dark_photon())
    # what is left of the electron's mass is (m_e/Delta)^2
    assert decay.widths_gev["e e"][0] == pytest.approx(direct, rel=1e-4)


def test_heavier_pairs_open_where_they_may() -> None:
    closed = three_body_decay(*benchmark(0.3), ALPHA_D, dark_photon())
    assert closed.widths_gev["mu mu"][0] == 0.0
    assert closed.widths_gev["hadrons"][0] == 0.0
    open_ = three_body_decay(*benchmark(3.0), ALPHA_D, dark_photon())
    assert 0.5 < open_.widths_gev["mu mu"][0] / open_.widths_gev["e e"][0] < 1.0
    # the rho, between 2 m_pi and Delta = 1.2 GeV
    assert open_.widths_gev["hadrons"][0] > open_.widths_gev["mu mu"][0]
    assert open_.total_gev[0] == pytest.approx(sum(w[0] for w in open_.widths_gev.values()))


def test_visible_fraction() -> None:
    decay = three_body_decay(*benchmark(0.1), ALPHA_D, dark_photon())
    cuts = np.linspace(0.0, 1.0, 21)[None, :]
    fraction = decay.visible_fraction(cuts)[0]
    assert fraction[0] == pytest.approx(1.0, rel=1e-12)
    assert fraction[-1] == 0.0
    assert np.all(np.diff(fraction) <= 1e-12)
    # the mean of the visible energy over that of chi_2 is the mean of E/m_2 at rest
    q = decay.pair_masses_gev[0]
    energy = (0.14**2 - 0.1**2 + q**2) / (2.0 * 0.14**2)
    mean = np.sum(decay.pair_widths_gev[0] * energy) / decay.total_gev[0]
    fine = np.linspace(0.0, 1.0, 2001)
    integral = trapezoid(decay.visible_fraction(fine[None, :])[0], fine)
    assert integral == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize("delta", [1.99 * ELECTRON_MASS_GEV, 1e-4, -0.01])
def test_splitting_below_a_pair(delta: float) -> None:
    with pytest.raises(InputError, match="2 m_e"):
        three_body_decay(0.1 + delta, 0.1, 0.3, ALPHA_D, dark_photon())


def test_splitting_as_large_as_the_mediator() -> None:
    with pytest.raises(InputError, match="below the mass of the mediator"):
        three_body_decay(0.5, 0.1, 0.3, ALPHA_D, dark_photon())
    # exactly as large, in numbers without rounding
    with pytest.raises(InputError, match="below the mass of the mediator"):
        three_body_decay(0.5, 0.25, 0.25, ALPHA_D, dark_photon())


def test_vectors_only() -> None:
    with pytest.raises(InputError, match="vector mediator"):
        three_body_decay(0.14, 0.1, 0.3, ALPHA_D, mediator("pseudoscalar"))
