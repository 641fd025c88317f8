"""What all commands share: help, version, citation, loudness, speed of the start."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import click
import pytest

from na64.limits.cli.entry import COMMANDS, cli
from na64.limits.figures.overlays import BOUNDS
from na64.limits.planes.transforms import PLANES
from na64.limits.results.tables import WRITERS
from na64.models.anomalies import MEASUREMENTS

VERSION = importlib.metadata.version("na64-limits")


def command_paths() -> list[tuple[str, ...]]:
    """Return every command and subcommand."""
    paths: list[tuple[str, ...]] = []
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        paths.append((name,))
        if isinstance(command, click.Group):
            paths += [(name, sub) for sub in command.commands]
    return paths


def test_help_lists_every_command_and_nothing_else(call) -> None:
    done = call("--help")
    assert done.code == 0
    assert done.err == ""
    listed = done.out.split("Commands:")[1].split("\n")
    assert [line.split()[0] for line in listed if line.strip()] == list(COMMANDS)


@pytest.mark.parametrize("path", command_paths(), ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_each_command_has_help(call, path: tuple[str, ...], flag: str) -> None:
    done = call(*path, flag)
    assert done.code == 0
    assert done.out.startswith(f"Usage: na64-limits {' '.join(path)}")
    for option in ("--version", "--cite", "-v, --verbose", "-q, --quiet"):
        assert option in done.out


@pytest.mark.parametrize("path", [(), *command_paths()], ids=" ".join)
def test_version_and_citation_everywhere(call, path: tuple[str, ...]) -> None:
    assert call(*path, "--version").out == f"na64-limits {VERSION}\n"
    cited = call(*path, "--cite")
    assert cited.code == 0
    assert "arXiv:2307.02404" in cited.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("scann",), "unknown command 'scann' (did you mean 'scan'?)"),
        (("card", "chek"), "unknown command 'chek' (did you mean 'check'?)"),
        (("scan", "--mases", "1"), "--mases"),  # click words it in two ways
        (("scan", "--cl"), "Option '--cl' requires an argument"),
        (("scan", "--cl", "high"), "'high' is not a valid float"),
        (("width",), "Missing option '--masses'"),
        (("limit",), "Missing argument"),
        (("scan", "na64e-2016", "na64e-2016-2018"), "unexpected extra argument"),
    ],
)
def test_a_slip_of_usage_is_one_line_and_exit_code_2(
    call, words: tuple[str, ...], message: str
) -> None:
    done = call(*words)
    assert done.code == 2
    assert done.out == ""
    assert message in done.err
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1


def test_without_arguments_the_help_is_shown(call) -> None:
    done = call()
    assert done.code == 2
    assert "Commands:" in done.err


def test_a_row_in_the_table_of_writers_is_an_output_of_commands(call, monkeypatch) -> None:
    monkeypatch.setitem(WRITERS, ".cells", lambda json, table: "|".join(table.columns))
    words = ("width", "--masses", "0.1")
    assert call(*words, "-o", "width.cells").err == "wrote width.cells\n"
    assert Path("width.cells").read_text().startswith("mass [GeV]|")
    refused = call(*words, "-o", "width.txt")
    assert "the suffix must be one of .json, .csv, .cells" in refused.err


def test_the_help_names_the_rows_of_tables(call) -> None:
    for words in (("to-plane",), ("plot",)):
        text = " ".join(call(*words, "--help").out.split())
        assert ", ".join(PLANES) in text
    assert ", ".join(MEASUREMENTS) in text
    assert ", ".join(BOUNDS) in text.replace("landau- planck", "landau-planck")


def test_double_verbose_shows_the_traceback_and_the_message(call) -> None:
    done = call("-vv", "card", "show", "nowhere")
    assert done.code == 2
    assert "Traceback" in done.err
    assert "error: unknown search 'nowhere'" in done.err


def test_verbose_tells_the_stages_and_quiet_nothing(call) -> None:
    words = ("track-length", "--threshold", "50")
    assert call(*words, "-v").err.startswith("cascade: ")
    assert call(*words).err == ""
    quiet = call(*words, "-q", "-o", "spectrum.json")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_an_unexpected_error_has_no_traceback_and_exit_code_1(call, monkeypatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("na64.models.showers.cascade.cascade", broken)
    done = call("track-length")
    assert done.code == 1
    assert done.err == (
        "error: internal error, ZeroDivisionError: division by zero "
        "(-vv shows where; please report it)\n"
    )


def test_module_can_be_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "na64.limits.cli", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"na64-limits {VERSION}\n"


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    program = f"{sys.executable} -m na64.limits.cli track-length --json | head -c 10"
    done = subprocess.run(program, cwd=tmp_path, shell=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert len(done.stdout) == 10
