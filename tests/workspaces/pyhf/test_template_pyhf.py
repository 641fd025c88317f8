"""pyhf workspaces of templates: valid, deterministic, and the likelihood that was meant."""

from __future__ import annotations

import math

import numpy as np
import pyhf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates
from na64.workspaces.cards.reader import available_cards, load_card, parse_card
from na64.workspaces.cards.topologies import topology
from na64.workspaces.io import jsonio, reading
from na64.workspaces.pyhf.template import Template
from na64.workspaces.pyhf.write import (
    SignalPoint,
    background_workspace,
    parse_measurement,
    patchset,
    pyhf_digest,
    signal_workspace,
    workspace,
)
from tests.shared import CARD_HEAD

PROCESSES = ("emission", "annihilation")


def power_law_rates(per_particle: list[list[float]]) -> SignalRates:
    events = np.asarray(per_particle)
    masses = np.geomspace(0.01, 0.2, len(events))
    return SignalRates(
        "dark-photon", "epsilon", masses, np.ones(1), PROCESSES, ("missing-energy",),
        events[:, None, :, None], 2.0,
    )  # fmt: skip


RATES = power_law_rates([[1.1e-2, 0.0], [6.4e-4, 1e-6], [0.0, 0.0], [2.8e-5, 1.2e-4]])


@pytest.fixture(scope="module")
def template() -> Template:
    return Template.from_card(load_card("na64e-2016-2022"))


@pytest.mark.parametrize("name", available_cards())
def test_pyhf_accepts_every_card(name: str) -> None:
    card = load_card(name)
    template = Template.from_card(card)
    processes = topology(card.topology).processes
    spec = workspace(template, np.ones((len(processes), len(card.bins))), processes)
    model = pyhf.Workspace(spec).model()
    assert model.config.poi_name == "mu"
    assert model.config.channels == sorted(item.name for item in card.bins)
    assert set(model.config.par_names) == {"mu", *template.nuisances}


def test_mu_one_is_one_event_and_gives_the_coupling(template: Template) -> None:
    spec, point = signal_workspace(template, RATES, 0)
    total = sum(
        sample["data"][0]
        for channel in spec["channels"]  # type: ignore[attr-defined]
        for sample in channel["samples"]
        if sample["name"].startswith("signal_")
    )
    assert total == pytest.approx(1.0, rel=1e-11)
    # 9.37e11 electrons, efficiency 0.475: N = 9.37e11 * 0.42 * 0.011 eps^2
    assert point.coupling == pytest.approx(1.0 / math.sqrt(9.37e11 * 0.475 * 1.1e-2))
    assert point.coupling_at(4.0) == pytest.approx(2.0 * point.coupling)
    read = parse_measurement(spec["measurements"][0]["name"])  # type: ignore[index]
    assert read is not None
    assert (read.parameter, read.power) == ("epsilon", 2.0)
    assert read.mass_gev == pytest.approx(0.01)
    assert read.coupling == pytest.approx(point.coupling, rel=1e-11)


def test_expected_counts(template: Template) -> None:
    """The counts that pyhf computes are signal, background and log-normal factors as written."""
    spec, _ = signal_workspace(template, RATES, 3)
    model = pyhf.Workspace(spec).model()
    order = [model.config.channels.index(item.name) for item in template.bins]
    events = template.signal_events(RATES)[3, 0]
    signal = events.sum(axis=0) / events.sum()
    values = dict.fromkeys(model.config.par_names, 0.0) | {"mu": 3.0}

    def counts() -> np.ndarray:
        parameters = [values[name] for name in model.config.par_names]
        return np.asarray(model.expected_actualdata(parameters))[order]

    background = template.expected_backgrounds
    assert counts() == pytest.approx(3.0 * signal + background, rel=1e-11)
    values["efficiency"] = 1.0
    assert counts() == pytest.approx(3.0 * 1.1 * signal + background, rel=1e-11)
    values["efficiency"] = -1.0
    assert counts() == pytest.approx(3.0 / 1.1 * signal + background, rel=1e-11)
    values["efficiency"], values["upstream-2021-2022"] = 0.0, 1.0
    moved = counts() - 3.0 * signal - background
    # the JSON keeps twelve digits of each of the two numbers per bin, up to 3 events
    assert moved[:5] == pytest.approx(0.0, abs=1e-11)
    assert moved[5:].sum() == pytest.approx(0.12, rel=3e-3)  # 0.16 +- 0.12 (arXiv:2307.02404)


def test_observations_and_bounds() -> None:
    template = Template.from_card(load_card("na64e-2016", ["bins.1.observed=25"]))
    spec, _ = signal_workspace(template, RATES, 0)
    workspace = pyhf.Workspace(spec)
    assert workspace.observations == {"2016-low": [0], "2016-medium": [25], "2016-high": [0]}
    model = workspace.model()
    low, high = model.config.suggested_bounds()[model.config.poi_index]
    assert low == 0.0
    assert high >= 10 * 25


def test_patches_and_workspaces_agree(template: Template) -> None:
    background = background_workspace(template)
    document = patchset(template, RATES)
    patches = pyhf.PatchSet(document)
    patches.verify(background)
    assert pyhf_digest(background) == pyhf.utils.digest(background)
    # mass 2 has no signal, so it has no patch
    assert [patch.name for patch in patches] == [f"mass_{i}_coupling_0" for i in (0, 1, 3)]
    assert patches.labels == ["mass_gev", "epsilon"]
    for patch in patches:
        mass = int(patch.name.split("_")[1])
        patched = patches.apply(background, patch.name)
        spec, _ = signal_workspace(template, RATES, mass)
        assert jsonio.canonical_json(dict(patched)) == jsonio.canonical_json(spec)
    assert "mu" not in pyhf.Workspace(background).model(poi_name=None).config.par_names


def test_the_same_card_gives_the_same_bytes() -> None:
    texts = set()
    for _ in range(2):
        template = Template.from_card(load_card("na64e-2016-2022"))
        spec, _ = signal_workspace(template, RATES, 1)
        texts.add(jsonio.canonical_json(spec) + jsonio.canonical_json(patchset(template, RATES)))
    assert len(texts) == 1
    # the order of the tables in the file does not matter where it has no meaning
    assert reading.parse_json(texts.pop().split('{"metadata"')[0], "x") == spec


def test_rates_without_a_power_keep_their_coupling(template: Template) -> None:
    couplings = np.array([1e-5, 1e-4])
    events = np.full((1, 2, 2, 1), 1e-11) * np.array([1.0, 40.0])[None, :, None, None]
    rates = SignalRates(
        "alp", "g", np.array([0.1]), couplings, PROCESSES, ("missing-energy",), events, None
    )
    spec, point = signal_workspace(template, rates, 0, 1)
    assert point == SignalPoint(0.1, "g", 1e-4, None)
    assert parse_measurement(point.measurement) == point
    with pytest.raises(InputError, match="no power of g"):
        point.coupling_at(2.0)
    total = sum(
        sample["data"][0]
        for channel in spec["channels"]  # type: ignore[attr-defined]
        for sample in channel["samples"]
        if sample["name"].startswith("signal_")
    )
    assert total == pytest.approx(9.37e11 * 0.475 * 2 * 4e-10)
    assert len(pyhf.PatchSet(patchset(template, rates)).patches) == 2


def test_refusals(template: Template) -> None:
    with pytest.raises(InputError, match=r"no signal of dark-photon at a mass of 0\.07368"):
        signal_workspace(template, RATES, 2)
    with pytest.raises(InputError, match="no signal of dark-photon at any mass"):
        patchset(template, power_law_rates([[0.0, 0.0]]))
    with pytest.raises(InputError, match=r"shape \(2, 3\), expected \(processes, bins\) \(2, 7\)"):
        workspace(template, np.ones((2, 3)), PROCESSES)
    with pytest.raises(InputError, match="finite and not negative"):
        workspace(template, -np.ones((2, 7)), PROCESSES)


def test_measurements_of_other_origin() -> None:
    for name in ("measurement", "mass_gev=x epsilon=1", "mass_gev=1", "mass_gev=1e epsilon=1"):
        assert parse_measurement(name) is None


@settings(max_examples=200, deadline=None)
@given(
    st.floats(1e-3, 1e3),
    st.text("abcg_-", min_size=1, max_size=8),
    st.floats(1e-12, 1e3),
    st.sampled_from([None, 1.0, 2.0, 4.0]),
)
def test_measurement_names_are_read_back(
    mass: float, parameter: str, coupling: float, power: float | None
) -> None:
    mass, coupling = float(f"{mass:.12g}"), float(f"{coupling:.12g}")
    point = SignalPoint(mass, parameter, coupling, power)
    assert parse_measurement(point.measurement) == point


@settings(max_examples=200, deadline=None)
@given(
    backgrounds=st.lists(
        st.tuples(st.floats(1e-9, 1e3), st.just(0.0) | st.floats(1e-80, 3.0)) | st.just((0.0, 0.0)),
        min_size=1,
        max_size=4,
    ),
    signals=st.lists(st.floats(1e-30, 1e3), min_size=2, max_size=2),
    spread=st.just(0.0) | st.floats(1e-80, 2.0),  # smaller numbers are refused in cards
)
def test_any_card_gives_a_workspace_that_pyhf_builds(
    backgrounds: list[tuple[float, float]], signals: list[float], spread: float
) -> None:
    bins = "".join(
        f"""
[[bins]]
name = "bin{index}"
exposure = {{ value = 1e12, relative_uncertainty = {spread!r}, source = "x" }}
efficiency = {{ value = 0.5, relative_uncertainty = {spread!r}, correlation = "e", source = "x" }}
background = {{ value = {value!r}, relative_uncertainty = {relative!r}, source = "x" }}
observed = {{ value = {index}, source = "x" }}
"""
        for index, (value, relative) in enumerate(backgrounds)
    )
    card = parse_card(CARD_HEAD + bins, "any")
    template = Template.from_card(card)
    spec, point = signal_workspace(template, power_law_rates([signals]), 0)
    model = pyhf.Workspace(spec).model()
    start = model.config.suggested_init()
    value = model.logpdf(start, [*template.observations, *model.config.auxdata])[0]
    assert math.isfinite(value) or any(
        count and not background
        for count, background in zip(
            template.observations, template.expected_backgrounds, strict=True
        )
    )
    assert point.coupling > 0.0
