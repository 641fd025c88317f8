"""Sets of files under faults: all old, all new, or known to the next run as broken."""

from __future__ import annotations

import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from na64.models.errors import ComputationError, InputError
from na64.workspaces.io.journal import settle
from na64.workspaces.io.writing import write_files
from scripts.faults.injection import ERRORS, Fault, Killed, each_operation

__all__ = ["NAMES", "faulty_writes", "interrupted_completions", "killed_writes", "state_of"]

#: files of a set: two in one folder and one in another, one of them behind a link
NAMES: Final = ("scan.json", "scan.csv", "other/scan.pdf")
OLD: Final = {name: f"old {name}\n" * 50 for name in NAMES}
NEW: Final = {name: f"new {name}\n" * 80 for name in NAMES}


def prepare(folder: Path, *, force: bool) -> None:
    """Make an empty folder, with the old files if they are to be replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "other").mkdir(parents=True)
    (folder / "behind").mkdir()
    if force:
        for name, content in OLD.items():
            (folder / name).write_text(content)
        (folder / "scan.csv").rename(folder / "behind" / "table.csv")
        (folder / "scan.csv").symlink_to("behind/table.csv")


def state_of(folder: Path, *, force: bool, contents: Mapping[str, str] = NEW) -> str:
    """Say of a set whether it is ``old``, ``new`` or ``mixed``; ``torn`` if a file is neither."""
    states = set()
    for name in NAMES:
        file = folder / name
        found = file.read_text() if file.exists() else None
        if found == contents[name]:
            states.add("new")
        elif found == (OLD[name] if force else None):
            states.add("old")
        else:
            return "torn"
    return states.pop() if len(states) == 1 else "mixed"


def hidden(folder: Path) -> list[str]:
    """Return what lies about: temporary files and journals."""
    return sorted(path.name for path in folder.rglob(".*"))


def write(folder: Path, *, force: bool) -> None:
    """Write the new set."""
    write_files({folder / name: content for name, content in NEW.items()}, force=force)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Do not wait for the disk: nobody pulls a plug here, and the wait is most of the time."""
    true = os.fsync
    os.fsync = lambda fd: None
    try:
        yield
    finally:
        os.fsync = true


@contextmanager
def log() -> Iterator[list[str]]:
    """Collect the warnings of the package."""
    said: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, handler = logging.getLogger("na64"), Handler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


def faulty_writes(folder: Path, error: str, *, force: bool, lasting: bool) -> Counter[str]:
    """Let every operation of writing a set fail once, or from one on; count the outcomes.

    Raises
    ------
    AssertionError
        For files that are torn, a set that is mixed and not known to be, an error that is none of
        the package's, a success with old files, and what lies about after the next run.
    """
    outcomes: Counter[str] = Counter()
    for fault in each_operation(ERRORS[error], lasting=lasting):
        prepare(folder, force=force)
        with log() as said:
            failure = _write_with(folder, fault, force=force)
        state, what = state_of(folder, force=force), f"{error} at {fault.hit} {fault.number}"
        left = hidden(folder)
        assert state != "torn", what
        if failure is None:
            assert state == "new", what
            assert not left or said, f"{what}: {left} without a word"
            outcomes["done" if not said else "done, with a note"] += 1
        elif state == "mixed":
            assert "completes the others" in failure, f"{what}: {failure}"
            assert _completed(folder, force=force) == "new", what
            outcomes["refused, completed by the next run"] += 1
        elif state == "new":
            raise AssertionError(f"{what}: refused ({failure}), and yet written")
        else:
            assert not left or lasting, f"{what}: {left}"
            outcomes["refused, files as before"] += 1
        _clean_after(folder, what)
    return outcomes


def _write_with(folder: Path, fault: Fault, *, force: bool) -> str | None:
    """Write a set under a fault; return what the package said of it, None for success."""
    try:
        with fault.injected():
            write(folder, force=force)
    except (InputError, ComputationError) as error:
        return " ".join(str(error).splitlines())
    return None


def _completed(folder: Path, *, force: bool) -> str:
    settle(folder / NAMES[0])
    return state_of(folder, force=force)


def _clean_after(folder: Path, what: str) -> None:
    """Write the set again: whatever was left has to be gone then."""
    with log():
        write(folder, force=True)
    assert state_of(folder, force=True) == "new", what
    assert not hidden(folder), f"{what}: {hidden(folder)}"


def killed_writes(folder: Path, *, force: bool) -> Counter[str]:
    """Kill the writer of a set at every operation; the next reader of any file completes it."""
    outcomes: Counter[str] = Counter()
    for fault in each_operation(None):
        name = NAMES[fault.number % len(NAMES)]
        prepare(folder, force=force)
        try:
            with fault.injected():
                write(folder, force=force)
        except Killed:
            pass
        before = state_of(folder, force=force)
        with log() as said:
            settle(folder / name)
        after, what = state_of(folder, force=force), f"killed at {fault.hit} {fault.number}"
        assert after in ("old", "new"), what
        assert before in (after, "mixed") or said, what
        assert before != "mixed" or any("completed now" in line for line in said), what
        outcomes[f"{before} -> {after}"] += 1
        _clean_after(folder, what)
    return outcomes


def interrupted_completions(folder: Path) -> Counter[str]:
    """Kill a writer between its renames, and whoever completes the set at every operation."""
    outcomes: Counter[str] = Counter()
    for fault in each_operation(None):
        leave_mixed(folder)
        with log():
            try:
                with fault.injected():
                    settle(folder / NAMES[0])
            except Killed:
                pass
            settle(folder / NAMES[1])
        what = f"completion killed at {fault.hit} {fault.number}"
        assert state_of(folder, force=True) == "new", what
        outcomes["new"] += 1
        _clean_after(folder, what)
    return outcomes


def leave_mixed(folder: Path) -> None:
    """Kill a writer after some of its files have their names, and not all."""
    prepare(folder, force=True)
    try:
        with Fault(len(NAMES), None, only="replace").injected():
            write(folder, force=True)
    except Killed:
        pass
    assert state_of(folder, force=True) == "mixed"


if os.name != "posix":  # pragma: no cover - the package locks files as POSIX systems do
    raise ImportError("faults are injected on POSIX systems only")
