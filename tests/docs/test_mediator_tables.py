"""The tables of docs/mediators.md are those of the code."""

from __future__ import annotations

import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

import pytest

from tests.shared import ROOT


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = SourceFileLoader(
        "make_mediator_tables", str(ROOT / "scripts" / "make_mediator_tables")
    )
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def cells(text: str) -> list[str]:
    return [cell.strip() for line in text.splitlines() for cell in line.strip("|").split("|")]


# the others scan for longer and have tests of their own
@pytest.mark.parametrize(
    "name",
    [
        "branching",
        "loop",
        "kinds",
        "spin_two",
        "spin_two_dmg4",
        "gauge_bosons",
        "positrons",
        "muon_ratio",
        "preliminary",
    ],
)
def test_a_sample_is_current(script: ModuleType, name: str) -> None:
    page = (ROOT / "docs" / "mediators.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- begin: {name} -->\n(.*?)\n<!-- end: {name} -->", page, re.DOTALL)
    assert found is not None
    documented, fresh = cells(found[1]), cells(script.TABLES[name]())
    assert len(documented) == len(fresh) > 10
    for old, new in zip(documented, fresh, strict=True):
        try:
            number = float(new)
        except ValueError:
            assert old == new
        else:
            # one unit in the last of three digits
            assert float(old) == pytest.approx(number, rel=0.011)


def test_every_table_has_its_place(script: ModuleType) -> None:
    page = (ROOT / "docs" / "mediators.md").read_text(encoding="utf-8")
    for name in script.TABLES:
        body = script.marked(name).search(page)
        assert body is not None
        assert body[0].count("\n|") > 5
