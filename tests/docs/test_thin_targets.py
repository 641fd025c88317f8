"""docs/thin-targets.md: its commands and its Python run, its tables are what the code gives."""

from __future__ import annotations

import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from typing import Any

import numpy as np
import pytest

from tests.shared import ROOT

PAGE = (ROOT / "docs" / "thin-targets.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


def test_the_python_runs() -> None:
    names: dict[str, Any] = {}
    exec(block("python"), names)
    assert names["per_x0"].shape == (2,)
    assert np.all(names["density"] > 0.0)


@pytest.mark.parametrize("name", ["kick", "projection"])
def test_the_tables_are_current(name: str) -> None:
    loader = SourceFileLoader("tables", str(ROOT / "scripts" / "make_thin_target_tables"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    script = module_from_spec(spec)
    loader.exec_module(script)
    found = re.search(rf"<!-- begin: {name} -->\n(.*?)\n<!-- end: {name} -->", PAGE, re.DOTALL)
    assert found is not None
    documented, fresh = (
        [cell.strip() for line in text.splitlines() for cell in line.strip("|").split("|")]
        for text in (found[1], script.TABLES[name]())
    )
    assert len(documented) == len(fresh) > 50
    for old, new in zip(documented, fresh, strict=True):
        try:
            number = float(new)
        except ValueError:
            assert old == new
        else:
            # one unit in the last of three digits
            assert float(old) == pytest.approx(number, rel=0.011)
