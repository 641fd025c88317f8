"""Degrees of freedom: limits, published values, thermodynamics, the shipped table."""

from __future__ import annotations

import math
from importlib import resources

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.relic.dof import MAX_TEMPERATURE_GEV, energy_dof, entropy_dof, sqrt_g_star
from na64.models.relic.plasma import N_EFF, plasma

# T in GeV, g, h: the fit of Saikawa and Shirai, arXiv:1803.01038, eqs. (C.3) and (C.4)
PUBLISHED = [
    (3e-05, 3.383, 3.931),
    (0.0001, 4.318, 4.798),
    (0.0002, 7.311, 7.549),
    (0.0005, 10.002, 10.026),
    (0.001, 10.545, 10.548),
    (0.01, 10.743, 10.742),
    (0.03, 12.570, 12.357),
    (0.1, 17.749, 17.330),
]


@pytest.mark.parametrize(("temperature", "g", "h"), PUBLISHED)
def test_against_a_published_fit(temperature: float, g: float, h: float) -> None:
    # the fit claims 1 %; it includes plasma corrections of a few per mille that the table omits
    assert energy_dof(temperature) == pytest.approx(g, rel=0.01)
    assert entropy_dof(temperature) == pytest.approx(h, rel=0.01)


def test_today() -> None:
    assert energy_dof(1e-9) == pytest.approx(2.0 + 1.75 * N_EFF * (4 / 11) ** (4 / 3), rel=1e-5)
    # arXiv:2008.01074: h today 3.931
    assert entropy_dof(1e-9) == pytest.approx(3.931, abs=0.002)


def test_above_the_qcd_transition() -> None:
    # photons, e, mu, tau, neutrinos and 3 light quarks with gluons would be 61.75 + tau + charm;
    # the strong interaction lowers it (arXiv:1606.07494, figure 4: g between 70 and 76 at 1 GeV)
    assert 70.0 < energy_dof(1.0) < 76.0
    # table S2 of arXiv:1606.07494: g = 73.48 and g/h = 1.01778 at 1 GeV
    assert energy_dof(1.0) == pytest.approx(73.48, rel=0.01)
    assert energy_dof(1.0) / entropy_dof(1.0) == pytest.approx(1.01778, abs=2e-3)
    # between that and 83.10 at 10 GeV: charm and tau count, bottom begins to
    assert energy_dof(1.0) < energy_dof(1.5) < energy_dof(2.0) < 83.10
    assert energy_dof(1.5) == pytest.approx(77.5, rel=0.02)
    # without quarks only muons, pions and a few heavier hadrons count
    assert 17.0 < energy_dof(0.1) < 18.2


def test_thermodynamics() -> None:
    # d(rho)/dT = T ds/dT for photon temperatures at which neutrinos are coupled; below 3 MeV they
    # have a temperature of their own
    temperature = np.geomspace(5e-3, 0.9, 400)
    step = 1e-4
    up, down = temperature * (1.0 + step), temperature * (1.0 - step)
    rho = (math.pi**2 / 30.0) * (energy_dof(up) * up**4 - energy_dof(down) * down**4)
    s = (2.0 * math.pi**2 / 45.0) * (entropy_dof(up) * up**3 - entropy_dof(down) * down**3)
    assert np.max(np.abs(rho / (temperature * s) - 1.0)) < 5e-3


def test_sqrt_g_star() -> None:
    # where h is constant it is h/sqrt(g)
    assert sqrt_g_star(1e-7) == pytest.approx(entropy_dof(1e-7) / math.sqrt(energy_dof(1e-7)))
    temperature = np.geomspace(1e-5, 0.5, 50)
    step = 1e-3
    slope = np.log(
        entropy_dof(temperature * (1.0 + step)) / entropy_dof(temperature * (1.0 - step))
    ) / (2.0 * step)
    expected = entropy_dof(temperature) / np.sqrt(energy_dof(temperature)) * (1.0 + slope / 3.0)
    assert sqrt_g_star(temperature) == pytest.approx(expected, rel=2e-3)


def test_table_is_what_the_plasma_gives() -> None:
    text = (resources.files("na64.models.relic") / "dof.csv").read_text(encoding="utf-8")
    rows = np.array(
        [[float(x) for x in line.split(",")] for line in text.splitlines() if line[0].isdigit()]
    )
    sample = rows[::47]
    state = plasma(sample[:, 0])
    assert sample[:, 1] == pytest.approx(state.energy, abs=2e-6)
    assert sample[:, 2] == pytest.approx(state.entropy, abs=2e-6)
    # between its rows
    between = np.sqrt(rows[1:, 0] * rows[:-1, 0])[::7]
    between = between[between <= MAX_TEMPERATURE_GEV]
    state = plasma(between)
    assert energy_dof(between) == pytest.approx(state.energy, rel=2e-4)
    assert entropy_dof(between) == pytest.approx(state.entropy, rel=2e-4)


@pytest.mark.parametrize("temperature", [0.0, -1.0, 1.01 * MAX_TEMPERATURE_GEV, math.nan])
def test_outside_the_table(temperature: float) -> None:
    with pytest.raises(InputError, match="table of degrees of freedom"):
        entropy_dof(temperature)
