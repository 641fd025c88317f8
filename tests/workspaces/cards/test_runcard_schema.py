"""The JSON Schema of run cards says the same as the reader."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

import jsonschema
import pytest

from na64.models.errors import InputError
from na64.models.targets import BEAM_PARTICLES
from na64.workspaces.cards.reader import available_cards, card_text, load_card, parse_card
from na64.workspaces.io.jsonio import canonical_json

_FILE = resources.files("na64.workspaces") / "schemas" / "run-card-1.json"
SCHEMA = json.loads(_FILE.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_sound() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", available_cards())
def test_cards_fit(name: str) -> None:
    VALIDATOR.validate(tomllib.loads(card_text(name)))
    VALIDATOR.validate(json.loads(canonical_json(load_card(name).to_dict())))


def test_names_are_those_of_the_models() -> None:
    for properties in (
        SCHEMA["properties"],
        SCHEMA["properties"]["setups"]["additionalProperties"]["properties"],
    ):
        assert set(properties["beam"]["properties"]["particle"]["enum"]) == set(BEAM_PARTICLES)


CARD = tomllib.loads(card_text("na64e-2016-2022"))

Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.pop("name"),
        lambda card: card.pop("window"),
        lambda card: card.update(colour="blue"),
        lambda card: card.update(format=2),
        lambda card: card.update(bins=[]),
        lambda card: card["beam"].update(particle="positron"),
        lambda card: card["beam"].update(energy_gev=-1),
        lambda card: card["beam"].pop("source"),
        lambda card: card["target"].update(layers_mm={"lead": 1.0}),
        lambda card: card["target"].pop("material"),
        lambda card: card["target"].update(length_cm=1.0, length_x0=1.0),
        lambda card: card["window"].update(source=" "),
        lambda card: card["window"].update(missing_energy_gev=-1),
        lambda card: card["window"].update(decay_start_cm=100.0),
        lambda card: card["window"].pop("missing_energy_gev"),
        lambda card: card["defaults"].update(dark_sector={"ratio": 2.0}),
        lambda card: card.update(
            materials={"lead": {"density_g_cm3": 1, "z": 82, "a": 207.2, "source": "x"}}
        ),
        lambda card: card.update(materials={"own": {"z": 82, "a": 207.2, "source": "x"}}),
        lambda card: card["defaults"]["masses"].update(points=0),
        lambda card: card["bins"][0].update(name="a.b"),
        lambda card: card["bins"][0].update(exposure=1e10),
        lambda card: card["bins"][0]["exposure"].update(value=0),
        lambda card: card["bins"][0]["exposure"].update(value="1e10"),
        lambda card: card["bins"][0]["exposure"].update(uncertainty=1e9),
        lambda card: card["bins"][0]["exposure"].update(correlation="mu"),
        lambda card: card["bins"][0]["efficiency"].update(value=1.2),
        lambda card: card["bins"][0].update(
            efficiency={"masses_gev": [0.1], "values": [0.5], "source": "x"}
        ),
        lambda card: card["bins"][0].update(efficiency_correction=0.92),
        lambda card: card["bins"][0].update(efficiency_correction={"value": 0, "source": "x"}),
        lambda card: card["bins"][0].update(efficiency_correction={"value": 0.9}),
        lambda card: card.update(background_spectrum={"energies_gev": [40, 50], "source": "x"}),
        lambda card: card.update(
            background_spectrum={"energies_gev": [50], "events_below": [1], "source": "x"}
        ),
        lambda card: card.update(
            background_spectrum={"energies_gev": [40, 50], "events_below": [0, 1], "source": "x"}
        ),
        lambda card: card["bins"][0].pop("background"),
        lambda card: card["bins"][0].pop("observed"),
        lambda card: card["bins"][0]["observed"].update(value=0.5),
        lambda card: card["bins"][0]["observed"].pop("source"),
        lambda card: card.update(projection=True),
        lambda card: card["bins"][-1]["backgrounds"][0].update(name="signal_x"),
        lambda card: card["bins"][-1]["backgrounds"][0].pop("name"),
        lambda card: card.update(uncertainties=[{"name": "lumi", "source": "x"}]),
        lambda card: card.update(setups={"default": {}}),
        lambda card: card.update(setups={"low": {"beam": {"energy_gev": 60}}}),
    ],
)
def test_what_the_reader_refuses_does_not_fit(change: Change) -> None:
    card = copy.deepcopy(CARD)
    change(card)
    assert not VALIDATOR.is_valid(card)
    with pytest.raises(InputError):
        parse_card(canonical_json(card), "test", json=True)
