"""What goes to stderr: messages, warnings and the progress of long computations."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, TextIO

__all__ = ["Console", "Progress"]

#: nothing is shown for computations shorter than this
QUIET_SECONDS: Final = 2.0


@dataclass(slots=True)
class Console:
    """The log of one run of the program; data never pass through it.

    Attributes
    ----------
    verbosity
        -1 errors only, 0 results and warnings, 1 also what is being done and how long it took,
        2 also the traceback of an error.
    """

    verbosity: int = 0

    def error(self, message: str) -> None:
        """Write what went wrong: one line, or one per problem of a file."""
        print(f"error: {message.strip()}", file=sys.stderr)

    def warning(self, message: str) -> None:
        """Write a warning, unless the user asked for quiet."""
        if self.verbosity >= 0:
            print(f"warning: {' '.join(message.split())}", file=sys.stderr)

    def note(self, message: str) -> None:
        """Write what has been done, such as the names of the written files."""
        if self.verbosity >= 0:
            print(message, file=sys.stderr)

    def detail(self, message: str) -> None:
        """Write what is only of interest with ``-v``."""
        if self.verbosity >= 1:
            print(message, file=sys.stderr)

    @contextmanager
    def warnings_as_log(self) -> Iterator[None]:
        """Turn Python warnings into lines of the log, each once."""

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            # an overflow inside a fit is no news for the user: the result says whether it failed
            say = self.detail if issubclass(category, RuntimeWarning) else self.warning
            say(str(message))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("once", UserWarning)
            warnings.showwarning = show
            yield

    @contextmanager
    def library_log(self) -> Iterator[None]:
        """Send what the library logs, such as a damaged cache, to the console."""
        import logging  # not needed for --help

        console = self

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                console.warning(record.getMessage())

        logger, handler = logging.getLogger("na64"), Handler(logging.WARNING)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)

    def progress(self, label: str) -> Progress:
        """Return the progress of one computation, a context manager."""
        return Progress(label, console=self)


@dataclass(slots=True)
class Progress:
    """A line on the terminal that tells how long the present stage has been running.

    It appears after two seconds and only when stderr is a terminal. Calling it names the next
    stage.
    """

    label: str
    console: Console
    _start: float = 0.0
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        self._start = time.monotonic()
        if sys.stderr.isatty() and self.console.verbosity >= 0:
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        if kind is None:
            self.console.detail(f"{self.label}: {time.monotonic() - self._start:.1f} s")

    def __call__(self, label: str) -> None:
        """Begin the next stage."""
        self.console.detail(f"{self.label}: {time.monotonic() - self._start:.1f} s")
        self.label = label

    def _show(self) -> None:
        if self._done.wait(QUIET_SECONDS):
            return
        while True:
            elapsed = time.monotonic() - self._start
            print(f"\r\x1b[K{self.label} ... {elapsed:.0f} s", end="", file=sys.stderr, flush=True)
            if self._done.wait(0.5):
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
                return
