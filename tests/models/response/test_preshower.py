"""The trigger on energy in the preshower: against a simulation, and its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from na64.models.materials import material
from na64.models.response.preshower import is_simulated, preshower_probability
from na64.models.response.windows import MissingEnergyWindow
from na64.models.targets import Beam, Target

ECAL = material("ecal")


# Geant4 11.4.0, 150 layers of 1.5 mm lead and 1.5 mm scintillator, 100 GeV electrons of which one
# loses E_miss in its first radiation length (400 events below 15 GeV, 200 there, 60 at 50 GeV: the
# statistical error is 0.025 at most); the fit is good to 0.05 at every point of the simulation
@pytest.mark.parametrize(
    ("rest", "threshold", "probability"),
    [
        (1.0, 0.3, 0.7675), (1.0, 0.5, 0.205), (1.0, 1.0, 0.0),
        (3.0, 0.3, 0.9775), (3.0, 0.5, 0.8775), (3.0, 1.0, 0.28),
        (5.0, 0.3, 0.995), (5.0, 0.5, 0.94), (5.0, 1.0, 0.6475),
        (10.0, 0.5, 0.975), (10.0, 1.0, 0.875), (10.0, 1.5, 0.6025),
        (20.0, 0.5, 1.0), (20.0, 1.0, 0.965), (50.0, 1.0, 1.0),
    ],
)  # fmt: skip
def test_agrees_with_the_simulation(rest: float, threshold: float, probability: float) -> None:
    assert preshower_probability(rest, threshold, ECAL) == pytest.approx(probability, abs=0.05)


# the same, a positron that annihilates: deeper, so that the fit to all modes is too high
@pytest.mark.parametrize(
    ("rest", "probability"), [(3.0, 0.78), (5.0, 0.90), (10.0, 0.976), (20.0, 0.985)]
)
def test_is_too_high_for_annihilation_by_little(rest: float, probability: float) -> None:
    excess = preshower_probability(rest, 0.5, ECAL) - probability
    assert -0.01 < excess < 0.08


def test_limits() -> None:
    rest = np.geomspace(1e-4, 1e3, 200)
    assert np.all(preshower_probability(rest, 0.0, ECAL) == 1.0)
    passed = preshower_probability(rest, 0.5, ECAL)
    assert np.all(np.diff(passed) >= 0.0)
    assert passed[0] == 0.0
    # not more than there is: what stays below the threshold cannot exceed it
    assert np.all(passed[rest < 0.5] < 2e-3)
    assert passed[-1] > 0.999
    # a higher threshold passes less
    assert np.all(preshower_probability(rest, 1.0, ECAL) <= passed)
    # nothing is left, and less than nothing
    np.testing.assert_array_equal(preshower_probability([0.0, -1.0], 0.5, ECAL), 0.0)


def test_any_other_target_has_a_step() -> None:
    lead = material("lead")
    assert is_simulated(ECAL)
    assert not is_simulated(lead)
    found = preshower_probability([0.4, 0.5, 30.0], 0.5, lead)
    np.testing.assert_array_equal(found, [0.0, 1.0, 1.0])


def test_between_its_edges_a_smeared_cut_opens_and_beyond_them_it_does_not() -> None:
    # four standard deviations, 3e-5, of a spread of 2 GeV that is 2.3 GeV at the lower edge
    window = MissingEnergyWindow(50.0, resolution_stochastic=0.3)
    acceptance = window.acceptance(Beam("e-", 100.0), Target(ECAL))
    low, high = acceptance.cut_edges_gev
    assert 35.0 < low < 50.0 < high < 65.0
    assert 0.0 < acceptance.cut(np.array(low)) < 2e-4
    assert 1.0 - 1e-4 < acceptance.cut(np.array(high)) < 1.0


def test_edges_stay_inside_the_spectrum_however_wide_the_resolution() -> None:
    window = MissingEnergyWindow(50.0, resolution_stochastic=1.0, resolution_constant=0.2)
    low, high = window.acceptance(Beam("e-", 100.0), Target(ECAL)).cut_edges_gev
    assert low == pytest.approx(0.1 * 50.0)
    assert high == pytest.approx(0.5 * (50.0 + 100.0))


def test_a_narrow_resolution_is_a_gaussian_too() -> None:
    acceptance = MissingEnergyWindow(50.0, resolution_stochastic=0.05).acceptance(
        Beam("e-", 100.0), Target(ECAL)
    )
    spread = 0.05 * math.sqrt(49.7)  # of what is seen of 100 GeV
    expected = 0.5 * math.erfc(-0.3 / spread / math.sqrt(2.0))
    assert acceptance.cut(np.array(50.3)) == pytest.approx(expected, rel=1e-12)


def test_what_the_convolution_leaves_of_the_beams_spread() -> None:
    # a cut at c is smeared by s c in the convolution; together with the rest that is s E0
    acceptance = MissingEnergyWindow(30.0).acceptance(
        Beam("e-", 100.0, momentum_spread=0.02), Target(ECAL)
    )
    left = acceptance.before_spread()
    assert left.missing_energy_gev == 30.0
    rest = left.beam.momentum_spread * 100.0
    assert math.hypot(rest, 0.02 * 30.0) == pytest.approx(2.0, rel=1e-12)


def test_acceptance_is_the_cut_times_the_trigger() -> None:
    beam, target = Beam("e-", 100.0, momentum_spread=0.01), Target(ECAL)
    window = MissingEnergyWindow(50.0, preshower_energy_gev=0.5, resolution_stochastic=0.082)
    acceptance = window.acceptance(beam, target)
    # 8.2 % sqrt(50) and 1 % of 100 GeV
    assert acceptance.spread_gev(50.0) == pytest.approx(np.hypot(0.5798, 1.0), rel=1e-3)
    low, high = acceptance.cut_edges_gev
    assert acceptance(np.array([low, 50.0, high])) == pytest.approx([0.0, 0.5, 1.0], abs=2e-3)
    missing = np.linspace(45.0, 100.0, 30)
    np.testing.assert_allclose(
        acceptance(missing), acceptance.cut(missing) * acceptance.trigger(missing)
    )
    # a sharp cut without a trigger
    sharp = MissingEnergyWindow(50.0).acceptance(Beam("e-", 100.0), target)
    np.testing.assert_array_equal(sharp(np.array([49.9, 50.0, 100.0])), [0.0, 1.0, 1.0])
    assert sharp.cut_edges_gev == (50.0, 50.0)
