"""Data belong to the experiment that took them: what makes a projection of a card with data."""

from __future__ import annotations

from pathlib import Path

import pytest

from na64.models.errors import InputError
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.projecting import measured_keys
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.problems import FileProblemsError

SEARCH = "na64e-2016-2022"


def observations(card: RunCard) -> list[int | None]:
    return [None if item.observation is None else item.observation.value for item in card.bins]


def test_the_keys_that_say_what_was_measured() -> None:
    """The list of docs/run-cards.md."""
    keys = sorted(item.name for _, item in measured_keys())
    assert keys == ["beam", "edges_gev", "exposure", "region", "target", "topology", "window"]
    text = (Path(__file__).parents[3] / "docs" / "run-cards.md").read_text(encoding="utf-8")
    said = text.partition("## Data and projections")[2].partition("\n## ")[0]
    assert all(f"`{key}`" in said for key in keys)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("bins.*.exposure*=3", "exposure of all bins"),
        ("bins.2022.exposure=2e12", "exposure of bin 2022"),
        ("bins.2022.exposure={value = 2e12, source = 'x'}", "exposure of bin 2022"),
        ("beam.energy_gev=60", "beam of all bins"),
        ("beam.particle=e+", "beam of all bins"),
        ("target.length_x0=30", "target of all bins"),
        ("window.missing_energy_gev*=0.8", "window of all bins"),
        ("window.preshower_energy_gev=1", "window of all bins"),
    ],
)
def test_another_experiment_has_no_data(setting: str, reason: str) -> None:
    card = load_card(SEARCH, [setting])
    assert card.projection
    assert card.projected == (reason,)
    assert observations(card) == [None] * len(card.bins)
    assert reason in card.projection_note
    # a resolved card says the same, and needs no settings to do so
    again = parse_card(canonical_json(card.to_dict()), "x", json=True)
    assert again.digest == card.digest
    assert again.projection_note == card.projection_note


@pytest.mark.parametrize(
    "setting",
    [
        "bins.*.efficiency*=0.5",
        "bins.*.efficiency=0.3",
        "bins.2022.efficiency_correction={value = 0.9, uncertainty = 0.1, source = 'x'}",
        "bins.*.background*=3",
        "bins.2022.background=0.5",
        "bins.*.exposure.relative_uncertainty=0.1",
        "bins.0.exposure.correlation=beam-monitor",
        "bins.0.period=early",
        "window.source=another paper",
        "defaults.masses.points=3",
        "title=Mine",
        # the value that it had
        "window.missing_energy_gev=50",
        "bins.*.exposure*=1",
    ],
)
def test_knowledge_of_the_experiment_keeps_its_data(setting: str) -> None:
    before = load_card(SEARCH)
    card = load_card(SEARCH, [setting])
    assert not card.projection
    assert not card.projected
    assert not card.projection_note
    assert observations(card) == observations(before) == [0] * len(card.bins)


def test_a_setup_concerns_the_bins_that_use_it() -> None:
    text = canonical_json(
        {
            **load_card("na64e-2016").to_dict(),
            "setups": {"other": {"beam": {"energy_gev": 80.0, "source": "x"}}},
        }
    )
    # a setup that no bin uses, then one that a bin is moved to
    unused = parse_card(text, "x", json=True, overrides=["setups.other.beam.energy_gev=60"])
    assert observations(unused) == [0, 0, 0]
    moved = parse_card(text, "x", json=True, overrides=["bins.2016-high.setup=other"])
    assert moved.projected == ("beam of bin 2016-high",)


def test_the_observation_may_be_set_as_well() -> None:
    card = load_card("na64e-2016", ["bins.0.exposure*=2", "bins.0.observed=1"])
    assert not card.projection
    assert observations(card) == [1, 0, 0]
    whole = load_card("na64e-2016", ["window.missing_energy_gev=40", "bins.*.observed=0"])
    assert not whole.projection
    assert observations(whole) == [0, 0, 0]


def test_data_of_some_of_the_bins_are_refused() -> None:
    """Neither what was observed nor a projection: the message says how to have one of both."""
    with pytest.raises(InputError) as caught:
        load_card("na64e-2016", ["bins.*.exposure*=2", "bins.0.observed=1"])
    text = str(caught.value)
    assert "change exposure of bins 2016-medium, 2016-high and observe bin 2016-low" in text
    assert "give observed of bins 2016-medium, 2016-high as well" in text


def test_a_projection_that_is_asked_for() -> None:
    card = load_card("na64e-2016", ["projection=true"])
    assert observations(card) == [None, None, None]
    assert not card.projection_note
    with pytest.raises(FileProblemsError, match=r"bins\[0\].observed"):
        load_card("na64e-2016", ["projection=true", "bins.0.observed=2"])


def test_a_card_that_is_a_projection_stays_one() -> None:
    card = load_card("na64e-run4", ["bins.*.exposure*=2"])
    assert card.projection
    assert not card.projection_note
    assert "(projection)" in card.title
    assert card.title.count("projection") == 1


def test_settings_on_a_resolved_projection_add_to_the_reasons() -> None:
    text = canonical_json(load_card("na64e-2016", ["bins.0.exposure*=2"]).to_dict())
    card = parse_card(text, "x", json=True, overrides=["beam.energy_gev=80"])
    assert card.projected == ("exposure of bin 2016-low",)  # no data were left to leave
    assert len(card.overrides) == 2


def test_tables_of_a_card_that_extends_another() -> None:
    head = 'name = "mine"\nextends = "na64e-2016"\n'
    window = '[window]\nmissing_energy_gev = 40.0\nsource = "x"\n'
    card = parse_card(head + window, "mine.toml")
    assert card.projected == ("window of all bins",)
    assert observations(card) == [None, None, None]
    own = """
[[bins]]
name = "new"
exposure = { value = 1e11, source = "x" }
efficiency = { value = 0.5, source = "x" }
background = { value = 0.0, source = "x" }
observed = { value = 0, source = "x" }
"""
    # a bin of its own beside those of the base
    added = parse_card(head + own, "mine.toml")
    assert observations(added) == [0, 0, 0, 0]
    # with a new window it has data, and those taken over have none
    with pytest.raises(InputError, match=r"tables of mine\.toml change window of bins 2016-low"):
        parse_card(head + window + own, "mine.toml")


def test_what_completes_a_card_changes_no_experiment() -> None:
    content = load_card("na64e-2016").to_dict()
    del content["beam"]
    text = canonical_json(content)
    beam = 'beam={particle = "e-", energy_gev = 100.0, source = "x"}'
    card = parse_card(text, "x", json=True, overrides=[beam])
    assert observations(card) == [0, 0, 0]
