"""Combination of searches: templates, rates and pyhf workspaces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyhf
import pytest

from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates
from na64.workspaces.cards.reader import load_card
from na64.workspaces.pyhf.combine import combine_rates, combine_templates
from na64.workspaces.pyhf.combine_documents import combine_workspaces
from na64.workspaces.pyhf.template import Template
from na64.workspaces.pyhf.write import parse_measurement, signal_workspace


def rates(processes: tuple[str, ...], events: list[float], **changes: Any) -> SignalRates:
    made = SignalRates(
        "dark-photon", "epsilon", np.array([0.1]), np.ones(1), processes, ("missing-energy",),
        np.asarray(events).reshape(1, 1, len(processes), 1), 2.0,
    )  # fmt: skip
    return replace(made, **changes)


ELECTRONS = rates(("emission", "annihilation"), [1.4e-4, 2e-6])
POSITRONS = rates(("annihilation",), [3e-3])


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    names = {"electrons": "na64e-2016-2018", "positrons": "na64e-positron-2022"}
    return {part: Template.from_card(load_card(name)) for part, name in names.items()}


def counts(spec: dict[str, Any], mu: float, **nuisances: float) -> dict[str, float]:
    model = pyhf.Workspace(spec).model()
    values = dict.fromkeys(model.config.par_names, 0.0) | {"mu": mu} | nuisances
    parameters = [values[name] for name in model.config.par_names]
    expected = model.expected_actualdata(parameters)
    return dict(zip(model.config.channels, expected.tolist(), strict=True))


def test_nuisances_are_separate_unless_shared(templates: dict[str, Template]) -> None:
    apart = combine_templates(templates)
    assert apart.nuisances == (
        "electrons:background-2016-2018",
        *(
            f"electrons:background-2016-2018-split-{name}"
            for name in ("2016-high", "2016-low", "2016-medium", "2017", "2018")
        ),
        "electrons:efficiency",
        "electrons:exposure",
        "positrons:2022:background",
        "positrons:efficiency",
        "positrons:exposure",
    )
    together = combine_templates(templates, shared=["efficiency"])
    assert "efficiency" in together.nuisances
    assert "electrons:exposure" in together.nuisances
    assert apart.name == "electrons+positrons"
    assert [item.name for item in apart.bins][-2:] == ["electrons:2018", "positrons:2022"]


def test_a_combination_has_the_counts_of_its_parts(templates: dict[str, Template]) -> None:
    combined = combine_templates(templates, shared=["efficiency"])
    joint = combine_rates({"electrons": ELECTRONS, "positrons": POSITRONS})
    assert joint.processes == ("emission", "annihilation")
    assert joint.regions == ("electrons:missing-energy", "positrons:missing-energy")
    assert joint.events[0, 0, :, 1].tolist() == [0.0, 3e-3]
    events = combined.signal_events(joint)[0, 0]
    assert events[:, :5] == pytest.approx(
        templates["electrons"].signal_events(ELECTRONS)[0, 0], rel=1e-14
    )
    assert events[1, 5:] == pytest.approx(
        templates["positrons"].signal_events(POSITRONS)[0, 0, 0], rel=1e-14
    )


def test_workspaces_and_templates_combine_to_the_same(templates: dict[str, Template]) -> None:
    joint = combine_rates({"electrons": ELECTRONS, "positrons": POSITRONS})
    one, _ = signal_workspace(combine_templates(templates, shared=["efficiency"]), joint, 0)
    parts = {
        "electrons": signal_workspace(templates["electrons"], ELECTRONS, 0)[0],
        "positrons": signal_workspace(templates["positrons"], POSITRONS, 0)[0],
    }
    two: dict[str, Any] = combine_workspaces(parts, shared=["efficiency"])
    points = [parse_measurement(spec["measurements"][0]["name"]) for spec in (one, two)]  # type: ignore[index]
    epsilon = 2e-5
    for nuisances in ({}, {"efficiency": 1.3, "positrons:exposure": -0.7}):
        expected = [
            counts(spec, (epsilon / point.coupling) ** 2, **nuisances)
            for spec, point in zip((one, two), points, strict=True)
            if point is not None
        ]
        assert expected[0].keys() == expected[1].keys()
        for channel, count in expected[0].items():
            assert expected[1][channel] == pytest.approx(count, rel=1e-10)
    # the strongest part sets the scale: one event of it at mu = 1, less of the others
    assert points[1] is not None
    assert points[1].coupling == pytest.approx(
        min(parse_measurement(s["measurements"][0]["name"]).coupling for s in parts.values())  # type: ignore[index, union-attr]
    )


def test_shared_nuisances_must_be_common(templates: dict[str, Template]) -> None:
    with pytest.raises(InputError, match=r"'efficency' is in none .*did you mean 'efficiency'"):
        combine_templates(templates, shared=["efficency"])
    with pytest.raises(InputError, match="'background-2016-2018' is in electrons only"):
        combine_templates(templates, shared=["background-2016-2018"])


def test_data_count_once() -> None:
    parts = {
        "old": Template.from_card(load_card("na64e-2016-2018")),
        "new": Template.from_card(load_card("na64e-2016-2022")),
    }
    with pytest.raises(InputError, match=r"old and new hold the same data: bins 2016-low, .*2018"):
        combine_templates(parts)


def test_a_projection_may_repeat_the_bins_of_data() -> None:
    # a projection has no data, so that none would count twice, on whichever side it stands
    data = Template.from_card(load_card("na64e-2016-2018"))
    plan = replace(data, projection=True)
    for left, right in ((data, plan), (plan, data), (plan, plan)):
        both = combine_templates({"left": left, "right": right})
        assert len(both.bins) == 2 * len(data.bins)
        assert both.projection == (left.projection and right.projection)
    with pytest.raises(InputError, match="hold the same data"):
        combine_templates({"left": data, "plan": plan, "right": data})


def test_parts(templates: dict[str, Template]) -> None:
    with pytest.raises(InputError, match="two parts or more"):
        combine_templates({"one": templates["electrons"]})
    with pytest.raises(InputError, match="'a:b' cannot be the name"):
        combine_templates({"a:b": templates["electrons"], "c": templates["positrons"]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mediator": "scalar"}, "different mediators"),
        ({"parameter": "g"}, "different coupling parameters"),
        ({"masses_gev": np.array([0.2])}, "different masses"),
        ({"couplings": np.array([2.0])}, "different couplings"),
        ({"power": 4.0}, "different powers"),
    ],
)
def test_rates_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"a and b have {message}"):
        combine_rates({"a": ELECTRONS, "b": replace(ELECTRONS, **changes)})


def _foreign(name: str, poi: str = "mu", lumi: bool = False) -> dict[str, Any]:
    """A workspace as others write them, with shapes and statistical errors."""
    signal = [{"name": poi, "type": "normfactor", "data": None}]
    if lumi:
        signal.append({"name": "lumi", "type": "lumi", "data": None})
    parameters: list[dict[str, Any]] = [{"name": poi, "bounds": [[0, 5]], "inits": [1.0]}]
    if lumi:
        parameters.append(
            {"name": "lumi", "auxdata": [1.0], "bounds": [[0.5, 1.5]], "inits": [1.0],
             "sigmas": [0.02]}
        )  # fmt: skip
    return {
        "version": "1.0.0",
        "channels": [
            {
                "name": "region",
                "samples": [
                    {"name": "signal", "data": [3.0, 2.0], "modifiers": signal},
                    {
                        "name": "background",
                        "data": [10.0, 20.0],
                        "modifiers": [
                            {"name": "shape", "type": "shapesys", "data": [1.0, 2.0]},
                            {"name": "stat", "type": "staterror", "data": [0.5, 0.5]},
                        ],
                    },
                ],
            }
        ],
        "observations": [{"name": "region", "data": [12, 19]}],
        "measurements": [{"name": name, "config": {"poi": poi, "parameters": parameters}}],
    }


def test_workspaces_of_other_origin() -> None:
    combined: dict[str, Any] = combine_workspaces({"a": _foreign("x"), "b": _foreign("y")})
    model = pyhf.Workspace(combined).model()
    assert model.config.channels == ["a:region", "b:region"]
    assert {name.split("[")[0] for name in model.config.par_names} == {
        "mu", "a:shape", "a:stat", "b:shape", "b:stat",
    }  # fmt: skip
    single = pyhf.Workspace(_foreign("x"))
    start = single.model().config.suggested_init()
    one = single.model().logpdf(start, single.data(single.model()))[0]
    both = model.logpdf(model.config.suggested_init(), pyhf.Workspace(combined).data(model))[0]
    assert both == pytest.approx(2.0 * one, rel=1e-12)


def test_lumi_is_shared_or_refused() -> None:
    parts = {"a": _foreign("x", lumi=True), "b": _foreign("y", lumi=True)}
    with pytest.raises(InputError, match="pyhf has one lumi only"):
        combine_workspaces(parts)
    combined: dict[str, Any] = combine_workspaces(parts, shared=["lumi"])
    assert pyhf.Workspace(combined).model().config.par_names.count("lumi") == 1
    other = _foreign("y", lumi=True)
    other["measurements"][0]["config"]["parameters"][1]["sigmas"] = [0.03]
    with pytest.raises(InputError, match="'lumi' is set differently in b"):
        combine_workspaces({"a": parts["a"], "b": other}, shared=["lumi"])


def test_strengths_must_have_one_meaning() -> None:
    good = "mass_gev=0.1 epsilon=1e-05 power=2"
    with pytest.raises(InputError, match="different parameters of interest"):
        combine_workspaces({"a": _foreign("x"), "b": _foreign("y", poi="nu")})
    with pytest.raises(InputError, match="b does not say at which mass"):
        combine_workspaces({"a": _foreign(good), "b": _foreign("y")})
    with pytest.raises(InputError, match=r"different masses: 0\.1 and 0\.2"):
        combine_workspaces({"a": _foreign(good), "b": _foreign(good.replace("0.1", "0.2"))})
    with pytest.raises(InputError, match="different couplings: epsilon and g"):
        combine_workspaces({"a": _foreign(good), "b": _foreign(good.replace("epsilon", "g"))})
    fixed = "mass_gev=0.1 g=1e-05"
    with pytest.raises(InputError, match="no powers of it"):
        combine_workspaces({"a": _foreign(fixed), "b": _foreign(fixed.replace("-05", "-04"))})


def test_signals_are_scaled_with_their_uncertainties() -> None:
    weak, strong = "mass_gev=0.1 epsilon=2e-05 power=2", "mass_gev=0.1 epsilon=1e-05 power=2"
    parts = {"a": _foreign(weak), "b": _foreign(strong)}
    parts["a"]["channels"][0]["samples"][0]["modifiers"].append(
        {"name": "tilt", "type": "histosys", "data": {"hi_data": [4.0, 1.0], "lo_data": [2.0, 3.0]}}
    )
    combined: dict[str, Any] = combine_workspaces(parts)
    sample = combined["channels"][0]["samples"][0]
    assert sample["data"] == [0.75, 0.5]  # (1e-5/2e-5)^2 of 3 and 2
    assert sample["modifiers"][1]["data"] == {"hi_data": [1.0, 0.25], "lo_data": [0.5, 0.75]}
    assert combined["channels"][1]["samples"][0]["data"] == [3.0, 2.0]
    assert combined["channels"][0]["samples"][1]["data"] == [10.0, 20.0]
    assert combined["measurements"][0]["name"] == strong
    # the inputs are as they were
    assert parts["a"]["channels"][0]["samples"][0]["data"] == [3.0, 2.0]
