"""Shells of atoms against total energies, Compton profiles and the wave functions themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad, trapezoid
from scipy.special import spherical_jn

from na64.models.constants import ALPHA
from na64.models.errors import InputError
from na64.models.shells import atomic_shells, momentum_density


def kinetic_energy_hartree(z: int) -> float:
    return sum(0.5 * s.electrons * (s.momentum / ALPHA) ** 2 for s in atomic_shells(z))


def compton_profile(z: int, momentum: float) -> float:
    """J(p) = 2 pi int_p dk k n(k) of an atom, p and 1/J in atomic units."""
    k = np.geomspace(max(ALPHA * momentum, 1e-6), 1e3, 4000)
    density = sum(s.electrons * momentum_density(s.momentum, k) for s in atomic_shells(z))
    return float(2.0 * np.pi * trapezoid(k**2 * density, np.log(k)) * ALPHA)


def test_every_electron_has_its_shell() -> None:
    for z in range(1, 119):
        shells = atomic_shells(z)
        assert sum(s.electrons for s in shells) == z
        assert all(0.0 < s.momentum < 1.0 for s in shells)
    lead = [(s.n, s.letters, s.electrons) for s in atomic_shells(82)]
    assert lead == [
        (1, "sp", 2),
        (2, "sp", 8),
        (3, "sp", 8),
        (3, "d", 10),
        (4, "sp", 8),
        (4, "d", 10),
        (4, "f", 14),
        (5, "sp", 8),
        (5, "d", 10),
        (6, "sp", 4),
    ]
    # Slater's own example, iron: Z - s = 25.70, 21.85, 14.75, 6.25, 3.75
    charges = [
        s.momentum / ALPHA * n for s, n in zip(atomic_shells(26), (1, 2, 3, 3, 3.7), strict=True)
    ]
    assert charges == pytest.approx([25.70, 21.85, 14.75, 6.25, 3.75])


@pytest.mark.parametrize("z", [0, 119])
def test_other_atoms_are_refused(z: int) -> None:
    with pytest.raises(InputError, match="Z from 1 to 118"):
        atomic_shells(z)


def test_kinetic_energy_is_the_binding_energy() -> None:
    # Hartree-Fock, in hartree: Bunge, Barrientos and Bunge, At. Data Nucl. Data Tables 53, 113
    # (1993). Slater made his rules from data of light atoms: 2.5 %
    for z, binding in ((1, 0.5), (6, 37.689), (8, 74.809), (26, 1262.44), (54, 7232.14)):
        assert kinetic_energy_hartree(z) == pytest.approx(binding, rel=0.025)
    # beyond their tables the statistical atom of Schwinger, Phys. Rev. A 24, 2353 (1981), which is
    # within 0.2 % of them for xenon
    for z in (74, 82, 92):
        binding = 0.768745 * z ** (7 / 3) - 0.5 * z**2 + 0.2699 * z ** (5 / 3)
        assert kinetic_energy_hartree(z) == pytest.approx(binding, rel=0.025)


def test_hydrogen_is_exact() -> None:
    # |int d^3r psi exp(i k r)|^2 of psi = exp(-r)/sqrt(pi), and its profile 8/(3 pi (1 + p^2)^3)
    shell = atomic_shells(1)[0]
    for p in (0.1, 1.0, 4.0):
        radial, _ = quad(lambda r, p=p: r**2 * spherical_jn(0, p * r) * np.exp(-r), 0.0, 60.0)
        wave = 4.0 * np.pi * radial / np.sqrt(np.pi) / (2.0 * np.pi) ** 1.5
        found = momentum_density(shell.momentum, p * ALPHA) * ALPHA**3
        assert found == pytest.approx(wave**2, rel=1e-3)  # relativity: alpha^2 p
        profile = 8.0 / (3.0 * np.pi * (1.0 + p**2) ** 3)
        assert compton_profile(1, p) == pytest.approx(profile, rel=1e-3)


@pytest.mark.parametrize("q", [ALPHA, 0.3, 0.6])
def test_state_of_the_dirac_equation(q: float) -> None:
    k = np.geomspace(1e-6 * q, 1e5, 20001)
    weight = 4.0 * np.pi * k**3 * momentum_density(q, k)
    assert trapezoid(weight, np.log(k)) == pytest.approx(1.0, abs=1e-6)
    # the transforms of the radial functions, by quadrature
    power = np.sqrt(1.0 - q**2)
    small = (1.0 - power) / (1.0 + power)

    def radial(r: float) -> float:
        return float(r ** (power - 1.0) * np.exp(-q * r))

    def transform(n: int, momentum: float) -> float:
        def integrand(r: float) -> float:
            return float(r**2 * radial(r) * spherical_jn(n, momentum * r))

        return float(quad(integrand, 0.0, 50.0 / q, limit=400)[0])

    norm, _ = quad(lambda r: r**2 * radial(r) ** 2, 0.0, 50.0 / q)
    for momentum in (0.2 * q, q, 3.0 * q):
        even, odd = (transform(n, momentum) for n in (0, 1))
        expected = (even**2 + small * odd**2) / (2.0 * np.pi**2 * (1.0 + small) * norm)
        assert momentum_density(q, momentum) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("z", "inner", "outer", "points"),
    [
        (82, 0.10, 0.16, {0: 11.3, 1: 7.21, 4: 2.84, 10: 0.91, 20: 0.25, 40: 0.046, 100: 0.0032}),
        (26, 0.10, 0.10, {1: 3.50, 4: 0.738, 10: 0.150, 20: 0.025, 30: 0.0063}),
        (6, 0.25, 0.10, {1: 0.881, 2: 0.286, 4: 0.0976, 10: 0.0046}),
    ],
)
def test_compton_profiles(z: int, inner: float, outer: float, points: dict[int, float]) -> None:
    """Biggs, Mendelsohn and Mann, At. Data Nucl. Data Tables 16, 201 (1975), in atomic units.

    They are Hartree-Fock profiles, relativistic in lead. Electrons of the valence (p below 4) have
    nodes and no spherical mean of a whole shell; in the tail of lead the L and M shells have
    states of j = 1/2 only that reach the nucleus, where here all of a shell are alike.
    """
    for p, published in points.items():
        tolerance = outer if p >= 4 else inner
        assert compton_profile(z, p) == pytest.approx(published, rel=tolerance)
