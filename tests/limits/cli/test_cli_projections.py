"""Projections on the command line: no observed number of data that were never taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from na64.limits.results.limit import Limit
from na64.limits.results.schemas import validate
from tests.limits.calculators.test_band_status import signal_that_hides
from tests.limits.cli.test_cli_statistics import COUNTING

MORE = ("--set", "bins.*.exposure*=3")
REASON = "na64e-2016 is a projection: the data were not taken with this exposure of all bins"


def test_a_scan_with_another_exposure_is_a_projection(call) -> None:
    done = call("scan", "na64e-2016", *MORE, "--masses", "0.01,0.1", "-o", "more.json")
    assert done.code == 0
    assert f"warning: {REASON}" in done.err
    result = Limit.read("more.json")
    assert result.expected_only
    assert result.regions == ((), ())
    assert result.specification.title.startswith("NA64e 2016, invisible decays (projection), with")
    data = json.loads(Path("more.json").read_text())
    validate(data, "scan", "na64-limits/scan/2", "more.json")
    assert data["observed"] == [None, None]
    assert data["specification"]["cards"][0]["projection"] is True
    assert data["warnings"][-1].startswith(REASON)
    assert result.redo().content_digest == result.content_digest
    # the same experiment as a card that says so
    card = call("card", "resolve", "na64e-2016", *MORE)
    assert REASON in card.err
    again = call("scan", "-", "--masses", "0.01,0.1", "--json", stdin=card.out)
    assert again.data["expected"] == data["expected"]


def test_data_that_come_with_the_exposure_are_observed(call) -> None:
    seen = ("--set", "bins.*.observed=1")
    done = call("scan", "na64e-2016", *MORE, *seen, "--masses", "0.1", "--json")
    assert done.data["observed"][0] > done.data["expected"][2][0]
    assert "projection" not in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("yields", "na64e-2016", "--masses", "0.1"),
        ("workspace", "build", "na64e-2016", "--masses", "0.1"),
        ("optimise", "na64e-2016-2018", "--cuts", "50", "--method", "asymptotic"),
        ("card", "show", "na64e-2016"),
        ("card", "check", "na64e-2016"),
    ],
    ids=" ".join,
)
def test_every_command_says_so(call, words: tuple[str, ...]) -> None:
    done = call(*words, *MORE)
    assert done.code == 0
    assert "is a projection: the data were not taken with this exposure" in done.err
    assert done.err.count("is a projection") == 1


def test_a_workspace_of_a_projection_has_no_observed_numbers(call) -> None:
    """Its observations are medians of the background, which is what pyhf needs."""
    call("workspace", "build", "na64mu-2023-2024", "--masses", "0.1", "-o", "ws.json")
    name = json.loads(Path("ws.json").read_text())["measurements"][0]["name"]
    assert name.endswith(" projection")
    limit = call("limit", "ws.json", "--json")
    validate(limit.data, "limit", "na64-limits/limit/1", "stdout")
    assert (limit.code, limit.data["projection"], limit.data["observed"]) == (0, True, None)
    assert limit.data["coupling"]["observed"] is None
    assert limit.data["status"] == "ok"
    assert limit.data["expected_status"] == ["ok"] * 5
    scan = call("scan", "na64mu-2023-2024", "--masses", "0.1", "--json").data
    expected = [band[0] for band in scan["expected"]]
    assert limit.data["coupling"]["expected"] == pytest.approx(expected, rel=1e-6)
    for command, rest, empty in (
        ("cls", ("--mu", "1,3"), ("observed",)),
        ("significance", (), ("p_value", "significance", "best_fit")),
        ("breakdown", ("--method", "asymptotic"), ()),
    ):
        done = call(command, "ws.json", *rest, "--json")
        validate(done.data, command, f"na64-limits/{command}/1", "stdout")
        assert (done.code, done.data["projection"]) == (0, True)
        assert "a projection: there are no data" in done.err
        for key in empty:
            assert done.data[key] in (None, [None, None])
        if command == "breakdown":
            assert {row["observed"] for row in done.data["limits"]} == {None}
            assert all(row["change"] is not None for row in done.data["limits"])
        if command == "significance":
            assert done.data["expected"] > 0.0
    assert "medians of the background" in call("workspace", "inspect", "ws.json").out


def test_a_combination_with_a_projection_is_one(call) -> None:
    call("workspace", "build", "na64e-2016", "--masses", "0.1", "-o", "e.json")
    call("workspace", "build", "na64e-2023", "--masses", "0.1", "-o", "p.json")
    call("workspace", "combine", "e=e.json", "p=p.json", "-o", "both.json")
    name = json.loads(Path("both.json").read_text())["measurements"][0]["name"]
    point = json.loads(Path("e.json").read_text())["measurements"][0]["name"]
    assert "projection" not in point
    assert name.endswith(" projection")


def test_a_band_without_a_limit_is_told(call) -> None:
    """As in test_band_status: the signal may hide, and +2 sigma has no limit."""
    text = json.dumps(signal_that_hides())
    done = call("limit", "-", "--method", "asymptotic", "--json", stdin=text)
    validate(done.data, "limit", "na64-limits/limit/1", "stdout")
    assert done.data["expected_status"] == [*["ok"] * 4, "not-bracketed"]
    assert done.data["expected"][4] is None
    assert done.code == 3
    assert "no limit: expected +2 sigma: not-bracketed" in done.err
    people = call("limit", "-", "--method", "asymptotic", stdin=text)
    (row,) = (line for line in people.out.splitlines() if "+2 sigma" in line)
    assert "not-bracketed" in row


def test_formulas_for_many_events_are_warned_of(call) -> None:
    text = json.dumps(COUNTING)
    for words in (("limit",), ("cls", "--mu", "2"), ("significance",), ("breakdown",)):
        quick = (words[0], "-", *words[1:], "--method")
        assert "fewer than 5 of background" in call(*quick, "asymptotic", stdin=text).err
        assert "fewer than 5" not in call(*quick, "exact", stdin=text).err


def test_toys_expect_a_significance(call) -> None:
    words = ("significance", "-", "--expected", "--method", "toys", "--toys", "2000", "--json")
    done = call(*words, stdin=json.dumps(COUNTING))
    validate(done.data, "significance", "na64-limits/significance/1", "stdout")
    assert done.code == 0
    exact = call("significance", "-", "--expected", "--json", stdin=json.dumps(COUNTING)).data
    assert done.data["expected"] == pytest.approx(exact["expected"], abs=0.15)
