"""The disk cache: exact, safe with two processes, unharmed by damaged files."""

from __future__ import annotations

import logging
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.workspaces.io.cache import CACHE_VARIABLE, TableCache, cache_folder, folder_problem
from na64.workspaces.io.cache_size import keep_within, parse_size, usage
from na64.workspaces.io.staging import Staged
from na64.workspaces.io.table_files import decoded, encoded

KEY: dict[str, object] = {"what": "test", "masses": [0.1, 0.2], "nested": {"a": 1}}


class Counter:
    """Computes a table and counts how often."""

    def __init__(self, factor: float = 1.0) -> None:
        self.count = 0
        self.factor = factor

    def __call__(self) -> dict[str, np.ndarray]:
        self.count += 1
        table = np.random.default_rng(1).normal(size=(3, 4)) * self.factor
        return {"table": table, "scalar": np.array(1.0 / 3.0)}


def test_computed_once(tmp_path: Path) -> None:
    compute = Counter()
    folder = tmp_path / "made" / "when" / "needed"
    first = TableCache(folder).get_or_compute(KEY, compute)
    second = TableCache(folder).get_or_compute(KEY, compute)
    assert compute.count == 1
    assert set(first) == set(second) == {"table", "scalar"}
    for name in first:
        assert first[name].dtype == second[name].dtype
        assert np.array_equal(first[name], second[name])
        assert first[name].shape == second[name].shape


def test_any_change_of_the_key_is_another_table(tmp_path: Path) -> None:
    compute = Counter()
    keys = [
        KEY,
        KEY | {"what": "other"},
        KEY | {"masses": [0.1, 0.2000001]},
        KEY | {"new": None},
    ]
    for key in keys:
        TableCache(tmp_path).get_or_compute(key, compute)
    TableCache(tmp_path, version=10**6).get_or_compute(KEY, compute)
    assert compute.count == 5
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize(
    "damage",
    ["truncated", "garbage", "empty", "flipped", "pickle", "large", "pipe", "link", "other"],
)
def test_a_damaged_file_is_computed_again(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache, compute = TableCache(tmp_path), Counter()
    good = cache.get_or_compute(KEY, compute)
    path = cache.path(KEY)
    assert path is not None
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "garbage":
        path.write_bytes(b"not a zip file at all")
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "flipped":
        place = content.index(good["table"].tobytes()[:8])
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    elif damage == "pickle":
        with path.open("wb") as stream:
            np.savez(stream, table=np.array([{"a": 1}], dtype=object))
    elif damage == "large":
        with path.open("wb") as stream:
            stream.truncate(3 << 30)  # a file with a hole, which would cost 3 GB to read
    elif damage in ("pipe", "link"):
        path.unlink()
        {"pipe": os.mkfifo, "link": lambda name: os.symlink("x", name)}[damage](path)
    else:
        path.write_bytes(encoded("another key", {"table": np.ones(3)}))
    with caplog.at_level(logging.WARNING):
        again = cache.get_or_compute(KEY, compute)
    assert compute.count == 2
    assert np.array_equal(again["table"], good["table"])
    assert "computed again" in caplog.text
    assert "allow_pickle" not in caplog.text  # advice of numpy that does not help here
    assert path.read_bytes() == content
    caplog.clear()
    cache.get_or_compute(KEY, compute)
    assert compute.count == 2
    assert not caplog.text


def test_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = Counter()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    for _ in range(2):
        TableCache(enabled=False).get_or_compute(KEY, compute)
    monkeypatch.setenv(CACHE_VARIABLE, "off")
    cache = TableCache()
    cache.get_or_compute(KEY, compute)
    assert compute.count == 3
    assert cache.folder is None
    assert cache.path(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "a"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    monkeypatch.setenv("HOME", str(tmp_path / "c"))
    assert cache_folder() == tmp_path / "a"
    monkeypatch.setenv(CACHE_VARIABLE, "")
    assert cache_folder() == tmp_path / "b" / "na64-limits"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / "c" / ".cache" / "na64-limits"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert TableCache().folder == tmp_path / "c" / ".cache" / "na64-limits"
    assert TableCache(tmp_path / "d").folder == tmp_path / "d"


def test_a_folder_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    compute = Counter()
    with caplog.at_level(logging.WARNING):
        tables = TableCache(blocked / "cache").get_or_compute(KEY, compute)
    assert tables["table"].shape == (3, 4)
    assert f"going on without: {blocked} is not a folder" in caplog.text
    assert "damaged" not in caplog.text


def test_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    assert folder_problem(tmp_path / "new" / "one") == folder_problem(tmp_path) == ""
    assert not os.listdir(tmp_path)
    file = tmp_path / "file"
    file.touch()
    assert folder_problem(file) == folder_problem(file / "in") == f"{file} is not a folder"
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    assert folder_problem(link) == f"{link} is not a folder"
    # even the superuser makes no files there
    assert folder_problem(Path("/proc/nope")).startswith("cannot write in /proc: ")


def test_keys_must_be_plain_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write a set"):
        TableCache(tmp_path).get_or_compute({"a": {1, 2}}, Counter())
    with pytest.raises(InputError, match="nan cannot be written"):
        TableCache(tmp_path).get_or_compute({"a": float("nan")}, Counter())


def _work(folder: str, rounds: int) -> bool:
    expected = Counter()()["table"]
    for number in range(rounds):
        found = TableCache(folder).get_or_compute({"number": number % 5}, Counter())
        if not np.array_equal(found["table"], expected):
            return False
        path = TableCache(folder).path({"number": number % 5})
        if path is not None:
            path.unlink(missing_ok=True)
    return True


def test_two_processes_in_one_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        results = pool.starmap(_work, [(str(tmp_path), 100)] * 2)
    assert results == [True, True]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = TableCache(tmp_path)
    for number in range(20):
        path = cache.path({"number": number})
        assert path is not None
        path.write_bytes(b"damaged")
    with caplog.at_level(logging.WARNING):
        for number in range(20):
            cache.get_or_compute({"number": number}, Counter())
    assert len(caplog.records) == 1


def test_the_order_in_memory_is_kept() -> None:
    table = np.arange(24.0).reshape(2, 3, 4)
    tables = {
        "rows": table,
        "columns": np.asfortranarray(table),
        "number": np.array(-0.0),
        "none": np.empty((0, 3)),
        "odd": np.array([np.nan, np.inf, 5e-324]),
    }
    found = decoded("key", encoded("key", tables))
    assert found is not None
    for name, made in tables.items():
        assert found[name].tobytes() == made.tobytes()
        assert found[name].shape == made.shape
        assert found[name].flags.f_contiguous == made.flags.f_contiguous
        assert found[name].flags.aligned
        assert found[name].flags.writeable
    assert decoded("other", encoded("key", tables)) is None


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1GiB", 1 << 30), ("500 MB", 500_000_000), ("1.5kib", 1536), ("2e9", 2 * 10**9)],
)
def test_sizes(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_size(text) == size
    monkeypatch.setenv("NA64_LIMITS_CACHE_SIZE", text)
    assert TableCache().size == size
    assert TableCache(size="1kB").size == 1000


@pytest.mark.parametrize("text", ["", "-1", "GiB", "1 XB", "nan", "1e99", "1e9999", "12 34"])
def test_sizes_that_are_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"`cache_size` must be bytes such as 1GiB"):
        TableCache(size=text)
    if text:
        monkeypatch.setenv("NA64_LIMITS_CACHE_SIZE", text)
        with pytest.raises(InputError, match=r"^NA64_LIMITS_CACHE_SIZE must be"):
            TableCache()


def test_the_size_is_bounded_and_what_was_used_last_stays(tmp_path: Path) -> None:
    compute = Counter()
    one = len(encoded("0" * 64, compute()))
    cache = TableCache(tmp_path, size=10 * one)
    old = tmp_path / ("f" * 64 + ".npz")  # of a version that wrote other files
    old.write_bytes(bytes(2 * one))
    os.utime(old, (1, 1))
    mine = tmp_path / "notes.txt"
    mine.write_bytes(bytes(100 * one))
    for number in range(6):
        cache.get_or_compute({"number": number}, compute)
        path = cache.path({"number": number})
        assert path is not None
        os.utime(path, (100 + number, 100 + number))
    assert (usage(tmp_path).tables, usage(tmp_path).size) == (7, 8 * one)
    count = compute.count
    cache.get_or_compute({"number": 0}, compute)  # the oldest is used
    assert compute.count == count
    for number in range(6, 12):
        cache.get_or_compute({"number": number}, compute)
        assert usage(tmp_path).size <= 10 * one
    assert not old.exists()
    assert mine.exists()
    cache.get_or_compute({"number": 0}, compute)
    assert compute.count == count + 6
    cache.get_or_compute({"number": 1}, compute)
    assert compute.count == count + 7
    nothing = TableCache(tmp_path / "none", size=0)
    nothing.get_or_compute(KEY, compute)
    assert not (tmp_path / "none").exists()


def test_temporary_files_of_killed_runs_go(tmp_path: Path) -> None:
    cache = TableCache(tmp_path)
    path = cache.path(KEY)
    assert path is not None
    dead, living = Staged(path, path), Staged(path, path)
    for one in (dead, living):
        one.make()
    dead.leave()
    earlier = tmp_path / ("." + "0" * 64 + ".npz.abcd_123")
    earlier.touch()
    os.utime(earlier, (1, 1))
    young = tmp_path / ("." + "1" * 64 + ".npz.abcd_123")
    young.touch()
    cache.get_or_compute(KEY, Counter())
    assert set(tmp_path.iterdir()) == {path, living.path, young}
    living.release()
    keep_within(tmp_path, cache.size, path)
