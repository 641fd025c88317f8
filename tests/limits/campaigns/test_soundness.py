"""A damaged store: no wrong row, nothing lost without a word, and what is damaged is mended."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from na64.limits.campaigns.running import Resources, begin, go_on
from na64.limits.campaigns.store import FILE, Store
from na64.limits.campaigns.table import collect
from na64.limits.scanning.engine import LOST
from na64.models.errors import InputError

TEXT = """
format = 1
name = "small"
[base]
search = "na64mu-2022"
masses = "0.05"
method = "asymptotic"
[[axes]]
confidence_level = [0.68, 0.8, 0.9, 0.95]
"""


class Here(Executor):
    """This process, as one processor."""

    lost = LOST

    def submit(self, fn: Any, /, *args: Any, **_kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        return future

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        yield self

    def count(self) -> int:
        return 1


def rows(folder: Path) -> list[tuple[Any, ...]]:
    with Store(folder) as store:
        return [tuple(row) for row in collect(store).table.rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("campaigns") / "whole"
    begin(TEXT, "small.toml", folder, Resources(Here()))
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def changed(folder: Path, statement: str) -> None:
    base = sqlite3.connect(folder / FILE, isolation_level=None)
    base.execute(statement)
    base.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET content = x'00' WHERE rowid = 1",
        "UPDATE documents SET digest = 'x' || substr(digest, 2) WHERE rowid = 1",
        "DELETE FROM documents WHERE rowid = 1",
        "UPDATE tasks SET state = 'dome' WHERE id = 1",
    ],
    ids=["content", "digest", "missing", "state"],
)
def test_what_is_damaged_or_missing_is_computed_again(
    whole: Path, copy: Path, statement: str, caplog: pytest.LogCaptureFixture
) -> None:
    changed(copy, statement)
    counts = go_on(copy, Resources(Here()))
    assert (counts.done, counts.to_do) == (4, 0)
    assert rows(copy) == rows(whole)
    assert ("1 document damaged, computed again" in caplog.text) == ("content" in statement)


def test_a_damaged_document_is_told_with_what_to_do(copy: Path) -> None:
    changed(copy, "UPDATE documents SET content = x'00' WHERE rowid = 1")
    with pytest.raises(InputError, match=r"is damaged.*resuming the campaign computes it again"):
        rows(copy)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE points SET axes = replace(axes, '0.9', '0.7') WHERE number = 2",
        "UPDATE points SET number = 9 WHERE number = 2",
        "UPDATE points SET refused = 'so' WHERE number = 2",
        "UPDATE tasks SET point = 9 WHERE point = 2",
        "UPDATE tasks SET digest = (SELECT digest FROM tasks WHERE point = 1) WHERE point = 2",
        "UPDATE head SET value = 'other' WHERE key = 'name'",
        "UPDATE tasks SET payload = x'00' WHERE point = 2",
        "UPDATE head SET value = x'00' WHERE key = 'dictionary'",
        "UPDATE points SET axes = CAST(x'ff' AS TEXT) WHERE number = 2",
    ],
)
def test_of_a_damaged_plan_nothing_is_guessed(whole: Path, copy: Path, statement: str) -> None:
    """It is told; the file run anew keeps what is whole."""
    changed(copy, statement)
    for ask in (rows, lambda folder: go_on(folder, Resources(Here()))):
        with pytest.raises(InputError, match="what was planned is damaged; run the file"):
            ask(copy)
    if "'name'" not in statement:
        counts = begin(TEXT, "small.toml", copy, Resources(Here()), replan=True)
        assert counts.done == 4
        assert rows(copy) == rows(whole)


def test_no_flipped_bit_changes_a_row(whole: Path, copy: Path) -> None:
    """Read as it is: the same row, a row that is to do, or an error of the file."""
    sound, content = rows(whole), (whole / FILE).read_bytes()
    numbers = random.Random(1)
    refused = 0
    for _ in range(300):
        broken = bytearray(content)
        broken[numbers.randrange(len(broken))] ^= 1 << numbers.randrange(8)
        (copy / FILE).write_bytes(broken)
        try:
            found = rows(copy)
        except InputError:
            refused += 1
            continue
        assert len(found) == len(sound)
        for row, right in zip(found, sound, strict=True):
            assert row[1] == "to-do" or row == right
    assert refused > 10
