"""Limits and CLs of workspaces that this project did not build: methods, options, refusals."""

from __future__ import annotations

import copy
import json
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from na64.limits.cli.console import Console
from na64.limits.results.schemas import validate

POI = {"name": "mu", "type": "normfactor", "data": None}

#: two channels, three bins, every constraint: nothing in it is as this project writes workspaces
FOREIGN: dict[str, Any] = {
    "channels": [
        {
            "name": "signal region",
            "samples": [
                {
                    "name": "new physics",
                    "data": [1.5, 0.8],
                    "modifiers": [
                        POI,
                        {"name": "lumi", "type": "lumi", "data": None},
                        {"name": "acceptance", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}},
                    ],
                },
                {
                    "name": "continuum",
                    "data": [0.9, 2.1],
                    "modifiers": [
                        {"name": "mc stat", "type": "staterror", "data": [0.2, 0.3]},
                        {
                            "name": "scale",
                            "type": "histosys",
                            "data": {"hi_data": [1.0, 2.2], "lo_data": [0.85, 2.0]},
                        },
                    ],
                },
            ],
        },
        {
            "name": "control region",
            "samples": [
                {
                    "name": "continuum",
                    "data": [12.0],
                    "modifiers": [
                        {"name": "free", "type": "normfactor", "data": None},
                        {"name": "shape", "type": "shapesys", "data": [2.0]},
                    ],
                }
            ],
        },
    ],
    "observations": [
        {"name": "signal region", "data": [1, 3]},
        {"name": "control region", "data": [11]},
    ],
    "measurements": [
        {
            "name": "first",
            "config": {
                "poi": "mu",
                "parameters": [
                    {
                        "name": "lumi",
                        "auxdata": [1.0],
                        "sigmas": [0.03],
                        "inits": [1.0],
                        "bounds": [[0.5, 1.5]],
                    },
                ],
            },
        },
        {
            "name": "exact luminosity",
            "config": {
                "poi": "mu",
                "parameters": [
                    {
                        "name": "lumi",
                        "auxdata": [1.0],
                        "sigmas": [0.5],
                        "inits": [1.0],
                        "bounds": [[0.5, 1.5]],
                    },
                ],
            },
        },
    ],
    "version": "1.0.0",
}
#: one bin: quick toys
COUNTING: dict[str, Any] = {
    "channels": [
        {
            "name": "box",
            "samples": [
                {"name": "s", "data": [2.0], "modifiers": [POI]},
                {
                    "name": "b",
                    "data": [0.8],
                    "modifiers": [{"name": "u", "type": "normsys", "data": {"hi": 1.3, "lo": 0.7}}],
                },
            ],
        }
    ],
    "observations": [{"name": "box", "data": [1]}],
    "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    "version": "1.0.0",
}
TOYS = ("--method", "toys", "--toys", "300", "--seed", "7")


@pytest.fixture
def foreign(call) -> str:
    Path("foreign.json").write_text(json.dumps(FOREIGN))
    return "foreign.json"


@pytest.mark.parametrize("method", ["exact", "asymptotic", "toys"])
def test_limit_and_cls_agree_by_every_method(call, foreign: str, method: str) -> None:
    words = TOYS if method == "toys" else ("--method", method)
    limit = call("limit", foreign, *words, "--json").data
    validate(limit, "limit", "na64-limits/limit/1", "stdout")
    assert (limit["method"], limit["status"]) == (method, "ok")
    assert limit["seed"] == (7 if method == "toys" else None)
    if method != "toys":  # so few toys leave the outer bands anywhere
        assert limit["expected"] == sorted(limit["expected"])
    assert 1.0 < limit["observed"] < 10.0
    cls = call("cls", foreign, "--mu", str(limit["observed"]), *words, "--json").data
    validate(cls, "cls", "na64-limits/cls/1", "stdout")
    # one seed is one function of mu; toys make it a staircase with steps of 1/300
    assert cls["observed"][0] == pytest.approx(0.1, rel=0.05 if method == "toys" else 2e-3)


def test_the_asymptotic_cls_is_that_of_pyhf(call, foreign: str) -> None:
    import pyhf

    mine = call("cls", foreign, "--mu", "0.5,2", "--method", "asymptotic", "--json").data
    model = pyhf.Workspace(FOREIGN).model(measurement_name="first")
    data = pyhf.Workspace(FOREIGN).data(model)
    bounds = model.config.suggested_bounds()
    bounds[model.config.poi_index] = (0.0, 20.0)
    for mu, observed, *bands in zip(mine["mu"], mine["observed"], *mine["expected"], strict=True):
        theirs, expected = pyhf.infer.hypotest(
            mu, data, model, par_bounds=bounds, test_stat="qtilde", return_expected_set=True
        )
        # scipy's SLSQP stops at 1e-6 in the likelihood
        assert observed == pytest.approx(float(theirs), rel=2e-3)
        # pyhf orders its bands from the smallest CLs, the strongest experiment, as here
        assert bands == pytest.approx([float(value) for value in expected], rel=2e-3)


@pytest.mark.parametrize("command", ["limit", "cls"])
def test_ensembles_of_toys_differ(call, command: str) -> None:
    words, text = (command, "-", *TOYS, "--json"), json.dumps(COUNTING)
    fixed = call(*words, stdin=text).data
    thrown = call(*words, "--ensemble", "aux-fluctuated", stdin=text).data
    assert (fixed["ensemble"], thrown["ensemble"]) == ("aux-fixed", "aux-fluctuated")
    assert fixed["observed"] != thrown["observed"]


def test_a_measurement_is_chosen_by_name(call, foreign: str) -> None:
    first = call("limit", foreign, "--json").data
    named = call("limit", foreign, "--measurement", "first", "--json").data
    other = call("limit", foreign, "--measurement", "exact luminosity", "--json").data
    assert first["measurement"] == named["measurement"] == "first"
    assert first["observed"] == named["observed"]
    # a luminosity known to 50 % only
    assert other["observed"] > 1.1 * first["observed"]
    missing = call("limit", foreign, "--measurement", "frist")
    assert missing.code == 2
    assert "unknown measurement 'frist' (did you mean 'first'?)" in missing.err


@pytest.mark.parametrize(
    "words",
    [
        ("limit", "-"),
        ("scan", "na64e-2016", "--masses", "0.05,0.2"),
    ],
    ids=lambda words: words[0],
)
def test_toys_do_not_depend_on_the_number_of_processes(call, words: tuple[str, ...]) -> None:
    text = json.dumps(COUNTING)
    settings = (*TOYS, "--ensemble", "aux-fluctuated", "--json")
    one = call(*words, *settings, "--jobs", "1", stdin=text).data
    three = call(*words, *settings, "--jobs", "3", stdin=text).data
    for document in (one, three):
        del document["provenance"]
    assert one == three
    settings = one["specification"]["calculator"] if words[0] == "scan" else one
    assert settings["seed"] == 7


@pytest.mark.parametrize("command", ["limit", "cls", "scan"])
@pytest.mark.parametrize("method", ["exact", "asymptotic"])
@pytest.mark.parametrize(
    ("option", "value"),
    [("toys", "500"), ("seed", "3"), ("ensemble", "aux-fixed")],
)
def test_options_of_toys_are_refused_without_toys(
    call, foreign: str, command: str, method: str, option: str, value: str
) -> None:
    words = (command, "na64e-2016" if command == "scan" else foreign, f"--{option}", value)
    done = call(*words, "--method", method, "-o", "x.json")
    assert (done.code, done.out) == (2, "")
    assert not Path("x.json").exists()
    owners = "toys" if option == "ensemble" else "auto, toys"
    assert f"the method '{method}' has no setting '{option}'; it belongs to {owners}" in done.err


def test_every_method_takes_jobs_but_one_point_needs_none(call, foreign: str) -> None:
    for method in ("exact", "asymptotic"):
        one, two = (
            call("limit", foreign, "--method", method, "--json", "--jobs", jobs).data
            for jobs in ("1", "2")
        )
        assert {**one, "provenance": None} == {**two, "provenance": None}
    done = call("cls", foreign, "--jobs", "2")
    assert done.code == 2
    assert "shares the patches of a --patchset" in done.err


Change = Callable[[dict[str, Any]], object]


def modifiers(spec: dict[str, Any]) -> Any:
    return spec["channels"][0]["samples"][1]["modifiers"]


BAD: dict[str, tuple[Change, str]] = {
    "schema": (
        lambda spec: spec["channels"][0]["samples"][0].pop("data"),
        "channels[0].samples[0] ('signal region', 'new physics')",
    ),
    "version": (
        lambda spec: spec.pop("version"),
        "it names no version of the specification; pyhf 0.7",
    ),
    "no modifier of pyhf": (
        lambda spec: modifiers(spec).append({"name": "odd", "type": "oddsys", "data": None}),
        "('signal region', 'continuum', 'odd'): no modifier of type 'oddsys'",
    ),
    "lumi without its measurement": (
        lambda spec: [
            modifiers(spec).append({"name": "lumi", "type": "lumi", "data": None}),
            spec["measurements"][0]["config"].update(parameters=[]),
        ],
        "modifier 'lumi': a lumi needs 'auxdata' and 'sigmas' in the 'parameters' of",
    ),
    "no parameter of interest": (
        lambda spec: spec["measurements"][0]["config"].update(poi=""),
        "measurement 'first' has no parameter of interest",
    ),
    "unknown parameter of interest": (
        lambda spec: spec["measurements"][0]["config"].update(poi="nu"),
        "no sample carries the parameter of interest 'nu'",
    ),
    "parameter of interest on no signal": (
        lambda spec: spec["measurements"][0]["config"].update(poi="acceptance"),
        "modifier 'acceptance': the parameter of interest is a normsys or histosys",
    ),
    "negative signal": (
        lambda spec: spec["channels"][0]["samples"][0].update(data=[0.9, -2.1]),
        "(new physics) expect -1.2 events in total at ",
    ),
    "length of the observation": (
        lambda spec: spec["observations"][0].update(data=[1, 3, 0]),
        "channel 'signal region', sample 'new physics': 2 rates for 3 observed counts",
    ),
    "negative count": (
        lambda spec: spec["observations"][0].update(data=[1, -3]),
        "channel 'signal region': observed count -3 is not allowed",
    ),
}


@pytest.mark.parametrize("command", ["limit", "cls", "significance", "breakdown"])
@pytest.mark.parametrize("problem", BAD)
def test_bad_workspaces_are_refused_in_one_line(call, command: str, problem: str) -> None:
    change, message = BAD[problem]
    spec = copy.deepcopy(FOREIGN)
    change(spec)
    done = call(command, "-", "-o", "x.json", stdin=json.dumps(spec))
    assert done.code == 2, done.err
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert len(done.err) < 300
    assert message in done.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--cl", "0"), "confidence level must be between 0 and 1, is 0"),
        (("--cl", "1"), "confidence level must be between 0 and 1, is 1"),
        (("--cl", "-0.5"), "confidence level must be between 0 and 1, is -0.5"),
        (("--cl", "90"), "confidence level must be between 0 and 1, is 90"),
        (("--cl", "nan"), "confidence level must be between 0 and 1, is nan"),
        (("--method", "toys", "--toys", "0"), "toys must be 1 or more, is 0"),
        (("--method", "toys", "--toys", "-5"), "toys must be 1 or more, is -5"),
        (("--method", "toys", "--jobs", "0"), "at least one job is needed, not 0"),
        (("--method", "toys", "--seed", "-1"), "seed must not be negative, is -1"),
        (("--method", "toys", "--ensemble", "thrown"), "unknown ensemble 'thrown'"),
        (("--method", "esact"), "unknown method 'esact' (did you mean 'exact'?)"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("command", ["limit", "breakdown"])
def test_bad_options_are_refused(
    call, foreign: str, command: str, words: tuple[str, ...], message: str
) -> None:
    done = call(command, foreign, *words, "-o", "x.json")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not Path("x.json").exists()


@pytest.mark.parametrize(("many", "background"), [(12, 3), (4, 3000)])
def test_an_ensemble_too_large_to_enumerate_is_refused_with_its_size(
    call, many: int, background: int
) -> None:
    spec = copy.deepcopy(COUNTING)
    signal, other = spec["channels"][0]["samples"]
    signal["data"] = [1.0] * many
    other["data"] = [background + 0.01 * i for i in range(many)]
    spec["observations"][0]["data"] = [background] * many
    done = call("limit", "-", "--method", "exact", "-o", "x.json", stdin=json.dumps(spec))
    assert (done.code, done.out) == (2, "")
    assert f"the exact ensemble of {many} bins" in done.err
    assert re.search(r"of the order of \de\+\d\d", done.err)
    assert "use the method 'auto', 'toys' or 'asymptotic'" in done.err
    assert re.search(r"\(box\[\d+\], box\[\d+\], box\[\d+\] and \d more\)", done.err)
    assert done.err.count("\n") == 1
    assert not Path("x.json").exists()
    assert call("limit", "-", "--method", "asymptotic", stdin=json.dumps(spec)).code == 0


def test_a_signal_of_no_events_is_told(call) -> None:
    spec = copy.deepcopy(FOREIGN)
    spec["channels"][0]["samples"][0]["data"] = [0.0, 0.0]
    done = call("limit", "-", "--json", stdin=json.dumps(spec))
    assert done.code == 0
    assert done.data["status"] == "no-exclusion"
    assert done.data["observed"] is None
    assert "no signal event is expected" in done.err


def test_toys_reach_the_exact_limit(call) -> None:
    """Nothing seen, nothing expected and no uncertainty: ln 10, by both."""
    spec = {
        "channels": [
            {"name": "box", "samples": [{"name": "s", "data": [2.0], "modifiers": [POI]}]}
        ],
        "observations": [{"name": "box", "data": [0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    toys = ("--method", "toys", "--toys", "20000")
    for words, tolerance in (((), 1e-4), (toys, 0.02)):  # 20000 toys: CLs = 0.1 to 2 %
        data = call("limit", "-", *words, "--json", stdin=json.dumps(spec)).data
        assert data["observed"] == pytest.approx(math.log(10.0) / 2.0, rel=tolerance)


def test_breakdown_and_significance_say_how_they_were_made(call, foreign: str) -> None:
    for command in ("breakdown", "significance"):
        exact = call(command, foreign, "--json").data
        validate(exact, command, f"na64-limits/{command}/1", "stdout")
        said = tuple(exact[key] for key in ("method", "used", "ensemble", "seed", "toys"))
        assert said == ("auto", "exact", "aux-fixed", None, None)
    words = (*TOYS, "--ensemble", "aux-fluctuated", "--json")
    for command in ("breakdown", "significance"):
        thrown = call(command, "-", *words, stdin=json.dumps(COUNTING)).data
        validate(thrown, command, f"na64-limits/{command}/1", "stdout")
        said = tuple(thrown[key] for key in ("method", "ensemble", "seed", "toys"))
        assert said == ("toys", "aux-fluctuated", 7, 300)


def test_a_significance_beyond_what_toys_can_tell_is_a_bound(call) -> None:
    spec = copy.deepcopy(COUNTING)
    spec["observations"][0]["data"] = [12]
    done = call("significance", "-", *TOYS, "--json", stdin=json.dumps(spec))
    assert done.code == 0
    assert done.data["p_value"] == pytest.approx(1.0 / 300.0)
    assert "the significance is a lower bound" in done.err
    assert "the significance is a lower bound" in done.data["message"]


def test_a_breakdown_without_a_signal_is_told(call) -> None:
    spec = copy.deepcopy(COUNTING)
    spec["channels"][0]["samples"][0]["data"] = [0.0]
    done = call("breakdown", "-", "--json", stdin=json.dumps(spec))
    assert done.code == 0
    assert done.data["status"] == "no-exclusion"
    assert "no signal event is expected" in done.err


@pytest.mark.parametrize(("failing", "code"), [((0, 1), 1), ((1,), 3)])
def test_a_cls_that_cannot_be_computed_is_null_and_told(
    call, monkeypatch, failing: tuple[int, ...], code: int
) -> None:
    from na64.limits.calculators import limits

    true = limits.cls_values

    def partly(*arguments: Any, **options: Any) -> Any:
        table = true(*arguments, **options)
        table.observed[list(failing)] = math.nan
        return table

    monkeypatch.setattr(limits, "cls_values", partly)
    done = call("cls", "-", "--mu", "1,2", "--json", stdin=json.dumps(COUNTING))
    assert done.code == code
    validate(done.data, "cls", "na64-limits/cls/1", "stdout")
    assert [value is None for value in done.data["observed"]] == [i in failing for i in (0, 1)]
    assert f"no CLs observed at mu = {'1, 2' if len(failing) == 2 else '2'}" in done.err


def test_numerical_noise_is_for_the_verbose(capsys) -> None:
    for verbosity, words in ((0, "warning: a warning\n"), (1, "overflow\nwarning: a warning\n")):
        with Console(verbosity).warnings_as_log():
            warnings.simplefilter("always")
            warnings.warn("overflow", RuntimeWarning, stacklevel=1)
            warnings.warn("a warning", UserWarning, stacklevel=1)
        assert capsys.readouterr().err == words


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_absurd_variations_are_refused(call, factor: float) -> None:
    spec = copy.deepcopy(FOREIGN)
    spec["channels"][0]["samples"][0]["modifiers"][2]["data"]["hi"] = factor
    done = call("limit", "-", stdin=json.dumps(spec))
    assert (done.code, done.out) == (2, "")
    assert "sample 'new physics', modifier 'acceptance': hi" in done.err
    assert "must be in 1e-10-1e+10" in done.err
