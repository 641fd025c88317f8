"""Values between the points of a simulation: powers, thresholds, errors, ranges."""

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.signals.simulated import SimulatedGrid

MASSES = np.geomspace(0.01, 1.0, 9)
COUPLINGS = np.geomspace(1e-5, 1e-2, 7)


def grid(values, *, couplings=(), error=0.1):
    values = np.asarray(values, float)
    errors = np.full(values.shape, error)
    return SimulatedGrid(MASSES[: len(values)], np.asarray(couplings), values, errors, 2 * errors)


def column(function, **options):
    return grid(np.array([[function(mass)] for mass in MASSES]), **options)


def test_a_power_is_exact_everywhere():
    between = np.geomspace(0.01, 1.0, 57)
    found = column(lambda mass: 3e-5 * mass**-2).at(between)
    assert found.values[:, 0] == pytest.approx(3e-5 * between**-2, rel=1e-11)
    assert np.all(found.spread < 1e-11)


def test_points_are_met_to_the_bit():
    values = np.random.default_rng(1).random((9, 1)) + 0.1
    found = grid(values).at(MASSES * (1.0 + 1e-12))
    assert np.array_equal(found.values, values)
    assert not found.spread.any()
    assert np.array_equal(found.up, np.full((9, 1), 0.1))


def test_the_spread_tells_how_wrong_the_interpolation_is():
    def turning_on(mass):
        return np.exp(-0.08 / mass)

    between = np.geomspace(0.01, 1.0, 257)
    found = column(turning_on).at(between)
    wrong = np.abs(np.log(found.values[:, 0] / turning_on(between)))
    inside = found.spread[:, 0] > 1e-3
    assert inside.sum() > 100
    # it is that of straight lines: never much too small, and not everywhere far too large
    assert np.all(wrong <= found.spread[:, 0] + 1e-3)
    assert np.median(wrong[inside] / found.spread[inside, 0]) > 0.005


def test_nothing_reaches_across_a_threshold():
    values = np.array([[0.0], [0.0], [0.1], [0.2], [0.2], [0.0], [0.3], [0.3], [0.3]])
    middles = np.sqrt(MASSES[1:] * MASSES[:-1])
    found = grid(values).at(middles).values[:, 0]
    assert (found > 0.0).tolist() == [False, False, True, True, False, False, True, True]
    at_points = grid(values).at(MASSES)
    assert np.array_equal(at_points.values, values)
    assert not at_points.up[values == 0.0].any()


def test_between_two_points_alone_the_error_is_that_of_the_choice_of_a_line():
    found = grid([[0.1], [0.4]]).at([np.sqrt(MASSES[0] * MASSES[1])])
    assert found.values[0, 0] == pytest.approx(0.2)  # the geometric mean
    assert found.spread[0, 0] == pytest.approx(np.log(0.25 / 0.2))


def test_independent_errors_of_two_points_add_in_quadrature():
    found = grid([[0.1], [0.4]], error=0.3).at([np.sqrt(MASSES[0] * MASSES[1])])
    assert found.up[0, 0] == pytest.approx(0.3 / np.sqrt(2.0))
    assert found.down[0, 0] == pytest.approx(0.6 / np.sqrt(2.0))


def test_powers_of_mass_and_coupling_are_exact():
    table = grid(MASSES[:, None] ** -2 * COUPLINGS**2, couplings=COUPLINGS)
    found = table.at([0.033, 0.5], [2.2e-5, 7e-4, 1e-2])
    assert found.values == pytest.approx(
        np.array([[0.033], [0.5]]) ** -2 * np.array([2.2e-5, 7e-4, 1e-2]) ** 2, rel=1e-11
    )


@pytest.mark.parametrize(
    ("masses", "couplings", "message"),
    [
        ([0.02, 1.1], [1e-3], "mass 1.1 GeV is outside the simulation, which covers 0.01-1 GeV"),
        ([0.0099], [1e-3], "mass 0.0099 GeV is outside"),
        ([0.1], [2e-2], "coupling 0.02 is outside the simulation, which covers 1e-05-0.01"),
        ([0.1], None, "values depend on the coupling"),
    ],
)
def test_nothing_is_extrapolated(masses, couplings, message):
    table = grid(MASSES[:, None] * COUPLINGS, couplings=COUPLINGS)
    with pytest.raises(InputError, match=message):
        table.at(masses, couplings)


def test_one_mass_is_a_table_of_itself():
    table = grid([[0.3]])
    assert table.at([0.01]).values.tolist() == [[0.3]]
    with pytest.raises(InputError, match=r"covers 0.01 alone GeV|covers 0.01 alone"):
        table.at([0.011])


def test_a_mass_alone_and_among_others_is_the_same():
    table = column(lambda mass: np.exp(-0.08 / mass))
    between = np.geomspace(0.01, 1.0, 37)
    together = table.at(between)
    for row, mass in enumerate(between):
        alone = table.at([mass])
        for name in ("values", "up", "down", "spread"):
            assert getattr(alone, name)[0] == getattr(together, name)[row]
