"""Bands of anomalous magnetic moments beside scans."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits import scan
from na64.limits.figures.moments import moment_band
from na64.limits.results.limit import Exclusion
from na64.models.anomalies import MEASUREMENTS, anomalous_moment
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.protocol import MediatorKind

MASSES = np.geomspace(1e-3, 1.0, 9)


def muons(model: str) -> Exclusion:
    return scan("na64mu-2022", model=model, masses_gev=MASSES, method="asymptotic")


def test_the_band_explains_the_measurement() -> None:
    """L_mu - L_tau: the edges bring the moment to two standard deviations of 2021's data."""
    band = moment_band("mu-2021", muons("l-mu-l-tau"))
    assert band.closed
    upper, lower = band.couplings[:9], band.couplings[9:18][::-1]
    data = MEASUREMENTS["mu-2021"]
    for edge, sign in ((upper, 2.0), (lower, -2.0)):
        moved = anomalous_moment(MediatorKind.VECTOR, MASSES, "mu", edge)
        np.testing.assert_allclose(moved, data.difference + sign * data.uncertainty, rtol=1e-9)
    # the window that is left in the literature: g about 4e-4 to 1e-3 for light bosons
    assert 2e-4 < lower[0] < upper[0] < 1e-3


def test_no_tension_is_a_limit() -> None:
    band = moment_band("mu-2025", muons("vector"))
    assert not band.closed
    assert band.label.endswith("limit")
    np.testing.assert_array_equal(band.masses_gev, MASSES)


def test_epsilon_of_a_dark_photon_carries_e() -> None:
    photon = moment_band("mu-2021", muons("dark-photon"))
    vector = moment_band("mu-2021", muons("vector"))
    np.testing.assert_allclose(photon.couplings * ELEMENTARY_CHARGE, vector.couplings, rtol=1e-12)


def test_signs_decide() -> None:
    electrons = scan("na64e-2016", model="axial", masses_gev=[0.1], method="asymptotic")
    assert moment_band("e-berkeley-2018", electrons).closed  # both are negative
    with pytest.raises(InputError, match="away from its measurement"):
        moment_band("mu-2021", muons("pseudoscalar"))


def test_bad_input() -> None:
    photon = muons("dark-photon")
    with pytest.raises(InputError, match="unknown measurement of g-2 'mu-2022'"):
        moment_band("mu-2022", photon)
