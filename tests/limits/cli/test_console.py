"""Progress on stderr: only on a terminal, only for what takes long, and gone at the end."""

from __future__ import annotations

import io
import json
import logging
import time
import warnings

import pytest

from na64.limits.cli import progress as module
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


def counted(console: Console) -> None:
    with console.progress("limits") as progress:
        time.sleep(0.06)
        progress.advance(15, 60, 2)
        time.sleep(0.2)


def test_what_is_counted_is_a_bar_on_a_terminal(monkeypatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.02)
    monkeypatch.setattr(module, "REDRAWN_SECONDS", 0.02)
    monkeypatch.setenv("COLUMNS", "70")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    counted(Console())
    lines = terminal.getvalue().split("\r\x1b[K")
    assert max(map(len, lines)) < 70
    assert {line.partition("|")[0] for line in lines if "15/60" in line} == {"limits:  25%"}
    assert any("2 failed" in line for line in lines)


def test_a_log_gets_a_line_at_times_with_rate_and_time_left(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOG_SECONDS", 0.1)
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    counted(Console())
    first, *_ = log.getvalue().splitlines()
    assert first.startswith("limits: 15 of 60 done, 2 failed, ")
    assert first.endswith(" s left (0 s)")
    assert " per s, " in first


def test_programs_read_progress_as_lines_of_json(monkeypatch) -> None:
    monkeypatch.setattr(module, "JSON_SECONDS", 0.1)
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    counted(Console(-1, "json"))  # errors only, and this
    *_, last = (json.loads(line) for line in log.getvalue().splitlines())
    assert {key: last[key] for key in ("progress", "done", "total", "failed")} == {
        "progress": "limits",
        "done": 15,
        "total": 60,
        "failed": 2,
    }
    assert last["left_s"] == pytest.approx(45 / last["per_s"], rel=0.2, abs=0.1)


def test_a_new_stage_begins_to_count_anew(monkeypatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    with Console(0, "json").progress("limits") as progress:
        progress.advance(15, 60)
        progress("figure")
    last = json.loads(log.getvalue().splitlines()[-1])
    assert (last["progress"], last["done"], last["total"]) == ("figure", 0, None)


@pytest.mark.parametrize(("seconds", "told"), [(90.0, "90 s"), (200.0, "4 min"), (9000.0, "2.5 h")])
def test_times_and_rates_are_told_in_units_of_people(seconds, told) -> None:
    assert module._time(seconds) == told
    assert module._rate(1.0 / seconds).endswith(" per min" if seconds < 60 else " per h")


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


def test_the_rate_knows_nothing_of_what_was_done_before(monkeypatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    times = iter([0.0, 10.0])
    progress = module.Progress("limits", "off")
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    progress("again")
    progress.advance(9_010, 10_000, 0, 9_000)
    told = json.loads(progress._as_json())
    assert (told["done"], told["per_s"], told["left_s"]) == (9_010, pytest.approx(1.0), 990.0)
