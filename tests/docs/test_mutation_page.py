"""docs/mutation.md: its sums, its reasons, and mutants of a few lines made again."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from scripts.mutation.page import reasons, tables
from scripts.mutation.plan import MODULES, OPERATORS, Mutant, mutants_of, sample
from scripts.mutation.running import KILLED, SURVIVED, outcome_of
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
SOURCE = '''"""A module."""
from typing import Final
_LIMIT: Final[int | None] = 2

def positive(x: int | None = None) -> bool:
    """Say so."""
    return x is not None and x > 0

def pairs(a, b):
    return list(zip(a, b, strict=True))
'''


def test_rows_add_up_and_nine_of_ten_are_killed() -> None:
    cells = r"\| `?([\w/.]+)`? \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) % \|"
    rows = {name: [int(x) for x in rest] for name, *rest in re.findall(cells, PAGE)}
    total = rows.pop("all")
    assert list(rows) == list(MODULES)
    assert [sum(column) for column in list(zip(*rows.values(), strict=True))[:5]] == total[:5]
    for mutants, number, killed, survived, same, rate in [*rows.values(), total]:
        assert killed + survived == number <= mutants
        assert same <= survived
        assert rate == round(100 * killed / number)
    assert total[2] >= 0.9 * total[1]
    for module, arguments in MODULES.items():
        assert (ROOT / module).is_file()
        assert (ROOT / arguments[0]).exists()


def test_reasons_are_of_lines_that_are_there() -> None:
    for module, before, after in reasons():
        assert module in MODULES
        lines = [line.strip() for line in (ROOT / module).read_text().splitlines()]
        assert before in lines
        assert before != after


def test_tables_name_what_survived() -> None:
    row = {
        "mutants": 9,
        "tested": [
            {"line": 1, "before": "a | b", "after": "a & b", "outcome": SURVIVED},
            {"line": 2, "before": "c", "after": "d", "outcome": KILLED},
        ],
    }
    text = tables(dict.fromkeys(MODULES, row))
    assert f"| all | {9 * len(MODULES)} | {2 * len(MODULES)} | {len(MODULES)} |" in text
    assert r"`a \| b` | `a & b` | not equivalent: no test notices |" in text


def test_mutants_are_changes_of_what_is_computed() -> None:
    pytest.importorskip("cosmic_ray", reason="the extra [mutation]")
    found = list(mutants_of("m.py", SOURCE))
    changes = {(one.before, one.after) for one in found}
    assert ("_LIMIT: Final[int | None] = 2", "_LIMIT: Final[int | None] = 3") in changes
    assert ("return x is not None and x > 0", "return x is not None or x > 0") in changes
    assert ("return x is not None and x > 0", "return x is not None and x >= 0") in changes
    # neither annotations nor strict= count
    assert not [one for one in found if "strict=False" in one.source or "&" in one.source]
    assert sample("m.py", found, 3) == sample("m.py", found, 3)
    assert len(sample("m.py", found, 3)) == 3
    assert sample("m.py", found, 99) == found
    assert len(set(OPERATORS)) == len(OPERATORS)
    assert all(isinstance(one, Mutant) for one in found)


@pytest.mark.skipif(sys.platform != "linux", reason="a forked process is waited for by its handle")
def test_a_mutant_is_killed_by_a_test_that_fails(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(SOURCE)
    (tmp_path / "test_m.py").write_text(
        "from m import positive\n\ndef test_it():\n    assert not positive(0)\n"
    )
    same = outcome_of(tmp_path, "m.py", SOURCE, ["test_m.py"], 60.0)
    other = outcome_of(tmp_path, "m.py", SOURCE.replace("x > 0", "x >= 0"), ["test_m.py"], 60.0)
    assert (same[0], other[0]) == (SURVIVED, KILLED)
    assert (tmp_path / "m.py").read_text() == SOURCE
    with pytest.raises(RuntimeError, match="no tests"):
        outcome_of(tmp_path, "m.py", SOURCE, ["test_m.py", "-k", "none"], 60.0)
