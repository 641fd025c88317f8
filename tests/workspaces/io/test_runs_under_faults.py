"""Real processes killed, out of disk and side by side; damaged files in the cache."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from na64.limits import scan
from na64.workspaces.io.cache import TableCache
from scripts.faults import damage, runs
from scripts.faults.table import BEGIN, END, EXPERIMENTS, replaced_rows, title_of, titles
from tests.shared import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as name:
        yield Path(name, "work")


def test_killed_at_random_moments(folder: Path) -> None:
    assert runs.killed_writers(folder, 4, seed=11).total() == 4


def test_several_writers_of_one_set(folder: Path) -> None:
    assert runs.several_writers(folder, processes=3, rounds=1) == {"one set": 1}


def test_full_disks(folder: Path) -> None:
    # none of the new files fits; some do; all do
    found = runs.full_disks(folder, [0, 40_000, 10_000_000])
    assert found == {"refused, files as before": 2, "done": 1}


def test_damaged_tables(folder: Path) -> None:
    store = TableCache(folder / "sound")
    chance = np.random.default_rng(3)
    kept = []
    for count in (1, 40, 2300):
        key = {"count": count}
        tables = {"rates": chance.normal(size=(count, 1)), "grid": np.arange(2.0)}
        store.get_or_compute(key, lambda tables=tables: tables)  # type: ignore[misc]
        path = store.path(key)
        assert path is not None
        kept.append(damage.Kept(key, tables, path.read_bytes()))
    found = damage.attack(folder / "damaged", kept, 2000, seed=7)
    assert found.total() == 2000
    assert not [outcome for outcome in found if outcome[1] == "WRONG"]
    assert sum(found[kind, "computed anew"] for kind in damage.KINDS) > 1900


def test_a_flipped_bit_changes_no_limit(folder: Path) -> None:
    search = ("na64e-visible-2017-2018", "dark-photon", (0.005,))
    name, model, masses = search
    kept = damage.record(folder, (search,))
    sound = scan(name, model=model, masses_gev=masses, tables=TableCache(folder))
    files = sorted(folder.iterdir())
    assert len(files) == len(kept)
    for file in files:
        content = bytearray(file.read_bytes())
        content[min(11220, len(content) - 3)] ^= 1 << 4
        file.write_bytes(content)
    again = scan(name, model=model, masses_gev=masses, tables=TableCache(folder))
    assert again.to_json() == sound.to_json()
    assert sorted(item.data for item in kept) == sorted(file.read_bytes() for file in files)


def test_the_page_has_every_attack() -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    rows = text[text.index(BEGIN) : text.index(END)].splitlines()
    found = [title_of(row) for row in rows if row.startswith("| ")][1:]
    assert found == titles()
    assert "WRONG" not in text
    assert len(EXPERIMENTS) > 10


def test_rows_are_replaced_by_their_titles() -> None:
    first, second = titles()[0], titles()[3]
    page = f"a\n{BEGIN}\n{END}\nb"
    page = replaced_rows(page, [f"| {second} | 1 | x |"])
    page = replaced_rows(page, [f"| {first} | 2 | y |", f"| {second} | 3 | z |"])
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert rows[1:] == [f"| {first} | 2 | y |", f"| {second} | 3 | z |"]
    with pytest.raises(ValueError, match="no table"):
        replaced_rows("a page", [])
