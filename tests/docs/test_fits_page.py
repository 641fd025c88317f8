"""docs/fits.md: its commands and its Python run, and it names what there is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.shared import ROOT

PAGE = (ROOT / "docs" / "fits.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_commands_run(call) -> None:
    (block,) = blocks("sh")
    for line in block.splitlines():
        program, *words = shlex.split(line)
        assert program == "na64-limits"
        done = call(*words)
        assert done.code == 0, f"{line}: {done.err}"
    written = {path.suffix for path in Path().iterdir()}
    assert written == {".json", ".pdf", ".csv"}


def test_the_python_runs(tmp_path: Path) -> None:
    (block,) = blocks("python")
    # pyhf's schemas warn, see pyproject.toml
    warnings = ("-W", "error", "-W", "ignore::DeprecationWarning")
    subprocess.run([sys.executable, *warnings, "-c", block], cwd=tmp_path, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["impacts.pdf"]


def test_the_states_of_parameters_are_those_of_the_code() -> None:
    from na64.limits.inference import result as fit

    named = set(re.findall(r"`([a-z-]+)`", PAGE.split("## Ranking")[0].split("| state |")[1]))
    states = {fit.OK, fit.FIXED, fit.LOWER, fit.UPPER, fit.UNDETERMINED}
    assert states <= named
