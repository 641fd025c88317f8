"""docs/publishing.md runs as it stands, from top to bottom, in one folder."""

from __future__ import annotations

import re
import shlex
import warnings
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hepdata_validator.full_submission_validator import FullSubmissionValidator
from matplotlib.figure import Figure
from pyhf.cli import cli as pyhf_commands

from na64.limits import Limit
from na64.limits.figures.figure import figure
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")


@pytest.fixture
def first_drawn(monkeypatch) -> None:
    """Figures take most of the time: the first is drawn, the others are empty."""
    drawn: list[Figure] = []

    def draw(results: list[Limit]) -> Figure:
        drawn.append(Figure((1, 1)) if drawn else figure(results))
        return drawn[-1]

    monkeypatch.setattr("na64.limits.publication.hepdata.figure", draw)


@pytest.mark.usefixtures("first_drawn")
def test_the_page_runs(call) -> None:
    for language, block in re.findall(r"```(sh|python)\n(.*?)```", PAGE, flags=re.DOTALL):
        if language == "python":
            exec(compile(block, "the page", "exec"), {})
            continue
        for line in block.splitlines():
            program, *words = shlex.split(line)
            assert program == "na64-limits"
            done = call(*words)
            assert done.code == 0, f"{line}: {done.err}"
            assert "warning" not in done.err, f"{line}: {done.err}"
    folder = Path("record/submission")
    validator = FullSubmissionValidator(autoload_remote_schemas=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        assert validator.validate(directory=str(folder)), validator.get_messages()

    # what the table of the page says is there, of every result
    names = {path.name for path in folder.iterdir()}
    for name in ("invisible", "dark-matter", "muons"):
        assert {f"{name}.json", f"{name}.sh", f"{name}.pdf", f"thumb_{name}.png"} <= names
    assert {"na64e-2016.card.toml", "invisible.likelihood.tar.gz"} <= names
    assert "dark-matter.likelihood.tar.gz" not in names  # it is that of invisible
    tables = {t.get("name") for t in yaml.safe_load_all((folder / "submission.yaml").read_text())}
    assert tables >= {"invisible limits", "invisible yields", "invisible counts", "muons limits"}
    words = shlex.split((folder / "invisible.sh").read_text())
    assert words[:3] == ["na64-limits", "scan", "na64e-2016.card.toml"]
    # and pyhf's own command agrees to the digests
    files = ("likelihood/background-only.json", "likelihood/patchset.json")
    verified = CliRunner().invoke(pyhf_commands, ["patchset", "verify", *files])
    assert verified.exit_code == 0, verified.output
    assert "All good" in verified.output
    rows = [line for line in Path("limits.csv").read_text().splitlines() if line[0] != "#"]
    assert len(rows) == 1 + len(Limit.read("invisible.json").masses_gev)
