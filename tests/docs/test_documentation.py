"""Links and lists of the documentation are those of what there is."""

from __future__ import annotations

import re
import tomllib

import click
import pytest

from na64.limits.cli.entry import COMMANDS, cli
from tests.shared import ROOT

CLI = (ROOT / "docs" / "cli.md").read_text()


PAGES = ["README.md", *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("docs/**/*.md")))]


@pytest.mark.parametrize("page", PAGES)
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
