"""Templates of bins with a spectrum: one channel of several bins, its rates and its nuisances."""

from __future__ import annotations

from typing import Any

import jsonpatch
import numpy as np
import pyhf
import pytest

from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.pyhf.combine import combine_rates, combine_templates
from na64.workspaces.pyhf.template import Template
from na64.workspaces.pyhf.write import (
    background_workspace,
    patchset,
    signal_workspace,
    workspace,
)
from tests.shared import CARD_HEAD

CARD = (
    CARD_HEAD
    + """
[[bins]]
name = "run"
edges_gev = [50, 70, 90, 100]
exposure = { value = 1e10, relative_uncertainty = 0.05, correlation = "flux", source = "test" }
efficiency = { value = 0.5, relative_uncertainty = 0.1, source = "test" }
observed = { value = 3, counts = [2, 0, 1], source = "test" }
backgrounds = [
  { name = "hadrons", value = 0.9, uncertainty = 0.45, SHARES, source = "t" },
  { name = "flat", value = 0.3, shares = [1, 1, 1], source = "t" },
]

[[bins]]
name = "early"
exposure = { value = 2e9, relative_uncertainty = 0.05, correlation = "flux", source = "test" }
efficiency = { value = 0.4, source = "test" }
background = { value = 0.1, source = "test" }
observed = { value = 0, source = "test" }
"""
).replace("SHARES", "shares = [6, 3, 0], shape_uncertainty = 0.25")
REGIONS = ("missing-energy", *(f"missing-energy/{name}" for name in ("50-70", "70-90", "90-100")))
PROCESSES = ("emission", "annihilation")
PER_PARTICLE = np.array([[8e-10, 5e-10, 2e-10, 1e-10], [4e-10, 0.0, 4e-10, 0.0]])
RATES = SignalRates(
    "dark-photon", "epsilon", np.array([0.1]), np.ones(1), PROCESSES, REGIONS,
    PER_PARTICLE[None, None], 2.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def template() -> Template:
    return Template.from_card(parse_card(CARD, "test"))


def test_the_counts_of_a_card(template: Template) -> None:
    assert [item.label for item in template.bins] == [
        "run/50-70",
        "run/70-90",
        "run/90-100",
        "early",
    ]
    assert template.channels == {"run": (0, 1, 2), "early": (3,)}
    assert template.observations.tolist() == [2, 0, 1, 0]
    assert template.expected_backgrounds == pytest.approx([0.7, 0.4, 0.1, 0.1])
    assert template.nuisances == ("flux", "run:efficiency", "run:hadrons", "run:hadrons-shape")
    # exposure times efficiency times rate
    events = template.signal_events(RATES)[0, 0]
    wanted = PER_PARTICLE[:, [1, 2, 3, 0]] * [5e9, 5e9, 5e9, 0.8e9]
    np.testing.assert_allclose(events, wanted, rtol=1e-12)


def test_pyhf_has_one_channel_with_its_intervals(template: Template) -> None:
    spec, point = signal_workspace(template, RATES, 0)
    channels = {item["name"]: item for item in spec["channels"]}  # type: ignore[attr-defined]
    samples = {item["name"]: item for item in channels["run"]["samples"]}
    assert list(samples) == ["signal_emission", "signal_annihilation", "hadrons", "flat"]
    assert samples["hadrons"]["data"] == pytest.approx([0.6, 0.3, 0.0])
    (shape,) = (item for item in samples["hadrons"]["modifiers"] if item["type"] == "shapesys")
    assert shape["name"] == "run:hadrons-shape"
    assert shape["data"] == pytest.approx([0.15, 0.075, 0.0])
    observations = {item["name"]: item["data"] for item in spec["observations"]}  # type: ignore[attr-defined]
    assert observations == {"run": [2, 0, 1], "early": [0]}

    model = pyhf.Workspace(spec).model()
    parameters = np.array(model.config.suggested_init())
    total = template.signal_events(RATES).sum(axis=(0, 1, 2))
    expected = model.expected_actualdata(parameters)  # channels by name: early, run
    signal = total / total.sum()
    np.testing.assert_allclose(
        expected, [0.1 + signal[3], *(np.array([0.7, 0.4, 0.1]) + signal[:3])], rtol=1e-12
    )
    # one factor for every interval that has any background, of its own
    parameters[model.config.par_slice("run:hadrons-shape")] = [1.5, 1.0, 1.0]
    moved = model.expected_actualdata(parameters)
    np.testing.assert_allclose(moved - expected, [0.0, 0.3, 0.0, 0.0], atol=1e-12)
    # and its own measurement, of 1/0.25^2 = 16 events
    auxdata = dict(zip(model.config.auxdata_order, [1, 1, 1, 1], strict=True))
    assert "run:hadrons-shape" in auxdata
    assert 16.0 in [pytest.approx(value) for value in model.config.auxdata]
    assert point.coupling == pytest.approx(total.sum() ** -0.5)


VARIED = 'variations = [{ name = "slope", shares = [5, 4, 0], source = "t" }]'


def test_another_spectrum_is_a_histosys() -> None:
    text = CARD.replace("shape_uncertainty = 0.25", VARIED)
    varied = Template.from_card(parse_card(text, "test"))
    assert "slope" in varied.nuisances
    assert varied.digest != Template.from_card(parse_card(CARD, "test")).digest
    model = pyhf.Workspace(workspace(varied, np.zeros((2, 4)), PROCESSES)).model()
    parameters = np.array(model.config.suggested_init())
    usual = model.expected_actualdata(parameters)
    slope = model.config.par_slice("slope")
    for side, hadrons in ((1.0, [0.5, 0.4]), (-1.0, [0.9 * 7.2 / 9.45, 0.9 * 2.25 / 9.45])):
        parameters[slope] = side
        moved = model.expected_actualdata(parameters) - usual
        np.testing.assert_allclose(moved, [0.0, *(np.array(hadrons) - [0.6, 0.3]), 0.0], atol=1e-12)
    assert "histosys" not in str(background_workspace(varied.without(["slope"])))
    both = combine_templates({"a": varied, "b": Template.from_card(load_card("na64e-2016"))})
    assert "a:slope" in both.nuisances


def test_nothing_has_no_shape() -> None:
    """pyhf has no shapesys of zeros alone."""
    text = CARD.replace("value = 0.9, uncertainty = 0.45", "value = 0.0").replace(
        "0.25", f"0.25, {VARIED}"
    )
    empty = Template.from_card(parse_card(text, "test"))
    assert empty.nuisances == ("flux", "run:efficiency")
    assert empty.expected_backgrounds == pytest.approx([0.1, 0.1, 0.1, 0.1])
    pyhf.Workspace(workspace(empty, np.ones((2, 4)), PROCESSES)).model()


def test_a_patch_gives_the_workspace_of_the_signal(template: Template) -> None:
    made: Any = patchset(template, RATES)
    (patch,) = made["patches"]
    patched = jsonpatch.apply_patch(background_workspace(template), patch["patch"])
    spec: Any = signal_workspace(template, RATES, 0)[0]
    assert {c["name"]: c for c in patched["channels"]} == {c["name"]: c for c in spec["channels"]}


def test_nuisances_are_removed_and_renamed(template: Template) -> None:
    fixed = template.without(["run:hadrons-shape"])
    assert fixed.nuisances == ("flux", "run:efficiency", "run:hadrons")
    assert "shapesys" not in str(background_workspace(fixed))
    other = Template.from_card(load_card("na64e-positron-2022"))
    both = combine_templates({"a": template, "b": other})
    assert "a:run:hadrons-shape" in both.nuisances
    assert both.channels == {"a:run": (0, 1, 2), "a:early": (3,), "b:2022": (4,)}
    rates = combine_rates({"a": RATES, "b": RATES})
    assert both.signal_events(rates).shape == (1, 1, 2, 5)
    spec = workspace(both, np.ones((2, 5)), PROCESSES)
    sizes = pyhf.Workspace(spec).model().config.channel_nbins
    assert sizes == {"a:run": 3, "a:early": 1, "b:2022": 1}


def test_the_same_data_divided_and_not_are_refused(template: Template) -> None:
    whole = CARD.replace("edges_gev = [50, 70, 90, 100]", "").replace(", counts = [2, 0, 1]", "")
    for text in (", shares = [6, 3, 0], shape_uncertainty = 0.25", ", shares = [1, 1, 1]"):
        whole = whole.replace(text, "")
    parts = {"a": template, "b": Template.from_card(parse_card(whole, "test"))}
    with pytest.raises(InputError, match="hold the same data: bins run, early are in both"):
        combine_templates(parts)


def test_the_intervals_are_in_the_digest_and_only_where_there_are_some(template: Template) -> None:
    bins: Any = template.to_dict()["bins"]
    first, last = bins[0], bins[-1]
    assert first["interval"] == "50-70"
    assert first["backgrounds"][0]["shape"] == ("run:hadrons-shape", 0.25)
    assert "interval" not in last
    assert "shape" not in last["backgrounds"][0]
