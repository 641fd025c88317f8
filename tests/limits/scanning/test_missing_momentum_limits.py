"""Limits of missing momentum: from events, carried to other mediators, planes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from na64.limits import Limit, scan
from na64.limits.scanning.recast import recast
from na64.models.errors import InputError

MASSES = np.array([1e-3, 0.03, 0.3, 1.0])


@pytest.fixture(scope="module")
def limit() -> Limit:
    return scan("ldmx-4gev", masses_gev=MASSES)


def test_without_background_the_limit_is_ln_10_events(limit: Limit) -> None:
    """At 90 % CL; yields are events at unit coupling, exposure and efficiency included."""
    expected = np.sqrt(math.log(10.0) / limit.yields["emission"])
    assert limit.expected[2] == pytest.approx(expected, rel=1e-6)


def test_more_electrons_of_twice_the_energy(limit: Limit) -> None:
    """25 times the exposure, and heavy mediators are made more easily."""
    other = scan("ldmx-8gev", masses_gev=MASSES)
    gain = limit.expected[2] / other.expected[2]
    assert np.all(gain > 0.97 * 5.0)
    assert gain[-1] > 10.0


def test_yields_carry_another_vector(limit: Limit) -> None:
    carried = recast(limit, "b-minus-l")
    anew = scan("ldmx-4gev", model="b-minus-l", masses_gev=MASSES)
    assert carried.expected[2] == pytest.approx(anew.expected[2], rel=1e-9)


def test_another_kind_is_computed_anew(limit: Limit) -> None:
    with pytest.raises(InputError, match="cross-sections differ by more than a factor"):
        recast(limit, "scalar")
    carried = recast(limit, "scalar", policy="recompute")
    anew = scan("ldmx-4gev", model="scalar", masses_gev=MASSES)
    assert carried.expected[2].tolist() == anew.expected[2].tolist()
    (note,) = (text for text in carried.warnings if "anew" in text)
    assert "where the signal changes" in note


def test_the_plane_of_thermal_relics(limit: Limit) -> None:
    """y = epsilon^2 alpha_D/81 at m_A' = 3 m_chi."""
    in_y = limit.to_plane("y")
    assert in_y.masses_gev == pytest.approx(MASSES / 3.0)
    assert in_y.expected[2] == pytest.approx(limit.expected[2] ** 2 * 0.1 / 81.0, rel=1e-9)


def test_a_cut_on_the_transverse_momentum_costs_light_mediators(limit: Limit) -> None:
    cut = scan("ldmx-4gev", masses_gev=MASSES, overrides=["window.recoil_transverse_min_gev=0.08"])
    loss = cut.expected[2] / limit.expected[2]
    assert np.all(np.diff(loss) < 0.0)
    assert loss[0] > 100.0
    assert loss[-1] < 1.2
