"""Squared amplitudes: coefficients, symmetries, the average over the azimuth."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.kinds import EMITTED_KINDS, structure
from na64.models.mediators.protocol import MediatorKind
from na64.models.production.amplitudes import (
    Invariants,
    RecoilAngles,
    averaged_amplitude,
    squared_amplitude,
)

ELECTRON, MUON = 0.51099895e-3, 0.1056583755


@pytest.mark.parametrize("kind", EMITTED_KINDS)
@pytest.mark.parametrize("lepton_mass", [ELECTRON, MUON])
def test_average_is_the_mean_over_the_azimuth(kind: MediatorKind, lepton_mass: float) -> None:
    """The analytic average against a sum over phi, for any a, b, d0 (not only physical ones)."""
    rng = np.random.default_rng(7)
    phi = 2.0 * np.pi * (np.arange(400) + 0.5) / 400
    for _ in range(200):
        nucleus, energy, y = rng.uniform(10, 200), rng.uniform(1, 100), rng.uniform(0.01, 0.99)
        mass = 10.0 ** rng.uniform(-3, 0)
        u, t = 10.0 ** rng.uniform(-6, 0, 2)
        a = u / y + rng.uniform(0, 1) * t
        b = rng.uniform(0.0, 0.9) * a
        s = a + b * np.cos(phi)
        initial = 2.0 * nucleus * energy - (s + t) / 2.0
        final = 2.0 * nucleus * y * energy - (u + t) / 2.0
        point = Invariants(
            s=s,
            u=-u,
            t=t,
            source_dot_initial=initial,
            source_dot_final=final,
            source_squared=4.0 * nucleus**2 + t,
        )
        exact = squared_amplitude(structure(kind, mass, lepton_mass), mass, point)
        values = (np.array(v) for v in (energy, y, u, t, a, b, y * a - u))
        at = RecoilAngles(*values, nucleus)  # type: ignore[call-arg, arg-type]
        found = averaged_amplitude(structure(kind, mass, lepton_mass), np.array(mass), at)
        scale = np.abs(exact).mean()
        assert found * 8.0 * nucleus**2 == pytest.approx(exact.mean(), abs=1e-9 * scale)


def test_axial_is_a_vector_and_a_longitudinal_pseudoscalar() -> None:
    """For a massless lepton chirality makes axial and vector, scalar and pseudoscalar equal."""
    for mass in (0.01, 1.0):
        vector = structure(MediatorKind.VECTOR, mass, 0.0)
        axial = structure(MediatorKind.AXIAL, mass, 0.0)
        assert (vector.k, vector.l, vector.t, vector.shift) == (axial.k, axial.l, axial.t, 0.0)
        scalar = structure(MediatorKind.SCALAR, mass, 0.0)
        pseudoscalar = structure(MediatorKind.PSEUDOSCALAR, mass, 0.0)
        assert scalar == pseudoscalar
    light = structure(MediatorKind.AXIAL, 1e-4, ELECTRON)
    assert light.k == pytest.approx(4.0 * (ELECTRON / 1e-4) ** 2)


@pytest.mark.parametrize("kind", EMITTED_KINDS)
def test_crossing_symmetry(kind: MediatorKind) -> None:
    """Exchanging the leptons, p <-> -p', exchanges s and u and changes no amplitude."""
    one, other = (
        squared_amplitude(structure(kind, 0.4, 0.2), 0.4, at)
        for at in (
            Invariants(0.7, -0.2, 0.3, 3.0, 2.0, source_squared=5.0),
            Invariants(-0.2, 0.7, 0.3, -2.0, -3.0, source_squared=5.0),
        )
    )
    assert one == pytest.approx(other, rel=1e-13)


def test_photon_coupled_bosons_are_refused() -> None:
    with pytest.raises(InputError, match="do not emit a photon-coupled boson; allowed: vector"):
        structure(MediatorKind.PHOTON_COUPLED, 0.1, ELECTRON)
