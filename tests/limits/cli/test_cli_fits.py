"""Commands that fit a workspace: documents, tables, figures, refusals."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from na64.limits.results.schemas import validate

Workspace = dict[str, Any]
COMMANDS = ("fit", "ranking", "goodness", "post-fit")


@pytest.fixture
def written(call, counting: Callable[..., Workspace]) -> str:
    """Write a workspace with an excess and return the name of its file."""
    document = counting((2.0, 3.0, 4.0), (0.3, 0.4, 0.2), (3.0, 2.0, 1.0), 0.2, (5, 4, 7))
    Path("ws.json").write_text(json.dumps(document))
    return "ws.json"


def document_of(done: Any, name: str) -> Any:
    assert done.code == 0, done.err
    return validate(done.data, name, f"na64-limits/{name}/1", "stdout")


@pytest.mark.parametrize(
    "words",
    [
        ("fit",),
        ("fit", "--errors", "profile", "--mu", "1.5"),
        ("fit", "--asimov", "1", "--nuisances", "fitted"),
        ("ranking",),
        ("ranking", "--by", "limit", "--method", "asymptotic"),
        ("ranking", "--by", "limit", "--method", "asymptotic", "--expected"),
        ("goodness",),
        ("goodness", "--toys", "20", "--seed", "3"),
        ("post-fit",),
        ("post-fit", "--mu", "0"),
    ],
    ids=" ".join,
)
def test_documents_fit_their_schemas(call, written: str, words: tuple[str, ...]) -> None:
    name, *options = words
    found = document_of(call(name, written, *options, "--json"), name)
    assert found["parameter"] == "mu"
    assert found["data"]["kind"] == ("asimov" if "--asimov" in words else "observed")
    again = call(name, written, *options, "--json").data
    assert {**again, "provenance": 0} == {**found, "provenance": 0}


def test_the_same_figure_twice(call, written: str) -> None:
    for name in ("first.pdf", "second.pdf"):
        assert call("goodness", written, "-o", name).code == 0
    assert Path("first.pdf").read_bytes() == Path("second.pdf").read_bytes()


@pytest.mark.parametrize("name", COMMANDS)
def test_files_tables_and_figures(call, written: str, name: str) -> None:
    suffixes = ("json", "csv", "pdf", *(("svg", "png") if name == "fit" else ()))
    outputs = [word for suffix in suffixes for word in ("-o", f"out.{suffix}")]
    done = call(name, written, *outputs)
    assert done.code == 0, done.err
    assert done.out == ""
    heads = {"pdf": b"%PDF", "png": b"\x89PNG", "svg": b"<?xml"}
    for suffix, head in heads.items():
        if suffix in suffixes:
            assert Path(f"out.{suffix}").read_bytes().startswith(head)
    table = call(name, written).out.splitlines()
    with Path("out.csv").open() as stream:
        rows = list(csv.reader(stream))
    assert len(rows) > 2
    assert table[0].split()[0] == rows[0][0]


def test_what_the_tables_say(call, written: str) -> None:
    fit = document_of(call("fit", written, "--json"), "fit")
    assert fit["parameters"][0]["name"] == "mu"
    assert fit["parameters"][0]["value"] == fit["mu"]
    assert fit["correlations"][0][0] == 1.0
    assert len(fit["correlations"]) == len(fit["parameters"]) == 5
    ranked = document_of(call("ranking", written, "--json"), "ranking")
    sizes = [max(abs(p["impact_up"]), abs(p["impact_down"])) for p in ranked["parameters"]]
    assert sizes == sorted(sizes, reverse=True)
    assert {p["name"] for p in ranked["parameters"]} == {p["name"] for p in fit["parameters"][1:]}
    good = document_of(call("goodness", written, "--json"), "goodness")
    total = sum(c["contribution"] for c in good["channels"]) + good["constraints"]
    assert total == pytest.approx(good["statistic"])
    assert good["statistic"] == pytest.approx(fit["twice_nll_over_saturated"])
    assert good["degrees_of_freedom"] == 2  # three bins, mu
    post = document_of(call("post-fit", written, "--json"), "post-fit")
    for channel in post["channels"]:
        for side in (channel["pre_fit"], channel["post_fit"]):
            assert sum(s["total"] for s in side["samples"]) == pytest.approx(side["total"])
    assert [c["observed"] for c in post["channels"]] == [[5], [4], [7]]
    # a signal of mu in three bins
    signal = sum(c["post_fit"]["samples"][0]["total"] for c in post["channels"])
    assert signal > 0.0


def test_a_search_that_saw_nothing(call, counting: Callable[..., Workspace]) -> None:
    Path("ws.json").write_text(json.dumps(counting()))
    done = call("fit", "ws.json")
    assert done.code == 0
    assert "without an uncertainty: mu: at lower bound" in done.err
    done = call("ranking", "ws.json", "-o", "ranking.png")
    assert done.code == 0
    assert "cut short by a bound" in done.err
    for name in ("goodness", "post-fit"):
        assert call(name, "ws.json").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fit", "--errors", "minos"), "hessian or profile"),
        (("fit", "--draw", "everything"), "unknown drawing"),
        (("fit", "--nuisances", "fitted"), "give --asimov with it"),
        (("fit", "--asimov", "1", "--nuisances", "post"), "allowed: fitted, nominal"),
        (("fit", "--mu", "-1"), "must not be negative"),
        (("fit", "--draw", "correlations", "--threshold", "0.99", "-o", "x.pdf"), "no two"),
        (("fit", "--draw", "correlations", "--threshold", "2", "-o", "x.pdf"), "0 to 1"),
        (("ranking", "--by", "size"), "unknown ranking"),
        (("ranking", "--method", "toys"), "give --by limit with them"),
        (("ranking", "--expected"), "give --by limit with them"),
        (("ranking", "--by", "limit", "--asimov", "1"), "--asimov ranks by mu"),
        (("ranking", "--parameter", "efficency"), "did you mean 'efficiency'?"),
        (("ranking", "--most", "0", "-o", "x.pdf"), "at least one parameter"),
        (("goodness", "--toys", "-3"), "must not be negative"),
        (("goodness", "--ensemble", "both"), "an ensemble is"),
        (("post-fit", "--pre-fit-mu", "-1"), "must not be negative"),
        (("post-fit", "--draw", "fit", "-o", "x.pdf"), "unknown stage"),
        (("post-fit", "--channel", "bin_3", "-o", "x.pdf"), "allowed: bin_00, bin_01, bin_02"),
        (("goodness", "-o", "x.txt"), "the suffix must be one of .json, .csv, .pdf, .png, .svg"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_refusals(call, written: str, words: tuple[str, ...], message: str) -> None:
    name, *options = words
    done = call(name, written, *options)
    assert done.code == 2
    assert message in done.err
    assert not Path("x.pdf").exists()
