"""docs/simulation.md runs as it stands, in one folder; its tables are recomputed in part."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from na64.workspaces.cards.reader import load_card
from na64.workspaces.cards.simulated import SimulatedEfficiency
from tests.limits.scanning.test_simulated_limits import poisson_limit, simulated_limit
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")


def test_the_page_runs(call) -> None:
    pytest.importorskip("uproot")
    printed = ""
    names = re.findall(r"^`([a-z.]+)`, ", PAGE, flags=re.MULTILINE)
    for language, block in re.findall(r"```(\w*)\n(.*?)```", PAGE, flags=re.DOTALL):
        if language in ("text", "toml") and names:
            Path(names.pop(0)).write_text(block)
        elif language == "toml":  # a line of a card
            text = Path("simulated.toml").read_text()
            head = text[: text.index("[bins.yield]")]
            old = next(line for line in head.splitlines() if line.startswith("efficiency"))
            Path("root.toml").write_text(head.replace(old, block))
        elif language == "python":
            exec(compile(block, "the page", "exec"), {})
        elif language == "sh":
            for line in block.splitlines():
                program, *words = shlex.split(line)
                assert program == "na64-limits"
                done = call(*words)
                assert done.code == 0, f"{line}: {done.err}"
                printed = done.out
        else:
            assert [line.split() for line in printed.splitlines()] == [
                line.split() for line in block.splitlines()
            ]
    (item,) = load_card("root.toml").bins
    assert isinstance(item.efficiency, SimulatedEfficiency)
    # half of the events pass; weights of 1 to 2 have 27/28 of the events of equal ones
    assert item.efficiency.at([0.01, 0.03, 0.1]) == pytest.approx([0.5] * 3, rel=0.05)
    assert item.efficiency.passed[0] == pytest.approx(2500 * 27 / 28, rel=0.05)


def test_the_table_of_few_events(tmp_path) -> None:
    rows = {
        cells[0].strip(): [cell.strip() for cell in cells[1:]]
        for line in PAGE.splitlines()
        if line.startswith("| ") and len(cells := line.strip("| ").split("|")) == 8
    }
    place = rows["events that passed"].index("4")
    assert float(rows["Poisson"][place]) == pytest.approx(poisson_limit(4), rel=5e-4)
    found = simulated_limit(tmp_path, 4, "log-normal")
    assert float(rows["`log-normal`"][place]) == pytest.approx(found, rel=5e-4)
    assert rows["`staterror`"][place] == "none"
    assert simulated_limit(tmp_path, 4, "staterror") > 1e6
