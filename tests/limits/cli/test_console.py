"""Progress on stderr: only on a terminal, only for what takes long, and gone at the end."""

from __future__ import annotations

import io
import logging
import time
import warnings

import pytest

from na64.limits.cli import console as module
from na64.limits.cli.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def waited(console: Console, seconds: float) -> None:
    with console.progress("first") as progress:
        time.sleep(seconds)
        progress("second")
        time.sleep(seconds)


def test_a_long_computation_shows_its_stages_on_a_terminal(monkeypatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.05)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    waited(Console(), 0.4)
    shown = terminal.getvalue()
    assert "first ... 0 s" in shown
    assert "second ... 1 s" in shown
    assert shown.endswith("\r\x1b[K")  # the line is wiped


@pytest.mark.parametrize(
    ("stream", "verbosity", "quiet_seconds"),
    [(io.StringIO, 0, 0.01), (Terminal, -1, 0.01), (Terminal, 0, 2.0)],
    ids=["no terminal", "quiet", "short"],
)
def test_otherwise_nothing_is_shown(monkeypatch, stream, verbosity, quiet_seconds) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", quiet_seconds)
    output = stream()
    monkeypatch.setattr("sys.stderr", output)
    waited(Console(verbosity), 0.05)
    assert output.getvalue() == ""


def test_an_error_ends_the_progress(monkeypatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.01)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    def doomed() -> None:
        with Console().progress("doomed"):
            time.sleep(0.05)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        doomed()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_warnings_and_the_library_log_are_lines(capsys) -> None:
    console = Console()
    with console.warnings_as_log(), console.library_log():
        warnings.warn("few events,\n  too few", UserWarning, stacklevel=1)
        logging.getLogger("na64.workspaces.io.cache").warning("damaged: %s", "a.npz")
    assert capsys.readouterr().err == "warning: few events, too few\nwarning: damaged: a.npz\n"
    with Console(-1).library_log():
        logging.getLogger("na64.workspaces.io.cache").warning("damaged")
    assert capsys.readouterr().err == ""
