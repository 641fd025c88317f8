"""Figures by plain keywords: the same as by `Beside` and `Appearance`."""

from __future__ import annotations

import pytest

from na64.limits import Limit, plot
from na64.limits.figures.appearance import Appearance
from na64.limits.figures.figure import figure
from na64.limits.figures.overlays import Beside
from na64.limits.figures.style import figure_bytes
from na64.models.errors import InputError
from tests.limits.figures.toys import card, toy


def published() -> Limit:
    return toy(cards=(card(name="na64e-2019"),))


def test_keywords_are_the_fields_of_both() -> None:
    made = plot(toy(), overlays="babar-invisible", title="Mine", mass_unit="MeV", bands=False)
    same = figure(
        [toy()],
        beside=Beside(overlays=("babar-invisible",)),
        appearance=Appearance(title="Mine", mass_unit="MeV", bands=False),
    )
    assert figure_bytes(made, "a.svg") == figure_bytes(same, "a.svg")


def test_the_published_curve_stands_beside_its_search_unless_told_otherwise() -> None:
    beside = figure([published()], beside=Beside(overlays=("na64e-2019",)))
    alone = figure([published()])
    assert figure_bytes(published().plot(), "a.svg") == figure_bytes(beside, "a.svg")
    assert figure_bytes(published().plot(overlays=()), "a.svg") == figure_bytes(alone, "a.svg")
    assert figure_bytes(published().plot(beside=Beside()), "a.svg") == figure_bytes(alone, "a.svg")


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"keyword of a figure 'overlay' \(did you mean 'overlay"):
        toy().plot(overlay="babar-invisible")
    with pytest.raises(InputError, match="title: put into appearance"):
        toy().plot(title="Mine", appearance=Appearance())
    with pytest.raises(InputError, match="no limit given"):
        plot([])
