"""Signals: a run that is asked to end tidies up, and says so in its exit code."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import click
import pytest

from na64.limits.cli import entry
from na64.limits.cli.signals import Stopped, exit_code, obey_signals


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number in before:  # what nohup or a shell in the background has ignored is heard here
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_exit_code_is_that_of_shells(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def endless() -> None:
        signal.raise_signal(number)
        raise AssertionError("it went on")

    monkeypatch.setattr(entry, "cli", endless)
    with pytest.raises(SystemExit) as found:
        entry.main([])
    assert found.value.code == 128 + number
    assert capsys.readouterr().err.strip() == "error: interrupted"
    assert signal.getsignal(number) is signal.SIG_DFL  # a second one ends it at once


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    obey_signals()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_of_which_signal_an_interrupt_is() -> None:
    assert exit_code(KeyboardInterrupt()) == 130
    wrapped = click.Abort()
    wrapped.__cause__ = Stopped(signal.SIGTERM)
    assert exit_code(wrapped) == 143
