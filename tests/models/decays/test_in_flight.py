"""Decay lengths and probabilities: formula, limits, extreme arguments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.decays.in_flight import (
    decay_length_cm,
    decay_probability,
    survival_probability,
)
from na64.models.decays.widths import boson_to_photons
from na64.models.errors import InputError


@pytest.mark.parametrize("energy", [20.0, 100.0, 160.0])
@pytest.mark.parametrize("coupling", [1e-4, 3e-4, 1e-2])
@pytest.mark.parametrize("mass", [0.01, 0.05, 0.1])
def test_decay_length_of_an_axion_like_particle(
    energy: float, coupling: float, mass: float
) -> None:
    # 4.0 m (E/100 GeV) (g/1e-4 GeV^-1)^-2 (m/100 MeV)^-4, with the factor to two digits
    length = decay_length_cm(energy, mass, boson_to_photons(mass, coupling))
    expected = 400.0 * (energy / 100.0) * (coupling / 1e-4) ** -2 * (mass / 0.1) ** -4
    assert length == pytest.approx(expected, rel=0.01)


def test_decay_length_at_the_edges() -> None:
    assert decay_length_cm(1.0, 0.1, 0.0) == np.inf
    assert decay_length_cm(1.0, 0.1, np.inf) == 0.0
    assert decay_length_cm(0.1, 0.1, 1e-15) == 0.0
    assert np.all(np.isfinite(decay_length_cm([1.0, 1e3], 1e-3, 1e-300)))


@pytest.mark.parametrize(
    "arguments",
    [(0.05, 0.1, 1e-15), (1.0, 0.0, 1e-15), (1.0, 0.1, -1e-15), (1.0, 0.1, math.nan)],
)
def test_unphysical_particles(arguments: tuple[float, float, float]) -> None:
    with pytest.raises(InputError):
        decay_length_cm(*arguments)


@settings(max_examples=300, deadline=None)
@given(
    start=st.floats(0.0, 1e4),
    extent=st.floats(1e-3, 1e4),
    log_length=st.floats(-300.0, 300.0),
)
def test_probabilities_are_probabilities(start: float, extent: float, log_length: float) -> None:
    length = 10.0**log_length
    inside = decay_probability(start, start + extent, length)
    before = 1.0 - survival_probability(start, length)
    beyond = survival_probability(start + extent, length)
    assert 0.0 <= inside <= 1.0
    assert before + inside + beyond == pytest.approx(1.0, abs=1e-12)


def test_long_lived_limit_keeps_its_digits() -> None:
    # dL/l, where 1 - exp would be rounded to zero
    assert decay_probability(10.0, 310.0, 1e20) == pytest.approx(3e-18, rel=1e-12)


def test_infinite_arguments() -> None:
    assert decay_probability(10.0, np.inf, 5.0) == survival_probability(10.0, 5.0)
    assert decay_probability(10.0, 20.0, np.inf) == 0.0
    assert decay_probability(10.0, 20.0, 0.0) == 0.0
    assert survival_probability(10.0, np.inf) == 1.0
    assert survival_probability(10.0, 0.0) == 0.0
    assert survival_probability(0.0, 0.0) == 1.0


@pytest.mark.parametrize(
    ("start", "end", "length"),
    [(-1.0, 10.0, 1.0), (10.0, 10.0, 1.0), (10.0, 5.0, 1.0), (1.0, 2.0, -1.0), (math.nan, 2, 1)],
)
def test_bad_volumes(start: float, end: float, length: float) -> None:
    with pytest.raises(InputError):
        decay_probability(start, end, length)
