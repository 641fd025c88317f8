"""Sets of files: completed by the next run, or known as broken."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from na64.models.errors import ComputationError, InputError
from na64.workspaces.io import journal
from na64.workspaces.io.journal import held, journal_of, settle
from na64.workspaces.io.locks import seal, unseal
from na64.workspaces.io.writing import check_target, write_files
from scripts.faults import sets


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with sets.without_waiting():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in memory, where there is one: thousands of files come and go."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as name:
        yield Path(name, "sets")


@pytest.fixture
def broken(folder: Path) -> Path:
    """Return a folder with a set whose writer was killed between two renames."""
    sets.leave_mixed(folder)
    return folder


@pytest.mark.parametrize(
    ("error", "force", "lasting"),
    [("ENOSPC", False, False), ("EACCES", True, False), ("EIO", True, True)],
)
def test_an_error_at_every_operation(folder: Path, error: str, force: bool, lasting: bool) -> None:
    found = sets.faulty_writes(folder, error, force=force, lasting=lasting)
    assert found["refused, files as before"] > 30
    assert found["refused, completed by the next run"] >= (2 if lasting else 0)


@pytest.mark.parametrize("force", [False, True])
def test_killed_at_every_operation(folder: Path, force: bool) -> None:
    found = sets.killed_writes(folder, force=force)
    assert set(found) == {"old -> old", "old -> new", "mixed -> new", "new -> new"}
    assert found["mixed -> new"] >= 2


def test_completing_is_killed_at_every_operation(folder: Path) -> None:
    assert sets.interrupted_completions(folder)["new"] > 30


@pytest.mark.parametrize("how", ["read", "write", "check", "moved"])
def test_the_next_run_completes(
    broken: Path, how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        if how == "read":
            settle(broken / "scan.csv")  # a link to the file of the set
        elif how == "write":
            write_files({broken / "scan.json": "newest"}, force=True)
        elif how == "check":
            check_target(broken / "other" / "scan.pdf", force=True)
        else:
            broken = Path(shutil.move(broken, tmp_path / "elsewhere"))
            settle(broken / "scan.json")
    assert "a run was stopped while it wrote" in caplog.text
    assert (broken / "scan.csv").read_text() == sets.NEW["scan.csv"]
    assert (broken / "other/scan.pdf").read_text() == sets.NEW["other/scan.pdf"]
    assert not sets.hidden(broken)


def test_a_set_whose_rest_is_lost_is_known_as_broken(
    broken: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for temporary in broken.rglob(".*.part"):
        temporary.unlink()
    for _ in range(2):  # until it is written again
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            settle(broken / "scan.csv")
        assert "of an earlier run than" in caplog.text
        assert "write them again" in caplog.text
    sets.write(broken, force=True)
    caplog.clear()
    settle(broken / "scan.csv")
    assert not caplog.text
    assert not sets.hidden(broken)


def test_what_somebody_wrote_since_is_not_replaced(broken: Path) -> None:
    late = next(
        broken / name for name in sets.NAMES if (broken / name).read_text() == sets.OLD[name]
    )
    late.write_text("by hand")
    settle(broken / "scan.json")
    assert late.read_text() == "by hand"
    assert not sets.hidden(broken)


def test_journals_that_are_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    target = tmp_path / "scan.json"
    victim = tmp_path / "victim"
    victim.write_text("kept")
    entry = {"target": "victim", "temporary": "scan.json", "new": "0" * 64, "old": None}
    sealed = seal(b"na64-limits/writing/1", json.dumps({"set": "x", "files": [entry]}).encode())
    empty = seal(b"na64-limits/writing/1", b"[]")
    for content in (b"", b"garbage", sealed[:-1], sealed, empty, sealed.replace(b"/1", b"/2")):
        target.write_text("whole")
        journal_of(target).write_bytes(content)
        settle(target)
        assert sorted(os.listdir(tmp_path)) == ["scan.json", "victim"]
    assert victim.read_text() == "kept"
    journal_of(target).symlink_to("victim")  # is not followed
    settle(target)
    assert "cannot be completed" in caplog.text
    with pytest.raises(InputError, match="cannot write"):
        write_files({target: "1", tmp_path / "b": "2"}, force=True)
    assert victim.read_text() == "kept"
    assert target.read_text() == "whole"


def test_seals() -> None:
    sealed = seal(b"kind/1", b"content")
    assert bytes(unseal(b"kind/1", sealed) or b"") == b"content"
    assert unseal(b"kind/2", sealed) is None
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        assert unseal(b"kind/1", damaged) is None
        assert unseal(b"kind/1", sealed[:place]) is None


def test_two_writers_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {tmp_path / "a": "1", tmp_path / "b": "2"}
    with held(list(files)):
        monkeypatch.setattr(journal, "_PATIENCE_SECONDS", 0.05)
        with pytest.raises(ComputationError, match="another run has been writing it"):
            write_files(files)
        assert not (tmp_path / "a").exists()
        monkeypatch.setattr(journal, "_PATIENCE_SECONDS", 30.0)
        waiting = threading.Thread(target=write_files, args=(files,))
        waiting.start()
    waiting.join()
    assert (tmp_path / "a").read_text() == "1"
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
