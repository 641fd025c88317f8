"""`figure` and `list figures`: files by suffix or into a folder, the file of a figure, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from na64.limits.programme.reader import available_figures, figure_text


def test_the_list_names_every_figure(call) -> None:
    done = call("list", "figures")
    assert done.code == 0, done.err
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == list(available_figures())


def test_show_prints_a_file_that_can_be_drawn(call) -> None:
    shown = call("figure", "kaons", "--show")
    assert shown.out == figure_text("kaons")
    Path("mine.toml").write_text(shown.out.replace('name = "kaons"', 'name = "mine"'))
    done = call("figure", "mine.toml", "kaons", "-o", "out", "--format", "svg", "--jobs", "1")
    assert done.code == 0, done.err
    assert sorted(path.name for path in Path("out").iterdir()) == ["kaons.svg", "mine.svg"]
    assert Path("out/kaons.svg").read_bytes() == Path("out/mine.svg").read_bytes()


def test_one_figure_into_files_and_a_folder(call) -> None:
    words = ("figure", "kaons", "-o", "a.pdf", "-o", "out", "--jobs", "1")
    done = call(*words)
    assert done.code == 0, done.err
    assert done.out == ""
    assert Path("a.pdf").read_bytes() == Path("out/kaons.pdf").read_bytes()
    assert Path("out/kaons.png").read_bytes()[:4] == b"\x89PNG"
    again = call(*words)
    assert again.code == 2
    assert "exists (--force overwrites it)" in again.err
    assert call(*words, "--force").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("kaons",), "no output: give -o FILE.pdf"),
        (("kaon", "-o", "a.pdf"), "unknown figure 'kaon' (did you mean 'kaons'?)"),
        (("kaons", "mesons", "-o", "a.pdf"), "one file for 2 figures"),
        (("kaons", "-o", "a.gif"), "the suffix must be one of .pdf, .png, .svg"),
        (("kaons", "-o", "a", "--format", "pgn"), "did you mean 'png'?"),
        (("kaons", "-o", "a.png", "--format", "pdf"), "of the files in a folder"),
        (("kaons", "-o", "a/b"), "there is no folder 'a'"),
        (("kaons", "-o", "a", "--style", "papr"), "did you mean 'paper'?"),
        (("kaons", "-o", "a", "--jobs", "0"), "at least one job is needed, not 0"),
        (("kaons", "mesons", "--show"), "the file of one figure"),
    ],
)
def test_refusals_leave_nothing_behind(call, words: tuple[str, ...], message: str) -> None:
    done = call("figure", *words)
    assert done.code == 2
    assert message in done.err
    assert list(Path().iterdir()) == []
