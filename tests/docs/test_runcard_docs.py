"""The examples in the documentation of cards and curves are read as they stand."""

from __future__ import annotations

import dataclasses
import re
import runpy

import pytest

from na64.models.recasting.channels import FinalState, Lifetime, Production
from na64.models.response.windows import MissingEnergyWindow
from na64.workspaces.cards.reader import parse_card
from na64.workspaces.cards.topologies import TOPOLOGIES
from na64.workspaces.io.curves import available_curves, parse_curve
from na64.workspaces.pyhf.template import Template
from tests.shared import ROOT

DOCS = ROOT / "docs"


def example(file: str) -> str:
    """Return the block of TOML after the mark that a test reads it."""
    found = re.search(r"<!-- a test reads .*? -->\n```toml\n(.*?)```", _text(file), re.DOTALL)
    assert found is not None
    return found[1]


def _text(file: str) -> str:
    return (DOCS / file).read_text(encoding="utf-8")


def test_card() -> None:
    card = parse_card(example("run-cards.md"), "docs")
    assert card.setups["default"].window == MissingEnergyWindow(6.0)
    template = Template.from_card(card)
    assert template.nuisances == ("flux", "spring:background", "spring:efficiency")


def test_a_card_on_top_of_another() -> None:
    lines = re.search(
        r"<!-- a test reads these .*?```toml\n(.*?)```", _text("run-cards.md"), re.DOTALL
    )
    assert lines is not None
    card = parse_card(lines[1], "docs")
    assert len(card.bins) == 8
    assert card.used_setups == ("default", "lower")
    assert card.total_exposure == pytest.approx(2.937e12)


@pytest.mark.parametrize("name", sorted(TOPOLOGIES))
def test_every_key_of_a_window_is_documented(name: str) -> None:
    section = _text("run-cards.md").partition(f"\n`{name}`:")[2].partition("\n\n`")[0]
    for field in dataclasses.fields(TOPOLOGIES[name].window):
        assert f"`{field.name}`" in section, f"window key {field.name} of {name}"


def test_curve() -> None:
    curve = parse_curve(example("curves.md"), "docs")
    assert curve.at(0.01) == pytest.approx(4.47e-5, rel=1e-3)  # sqrt(1e-5 * 2e-4)


def test_the_table_of_curves_is_that_of_the_files() -> None:
    page = re.search(
        r"<!-- begin: curves -->\n(.*?)\n<!-- end: curves -->", _text("curves.md"), re.S
    )
    assert page is not None
    script = runpy.run_path(str(ROOT / "scripts" / "make_curve_table"))
    assert page[1] == script["table"]()
    listed = re.findall(r"^\| `([^`]+)` \|", page[1], re.MULTILINE)
    assert sorted(listed) == list(available_curves())


def test_every_process_and_final_state_is_documented() -> None:
    for name in (*Production, *FinalState, *Lifetime):
        assert f"`{name}`" in _text("curves.md"), name
