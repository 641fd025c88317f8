"""The correction of an efficiency from a reference process, and its nuisance."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.calculators.limits import upper_limits
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import InputError
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.quantity import MassTable, Quantity
from na64.workspaces.cards.reader import available_cards, load_card, parse_card
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.pyhf.template import Template
from na64.workspaces.pyhf.write import workspace
from tests.shared import CARD_HEAD

BIN = """
[[bins]]
name = "%s"
exposure = { value = 1e10, source = "test" }
efficiency = { value = 0.5, relative_uncertainty = 0.1, correlation = "efficiency", source = "MC" }
background = { value = %g, source = "test" }
observed = { value = 0, source = "test" }
"""


def card(*corrections: str) -> RunCard:
    """Return a card with one bin per correction, an empty text for none."""
    text = CARD_HEAD
    for i, correction in enumerate(corrections):
        text += BIN % (f"bin{i}", 0.1 * (i + 1)) + correction + "\n"
    return parse_card(text, "test")


def ratio(value: float, uncertainty: float, correlation: str = "") -> str:
    name = f'correlation = "{correlation}", ' if correlation else ""
    return (
        f"efficiency_correction = {{ value = {value}, uncertainty = {uncertainty}, {name}"
        'source = "dimuons, data over simulation" }'
    )


def test_the_product_is_the_efficiency() -> None:
    first, second = card(ratio(0.92, 0.046), "").bins
    assert first.efficiency_correction == Quantity(0.92, 0.046, "dimuons, data over simulation")
    corrected = first.corrected_efficiency
    assert isinstance(corrected, Quantity)
    assert corrected.value == pytest.approx(0.46)
    assert corrected.relative_uncertainty == pytest.approx(0.1)
    assert "dimuons" in corrected.source
    assert second.corrected_efficiency is second.efficiency


def test_a_table_in_mass_is_corrected_too() -> None:
    text = (CARD_HEAD + BIN % ("a", 0.1)).replace(
        'efficiency = { value = 0.5, relative_uncertainty = 0.1, correlation = "efficiency", ',
        "efficiency = { masses_gev = [0.01, 1.0], values = [0.6, 0.2], ",
    )
    (item,) = parse_card(text + ratio(0.5, 0.0), "test").bins
    assert isinstance(item.corrected_efficiency, MassTable)
    assert item.corrected_efficiency.values == pytest.approx((0.3, 0.1))


def test_correlated_and_separate_nuisances() -> None:
    common = Template.from_card(card(ratio(0.92, 0.046, "dimuons"), ratio(0.8, 0.08, "dimuons")))
    assert common.nuisances == ("dimuons", "efficiency")
    # absolute uncertainties become relative: 5 % and 10 %, moved by one parameter
    assert [dict(item.signal_factors("emission"))["dimuons"] for item in common.bins] == (
        pytest.approx([0.05, 0.1])
    )
    apart = Template.from_card(card(ratio(0.92, 0.046), ratio(0.8, 0.08)))
    assert apart.nuisances == (
        "bin0:efficiency-correction",
        "bin1:efficiency-correction",
        "efficiency",
    )
    np.testing.assert_allclose(apart.efficiencies([0.1]), [[0.46, 0.4]])


def test_it_multiplies_with_the_uncertainty_of_the_efficiency() -> None:
    (item,) = Template.from_card(card(ratio(0.9, 0.18, "efficiency"))).bins
    # the same nuisance twice: 1.1 * 1.2
    assert item.signal_factors("emission") == (("efficiency", pytest.approx(0.32)),)


def limit(template: Template) -> float:
    signals = np.array([[[0.5, 0.5]]])
    spec = workspace(template, signals[0], ("emission",))
    batch = compile_workspace(spec, validate=False).inject(signals)
    return float(upper_limits(batch, expected=False).observed[0])


def test_a_common_correction_weakens_the_limit_more_than_separate_ones() -> None:
    """Errors of two bins average out unless they are one error."""
    exact = limit(Template.from_card(card(ratio(0.9, 0.0), ratio(0.9, 0.0))))
    apart = limit(Template.from_card(card(ratio(0.9, 0.27), ratio(0.9, 0.27))))
    common = limit(Template.from_card(card(ratio(0.9, 0.27, "x"), ratio(0.9, 0.27, "x"))))
    assert exact * 1.01 < apart < common / 1.01


def test_a_resolved_card_is_the_same_card() -> None:
    first = card(ratio(0.92, 0.046, "dimuons"), "")
    again = parse_card(canonical_json(first.to_dict()), "again", json=True)
    assert again == first


def test_settings_change_it() -> None:
    text = CARD_HEAD + BIN % ("a", 0.1) + ratio(0.92, 0.046, "dimuons")
    changed = parse_card(text, "test", overrides=["bins.a.efficiency_correction=0.8"]).bins[0]
    assert changed.efficiency_correction is not None
    assert changed.efficiency_correction.value == 0.8
    assert changed.efficiency_correction.relative_uncertainty == pytest.approx(0.05)
    assert changed.efficiency_correction.correlation == "dimuons"


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        (ratio(0.0, 0.0), "efficiency_correction.value: must be positive"),
        (ratio(-0.9, 0.1), "efficiency_correction.value: must be positive"),
        (ratio(2.5, 0.1), "efficiency times correction must be at most 1, is 1.25"),
        ("efficiency_correction = 0.92", "every number needs its source"),
        ("efficiency_correction = { value = 0.92 }", "efficiency_correction.source: missing"),
    ],
)
def test_refused(correction: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        card(correction)


def test_shipped_cards_of_data_have_none() -> None:
    """Their efficiencies are calibrated to published limits, corrections included."""
    for name in available_cards():
        card = load_card(name)
        corrections = [item.efficiency_correction for item in card.bins]
        if card.projection:
            assert all(one is None or one.source.startswith("assumption") for one in corrections)
        else:
            assert corrections == [None] * len(card.bins)
