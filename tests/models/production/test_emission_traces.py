"""Amplitudes of emission against traces of explicit 4x4 Dirac matrices.

Nothing here comes from the project but the functions under test: matrices, momenta, propagators
and polarisation sums are written out from the Feynman rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from na64.models.kinds import structure
from na64.models.mediators.protocol import MediatorKind
from na64.models.production.amplitudes import Invariants, averaged_amplitude, squared_amplitude
from na64.models.production.kinematics import EmissionKinematics, largest_u, smallest_u

Real = NDArray[np.floating]

KINDS = [
    MediatorKind.SCALAR,
    MediatorKind.PSEUDOSCALAR,
    MediatorKind.VECTOR,
    MediatorKind.AXIAL,
]
LEPTON_MASS = {"e": 0.51099895e-3, "mu": 0.1056583755}

# In the laboratory the trace cancels by many digits, so it is summed in a wider float.
WIDE = np.longdouble
COMPLEX = np.clongdouble
METRIC = np.diag([1.0, -1.0, -1.0, -1.0]).astype(WIDE)


def _dirac_matrices() -> tuple[list[NDArray[np.complexfloating]], NDArray[np.complexfloating]]:
    one = np.eye(2, dtype=COMPLEX)
    zero = np.zeros((2, 2), dtype=COMPLEX)
    sigma = [
        np.array([[0, 1], [1, 0]], dtype=COMPLEX),
        np.array([[0, -1j], [1j, 0]], dtype=COMPLEX),
        np.array([[1, 0], [0, -1]], dtype=COMPLEX),
    ]
    gamma = [np.block([[one, zero], [zero, -one]])]
    gamma += [np.block([[zero, s], [-s, zero]]) for s in sigma]
    return gamma, 1j * gamma[0] @ gamma[1] @ gamma[2] @ gamma[3]


GAMMA, GAMMA5 = _dirac_matrices()
UNIT = np.eye(4, dtype=COMPLEX)


def _dot(a: Real, b: Real) -> Any:
    return a @ METRIC @ b


def _slash(a: Real) -> NDArray[np.complexfloating]:
    lowered = METRIC @ a
    return np.asarray(np.einsum("i,ijk->jk", lowered, np.array(GAMMA)))


def _trace_amplitude(
    kind: MediatorKind, p: Real, k: Real, final: Real, source: Real, m: float, mass: float
) -> float:
    """Spin average of |ubar(p') [V S(p'+k) P + P S(p-k) V] u(p)|^2, photon and couplings off."""
    if kind is MediatorKind.SCALAR:
        vertices = [UNIT]
    elif kind is MediatorKind.PSEUDOSCALAR:
        vertices = [1j * GAMMA5]
    elif kind is MediatorKind.VECTOR:
        vertices = list(GAMMA)
    else:
        vertices = [g @ GAMMA5 for g in GAMMA]
    if len(vertices) == 1:
        polarisations = np.ones((1, 1), dtype=WIDE)
    else:
        lowered = METRIC @ k
        polarisations = -METRIC + np.outer(lowered, lowered) / WIDE(mass) ** 2
    m_wide = WIDE(m)
    s = _dot(final + k, final + k) - m_wide**2
    u = _dot(p - k, p - k) - m_wide**2
    lines = [
        v @ (_slash(final + k) + m_wide * UNIT) @ _slash(source) / s
        + _slash(source) @ (_slash(p - k) + m_wide * UNIT) @ v / u
        for v in vertices
    ]
    conjugates = [GAMMA[0] @ line.conj().T @ GAMMA[0] for line in lines]
    left, right = _slash(final) + m_wide * UNIT, _slash(p) + m_wide * UNIT
    total = COMPLEX(0.0)
    for i, line in enumerate(lines):
        for j, conjugate in enumerate(conjugates):
            if polarisations[i, j]:
                total += polarisations[i, j] * np.trace(left @ line @ right @ conjugate)
    return float(total.real / 2)


def _on_shell(momentum: Real, mass: float) -> Real:
    energy = np.sqrt(WIDE(mass) ** 2 + momentum @ momentum)
    return np.concatenate([[energy], momentum])


@pytest.mark.parametrize("lepton", ["e", "mu"])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_trace_at_random_points(kind: MediatorKind, lepton: str) -> None:
    rng = np.random.default_rng(20220)
    m = LEPTON_MASS[lepton]
    for _ in range(50):
        mass = m * 10.0 ** rng.uniform(-0.5, 1.0)
        scale = 3.0 * max(m, mass)
        p, k, final = (
            _on_shell(rng.normal(size=3).astype(WIDE) * scale, mu) for mu in (m, mass, m)
        )
        q = final + k - p
        source = rng.normal(size=4).astype(WIDE) * scale
        source = source - q * _dot(source, q) / _dot(q, q)
        expected = _trace_amplitude(kind, p, k, final, source, m, mass)
        at = Invariants(
            s=float(_dot(final + k, final + k) - WIDE(m) ** 2),
            u=float(_dot(p - k, p - k) - WIDE(m) ** 2),
            t=float(-_dot(q, q)),
            source_dot_initial=float(_dot(source, p)),
            source_dot_final=float(_dot(source, final)),
            source_squared=float(_dot(source, source)),
        )
        found = squared_amplitude(structure(kind, mass, m), mass, at)
        assert found == pytest.approx(expected, rel=1e-10)


def _laboratory_momenta(
    energy: float, y: float, u: float, t: float, phi: float, m: float, mass: float, nucleus: float
) -> tuple[Real, Real, Real, Real]:
    """p, k, p' and P = P_i + P_f in the frame of the nucleus, from the invariants."""
    e, m_, mass_, n = WIDE(energy), WIDE(m), WIDE(mass), WIDE(nucleus)
    boson = (1 - WIDE(y)) * e
    momentum, k_size = np.sqrt(e**2 - m_**2), np.sqrt(boson**2 - mass_**2)
    # -u = m^2 - (p - k)^2 fixes the angle
    cosine = (2 * e * boson - mass_**2 - WIDE(u)) / (2 * momentum * k_size)
    sine = np.sqrt((1 - cosine) * (1 + cosine))
    p = np.array([e, 0, 0, momentum])
    k = np.array([boson, k_size * sine, 0, k_size * cosine])
    rest = (p - k)[1:]
    size = np.sqrt(rest @ rest)
    q0 = -WIDE(t) / (2 * n)
    q_size = np.sqrt(q0**2 + WIDE(t))
    along = (-WIDE(u) - WIDE(t) + 2 * q0 * (e - boson)) / (2 * size)
    across = np.sqrt((q_size - along) * (q_size + along))
    axis = rest / size
    in_plane = np.array([axis[2], 0, -axis[0]])
    normal = np.array([0, 1, 0], dtype=WIDE)
    q = np.concatenate(
        [[q0], along * axis + across * (np.cos(WIDE(phi)) * in_plane + np.sin(WIDE(phi)) * normal)]
    )
    initial = np.array([n, 0, 0, 0], dtype=WIDE)
    return p, k, p + q - k, 2 * initial - q


LABORATORY = [
    # lepton, energy, mass, y, u/u0, where t lies between its limits (a fraction in ln t)
    ("e", 2.0, 0.05, 0.02, 1.5, 0.3),
    ("e", 20.0, 0.1, 0.01, 3.0, 0.5),
    ("e", 50.0, 1.0, 1e-3, 1.2, 0.2),
    ("e", 5.0, 0.002, 0.4, 2.0, 0.6),
    ("mu", 20.0, 0.01, 0.3, 2.0, 0.4),
    ("mu", 160.0, 1.0, 0.1, 1.3, 0.3),
    ("mu", 160.0, 0.1, 0.5, 5.0, 0.6),
]


@pytest.mark.skipif(bool(np.finfo(WIDE).eps > 1e-18), reason="no float wider than a double here")
@pytest.mark.parametrize(("lepton", "energy", "mass", "y", "stretch", "fraction"), LABORATORY)
@pytest.mark.parametrize("kind", KINDS)
def test_average_over_the_recoil_equals_the_trace(
    kind: MediatorKind,
    lepton: str,
    energy: float,
    mass: float,
    y: float,
    stretch: float,
    fraction: float,
) -> None:
    """Kinematics, azimuth and amplitude together, from four-momenta in the laboratory."""
    m, nucleus = LEPTON_MASS[lepton], 193.0
    e, big_m, yy = np.array(energy), np.array(mass), np.array(y)
    u0 = smallest_u(e, yy, big_m, m)
    u = stretch * u0
    assert u < largest_u(e, yy, m, nucleus)
    at = EmissionKinematics(e, big_m, m, nucleus, yy, u - u0, u)
    t_min, t_max = at.t_limits()
    t = t_min * (np.minimum(t_max, 1.0) / t_min) ** fraction
    found = averaged_amplitude(structure(kind, big_m, m), big_m, at.recoil(t, t_min, t_max))
    angles = np.pi * (np.arange(60) + 0.5) / 60  # the integrand is even in phi
    values = []
    for phi in angles:
        p, k, final, source = _laboratory_momenta(
            energy, y, float(u), float(t), float(phi), m, mass, nucleus
        )
        assert float(_dot(final, final)) == pytest.approx(m**2, rel=1e-3)
        values.append(_trace_amplitude(kind, p, k, final, source, m, mass))
    expected = np.mean(values) / (8.0 * nucleus**2)
    # Most points agree to 1e-12. The lightest vector is limited by the trace, whose terms k k/M^2
    # cancel by (E/m)^2 (E/M)^2: the wide float keeps seven digits.
    assert found == pytest.approx(expected, rel=1e-7)
