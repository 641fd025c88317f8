"""docs/spectra.md: its card and commands run, a sample of its tables is what the code gives."""

from __future__ import annotations

import json
import re
import shlex
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from na64.limits.cli.entry import cli
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "spectra.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> Any:
    loader = SourceFileLoader("tables", str(ROOT / "scripts" / "make_spectrum_tables"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def rows(name: str) -> list[list[str]]:
    """The lines of a table below its header."""
    found = re.search(rf"<!-- begin: {name} -->\n(.*?)\n<!-- end: {name} -->", PAGE, re.DOTALL)
    assert found is not None
    lines = found[1].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def numbers(name: str, *words: str) -> list[float]:
    """What a row that begins with some words has at the masses of the page."""
    (row,) = (row for row in rows(name) if tuple(row[: len(words)]) == words)
    return [float(cell) for cell in row[len(words) :]]


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    card, commands = (
        re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) for language in ("toml", "sh")
    )
    assert card is not None
    assert commands is not None
    Path("divided.toml").write_text(card[1], encoding="utf-8")
    for line in commands[1].splitlines():
        done = CliRunner().invoke(cli, shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}: {done.output}"
    made = json.loads(Path("divided-workspace.json").read_text(encoding="utf-8"))
    assert made["observations"] == [{"name": "2022", "data": [0] * 5}]
    assert not json.loads(Path("divided.json").read_text(encoding="utf-8"))["expected_only"]


def test_a_sample_of_the_gains(script: Any) -> None:
    masses = script.MASSES[[0, 3]]
    for events, words, assumed in (
        (10.0, "known", {}),
        (100.0, "50 %, each 30 %", {"whole": script.WHOLE, "each": script.EACH}),
    ):
        documented = np.array(numbers("gains", f"{events:g}", words))[[0, 3]]
        # three digits are written
        np.testing.assert_allclose(script.gain(events, masses, **assumed), documented, rtol=6e-3)
    few = script.gain(1.0, masses[1:])
    np.testing.assert_allclose(few, numbers("gains", "1", "known")[3], rtol=6e-3)


def test_a_sample_of_the_cuts(script: Any) -> None:
    best, where = script.best_cut(10.0, script.MASSES[[3]], falling=True, cuts=(50.0, 55.0, 60.0))
    np.testing.assert_allclose(best, numbers("cuts", "10", "falling", "best cut")[3], rtol=6e-3)
    assert where == [numbers("cuts", "10", "falling", "at [GeV]")[3]]


def test_the_signal_is_where_the_page_says(script: Any) -> None:
    found = script.shares(0.1, script.MASSES[[3]])[:, 0]
    documented = [float(row[5]) for row in rows("signal") if row[0] == "0.1"]
    np.testing.assert_allclose(documented, found, rtol=6e-3)
    resonance = numbers("signal", "", "resonance")
    np.testing.assert_allclose(resonance, script.energies(), rtol=6e-3)


def test_what_the_text_says_of_the_gains() -> None:
    assert max(numbers("gains", "0.1", "known")) < 1.001
    assert min(numbers("gains", "100", "50 %")) > max(numbers("gains", "100", "known"))
