"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from na64.models.errors import ComputationError, InputError
from na64.workspaces.io import writing


def test_writing(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    writing.write_atomic(file, "one\n")
    assert file.read_text() == "one\n"
    with pytest.raises(InputError, match=r"file exists"):
        writing.write_atomic(file, "two\n")
    assert file.read_text() == "one\n"
    writing.write_atomic(file, b"two\n", force=True)
    assert file.read_text() == "two\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_written_files_have_ordinary_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    writing.write_atomic(tmp_path / "atomic", "")
    assert stat.S_IMODE((tmp_path / "atomic").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("force", [False, True])
def test_a_failure_while_writing_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    file = tmp_path / "out.json"
    if force:
        file.write_text("old")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("link", "replace"):
        monkeypatch.setattr(os, name, full)
    with pytest.raises(ComputationError, match="No space left on device"):
        writing.write_atomic(file, "new", force=force)
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == ({"out.json": "old"} if force else {})


def test_all_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.symlink_to("nowhere")
    with pytest.raises(InputError, match=r"file exists: .*second"):
        writing.write_files({first: "1", second: "2"})
    assert os.listdir(tmp_path) == ["second"]
    second.unlink()

    def full(file: Path, data: bytes) -> None:
        if b"2" in data:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(ComputationError, match=r"second: No space left on device"):
            writing.write_files({first: "1", second: "2"})
    assert not os.listdir(tmp_path)

    link = os.link

    def appears(source: Path, target: Path) -> None:
        if target == second:
            second.write_text("of another program")
        link(source, target)

    monkeypatch.setattr(os, "link", appears)
    with pytest.raises(InputError, match=r"file exists: .*second"):
        writing.write_files({first: "1", second: "2"})
    assert os.listdir(tmp_path) == ["second"]
    assert second.read_text() == "of another program"


def test_a_check_of_targets_writes_nothing(tmp_path: Path) -> None:
    writing.check_target(tmp_path / "new")
    with pytest.raises(InputError, match=r"cannot write .*no/new"):
        writing.check_target(tmp_path / "no" / "new")
    with pytest.raises(InputError, match=r"cannot write .*too long"):
        writing.check_target(tmp_path / ("n" * 250))
    assert not os.listdir(tmp_path)


def test_writing_refuses_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        writing.write_atomic(tmp_path, "x", force=True)
    with pytest.raises(InputError, match="cannot write"):
        writing.write_atomic(tmp_path / "no" / "file", "x")
