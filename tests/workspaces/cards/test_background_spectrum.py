"""The background of a card against the cut."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.workspaces.cards.reader import card_text, load_card, parse_card
from na64.workspaces.cards.spectrum import BackgroundSpectrum
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.pyhf.template import Template

TABLE = """
[background_spectrum]
energies_gev = [30, 50, 70]
events_below = [0.02, 0.5, 20.0]
relative_uncertainty = 0.3
source = "test"
"""
CARD = card_text("na64e-2016") + TABLE


def test_the_logarithm_is_linear_between_the_points() -> None:
    spectrum = parse_card(CARD, "test").background_spectrum
    assert spectrum == BackgroundSpectrum((30.0, 50.0, 70.0), (0.02, 0.5, 20.0), 0.3, "test")
    below = spectrum.below([30.0, 40.0, 50.0, 60.0])
    np.testing.assert_allclose(below, [0.02, 0.1, 0.5, np.sqrt(10.0)])


@pytest.mark.parametrize("energy", [29.9, 70.1])
def test_outside_is_refused(energy: float) -> None:
    spectrum = parse_card(CARD, "test").background_spectrum
    assert spectrum is not None
    with pytest.raises(InputError, match=f"{energy:g} GeV is outside the background spectrum"):
        spectrum.below([50.0, energy])


def test_it_has_no_part_in_the_likelihood_but_in_the_card() -> None:
    plain, extended = load_card("na64e-2016"), parse_card(CARD, "test")
    assert Template.from_card(plain).digest == Template.from_card(extended).digest
    assert plain.digest != extended.digest
    again = parse_card(canonical_json(extended.to_dict()), "again", json=True)
    assert again.digest == extended.digest
    assert again.background_spectrum == extended.background_spectrum


def test_it_is_scaled_by_a_setting() -> None:
    changed = parse_card(CARD, "test", overrides=["background_spectrum.events_below*=3"])
    assert changed.background_spectrum is not None
    assert changed.background_spectrum.events_below == pytest.approx((0.06, 1.5, 60.0))
    assert "set by the user" in changed.background_spectrum.source


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[30, 50, 70]", "[50, 30, 70]", "energies must be positive and increasing"),
        ("[30, 50, 70]", "[30, 50]", "2 energies but 3 numbers of events"),
        ("[30, 50, 70]", "[0, 50, 70]", r"energies_gev\[0\]: must be positive"),
        ("0.02, 0.5", "0.5, 0.02", "not decrease"),
        ("0.02, 0.5", "0.02, nan", "must be finite"),
        ("uncertainty = 0.3", "uncertainty = -0.3", "must not be negative"),
        ('source = "test"', "", "background_spectrum.source: missing"),
        ("events_below", "events", r"unknown key \(did you mean 'events_below'\?\)"),
    ],
)
def test_refused(old: str, new: str, message: str) -> None:
    assert TABLE.count(old) == 1
    with pytest.raises(InputError, match=message):
        parse_card(card_text("na64e-2016") + TABLE.replace(old, new), "test")
