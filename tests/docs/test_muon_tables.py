"""The tables of docs/muons.md are those of the code."""

from __future__ import annotations

import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

import pytest

from tests.shared import ROOT


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = SourceFileLoader("make_muon_tables", str(ROOT / "scripts" / "make_muon_tables"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def cells(text: str) -> list[str]:
    return [cell.strip() for line in text.splitlines() for cell in line.strip("|").split("|")]


# the others scan and have tests of their own
@pytest.mark.parametrize("name", ["bands", "losses", "distribution", "effect"])
def test_a_sample_is_current(script: ModuleType, name: str) -> None:
    page = (ROOT / "docs" / "muons.md").read_text(encoding="utf-8")
    found = script.marked(name).search(page)
    assert found is not None
    documented = cells("\n".join(found[0].splitlines()[1:-1]))
    fresh = cells(script.TABLES[name]())
    assert len(documented) == len(fresh) > 20
    for old, new in zip(documented, fresh, strict=True):
        number = re.fullmatch(r"([0-9.]+(?:e[+-][0-9]+)?)( %)?", new)
        if number is None:
            assert old == new
        else:
            # one unit in the last of two digits or more
            assert float(old.removesuffix(" %")) == pytest.approx(float(number[1]), rel=0.04)


def test_every_table_has_its_place(script: ModuleType) -> None:
    page = (ROOT / "docs" / "muons.md").read_text(encoding="utf-8")
    for name in script.TABLES:
        found = script.marked(name).search(page)
        assert found is not None
        assert found[0].count("\n|") > 4
