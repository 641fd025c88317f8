"""A stranger's list: what a new user types in runs, and prints what the page promises.

Every block of commands and of Python of the README and of every page under docs, in the order of
the page and in one folder; every command's and sub-command's help.

* ``sh``, ``python``: run as they stand, in the folder of the page. `SHORTER` lists the commands
  that are given fewer masses or the like, because they take long.
* ``toml`` below ``<!-- file: NAME -->`` is that file.
* ``text`` below ``<!-- output -->`` is what the block of commands or of Python before it prints,
  line for line; ``...`` stands for lines left out.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import warnings
from collections.abc import Iterator
from pathlib import Path

import click
import matplotlib.pyplot as plt
import pytest

from na64.limits.cli.entry import COMMANDS, cli
from tests.shared import ROOT

PAGES = sorted(
    path
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if "```" in path.read_text(encoding="utf-8")
)

#: what is put into a command here, so that it takes a second: by command, what for what
SHORTER = {
    "na64-limits scan na64e-semi-visible-2016-2018": ("2018", "2018 --masses 0.05"),
    "na64-limits scan --masses 0.003:3:180 -o scan.json": ("0.003:3:180", "0.06,2"),
    "na64-limits plot scan.json --plane alpha-d --thermal scalar,majorana,pseudo-dirac "
    "--bound landau-tev -o alpha-d.png": ("scalar,majorana,pseudo-dirac", "scalar"),
    "na64-limits optimise na64e-2016-2018": ("2018", "2018 --cuts 40,47.5,55"),
    "na64-limits scan mine.toml -o mine.json": ("mine.toml", "mine.toml --masses 0.01,0.03"),
}

#: pages that a test of their own runs from top to bottom, to look at what they write
ELSEWHERE = {
    "docs/publishing.md": "tests/docs/test_publishing_page.py",
    "docs/simulation.md": "tests/docs/test_simulation_page.py",
    "docs/spectra.md": "tests/docs/test_spectra_page.py",
}

#: pages whose commands say nothing of the kind of a warning, but for those that match
QUIET = {
    # formulas for few events, and exposures that no data were taken with, are told
    "docs/statistics-howto.md": r"--method asymptotic|\.exposure",
    "docs/published-likelihoods.md": r"(?!)",
}

#: blocks of Python that show names and no numbers, by their first line
NAMES_ONLY = {"docs/statistics.md": "import json"}

BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*?) -->\n+)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
#: `explore` serves until it is stopped: tests/limits/explore runs it with a browser
PROGRAM = re.compile(r"^(?:\$ *)?na64-limits (?!explore\b)", re.MULTILINE)


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[tuple[str, str, str]]:
    """Yield mark, language and text of the blocks of a page."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield found["mark"] or "", found["language"].strip(), found["text"]


def lines_of(block: str) -> list[str]:
    """Return the command lines of a block, continued ones as one, without comments."""
    joined = block.replace("\\\n", " ")
    lines = (" ".join(line.partition(" # ")[0].split()) for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


class Reader:
    """Someone who copies what a page shows, in one folder."""

    def __init__(self, page: Path, call) -> None:
        self.page, self.call, self.printed = page, call, ""
        self.names: dict[str, object] = {"__name__": "__main__"}

    def commands(self, block: str) -> None:
        self.printed = ""
        for shown in lines_of(block):
            line = shown.replace(*SHORTER.get(shown, ("", "")))
            files = {name: Path(name).read_text() for name in re.findall(r"\$\(cat (\S+)\)", line)}
            program, *words = shlex.split(re.sub(r"\$\(cat (\S+)\)", r"<\1>", line))
            assert program == "na64-limits", f"{named(self.page)}: {line}"
            for name, text in files.items():
                words = [word.replace(f"<{name}>", text.strip()) for word in words]
            into = words[words.index(">") + 1 :] if ">" in words else []
            done = self.call(*words[: len(words) - len(into) - bool(into)])
            assert done.code == 0, f"{named(self.page)}: {line}: {done.err}"
            if named(self.page) in QUIET:
                told = re.search(QUIET[named(self.page)], line) is not None
                assert ("warning" in done.err) == told, f"{named(self.page)}: {line}: {done.err}"
            if into:
                Path(*into).write_text(done.out)
            else:
                self.printed += done.out

    def python(self, block: str) -> None:
        out = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(out):
            warnings.simplefilter("error")
            # examples may leave a file to the interpreter
            warnings.simplefilter("ignore", ResourceWarning)
            # pyhf 0.7 uses what jsonschema gives up
            warnings.filterwarnings("ignore", message="jsonschema.RefResolver is deprecated")
            exec(compile(block, named(self.page), "exec"), self.names)
        plt.close("all")
        self.printed = out.getvalue()

    def promised(self, block: str) -> None:
        later = [line.rstrip() for line in self.printed.splitlines()]
        for line in (line.rstrip() for line in block.splitlines()):
            if line == "...":
                continue
            assert line in later, f"{named(self.page)} promises {line!r}:\n{self.printed}"
            later = later[later.index(line) + 1 :]

    def reads(self) -> None:
        for mark, language, text in blocks(self.page):
            file = re.search(r"file: (\S+)", mark)
            if file:
                Path(file[1]).write_text(text)
            elif mark == "output":
                self.promised(text)
            elif language == "sh":
                self.commands(text)
            elif language == "python" and not text.startswith(
                NAMES_ONLY.get(named(self.page), "\0")
            ):
                self.python(text)


@pytest.mark.parametrize(
    "page",
    [
        page
        for page in PAGES
        if named(page) not in ELSEWHERE
        and any(mark or kind in ("sh", "python") for mark, kind, _ in blocks(page))
    ],
    ids=named,
)
def test_what_a_page_shows_runs(page: Path, call) -> None:
    Reader(page, call).reads()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_stand_in_blocks_that_are_run(page: Path) -> None:
    for mark, language, text in blocks(page):
        if language != "sh" and mark != "output":
            assert not PROGRAM.search(text), text


@pytest.mark.parametrize(("page", "test"), ELSEWHERE.items())
def test_pages_left_to_others_are_run_there(page: str, test: str) -> None:
    text = (ROOT / test).read_text(encoding="utf-8")
    assert Path(page).name in text
    assert "def test_the_page_runs(" in text


def test_what_is_shortened_is_on_a_page() -> None:
    shown = {
        line
        for page in PAGES
        for _, language, text in blocks(page)
        if language == "sh"
        for line in lines_of(text)
    }
    assert set(SHORTER) <= shown


def test_the_reader_notices_what_is_not_printed(call) -> None:
    reader = Reader(PAGES[0], call)
    reader.printed = "a 1\nb 2\nc 3\n"
    reader.promised("a 1\n...\nc 3\n")
    for wrong in ("a 2\n", "c 3\na 1\n"):
        with pytest.raises(AssertionError, match="promises"):
            reader.promised(wrong)
    with pytest.raises(AssertionError, match="unknown command"):
        reader.commands("na64-limits nothing\n")


def commands() -> Iterator[tuple[str, ...]]:
    """Yield every command and sub-command as its words, the program itself first."""
    yield ()
    for name in COMMANDS:
        yield (name,)
        command = cli.get_command(click.Context(cli), name)
        if isinstance(command, click.Group):
            for sub in command.commands:
                yield (name, sub)


def found(words: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        inner = command.get_command(click.Context(command), word)
        assert inner is not None
        command = inner
    return command


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_help_names_every_option_and_what_it_does(words: tuple[str, ...], call) -> None:
    done = call(*words, "-h")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(" ".join(["Usage: na64-limits", *words]))
    command = found(words)
    context = click.Context(command, info_name=" ".join(["na64-limits", *words]))
    printed = "".join(done.out.split())  # lines break within words as well
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            record = parameter.get_help_record(context)
            assert record is not None
            spelled, text = record
            assert text, f"{' '.join(words)} {parameter.opts[0]} has no help"
            assert "".join(f"{spelled}{text}".split()) in printed, parameter.opts[0]
        elif isinstance(parameter, click.Argument):
            assert parameter.make_metavar(context) in done.out
