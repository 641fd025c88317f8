"""What follows from the declarations of keys: schema, tables of the documentation, blank cards."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

import pytest

from na64.models.declaration import declared
from na64.models.errors import InputError
from na64.models.targets import Beam
from na64.workspaces.cards.bins import Bin
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.materials import MaterialTable, TargetTable
from na64.workspaces.cards.reader import available_cards, load_card, parse_card
from na64.workspaces.cards.reference import blank_card
from na64.workspaces.cards.setups import setup_tables
from na64.workspaces.cards.topologies import TOPOLOGIES
from na64.workspaces.io.toml import toml_text
from na64.workspaces.pyhf.template import Template
from tests.shared import ROOT


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "make_card_reference"
    spec = spec_from_loader(path.name, SourceFileLoader(path.name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_schema_is_that_of_the_declarations(script: ModuleType) -> None:
    assert script.SCHEMA.read_text(encoding="utf-8") == script.schema_text()


def test_the_tables_of_keys_are_those_of_the_declarations(script: ModuleType) -> None:
    text = script.DOCUMENT.read_text(encoding="utf-8")
    assert text.count(script.BEGIN) == text.count(script.END) == 1
    assert text == script.document_text(text)


@pytest.mark.parametrize("topology", sorted(TOPOLOGIES))
def test_a_blank_card_is_sound_and_shows_every_key(topology: str) -> None:
    text = blank_card(topology)
    card = parse_card(text, "blank")
    row = TOPOLOGIES[topology]
    assert (card.topology, card.model) == (topology, row.model)
    assert [item.region for item in card.bins] == list(row.regions)
    assert len(Template.from_card(card).digest) == 64
    for cls in (RunCard, Bin, MaterialTable, *setup_tables(row).values()):
        for item in declared(cls):
            shown = (item.name, *([item.key.other.name] if item.key.other else []))
            assert all(name in text for name in shown), item.name
    assert max(map(len, text.splitlines())) <= 120


def test_a_blank_card_of_nothing() -> None:
    with pytest.raises(InputError, match=r"unknown topology 'muons'.*did you mean 'muon'"):
        blank_card("muons")


def test_every_key_is_explained() -> None:
    classes = (RunCard, Bin, MaterialTable, TargetTable, Beam)
    for cls in (*classes, *(row.window for row in TOPOLOGIES.values())):
        for item in declared(cls):
            assert item.key.help or item.name == "tables", f"{cls.__name__}.{item.name}"


@pytest.mark.parametrize("name", available_cards())
def test_a_card_written_as_toml_is_the_same_card(name: str) -> None:
    card = load_card(name)
    assert parse_card(toml_text(card.to_dict()), "again").digest == card.digest


@pytest.mark.parametrize("topology", sorted(TOPOLOGIES))
def test_defaults_may_be_left_out(topology: str) -> None:
    text = blank_card(topology)
    head, _, rest = text.partition("[defaults]")
    bare = parse_card(head + "[beam]" + rest.partition("[beam]")[2], "bare")
    row = TOPOLOGIES[topology]
    assert bare.model == row.model
    assert (bare.masses.low_gev, bare.masses.high_gev, bare.masses.points) == row.masses
    assert bare.defaults.dark_sector == {}


def test_the_dark_sector_of_a_card() -> None:
    text = blank_card("missing-energy").replace(
        "[defaults]", '[defaults]\ndark_sector = { dark_matter = "scalar", ratio = 4 }'
    )
    card = parse_card(text, "test")
    assert card.defaults.dark_sector == {"dark_matter": "scalar", "ratio": 4.0}
    assert card.to_dict()["defaults"]["dark_sector"] == card.defaults.dark_sector  # type: ignore[index]
    for old, new, message in (
        ("ratio = 4", "ratio = 2", "defaults.dark_sector.ratio: must be above 2, is 2"),
        ('"scalar"', '"skalar"', "did you mean 'scalar'"),
        ("ratio = 4", "splitting = 0.1", "a mass splitting is for pseudo-dirac"),
        ("ratio = 4", "rato = 4", "did you mean 'ratio'"),
    ):
        with pytest.raises(InputError, match=message):
            parse_card(text.replace(old, new), "test")
