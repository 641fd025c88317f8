"""The command line in this process: exit code, stdout and stderr of one call."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from na64.limits.cli.entry import run


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Outcome]


@pytest.fixture(scope="session", autouse=True)
def table_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep cached tables of cross-sections away from the user's folder."""
    folder = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NA64_LIMITS_CACHE", str(folder))
        yield folder


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Return a function that runs one command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def calling(*arguments: str, stdin: str | None = None) -> Outcome:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["na64-limits", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin or ""))
        code = run(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return calling


@pytest.fixture(scope="session")
def _outcomes() -> dict[tuple[str, ...], Outcome]:
    return {}


@pytest.fixture
def scanned(call: Call, _outcomes: dict[tuple[str, ...], Outcome]) -> Call:
    """Return a function that runs `scan WORDS --json`, once for all tests with the same words."""

    def scanning(*words: str) -> Outcome:
        if words not in _outcomes:
            _outcomes[words] = call("scan", *words, "--json")
        return _outcomes[words]

    return scanning
