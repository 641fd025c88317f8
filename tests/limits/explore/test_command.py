"""The command `explore`, and everything else without what only a browser needs."""

from __future__ import annotations

import socket
import sys

import pytest

from na64.limits.explore.server import Place
from na64.models.errors import InputError


@pytest.fixture
def without_web(monkeypatch) -> None:
    """Neither Bokeh nor Panel can be imported."""
    for top in ("bokeh", "panel", "tornado"):
        for name in [name for name in sys.modules if name.partition(".")[0] == top]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, top, None)


@pytest.mark.usefixtures("without_web")
def test_the_core_works_without_the_extra(call, tmp_path) -> None:
    done = call("scan", "na64mu-2022", "--masses", "0.1", "-o", "limit.json")
    assert done.code == 0, done.err
    done = call("plot", "limit.json", "-o", "limit.pdf")
    assert done.code == 0, done.err
    for words in (
        ("plot", "limit.json", "-o", "limit.html"),
        ("plot", "limit.json", "-o", "other.pdf", "-o", "limit.html"),
        ("explore", "--no-browser"),
    ):
        done = call(*words)
        assert done.code == 2
        assert done.err.splitlines()[-1].endswith(
            "which is not installed: pip install 'na64-limits[web]'"
        )
    assert {path.name for path in tmp_path.iterdir()} == {"limit.json", "limit.pdf"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", "70000"), "a port is a number from 0 to 65535, not 70000"),
        (("--host", "0.0.0.0"), "'0.0.0.0' is every address"),
        (("--host", "::"), "'::' is every address"),
        (("na64e-2061",), "did you mean"),
        (("nowhere.toml",), "nowhere.toml"),
    ],
)
def test_what_the_page_refuses(call, words, said) -> None:
    done = call("explore", "--no-browser", *words)
    assert done.code == 2
    assert said in done.err


def test_a_port_that_is_taken(call) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = call("explore", "--no-browser", "--port", str(port))
    assert done.code == 2
    assert f"127.0.0.1, port {port}: " in done.err


def test_the_names_that_the_page_answers_to() -> None:
    assert Place().names == ("127.0.0.1", "localhost")
    assert Place("localhost").names == ("127.0.0.1", "localhost")
    assert Place("Limits.example").names == ("limits.example",)
    with pytest.raises(InputError):
        Place("")


def test_plot_writes_a_page_beside_other_figures(call, tmp_path) -> None:
    done = call("scan", "na64mu-2022", "--masses", "0.01:1:3", "--grid", "fixed", "-o", "s.json")
    assert done.code == 0, done.err
    done = call("plot", "s.json", "--mass-unit", "MeV", "-o", "s.html", "-o", "s.svg")
    assert done.code == 0, done.err
    page = (tmp_path / "s.html").read_text()
    assert "[MeV]" in page
    assert "s.json" in page
    assert "na64-limits scan na64mu-2022" in page
    assert call("plot", "s.json", "-o", "s.htm").code == 2
