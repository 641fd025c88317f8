"""Settings on top of a card: ``path=value``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from na64.models.errors import InputError
from na64.workspaces.cards.counts import Observed
from na64.workspaces.cards.quantity import Quantity
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.problems import FileProblemsError

#: another exposure with what was observed then
SEEN = ["bins.0.exposure*=2", "bins.0.observed=1"]


@pytest.mark.parametrize(
    "path",
    ["bins.0.exposure", "bins[0].exposure", "bins.2016-low.exposure", "bins.0.exposure.value"],
)
def test_setting_a_number(path: str) -> None:
    old = load_card("na64e-2016").bins[0].exposure
    card = load_card("na64e-2016", [f"{path}=1e13"])
    new = card.bins[0].exposure
    assert new.value == 1e13
    assert new.relative_uncertainty == pytest.approx(old.relative_uncertainty)
    assert new.correlation == old.correlation == "exposure"
    assert new.source == f"set by the user: {path}=1e13"
    assert card.overrides == (f"{path}=1e13",)
    # the others stay, but that nothing was observed with the first
    for item, was in zip(card.bins[1:], load_card("na64e-2016").bins[1:], strict=True):
        assert item == replace(was, observation=None)
    assert card.digest != load_card("na64e-2016").digest


def test_an_absolute_uncertainty_scales_along() -> None:
    card = load_card(
        "na64e-2016", ["bins.0.background={value = 2.0, uncertainty = 1.0, source = 'x'}",
                       "bins.0.background=3"]
    )  # fmt: skip
    assert card.bins[0].backgrounds[0].events == Quantity(
        3.0, 1.5, "set by the user: bins.0.background=3", None
    )


def test_every_entry() -> None:
    card = load_card("na64e-2016-2022", ["bins.*.efficiency=0.3"])
    assert {item.efficiency.at(0.1).item() for item in card.bins} == {0.3}


def test_named_background() -> None:
    card = load_card("na64e-2016-2022", ["bins.2022.backgrounds.upstream=0"])
    upstream = next(b for b in card.bins[-1].backgrounds if b.name == "upstream")
    assert upstream.events.value == 0.0


def test_observed() -> None:
    card = load_card("na64e-2016", ["bins.1.observed=2"])
    assert [item.observed for item in card.bins] == [0, 2, 0]
    assert card.bins[1].observation == Observed(2, "set by the user: bins.1.observed=2")


def test_setting_part_of_a_table_is_noted_in_its_source() -> None:
    card = load_card("na64e-2016", ["window.missing_energy_gev=40"])
    assert card.setups["default"].window.missing_energy_gev == 40.0
    source = card.setups["default"].tables["window"]["source"]
    assert str(source).endswith(
        "; missing_energy_gev set by the user: window.missing_energy_gev=40"
    )


def test_setting_an_optional_key_that_the_card_leaves_out() -> None:
    card = load_card("na64e-2016", ["window.preshower_energy_gev=1", "target.length_x0=40"])
    assert card.setups["default"].window.preshower_energy_gev == 1.0
    target = card.setups["default"].target
    assert target.length_cm == pytest.approx(40.0 * target.material.radiation_length_cm)


def test_uncertainty_alternatives_replace_each_other() -> None:
    card = load_card("na64e-2016", ["bins.0.exposure.uncertainty=1e9"])
    exposure = card.bins[0].exposure
    assert (exposure.value, exposure.uncertainty) == (2.3e10, 1e9)
    assert "uncertainty set by the user: " in exposure.source


def test_text_values_need_no_quotes() -> None:
    assert load_card("na64e-2016", ["beam.particle=e+"]).setups["default"].beam.particle == "e+"
    card = load_card("na64e-2016", ["target.material=tungsten"])
    assert card.setups["default"].target.material.name == "tungsten"


def test_multiplying() -> None:
    old = load_card("na64e-2016-2022")
    card = load_card("na64e-2016-2022", ["bins.*.exposure*=10", "bins.*.background *= 3"])
    assert card.total_exposure == pytest.approx(10 * old.total_exposure)
    for mine, before in zip(card.bins, old.bins, strict=True):
        assert mine.exposure.relative_uncertainty == pytest.approx(0.05)
        assert mine.expected_background == pytest.approx(3 * before.expected_background)
        assert len(mine.backgrounds) == len(before.backgrounds)
        for a, b in zip(mine.backgrounds, before.backgrounds, strict=True):
            assert a.events.relative_uncertainty == pytest.approx(b.events.relative_uncertainty)
            assert a.events.correlation == b.events.correlation
    assert card.bins[0].exposure.source.startswith(
        old.bins[0].exposure.source + "; times 10, set by"
    )
    window = load_card("na64e-2016", ["window.missing_energy_gev*=0.8"]).setups["default"].window
    assert window.missing_energy_gev == pytest.approx(40.0)


def test_total_in_place_of_listed_backgrounds() -> None:
    card = load_card("na64e-2016-2022", ["bins.2022.background=0.5"])
    (background,) = card.bins[-1].backgrounds
    assert background.events == Quantity(0.5, 0.0, "set by the user: bins.2022.background=0.5")


def test_a_later_setting_wins() -> None:
    card = load_card("na64e-2016", ["bins.0.exposure=1e10", "bins.0.exposure=2e10"])
    assert card.bins[0].exposure.value == 2e10


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("bins.0.exposure", "must have the form path=value"),
        ("=1", "must have the form path=value"),
        ("bins.0.exposure=", "must have the form path=value"),
        ("bin.0.exposure=1", r"there is no bin \(did you mean 'bins'\?\)"),
        ("bins.3.exposure=1", r"bins has no entry '3'; allowed: 0-2, or by name 2016-low"),
        ("bins.2016-lo.exposure=1", r"no entry '2016-lo' \(did you mean '2016-low'\?\)"),
        ("bins.0.exposre.value=1", r"no bins\[0\].exposre \(did you mean 'exposure'\?\)"),
        ("name.first=1", "name has no parts"),
        ("name*=2", "there is no number to multiply"),
        ("bins.*.exposre*=2", r"there is no bins\[0\]\.exposre to multiply"),
        ("bins.*.exposure*=0", "the factor must be a positive number"),
        ("bins.*.exposure*=two", "the factor must be a positive number"),
        ("bins.-1.exposure=1", "bins has no entry '-1'"),
    ],
)
def test_paths_that_do_not_exist(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_card("na64e-2016", [setting])
    assert f"setting {setting}: " in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "path", "message"),
    [
        ("bins.0.exposre=1", "bins[0].exposre", "did you mean 'exposure'"),
        ("bins.0.exposure=-1", "bins[0].exposure.value", "must be positive"),
        ("bins.0.exposure=many", "bins[0].exposure.value", "must be a number, is the text"),
        ("bins.0.exposure=nan", "bins[0].exposure.value", "must be finite"),
        ("window.missing_energy=40", "window.missing_energy", "did you mean 'missing_energy_gev'"),
        ("bins.0.exposure=1\nname = 2", "bins[0].exposure.value", "must be a number"),
    ],
)
def test_values_that_are_not_allowed(setting: str, path: str, message: str) -> None:
    with pytest.raises(FileProblemsError) as caught:
        load_card("na64e-2016", [setting])
    assert [problem.path for problem in caught.value.problems] == [path]
    assert message in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("name", "settings", "title"),
    [
        ("na64e-2016", ["bins.*.exposure=1e12"], "NA64e 2016, invisible decays (projection), wi"),
        ("na64e-2016", ["bins.0.exposure*=2"], "NA64e 2016, invisible decays (projection), wi"),
        ("na64e-2016", SEEN, "NA64e 2016, invisible decays, with bins.0.exposure*=2, "),
        ("na64e-run4", ["bins.0.exposure.value=1e12"], "NA64e after LS3 (projection), with "),
        ("na64e-positron40-run4", ["bins.0.exposure=1e12"], "NA64 after LS3, 40 GeV positrons (p"),
        ("na64e-2016", ["bins.0.efficiency=0.3"], "NA64e 2016, invisible decays, 4.3e10 electro"),
        ("na64e-2016", ["title='Mine'", "bins.0.exposure=1e12"], "Mine"),
    ],
)
def test_the_title_says_what_was_set(name: str, settings: list[str], title: str) -> None:
    card = load_card(name, settings)
    assert card.title.startswith(title)
    assert card.title == "Mine" or card.title.endswith(f", with {', '.join(settings)}")
    # a resolved card says it already
    assert parse_card(canonical_json(card.to_dict()), "again", json=True).title == card.title


def test_a_title_tells_two_settings() -> None:
    card = load_card("na64e-2016", [f"bins.{k}.efficiency=0.{k + 1}" for k in range(3)])
    assert card.title.endswith("with bins.0.efficiency=0.1, bins.1.efficiency=0.2 and 1 more")
