"""Masses that are added to a range: resonances, thresholds, ends of regions."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits import Limit, scan, specify
from na64.limits.calculators.status import Status
from na64.limits.scanning.features import decay_masses_gev, resonance_intervals_gev
from na64.limits.scanning.grids import denser_grid, log_grid, parse_grid, with_points
from na64.limits.scanning.signal import expected_signal
from na64.limits.scanning.tips import tip_masses_gev
from na64.models.constants import ELECTRON_MASS_GEV, MUON_MASS_GEV
from na64.models.decays.hadrons import OMEGA_MASS_GEV
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.workspaces.cards.reader import load_card

VISIBLE = "na64e-visible-2017-2018"


@pytest.mark.parametrize("count", [2, 5, 31, 300])
def test_a_denser_grid_keeps_its_points_and_is_fine_inside_however_coarse(count: int) -> None:
    grid = log_grid(1e-3, 1.0, count)
    fine = denser_grid(grid, [(0.19, 0.36)])
    assert np.isin(grid, fine).all()
    new = fine[~np.isin(fine, grid)]
    assert new.size == 0 if count == 300 else (new.min() >= 0.19 and new.max() <= 0.36)
    inside = (fine[:-1] >= 0.19) & (fine[1:] <= 0.36)
    assert np.diff(np.log(fine))[inside].max() < 0.045


def test_points_that_show_nothing_new_are_left_out() -> None:
    grid = np.array([0.1, 0.2])
    np.testing.assert_array_equal(with_points(grid, np.array([0.1000001, 0.15])), [0.1, 0.15, 0.2])


def test_thresholds_and_peaks_are_those_of_the_mediator() -> None:
    found = decay_masses_gev(mediator("b-minus-l"), None, 1e-3, 2.0)
    for mass in (2.0 * ELECTRON_MASS_GEV, 2.0 * MUON_MASS_GEV, OMEGA_MASS_GEV):
        assert np.abs(found / mass - 1.0).min() < 1e-9
    # without quarks there are no peaks, and loops to electrons open nothing
    bare = decay_masses_gev(mediator("l-mu-l-tau"), None, 1e-3, 2.0)
    assert bare.min() == pytest.approx(2.0 * MUON_MASS_GEV)
    assert bare.max() < 2.4 * MUON_MASS_GEV


def test_with_dark_matter_only_a_splitting_has_thresholds() -> None:
    photon = mediator("dark-photon")
    assert not decay_masses_gev(photon, DarkSector(), 1e-3, 2.0).size
    split = DarkSector(DarkMatter.PSEUDO_DIRAC, ratio=3.0, splitting=0.4)
    found = decay_masses_gev(photon, split, 1e-3, 2.0)
    # m_chi2 - m_chi1 = 2 m_e and 2 m_mu
    np.testing.assert_allclose(
        found[[0, 5]], [15.0 * ELECTRON_MASS_GEV, 15.0 * MUON_MASS_GEV], rtol=1e-9
    )


def test_a_range_has_its_points_and_more_a_list_and_numbers_stay() -> None:
    auto = specify(masses_gev="0.001:1:20").masses_gev
    plain = parse_grid("0.001:1:20")
    assert np.isin(plain, auto).all()
    ((low, high),) = set(resonance_intervals_gev([load_card("na64e-2016-2022")]))
    added = auto[~np.isin(auto, plain)]
    assert added.size
    assert np.all((added > low - 1e-9) & (added < high + 1e-9))
    fixed = specify(masses_gev="0.001:1:20", grid="fixed").masses_gev
    np.testing.assert_array_equal(fixed, plain)
    for wanted in ("0.2,0.25,0.3", np.array([0.2, 0.25, 0.3])):
        np.testing.assert_array_equal(specify(masses_gev=wanted).masses_gev, [0.2, 0.25, 0.3])
    with pytest.raises(InputError, match=r"unknown grid 'fxied' \(did you mean 'fixed'\?\)"):
        specify(grid="fxied")


def test_a_mass_at_the_threshold_of_electrons_has_no_annihilation() -> None:
    made = specify("na64e-b-minus-l-2016-2022", masses_gev=[2.0 * ELECTRON_MASS_GEV])
    events = expected_signal(made).at_coupling(1.0)
    assert np.all(np.isfinite(events))
    assert events.sum() > 0.0


@pytest.fixture(scope="module")
def visible() -> Limit:
    return scan(VISIBLE, masses_gev="0.005:0.03:6")


def test_the_end_of_a_region_is_found_to_half_a_per_cent(visible: Limit) -> None:
    masses, states = visible.masses_gev, np.array([state is Status.OK for state in visible.status])
    (last,) = np.flatnonzero(np.diff(states.astype(int)))
    assert masses[last + 1] / masses[last] < 1.005
    assert not tip_masses_gev(visible).size
    # bands end elsewhere
    ends = {max(m for m, found in zip(masses, band, strict=True) if found)
            for band in visible.expected_regions}  # fmt: skip
    assert len(ends) > 1


def test_what_was_added_is_what_the_specification_gives(visible: Limit) -> None:
    assert visible.redo() == visible


def test_a_fixed_range_and_listed_masses_get_none(visible: Limit) -> None:
    fixed = scan(VISIBLE, masses_gev="0.005:0.03:6", grid="fixed")
    assert len(fixed.masses_gev) == 6
    assert fixed == visible.at(fixed.masses_gev)
    assert tip_masses_gev(fixed).size
    assert len(scan(VISIBLE, masses_gev="0.01,0.03").masses_gev) == 2
