"""What goes to stderr: messages, warnings, and when the progress of long computations."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from na64.limits.cli.progress import Progress

__all__ = ["Console"]


@dataclass(slots=True)
class Console:
    """The log of one run of the program; data never pass through it.

    Attributes
    ----------
    verbosity
        -1 errors only, 0 results and warnings, 1 also what is being done and how long it took,
        2 also the traceback of an error.
    progress_form
        How progress is told, one of `na64.limits.cli.progress.FORMS`.
    """

    verbosity: int = 0
    progress_form: str = "auto"

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
        quiet = self.verbosity < 0 and self.progress_form == "auto"
        return Progress(label, "off" if quiet else self.progress_form, self._took)

    def _took(self, stage: str, seconds: float) -> None:
        self.detail(f"{stage}: {seconds:.1f} s")
