"""Limits of searches for invisible decays where visible decays count."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.scanning.validity import limit_with_visible_decays, visible_decay_note
from na64.models.decays.invisible import invisible_branching, invisible_branching_at
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator

MASSES = np.array([0.01, 0.3, 1.0, 2.0])
WEAK = DarkSector(DarkMatter.SCALAR, 1e-6)


@pytest.mark.parametrize("name", ["dark-photon", "b-minus-l", "l-mu-l-tau"])
def test_events_at_the_limit_are_those_that_are_excluded(name: str) -> None:
    portal = mediator(name)
    limit = np.array([[1e-8], [1e-4], [1e-3]]) * np.ones(MASSES.size)
    found = limit_with_visible_decays(portal, WEAK, MASSES, limit)
    assert np.isfinite(found).all()
    events = found**2 * invisible_branching_at(portal, MASSES, WEAK, found)
    np.testing.assert_allclose(events, limit**2, rtol=1e-10)
    np.testing.assert_allclose(found[0], limit[0], rtol=1e-6)
    assert np.all(found >= limit * (1.0 - 1e-12))


def test_nothing_is_excluded_above_the_ratio_of_the_widths() -> None:
    portal = mediator("dark-photon")
    visible = sum(portal.partial_widths(MASSES).values())
    largest = np.sqrt(WEAK.width_gev(MASSES, MASSES) / visible)
    # alpha_D (1 - 4/9)^(3/2)/12 over alpha (1 + ...)/3, the electron alone below 2 m_mu
    assert largest[0] == pytest.approx(np.sqrt(1e-6 * 0.41409 / 12 * 3 * 137.036), rel=1e-3)
    below = limit_with_visible_decays(portal, WEAK, MASSES, 0.999 * largest)
    above = limit_with_visible_decays(portal, WEAK, MASSES, 1.001 * largest)
    assert np.isfinite(below).all()
    assert np.isnan(above).all()
    # neutrinos make up for it: far above, their share is all that counts
    b_l = mediator("b-minus-l")
    share = invisible_branching(b_l, MASSES, None)
    far = np.full(MASSES.size, 10.0)
    counted = limit_with_visible_decays(b_l, WEAK, MASSES, far)
    np.testing.assert_allclose(counted, far / np.sqrt(share), rtol=1e-6)


def test_the_note_tells_how_much_weaker_and_where_nothing_is_left() -> None:
    portal = mediator("dark-photon")
    regions = (((1e-5, None),), ((1e-3, None),), ((5e-3, None),), ())
    note = visible_decay_note(portal, WEAK, MASSES, regions)
    weaker = limit_with_visible_decays(portal, WEAK, MASSES[1:2], np.array([1e-3]))[0] / 1e-3
    assert note.startswith("at 0.3 to 1 GeV the limit assumes invisible decays alone")
    assert f"; with visible decays it is up to {weaker:.3g} times weaker; " in note
    assert note.endswith("with visible decays no coupling is excluded at 1 GeV")
    strong = DarkSector(DarkMatter.SCALAR, 0.1)
    assert visible_decay_note(portal, strong, MASSES, regions) == ""
