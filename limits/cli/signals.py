"""Signals that ask a run to end: it tidies up as after Ctrl-C, and says so in its exit code."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Final

__all__ = ["Stopped", "exit_code", "obey_signals"]

#: exit codes of a run that a signal ended are those of shells: 128 and the number of the signal
_BASE: Final = 128


class Stopped(KeyboardInterrupt):
    """A signal other than that of Ctrl-C asked the run to end.

    Attributes
    ----------
    number
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


def obey_signals() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does; a second one ends it at once.

    Signals that whoever began the process has it ignore, as ``nohup`` does, stay ignored.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    raise Stopped(number)


def exit_code(error: BaseException | None) -> int:
    """Return the exit code of a run that an interrupt ended, Ctrl-C unless it says otherwise."""
    while error is not None and not isinstance(error, Stopped):
        error = error.__cause__ or error.__context__
    return _BASE + (signal.SIGINT if error is None else error.number)
