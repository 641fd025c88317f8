"""Scans of searches for decays in flight: closed regions from the card to the edges."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits import scan
from na64.limits.calculators.status import Status
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError


def test_region_of_axion_like_particles() -> None:
    found = scan("na64e-alp-2016-2018", masses_gev=np.array([0.01, 0.04, 0.08]))
    assert found.power is None
    assert found.y.name == "g_agg"
    assert [status.value for status in found.status] == ["ok", "ok", "no-exclusion"]
    # arXiv:2005.02710 at 40 MeV, read off the figure: 2.22e-4 to 1.13e-3
    ((low, high),) = found.regions[1]
    assert low == pytest.approx(2.22e-4, rel=0.1)
    assert high == pytest.approx(1.13e-3, rel=0.25)
    # 2.364 events: no background subtracts, 10 % and 5 % on the signal
    assert found.events_limit[0] == pytest.approx(2.364, rel=2e-3)


def test_any_invisible_decay_opens_the_region() -> None:
    masses = np.array([0.02, 0.3])
    closed = scan("na64e-alp-2016-2018", masses_gev=masses)
    opened = scan("na64e-alp-2016-2018", masses_gev=masses, invisible_branching=0.5)
    assert closed.regions[0][0][1] is not None
    assert closed.regions[1] == ()
    assert opened.regions[0][-1][1] is None
    assert opened.regions[1][-1][1] is None
    assert opened.specification.settings.invisible_branching == 0.5


def test_all_invisible_needs_no_lifetime() -> None:
    masses = np.array([1e-3, 0.01])
    found = scan("na64e-alp-2016-2018", masses_gev=masses, invisible_branching=1.0)
    # production alone: the same limit for light bosons
    assert found.observed[0] == pytest.approx(found.observed[1], rel=1e-3)


def test_invisible_branching_is_for_axion_like_particles() -> None:
    with pytest.raises(InputError, match="`invisible_branching` has no effect"):
        scan("na64e-2016-2022", masses_gev=np.array([0.1]), invisible_branching=0.5)


def test_pseudoscalar_x17() -> None:
    # arXiv:2104.13342 with the visible and the invisible data: 2.1e-4 < epsilon < 3.2e-4 at
    # 16.7 MeV; the lower edge goes with the fourth root of the efficiency only
    searches = ["na64e-visible-2017-2018", "na64e-alp-2016-2018"]
    light, x17 = 0.005, 0.0167
    found = scan(searches, masses_gev=np.array([light, x17]), model="pseudoscalar")
    ((low, high),) = found.regions[1]
    assert high is not None
    assert low / ELEMENTARY_CHARGE == pytest.approx(2.1e-4, rel=0.25)
    assert high / ELEMENTARY_CHARGE == pytest.approx(3.2e-4, rel=0.1)
    # the data of the invisible mode reach smaller couplings at smaller masses
    visible = scan(searches[0], masses_gev=np.array([light]), model="pseudoscalar")
    assert found.observed[0] < 0.5 * visible.observed[0]


def test_projection_has_an_expected_region() -> None:
    found = scan("na64e-alp-5e12", masses_gev=np.array([0.01, 0.08]))
    assert found.regions == ((), ())
    assert all(len(intervals) == 1 for intervals in found.shown_regions)
    assert found.status == (Status.OK, Status.OK)
    # background-free: the lower edge goes with the square root of the electrons, in a plane
    # where nothing decays
    now = scan("na64e-alp-2016-2018", masses_gev=np.array([0.01]))
    gain = now.observed[0] / found.expected[2, 0]
    assert gain == pytest.approx(np.sqrt(5e12 / 2.84e11), rel=0.02)


def test_limits_on_branching_ratios() -> None:
    found = scan("na64h-2022")
    assert found.power == 1.0
    # arXiv:2406.01990: 1.1e-4 and 2.1e-4; a production known to 20 % weakens them by 10 %
    np.testing.assert_allclose(found.observed, [1.1e-4, 2.1e-4], rtol=0.12)
    worse = scan("na64h-2022", overrides=["uncertainties.0.relative_uncertainty=0.5"])
    assert np.all(worse.observed / found.observed > 1.2)
