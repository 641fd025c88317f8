"""Tests of mutants: one forked process for each, in a copy of the repository."""

from __future__ import annotations

import compileall
import contextlib
import os
import py_compile
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

__all__ = ["KILLED", "SURVIVED", "TIMED_OUT", "copied", "outcome_of"]

KILLED: Final = "killed"
SURVIVED: Final = "survived"
TIMED_OUT: Final = "timed out"

#: what every test waits for, imported once; nothing of the package itself
_HEAVY: Final = (
    "numpy", "scipy.interpolate", "scipy.optimize", "scipy.special", "scipy.stats",
    "scipy.integrate", "pytest", "hypothesis", "click", "pyhf", "jsonschema", "_pytest.assertion",
)  # fmt: skip
#: exit codes of pytest for tests that passed, and for arguments that select none
_PASSED, _USAGE, _NONE = 0, 4, 5


@contextlib.contextmanager
def copied(root: Path, place: Path) -> Iterator[Path]:
    """Give a copy of the tracked files, compiled so that a changed file is always read anew."""
    folder = place / "na64-limits"
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, names):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, target, follow_symlinks=False)
    compileall.compile_dir(
        folder, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
    )
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def preload() -> None:
    """Import what tests need and no mutant changes."""
    for name in _HEAVY:
        __import__(name)


def outcome_of(
    folder: Path, module: str, source: str, arguments: Sequence[str], seconds: float
) -> tuple[str, float]:
    """Run tests with another source of a module; say what happened, and how long it took.

    Parameters
    ----------
    folder
        A copy of the repository; the module is put back afterwards.
    module
        Its path there.
    source
        What it holds meanwhile.
    arguments
        Those of pytest.
    seconds
        After which a mutant counts as caught: a loop without an end.

    Raises
    ------
    RuntimeError
        If pytest found no test to run.
    """
    path = folder / module
    original = path.read_bytes()
    path.write_text(source, encoding="utf-8")
    began = time.monotonic()
    try:
        child = os.fork()
        if child == 0:  # pragma: no cover
            _child(folder, arguments)
        code = _waited(child, seconds)
    finally:
        path.write_bytes(original)
    took = time.monotonic() - began
    if code is None:
        return TIMED_OUT, took
    if code in (_USAGE, _NONE):
        raise RuntimeError(f"pytest {' '.join(arguments)}: no tests")
    return (SURVIVED if code == _PASSED else KILLED), took


def _waited(child: int, seconds: float) -> int | None:
    """Return the exit code of a child; None, and no child, if it takes too long."""
    handle = os.pidfd_open(child)
    try:
        ended, _, _ = select.select([handle], [], [], seconds)
    finally:
        os.close(handle)
    if not ended:
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if ended else None


def _child(folder: Path, arguments: Sequence[str]) -> None:
    code: int = 1
    try:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(folder)
        sys.dont_write_bytecode = True
        # instead of an installation that may be elsewhere, in children too
        sys.path[:0] = [str(folder / ".typing"), str(folder)]
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        import pytest

        # hypothesis was imported before pytest could rewrite it
        quietly = ["-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider"]
        code = int(pytest.main(["-x", "-q", *quietly, "-p", "no:xdist", *arguments]))
    except BaseException:  # nothing but its exit code may leave a forked process
        traceback.print_exc()
    finally:
        os._exit(code)
