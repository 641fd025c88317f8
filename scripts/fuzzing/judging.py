"""What a program may do with any input: refuse it in words, or answer, in a bounded time."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from na64.limits.cli.entry import run
from na64.models.errors import ComputationError, InputError

__all__ = ["Verdict", "judge_command", "judge_reading"]

#: processor time and waiting after which an input counts as one that hangs
CPU_SECONDS: Final = 30.0
WAIT_SECONDS: Final = 240.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one input.

    Attributes
    ----------
    outcome
        ``read`` or ``done``, ``refused``, ``failed`` for a computation that says so; else a fault.
    fault
        What is wrong, the same words for the same cause; empty if nothing is.
    details
        The traceback, or what was said.
    """

    outcome: str
    fault: str = ""
    details: str = ""


class _Hanging(BaseException):
    """Raised by the alarm; nothing catches it."""


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise _Hanging

    handlers = {kind: signal.signal(kind, ring) for kind in (signal.SIGVTALRM, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, WAIT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        for kind, handler in handlers.items():
            signal.signal(kind, handler)


def _fault(error: BaseException) -> str:
    """Name a cause: the type of an error and the last place in this project that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _own(frame.filename)] or frames[-1:]
    place = f"{Path(own[-1].filename).name}:{own[-1].name}" if own else "nowhere"
    return f"{type(error).__name__} in {place}"


def _own(name: str) -> bool:
    parts = Path(name).parts
    return "site-packages" not in parts and bool({"limits", "workspaces", "models"} & set(parts))


def judge_reading(read: Callable[[bytes], object], content: bytes) -> Verdict:
    """Judge what a reader does with the bytes of a file.

    It may return, or raise `InputError` with a message in text, of at most a screen.
    """
    try:
        with _alarm(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(content)
    except InputError as error:
        return _message(str(error), "refused")
    except ComputationError as error:
        return _message(str(error), "failed")
    except _Hanging as error:
        return Verdict("hangs", f"hangs, {_fault(error)}", traceback.format_exc())
    except MemoryError as error:
        return Verdict("memory", f"memory, {_fault(error)}", traceback.format_exc())
    except Exception as error:  # whatever else comes out of the program is a finding
        return Verdict("internal error", _fault(error), traceback.format_exc())
    return Verdict("read")


def _message(text: str, outcome: str) -> Verdict:
    if not text.strip():
        return Verdict(outcome, "an error without words", repr(text))
    return Verdict(outcome)


@contextlib.contextmanager
def _streams(stdin: bytes) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Stand in for the three streams of a process."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield out, err
    finally:
        sys.stdin = before


def judge_command(words: list[str], stdin: bytes = b"") -> Verdict:
    """Judge what one command line does in the present folder.

    Exit code 0 or 3 with no line ``error:``, or 1 or 2 with one and no new file; never a
    traceback or an "internal error", and no temporary file left.
    """
    files = _files()
    arguments = sys.argv
    sys.argv = ["na64-limits", *words]
    try:
        with _streams(stdin) as (_out, err), _alarm(), warnings.catch_warnings():
            code = run(words)
    except _Hanging as error:
        return Verdict("hangs", f"{words[0]}: hangs, {_fault(error)}", traceback.format_exc())
    except BaseException as error:  # and so is what ends a process, SystemExit among them
        return Verdict("internal error", f"{words[0]}: {_fault(error)}", traceback.format_exc())
    finally:
        sys.argv = arguments
    return _judged(words, code, err.getvalue(), _files() - files)


def _files() -> set[str]:
    return {
        os.path.join(folder, name) for folder, _folders, names in os.walk(".") for name in names
    }


def _judged(words: list[str], code: int, said: str, new: set[str]) -> Verdict:
    lines = said.splitlines()
    problem = ""
    if "internal error" in said:
        problem = next(line for line in lines if "internal error" in line)
    elif "Traceback (most recent call last)" in said:
        problem = "a traceback"
    elif code not in (0, 1, 2, 3):
        problem = f"exit code {code}"
    elif code == 1 and any(line.startswith("warning: no ") for line in lines):
        problem = ""  # nothing could be computed, as the table that is written says row by row
    elif code in (1, 2) and not any(line.startswith(("error: ", "Usage: ")) for line in lines):
        problem = f"exit code {code} without a line 'error:'"
    elif code == 0 and any(line.startswith("error: ") for line in lines):
        problem = "exit code 0 with a line 'error:'"
    elif code in (1, 2) and new:
        problem = f"exit code {code} with new files"
    elif any(os.path.basename(name).startswith(".") for name in new):
        problem = "a temporary file is left"
    outcome = {0: "done", 1: "failed", 2: "refused", 3: "done"}.get(code, "fault")
    if not problem:
        return Verdict(outcome)
    return Verdict("fault", f"{' '.join(words[:1])}: {problem[:160]}", said[-2000:])
