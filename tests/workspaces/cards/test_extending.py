"""Cards that extend another one: what is taken over, what is replaced, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from na64.models.errors import InputError
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import card_text, load_card, parse_card
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.toml import parse_toml

BASE = "na64e-2016"
SCHEMA = json.loads(
    (resources.files("na64.workspaces") / "schemas" / "run-card-1.json").read_text(encoding="utf-8")
)
BIN = """
[[bins]]
name = "{name}"
exposure = {{ value = 1e11, source = "x" }}
efficiency = {{ value = 0.5, source = "x" }}
background = {{ value = 0.0, source = "x" }}
"""
SEEN = 'observed = { value = 0, source = "x" }\n'


def on(base: str, rest: str = "", where: str = "mine.toml") -> RunCard:
    text = f'name = "mine"\nextends = "{base}"\n{rest}'
    card = parse_card(text, where)
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(parse_toml(text, where))
    return card


def renamed(card: RunCard, **changes: object) -> str:
    return canonical_json({**card.to_dict(), **changes})


def test_nothing_else_is_the_base_under_another_name() -> None:
    card = on(BASE)
    again = parse_card(renamed(load_card(BASE), name="mine", title="mine"), "x", json=True)
    assert card.digest == again.digest
    assert "extends" not in card.to_dict()


def test_a_resolved_card_stands_alone() -> None:
    card = on(BASE, BIN.format(name="new") + SEEN)
    again = parse_card(canonical_json(card.to_dict()), "x", json=True)
    assert again.digest == card.digest


def test_tables_replace_as_a_whole() -> None:
    card = on(BASE, '[window]\nmissing_energy_gev = 40.0\nsource = "x"\n')
    window = card.setups["default"].window
    assert window.missing_energy_gev == 40.0
    # what the base says of its own window does not hold for the new one
    assert window.preshower_energy_gev == 0.0
    # nor do its data, which were counted with the old one
    assert card.projection
    assert card.projected == ("window of all bins",)
    for item, old in zip(card.bins, load_card(BASE).bins, strict=True):
        assert item == replace(old, observation=None)


def test_bins_are_replaced_in_place_or_appended_by_name() -> None:
    added = BIN.format(name="new") + SEEN + BIN.format(name="2016-medium") + SEEN
    old, new = load_card(BASE).bins, on(BASE, added).bins
    assert [item.name for item in new] == ["2016-low", "2016-medium", "2016-high", "new"]
    assert new[0] == old[0]
    assert new[2] == old[2]
    assert new[1].exposure.value == 1e11
    assert new[1].efficiency.correlation is None


def test_two_bins_of_one_name_are_still_refused() -> None:
    twice = (BIN.format(name="2016-low") + SEEN) * 2
    with pytest.raises(InputError, match="2016-low"):
        on(BASE, twice)


def test_setups_and_materials_are_added() -> None:
    card = on(BASE, '[setups.low.window]\nmissing_energy_gev = 40.0\nsource = "x"\n')
    assert card.setups["low"].window.preshower_energy_gev == 0.5
    assert card.setups["default"] == load_card(BASE).setups["default"]
    on("na64e-positron-pbwo4", '[materials.own]\ndensity_g_cm3 = 1\nz = 6\na = 12\nsource = "x"\n')


def test_a_projection_drops_the_data_of_its_base() -> None:
    card = on(BASE, "projection = true\n" + BIN.format(name="later"))
    assert all(item.observation is None for item in card.bins)
    with pytest.raises(InputError, match=r"bins\[0\].observed"):
        on("na64e-run4", "projection = false")


def test_settings_act_on_what_was_taken_over() -> None:
    text = f'name = "mine"\nextends = "{BASE}"\n'
    card = parse_card(text, "mine.toml", overrides=["bins.2016-low.exposure=1e12"])
    assert card.bins[0].exposure.value == 1e12
    with pytest.raises(InputError, match="extends belongs to the file and cannot be set"):
        load_card(BASE, ["extends=na64e-2016-2022"])


def test_a_base_that_is_a_file_lies_beside_the_card(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(card_text(BASE), encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "mine"\nextends = "base.toml"\n', encoding="utf-8")
    assert load_card(mine).digest == on(BASE).digest
    mine.write_text(f'name = "mine"\nextends = "{tmp_path / "base.toml"}"\n', encoding="utf-8")
    assert load_card(mine).digest == on(BASE).digest


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ('"na64e-2061"', "run card mine.toml: extends: unknown search 'na64e-2061'"),
        ("3", "run card mine.toml: extends: must be the name of a card, or a file"),
        ('""', "run card mine.toml: extends: must be the name"),
        ('"nowhere.toml"', "run card mine.toml: extends: .*nowhere.toml"),
        (
            '"na64e-2016-2024"',
            "extends: 'na64e-2016-2024' extends 'na64e-2016-2022' itself; a base must stand alone",
        ),
    ],
)
def test_bases_that_are_refused(base: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_card(f'name = "mine"\nextends = {base}\n', "mine.toml")


def test_problems_name_the_card_and_the_base(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine.toml .with what it takes from na64e-2016. has"):
        on(BASE, "colour = 1\nfavour = 2")
    with pytest.raises(InputError, match="name: missing"):
        parse_card(f'extends = "{BASE}"', "mine.toml")
    # what is wrong in the base is told of the base
    broken = card_text(BASE).replace("energy_gev = 100.0", "energy_gev = -1.0")
    (tmp_path / "base.toml").write_text(broken, encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "mine"\nextends = "base.toml"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"extends: run card .*base.toml.*beam.energy_gev"):
        load_card(mine)


@pytest.mark.parametrize("stem", ["na64e-run4", "na64mu-run4"])
def test_scaled_backgrounds_differ_in_nothing_but_the_background(stem: str) -> None:
    free, scaled = load_card(stem), load_card(f"{stem}-scaled-background")
    assert free.setups == scaled.setups
    (old,), (new,) = free.bins, scaled.bins
    assert (old.exposure, old.efficiency) == (new.exposure, new.efficiency)
    assert old.expected_background == 0.0 < new.expected_background
