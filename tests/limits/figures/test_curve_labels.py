"""What a legend says of a published curve beside a limit, and which curve that is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from na64.limits.figures.published import curve_label, published_curve
from na64.limits.figures.words import Assumed
from na64.models.mediators.registry import mediator
from na64.workspaces.cards.reader import available_cards, load_card
from na64.workspaces.io.curves import available_curves, load_curve
from tests.limits.figures.toys import toy

CURVE = load_curve("na64e-2016-2022")
DIRAC = Assumed("dirac", 0.1, 3.0)


@pytest.mark.parametrize(
    "sector",
    [
        replace(DIRAC, alpha_d=0.5),
        replace(DIRAC, ratio=2.5),
        replace(DIRAC, dark_matter="scalar"),
        Assumed(),
    ],
)
def test_a_curve_for_another_dark_sector_says_for_which(sector: Assumed) -> None:
    name, assumptions = curve_label(CURVE, sector).split(",\n")
    assert name.startswith(f"{CURVE.label} (arXiv:")
    assert assumptions == r"assuming $\alpha_D = 0.1$, $m_{A'} = 3\,m_\chi$"


def test_a_curve_for_the_same_dark_sector_or_for_all_needs_no_remark() -> None:
    assert curve_label(CURVE, DIRAC) == f"{CURVE.label} (arXiv:{CURVE.reference.arxiv})"
    every = replace(CURVE, assumptions="")
    assert "\n" not in curve_label(every, replace(DIRAC, alpha_d=0.5))


def test_a_species_that_the_curve_names_is_compared() -> None:
    scalar = replace(CURVE, assumptions="scalar dark matter, alpha_D = 0.1")
    assert "\n" not in curve_label(scalar, replace(DIRAC, dark_matter="scalar"))
    assert curve_label(scalar, DIRAC).endswith(r"assuming scalar dark matter, $\alpha_D = 0.1$")


def test_curves_name_the_searches_whose_result_they_are() -> None:
    for search, curve in (
        ("na64e-2016-2022", "na64e-2016-2022"),
        ("na64e-2016-2018", "na64e-2021-fermion"),
        ("na64e-alp-2016-2018", "na64-alp-2020"),
        ("na64e-visible-2017-2018", "na64-visible-2020"),
        ("na64e-visible-2017", "na64-visible-2018"),
        ("na64e-2016", "na64e-2016"),
        ("na64e-2016-2021", None),
        ("na64e-2016-2024", None),
    ):
        found = load_card(search)
        model = mediator(found.model)
        assert published_curve(toy(cards=(found,), model=model.name, sector=None)) == curve
    # of several models the limit's own, of one without a curve that of the card
    for search, model_name, curve in (
        ("na64e-2016-2021", "b-minus-l", "na64e-b-minus-l-2022"),
        ("na64e-2016-2021", "b-minus-l-heavy-neutrinos", "na64e-b-minus-l-2022"),
        ("na64e-2016-2022", "b-minus-l", "na64e-2016-2022"),
    ):
        limit = toy(cards=(load_card(search),), model=model_name, sector=None)
        assert published_curve(limit) == curve
    for name in available_curves():
        assert set(load_curve(name).searches) <= set(available_cards())


def test_species_are_compared_by_either_of_their_names() -> None:
    """Papers write "complex scalar", results of this package "scalar"."""
    scalar = replace(CURVE, assumptions="complex scalar dark matter, alpha_D = 0.1")
    assert "\n" not in curve_label(scalar, replace(DIRAC, dark_matter="scalar"))
    assert "complex scalar" in curve_label(scalar, replace(DIRAC, dark_matter="majorana"))
