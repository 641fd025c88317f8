"""The README does what it says: its commands run, its Python runs, its files exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from na64.limits.cli.entry import COMMANDS, cli
from tests.shared import ROOT

README = (ROOT / "README.md").read_text()
CLI = (ROOT / "docs" / "cli.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_commands_of_the_readme_run(call) -> None:
    (block,) = blocks(README, "sh")
    lines = [line for line in block.splitlines() if line and not line.startswith("#")]
    assert len(lines) > 10
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "na64-limits"
        done = call(*words)
        assert done.code == 0, f"{line}: {done.err}"
    written = {path.name for path in Path().iterdir()}
    assert written >= {"scan.json", "scan.csv", "scan.pdf", "scan.png", "compared.pdf"}


def test_the_python_of_the_readme_runs(tmp_path: Path, table_cache: Path) -> None:
    (block,) = blocks(README, "python")
    subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        check=True,
        env={**os.environ, "NA64_LIMITS_CACHE": str(table_cache)},
        stdout=subprocess.DEVNULL,
    )
    assert {path.name for path in tmp_path.iterdir()} == {
        "python-y.pdf",
        "python.json",
        "python.pdf",
    }


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), target


def test_the_page_of_the_command_line_names_every_command_and_no_other() -> None:
    context = click.Context(cli)
    rows = re.findall(r"^\| (`.*?) \|", CLI.split("## Input")[0], flags=re.MULTILINE)
    named = {
        " ".join(word for word in entry.split() if word == word.lower() and word[0].isalpha())
        for row in rows
        for entry in re.findall(r"`([^`]*)`", row)
    }
    exist: set[str] = set()
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            exist |= {f"{name} {sub}" for sub in command.commands}
        else:
            exist.add(name)
    assert named == exist


def test_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## \[(Unreleased|" + re.escape(version) + r")\]", changelog, re.MULTILINE)
