"""Reading run cards: what is understood, and that every problem is reported at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from na64.models.errors import InputError
from na64.models.response.windows import MissingEnergyWindow
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.counts import poisson_median
from na64.workspaces.cards.quantity import MassTable, Quantity
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.problems import FileProblemsError

#: an experiment of nobody: other beam, target and window than any shipped card
CARD = """
name = "other"
title = "Another experiment"
topology = "missing-energy"

[defaults]
model = "dark-photon"
masses = { low_gev = 0.01, high_gev = 0.5, points = 11 }

[beam]
particle = "e+"
energy_gev = 11
source = "test"

[target]
layers_mm = { tungsten = 3.5, scintillator = 2.0 }
length_x0 = 25
source = "test"

[window]
missing_energy_gev = 6.0
source = "test"

[setups.low.beam]
energy_gev = 8.0
source = "test, low energy"

[[bins]]
name = "first"
exposure = { value = 1e13, relative_uncertainty = 0.05, correlation = "flux", source = "test" }
efficiency = { value = 0.5, uncertainty = 0.1, source = "test" }
background = { value = 0.3, uncertainty = 0.1, source = "test" }
observed = { value = 1, source = "test" }

[[bins]]
name = "second"
period = "autumn"
setup = "low"
exposure = { value = 2e12, relative_uncertainty = 0.05, correlation = "flux", source = "test" }
observed = { value = 0, source = "test" }

[bins.efficiency]
masses_gev = [0.01, 0.1, 1.0]
values = [0.5, 0.4, 0.3]
relative_uncertainty = 0.2
source = "test"

[[bins.backgrounds]]
name = "punch-through"
value = 0.1
relative_uncertainty = 1.0
source = "test"

[[bins.backgrounds]]
name = "neutrinos"
value = 0
source = "test"

[[uncertainties]]
name = "theory"
relative_uncertainty = 0.1
processes = ["emission"]
source = "test"
"""


def problems_of(text: str) -> dict[str, str]:
    with pytest.raises(FileProblemsError) as caught:
        parse_card(text, "test")
    paths = [problem.path for problem in caught.value.problems]
    assert len(set(paths)) == len(paths), "a problem is reported twice"
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.fixture
def card() -> RunCard:
    return parse_card(CARD, "test")


def test_another_experiment(card: RunCard) -> None:
    setup = card.setups["default"]
    assert (setup.beam.particle, setup.beam.energy_gev) == ("e+", 11.0)
    assert setup.window == MissingEnergyWindow(6.0)
    assert [part.name for part, _ in setup.target.material.parts] == ["scintillator", "tungsten"]
    volumes = [volume for _, volume in setup.target.material.parts]
    assert volumes == pytest.approx([2.0 / 5.5, 3.5 / 5.5])
    assert setup.target.length_cm == pytest.approx(25.0 * setup.target.material.radiation_length_cm)
    assert card.masses.points == 11
    assert card.mass_parameter == "m_A'"


def test_a_setup_overrides_parts(card: RunCard) -> None:
    low = card.setups["low"]
    assert low.beam.energy_gev == 8.0
    assert low.beam.particle == "e+"
    assert low.target == card.setups["default"].target
    assert card.used_setups == ("default", "low")
    assert [card.rate_region(item) for item in card.bins] == [
        "default/missing-energy",
        "low/missing-energy",
    ]


def test_bins(card: RunCard) -> None:
    first, second = card.bins
    assert (first.period, second.period) == ("first", "autumn")
    assert first.exposure == Quantity(1e13, 5e11, "test", "flux")
    assert isinstance(second.efficiency, MassTable)
    assert second.efficiency.relative_uncertainty == 0.2
    assert [background.name for background in first.backgrounds] == ["background"]
    assert [background.name for background in second.backgrounds] == [
        "punch-through",
        "neutrinos",
    ]
    assert (first.observed, second.observed) == (1, 0)
    assert card.total_exposure == 1.2e13
    assert card.uncertainties[0].processes == ("emission",)


def test_the_resolved_card_is_the_same_card(card: RunCard) -> None:
    text = canonical_json(card.to_dict())
    again = parse_card(text, "test", json=True)
    assert canonical_json(again.to_dict()) == text
    assert again.digest == card.digest
    assert again.bins == card.bins
    assert {name: setup.physics for name, setup in again.setups.items()} == {
        name: setup.physics for name, setup in card.setups.items()
    }


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = tmp_path / "mine.toml"
    toml.write_text(CARD)
    json = tmp_path / "mine.json"
    json.write_text(canonical_json(load_card(toml).to_dict()))
    assert load_card(json).digest == load_card(str(toml)).digest
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load_card("../mine.toml").digest == load_card(toml).digest


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown search 'na64e-2016-22' \(did you mean"):
        load_card("na64e-2016-22")
    with pytest.raises(InputError, match=r"no such file: .*none\.toml"):
        load_card(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("name = \n")
    with pytest.raises(InputError, match=r"bad\.toml: not TOML: .*line 1"):
        load_card(bad)


def test_every_problem_at_once() -> None:
    text = (
        CARD.replace('topology = "missing-energy"', 'topology = "missing-energie"')
        .replace("energy_gev = 11", "energy_mev = 11000")
        .replace('particle = "e+"', 'particle = "positron"')
        .replace("tungsten = 3.5", "wolfram = 3.5")
        .replace("value = 1e13", "value = -1e13")
        .replace("value = 0.3, uncertainty = 0.1", "value = nan")
        .replace("{ value = 2e12, relative_uncertainty", '{ value = "2e12", relative_uncertanty')
        .replace('name = "second"', 'name = "first"')
        .replace('setup = "low"', 'setup = "lo"')
        .replace("observed = { value = 1, ", "observed = { value = 1.5, ")
    )
    found = problems_of(text)
    assert found == {
        "topology": found["topology"],
        "beam.particle": found["beam.particle"],
        "beam.energy_gev": "missing; it must be a number",
        "beam.energy_mev": "unknown key (did you mean 'energy_gev'?); "
        "allowed: source, particle, energy_gev, "
        "momentum_spread",
        "target.layers_mm": found["target.layers_mm"],
        "bins[0].exposure.value": "must be positive, is -1e+13",
        "bins[0].background.value": "must be finite, is nan",
        "bins[0].observed.value": "must be a whole number, is the number 1.5",
        "bins[1].name": "'first' is the name of bins[0] already",
        "bins[1].setup": "unknown name 'lo' (did you mean 'low'?); allowed: default, low",
        "bins[1].exposure.value": "must be a number, is the text '2e12'",
        "bins[1].exposure.relative_uncertanty": found["bins[1].exposure.relative_uncertanty"],
    }
    assert found["topology"].startswith(
        "unknown name 'missing-energie' (did you mean 'missing-energy'?); allowed: missing-energy"
    )
    assert found["beam.particle"].startswith("unknown name 'positron'")
    assert "unknown substance 'wolfram'" in found["target.layers_mm"]
    assert "did you mean 'relative_uncertainty'?" in (found["bins[1].exposure.relative_uncertanty"])


def test_the_message_lists_the_problems() -> None:
    text = CARD.replace("energy_gev = 11", "energy_gev = -11").replace("points = 11", "points = 0")
    with pytest.raises(FileProblemsError) as caught:
        parse_card(text, "mine.toml")
    assert str(caught.value) == (
        "run card mine.toml has 2 problems:\n"
        "  defaults.masses.points: must be 1 or more, is 0\n"
        "  beam.energy_gev: must be positive, is -11"
    )
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ('exposure = { value = 1e13, relative_uncertainty = 0.05, correlation = "flux", '
         'source = "test" }', "exposure = 1e13", "bins[0].exposure", "needs its source"),
        ("value = 0.5, uncertainty = 0.1", "value = 1.5", "bins[0].efficiency.value",
         "must be at most 1, is 1.5"),
        ("value = 0.5, uncertainty = 0.1", "value = 0.0", "bins[0].efficiency.value",
         "must be positive"),
        ("value = 0.5, uncertainty", "value = 0.5, relative_uncertainty = 0.2, uncertainty",
         "bins[0].efficiency.uncertainty", "not both"),
        ("values = [0.5, 0.4, 0.3]", "values = [0.5, 1.4, 0.3]", "bins[1].efficiency.values[1]",
         "must be at most 1, is 1.4"),
        ("values = [0.5, 0.4, 0.3]", "values = [0.5, 0.4]", "bins[1].efficiency",
         "3 masses but 2 values"),
        ("masses_gev = [0.01, 0.1, 1.0]", "masses_gev = [0.01, -0.1, 1.0]",
         "bins[1].efficiency.masses_gev[1]", "must be positive, is -0.1"),
        ('length_x0 = 25', 'length_x0 = 25\nlength_cm = 10', "target.length_cm", "not both"),
        ('length_x0 = 25', 'material = "lead"', "target.material", "not both"),
        ("layers_mm = { tungsten = 3.5, scintillator = 2.0 }", "", "target.material",
         "one of the two"),
        ("missing_energy_gev = 6.0", "missing_energy_gev = 6.0\npreshower_energy_gev = 5.5",
         "window.preshower_energy_gev", "leaves nothing of the beam energy of 11 GeV"),
        ("missing_energy_gev = 6.0", "missing_energy_gev = 12.0", "window.missing_energy_gev",
         "must be below the beam energy of 11 GeV, is 12"),
        ("missing_energy_gev = 6.0", "missing_energy_gev = 6.0\npreshower_energy_gev = true",
         "window.preshower_energy_gev", "must be a number, is true"),
        ('energy_gev = 8.0\nsource = "test, low energy"', "energy_gev = 8.0",
         "setups.low.beam.source", "missing"),
        ('energy_gev = 8.0\nsource', 'energy_gve = 8.0\nsource', "setups.low.beam.energy_gve",
         "did you mean 'energy_gev'"),
        ('energy_gev = 8.0\nsource', 'energy_gev = 5.0\nsource',
         "setups.low.window.missing_energy_gev", "below the beam energy of 5 GeV"),
        ('name = "neutrinos"', 'name = "signal_neutrinos"', "bins[1].backgrounds[1].name",
         "the signal's"),
        ('name = "neutrinos"', 'name = "punch-through"', "bins[1].backgrounds[1].name",
         "is the name of bins[1].backgrounds[0] already"),
        ("value = 0\nsource", "value = 0\nuncertainty = 0.1\nsource", "bins[1].backgrounds[1]",
         "value of 0 cannot have an uncertainty"),
        ("background = { value = 0.3, uncertainty = 0.1, source = \"test\" }", "",
         "bins[0].background", "a bin without any says so"),
        ('correlation = "flux", source = "test" }\nefficiency = { value = 0.5',
         'correlation = "mu", source = "test" }\nefficiency = { value = 0.5',
         "bins[0].exposure.correlation", "'mu' is reserved"),
        ('processes = ["emission"]', 'processes = ["emision"]', "uncertainties[0].processes[0]",
         "did you mean 'emission'"),
        ('processes = ["emission"]', 'bins = ["third"]', "uncertainties[0].bins[0]",
         "allowed: first, second"),
        ('topology = "missing-energy"', 'topology = "missing-energy"\nformat = 2', "format",
         "reads format 1"),
        ('name = "second"', 'name = "second.bin"', "bins[1].name", "must match"),
        ('name = "other"', "", "name", "missing"),
        ("high_gev = 0.5", "high_gev = 0.005", "defaults.masses.high_gev", "above low_gev"),
        ('observed = { value = 1, source = "test" }', "", "bins[0].observed", "missing"),
        ('observed = { value = 1, source = "test" }', "observed = { value = 1 }",
         "bins[0].observed.source", "missing"),
        ("value = 1e13", "value = true", "bins[0].exposure.value", "must be a number, is true"),
        ('setup = "low"', 'region = "visible"', "bins[1].region", "allowed: missing-energy"),
    ],
)  # fmt: skip
def test_problems(old: str, new: str, path: str, message: str) -> None:
    assert old in CARD
    found = problems_of(CARD.replace(old, new, 1))
    assert path in found, found
    assert message in found[path]


def test_whole_numbers_that_no_float_holds_are_refused_where_they_stand() -> None:
    text = CARD.replace("value = 1e13", "value = 1" + 400 * "0", 1)
    with pytest.raises(InputError, match=r"bins\[0\]\.exposure\.value.*at most 308 digits"):
        parse_card(text, "test")


def test_a_problem_of_the_default_tables_is_reported_once() -> None:
    found = problems_of(CARD.replace("energy_gev = 11", "energy_gev = 11\ncolour = 'blue'"))
    assert list(found) == ["beam.colour"]


def test_no_bins() -> None:
    head = CARD.split("[[bins]]")[0]
    assert "bins" in problems_of(head)
    assert problems_of(head.replace("[defaults]", "bins = []\n[defaults]"))["bins"] == (
        "must not be empty"
    )


def test_projection_has_no_data() -> None:
    text = CARD.replace(
        'topology = "missing-energy"', 'topology = "missing-energy"\nprojection = true'
    )
    found = problems_of(text)
    assert set(found) == {"bins[0].observed", "bins[1].observed"}
    text = text.replace('observed = { value = 1, source = "test" }', "").replace(
        'observed = { value = 0, source = "test" }', ""
    )
    card = parse_card(text.replace("value = 0.3,", "value = 3.2,"), "test")
    assert card.projection
    assert card.bins[0].observation is None
    assert card.bins[0].observed == 3  # P(N <= 2) = 0.38, P(N <= 3) = 0.60 for a mean of 3.2
    assert card.bins[1].observed == 0


@pytest.mark.parametrize(
    ("mean", "median"), [(0.0, 0), (0.69, 0), (0.70, 1), (10.0, 10), (1e6, 10**6)]
)
def test_poisson_median(mean: float, median: int) -> None:
    assert poisson_median(mean) == median
