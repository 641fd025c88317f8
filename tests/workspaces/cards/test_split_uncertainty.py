"""Uncertainties of the shares of a published background: one nuisance per bin and source."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.table import LimitTable
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import InputError
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.pyhf.template import Template
from na64.workspaces.pyhf.write import workspace
from tests.shared import CARD_HEAD

#: cards that split a published total over bins
SPLIT = ("na64e-2016", "na64e-2016-2018", "na64e-2016-2021", "na64e-2016-2022")
#: middle of the beam intensities, million electrons per spill: three of 2016, 2017, 2018
INTENSITY = {"2016-low": 1.85, "2016-medium": 2.8, "2016-high": 4.8, "2017": 5.0, "2018": 7.0}
#: the assumption for periods without published intensity: a factor of two
RELATIVE = {"2021": 1.0, "2022": 2.0}

TWO_BINS = """
[[bins]]
name = "a"
exposure = { value = 1e10, source = "test" }
efficiency = { value = 0.5, source = "test" }
background = { value = 0.5, %s, source = "test" }
observed = { value = 0, source = "test" }

[[bins]]
name = "b"
exposure = { value = 3e10, source = "test" }
efficiency = { value = 0.5, source = "test" }
backgrounds = [{ name = "x", value = 0.7, %s, source = "test" }]
observed = { value = 1, source = "test" }
"""
SHARED = 'relative_uncertainty = 0.2, correlation = "total"'


def two_bins(first: str, second: str) -> RunCard:
    return parse_card(CARD_HEAD + TWO_BINS % (first, second), "test")


def limits(template: Template) -> LimitTable:
    """Limits of a signal that goes with the exposure."""
    exposure = np.array([item.exposure for item in template.bins])
    events = exposure[None, :] / exposure.sum()
    return upper_limits(compile_workspace(workspace(template, events, ["emission"])).batch())


def splits(template: Template) -> list[str]:
    return [name for name in template.nuisances if "-split-" in name]


@pytest.mark.parametrize("weights", [INTENSITY, RELATIVE], ids=["2016-2018", "2021-2022"])
def test_sizes_are_half_the_difference_of_two_splits(weights: dict[str, float]) -> None:
    card = load_card("na64e-2016-2022")
    bins = [item for item in card.bins if item.name in weights]
    exposure = np.array([item.exposure.value for item in bins])
    weighted = exposure * [weights[item.name] for item in bins]
    shares, others = exposure / exposure.sum(), weighted / weighted.sum()
    sizes = np.abs(others / shares - 1.0) / 2.0
    for item, share, size in zip(bins, shares, sizes, strict=True):
        for background in item.backgrounds:
            assert background.split_uncertainty == pytest.approx(size, abs=0.0051)
            assert "split_uncertainty: assumption" in background.events.source
        if weights is INTENSITY:
            (background,) = item.backgrounds
            assert background.events.value == pytest.approx(0.53 * share, rel=2e-3)
    # the shares move alone, so they add to the uncertainty of the total, 32 %: by less than 1 %
    added = math.hypot(*(shares * [b.split_uncertainty for i in bins for b in i.backgrounds[:1]]))
    assert math.hypot(0.32, added) < 0.33


@pytest.mark.parametrize("name", SPLIT)
def test_every_bin_and_source_has_a_nuisance_of_its_own(name: str) -> None:
    card = load_card(name)
    template = Template.from_card(card)
    expected = sorted(
        f"{background.events.correlation}-split-{item.name}"
        for item in card.bins
        for background in item.backgrounds
    )
    assert splits(template) == expected
    assert len(expected) == sum(len(item.backgrounds) for item in card.bins)
    for channel in template.bins:
        for sample in channel.backgrounds:
            own = [pair for pair in sample.uncertainties if "-split-" in pair[0]]
            common = [pair for pair in sample.uncertainties if "-split-" not in pair[0]]
            assert len(own) == len(common) == 1
            assert own[0][0] == f"{common[0][0]}-split-{channel.name}"
    # the same share has the same uncertainty in every card
    default = {item.name: item for item in load_card("na64e-2016-2022").bins}
    for item in card.bins:
        assert item.backgrounds == default[item.name].backgrounds


def test_a_split_alone_is_an_uncertainty_of_its_own() -> None:
    apart = two_bins("relative_uncertainty = 0.4", "relative_uncertainty = 0.6")
    split = two_bins(
        'correlation = "total", split_uncertainty = 0.4',
        'correlation = "total", split_uncertainty = 0.6',
    )
    assert splits(Template.from_card(split)) == ["total-split-a", "total-split-b"]
    for mine, other in zip(
        limits(Template.from_card(split)).expected,
        limits(Template.from_card(apart)).expected,
        strict=True,
    ):
        assert mine == pytest.approx(other, rel=1e-9)


def test_without_events_the_observed_limit_does_not_feel_it() -> None:
    template = Template.from_card(load_card("na64e-2016-2018"))
    full, without = limits(template), limits(template.without(splits(template)))
    # backgrounds drop out of CLs at n = 0, where both hypotheses keep the nominal ones
    assert full.observed == pytest.approx(without.observed, rel=1e-6)
    median, high = full.expected[2:] / without.expected[2:], full.expected[3] / without.expected[3]
    assert np.all(np.abs(median - 1.0) < 1e-3)
    assert high > 1.0 + 1e-5


def test_it_needs_a_total() -> None:
    for order in itertools.permutations(("split_uncertainty = 0.4", SHARED)):
        with pytest.raises(InputError, match=r"split_uncertainty: needs a correlation"):
            two_bins(*order)
    with pytest.raises(InputError, match=r"split_uncertainty: must not be negative"):
        two_bins(SHARED + ", split_uncertainty = -0.1", SHARED)
    with pytest.raises(InputError, match=r"exposure.split_uncertainty: unknown key"):
        load_card("na64e-2016", ["bins.0.exposure.split_uncertainty=0.1"])


def test_it_is_resolved_and_read_again() -> None:
    card = two_bins(SHARED + ", split_uncertainty = 0.4", SHARED)
    assert [b.split_uncertainty for item in card.bins for b in item.backgrounds] == [0.4, 0.0]
    text = canonical_json(card.to_dict())
    assert canonical_json(parse_card(text, "again", json=True).to_dict()) == text
    assert splits(Template.from_card(card)) == ["total-split-a"]


def test_settings() -> None:
    off = load_card("na64e-2016-2018", ["bins.*.background.split_uncertainty=0"])
    assert not splits(Template.from_card(off))
    card = load_card("na64e-2016", ["bins.2016-low.background=0.1", "bins.2016-high.background=0"])
    assert card.bins[0].backgrounds[0].split_uncertainty == 0.35
    # nothing has no share
    assert splits(Template.from_card(card)) == [
        "background-2016-2018-split-2016-low",
        "background-2016-2018-split-2016-medium",
    ]
