"""Bands of anomalous magnetic moments beside limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from na64.limits.figures.drawn import Kind
from na64.limits.figures.figure import figure
from na64.limits.figures.moments import moment_band, moment_bands
from na64.limits.figures.overlays import Beside
from na64.limits.results.limit import Limit
from na64.models.anomalies import MEASUREMENTS, anomalous_moment
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.protocol import MediatorKind
from na64.models.mediators.registry import mediator
from tests.limits.figures.toys import MASSES, legend, toy


def muons(model: str) -> Limit:
    return toy(model=model, sector=None)


def test_the_band_explains_the_measurement() -> None:
    """L_mu - L_tau: the edges bring the moment to two standard deviations of 2021's data."""
    band = moment_band("mu-2021", muons("l-mu-l-tau"))
    assert band.kind is Kind.REGION
    upper, lower = band.y[:7], band.y[7:14][::-1]
    data = MEASUREMENTS["mu-2021"]
    for edge, sign in ((upper, 2.0), (lower, -2.0)):
        moved = anomalous_moment(MediatorKind.VECTOR, MASSES, "mu", edge)
        np.testing.assert_allclose(moved, data.difference + sign * data.uncertainty, rtol=1e-9)
    # the window that is left in the literature: g about 4e-4 to 1e-3 for light bosons
    assert 2e-4 < lower[0] < upper[0] < 1e-3


def test_no_tension_is_a_limit() -> None:
    band = moment_band("mu-2025", muons("vector"))
    assert band.kind is Kind.LINE
    assert band.label.endswith("limit")
    np.testing.assert_array_equal(band.x, MASSES)


def test_epsilon_of_a_dark_photon_carries_e() -> None:
    photon = moment_band("mu-2021", muons("dark-photon"))
    vector = moment_band("mu-2021", muons("vector"))
    np.testing.assert_allclose(photon.y * ELEMENTARY_CHARGE, vector.y, rtol=1e-12)


def test_a_band_follows_the_plane_of_the_limit() -> None:
    coupling = moment_band("mu-2021", toy())
    y = moment_band("mu-2021", toy().to_plane("y"))
    np.testing.assert_allclose(y.x, coupling.x / 3.0)
    np.testing.assert_allclose(y.y, coupling.y**2 * 0.1 / 81.0)


def test_the_mediator_is_that_of_the_result_whatever_its_name() -> None:
    mine = replace(mediator("l-mu-l-tau"), name="mine")  # type: ignore[type-var]
    limit = Limit.from_json(toy(model=mine, sector=None).to_json())
    band = moment_band("mu-2021", limit)
    np.testing.assert_allclose(band.y, moment_band("mu-2021", muons("l-mu-l-tau")).y)
    made = figure([limit], beside=Beside(moments=("mu-2021", "mu-2021", "mu-2025")))
    assert legend(made)[-2:] == [
        r"$(g-2)_\mu$ 2021, 2$\sigma$",
        r"$(g-2)_\mu$ 2025, 2$\sigma$ limit",
    ]


def test_signs_decide() -> None:
    axial = moment_band("e-berkeley-2018", muons("axial"))
    assert axial.kind is Kind.REGION  # both are negative
    with pytest.raises(InputError, match="away from its measurement"):
        moment_band("mu-2021", muons("pseudoscalar"))


def test_every_mediator_has_its_own_band() -> None:
    both = [muons("vector"), muons("l-mu-l-tau")]
    first, second = moment_bands("mu-2021", both)
    assert [first.label, second.label] == [
        rf"$(g-2)_\mu$ 2021, 2$\sigma$, {name}"
        for name in ("vector boson", r"$Z'$ of $L_\mu - L_\tau$")
    ]
    np.testing.assert_array_equal(second.y, moment_band("mu-2021", both[1]).y)
    # a scalar moves the moment of 2021 to its value, a pseudoscalar away from it
    (only,) = moment_bands("mu-2021", [muons("pseudoscalar"), muons("scalar")])
    assert only.label.endswith("scalar")


def test_bad_input() -> None:
    with pytest.raises(InputError, match="unknown measurement of g-2 'mu-2022'"):
        moment_band("mu-2022", muons("dark-photon"))
    with pytest.raises(InputError, match="does not couple to the lepton"):
        moment_band("mu-2021", muons("alp"))
