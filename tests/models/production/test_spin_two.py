"""The boson of spin 2 off photons: traces, conservation, crossing, limits, published numbers.

Nothing in the traces comes from the project: vertices are written out from the stress tensors of a
Dirac particle and of the photon.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from na64.models.constants import ALPHA
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.production.emission import emission_cross_section
from na64.models.production.process import Emission, best_approximation
from na64.models.production.spin_two import compton_amplitude

WIDE, COMPLEX = np.longdouble, np.clongdouble
METRIC = np.diag([1.0, -1.0, -1.0, -1.0]).astype(WIDE)
LEPTON_MASS = {"e": 0.51099895e-3, "mu": 0.1056583755}
LEAD = material("lead").number_densities_cm3[0][0]

Momenta = tuple[Any, Any, Any, Any]


def _dirac_matrices() -> NDArray[np.complexfloating]:
    zero = np.zeros((2, 2))
    sigma = [np.array(s) for s in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    time = np.diag([1.0, 1.0, -1.0, -1.0]).astype(complex)
    return np.array([time, *(np.block([[zero, s], [-s, zero]]) for s in sigma)]).astype(COMPLEX)


GAMMA = _dirac_matrices()
UNIT = np.eye(4, dtype=COMPLEX)


def slash(a: Any) -> Any:
    return np.einsum("m,mn,nij->ij", a, METRIC, GAMMA)


def dot(a: Any, b: Any) -> Any:
    return a @ METRIC @ b


def of_fermion(before: Any, after: Any, m: Any) -> Any:
    """T^{mu nu} between two momenta of a Dirac particle, off the mass shell too."""
    half = np.einsum("mij,n->mnij", GAMMA, before + after) / 4
    trace = np.einsum("mn,ij->mnij", METRIC, slash(before + after) / 2 - m * UNIT)
    return half + half.transpose(1, 0, 2, 3) - trace


def diagrams(momenta: Momenta, m: Any, photon: float = 1.0) -> Any:
    """M^{mu nu a} as a Dirac matrix at e = c/Lambda = 1; ``photon`` scales its coupling to G."""
    p, q, final, k = momenta
    s, u = (dot(a, a) - m**2 for a in (p + q, p - k))
    r = p - final
    before = np.einsum(
        "aij,jk,mnkl->mnail", GAMMA, slash(p - k) + m * UNIT, of_fermion(p, p - k, m)
    )
    after = np.einsum(
        "mnij,jk,akl->mnail", of_fermion(p + q, final, m), slash(p + q) + m * UNIT, GAMMA
    )
    contact = np.einsum("mij,na->mnaij", GAMMA, METRIC) / 2
    contact = contact + contact.transpose(1, 0, 2, 3, 4)
    contact = contact - np.einsum("mn,aij->mnaij", METRIC, GAMMA)
    # field strengths of the real photon, for each polarisation, and of the exchanged one
    real = np.einsum("m,la->mla", q, METRIC)
    real = real - real.transpose(1, 0, 2)
    other = np.einsum("m,lij->mlij", r, GAMMA)
    other = other - other.transpose(1, 0, 2, 3)
    both = np.einsum("mla,lb,nbij->mnaij", real, METRIC, other)
    square = np.einsum("mla,mb,lc,bcij->aij", real, METRIC, METRIC, other)
    exchange = both + both.transpose(1, 0, 2, 3, 4) - np.einsum("mn,aij->mnaij", METRIC, square) / 2
    return -after / s - before / u + contact + photon * exchange / dot(r, r)


def squared(momenta: Momenta, m: Any, mass: Any) -> float:
    """Spin average of the square, with the full sum over the five polarisations of G."""
    p, _, final, k = momenta
    amplitude = diagrams(momenta, m)
    bar = np.einsum("ij,mnakj,kl->mnail", GAMMA[0], amplitude.conj(), GAMMA[0])
    line = np.einsum("ij,mnajk,kl->mnail", slash(final) + m * UNIT, amplitude, slash(p) + m * UNIT)
    lowered = METRIC @ k
    project = METRIC - np.outer(lowered, lowered) / mass**2
    turned = np.einsum("ma,nb,abcij->mncij", project, project, bar)
    turned = (turned + turned.transpose(1, 0, 2, 3, 4)) / 2
    total = np.einsum("mnaij,mnbji,ab->", line, turned, -METRIC)
    traces = (np.einsum("mnaij,mn->aij", x, project) for x in (line, bar))
    total -= np.einsum("aij,bji,ab->", *traces, -METRIC) / 3
    return float(total.real / 4)


def scattering(rng: np.random.Generator, m: float, mass: float) -> Momenta:
    """Momenta p, q, p', k of a random l gamma -> l G above its threshold."""
    scale = 3.0 * max(m, mass)

    def shell(momentum: Any, mu: float) -> Any:
        return np.concatenate([[np.sqrt(WIDE(mu) ** 2 + momentum @ momentum)], momentum])

    while True:
        p, q = (shell(rng.normal(size=3).astype(WIDE) * scale, mu) for mu in (m, 0.0))
        total = p + q
        s = dot(total, total)
        if s > (m + mass) ** 2:
            break
    root = np.sqrt(s)
    size = np.sqrt((s - WIDE(m + mass) ** 2) * (s - WIDE(m - mass) ** 2)) / (2 * root)
    axis = rng.normal(size=3).astype(WIDE)
    axis *= size / np.sqrt(axis @ axis)
    velocity = total[1:] / total[0]
    boost = total[0] / root

    def laboratory(at_rest: Any) -> Any:
        along = velocity @ at_rest[1:]
        shift = (boost - 1) * along / (velocity @ velocity) + boost * at_rest[0]
        return np.concatenate([[boost * (at_rest[0] + along)], at_rest[1:] + shift * velocity])

    return p, q, laboratory(shell(-axis, m)), laboratory(shell(axis, mass))


def invariants(momenta: Momenta, m: float) -> tuple[Any, Any, Any]:
    p, q, final, k = momenta
    s, u, t = (dot(a, a) for a in (p + q, p - k, p - final))
    return s - WIDE(m) ** 2, u - WIDE(m) ** 2, t


@pytest.mark.parametrize("lepton", ["e", "mu"])
def test_equals_the_trace_at_random_points(lepton: str) -> None:
    rng = np.random.default_rng(20150)
    m = LEPTON_MASS[lepton]
    for _ in range(40):
        mass = m * 10.0 ** rng.uniform(-0.5, 1.0)
        momenta = scattering(rng, m, mass)
        expected = squared(momenta, WIDE(m), WIDE(mass))
        s, u, t = invariants(momenta, m)
        assert float(s + u + t) == pytest.approx(mass**2)
        found = compton_amplitude(s, u, t, WIDE(mass) ** 2, WIDE(m) ** 2)  # type: ignore[arg-type]
        assert float(found) == pytest.approx(expected, rel=1e-10)
        assert found > 0.0


def test_the_source_is_conserved_for_one_coupling_only() -> None:
    """q_a M^{mu nu a} = 0 = k_mu M^{mu nu a} e_a: the second fails unless photons couple alike."""
    rng = np.random.default_rng(3)
    m, mass = 0.3, 0.7
    momenta = scattering(rng, m, mass)
    p, q, final, k = momenta
    polarisation = rng.normal(size=4).astype(WIDE)
    polarisation[0] = polarisation[1:] @ q[1:] / q[0]

    def between(photon: float) -> Any:
        amplitude = diagrams(momenta, WIDE(m), photon)
        wave = (slash(final) + m * UNIT, amplitude, slash(p) + m * UNIT)
        matrix = np.einsum("ij,mnajk,kl->mnail", *wave)
        return matrix / np.abs(matrix).max()

    def divergence(matrix: Any) -> float:
        value = np.einsum("mnaij,m,a->nij", matrix, METRIC @ k, METRIC @ polarisation)
        return float(np.abs(value).max())

    gauge = np.einsum("mnaij,a->mnij", between(1.0), METRIC @ q)
    assert np.abs(gauge).max() < 1e-14
    assert divergence(between(1.0)) < 1e-14
    assert divergence(between(0.9)) > 1e-3
    assert divergence(between(0.0)) > 1e-2


def test_massless_limit_is_the_crossed_annihilation() -> None:
    """F_1(x, y) of f fbar -> gamma G, hep-ph/9811291: d sigma/dt = alpha F_1/(16 s M_P^2)."""
    for x, y in ((-0.3, 0.1), (-0.05, 0.8), (-0.6, 1e-3), (-0.2, 0.4)):
        f_1 = (
            -4.0 * x * (1.0 + x) * (1.0 + 2.0 * x + 2.0 * x**2)
            + y * (1.0 + 6.0 * x + 18.0 * x**2 + 16.0 * x**3)
            - 6.0 * y**2 * x * (1.0 + 2.0 * x)
            + y**3 * (1.0 + 4.0 * x)
        ) / (x * (y - 1.0 - x))
        # s of the annihilation is t here; one fermion is crossed
        t, u = np.array(x), np.array(y - 1.0 - x)
        crossed = -compton_amplitude(t, u, np.array(1.0), np.array(y), 0.0)
        assert float(crossed) == pytest.approx(f_1 / 4.0, rel=1e-12)


def test_crossing_the_leptons_exchanges_s_and_u() -> None:
    one, other = (
        compton_amplitude(np.array(s), np.array(u), np.array(-0.4), np.array(0.3), 0.04)
        for s, u in ((1.5, -0.8), (-0.8, 1.5))
    )
    assert one == pytest.approx(float(other), rel=1e-14)


@pytest.mark.parametrize("left", [0.1, 0.5, 0.9])
def test_a_quasi_real_photon_factorises(left: float) -> None:
    """Towards t = 0 the lepton is a flux of photons, (1 + (1-x)^2)/x, that meet and make G."""
    x, mass2, t = 1.0 - left, 0.25, -1e-9
    u = -mass2 * left / x
    found = compton_amplitude(np.array(mass2 - u), np.array(u), np.array(t), np.array(mass2), 0.0)
    assert float(found) == pytest.approx(mass2**2 * (1.0 + left**2) / (x * x * -t), rel=1e-6)


@pytest.mark.parametrize(
    ("energy", "mass", "t"),
    [(100.0, 0.1, 1e-2), (100.0, 0.1, 1e-8), (100.0, 1e-3, 1e-3), (100.0, 1e-3, 1e-6)],
)
def test_a_heavy_target_is_the_primakoff_process(energy: float, mass: float, t: float) -> None:
    """d sigma/dt = (alpha g^2/2) (t - t_min)/t^2, four times that of an axion-like particle.

    A nucleus that couples to G as all else does: also where t is far above M^2. What is left is
    of the order of t/E^2 and M^2/E^2.
    """
    nucleus = WIDE(193.0 * 1000)
    s = 2 * nucleus * WIDE(energy)
    u = WIDE(mass) ** 2 - s + WIDE(t)
    amplitude = compton_amplitude(s, u, WIDE(-t), WIDE(mass) ** 2, nucleus**2)  # type: ignore[arg-type]
    t_min = (mass**2 / (2.0 * energy)) ** 2
    found = float(amplitude) * 4.0 * np.pi * ALPHA / (16.0 * np.pi * float(s) ** 2)
    assert found == pytest.approx(0.5 * ALPHA * (t - t_min) / t**2, rel=3e-6)


# DMG4, the signal package of NA64 (arXiv:2101.12192): total cross-section in GeV^-2 at c/Lambda =
# 1/GeV for M = 17 MeV on lead, in its regression test of the class for spin 2: an independent
# integration of the amplitude of arXiv:2210.00751, in which the electron has no mass. Three digits.
DMG4 = {1.0: 10.4, 5.0: 24.8, 25.0: 46.7, 50.0: 58.4, 200.0: 85.7}


def dmg4_flux(t_min: Any) -> Any:
    """Photons of the approximate form factor of that code, whose pieces are integrated by hand."""
    z, a, m = 82, 207.0, LEPTON_MASS["e"]
    screen, size = (m * z ** (1.0 / 3.0) / 111.0) ** 2, 0.164 * a ** (-2.0 / 3.0)
    log = (screen + size + 2.0 * t_min) * np.log((size + t_min) / (screen + t_min))
    return (2.0 * (size - screen) - log) * z**2 * size**2 / (screen - size) ** 3


def dmg4_total(energy: float, mass: float) -> float:
    """Integral of its d^2 sigma/(dx d theta) at angles below 0.1, with our massless amplitude."""
    m = LEPTON_MASS["e"]
    points, weights = np.polynomial.legendre.leggauss(60)
    low, high = np.log(m / energy), np.log(energy / mass - 1.0)  # of y/x
    x = 1.0 / (1.0 + np.exp(low + (high - low) * 0.5 * (points[:, None] + 1.0)))
    y = 1.0 - x
    beta = np.sqrt(np.maximum(x**2 - (mass / energy) ** 2, 0.0))
    u0, soft = mass**2 * y / x + m**2 * x, m**2 * x
    span = np.log((energy**2 * x * 0.01 + soft) / soft)
    beyond = soft * np.exp(span * 0.5 * (points + 1.0))
    u = u0 + beyond - soft
    # s + u + t = M^2 as there, but for 1e-7 GeV^2 of the mass that it keeps in U
    amplitude = compton_amplitude(u / y, -u, mass**2 - u / y + u, np.array(mass**2), 0.0)
    flux = dmg4_flux((u / (2.0 * energy * y)) ** 2)
    inner = np.sum(0.5 * weights * span * beyond * flux * amplitude * (y / u) ** 2, axis=1)
    factor = ALPHA**2 / (4.0 * np.pi) * beta[:, 0] / (x * y)[:, 0]
    return float(np.sum(0.5 * weights * (high - low) * (x * y)[:, 0] * factor * inner))


def test_published_cross_sections() -> None:
    for energy, published in DMG4.items():
        # half a unit of the third digit
        assert dmg4_total(energy, 0.017) == pytest.approx(published, rel=5e-3)


def test_our_cross_sections_beside_the_published_ones() -> None:
    """The mass of the electron takes 9 % (1 GeV) to 5 %; the form factors add 4 to 17 %."""
    process = Emission("spin-2", "e", "ww", inelastic=False)
    ours = emission_cross_section(list(DMG4), 0.017, LEAD, process)[:, 0] / (4.0 * np.pi * ALPHA)
    np.testing.assert_allclose(ours / list(DMG4.values()), 1.0, atol=0.08)


def test_more_nodes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Emission("spin-2", "e", "ww")
    masses = [1e-6, 1e-3, 0.1, 1.0]
    usual = emission_cross_section(100.0, masses, LEAD, process, min_energy_gev=50.0)
    monkeypatch.setattr("na64.models.production.equivalent_photons._EXCHANGE_NODES", 80)
    monkeypatch.setattr("na64.models.production.equivalent_photons._FLUX_NODES", 64)
    finer = emission_cross_section(100.0, masses, LEAD, process, min_energy_gev=50.0, nodes=80)
    np.testing.assert_allclose(usual, finer, rtol=1e-4)
    # universal coupling: a limit for light bosons, and muons no worse than electrons
    assert 0.9 < usual[0, 0] / usual[0, 1] < 1.1


@pytest.mark.parametrize("approximation", ["etl", "iww"])
def test_other_approximations_are_refused(approximation: str) -> None:
    with pytest.raises(InputError, match=f"production {approximation} is not known .* choose ww"):
        Emission("spin-2", "e", approximation)
    assert best_approximation("spin-2") == "ww"
    assert best_approximation("vector") == "etl"
