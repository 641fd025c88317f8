"""Progress of long computations on stderr: a bar, a line of a log, or data."""

from __future__ import annotations

import json
import math
import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final

__all__ = ["FORMS", "Progress"]

#: how progress is told, and where
FORMS: Final = {
    "auto": "a bar on a terminal, in a log one line a minute",
    "json": "one line of JSON per second",
    "off": "nothing",
}
#: nothing is shown for computations shorter than this
QUIET_SECONDS: Final = 2.0
#: between two looks at a terminal, two lines of a log, and two lines for a program
REDRAWN_SECONDS: Final = 0.5
LOG_SECONDS: Final = 60.0
JSON_SECONDS: Final = 1.0
#: columns of a terminal that tells none
_COLUMNS: Final = 80


class Progress:
    """What is being done, how much of it is done, and how long the rest will take.

    Calling it names the next stage; `advance` counts its points.

    Parameters
    ----------
    label
        The first stage.
    form
        One of `FORMS`.
    finished
        Called with each stage and its seconds when it is over.
    """

    def __init__(
        self, label: str, form: str, finished: Callable[[str, float], object] = lambda *_: None
    ) -> None:
        self._label, self._form, self._finished = label, form, finished
        self._done, self._total, self._failed, self._before = 0, 0, 0, 0
        self._start = self._began = 0.0
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        self._start = self._began = time.monotonic()
        show = self._shown_by()
        if show is not None:
            self._thread = threading.Thread(target=show, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if kind is None:
            self._finished(self._label, time.monotonic() - self._start)

    def __call__(self, label: str) -> None:
        """Begin the next stage."""
        now = time.monotonic()
        self._finished(self._label, now - self._start)
        with self._lock:
            self._label, self._began = label, now
            self._done, self._total, self._failed, self._before = 0, 0, 0, 0

    def advance(self, done: int, total: int, failed: int = 0, before: int = 0) -> None:
        """Tell how many points of the stage are done, of how many.

        Among them are those that failed, and those that were done before the stage began, of which
        the rate knows nothing.
        """
        with self._lock:
            self._done, self._total, self._failed, self._before = done, total, failed, before

    def _shown_by(self) -> Callable[[], None] | None:
        if self._form == "off":
            return None
        if self._form == "json":
            return lambda: self._repeat(self._as_json, JSON_SECONDS, JSON_SECONDS)
        if sys.stderr.isatty():
            return self._draw
        return lambda: self._repeat(self._as_line, LOG_SECONDS, LOG_SECONDS)

    def _repeat(self, text: Callable[[], str], first: float, every: float) -> None:
        """Write lines until the end; a program is told the end as well."""
        wait = first
        while not self._over.wait(wait):
            print(text(), file=sys.stderr, flush=True)
            wait = every
        if self._form == "json":
            print(text(), file=sys.stderr, flush=True)

    def _draw(self) -> None:
        """Keep one line of the terminal up to date, and wipe it at the end."""
        if self._over.wait(QUIET_SECONDS):
            return
        while True:
            print(f"\r\x1b[K{self._as_bar()}", end="", file=sys.stderr, flush=True)
            if self._over.wait(REDRAWN_SECONDS):
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
                return

    def _now(self) -> tuple[str, int, int, int, int, float, float]:
        """The stage, its counts, and the seconds since the beginning and since its own."""
        now = time.monotonic()
        with self._lock:
            counts = self._done, self._total, self._failed, self._before
            return self._label, *counts, now - self._start, now - self._began

    def _as_bar(self) -> str:
        label, done, total, failed, before, elapsed, of_stage = self._now()
        if not total:
            return f"{label} ... {elapsed:.0f} s"
        from tqdm import tqdm

        columns = shutil.get_terminal_size((_COLUMNS, 24)).columns
        return tqdm.format_meter(
            done,
            total,
            of_stage,
            initial=before,
            ncols=columns - 1,  # a full line would wrap
            prefix=label,
            postfix=f"{failed} failed" if failed else None,
        )

    def _as_line(self) -> str:
        label, done, total, failed, before, elapsed, of_stage = self._now()
        if not total:
            return f"{label}: {elapsed:.0f} s"
        told = [f"{done} of {total} done"]
        if failed:
            told.append(f"{failed} failed")
        if done > before and of_stage > 0.0:
            rate = (done - before) / of_stage
            told.append(f"{_rate(rate)}, {_time((total - done) / rate)} left")
        return f"{label}: {', '.join(told)} ({_time(elapsed)})"

    def _as_json(self) -> str:
        label, done, total, failed, before, elapsed, of_stage = self._now()
        rate = (done - before) / of_stage if done > before and of_stage > 0.0 else None
        return json.dumps(
            {
                "progress": label,
                "done": done,
                "total": total or None,
                "failed": failed,
                "elapsed_s": round(elapsed, 1),
                "per_s": None if rate is None else float(f"{rate:.3g}"),
                "left_s": None if rate is None else round((total - done) / rate, 1),
            }
        )


def _rate(per_second: float) -> str:
    """A rate in the unit in which it is above one, or per hour."""
    for unit, seconds in (("s", 1.0), ("min", 60.0)):
        if per_second * seconds >= 1.0:
            return f"{per_second * seconds:.3g} per {unit}"
    return f"{per_second * 3600.0:.3g} per h"


def _time(seconds: float) -> str:
    """A time for people: seconds up to two minutes, minutes up to two hours, hours."""
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    if seconds < 7200.0:
        return f"{math.ceil(seconds / 60.0)} min"
    return f"{seconds / 3600.0:.1f} h"
