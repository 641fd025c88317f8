"""Commands that look at the signal strength: CLs with its figure, likelihood scan, posterior."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from na64.limits.results.schemas import validate


@pytest.fixture
def workspace(counting) -> str:
    spec = counting(
        background=(2.0,), uncertainty=(0.3,), signal=(0.5,), efficiency=0.0, observed=(4,)
    )
    Path("ws.json").write_text(json.dumps(spec))
    return "ws.json"


def test_cls_chooses_its_strengths_and_draws(call, workspace) -> None:
    done = call(
        "cls", workspace, "--method", "asymptotic", "--cl", "0.95", "-o", "a.json", "-o", "a.png"
    )
    assert done.code == 0, done.err
    data = json.loads(Path("a.json").read_text())
    validate(data, "cls", "na64-limits/cls/1", "a.json")
    assert data["confidence_level"] == 0.95
    limit = call("limit", workspace, "--method", "asymptotic", "--cl", "0.95", "--json").data
    assert data["limit"]["observed"] == limit["observed"]
    assert data["limit"]["expected"] == limit["expected"]
    assert np.interp(limit["observed"], data["mu"], data["observed"]) == pytest.approx(
        0.05, rel=0.05
    )
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    given = call("cls", workspace, "--mu", "1,2", "--method", "asymptotic", "--json").data
    assert given["limit"] is None


def test_likelihood_scan(call, workspace) -> None:
    done = call(
        "likelihood-scan", workspace, "--cl", "0.9", "-o", "a.json", "-o", "a.svg", "-o", "a.csv"
    )
    assert done.code == 0, done.err
    data = json.loads(Path("a.json").read_text())
    two_sided, upper = data["intervals"]
    assert (two_sided["kind"], upper["kind"]) == ("two-sided", "upper")
    (interval,) = two_sided["allowed"]
    rise = np.interp(interval[1], data["mu"], data["rise"])
    assert rise == pytest.approx(two_sided["threshold"], rel=0.02)
    table = call("likelihood-scan", workspace).out
    assert "two-sided" in table
    assert f"{data['best_fit']:.4g}" in table.split("best fit")[1].splitlines()[0]
    bad = call("likelihood-scan", workspace, "--cl", "90")
    assert bad.code == 2
    assert "between 0 and 1" in bad.err


def test_the_posterior_is_a_method(call, workspace) -> None:
    data = call("limit", workspace, "--method", "bayesian", "--json").data
    assert data["method"] == "bayesian"
    assert data["ensemble"] == "aux-fixed"
    assert data["observed"] > data["expected"][2]
    refused = call("significance", workspace, "--method", "bayesian")
    assert refused.code == 2
    assert "no p-value of a discovery" in refused.err


def test_no_signal_is_a_strength(call, workspace) -> None:
    done = call("likelihood-scan", workspace, "--mu", "0,1", "--json")
    assert (done.code, done.data["mu"]) == (0, [0, 1])
    done = call("cls", workspace, "--mu", "0:2:3", "--method", "asymptotic", "--json")
    assert (done.code, done.data["mu"], done.data["observed"][0]) == (0, [0, 1, 2], 1)
    # the p-value of a unified interval at zero is not one where there is an excess
    done = call("cls", workspace, "--mu", "0,1", "--method", "feldman-cousins")
    assert (done.code, "p-value of a discovery" in done.err) == (2, True)
    done = call("cls", workspace, "--mu", "0,0,1")
    assert (done.code, "numbers must be positive" in done.err) == (2, True)


def test_a_channel_that_is_not_there(call, workspace) -> None:
    done = call("post-fit", workspace, "--channel", "nowhere")
    assert (done.code, "unknown channel 'nowhere'" in done.err) == (2, True)
