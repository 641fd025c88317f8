"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import logging
import os
import stat
from pathlib import Path

import pytest

from na64.models.errors import ComputationError, InputError
from na64.workspaces.io import writing
from na64.workspaces.io.staging import Staged, sweep


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

    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if bytes(data) == b"2":
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
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


def test_links_are_followed_and_modes_kept(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    behind = tmp_path / "elsewhere" / "kept.json"
    behind.write_text("old")
    behind.chmod(0o640)
    link = tmp_path / "scan.json"
    link.symlink_to("elsewhere/kept.json")
    writing.write_atomic(link, "new", force=True)
    assert link.is_symlink()
    assert behind.read_text() == "new"
    assert stat.S_IMODE(behind.stat().st_mode) == 0o640
    to_come = tmp_path / "later.json"
    to_come.symlink_to("elsewhere/later.json")
    writing.write_atomic(to_come, "new", force=True)
    assert (tmp_path / "elsewhere" / "later.json").read_text() == "new"
    assert to_come.is_symlink()
    with pytest.raises(InputError, match="named twice"):
        writing.write_files({link: "1", behind: "2"}, force=True)
    circle = tmp_path / "circle"
    circle.symlink_to("circle")
    with pytest.raises(InputError, match=r"cannot write .*circle"):
        writing.write_atomic(circle, "new", force=True)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no ordinary file"):
        writing.write_atomic(tmp_path / "pipe", "new", force=True)


def test_file_systems_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", none)
    file = tmp_path / "file"
    writing.write_atomic(file, "new")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) != 0o600
    staged = Staged(file, file)
    staged.make()
    with pytest.raises(InputError, match="file exists"):
        staged.take_name(replace=False)
    assert not staged.release()
    assert os.listdir(tmp_path) == ["file"]


def test_what_killed_runs_left_goes_and_what_others_write_stays(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    dead, living, other = Staged(file, file), Staged(file, file), Staged(tmp_path / "out", file)
    for one in (dead, living, other):
        one.make()
    dead.leave()
    foreign = dead.path.with_name(".out.json." + "f" * 16 + ".part")
    foreign.touch()
    not_ours = tmp_path / ".out.json.swp"
    not_ours.touch()
    writing.write_atomic(file, "new")
    assert not dead.path.exists()
    assert living.path.exists()
    assert other.path.exists()
    assert foreign.exists()  # of another machine, whose locks need not be seen here
    assert not_ours.exists()
    os.utime(foreign, (0, 0))
    other.leave()
    assert sweep(tmp_path, lambda name: name == "out.json")[0] == 1
    assert other.path.exists()
    assert not foreign.exists()
    living.take_name(replace=True)  # nobody took it away


def test_clean_up_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unlink = os.unlink

    def refuse(path: str, **kwargs: object) -> None:
        if str(path).endswith((".part", ".writing")):
            raise OSError(errno.EIO, "Input/output error")
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse)
    with caplog.at_level(logging.WARNING):
        writing.write_files({tmp_path / "a": "1", tmp_path / "b": "2"})
    assert (tmp_path / "a").read_text() + (tmp_path / "b").read_text() == "12"
    assert "written; what was needed for it could not be removed" in caplog.text
    monkeypatch.undo()
    caplog.clear()
    writing.write_files({tmp_path / "a": "3", tmp_path / "b": "4"}, force=True)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    assert not caplog.text


def test_an_interrupt_between_names_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, count = os.replace, 0

    def interrupted(source: Path, target: Path) -> None:
        nonlocal count
        count += 1
        replace(source, target)
        if count == 1:
            raise KeyboardInterrupt

    for name in ("a", "b"):
        (tmp_path / name).write_text("old")
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writing.write_files({tmp_path / "a": "1", tmp_path / "b": "2"}, force=True)
    assert (tmp_path / "a").read_text() + (tmp_path / "b").read_text() == "12"
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_interrupted_twice_after_the_last_name_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, count = Staged.take_name, 0

    def interrupted(self: Staged, *, replace: bool) -> None:
        nonlocal count
        take(self, replace=replace)
        count += 1
        raise KeyboardInterrupt

    monkeypatch.setattr(Staged, "take_name", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writing.write_atomic(tmp_path / "a", "1")
    assert count == 2
    assert {name: (tmp_path / name).read_text() for name in os.listdir(tmp_path)} == {"a": "1"}
