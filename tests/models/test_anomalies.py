"""Anomalous moments: analytic limits, a closed form, and the bands of the measurements."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from na64.models.anomalies import MEASUREMENTS, anomalous_moment, coupling_band
from na64.models.errors import InputError
from na64.models.mediators.protocol import MediatorKind

MUON = 0.1056583755
UNIT = 1.0 / (8.0 * np.pi**2)
S, P, V, A = (MediatorKind(k) for k in ("scalar", "pseudoscalar", "vector", "axial"))


# The eight limits: (kind, rho, leading term in units of g^2/8pi^2). The next terms are of relative
# size rho, rho^2 ln(rho) for light and ln(rho)/rho^2 for heavy bosons, below 1e-7 here.
@pytest.mark.parametrize(
    ("kind", "rho", "leading"),
    [
        (S, 1e-8, 1.5),
        (P, 1e-8, -0.5),
        (V, 1e-8, 1.0),
        (A, 1e-6, -2.0 / 1e-12),
        (S, 1e5, (2.0 * np.log(1e5) - 7.0 / 6.0) / 1e10),
        (P, 1e5, -(2.0 * np.log(1e5) - 11.0 / 6.0) / 1e10),
        (V, 1e5, 2.0 / 3.0 / 1e10),
        (A, 1e5, -10.0 / 3.0 / 1e10),
    ],
)
@pytest.mark.parametrize(("lepton", "mass"), [("e", 0.51099895e-3), ("mu", MUON)])
def test_limits(kind: MediatorKind, rho: float, leading: float, lepton: str, mass: float) -> None:
    assert anomalous_moment(kind, rho * mass, lepton) == pytest.approx(leading * UNIT, rel=1e-6)


def test_a_massless_vector_is_schwinger() -> None:
    """alpha/2pi for g = e."""
    charge = np.sqrt(4.0 * np.pi / 137.035999)
    assert anomalous_moment(V, 1e-12, "mu", charge) == pytest.approx(0.00116140973, rel=1e-7)


def _integrand(z: float, kind: MediatorKind, rho: float) -> float:
    if kind is S:
        weight = (1 - z) ** 2 * (1 + z)
    elif kind is P:
        weight = -((1 - z) ** 3)
    elif kind is V:
        weight = 2 * z * (1 - z) ** 2
    else:
        weight = -(2 * z * (1 - z) * (z + 3) + 4 * (1 - z) ** 3 / rho**2)
    return weight / ((1 - z) ** 2 + rho**2 * z)


@settings(max_examples=200, deadline=None)
@given(rho=st.floats(-2.0, 2.0).map(lambda p: 10.0**p), kind=st.sampled_from([S, P, V, A]))
def test_equals_adaptive_quadrature(rho: float, kind: MediatorKind) -> None:
    edges = sorted({0.0, min(0.5, 1.0 / rho**2), max(0.5, 1.0 - rho), 1.0})
    value = sum(
        quad(_integrand, a, b, args=(kind, rho), epsabs=0.0, epsrel=1e-10)[0]
        for a, b in pairwise(edges)
    )
    assert anomalous_moment(kind, rho * MUON, "mu") == pytest.approx(value * UNIT, rel=1e-8)


def test_shapes_and_scaling() -> None:
    masses = np.array([[0.01, 0.1, 1.0]])
    moments = anomalous_moment(V, masses, "mu", np.array([[1e-3], [2e-3]]))
    assert moments.shape == (2, 3)
    assert moments[1] == pytest.approx(4.0 * moments[0], rel=1e-13)


def test_muon_band_of_2021_for_a_light_vector() -> None:
    """g^2/8pi^2 = Delta a: couplings of 3.2e-4 to 5.4e-4 at two standard deviations."""
    band = coupling_band(MEASUREMENTS["mu-2021"], V, [1e-6, 1e-2], sigmas=2.0)
    edges = np.sqrt(8.0 * np.pi**2 * np.array([133e-11, 369e-11]))
    assert (band.lower[0], band.upper[0]) == pytest.approx(tuple(edges), rel=1e-4)
    inside = anomalous_moment(V, 1e-2, "mu", [band.lower[1], band.upper[1]])
    assert inside == pytest.approx([133e-11, 369e-11], rel=1e-10)


def test_muon_band_of_2025_is_a_limit() -> None:
    band = coupling_band(MEASUREMENTS["mu-2025"], V, [1e-3, 1.0])
    assert np.all(band.lower == 0.0)
    assert anomalous_moment(V, band.masses_gev, "mu", band.upper) == pytest.approx(
        164e-11, rel=1e-10
    )


def test_sign_decides_what_can_explain_a_measurement() -> None:
    """Caesium wants a negative moment (2.4 sigma), so no vector; an axial vector could."""
    berkeley = MEASUREMENTS["e-berkeley-2018"]
    vector = coupling_band(berkeley, V, [1e-2])
    assert np.isinf(vector.lower[0])
    assert np.isinf(vector.upper[0])
    axial = coupling_band(berkeley, A, [1e-2])
    assert 0.0 < axial.lower[0] < axial.upper[0] < np.inf
    # at three standard deviations nothing is needed, and a vector is limited by +2.0e-13
    wide = coupling_band(berkeley, V, [1e-2], sigmas=3.0)
    assert wide.lower[0] == 0.0
    assert anomalous_moment(V, 1e-2, "e", wide.upper[0]) == pytest.approx(2.0e-13, rel=1e-9)


def test_band_in_epsilon() -> None:
    charge = np.sqrt(4.0 * np.pi / 137.035999)
    lkb = MEASUREMENTS["e-lkb-2020"]
    in_g = coupling_band(lkb, V, [0.05])
    in_epsilon = coupling_band(lkb, V, [0.05], relative_coupling=-charge)
    assert in_epsilon.upper * charge == pytest.approx(in_g.upper, rel=1e-12)


def test_every_measurement_has_a_source() -> None:
    assert {m.lepton for m in MEASUREMENTS.values()} == {"e", "mu"}
    for name, entry in MEASUREMENTS.items():
        assert entry.name == name
        assert entry.uncertainty > 0.0
        assert any(mark in entry.source for mark in ("arXiv:", "Nature"))


def test_bad_input() -> None:
    with pytest.raises(InputError, match="unknown lepton 'muon'"):
        anomalous_moment(V, 0.1, "muon")
    with pytest.raises(InputError, match="mass must be positive"):
        anomalous_moment(V, [0.1, -1.0], "mu")
    with pytest.raises(InputError, match="no one-loop moment for a photon-coupled boson"):
        anomalous_moment(MediatorKind.PHOTON_COUPLED, 0.1, "e")
    with pytest.raises(InputError, match="width of the band must be positive"):
        coupling_band(MEASUREMENTS["mu-2021"], V, 0.1, sigmas=0.0)
    with pytest.raises(InputError, match="must couple to the lepton 'mu'"):
        coupling_band(MEASUREMENTS["mu-2021"], V, 0.1, relative_coupling=0.0)
