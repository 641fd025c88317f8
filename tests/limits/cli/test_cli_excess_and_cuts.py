"""significance, breakdown, background, optimise, workspace combine."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from na64.limits.results.schemas import validate


def counting(
    observed: int, *, signal: float = 3.0, background: float = 1.0, spread: float = 0.3
) -> str:
    """Return a workspace of one bin with a log-normal uncertainty of the background."""
    uncertainty = {"hi": 1.0 + spread, "lo": 1.0 / (1.0 + spread)}
    spec = {
        "channels": [
            {
                "name": "box",
                "samples": [
                    {
                        "name": "signal",
                        "data": [signal],
                        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                    },
                    {
                        "name": "background",
                        "data": [background],
                        "modifiers": [{"name": "bkg", "type": "normsys", "data": uncertainty}],
                    },
                ],
            }
        ],
        "observations": [{"name": "box", "data": [observed]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    return json.dumps(spec)


def sideband(path: str = "side.csv", *, slope: float = 6.0) -> None:
    edges = np.linspace(55.0, 95.0, 9)
    counts = np.round(200.0 * np.exp((edges[1:] - 95.0) / slope)).astype(int)
    rows = [f"{a},{b},{n}" for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]
    Path(path).write_text("low_gev,high_gev,events\n" + "\n".join(rows) + "\n")


def test_significance_is_zero_without_an_excess_and_grows_with_it(call) -> None:
    found = []
    for observed in (0, 1, 4, 9):
        done = call("significance", "-", "--json", stdin=counting(observed))
        assert done.code == 0, done.err
        validate(done.data, "significance", "na64-limits/significance/1", "stdout")
        found.append((done.data["significance"], done.data["p_value"], done.data["best_fit"]))
    assert found[0] == (0.0, 1.0, 0.0)
    assert found[0][0] <= found[1][0] < found[2][0] < found[3][0]
    # 9 seen and 1 expected: the best fit is the difference over the signal at mu = 1
    assert found[3][2] == pytest.approx(8.0 / 3.0, rel=1e-3)


def test_significance_of_a_known_background_is_the_poisson_tail(call) -> None:
    text = counting(4, spread=1e-9)
    p = call("significance", "-", "--json", stdin=text).data["p_value"]
    tail = 1.0 - sum(math.exp(-1.0) / math.factorial(n) for n in range(4))
    assert p == pytest.approx(tail, rel=1e-6)


def test_expected_significance_is_asked_for(call) -> None:
    text = counting(1, signal=8.0)
    assert call("significance", "-", "--json", stdin=text).data["expected"] is None
    expected = call("significance", "-", "--expected", "--json", stdin=text).data["expected"]
    # one event was seen and fits the background of one; the median of 8 + 1 events is 9, and
    # P(N >= 9 | 1) = 1.125e-6 is Z = 4.73
    assert expected == pytest.approx(4.73, rel=2e-3)


def test_breakdown_weighs_each_uncertainty(call) -> None:
    assert call("workspace", "build", "--masses", "0.1", "-o", "ws.json").code == 0
    words = ("breakdown", "ws.json", "--method", "asymptotic", "--json")
    done = call(*words)
    assert done.code == 0, done.err
    validate(done.data, "breakdown", "na64-limits/breakdown/1", "stdout")
    limits = {entry["uncertainties"]: entry["observed"] for entry in done.data["limits"]}
    full = limits["all uncertainties"]
    assert limits["no uncertainties"] < limits["without efficiency"] < full
    both = call(*words, "--group", "signal=efficiency,exposure").data["limits"]
    grouped = {entry["uncertainties"]: entry["observed"] for entry in both}
    assert set(grouped) == {"all uncertainties", "without signal", "no uncertainties"}
    assert grouped["without signal"] < limits["without efficiency"]
    changes = {entry["uncertainties"]: entry["change"] for entry in both}
    assert changes["without signal"] == pytest.approx(grouped["without signal"] / full - 1.0)


def test_background_extrapolates_and_writes_a_line_for_a_card(call) -> None:
    sideband()
    done = call("background", "side.csv", "--box", "0:50", "--json")
    assert done.code == 0, done.err
    data = done.data
    validate(data, "background", "na64-limits/background/1", "stdout")
    # bins of 5 GeV that fall by e^(-5/6): the sum over all bins below 50 GeV in closed form
    exact = 200.0 * math.exp(-45.0 / 6.0) / (1.0 - math.exp(-5.0 / 6.0))
    assert abs(math.log(data["prediction"] / exact)) < 2.0 * data["relative_uncertainty"]
    entry = tomllib.loads(data["card_entry"])["background"]
    assert entry["value"] == pytest.approx(data["prediction"], rel=1e-3)
    assert entry["relative_uncertainty"] == pytest.approx(data["relative_uncertainty"], rel=1e-2)
    shown = call("background", "side.csv", "--box", "0:50")
    assert "for a run card:\nbackground = {" in shown.out
    piped = call("background", "-", "--box", "0:50", "--json", stdin=Path("side.csv").read_text())
    assert piped.data["prediction"] == data["prediction"]


def test_a_sideband_of_another_form_is_told(call) -> None:
    rows = [(60 + 5 * k, 65 + 5 * k, 200 if k == 3 else 20) for k in range(6)]
    text = "low_gev,high_gev,events\n" + "\n".join(",".join(map(str, row)) for row in rows)
    done = call("background", "-", "--box", "0:50", stdin=text)
    assert done.code == 0
    assert "warning: the exponential form does not describe the sideband" in done.err


def test_the_best_cut_lies_inside_and_moves_with_the_background(call) -> None:
    best = []
    for name, slope in (("steep.csv", 6.5), ("flat.csv", 9.0)):
        sideband(name, slope=slope)
        words = ("optimise", "--masses", "0.02", "--cuts", "10,20,30,40,45,50,54")
        done = call(*words, "--sideband", name, "--method", "asymptotic", "--json")
        assert done.code == 0, done.err
        data = done.data
        validate(data, "optimise", "na64-limits/optimise/1", "stdout")
        assert np.all(np.diff(data["signal"]) > 0.0)
        assert np.all(np.diff(data["background"]) > 0.0)
        row = data["cuts_gev"].index(data["best_cut_gev"])
        assert data["expected"][row] == min(data["expected"])
        best.append(data["best_cut_gev"])
    assert best[1] < best[0]
    assert best[1] > 10.0


def test_combined_workspaces_are_stronger_than_each(call) -> None:
    for name, card in (("e.json", "na64e-2016"), ("p.json", "na64e-positron-2022")):
        assert call("workspace", "build", card, "--masses", "0.24", "-o", name).code == 0
    words = ("workspace", "combine", "electrons=e.json", "positrons=p.json")
    assert call(*words, "-o", "both.json").code == 0
    limits = {
        name: call("limit", name, "--json").data["coupling"]["observed"]
        for name in ("e.json", "p.json", "both.json")
    }
    assert limits["both.json"] < min(limits["e.json"], limits["p.json"])
    shared = call(*words, "--shared", "efficiency")
    assert shared.code == 0, shared.err
    names = {
        modifier["name"]
        for channel in json.loads(shared.out)["channels"]
        for sample in channel["samples"]
        for modifier in sample["modifiers"]
    }
    assert "efficiency" in names
    assert "electrons:efficiency" not in names


BINS = "low_gev,high_gev,events\n"


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        ("significance -", "{}", "not a valid pyhf workspace"),
        ("significance - --method x", counting(0), "unknown method 'x'"),
        ("breakdown - --group a", counting(0), "must have the form name=modifier"),
        ("breakdown - --group a=nope", counting(0), "unknown modifier 'nope'"),
        ("background - --box 50", "", "--box 50: must have the form LO:HI"),
        ("background - --box 0:50", "a,b\n1,2\n", "no column low_gev, high_gev, events"),
        ("background - --box 0:50", f"{BINS}60,65,x\n", "row 1 has a cell that is no number"),
        (
            "background - --box 0:50",
            f"{BINS}60,65,3\n70,75,4\n",
            "row 2 begins at 70 GeV, row 1 ends at 65 GeV",
        ),
        (
            "background - --box 0:62",
            f"{BINS}60,65,3\n65,70,4\n70,75,9\n75,80,9\n",
            "overlaps the sideband",
        ),
        ("optimise --cuts 20,30 --sideband s.csv", "", "no such file: s.csv"),
        (
            "optimise --masses 0.1 --cuts 20,120",
            "",
            "a cut of 120 GeV is not below the beam energy",
        ),
        (
            "optimise na64e-alp-2016-2018 --masses 0.01 --cuts 20",
            "",
            "a cut is optimised for a window on the missing energy",
        ),
        ("workspace combine ws.json", "", "a part is given as NAME=WS.json"),
        ("workspace combine a=- b=-", "{}", "stdin ('-') is given twice"),
        ("workspace combine a=no.json b=no.json", "", "no such file: no.json"),
    ],
)
def test_bad_input(call, words: str, stdin: str, message: str) -> None:
    done = call(*words.split(), stdin=stdin)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert message in done.err
    assert list(Path().iterdir()) == []
