"""docs/gallery.md: every figure has a small picture; a sample of its tables is current."""

from __future__ import annotations

import re
import shlex
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from na64.limits.programme.reader import available_figures
from na64.workspaces.io.cache import TableCache
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs" / "figures" / "gallery"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "make_gallery"
    spec = spec_from_loader("make_gallery", SourceFileLoader("make_gallery", str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_figure_has_its_picture_and_no_other() -> None:
    shown = re.findall(r"\]\(figures/gallery/(.*?)\.png\)", PAGE)
    assert shown == list(available_figures())
    assert sorted(path.stem for path in PICTURES.iterdir()) == shown
    for path in PICTURES.iterdir():
        assert path.stat().st_size < 200_000, path.name


def test_the_commands_run(call: Any) -> None:
    (block,) = re.findall(r"<!-- a test runs these commands -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines():
        program, *words = shlex.split(line, comments=True)
        assert program == "na64-limits"
        target = words[words.index(">") + 1] if ">" in words else None
        done = call(*(words[: words.index(">")] if target else words))
        assert done.code == 0, f"{line}: {done.err}"
        if target:
            Path(target).write_text(done.out)
    assert {path.suffix for path in Path().iterdir()} == {".pdf", ".png", ".toml"}


@pytest.mark.parametrize("name", ["kaons", "mesons", "na64mu"])
def test_sample_of_the_page(script: ModuleType, name: str) -> None:
    """The section is what the script writes, numbers as printed: two digits behind the point."""
    assert script.section(name, TableCache()) in PAGE
